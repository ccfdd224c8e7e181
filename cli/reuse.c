/* SPDX-License-Identifier: MIT */
/* Takes finished deliverables from the cache, and puts new ones there. */
#include "cli/reuse.h"

#include <sys/random.h>
#include <unistd.h>

#include "engine/run/conformed.h"
#include "graph/keys.h"

bool cli_reused(const struct cli_session *session, size_t index)
{
    return session->reused != NULL && session->reused[index];
}

bool cli_reused_all(const struct cli_session *session)
{
    for (size_t i = 0; i < session->outputs.count; i++) {
        if (session->compiled->outputs[i].wanted && !cli_reused(session, i)) {
            return false;
        }
    }
    return session->reused != NULL;
}

static struct graph_key_context key_context(const struct cli_session *session)
{
    return (struct graph_key_context){
        .sound_version = ENGINE_SOUND_VERSION,
        .libraries = session->libraries,
        .cpu_class = session->cpu_class,
        .job = session->job,
    };
}

/* Something that no other job has: the time alone would not do for two that begin at once. */
static enum lh_status name_job(struct cli_session *session, struct lh_error *error)
{
    struct lh_digest random;
    if (getrandom(random.bytes, sizeof random.bytes, 0) != (ssize_t)sizeof random.bytes) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the system gives no random numbers");
    }
    lh_digest_text(&random, session->job);
    return LH_OK;
}

/* What a plugin gave that may give something else the next time is neither taken from the cache nor kept there. */
static bool may_be_reused(const struct cli_session *session, size_t index)
{
    return session->outputs.files[index].fd >= 0 && !session->unproven[index];
}

/* Of the graph's media; NULL when memory is out. */
static struct lh_digest *media_digests(struct cli_session *session)
{
    const struct graph *graph = session->compiled->graph;
    struct lh_digest *media = lh_arena_array(&session->arena, graph->media_count, sizeof *media);
    for (uint32_t i = 0; media != NULL && i < graph->media_count; i++) {
        media[i] = session->sources.items[session->compiled->media[i]].digest;
    }
    return media;
}

