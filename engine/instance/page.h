/* SPDX-License-Identifier: MIT */
/* The memory that a parent shares with its signal instance while a render or a trial runs: how far it is, and who is
   inside which plugin. Whatever ends the child, the page tells its parent what it was doing. Hints from a process that
   may have gone wrong: never more than words in a message depend on them, and the decision to end it. */
#ifndef ENGINE_INSTANCE_PAGE_H
#define ENGINE_INSTANCE_PAGE_H

#include "engine/host/watch.h"
#include "engine/run/render.h"

struct engine_page {
    struct engine_progress progress;
    struct engine_watch watch;
    _Atomic uint64_t address_space; /* bytes of it in use when a crash was caught; 0: unknown, or without bound */
};

#endif
