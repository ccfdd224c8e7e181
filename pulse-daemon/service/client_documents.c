/* SPDX-License-Identifier: MIT */
/* Documents that clients bring: checked, made canonical, and with all that they refer to, so that no upload which a
   revision needs is forgotten. */
#include "pulse-daemon/service/client_documents.h"

#include <stdio.h>
#include <string.h>

#include "pulse-daemon/project/load.h"
#include "pulse-daemon/store/media.h"

#define NAMED_ROOM 16

void pulse_question_refuse_faults(struct pulse_question *question, const struct lh_faults *faults)
{
    struct lh_arena *arena = &question->arena;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Error error = WIRE__ERROR__INIT;
    Wire__ErrorDetail *details = lh_arena_array(arena, faults->stored, sizeof *details);
    Wire__ErrorDetail **items = lh_arena_array(arena, faults->stored, sizeof *items);
    error.code = WIRE__ERROR_CODE__ERROR_INVALID;
    error.message = wire_text("the document breaks the project format");
    for (size_t i = 0; details != NULL && items != NULL && i < faults->stored; i++) {
        wire__error_detail__init(&details[i]);
        details[i].message = wire_text(faults->items[i].message);
        details[i].where = wire_text(faults->items[i].where);
        items[i] = &details[i];
        error.n_details = i + 1;
    }
    error.details = items;
    WIRE_BODY(&envelope, ERROR, error, &error);
    pulse_question_answer(question, &envelope);
}

static bool keep_text(struct lh_arena *arena, const struct pulse_project *project, struct pulse_document *document)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    bool good = pulse_project_write(project, &writer) == LH_OK;
    document->name = lh_arena_strdup(arena, project->name != NULL ? project->name : "");
    document->text = good ? lh_arena_strndup(arena, (const char *)writer.data, writer.size) : NULL;
    document->size = writer.size;
    lh_writer_fini(&writer);
    return document->name != NULL && document->text != NULL;
}

/* ---- what a revision refers to ---- */

/* Every place of the document that says which bytes it means, not which file. */
struct named {
    struct pulse_manifest_file *items;
    size_t count, most;
    struct lh_arena *arena;
    bool no_memory;
};

static void name(struct named *named, const char *pointer, const struct lh_digest *digest)
{
    if (named->count == named->most) {
        size_t most = named->most == 0 ? NAMED_ROOM : 2 * named->most;
        struct pulse_manifest_file *items = lh_arena_array(named->arena, most, sizeof *items);
        if (items != NULL && named->count > 0) {
            memcpy(items, named->items, named->count * sizeof *items);
        }
        named->no_memory |= items == NULL;
        named->items = items != NULL ? items : named->items;
        named->most = items != NULL ? most : named->most;
    }
    const char *path = lh_arena_strdup(named->arena, pointer);
    named->no_memory |= path == NULL;
    if (!named->no_memory) {
        named->items[named->count++] = (struct pulse_manifest_file){.path = path, .digest = *digest};
    }
}

static void name_states(struct named *named, const struct pulse_node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].state != NULL && nodes[i].state_file == NULL) {
            char pointer[LH_ERROR_WHERE_SIZE];
            lh_json_pointer(nodes[i].state, pointer, sizeof pointer);
            name(named, pointer, &nodes[i].state_digest);
        }
        name_states(named, nodes[i].stand_ins, nodes[i].stand_in_count); /* which have none */
    }
}

static void name_all(struct named *named, const struct pulse_project *project)
{
    for (size_t i = 0; i < project->media_count; i++) {
        if (project->media[i].has_digest) {
            char pointer[sizeof "/media/" + PULSE_ID_MAX];
            snprintf(pointer, sizeof pointer, "/media/%s", project->media[i].id);
            name(named, pointer, &project->media[i].digest);
        }
    }
    for (size_t i = 0; i < project->track_count; i++) {
        name_states(named, project->tracks[i].nodes, project->tracks[i].node_count);
    }
}

struct sizing {
    struct pulse_manifest_file *files;
    bool *there;
};

static enum lh_status take_size(void *context, size_t index, const struct pulse_media_row *row)
{
    struct sizing *sizing = context;
    sizing->files[index].size = row->size;
    sizing->there[index] = true;
    return LH_OK;
}

