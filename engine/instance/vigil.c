/* SPDX-License-Identifier: MIT */
/* Finding calls that do not come back. */
#include "engine/instance/vigil.h"

#include <string.h>

void engine_vigil_init(struct engine_vigil *vigil, uint64_t hang_ns, uint64_t now_ns)
{
    memset(vigil, 0, sizeof *vigil);
    vigil->hang_ns = hang_ns;
    vigil->looked_ns = now_ns;
}

int engine_vigil_look(struct engine_vigil *vigil, const struct engine_watch *watch, uint64_t now_ns)
{
    uint64_t gap_ns = now_ns - vigil->looked_ns;
    gap_ns = gap_ns < ENGINE_VIGIL_GAP_NS ? gap_ns : ENGINE_VIGIL_GAP_NS;
    vigil->looked_ns = now_ns;
    for (int i = 0; i < ENGINE_WATCH_SLOTS; i++) {
        uint64_t calls = atomic_load_explicit(&watch->slots[i].calls, memory_order_relaxed);
        uint32_t phase = atomic_load_explicit(&watch->slots[i].phase, memory_order_relaxed);
        if (phase == ENGINE_WATCH_OUTSIDE || calls != vigil->calls[i]) {
            vigil->calls[i] = calls;
            vigil->still_ns[i] = 0;
        } else {
            vigil->still_ns[i] += gap_ns;
            if (vigil->still_ns[i] > vigil->hang_ns) {
                return i;
            }
        }
    }
    return -1;
}
