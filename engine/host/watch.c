/* SPDX-License-Identifier: MIT */
/* Writing the watch page. */
#include "engine/host/watch.h"

#include <stddef.h>

_Thread_local struct engine_watch_slot *engine_watch_current;
_Thread_local struct engine_watch_slot *engine_watch_last;

void engine_watch_enter(struct engine_watch_slot *slot, enum engine_watch_phase phase, uint32_t node, int64_t frame)
{
    if (slot == NULL) {
        return;
    }
    atomic_store_explicit(&slot->node, node, memory_order_relaxed);
    atomic_store_explicit(&slot->frame, frame, memory_order_relaxed);
    uint64_t calls = atomic_load_explicit(&slot->calls, memory_order_relaxed); /* nobody else writes it */
    atomic_store_explicit(&slot->calls, calls + 1, memory_order_relaxed);
    atomic_store_explicit(&slot->phase, (uint32_t)phase, memory_order_relaxed);
    engine_watch_current = slot;
    engine_watch_last = slot;
    atomic_signal_fence(memory_order_seq_cst); /* a handler on this thread sees all of it, or none */
}

void engine_watch_leave(void)
{
    struct engine_watch_slot *slot = engine_watch_current;
    if (slot != NULL) {
        atomic_signal_fence(memory_order_seq_cst);
        engine_watch_current = NULL;
        atomic_store_explicit(&slot->phase, (uint32_t)ENGINE_WATCH_OUTSIDE, memory_order_relaxed);
    }
}
