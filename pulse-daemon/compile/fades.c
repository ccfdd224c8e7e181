/* SPDX-License-Identifier: MIT */
/* Fades: shapes, and the table of those already made. Projects with ten thousand clips have few different fades. */
#include "pulse-daemon/compile/fades.h"

#include <stdlib.h>

#include "common/math/exact.h"

#define CAPACITY_FIRST 64u

void pulse_fades_fini(struct pulse_fades *fades)
{
    free(fades->slots);
    *fades = (struct pulse_fades){.slots = NULL};
}

double pulse_fade_gain(enum pulse_fade_shape shape, double x)
{
    switch (shape) {
    case PULSE_FADE_LINEAR:
        return x;
    case PULSE_FADE_CONSTANT_POWER:
        return lh_sin_half_pi(x);
    case PULSE_FADE_EXPONENTIAL:
        return (lh_exp10(3.0 * x) - 1.0) / 999.0;
    case PULSE_FADE_S_CURVE: {
        double sine = lh_sin_half_pi(x); /* (1 - cos 2a)/2 = sin^2 a: no cancellation near 0 */
        return sine * sine;
    }
    }
    return x;
}

struct fade {
    enum pulse_fade_shape shape;
    int64_t length;
    bool out;
};

static double gain_at(const void *context, int64_t frame)
{
    const struct fade *fade = context;
    int64_t elapsed = fade->out ? fade->length - frame : frame;
    return pulse_fade_gain(fade->shape, (double)elapsed / (double)fade->length);
}

static enum lh_status make(struct graph_builder *builder, struct pulse_points *points, const struct fade *fade,
                           uint32_t *curve)
{
    int64_t cell = fade->length / PULSE_FADE_STEPS;
    cell = cell < 1 ? 1 : cell > PULSE_CELL_FRAMES ? PULSE_CELL_FRAMES : cell;
    pulse_points_clear(points);
    double bend = fade->shape == PULSE_FADE_LINEAR ? 0.0 : PULSE_BEND_UNKNOWN;
    enum lh_status status = pulse_points_sample(points, gain_at, fade, 0, fade->length, cell, bend);
    return status != LH_OK ? status : graph_builder_add_curve(builder, points->items, points->count, curve);
}

/* The slot that holds the fade, or the empty one where it belongs. */
static struct pulse_fade_entry *find(const struct pulse_fades *fades, const struct fade *fade)
{
    uint64_t hash = (uint64_t)fade->length * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)fade->shape * 2 + fade->out;
    hash ^= hash >> 32;
    for (size_t i = (size_t)hash;; i++) {
        struct pulse_fade_entry *slot = &fades->slots[i & (fades->capacity - 1)];
        if (slot->length == 0 ||
            (slot->length == fade->length && slot->shape == fade->shape && slot->out == fade->out)) {
            return slot;
        }
    }
}

/* Keeps the table at most half full. */
static enum lh_status reserve(struct pulse_fades *fades)
{
    if (2 * (fades->count + 1) <= fades->capacity) {
        return LH_OK;
    }
    struct pulse_fades larger = {.capacity = fades->capacity == 0 ? CAPACITY_FIRST : 2 * fades->capacity};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < fades->capacity; i++) {
        const struct pulse_fade_entry *slot = &fades->slots[i];
        if (slot->length > 0) {
            *find(&larger, &(struct fade){slot->shape, slot->length, slot->out}) = *slot;
        }
    }
    larger.count = fades->count;
    free(fades->slots);
    *fades = larger;
    return LH_OK;
}

enum lh_status pulse_fades_curve(struct pulse_fades *fades, struct graph_builder *builder, struct pulse_points *points,
                                 enum pulse_fade_shape shape, int64_t length, bool out, uint32_t *curve)
{
    const struct fade fade = {.shape = shape, .length = length, .out = out};
    enum lh_status status = reserve(fades);
    if (status != LH_OK) {
        return status;
    }
    struct pulse_fade_entry *slot = find(fades, &fade);
    if (slot->length == 0) {
        uint32_t made;
        status = make(builder, points, &fade, &made);
        if (status != LH_OK) {
            return status;
        }
        *slot = (struct pulse_fade_entry){.length = length, .shape = shape, .out = out, .curve = made};
        fades->count++;
    }
    *curve = slot->curve;
    return LH_OK;
}
