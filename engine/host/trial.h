/* SPDX-License-Identifier: MIT */
/* A trial: one plugin is run alone with known input and looked at. What makes it evidence (other processes, other block
   sizes, without AVX) is the caller's to arrange; a trial is what one child can tell.

   Input: noise of full bandwidth at -12 dBFS from a fixed generator for the first half of the time, then silence; notes
   (C major, one every quarter of a second, velocity 100) during the first half when the plugin takes notes. */
#ifndef ENGINE_HOST_TRIAL_H
#define ENGINE_HOST_TRIAL_H

#include "engine/host/host.h"

#define ENGINE_TRIAL_RAGGED 0 /* block: lengths of 1..quantum from a fixed sequence */

struct engine_trial {
    const char *uri, *bundle;
    uint32_t sample_rate;
    uint32_t quantum;     /* 64..8192: the most of one run */
    uint32_t block;       /* frames of each run, at most the quantum; ENGINE_TRIAL_RAGGED */
    uint64_t frames;      /* how long */
    bool twin;            /* others are made before and after it; one runs before it, in turn, with other input */
    bool unpinned_random; /* rand() as the C library has it */
    bool silence;         /* no input at all: what does it do by itself? */
};

struct engine_trial_result {
    enum lh_status status;    /* of the plugin; LH_ERR_FAULT: gave NaN, wrote past a buffer, ... */
    char message[256];        /* why, when not LH_OK */
    struct lh_digest samples; /* of all audio outputs, planar by chunk independent of block: interleaved frames */
    uint32_t latency;
    bool latency_changed;
    bool audible;        /* some output was not silent */
    int64_t tail_frames; /* from the end of the input to the last frame above -90 dBFS; -1: still ringing at the end */
    float peak;          /* of all outputs */
    double ns_per_frame; /* of the run calls alone, by the clock that is handed in */
};

/* `clock`: nanoseconds, monotonic. Failures of the plugin are results; the status says whether the trial could be held:
   LH_ERR_MISSING, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_trial_run(struct engine_host *host, const struct engine_trial *trial,
                                             uint64_t (*clock)(void), struct engine_watch_slot *slot,
                                             struct engine_trial_result *result, struct lh_error *error);

#endif
