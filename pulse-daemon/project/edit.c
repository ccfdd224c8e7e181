/* SPDX-License-Identifier: MIT */
/* Edits: read, made on a document, and what takes them back. */
#include "pulse-daemon/project/edit.h"

#include <stdio.h>
#include <string.h>

#include "pulse-daemon/project/edit_tree.h"
#include "pulse-daemon/project/report.h"

#define WHERE_SIZE 48

static const char *const kind_names[] = {"set", "insert", "remove", "move"};
#define KIND_COUNT (sizeof kind_names / sizeof *kind_names)

/* ---- Reading and writing --------------------------------------------------------------------------------------------
 */

/* Which members an edit of each kind has to have, and which it may have. */
struct form {
    bool from, value, before;
};
static const struct form forms[] = {
    [PULSE_EDIT_SET] = {.value = true, .before = true},
    [PULSE_EDIT_INSERT] = {.value = true, .before = true},
    [PULSE_EDIT_REMOVE] = {0},
    [PULSE_EDIT_MOVE] = {.from = true, .before = true},
};

/* A member that has to be a text; NULL when it is missing (a fault when `needed`) or something else. */
static const char *read_text(struct pulse_report *report, const struct lh_json *item, const char *name, bool needed)
{
    const struct lh_json *member = lh_json_member(item, name);
    if (member == NULL && needed) {
        pulse_report_at(report, item, "an edit has to have \"%s\"", name);
    }
    if (member != NULL && member->kind != LH_JSON_STRING) {
        pulse_report_at(report, member, "\"%s\" has to be a text, not %s", name, lh_json_kind_text(member->kind));
        return NULL;
    }
    return member != NULL ? member->value.string.text : NULL;
}

static bool read_kind(struct pulse_report *report, const struct lh_json *item, enum pulse_edit_kind *kind)
{
    const char *text = read_text(report, item, "op", true);
    for (size_t i = 0; i < KIND_COUNT && text != NULL; i++) {
        if (strcmp(text, kind_names[i]) == 0) {
            *kind = (enum pulse_edit_kind)i;
            return true;
        }
    }
    if (text != NULL) {
        pulse_report_at(report, lh_json_member(item, "op"),
                        "there is no edit %s; there are set, insert, remove and move%s",
                        pulse_report_quote(report, text), pulse_report_suggest(report, text, kind_names, KIND_COUNT));
    }
    return false;
}

/* Members that this kind of edit does not have. */
static void check_members(struct pulse_report *report, const struct lh_json *item, const struct form *form)
{
    const char *known[6] = {"op", "at"};
    size_t count = 2;
    if (form->from) {
        known[count++] = "from";
    }
    if (form->value) {
        known[count++] = "value";
    }
    if (form->before) {
        known[count++] = "before";
    }
    for (size_t i = 0; i < item->value.list.count; i++) {
        const struct lh_json *member = item->value.list.items[i];
        bool found = false;
        for (size_t k = 0; k < count; k++) {
            found = found || strcmp(member->name, known[k]) == 0;
        }
        if (!found) {
            pulse_report_at(report, member, "this edit has no member %s%s", pulse_report_quote(report, member->name),
                            pulse_report_suggest(report, member->name, known, count));
        }
    }
}

static void read_edit(struct pulse_report *report, const struct lh_json *item, struct pulse_edit *edit)
{
    if (item->kind != LH_JSON_OBJECT) {
        pulse_report_at(report, item, "an edit is an object, not %s", lh_json_kind_text(item->kind));
        return;
    }
    edit->at = read_text(report, item, "at", true);
    if (!read_kind(report, item, &edit->kind)) {
        return;
    }
    const struct form *form = &forms[edit->kind];
    check_members(report, item, form);
    edit->from = form->from ? read_text(report, item, "from", true) : NULL;
    edit->before = form->before ? read_text(report, item, "before", false) : NULL;
    edit->value = form->value ? lh_json_member(item, "value") : NULL;
    if (form->value && edit->value == NULL) {
        pulse_report_at(report, item, "an edit that sets or inserts has to have \"value\"");
    }
}

