/* SPDX-License-Identifier: MIT */
/* Small render graphs and WAV files in memory, for the tests of the engine. Every call aborts the test when it
   fails. */
#ifndef TESTS_SUPPORT_GRAPHS_H
#define TESTS_SUPPORT_GRAPHS_H

#include "engine/run/render.h"
#include "graph/builder.h"

/* A 48 kHz 32-bit float WAV of `frames` x `channels` samples in a memory file. */
int graphs_wav(const float *samples, size_t frames, uint32_t channels);
/* The same of integers, 8 (stored unsigned), 16 or 24 bits. */
int graphs_wav_integers(const int32_t *samples, size_t frames, uint32_t channels, unsigned bits);

/* A builder at 48 kHz, quantum 1024. */
struct graph_builder *graphs_builder(void);
/* A medium of that length at 48 kHz, read in place. */
uint32_t graphs_media(struct graph_builder *builder, uint32_t channels, uint64_t frames);
/* A CLIPS node with one region that plays a whole medium from frame `start` on. */
uint32_t graphs_clip(struct graph_builder *builder, uint32_t media, uint32_t channels, int64_t start, int64_t length,
                     const char *label);
/* A GAIN node with one constant for each channel. */
uint32_t graphs_gain(struct graph_builder *builder, uint32_t input, uint32_t channels, const float *gains,
                     const char *label);
uint32_t graphs_bus(struct graph_builder *builder, uint32_t channels, const uint32_t *inputs, size_t count,
                    const char *label);
/* A float WAV of `node` over [start, end), no tail. */
struct graph_deliverable graphs_deliverable(const char *name, uint32_t node, int64_t start, int64_t end);
uint32_t graphs_deliver(struct graph_builder *builder, const struct graph_deliverable *deliverable);
const struct graph *graphs_finish(struct graph_builder *builder);

/* Renders on `threads` with `block` (0: chosen) and gives back the status. Outputs are memory files, *outputs[i] one
   for each deliverable, the caller's. */
enum lh_status graphs_render(const struct graph *graph, const int *media, uint32_t threads, uint32_t block,
                             int *outputs, struct engine_render_result *result, struct lh_error *error);
/* The same with these kernels (NULL: the fastest). */
enum lh_status graphs_render_with(const struct engine_kernels *kernels, const struct graph *graph, const int *media,
                                  uint32_t threads, uint32_t block, int *outputs, struct engine_render_result *result,
                                  struct lh_error *error);
/* The same of a job that says the rest: outputs, scratch file, progress and clock are filled in here. */
enum lh_status graphs_render_job(struct engine_render_job *job, int *outputs, struct engine_render_result *result,
                                 struct lh_error *error);
/* The samples of a float WAV that a render wrote: *frames of `channels`; to be freed. */
float *graphs_samples(int fd, uint32_t channels, size_t *frames);

#endif
