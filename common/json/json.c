/* SPDX-License-Identifier: MIT */
/* Looking at values: members, numbers, places, equality. */
#include "common/json/json.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/json/build.h"

#define INDEX_COUNT_MIN 16u /* below it, walking the members is faster */

static int compare_names(const void *a, const void *b)
{
    const struct lh_json *const *left = a;
    const struct lh_json *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

bool lh_json_index_members(struct lh_arena *arena, struct lh_json *object)
{
    size_t count = object->value.list.count;
    if (count < INDEX_COUNT_MIN) {
        return true;
    }
    struct lh_json **by_name = lh_arena_array(arena, count, sizeof *by_name);
    if (by_name == NULL) {
        return false;
    }
    memcpy(by_name, object->value.list.items, count * sizeof *by_name);
    qsort(by_name, count, sizeof *by_name, compare_names);
    object->value.list.by_name = by_name;
    return true;
}

const struct lh_json *lh_json_member(const struct lh_json *object, const char *name)
{
    if (object == NULL || object->kind != LH_JSON_OBJECT) {
        return NULL;
    }
    if (object->value.list.by_name == NULL) {
        for (size_t i = 0; i < object->value.list.count; i++) {
            const struct lh_json *item = object->value.list.items[i];
            if (item->name[0] == name[0] && strcmp(item->name, name) == 0) { /* few names begin alike */
                return item;
            }
        }
        return NULL;
    }
    size_t first = 0;
    size_t end = object->value.list.count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = strcmp(name, object->value.list.by_name[middle]->name);
        if (order == 0) {
            return object->value.list.by_name[middle];
        }
        if (order < 0) {
            end = middle;
        } else {
            first = middle + 1;
        }
    }
    return NULL;
}

bool lh_json_is_number(const struct lh_json *value)
{
    return value != NULL && (value->kind == LH_JSON_INTEGER || value->kind == LH_JSON_REAL);
}

double lh_json_number(const struct lh_json *value)
{
    if (!lh_json_is_number(value)) {
        return 0;
    }
    return value->kind == LH_JSON_INTEGER ? (double)value->value.integer : value->value.real;
}

const char *lh_json_kind_text(enum lh_json_kind kind)
{
    switch (kind) {
    case LH_JSON_NULL:
        return "null";
    case LH_JSON_FALSE:
        return "false";
    case LH_JSON_TRUE:
        return "true";
    case LH_JSON_INTEGER:
        return "an integer";
    case LH_JSON_REAL:
        return "a number";
    case LH_JSON_STRING:
        return "a string";
    case LH_JSON_ARRAY:
        return "an array";
    case LH_JSON_OBJECT:
        return "an object";
    }
    return "an unknown value";
}

/* Appends `length` bytes whole or, when they don't fit before the terminator, none of them and nothing after them. */
struct pointer_text {
    char *text;
    size_t size, used;
    bool full;
};

static void append(struct pointer_text *pointer, const char *text, size_t length)
{
    if (pointer->full || pointer->size - pointer->used <= length) {
        pointer->full = true;
        return;
    }
    memcpy(pointer->text + pointer->used, text, length);
    pointer->used += length;
}

static void append_name(struct pointer_text *pointer, const char *name)
{
    size_t left = strlen(name);
    while (left > 0) {
        size_t length = lh_utf8_length(name, left);
        length = length > 0 ? length : 1;
        if (*name == '~') {
            append(pointer, "~0", 2);
        } else if (*name == '/') {
            append(pointer, "~1", 2);
        } else {
            append(pointer, name, length);
        }
        name += length;
        left -= length;
    }
}

static void append_index(struct pointer_text *pointer, size_t index)
{
    char digits[24];
    char *first = digits + sizeof digits;
    do {
        *--first = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    append(pointer, first, (size_t)(digits + sizeof digits - first));
}

void lh_json_pointer(const struct lh_json *value, char *pointer, size_t size)
{
    const struct lh_json *way[LH_JSON_DEPTH_MAX + 1];
    size_t depth = 0;
    if (size == 0) {
        return;
    }
    for (; value != NULL && value->parent != NULL && depth <= LH_JSON_DEPTH_MAX; value = value->parent) {
        way[depth++] = value;
    }
    struct pointer_text text = {.text = pointer, .size = size};
    while (depth > 0) {
        const struct lh_json *step = way[--depth];
        append(&text, "/", 1);
        if (step->name != NULL) {
            append_name(&text, step->name);
        } else {
            append_index(&text, step->index);
        }
    }
    pointer[text.used] = '\0';
}

static bool numbers_equal(const struct lh_json *a, const struct lh_json *b)
{
    if (a->kind == LH_JSON_INTEGER && b->kind == LH_JSON_INTEGER) {
        return a->value.integer == b->value.integer;
    }
    return lh_json_number(a) == lh_json_number(b);
}

static bool strings_equal(const struct lh_json *a, const struct lh_json *b)
{
    return a->value.string.length == b->value.string.length &&
           memcmp(a->value.string.text, b->value.string.text, a->value.string.length) == 0;
}

static bool lists_equal(const struct lh_json *a, const struct lh_json *b)
{
    if (a->value.list.count != b->value.list.count) {
        return false;
    }
    for (size_t i = 0; i < a->value.list.count; i++) {
        const struct lh_json *item = a->value.list.items[i];
        const struct lh_json *other =
            a->kind == LH_JSON_OBJECT ? lh_json_member(b, item->name) : b->value.list.items[i];
        if (!lh_json_equal(item, other)) {
            return false;
        }
    }
    return true;
}

bool lh_json_equal(const struct lh_json *a, const struct lh_json *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    if (lh_json_is_number(a) && lh_json_is_number(b)) {
        return numbers_equal(a, b);
    }
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == LH_JSON_STRING) {
        return strings_equal(a, b);
    }
    return (a->kind != LH_JSON_ARRAY && a->kind != LH_JSON_OBJECT) || lists_equal(a, b);
}
