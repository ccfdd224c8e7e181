/* SPDX-License-Identifier: MIT */
/* From a status to the program's exit status. */
#include "cli/command.h"

enum cli_exit cli_exit_of(enum lh_status status)
{
    switch (status) {
    case LH_OK:
        return CLI_EXIT_DONE;
    case LH_ERR_USAGE:
        return CLI_EXIT_USAGE;
    case LH_ERR_INVALID:
    case LH_ERR_LIMIT:
    case LH_ERR_UNSUPPORTED:
        return CLI_EXIT_INVALID;
    case LH_ERR_MISSING:
    case LH_ERR_FORMAT: /* bytes from outside: the text of a project is told as INVALID, so these are a medium's */
        return CLI_EXIT_MISSING;
    case LH_ERR_UNAVAILABLE:
        return CLI_EXIT_UNREACHABLE;
    case LH_ERR_CANCELLED:
        return CLI_EXIT_INTERRUPTED;
    case LH_ERR_NO_MEMORY:
    case LH_ERR_IO:
    case LH_ERR_FAULT:
    case LH_ERR_CRASHED:
    case LH_ERR_TAKEN_OVER:
    case LH_ERR_CONFLICT:
    case LH_ERR_INTERNAL:
    case LH_ERR_QUOTA:
        return CLI_EXIT_FAILED;
    }
    return CLI_EXIT_FAILED;
}
