/* SPDX-License-Identifier: MIT */
/* What a session has to say of the plugins that it used. */
#ifndef CLI_USED_H
#define CLI_USED_H

#include "cli/session.h"
#include "common/json/json.h"

/* The report's member "plugins", an array with an entry for each node that is heard, and "warnings". */
void cli_used_emit(struct lh_json_emitter *emitter, const struct cli_session *session);
/* On standard error: a line on those that are not proven repeatable, and one for each warning. */
void cli_used_print(const struct cli_session *session);

#endif
