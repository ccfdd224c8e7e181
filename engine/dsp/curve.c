/* SPDX-License-Identifier: MIT */
/* Gain curves laid out sample by sample: stretches that hold, stretches that ramp, by the formula of graph/graph.h. */
#include "engine/dsp/kernels.h"

/* Frames laid out at once: an int counts them, which vectorises where an int64_t does not. */
#define STRETCH_FRAMES_MAX (1 << 20)

static void fill_constant(float *restrict out, size_t frames, size_t stride, float value)
{
    if (stride == 1) {
        for (size_t i = 0; i < frames; i++) {
            out[i] = value;
        }
        return;
    }
    for (size_t i = 0; i < frames; i++) {
        out[i * stride] = value;
    }
}

/* `from` + i is (double)(n - a.frame) exactly: both are whole numbers far below 2^53. */
static void fill_ramp(float *restrict out, int frames, size_t stride, double start, double slope, double from)
{
    if (stride == 1) {
        for (int i = 0; i < frames; i++) {
            out[i] = (float)(start + slope * (from + (double)i));
        }
        return;
    }
    for (int i = 0; i < frames; i++) {
        out[(size_t)i * stride] = (float)(start + slope * (from + (double)i));
    }
}

/* How many points lie at or before `frame`. */
static uint32_t points_until(const struct graph_point *points, uint32_t count, int64_t frame)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (points[middle].frame <= frame) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void engine_curve_fill(const struct graph *graph, uint32_t curve, int64_t frame, size_t frames, float *out,
                       size_t stride)
{
    const struct graph_point *points = graph->points + graph->curves[curve].first;
    const uint32_t count = graph->curves[curve].count;
    uint32_t next = points_until(points, count, frame); /* the first point after `frame` */
    while (frames > 0) {
        size_t stretch = frames;
        if (next < count && (uint64_t)(points[next].frame - frame) < stretch) {
            stretch = (size_t)(points[next].frame - frame);
        }
        if (next == 0) {
            fill_constant(out, stretch, stride, points[0].value);
        } else if (next == count) {
            fill_constant(out, stretch, stride, points[count - 1].value);
        } else if (points[next].value == points[next - 1].value) {
            fill_constant(out, stretch, stride, points[next - 1].value + 0.0f); /* the formula makes +0 of -0 */
        } else {
            const struct graph_point *a = &points[next - 1], *b = &points[next];
            stretch = stretch < STRETCH_FRAMES_MAX ? stretch : STRETCH_FRAMES_MAX;
            double slope = ((double)b->value - a->value) / (double)(b->frame - a->frame);
            fill_ramp(out, (int)stretch, stride, a->value, slope, (double)(frame - a->frame));
        }
        frame += (int64_t)stretch;
        frames -= stretch;
        out += stretch * stride;
        while (next < count && points[next].frame <= frame) {
            next++;
        }
    }
}

void engine_fade_fill(const struct graph *graph, uint32_t curve, int64_t length, int64_t distance, int step,
                      size_t frames, float *out, size_t stride)
{
    const struct graph_point *points = graph->points + graph->curves[curve].first;
    const uint32_t count = graph->curves[curve].count;
    const double scale = (double)GRAPH_FADE_SPAN / (double)length;
    uint32_t next = points_until(points, count, (int64_t)((double)distance * scale));
    for (size_t i = 0; i < frames; i++, distance += step) {
        double position = (double)distance * scale;
        while (next < count && (double)points[next].frame <= position) {
            next++;
        }
        while (next > 0 && (double)points[next - 1].frame > position) {
            next--;
        }
        if (next == 0 || next == count) {
            out[i * stride] = points[next == 0 ? 0 : count - 1].value;
            continue;
        }
        const struct graph_point *a = &points[next - 1], *b = &points[next];
        double slope = ((double)b->value - a->value) / (double)(b->frame - a->frame);
        out[i * stride] = (float)((double)a->value + slope * (position - (double)a->frame));
    }
}
