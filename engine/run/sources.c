/* SPDX-License-Identifier: MIT */
/* The stages before the sound: media are opened, checked against the graph, and conformed where they must be. */
#include <stdio.h>

#include "engine/io/conform.h"
#include "engine/run/state.h"

#define SCRATCH_ALIGNMENT 4096u

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

enum lh_status engine_sources_open(struct engine_state *state, struct lh_error *error)
{
    for (uint32_t m = 0; m < state->graph->media_count; m++) {
        const struct graph_media *media = &state->graph->media[m];
        enum lh_status status = engine_media_open(state->job->media_fds[m], &state->media[m], error);
        if (status == LH_OK) {
            status = check_facts(media, engine_media_get_facts(state->media[m]), error);
        }
        if (status != LH_OK) {
            return name_medium(media, status, error);
        }
        if (media->conform == GRAPH_CONFORM_IN_PLACE) {
            state->media_streams[m] = engine_media_get_facts(state->media[m])->access == ENGINE_ACCESS_STREAM;
            continue;
        }
        state->media_offset[m] = state->scratch_size;
        state->scratch_size += (media->length * media->channels * sizeof(float) + SCRATCH_ALIGNMENT - 1) &
                               ~(uint64_t)(SCRATCH_ALIGNMENT - 1);
        state->conformed++;
    }
    return LH_OK;
}

static enum lh_status conform_one(struct engine_state *state, uint32_t m, struct lh_error *error)
{
    const struct graph_media *media = &state->graph->media[m];
    const struct engine_render_job *job = state->job;
    enum lh_status status = engine_conform(state->media[m], media, state->graph->sample_rate, job->scratch_fd,
                                           state->media_offset[m], &job->progress->done, &job->progress->cancel, error);
    if (status != LH_OK) {
        return name_medium(media, status, error);
    }
    engine_media_close(state->media[m]);
    state->media[m] = NULL;
    status = engine_media_open_scratch(job->scratch_fd, state->media_offset[m], media->channels,
                                       state->graph->sample_rate, media->length, &state->media[m]);
    return status == LH_OK ? LH_OK : lh_error_no_memory(error);
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
        if (state->graph->media[m].conform == GRAPH_CONFORM_IN_PLACE) {
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
