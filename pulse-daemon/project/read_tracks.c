/* SPDX-License-Identifier: MIT */
/* Tracks: heads first (ids and types), then what refers to other tracks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pulse-daemon/project/format.h"
#include "pulse-daemon/project/load.h"
#include "pulse-daemon/project/read.h"

static const char *const type_words[] = {"an audio track", "an instrument track", "a group", "a return", "the master"};

static void read_head(const struct lh_json *json, struct pulse_track *track)
{
    *track = (struct pulse_track){
        .id = pulse_text(json, "id", ""),
        .type = (enum pulse_track_type)pulse_choice(json, "type", pulse_track_type_names, 5, 0),
        .channels = pulse_whole(json, "channels", 0),
        .output = PULSE_NONE,
        .gain_db = pulse_level_db(json, "gainDb"),
        .pan = pulse_number(json, "pan", 0.0),
        .mute = pulse_flag(json, "mute"),
        .solo = pulse_flag(json, "solo"),
        .invert = pulse_flag(json, "invert"),
        .cohort = (enum pulse_cohort)pulse_choice(json, "cohort", pulse_cohort_names, 3, 0),
        .json = json,
    };
    track->name = pulse_text(json, "name", track->id);
}

/* Every track has an id of its own; at most one is the master, and without one there is an implied one at the end. */
static bool read_heads(struct pulse_reading *reading, struct lh_json *const *items, size_t count,
                       struct pulse_track *tracks, size_t *total)
{
    const char **ids = pulse_read_array(reading, count + 1, sizeof *ids);
    if (ids == NULL) {
        return false;
    }
    size_t master = PULSE_NONE;
    for (size_t i = 0; i < count; i++) {
        read_head(items[i], &tracks[i]);
        ids[i] = *tracks[i].id == '\0' ? NULL : tracks[i].id;
        if (tracks[i].type != PULSE_TRACK_MASTER) {
            continue;
        }
        if (master != PULSE_NONE) {
            pulse_report_at(&reading->report, lh_json_member(items[i], "type"),
                            "there can be only one master, and \"%.64s\" is it already", tracks[master].id);
        } else {
            master = i;
        }
    }
    *total = count;
    if (master == PULSE_NONE) {
        master = count;
        ids[count] = "master";
        tracks[count] =
            (struct pulse_track){.id = "master", .name = "master", .type = PULSE_TRACK_MASTER, .output = PULSE_NONE};
        *total = count + 1;
    }
    reading->project->master = master;
    return pulse_read_names(reading, ids, *total, &reading->tracks);
}

static void check_ids(struct pulse_reading *reading, const struct pulse_track *tracks, size_t total)
{
    for (size_t i = 0; i < total; i++) {
        size_t first = *tracks[i].id == '\0' ? i : pulse_names_find(&reading->tracks, tracks[i].id);
        if (first == i) {
            continue;
        }
        if (tracks[i].json != NULL) {
            pulse_report_at(&reading->report, lh_json_member(tracks[i].json, "id"),
                            "track id \"%.64s\" is already taken by track number %zu", tracks[i].id, first + 1);
        } else {
            pulse_report_at(&reading->report, lh_json_member(tracks[first].json, "id"),
                            "\"master\" is the id of the master, which this project does not list: give this track "
                            "another id, or the type \"master\"");
        }
    }
}

static bool is_typed(const struct pulse_track *track)
{
    return track->json == NULL ||
           pulse_choice(track->json, "type", pulse_track_type_names, 5, PULSE_NONE) != PULSE_NONE;
}

/* Makes sound itself and takes no input. A track whose type is missing or wrong is given the benefit of the doubt. */
static bool plays(const struct pulse_track *track)
{
    return is_typed(track) && (track->type == PULSE_TRACK_AUDIO || track->type == PULSE_TRACK_INSTRUMENT);
}

/* Where an output or send may go: what has an input of its own. */
static size_t destination(struct pulse_reading *reading, const struct pulse_track *tracks,
                          const struct lh_json *reference)
{
    size_t to = pulse_track_named(reading, reference);
    if (to != PULSE_NONE && plays(&tracks[to])) {
        pulse_report_at(&reading->report, reference,
                        "\"%.64s\" is %s, which takes no input: send to a group, a return or the master", tracks[to].id,
                        type_words[tracks[to].type]);
        return PULSE_NONE;
    }
    return to;
}

