/* SPDX-License-Identifier: MIT */
/* Clips to regions. Times are resolved here once; what a clip plays past its medium's end is silence. */
#include "pulse-daemon/compile/clips.h"

#include <math.h>
#include <stdio.h>

#include "common/math/exact.h"
#include "pulse-daemon/compile/midi_clips.h"
#include "pulse-daemon/compile/notes.h"

#define LABEL_SIZE 128

bool pulse_conformed_length(uint64_t frames, uint32_t from, uint32_t to, uint64_t *length)
{
    if (frames >= (uint64_t)GRAPH_FRAMES_MAX || from < GRAPH_RATE_MIN || from > GRAPH_RATE_MAX) {
        return false;
    }
    uint64_t converted = graph_converted_length(frames, from, to);
    if (converted >= (uint64_t)GRAPH_FRAMES_MAX) {
        return false;
    }
    *length = converted;
    return true;
}

static enum graph_conform conform_of(const struct pulse_compiling *c, size_t media)
{
    const struct pulse_media_facts *facts = &c->facts->media[media];
    if (facts->rate == c->project->sample_rate) {
        return facts->lossy ? GRAPH_CONFORM_DECODE : GRAPH_CONFORM_IN_PLACE;
    }
    const struct pulse_media *item = &c->project->media[media];
    enum pulse_resampler resampler = item->has_resampler ? item->resampler : c->project->resampler;
    return resampler == PULSE_RESAMPLER_SOXR ? GRAPH_CONFORM_SOXR : GRAPH_CONFORM_SAMPLERATE;
}

static enum lh_status add_media(struct pulse_compiling *c, size_t media, size_t *map, uint32_t *count)
{
    const struct pulse_media_facts *facts = &c->facts->media[media];
    const struct graph_media entry = {
        .channels = facts->channels,
        .rate = facts->rate,
        .frames = facts->frames,
        .length = c->media_length[media],
        .conform = conform_of(c, media),
        .name = c->project->media[media].id,
    };
    enum lh_status status = graph_builder_add_media(c->builder, &entry, &c->media_index[media]);
    if (status == LH_OK) {
        map[(*count)++] = media;
    }
    return status;
}

static void mark_heard_media(const struct pulse_compiling *c, bool *heard)
{
    for (size_t i = 0; i < c->project->track_count; i++) {
        const struct pulse_track *track = &c->project->tracks[i];
        for (size_t k = 0; c->routing.needed[i] && k < track->clip_count; k++) {
            const struct pulse_clip *clip = &track->clips[k];
            if (clip->kind == PULSE_CLIP_AUDIO && pulse_clip_is_heard(clip)) {
                heard[clip->media] = true;
            }
        }
    }
}

enum lh_status pulse_compile_media(struct pulse_compiling *c)
{
    size_t count = c->project->media_count;
    bool *heard = lh_arena_array(&c->arena, count, sizeof *heard);
    size_t *map = lh_arena_array(&c->result->arena, count, sizeof *map);
    c->media_length = lh_arena_array(&c->arena, count, sizeof *c->media_length);
    c->media_index = lh_arena_array(&c->arena, count, sizeof *c->media_index);
    if (heard == NULL || map == NULL || c->media_length == NULL || c->media_index == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    mark_heard_media(c, heard);
    uint32_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct pulse_media_facts *facts = &c->facts->media[i];
        c->media_index[i] = GRAPH_NONE;
        bool known = facts->rate >= GRAPH_RATE_MIN && facts->rate <= GRAPH_RATE_MAX && facts->channels >= 1;
        bool fits = pulse_conformed_length(facts->frames, facts->rate, c->project->sample_rate, &c->media_length[i]);
        if (!heard[i]) {
            continue;
        }
        char suffix[LABEL_SIZE];
        snprintf(suffix, sizeof suffix, "/media/%s", c->project->media[i].id);
        if (!known || facts->channels > GRAPH_CHANNELS_MAX) {
            pulse_fault(c, c->project->json, suffix, LH_ERR_MISSING,
                        "the medium has %u channels at %u Hz; 1 to %d channels at %d to %d Hz can be read",
                        facts->channels, facts->rate, GRAPH_CHANNELS_MAX, GRAPH_RATE_MIN, GRAPH_RATE_MAX);
        } else if (!fits) {
            pulse_fault(c, c->project->json, suffix, LH_ERR_LIMIT, "the medium is longer than 2^40 frames");
        } else {
            enum lh_status status = add_media(c, i, map, &used);
            if (status != LH_OK) {
                return status;
            }
        }
    }
    c->result->media = map;
    return LH_OK;
}

