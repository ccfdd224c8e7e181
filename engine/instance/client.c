/* SPDX-License-Identifier: MIT */
/* The parent's side: asks, waits with one eye on the progress page, and survives whatever the child does. */
#include "engine/instance/client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/instance/channel.h"
#include "engine/instance/locate.h"
#include "engine/instance/process.h"
#include "engine/instance/protocol.h"
#include "graph/encode.h"

#define PROGRESS_PERIOD_NS UINT64_C(50000000)
#define CANCEL_GRACE_NS UINT64_C(1000000000)
#define HELLO_TIMEOUT_NS UINT64_C(10000000000)
/* Until the first block is there it is looked for often, then ever more seldom. */
#define FIRST_WAIT_MS 1
#define LONGEST_WAIT_MS 50
#define WAIT_DOUBLES_AFTER 32
#define NEVER UINT64_MAX

struct engine_instance {
    struct engine_process process;
    struct engine_hello hello;
    bool greeted;
    bool (*go_on)(void *context);
    void *context;
};

enum lh_status engine_instance_spawn(const char *program, struct engine_instance **instance, struct lh_error *error)
{
    char path[PATH_MAX];
    if (program == NULL) {
        enum lh_status status = engine_instance_locate(path, sizeof path, error);
        if (status != LH_OK) {
            return status;
        }
        program = path;
    }
    struct engine_instance *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = engine_process_start(program, &made->process, error);
    if (status != LH_OK) {
        free(made);
        return status;
    }
    *instance = made;
    return LH_OK;
}

void engine_instance_free(struct engine_instance *instance)
{
    if (instance != NULL) {
        engine_process_end(&instance->process);
        free(instance);
    }
}

void engine_instance_watch(struct engine_instance *instance, bool (*go_on)(void *context), void *context)
{
    instance->go_on = go_on;
    instance->context = context;
}

const char *engine_instance_libraries(const struct engine_instance *instance)
{
    return instance->hello.libraries;
}

const char *engine_instance_cpu_class(const struct engine_instance *instance)
{
    return instance->hello.cpu_class;
}

/* A child that broke the rules is not spoken to again. */
static enum lh_status misbehaved(struct engine_instance *instance, struct lh_error *error)
{
    engine_process_end(&instance->process);
    return lh_error_set(error, LH_ERR_CRASHED, NULL,
                        "the signal instance gave an answer that makes no sense and was killed");
}

/* What the channel said, as the caller is to see it: whatever went wrong with the child is a crash. */
static enum lh_status channel_failed(struct engine_instance *instance, enum lh_status status, struct lh_error *error)
{
    if (status == LH_ERR_CRASHED) {
        return engine_process_crashed(&instance->process, error);
    }
    if (status == LH_ERR_FORMAT) {
        return misbehaved(instance, error);
    }
    engine_process_end(&instance->process); /* half a message may be on the way */
    return status;
}

/* Waits up to `timeout_ms` for the child to say something or to go. A signal ends the wait early. */
static bool wait_readable(const struct engine_instance *instance, int timeout_ms)
{
    struct pollfd one = {.fd = instance->process.socket, .events = POLLIN};
    return poll(&one, 1, timeout_ms) > 0;
}

/* The child's next message, which must be of `kind`. Descriptors are not accepted from a child. */
static enum lh_status receive(struct engine_instance *instance, enum engine_message_kind kind,
                              struct engine_message *message, struct lh_error *error)
{
    enum lh_status status = engine_channel_receive(instance->process.socket, 0, message, error);
    if (status != LH_OK) {
        return channel_failed(instance, status, error);
    }
    if (message->kind != (uint32_t)kind) {
        engine_message_fini(message);
        return misbehaved(instance, error);
    }
    return LH_OK;
}

