/* SPDX-License-Identifier: MIT */
/* True peak, ITU-R BS.1770-4 Annex 2: four-fold oversampling (two-fold from 96 kHz on, none from 192 kHz on) by a polyphase FIR, largest
   magnitude of each channel. Streaming: the state carries the filter's history, so the blocks do not matter. */
#ifndef ENGINE_DSP_TRUE_PEAK_H
#define ENGINE_DSP_TRUE_PEAK_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

struct engine_true_peak;

LH_NODISCARD enum lh_status engine_true_peak_new(size_t channels, uint32_t rate, struct engine_true_peak **meter);
void engine_true_peak_free(struct engine_true_peak *meter); /* accepts NULL */
/* Interleaved samples. */
void engine_true_peak_add(struct engine_true_peak *meter, const float *in, size_t frames);
/* Linear, at least the sample peak; includes the filter's run-out. The meter may go on. */
float engine_true_peak_get(const struct engine_true_peak *meter, size_t channel);

#endif
