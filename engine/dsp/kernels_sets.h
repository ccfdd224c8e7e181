/* SPDX-License-Identifier: MIT */
/* What the sets of kernels know of each other. Private to engine/dsp. */
#ifndef ENGINE_DSP_KERNELS_SETS_H
#define ENGINE_DSP_KERNELS_SETS_H

#include "engine/dsp/kernels.h"

#ifdef ENGINE_HAVE_AVX2
/* Runs on CPUs with AVX2 alone: ask engine_kernels_best() or engine_kernels_named(). */
const struct engine_kernels *engine_kernels_avx2(void);
#endif

#endif
