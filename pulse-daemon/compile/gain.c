/* SPDX-License-Identifier: MIT */
/* Faders and sends as curves. Time is cut where either automation has a point, so that inside a stretch both are
   smooth; a stretch that bends is sampled, one that does not is two points. */
#include "pulse-daemon/compile/gain.h"

#include <math.h>

#include "common/math/exact.h"

/* One channel of a gain over a stretch that no point divides. */
struct piece {
    const struct pulse_gain *gain;
    struct pulse_lane_stretch level, pan;
    double held_level; /* linear gain while the level holds */
    uint32_t channel;
};

static struct piece piece_at(const struct pulse_gain *gain, uint32_t channel, int64_t frame)
{
    struct piece piece = {.gain = gain, .channel = channel};
    piece.level = pulse_lane_stretch(&gain->level, frame);
    piece.pan = pulse_lane_stretch(&gain->pan, frame);
    piece.held_level = lh_gain_from_db(piece.level.from);
    return piece;
}

static double piece_gain(const void *context, int64_t frame)
{
    const struct piece *piece = context;
    double level = piece->held_level;
    if (piece->level.from != piece->level.to) {
        level = lh_gain_from_db(pulse_lane_value(&piece->level, frame));
    }
    if (piece->gain->kind == PULSE_PAN_NOT) {
        return level;
    }
    double pan = pulse_lane_value(&piece->pan, frame);
    return level * pulse_pan_gain(piece->gain->kind, piece->gain->law, pan, piece->channel);
}

static bool pan_moves(const struct piece *piece)
{
    return piece->gain->kind != PULSE_PAN_NOT && piece->pan.from != piece->pan.to;
}

static double change_per_frame(const struct pulse_lane_stretch *stretch)
{
    return stretch->from == stretch->to ? 0.0
                                        : fabs(stretch->to - stretch->from) / (double)(stretch->end - stretch->start);
}

#define NEPERS_PER_DB 0.11512925464970229 /* ln(10) / 20 */

/* A bound of the second derivative. With level e^(k n) and pan law P at w a frame it is level (k^2 P + 2 k w P' + w^2
   P'') and for every law and balance |P| <= 1, |P'| <= 1, |P''| <= 1 in units of pan. 0 when the piece is a straight
   line. */
static double bend_of(const struct piece *piece)
{
    double k = NEPERS_PER_DB * change_per_frame(&piece->level);
    double w = pan_moves(piece) ? change_per_frame(&piece->pan) : 0.0;
    if (k == 0.0 && (w == 0.0 || pulse_pan_is_linear(piece->gain->kind, piece->gain->law))) {
        return 0.0;
    }
    return lh_gain_from_db(fmax(piece->level.from, piece->level.to)) * (k + w) * (k + w);
}

/* Balance has a corner where it crosses the centre, between two frames: the last frame before it, or -1. */
static int64_t corner(const struct piece *piece)
{
    const struct pulse_lane_stretch *pan = &piece->pan;
    if (piece->gain->kind != PULSE_PAN_BALANCE || !pan_moves(piece) || (pan->from < 0.0) == (pan->to < 0.0)) {
        return -1;
    }
    double part = (0.0 - pan->from) / (pan->to - pan->from);
    return pan->start + (int64_t)floor(part * (double)(pan->end - pan->start));
}

static enum lh_status sample_piece(const struct piece *piece, int64_t start, int64_t end, struct pulse_points *points)
{
    double bend = bend_of(piece);
    int64_t centre = corner(piece);
    int64_t at = start;
    for (int64_t next = centre; next >= 0 && next <= centre + 1; next++) {
        if (next > at && next < end) {
            enum lh_status status = pulse_points_sample(points, piece_gain, piece, at, next, PULSE_CELL_FRAMES, bend);
            if (status != LH_OK) {
                return status;
            }
            at = next;
        }
    }
    return pulse_points_sample(points, piece_gain, piece, at, end, PULSE_CELL_FRAMES, bend);
}

