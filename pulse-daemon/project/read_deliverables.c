/* SPDX-License-Identifier: MIT */
/* Deliverables: sources, formats, ranges, and the files that come of them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "pulse-daemon/project/format.h"
#include "pulse-daemon/project/load.h"
#include "pulse-daemon/project/outputs.h"
#include "pulse-daemon/project/read.h"

#define BIT_DEPTH_DEFAULT 24
#define FORMAT_ALIAS 7 /* "ogg" among the names of formats */
#define HOLD_DEFAULT 1.0
#define TAIL_MAX_DEFAULT 60.0
#define OPUS_RATE 48000u

static bool is_lossy(enum pulse_format format)
{
    return format == PULSE_FORMAT_VORBIS || format == PULSE_FORMAT_OPUS || format == PULSE_FORMAT_MP3;
}

/* One source from a track's id; a contribution of the master would be a contribution to itself. */
static bool add_source(struct pulse_reading *reading, const struct lh_json *reference, enum pulse_tap tap,
                       size_t *source)
{
    size_t track = pulse_track_named(reading, reference);
    if (track == PULSE_NONE) {
        return false;
    }
    if (tap == PULSE_TAP_CONTRIBUTION && track == reading->project->master) {
        pulse_report_at(&reading->report, reference,
                        "the master makes no contribution to itself: use the tap \"post\"");
    }
    *source = track;
    return true;
}

static void read_each(struct pulse_reading *reading, const struct lh_json *each, struct pulse_deliverable *item)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(each, LH_JSON_ARRAY, PULSE_TRACKS_MAX, &items);
    size_t *sources = pulse_read_array(reading, count, sizeof *sources);
    bool *taken = pulse_read_array(reading, reading->project->track_count, sizeof *taken);
    if (sources == NULL || taken == NULL) {
        return;
    }
    if (each->kind == LH_JSON_ARRAY && count == 0) {
        pulse_report_at(&reading->report, each, "\"each\" needs at least one track");
    }
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        if (!add_source(reading, items[i], item->tap, &sources[filled])) {
            continue;
        }
        if (taken[sources[filled]]) {
            pulse_report_at(&reading->report, items[i], "track %s is listed twice",
                            pulse_report_quote(&reading->report, items[i]->value.string.text));
        }
        taken[sources[filled]] = true;
        filled++;
    }
    item->each = true;
    item->sources = sources;
    item->source_count = filled;
}

static void read_source(struct pulse_reading *reading, const struct lh_json *json, struct pulse_deliverable *item)
{
    const struct lh_json *source = lh_json_member(json, "source");
    const struct lh_json *each = source == NULL ? NULL : lh_json_member(source, "each");
    if (source != NULL && source->kind == LH_JSON_OBJECT) {
        item->tap = (enum pulse_tap)pulse_choice(source, "tap", pulse_tap_names, 3, PULSE_TAP_POST);
    }
    if (each != NULL) {
        read_each(reading, each, item);
        return;
    }
    size_t *sources = pulse_read_array(reading, 1, sizeof *sources);
    if (sources == NULL) {
        return;
    }
    *sources = reading->project->master;
    if (source != NULL) {
        const struct lh_json *track = source->kind == LH_JSON_OBJECT ? lh_json_member(source, "track") : source;
        add_source(reading, track, item->tap, sources);
    }
    item->sources = sources;
    item->source_count = 1;
}

static void read_tail(struct pulse_reading *reading, const struct lh_json *range, struct pulse_tail *tail)
{
    const struct lh_json *json = lh_json_member(range, "tail");
    if (json == NULL) {
        return;
    }
    *tail = (struct pulse_tail){
        .until = lh_json_member(json, "untilDb") != NULL,
        .seconds = pulse_number(json, "seconds", 0),
        .until_db = pulse_number(json, "untilDb", 0),
    };
    if (tail->until) {
        tail->hold_seconds = pulse_number(json, "holdSeconds", HOLD_DEFAULT);
        tail->max_seconds = pulse_number(json, "maxSeconds", TAIL_MAX_DEFAULT);
        return;
    }
    static const char *const until_only[] = {"holdSeconds", "maxSeconds"};
    for (size_t i = 0; i < 2; i++) {
        const struct lh_json *member = lh_json_member(json, until_only[i]);
        if (member != NULL) {
            pulse_report_at(&reading->report, member, "\"%s\" goes with \"untilDb\" only", until_only[i]);
        }
    }
}

