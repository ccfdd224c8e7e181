/* SPDX-License-Identifier: MIT */
/* A request to JSON and back. */
#include "pulse-daemon/service/request.h"

#include <string.h>

#include "common/json/json.h"

static void write_texts(struct lh_json_emitter *emitter, const char *name, const char *const *texts, size_t count)
{
    if (count == 0) {
        return;
    }
    lh_json_emit_name(emitter, name);
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < count; i++) {
        lh_json_emit_text(emitter, texts[i]);
    }
    lh_json_emit_array_end(emitter);
}

static void write_files(struct lh_json_emitter *emitter, const struct pulse_request *request)
{
    if (request->file_count == 0) {
        return;
    }
    lh_json_emit_name(emitter, "files");
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < request->file_count; i++) {
        char key[LH_DIGEST_TEXT_SIZE];
        lh_digest_text(&request->files[i].key, key);
        lh_json_emit_object(emitter);
        lh_json_emit_name(emitter, "name");
        lh_json_emit_text(emitter, request->files[i].name);
        lh_json_emit_name(emitter, "key");
        lh_json_emit_text(emitter, key);
        lh_json_emit_object_end(emitter);
    }
    lh_json_emit_array_end(emitter);
}

enum lh_status pulse_request_write(const struct pulse_request *request, struct lh_writer *writer)
{
    struct lh_json_emitter emitter;
    lh_json_emit_init(&emitter, writer, true);
    lh_json_emit_object(&emitter);
    write_texts(&emitter, "only", request->only, request->only_count);
    write_texts(&emitter, "tags", request->tags, request->tag_count);
    if (request->fresh) {
        lh_json_emit_name(&emitter, "fresh");
        lh_json_emit_bool(&emitter, true);
    }
    write_files(&emitter, request);
    lh_json_emit_object_end(&emitter);
    lh_writer_u8(writer, '\0');
    return lh_writer_status(writer);
}

static enum lh_status read_texts(struct lh_arena *arena, const struct lh_json *list, const char *const **texts,
                                 size_t *count)
{
    *count = 0;
    *texts = NULL;
    if (list == NULL) {
        return LH_OK;
    }
    if (list->kind != LH_JSON_ARRAY) {
        return LH_ERR_FORMAT;
    }
    const char **made = lh_arena_array(arena, list->value.list.count, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < list->value.list.count; i++) {
        const struct lh_json *one = list->value.list.items[i];
        if (one->kind != LH_JSON_STRING) {
            return LH_ERR_FORMAT;
        }
        made[i] = one->value.string.text;
    }
    *texts = made;
    *count = list->value.list.count;
    return LH_OK;
}

static enum lh_status read_files(struct lh_arena *arena, const struct lh_json *list, struct pulse_request *request)
{
    if (list == NULL) {
        return LH_OK;
    }
    if (list->kind != LH_JSON_ARRAY) {
        return LH_ERR_FORMAT;
    }
    struct pulse_request_file *files = lh_arena_array(arena, list->value.list.count, sizeof *files);
    if (files == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < list->value.list.count; i++) {
        const struct lh_json *name = lh_json_member(list->value.list.items[i], "name");
        const struct lh_json *key = lh_json_member(list->value.list.items[i], "key");
        if (name == NULL || key == NULL || name->kind != LH_JSON_STRING || key->kind != LH_JSON_STRING ||
            !lh_digest_parse(key->value.string.text, &files[i].key)) {
            return LH_ERR_FORMAT;
        }
        files[i].name = name->value.string.text;
    }
    request->files = files;
    request->file_count = list->value.list.count;
    return LH_OK;
}

enum lh_status pulse_request_read(struct lh_arena *arena, const char *text, struct pulse_request *request,
                                  struct lh_error *error)
{
    const struct lh_json *root;
    struct pulse_request made = {0};
    enum lh_status status = lh_json_parse(arena, text, strlen(text), &root, error);
    if (status != LH_OK) {
        return status == LH_ERR_NO_MEMORY ? status : LH_ERR_FORMAT;
    }
    const struct lh_json *fresh = lh_json_member(root, "fresh");
    made.fresh = fresh != NULL && fresh->kind == LH_JSON_TRUE;
    status = read_texts(arena, lh_json_member(root, "only"), &made.only, &made.only_count);
    status = status == LH_OK ? read_texts(arena, lh_json_member(root, "tags"), &made.tags, &made.tag_count) : status;
    status = status == LH_OK ? read_files(arena, lh_json_member(root, "files"), &made) : status;
    if (status != LH_OK) {
        return status == LH_ERR_NO_MEMORY ? lh_error_no_memory(error)
                                          : lh_error_set(error, status, NULL, "the kept request makes no sense");
    }
    *request = made;
    return LH_OK;
}

static bool same_texts(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++) {
        same = strcmp(a[i], b[i]) == 0;
    }
    return same;
}

bool pulse_request_same(const struct pulse_request *a, const struct pulse_request *b)
{
    return a->fresh == b->fresh && same_texts(a->only, a->only_count, b->only, b->only_count) &&
           same_texts(a->tags, a->tag_count, b->tags, b->tag_count);
}
