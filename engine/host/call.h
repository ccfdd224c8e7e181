/* SPDX-License-Identifier: MIT */
/* What surrounds every call into a plugin: the watch page, the floating environment, its own random numbers. */
#ifndef ENGINE_HOST_CALL_H
#define ENGINE_HOST_CALL_H

#include "engine/dsp/fpenv.h"
#include "engine/host/pinned.h"
#include "engine/host/watch.h"

struct engine_call {
    struct engine_fpenv environment;
    struct engine_pinned *random;
    uint16_t x87_control;
};

/* `pinned` NULL: random numbers are the process'. */
static inline struct engine_call engine_call_enter(struct engine_watch_slot *slot, enum engine_watch_phase phase,
                                                   uint32_t node, int64_t frame, struct engine_pinned *pinned)
{
    struct engine_call call = {.environment = engine_fpenv_enter(), .random = engine_pinned_swap(pinned)};
#if defined(__x86_64__) || defined(__i386__)
    const uint16_t all_masked_nearest_extended = 0x037f;
    __asm__ __volatile__("fnstcw %0" : "=m"(call.x87_control));
    __asm__ __volatile__("fldcw %0" : : "m"(all_masked_nearest_extended));
#endif
    engine_watch_enter(slot, phase, node, frame);
    return call;
}

static inline void engine_call_leave(const struct engine_call *call)
{
    engine_watch_leave();
#if defined(__x86_64__) || defined(__i386__)
    __asm__ __volatile__("fldcw %0" : : "m"(call->x87_control));
#endif
    engine_pinned_swap(call->random);
    engine_fpenv_restore(call->environment);
}

#endif
