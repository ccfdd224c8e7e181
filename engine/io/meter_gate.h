/* SPDX-License-Identifier: MIT */
/* Loudness gates over any length in constant memory: a histogram of block energies that keeps each bin's exact sum. */
#ifndef ENGINE_IO_METER_GATE_H
#define ENGINE_IO_METER_GATE_H

#include <stdint.h>

#define ENGINE_GATE_FLOOR_LUFS (-70.0) /* BS.1770's absolute gate: what lies below is never counted */
#define ENGINE_GATE_BINS_PER_LU 10
#define ENGINE_GATE_BINS 1500 /* up to +80 LUFS: past the engine's overload */

struct engine_gate {
    uint64_t counts[ENGINE_GATE_BINS];
    double sums[ENGINE_GATE_BINS]; /* energies */
};

/* Energy is the weighted mean square: LUFS = -0.691 + 10 log10(energy). */
double engine_gate_energy(double lufs);
double engine_gate_lufs(double energy); /* -inf at 0 */
void engine_gate_add(struct engine_gate *gate, double energy);
/* Mean energy of what passes the absolute gate and then the relative one, `below_lu` under the mean of the former; 0
   when nothing does. */
double engine_gate_mean(const struct engine_gate *gate, double below_lu);
/* Between the two percentiles (0..1) of what passes both gates, in LU (EBU Tech 3342); 0 when nothing does. */
double engine_gate_range(const struct engine_gate *gate, double below_lu, double low, double high);

#endif
