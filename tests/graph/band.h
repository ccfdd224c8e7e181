/* SPDX-License-Identifier: MIT */
/* Graphs with plugins, for the tests of graph/: a track through two effects of which one is keyed by an instrument, all
   on a bus. */
#ifndef TESTS_GRAPH_BAND_H
#define TESTS_GRAPH_BAND_H

#include "graph/builder.h"

/* What differs between two bands; zeroed: the plain one. */
struct band {
    bool reversed;        /* plugins, parameters and tracks are added in the opposite order */
    float drive;          /* added to a parameter's value */
    uint8_t key;          /* added to a note's key */
    uint8_t binary;       /* first byte of the plugins' digests */
    const char *identity; /* of the first effect */
    const char *state;    /* the same */
    const char *bundle;   /* of the plugins */
    double bpm;           /* added to the tempo */
    bool twin;            /* a second track that is like the first */
};

/* LH_OK or what the builder said; used with failing allocations too. */
enum lh_status band_make(const struct band *band, const struct graph **graph);
/* It must work. */
const struct graph *band_new(const struct band *band);

#endif
