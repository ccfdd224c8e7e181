/* SPDX-License-Identifier: MIT */
/* Frames that wait in a chain from one block to the next. Private to engine/run. One thread at a time. */
#ifndef ENGINE_RUN_FIFO_H
#define ENGINE_RUN_FIFO_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

struct engine_fifo {
    uint8_t *data;
    size_t frame_bytes;
    size_t capacity, first, count; /* frames */
};

/* Room for `capacity` frames, which may be none. */
LH_NODISCARD enum lh_status engine_fifo_init(struct engine_fifo *fifo, size_t capacity, size_t frame_bytes);
void engine_fifo_fini(struct engine_fifo *fifo); /* a zeroed one too */

/* Where the next frames go: *frames of them, at most `wanted` and fewer where the room wraps round. At least one while
   there is room. They are in once pushed. */
void *engine_fifo_room(struct engine_fifo *fifo, size_t wanted, size_t *frames);
void engine_fifo_push(struct engine_fifo *fifo, size_t frames);
/* Copies in; there must be room. */
void engine_fifo_put(struct engine_fifo *fifo, const void *in, size_t frames);
/* Takes out what there is, at most `wanted` frames. Returns how many. */
size_t engine_fifo_take(struct engine_fifo *fifo, void *out, size_t wanted);

#endif
