/* SPDX-License-Identifier: MIT */
/* How long an attempt may take, and how long without getting on. Time that this process did not see (it was stopped, or
   the machine was) does not count: of a jump only a second. One thread. */
#ifndef ENGINE_NODE_PACE_H
#define ENGINE_NODE_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum engine_pace_verdict { ENGINE_PACE_GOOD = 0, ENGINE_PACE_STALLED, ENGINE_PACE_TOO_LONG };

struct engine_pace {
    uint64_t hard_ns, stall_ns; /* 0: no limit */
    uint64_t seen_ns, spent_ns, still_ns, done;
    bool waits; /* for somebody who has no part in it: until it does no more, nothing stands still */
    enum engine_pace_verdict verdict; /* the first that was not good stays */
};

void engine_pace_init(struct engine_pace *pace, uint32_t hard_ms, uint32_t stall_ms, uint64_t now_ns);
/* `done`: any measure that grows with what is done. To be called many times a second. */
enum engine_pace_verdict engine_pace_look(struct engine_pace *pace, uint64_t done, uint64_t now_ns);

#endif
