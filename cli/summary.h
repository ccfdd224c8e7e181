/* SPDX-License-Identifier: MIT */
/* The few lines at the end of a render, for people. */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "cli/session.h"

/* One line a deliverable, one for all, on standard error. */
void cli_summary_print(const struct cli_session *session);

/* "3:07.250", "1:02:03.000". */
void cli_summary_duration(double seconds, char *text, size_t size);
/* "-14.0 LUFS, -1.0 dBTP", "silent". */
void cli_summary_loudness(const struct engine_loudness *loudness, char *text, size_t size);

#endif
