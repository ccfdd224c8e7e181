/* SPDX-License-Identifier: MIT */
/* Do layouts meet: of media on tracks, on outputs and on sends. */
#include "pulse-daemon/compile/clips.h"
#include "pulse-daemon/compile/strip.h"

/* The destination's channels for the fader's pan: of the output, for the master its own. */
static uint32_t destination_channels(const struct pulse_compiling *c, size_t track)
{
    size_t to = c->project->tracks[track].output;
    if (to == PULSE_NONE) {
        return c->channels[track];
    }
    return c->channels[to] != 0 ? c->channels[to] : pulse_track_channels(c, to);
}

enum pulse_pan_kind pulse_fader_pan(const struct pulse_compiling *c, size_t track)
{
    enum pulse_pan_kind kind;
    bool meets = pulse_pan_between(c->channels[track], destination_channels(c, track), &kind);
    return meets ? kind : PULSE_PAN_NOT;
}

uint32_t pulse_post_channels(const struct pulse_compiling *c, size_t track)
{
    return pulse_fader_pan(c, track) == PULSE_PAN_LAW ? 2 : c->channels[track];
}

static void check_output(struct pulse_compiling *c, size_t track)
{
    const struct pulse_track *item = &c->project->tracks[track];
    enum pulse_pan_kind kind;
    if (!pulse_output_is_live(&c->routing, track) || !pulse_takes_part(c, item->output)) {
        return;
    }
    uint32_t from = c->channels[track], to = c->channels[item->output];
    if (!pulse_pan_between(from, to, &kind)) {
        bool written = lh_json_member(item->json, "output") != NULL;
        pulse_fault(c, item->json, written ? "/output" : "", LH_ERR_INVALID,
                    "track \"%s\" has %u channel%s and its output \"%s\" has %u; give both the same \"channels\" (only "
                    "mono goes into stereo)",
                    item->id, from, from == 1 ? "" : "s", c->project->tracks[item->output].id, to);
    }
}

static void check_send(struct pulse_compiling *c, size_t track, size_t index)
{
    const struct pulse_track *item = &c->project->tracks[track];
    const struct pulse_send *send = &item->sends[index];
    enum pulse_pan_kind kind;
    if (!pulse_send_is_live(&c->routing, track, index) || !pulse_takes_part(c, send->to)) {
        return;
    }
    uint32_t from = send->tap == PULSE_TAP_PRE ? c->channels[track] : pulse_post_channels(c, track);
    uint32_t to = c->channels[send->to];
    if (!pulse_pan_between(from, to, &kind)) {
        pulse_fault(c, send->json, "/to", LH_ERR_INVALID,
                    "the send's signal has %u channel%s (%s fader) and \"%s\" has %u; give both the same \"channels\" "
                    "(only mono goes into stereo)",
                    from, from == 1 ? "" : "s", send->tap == PULSE_TAP_PRE ? "pre" : "post",
                    c->project->tracks[send->to].id, to);
    }
}

void pulse_check_layouts(struct pulse_compiling *c)
{
    for (size_t i = 0; i < c->project->track_count; i++) {
        if (!pulse_takes_part(c, i)) {
            continue;
        }
        if (c->routing.needed[i]) {
            pulse_check_clip_layouts(c, i);
        }
        check_output(c, i);
        for (size_t k = 0; k < c->project->tracks[i].send_count; k++) {
            check_send(c, i, k);
        }
    }
}
