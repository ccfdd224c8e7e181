/* SPDX-License-Identifier: MIT */
/* Clips: media on audio tracks, notes and MIDI files on instrument tracks. */
#include <string.h>

#include "pulse-daemon/project/format.h"
#include "pulse-daemon/project/paths.h"
#include "pulse-daemon/project/read.h"

static struct pulse_fade read_fade(const struct lh_json *clip, const char *name)
{
    const struct lh_json *json = lh_json_member(clip, name);
    return (struct pulse_fade){
        .duration = pulse_time_of(json, "duration"),
        .shape = json == NULL ? PULSE_FADE_LINEAR
                              : (enum pulse_fade_shape)pulse_choice(json, "shape", pulse_fade_shape_names, 4, 0),
    };
}

static void read_notes(struct pulse_reading *reading, const struct lh_json *list, struct pulse_clip *clip)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_NOTES_MAX, &items);
    struct pulse_note *notes = pulse_read_array(reading, count, sizeof *notes);
    for (size_t i = 0; notes != NULL && i < count; i++) {
        notes[i] = (struct pulse_note){
            .at = pulse_time_of(items[i], "at"),
            .duration = pulse_time_of(items[i], "duration"),
            .key = pulse_whole(items[i], "key", 0),
            .velocity = pulse_whole(items[i], "velocity", PULSE_VELOCITY_DEFAULT),
            .channel = pulse_whole(items[i], "channel", 1),
        };
    }
    clip->notes = notes;
    clip->note_count = notes == NULL ? 0 : count;
}

static size_t media_named(struct pulse_reading *reading, const struct lh_json *reference)
{
    if (reference == NULL || reference->kind != LH_JSON_STRING) {
        return PULSE_NONE;
    }
    const char *id = reference->value.string.text;
    size_t index = pulse_names_find(&reading->media, id);
    if (index == PULSE_NONE && !reading->media.incomplete) {
        pulse_report_at(&reading->report, reference, "there is no medium %s in \"media\"%s",
                        pulse_report_quote(&reading->report, id),
                        pulse_report_suggest(&reading->report, id, reading->media.list, reading->media.count));
    }
    return index;
}

/* Members that make no sense for the clip's kind are refused: silently ignoring them would be worse. */
static void check_members(struct pulse_reading *reading, const struct pulse_clip *clip, const struct lh_json *track)
{
    static const char *const sources[] = {"media", "notes", "midi"};
    static const char *const audio_only[] = {"gainDb", "reverse", "loop", "fadeIn", "fadeOut"};
    const struct lh_json *source = lh_json_member(clip->json, sources[clip->kind]);
    bool audio = clip->kind == PULSE_CLIP_AUDIO;
    size_t given = 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        given += lh_json_member(clip->json, sources[i]) != NULL ? 1 : 0;
    }
    if (given != 1) {
        return; /* reported already, and anyone's guess what was meant */
    }
    bool typed = pulse_choice(track, "type", pulse_track_type_names, 5, PULSE_NONE) != PULSE_NONE;
    bool wants_audio = pulse_choice(track, "type", pulse_track_type_names, 5, 0) == PULSE_TRACK_AUDIO;
    if (typed && audio != wants_audio) {
        pulse_report_at(&reading->report, source, "%s",
                        audio ? "an instrument track plays \"notes\" or \"midi\"; media go on an audio track"
                              : "an audio track plays \"media\"; notes and MIDI files go on an instrument track");
    }
    for (size_t i = 0; !audio && i < sizeof audio_only / sizeof *audio_only; i++) {
        const struct lh_json *member = lh_json_member(clip->json, audio_only[i]);
        if (member != NULL) {
            pulse_report_at(&reading->report, member, "\"%s\" is for clips with media only", audio_only[i]);
        }
    }
    const struct lh_json *offset = lh_json_member(clip->json, "offset");
    if (offset != NULL && clip->kind == PULSE_CLIP_NOTES) {
        pulse_report_at(&reading->report, offset, "\"offset\" is for clips with media or a MIDI file only");
    }
    const struct lh_json *midi_track = lh_json_member(clip->json, "midiTrack");
    if (midi_track != NULL && clip->kind != PULSE_CLIP_MIDI) {
        pulse_report_at(&reading->report, midi_track, "\"midiTrack\" is for clips with a MIDI file only");
    }
}

static void read_clip(struct pulse_reading *reading, const struct lh_json *json, const struct lh_json *track,
                      struct pulse_clip *clip)
{
    const struct lh_json *notes = lh_json_member(json, "notes");
    const char *midi = pulse_text(json, "midi", NULL);
    *clip = (struct pulse_clip){
        .kind = notes != NULL  ? PULSE_CLIP_NOTES
                : midi != NULL ? PULSE_CLIP_MIDI
                               : PULSE_CLIP_AUDIO,
        .id = pulse_text(json, "id", NULL),
        .start = pulse_time_of(json, "start"),
        .duration = pulse_time_of(json, "duration"),
        .offset = pulse_time_of(json, "offset"),
        .media = PULSE_NONE,
        .gain_db = pulse_level_db(json, "gainDb"),
        .mute = pulse_flag(json, "mute"),
        .loop = pulse_flag(json, "loop"),
        .reverse = pulse_flag(json, "reverse"),
        .fade_in = read_fade(json, "fadeIn"),
        .fade_out = read_fade(json, "fadeOut"),
        .midi_track = pulse_whole(json, "midiTrack", 0),
        .json = json,
    };
    if (clip->start.unit == PULSE_UNIT_NONE) {
        clip->start.unit = PULSE_UNIT_FRAMES;
    }
    if (notes != NULL) {
        read_notes(reading, notes, clip);
    } else if (midi != NULL && pulse_path_fault(midi) == NULL) {
        clip->midi = pulse_path_normalise(reading->arena, midi);
        reading->report.out_of_memory |= clip->midi == NULL;
    } else {
        clip->media = media_named(reading, lh_json_member(json, "media"));
    }
    const struct lh_json *duration = lh_json_member(json, "duration");
    if (duration != NULL && clip->duration.unit != PULSE_UNIT_NONE && clip->duration.value == 0) {
        pulse_report_at(&reading->report, duration,
                        "a clip's duration has to be more than 0; leave it out to play to the end");
    }
    if (clip->loop && duration == NULL && clip->kind == PULSE_CLIP_AUDIO) {
        pulse_report_at(&reading->report, lh_json_member(json, "loop"),
                        "a clip that loops needs a \"duration\", or it would never end");
    }
    check_members(reading, clip, track);
}

void pulse_read_clips(struct pulse_reading *reading, struct pulse_track *track, const struct lh_json *list)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_CLIPS_MAX, &items);
    struct pulse_clip *clips = pulse_read_array(reading, count, sizeof *clips);
    const char **ids = pulse_read_array(reading, count, sizeof *ids);
    struct pulse_names names;
    if (clips == NULL || ids == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_clip(reading, items[i], track->json, &clips[i]);
        ids[i] = clips[i].id;
    }
    if (!pulse_read_names(reading, ids, count, &names)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t first = ids[i] == NULL ? i : pulse_names_find(&names, ids[i]);
        if (first != i) {
            pulse_report_at(&reading->report, lh_json_member(items[i], "id"),
                            "clip id %s is already taken by clip number %zu of this track",
                            pulse_report_quote(&reading->report, ids[i]), first + 1);
        }
    }
    track->clips = clips;
    track->clip_count = count;
}
