/* SPDX-License-Identifier: MIT */
/* The JSON report of a job that a farm did: the members of the command's other reports, as far as they are known here.
 */
#ifndef CLI_FARM_REPORT_H
#define CLI_FARM_REPORT_H

#include "common/base/faults.h"
#include "proto/envelope.h"

struct cli_farm_report {
    int exit_status;
    const char *project_file, *project; /* the latter may be NULL */
    const Wire__Job *job;               /* NULL: it was not submitted */
    const char *folder;                 /* that its files were fetched into; NULL: they were not */
    const struct lh_error *error;
    const struct lh_faults *faults;
    double seconds;
    uint64_t hashed_bytes, sent_bytes, shared_bytes;
};

/* To a file, written aside and renamed; "-": standard output. LH_ERR_IO. */
LH_NODISCARD enum lh_status cli_farm_report_write(struct lh_arena *arena, const char *path,
                                                  const struct cli_farm_report *report, struct lh_error *error);

#endif