static void read_sends(struct pulse_reading *reading, const struct pulse_track *tracks, struct pulse_track *track,
                       const struct lh_json *list)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_TRACKS_MAX, &items);
    struct pulse_send *sends = pulse_read_array(reading, count, sizeof *sends);
    const char **targets = pulse_read_array(reading, count, sizeof *targets);
    struct pulse_names names;
    if (sends == NULL || targets == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        sends[i] = (struct pulse_send){
            .to = destination(reading, tracks, lh_json_member(items[i], "to")),
            .gain_db = pulse_level_db(items[i], "gainDb"),
            .pan = pulse_number(items[i], "pan", 0.0),
            .tap = (enum pulse_tap)pulse_choice(items[i], "tap", pulse_tap_names, 2, PULSE_TAP_POST),
            .mute = pulse_flag(items[i], "mute"),
            .json = items[i],
        };
        targets[i] = pulse_text(items[i], "to", NULL);
    }
    if (!pulse_read_names(reading, targets, count, &names)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (targets[i] != NULL && pulse_names_find(&names, targets[i]) != i) {
            pulse_report_at(&reading->report, lh_json_member(items[i], "to"),
                            "this track sends to %s already: one send for each destination, so that automation can "
                            "name it",
                            pulse_report_quote(&reading->report, targets[i]));
        }
    }
    track->sends = sends;
    track->send_count = count;
}

/* What the type forbids. */
static void check_type(struct pulse_reading *reading, const struct pulse_track *track)
{
    const struct lh_json *clips = lh_json_member(track->json, "clips");
    if (clips != NULL && is_typed(track) && !plays(track)) {
        pulse_report_at(&reading->report, clips, "%s has no clips: put them on an audio or instrument track",
                        type_words[track->type]);
    }
    if (track->type != PULSE_TRACK_MASTER) {
        return;
    }
    const struct lh_json *output = lh_json_member(track->json, "output");
    if (output != NULL) {
        pulse_report_at(&reading->report, output, "the master has no output: everything ends in it");
    }
    const struct lh_json *sends = lh_json_member(track->json, "sends");
    if (sends != NULL) {
        pulse_report_at(&reading->report, sends, "the master has no sends: everything ends in it");
    }
}

static void read_body(struct pulse_reading *reading, struct pulse_track *tracks, size_t index)
{
    struct pulse_track *track = &tracks[index];
    const struct lh_json *json = track->json;
    check_type(reading, track);
    if (track->type != PULSE_TRACK_MASTER) {
        const struct lh_json *output = lh_json_member(json, "output");
        track->output = output == NULL ? reading->project->master : destination(reading, tracks, output);
        read_sends(reading, tracks, track, lh_json_member(json, "sends"));
    }
    if (track->type == PULSE_TRACK_AUDIO || track->type == PULSE_TRACK_INSTRUMENT) {
        pulse_read_clips(reading, track, lh_json_member(json, "clips"));
    }
    pulse_read_nodes(reading, track, lh_json_member(json, "nodes"));
    pulse_read_automation(reading, track, lh_json_member(json, "automation"));
}

void pulse_read_tracks(struct pulse_reading *reading, const struct lh_json *root)
{
    const struct lh_json *list = lh_json_member(root, "tracks");
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_TRACKS_MAX, &items);
    size_t total = 0;
    struct pulse_track *tracks = pulse_read_array(reading, count + 1, sizeof *tracks);
    if (tracks == NULL || !read_heads(reading, items, count, tracks, &total)) {
        return;
    }
    reading->project->tracks = tracks;
    reading->project->track_count = total;
    reading->tracks.incomplete = pulse_is_cut(list, LH_JSON_ARRAY, PULSE_TRACKS_MAX);
    for (size_t i = 0; i < count; i++) {
        reading->tracks.incomplete |= pulse_text(items[i], "id", NULL) == NULL;
    }
    check_ids(reading, tracks, total);
    size_t clip_count = 0;
    for (size_t i = 0; i < count; i++) {
        read_body(reading, tracks, i);
        clip_count += tracks[i].clip_count;
    }
    if (clip_count > PULSE_CLIPS_MAX) {
        pulse_report_at(&reading->report, list, "the tracks have %zu clips together; the limit is %d", clip_count,
                        PULSE_CLIPS_MAX);
    }
}
