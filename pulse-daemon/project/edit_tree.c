/* SPDX-License-Identifier: MIT */
/* A document while it is edited. */
#include "pulse-daemon/project/edit_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/faults.h"

#define INDEX_DIGITS_MAX 18u
#define CAPACITY_SPARE 8u
#define NAMES_MAX 1000u /* that a nearest one is looked for among */

struct pulse_edit_node *pulse_edit_node_new(struct pulse_edit_tree *tree, const struct lh_json *value)
{
    struct pulse_edit_node *node = lh_arena_alloc(tree->arena, sizeof *node);
    if (node != NULL) {
        node->value = value;
    }
    return node;
}

enum lh_status pulse_edit_tree_init(struct pulse_edit_tree *tree, struct lh_arena *arena, const struct lh_json *root,
                                    struct lh_error *error)
{
    *tree = (struct pulse_edit_tree){.arena = arena};
    tree->root = pulse_edit_node_new(tree, root);
    return tree->root != NULL ? LH_OK : lh_error_no_memory(error);
}

static bool is_list(const struct pulse_edit_node *node)
{
    return node->value->kind == LH_JSON_ARRAY || node->value->kind == LH_JSON_OBJECT;
}

static enum lh_status spend(struct pulse_edit_tree *tree, uint64_t work, struct lh_error *error)
{
    tree->work += work;
    return tree->work <= PULSE_EDIT_WORK_MAX
               ? LH_OK
               : lh_error_set(error, LH_ERR_LIMIT, NULL, "the edits are too much work at once; make fewer of them");
}

static enum lh_status open_node(struct pulse_edit_tree *tree, struct pulse_edit_node *node, struct lh_error *error)
{
    if (node->open) {
        return LH_OK;
    }
    size_t count = node->value->value.list.count;
    struct pulse_edit_node *made = lh_arena_array(tree->arena, count, sizeof *made);
    struct pulse_edit_node **items = lh_arena_array(tree->arena, count + CAPACITY_SPARE, sizeof *items);
    if (made == NULL || items == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        made[i] = (struct pulse_edit_node){.value = node->value->value.list.items[i],
                                           .name = node->value->value.list.items[i]->name};
        items[i] = &made[i];
    }
    node->items = items;
    node->count = count;
    node->capacity = count + CAPACITY_SPARE;
    node->open = true;
    return spend(tree, count, error);
}

/* ---- Finding --------------------------------------------------------------------------------------------------------
 */

static const struct pulse_edit_node *find_member(const struct pulse_edit_node *object, const char *name, size_t *index)
{
    for (size_t i = 0; i < object->count; i++) {
        if (strcmp(object->items[i]->name, name) == 0) {
            *index = i;
            return object->items[i];
        }
    }
    *index = object->count;
    return NULL;
}

/* The text of a member, NULL when there is none or it is no text. */
static const char *text_of(const struct pulse_edit_node *element, const char *name)
{
    const struct lh_json *value = NULL;
    if (element->value->kind != LH_JSON_OBJECT) {
        return NULL;
    }
    if (element->open) {
        size_t index;
        const struct pulse_edit_node *member = find_member(element, name, &index);
        value = member != NULL ? member->value : NULL;
    } else {
        value = lh_json_member(element->value, name);
    }
    return value != NULL && value->kind == LH_JSON_STRING ? value->value.string.text : NULL;
}

static const char *const name_keys[] = {"id", "name", "to", "parameter"}; /* as in override.h */
#define NAME_KEY_COUNT (sizeof name_keys / sizeof *name_keys)

static size_t find_named(const struct pulse_edit_node *array, const char *token)
{
    for (size_t k = 0; k < NAME_KEY_COUNT; k++) {
        for (size_t i = 0; i < array->count; i++) {
            const char *text = text_of(array->items[i], name_keys[k]);
            if (text != NULL && strcmp(text, token) == 0) {
                return i;
            }
        }
    }
    return array->count;
}