enum lh_status cli_reuse_keys(struct cli_session *session, struct lh_error *error)
{
    const struct graph *graph = session->compiled->graph;
    struct lh_digest *media = media_digests(session);
    struct lh_digest *keys = lh_arena_array(&session->arena, graph->deliverable_count, sizeof *keys);
    session->unproven = lh_arena_array(&session->arena, graph->deliverable_count, sizeof *session->unproven);
    if (media == NULL || keys == NULL || session->unproven == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = name_job(session, error);
    if (status != LH_OK) {
        return status;
    }
    struct graph_key_context context = key_context(session);
    if (graph_keys(graph, media, &context, NULL, keys) != LH_OK ||
        graph_keys_unproven(graph, session->unproven) != LH_OK) {
        return lh_error_no_memory(error);
    }
    session->render_keys = keys;
    return LH_OK;
}

static enum lh_status take(struct cli_session *session, size_t index, struct lh_error *error)
{
    int fd = -1;
    enum lh_status status =
        cli_cache_find(&session->arena, &session->cache, &session->render_keys[index],
                       session->request.report_path != NULL, &fd, &session->result.delivered[index], error);
    if (status == LH_OK && fd >= 0) {
        status = cli_copy(fd, session->outputs.fds[index], session->outputs.paths[index], error);
        session->reused[index] = status == LH_OK;
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

/* Plans what is left. What is only measured is not wanted. */
static enum lh_status plan_remainder(struct cli_session *session, struct lh_error *error)
{
    const struct graph *graph = session->compiled->graph;
    bool *wanted = lh_arena_array(&session->arena, graph->deliverable_count, sizeof *wanted);
    struct lh_digest *media = media_digests(session);
    if (wanted == NULL || media == NULL) {
        return lh_error_no_memory(error);
    }
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        wanted[i] = session->compiled->outputs[i].wanted && !cli_reused(session, i);
    }
    struct graph_key_context context = key_context(session);
    return cli_remainder_plan(session, wanted, media, &context, error);
}

enum lh_status cli_reuse_begin(struct cli_session *session, struct lh_error *error)
{
    if (session->request.cache == NULL) {
        return LH_OK;
    }
    size_t count = session->outputs.count;
    session->reused = lh_arena_array(&session->arena, count, sizeof *session->reused);
    if (session->reused == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = cli_cache_open(&session->arena, session->request.cache, &session->cache, error);
    status = status == LH_OK ? cli_cache_digest(&session->arena, &session->cache, &session->sources, error) : status;
    status = status == LH_OK ? cli_reuse_keys(session, error) : status;
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        if (may_be_reused(session, i)) {
            status = take(session, i, error);
        }
    }
    return status == LH_OK && !cli_reused_all(session) ? plan_remainder(session, error) : status;
}

enum lh_status cli_reuse_conformed(struct cli_session *session, struct lh_error *error)
{
    if (session->request.cache == NULL) {
        return LH_OK;
    }
    const struct graph *graph = cli_remainder_graph(session);
    int *fds = lh_arena_array(&session->arena, graph->media_count, sizeof *fds);
    struct lh_digest *keys = lh_arena_array(&session->arena, graph->media_count, sizeof *keys);
    if (fds == NULL || keys == NULL) {
        return lh_error_no_memory(error);
    }
    struct graph_key_context context = key_context(session);
    session->conformed = fds;
    session->conform_keys = keys;
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < graph->media_count; i++) {
        fds[i] = -1;
        session->conformed_count = i + 1;
        uint64_t size = engine_conformed_size(&graph->media[i]);
        if (size == 0) {
            continue;
        }
        const struct lh_digest *digest = &session->sources.items[cli_remainder_source(session, i)].digest;
        if (graph_key_conform(graph, i, digest, &context, &keys[i]) != LH_OK) {
            return lh_error_no_memory(error);
        }
        status = cli_cache_find_conformed(&session->arena, &session->cache, &keys[i], size, &fds[i], error);
    }
    return status;
}

void cli_reuse_close(struct cli_session *session)
{
    for (size_t i = 0; i < session->conformed_count; i++) {
        if (session->conformed[i] >= 0) {
            close(session->conformed[i]);
        }
    }
    session->conformed_count = 0;
}

/* From the scratch file, where the instance has left them. */
static enum lh_status keep_conformed(struct cli_session *session, struct lh_error *error)
{
    const struct graph *rendered = cli_remainder_graph(session);
    uint64_t offset = 0;
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < session->conformed_count; i++) {
        const struct graph_media *media = &rendered->media[i];
        uint64_t size = engine_conformed_size(media);
        if (size > 0 && session->conformed[i] < 0) {
            status = cli_cache_store_conformed(&session->arena, &session->cache, &session->conform_keys[i],
                                               session->outputs.scratch_fd, offset, size, error);
        }
        offset += engine_conformed_room(media);
    }
    return status;
}

enum lh_status cli_reuse_end(struct cli_session *session, struct lh_error *error)
{
    if (session->request.cache == NULL || !cli_cache_unchanged(&session->sources)) {
        return LH_OK;
    }
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < session->outputs.count; i++) {
        if (may_be_reused(session, i) && !session->reused[i]) {
            status = cli_cache_store(&session->arena, &session->cache, &session->render_keys[i],
                                     session->outputs.files[i].fd, &session->result.delivered[i], error);
        }
    }
    status = status == LH_OK ? keep_conformed(session, error) : status;
    status = status == LH_OK ? cli_remainder_keep(session, error) : status;
    bool limited = session->request.cache_bytes > 0;
    return status == LH_OK && limited ? cli_cache_trim(&session->cache, session->request.cache_bytes, error) : status;
}
