/* SPDX-License-Identifier: MIT */
/* Loudness of a deliverable: EBU R 128 / ITU-R BS.1770-4, K-weighting by libebur128; true and sample peak by our own
   kernels. Memory does not grow with the length: block energies are summed in bins of 0.1 LU, so a gate may misplace
   only the blocks of the one bin that it cuts. Channels are weighted by their place in WAV's order: with 4 or 5 the
   last two, with 6 (5.1) the last two, with 7 and 8 the side pair are surrounds (+1.5 dB); channel 4 of 6 to 8 is the
   LFE and does not count; all others are front channels. Mono is one front channel (BS.1770), so the same signal in two
   channels measures 3 dB more. One thread at a time; samples in order; the blocks in which they come do not matter. */
#ifndef ENGINE_IO_METER_H
#define ENGINE_IO_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

struct engine_loudness {
    double integrated_lufs; /* -inf when nothing passed the gate (silence, shorter than 400 ms) */
    double range_lu;        /* LRA, 0 when too short */
    double true_peak_dbtp;  /* -inf for silence */
    double sample_peak_dbfs;
    double max_momentary_lufs;  /* loudest 400 ms; -inf when silent or shorter */
    double max_short_term_lufs; /* loudest 3 s; -inf when silent or shorter */
};

struct engine_meter;
LH_NODISCARD enum lh_status engine_meter_new(uint32_t channels, uint32_t rate, struct engine_meter **meter);
void engine_meter_free(struct engine_meter *meter); /* accepts NULL */
LH_NODISCARD enum lh_status engine_meter_add(struct engine_meter *meter, const float *in, size_t frames);
void engine_meter_get(const struct engine_meter *meter, struct engine_loudness *loudness);

/* The linear gain that a target asks for: towards `integrated` (if has), lowered until the true peak holds (if has). In
   dB, rounded to 0.001 (the ceiling's share downwards), so that the last bits of a measurement never decide over
   samples. A measurement without loudness asks for no gain, but its true peak is held too. Never above 0 without
   `integrated`. */
double engine_loudness_gain_db(const struct engine_loudness *measured, bool has_integrated, double integrated_lufs,
                               bool has_true_peak, double true_peak_dbtp);

#endif
