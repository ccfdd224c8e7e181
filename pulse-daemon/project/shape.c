/* SPDX-License-Identifier: MIT */
/* Checking and writing by shape. Recursion is bounded by the JSON reader's depth limit and by the shapes, which are
   finite: unknown members are never entered. */
#include "pulse-daemon/project/shape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LISTED_MAX 10u               /* names that a message lists in full */
#define LISTED_SIZE 256u             /* bytes of such a list */
#define WHOLE_MAX 9007199254740992.0 /* 2^53: beyond it a double no longer tells whole numbers apart */

static bool kind_fits(const struct pulse_shape *shape, const struct lh_json *value)
{
    switch (shape->kind) {
    case PULSE_SHAPE_BOOL:
        return value->kind == LH_JSON_FALSE || value->kind == LH_JSON_TRUE;
    case PULSE_SHAPE_NUMBER:
    case PULSE_SHAPE_WHOLE:
        return lh_json_is_number(value);
    case PULSE_SHAPE_TEXT:
    case PULSE_SHAPE_CHOICE:
        return value->kind == LH_JSON_STRING;
    case PULSE_SHAPE_LIST:
        return value->kind == LH_JSON_ARRAY;
    case PULSE_SHAPE_OBJECT:
    case PULSE_SHAPE_MAP:
    case PULSE_SHAPE_ANY:
        return value->kind == LH_JSON_OBJECT;
    case PULSE_SHAPE_EITHER:
        for (const struct pulse_shape *const *shapes = shape->alternatives; *shapes != NULL; shapes++) {
            if (kind_fits(*shapes, value)) {
                return true;
            }
        }
        return false;
    }
    return false;
}

/* "a", "b", "c" for messages; what does not fit is left out. */
static void append_name(char *list, const char *name)
{
    size_t used = strlen(list);
    snprintf(list + used, LISTED_SIZE - used, "%s\"%s\"", used == 0 ? "" : ", ", name);
}

static void check_number(struct pulse_report *report, const struct pulse_shape *shape, const struct lh_json *value)
{
    double number = lh_json_number(value);
    if (shape->kind == PULSE_SHAPE_WHOLE && !(isfinite(number) && number == floor(number))) {
        pulse_report_at(report, value, "%s has to be a whole number, not %.15g", shape->noun, number);
    } else if (!(number >= shape->minimum && number <= shape->maximum)) {
        pulse_report_at(report, value, "%s has to be from %.15g to %.15g, not %.15g", shape->noun, shape->minimum,
                        shape->maximum, number);
    }
}

static size_t character_count(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0u) != 0x80u ? 1 : 0;
    }
    return count;
}

/* `at` is where the text stands: a string, or the member that it is the name of. */
static void check_text(struct pulse_report *report, const struct pulse_shape *shape, const struct lh_json *at,
                       const char *text)
{
    size_t length = character_count(text);
    if ((double)length < shape->minimum || (double)length > shape->maximum) {
        pulse_report_at(report, at, "%s has to be %.0f to %.0f characters long, not %zu", shape->noun, shape->minimum,
                        shape->maximum, length);
        return;
    }
    const char *fault = shape->fault == NULL ? NULL : shape->fault(text);
    if (fault != NULL) {
        pulse_report_at(report, at, "%s %s %s", shape->noun, pulse_report_quote(report, text), fault);
    }
}

static void check_choice(struct pulse_report *report, const struct pulse_shape *shape, const struct lh_json *value)
{
    const char *text = value->value.string.text;
    for (size_t i = 0; i < shape->name_count; i++) {
        if (strcmp(text, shape->names[i]) == 0) {
            return;
        }
    }
    char list[LISTED_SIZE] = "";
    for (size_t i = 0; i < shape->name_count; i++) {
        append_name(list, shape->names[i]);
    }
    pulse_report_at(report, value, "%s has to be %s%s, not %s%s", shape->noun, shape->name_count > 1 ? "one of " : "",
                    list, pulse_report_quote(report, text),
                    pulse_report_suggest(report, text, shape->names, shape->name_count));
}

