/* SPDX-License-Identifier: MIT */
/* The tempo map: prefix sums of the stretches' times, closed forms inside them. */
#include "pulse-daemon/compile/tempo.h"

#include <math.h>

#include "common/math/exact.h"
#include "graph/graph.h"

#define SECONDS_PER_MINUTE 60.0

/* log(1 + u) / u, 1 at u = 0: what a ramp's time is longer than at a steady tempo. */
static double log1p_by(double u)
{
    return u == 0.0 ? 1.0 : lh_log1p(u) / u;
}

/* (e^v - 1) / v without cancellation (W. Kahan): the error of e^v near 1 divides out. */
static double expm1_by(double v)
{
    double power = lh_exp(v);
    if (power == 1.0 || v == 0.0) {
        return 1.0;
    }
    double logarithm = lh_log(power);
    return (power - 1.0) / v * (v / logarithm);
}

static double stretch_seconds(const struct pulse_tempo_stretch *stretch, double beats)
{
    double steady = SECONDS_PER_MINUTE * beats / stretch->bpm;
    return stretch->slope == 0.0 ? steady : steady * log1p_by(stretch->slope * beats / stretch->bpm);
}

static double stretch_beats(const struct pulse_tempo_stretch *stretch, double seconds)
{
    double steady = stretch->bpm * seconds / SECONDS_PER_MINUTE;
    return stretch->slope == 0.0 ? steady : steady * expm1_by(stretch->slope * seconds / SECONDS_PER_MINUTE);
}

enum lh_status pulse_tempo_map_init(struct pulse_tempo_map *map, struct lh_arena *arena,
                                    const struct pulse_project *project)
{
    size_t count = project->tempo_count;
    struct pulse_tempo_stretch *stretches = lh_arena_array(arena, count, sizeof *stretches);
    if (stretches == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    double seconds = 0.0;
    for (size_t i = 0; i < count; i++) {
        const struct pulse_tempo_point *point = &project->tempo[i];
        struct pulse_tempo_stretch stretch = {.beats = point->beats, .seconds = seconds, .bpm = point->bpm};
        if (i + 1 < count) {
            double beats = point[1].beats - point->beats;
            if (point->curve == PULSE_TEMPO_RAMP && beats > 0.0) {
                stretch.slope = (point[1].bpm - point->bpm) / beats;
            }
            seconds += stretch_seconds(&stretch, beats);
        }
        stretches[i] = stretch;
    }
    *map = (struct pulse_tempo_map){.stretches = stretches, .count = count, .rate = project->sample_rate};
    return LH_OK;
}

double pulse_tempo_seconds(const struct pulse_tempo_map *map, double beats)
{
    size_t low = 0, high = map->count; /* the stretch is in low..high-1 */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (map->stretches[middle].beats <= beats) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const struct pulse_tempo_stretch *stretch = &map->stretches[low];
    return stretch->seconds + stretch_seconds(stretch, beats - stretch->beats);
}

double pulse_tempo_beats(const struct pulse_tempo_map *map, double seconds)
{
    size_t low = 0, high = map->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (map->stretches[middle].seconds <= seconds) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const struct pulse_tempo_stretch *stretch = &map->stretches[low];
    return stretch->beats + stretch_beats(stretch, seconds - stretch->seconds);
}

double pulse_tempo_position(const struct pulse_tempo_map *map, struct pulse_time at)
{
    switch (at.unit) {
    case PULSE_UNIT_NONE:
        return 0.0;
    case PULSE_UNIT_BEATS:
        return pulse_tempo_seconds(map, at.value) * map->rate;
    case PULSE_UNIT_SECONDS:
        return at.value * map->rate;
    case PULSE_UNIT_FRAMES:
        return at.value;
    }
    return 0.0;
}

double pulse_tempo_beat(const struct pulse_tempo_map *map, struct pulse_time at)
{
    if (at.unit == PULSE_UNIT_BEATS) {
        return at.value;
    }
    double seconds = at.unit == PULSE_UNIT_SECONDS ? at.value : pulse_tempo_position(map, at) / map->rate;
    return pulse_tempo_beats(map, seconds);
}

bool pulse_tempo_round(double frames, int64_t *frame)
{
    double rounded = rint(frames); /* to nearest, ties to even: the default mode, exact on every CPU */
    if (!(rounded >= 0.0 && rounded < (double)GRAPH_FRAMES_MAX)) {
        return false;
    }
    *frame = (int64_t)rounded;
    return true;
}

bool pulse_tempo_frame(const struct pulse_tempo_map *map, struct pulse_time at, int64_t *frame)
{
    return pulse_tempo_round(pulse_tempo_position(map, at), frame);
}

/* Frames between two positions, each rounded as it stands: a detour by way of beats could turn a tie. */
static bool frames_between(const struct pulse_tempo_map *map, struct pulse_time start, struct pulse_time end,
                           int64_t *frames)
{
    int64_t from, to;
    if (!pulse_tempo_frame(map, start, &from) || !pulse_tempo_frame(map, end, &to)) {
        return false;
    }
    *frames = to > from ? to - from : 0;
    return true;
}

bool pulse_tempo_length(const struct pulse_tempo_map *map, struct pulse_time start, struct pulse_time length,
                        int64_t *frames)
{
    if (length.unit != PULSE_UNIT_BEATS) {
        return pulse_tempo_frame(map, length, frames);
    }
    double to = pulse_tempo_beat(map, start) + length.value;
    return frames_between(map, start, (struct pulse_time){PULSE_UNIT_BEATS, to}, frames);
}

bool pulse_tempo_length_before(const struct pulse_tempo_map *map, struct pulse_time end, struct pulse_time length,
                               int64_t *frames)
{
    if (length.unit != PULSE_UNIT_BEATS) {
        return pulse_tempo_frame(map, length, frames);
    }
    double to = pulse_tempo_beat(map, end);
    double from = to > length.value ? to - length.value : 0.0;
    return frames_between(map, (struct pulse_time){PULSE_UNIT_BEATS, from}, end, frames);
}
