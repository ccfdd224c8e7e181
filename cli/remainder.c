/* SPDX-License-Identifier: MIT */
/* Planning for a cache, and keeping for the next time. */
#include "cli/remainder.h"

#include <unistd.h>

#include "cli/session.h"

#define LEAST_SECONDS 0.01 /* what takes less to make is not kept: a file more costs a part of that */

static enum lh_status load_learned(struct cli_session *session, struct lh_error *error)
{
    struct cli_remainder *remainder = &session->remainder;
    if (pulse_costs_new(&remainder->costs) != LH_OK || pulse_latencies_new(&remainder->latencies) != LH_OK ||
        cli_cache_load_costs(&session->arena, &session->cache, remainder->costs) != LH_OK) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < session->needs.plugin_count; i++) {
        const struct graph_plugin_facts *installed = session->facts.plugins[i].installed;
        struct lh_digest digest;
        if (installed == NULL || installed->reports_latency) {
            continue;
        }
        if (graph_plugin_digest(installed, &digest) != LH_OK ||
            pulse_latencies_add_none(remainder->latencies, &digest) != LH_OK) {
            return lh_error_no_memory(error);
        }
    }
    return LH_OK;
}

/* ---- latencies ---- */

/* By a render of no frames, which makes the plugins and tells what they report. */
static enum lh_status ask_instance(struct cli_session *session, const struct pulse_latency_ask *asks, size_t count,
                                   struct lh_error *error)
{
    struct pulse_plan *plan = NULL;
    enum lh_status status = pulse_plan_latencies(session->compiled->graph, asks, count, &plan, error);
    if (status != LH_OK) {
        return status;
    }
    const struct graph_shard *work = &plan->shards[0].work;
    struct engine_delivered *delivered = lh_arena_array(&plan->arena, count, sizeof *delivered);
    struct engine_inserted *inserted = lh_arena_array(&plan->arena, count, sizeof *inserted);
    int *outputs = lh_arena_array(&plan->arena, count, sizeof *outputs);
    struct engine_render_result result = {.delivered = delivered, .inserted = inserted};
    status = delivered != NULL && inserted != NULL && outputs != NULL ? LH_OK : lh_error_no_memory(error);
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        outputs[i] = -1;
    }
    if (status == LH_OK) {
        struct engine_instance_render render = {
            .graph = work->graph, .output_fds = outputs, .scratch_fd = session->outputs.scratch_fd, .threads = 1};
        status = engine_instance_render(session->instance, &render, &result, error);
    }
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        const struct lh_digest *key = &work->outputs[i].key;
        status = cli_cache_store_latency(&session->arena, &session->cache, key, inserted[i].latency, error);
        if (status == LH_OK && pulse_latencies_add(session->remainder.latencies, key, inserted[i].latency) != LH_OK) {
            status = lh_error_no_memory(error);
        }
    }
    pulse_plan_free(plan);
    return status;
}

static enum lh_status find_latencies(struct cli_session *session, const struct pulse_local_options *options,
                                     struct lh_error *error)
{
    struct pulse_latency_ask *asks = NULL;
    size_t count = 0, left = 0;
    enum lh_status status = pulse_local_asks(session->compiled->graph, options, &session->arena, &asks, &count, error);
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        uint32_t frames = cli_cache_find_latency(&session->arena, &session->cache, &asks[i].key);
        if (frames == GRAPH_NONE) {
            asks[left++] = asks[i];
        } else if (pulse_latencies_add(session->remainder.latencies, &asks[i].key, frames) != LH_OK) {
            status = lh_error_no_memory(error);
        }
    }
    return status == LH_OK && left > 0 ? ask_instance(session, asks, left, error) : status;
}

/* ---- planning ---- */

/* The files that were found while the plan was made, in the order of the questions. */
struct found {
    struct cli_session *session;
    struct lh_digest *keys;
    int *fds;
    size_t count, room;
    enum lh_status status;
    struct lh_error error;
};

static bool has(void *context, const struct lh_digest *key, uint64_t bytes)
{
    struct found *found = context;
    int fd = -1;
    if (found->status != LH_OK || found->count == found->room) {
        return false;
    }
    found->status =
        cli_cache_find_stored(&found->session->arena, &found->session->cache, key, bytes, &fd, &found->error);
    if (fd < 0) {
        return false;
    }
    found->keys[found->count] = *key;
    found->fds[found->count++] = fd;
    return true;
}

static enum lh_status take_found(struct cli_session *session, struct found *found, struct lh_error *error)
{
    struct cli_remainder *remainder = &session->remainder;
    uint32_t count = remainder->local->graph->stored_count;
    remainder->stored = lh_arena_array(&session->arena, count, sizeof *remainder->stored);
    if (remainder->stored == NULL) {
        return lh_error_no_memory(error);
    }
    for (uint32_t s = 0; s < count; s++) {
        remainder->stored[s] = -1;
    }
    for (size_t i = 0; i < found->count; i++) {
        for (uint32_t s = 0; found->fds[i] >= 0 && s < count; s++) {
            if (lh_digest_equal(&found->keys[i], &remainder->local->stored[s].key)) {
                remainder->stored[s] = found->fds[i];
                remainder->read_bytes += remainder->local->stored[s].bytes;
                found->fds[i] = -1;
            }
        }
    }
    return LH_OK;
}