static void report_unknown(struct pulse_report *report, const struct pulse_shape *shape, const struct lh_json *value)
{
    const char *names[64];
    char list[LISTED_SIZE] = "";
    size_t count = shape->member_count < 64 ? shape->member_count : 64;
    for (size_t i = 0; i < count; i++) {
        names[i] = shape->members[i].name;
        append_name(list, names[i]);
    }
    const char *suggestion = pulse_report_suggest(report, value->name, names, count);
    if (*suggestion == '\0' && count <= LISTED_MAX) {
        pulse_report_at(report, value, "%s has no member %s; it may have %s", shape->noun,
                        pulse_report_quote(report, value->name), list);
    } else {
        pulse_report_at(report, value, "%s has no member %s%s", shape->noun, pulse_report_quote(report, value->name),
                        suggestion);
    }
}

static void check_needs(struct pulse_report *report, const struct pulse_shape *shape, const struct lh_json *value)
{
    size_t choices = 0;
    size_t given = 0;
    for (size_t i = 0; i < shape->member_count; i++) {
        const struct pulse_member *member = &shape->members[i];
        bool present = lh_json_member(value, member->name) != NULL;
        if (member->need == PULSE_REQUIRED && !present) {
            pulse_report_at(report, value, "%s needs a member \"%s\"", shape->noun, member->name);
        } else if (member->need == PULSE_ONE_OF) {
            choices++;
            given += present ? 1 : 0;
        }
    }
    if (choices == 0 || given == 1) {
        return;
    }
    char list[LISTED_SIZE] = "";
    for (size_t i = 0; i < shape->member_count; i++) {
        if (shape->members[i].need == PULSE_ONE_OF) {
            append_name(list, shape->members[i].name);
        }
    }
    pulse_report_at(report, value, "%s needs exactly one of %s, not %zu of them", shape->noun, list, given);
}

static const struct pulse_member *member_named(const struct pulse_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->member_count; i++) {
        if (strcmp(shape->members[i].name, name) == 0) {
            return &shape->members[i];
        }
    }
    return NULL;
}

static void check_object(struct pulse_report *report, const struct pulse_shape *shape, const struct lh_json *value)
{
    check_needs(report, shape, value);
    for (size_t i = 0; i < value->value.list.count; i++) {
        const struct lh_json *item = value->value.list.items[i];
        const struct pulse_member *member = member_named(shape, item->name);
        if (member == NULL) {
            report_unknown(report, shape, item);
        } else {
            pulse_shape_check(report, member->shape, item);
        }
    }
}

static void check_items(struct pulse_report *report, const struct pulse_shape *shape, const struct lh_json *value)
{
    size_t count = value->value.list.count;
    if ((double)count > shape->maximum) {
        pulse_report_at(report, value, "%s may have at most %.0f entries, not %zu", shape->noun, shape->maximum, count);
    }
    for (size_t i = 0; i < count; i++) {
        const struct lh_json *item = value->value.list.items[i];
        if (shape->kind == PULSE_SHAPE_MAP) {
            check_text(report, shape->key, item, item->name);
        }
        pulse_shape_check(report, shape->item, item);
    }
}

