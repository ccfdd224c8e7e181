/* SPDX-License-Identifier: MIT */
/* Written so that compilers make wide instructions of one and two channels. */
#include "engine/dsp/planar.h"

#include <string.h>

void engine_planar_pick(float *restrict out, const float *restrict in, size_t frames, size_t channels, size_t channel)
{
    in += channel;
    if (channels == 1) {
        memcpy(out, in, frames * sizeof *out);
    } else if (channels == 2) {
        for (size_t i = 0; i < frames; i++) {
            out[i] = in[i * 2];
        }
    } else {
        for (size_t i = 0; i < frames; i++) {
            out[i] = in[i * channels];
        }
    }
}

void engine_planar_sum(float *restrict out, const float *restrict in, size_t frames, size_t channels, float scale)
{
    for (size_t i = 0; i < frames; i++) {
        float sum = in[i * channels];
        for (size_t c = 1; c < channels; c++) {
            sum += in[i * channels + c];
        }
        out[i] = sum * scale;
    }
}

void engine_planar_weave(float *restrict out, const float *const *planes, size_t first, size_t frames, size_t channels)
{
    if (channels == 1) {
        memcpy(out, planes[0] + first, frames * sizeof *out);
    } else if (channels == 2) {
        const float *restrict left = planes[0] + first;
        const float *restrict right = planes[1] + first;
        for (size_t i = 0; i < frames; i++) {
            out[i * 2] = left[i];
            out[i * 2 + 1] = right[i];
        }
    } else {
        for (size_t c = 0; c < channels; c++) {
            const float *plane = planes[c] + first;
            for (size_t i = 0; i < frames; i++) {
                out[i * channels + c] = plane[i];
            }
        }
    }
}

void engine_planar_mean(float *restrict out, const float *restrict a, const float *restrict b, size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        out[i] = (a[i] + b[i]) * 0.5f;
    }
}
