/* SPDX-License-Identifier: MIT */
/* Who is inside a plugin, where the outside can see it: a page in shared memory with a slot for each worker. Whatever
   ends the process, its parent reads there which node ran which plugin at which frame. Written by the worker alone,
   read by a signal handler of this process and by the parent; relaxed atomics, as nothing else hangs on them. */
#ifndef ENGINE_HOST_WATCH_H
#define ENGINE_HOST_WATCH_H

#include <stdatomic.h>
#include <stdint.h>

#define ENGINE_WATCH_SLOTS 256 /* one for each worker of a pool */

enum engine_watch_phase {
    ENGINE_WATCH_OUTSIDE = 0, /* no plugin's code runs */
    ENGINE_WATCH_LOAD,        /* its library is loaded, an instance made */
    ENGINE_WATCH_RESTORE,     /* preset or state is restored */
    ENGINE_WATCH_ACTIVATE,
    ENGINE_WATCH_RUN,
    ENGINE_WATCH_WORK, /* its worker's job */
    ENGINE_WATCH_FREE, /* deactivated, cleaned up */
};

struct engine_watch_slot {
    _Alignas(64) _Atomic uint32_t phase;
    _Atomic uint32_t node;    /* of the graph; GRAPH_NONE: none, a probe */
    _Atomic int64_t frame;    /* timeline, of the chunk's first frame */
    _Atomic uint64_t calls;   /* raised on every entry: standing still while inside is a hang */
    _Atomic int signal;       /* a signal handler's: caught on this worker, 0 none */
    _Atomic uint64_t address; /* of the fault */
    _Atomic int exit_called;  /* 1 + the status that the plugin wanted to end the process with; 0: did not */
};

struct engine_watch {
    struct engine_watch_slot slots[ENGINE_WATCH_SLOTS];
    _Atomic int stray_signal; /* caught on a thread that is no worker: a plugin's own */
};

/* The slot of the calling thread, NULL outside of a plugin. Async-signal-safe to read. */
extern _Thread_local struct engine_watch_slot *engine_watch_current;
/* The one that it was in last, also outside: a plugin may leave broken what the engine touches next. */
extern _Thread_local struct engine_watch_slot *engine_watch_last;

/* Around every call into a plugin. `slot` may be NULL: then nothing is told. Not nested. */
void engine_watch_enter(struct engine_watch_slot *slot, enum engine_watch_phase phase, uint32_t node, int64_t frame);
void engine_watch_leave(void);

#endif
