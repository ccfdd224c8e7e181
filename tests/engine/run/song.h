/* SPDX-License-Identifier: MIT */
/* Songs of a few nodes for the tests of the mix, and what they are by definition: docs/sound.md and graph/graph.h
   written out plainly, every node over the whole timeline at once. Every call aborts the test when it fails. */
#ifndef TESTS_ENGINE_RUN_SONG_H
#define TESTS_ENGINE_RUN_SONG_H

#include "tests/support/graphs.h"

#define SONG_FRAMES 41000 /* of every medium */
#define SONG_START 333    /* of every file */
#define SONG_END 40333
#define SONG_MEDIA_MAX 4
#define SONG_FILES_MAX 4
#define SONG_BLOCK 40960 /* several strides: of two channels those up to 16717, 33101 and 40333 */

struct song {
    struct graph_builder *builder;
    uint32_t media_count;
    int files[SONG_MEDIA_MAX];
    float *samples[SONG_MEDIA_MAX]; /* as floats */
};

struct song song_begin(void);

/* Takes over a file of SONG_FRAMES and its samples. Returns the medium. */
uint32_t song_add(struct song *song, int file, float *samples, uint32_t channels);
/* Noise of integers, the least and the greatest among them, `quiet` steps of 6 dB below full scale. */
uint32_t song_integers(struct song *song, uint32_t channels, unsigned bits, unsigned quiet);
/* Noise that has bits below the grid, where ties and roundings are. */
uint32_t song_floats(struct song *song, uint32_t channels);

/* The first `length` frames of a medium. */
struct graph_region song_region(uint32_t media, int64_t start, int64_t length);
uint32_t song_clips(struct song *song, uint32_t channels, bool invert, const struct graph_region *regions,
                    size_t count);
/* All of a medium from `start` on. */
uint32_t song_clip(struct song *song, uint32_t media, uint32_t channels, int64_t start);
/* Constant gains, another for each channel. */
uint32_t song_constant(struct song *song, uint32_t input, uint32_t channels, float gain);
/* Gains that move from `first` to `last` and back, with a step, and end in a hold. */
uint32_t song_moving(struct song *song, uint32_t input, uint32_t channels, float first, float last);
uint32_t song_sum(struct song *song, enum graph_node_kind kind, uint32_t channels, bool invert, const uint32_t *inputs,
                  size_t count);
uint32_t song_bus(struct song *song, uint32_t channels, const uint32_t *inputs, size_t count);

/* The graph whose files these nodes are; nothing more can be added. */
const struct graph *song_deliver(struct song *song, const uint32_t *nodes, size_t count);
void song_close(struct song *song);

/* Delivers the nodes, on both sets of kernels and in blocks of one stride and of several, compares every sample's bits
   with the definition, and closes the song. */
void song_holds(struct song *song, const uint32_t *nodes, size_t count);

#endif
