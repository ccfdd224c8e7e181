/* SPDX-License-Identifier: MIT */
/* The signal instance's loop: one question, one answer. */
#include "engine/instance/serve.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "engine/dsp/kernels.h"
#include "engine/instance/channel.h"
#include "engine/instance/protocol.h"
#include "engine/io/conform.h"
#include "graph/encode.h"

/* Descriptors of a RENDER message that come before the media. */
#define PAGE_PLACE 0
#define SCRATCH_PLACE 1
#define MEDIA_PLACE 2

const char *engine_instance_own_cpu_class(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt");
    bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl");
    return v4 ? "x86-64-v4" : v3 ? "x86-64-v3" : v2 ? "x86-64-v2" : "x86-64-v1";
#else
    return "generic";
#endif
}

/* Sends what was written and lets go of it. */
static enum lh_status send_body(int socket, enum engine_message_kind kind, struct lh_writer *writer,
                                struct lh_error *error)
{
    enum lh_status status = lh_writer_status(writer);
    if (status == LH_OK) {
        status = engine_channel_send(socket, kind, writer->data, writer->size, NULL, 0, error);
    } else {
        lh_error_no_memory(error);
    }
    lh_writer_fini(writer);
    return status;
}

static enum lh_status say_hello(int socket, struct lh_error *error)
{
    struct engine_hello hello = {.version = ENGINE_PROTOCOL_VERSION};
    strncpy(hello.libraries, engine_io_libraries(), sizeof hello.libraries - 1);
    strncpy(hello.cpu_class, engine_instance_own_cpu_class(), sizeof hello.cpu_class - 1);
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_hello_write(&writer, &hello);
    return send_body(socket, ENGINE_MESSAGE_HELLO, &writer, error);
}