/* Waits for an answer outside of a render. */
static enum lh_status await(struct engine_instance *instance, enum engine_message_kind kind, uint64_t timeout_ns,
                            struct engine_message *message, struct lh_error *error)
{
    uint64_t begun = lh_clock_monotonic_ns();
    while (!wait_readable(instance, LONGEST_WAIT_MS)) {
        if (instance->go_on != NULL && !instance->go_on(instance->context)) {
            engine_process_end(&instance->process);
            return lh_error_set(error, LH_ERR_CANCELLED, NULL, "interrupted");
        }
        if (lh_clock_monotonic_ns() - begun > timeout_ns) {
            engine_process_end(&instance->process);
            return lh_error_set(error, LH_ERR_CRASHED, NULL, "the signal instance does not answer and was killed");
        }
    }
    return receive(instance, kind, message, error);
}

/* The child's first message, taken before the first question. */
static enum lh_status greet(struct engine_instance *instance, struct lh_error *error)
{
    if (instance->process.pid <= 0) {
        return engine_process_crashed(&instance->process, error);
    }
    if (instance->greeted) {
        return LH_OK;
    }
    struct engine_message message = {.kind = 0};
    enum lh_status status = await(instance, ENGINE_MESSAGE_HELLO, HELLO_TIMEOUT_NS, &message, error);
    if (status != LH_OK) {
        return status;
    }
    struct engine_hello hello;
    status = engine_hello_read(message.body, message.size, &hello);
    engine_message_fini(&message);
    if (status != LH_OK) {
        return misbehaved(instance, error);
    }
    if (hello.version != ENGINE_PROTOCOL_VERSION) {
        engine_process_end(&instance->process);
        return lh_error_set(error, LH_ERR_UNSUPPORTED, NULL,
                            "loophole-signal speaks version %u, this program version %d; install both from one release",
                            hello.version, ENGINE_PROTOCOL_VERSION);
    }
    instance->hello = hello;
    instance->greeted = true;
    return LH_OK;
}

static enum lh_status ask(struct engine_instance *instance, enum engine_message_kind kind, const struct lh_writer *body,
                          const int *fds, size_t count, struct lh_error *error)
{
    enum lh_status status =
        engine_channel_send(instance->process.socket, kind, body->data, body->size, fds, count, error);
    return status != LH_OK ? channel_failed(instance, status, error) : LH_OK;
}

enum lh_status engine_instance_probe(struct engine_instance *instance, const int *fds, size_t count,
                                     struct engine_probe *probes, struct lh_error *error)
{
    enum lh_status status = greet(instance, error);
    if (status != LH_OK || count == 0) {
        return status;
    }
    struct lh_writer empty;
    lh_writer_init(&empty);
    status = ask(instance, ENGINE_MESSAGE_PROBE, &empty, fds, count, error);
    struct engine_message message = {.kind = 0};
    status = status != LH_OK ? status : await(instance, ENGINE_MESSAGE_FACTS, NEVER, &message, error);
    if (status != LH_OK) {
        return status;
    }
    status = engine_facts_read(message.body, message.size, probes, count);
    engine_message_fini(&message);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    return status != LH_OK ? misbehaved(instance, error) : LH_OK;
}

