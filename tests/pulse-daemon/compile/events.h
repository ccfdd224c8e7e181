/* SPDX-License-Identifier: MIT */
/* What a plugin of a compiled project hears. */
#ifndef TESTS_PULSE_DAEMON_COMPILE_EVENTS_H
#define TESTS_PULSE_DAEMON_COMPILE_EVENTS_H

#include "tests/pulse-daemon/compile/compiling.h"

struct heard {
    int64_t frame;
    uint8_t status, first, second; /* of a message of two bytes the last is 0 */
};

/* The node of that label hears exactly these messages. */
void expect_events(const struct compiling *t, const char *label, const struct heard *expected, uint32_t count);

#endif
