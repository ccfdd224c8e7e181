/* SPDX-License-Identifier: MIT */
/* One render by the instance, of what the cache has left. */
#include "cli/perform.h"

#include <stdatomic.h>

#include "cli/interrupt.h"
#include "cli/reuse.h"
#include "common/base/clock.h"

/* Called by the client, many times a second. */
static bool on_progress(void *context, const struct engine_progress *now)
{
    struct cli_session *session = context;
    uint64_t first_block = atomic_load_explicit(&now->first_block_ns, memory_order_relaxed);
    if (first_block > session->begun_ns) {
        session->first_block_seconds = (double)(first_block - session->begun_ns) / (double)LH_CLOCK_SECOND_NS;
    }
    cli_progress_tell(&session->progress, now);
    return !cli_interrupted();
}

/* Frames of the timeline that were rendered for files: each range once, whatever the number of files it went to. */
static uint64_t rendered_frames(const struct cli_session *session)
{
    const struct graph *graph = session->compiled->graph;
    uint64_t frames = 0;
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        const struct graph_deliverable *one = &graph->deliverables[i];
        bool again = cli_remainder_deliverable(session, i) == GRAPH_NONE;
        for (uint32_t j = 0; !again && j < i; j++) {
            again = cli_remainder_deliverable(session, j) != GRAPH_NONE && graph->deliverables[j].start == one->start &&
                    graph->deliverables[j].end == one->end;
        }
        frames += again ? 0 : (uint64_t)(one->end - one->start + session->result.delivered[i].tail_frames);
    }
    return frames;
}

/* What the instance told of plugins, by the whole plan's. */
static enum lh_status note_used(struct cli_session *session, const struct engine_inserted *inserted)
{
    const struct pulse_compiled *whole = session->compiled;
    const struct graph *graph = cli_remainder_graph(session);
    double *spent = lh_arena_array(&session->arena, graph->insert_count, sizeof *spent);
    session->used = lh_arena_array(&session->arena, whole->plugin_count, sizeof *session->used);
    if (session->used == NULL || spent == NULL) {
        return lh_error_no_memory(&session->error);
    }
    for (uint32_t i = 0; i < graph->insert_count; i++) {
        spent[i] = inserted[i].seconds * 1e9;
    }
    session->remainder.spent = spent;
    for (size_t i = 0; i < whole->plugin_count; i++) {
        uint32_t node = whole->plugins[i].graph_node;
        node = node != GRAPH_NONE ? cli_remainder_plugin(session, node) : GRAPH_NONE;
        if (node != GRAPH_NONE) {
            session->used[i] = (struct cli_used){.rendered = true, .inserted = inserted[graph->nodes[node].insert]};
        }
    }
    return LH_OK;
}

/* Room for what goes to the instance and comes back. */
struct traffic {
    struct engine_delivered *delivered; /* by deliverable of what is rendered */
    struct engine_inserted *inserted;
    int *outputs, *media;
};

static enum lh_status prepare(struct cli_session *session, struct traffic *traffic)
{
    const struct graph *graph = cli_remainder_graph(session);
    struct lh_arena *arena = &session->arena;
    *traffic = (struct traffic){
        .delivered = lh_arena_array(arena, graph->deliverable_count, sizeof *traffic->delivered),
        .inserted = lh_arena_array(arena, graph->insert_count, sizeof *traffic->inserted),
        .outputs = lh_arena_array(arena, graph->deliverable_count, sizeof *traffic->outputs),
        .media = lh_arena_array(arena, graph->media_count, sizeof *traffic->media),
    };
    if (traffic->delivered == NULL || traffic->inserted == NULL || traffic->outputs == NULL || traffic->media == NULL) {
        return lh_error_no_memory(&session->error);
    }
    for (uint32_t m = 0; m < graph->media_count; m++) {
        traffic->media[m] = session->sources.items[cli_remainder_source(session, m)].fd;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        traffic->outputs[d] = -1;
    }
    for (uint32_t d = 0; d < session->outputs.count; d++) {
        uint32_t at = cli_remainder_deliverable(session, d);
        if (at != GRAPH_NONE && session->compiled->outputs[d].wanted && !cli_reused(session, d)) {
            traffic->outputs[at] = session->outputs.fds[d];
        }
    }
    for (size_t k = 0; k < session->remainder.kept_open; k++) {
        traffic->outputs[session->remainder.local->kept[k].deliverable] = session->remainder.kept[k].fd;
    }
    return cli_reuse_conformed(session, &session->error);
}

static enum lh_status run(struct cli_session *session)
{
    const struct graph *graph = cli_remainder_graph(session);
    struct traffic traffic;
    enum lh_status status = prepare(session, &traffic);
    if (status != LH_OK) {
        return status;
    }
    struct engine_instance_render render = {
        .graph = graph,
        .media_fds = traffic.media,
        .conformed_fds = session->conformed,
        .stored_fds = session->remainder.stored,
        .output_fds = traffic.outputs,
        .scratch_fd = session->outputs.scratch_fd,
        .threads = session->request.threads,
        .block = session->request.block,
        .report = session->request.report_path != NULL,
        .on_progress = on_progress,
        .context = session,
    };
    struct engine_render_result result = {.delivered = traffic.delivered, .inserted = traffic.inserted};
    cli_progress_init(&session->progress, session->request.progress, graph->sample_rate, session->begun_ns);
    session->rendering = true;
    status = engine_instance_render(session->instance, &render, &result, &session->error);
    if (status != LH_OK) {
        return status;
    }
    for (uint32_t d = 0; d < session->outputs.count; d++) {
        uint32_t at = cli_remainder_deliverable(session, d);
        if (at != GRAPH_NONE && !cli_reused(session, d)) {
            session->result.delivered[d] = traffic.delivered[at];
        }
    }
    result.delivered = session->result.delivered;
    result.inserted = NULL;
    session->result = result;
    session->frames = rendered_frames(session);
    return note_used(session, traffic.inserted);
}

enum lh_status cli_perform(struct cli_session *session)
{
    session->result.delivered =
        lh_arena_array(&session->arena, session->outputs.count, sizeof *session->result.delivered);
    if (session->result.delivered == NULL) {
        return lh_error_no_memory(&session->error);
    }
    enum lh_status status = cli_reuse_begin(session, &session->error);
    return status == LH_OK && !cli_reused_all(session) ? run(session) : status;
}
