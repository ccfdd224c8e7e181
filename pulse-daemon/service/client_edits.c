/* SPDX-License-Identifier: MIT */
/* Questions that make a new revision of a project, or go back and forth among those that there are. */
#include <string.h>

#include "pulse-daemon/project/edit.h"
#include "pulse-daemon/project/history.h"
#include "pulse-daemon/service/client_documents.h"

/* ---- adding one ---- */

struct addition {
    struct pulse_document document;
    uint64_t project, base, number;
    const char *message;
};

static enum lh_status write_revision(struct pulse_task *task, const struct pulse_writing *writing,
                                     struct lh_error *error)
{
    struct addition *addition = task->payload;
    const struct pulse_question *question = task->owner;
    struct pulse_revision_row row = {
        .tenant = question->caller.tenant,
        .project = addition->project,
        .parent = addition->base,
        .author = "",
        .message = addition->message,
        .document = addition->document.text,
        .document_size = addition->document.size,
        .files = addition->document.files,
        .file_count = addition->document.file_count,
    };
    return pulse_store_revision_add(writing->store, &row, &addition->number, error);
}

static void added(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct addition addition = *(const struct addition *)task->payload;
    if (!pulse_question_failed(question, task)) {
        pulse_task_free(task);
        pulse_revision_answer(question, addition.project, addition.number, &addition.document);
    }
}

static void add_revision(struct pulse_question *question, const struct addition *addition)
{
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_WRITE, added);
    struct addition *payload = task != NULL ? pulse_question_payload(question, task, sizeof *payload) : NULL;
    if (payload != NULL) {
        *payload = *addition;
        task->write = write_revision;
        pulse_question_ask(question, task);
    }
}

void pulse_ask_revision_put(struct pulse_question *question)
{
    const Wire__RevisionPut *asked = question->envelope->revision_put;
    struct addition addition = {.project = asked->project, .base = asked->base_revision, .message = ""};
    if (pulse_document_read(question, &asked->document, asked->manifest, asked->n_manifest, &addition.document)) {
        add_revision(question, &addition);
    }
}

/* ---- edits ---- */

/* The files of the base with those that the edit brings: a path that both have is the newer's. What the base names by
   its bytes is left to the new document. NULL: no memory. */
static Wire__ManifestEntry **merge(struct lh_arena *arena, const struct pulse_revision_row *base,
                                   const Wire__ProjectEdit *asked, size_t *count)
{
    size_t most = base->file_count + asked->n_manifest;
    Wire__ManifestEntry *entries = lh_arena_array(arena, base->file_count, sizeof *entries);
    Wire__ManifestEntry **items = lh_arena_array(arena, most, sizeof *items);
    *count = 0;
    if (entries == NULL || items == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < asked->n_manifest; i++) {
        items[(*count)++] = asked->manifest[i];
    }
    for (size_t i = 0; i < base->file_count; i++) {
        if (pulse_manifest_names_bytes(&base->files[i])) {
            continue;
        }
        size_t k = 0;
        while (k < asked->n_manifest && strcmp(asked->manifest[k]->path, base->files[i].path) != 0) {
            k++;
        }
        if (k == asked->n_manifest) {
            wire__manifest_entry__init(&entries[i]);
            entries[i].path = wire_text(base->files[i].path);
            entries[i].digest = wire_bytes(base->files[i].digest.bytes, sizeof base->files[i].digest.bytes);
            entries[i].size = base->files[i].size;
            items[(*count)++] = &entries[i];
        }
    }
    return items;
}

static enum lh_status apply(struct pulse_question *question, const struct pulse_revision_row *base,
                            struct lh_faults *faults, struct pulse_edited *edited, struct lh_error *error)
{
    const Wire__ProjectEdit *asked = question->envelope->project_edit;
    const struct lh_json *list;
    const struct pulse_edit *edits;
    struct pulse_project *project = NULL;
    size_t count;
    enum lh_status status =
        lh_json_parse(&question->arena, (const char *)asked->operations.data, asked->operations.len, &list, error);
    status = status == LH_OK ? pulse_edits_read(&question->arena, list, faults, &edits, &count) : status;
    status = status == LH_OK ? pulse_project_parse(base->document, base->document_size, NULL, NULL, 0, faults, &project)
                             : status;
    status = status == LH_OK ? pulse_project_edit(project, edits, count, faults, edited) : status;
    pulse_project_free(project);
    return status;
}

