/* SPDX-License-Identifier: MIT */
/* Undo and redo among a project's revisions. Revisions are immutable, numbered from 1, and each knows the one that it
   was made from; a project points at two of them:

       1 <- 2 <- 3 <- 5 <- 6     tip 6: the end of the line that redo follows
             \       ^head 5     what the project is now
              4                  left behind by an edit after undo: readable, on no line any more

   Undo moves `head` to what it was made from, redo one step towards `tip`, an edit makes both the new revision. Nothing
   is copied or lost. Pure values; the store keeps them. */
#ifndef PULSE_PROJECT_HISTORY_H
#define PULSE_PROJECT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PULSE_REVISION_NONE 0u

struct pulse_history {
    uint64_t head, tip;      /* head is tip or comes before it */
    uint64_t newest;         /* the highest number so far */
    const uint64_t *parents; /* of revision i + 1: what it was made from; NONE of the first */
};

/* Whether the numbers can be a history at all: they come from a store. */
bool pulse_history_is_sound(const struct pulse_history *history);

/* Where undo and redo lead: the revision that would be `head`; NONE when there is none. */
uint64_t pulse_history_undo(const struct pulse_history *history);
uint64_t pulse_history_redo(const struct pulse_history *history);

#endif
