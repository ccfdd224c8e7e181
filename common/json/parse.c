/* SPDX-License-Identifier: MIT */
/* Reading: jansson parses into memory of its own, its tree is copied into the arena and dropped as a whole. */
#include "common/json/build.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

_Static_assert(LH_JSON_DEPTH_MAX == 64 && LH_JSON_VALUES_MAX >> 20 == 8, "the messages name both");

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static enum lh_status refuse(struct lh_error *error, enum lh_status code, size_t line, size_t column, const char *why)
{
    char where[64];
    snprintf(where, sizeof where, "line %zu, column %zu", line, column);
    return lh_error_set(error, code, where, "%s", why);
}

/* The byte at which the text passes LH_JSON_DEPTH_MAX or LH_JSON_VALUES_MAX, and what is wrong with that; NULL when
   neither. Agrees with jansson's reading up to jansson's first fault, and that is all that is needed to keep its
   recursion and ours bounded, and the memory of both. */
static const char *find_excess(const char *text, size_t length, size_t *offset)
{
    unsigned depth = 0;
    size_t values = 1;
    bool inside_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        *offset = i;
        if (inside_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                inside_string = false;
            }
        } else if (c == '"') {
            inside_string = true;
        } else if (c == '[' || c == '{') {
            values++; /* its first entry, or one too many when it is empty */
            if (++depth > LH_JSON_DEPTH_MAX) {
                return "arrays and objects are nested deeper than 64 levels";
            }
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        } else if (c == ',') {
            values++;
        }
        if (values > LH_JSON_VALUES_MAX) {
            return "the text holds more than 8 million values";
        }
    }
    return NULL;
}

static enum lh_status refuse_excess(struct lh_error *error, const char *text, size_t offset, const char *why)
{
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xC0u) != 0x80u) {
            column++;
        }
    }
    return refuse(error, LH_ERR_LIMIT, line, column, why);
}

static bool is_blank(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n')) {
        i++;
    }
    return i == length;
}

/* jansson often ends without a word when memory ends, or stumbles over a string that has nothing wrong with it: all
   that is wrong with a string has messages of its own. */
static bool is_memory_fault(const json_error_t *fault)
{
    static const char *const puzzled[] = {"invalid token near '\"", "string or '}' expected near '\""};
    return json_error_code(fault) == json_error_out_of_memory || fault->text[0] == '\0' ||
           strncmp(fault->text, puzzled[0], strlen(puzzled[0])) == 0 ||
           strncmp(fault->text, puzzled[1], strlen(puzzled[1])) == 0;
}

/* jansson's fault in our words; its own where they are good enough. */
static enum lh_status refuse_fault(struct lh_error *error, const json_error_t *fault, bool *not_json)
{
    size_t line = fault->line > 0 ? (size_t)fault->line : 1;
    size_t column = fault->column > 0 ? (size_t)fault->column : 1;
    enum json_error_code code = json_error_code(fault);
    *not_json = false;
    if (is_memory_fault(fault)) {
        return lh_error_no_memory(error);
    }
    if (code == json_error_null_character || code == json_error_null_byte_in_key) {
        return refuse(error, LH_ERR_INVALID, line, column,
                      "a string holds the character U+0000, which no text here may");
    }
    if (code == json_error_numeric_overflow) {
        return refuse(error, LH_ERR_INVALID, line, column,
                      "the number is too large: integers have 64 bits, others end at about 1.8e308");
    }
    char why[sizeof fault->text + 64];
    if (code == json_error_duplicate_key) {
        const char *near = strstr(fault->text, " near ");
        snprintf(why, sizeof why, "the object has two members of the same name%s", near != NULL ? near : "");
        return refuse(error, LH_ERR_INVALID, line, column, why);
    }
    *not_json = true;
    snprintf(why, sizeof why, "this is not JSON: %s", fault->text);
    return refuse(error, LH_ERR_INVALID, line, column, why);
}

static bool copy_value(struct lh_arena *arena, json_t *source, struct lh_json *target);

static bool copy_string(struct lh_arena *arena, const char *text, size_t length, struct lh_json *target)
{
    char *copy = lh_arena_strndup(arena, text, length);
    target->kind = LH_JSON_STRING;
    target->value.string.text = copy;
    target->value.string.length = length;
    return copy != NULL;
}

/* An array's or object's values lie side by side in the arena. */
static struct lh_json *begin_list(struct lh_arena *arena, size_t count, struct lh_json *list)
{
    struct lh_json *values = lh_arena_array(arena, count, sizeof *values);
    struct lh_json **items = lh_arena_array(arena, count, sizeof *items);
    if (values == NULL || items == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        values[i].parent = list;
        values[i].index = i;
        items[i] = &values[i];
    }
    list->value.list.items = items;
    list->value.list.count = count;
    return values;
}

