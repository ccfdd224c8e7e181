/* SPDX-License-Identifier: MIT */
/* What the double of Signal can be told to do. */
#ifndef TESTS_ENGINE_INSTANCE_FAKE_ENGINE_H
#define TESTS_ENGINE_INSTANCE_FAKE_ENGINE_H

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
};

/* By the size of a medium. */
#define FAKE_PROBE_CRASH 13
#define FAKE_PROBE_HANG 14

#endif
