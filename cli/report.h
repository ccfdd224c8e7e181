/* SPDX-License-Identifier: MIT */
/* The JSON report of a session (docs/loophole.1, "REPORT"): what was delivered, or why nothing was. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/session.h"
#include "common/base/bytes.h"

/* The text alone. */
LH_NODISCARD enum lh_status cli_report_text(const struct cli_session *session, int exit_status,
                                            struct lh_writer *writer);
/* LH_ERR_USAGE when the report would replace the project or a source. */
LH_NODISCARD enum lh_status cli_report_check(const struct cli_session *session, struct lh_error *error);
/* Where the request wants it: standard output, or a file that is written aside and renamed. */
LH_NODISCARD enum lh_status cli_report_write(struct cli_session *session, int exit_status, struct lh_error *error);

/* Members of what came of a file, into an object that is open. */
struct lh_json_emitter;
void cli_report_delivered(struct lh_json_emitter *emitter, const struct engine_delivered *delivered);
/* {"where": ..., "code": ..., "message": ...} for each: `check --json` has them too. */
void cli_report_faults(struct lh_json_emitter *emitter, const struct lh_faults *faults);
/* All bytes to standard output. */
LH_NODISCARD enum lh_status cli_report_print(const struct lh_writer *writer, struct lh_error *error);

#endif
