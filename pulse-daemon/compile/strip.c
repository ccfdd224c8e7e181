/* SPDX-License-Identifier: MIT */
/* Tracks as nodes. One pass builds every track's whole signal in the order of the routes; a pass more for each
   contribution carries one track's share downstream with the same curves. Silence is the absence of a node. */
#include "pulse-daemon/compile/strip.h"

#include <stdio.h>
#include <stdlib.h>

#include "pulse-daemon/compile/clips.h"
#include "pulse-daemon/compile/inserts.h"

#define LABEL_SIZE 192
#define CAPACITY_FIRST 256u

enum lh_status pulse_mixer_init(struct pulse_mixer *mixer, struct pulse_compiling *c)
{
    size_t count = c->project->track_count;
    *mixer = (struct pulse_mixer){
        .c = c,
        .gains = lh_arena_array(&c->arena, count, sizeof *mixer->gains),
        .sends = lh_arena_array(&c->arena, count, sizeof *mixer->sends),
        .strips = lh_arena_array(&c->arena, count, sizeof *mixer->strips),
        .shares = lh_arena_array(&c->arena, count, sizeof *mixer->shares),
        .heads = lh_arena_array(&c->arena, count, sizeof *mixer->heads),
    };
    bool ok = mixer->gains != NULL && mixer->sends != NULL && mixer->strips != NULL && mixer->shares != NULL &&
              mixer->heads != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        size_t sends = pulse_takes_part(c, i) ? c->project->tracks[i].send_count : 0;
        if (sends > 0) {
            mixer->sends[i] = lh_arena_array(&c->arena, sends, sizeof **mixer->sends);
            ok = mixer->sends[i] != NULL;
        }
    }
    return ok ? LH_OK : LH_ERR_NO_MEMORY;
}

void pulse_mixer_fini(struct pulse_mixer *mixer)
{
    free(mixer->flows);
    free(mixer->inputs);
    mixer->flows = NULL;
    mixer->inputs = NULL;
}

static void forget_flows(struct pulse_mixer *mixer)
{
    mixer->flow_count = 0;
    for (size_t i = 0; i < mixer->c->project->track_count; i++) {
        mixer->heads[i] = PULSE_NONE;
    }
}