enum lh_status pulse_edits_read(struct lh_arena *arena, const struct lh_json *list, struct lh_faults *faults,
                                const struct pulse_edit **edits, size_t *count)
{
    struct pulse_report report;
    struct pulse_edit *made = NULL;
    size_t found = 0;
    pulse_report_init(&report, arena);
    if (list->kind != LH_JSON_ARRAY) {
        pulse_report_at(&report, list, "edits are an array, not %s", lh_json_kind_text(list->kind));
    } else if (list->value.list.count > PULSE_EDITS_MAX) {
        pulse_report_at(&report, list, "there are %zu edits; at most %d are made at once", list->value.list.count,
                        PULSE_EDITS_MAX);
    } else {
        found = list->value.list.count;
        made = lh_arena_array(arena, found, sizeof *made);
        if (made == NULL) {
            return LH_ERR_NO_MEMORY;
        }
    }
    for (size_t i = 0; i < found; i++) {
        read_edit(&report, list->value.list.items[i], &made[i]);
    }
    enum lh_status status = pulse_report_deliver(&report, faults);
    if (status == LH_OK) {
        *edits = made;
        *count = found;
    }
    return status;
}

static void emit_text(struct lh_json_emitter *emitter, const char *name, const char *text)
{
    if (text != NULL) {
        lh_json_emit_name(emitter, name);
        lh_json_emit_text(emitter, text);
    }
}

void pulse_edits_write(const struct pulse_edit *edits, size_t count, struct lh_json_emitter *emitter)
{
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < count; i++) {
        lh_json_emit_object(emitter);
        emit_text(emitter, "op", kind_names[edits[i].kind]);
        emit_text(emitter, "from", edits[i].from);
        emit_text(emitter, "at", edits[i].at);
        if (edits[i].value != NULL) {
            lh_json_emit_name(emitter, "value");
            lh_json_emit_value(emitter, edits[i].value);
        }
        emit_text(emitter, "before", edits[i].before);
        lh_json_emit_object_end(emitter);
    }
    lh_json_emit_array_end(emitter);
}

/* ---- Making one edit ------------------------------------------------------------------------------------------------
 */

/* A new member stands before that of the name `before`, or last. */
static enum lh_status place_member(struct pulse_edit_place *place, const char *before, struct lh_error *error)
{
    bool new_member = !place->there && place->parent != NULL && place->parent->value->kind == LH_JSON_OBJECT;
    for (size_t i = 0; i < place->parent->count && new_member && before != NULL; i++) {
        if (strcmp(place->parent->items[i]->name, before) == 0) {
            place->index = i;
            return LH_OK;
        }
    }
    if (before == NULL) {
        return LH_OK;
    }
    return lh_error_set(error, LH_ERR_USAGE, NULL,
                        new_member ? "there is no member \"%.64s\" to stand before"
                                   : "only a new member can be told what to stand before (\"%.64s\")",
                        before);
}

/* The name of the member after this place; NULL for elements and for the last. */
static const char *next_name(const struct pulse_edit_place *place)
{
    bool follows = place->parent->value->kind == LH_JSON_OBJECT && place->index + 1 < place->parent->count;
    return follows ? place->parent->items[place->index + 1]->name : NULL;
}

static enum lh_status insert(struct pulse_edit_tree *tree, struct pulse_edit_place *place, const char *before,
                             struct pulse_edit_node *node, struct lh_error *error)
{
    if (place->parent == NULL || (place->there && place->parent->value->kind == LH_JSON_OBJECT)) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "something is there already; set it or remove it first");
    }
    enum lh_status status = place_member(place, before, error);
    return status == LH_OK ? pulse_edit_tree_insert(tree, place, node, error) : status;
}

