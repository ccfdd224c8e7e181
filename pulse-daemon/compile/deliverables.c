/* SPDX-License-Identifier: MIT */
/* Deliverables of the project to those of the render graph. */
#include "pulse-daemon/compile/deliverables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/math/exact.h"
#include "pulse-daemon/compile/clips.h"
#include "pulse-daemon/project/outputs.h"

#define OPUS_RATE 48000u

enum lh_status pulse_dither_seed(const char *name, uint64_t *seed)
{
    struct lh_digest digest;
    enum lh_status status = lh_digest_bytes(name, strlen(name), &digest);
    if (status != LH_OK) {
        return status;
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)digest.bytes[i] << (8 * i);
    }
    *seed = value;
    return LH_OK;
}

static enum graph_format format_of(enum pulse_format format)
{
    switch (format) {
    case PULSE_FORMAT_WAV:
        return GRAPH_FORMAT_WAV;
    case PULSE_FORMAT_BWF:
        return GRAPH_FORMAT_BWF;
    case PULSE_FORMAT_AIFF:
        return GRAPH_FORMAT_AIFF;
    case PULSE_FORMAT_FLAC:
        return GRAPH_FORMAT_FLAC;
    case PULSE_FORMAT_VORBIS:
        return GRAPH_FORMAT_VORBIS;
    case PULSE_FORMAT_OPUS:
        return GRAPH_FORMAT_OPUS;
    case PULSE_FORMAT_MP3:
        return GRAPH_FORMAT_MP3;
    }
    return GRAPH_FORMAT_WAV;
}

static bool seconds_to_frames(const struct pulse_compiling *c, double seconds, int64_t *frames)
{
    return pulse_tempo_frame(&c->tempo, (struct pulse_time){PULSE_UNIT_SECONDS, seconds}, frames);
}

/* False after a fault. */
static bool set_tail(struct pulse_compiling *c, const struct pulse_deliverable *item, struct graph_deliverable *made)
{
    const struct pulse_tail *tail = &item->range.tail;
    bool fits = true;
    if (tail->until) {
        made->tail = GRAPH_TAIL_UNTIL;
        made->tail_level = (float)lh_gain_from_db(tail->until_db);
        fits = isfinite(made->tail_level) && seconds_to_frames(c, tail->hold_seconds, &made->tail_hold) &&
               seconds_to_frames(c, tail->max_seconds, &made->tail_frames);
    } else if (tail->seconds > 0.0) {
        made->tail = GRAPH_TAIL_FRAMES;
        fits = seconds_to_frames(c, tail->seconds, &made->tail_frames);
    }
    if (!fits || made->end + made->tail_frames >= GRAPH_FRAMES_MAX) {
        pulse_fault(c, item->json, "/range/tail", LH_ERR_LIMIT, "the tail reaches past frame 2^40");
        return false;
    }
    return true;
}

static bool set_range(struct pulse_compiling *c, const struct pulse_deliverable *item, int64_t project_end,
                      struct graph_deliverable *made)
{
    const struct pulse_range *range = &item->range;
    bool default_end = range->end.unit == PULSE_UNIT_NONE;
    made->end = project_end;
    if (!pulse_tempo_frame(&c->tempo, range->start, &made->start)) {
        pulse_fault(c, item->json, "/range/start", LH_ERR_LIMIT, "the range begins past frame 2^40");
        return false;
    }
    if (!default_end && !pulse_tempo_frame(&c->tempo, range->end, &made->end)) {
        pulse_fault(c, item->json, "/range/end", LH_ERR_LIMIT, "the range ends past frame 2^40");
        return false;
    }
    if (made->end <= made->start) {
        if (default_end && made->end == 0) {
            pulse_fault(c, item->json, "", LH_ERR_INVALID,
                        "there is nothing to deliver: no track has a clip; add clips or give the \"range\" an \"end\"");
        } else {
            pulse_fault(c, item->json, default_end ? "/range/start" : "/range/end", LH_ERR_INVALID,
                        "the range is empty: it begins at frame %lld and ends at frame %lld%s", (long long)made->start,
                        (long long)made->end, default_end ? ", where the last clip ends" : "");
        }
        return false;
    }
    if (range->preroll.unit != PULSE_UNIT_NONE) {
        int64_t preroll = made->start;
        bool fits = pulse_tempo_length_before(&c->tempo, range->start, range->preroll, &preroll);
        made->preroll = fits && preroll < made->start ? preroll : made->start;
    }
    return set_tail(c, item, made);
}

