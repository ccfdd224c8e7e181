/* SPDX-License-Identifier: MIT */
/* One pass: gives its chains what they need, runs them over the blocks, and ends what they fed. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/run/plugins.h"
#include "engine/run/schedule.h"
#include "engine/run/state.h"

#define DECODERS_MAX 256u /* that a pass keeps open, some 100 KB each; but every node may have one */

struct pass_run {
    struct engine_state *state;
    struct engine_pass pass;
    struct engine_plugins plugins;
    struct engine_meter **meters; /* by chain; NULL but for METER */
    _Atomic int64_t blocks;       /* how many blocks the pass needs: lowered when every tail has ended */
    _Atomic uint32_t tails;       /* deliverables of the pass whose tail has not ended yet */
    _Atomic int64_t last_end;     /* one more than the latest block in which a tail ended */
    _Atomic uint64_t done_blocks;
};

/* What an end chain reads of its node in a block: [*from, *to), without what is played but not delivered. */
static const void *delivered_block(const struct pass_run *run, uint32_t chain, int64_t block, int64_t *from,
                                   int64_t *to)
{
    const struct engine_plan *plan = run->pass.plan;
    uint32_t node = plan->chains[chain].node;
    const uint8_t *in = engine_pass_buffer(&run->pass, engine_plan_source(plan, node, 0), block);
    int64_t first;
    engine_pass_frames(&run->pass, chain, block, &first, to);
    int64_t start = plan->graph->deliverables[plan->chains[chain].deliverable].start;
    *from = first > start ? first : start;
    *to = *to > *from ? *to : *from;
    return in + (size_t)(*from - first) * graph_node_frame_bytes(plan->graph, node);
}

static enum lh_status plugin_block(struct pass_run *run, uint32_t worker, uint32_t chain, int64_t block,
                                   struct lh_error *error)
{
    const struct engine_plan *plan = run->pass.plan;
    uint32_t insert = plan->graph->nodes[plan->chains[chain].node].insert;
    return engine_unit_block(run->plugins.units[insert], &run->pass, worker, engine_plugins_slot(run->state, worker),
                             chain, block, error);
}

static enum lh_status meter_block(struct pass_run *run, uint32_t chain, int64_t block, struct lh_error *error)
{
    const struct engine_plan *plan = run->pass.plan;
    int64_t from;
    int64_t to;
    const float *in = delivered_block(run, chain, block, &from, &to);
    if (from == to) {
        return LH_OK;
    }
    enum lh_status status = engine_meter_add(run->meters[chain], in, (size_t)(to - from));
    if (status != LH_OK) {
        lh_error_set(error, status, plan->graph->nodes[plan->chains[chain].node].label,
                     "the loudness cannot be measured: %s", lh_status_text(status));
    }
    return status;
}

/* Deliverables may be blocks apart, and who ends last must not decide how many blocks the pass has. */
static void end_tail(struct pass_run *run, int64_t block)
{
    int64_t latest = atomic_load(&run->last_end);
    while (latest < block + 1 && !atomic_compare_exchange_weak(&run->last_end, &latest, block + 1)) {
    }
    if (atomic_fetch_sub_explicit(&run->tails, 1, memory_order_acq_rel) == 1) {
        atomic_store_explicit(&run->blocks, atomic_load(&run->last_end), memory_order_release);
    }
}

static enum lh_status deliver_block(struct pass_run *run, uint32_t chain, int64_t block, struct lh_error *error)
{
    const struct engine_plan *plan = run->pass.plan;
    struct engine_delivery *delivery = &run->state->deliveries[plan->chains[chain].deliverable];
    int64_t from;
    int64_t to;
    const void *in = delivered_block(run, chain, block, &from, &to);
    if (from == to) {
        return LH_OK;
    }
    bool was_over = delivery->ended;
    enum lh_status status = engine_delivery_add(delivery, from, to, in, error);
    if (status != LH_OK && error != NULL && error->where[0] == '\0') {
        snprintf(error->where, sizeof error->where, "deliverable %s", delivery->deliverable->name);
    }
    bool over = delivery->ended || to >= delivery->stop;
    if (over && !was_over) {
        end_tail(run, block);
    }
    return status;
}

