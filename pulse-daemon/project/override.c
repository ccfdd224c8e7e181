/* SPDX-License-Identifier: MIT */
/* Pointers that name elements by id. */
#include "pulse-daemon/project/override.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/faults.h"

#define INDEX_DIGITS_MAX 18u
#define INDEX_SIZE 21u

/* A pointer's token is compared as it stands: '~0' and '~1' stand for '~' and '/'. */
static bool token_is(const char *token, size_t length, const char *name)
{
    const char *end = token + length;
    for (; token < end && *name != '\0'; name++) {
        char letter = *token++;
        if (letter == '~' && token < end) {
            letter = *token++ == '1' ? '/' : '~';
        }
        if (letter != *name) {
            return false;
        }
    }
    return token == end && *name == '\0';
}

static bool is_index(const char *token, size_t length, size_t count)
{
    size_t digits = strspn(token, "0123456789");
    return digits == length && length > 0 && length <= INDEX_DIGITS_MAX && strtoull(token, NULL, 10) < count;
}

static const char *text_of(const struct lh_json *element, const char *key)
{
    const struct lh_json *name = lh_json_member(element, key);
    return name != NULL && name->kind == LH_JSON_STRING ? name->value.string.text : NULL;
}

static const char *const keys[] = {"id", "name", "to", "parameter"};
#define KEY_COUNT (sizeof keys / sizeof *keys)

/* The element that the token names; the array's count when there is none. */
static size_t find_named(const struct lh_json *array, const char *token, size_t length)
{
    size_t count = array->value.list.count;
    for (size_t k = 0; k < KEY_COUNT; k++) {
        for (size_t i = 0; i < count; i++) {
            const char *name = text_of(array->value.list.items[i], keys[k]);
            if (name != NULL && token_is(token, length, name)) {
                return i;
            }
        }
    }
    return count;
}

/* Nothing in the array has that name. */
static enum lh_status refuse(struct lh_arena *arena, const struct lh_json *array, const char *token, size_t length,
                             struct lh_error *error)
{
    size_t count = array->value.list.count;
    const char **names = lh_arena_array(arena, count, sizeof *names);
    const char *text = lh_arena_strndup(arena, token, length);
    if (names == NULL || text == NULL) {
        return lh_error_no_memory(error);
    }
    size_t named = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < KEY_COUNT; k++) {
            const char *name = text_of(array->value.list.items[i], keys[k]);
            if (name != NULL) {
                names[named++] = name;
                break;
            }
        }
    }
    const char *nearest = lh_nearest_name(text, names, named);
    char none[48] = "the only element is not";
    if (count != 1) {
        snprintf(none, sizeof none, "none of the %zu elements is", count);
    }
    return lh_error_set(error, LH_ERR_INVALID, NULL, "%s called \"%.64s\"%s%.64s%s; give an id or an index from 0",
                        none, text, nearest == NULL ? "" : " (did you mean \"", nearest == NULL ? "" : nearest,
                        nearest == NULL ? "" : "\"?)");
}

static const struct lh_json *find_member(const struct lh_json *object, const char *token, size_t length)
{
    for (size_t i = 0; i < object->value.list.count; i++) {
        if (token_is(token, length, object->value.list.items[i]->name)) {
            return object->value.list.items[i];
        }
    }
    return NULL;
}

/* One step down: the value under the token, NULL when there is none, and for elements their index. */
static const struct lh_json *step(const struct lh_json *at, const char *token, size_t length, size_t *index)
{
    *index = SIZE_MAX;
    if (at != NULL && at->kind == LH_JSON_OBJECT) {
        return find_member(at, token, length);
    }
    if (at == NULL || at->kind != LH_JSON_ARRAY) {
        return NULL;
    }
    size_t count = at->value.list.count;
    *index = is_index(token, length, count) ? strtoull(token, NULL, 10) : find_named(at, token, length);
    return *index < count ? at->value.list.items[*index] : NULL;
}

enum lh_status pulse_override_pointer(struct lh_arena *arena, const struct lh_json *root, const char *pointer,
                                      const char **translated, struct lh_error *error)
{
    size_t tokens = 0;
    for (const char *byte = pointer; *byte != '\0'; byte++) {
        tokens += *byte == '/' ? 1 : 0;
    }
    /* Every token may turn into an index. */
    char *made = lh_arena_alloc(arena, strlen(pointer) + tokens * INDEX_SIZE + 1);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    char *out = made;
    const struct lh_json *at = root;
    const char *slash = pointer;
    while (*slash == '/') {
        const char *token = slash + 1;
        size_t length = strcspn(token, "/");
        size_t index = 0;
        const struct lh_json *array = at;
        bool plain = length == 0 || strspn(token, "0123456789") == length || (length == 1 && *token == '-');
        at = step(at, token, length, &index);
        if (at == NULL && index != SIZE_MAX && !plain) {
            return refuse(arena, array, token, length, error);
        }
        if (at != NULL && index != SIZE_MAX) {
            out += snprintf(out, INDEX_SIZE + 1, "/%zu", index);
        } else {
            memcpy(out, slash, length + 1);
            out += length + 1;
        }
        slash = token + length;
    }
    memcpy(out, slash, strlen(slash) + 1); /* nothing, or what is no pointer at all */
    *translated = made;
    return LH_OK;
}