static bool set_loop(struct pulse_compiling *c, const struct pulse_deliverable *item, struct graph_deliverable *made)
{
    if (!item->has_loop) {
        return true;
    }
    made->has_loop = true;
    if (!pulse_tempo_frame(&c->tempo, item->loop_start, &made->loop_start) ||
        !pulse_tempo_frame(&c->tempo, item->loop_end, &made->loop_end)) {
        pulse_fault(c, item->json, "/loop", LH_ERR_LIMIT, "the loop lies past frame 2^40");
        return false;
    }
    if (made->loop_start >= made->loop_end) {
        pulse_fault(c, item->json, "/loop/end", LH_ERR_INVALID,
                    "the loop is empty: it ends at frame %lld where it begins", (long long)made->loop_end);
        return false;
    }
    return true;
}

void pulse_check_deliverables(struct pulse_compiling *c)
{
    for (size_t i = 0; i < c->project->deliverable_count; i++) {
        const struct pulse_deliverable *item = &c->project->deliverables[i];
        struct graph_deliverable ignored = {.gain_from = GRAPH_NONE};
        if (c->routing.choices[i] == PULSE_NOT_CHOSEN) {
            continue;
        }
        set_loop(c, item, &ignored);
        if (item->range.end.unit != PULSE_UNIT_NONE) { /* else it takes all lengths, and a medium may be missing */
            set_range(c, item, 0, &ignored);
        }
    }
}

static void set_encoding(const struct pulse_compiling *c, const struct pulse_deliverable *item,
                         struct graph_deliverable *made)
{
    made->format = format_of(item->format);
    made->bit_depth = item->bit_depth;
    made->dither = item->dither ? GRAPH_DITHER_TPDF : GRAPH_DITHER_NONE;
    made->rate = item->sample_rate;
    if (made->rate == 0) {
        made->rate = item->format == PULSE_FORMAT_OPUS ? OPUS_RATE : c->project->sample_rate;
    }
    made->resampler = c->project->resampler == PULSE_RESAMPLER_SOXR ? GRAPH_CONFORM_SOXR : GRAPH_CONFORM_SAMPLERATE;
    made->has_quality = item->has_quality;
    made->quality = item->quality;
    made->bitrate_kbps = item->bitrate_kbps;
    made->has_integrated = item->has_integrated;
    made->integrated_lufs = item->integrated_lufs;
    made->has_true_peak = item->has_true_peak;
    made->true_peak_dbtp = item->true_peak_dbtp;
}

/* The node of one file; a silent one is a bus without inputs. */
static enum lh_status node_of(struct pulse_mixer *mixer, size_t track, enum pulse_tap tap, uint32_t *node)
{
    struct pulse_compiling *c = mixer->c;
    uint32_t found = GRAPH_NONE;
    uint32_t channels = c->channels[track];
    switch (tap) {
    case PULSE_TAP_PRE:
        found = mixer->strips[track].pre;
        break;
    case PULSE_TAP_POST:
        found = mixer->strips[track].post;
        channels = pulse_post_channels(c, track);
        break;
    case PULSE_TAP_CONTRIBUTION: {
        channels = c->channels[c->project->master];
        enum lh_status status = pulse_mixer_contribution(mixer, track, &found);
        if (status != LH_OK) {
            return status;
        }
        break;
    }
    }
    if (found == GRAPH_NONE) {
        return graph_builder_add_sum(c->builder, GRAPH_NODE_BUS, channels, false, NULL, 0, "silence", node);
    }
    *node = found;
    return LH_OK;
}

/* A file's name without its ending, as the render graph wants it. */
static const char *name_of(struct lh_arena *arena, const char *file, enum pulse_format format)
{
    return lh_arena_strndup(arena, file, strlen(file) - strlen(pulse_format_ending(format)) - 1);
}

struct writing {
    struct pulse_mixer *mixer;
    struct pulse_output *outputs;
    uint32_t *first; /* of every project deliverable: its first file in the graph, or GRAPH_NONE */
};

