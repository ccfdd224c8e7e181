/* SPDX-License-Identifier: MIT */
/* Random numbers that repeat. rand, srand, random, srandom, drand48, lrand48, mrand48, srand48, seed48 and lcong48 are
   defined here, in place of the C library's, for the whole process: a program that links engine/host exports them, so
   that plugins find them first. Those that keep their state with the caller (rand_r, erand48, ...) stay the C
   library's.

   While a plugin's instance is entered, they draw from its own sequence: what a fresh process would draw. Seeds below
   ENGINE_PINNED_SEED_CHOSEN are honoured, because somebody chose them; a larger one is most likely the clock's and
   stands for a fixed one. Outside of plugins, and on threads that plugins start, they behave as the C library's, with
   one state for the process. */
#ifndef ENGINE_HOST_PINNED_H
#define ENGINE_HOST_PINNED_H

#include <stdint.h>

#define ENGINE_PINNED_SEED_CHOSEN 65536u
#define ENGINE_PINNED_DEGREE 31

struct engine_pinned {
    int32_t additive[ENGINE_PINNED_DEGREE]; /* random(): x[i] = x[i - 3] + x[i - 31] */
    uint32_t front;                         /* index of the next to be made */
    uint64_t linear, multiplier, addend;    /* drand48(): 48 bits */
};

/* As the C library's generators are before anybody seeds them. */
void engine_pinned_init(struct engine_pinned *pinned);
/* This thread draws from `pinned` from here on; NULL: from the process' state. Returns what it drew from before. */
struct engine_pinned *engine_pinned_swap(struct engine_pinned *pinned);

#endif
