/* SPDX-License-Identifier: MIT */
/* Why a job or an attempt has failed, as JSON: an object with "message", "where" and "code", and, when there are
   several faults, all of them in "faults" as the command's reports list them. */
#ifndef PULSE_SERVICE_ERRORS_H
#define PULSE_SERVICE_ERRORS_H

#include "common/base/faults.h"
#include "common/base/status.h"

/* In the arena; NULL: memory is out. */
const char *pulse_error_json(struct lh_arena *arena, const struct lh_error *error);
/* The first fault in front; those of a project. */
const char *pulse_faults_json(struct lh_arena *arena, const struct lh_faults *faults);
/* The same with a report of its own (JSON, NULL or damaged: none) in "report". */
const char *pulse_report_json(struct lh_arena *arena, const struct lh_error *error, const void *report, size_t size);

#endif