static enum lh_status make_set(struct pulse_edit_tree *tree, const struct pulse_edit *edit,
                               struct pulse_edit_place *place, struct pulse_edit *inverse, struct lh_error *error)
{
    struct pulse_edit_node *node = pulse_edit_node_new(tree, edit->value);
    if (node == NULL) {
        return lh_error_no_memory(error);
    }
    if (!place->there) {
        *inverse = (struct pulse_edit){.kind = PULSE_EDIT_REMOVE, .at = place->pointer};
        return insert(tree, place, edit->before, node, error);
    }
    if (edit->before != NULL) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "what is there already keeps its place: leave out \"before\"");
    }
    *inverse = (struct pulse_edit){.kind = PULSE_EDIT_SET, .at = place->pointer};
    enum lh_status status = pulse_edit_node_freeze(tree, pulse_edit_tree_at(tree, place), &inverse->value, error);
    if (status == LH_OK) {
        pulse_edit_tree_replace(tree, place, node);
    }
    return status;
}

static enum lh_status make_remove(struct pulse_edit_tree *tree, struct pulse_edit_place *place,
                                  struct pulse_edit_node **node, struct pulse_edit *inverse, struct lh_error *error)
{
    if (!place->there || place->parent == NULL) {
        return lh_error_set(error, LH_ERR_USAGE, NULL,
                            place->there ? "the whole document cannot be taken out; set it" : "nothing is there");
    }
    *inverse = (struct pulse_edit){.kind = PULSE_EDIT_INSERT, .at = place->pointer, .before = next_name(place)};
    return pulse_edit_tree_remove(tree, place, node, error);
}

static enum lh_status make_move(struct pulse_edit_tree *tree, const struct pulse_edit *edit, struct pulse_edit *inverse,
                                const char **wrong, struct lh_error *error)
{
    struct pulse_edit_place from, to;
    struct pulse_edit_node *node = NULL;
    *wrong = "from";
    enum lh_status status = pulse_edit_tree_find(tree, edit->from, &from, error);
    status = status == LH_OK ? make_remove(tree, &from, &node, inverse, error) : status;
    if (status != LH_OK) {
        return status;
    }
    *wrong = "at";
    status = pulse_edit_tree_find(tree, edit->at, &to, error);
    status = status == LH_OK ? insert(tree, &to, edit->before, node, error) : status;
    if (status != LH_OK) {
        /* Back, so that the edits after it are judged by what they would have met. */
        enum lh_status back = pulse_edit_tree_insert(tree, &from, node, NULL);
        return back == LH_OK ? status : back;
    }
    *inverse = (struct pulse_edit){.kind = PULSE_EDIT_MOVE,
                                   .at = inverse->at,
                                   .before = inverse->before,
                                   .from = status == LH_OK ? to.pointer : ""};
    return status;
}

/* *wrong: the member of the edit that is to blame. */
static enum lh_status make(struct pulse_edit_tree *tree, const struct pulse_edit *edit, struct pulse_edit *inverse,
                           const char **wrong, struct lh_error *error)
{
    *wrong = "at";
    if (edit->kind == PULSE_EDIT_MOVE) {
        return make_move(tree, edit, inverse, wrong, error);
    }
    struct pulse_edit_place place;
    enum lh_status status = pulse_edit_tree_find(tree, edit->at, &place, error);
    if (status != LH_OK) {
        return status;
    }
    if (edit->kind == PULSE_EDIT_SET) {
        return make_set(tree, edit, &place, inverse, error);
    }
    struct pulse_edit_node *node = NULL;
    if (edit->kind == PULSE_EDIT_REMOVE) {
        status = make_remove(tree, &place, &node, inverse, error);
        return status == LH_OK ? pulse_edit_node_freeze(tree, node, &inverse->value, error) : status;
    }
    node = pulse_edit_node_new(tree, edit->value);
    *inverse = (struct pulse_edit){.kind = PULSE_EDIT_REMOVE, .at = place.pointer};
    return node != NULL ? insert(tree, &place, edit->before, node, error) : lh_error_no_memory(error);
}

/* ---- The transaction ------------------------------------------------------------------------------------------------
 */