static void read_times(struct pulse_reading *reading, const struct lh_json *json, struct pulse_deliverable *item)
{
    const struct lh_json *range = lh_json_member(json, "range");
    if (range != NULL) {
        item->range.start = pulse_time_of(range, "start");
        item->range.end = pulse_time_of(range, "end");
        item->range.preroll = pulse_time_of(range, "preroll");
        read_tail(reading, range, &item->range.tail);
        bool empty = item->range.end.unit != PULSE_UNIT_NONE && item->range.end.value == 0;
        if (empty || pulse_time_reaches(item->range.start, item->range.end)) {
            pulse_report_at(&reading->report, lh_json_member(range, "end"),
                            "the range's end has to come after its start");
        }
    }
    const struct lh_json *loop = lh_json_member(json, "loop");
    if (loop != NULL) {
        item->has_loop = true;
        item->loop_start = pulse_time_of(loop, "start");
        item->loop_end = pulse_time_of(loop, "end");
        if (pulse_time_reaches(item->loop_start, item->loop_end)) {
            pulse_report_at(&reading->report, lh_json_member(loop, "end"),
                            "the loop's end has to come after its start");
        }
    }
}

static void read_tags(struct pulse_reading *reading, const struct lh_json *json, struct pulse_deliverable *item)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(lh_json_member(json, "tags"), LH_JSON_OBJECT, PULSE_TAGS_MAX, &items);
    struct pulse_tag *tags = pulse_read_array(reading, count, sizeof *tags);
    for (size_t i = 0; tags != NULL && i < count; i++) {
        tags[i].name = items[i]->name;
        tags[i].value = items[i]->kind == LH_JSON_STRING ? items[i]->value.string.text : "";
    }
    item->tags = tags;
    item->tag_count = tags == NULL ? 0 : count;
}

/* Reports a member that the format has no use for. */
static void refuse(struct pulse_reading *reading, const struct lh_json *json, const char *name,
                   enum pulse_format format, const char *reason)
{
    const struct lh_json *member = lh_json_member(json, name);
    if (member != NULL) {
        pulse_report_at(&reading->report, member, "%s takes no \"%s\": %s", pulse_format_names[format], name, reason);
    }
}

static void check_pcm(struct pulse_reading *reading, const struct lh_json *json, const struct pulse_deliverable *item)
{
    const struct lh_json *depth = lh_json_member(json, "bitDepth");
    refuse(reading, json, "quality", item->format, "it loses nothing");
    refuse(reading, json, "bitrateKbps", item->format, "it loses nothing");
    if (item->bit_depth < 16 || item->bit_depth > 32) {
        return; /* reported already */
    }
    if (item->bit_depth != 16 && item->bit_depth != 24 && item->bit_depth != 32) {
        pulse_report_at(&reading->report, depth, "the bit depth has to be 16, 24 or 32 (float), not %u",
                        item->bit_depth);
    } else if (item->bit_depth == 32 && item->format == PULSE_FORMAT_FLAC) {
        pulse_report_at(&reading->report, depth, "flac holds 16 or 24 bits; 32 bits are float, for wav, bwf and aiff");
    }
    const char *dither = pulse_text(json, "dither", NULL);
    if (dither != NULL && strcmp(dither, "tpdf") == 0 && item->bit_depth == 32) {
        pulse_report_at(&reading->report, lh_json_member(json, "dither"),
                        "32 bits are float and need no dither: leave \"dither\" out or choose 16 or 24 bits");
    }
}

