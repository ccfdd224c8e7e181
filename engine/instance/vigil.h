/* SPDX-License-Identifier: MIT */
/* Looking after a child: is one of its workers stuck inside a plugin? A pure function of the page and the times at
   which it is looked at. */
#ifndef ENGINE_INSTANCE_VIGIL_H
#define ENGINE_INSTANCE_VIGIL_H

#include "engine/host/watch.h"

/* A gap between two looks counts as no more: a machine that slept, or a parent that was stopped, saw nothing of it. */
#define ENGINE_VIGIL_GAP_NS UINT64_C(1000000000)

struct engine_vigil {
    uint64_t hang_ns;
    uint64_t looked_ns;
    uint64_t calls[ENGINE_WATCH_SLOTS];
    uint64_t still_ns[ENGINE_WATCH_SLOTS]; /* how long the slot has been inside one and the same call */
};

void engine_vigil_init(struct engine_vigil *vigil, uint64_t hang_ns, uint64_t now_ns);
/* The slot that has been inside one call for longer than hang_ns, or -1. */
int engine_vigil_look(struct engine_vigil *vigil, const struct engine_watch *watch, uint64_t now_ns);

#endif
