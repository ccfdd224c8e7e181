/* SPDX-License-Identifier: MIT */
/* Automation: which parameter a path names, and whether its points hold values of that parameter. */
#include <math.h>
#include <string.h>

#include "pulse-daemon/project/format.h"
#include "pulse-daemon/project/read.h"

#define HERE_MAX 64 /* names compared for a suggestion: more sends or nodes than anyone has on one track */

static const char *const plain_targets[] = {"gainDb", "pan", "mute"};

/* The part of a path between slashes; its length is 0 at the end. */
static size_t part_at(const char *text)
{
    return strcspn(text, "/");
}

static bool part_is(const char *text, const char *word)
{
    size_t length = part_at(text);
    return strlen(word) == length && strncmp(text, word, length) == 0;
}

/* "sends/<to>/gainDb". */
static void find_send(struct pulse_reading *reading, const struct pulse_track *track, const struct lh_json *at,
                      const char *rest, struct pulse_automation *automation)
{
    const char *names[HERE_MAX];
    size_t count = 0;
    automation->index = PULSE_NONE;
    for (size_t i = 0; i < track->send_count; i++) {
        const char *to = pulse_text(track->sends[i].json, "to", "");
        if (part_is(rest, to)) {
            automation->index = i;
        }
        if (count < HERE_MAX) {
            names[count++] = to;
        }
    }
    const char *parameter = rest + part_at(rest);
    if (strcmp(parameter, "/gainDb") != 0) {
        pulse_report_at(&reading->report, at,
                        "of a send only its gain can be automated, as \"sends/<destination>/gainDb\"");
    } else if (automation->index == PULSE_NONE) {
        const char *id = lh_arena_strndup(reading->arena, rest, part_at(rest));
        reading->report.out_of_memory |= id == NULL;
        pulse_report_at(&reading->report, at, "this track has no send to %s%s",
                        pulse_report_quote(&reading->report, id == NULL ? "" : id),
                        pulse_report_suggest(&reading->report, id == NULL ? "" : id, names, count));
    }
}

static bool is_stand_in(const struct pulse_node *node, const char *id)
{
    for (size_t i = 0; i < node->stand_in_count; i++) {
        if (part_is(id, node->stand_ins[i].id)) {
            return true;
        }
    }
    return false;
}

/* "nodes/<id>/<symbol>"; whether the plugin has that symbol is known only once it is loaded. */
static void find_node(struct pulse_reading *reading, const struct pulse_track *track, const struct lh_json *at,
                      const char *rest, struct pulse_automation *automation)
{
    const char *names[HERE_MAX];
    size_t count = 0;
    bool found = false;
    automation->index = PULSE_NONE;
    for (size_t i = 0; i < track->node_count; i++) {
        if (part_is(rest, track->nodes[i].id)) {
            automation->index = i;
            found = true;
        }
        found = found || is_stand_in(&track->nodes[i], rest);
        if (count < HERE_MAX) {
            names[count++] = track->nodes[i].id;
        }
    }
    const char *symbol = rest + part_at(rest);
    if (symbol[0] != '/' || symbol[1] == '\0' || strchr(symbol + 1, '/') != NULL) {
        pulse_report_at(&reading->report, at, "a plugin's parameter is addressed as \"nodes/<node id>/<symbol>\"");
    } else if (!found) {
        const char *id = lh_arena_strndup(reading->arena, rest, part_at(rest));
        reading->report.out_of_memory |= id == NULL;
        pulse_report_at(&reading->report, at, "this track has no node %s%s",
                        pulse_report_quote(&reading->report, id == NULL ? "" : id),
                        pulse_report_suggest(&reading->report, id == NULL ? "" : id, names, count));
    }
}

