/* SPDX-License-Identifier: MIT */
/* The render itself: what the instance is given, and what becomes of its answers. */
#ifndef CLI_PERFORM_H
#define CLI_PERFORM_H

#include "cli/session.h"

/* With outputs open: fills them from the cache, or by the instance. */
LH_NODISCARD enum lh_status cli_perform(struct cli_session *session);

#endif
