/* SPDX-License-Identifier: MIT */
/* Float to integer PCM with dither that is a function of position. Works in pieces that stay in the innermost cache:
   the dither's states, then the rounding, then the packing; each a loop that compilers vectorise. */
#include "engine/dsp/quantise.h"

#include <assert.h>

#include "engine/dsp/kernels.h"
#include "engine/dsp/kernels_scalar.h"

#define PIECE_SAMPLES 1024

static uint64_t mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* One channel's walk through the hash, for frames that share their upper 32 bits. */
struct stream {
    uint32_t stride, offset;
};

static struct stream stream_of(uint64_t seed, size_t channel, int64_t frame)
{
    uint64_t key = mix(mix(seed) ^ (uint64_t)channel << 48 ^ (uint64_t)frame >> 32);
    return (struct stream){.stride = (uint32_t)(key >> 32) | 1u, .offset = (uint32_t)key};
}

double engine_dither(uint64_t seed, size_t channel, int64_t frame)
{
    struct stream stream = stream_of(seed, channel, frame);
    return (double)triangular((uint32_t)frame * stream.stride + stream.offset) * 0x1p-16;
}

/* The states h of `frames` frames side by side, from which the dither follows without a channel index. All but the
   first few are sums of two vectors: the state some whole frames before, and what each channel moves on in these. */
static void lay_states(uint32_t *restrict states, const struct stream *streams, size_t channels, int64_t frame,
                       size_t frames)
{
    uint32_t moves[PATTERN_MAX];
    const size_t length = pattern_length(channels), count = frames * channels;
    const uint32_t pattern_frames = (uint32_t)(length / channels);
    for (size_t i = 0; i < length; i++) {
        const struct stream *stream = &streams[i % channels];
        moves[i] = stream->stride * pattern_frames;
        if (i < count) {
            states[i] = ((uint32_t)frame + (uint32_t)(i / channels)) * stream->stride + stream->offset;
        }
    }
    for (size_t at = length; at < count; at += length) {
        const size_t piece = smaller(length, count - at);
        for (size_t i = 0; i < piece; i++) {
            states[at + i] = states[at - length + i] + moves[i];
        }
    }
}

/* The frames of a piece: as many as fit, not past the frame where the upper 32 bits step. */
static size_t piece_frames(size_t channels, int64_t frame, size_t frames)
{
    uint64_t until_step = (UINT64_C(1) << 32) - (uint32_t)frame;
    size_t most = PIECE_SAMPLES / channels;
    most = most < frames ? most : frames;
    return most < until_step ? most : (size_t)until_step;
}

uint64_t engine_quantise_packed(const struct engine_quantiser *quantiser, int64_t frame, uint8_t *out, const float *in,
                                size_t frames)
{
    const size_t channels = quantiser->channels;
    const unsigned bits = quantiser->bits;
    assert(channels >= 1 && channels <= GRAPH_CHANNELS_MAX && (bits == 16 || bits == 24));
    const struct engine_kernels *kernels = engine_kernels_current();
    int32_t values[PIECE_SAMPLES];
    uint32_t states[PIECE_SAMPLES];
    struct stream streams[GRAPH_CHANNELS_MAX];
    uint64_t clamped = 0;
    bool fresh = true; /* the streams are not those of this frame's upper bits yet */
    while (frames > 0) {
        size_t piece = piece_frames(channels, frame, frames), count = piece * channels;
        if (quantiser->dither) {
            for (size_t channel = 0; channel < channels && (fresh || (uint32_t)frame == 0); channel++) {
                streams[channel] = stream_of(quantiser->seed, channel, frame);
            }
            fresh = false;
            lay_states(states, streams, channels, frame, piece);
        }
        clamped += kernels->quantise(values, in, quantiser->dither ? states : NULL, count, bits);
        (bits == 16 ? kernels->pack_s16 : kernels->pack_s24)(out, values, count);
        out += count * (bits / 8);
        in += count;
        frame += (int64_t)piece;
        frames -= piece;
    }
    return clamped;
}