static enum lh_status answer_probe(int socket, const struct engine_message *message, struct lh_error *error)
{
    struct engine_probe *probes = calloc(message->fd_count + 1, sizeof *probes);
    if (probes == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < message->fd_count; i++) {
        probes[i].status = engine_media_probe(message->fds[i], &probes[i].facts, &probes[i].error);
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_facts_write(&writer, probes, message->fd_count);
    free(probes);
    return send_body(socket, ENGINE_MESSAGE_FACTS, &writer, error);
}

/* Maps the progress page. It must not be able to shrink under us. */
static enum lh_status map_page(int fd, struct engine_progress **page, struct lh_error *error)
{
    struct stat facts;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(fd, &facts) != 0 ||
        facts.st_size < (off_t)sizeof(struct engine_progress)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the progress page is not a sealed memory file");
    }
    void *map = mmap(NULL, sizeof(struct engine_progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the progress page cannot be mapped");
    }
    *page = map;
    return LH_OK;
}

static size_t count_flags(const uint8_t *flags, uint32_t count)
{
    size_t set = 0;
    for (uint32_t i = 0; i < count; i++) {
        set += flags[i];
    }
    return set;
}

/* One descriptor for each flag, -1 where it is 0; `fds` holds the others. */
static int *spread(const uint8_t *flags, uint32_t count, const int *fds)
{
    int *spread_out = malloc(((size_t)count + 1) * sizeof *spread_out);
    for (uint32_t i = 0; spread_out != NULL && i < count; i++) {
        spread_out[i] = flags[i] == 1 ? *fds++ : -1;
    }
    return spread_out;
}

static bool request_fits(const struct engine_request *request, const struct engine_message *message,
                         const struct graph *graph)
{
    size_t wanted = count_flags(request->wanted, request->output_count);
    size_t conformed = count_flags(request->conformed, request->media_count);
    return request->media_count == graph->media_count && request->output_count == graph->deliverable_count &&
           message->fd_count == MEDIA_PLACE + (size_t)request->media_count + wanted + conformed;
}

static enum lh_status render_graph(const struct engine_message *message, const struct engine_request *request,
                                   const struct graph *graph, struct engine_render_result *result,
                                   struct lh_error *error)
{
    struct engine_render_job job = {
        .graph = graph,
        .media_fds = message->fds + MEDIA_PLACE,
        .scratch_fd = message->fds[SCRATCH_PLACE],
        .threads = request->threads,
        .block = request->block,
        .clock = lh_clock_monotonic_ns,
        .report = request->report,
    };
    if (request->kernels[0] != '\0') {
        job.kernels = engine_kernels_named(request->kernels);
        if (job.kernels == NULL) {
            return lh_error_set(error, LH_ERR_USAGE, NULL, "this program and CPU have no kernels named \"%s\"",
                                request->kernels);
        }
    }
    enum lh_status status = map_page(message->fds[PAGE_PLACE], &job.progress, error);
    if (status != LH_OK) {
        return status;
    }
    const int *output_fds = message->fds + MEDIA_PLACE + request->media_count;
    int *outputs = spread(request->wanted, request->output_count, output_fds);
    int *conformed = spread(request->conformed, request->media_count,
                            output_fds + count_flags(request->wanted, request->output_count));
    if (outputs == NULL || conformed == NULL) {
        status = lh_error_no_memory(error);
    } else {
        job.output_fds = outputs;
        job.conformed_fds = request->keeps ? conformed : NULL;
        status = engine_render(&job, result, error);
    }
    free(outputs);
    free(conformed);
    munmap(job.progress, sizeof *job.progress);
    return status;
}

/* Everything between the message and its result; `delivered` is the caller's to free whatever the status. */
static enum lh_status render(const struct engine_message *message, struct engine_render_result *result, size_t *count,
                             struct lh_error *error)
{
    struct engine_request request;
    if (engine_request_read(message->body, message->size, &request) != LH_OK) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the render request is malformed");
    }
    const struct graph *graph;
    enum lh_status status = graph_decode(request.graph, request.graph_size, &graph, error);
    if (status != LH_OK) {
        return status;
    }
    result->delivered = calloc((size_t)graph->deliverable_count + 1, sizeof *result->delivered);
    *count = graph->deliverable_count;
    if (result->delivered == NULL) {
        status = lh_error_no_memory(error);
    } else if (!request_fits(&request, message, graph)) {
        status = lh_error_set(error, LH_ERR_FORMAT, NULL, "the render request's files do not fit its graph");
    } else {
        status = render_graph(message, &request, graph, result, error);
    }
    graph_unref(graph);
    return status;
}

static enum lh_status answer_render(int socket, const struct engine_message *message, struct lh_error *error)
{
    struct engine_render_result result = {.delivered = NULL};
    struct lh_error failure = LH_ERROR_INIT;
    size_t count = 0;
    enum lh_status status = render(message, &result, &count, &failure);
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_result_write(&writer, status, &result, count, &failure);
    free(result.delivered);
    return send_body(socket, ENGINE_MESSAGE_RESULT, &writer, error);
}

enum lh_status engine_instance_serve(int socket, struct lh_error *error)
{
    enum lh_status status = say_hello(socket, error);
    while (status == LH_OK) {
        struct engine_message message = {.kind = 0};
        status = engine_channel_receive(socket, ENGINE_CHANNEL_DESCRIPTORS_MAX, &message, error);
        if (status == LH_ERR_CRASHED) {
            return LH_OK; /* the parent is gone, or done with us */
        }
        if (status != LH_OK) {
            return status;
        }
        if (message.kind == ENGINE_MESSAGE_PROBE && message.size == 0) {
            status = answer_probe(socket, &message, error);
        } else if (message.kind == ENGINE_MESSAGE_RENDER) {
            status = answer_render(socket, &message, error);
        } else {
            status = lh_error_set(error, LH_ERR_FORMAT, NULL, "a message of kind %u was not expected", message.kind);
        }
        engine_message_fini(&message);
    }
    return status;
}
