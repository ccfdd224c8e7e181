/* SPDX-License-Identifier: MIT */
/* Running a PLUGIN node: its inputs are cut into chunks, each goes through the instances, and what comes out is put
   where the timeline wants it. */
#include <assert.h>
#include <string.h>

#include "engine/dsp/planar.h"
#include "engine/run/unit_impl.h"

/* Where a block's output goes: into the chain's buffer, and what is too early for it waits for the next block. */
struct sink {
    float *out;
    size_t left; /* frames that the buffer still takes */
    size_t channels;
    struct engine_fifo *held;
};

static float *sink_room(struct sink *sink, size_t wanted, size_t *frames)
{
    if (sink->left == 0) {
        float *room = engine_fifo_room(sink->held, wanted, frames);
        assert(*frames > 0);
        engine_fifo_push(sink->held, *frames);
        return room;
    }
    float *room = sink->out;
    *frames = wanted < sink->left ? wanted : sink->left;
    sink->out += *frames * sink->channels;
    sink->left -= *frames;
    return room;
}

/* One block of one unit. */
struct run {
    struct engine_unit *unit;
    const struct engine_pass *pass;
    struct engine_watch_slot *slot;
    const struct engine_chain *chain;
    struct sink sink;
};

/* Frames of the timeline that the node's output has from `from` to `to` on, cut to what is wanted of them. */
static void cut_output(const struct run *run, int64_t *from, int64_t *to)
{
    int64_t begin = run->pass->plan->begin;
    *from = *from > begin ? *from : begin;
    *to = *to < run->chain->stop ? *to : run->chain->stop;
}

/* What the instances gave for the chunk that begins at frame `at` of the timeline, latency removed. */
static void put_output(struct run *run, int64_t at, int64_t end)
{
    const struct engine_unit *unit = run->unit;
    int64_t from = at;
    int64_t to = end;
    cut_output(run, &from, &to);
    while (from < to) {
        size_t frames;
        float *room = sink_room(&run->sink, (size_t)(to - from), &frames);
        size_t first = (size_t)(from - at);
        if (unit->fit.out == GRAPH_FIT_OUT_MEAN) {
            engine_planar_mean(room, unit->planes[0] + first, unit->planes[1] + first, frames);
        } else {
            engine_planar_weave(room, unit->planes, first, frames, run->sink.channels);
        }
        from += (int64_t)frames;
    }
}

/* The input itself, past an analyser. */
static void pass_through(struct run *run, const float *in, int64_t at, size_t count)
{
    size_t channels = run->sink.channels;
    int64_t from = at;
    int64_t to = at + (int64_t)count;
    cut_output(run, &from, &to);
    while (from < to) {
        size_t frames;
        float *room = sink_room(&run->sink, (size_t)(to - from), &frames);
        if (in != NULL) {
            memcpy(room, in + (size_t)(from - at) * channels, frames * channels * sizeof *room);
        } else {
            memset(room, 0, frames * channels * sizeof *room);
        }
        from += (int64_t)frames;
    }
}

static enum lh_status run_copy(const struct run *run, struct engine_plugin *copy,
                               const struct engine_plugin_chunk *chunk, struct lh_error *error)
{
    struct engine_unit *unit = run->unit;
    for (uint32_t m = 0; m < unit->timeline.motion_count; m++) {
        uint32_t curve = unit->timeline.motions[m].curve;
        engine_plugin_set(copy, unit->parameters[m], graph_curve_at(unit->graph, curve, chunk->frame));
    }
    int64_t frame = chunk->frame;
    enum lh_status status = engine_plugin_run(copy, chunk, run->slot, unit->node, &frame, error);
    if (status != LH_OK) {
        return engine_unit_fault(unit->graph, unit->node, frame, status, error);
    }
    unit->latency_changed = unit->latency_changed || engine_plugin_latency(copy) != unit->reported;
    return LH_OK;
}

static enum lh_status run_chunk(struct run *run, struct lh_error *error)
{
    struct engine_unit *unit = run->unit;
    struct engine_position position;
    struct engine_plugin_chunk chunk = {.frame = unit->chunk_from,
                                        .frames = (uint32_t)(unit->chunk_to - unit->chunk_from)};
    if (engine_timeline_position(&unit->timeline, chunk.frame, &position)) {
        chunk.position = &position;
    }
    engine_timeline_events(&unit->timeline, unit->chunk_to, &chunk.events, &chunk.event_count);
    chunk.event_count = unit->takes_notes ? chunk.event_count : 0;
    for (uint32_t c = 0; c < unit->fit.copies; c++) {
        enum lh_status status = run_copy(run, unit->copies[c], &chunk, error);
        if (status != LH_OK) {
            return status;
        }
    }
    if (unit->fit.out != GRAPH_FIT_OUT_PASS) {
        int64_t latency = unit->latency;
        put_output(run, unit->chunk_from - latency, unit->chunk_to - latency);
    }
    return LH_OK;
}

