/* SPDX-License-Identifier: MIT */
/* A list of faults found in one document: every fault at once, each with its place. */
#ifndef LH_BASE_FAULTS_H
#define LH_BASE_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/status.h"

#define LH_FAULTS_MAX 1000 /* past that only `count` grows */

struct lh_fault {
    enum lh_status code; /* LH_ERR_INVALID or LH_ERR_MISSING, say: decides the exit status */
    const char *where;   /* JSON Pointer, "" for the whole document */
    const char *message; /* a sentence without full stop: what is wrong and what to do */
};

struct lh_faults {
    struct lh_arena *arena; /* borrowed: owns the texts */
    struct lh_fault *items;
    size_t stored, capacity;
    size_t count;       /* found, also past LH_FAULTS_MAX */
    bool out_of_memory; /* at least one could not be kept */
};

void lh_faults_init(struct lh_faults *faults, struct lh_arena *arena);
void lh_faults_add(struct lh_faults *faults, enum lh_status code, const char *where, const char *format, ...)
    LH_PRINTF(4, 5);

/* The name in `names` (`count` of them) nearest to `text` by edit distance, or NULL when none is near enough to be
   meant (more than a third of its letters differ, upper and lower case counting as one). For "did you mean ...". */
const char *lh_nearest_name(const char *text, const char *const *names, size_t count);

#endif
