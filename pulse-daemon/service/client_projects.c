/* SPDX-License-Identifier: MIT */
/* Questions about projects: new ones, and reading what there is. Revisions of one that is there: client_edits.c. */
#include <string.h>

#include "pulse-daemon/service/client_documents.h"

#define PAGE 100u

void pulse_revision_answer(struct pulse_question *question, uint64_t project, uint64_t number,
                           const struct pulse_document *document)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Revision revision = WIRE__REVISION__INIT;
    struct lh_digest digest = {0};
    if (lh_digest_bytes(document->text, document->size, &digest) != LH_OK) {
        struct lh_error error = LH_ERROR_INIT;
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
        return;
    }
    revision.project = project;
    revision.revision = (uint32_t)number;
    revision.digest = wire_bytes(digest.bytes, sizeof digest.bytes);
    revision.name = wire_text(document->name);
    WIRE_BODY(&envelope, REVISION, revision, &revision);
    pulse_question_answer(question, &envelope);
}

/* ---- a new one ---- */

struct creation {
    struct pulse_document document;
    struct lh_digest key, content;
    bool keyed;
    uint64_t project;
};

static enum lh_status write_project(struct pulse_task *task, const struct pulse_writing *writing,
                                    struct lh_error *error)
{
    struct creation *creation = task->payload;
    const struct pulse_question *question = task->owner;
    struct pulse_revision_row row = {
        .tenant = question->caller.tenant,
        .author = "",
        .message = "",
        .document = creation->document.text,
        .document_size = creation->document.size,
        .files = creation->document.files,
        .file_count = creation->document.file_count,
    };
    return pulse_store_project_new(writing->store, row.tenant, creation->document.name, &row, &creation->project,
                                   error);
}

static void created(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct pulse_clients *clients = question->clients;
    struct creation creation = *(const struct creation *)task->payload;
    if (pulse_question_failed(question, task)) {
        return;
    }
    pulse_task_free(task);
    if (creation.keyed) {
        clients->made[clients->made_next++ % PULSE_MADE_KEPT] = (struct pulse_made){
            .tenant = question->caller.tenant,
            .project = creation.project,
            .key = creation.key,
            .content = creation.content,
        };
    }
    pulse_revision_answer(question, creation.project, 1, &creation.document);
}

static const struct pulse_made *find_made(const struct pulse_clients *clients, uint64_t tenant,
                                          const struct lh_digest *key)
{
    for (size_t i = 0; i < PULSE_MADE_KEPT; i++) {
        const struct pulse_made *made = &clients->made[i];
        if (made->project != 0 && made->tenant == tenant && lh_digest_equal(&made->key, key)) {
            return made;
        }
    }
    return NULL;
}

void pulse_ask_project_create(struct pulse_question *question)
{
    const Wire__ProjectCreate *asked = question->envelope->project_create;
    struct creation creation = {.keyed = asked->idempotency_key != NULL};
    if (!pulse_document_read(question, &asked->document, asked->manifest, asked->n_manifest, &creation.document)) {
        return;
    }
    struct lh_error error = LH_ERROR_INIT;
    if (!pulse_document_digest(&creation.document, &creation.content) ||
        (creation.keyed &&
         lh_digest_bytes(asked->idempotency_key, strlen(asked->idempotency_key), &creation.key) != LH_OK)) {
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
        return;
    }
    const struct pulse_made *made =
        creation.keyed ? find_made(question->clients, question->caller.tenant, &creation.key) : NULL;
    if (made != NULL && !lh_digest_equal(&made->content, &creation.content)) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_KEY_REUSED,
                              "this idempotency key was used for another project", "idempotency_key");
        return;
    }
    if (made != NULL) {
        pulse_revision_answer(question, made->project, 1, &creation.document);
        return;
    }
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_WRITE, created);
    struct creation *payload = task != NULL ? pulse_question_payload(question, task, sizeof *payload) : NULL;
    if (payload != NULL) {
        *payload = creation;
        task->write = write_project;
        pulse_question_ask(question, task);
    }
}

/* ---- reading ---- */

