/* SPDX-License-Identifier: MIT */
/* What the sets of kernels know of each other. Private to engine/dsp. */
#ifndef ENGINE_DSP_KERNELS_SETS_H
#define ENGINE_DSP_KERNELS_SETS_H

#include "engine/dsp/kernels.h"

#ifdef ENGINE_HAVE_AVX2
/* Runs on CPUs with AVX2 alone: ask engine_kernels_best() or engine_kernels_named(). */
const struct engine_kernels *engine_kernels_avx2(void);
#endif

/* Raises peaks[i % channels] to the magnitude highest[i] (bits of a float; NaN counts as infinite), i < length. */
void engine_raise_peaks(float *peaks, size_t channels, const int32_t *highest, size_t length);

#endif