/* "; did you mean ...": the nearest of the members' names, or of what the elements are called by. */
static enum lh_status refuse(struct pulse_edit_tree *tree, const struct pulse_edit_node *list, const char *token,
                             struct lh_error *error)
{
    size_t count = list->count < NAMES_MAX ? list->count : NAMES_MAX, named = 0;
    const char **names = lh_arena_array(tree->arena, count, sizeof *names);
    if (names == NULL) {
        return lh_error_no_memory(error);
    }
    bool in_array = list->value->kind == LH_JSON_ARRAY;
    for (size_t i = 0; i < count; i++) {
        const char *name = list->items[i]->name;
        for (size_t k = 0; k < NAME_KEY_COUNT && in_array && name == NULL; k++) {
            name = text_of(list->items[i], name_keys[k]);
        }
        if (name != NULL) {
            names[named++] = name;
        }
    }
    const char *nearest = lh_nearest_name(token, names, named);
    return lh_error_set(error, LH_ERR_USAGE, NULL, "there is no %s called \"%.64s\" here%s%.64s%s",
                        in_array ? "element" : "member", token, nearest != NULL ? "; did you mean \"" : "",
                        nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

/* The place of the token in an array. */
static enum lh_status find_element(struct pulse_edit_tree *tree, const struct pulse_edit_node *array, const char *token,
                                   bool last, size_t *index, struct lh_error *error)
{
    size_t digits = strspn(token, "0123456789");
    bool number = token[digits] == '\0' && digits > 0 && digits <= INDEX_DIGITS_MAX;
    bool canonical = number && (digits == 1 || token[0] != '0');
    size_t place = canonical ? (size_t)strtoull(token, NULL, 10) : SIZE_MAX;
    if (place < array->count || (last && place == array->count)) {
        *index = place;
        return LH_OK;
    }
    enum lh_status status = spend(tree, array->count * NAME_KEY_COUNT, error);
    if (status != LH_OK) {
        return status;
    }
    *index = find_named(array, token);
    if (*index < array->count || (last && strcmp(token, "-") == 0)) {
        return LH_OK;
    }
    if (number) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "the array has %zu element%s, so there is no index %s",
                            array->count, array->count == 1 ? "" : "s", token);
    }
    return refuse(tree, array, token, error);
}

/* The next token with ~0 and ~1 undone; `at` is its slash. NULL with the error set. */
static char *read_token(struct pulse_edit_tree *tree, const char *at, const char **next, struct lh_error *error)
{
    size_t length = strcspn(at + 1, "/");
    char *token = lh_arena_alloc(tree->arena, length + 1);
    if (token == NULL) {
        lh_error_no_memory(error);
        return NULL;
    }
    char *out = token;
    *next = at + 1 + length;
    for (const char *from = at + 1; from < *next; from++) {
        if (*from == '~' && from[1] != '0' && from[1] != '1') {
            lh_error_set(error, LH_ERR_USAGE, NULL, "in a pointer '~' is written as ~0 and a '/' in a name as ~1");
            return NULL;
        }
        *out++ = *from != '~' ? *from : *++from == '0' ? '~' : '/';
    }
    *out = '\0';
    return token;
}

/* The pointer by indices, one token after the other. */
static void add_token(struct lh_writer *pointer, const struct pulse_edit_node *parent, size_t index, const char *token)
{
    char number[24];
    lh_writer_bytes(pointer, "/", 1);
    if (parent->value->kind == LH_JSON_ARRAY) {
        int length = snprintf(number, sizeof number, "%zu", index);
        lh_writer_bytes(pointer, number, (size_t)length);
        return;
    }
    for (; *token != '\0'; token++) {
        bool special = *token == '~' || *token == '/';
        lh_writer_bytes(pointer, special ? (*token == '~' ? "~0" : "~1") : token, special ? 2 : 1);
    }
}

static enum lh_status walk(struct pulse_edit_tree *tree, const char *pointer, struct pulse_edit_place *place,
                           struct lh_writer *told, struct lh_error *error)
{
    struct pulse_edit_node *at = tree->root;
    *place = (struct pulse_edit_place){.there = true};
    while (*pointer == '/') {
        const char *next;
        char *token = read_token(tree, pointer, &next, error);
        if (token == NULL) {
            return error->code;
        }
        if (!is_list(at)) {
            return lh_error_set(error, LH_ERR_USAGE, NULL, "the pointer leads into %s, which has no members",
                                lh_json_kind_text(at->value->kind));
        }
        bool last = *next == '\0';
        size_t index;
        enum lh_status status = open_node(tree, at, error);
        if (status == LH_OK && at->value->kind == LH_JSON_ARRAY) {
            status = find_element(tree, at, token, last, &index, error);
        } else if (status == LH_OK) {
            status = spend(tree, at->count, error);
            if (status == LH_OK && find_member(at, token, &index) == NULL && !last) {
                status = refuse(tree, at, token, error);
            }
        }
        if (status != LH_OK) {
            return status;
        }
        add_token(told, at, index, token);
        *place = (struct pulse_edit_place){.parent = at, .index = index, .token = token, .there = index < at->count};
        at = place->there ? at->items[index] : at;
        pointer = next;
    }
    return LH_OK;
}