uint32_t pulse_track_channels(const struct pulse_compiling *c, size_t track)
{
    const struct pulse_track *item = &c->project->tracks[track];
    if (item->channels != 0) {
        return item->channels;
    }
    size_t audio = 0;
    for (size_t i = 0; i < item->clip_count; i++) {
        const struct pulse_clip *clip = &item->clips[i];
        if (clip->kind == PULSE_CLIP_AUDIO) {
            audio++;
            if (c->facts->media[clip->media].channels != 1) {
                return 2;
            }
        }
    }
    return audio > 0 ? 1 : 2;
}

/* Frames of a medium from the clip's offset to its end. */
static bool media_after_offset(struct pulse_compiling *c, const struct pulse_clip *clip, int64_t *offset,
                               int64_t *available)
{
    if (!pulse_tempo_frame(&c->tempo, clip->offset, offset)) {
        pulse_fault(c, clip->json, "/offset", LH_ERR_LIMIT, "the offset is past frame 2^40");
        return false;
    }
    int64_t length = (int64_t)c->media_length[clip->media];
    *available = length > *offset ? length - *offset : 0;
    return true;
}

bool pulse_clip_extent(struct pulse_compiling *c, const struct pulse_clip *clip, int64_t *start, int64_t *length)
{
    if (!pulse_tempo_frame(&c->tempo, clip->start, start)) {
        pulse_fault(c, clip->json, "/start", LH_ERR_LIMIT, "the clip begins past frame 2^40");
        return false;
    }
    bool fits = true;
    const char *member = "";
    if (clip->duration.unit != PULSE_UNIT_NONE) {
        member = "/duration";
        fits = pulse_tempo_length(&c->tempo, clip->start, clip->duration, length);
    } else if (clip->kind == PULSE_CLIP_AUDIO) {
        int64_t offset;
        if (!media_after_offset(c, clip, &offset, length)) {
            return false;
        }
    } else if (clip->kind == PULSE_CLIP_NOTES) {
        fits = pulse_notes_length(c, clip, *start, length);
    } else {
        fits = pulse_midi_length(c, clip, *start, length);
    }
    if (!fits || *start + *length >= GRAPH_FRAMES_MAX) {
        pulse_fault(c, clip->json, member, LH_ERR_LIMIT, "the clip ends past frame 2^40");
        return false;
    }
    return true;
}

int64_t pulse_project_end(struct pulse_compiling *c)
{
    int64_t end = 0;
    for (size_t i = 0; i < c->project->track_count; i++) {
        const struct pulse_track *track = &c->project->tracks[i];
        for (size_t k = 0; k < track->clip_count; k++) {
            int64_t start, length;
            if (pulse_clip_extent(c, &track->clips[k], &start, &length) && start + length > end) {
                end = start + length;
            }
        }
    }
    return end;
}

/* A fade's frames, capped at the clip's length. */
static int64_t fade_frames(const struct pulse_compiling *c, const struct pulse_clip *clip,
                           const struct graph_region *region, bool out)
{
    const struct pulse_fade *fade = out ? &clip->fade_out : &clip->fade_in;
    int64_t frames = 0;
    bool fits;
    if (fade->duration.unit == PULSE_UNIT_NONE) {
        return 0;
    }
    if (!out) {
        fits = pulse_tempo_length(&c->tempo, clip->start, fade->duration, &frames);
    } else {
        struct pulse_time end = {PULSE_UNIT_FRAMES, (double)(region->start + region->length)};
        if (clip->duration.unit == PULSE_UNIT_BEATS) {
            double beats = pulse_tempo_beat(&c->tempo, clip->start) + clip->duration.value;
            end = (struct pulse_time){PULSE_UNIT_BEATS, beats};
        }
        fits = pulse_tempo_length_before(&c->tempo, end, fade->duration, &frames);
    }
    return fits && frames < region->length ? frames : region->length;
}