static void check_lossy(struct pulse_reading *reading, const struct lh_json *json, const struct pulse_deliverable *item)
{
    static const struct {
        uint32_t least, most;
    } bitrates[] = {[PULSE_FORMAT_VORBIS] = {32, 500},
                    [PULSE_FORMAT_OPUS] = {PULSE_BITRATE_MIN, PULSE_BITRATE_MAX},
                    [PULSE_FORMAT_MP3] = {PULSE_BITRATE_MIN, 320}};
    refuse(reading, json, "bitDepth", item->format, "it is lossy; it has a \"quality\" or a \"bitrateKbps\"");
    refuse(reading, json, "dither", item->format, "it is lossy");
    const struct lh_json *bitrate = lh_json_member(json, "bitrateKbps");
    if (bitrate != NULL && item->has_quality) {
        pulse_report_at(&reading->report, bitrate, "give \"quality\" or \"bitrateKbps\", not both");
    }
    uint32_t rate = item->bitrate_kbps;
    if (bitrate != NULL && rate >= PULSE_BITRATE_MIN && rate <= PULSE_BITRATE_MAX &&
        (rate < bitrates[item->format].least || rate > bitrates[item->format].most)) {
        pulse_report_at(&reading->report, bitrate, "%s has bit rates from %u to %u kbit/s, not %u",
                        pulse_format_names[item->format], bitrates[item->format].least, bitrates[item->format].most,
                        rate);
    }
}

