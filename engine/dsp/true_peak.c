/* SPDX-License-Identifier: MIT */
/* The true peak meter: history and pieces around the interpolating kernel. */
#include "engine/dsp/true_peak.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/dsp/kernels.h"

#define HISTORY ENGINE_TRUE_PEAK_HISTORY
#define PIECE_SAMPLES 2048
#define TWOFOLD_FROM 96000u /* Hz */
#define NONE_FROM 192000u   /* Hz */

struct engine_true_peak {
    const struct engine_kernels *kernels;
    size_t channels;
    unsigned factor;
    float peaks[GRAPH_CHANNELS_MAX];
    /* The last HISTORY frames, then room for the piece that follows them. */
    float samples[HISTORY * GRAPH_CHANNELS_MAX + PIECE_SAMPLES];
};

enum lh_status engine_true_peak_new(size_t channels, uint32_t rate, struct engine_true_peak **meter)
{
    assert(channels >= 1 && channels <= GRAPH_CHANNELS_MAX);
    struct engine_true_peak *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    made->kernels = engine_kernels_current();
    made->channels = channels;
    made->factor = rate >= NONE_FROM ? 1 : rate >= TWOFOLD_FROM ? 2 : 4;
    *meter = made;
    return LH_OK;
}

void engine_true_peak_free(struct engine_true_peak *meter)
{
    free(meter);
}

void engine_true_peak_add(struct engine_true_peak *meter, const float *in, size_t frames)
{
    const size_t channels = meter->channels, history = HISTORY * channels;
    if (meter->factor == 1) {
        meter->kernels->peak(meter->peaks, in, frames, channels);
        return;
    }
    while (frames > 0) {
        size_t piece = PIECE_SAMPLES / channels;
        piece = piece < frames ? piece : frames;
        memcpy(meter->samples + history, in, piece * channels * sizeof *in);
        meter->kernels->true_peak(meter->peaks, meter->samples, piece, channels, meter->factor);
        memmove(meter->samples, meter->samples + piece * channels, history * sizeof *in);
        in += piece * channels;
        frames -= piece;
    }
}

float engine_true_peak_get(const struct engine_true_peak *meter, size_t channel)
{
    assert(channel < meter->channels);
    if (meter->factor == 1) {
        return meter->peaks[channel];
    }
    const size_t channels = meter->channels;
    float peaks[GRAPH_CHANNELS_MAX];
    float run_out[2 * HISTORY * GRAPH_CHANNELS_MAX] = {0};
    memcpy(peaks, meter->peaks, sizeof peaks);
    memcpy(run_out, meter->samples, HISTORY * channels * sizeof *run_out);
    meter->kernels->true_peak(peaks, run_out, HISTORY, channels, meter->factor);
    return peaks[channel];
}