/* The last chain has done the block. */
static void tell_progress(const struct pass_run *run, int64_t block, uint64_t began)
{
    struct engine_progress *progress = run->state->job->progress;
    const struct engine_plan *plan = run->pass.plan;
    int64_t from;
    int64_t to;
    engine_plan_frames(plan, 0, plan->stop, block, &from, &to);
    from = from > plan->start ? from : plan->start;
    if (from >= to) {
        return;
    }
    uint64_t none = 0;
    atomic_compare_exchange_strong_explicit(&progress->first_block_ns, &none, began, memory_order_relaxed,
                                            memory_order_relaxed);
    atomic_fetch_add_explicit(&progress->done, (uint64_t)(to - from), memory_order_relaxed);
    atomic_fetch_add_explicit(&progress->frames, (uint64_t)(to - from), memory_order_relaxed);
}

static enum lh_status run_task(void *context, uint32_t worker, uint32_t chain, int64_t block, struct lh_error *error)
{
    struct pass_run *run = context;
    const struct engine_render_job *job = run->state->job;
    struct worker_times *times = &run->state->times[worker];
    uint64_t began = job->clock();
    uint64_t *spent = &times->mix_ns;
    enum lh_status status = LH_OK;
    switch (run->pass.plan->chains[chain].kind) {
    case ENGINE_CHAIN_MIX:
        status = engine_mix_block(&run->pass, worker, chain, block, error);
        break;
    case ENGINE_CHAIN_PLUGIN:
        spent = &times->plugins_ns;
        status = plugin_block(run, worker, chain, block, error);
        break;
    case ENGINE_CHAIN_DELAY:
        engine_delay_block(&run->pass, chain, block);
        break;
    case ENGINE_CHAIN_METER:
        spent = &times->meter_ns;
        status = meter_block(run, chain, block, error);
        break;
    case ENGINE_CHAIN_DELIVER:
        spent = &times->encode_ns;
        status = deliver_block(run, chain, block, error);
        if (status == LH_OK && chain + 1 == run->pass.plan->chain_count) {
            tell_progress(run, block, began);
        }
        break;
    }
    uint64_t took = job->clock() - began;
    *spent += took;
    if (run->pass.plan->chains[chain].kind == ENGINE_CHAIN_PLUGIN) {
        const struct graph_node *node = &run->pass.plan->graph->nodes[run->pass.plan->chains[chain].node];
        run->plugins.units[node->insert]->spent_ns += took;
    }
    return status;
}

static void free_scratch(struct engine_scratch *scratch, uint32_t workers)
{
    for (uint32_t w = 0; scratch != NULL && w < workers; w++) {
        free(scratch[w].raw);
        free(scratch[w].region);
        free(scratch[w].value);
        free(scratch[w].sidechain);
        free(scratch[w].mono);
        free(scratch[w].gain);
        free(scratch[w].clips);
        free(scratch[w].sum);
    }
    free(scratch);
}

/* Room for a stride of `channels` samples of `size` bytes, on a cache line. */
static void *stride_buffer(const struct engine_plan *plan, uint32_t channels, size_t size)
{
    size_t bytes = (size_t)plan->stride * channels * size;
    return aligned_alloc(64, (bytes + 63) & ~(size_t)63);
}

static void free_held(const struct engine_plan *plan, struct engine_fifo *held)
{
    for (uint32_t c = 0; held != NULL && c < plan->chain_count; c++) {
        engine_fifo_fini(&held[c]);
    }
    free(held);
}

