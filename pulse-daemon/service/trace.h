/* SPDX-License-Identifier: MIT */
/* W3C traceparents (version 00): what ties together all that one request causes, in the logs of every program. */
#ifndef PULSE_SERVICE_TRACE_H
#define PULSE_SERVICE_TRACE_H

#include <stdbool.h>

#include "common/base/status.h"

#define PULSE_TRACE_SIZE 56 /* "00-" 32 digits "-" 16 digits "-" 2 digits, and a NUL */

/* Whether it is one, and not the one of nobody. NULL is none. */
bool pulse_trace_ok(const char *text);
/* A new one. LH_ERR_IO: the system has no random bytes. */
LH_NODISCARD enum lh_status pulse_trace_make(char text[PULSE_TRACE_SIZE], struct lh_error *error);

#endif
