/* SPDX-License-Identifier: MIT */
/* What --progress json says: one JSON object a line on standard error, its kind in the member "event". */
#ifndef CLI_EVENT_H
#define CLI_EVENT_H

#include "common/base/faults.h"
#include "common/base/status.h"
#include "common/json/json.h"

struct cli_event {
    struct lh_json_emitter emitter; /* for further members */
    struct lh_writer writer;
};

/* `event` must stay where it is in memory until ended. */
void cli_event_begin(struct cli_event *event, const char *name);
/* Writes it, in one piece, so that lines stay whole. */
void cli_event_end(struct cli_event *event);

/* {"event": "error", "where": ..., "code": ..., "message": ...} */
void cli_event_error(const struct lh_error *error);
/* {"event": "fault", ...} for each with the same members, then {"event": "moreFaults", "count": ...} if not all are
   kept. */
void cli_event_faults(const struct lh_faults *faults);

#endif
