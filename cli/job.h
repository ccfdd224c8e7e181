/* SPDX-License-Identifier: MIT */
/* A job of a farm from the client's side: followed until it is over, its faults told, its files fetched. */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "cli/aside.h"
#include "cli/farm.h"
#include "cli/progress.h"
#include "cli/upload.h"
#include "common/base/faults.h"

const char *cli_job_state(Wire__JobState state); /* "queued" ... */
bool cli_job_over(Wire__JobState state);

/* The job as it is now. */
LH_NODISCARD enum lh_status cli_job_read(struct cli_farm *farm, struct lh_arena *arena, uint64_t id,
                                         const Wire__Job **job, struct lh_error *error);
/* Waits until it is over and shows how far it is. LH_ERR_CANCELLED: a signal came, the job goes on; LH_ERR_UNAVAILABLE:
   the farm did not answer for a minute. */
LH_NODISCARD enum lh_status cli_job_follow(struct cli_farm *farm, struct lh_arena *arena, uint64_t id,
                                           enum cli_progress_mode mode, const Wire__Job **job, struct lh_error *error);
/* What came of a job that is over: LH_OK, LH_ERR_CANCELLED, or why it failed, with every fault in `faults` (its first
   in `error` too). */
enum lh_status cli_job_verdict(const Wire__Job *job, struct lh_faults *faults, struct lh_error *error);
/* All of its files into a folder, which is made if it is not there; named only when all of them are whole. */
LH_NODISCARD enum lh_status cli_job_fetch(struct lh_arena *arena, struct cli_media *media, const Wire__Job *job,
                                          const char *folder, struct lh_error *error);

/* A number as an operand. LH_ERR_USAGE. */
LH_NODISCARD enum lh_status cli_job_parse(const char *text, uint64_t *id, struct lh_error *error);

#endif