static struct engine_scratch *new_scratch(const struct engine_plan *plan, uint32_t workers)
{
    uint32_t channels = plan->widest;
    struct engine_scratch *scratch = calloc(workers, sizeof *scratch);
    bool whole = scratch != NULL;
    for (uint32_t w = 0; whole && w < workers; w++) {
        scratch[w].raw = stride_buffer(plan, channels, sizeof(double));
        scratch[w].region = stride_buffer(plan, channels, sizeof(float));
        scratch[w].value = stride_buffer(plan, channels, sizeof(float));
        scratch[w].sidechain = stride_buffer(plan, channels, sizeof(float));
        scratch[w].mono = stride_buffer(plan, 1, sizeof(float));
        scratch[w].gain = stride_buffer(plan, channels, sizeof(float));
        scratch[w].clips = stride_buffer(plan, channels, sizeof(int64_t));
        scratch[w].sum = stride_buffer(plan, channels, sizeof(int64_t));
        whole = scratch[w].raw != NULL && scratch[w].region != NULL && scratch[w].value != NULL &&
                scratch[w].sidechain != NULL && scratch[w].mono != NULL && scratch[w].gain != NULL &&
                scratch[w].clips != NULL && scratch[w].sum != NULL;
    }
    if (!whole) {
        free_scratch(scratch, workers);
        return NULL;
    }
    return scratch;
}

/* Opens the deliveries and meters of the pass and counts what has to end. */
static enum lh_status open_ends(struct pass_run *run, struct lh_error *error)
{
    struct engine_state *state = run->state;
    const struct engine_plan *plan = run->pass.plan;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        enum lh_status status = LH_OK;
        if (chain->kind == ENGINE_CHAIN_METER) {
            status =
                engine_meter_new(state->graph->nodes[chain->node].channels, state->graph->sample_rate, &run->meters[c]);
            if (status != LH_OK) {
                return lh_error_no_memory(error);
            }
        } else if (chain->kind == ENGINE_CHAIN_DELIVER) {
            uint32_t d = chain->deliverable;
            uint64_t offset = state->scratch_size;
            state->scratch_size += engine_delivery_spill_bytes(state->graph, d);
            state->delivery_open[d] = true;
            status = engine_delivery_init(&state->deliveries[d], state->graph, d, state->job->output_fds[d],
                                          state->job->scratch_fd, offset, plan->block, state->job->report, error);
            if (status != LH_OK) {
                return status;
            }
            /* One without a frame has nothing to end, and must not keep the others' tails going. */
            bool some = state->deliveries[d].stop > state->graph->deliverables[d].start;
            atomic_fetch_add(&run->tails, some ? 1 : 0);
        }
    }
    return LH_OK;
}

/* Hands out what the METER chains found and ends the files that were encoded as they came. */
static enum lh_status close_ends(struct pass_run *run, struct lh_error *error)
{
    struct engine_state *state = run->state;
    const struct engine_plan *plan = run->pass.plan;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        if (plan->chains[c].kind != ENGINE_CHAIN_DELIVER) {
            continue;
        }
        uint32_t d = plan->chains[c].deliverable;
        struct engine_delivery *delivery = &state->deliveries[d];
        if (plan->meter_of[d] != GRAPH_NONE) {
            engine_meter_get(run->meters[plan->meter_of[d]], &delivery->measured);
            delivery->has_loudness = true;
        }
        enum lh_status status = engine_delivery_end_pass(delivery, error);
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

/* The same share for every node that reads streams: such a node is an ordered chain, so its count needs no lock, and
   no node waits for another's decoders. */
static uint32_t share_decoders(const struct engine_plan *plan)
{
    uint32_t nodes = 0;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        nodes += chain->kind == ENGINE_CHAIN_MIX && chain->ordered ? 1 : 0;
    }
    return nodes == 0 || nodes > DECODERS_MAX ? 1 : DECODERS_MAX / nodes;
}

/* Room for what waits in PLUGIN and DELAY chains. */
static struct engine_fifo *new_held(const struct engine_plan *plan)
{
    struct engine_fifo *held = calloc((size_t)plan->chain_count + 1, sizeof *held);
    bool whole = held != NULL;
    for (uint32_t c = 0; whole && c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        if (chain->kind == ENGINE_CHAIN_PLUGIN || chain->kind == ENGINE_CHAIN_DELAY) {
            size_t bytes = graph_node_frame_bytes(plan->graph, chain->node);
            whole = engine_fifo_init(&held[c], (size_t)chain->held, bytes) == LH_OK;
        }
    }
    if (!whole) {
        free_held(plan, held);
        return NULL;
    }
    return held;
}

