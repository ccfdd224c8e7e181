/* SPDX-License-Identifier: MIT */
/* The monotonic clock of POSIX. */
#include "common/base/clock.h"

#include <time.h>

uint64_t lh_clock_monotonic_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock and the pointer are valid */
    return (uint64_t)now.tv_sec * LH_CLOCK_SECOND_NS + (uint64_t)now.tv_nsec;
}