/* The document does not say how large they are: the uploads do. */
static enum lh_status find_sizes(struct pulse_store *store, uint64_t tenant, struct named *named,
                                 struct lh_error *error)
{
    struct lh_digest *digests = lh_arena_array(named->arena, named->count, sizeof *digests);
    struct sizing sizing = {named->items, lh_arena_array(named->arena, named->count, sizeof(bool))};
    if (digests == NULL || sizing.there == NULL || named->no_memory) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < named->count; i++) {
        digests[i] = named->items[i].digest;
    }
    enum lh_status status =
        named->count > 0 ? pulse_store_media(store, tenant, digests, named->count, take_size, &sizing, error) : LH_OK;
    for (size_t i = 0; status == LH_OK && i < named->count; i++) {
        if (!sizing.there[i]) {
            char text[LH_DIGEST_TEXT_SIZE];
            lh_digest_text(&digests[i], text);
            status = lh_error_set(error, LH_ERR_INVALID, named->items[i].path, "%s has not been uploaded", text);
        }
    }
    return status;
}

/* The client's files, and behind them what the document names by its bytes. */
static enum lh_status list_files(struct pulse_question *question, struct pulse_store *store,
                                 const struct pulse_project *project, Wire__ManifestEntry *const *manifest,
                                 size_t count, struct pulse_document *document, struct lh_error *error)
{
    struct named named = {.arena = &question->arena};
    name_all(&named, project);
    enum lh_status status = find_sizes(store, question->caller.tenant, &named, error);
    if (status != LH_OK) {
        return status;
    }
    struct pulse_manifest_file *files = lh_arena_array(&question->arena, count + named.count, sizeof *files);
    if (files == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        files[i].path = manifest[i]->path;
        files[i].size = manifest[i]->size;
        memcpy(files[i].digest.bytes, manifest[i]->digest.data, sizeof files[i].digest.bytes);
        if (pulse_manifest_names_bytes(&files[i])) {
            return lh_error_set(error, LH_ERR_INVALID, files[i].path,
                                "a file's path is relative to the project's folder");
        }
    }
    if (named.count > 0) {
        memcpy(files + count, named.items, named.count * sizeof *files);
    }
    document->files = files;
    document->file_count = count + named.count;
    return LH_OK;
}

bool pulse_document_keep(struct pulse_question *question, const struct pulse_project *project,
                         Wire__ManifestEntry *const *manifest, size_t count, struct pulse_document *document)
{
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    if (store == NULL) {
        return false;
    }
    enum lh_status status = list_files(question, store, project, manifest, count, document, &error);
    if (status == LH_OK && !keep_text(&question->arena, project, document)) {
        status = lh_error_no_memory(&error);
    }
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
    }
    return status == LH_OK;
}

/* ---- a document as it comes ---- */

bool pulse_document_read(struct pulse_question *question, const ProtobufCBinaryData *text,
                         Wire__ManifestEntry *const *manifest, size_t count, struct pulse_document *document)
{
    struct lh_faults faults;
    struct pulse_project *project = NULL;
    struct lh_error error = LH_ERROR_INIT;
    lh_faults_init(&faults, &question->arena);
    enum lh_status status = pulse_project_parse((const char *)text->data, text->len, NULL, NULL, 0, &faults, &project);
    if (status == LH_ERR_NO_MEMORY || faults.out_of_memory) {
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
    } else if (status != LH_OK) {
        pulse_question_refuse_faults(question, &faults);
    } else {
        bool kept = pulse_document_keep(question, project, manifest, count, document);
        pulse_project_free(project);
        return kept;
    }
    return false;
}

bool pulse_document_digest(const struct pulse_document *document, struct lh_digest *digest)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_bytes(&writer, document->text, document->size);
    for (size_t i = 0; i < document->file_count; i++) {
        lh_writer_text(&writer, document->files[i].path);
        lh_writer_bytes(&writer, document->files[i].digest.bytes, sizeof document->files[i].digest.bytes);
    }
    bool good = lh_writer_status(&writer) == LH_OK && lh_digest_bytes(writer.data, writer.size, digest) == LH_OK;
    lh_writer_fini(&writer);
    return good;
}