/* The files: what the document names by its bytes, it says itself. */
static Wire__ManifestEntry **manifest_of(struct lh_arena *arena, const struct pulse_revision_row *row, size_t *count)
{
    Wire__ManifestEntry *entries = lh_arena_array(arena, row->file_count, sizeof *entries);
    Wire__ManifestEntry **items = lh_arena_array(arena, row->file_count, sizeof *items);
    *count = 0;
    for (size_t i = 0; entries != NULL && items != NULL && i < row->file_count; i++) {
        if (pulse_manifest_names_bytes(&row->files[i])) {
            continue;
        }
        wire__manifest_entry__init(&entries[i]);
        entries[i].path = wire_text(row->files[i].path);
        entries[i].digest = wire_bytes(row->files[i].digest.bytes, sizeof row->files[i].digest.bytes);
        entries[i].size = row->files[i].size;
        items[(*count)++] = &entries[i];
    }
    return entries != NULL ? items : NULL;
}

void pulse_ask_project_read(struct pulse_question *question)
{
    const Wire__ProjectRead *asked = question->envelope->project_read;
    struct pulse_store *store = pulse_question_store(question);
    struct pulse_project_row project;
    struct pulse_revision_row row = {0};
    struct lh_error error = LH_ERROR_INIT;
    uint64_t tenant = question->caller.tenant;
    if (store == NULL) {
        return;
    }
    enum lh_status status = pulse_store_project(store, tenant, asked->project, &question->arena, &project, &error);
    status = status == LH_OK ? pulse_store_revision(store, tenant, asked->project,
                                                    asked->has_revision ? asked->revision : project.head,
                                                    &question->arena, &row, &error)
                             : status;
    size_t count = 0;
    Wire__ManifestEntry **manifest = status == LH_OK ? manifest_of(&question->arena, &row, &count) : NULL;
    struct lh_digest digest = {0};
    if (status == LH_OK && (manifest == NULL || lh_digest_bytes(row.document, row.document_size, &digest) != LH_OK)) {
        status = lh_error_no_memory(&error);
    }
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Project answer = WIRE__PROJECT__INIT;
    Wire__Revision revision = WIRE__REVISION__INIT;
    revision.project = asked->project;
    revision.revision = (uint32_t)row.number;
    revision.digest = wire_bytes(digest.bytes, sizeof digest.bytes);
    revision.name = wire_text(project.name);
    revision.label = wire_text(row.message);
    revision.has_created_ms = true;
    revision.created_ms = (uint64_t)row.created_ms;
    revision.has_can_undo = true;
    revision.can_undo = row.number == project.head && row.parent != 0;
    revision.has_can_redo = true;
    revision.can_redo = row.number == project.head && project.head != project.tip;
    answer.revision = &revision;
    answer.document = wire_bytes(row.document, row.document_size);
    answer.manifest = manifest;
    answer.n_manifest = count;
    WIRE_BODY(&envelope, PROJECT, project, &answer);
    pulse_question_answer(question, &envelope);
}

struct project_list {
    struct lh_arena *arena;
    Wire__Revision **items;
    struct lh_digest none; /* a list does not read documents */
    size_t count;
    uint64_t last;
};

static enum lh_status take_project(void *context, const struct pulse_project_row *row)
{
    struct project_list *list = context;
    Wire__Revision *revision = lh_arena_alloc(list->arena, sizeof *revision);
    const char *name = lh_arena_strdup(list->arena, row->name);
    if (revision == NULL || name == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    wire__revision__init(revision);
    revision->project = row->id;
    revision->revision = (uint32_t)row->head;
    revision->digest = wire_bytes(list->none.bytes, sizeof list->none.bytes);
    revision->name = wire_text(name);
    revision->has_created_ms = true;
    revision->created_ms = (uint64_t)row->changed_ms;
    revision->has_can_redo = true;
    revision->can_redo = row->head != row->tip;
    list->items[list->count++] = revision;
    list->last = row->id;
    return LH_OK;
}

void pulse_ask_project_list(struct pulse_question *question)
{
    const Wire__ProjectList *asked = question->envelope->project_list;
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    size_t limit = asked->has_count ? asked->count : PAGE;
    struct project_list list = {.arena = &question->arena};
    if (store == NULL) {
        return;
    }
    list.items = lh_arena_array(&question->arena, limit, sizeof *list.items);
    enum lh_status status =
        list.items == NULL
            ? lh_error_no_memory(&error)
            : pulse_store_projects(store, question->caller.tenant, pulse_cursor_read(asked->has_cursor, &asked->cursor),
                                   limit, take_project, &list, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Projects projects = WIRE__PROJECTS__INIT;
    projects.projects = list.items;
    projects.n_projects = list.count;
    projects.has_cursor = list.last > 1;
    projects.cursor = pulse_cursor_write(&question->arena, list.last);
    WIRE_BODY(&envelope, PROJECTS, projects, &projects);
    pulse_question_answer(question, &envelope);
}