/* The page that both sides see. Its size is sealed: neither can pull it away from the other. */
static enum lh_status new_page(int *fd, struct engine_progress **page, struct lh_error *error)
{
    int file = memfd_create("loophole-progress", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *map = MAP_FAILED;
    if (file >= 0 && ftruncate(file, (off_t)sizeof **page) == 0 &&
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        map = mmap(NULL, sizeof **page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    if (map == MAP_FAILED) {
        enum lh_status status =
            lh_error_set(error, LH_ERR_IO, NULL, "cannot make the progress page: %s", strerror(errno));
        if (file >= 0) {
            close(file);
        }
        return status;
    }
    *fd = file;
    *page = map;
    return LH_OK;
}

/* The request's body and descriptors: page, scratch, media, wanted outputs, conformed media. */
struct question {
    struct lh_writer body;
    int *fds;
    size_t count;
};

static enum lh_status compose(const struct engine_instance_render *render, int page_fd, struct question *question,
                              struct lh_error *error)
{
    const struct graph *graph = render->graph;
    size_t most = 2 + 2 * (size_t)graph->media_count + graph->deliverable_count;
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
    struct engine_request request = {
        .threads = render->threads,
        .block = render->block,
        .report = render->report,
        .keeps = render->conformed_fds != NULL,
        .media_count = graph->media_count,
        .output_count = graph->deliverable_count,
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
    struct engine_progress *page;
    uint64_t told_ns;    /* when on_progress was last called */
    uint64_t give_up_ns; /* NEVER until cancelled */
    bool first_told;
    unsigned waits; /* for the first block */
};

static int next_timeout_ms(struct waiting *waiting)
{
    if (waiting->first_told) {
        return LONGEST_WAIT_MS;
    }
    unsigned doubles = waiting->waits++ / WAIT_DOUBLES_AFTER;
    int timeout = doubles < 6 ? FIRST_WAIT_MS << doubles : LONGEST_WAIT_MS;
    return timeout < LONGEST_WAIT_MS ? timeout : LONGEST_WAIT_MS;
}

/* Tells the caller how far it is, when that is due, and hands a cancellation on. */
static void look(struct waiting *waiting, bool interrupted)
{
    const struct engine_instance_render *render = waiting->render;
    uint64_t now = lh_clock_monotonic_ns();
    bool first =
        !waiting->first_told && atomic_load_explicit(&waiting->page->first_block_ns, memory_order_relaxed) != 0;
    waiting->first_told = waiting->first_told || first;
    if (render->on_progress == NULL || (!first && !interrupted && now - waiting->told_ns < PROGRESS_PERIOD_NS)) {
        return;
    }
    waiting->told_ns = now;
    if (!render->on_progress(render->context, waiting->page) && waiting->give_up_ns == NEVER) {
        atomic_store_explicit(&waiting->page->cancel, 1, memory_order_relaxed);
        waiting->give_up_ns = now + CANCEL_GRACE_NS;
    }
}

static enum lh_status supervise(struct engine_instance *instance, const struct engine_instance_render *render,
                                struct engine_progress *page, struct engine_message *message, struct lh_error *error)
{
    struct waiting waiting = {.render = render, .page = page, .told_ns = lh_clock_monotonic_ns(), .give_up_ns = NEVER};
    for (;;) {
        errno = 0;
        bool answered = wait_readable(instance, next_timeout_ms(&waiting));
        look(&waiting, errno == EINTR);
        if (answered) {
            return receive(instance, ENGINE_MESSAGE_RESULT, message, error);
        }
        if (waiting.give_up_ns != NEVER && lh_clock_monotonic_ns() > waiting.give_up_ns) {
            engine_process_end(&instance->process);
            return lh_error_set(error, LH_ERR_CANCELLED, NULL, "interrupted");
        }
    }
}

static enum lh_status take_result(struct engine_instance *instance, const struct engine_message *message,
                                  uint32_t count, struct engine_render_result *result, struct lh_error *error)
{
    enum lh_status outcome = LH_OK;
    struct lh_error failure = LH_ERROR_INIT;
    enum lh_status status = engine_result_read(message->body, message->size, result, count, &outcome, &failure);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    if (status != LH_OK) {
        return misbehaved(instance, error);
    }
    if (outcome != LH_OK && error != NULL) {
        *error = failure;
    }
    return outcome;
}

enum lh_status engine_instance_render(struct engine_instance *instance, const struct engine_instance_render *render,
                                      struct engine_render_result *result, struct lh_error *error)
{
    enum lh_status status = greet(instance, error);
    if (status != LH_OK) {
        return status;
    }
    int page_fd = -1;
    struct engine_progress *page = NULL;
    status = new_page(&page_fd, &page, error);
    if (status != LH_OK) {
        return status;
    }
    struct question question = {.fds = NULL};
    lh_writer_init(&question.body);
    status = compose(render, page_fd, &question, error);
    if (status == LH_OK) {
        status = ask(instance, ENGINE_MESSAGE_RENDER, &question.body, question.fds, question.count, error);
    }
    lh_writer_fini(&question.body);
    free(question.fds);
    close(page_fd);
    struct engine_message message = {.kind = 0};
    status = status != LH_OK ? status : supervise(instance, render, page, &message, error);
    if (status == LH_OK) {
        status = take_result(instance, &message, render->graph->deliverable_count, result, error);
        engine_message_fini(&message);
    }
    munmap(page, sizeof *page);
    return status;
}