static enum lh_status add_file(struct writing *writing, size_t index, size_t source, const struct graph_tag *tags,
                               const struct graph_deliverable *common)
{
    struct pulse_compiling *c = writing->mixer->c;
    const struct pulse_deliverable *item = &c->project->deliverables[index];
    struct graph_deliverable made = *common;
    size_t track = item->sources[source];
    char *file = pulse_output_file(&c->result->arena, item, &c->project->tracks[track]);
    made.name = file == NULL ? NULL : name_of(&c->arena, file, item->format);
    if (made.name == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    uint32_t place = 0;
    enum lh_status status = pulse_dither_seed(made.name, &made.dither_seed);
    if (status == LH_OK) {
        status = node_of(writing->mixer, track, item->tap, &made.node);
    }
    if (status == LH_OK) {
        status = graph_builder_add_deliverable(c->builder, &made, tags, item->tag_count, &place);
    }
    if (status == LH_OK) {
        writing->outputs[place] = (struct pulse_output){
            .file = file, .deliverable = index, .track = track, .wanted = c->routing.choices[index] == PULSE_CHOSEN};
    }
    return status;
}

static enum lh_status add_deliverable(struct writing *writing, size_t index, int64_t project_end)
{
    struct pulse_compiling *c = writing->mixer->c;
    const struct pulse_deliverable *item = &c->project->deliverables[index];
    struct graph_deliverable made = {.gain_from = GRAPH_NONE};
    if (item->gain_from != PULSE_NONE) {
        made.gain_from = writing->first[item->gain_from];
    }
    set_encoding(c, item, &made);
    bool ranged = set_range(c, item, project_end, &made);
    if (!set_loop(c, item, &made) || !ranged) {
        return LH_OK;
    }
    struct graph_tag *tags = lh_arena_array(&c->arena, item->tag_count, sizeof *tags);
    if (tags == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < item->tag_count; i++) {
        tags[i] = (struct graph_tag){.name = item->tags[i].name, .value = item->tags[i].value};
    }
    for (size_t i = 0; i < item->source_count; i++) {
        enum lh_status status = add_file(writing, index, i, tags, &made);
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

static enum lh_status add_markers(struct pulse_compiling *c)
{
    for (size_t i = 0; i < c->project->marker_count; i++) {
        const struct pulse_marker *marker = &c->project->markers[i];
        int64_t frame;
        if (!pulse_tempo_frame(&c->tempo, marker->at, &frame)) {
            char suffix[64];
            snprintf(suffix, sizeof suffix, "/markers/%zu/at", i);
            pulse_fault(c, c->project->json, suffix, LH_ERR_LIMIT, "the marker lies past frame 2^40");
            continue;
        }
        enum lh_status status = graph_builder_add_marker(c->builder, frame, marker->name);
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

/* Numbers the files before they are added, so that gainFrom may refer forwards. Returns how many there are. */
static uint32_t number_files(const struct pulse_compiling *c, uint32_t *first, bool *default_end)
{
    uint32_t next = 0;
    *default_end = false;
    for (size_t i = 0; i < c->project->deliverable_count; i++) {
        const struct pulse_deliverable *item = &c->project->deliverables[i];
        bool chosen = c->routing.choices[i] != PULSE_NOT_CHOSEN;
        first[i] = chosen ? next : GRAPH_NONE;
        next += chosen ? (uint32_t)item->source_count : 0;
        *default_end = *default_end || (chosen && item->range.end.unit == PULSE_UNIT_NONE);
    }
    return next;
}

enum lh_status pulse_compile_deliverables(struct pulse_mixer *mixer)
{
    struct pulse_compiling *c = mixer->c;
    size_t count = c->project->deliverable_count;
    struct writing writing = {.mixer = mixer, .first = lh_arena_array(&c->arena, count, sizeof *writing.first)};
    if (writing.first == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    bool default_end;
    uint32_t files = number_files(c, writing.first, &default_end);
    writing.outputs = lh_arena_array(&c->result->arena, files, sizeof *writing.outputs);
    if (writing.outputs == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    c->result->outputs = writing.outputs;
    int64_t project_end = default_end ? pulse_project_end(c) : 0;
    enum lh_status status = add_markers(c);
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        if (c->routing.choices[i] != PULSE_NOT_CHOSEN) {
            status = add_deliverable(&writing, i, project_end);
        }
    }
    return status;
}