static bool copy_array(struct lh_arena *arena, json_t *source, struct lh_json *target)
{
    size_t count = json_array_size(source);
    target->kind = LH_JSON_ARRAY;
    struct lh_json *values = begin_list(arena, count, target);
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!copy_value(arena, json_array_get(source, i), &values[i])) {
            return false;
        }
    }
    return true;
}

static bool copy_object(struct lh_arena *arena, json_t *source, struct lh_json *target)
{
    target->kind = LH_JSON_OBJECT;
    struct lh_json *values = begin_list(arena, json_object_size(source), target);
    if (values == NULL) {
        return false;
    }
    size_t i = 0;
    for (void *at = json_object_iter(source); at != NULL; at = json_object_iter_next(source, at), i++) {
        values[i].name = lh_arena_strndup(arena, json_object_iter_key(at), json_object_iter_key_len(at));
        if (values[i].name == NULL || !copy_value(arena, json_object_iter_value(at), &values[i])) {
            return false;
        }
    }
    return lh_json_index_members(arena, target);
}

/* Fills `target`, whose place (parent, name, index) is already set. */
static bool copy_value(struct lh_arena *arena, json_t *source, struct lh_json *target)
{
    switch (json_typeof(source)) {
    case JSON_OBJECT:
        return copy_object(arena, source, target);
    case JSON_ARRAY:
        return copy_array(arena, source, target);
    case JSON_STRING:
        return copy_string(arena, json_string_value(source), json_string_length(source), target);
    case JSON_INTEGER:
        target->kind = LH_JSON_INTEGER;
        target->value.integer = json_integer_value(source);
        return true;
    case JSON_REAL:
        target->kind = LH_JSON_REAL;
        target->value.real = json_real_value(source);
        return true;
    case JSON_TRUE:
        target->kind = LH_JSON_TRUE;
        return true;
    case JSON_FALSE:
        target->kind = LH_JSON_FALSE;
        return true;
    case JSON_NULL:
        break;
    }
    target->kind = LH_JSON_NULL;
    return true;
}

/* While a thread parses, jansson's small pieces come from one arena and go with it: freeing a large tree piece by
   piece, and the heap's tidying up after it, took a third of the time of loading a project. */
static _Thread_local struct lh_arena *pieces;

static void *take_piece(size_t size)
{
    return pieces != NULL ? lh_arena_alloc(pieces, size) : malloc(size);
}

static void drop_piece(void *piece)
{
    if (pieces == NULL) {
        free(piece);
    }
}

static void use_pieces(void)
{
    json_set_alloc_funcs(take_piece, drop_piece);
}

static enum lh_status parse_and_copy(struct lh_arena *arena, const char *text, size_t length, struct lh_json **root,
                                     bool *not_json, struct lh_error *error)
{
    json_error_t fault = {.line = 0};
    json_t *parsed = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (parsed == NULL) {
        return refuse_fault(error, &fault, not_json);
    }
    struct lh_json *copy = lh_arena_alloc(arena, sizeof *copy);
    if (copy == NULL || !copy_value(arena, parsed, copy)) {
        return lh_error_no_memory(error);
    }
    *root = copy;
    return LH_OK;
}

enum lh_status lh_json_parse_or_tell(struct lh_arena *arena, const char *text, size_t length, struct lh_json **root,
                                     bool *not_json, struct lh_error *error)
{
    *not_json = false;
    if (length > LH_JSON_TEXT_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL, "the JSON text is larger than %u MiB", LH_JSON_TEXT_MAX >> 20);
    }
    if (is_blank(text, length)) {
        *not_json = true;
        return refuse(error, LH_ERR_INVALID, 1, 1, "the text is empty, and JSON is expected");
    }
    if (length >= sizeof BYTE_ORDER_MARK - 1 && memcmp(text, BYTE_ORDER_MARK, sizeof BYTE_ORDER_MARK - 1) == 0) {
        *not_json = true;
        return refuse(error, LH_ERR_INVALID, 1, 1,
                      "the text begins with a byte order mark: save it as UTF-8 without one");
    }
    size_t offset;
    const char *excess = find_excess(text, length, &offset);
    if (excess != NULL) {
        return refuse_excess(error, text, offset, excess);
    }
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, use_pieces);
    struct lh_arena memory;
    lh_arena_init(&memory);
    pieces = &memory;
    enum lh_status status = parse_and_copy(arena, text, length, root, not_json, error);
    pieces = NULL;
    lh_arena_fini(&memory);
    return status;
}

enum lh_status lh_json_parse(struct lh_arena *arena, const char *text, size_t length, const struct lh_json **root,
                             struct lh_error *error)
{
    bool not_json;
    struct lh_json *parsed = NULL;
    enum lh_status status = lh_json_parse_or_tell(arena, text, length, &parsed, &not_json, error);
    if (status == LH_OK) {
        *root = parsed;
    }
    return status;
}
