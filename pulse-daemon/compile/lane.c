/* SPDX-License-Identifier: MIT */
/* Automation resolved to frames. */
#include "pulse-daemon/compile/lane.h"

#include <math.h>
#include <stdlib.h>

struct pulse_lane pulse_lane_constant(double value)
{
    return (struct pulse_lane){.constant = value};
}

struct timed {
    int64_t frame;
    size_t index; /* in the file: orders equals */
};

static int compare_timed(const void *left, const void *right)
{
    const struct timed *a = left, *b = right;
    if (a->frame != b->frame) {
        return a->frame < b->frame ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

static enum lh_status sort_points(struct lh_arena *arena, const struct pulse_tempo_map *map,
                                  const struct pulse_automation *automation, struct timed **sorted, size_t *beyond)
{
    size_t count = automation->point_count;
    struct timed *timed = lh_arena_array(arena, count, sizeof *timed);
    if (timed == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        timed[i].index = i;
        if (!pulse_tempo_frame(map, automation->points[i].at, &timed[i].frame)) {
            *beyond = i;
            return LH_ERR_LIMIT;
        }
    }
    qsort(timed, count, sizeof *timed, compare_timed);
    *sorted = timed;
    return LH_OK;
}

enum lh_status pulse_lane_resolve(struct lh_arena *arena, const struct pulse_tempo_map *map,
                                  const struct pulse_automation *automation, struct pulse_lane *lane, size_t *beyond)
{
    struct timed *timed = NULL;
    enum lh_status status = sort_points(arena, map, automation, &timed, beyond);
    if (status != LH_OK) {
        return status;
    }
    struct pulse_lane_point *points = lh_arena_array(arena, automation->point_count, sizeof *points);
    if (points == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    size_t count = 0;
    for (size_t i = 0; i < automation->point_count; i++) {
        const struct pulse_point *point = &automation->points[timed[i].index];
        if (count == 0 || points[count - 1].frame != timed[i].frame) {
            points[count++] = (struct pulse_lane_point){.frame = timed[i].frame, .reached = point->value};
        }
        points[count - 1].value = point->value;
        points[count - 1].ramp = point->curve == PULSE_CURVE_LINEAR && automation->target != PULSE_TARGET_MUTE;
    }
    for (size_t i = 0; i < count; i++) {
        points[i].ramp = points[i].ramp && i + 1 < count && points[i].value != points[i + 1].reached &&
                         isfinite(points[i].value) && isfinite(points[i + 1].reached);
    }
    *lane = (struct pulse_lane){.points = points, .count = count};
    return LH_OK;
}

struct pulse_lane_stretch pulse_lane_stretch(const struct pulse_lane *lane, int64_t frame)
{
    if (lane->count == 0) {
        return (struct pulse_lane_stretch){.from = lane->constant, .to = lane->constant};
    }
    if (frame < lane->points[0].frame) {
        return (struct pulse_lane_stretch){.from = lane->points[0].reached, .to = lane->points[0].reached};
    }
    size_t low = 0, high = lane->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (lane->points[middle].frame <= frame) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const struct pulse_lane_point *point = &lane->points[low];
    if (!point->ramp) {
        return (struct pulse_lane_stretch){.from = point->value, .to = point->value};
    }
    return (struct pulse_lane_stretch){
        .start = point->frame, .end = point[1].frame, .from = point->value, .to = point[1].reached};
}

double pulse_lane_value(const struct pulse_lane_stretch *stretch, int64_t frame)
{
    if (stretch->from == stretch->to || frame <= stretch->start) {
        return stretch->from;
    }
    if (frame >= stretch->end) {
        return stretch->to;
    }
    double part = (double)(frame - stretch->start) / (double)(stretch->end - stretch->start);
    return stretch->from + (stretch->to - stretch->from) * part;
}