/* Opus and MP3 know a few rates only. */
static void check_rate(struct pulse_reading *reading, const struct lh_json *json, const struct pulse_deliverable *item)
{
    static const uint32_t opus_rates[] = {8000, 12000, 16000, 24000, 48000};
    static const uint32_t mp3_rates[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
    bool opus = item->format == PULSE_FORMAT_OPUS;
    const uint32_t *rates = opus ? opus_rates : mp3_rates;
    size_t count = opus ? sizeof opus_rates / sizeof *opus_rates : sizeof mp3_rates / sizeof *mp3_rates;
    if (!opus && item->format != PULSE_FORMAT_MP3) {
        return;
    }
    uint32_t rate = item->sample_rate != 0 ? item->sample_rate : opus ? OPUS_RATE : reading->project->sample_rate;
    for (size_t i = 0; i < count; i++) {
        if (rates[i] == rate) {
            return;
        }
    }
    const struct lh_json *given = lh_json_member(json, "sampleRate");
    pulse_report_at(&reading->report, given != NULL ? given : json, "%s has no sample rate of %u Hz: %s",
                    pulse_format_names[item->format], rate,
                    opus ? "give 8000, 12000, 16000, 24000 or 48000"
                         : "give a \"sampleRate\" of 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100 or 48000");
}

static void read_encoding(struct pulse_reading *reading, const struct lh_json *json, struct pulse_deliverable *item)
{
    size_t format = pulse_choice(json, "format", pulse_format_names, 8, PULSE_FORMAT_WAV);
    item->format = format == FORMAT_ALIAS ? PULSE_FORMAT_VORBIS : (enum pulse_format)format;
    bool lossy = is_lossy(item->format);
    item->bit_depth = lossy ? 0 : pulse_whole(json, "bitDepth", BIT_DEPTH_DEFAULT);
    item->dither = !lossy && item->bit_depth != 32 && strcmp(pulse_text(json, "dither", "tpdf"), "none") != 0;
    item->sample_rate = pulse_whole(json, "sampleRate", 0);
    item->has_quality = lh_json_member(json, "quality") != NULL;
    item->quality = pulse_number(json, "quality", 0);
    item->bitrate_kbps = pulse_whole(json, "bitrateKbps", 0);
    if (lossy) {
        check_lossy(reading, json, item);
    } else {
        check_pcm(reading, json, item);
    }
    check_rate(reading, json, item);
}

static void read_deliverable(struct pulse_reading *reading, const struct lh_json *json, struct pulse_deliverable *item)
{
    const struct lh_json *loudness = lh_json_member(json, "loudness");
    *item = (struct pulse_deliverable){
        .name = pulse_text(json, "name", ""), .tap = PULSE_TAP_POST, .gain_from = PULSE_NONE, .json = json};
    read_source(reading, json, item);
    read_encoding(reading, json, item);
    read_times(reading, json, item);
    read_tags(reading, json, item);
    if (loudness != NULL) {
        item->has_integrated = lh_json_member(loudness, "integrated") != NULL;
        item->has_true_peak = lh_json_member(loudness, "truePeak") != NULL;
        item->integrated_lufs = pulse_number(loudness, "integrated", 0);
        item->true_peak_dbtp = pulse_number(loudness, "truePeak", 0);
        if (loudness->kind == LH_JSON_OBJECT && !item->has_integrated && !item->has_true_peak) {
            pulse_report_at(&reading->report, loudness, "a loudness target needs \"integrated\", \"truePeak\" or both");
        }
    }
}

static void read_gain_from(struct pulse_reading *reading, struct pulse_deliverable *items,
                           struct pulse_deliverable *item)
{
    const struct lh_json *from = lh_json_member(item->json, "gainFrom");
    const char *name = pulse_text(item->json, "gainFrom", NULL);
    if (name == NULL) {
        return;
    }
    struct pulse_report *report = &reading->report;
    const char *quoted = pulse_report_quote(report, name);
    size_t index = pulse_names_find(&reading->deliverables, name);
    if (index == PULSE_NONE && reading->deliverables.incomplete) {
        return;
    }
    if (index == PULSE_NONE) {
        pulse_report_at(report, from, "there is no deliverable %s%s", quoted,
                        pulse_report_suggest(report, name, reading->deliverables.list, reading->deliverables.count));
        return;
    }
    const struct pulse_deliverable *target = &items[index];
    const char *chained = pulse_text(target->json, "gainFrom", NULL);
    if (target == item) {
        pulse_report_at(report, from, "a deliverable cannot take its gain from itself");
    } else if (chained != NULL) {
        pulse_report_at(report, from, "deliverable %s takes its own gain from %s: name one with a \"loudness\" target",
                        quoted, pulse_report_quote(report, chained));
    } else if (lh_json_member(target->json, "loudness") == NULL) {
        pulse_report_at(report, from, "deliverable %s has no \"loudness\" target to take a gain from", quoted);
    } else if (target->source_count > 1) {
        pulse_report_at(report, from, "deliverable %s is several files with a gain each: name one that is one file",
                        quoted);
    }
    if (item->has_integrated || item->has_true_peak) {
        pulse_report_at(report, from, "\"gainFrom\" and \"loudness\" do not go together: give one of them");
    }
    item->gain_from = index;
}

/* Files that differ in case alone are one file on many systems. */
static void check_files(struct pulse_reading *reading, const struct lh_json *list,
                        const struct pulse_deliverable *items, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += items[i].source_count;
    }
    if (total > PULSE_DELIVERABLES_MAX) {
        pulse_report_at(&reading->report, list, "the deliverables come to %zu files; the limit is %d", total,
                        PULSE_DELIVERABLES_MAX);
        return;
    }
    const char **files = pulse_read_array(reading, total, sizeof *files);
    size_t *owners = pulse_read_array(reading, total, sizeof *owners);
    struct pulse_names names;
    if (files == NULL || owners == NULL) {
        return;
    }
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < items[i].source_count; k++) {
            char *file = pulse_output_file(reading->arena, &items[i], &reading->project->tracks[items[i].sources[k]]);
            reading->report.out_of_memory |= file == NULL;
            for (char *letter = file; letter != NULL && *letter != '\0'; letter++) {
                *letter = (char)tolower((unsigned char)*letter);
            }
            files[filled] = file;
            owners[filled++] = i;
        }
    }
    if (!pulse_read_names(reading, files, total, &names)) {
        return;
    }
    for (size_t i = 0; i < total; i++) {
        size_t first = files[i] == NULL ? i : pulse_names_find(&names, files[i]);
        if (first != i && owners[first] != owners[i] && strcmp(items[owners[first]].name, items[owners[i]].name) != 0) {
            pulse_report_at(&reading->report, lh_json_member(items[owners[i]].json, "name"),
                            "its file \"%s\" would replace one of deliverable \"%.64s\" (upper and lower case count as "
                            "the same)",
                            files[i], items[owners[first]].name);
        } else if (first != i && owners[first] == owners[i]) {
            pulse_report_at(&reading->report, lh_json_member(items[owners[i]].json, "source"),
                            "two of its files would be named \"%s\" (upper and lower case count as the same)",
                            files[i]);
        }
    }
}