static void find_target(struct pulse_reading *reading, const struct pulse_track *track, const struct lh_json *json,
                        struct pulse_automation *automation)
{
    const struct lh_json *at = lh_json_member(json, "parameter");
    const char *parameter = automation->parameter;
    automation->index = PULSE_NONE;
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(parameter, plain_targets[i]) == 0) {
            automation->target = (enum pulse_target)i;
            return;
        }
    }
    if (strncmp(parameter, "sends/", 6) == 0) {
        automation->target = PULSE_TARGET_SEND_GAIN;
        find_send(reading, track, at, parameter + 6, automation);
    } else if (strncmp(parameter, "nodes/", 6) == 0) {
        automation->target = PULSE_TARGET_PLUGIN;
        find_node(reading, track, at, parameter + 6, automation);
    } else if (at != NULL && at->kind == LH_JSON_STRING) {
        automation->target = PULSE_TARGET_PLUGIN;
        pulse_report_at(&reading->report, at,
                        "%s cannot be automated; \"gainDb\", \"pan\", \"mute\", \"sends/<destination>/gainDb\" and "
                        "\"nodes/<node id>/<symbol>\" can%s",
                        pulse_report_quote(&reading->report, parameter),
                        pulse_report_suggest(&reading->report, parameter, plain_targets, 3));
    }
}

/* A point's value in the unit of its parameter; what the parameter cannot take is reported. */
static double read_value(struct pulse_reading *reading, enum pulse_target target, const struct lh_json *value)
{
    if (value == NULL) {
        return 0;
    }
    double number = lh_json_number(value);
    bool is_number = lh_json_is_number(value);
    bool is_flag = value->kind == LH_JSON_TRUE || value->kind == LH_JSON_FALSE;
    switch (target) {
    case PULSE_TARGET_GAIN:
    case PULSE_TARGET_SEND_GAIN:
        if (value->kind == LH_JSON_STRING) {
            return -INFINITY;
        }
        if (!is_number || !(number >= PULSE_LEVEL_MIN && number <= PULSE_LEVEL_MAX)) {
            pulse_report_at(&reading->report, value, "a level in dB has to be from %g to %g, or \"-inf\"",
                            PULSE_LEVEL_MIN, PULSE_LEVEL_MAX);
        }
        return number;
    case PULSE_TARGET_PAN:
        if (!is_number || !(number >= -1 && number <= 1)) {
            pulse_report_at(&reading->report, value, "a pan position has to be a number from -1 to 1");
        }
        return number;
    case PULSE_TARGET_MUTE:
        if (!is_flag && !(is_number && (number == 0 || number == 1))) {
            pulse_report_at(&reading->report, value, "mute has to be true or false (or 1 or 0)");
        }
        return is_flag ? (value->kind == LH_JSON_TRUE ? 1 : 0) : number;
    case PULSE_TARGET_PLUGIN:
        if (!is_number) {
            pulse_report_at(&reading->report, value, "a plugin's parameter takes a number, not %s",
                            lh_json_kind_text(value->kind));
        }
        return number;
    }
    return number;
}

static void read_points(struct pulse_reading *reading, const struct lh_json *list, struct pulse_automation *automation)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_POINTS_MAX, &items);
    struct pulse_point *points = pulse_read_array(reading, count, sizeof *points);
    bool holds = automation->target == PULSE_TARGET_MUTE;
    for (size_t i = 0; points != NULL && i < count; i++) {
        points[i] = (struct pulse_point){
            .at = pulse_time_of(items[i], "at"),
            .value = read_value(reading, automation->target, lh_json_member(items[i], "value")),
            .curve =
                holds ? PULSE_CURVE_HOLD : (enum pulse_curve)pulse_choice(items[i], "curve", pulse_curve_names, 2, 0),
        };
    }
    automation->points = points;
    automation->point_count = points == NULL ? 0 : count;
}

void pulse_read_automation(struct pulse_reading *reading, struct pulse_track *track, const struct lh_json *list)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_AUTOMATION_MAX, &items);
    struct pulse_automation *automation = pulse_read_array(reading, count, sizeof *automation);
    const char **parameters = pulse_read_array(reading, count, sizeof *parameters);
    struct pulse_names names;
    if (automation == NULL || parameters == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        parameters[i] = pulse_text(items[i], "parameter", NULL);
        automation[i].parameter = parameters[i] == NULL ? "" : parameters[i];
        automation[i].json = items[i];
        find_target(reading, track, items[i], &automation[i]);
        read_points(reading, lh_json_member(items[i], "points"), &automation[i]);
    }
    if (!pulse_read_names(reading, parameters, count, &names)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (parameters[i] != NULL && pulse_names_find(&names, parameters[i]) != i) {
            pulse_report_at(&reading->report, lh_json_member(items[i], "parameter"),
                            "%s is automated already on this track: put all its points in one list",
                            pulse_report_quote(&reading->report, parameters[i]));
        }
    }
    track->automation = automation;
    track->automation_count = count;
}
