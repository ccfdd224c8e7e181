/* SPDX-License-Identifier: MIT */
/* From stems and their settings to a project. */
#include "cli/stems.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/aside.h"
#include "cli/settings.h"
#include "common/json/json.h"

#define GAIN_MAX_DB 60.0 /* enough for anything; past it is a slip of the keyboard */

static const struct {
    const char *ending, *format;
} endings[] = {
    {"wav", "wav"},    {"aiff", "aiff"},  {"aif", "aiff"},  {"flac", "flac"},
    {"ogg", "vorbis"}, {"oga", "vorbis"}, {"opus", "opus"}, {"mp3", "mp3"},
};

const char *cli_mix_format(const char *path)
{
    if (strcmp(path, "-") == 0) {
        return "wav";
    }
    const char *dot = strrchr(cli_name_of(path), '.');
    for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof endings[0]; i++) {
        if (strcasecmp(dot + 1, endings[i].ending) == 0) {
            return endings[i].format;
        }
    }
    return NULL;
}

bool cli_mix_format_is_lossy(const char *format)
{
    return strcmp(format, "vorbis") == 0 || strcmp(format, "opus") == 0 || strcmp(format, "mp3") == 0;
}

enum lh_status cli_stems_init(struct lh_arena *arena, const char *const *paths, size_t count, struct cli_stems *stems,
                              struct lh_error *error)
{
    struct cli_stem *items = lh_arena_array(arena, count, sizeof *items);
    if (items == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = cli_name_of(paths[i]);
        const char *dot = strrchr(name, '.');
        items[i].path = paths[i];
        items[i].name = dot != NULL && dot != name ? lh_arena_strndup(arena, name, (size_t)(dot - name)) : name;
        if (items[i].name == NULL) {
            return lh_error_no_memory(error);
        }
    }
    *stems = (struct cli_stems){.items = items, .count = count};
    return LH_OK;
}

/* "#2", when no stem is called that. */
static enum lh_status find_by_number(const struct cli_stems *stems, const char *name, struct cli_stem **stem,
                                     struct lh_error *error)
{
    char *end;
    errno = 0;
    unsigned long long number = isdigit((unsigned char)name[1]) ? strtoull(name + 1, &end, 10) : 0;
    if (number < 1 || number > stems->count || errno != 0 || *end != '\0') {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "there is no stem %s; they are #1 to #%zu", name, stems->count);
    }
    *stem = &stems->items[number - 1];
    return LH_OK;
}

static enum lh_status unknown(struct lh_arena *arena, const struct cli_stems *stems, const char *name,
                              struct lh_error *error)
{
    const char **names = lh_arena_array(arena, stems->count, sizeof *names);
    if (names == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < stems->count; i++) {
        names[i] = stems->items[i].name;
    }
    const char *near = lh_nearest_name(name, names, stems->count);
    return near != NULL
               ? lh_error_set(error, LH_ERR_USAGE, NULL, "no stem is named %s; did you mean %s?", name, near)
               : lh_error_set(error, LH_ERR_USAGE, NULL,
                              "no stem is named %s; a stem's name is its file's, without folder and ending", name);
}

static enum lh_status find(struct lh_arena *arena, const struct cli_stems *stems, const char *name,
                           struct cli_stem **stem, struct lh_error *error)
{
    size_t first = stems->count;
    for (size_t i = 0; i < stems->count; i++) {
        if (strcmp(stems->items[i].name, name) != 0) {
            continue;
        }
        if (first < stems->count) {
            return lh_error_set(error, LH_ERR_USAGE, NULL,
                                "several stems are named %s; say which one by its place: #%zu, #%zu, ...", name,
                                first + 1, i + 1);
        }
        first = i;
    }
    if (first < stems->count) {
        *stem = &stems->items[first];
        return LH_OK;
    }
    return name[0] == '#' ? find_by_number(stems, name, stem, error) : unknown(arena, stems, name, error);
}

/* A whole text that is a finite decimal from `minimum` to `maximum`. */
static bool read_number(const char *text, double minimum, double maximum, double *number)
{
    if (strspn(text, "+-.0123456789eE") != strlen(text)) {
        return false; /* nor hexadecimal, nor "nan" */
    }
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= minimum && value <= maximum)) {
        return false;
    }
    *number = value;
    return true;
}

enum lh_status cli_stems_set(struct lh_arena *arena, struct cli_stems *stems, enum cli_stem_setting setting,
                             const char *text, struct lh_error *error)
{
    bool is_gain = setting == CLI_STEM_GAIN;
    const char *option = is_gain ? "gain" : "pan";
    const char *name, *value;
    struct cli_stem *stem = NULL;
    enum lh_status status = cli_settings_split(arena, option, text, strrchr(text, '='), &name, &value, error);
    status = status == LH_OK ? find(arena, stems, name, &stem, error) : status;
    if (status != LH_OK) {
        return status;
    }
    if (is_gain ? stem->has_gain : stem->has_pan) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "--%s is given twice for %s", option, name);
    }
    if (is_gain) {
        stem->has_gain = true;
        if (strcmp(value, "-inf") == 0) {
            stem->gain_db = -INFINITY;
        } else if (!read_number(value, -HUGE_VAL, GAIN_MAX_DB, &stem->gain_db) || !isfinite(stem->gain_db)) {
            return lh_error_set(error, LH_ERR_USAGE, NULL,
                                "--gain %s: %s is not a level; give decibels up to %g, or -inf", text, value,
                                GAIN_MAX_DB);
        }
    } else {
        stem->has_pan = true;
        if (!read_number(value, -1, 1, &stem->pan)) {
            return lh_error_set(error, LH_ERR_USAGE, NULL, "--pan %s: %s is not a position from -1 (left) to 1 (right)",
                                text, value);
        }
    }
    return LH_OK;
}

