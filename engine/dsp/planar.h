/* SPDX-License-Identifier: MIT */
/* Between interleaved frames and a buffer for each channel, which is what plugins have. Plain float arithmetic, the
   same bits everywhere. In and out never overlap. */
#ifndef ENGINE_DSP_PLANAR_H
#define ENGINE_DSP_PLANAR_H

#include <stddef.h>

/* out = one channel of `in`. */
void engine_planar_pick(float *out, const float *in, size_t frames, size_t channels, size_t channel);
/* out = the channels' sum, left to right, times `scale`. */
void engine_planar_sum(float *out, const float *in, size_t frames, size_t channels, float scale);
/* Interleaved out: channel c from planes[c] + first. A plane may stand for several channels. */
void engine_planar_weave(float *out, const float *const *planes, size_t first, size_t frames, size_t channels);
/* out = (a + b) times 0.5. */
void engine_planar_mean(float *out, const float *a, const float *b, size_t frames);

#endif
