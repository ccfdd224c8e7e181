/* SPDX-License-Identifier: MIT */
/* Changing one value of a tree: the values on the way to it are copied, everything else is shared with the old tree.
   A shared value's parent is the one in the old tree, whose name and index are the same, so its pointer stays right. */
#include "common/json/build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/faults.h"
#include "common/base/utf8.h"

#define WHOLE_SIZE 128 /* bytes of JSON in a message */

struct change {
    struct lh_arena *arena;
    const char *pointer; /* whole, for messages */
    struct lh_json *value;
    unsigned value_depth;   /* levels of arrays and objects in `value` */
    struct lh_error *error; /* never NULL */
};

static unsigned depth_of(const struct lh_json *value)
{
    unsigned deepest = 0;
    if (value->kind != LH_JSON_ARRAY && value->kind != LH_JSON_OBJECT) {
        return 0;
    }
    for (size_t i = 0; i < value->value.list.count; i++) {
        unsigned depth = depth_of(value->value.list.items[i]);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

static enum lh_status make_string(struct lh_arena *arena, const char *text, struct lh_json **value,
                                  struct lh_error *error)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        size_t step = lh_utf8_length(text + i, length - i);
        if (step == 0) {
            return lh_error_set(error, LH_ERR_USAGE, NULL, "the value is not UTF-8 text");
        }
        i += step;
    }
    struct lh_json *made = lh_arena_alloc(arena, sizeof *made);
    char *copy = lh_arena_strndup(arena, text, length);
    if (made == NULL || copy == NULL) {
        return lh_error_no_memory(error);
    }
    made->kind = LH_JSON_STRING;
    made->value.string.text = copy;
    made->value.string.length = length;
    *value = made;
    return LH_OK;
}

/* JSON, or else the text itself as a string. */
static enum lh_status read_value(struct lh_arena *arena, const char *text, struct lh_json **value,
                                 struct lh_error *error)
{
    bool not_json = false;
    struct lh_error fault = LH_ERROR_INIT;
    enum lh_status status = lh_json_parse_or_tell(arena, text, strlen(text), value, &not_json, &fault);
    if (status != LH_OK && not_json) {
        return make_string(arena, text, value, error);
    }
    if (status != LH_OK) {
        *error = fault;
    }
    return status;
}

/* The token between this '/' and the next, with ~0 and ~1 undone. NULL with the error set. */
static char *read_token(const struct change *change, const char *slash, const char **next)
{
    const char *end = strchr(slash + 1, '/');
    end = end != NULL ? end : slash + strlen(slash);
    char *token = lh_arena_alloc(change->arena, (size_t)(end - slash));
    if (token == NULL) {
        lh_error_no_memory(change->error);
        return NULL;
    }
    char *place = token;
    for (const char *from = slash + 1; from < end; from++) {
        if (*from != '~') {
            *place++ = *from;
            continue;
        }
        from++;
        if (*from != '0' && *from != '1') {
            lh_error_set(change->error, LH_ERR_USAGE, change->pointer,
                         "in a JSON Pointer '~' is written as ~0 and a '/' inside a name as ~1");
            return NULL;
        }
        *place++ = *from == '0' ? '~' : '/';
    }
    *place = '\0';
    *next = end;
    return token;
}

/* The place of `token` in an array: an index, or "-" for one past the end. */
static enum lh_status find_index(const struct change *change, const struct lh_json *array, const char *token, bool last,
                                 size_t *index)
{
    size_t count = array->value.list.count;
    if (strcmp(token, "-") == 0 && last) {
        *index = count;
        return LH_OK;
    }
    size_t digits = strspn(token, "0123456789");
    bool canonical = digits > 0 && token[digits] == '\0' && digits < 19 && (digits == 1 || token[0] != '0');
    size_t found = canonical ? (size_t)strtoull(token, NULL, 10) : 0;
    if (!canonical) {
        return lh_error_set(change->error, LH_ERR_USAGE, change->pointer,
                            "'%s' is no index of an array: give a number%s", token, last ? ", or - to append" : "");
    }
    if (found > count || (found == count && !last)) {
        return lh_error_set(change->error, LH_ERR_USAGE, change->pointer,
                            "the array has %zu item%s, so there is no index %s", count, count == 1 ? "" : "s", token);
    }
    *index = found;
    return LH_OK;
}

/* What the whole value would be that has the change's at `rest`, as JSON: '{"seconds":2}' for '/seconds'. "" when more
   than one level is missing or the text is too long to be read in a message. */
static enum lh_status write_whole(const struct change *change, const char *rest, char whole[WHOLE_SIZE])
{
    const char *end = NULL;
    const char *token = read_token(change, rest, &end);
    if (token == NULL) {
        return change->error->code;
    }
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    bool in_array = strcmp(token, "-") == 0 || (*token != '\0' && token[strspn(token, "0123456789")] == '\0');
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, true);
    if (in_array) {
        lh_json_emit_array(&emitter);
        lh_json_emit_value(&emitter, change->value);
        lh_json_emit_array_end(&emitter);
    } else {
        lh_json_emit_object(&emitter);
        lh_json_emit_name(&emitter, token);
        lh_json_emit_value(&emitter, change->value);
        lh_json_emit_object_end(&emitter);
    }
    enum lh_status status = lh_writer_status(&writer);
    size_t length = *end == '\0' && writer.size <= WHOLE_SIZE ? writer.size - 1 : 0; /* without its line's end */
    if (status == LH_OK) {
        memcpy(whole, writer.data, length);
        whole[length] = '\0';
    }
    lh_writer_fini(&writer);
    return status == LH_OK ? LH_OK : lh_error_no_memory(change->error);
}