static enum lh_status add_flow(struct pulse_mixer *mixer, size_t track, uint32_t node)
{
    if (mixer->flow_count == mixer->flow_capacity) {
        size_t capacity = mixer->flow_capacity == 0 ? CAPACITY_FIRST : 2 * mixer->flow_capacity;
        struct pulse_flow *flows = realloc(mixer->flows, capacity * sizeof *flows);
        if (flows == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        mixer->flows = flows;
        mixer->flow_capacity = capacity;
    }
    mixer->flows[mixer->flow_count] = (struct pulse_flow){.node = node, .next = mixer->heads[track]};
    mixer->heads[track] = mixer->flow_count++;
    return LH_OK;
}

/* The lane of a target: its automation, or the static value. A point past all time is a fault. */
static enum lh_status lane_of(struct pulse_compiling *c, const struct pulse_track *track, enum pulse_target target,
                              size_t index, double value, struct pulse_lane *lane)
{
    const struct pulse_automation *automation = pulse_automation_of(track, target, index);
    *lane = pulse_lane_constant(value);
    if (automation == NULL) {
        return LH_OK;
    }
    size_t beyond = 0;
    enum lh_status status = pulse_lane_resolve(&c->arena, &c->tempo, automation, lane, &beyond);
    if (status == LH_ERR_LIMIT) {
        pulse_fault(c, track->json, "/automation", LH_ERR_LIMIT, "point %zu of \"%s\" lies past frame 2^40", beyond,
                    automation->parameter);
        return LH_OK;
    }
    return status;
}

/* The curves' own faults become the user's. */
static enum lh_status told(struct pulse_compiling *c, enum lh_status status, const struct lh_json *json)
{
    if (status == LH_ERR_LIMIT) {
        pulse_fault(c, json, "", LH_ERR_LIMIT,
                    "the automation ramps for too long: its table would need more than %u points; shorten the ramps",
                    PULSE_CURVE_POINTS_MAX);
        return LH_OK;
    }
    if (status == LH_ERR_UNSUPPORTED) {
        pulse_fault(c, json, "", LH_ERR_INVALID, "a gain here is too large to be used; lower gainDb");
        return LH_OK;
    }
    return status;
}

static enum lh_status ready_gate(struct pulse_mixer *mixer, size_t track)
{
    struct pulse_compiling *c = mixer->c;
    const struct pulse_track *item = &c->project->tracks[track];
    struct pulse_track_gains *gains = &mixer->gains[track];
    struct pulse_lane mute;
    if (gains->gate_ready) {
        return LH_OK;
    }
    gains->gate_ready = true;
    enum lh_status status = lane_of(c, item, PULSE_TARGET_MUTE, 0, 0.0, &mute);
    if (status == LH_OK) {
        status = pulse_gain_gate(&mute, c->channels[track], c->builder, &c->points, &gains->gate);
    }
    return told(c, status, item->json);
}

static enum lh_status ready_fader(struct pulse_mixer *mixer, size_t track)
{
    struct pulse_compiling *c = mixer->c;
    const struct pulse_track *item = &c->project->tracks[track];
    struct pulse_track_gains *gains = &mixer->gains[track];
    struct pulse_gain gain = {.kind = pulse_fader_pan(c, track), .law = c->project->pan_law};
    if (gains->fader_ready) {
        return LH_OK;
    }
    gains->fader_ready = true;
    enum lh_status status = lane_of(c, item, PULSE_TARGET_GAIN, 0, item->gain_db, &gain.level);
    if (status == LH_OK) {
        status = lane_of(c, item, PULSE_TARGET_PAN, 0, item->pan, &gain.pan);
    }
    if (status == LH_OK) {
        status = pulse_gain_build(&gain, pulse_post_channels(c, track), c->builder, &c->points, &gains->fader);
    }
    return told(c, status, item->json);
}

static enum lh_status ready_send(struct pulse_mixer *mixer, size_t track, size_t index)
{
    struct pulse_compiling *c = mixer->c;
    const struct pulse_track *item = &c->project->tracks[track];
    const struct pulse_send *send = &item->sends[index];
    struct pulse_gain_curves *curves = &mixer->sends[track][index];
    if (curves->channels != 0) {
        return LH_OK;
    }
    struct pulse_gain gain = {.law = c->project->pan_law, .pan = pulse_lane_constant(send->pan)};
    uint32_t from = send->tap == PULSE_TAP_PRE ? c->channels[track] : pulse_post_channels(c, track);
    uint32_t to = c->channels[send->to];
    if (!pulse_pan_between(from, to, &gain.kind)) {
        return LH_ERR_INTERNAL; /* layouts were checked before */
    }
    enum lh_status status = lane_of(c, item, PULSE_TARGET_SEND_GAIN, index, send->gain_db, &gain.level);
    if (status == LH_OK) {
        status = pulse_gain_build(&gain, to, c->builder, &c->points, curves);
    }
    curves->channels = to;
    return told(c, status, send->json);
}

/* `input` times the curves; silence stays silence. */
static enum lh_status apply(struct pulse_mixer *mixer, uint32_t input, const struct pulse_gain_curves *gain,
                            const char *label, uint32_t *node)
{
    *node = GRAPH_NONE;
    if (input == GRAPH_NONE || !gain->audible) {
        return LH_OK;
    }
    return graph_builder_add_gain(mixer->c->builder, input, gain->channels, gain->curves, label, node);
}

/* Gate, pre tap, fader, post tap. */
static enum lh_status build_taps(struct pulse_mixer *mixer, size_t track, uint32_t source, struct pulse_strip *strip)
{
    const char *id = mixer->c->project->tracks[track].id;
    char label[LABEL_SIZE];
    *strip = (struct pulse_strip){GRAPH_NONE, GRAPH_NONE};
    if (source == GRAPH_NONE) {
        return LH_OK;
    }
    enum lh_status status = ready_gate(mixer, track);
    if (status == LH_OK) {
        snprintf(label, sizeof label, "track %s, mute", id);
        status = apply(mixer, source, &mixer->gains[track].gate, label, &strip->pre);
    }
    if (status == LH_OK && mixer->c->routing.opens[track]) {
        status = ready_fader(mixer, track);
        if (status == LH_OK) {
            snprintf(label, sizeof label, "track %s, fader", id);
            status = apply(mixer, strip->pre, &mixer->gains[track].fader, label, &strip->post);
        }
    }
    return status;
}

/* The sum of what flowed into a track; GRAPH_NONE when nothing did. */
static enum lh_status build_bus(struct pulse_mixer *mixer, size_t track, uint32_t *node)
{
    struct pulse_compiling *c = mixer->c;
    const struct pulse_track *item = &c->project->tracks[track];
    size_t count = 0;
    *node = GRAPH_NONE;
    if (mixer->input_capacity < mixer->flow_count) {
        uint32_t *inputs = realloc(mixer->inputs, mixer->flow_capacity * sizeof *inputs);
        if (inputs == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        mixer->inputs = inputs;
        mixer->input_capacity = mixer->flow_capacity;
    }
    for (size_t at = mixer->heads[track]; at != PULSE_NONE; at = mixer->flows[at].next) {
        mixer->inputs[count++] = mixer->flows[at].node;
    }
    if (count > GRAPH_INPUTS_MAX) {
        pulse_fault(c, item->json, "", LH_ERR_LIMIT, "%zu tracks and sends go into \"%s\"; %d can: use groups", count,
                    item->id, GRAPH_INPUTS_MAX);
        return LH_OK;
    }
    if (count == 0) {
        return LH_OK;
    }
    char label[LABEL_SIZE];
    snprintf(label, sizeof label, "track %s, bus", item->id);
    return graph_builder_add_sum(c->builder, GRAPH_NODE_BUS, c->channels[track], item->invert, mixer->inputs, count,
                                 label, node);
}

/* Sends a strip's signal on to where it is heard. */
static enum lh_status route(struct pulse_mixer *mixer, size_t track, const struct pulse_strip *strip)
{
    struct pulse_compiling *c = mixer->c;
    const struct pulse_track *item = &c->project->tracks[track];
    if (strip->post != GRAPH_NONE && pulse_output_is_live(&c->routing, track) && pulse_takes_part(c, item->output)) {
        enum lh_status status = add_flow(mixer, item->output, strip->post);
        if (status != LH_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < item->send_count; i++) {
        const struct pulse_send *send = &item->sends[i];
        uint32_t tap = send->tap == PULSE_TAP_PRE ? strip->pre : strip->post;
        if (tap == GRAPH_NONE || !pulse_send_is_live(&c->routing, track, i) || !pulse_takes_part(c, send->to)) {
            continue;
        }
        char label[LABEL_SIZE];
        uint32_t node = GRAPH_NONE;
        snprintf(label, sizeof label, "send %s to %s", item->id, c->project->tracks[send->to].id);
        enum lh_status status = ready_send(mixer, track, i);
        if (status == LH_OK) {
            status = apply(mixer, tap, &mixer->sends[track][i], label, &node);
        }
        if (status == LH_OK && node != GRAPH_NONE) {
            status = add_flow(mixer, send->to, node);
        }
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

static enum lh_status build_source(struct pulse_mixer *mixer, size_t track, uint32_t *node)
{
    enum pulse_track_type type = mixer->c->project->tracks[track].type;
    bool plays = type == PULSE_TRACK_AUDIO || type == PULSE_TRACK_INSTRUMENT;
    return plays ? pulse_compile_clips(mixer->c, track, node) : build_bus(mixer, track, node);
}

enum lh_status pulse_mixer_build(struct pulse_mixer *mixer)
{
    struct pulse_compiling *c = mixer->c;
    forget_flows(mixer);
    for (size_t i = 0; i < c->project->track_count; i++) {
        size_t track = c->routing.order[i];
        uint32_t source = GRAPH_NONE;
        struct pulse_strip *strip = &mixer->strips[track];
        *strip = (struct pulse_strip){GRAPH_NONE, GRAPH_NONE};
        if (!c->routing.needed[track]) {
            continue;
        }
        enum lh_status status = build_source(mixer, track, &source);
        if (status == LH_OK) {
            status = pulse_inserts_build(c, track, mixer->strips, source, false, &source);
        }
        if (status == LH_OK) {
            status = build_taps(mixer, track, source, strip);
        }
        if (status == LH_OK) {
            status = route(mixer, track, strip);
        }
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

enum lh_status pulse_mixer_contribution(struct pulse_mixer *mixer, size_t track, uint32_t *node)
{
    struct pulse_compiling *c = mixer->c;
    size_t master = c->project->master;
    if (track == master) {
        *node = mixer->strips[track].post;
        return LH_OK;
    }
    forget_flows(mixer);
    enum lh_status status = route(mixer, track, &mixer->strips[track]);
    mixer->shares[master] = (struct pulse_strip){GRAPH_NONE, GRAPH_NONE};
    for (size_t i = 0; status == LH_OK && i < c->project->track_count; i++) {
        size_t at = c->routing.order[i];
        uint32_t bus = GRAPH_NONE;
        if (mixer->heads[at] == PULSE_NONE) {
            continue; /* nothing of the track arrives here */
        }
        status = build_bus(mixer, at, &bus);
        if (status == LH_OK) {
            status = pulse_inserts_build(c, at, mixer->strips, bus, true, &bus);
        }
        if (status == LH_OK) {
            status = build_taps(mixer, at, bus, &mixer->shares[at]);
        }
        if (status == LH_OK) {
            status = route(mixer, at, &mixer->shares[at]);
        }
    }
    if (status == LH_OK) {
        *node = mixer->shares[master].post;
    }
    return status;
}
