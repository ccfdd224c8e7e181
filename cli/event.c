/* SPDX-License-Identifier: MIT */
/* JSON lines on standard error. */
#include "cli/event.h"

#include <stdio.h>

void cli_event_begin(struct cli_event *event, const char *name)
{
    lh_writer_init(&event->writer);
    lh_json_emit_init(&event->emitter, &event->writer, true);
    lh_json_emit_object(&event->emitter);
    lh_json_emit_name(&event->emitter, "event");
    lh_json_emit_text(&event->emitter, name);
}

void cli_event_end(struct cli_event *event)
{
    lh_json_emit_object_end(&event->emitter);
    if (lh_writer_status(&event->writer) == LH_OK) {
        fwrite(event->writer.data, 1, event->writer.size, stderr);
    }
    lh_writer_fini(&event->writer);
}

static void tell(const char *name, const char *where, enum lh_status code, const char *message)
{
    struct cli_event event;
    cli_event_begin(&event, name);
    lh_json_emit_name(&event.emitter, "where");
    lh_json_emit_text(&event.emitter, where);
    lh_json_emit_name(&event.emitter, "code");
    lh_json_emit_text(&event.emitter, lh_status_text(code));
    lh_json_emit_name(&event.emitter, "message");
    lh_json_emit_text(&event.emitter, message);
    cli_event_end(&event);
}

void cli_event_error(const struct lh_error *error)
{
    tell("error", error->where, error->code, error->message[0] != '\0' ? error->message : lh_status_text(error->code));
}

void cli_event_faults(const struct lh_faults *faults)
{
    for (size_t i = 0; i < faults->stored; i++) {
        tell("fault", faults->items[i].where, faults->items[i].code, faults->items[i].message);
    }
    if (faults->count > faults->stored) {
        struct cli_event event;
        cli_event_begin(&event, "moreFaults");
        lh_json_emit_name(&event.emitter, "count");
        lh_json_emit_integer(&event.emitter, (int64_t)(faults->count - faults->stored));
        cli_event_end(&event);
    }
}