static void begin_chunk(struct engine_unit *unit)
{
    int64_t quantum = unit->graph->quantum;
    unit->chunk_from = unit->chunk_to;
    unit->chunk_to = engine_timeline_cut(&unit->timeline, unit->chunk_from, (unit->chunk_from / quantum + 1) * quantum);
}

/* A stretch of the inputs, NULL where they are silent. */
struct stretch {
    const float *in, *sidechain;
    uint32_t sidechain_channels;
    int64_t from;
    size_t frames;
};

static const float *frames_of(const float *stream, size_t frame, size_t channels)
{
    return stream != NULL ? stream + frame * channels : NULL;
}

/* Fills the instances' inputs, and runs them whenever a chunk is complete. */
static enum lh_status feed(struct run *run, const struct stretch *stretch, struct lh_error *error)
{
    struct engine_unit *unit = run->unit;
    uint32_t channels = (uint32_t)run->sink.channels;
    for (size_t done = 0; done < stretch->frames;) {
        int64_t at = stretch->from + (int64_t)done;
        if (at == unit->chunk_to) {
            begin_chunk(unit);
        }
        int64_t room = unit->chunk_to - at;
        size_t frames = (int64_t)(stretch->frames - done) < room ? stretch->frames - done : (size_t)room;
        size_t filled = (size_t)(at - unit->chunk_from);
        const float *in = frames_of(stretch->in, done, channels);
        const float *side = frames_of(stretch->sidechain, done, stretch->sidechain_channels);
        const struct engine_unit_port *port = unit->ports;
        for (uint32_t i = 0; i < unit->input_count; i++, port++) {
            engine_wire_fill(port->wire, in, frames, channels, port->buffer + filled);
        }
        for (uint32_t i = 0; i < unit->sidechain_count; i++, port++) {
            engine_wire_fill(port->wire, side, frames, stretch->sidechain_channels, port->buffer + filled);
        }
        if (unit->fit.out == GRAPH_FIT_OUT_PASS) {
            pass_through(run, in, at, frames);
        }
        done += frames;
        if (at + (int64_t)frames == unit->chunk_to) {
            enum lh_status status = run_chunk(run, error);
            if (status != LH_OK) {
                return status;
            }
        }
    }
    return LH_OK;
}

/* Reads a stretch of the node's inputs. */
static enum lh_status read_stretch(const struct run *run, uint32_t worker, uint32_t chain, int64_t block,
                                   struct stretch *stretch, struct lh_error *error)
{
    const struct graph *graph = run->unit->graph;
    const struct graph_node *node = &graph->nodes[run->unit->node];
    const struct graph_insert *insert = &graph->inserts[node->insert];
    const struct engine_scratch *scratch = &run->pass->scratch[worker];
    enum lh_status status = LH_OK;
    if (insert->has_input) {
        status = engine_mix_read(run->pass, worker, chain, block, graph->inputs[node->first], stretch->from,
                                 stretch->frames, scratch->value, &stretch->in, error);
    }
    if (status == LH_OK && insert->has_sidechain) {
        uint32_t input = graph->inputs[node->first + node->count - 1];
        stretch->sidechain_channels = graph->nodes[input].channels;
        status = engine_mix_read(run->pass, worker, chain, block, input, stretch->from, stretch->frames,
                                 scratch->sidechain, &stretch->sidechain, error);
    }
    return status;
}

enum lh_status engine_unit_block(struct engine_unit *unit, const struct engine_pass *pass, uint32_t worker,
                                 struct engine_watch_slot *slot, uint32_t chain, int64_t block, struct lh_error *error)
{
    const struct engine_plan *plan = pass->plan;
    const struct engine_chain *own = &plan->chains[chain];
    size_t channels = unit->graph->nodes[unit->node].channels;
    float *out = engine_pass_buffer(pass, chain, block);
    int64_t from;
    int64_t to;
    engine_pass_frames(pass, chain, block, &from, &to);
    size_t taken = engine_fifo_take(&pass->held[chain], out, (size_t)(to - from));
    struct run run = {.unit = unit,
                      .pass = pass,
                      .slot = slot,
                      .chain = own,
                      .sink = {.out = out + taken * channels,
                               .left = (size_t)(to - from) - taken,
                               .channels = channels,
                               .held = &pass->held[chain]}};
    int64_t at;
    int64_t end;
    engine_plan_frames(plan, own->reads, own->reads_stop, block, &at, &end);
    while (at < end) {
        struct stretch stretch = {.from = at, .frames = (size_t)(end - at < plan->stride ? end - at : plan->stride)};
        enum lh_status status = read_stretch(&run, worker, chain, block, &stretch, error);
        if (status == LH_OK) {
            status = feed(&run, &stretch, error);
        }
        if (status != LH_OK) {
            return status;
        }
        at += (int64_t)stretch.frames;
    }
    assert(run.sink.left == 0);
    return own->judged ? engine_mix_judge(pass, unit->node, from, out, (size_t)(to - from), error) : LH_OK;
}