/* The project's name as a file's name. Its bytes outside the plain characters become '_', one a character. */
static const char *default_name(struct pulse_reading *reading)
{
    const char *name = reading->project->name;
    char *safe = pulse_read_array(reading, 1, PULSE_ID_MAX + 1);
    size_t length = 0;
    for (; safe != NULL && *name != '\0' && length < PULSE_ID_MAX; name++) {
        unsigned char byte = (unsigned char)*name;
        bool plain = byte < 0x80 && (isalnum(byte) || strchr("_.- ", byte) != NULL);
        bool leading = length == 0 && (byte == '.' || byte == ' ' || byte == '-');
        if ((byte & 0xc0u) != 0x80u) {
            safe[length++] = plain && !leading ? (char)byte : '_';
        }
    }
    while (length > 0 && (safe[length - 1] == '.' || safe[length - 1] == ' ')) {
        safe[--length] = '\0';
    }
    return length > 0 ? safe : "untitled";
}

static void add_default(struct pulse_reading *reading)
{
    struct pulse_deliverable *item = pulse_read_array(reading, 1, sizeof *item);
    size_t *source = pulse_read_array(reading, 1, sizeof *source);
    if (item == NULL || source == NULL) {
        return;
    }
    *source = reading->project->master;
    *item = (struct pulse_deliverable){
        .name = default_name(reading),
        .sources = source,
        .source_count = 1,
        .tap = PULSE_TAP_POST,
        .format = PULSE_FORMAT_WAV,
        .bit_depth = BIT_DEPTH_DEFAULT,
        .dither = true,
        .gain_from = PULSE_NONE,
    };
    reading->project->deliverables = item;
    reading->project->deliverable_count = 1;
}

void pulse_read_deliverables(struct pulse_reading *reading, const struct lh_json *root)
{
    const struct lh_json *list = lh_json_member(root, "deliverables");
    struct lh_json *const *json = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_DELIVERABLES_MAX, &json);
    if (count == 0) {
        add_default(reading);
        return;
    }
    struct pulse_deliverable *items = pulse_read_array(reading, count, sizeof *items);
    const char **names = pulse_read_array(reading, count, sizeof *names);
    if (items == NULL || names == NULL || reading->project->tracks == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_deliverable(reading, json[i], &items[i]);
        names[i] = *items[i].name == '\0' ? NULL : items[i].name;
    }
    if (!pulse_read_names(reading, names, count, &reading->deliverables)) {
        return;
    }
    reading->deliverables.incomplete = pulse_is_cut(list, LH_JSON_ARRAY, PULSE_DELIVERABLES_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t first = names[i] == NULL ? i : pulse_names_find(&reading->deliverables, names[i]);
        if (first != i) {
            pulse_report_at(&reading->report, lh_json_member(json[i], "name"),
                            "the name %s is already taken by deliverable number %zu",
                            pulse_report_quote(&reading->report, names[i]), first + 1);
        }
        read_gain_from(reading, items, &items[i]);
    }
    check_files(reading, list, items, count);
    reading->project->deliverables = items;
    reading->project->deliverable_count = count;
}
