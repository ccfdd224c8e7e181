/* SPDX-License-Identifier: MIT */
/* Gated means and percentiles of block energies. Sums are exact to double precision; a relative gate keeps or drops a
   bin as a whole, by the bin's mean. */
#include "engine/io/meter_gate.h"

#include <math.h>
#include <stddef.h>

#define BS1770_OFFSET_LU 0.691

double engine_gate_energy(double lufs)
{
    return pow(10, (lufs + BS1770_OFFSET_LU) / 10);
}

double engine_gate_lufs(double energy)
{
    return 10 * log10(energy) - BS1770_OFFSET_LU;
}

void engine_gate_add(struct engine_gate *gate, double energy)
{
    double place = (engine_gate_lufs(energy) - ENGINE_GATE_FLOOR_LUFS) * ENGINE_GATE_BINS_PER_LU;
    if (!(place >= 0)) {
        return;
    }
    size_t bin = place < ENGINE_GATE_BINS - 1 ? (size_t)place : ENGINE_GATE_BINS - 1;
    gate->counts[bin]++;
    gate->sums[bin] += energy;
}

/* Sum and count of all bins from `first` on; returns the mean energy, 0 when they are empty. */
static double mean_from(const struct engine_gate *gate, size_t first, uint64_t *count)
{
    double sum = 0;
    *count = 0;
    for (size_t i = first; i < ENGINE_GATE_BINS; i++) {
        sum += gate->sums[i];
        *count += gate->counts[i];
    }
    return *count > 0 ? sum / (double)*count : 0;
}

/* The first bin whose mean passes the relative gate; ENGINE_GATE_BINS when all are empty. */
static size_t relative_gate(const struct engine_gate *gate, double below_lu)
{
    uint64_t count;
    double threshold = mean_from(gate, 0, &count) * pow(10, -below_lu / 10);
    for (size_t i = 0; i < ENGINE_GATE_BINS; i++) {
        if (gate->counts[i] > 0 && gate->sums[i] >= threshold * (double)gate->counts[i]) {
            return i;
        }
    }
    return ENGINE_GATE_BINS;
}

double engine_gate_mean(const struct engine_gate *gate, double below_lu)
{
    uint64_t count;
    return mean_from(gate, relative_gate(gate, below_lu), &count);
}

/* Mean energy of the bin that holds the block of this rank, counted from `first` on. */
static double energy_at(const struct engine_gate *gate, size_t first, uint64_t rank)
{
    uint64_t passed = 0;
    for (size_t i = first; i < ENGINE_GATE_BINS; i++) {
        passed += gate->counts[i];
        if (passed > rank) {
            return gate->sums[i] / (double)gate->counts[i];
        }
    }
    return 0;
}

double engine_gate_range(const struct engine_gate *gate, double below_lu, double low, double high)
{
    size_t first = relative_gate(gate, below_lu);
    uint64_t count;
    (void)mean_from(gate, first, &count);
    if (count == 0) {
        return 0;
    }
    uint64_t low_rank = (uint64_t)((double)(count - 1) * low + 0.5);
    uint64_t high_rank = (uint64_t)((double)(count - 1) * high + 0.5);
    return 10 * log10(energy_at(gate, first, high_rank) / energy_at(gate, first, low_rank));
}