static enum lh_status open_kept(struct cli_session *session, struct lh_error *error)
{
    struct cli_remainder *remainder = &session->remainder;
    uint32_t count = remainder->local->kept_count;
    remainder->kept = lh_arena_array(&session->arena, count, sizeof *remainder->kept);
    if (remainder->kept == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = LH_OK;
    for (uint32_t k = 0; status == LH_OK && k < count; k++) {
        remainder->kept[k] = CLI_ASIDE_NONE;
        remainder->kept_open = k + 1;
        status = cli_cache_open_stored(&session->arena, &session->cache, &remainder->local->kept[k].key,
                                       &remainder->kept[k], error);
    }
    return status;
}

/* A quarter of what the cache may have, and not more than leaves the disk as much again. */
static uint64_t room_to_keep(const struct cli_session *session)
{
    uint64_t free_bytes = cli_cache_free_bytes(&session->cache) / 2;
    uint64_t most = session->request.cache_bytes > 0 ? session->request.cache_bytes / 2 : free_bytes;
    return most < free_bytes ? most : free_bytes;
}

static enum lh_status plan(struct cli_session *session, struct pulse_local_options *options, struct found *found,
                           struct lh_error *error)
{
    const struct graph *graph = session->compiled->graph;
    enum lh_status status = find_latencies(session, options, error);
    if (status != LH_OK) {
        return status;
    }
    found->room = (size_t)graph->node_count * 2 + graph->deliverable_count;
    found->keys = lh_arena_array(&session->arena, found->room, sizeof *found->keys);
    found->fds = lh_arena_array(&session->arena, found->room, sizeof *found->fds);
    if (found->keys == NULL || found->fds == NULL) {
        return lh_error_no_memory(error);
    }
    status = pulse_local_new(graph, options, &session->remainder.local, error);
    if (status == LH_OK && found->status != LH_OK) {
        status = lh_error_set(error, found->status, found->error.where, "%s", found->error.message);
    }
    status = status == LH_OK ? take_found(session, found, error) : status;
    return status == LH_OK ? open_kept(session, error) : status;
}

enum lh_status cli_remainder_plan(struct cli_session *session, const bool *wanted, const struct lh_digest *media,
                                  const struct graph_key_context *context, struct lh_error *error)
{
    struct cli_remainder *remainder = &session->remainder;
    enum lh_status status = load_learned(session, error);
    if (status != LH_OK) {
        return status;
    }
    struct found found = {.session = session, .error = LH_ERROR_INIT};
    struct pulse_local_options options = {
        .plan = {.context = context,
                 .media = media,
                 .costs = remainder->costs,
                 .latencies = remainder->latencies,
                 .slots = 1,
                 .wanted = wanted},
        .least_seconds = LEAST_SECONDS,
        .has = has,
        .context = &found,
        .keep_bytes = room_to_keep(session),
    };
    status = plan(session, &options, &found, error);
    for (size_t i = 0; i < found.count; i++) {
        if (found.fds[i] >= 0) {
            close(found.fds[i]);
        }
    }
    return status;
}

/* ---- what is rendered ---- */

const struct graph *cli_remainder_graph(const struct cli_session *session)
{
    return session->remainder.local != NULL ? session->remainder.local->graph : session->compiled->graph;
}

size_t cli_remainder_source(const struct cli_session *session, uint32_t medium)
{
    const struct pulse_local *local = session->remainder.local;
    return session->compiled->media[local != NULL ? local->media[medium] : medium];
}

uint32_t cli_remainder_deliverable(const struct cli_session *session, uint32_t deliverable)
{
    const struct pulse_local *local = session->remainder.local;
    return local != NULL ? local->deliverables[deliverable] : deliverable;
}

uint32_t cli_remainder_plugin(const struct cli_session *session, uint32_t node)
{
    const struct pulse_local *local = session->remainder.local;
    return local != NULL ? local->plugins[node] : node;
}

/* ---- keeping ---- */

static enum lh_status learn(struct cli_session *session, struct lh_error *error)
{
    const struct engine_times *times = &session->result.times;
    struct pulse_spent spent = {
        .conform = times->conform * 1e9,
        .mix = times->mix * 1e9,
        .meter = times->meter * 1e9,
        .encode = times->encode * 1e9,
        .inserts = session->remainder.spent,
    };
    if (pulse_costs_learn_render(session->remainder.costs, session->remainder.local->graph, &spent) != LH_OK) {
        return lh_error_no_memory(error);
    }
    return cli_cache_store_costs(&session->arena, &session->cache, session->remainder.costs, error);
}

enum lh_status cli_remainder_keep(struct cli_session *session, struct lh_error *error)
{
    struct cli_remainder *remainder = &session->remainder;
    enum lh_status status = LH_OK;
    if (remainder->local == NULL) {
        return LH_OK;
    }
    for (size_t k = 0; status == LH_OK && k < remainder->kept_open; k++) {
        const struct pulse_local_output *kept = &remainder->local->kept[k];
        status = cli_cache_store_stored(&session->arena, &session->cache, &kept->key, &remainder->kept[k], error);
        remainder->kept_bytes += status == LH_OK ? kept->bytes : 0;
        remainder->kept_count += status == LH_OK ? 1 : 0;
    }
    return status == LH_OK ? learn(session, error) : status;
}

void cli_remainder_close(struct cli_remainder *remainder)
{
    for (size_t k = 0; k < remainder->kept_open; k++) {
        cli_aside_discard(&remainder->kept[k]);
    }
    for (uint32_t s = 0; remainder->stored != NULL && s < remainder->local->graph->stored_count; s++) {
        if (remainder->stored[s] >= 0) {
            close(remainder->stored[s]);
        }
    }
    pulse_local_free(remainder->local);
    pulse_costs_free(remainder->costs);
    pulse_latencies_free(remainder->latencies);
    *remainder = (struct cli_remainder){.local = NULL};
}
