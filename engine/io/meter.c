/* SPDX-License-Identifier: MIT */
/* The meter. libebur128 does the K-weighting and the energies of 10 ms; windows and gates are ours (meter_gate.c),
   because libebur128 keeps either a list that grows with the length or a histogram that rounds every block to 0.1 LU.
 */
#include "engine/io/meter.h"

#include <ebur128.h>
#include <math.h>
#include <stdlib.h>

#include "engine/dsp/kernels.h"
#include "engine/dsp/true_peak.h"
#include "engine/io/meter_gate.h"

#define STEP_MS 10u           /* fine enough that a window meets the loudest place within 0.1 LU (Tech 3341, case 13) */
#define GATING_STEPS 10u      /* a gating block begins every 100 ms */
#define MOMENTARY_STEPS 40u   /* 400 ms: BS.1770's gating block, with 75 % overlap */
#define SHORT_TERM_STEPS 300u /* 3 s */
#define INTEGRATED_GATE_LU 10.0
#define RANGE_GATE_LU 20.0
#define RANGE_LOW 0.10
#define RANGE_HIGH 0.95
#define GAIN_STEPS_PER_DB 1000.0

struct engine_meter {
    ebur128_state *weighting;
    struct engine_true_peak *true_peak;
    const struct engine_kernels *kernels;
    size_t channels;
    size_t step_frames, step_fill;
    double steps[SHORT_TERM_STEPS]; /* energies of the last steps, a ring */
    uint64_t step_count;
    struct engine_gate blocks, short_terms;
    double max_momentary, max_short_term; /* energies */
    float peaks[GRAPH_CHANNELS_MAX];
};

/* BS.1770-4, tables 3 and 4, for WAV's order of speakers. libebur128's Mp110/Mm110 weigh 1.41; Mp135 and Mp180 weigh 1.
 */
static int channel_place(uint32_t channels, uint32_t channel)
{
    static const int front[] = {EBUR128_LEFT, EBUR128_RIGHT, EBUR128_CENTER};
    if (channels > 8) {
        return EBUR128_CENTER;
    }
    if (channels == 4 && channel >= 2) {
        return channel == 2 ? EBUR128_LEFT_SURROUND : EBUR128_RIGHT_SURROUND;
    }
    if (channel < 3) {
        return channels == 1 ? EBUR128_CENTER : front[channel];
    }
    if (channel == 3 && channels >= 6) {
        return EBUR128_UNUSED;
    }
    if (channels == 7) {
        return channel == 4 ? EBUR128_Mp180 : channel == 5 ? EBUR128_Mp090 : EBUR128_Mm090;
    }
    if (channels == 8 && channel < 6) {
        return channel == 4 ? EBUR128_Mp135 : EBUR128_Mm135;
    }
    return (channels - channel) == 2 ? EBUR128_LEFT_SURROUND : EBUR128_RIGHT_SURROUND;
}

static enum lh_status open_weighting(struct engine_meter *meter, uint32_t channels, uint32_t rate)
{
    meter->weighting = ebur128_init(channels, rate, EBUR128_MODE_M);
    if (meter->weighting == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t c = 0; c < channels; c++) {
        if (ebur128_set_channel(meter->weighting, c, channel_place(channels, c)) != EBUR128_SUCCESS) {
            return LH_ERR_INTERNAL;
        }
    }
    return LH_OK;
}

enum lh_status engine_meter_new(uint32_t channels, uint32_t rate, struct engine_meter **meter)
{
    if (channels < 1 || channels > GRAPH_CHANNELS_MAX || rate < GRAPH_RATE_MIN || rate > GRAPH_RATE_MAX) {
        return LH_ERR_UNSUPPORTED;
    }
    struct engine_meter *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    opened->channels = channels;
    opened->step_frames = (rate * STEP_MS + 500) / 1000;
    opened->kernels = engine_kernels_current();
    enum lh_status status = open_weighting(opened, channels, rate);
    if (status == LH_OK) {
        status = engine_true_peak_new(channels, rate, &opened->true_peak);
    }
    if (status != LH_OK) {
        engine_meter_free(opened);
        return status;
    }
    *meter = opened;
    return LH_OK;
}

void engine_meter_free(struct engine_meter *meter)
{
    if (meter == NULL) {
        return;
    }
    if (meter->weighting != NULL) {
        ebur128_destroy(&meter->weighting);
    }
    engine_true_peak_free(meter->true_peak);
    free(meter);
}

