/* SPDX-License-Identifier: MIT */
/* Which system calls a jailed instance may make: the filter that the build compiled of jail_calls.h, loaded. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/instance/jail.h"
#include "engine/instance/jail_calls.h"

static const struct sock_filter compiled[] = {
#include "engine/instance/jail_table.h"
};
#define INSTRUCTIONS (sizeof compiled / sizeof *compiled)

enum lh_status engine_jail_filter(struct lh_error *error)
{
    struct sock_filter filter[INSTRUCTIONS];
    memcpy(filter, compiled, sizeof filter);
    for (size_t i = 0; i < INSTRUCTIONS; i++) {
        if (filter[i].k == ENGINE_JAIL_OWN_PID) {
            filter[i].k = (uint32_t)getpid();
        }
    }
    struct sock_fprog program = {.len = (unsigned short)INSTRUCTIONS, .filter = filter};
    /* Threads that a sanitizer started before main() are shut in as well. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, NULL, "this system cannot filter system calls (seccomp): %s",
                            strerror(errno));
    }
    return LH_OK;
}
