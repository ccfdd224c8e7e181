/* SPDX-License-Identifier: MIT */
/* The plainest LV2 host there can be, straight on lilv, to compare with: defaults, whole blocks, nothing else. */
#ifndef TESTS_ENGINE_HOST_BARE_H
#define TESTS_ENGINE_HOST_BARE_H

#include <stdbool.h>
#include <stdint.h>

#define BARE_RATE 48000u
#define BARE_CHANNELS_MOST 128u

struct bare_result {
    uint32_t inputs, outputs; /* audio ports */
    float *samples;           /* planar, `frames` for each output; to be freed */
    float latency;            /* of the port that reports it */
};

/* Noise at -12 dBFS, a function of the channel and the frame. */
float bare_noise(uint32_t channel, uint64_t frame);
/* Runs the plugin of that bundle for `frames` (a multiple of `block`) of noise in each audio input. A note is sent at
   frame `note` when it is not negative. Aborts the test where anything is missing. */
struct bare_result bare_run(const char *bundle, const char *uri, const char *preset, uint32_t block, uint32_t frames,
                            int64_t note);

#endif
