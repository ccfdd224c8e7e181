/* SPDX-License-Identifier: MIT */
/* True peak as ITU-R BS.1770-4 Annex 2 defines it: four-fold oversampling (two-fold from 96 kHz on, none from 192 kHz
   on) by a polyphase FIR, largest magnitude of each channel. Streaming: the state carries the filter's history, so the
   blocks do not matter.

   The filter is our own, of 16 taps a phase, at 0, 1/4, 1/2 and 3/4 of the gap between two samples: the table that the
   Annex prints as an example has 12 taps a phase and a ripple of +-0.24 dB, more than the meter's whole tolerance
   (EBU Tech 3341: +0.2/-0.4 dB). Ours is the minimax fit to the ideal delay over 0..20 kHz at 48 kHz (Lawson's
   iteration, coefficients rounded to float): within +-0.06 dB there, -1.9 dB at 0.45 of the rate. What remains is the
   grid's own: a peak between two points of it reads low by 0.17 dB at most for a tone at a quarter of the rate. */
#ifndef ENGINE_DSP_TRUE_PEAK_H
#define ENGINE_DSP_TRUE_PEAK_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

struct engine_true_peak;

/* `channels` 1..16. */
LH_NODISCARD enum lh_status engine_true_peak_new(size_t channels, uint32_t rate, struct engine_true_peak **meter);
void engine_true_peak_free(struct engine_true_peak *meter); /* accepts NULL */
/* Interleaved samples. */
void engine_true_peak_add(struct engine_true_peak *meter, const float *in, size_t frames);
/* Linear, at least the sample peak; includes the filter's run-out. NaN reads as infinite. The meter may go on. */
float engine_true_peak_get(const struct engine_true_peak *meter, size_t channel);

#endif
