/* SPDX-License-Identifier: MIT */
/* The child's side of questions about plugins: what their data say, and what one does on trial. */
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "engine/instance/serve_parts.h"

/* What is found while plugins are described. */
struct finding {
    struct lh_arena arena;
    struct engine_described described;
    struct lh_writer notes; /* text without its end */
};

static void note(struct finding *finding, const char *uri, const struct lh_error *error)
{
    const char *const parts[] = {uri, ": ", error->message, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        lh_writer_bytes(&finding->notes, parts[i], strlen(parts[i]));
    }
}

/* One that is not there is left out, one that makes no sense is noted. */
static enum lh_status describe_one(struct finding *finding, struct engine_host *host, const char *uri,
                                   struct lh_error *error)
{
    struct engine_described *described = &finding->described;
    struct lh_error why = LH_ERROR_INIT;
    enum lh_status status =
        engine_host_describe(host, uri, &finding->arena, &described->facts[described->fact_count], &why);
    if (status == LH_OK) {
        described->fact_count++;
    } else if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    } else if (status != LH_ERR_MISSING) {
        note(finding, uri, &why);
    }
    return LH_OK;
}

static enum lh_status describe_all(struct finding *finding, struct engine_host *host,
                                   const struct engine_describe *question, struct lh_error *error)
{
    size_t count = question->uri_count > 0 ? question->uri_count : engine_host_count(host);
    count = count < ENGINE_PLUGINS_MAX ? count : ENGINE_PLUGINS_MAX;
    finding->described.facts = lh_arena_array(&finding->arena, count, sizeof *finding->described.facts);
    if (finding->described.facts == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = LH_OK;
    for (size_t i = 0; i < count && status == LH_OK; i++) {
        const char *uri = question->uri_count > 0 ? question->uris[i] : engine_host_uri(host, i);
        status = describe_one(finding, host, uri, error);
    }
    lh_writer_u8(&finding->notes, '\0');
    if (status == LH_OK && lh_writer_status(&finding->notes) != LH_OK) {
        status = lh_error_no_memory(error);
    }
    finding->described.notes = (const char *)finding->notes.data;
    return status;
}

static enum lh_status describe(struct finding *finding, const struct engine_message *message, struct lh_error *error)
{
    struct engine_describe question;
    enum lh_status status = engine_describe_read(message->body, message->size, &finding->arena, &question);
    if (status != LH_OK) {
        return status == LH_ERR_NO_MEMORY
                   ? lh_error_no_memory(error)
                   : lh_error_set(error, LH_ERR_FORMAT, NULL, "the question about plugins is malformed");
    }
    struct engine_host *host = NULL;
    status = engine_host_new(question.bundles, question.bundle_count, NULL, &host, error);
    status = status == LH_OK ? describe_all(finding, host, &question, error) : status;
    engine_host_free(host);
    return status;
}

enum lh_status engine_serve_describe(const struct engine_serving *serving, const struct engine_message *message,
                                     struct lh_error *error)
{
    struct finding finding = {.described = {.fact_count = 0}};
    lh_arena_init(&finding.arena);
    lh_writer_init(&finding.notes);
    struct lh_error failure = LH_ERROR_INIT;
    enum lh_status status = describe(&finding, message, &failure);
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_described_write(&writer, status, &finding.described, &failure);
    lh_writer_fini(&finding.notes);
    lh_arena_fini(&finding.arena);
    return engine_serve_send(serving, ENGINE_MESSAGE_DESCRIBED, &writer, error);
}

static enum lh_status try_plugin(const struct engine_message *message, struct lh_arena *arena,
                                 struct engine_trial_result *result, struct lh_error *error)
{
    struct engine_trial trial;
    enum lh_status status = engine_trial_read(message->body, message->size, arena, &trial);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    if (status != LH_OK || message->fd_count != 1) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the trial's question is malformed");
    }
    struct engine_page *page = NULL;
    status = engine_serve_map_page(message->fds[0], &page, error);
    if (status != LH_OK) {
        return status;
    }
    struct engine_host *host = NULL;
    status = engine_host_new(&trial.bundle, 1, NULL, &host, error);
    if (status == LH_OK) {
        status = engine_trial_run(host, &trial, lh_clock_monotonic_ns, &page->watch.slots[0], result, error);
    }
    engine_host_free(host);
    engine_serve_unmap_page(page);
    return status;
}

enum lh_status engine_serve_trial(const struct engine_serving *serving, const struct engine_message *message,
                                  struct lh_error *error)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct engine_trial_result result;
    memset(&result, 0, sizeof result);
    struct lh_error failure = LH_ERROR_INIT;
    enum lh_status status = try_plugin(message, &arena, &result, &failure);
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_tried_write(&writer, status, &result, &failure);
    lh_arena_fini(&arena);
    return engine_serve_send(serving, ENGINE_MESSAGE_TRIED, &writer, error);
}
