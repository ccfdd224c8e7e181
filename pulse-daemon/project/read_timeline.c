/* SPDX-License-Identifier: MIT */
/* Tempo, time signatures, markers and media. */
#include <string.h>

#include "pulse-daemon/project/format.h"
#include "pulse-daemon/project/paths.h"
#include "pulse-daemon/project/read.h"

static const struct pulse_tempo_point default_tempo = {.beats = 0, .bpm = PULSE_BPM_DEFAULT, .curve = PULSE_TEMPO_STEP};
static const struct pulse_time_signature default_signature = {
    .at = {.unit = PULSE_UNIT_BEATS, .value = 0}, .numerator = 4, .denominator = 4};

static void read_tempo(struct pulse_reading *reading, const struct lh_json *list)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_MAP_POINTS_MAX, &items);
    struct pulse_tempo_point *points = pulse_read_array(reading, count, sizeof *points);
    if (points == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        points[i].beats = pulse_time_of(items[i], "at").value;
        points[i].bpm = pulse_number(items[i], "bpm", PULSE_BPM_DEFAULT);
        points[i].curve = (enum pulse_tempo_curve)pulse_choice(items[i], "curve", pulse_tempo_curve_names, 2, 0);
        const struct lh_json *at = lh_json_member(items[i], "at");
        if (i == 0 && points[0].beats != 0) {
            pulse_report_at(&reading->report, at, "the first tempo point has to be at beat 0, not %.15g",
                            points[0].beats);
        } else if (i > 0 && at != NULL && points[i].beats <= points[i - 1].beats) {
            pulse_report_at(&reading->report, at,
                            "tempo points have to stand in ascending order: %.15g beats comes after %.15g",
                            points[i].beats, points[i - 1].beats);
        }
    }
    reading->project->tempo = count > 0 ? points : &default_tempo;
    reading->project->tempo_count = count > 0 ? count : 1;
}

static void read_signatures(struct pulse_reading *reading, const struct lh_json *list)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_MAP_POINTS_MAX, &items);
    struct pulse_time_signature *signatures = pulse_read_array(reading, count, sizeof *signatures);
    if (signatures == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        signatures[i].at = pulse_time_of(items[i], "at");
        signatures[i].numerator = pulse_whole(items[i], "numerator", 4);
        signatures[i].denominator = pulse_whole(items[i], "denominator", 4);
        const struct lh_json *at = lh_json_member(items[i], "at");
        if (i == 0 && signatures[0].at.value != 0) {
            pulse_report_at(&reading->report, at, "the first time signature has to be at 0");
        } else if (i > 0 && pulse_time_reaches(signatures[i - 1].at, signatures[i].at)) {
            pulse_report_at(&reading->report, at, "time signatures have to stand in ascending order");
        }
        uint32_t denominator = signatures[i].denominator;
        if (denominator <= 64 && (denominator & (denominator - 1)) != 0) {
            pulse_report_at(&reading->report, lh_json_member(items[i], "denominator"),
                            "a denominator has to be 1, 2, 4, 8, 16, 32 or 64, not %u", denominator);
        }
    }
    reading->project->signatures = count > 0 ? signatures : &default_signature;
    reading->project->signature_count = count > 0 ? count : 1;
}

void pulse_read_timeline(struct pulse_reading *reading, const struct lh_json *root)
{
    read_tempo(reading, lh_json_member(root, "tempo"));
    read_signatures(reading, lh_json_member(root, "timeSignatures"));

    struct lh_json *const *items = NULL;
    size_t count = pulse_items(lh_json_member(root, "markers"), LH_JSON_ARRAY, PULSE_MAP_POINTS_MAX, &items);
    struct pulse_marker *markers = pulse_read_array(reading, count, sizeof *markers);
    for (size_t i = 0; markers != NULL && i < count; i++) {
        markers[i].at = pulse_time_of(items[i], "at");
        markers[i].name = pulse_text(items[i], "name", "");
    }
    reading->project->markers = markers;
    reading->project->marker_count = markers == NULL ? 0 : count;
}

static void read_medium(struct pulse_reading *reading, const struct lh_json *json, struct pulse_media *medium)
{
    *medium = (struct pulse_media){.id = json->name, .resampler = reading->project->resampler};
    const char *file = pulse_text(json, "file", NULL);
    if (file != NULL && pulse_path_fault(file) == NULL) {
        medium->file = pulse_path_normalise(reading->arena, file);
        reading->report.out_of_memory |= medium->file == NULL;
    }
    const char *digest = pulse_text(json, "digest", NULL);
    medium->has_digest = digest != NULL && lh_digest_parse(digest, &medium->digest);
    medium->has_resampler = lh_json_member(json, "resampler") != NULL;
    if (medium->has_resampler) {
        medium->resampler = (enum pulse_resampler)pulse_choice(json, "resampler", pulse_resampler_names, 2, 0);
    }
}

void pulse_read_media(struct pulse_reading *reading, const struct lh_json *root)
{
    const struct lh_json *map = lh_json_member(root, "media");
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(map, LH_JSON_OBJECT, PULSE_MEDIA_MAX, &items);
    struct pulse_media *media = pulse_read_array(reading, count, sizeof *media);
    const char **ids = pulse_read_array(reading, count, sizeof *ids);
    if (media == NULL || ids == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_medium(reading, items[i], &media[i]);
        ids[i] = items[i]->name;
    }
    pulse_read_names(reading, ids, count, &reading->media);
    reading->media.incomplete = pulse_is_cut(map, LH_JSON_OBJECT, PULSE_MEDIA_MAX);
    reading->project->media = media;
    reading->project->media_count = count;
}
