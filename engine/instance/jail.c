/* SPDX-License-Identifier: MIT */
/* Shutting the process in: what is neither files nor system calls, and the order of it all. */
#include "engine/instance/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_BYTES (UINT64_C(8) << 20) /* of every thread, whatever the user's limit is */
#define READINESS_TO_DIE "800"          /* of 1000 */

static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    memset(none, 0, sizeof none);
    return (int)syscall(SYS_capset, &head, none);
}

/* When memory runs out it is the render that goes, not what its user was doing. Best effort: a /proc may be missing. */
static void volunteer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!write(fd, READINESS_TO_DIE, sizeof READINESS_TO_DIE - 1);
        close(fd);
    }
}

/* A limit can only be lowered; one that is lower already stays. */
static int lower(int resource, uint64_t bytes)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) {
        return -1;
    }
    rlim_t most = (rlim_t)bytes;
    limit.rlim_max = limit.rlim_max > most ? most : limit.rlim_max;
    limit.rlim_cur = limit.rlim_cur > limit.rlim_max ? limit.rlim_max : limit.rlim_cur;
    return setrlimit((__rlimit_resource_t)resource, &limit);
}

/* Threads' stacks follow the limit that the program was started with, which may be next to nothing or endless. */
static int bound_stacks(void)
{
    pthread_attr_t attributes;
    int code = pthread_attr_init(&attributes);
    if (code != 0) {
        return code;
    }
    code = pthread_attr_setstacksize(&attributes, (size_t)STACK_BYTES);
    code = code != 0 ? code : pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    return code;
}

static enum lh_status bound(const struct engine_jail *jail, struct lh_error *error)
{
    bool bounded = lower(RLIMIT_CORE, 0) == 0;
    if (!ENGINE_JAIL_SANITIZED) {
        bounded = bounded && lower(RLIMIT_STACK, STACK_BYTES) == 0 && bound_stacks() == 0;
        bounded = bounded && (jail->memory_bytes == 0 || lower(RLIMIT_AS, jail->memory_bytes) == 0);
    }
    return bounded ? LH_OK : lh_error_set(error, LH_ERR_IO, NULL, "the signal instance cannot bound its memory");
}

enum lh_status engine_jail_enter(const struct engine_jail *jail, char *note, struct lh_error *error)
{
    volunteer();
    enum lh_status status = bound(jail, error);
    if (status != LH_OK) {
        return status;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || drop_capabilities() != 0) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, NULL, "the signal instance cannot give up its privileges: %s",
                            strerror(errno));
    }
    status = engine_jail_files(jail, note, error);
    return status == LH_OK ? engine_jail_filter(error) : status;
}