/* Makes all of them; one that cannot be made is told and passed over, so that every fault is told at once. `inverse`
   gets what takes them back, the last first. */
static enum lh_status make_all(struct pulse_edit_tree *tree, const struct pulse_edit *edits, size_t count,
                               struct pulse_edit *inverse, struct lh_faults *faults)
{
    enum lh_status worst = LH_OK;
    for (size_t i = 0; i < count; i++) {
        struct lh_error error = LH_ERROR_INIT;
        const char *wrong = NULL;
        enum lh_status status = make(tree, &edits[i], &inverse[count - 1 - i], &wrong, &error);
        if (status == LH_ERR_NO_MEMORY) {
            return status;
        }
        if (status != LH_OK) {
            char where[WHERE_SIZE];
            snprintf(where, sizeof where, "/edits/%zu/%s", i, wrong);
            lh_faults_add(faults, status, where, "%s", error.message);
            worst = status == LH_ERR_LIMIT || worst == LH_OK ? status : worst;
        }
        if (status == LH_ERR_LIMIT) {
            break;
        }
    }
    return faults->out_of_memory ? LH_ERR_NO_MEMORY : worst;
}

/* The edits as values of the project's own, so that they live as long. */
static enum lh_status keep(struct pulse_project *project, const struct pulse_edit *edits, size_t count,
                           struct pulse_edited *edited)
{
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, true);
    pulse_edits_write(edits, count, &emitter);
    const struct lh_json *list = NULL;
    struct lh_faults none;
    lh_faults_init(&none, &project->arena);
    enum lh_status status = lh_writer_status(&writer);
    if (status == LH_OK) {
        status = lh_json_parse(&project->arena, (const char *)writer.data, writer.size, &list, NULL);
    }
    lh_writer_fini(&writer);
    if (status == LH_OK) {
        status = pulse_edits_read(&project->arena, list, &none, &edited->inverse, &edited->inverse_count);
    }
    return status;
}

/* The tree's text through the loader, like any other document's. */
static enum lh_status reload(struct pulse_edit_tree *tree, const char *folder, struct lh_faults *faults,
                             struct pulse_project **project)
{
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    const struct lh_json *root = NULL;
    enum lh_status status = pulse_edit_node_freeze(tree, tree->root, &root, NULL);
    if (status != LH_OK) {
        return status;
    }
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, true);
    lh_json_emit_value(&emitter, root);
    status = lh_writer_status(&writer);
    if (status == LH_OK) {
        status = pulse_project_parse((const char *)writer.data, writer.size, folder, NULL, 0, faults, project);
    }
    lh_writer_fini(&writer);
    return status;
}

enum lh_status pulse_project_edit(const struct pulse_project *project, const struct pulse_edit *edits, size_t count,
                                  struct lh_faults *faults, struct pulse_edited *edited)
{
    if (count > PULSE_EDITS_MAX) {
        lh_faults_add(faults, LH_ERR_LIMIT, "/edits", "there are %zu edits; at most %d are made at once", count,
                      PULSE_EDITS_MAX);
        return faults->out_of_memory ? LH_ERR_NO_MEMORY : LH_ERR_LIMIT;
    }
    struct lh_arena arena;
    struct pulse_edit_tree tree;
    struct pulse_edited made = {0};
    lh_arena_init(&arena);
    struct pulse_edit *inverse = lh_arena_array(&arena, count, sizeof *inverse);
    enum lh_status status =
        inverse != NULL ? pulse_edit_tree_init(&tree, &arena, project->json, NULL) : LH_ERR_NO_MEMORY;
    status = status == LH_OK ? make_all(&tree, edits, count, inverse, faults) : status;
    status = status == LH_OK ? reload(&tree, project->folder, faults, &made.project) : status;
    status = status == LH_OK ? keep(made.project, inverse, count, &made) : status;
    lh_arena_fini(&arena);
    if (status != LH_OK) {
        pulse_project_free(made.project);
        return status;
    }
    *edited = made;
    return LH_OK;
}
