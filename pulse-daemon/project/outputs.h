/* SPDX-License-Identifier: MIT */
/* What a deliverable's files are called. */
#ifndef PULSE_PROJECT_OUTPUTS_H
#define PULSE_PROJECT_OUTPUTS_H

#include "pulse-daemon/project/model.h"

/* "wav", "flac", ... without the dot. */
const char *pulse_format_ending(enum pulse_format format);
/* "<name>.<ending>", or with `each` "<name>-<track id>.<ending>", in the arena; NULL when memory is out. */
char *pulse_output_file(struct lh_arena *arena, const struct pulse_deliverable *deliverable,
                        const struct pulse_track *track);

#endif
