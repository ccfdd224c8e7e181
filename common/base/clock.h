/* SPDX-License-Identifier: MIT */
/* The clocks: for progress and figures, never for anything that decides over sound. */
#ifndef LH_BASE_CLOCK_H
#define LH_BASE_CLOCK_H

#include <stdint.h>

#define LH_CLOCK_SECOND_NS UINT64_C(1000000000)

/* Nanoseconds since some moment of the past, never going back. Thread-safe. */
uint64_t lh_clock_monotonic_ns(void);
/* Nanoseconds that the threads of this process have computed, the kernel's work for them included. Thread-safe. */
uint64_t lh_clock_process_ns(void);

#endif
