/* SPDX-License-Identifier: MIT */
/* Loudness of a deliverable: EBU R 128 / ITU-R BS.1770-4 by libebur128 (integrated, range), true and sample peak by our own kernels.
   One thread at a time; samples in order. */
#ifndef ENGINE_IO_METER_H
#define ENGINE_IO_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

struct engine_loudness {
    double integrated_lufs;   /* -inf when nothing passed the gate (silence, shorter than 400 ms) */
    double range_lu;          /* LRA, 0 when too short */
    double true_peak_dbtp;    /* -inf for silence */
    double sample_peak_dbfs;
};

struct engine_meter;
LH_NODISCARD enum lh_status engine_meter_new(uint32_t channels, uint32_t rate, struct engine_meter **meter);
void engine_meter_free(struct engine_meter *meter); /* accepts NULL */
LH_NODISCARD enum lh_status engine_meter_add(struct engine_meter *meter, const float *in, size_t frames);
void engine_meter_get(const struct engine_meter *meter, struct engine_loudness *loudness);

/* The linear gain that a target asks for: towards `integrated` (if has), lowered until the true peak holds (if has). In dB,
   rounded to 0.001 (the ceiling's share downwards), so that the last bits of a measurement never decide over samples.
   0 when the measurement has no loudness. */
double engine_loudness_gain_db(const struct engine_loudness *measured, bool has_integrated, double integrated_lufs,
                               bool has_true_peak, double true_peak_dbtp);

#endif
