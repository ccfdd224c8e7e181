/* SPDX-License-Identifier: MIT */
/* Break-points by adaptive bisection. */
#include "pulse-daemon/compile/points.h"

#include <stdlib.h>

#define CAPACITY_FIRST 256u

void pulse_points_clear(struct pulse_points *points)
{
    points->count = 0;
    points->audible = false;
    points->overflow = false;
}

void pulse_points_fini(struct pulse_points *points)
{
    free(points->items);
    *points = (struct pulse_points){.items = NULL};
}

enum lh_status pulse_points_add(struct pulse_points *points, int64_t frame, double value)
{
    float gain = (float)value;
    if (!isfinite(gain)) {
        points->overflow = true;
        gain = 0.0f;
    }
    if (points->count > 0) {
        const struct graph_point *last = &points->items[points->count - 1];
        if (last->frame == frame && last->value == gain) {
            return LH_OK;
        }
    }
    if (points->count == points->capacity) {
        size_t capacity = points->capacity == 0 ? CAPACITY_FIRST : points->capacity * 2;
        if (capacity > PULSE_CURVE_POINTS_MAX) {
            return LH_ERR_LIMIT;
        }
        struct graph_point *items = realloc(points->items, capacity * sizeof *items);
        if (items == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        points->items = items;
        points->capacity = capacity;
    }
    points->items[points->count++] = (struct graph_point){.frame = frame, .value = gain};
    points->audible = points->audible || gain != 0.0f;
    return LH_OK;
}

struct sampler {
    struct pulse_points *points;
    pulse_points_function *function;
    const void *context;
};

struct sample {
    int64_t frame;
    double value;
};

static struct sample take(const struct sampler *sampler, int64_t frame)
{
    return (struct sample){.frame = frame, .value = sampler->function(sampler->context, frame)};
}

/* Half of the tolerance is left to what lies between the frames that are looked at, and to rounding. */
static bool is_near(const struct sample *from, const struct sample *to, const struct sample *exact)
{
    double a = (float)from->value, b = (float)to->value;
    double line = a + (b - a) * ((double)(exact->frame - from->frame) / (double)(to->frame - from->frame));
    double size = fabs(exact->value);
    return fabs(line - exact->value) <= PULSE_CURVE_TOLERANCE / 2.0 * (size > 1.0 ? size : 1.0);
}

/* Adds what is needed after `from` up to and including `to`; halves a cell of 64 frames six times at most. */
static enum lh_status bisect(const struct sampler *sampler, const struct sample *from, const struct sample *to)
{
    int64_t length = to->frame - from->frame;
    if (length <= 1) {
        return pulse_points_add(sampler->points, to->frame, to->value);
    }
    struct sample middle = take(sampler, from->frame + length / 2);
    bool near = is_near(from, to, &middle);
    if (near && length >= 4) { /* a symmetric curve meets its chord in the middle: look beside it too */
        struct sample quarter = take(sampler, from->frame + length / 4);
        near = is_near(from, to, &quarter);
    }
    if (near) {
        return pulse_points_add(sampler->points, to->frame, to->value);
    }
    enum lh_status status = bisect(sampler, from, &middle);
    return status != LH_OK ? status : bisect(sampler, &middle, to);
}

enum lh_status pulse_points_sample(struct pulse_points *points, pulse_points_function *function, const void *context,
                                   int64_t start, int64_t end, int64_t cell, double bend)
{
    struct sampler sampler = {.points = points, .function = function, .context = context};
    bool straight = bend == 0.0;
    /* A chord of length h is off by at most bend h^2 / 8. */
    bool flat = bend * (double)(cell * cell) / 8.0 <= PULSE_CURVE_TOLERANCE / 2.0;
    if (!straight && (end - start) / cell >= PULSE_CURVE_POINTS_MAX) {
        return LH_ERR_LIMIT; /* known before the work is done */
    }
    struct sample from = take(&sampler, start);
    enum lh_status status = pulse_points_add(points, start, from.value);
    while (status == LH_OK && from.frame < end) {
        int64_t next = straight || end - from.frame <= cell ? end : from.frame + cell;
        struct sample to = take(&sampler, next);
        status = flat ? pulse_points_add(points, next, to.value) : bisect(&sampler, &from, &to);
        from = to;
    }
    return status;
}
