/* SPDX-License-Identifier: MIT */
/* Clocks of POSIX. */
#include "common/base/clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now); /* cannot fail: the clock and the pointer are valid */
    return (uint64_t)now.tv_sec * LH_CLOCK_SECOND_NS + (uint64_t)now.tv_nsec;
}

uint64_t lh_clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t lh_clock_process_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
