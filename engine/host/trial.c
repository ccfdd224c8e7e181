/* SPDX-License-Identifier: MIT */
/* Holding a trial. Input is a function of channel and frame, and what is kept of the output does not depend on how it
   was cut, so that two trials with other blocks can be compared by their digests. */
#include "engine/host/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOISE_PEAK 0x1p-2   /* -12 dBFS */
#define QUIET 3.1622776e-5f /* -90 dBFS */
#define NOTES_A_SECOND 4
#define VELOCITY 100
#define EVENTS_MOST 256u    /* of one run: 8192 frames at the lowest rate have fewer */
#define TWIN_CHANNELS 1000u /* that its input is told apart by */
#define RAGGED_SEED 1u

static const uint8_t scale[] = {60, 62, 64, 65, 67, 69, 71, 72};

struct held {
    const struct engine_trial *trial;
    struct engine_watch_slot *slot;
    struct engine_trial_result result;
    struct lh_hasher *hasher;
    float *frames; /* interleaved output of one run */
    int64_t input_end;
    int64_t last_loud; /* frame, -1: none */
    uint64_t timed_ns, timed_frames;
    uint32_t lengths; /* state of the ragged sequence */
};

/* White, uniform, -NOISE_PEAK..NOISE_PEAK: SplitMix64's mixing of channel and frame. */
static float noise(uint32_t channel, int64_t frame)
{
    uint64_t x = ((uint64_t)frame + 1) * UINT64_C(0x9E3779B97F4A7C15) + channel * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (float)((double)(int64_t)(x ^ (x >> 31)) * 0x1p-63 * NOISE_PEAK);
}

static void fill_inputs(const struct held *held, struct engine_plugin *plugin, uint32_t first_channel, int64_t frame,
                        uint32_t frames)
{
    uint32_t plain = engine_plugin_audio_inputs(plugin);
    uint32_t all = plain + engine_plugin_sidechain_inputs(plugin);
    for (uint32_t i = 0; i < all; i++) {
        float *input =
            i < plain ? engine_plugin_audio_input(plugin, i) : engine_plugin_sidechain_input(plugin, i - plain);
        for (uint32_t k = 0; k < frames; k++) {
            bool sounds = !held->trial->silence && frame + k < held->input_end;
            input[k] = sounds ? noise(first_channel + i, frame + k) : 0.0f;
        }
    }
}

/* The notes that begin or end in these frames, in order: a scale in quarter seconds, each held for three quarters of
   its time. */
static uint32_t fill_events(const struct held *held, int64_t frame, uint32_t frames, struct graph_event *events)
{
    int64_t step = (int64_t)held->trial->sample_rate / NOTES_A_SECOND;
    uint32_t count = 0;
    for (int64_t n = frame / step; n * step < frame + frames && count + 2 <= EVENTS_MOST; n++) {
        int64_t on = n * step;
        int64_t off = on + step * 3 / 4;
        uint8_t key = scale[n % (int64_t)sizeof scale];
        if (off > held->input_end || held->trial->silence) {
            break;
        }
        if (on >= frame) {
            events[count++] = (struct graph_event){.frame = on, .size = 3, .bytes = {0x90, key, VELOCITY}};
        }
        if (off >= frame && off < frame + frames) {
            events[count++] = (struct graph_event){.frame = off, .size = 3, .bytes = {0x80, key, 0}};
        }
    }
    return count;
}

static void keep_output(struct held *held, const struct engine_plugin *plugin, int64_t frame, uint32_t frames)
{
    uint32_t channels = engine_plugin_audio_outputs(plugin);
    for (uint32_t c = 0; c < channels; c++) {
        const float *output = engine_plugin_audio_output(plugin, c);
        for (uint32_t k = 0; k < frames; k++) {
            float level = fabsf(output[k]);
            held->frames[(size_t)k * channels + c] = output[k];
            held->result.peak = level > held->result.peak ? level : held->result.peak;
            held->last_loud = level > QUIET && frame + k > held->last_loud ? frame + k : held->last_loud;
        }
    }
    lh_hasher_update(held->hasher, held->frames, (size_t)channels * frames * sizeof *held->frames);
}

static enum lh_status run_one(struct held *held, struct engine_plugin *plugin, uint32_t first_channel, int64_t frame,
                              uint32_t frames, struct lh_error *error)
{
    struct graph_event events[EVENTS_MOST];
    const struct engine_position position = {.bpm = 120.0, .numerator = 4, .denominator = 4};
    struct engine_plugin_chunk chunk = {.frame = frame, .frames = frames, .events = events};
    chunk.position = frame == 0 ? &position : NULL;
    chunk.event_count = engine_plugin_takes_notes(plugin) ? fill_events(held, frame, frames, events) : 0;
    fill_inputs(held, plugin, first_channel, frame, frames);
    int64_t fault_frame = 0;
    enum lh_status status = engine_plugin_run(plugin, &chunk, held->slot, GRAPH_NONE, &fault_frame, error);
    if (status != LH_OK) {
        held->result.status = status;
        snprintf(held->result.message, sizeof held->result.message, "%.200s, frame %lld", error->message,
                 (long long)fault_frame);
    }
    return status;
}