/* Merges the frames of both lanes: the first past `frame`, or INT64_MAX. */
static int64_t next_frame(const struct pulse_lane *lane, size_t *index, int64_t frame)
{
    while (*index < lane->count && lane->points[*index].frame <= frame) {
        (*index)++;
    }
    return *index < lane->count ? lane->points[*index].frame : INT64_MAX;
}

enum lh_status pulse_gain_sample(const struct pulse_gain *gain, uint32_t channel, struct pulse_points *points)
{
    size_t level_index = 0, pan_index = 0;
    int64_t frame = -1; /* before every point */
    pulse_points_clear(points);
    for (;;) {
        int64_t level_next = next_frame(&gain->level, &level_index, frame);
        int64_t pan_next = next_frame(&gain->pan, &pan_index, frame);
        int64_t next = level_next < pan_next ? level_next : pan_next;
        struct piece piece = piece_at(gain, channel, frame);
        enum lh_status status;
        if (next == INT64_MAX) { /* holds for ever */
            int64_t last = frame < 0 ? 0 : frame;
            return pulse_points_add(points, last, piece_gain(&piece, last));
        }
        if (frame < 0) {
            status = pulse_points_add(points, next, piece_gain(&piece, next));
        } else {
            status = sample_piece(&piece, frame, next, points);
        }
        if (status != LH_OK) {
            return status;
        }
        frame = next;
    }
}

/* Both sides have one gain: there is no pan, or it stands where the sides are equal. */
static bool sides_are_equal(const struct pulse_gain *gain)
{
    double pan = gain->pan.constant;
    return gain->kind == PULSE_PAN_NOT || (gain->pan.count == 0 && pulse_pan_gain(gain->kind, gain->law, pan, 0) ==
                                                                       pulse_pan_gain(gain->kind, gain->law, pan, 1));
}

enum lh_status pulse_gain_build(const struct pulse_gain *gain, uint32_t channels, struct graph_builder *builder,
                                struct pulse_points *points, struct pulse_gain_curves *curves)
{
    struct pulse_gain_curves made = {.channels = channels};
    bool equal = sides_are_equal(gain);
    for (uint32_t c = 0; c < channels; c++) {
        if (c > 0 && equal) {
            made.curves[c] = made.curves[0];
            continue;
        }
        enum lh_status status = pulse_gain_sample(gain, c, points);
        if (status == LH_OK && points->overflow) {
            status = LH_ERR_UNSUPPORTED;
        }
        made.audible = made.audible || points->audible;
        if (status == LH_OK) {
            status = graph_builder_add_curve(builder, points->items, points->count, &made.curves[c]);
        }
        if (status != LH_OK) {
            return status;
        }
    }
    *curves = made;
    return LH_OK;
}

enum lh_status pulse_gain_gate(const struct pulse_lane *mute, uint32_t channels, struct graph_builder *builder,
                               struct pulse_points *points, struct pulse_gain_curves *curves)
{
    struct pulse_gain_curves made = {.channels = channels};
    pulse_points_clear(points);
    enum lh_status status = LH_OK;
    double before = mute->count > 0 ? mute->points[0].reached : mute->constant;
    if (mute->count == 0) {
        status = pulse_points_add(points, 0, before != 0.0 ? 0.0 : 1.0);
    }
    for (size_t i = 0; status == LH_OK && i < mute->count; i++) {
        const struct pulse_lane_point *point = &mute->points[i];
        status = pulse_points_add(points, point->frame, before != 0.0 ? 0.0 : 1.0);
        if (status == LH_OK) {
            status = pulse_points_add(points, point->frame, point->value != 0.0 ? 0.0 : 1.0);
        }
        before = point->value;
    }
    if (status == LH_OK) {
        status = graph_builder_add_curve(builder, points->items, points->count, &made.curves[0]);
    }
    if (status != LH_OK) {
        return status;
    }
    for (uint32_t c = 1; c < channels; c++) {
        made.curves[c] = made.curves[0];
    }
    made.audible = points->audible;
    *curves = made;
    return LH_OK;
}
