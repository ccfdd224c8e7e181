/* SPDX-License-Identifier: MIT */
/* Rate conversion, for media (conformed once, linearly, from the start) and for deliverables (streaming). The group
   delay is removed: frame 0 of the output is frame 0 of the input. */
#ifndef ENGINE_IO_CONFORM_H
#define ENGINE_IO_CONFORM_H

#include <stdatomic.h>

#include "engine/io/media.h"

/* Streaming converter, one thread at a time. resampler: GRAPH_CONFORM_SOXR (VHQ) or GRAPH_CONFORM_SAMPLERATE (best). */
struct engine_converter;
LH_NODISCARD enum lh_status engine_converter_new(enum graph_conform resampler, uint32_t channels, uint32_t from_rate,
                                                 uint32_t to_rate, struct engine_converter **converter,
                                                 struct lh_error *error);
void engine_converter_free(struct engine_converter *converter); /* accepts NULL */
/* Takes all `frames` of input; gives what is ready into `out` (room for `capacity` frames, at least
   engine_converter_room()). `last` ends the stream: the rest follows, over further calls with frames = 0 and `last`
   while *given equals capacity. Over the whole stream it gives exactly graph_converted_length() frames, whatever the
   calls' sizes, and the same bits. */
LH_NODISCARD enum lh_status engine_converter_process(struct engine_converter *converter, const float *in, size_t frames,
                                                     bool last, float *out, size_t capacity, size_t *given,
                                                     struct lh_error *error);
size_t engine_converter_room(const struct engine_converter *converter, size_t frames);

/* Decodes and converts a medium into raw interleaved floats at `offset` of `scratch_fd`. Of `wanted` frames: all of
   `target->length` (padded with silence or cut by what rounding leaves), or its first ones with the same bits, behind
   which a few more may lie. `target` is the graph's entry: its facts must agree with
   the file's. Samples that are not finite are LH_ERR_FAULT with the frame. `done_frames` (may be NULL) counts the
   wanted frames; `cancel` (may be NULL) ends it with LH_ERR_CANCELLED. */
LH_NODISCARD enum lh_status engine_conform(const struct engine_media *media, const struct graph_media *target,
                                           uint32_t project_rate, uint64_t wanted, int scratch_fd, uint64_t offset,
                                           _Atomic uint64_t *done_frames, const _Atomic int *cancel,
                                           struct lh_error *error);

/* Versions of every library that touches sound ("libsndfile-1.2.0 libsoxr-0.1.3 ..."), for keys and reports. Static. */
const char *engine_io_libraries(void);

#endif
