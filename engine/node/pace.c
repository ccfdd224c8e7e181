/* SPDX-License-Identifier: MIT */
/* Adding up the time between two looks. */
#include "engine/node/pace.h"

#define NS_PER_MS UINT64_C(1000000)
#define JUMP_NS UINT64_C(1000000000)

void engine_pace_init(struct engine_pace *pace, uint32_t hard_ms, uint32_t stall_ms, uint64_t now_ns)
{
    *pace = (struct engine_pace){.hard_ns = hard_ms * NS_PER_MS, .stall_ns = stall_ms * NS_PER_MS, .seen_ns = now_ns};
}

enum engine_pace_verdict engine_pace_look(struct engine_pace *pace, uint64_t done, uint64_t now_ns)
{
    uint64_t passed = now_ns > pace->seen_ns ? now_ns - pace->seen_ns : 0;
    passed = passed < JUMP_NS ? passed : JUMP_NS;
    pace->seen_ns = now_ns;
    pace->spent_ns += passed;
    pace->still_ns = done != pace->done || pace->waits ? 0 : pace->still_ns + passed;
    pace->done = done;
    if (pace->verdict == ENGINE_PACE_GOOD && pace->hard_ns > 0 && pace->spent_ns > pace->hard_ns) {
        pace->verdict = ENGINE_PACE_TOO_LONG;
    } else if (pace->verdict == ENGINE_PACE_GOOD && pace->stall_ns > 0 && pace->still_ns > pace->stall_ns) {
        pace->verdict = ENGINE_PACE_STALLED;
    }
    return pace->verdict;
}