/* "3-kick": unique by its number, of the letters that an id may have. */
static void stem_id(size_t index, const char *name, char *id)
{
    int used = snprintf(id, PULSE_ID_MAX + 1, "%zu-", index + 1);
    for (; *name != '\0' && used < PULSE_ID_MAX; name++) {
        id[used++] = *name;
        if (strchr("_.-", *name) == NULL && !isalnum((unsigned char)*name)) {
            id[used - 1] = '_';
        }
    }
    id[used] = '\0';
}

static void emit_track(struct lh_json_emitter *emitter, const struct cli_stem *stem, const char *id)
{
    lh_json_emit_object(emitter);
    lh_json_put_text(emitter, "id", id);
    lh_json_put_text(emitter, "name", stem->name);
    lh_json_put_text(emitter, "type", "audio");
    lh_json_emit_name(emitter, "gainDb");
    if (isfinite(stem->gain_db)) {
        lh_json_emit_real(emitter, stem->gain_db);
    } else {
        lh_json_emit_text(emitter, "-inf");
    }
    lh_json_put_real(emitter, "pan", stem->pan);
    lh_json_emit_name(emitter, "clips");
    lh_json_emit_array(emitter);
    lh_json_emit_object(emitter);
    lh_json_put_text(emitter, "media", id);
    lh_json_emit_name(emitter, "start");
    lh_json_emit_object(emitter);
    lh_json_put_integer(emitter, "frames", 0);
    lh_json_emit_object_end(emitter);
    lh_json_emit_object_end(emitter);
    lh_json_emit_array_end(emitter);
    lh_json_emit_object_end(emitter);
}

static void emit_deliverables(struct lh_json_emitter *emitter, const struct cli_mix *mix)
{
    lh_json_emit_name(emitter, "deliverables");
    lh_json_emit_array(emitter);
    lh_json_emit_object(emitter);
    lh_json_put_text(emitter, "name", "mix");
    lh_json_put_text(emitter, "source", "master");
    lh_json_put_text(emitter, "format", mix->format);
    if (mix->bit_depth != 0) {
        lh_json_put_integer(emitter, "bitDepth", mix->bit_depth);
    }
    if (mix->has_loudness || mix->has_true_peak) {
        lh_json_emit_name(emitter, "loudness");
        lh_json_emit_object(emitter);
        if (mix->has_loudness) {
            lh_json_put_real(emitter, "integrated", mix->integrated_lufs);
        }
        if (mix->has_true_peak) {
            lh_json_put_real(emitter, "truePeak", mix->true_peak_dbtp);
        }
        lh_json_emit_object_end(emitter);
    }
    lh_json_emit_object_end(emitter);
    lh_json_emit_array_end(emitter);
}

enum lh_status cli_stems_project(const struct cli_stems *stems, const struct cli_sources *sources,
                                 const struct cli_mix *mix, struct lh_writer *writer)
{
    uint32_t rate = GRAPH_RATE_MIN;
    for (size_t i = 0; i < sources->count; i++) {
        rate = sources->items[i].facts.rate > rate ? sources->items[i].facts.rate : rate;
    }
    char id[PULSE_ID_MAX + 1];
    struct lh_json_emitter emitter;
    lh_json_emit_init(&emitter, writer, true);
    lh_json_emit_object(&emitter);
    lh_json_put_integer(&emitter, "loophole", 1);
    lh_json_put_text(&emitter, "name", "mix");
    lh_json_put_integer(&emitter, "sampleRate", rate);
    lh_json_emit_name(&emitter, "media");
    lh_json_emit_object(&emitter);
    for (size_t i = 0; i < stems->count; i++) {
        stem_id(i, stems->items[i].name, id);
        lh_json_emit_name(&emitter, id);
        lh_json_emit_object(&emitter);
        lh_json_put_text(&emitter, "file", id); /* never opened: the stems are, by their own paths */
        lh_json_emit_object_end(&emitter);
    }
    lh_json_emit_object_end(&emitter);
    lh_json_emit_name(&emitter, "tracks");
    lh_json_emit_array(&emitter);
    lh_json_emit_object(&emitter);
    lh_json_put_text(&emitter, "id", "master");
    lh_json_put_text(&emitter, "type", "master");
    lh_json_emit_object_end(&emitter);
    for (size_t i = 0; i < stems->count; i++) {
        stem_id(i, stems->items[i].name, id);
        emit_track(&emitter, &stems->items[i], id);
    }
    lh_json_emit_array_end(&emitter);
    emit_deliverables(&emitter, mix);
    lh_json_emit_object_end(&emitter);
    return lh_writer_status(writer);
}
