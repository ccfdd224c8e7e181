/* SPDX-License-Identifier: MIT */
/* What a crashing instance still writes down: the signal and the fault's address, in the slot of the worker that was
   inside a plugin, or had been (engine/host/watch.h). Then the signal takes its course. */
#ifndef ENGINE_INSTANCE_CRASH_H
#define ENGINE_INSTANCE_CRASH_H

#include "common/base/status.h"
#include "engine/instance/page.h"

/* Catches what a program crashes by, on a stack of its own for this thread (those of a pool have theirs). Once, before
   there are other threads. A sanitizer that watches over the same signals gets them afterwards. LH_ERR_IO. */
LH_NODISCARD enum lh_status engine_crash_install(struct lh_error *error);

/* Where crashes of threads without a slot are told from now on; NULL: nowhere, and this thread's slot is forgotten. */
void engine_crash_tell(struct engine_page *page);

/* The exit status of an instance that a plugin ended by exit() or one of its kin. */
#define ENGINE_EXIT_BY_PLUGIN 86

#endif