void pulse_ask_project_edit(struct pulse_question *question)
{
    const Wire__ProjectEdit *asked = question->envelope->project_edit;
    struct pulse_store *store = pulse_question_store(question);
    struct lh_arena *arena = &question->arena;
    struct pulse_revision_row base;
    struct pulse_edited edited = {0};
    struct lh_faults faults;
    struct lh_error error = LH_ERROR_INIT;
    if (store == NULL) {
        return;
    }
    lh_faults_init(&faults, arena);
    enum lh_status status = pulse_store_revision(store, question->caller.tenant, asked->project, asked->base_revision,
                                                 arena, &base, &error);
    status = status == LH_OK ? apply(question, &base, &faults, &edited, &error) : status;
    if (status != LH_OK && faults.count > 0 && status != LH_ERR_NO_MEMORY) {
        pulse_question_refuse_faults(question, &faults);
        return;
    }
    size_t count = 0;
    Wire__ManifestEntry **manifest = status == LH_OK ? merge(arena, &base, asked, &count) : NULL;
    if (status != LH_OK || manifest == NULL) {
        pulse_project_free(edited.project);
        error.code = status != LH_OK ? status : LH_ERR_NO_MEMORY;
        pulse_question_fail(question, &error);
        return;
    }
    struct addition addition = {
        .project = asked->project,
        .base = asked->base_revision,
        .message = asked->label != NULL ? asked->label : "",
    };
    bool kept = pulse_document_keep(question, edited.project, manifest, count, &addition.document);
    pulse_project_free(edited.project);
    if (kept) {
        add_revision(question, &addition);
    }
}

/* ---- back and forth ---- */

struct move {
    uint64_t project, from, head, tip;
    struct pulse_document document;
};

static enum lh_status write_move(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    const struct move *move = task->payload;
    const struct pulse_question *question = task->owner;
    return pulse_store_project_move(writing->store, question->caller.tenant, move->project, move->from, move->head,
                                    move->tip, error);
}

static void moved(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct move move = *(const struct move *)task->payload;
    if (!pulse_question_failed(question, task)) {
        pulse_task_free(task);
        pulse_revision_answer(question, move.project, move.head, &move.document);
    }
}

static enum lh_status find_move(struct pulse_question *question, struct pulse_store *store, uint64_t base, bool forth,
                                struct move *move, struct lh_error *error)
{
    uint64_t tenant = question->caller.tenant;
    struct pulse_project_row project;
    struct pulse_revision_row revision;
    struct pulse_history history = {0};
    size_t count = 0;
    enum lh_status status = pulse_store_project(store, tenant, move->project, &question->arena, &project, error);
    status = status == LH_OK
                 ? pulse_store_parents(store, tenant, move->project, &question->arena, &history.parents, &count, error)
                 : status;
    if (status != LH_OK) {
        return status;
    }
    history.head = project.head;
    history.tip = project.tip;
    history.newest = count;
    if (project.head != base) {
        return lh_error_set(error, LH_ERR_CONFLICT, "base_revision", "the project is at revision %llu",
                            (unsigned long long)project.head);
    }
    if (!pulse_history_is_sound(&history)) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the revisions of project %llu contradict each other",
                            (unsigned long long)move->project);
    }
    move->from = project.head;
    move->tip = project.tip;
    move->head = forth ? pulse_history_redo(&history) : pulse_history_undo(&history);
    if (move->head == PULSE_REVISION_NONE) {
        return lh_error_set(error, LH_ERR_CONFLICT, NULL, "there is nothing to %s", forth ? "redo" : "undo");
    }
    status = pulse_store_revision(store, tenant, move->project, move->head, &question->arena, &revision, error);
    if (status == LH_OK) {
        move->document =
            (struct pulse_document){.name = project.name, .text = revision.document, .size = revision.document_size};
    }
    return status;
}

static void ask_move(struct pulse_question *question, uint64_t project, uint64_t base, bool forth)
{
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    struct move move = {.project = project};
    if (store == NULL) {
        return;
    }
    enum lh_status status = find_move(question, store, base, forth, &move, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_WRITE, moved);
    struct move *payload = task != NULL ? pulse_question_payload(question, task, sizeof *payload) : NULL;
    if (payload != NULL) {
        *payload = move;
        task->write = write_move;
        pulse_question_ask(question, task);
    }
}

void pulse_ask_project_undo(struct pulse_question *question)
{
    const Wire__ProjectUndo *asked = question->envelope->project_undo;
    ask_move(question, asked->project, asked->base_revision, false);
}

void pulse_ask_project_redo(struct pulse_question *question)
{
    const Wire__ProjectRedo *asked = question->envelope->project_redo;
    ask_move(question, asked->project, asked->base_revision, true);
}