/* The pointer goes on into a member that is not there: a slip of the pen, or one to be added, which `rest` alone cannot
   do. */
static enum lh_status refuse_unknown(const struct change *change, const struct lh_json *object, const char *token,
                                     const char *rest)
{
    size_t count = object->value.list.count;
    const char **names = lh_arena_array(change->arena, count, sizeof *names);
    if (names == NULL) {
        return lh_error_no_memory(change->error);
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = object->value.list.items[i]->name;
    }
    char whole[WHOLE_SIZE];
    enum lh_status status = write_whole(change, rest, whole);
    if (status != LH_OK) {
        return status;
    }
    const char *nearest = lh_nearest_name(token, names, count);
    return lh_error_set(change->error, LH_ERR_USAGE, change->pointer,
                        "there is no member '%s' here%s%s%s; to add it, set all of it: '%.*s=%s'", token,
                        nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                        nearest != NULL ? "'?)" : "", (int)(rest - change->pointer), change->pointer,
                        whole[0] != '\0' ? whole : "...");
}

/* The place of `token` in an object; `count` for a new member, which only the last token may name. `rest` is the
   pointer behind the token. */
static enum lh_status find_member(const struct change *change, const struct lh_json *object, const char *token,
                                  const char *rest, size_t *index)
{
    const struct lh_json *member = lh_json_member(object, token);
    if (member == NULL && *rest != '\0') {
        return refuse_unknown(change, object, token, rest);
    }
    *index = member != NULL ? member->index : object->value.list.count;
    return LH_OK;
}

/* A copy of the list whose item `index` is left for the caller to fill; one item longer when `index` is its count. */
static struct lh_json *copy_list(struct lh_arena *arena, const struct lh_json *list, size_t index,
                                 struct lh_json ***items)
{
    size_t count = list->value.list.count;
    struct lh_json *copy = lh_arena_alloc(arena, sizeof *copy);
    struct lh_json **copied = lh_arena_array(arena, index == count ? count + 1 : count, sizeof *copied);
    if (copy == NULL || copied == NULL) {
        return NULL;
    }
    *copy = *list;
    if (count > 0) {
        memcpy(copied, list->value.list.items, count * sizeof *copied);
    }
    copy->value.list.items = copied;
    copy->value.list.count = index == count ? count + 1 : count;
    copy->value.list.by_name = NULL;
    *items = copied;
    return copy;
}

/* A copy of `old` with the change at `rest` of the pointer; `depth` levels are above it. */
static enum lh_status apply(const struct change *change, const struct lh_json *old, const char *rest, unsigned depth,
                            struct lh_json **changed)
{
    if (*rest == '\0') {
        if (depth + change->value_depth > LH_JSON_DEPTH_MAX) {
            return lh_error_set(change->error, LH_ERR_LIMIT, change->pointer,
                                "with this value arrays and objects are nested deeper than %d levels",
                                LH_JSON_DEPTH_MAX);
        }
        *changed = change->value;
        return LH_OK;
    }
    if (old == NULL || (old->kind != LH_JSON_ARRAY && old->kind != LH_JSON_OBJECT)) {
        return lh_error_set(change->error, LH_ERR_USAGE, change->pointer,
                            "the pointer leads into %s, which has no members",
                            old == NULL ? "a new value" : lh_json_kind_text(old->kind));
    }
    const char *next = NULL;
    const char *token = read_token(change, rest, &next);
    if (token == NULL) {
        return change->error->code;
    }
    size_t index = 0;
    enum lh_status status = old->kind == LH_JSON_ARRAY ? find_index(change, old, token, *next == '\0', &index)
                                                       : find_member(change, old, token, next, &index);
    struct lh_json *item = NULL;
    if (status == LH_OK) {
        const struct lh_json *old_item = index < old->value.list.count ? old->value.list.items[index] : NULL;
        status = apply(change, old_item, next, depth + 1, &item);
    }
    if (status != LH_OK) {
        return status;
    }
    assert(item != NULL);
    struct lh_json **items = NULL;
    struct lh_json *copy = copy_list(change->arena, old, index, &items);
    if (copy == NULL) {
        return lh_error_no_memory(change->error);
    }
    items[index] = item;
    item->parent = copy;
    item->index = index;
    item->name = old->kind == LH_JSON_OBJECT ? token : NULL;
    if (old->kind == LH_JSON_OBJECT && !lh_json_index_members(change->arena, copy)) {
        return lh_error_no_memory(change->error);
    }
    *changed = copy;
    return LH_OK;
}

enum lh_status lh_json_set(struct lh_arena *arena, const struct lh_json *root, const char *pointer,
                           const char *value_text, const struct lh_json **changed, struct lh_error *error)
{
    if (*pointer != '\0' && *pointer != '/') {
        return lh_error_set(error, LH_ERR_USAGE, pointer, "a JSON Pointer begins with '/', as in /tracks/0/gainDb");
    }
    struct lh_error own = LH_ERROR_INIT; /* so that the status can be told when the caller wants no error */
    struct change change = {.arena = arena, .pointer = pointer, .error = error != NULL ? error : &own};
    enum lh_status status = read_value(arena, value_text, &change.value, change.error);
    if (status != LH_OK) {
        return status;
    }
    change.value_depth = depth_of(change.value);
    struct lh_json *made = NULL;
    status = apply(&change, root, pointer, 0, &made);
    if (status == LH_OK) {
        *changed = made;
    }
    return status;
}