/* Everything that the blocks share. release_pass() whatever comes of it. */
static enum lh_status allocate_pass(struct pass_run *run)
{
    const struct engine_plan *plan = run->pass.plan;
    const struct graph *graph = plan->graph;
    struct engine_pass *pass = &run->pass;
    pass->buffers = aligned_alloc(64, plan->slot_bytes * plan->slots + 64);
    pass->scratch = new_scratch(plan, engine_pool_threads(run->state->pool));
    pass->decoders = calloc((size_t)graph->region_count + 1, sizeof *pass->decoders);
    pass->decoders_open = calloc((size_t)graph->node_count + 1, sizeof *pass->decoders_open);
    pass->decoders_share = share_decoders(plan);
    pass->held = new_held(plan);
    run->meters = calloc((size_t)plan->chain_count + 1, sizeof *run->meters);
    bool whole = pass->buffers != NULL && pass->scratch != NULL && pass->decoders != NULL &&
                 pass->decoders_open != NULL && pass->held != NULL && run->meters != NULL;
    return whole ? LH_OK : LH_ERR_NO_MEMORY;
}

static void release_pass(struct pass_run *run)
{
    const struct engine_plan *plan = run->pass.plan;
    for (uint32_t c = 0; run->meters != NULL && c < plan->chain_count; c++) {
        engine_meter_free(run->meters[c]);
    }
    for (uint32_t r = 0; run->pass.decoders != NULL && r < plan->graph->region_count; r++) {
        engine_decoder_free(run->pass.decoders[r]);
    }
    free(run->meters);
    free(run->pass.decoders);
    free(run->pass.decoders_open);
    free_held(plan, run->pass.held);
    free_scratch(run->pass.scratch, engine_pool_threads(run->state->pool));
    free(run->pass.buffers);
}

static enum lh_status run_blocks(struct pass_run *run, struct lh_error *error)
{
    struct engine_state *state = run->state;
    const struct engine_plan *plan = run->pass.plan;
    enum lh_status status = allocate_pass(run);
    if (status != LH_OK) {
        lh_error_no_memory(error);
    }
    if (status == LH_OK) {
        status = open_ends(run, error);
    }
    if (status == LH_OK) {
        struct engine_tasks tasks = {
            .run = run_task, .context = run, .cancel = &state->job->progress->cancel, .done_blocks = &run->done_blocks};
        atomic_store(&run->blocks, plan->block_count);
        status = engine_schedule_run(plan, state->pool, &tasks, &run->blocks, error);
    }
    if (status == LH_OK) {
        status = close_ends(run, error);
    }
    release_pass(run);
    return status;
}

enum lh_status engine_pass_run(struct engine_state *state, uint32_t first, struct lh_error *error)
{
    struct pass_run run = {.state = state, .pass = {.sources = &state->sources}};
    enum lh_status status = engine_plugins_init(&run.plugins, state, first, error);
    if (status != LH_OK) {
        return status;
    }
    struct engine_plan_options options = {.media_streams = state->media_streams,
                                          .meter_in_pass = state->meter_in_pass,
                                          .latency = run.plugins.latency,
                                          .threads = engine_pool_threads(state->pool),
                                          .block = state->job->block};
    struct engine_plan *plan;
    status = engine_plan_new(state->graph, first, &options, &plan, error);
    if (status == LH_OK) {
        run.pass.plan = plan;
        state->block = plan->block;
        state->slots = plan->slots;
        status = run_blocks(&run, error);
        engine_plan_free(plan);
    }
    engine_plugins_tell(&run.plugins, state, state->inserted);
    engine_plugins_fini(&run.plugins, state);
    return status;
}
