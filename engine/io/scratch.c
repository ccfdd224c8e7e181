/* SPDX-License-Identifier: MIT */
/* What users read when the scratch file fails. */
#include "engine/io/scratch.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum lh_status engine_scratch_error(int cause, struct lh_error *error)
{
    bool full = cause == ENOSPC || cause == EDQUOT;
    return lh_error_set(error, LH_ERR_IO, "scratch file", "%s%s", strerror(cause),
                        full ? ": free some space, or set TMPDIR to a larger file system" : "");
}