enum lh_status pulse_edit_tree_find(struct pulse_edit_tree *tree, const char *pointer, struct pulse_edit_place *place,
                                    struct lh_error *error)
{
    if (*pointer != '\0' && *pointer != '/') {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "a pointer begins with '/', as in /tracks/kick/gainDb");
    }
    struct lh_writer told;
    struct pulse_edit_place found;
    lh_writer_init(&told);
    enum lh_status status = walk(tree, pointer, &found, &told, error);
    if (status == LH_OK) {
        const char *text = told.size > 0 ? (const char *)told.data : "";
        found.pointer = told.failed ? NULL : lh_arena_strndup(tree->arena, text, told.size);
        status = found.pointer != NULL ? LH_OK : lh_error_no_memory(error);
    }
    lh_writer_fini(&told);
    if (status == LH_OK) {
        *place = found;
    }
    return status;
}

/* ---- Changing -------------------------------------------------------------------------------------------------------
 */

struct pulse_edit_node *pulse_edit_tree_at(const struct pulse_edit_tree *tree, const struct pulse_edit_place *place)
{
    return place->parent != NULL ? place->parent->items[place->index] : tree->root;
}

enum lh_status pulse_edit_tree_insert(struct pulse_edit_tree *tree, const struct pulse_edit_place *place,
                                      struct pulse_edit_node *node, struct lh_error *error)
{
    struct pulse_edit_node *list = place->parent;
    enum lh_status status = spend(tree, list->count - place->index, error);
    if (status != LH_OK) {
        return status;
    }
    if (list->count == list->capacity) {
        struct pulse_edit_node **grown =
            lh_arena_array(tree->arena, list->capacity * 2, sizeof(struct pulse_edit_node *));
        if (grown == NULL) {
            return lh_error_no_memory(error);
        }
        memcpy(grown, list->items, list->count * sizeof *grown);
        list->items = grown;
        list->capacity *= 2;
    }
    memmove(list->items + place->index + 1, list->items + place->index,
            (list->count - place->index) * sizeof *list->items);
    list->items[place->index] = node;
    list->count++;
    node->name = list->value->kind == LH_JSON_OBJECT ? place->token : NULL;
    return LH_OK;
}

enum lh_status pulse_edit_tree_remove(struct pulse_edit_tree *tree, const struct pulse_edit_place *place,
                                      struct pulse_edit_node **node, struct lh_error *error)
{
    struct pulse_edit_node *list = place->parent;
    enum lh_status status = spend(tree, list->count - place->index, error);
    if (status != LH_OK) {
        return status;
    }
    *node = list->items[place->index];
    list->count--;
    memmove(list->items + place->index, list->items + place->index + 1,
            (list->count - place->index) * sizeof *list->items);
    return LH_OK;
}

void pulse_edit_tree_replace(struct pulse_edit_tree *tree, const struct pulse_edit_place *place,
                             struct pulse_edit_node *node)
{
    if (place->parent == NULL) {
        tree->root = node;
        return;
    }
    node->name = place->parent->items[place->index]->name;
    place->parent->items[place->index] = node;
}

enum lh_status pulse_edit_node_freeze(struct pulse_edit_tree *tree, const struct pulse_edit_node *node,
                                      const struct lh_json **value, struct lh_error *error)
{
    if (!node->open) {
        *value = node->value;
        return LH_OK;
    }
    enum lh_status status = spend(tree, node->count, error);
    if (status != LH_OK) {
        return status;
    }
    struct lh_json *made = lh_arena_alloc(tree->arena, sizeof *made);
    struct lh_json **items = lh_arena_array(tree->arena, node->count, sizeof *items);
    if (made == NULL || items == NULL) {
        return lh_error_no_memory(error);
    }
    made->kind = node->value->kind;
    made->value.list.items = items;
    made->value.list.count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        const struct lh_json *item = NULL;
        status = pulse_edit_node_freeze(tree, node->items[i], &item, error);
        if (status != LH_OK) {
            return status;
        }
        items[i] = lh_arena_alloc(tree->arena, sizeof *items[i]);
        if (items[i] == NULL) {
            return lh_error_no_memory(error);
        }
        *items[i] = *item; /* its name and place are its own, its items are shared */
        items[i]->parent = made;
        items[i]->name = node->items[i]->name;
        items[i]->index = i;
    }
    *value = made;
    return LH_OK;
}
