/* SPDX-License-Identifier: MIT */
/* What the double of Signal can be told to do. */
#ifndef TESTS_ENGINE_INSTANCE_FAKE_ENGINE_H
#define TESTS_ENGINE_INSTANCE_FAKE_ENGINE_H

#include "common/base/status.h"

#define FAKE_KERNELS "fake"

/* By the number of threads; anything else renders. */
enum fake_render {
    FAKE_CRASH = 101,
    FAKE_EXIT, /* with last words */
    FAKE_HANG, /* and does not heed a cancellation */
    FAKE_WAIT, /* until cancelled */
    FAKE_FAULT,
    FAKE_NONSENSE,
    FAKE_SETTINGS, /* tells which of SOXR_TRACE and GLIBC_TUNABLES it sees */
    FAKE_TALK,     /* says more than a pipe holds */
    FAKE_PLUGINS,  /* does with every PLUGIN node, on a worker of its own, what fake_plugins.c finds in its URI */
    FAKE_JAIL,     /* tries to get out and tells what came of it */
    FAKE_MEMORY,   /* tells how much address space it may have */
};

struct engine_render_job;
/* LH_ERR_FAULT with what a plugin had to say, if it lives to say it. */
enum lh_status fake_plugins_run(const struct engine_render_job *job, struct lh_error *error);
/* LH_ERR_FAULT: "shadow 13, write 1, ...", each what was tried and its errno, 0 for success. "marked" reads
   the file that the graph's first marker names. */
enum lh_status fake_jail_try(const struct engine_render_job *job, struct lh_error *error);

/* By the size of a medium. */
#define FAKE_PROBE_CRASH 13
#define FAKE_PROBE_HANG 14

/* Of plugins: the URI's kind, and those that the host knows in any bundle. */
#define FAKE_URI "lv2:urn:fake:"
#define FAKE_ODD FAKE_URI "odd" /* whose data make no sense */

#endif
