/* SPDX-License-Identifier: MIT */
/* The parent's side of a render: puts the question, tells how far it is, takes the result. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "engine/instance/client_parts.h"
#include "graph/encode.h"

#define PROGRESS_PERIOD_NS UINT64_C(50000000)
#define CANCEL_GRACE_NS UINT64_C(1000000000)
/* Until the first block is there it is looked for often, then ever more seldom. */
#define FIRST_WAIT_MS 1
#define WAIT_DOUBLES_AFTER 32
#define NEVER UINT64_MAX

/* The request's body and descriptors: page, scratch, media, wanted outputs, conformed media,
   stored frames. */
struct question {
    struct lh_writer body;
    int *fds;
    size_t count;
};

static enum lh_status compose(const struct engine_instance_render *render, int page_fd, struct question *question,
                              struct lh_error *error)
{
    const struct graph *graph = render->graph;
    size_t most = 2 + 2 * (size_t)graph->media_count + graph->deliverable_count + graph->stored_count;
    question->fds = malloc(most * sizeof *question->fds);
    uint8_t *wanted = malloc((size_t)graph->deliverable_count + graph->media_count + 1);
    if (question->fds == NULL || wanted == NULL) {
        free(wanted);
        return lh_error_no_memory(error);
    }
    question->fds[question->count++] = page_fd;
    question->fds[question->count++] = render->scratch_fd;
    for (uint32_t i = 0; i < graph->media_count; i++) {
        question->fds[question->count++] = render->media_fds[i];
    }
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        wanted[i] = render->output_fds[i] >= 0 ? 1 : 0;
        if (wanted[i] == 1) {
            question->fds[question->count++] = render->output_fds[i];
        }
    }
    uint8_t *conformed = wanted + graph->deliverable_count;
    for (uint32_t i = 0; i < graph->media_count; i++) {
        conformed[i] = render->conformed_fds != NULL && render->conformed_fds[i] >= 0 ? 1 : 0;
        if (conformed[i] == 1) {
            question->fds[question->count++] = render->conformed_fds[i];
        }
    }
    for (uint32_t i = 0; i < graph->stored_count; i++) {
        question->fds[question->count++] = render->stored_fds[i];
    }
    struct engine_request request = {
        .threads = render->threads,
        .block = render->block,
        .report = render->report,
        .keeps = render->conformed_fds != NULL,
        .media_count = graph->media_count,
        .output_count = graph->deliverable_count,
        .stored_count = graph->stored_count,
        .conformed = conformed,
        .wanted = wanted,
    };
    const char *kernels = render->kernels != NULL ? render->kernels : getenv("LOOPHOLE_KERNELS");
    if (kernels != NULL) {
        strncpy(request.kernels, kernels, sizeof request.kernels - 1);
    }
    engine_request_write(&question->body, &request);
    free(wanted);
    enum lh_status status = graph_encode(graph, &question->body);
    return status != LH_OK ? lh_error_no_memory(error) : LH_OK;
}

/* The wait for a result. */
struct waiting {
    const struct engine_instance_render *render;
    struct engine_progress *progress;
    uint64_t told_ns;    /* when on_progress was last called */
    uint64_t give_up_ns; /* NEVER until cancelled */
    bool first_told;
    unsigned waits; /* for the first block */
};

static int next_timeout_ms(struct waiting *waiting)
{
    if (waiting->first_told) {
        return ENGINE_CLIENT_WAIT_MS;
    }
    unsigned doubles = waiting->waits++ / WAIT_DOUBLES_AFTER;
    int timeout = doubles < 6 ? FIRST_WAIT_MS << doubles : ENGINE_CLIENT_WAIT_MS;
    return timeout < ENGINE_CLIENT_WAIT_MS ? timeout : ENGINE_CLIENT_WAIT_MS;
}

/* Tells the caller how far it is, when that is due, and hands a cancellation on. */
static void look(struct waiting *waiting, bool interrupted)
{
    const struct engine_instance_render *render = waiting->render;
    uint64_t now = lh_clock_monotonic_ns();
    bool first =
        !waiting->first_told && atomic_load_explicit(&waiting->progress->first_block_ns, memory_order_relaxed) != 0;
    waiting->first_told = waiting->first_told || first;
    if (render->on_progress == NULL || (!first && !interrupted && now - waiting->told_ns < PROGRESS_PERIOD_NS)) {
        return;
    }
    waiting->told_ns = now;
    if (!render->on_progress(render->context, waiting->progress) && waiting->give_up_ns == NEVER) {
        atomic_store_explicit(&waiting->progress->cancel, 1, memory_order_relaxed);
        waiting->give_up_ns = render->abrupt ? 0 : now + CANCEL_GRACE_NS;
    }
}

static int beat(void *context, bool interrupted)
{
    struct waiting *waiting = context;
    look(waiting, interrupted);
    bool over = waiting->give_up_ns != NEVER && lh_clock_monotonic_ns() > waiting->give_up_ns;
    return over ? -1 : next_timeout_ms(waiting);
}

static enum lh_status take_result(struct engine_instance *instance, const struct engine_message *message,
                                  const struct graph *graph, struct engine_render_result *result,
                                  struct lh_error *error)
{
    enum lh_status outcome = LH_OK;
    struct lh_error failure = LH_ERROR_INIT;
    enum lh_status status = engine_result_read(message->body, message->size, graph, result, &outcome, &failure);
    if (status != LH_OK) {
        return engine_client_understood(instance, status, error);
    }
    if (outcome != LH_OK && error != NULL) {
        *error = failure;
    }
    return outcome;
}

static enum lh_status put_question(struct engine_instance *instance, const struct engine_instance_render *render,
                                   int page_fd, struct engine_page *page, struct engine_message *message,
                                   struct lh_error *error)
{
    struct question question = {.fds = NULL};
    lh_writer_init(&question.body);
    enum lh_status status = compose(render, page_fd, &question, error);
    if (status == LH_OK) {
        struct waiting waiting = {
            .render = render, .progress = &page->progress, .told_ns = lh_clock_monotonic_ns(), .give_up_ns = NEVER};
        struct engine_client_work work = {
            .question = ENGINE_MESSAGE_RENDER,
            .answer = ENGINE_MESSAGE_RESULT,
            .body = &question.body,
            .fds = question.fds,
            .fd_count = question.count,
            .page = page,
            .graph = render->graph,
            .beat = beat,
            .context = &waiting,
        };
        status = engine_client_work(instance, &work, message, error);
    }
    lh_writer_fini(&question.body);
    free(question.fds);
    return status;
}

enum lh_status engine_instance_render(struct engine_instance *instance, const struct engine_instance_render *render,
                                      struct engine_render_result *result, struct lh_error *error)
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
    status = put_question(instance, render, page_fd, page, &message, error);
    if (status == LH_OK) {
        status = take_result(instance, &message, render->graph, result, error);
        engine_message_fini(&message);
        if (status == LH_OK && render->on_progress != NULL) {
            (void)render->on_progress(render->context, &page->progress); /* how far it came is known only now */
        }
    }
    engine_client_page_free(page_fd, page);
    return status;
}