static uint32_t next_length(struct held *held, int64_t left)
{
    uint32_t length = held->trial->block;
    if (length == ENGINE_TRIAL_RAGGED) {
        held->lengths = held->lengths * 1664525u + 1013904223u;
        length = 1 + (uint32_t)(((uint64_t)held->lengths * held->trial->quantum) >> 32);
    }
    return (int64_t)length < left ? length : (uint32_t)left;
}

/* Runs the plugin, and its twin before it where there is one. A fault is kept in the result. */
static void run_all(struct held *held, struct engine_plugin *plugin, struct engine_plugin *twin,
                    uint64_t (*clock)(void), struct lh_error *error)
{
    int64_t end = (int64_t)held->trial->frames;
    for (int64_t frame = 0; frame < end;) {
        uint32_t frames = next_length(held, end - frame);
        if (twin != NULL && run_one(held, twin, TWIN_CHANNELS, frame, frames, error) != LH_OK) {
            return;
        }
        uint64_t begin = clock();
        if (run_one(held, plugin, 0, frame, frames, error) != LH_OK) {
            return;
        }
        uint64_t took = clock() - begin;
        if (frame > 0) { /* the first run activates */
            held->timed_ns += took;
            held->timed_frames += frames;
        }
        keep_output(held, plugin, frame, frames);
        uint32_t latency = engine_plugin_latency(plugin);
        held->result.latency_changed = held->result.latency_changed || (frame > 0 && latency != held->result.latency);
        held->result.latency = frame == 0 ? latency : held->result.latency;
        frame += frames;
    }
}

static void conclude(struct held *held)
{
    struct engine_trial_result *result = &held->result;
    result->audible = held->last_loud >= 0;
    int64_t tail = held->last_loud + 1 - held->input_end;
    bool rings = held->last_loud >= (int64_t)held->trial->frames - (int64_t)held->trial->quantum;
    result->tail_frames = rings ? -1 : tail > 0 ? tail : 0;
    result->ns_per_frame = held->timed_frames > 0 ? (double)held->timed_ns / (double)held->timed_frames : 0.0;
    lh_hasher_finish(held->hasher, &result->samples);
}

/* An instance, or why there is none: as a result where the plugin is to blame. */
static enum lh_status make(struct held *held, struct engine_host *host, struct engine_plugin **plugin,
                           struct lh_error *error)
{
    const struct engine_trial *trial = held->trial;
    const struct engine_plugin_config config = {.uri = trial->uri,
                                                .sample_rate = trial->sample_rate,
                                                .quantum = trial->quantum,
                                                .preset = "",
                                                .state = "",
                                                .folder = "",
                                                .unpinned_random = trial->unpinned_random};
    enum lh_status status = engine_plugin_new(host, &config, held->slot, GRAPH_NONE, plugin, error);
    if (status != LH_OK && status != LH_ERR_MISSING && status != LH_ERR_NO_MEMORY) {
        held->result.status = status;
        snprintf(held->result.message, sizeof held->result.message, "%.250s", error->message);
        return LH_OK;
    }
    return status;
}

/* The plugin and its twin. One is made and run before the plugin is made, and another one after it, the one that stays:
   whatever they leave in static variables, the plugin has met it. */
static enum lh_status make_both(struct held *held, struct engine_host *host, struct engine_plugin **plugin,
                                struct engine_plugin **twin, struct lh_error *error)
{
    if (!held->trial->twin) {
        return make(held, host, plugin, error);
    }
    struct engine_plugin *first = NULL;
    enum lh_status status = make(held, host, &first, error);
    if (first != NULL && run_one(held, first, TWIN_CHANNELS, 0, 1, error) == LH_OK) {
        status = make(held, host, plugin, error);
    }
    engine_plugin_free(first, held->slot, GRAPH_NONE);
    if (status == LH_OK && held->result.status == LH_OK) {
        status = make(held, host, twin, error);
    }
    return status;
}

enum lh_status engine_trial_run(struct engine_host *host, const struct engine_trial *trial, uint64_t (*clock)(void),
                                struct engine_watch_slot *slot, struct engine_trial_result *result,
                                struct lh_error *error)
{
    struct held held = {
        .trial = trial, .slot = slot, .input_end = (int64_t)trial->frames / 2, .last_loud = -1, .lengths = RAGGED_SEED};
    struct engine_plugin *plugin = NULL;
    struct engine_plugin *twin = NULL;
    struct lh_error own = LH_ERROR_INIT;
    error = error != NULL ? error : &own;
    enum lh_status status = lh_hasher_new(&held.hasher);
    if (status != LH_OK) {
        return lh_error_no_memory(error);
    }
    status = make_both(&held, host, &plugin, &twin, error);
    if (status == LH_OK && held.result.status == LH_OK) {
        size_t channels = engine_plugin_audio_outputs(plugin);
        held.frames = malloc((channels + 1) * trial->quantum * sizeof *held.frames);
        status = held.frames != NULL ? LH_OK : lh_error_no_memory(error);
    }
    if (status == LH_OK && held.result.status == LH_OK) {
        run_all(&held, plugin, twin, clock, error);
    }
    engine_plugin_free(twin, slot, GRAPH_NONE);
    engine_plugin_free(plugin, slot, GRAPH_NONE);
    if (status == LH_OK) {
        conclude(&held);
        *result = held.result;
    }
    free(held.frames);
    lh_hasher_free(held.hasher);
    return status;
}
