/* SPDX-License-Identifier: MIT */
/* Silent getters, and what every reader shares. */
#include "pulse-daemon/project/read.h"

#include <math.h>
#include <string.h>

void *pulse_read_array(struct pulse_reading *reading, size_t count, size_t size)
{
    void *array = lh_arena_array(reading->arena, count, size);
    if (array == NULL) {
        reading->report.out_of_memory = true;
    }
    return array;
}

bool pulse_read_names(struct pulse_reading *reading, const char *const *texts, size_t count, struct pulse_names *names)
{
    bool built = pulse_names_build(names, reading->arena, texts, count);
    if (!built) {
        reading->report.out_of_memory = true;
    }
    return built;
}

size_t pulse_items(const struct lh_json *value, enum lh_json_kind kind, size_t limit, struct lh_json *const **items)
{
    if (value == NULL || value->kind != kind) {
        *items = NULL;
        return 0;
    }
    *items = value->value.list.items;
    return value->value.list.count < limit ? value->value.list.count : limit;
}

bool pulse_is_cut(const struct lh_json *list, enum lh_json_kind kind, size_t limit)
{
    return list != NULL && (list->kind != kind || list->value.list.count > limit);
}

static const struct lh_json *member_of(const struct lh_json *object, const char *name)
{
    return object == NULL ? NULL : lh_json_member(object, name);
}

const char *pulse_text(const struct lh_json *object, const char *name, const char *otherwise)
{
    const struct lh_json *value = member_of(object, name);
    return value != NULL && value->kind == LH_JSON_STRING ? value->value.string.text : otherwise;
}

bool pulse_flag(const struct lh_json *object, const char *name)
{
    const struct lh_json *value = member_of(object, name);
    return value != NULL && value->kind == LH_JSON_TRUE;
}

double pulse_number(const struct lh_json *object, const char *name, double otherwise)
{
    const struct lh_json *value = member_of(object, name);
    return value != NULL && lh_json_is_number(value) ? lh_json_number(value) : otherwise;
}

uint32_t pulse_whole(const struct lh_json *object, const char *name, uint32_t otherwise)
{
    double number = pulse_number(object, name, (double)otherwise);
    if (!(number > 0)) {
        return 0;
    }
    return number < (double)UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

size_t pulse_choice(const struct lh_json *object, const char *name, const char *const *names, size_t count,
                    size_t otherwise)
{
    const char *text = pulse_text(object, name, NULL);
    for (size_t i = 0; text != NULL && i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            return i;
        }
    }
    return otherwise;
}

double pulse_level_db(const struct lh_json *object, const char *name)
{
    return pulse_text(object, name, NULL) != NULL ? -INFINITY : pulse_number(object, name, 0.0);
}

struct pulse_time pulse_time_of(const struct lh_json *object, const char *name)
{
    static const struct {
        const char *name;
        enum pulse_unit unit;
    } units[] = {{"beats", PULSE_UNIT_BEATS}, {"seconds", PULSE_UNIT_SECONDS}, {"frames", PULSE_UNIT_FRAMES}};
    const struct lh_json *value = member_of(object, name);
    for (size_t i = 0; value != NULL && i < sizeof units / sizeof *units; i++) {
        const struct lh_json *number = lh_json_member(value, units[i].name);
        if (number != NULL && lh_json_is_number(number)) {
            return (struct pulse_time){.unit = units[i].unit, .value = lh_json_number(number)};
        }
    }
    return (struct pulse_time){.unit = PULSE_UNIT_NONE};
}

bool pulse_time_reaches(struct pulse_time a, struct pulse_time b)
{
    return a.unit != PULSE_UNIT_NONE && a.unit == b.unit && a.value >= b.value;
}

size_t pulse_track_named(struct pulse_reading *reading, const struct lh_json *reference)
{
    if (reference == NULL || reference->kind != LH_JSON_STRING) {
        return PULSE_NONE;
    }
    const char *id = reference->value.string.text;
    size_t index = pulse_names_find(&reading->tracks, id);
    if (index == PULSE_NONE && !reading->tracks.incomplete) {
        pulse_report_at(&reading->report, reference, "there is no track %s%s", pulse_report_quote(&reading->report, id),
                        pulse_report_suggest(&reading->report, id, reading->tracks.list, reading->tracks.count));
    }
    return index;
}
