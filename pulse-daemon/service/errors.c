/* SPDX-License-Identifier: MIT */
/* Errors to JSON. */
#include "pulse-daemon/service/errors.h"

#include <string.h>

#include "common/json/json.h"

static void members(struct lh_json_emitter *emitter, enum lh_status code, const char *where, const char *message)
{
    lh_json_put_text(emitter, "message", message[0] != '\0' ? message : lh_status_text(code));
    lh_json_put_text(emitter, "where", where);
    lh_json_put_text(emitter, "code", lh_status_text(code));
}

/* What was written, as a text in the arena. */
static const char *finish(struct lh_arena *arena, struct lh_writer *writer)
{
    const char *made =
        lh_writer_status(writer) == LH_OK ? lh_arena_strndup(arena, (const char *)writer->data, writer->size) : NULL;
    lh_writer_fini(writer);
    return made;
}

const char *pulse_error_json(struct lh_arena *arena, const struct lh_error *error)
{
    return pulse_report_json(arena, error, NULL, 0);
}

const char *pulse_report_json(struct lh_arena *arena, const struct lh_error *error, const void *report, size_t size)
{
    const struct lh_json *read = NULL;
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, true);
    lh_json_emit_object(&emitter);
    members(&emitter, error->code, error->where, error->message);
    if (size > 0 && lh_json_parse(arena, report, size, &read, NULL) == LH_OK) {
        lh_json_emit_name(&emitter, "report");
        lh_json_emit_value(&emitter, read);
    }
    lh_json_emit_object_end(&emitter);
    return finish(arena, &writer);
}

const char *pulse_faults_json(struct lh_arena *arena, const struct lh_faults *faults)
{
    static const struct lh_fault none = {.code = LH_ERR_INTERNAL, .where = "", .message = ""};
    const struct lh_fault *first = faults->stored > 0 ? &faults->items[0] : &none;
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, true);
    lh_json_emit_object(&emitter);
    members(&emitter, first->code, first->where, first->message);
    lh_json_emit_name(&emitter, "faults");
    lh_json_emit_array(&emitter);
    for (size_t i = 0; i < faults->stored; i++) {
        lh_json_emit_object(&emitter);
        members(&emitter, faults->items[i].code, faults->items[i].where, faults->items[i].message);
        lh_json_emit_object_end(&emitter);
    }
    lh_json_emit_array_end(&emitter);
    lh_json_put_integer(&emitter, "faultCount", (int64_t)faults->count);
    lh_json_emit_object_end(&emitter);
    return finish(arena, &writer);
}
