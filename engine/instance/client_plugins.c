/* SPDX-License-Identifier: MIT */
/* The parent's side of questions about plugins and MIDI files. */
#include <stdlib.h>
#include <string.h>

#include "engine/instance/client_parts.h"

static enum lh_status take_described(struct engine_instance *instance, const struct engine_message *message,
                                     struct lh_arena *arena, struct engine_described *described, struct lh_error *error)
{
    enum lh_status outcome = LH_OK;
    struct lh_error failure = LH_ERROR_INIT;
    enum lh_status status = engine_described_read(message->body, message->size, arena, described, &outcome, &failure);
    if (status != LH_OK) {
        return engine_client_understood(instance, status, error);
    }
    if (outcome != LH_OK && error != NULL) {
        *error = failure;
    }
    return outcome;
}

enum lh_status engine_instance_describe(struct engine_instance *instance, struct lh_arena *arena,
                                        const char *const *bundles, size_t bundle_count, const char *const *uris,
                                        size_t uri_count, struct graph_plugin_facts **facts, size_t *fact_count,
                                        const char **notes, struct lh_error *error)
{
    if (bundle_count > ENGINE_PLUGINS_MAX || uri_count > ENGINE_PLUGINS_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL, "more than %u bundles or plugins at a time", ENGINE_PLUGINS_MAX);
    }
    enum lh_status status = engine_client_greet(instance, error);
    if (status != LH_OK) {
        return status;
    }
    struct lh_writer body;
    lh_writer_init(&body);
    engine_describe_write(&body, &(struct engine_describe){bundles, bundle_count, uris, uri_count});
    status = lh_writer_status(&body) == LH_OK
                 ? engine_client_ask(instance, ENGINE_MESSAGE_DESCRIBE, &body, NULL, 0, error)
                 : lh_error_no_memory(error);
    lh_writer_fini(&body);
    struct engine_message message = {.kind = 0};
    status = status == LH_OK ? engine_client_await(instance, ENGINE_MESSAGE_DESCRIBED, &message, error) : status;
    if (status != LH_OK) {
        return status;
    }
    struct engine_described described;
    status = take_described(instance, &message, arena, &described, error);
    engine_message_fini(&message);
    if (status == LH_OK) {
        *facts = described.facts;
        *fact_count = described.fact_count;
        *notes = described.notes;
    }
    return status;
}

enum lh_status engine_instance_read_midi(struct engine_instance *instance, const int *fds, size_t count,
                                         struct engine_midi_probe *midi, struct lh_error *error)
{
    enum lh_status status = engine_client_greet(instance, error);
    if (status != LH_OK || count == 0) {
        return status;
    }
    struct lh_writer empty;
    lh_writer_init(&empty);
    status = engine_client_ask(instance, ENGINE_MESSAGE_MIDI, &empty, fds, count, error);
    struct engine_message message = {.kind = 0};
    status = status == LH_OK ? engine_client_await(instance, ENGINE_MESSAGE_SCORES, &message, error) : status;
    if (status != LH_OK) {
        return status;
    }
    status = engine_scores_read(message.body, message.size, midi, count);
    engine_message_fini(&message);
    return engine_client_understood(instance, status, error);
}

static int beat(void *context, bool interrupted)
{
    (void)interrupted;
    const struct engine_instance *instance = context;
    return instance->go_on != NULL && !instance->go_on(instance->context) ? -1 : ENGINE_CLIENT_WAIT_MS;
}

static enum lh_status take_tried(struct engine_instance *instance, const struct engine_message *message,
                                 struct engine_trial_result *result, struct lh_error *error)
{
    enum lh_status outcome = LH_OK;
    struct lh_error failure = LH_ERROR_INIT;
    enum lh_status status = engine_tried_read(message->body, message->size, result, &outcome, &failure);
    if (status != LH_OK) {
        return engine_client_understood(instance, status, error);
    }
    if (outcome != LH_OK && error != NULL) {
        *error = failure;
    }
    return outcome;
}

static enum lh_status hold_trial(struct engine_instance *instance, const struct engine_trial *trial, int page_fd,
                                 struct engine_page *page, struct engine_message *message, struct lh_error *error)
{
    struct lh_writer body;
    lh_writer_init(&body);
    engine_trial_write(&body, trial);
    struct engine_client_work work = {
        .question = ENGINE_MESSAGE_TRIAL,
        .answer = ENGINE_MESSAGE_TRIED,
        .body = &body,
        .fds = &page_fd,
        .fd_count = 1,
        .page = page,
        .uri = trial->uri,
        .beat = beat,
        .context = instance,
    };
    enum lh_status status = lh_writer_status(&body) == LH_OK ? engine_client_work(instance, &work, message, error)
                                                             : lh_error_no_memory(error);
    lh_writer_fini(&body);
    return status;
}

enum lh_status engine_instance_try(struct engine_instance *instance, const struct engine_trial *trial,
                                   struct engine_trial_result *result, struct lh_error *error)
{
    enum lh_status status = engine_client_greet(instance, error);
    if (status != LH_OK) {
        return status;
    }
    int page_fd = -1;
    struct engine_page *page = NULL;
    status = engine_client_page_new(&page_fd, &page, error);
    if (status != LH_OK) {
        return status;
    }
    struct engine_message message = {.kind = 0};
    status = hold_trial(instance, trial, page_fd, page, &message, error);
    if (status == LH_OK) {
        status = take_tried(instance, &message, result, error);
        engine_message_fini(&message);
    }
    engine_client_page_free(page_fd, page);
    return status;
}
