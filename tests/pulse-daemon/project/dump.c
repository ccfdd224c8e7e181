/* SPDX-License-Identifier: MIT */
/* Every member of the model, one line a record. */
#include "tests/pulse-daemon/project/dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void dump_time(FILE *out, struct pulse_time time)
{
    fprintf(out, " %d:%a", (int)time.unit, time.value + 0.0); /* -0 is 0 */
}

static void dump_text(FILE *out, const char *text)
{
    fprintf(out, " %s%s", text == NULL ? "-" : "=", text == NULL ? "" : text);
}

static void dump_timeline(FILE *out, const struct pulse_project *project)
{
    for (size_t i = 0; i < project->tempo_count; i++) {
        const struct pulse_tempo_point *point = &project->tempo[i];
        fprintf(out, "tempo %a %a %d\n", point->beats + 0.0, point->bpm, (int)point->curve);
    }
    for (size_t i = 0; i < project->signature_count; i++) {
        fprintf(out, "signature");
        dump_time(out, project->signatures[i].at);
        fprintf(out, " %" PRIu32 "/%" PRIu32 "\n", project->signatures[i].numerator,
                project->signatures[i].denominator);
    }
    for (size_t i = 0; i < project->marker_count; i++) {
        fprintf(out, "marker");
        dump_time(out, project->markers[i].at);
        dump_text(out, project->markers[i].name);
        fputc('\n', out);
    }
    for (size_t i = 0; i < project->media_count; i++) {
        const struct pulse_media *medium = &project->media[i];
        char digest[LH_DIGEST_TEXT_SIZE];
        lh_digest_text(&medium->digest, digest);
        fprintf(out, "media %s", medium->id);
        dump_text(out, medium->file);
        fprintf(out, " %s %d %d\n", medium->has_digest ? digest : "-", medium->has_resampler, (int)medium->resampler);
    }
}

static void dump_clip(FILE *out, const struct pulse_clip *clip)
{
    fprintf(out, " clip %d %zu %a %d%d%d %" PRIu32, (int)clip->kind, clip->media, clip->gain_db + 0.0, clip->mute,
            clip->loop, clip->reverse, clip->midi_track);
    dump_text(out, clip->id);
    dump_text(out, clip->midi);
    dump_time(out, clip->start);
    dump_time(out, clip->duration);
    dump_time(out, clip->offset);
    dump_time(out, clip->fade_in.duration);
    dump_time(out, clip->fade_out.duration);
    fprintf(out, " %d %d\n", (int)clip->fade_in.shape, (int)clip->fade_out.shape);
    for (size_t i = 0; i < clip->note_count; i++) {
        const struct pulse_note *note = &clip->notes[i];
        fprintf(out, "  note %" PRIu32 " %" PRIu32 " %" PRIu32, note->key, note->velocity, note->channel);
        dump_time(out, note->at);
        dump_time(out, note->duration);
        fputc('\n', out);
    }
}

static void dump_automation(FILE *out, const struct pulse_automation *automation)
{
    fprintf(out, " automation %d %s %zu\n", (int)automation->target, automation->parameter, automation->index);
    for (size_t i = 0; i < automation->point_count; i++) {
        fprintf(out, "  point %a %d", automation->points[i].value + 0.0, (int)automation->points[i].curve);
        dump_time(out, automation->points[i].at);
        fputc('\n', out);
    }
}

static void dump_node(FILE *out, const struct pulse_node *node)
{
    char digest[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(&node->state_digest, digest);
    fprintf(out, " node %s %s %d %zu %d %d", node->id, node->plugin, node->enabled, node->sidechain_from,
            (int)node->sidechain_tap, (int)node->if_missing);
    dump_text(out, node->preset);
    dump_text(out, node->state_file);
    fprintf(out, " %s\n", node->state != NULL && node->state_file == NULL ? digest : "-");
    for (size_t i = 0; i < node->parameter_count; i++) {
        fprintf(out, "  parameter %s %a\n", node->parameters[i].symbol, node->parameters[i].value + 0.0);
    }
    for (size_t i = 0; i < node->stand_in_count; i++) {
        dump_node(out, &node->stand_ins[i]);
    }
}

static void dump_track(FILE *out, const struct pulse_track *track)
{
    fprintf(out, "track %s %d %" PRIu32 " %zu %a %a %d%d%d %d", track->id, (int)track->type, track->channels,
            track->output, track->gain_db + 0.0, track->pan + 0.0, track->mute, track->solo, track->invert,
            (int)track->cohort);
    dump_text(out, track->name);
    fputc('\n', out);
    for (size_t i = 0; i < track->clip_count; i++) {
        dump_clip(out, &track->clips[i]);
    }
    for (size_t i = 0; i < track->node_count; i++) {
        dump_node(out, &track->nodes[i]);
    }
    for (size_t i = 0; i < track->send_count; i++) {
        const struct pulse_send *send = &track->sends[i];
        fprintf(out, " send %zu %a %a %d %d\n", send->to, send->gain_db + 0.0, send->pan + 0.0, (int)send->tap,
                send->mute);
    }
    for (size_t i = 0; i < track->automation_count; i++) {
        dump_automation(out, &track->automation[i]);
    }
}

static void dump_deliverable(FILE *out, const struct pulse_deliverable *item)
{
    fprintf(out, "deliverable %s %d %d %d %" PRIu32 " %d %" PRIu32, item->name, item->each, (int)item->tap,
            (int)item->format, item->bit_depth, item->dither, item->sample_rate);
    for (size_t i = 0; i < item->source_count; i++) {
        fprintf(out, " source %zu", item->sources[i]);
    }
    dump_time(out, item->range.start);
    dump_time(out, item->range.end);
    dump_time(out, item->range.preroll);
    fprintf(out, " tail %d %a %a %a %a", item->range.tail.until, item->range.tail.seconds + 0.0,
            item->range.tail.until_db + 0.0, item->range.tail.hold_seconds + 0.0, item->range.tail.max_seconds + 0.0);
    fprintf(out, " loudness %d %a %d %a %zu", item->has_integrated, item->integrated_lufs + 0.0, item->has_true_peak,
            item->true_peak_dbtp + 0.0, item->gain_from);
    fprintf(out, " quality %d %a %" PRIu32 " loop %d", item->has_quality, item->quality + 0.0, item->bitrate_kbps,
            item->has_loop);
    dump_time(out, item->loop_start);
    dump_time(out, item->loop_end);
    fputc('\n', out);
    for (size_t i = 0; i < item->tag_count; i++) {
        fprintf(out, " tag %s=%s\n", item->tags[i].name, item->tags[i].value);
    }
}

char *dump_project(const struct pulse_project *project)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    fprintf(out, "project %" PRIu32 " %" PRIu32 " %d %d %zu", project->sample_rate, project->quantum,
            (int)project->pan_law, (int)project->resampler, project->master);
    dump_text(out, project->name);
    fputc('\n', out);
    dump_timeline(out, project);
    for (size_t i = 0; i < project->track_count; i++) {
        dump_track(out, &project->tracks[i]);
    }
    for (size_t i = 0; i < project->deliverable_count; i++) {
        dump_deliverable(out, &project->deliverables[i]);
    }
    fclose(out);
    return text;
}
