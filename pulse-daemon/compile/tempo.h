/* SPDX-License-Identifier: MIT */
/* The tempo map: beats to seconds to frames and back. Beats are quarter notes. A ramp is linear in bpm over beats:
   with slope m (bpm per beat) from bpm0, the time of b beats is 60/m ln(1 + m b / bpm0). */
#ifndef PULSE_COMPILE_TEMPO_H
#define PULSE_COMPILE_TEMPO_H

#include "pulse-daemon/project/model.h"

/* A stretch of the map; the last one never ends. */
struct pulse_tempo_stretch {
    double beats, seconds; /* where it begins */
    double bpm;            /* there */
    double slope;          /* bpm per beat; 0: a step */
};

struct pulse_tempo_map {
    const struct pulse_tempo_stretch *stretches;
    size_t count; /* at least one */
    double rate;  /* frames per second */
};

/* The stretches are in the arena. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_tempo_map_init(struct pulse_tempo_map *map, struct lh_arena *arena,
                                                 const struct pulse_project *project);
double pulse_tempo_seconds(const struct pulse_tempo_map *map, double beats);
double pulse_tempo_beats(const struct pulse_tempo_map *map, double seconds);

/* A position in frames, not yet rounded; unit NONE is 0. */
double pulse_tempo_position(const struct pulse_tempo_map *map, struct pulse_time at);
/* A position in beats. */
double pulse_tempo_beat(const struct pulse_tempo_map *map, struct pulse_time at);

/* To the nearest frame, ties to even. False when the result is not in 0..GRAPH_FRAMES_MAX-1. */
bool pulse_tempo_round(double frames, int64_t *frame);
bool pulse_tempo_frame(const struct pulse_tempo_map *map, struct pulse_time at, int64_t *frame);
/* How many frames `length` has when it begins at `start`: in beats round(end) - round(start), else round(length). */
bool pulse_tempo_length(const struct pulse_tempo_map *map, struct pulse_time start, struct pulse_time length,
                        int64_t *frames);
/* The same for a length that ends at `end`; a beginning before beat 0 is beat 0. */
bool pulse_tempo_length_before(const struct pulse_tempo_map *map, struct pulse_time end, struct pulse_time length,
                               int64_t *frames);

#endif