static enum lh_status add_fade(struct pulse_compiling *c, enum pulse_fade_shape shape, int64_t length, uint32_t *curve)
{
    *curve = GRAPH_NONE;
    return length == 0 ? LH_OK : pulse_fades_curve(&c->fades, c->builder, &c->points, shape, curve);
}

static enum lh_status add_fades(struct pulse_compiling *c, const struct pulse_clip *clip, struct graph_region *region)
{
    region->fade_in_length = fade_frames(c, clip, region, false);
    region->fade_out_length = fade_frames(c, clip, region, true);
    enum lh_status status = add_fade(c, clip->fade_in.shape, region->fade_in_length, &region->fade_in);
    if (status == LH_OK) {
        status = add_fade(c, clip->fade_out.shape, region->fade_out_length, &region->fade_out);
    }
    if (status == LH_ERR_LIMIT) {
        pulse_fault(c, clip->json, "", LH_ERR_LIMIT, "a fade of the clip is too long for a table");
        return LH_OK;
    }
    return status;
}

void pulse_check_clip_layouts(struct pulse_compiling *c, size_t track)
{
    const struct pulse_track *item = &c->project->tracks[track];
    uint32_t wants = c->channels[track];
    for (size_t i = 0; i < item->clip_count; i++) {
        const struct pulse_clip *clip = &item->clips[i];
        if (clip->kind != PULSE_CLIP_AUDIO || !pulse_clip_is_heard(clip)) {
            continue;
        }
        uint32_t has = c->facts->media[clip->media].channels;
        if (has == 0 || has == wants || (has == 1 && wants == 2)) {
            continue; /* media without facts are told of elsewhere */
        }
        pulse_fault(c, clip->json, "/media", LH_ERR_INVALID,
                    "medium \"%s\" has %u channel%s and track \"%s\" has %u; give the track \"channels\": %u or use "
                    "another medium (only mono goes into stereo)",
                    c->project->media[clip->media].id, has, has == 1 ? "" : "s", item->id, wants, has);
    }
}

/* *sounds is false when nothing of the clip is heard, or after a fault. */
static enum lh_status make_region(struct pulse_compiling *c, const struct pulse_clip *clip, struct graph_region *region,
                                  bool *sounds)
{
    int64_t available;
    struct graph_region made = {.media = c->media_index[clip->media], .reverse = clip->reverse};
    *sounds = false;
    if (!pulse_clip_extent(c, clip, &made.start, &made.length) ||
        !media_after_offset(c, clip, &made.offset, &available)) {
        return LH_OK;
    }
    if (made.length == 0 || available == 0) {
        return LH_OK;
    }
    if (clip->loop && made.length > available) {
        made.loop_length = available;
    }
    made.gain = (float)lh_gain_from_db(clip->gain_db);
    if (!isfinite(made.gain)) {
        pulse_fault(c, clip->json, "/gainDb", LH_ERR_INVALID, "a gain of %g dB is too large to be used", clip->gain_db);
        return LH_OK;
    }
    enum lh_status status = add_fades(c, clip, &made);
    if (status == LH_OK) {
        *region = made;
        *sounds = made.gain != 0.0f && !pulse_has_faults(c);
    }
    return status;
}

enum lh_status pulse_compile_clips(struct pulse_compiling *c, size_t track, uint32_t *node)
{
    const struct pulse_track *item = &c->project->tracks[track];
    struct graph_region *regions = lh_arena_array(&c->arena, item->clip_count, sizeof *regions);
    if (regions == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    size_t count = 0;
    for (size_t i = 0; i < item->clip_count; i++) {
        const struct pulse_clip *clip = &item->clips[i];
        bool sounds = false;
        if (clip->kind == PULSE_CLIP_AUDIO && pulse_clip_is_heard(clip)) {
            enum lh_status status = make_region(c, clip, &regions[count], &sounds);
            if (status != LH_OK) {
                return status;
            }
        }
        count += sounds ? 1 : 0;
    }
    *node = GRAPH_NONE;
    if (count == 0) {
        return LH_OK;
    }
    char label[LABEL_SIZE];
    snprintf(label, sizeof label, "track %s, clips", item->id);
    return graph_builder_add_clips(c->builder, c->channels[track], item->invert, regions, count, label, node);
}
