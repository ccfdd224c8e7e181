/* SPDX-License-Identifier: MIT */
/* An index from names to their positions: ids of tracks and media, names of deliverables. Sorted, so that no choice of
   names makes it slow. For the readers and the compiler. */
#ifndef PULSE_PROJECT_NAMES_H
#define PULSE_PROJECT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

struct pulse_name {
    const char *text;
    size_t index;
};

struct pulse_names {
    const char **list; /* the known names, for suggestions: `count` of them in the order of the document */
    struct pulse_name *sorted;
    size_t count;
    bool incomplete; /* something that should have a name has none: a name that is not found may be that one's */
};

/* `texts` has `count` entries of which some may be NULL (those have no name and are left out); the texts are borrowed.
   `incomplete` is for the caller to set afterwards. False when memory is out. */
bool pulse_names_build(struct pulse_names *names, struct lh_arena *arena, const char *const *texts, size_t count);
/* The position of the first entry with that name, PULSE_NONE when there is none. */
size_t pulse_names_find(const struct pulse_names *names, const char *text);

#endif
