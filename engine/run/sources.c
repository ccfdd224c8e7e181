/* SPDX-License-Identifier: MIT */
/* The stages before the sound: media are opened, checked against the graph, and conformed where they must be. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/io/conform.h"
#include "engine/io/stored.h"
#include "engine/run/conformed.h"
#include "engine/run/state.h"

static enum lh_status name_medium(const struct graph_media *media, enum lh_status status, struct lh_error *error)
{
    if (status != LH_OK && error != NULL && error->where[0] == '\0') {
        snprintf(error->where, sizeof error->where, "media %s", media->name);
    }
    return status;
}

static enum lh_status check_facts(const struct graph_media *media, const struct engine_media_facts *facts,
                                  struct lh_error *error)
{
    bool lossy = facts->access == ENGINE_ACCESS_LINEAR;
    if (facts->rate != media->rate || facts->channels != media->channels || facts->frames != media->frames ||
        (lossy && media->conform == GRAPH_CONFORM_IN_PLACE)) {
        return lh_error_set(error, LH_ERR_IO, NULL,
                            "the file is not what it was when the project was compiled: render again");
    }
    return LH_OK;
}

bool engine_sources_given(const struct engine_render_job *job, uint32_t media)
{
    return job->conformed_fds != NULL && job->conformed_fds[media] >= 0 &&
           job->graph->media[media].conform != GRAPH_CONFORM_IN_PLACE;
}

static enum lh_status open_conformed(struct engine_state *state, uint32_t m, int fd, uint64_t offset,
                                     struct lh_error *error)
{
    const struct graph_media *media = &state->graph->media[m];
    enum lh_status status = engine_media_open_scratch(fd, offset, media->channels, state->graph->sample_rate,
                                                      media->length, &state->media[m]);
    return status == LH_OK ? LH_OK : lh_error_no_memory(error);
}

static enum lh_status open_given(struct engine_state *state, uint32_t m, struct lh_error *error)
{
    int fd = state->job->conformed_fds[m];
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "what it was converted to cannot be read: %s", strerror(errno));
    }
    if ((uint64_t)info.st_size != engine_conformed_size(&state->graph->media[m])) {
        return lh_error_set(error, LH_ERR_IO, NULL, "what it was converted to has another size");
    }
    return open_conformed(state, m, fd, 0, error);
}

static enum lh_status open_medium(struct engine_state *state, uint32_t m, struct lh_error *error)
{
    const struct graph_media *media = &state->graph->media[m];
    enum lh_status status = engine_media_open(state->job->media_fds[m], &state->media[m], error);
    if (status != LH_OK) {
        return status;
    }
    const struct engine_media_facts *facts = engine_media_get_facts(state->media[m]);
    state->media_streams[m] = media->conform == GRAPH_CONFORM_IN_PLACE && facts->access == ENGINE_ACCESS_STREAM;
    state->conformed += media->conform != GRAPH_CONFORM_IN_PLACE ? 1 : 0;
    return check_facts(media, facts, error);
}

/* A render of no frames whose conformed media nobody wants either, as who asks for latencies has it: it looks into no
   file. */
static bool plays_nothing(const struct engine_state *state)
{
    const struct graph *graph = state->graph;
    bool nothing = state->job->conformed_fds == NULL;
    for (uint32_t d = 0; nothing && d < graph->deliverable_count; d++) {
        const struct graph_deliverable *deliverable = &graph->deliverables[d];
        nothing = deliverable->start == deliverable->end && graph_deliverable_tail(deliverable) == 0;
    }
    return nothing;
}

/* Entries that no node plays are not looked at. */
static enum lh_status check_stored(const struct engine_state *state, struct lh_error *error)
{
    const struct graph *graph = state->graph;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        const struct graph_node *node = &graph->nodes[n];
        if (node->kind != GRAPH_NODE_STORED) {
            continue;
        }
        int fd = state->job->stored_fds != NULL ? state->job->stored_fds[node->first] : -1;
        enum lh_status status = engine_stored_check(fd, &graph->stored[node->first], error);
        if (status != LH_OK) {
            if (error != NULL) {
                snprintf(error->where, sizeof error->where, "%s", node->label);
            }
            return status;
        }
    }
    return LH_OK;
}

enum lh_status engine_sources_open(struct engine_state *state, struct lh_error *error)
{
    if (plays_nothing(state)) {
        return LH_OK;
    }
    for (uint32_t m = 0; m < state->graph->media_count; m++) {
        const struct graph_media *media = &state->graph->media[m];
        state->media_offset[m] = state->scratch_size;
        state->scratch_size += engine_conformed_room(media);
        enum lh_status status =
            engine_sources_given(state->job, m) ? open_given(state, m, error) : open_medium(state, m, error);
        if (status != LH_OK) {
            return name_medium(media, status, error);
        }
    }
    return check_stored(state, error);
}

/* One past the last frame of its medium that a region can play. */
static uint64_t region_reach(const struct graph_region *region, const struct graph_media *media)
{
    bool loops = region->loop_length > 0 && region->loop_length < region->length;
    int64_t end = region->offset + (loops ? region->loop_length : region->length);
    if (end <= 0) {
        return 0;
    }
    return (uint64_t)end < media->length ? (uint64_t)end : media->length;
}

void engine_sources_used(const struct engine_render_job *job, uint64_t *used)
{
    const struct graph *graph = job->graph;
    for (uint32_t m = 0; m < graph->media_count; m++) {
        used[m] = job->conformed_fds != NULL ? graph->media[m].length : 0;
    }
    for (uint32_t r = 0; r < graph->region_count; r++) {
        uint32_t m = graph->regions[r].media;
        uint64_t reach = region_reach(&graph->regions[r], &graph->media[m]);
        used[m] = reach > used[m] ? reach : used[m];
    }
}

static enum lh_status conform_one(struct engine_state *state, uint32_t m, struct lh_error *error)
{
    const struct graph_media *media = &state->graph->media[m];
    const struct engine_render_job *job = state->job;
    enum lh_status status =
        engine_conform(state->media[m], media, state->graph->sample_rate, state->media_used[m], job->scratch_fd,
                       state->media_offset[m], &job->progress->done, &job->progress->cancel, error);
    if (status != LH_OK) {
        return name_medium(media, status, error);
    }
    engine_media_close(state->media[m]);
    state->media[m] = NULL;
    return open_conformed(state, m, job->scratch_fd, state->media_offset[m], error);
}

static void conform_work(void *context, uint32_t worker)
{
    struct engine_state *state = context;
    uint64_t began = state->job->clock();
    for (;;) {
        uint32_t m = atomic_fetch_add_explicit(&state->next, 1, memory_order_relaxed);
        if (m >= state->graph->media_count || engine_state_is_over(state)) {
            break;
        }
        if (state->graph->media[m].conform == GRAPH_CONFORM_IN_PLACE || engine_sources_given(state->job, m)) {
            continue;
        }
        struct lh_error error = LH_ERROR_INIT;
        enum lh_status status = conform_one(state, m, &error);
        if (status != LH_OK) {
            engine_state_fail(state, status, &error);
        }
    }
    state->times[worker].conform_ns += state->job->clock() - began;
}

enum lh_status engine_sources_conform(struct engine_state *state, struct lh_error *error)
{
    if (state->conformed == 0) {
        return LH_OK;
    }
    atomic_store(&state->next, 0);
    engine_pool_run(state->pool, conform_work, state);
    return engine_state_result(state, error);
}
