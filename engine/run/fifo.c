/* SPDX-License-Identifier: MIT */
/* A ring of frames. */
#include "engine/run/fifo.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum lh_status engine_fifo_init(struct engine_fifo *fifo, size_t capacity, size_t frame_bytes)
{
    uint8_t *data = malloc(capacity * frame_bytes + 1);
    if (data == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    *fifo = (struct engine_fifo){.data = data, .frame_bytes = frame_bytes, .capacity = capacity};
    return LH_OK;
}

void engine_fifo_fini(struct engine_fifo *fifo)
{
    free(fifo->data);
    fifo->data = NULL;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void *engine_fifo_room(struct engine_fifo *fifo, size_t wanted, size_t *frames)
{
    size_t at = fifo->first + fifo->count;
    size_t room = fifo->capacity - fifo->count;
    if (at >= fifo->capacity) {
        at -= fifo->capacity;
    } else {
        room = least(room, fifo->capacity - at);
    }
    *frames = least(room, wanted);
    return fifo->data + at * fifo->frame_bytes;
}

void engine_fifo_push(struct engine_fifo *fifo, size_t frames)
{
    fifo->count += frames;
}

void engine_fifo_put(struct engine_fifo *fifo, const void *in, size_t frames)
{
    for (size_t done = 0; done < frames;) {
        size_t piece;
        void *room = engine_fifo_room(fifo, frames - done, &piece);
        assert(piece > 0);
        memcpy(room, (const uint8_t *)in + done * fifo->frame_bytes, piece * fifo->frame_bytes);
        engine_fifo_push(fifo, piece);
        done += piece;
    }
}

size_t engine_fifo_take(struct engine_fifo *fifo, void *out, size_t wanted)
{
    size_t frames = least(wanted, fifo->count);
    size_t straight = least(frames, fifo->capacity - fifo->first);
    memcpy(out, fifo->data + fifo->first * fifo->frame_bytes, straight * fifo->frame_bytes);
    memcpy((uint8_t *)out + straight * fifo->frame_bytes, fifo->data, (frames - straight) * fifo->frame_bytes);
    fifo->first += frames;
    fifo->first -= fifo->first >= fifo->capacity ? fifo->capacity : 0;
    fifo->count -= frames;
    return frames;
}