static double mean_of_last(const struct engine_meter *meter, unsigned steps)
{
    unsigned end = (unsigned)(meter->step_count % SHORT_TERM_STEPS);
    unsigned begin = (end + SHORT_TERM_STEPS - steps) % SHORT_TERM_STEPS;
    double sum = 0;
    for (unsigned i = begin; i < (begin < end ? end : SHORT_TERM_STEPS); i++) {
        sum += meter->steps[i];
    }
    for (unsigned i = 0; begin >= end && i < end; i++) {
        sum += meter->steps[i];
    }
    return sum / steps;
}

/* A step is full: one more window of 400 ms and one of 3 s end here, and every 100 ms they enter the gates. */
static enum lh_status end_step(struct engine_meter *meter)
{
    double lufs;
    if (ebur128_loudness_window(meter->weighting, STEP_MS, &lufs) != EBUR128_SUCCESS) {
        return LH_ERR_INTERNAL;
    }
    meter->steps[meter->step_count % SHORT_TERM_STEPS] = engine_gate_energy(lufs);
    meter->step_count++;
    bool gated = meter->step_count % GATING_STEPS == 0;
    if (meter->step_count >= MOMENTARY_STEPS) {
        double energy = mean_of_last(meter, MOMENTARY_STEPS);
        if (gated) {
            engine_gate_add(&meter->blocks, energy);
        }
        meter->max_momentary = fmax(meter->max_momentary, energy);
    }
    if (meter->step_count >= SHORT_TERM_STEPS) {
        double energy = mean_of_last(meter, SHORT_TERM_STEPS);
        if (gated) {
            engine_gate_add(&meter->short_terms, energy);
        }
        meter->max_short_term = fmax(meter->max_short_term, energy);
    }
    return LH_OK;
}

enum lh_status engine_meter_add(struct engine_meter *meter, const float *in, size_t frames)
{
    meter->kernels->peak(meter->peaks, in, frames, meter->channels);
    engine_true_peak_add(meter->true_peak, in, frames);
    while (frames > 0) {
        size_t piece = meter->step_frames - meter->step_fill;
        if (piece > frames) {
            piece = frames;
        }
        if (ebur128_add_frames_float(meter->weighting, in, piece) != EBUR128_SUCCESS) {
            return LH_ERR_NO_MEMORY;
        }
        meter->step_fill += piece;
        in += piece * meter->channels;
        frames -= piece;
        if (meter->step_fill == meter->step_frames) {
            meter->step_fill = 0;
            enum lh_status status = end_step(meter);
            if (status != LH_OK) {
                return status;
            }
        }
    }
    return LH_OK;
}

static double decibels(float peak)
{
    return 20 * log10((double)peak);
}

void engine_meter_get(const struct engine_meter *meter, struct engine_loudness *loudness)
{
    float peak = 0, true_peak = 0;
    for (size_t c = 0; c < meter->channels; c++) {
        peak = fmaxf(peak, meter->peaks[c]);
        true_peak = fmaxf(true_peak, engine_true_peak_get(meter->true_peak, c));
    }
    *loudness = (struct engine_loudness){
        .integrated_lufs = engine_gate_lufs(engine_gate_mean(&meter->blocks, INTEGRATED_GATE_LU)),
        .range_lu = engine_gate_range(&meter->short_terms, RANGE_GATE_LU, RANGE_LOW, RANGE_HIGH),
        .true_peak_dbtp = decibels(true_peak),
        .sample_peak_dbfs = decibels(peak),
        .max_momentary_lufs = engine_gate_lufs(meter->max_momentary),
        .max_short_term_lufs = engine_gate_lufs(meter->max_short_term),
    };
}

double engine_loudness_gain_db(const struct engine_loudness *measured, bool has_integrated, double integrated_lufs,
                               bool has_true_peak, double true_peak_dbtp)
{
    double gain_db = 0;
    if (has_integrated && isfinite(measured->integrated_lufs)) {
        gain_db = rint((integrated_lufs - measured->integrated_lufs) * GAIN_STEPS_PER_DB) / GAIN_STEPS_PER_DB;
    }
    if (has_true_peak && isfinite(measured->true_peak_dbtp)) {
        double most = floor((true_peak_dbtp - measured->true_peak_dbtp) * GAIN_STEPS_PER_DB) / GAIN_STEPS_PER_DB;
        gain_db = fmin(gain_db, most);
    }
    return gain_db + 0.0; /* no negative zero in reports */
}