void pulse_shape_check(struct pulse_report *report, const struct pulse_shape *shape, const struct lh_json *value)
{
    if (!kind_fits(shape, value)) {
        static const char *const wanted[] = {
            [PULSE_SHAPE_BOOL] = "true or false",
            [PULSE_SHAPE_NUMBER] = "a number",
            [PULSE_SHAPE_WHOLE] = "a whole number",
            [PULSE_SHAPE_TEXT] = "a string",
            [PULSE_SHAPE_CHOICE] = "a string",
            [PULSE_SHAPE_OBJECT] = "an object",
            [PULSE_SHAPE_LIST] = "an array",
            [PULSE_SHAPE_MAP] = "an object",
            [PULSE_SHAPE_EITHER] = NULL,
            [PULSE_SHAPE_ANY] = "an object",
        };
        const char *kind = shape->wanted != NULL ? shape->wanted : wanted[shape->kind];
        pulse_report_at(report, value, "%s has to be %s, not %s", shape->noun, kind, lh_json_kind_text(value->kind));
        return;
    }
    switch (shape->kind) {
    case PULSE_SHAPE_BOOL:
    case PULSE_SHAPE_ANY:
        break;
    case PULSE_SHAPE_NUMBER:
    case PULSE_SHAPE_WHOLE:
        check_number(report, shape, value);
        break;
    case PULSE_SHAPE_TEXT:
        check_text(report, shape, value, value->value.string.text);
        break;
    case PULSE_SHAPE_CHOICE:
        check_choice(report, shape, value);
        break;
    case PULSE_SHAPE_OBJECT:
        check_object(report, shape, value);
        break;
    case PULSE_SHAPE_LIST:
    case PULSE_SHAPE_MAP:
        check_items(report, shape, value);
        break;
    case PULSE_SHAPE_EITHER:
        for (const struct pulse_shape *const *shapes = shape->alternatives; *shapes != NULL; shapes++) {
            if (kind_fits(*shapes, value)) {
                pulse_shape_check(report, *shapes, value);
                break;
            }
        }
        break;
    }
}

static void emit_number(struct lh_json_emitter *emitter, const struct lh_json *value)
{
    double number = lh_json_number(value);
    if (value->kind == LH_JSON_INTEGER) {
        lh_json_emit_integer(emitter, value->value.integer);
    } else if (fabs(number) < WHOLE_MAX && number == floor(number)) {
        lh_json_emit_integer(emitter, (int64_t)number);
    } else {
        lh_json_emit_real(emitter, number);
    }
}

static void emit_object(struct lh_json_emitter *emitter, const struct pulse_shape *shape, const struct lh_json *value)
{
    lh_json_emit_object(emitter);
    for (size_t i = 0; i < shape->member_count; i++) {
        const struct lh_json *item = lh_json_member(value, shape->members[i].name);
        if (item != NULL) {
            lh_json_emit_name(emitter, item->name);
            pulse_shape_emit(emitter, shape->members[i].shape, item);
        }
    }
    lh_json_emit_object_end(emitter);
}

void pulse_shape_emit(struct lh_json_emitter *emitter, const struct pulse_shape *shape, const struct lh_json *value)
{
    switch (shape->kind) {
    case PULSE_SHAPE_NUMBER:
    case PULSE_SHAPE_WHOLE:
        emit_number(emitter, value);
        break;
    case PULSE_SHAPE_BOOL:
    case PULSE_SHAPE_TEXT:
    case PULSE_SHAPE_CHOICE:
    case PULSE_SHAPE_ANY:
        lh_json_emit_value(emitter, value);
        break;
    case PULSE_SHAPE_OBJECT:
        emit_object(emitter, shape, value);
        break;
    case PULSE_SHAPE_LIST:
        lh_json_emit_array(emitter);
        for (size_t i = 0; i < value->value.list.count; i++) {
            pulse_shape_emit(emitter, shape->item, value->value.list.items[i]);
        }
        lh_json_emit_array_end(emitter);
        break;
    case PULSE_SHAPE_MAP:
        lh_json_emit_object(emitter);
        for (size_t i = 0; i < value->value.list.count; i++) {
            lh_json_emit_name(emitter, value->value.list.items[i]->name);
            pulse_shape_emit(emitter, shape->item, value->value.list.items[i]);
        }
        lh_json_emit_object_end(emitter);
        break;
    case PULSE_SHAPE_EITHER:
        for (const struct pulse_shape *const *shapes = shape->alternatives; *shapes != NULL; shapes++) {
            if (kind_fits(*shapes, value)) {
                pulse_shape_emit(emitter, *shapes, value);
                break;
            }
        }
        break;
    }
}
