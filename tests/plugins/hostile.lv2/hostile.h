/* SPDX-License-Identifier: MIT */
/* Hostile LV2 plugins for tests: each passes its stereo sound through until the run that holds the frame `after`, and
   then does one bad thing. URIs are urn:loophole:hostile:NAME; the name says what, the tables at the end of each file
   say when. What could harm the machine that a test runs on is bounded in the plugin itself, should a jail have a hole.

   A deed that asks for something which a jail should refuse tells the answer as sound, from that run on:
   left = 1 when it could, 0 when it was refused; right = errno / 256. */
#ifndef TESTS_PLUGINS_HOSTILE_H
#define TESTS_PLUGINS_HOSTILE_H

#include <lv2/core/lv2.h>
#include <lv2/urid/urid.h>
#include <stdbool.h>
#include <stdint.h>

/* The fault itself must happen, not what a sanitizer makes of it. */
#define HOSTILE_FAULT __attribute__((no_sanitize("address", "undefined", "thread"), noinline))

enum hostile_port {
    HOSTILE_IN_L = 0,
    HOSTILE_IN_R,
    HOSTILE_OUT_L,
    HOSTILE_OUT_R,
    HOSTILE_AFTER,
    HOSTILE_EXTRA, /* some have one more: `latency` or `notify` */
    HOSTILE_PORTS
};

struct hostile;

enum hostile_moment {
    HOSTILE_INSTANTIATE = 0,
    HOSTILE_ACTIVATE,
    HOSTILE_ONCE,  /* in the run that holds the frame `after`, when the sound has been passed through */
    HOSTILE_AGAIN, /* in that run and all further ones */
    HOSTILE_DEACTIVATE,
    HOSTILE_CLEANUP,
};

struct hostile_deed {
    const char *uri;
    enum hostile_moment moment;
    void (*commit)(struct hostile *self);
};

struct hostile {
    const struct hostile_deed *deed;
    void *port[HOSTILE_PORTS];
    const char *bundle;
    const LV2_Feature *const *features;
    const LV2_URID_Map *map;
    uint64_t frames; /* run before this run */
    uint32_t length; /* of this run */
    bool done, tells;
    float could, why;
};

static inline float *hostile_port(const struct hostile *self, enum hostile_port port)
{
    return self->port[port];
}

/* The answer to be told as sound; errno says why not. */
void hostile_tell(struct hostile *self, bool could);
/* A pointer to nothing, an offset and a divisor of zero, of which the compiler knows nothing. */
extern char *volatile hostile_nowhere;
extern volatile int hostile_nought;

/* Each ends with an entry without URI. */
extern const struct hostile_deed hostile_crashes[], hostile_hangs[], hostile_hogs[], hostile_sounds[], hostile_memory[],
    hostile_escapes[], hostile_tricks[];

#endif
