/* SPDX-License-Identifier: MIT */
/* The child's side of a render. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "engine/dsp/kernels.h"
#include "engine/instance/crash.h"
#include "engine/instance/serve_parts.h"
#include "graph/encode.h"

/* Descriptors of a RENDER message that come before the media. */
#define PAGE_PLACE 0
#define SCRATCH_PLACE 1
#define MEDIA_PLACE 2

/* It must not be able to shrink under us. */
enum lh_status engine_serve_map_page(int fd, struct engine_page **page, struct lh_error *error)
{
    struct stat facts;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(fd, &facts) != 0 ||
        facts.st_size < (off_t)sizeof(struct engine_page)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the shared page is not a sealed memory file");
    }
    void *map = mmap(NULL, sizeof(struct engine_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the shared page cannot be mapped");
    }
    *page = map;
    engine_crash_tell(*page);
    return LH_OK;
}

void engine_serve_unmap_page(struct engine_page *page)
{
    engine_crash_tell(NULL);
    munmap(page, sizeof *page);
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
           request->stored_count == graph->stored_count &&
           message->fd_count == MEDIA_PLACE + (size_t)request->media_count + wanted + conformed + request->stored_count;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds the folders that hold presets, each once. Those of plugins come first, since of one plugin in two bundles the
   first is taken. */
static size_t add_preset_bundles(const struct graph *graph, const char **bundles, size_t count)
{
    const char **presets = bundles + count;
    size_t preset_count = 0, kept = count;
    for (uint32_t i = 0; i < graph->insert_count; i++) {
        if (graph->inserts[i].preset_bundle[0] != '\0') {
            presets[preset_count++] = graph->inserts[i].preset_bundle;
        }
    }
    qsort(presets, preset_count, sizeof *presets, compare_texts);
    for (size_t i = 0; i < preset_count; i++) {
        bool known = kept > count && strcmp(bundles[kept - 1], presets[i]) == 0;
        for (size_t k = 0; k < count && !known; k++) {
            known = strcmp(bundles[k], presets[i]) == 0;
        }
        if (!known) {
            bundles[kept++] = presets[i];
        }
    }
    return kept;
}

/* A host that knows the plugins of the graph and their presets, or NULL when it has none. */
static enum lh_status new_host(const struct graph *graph, struct engine_host **host, struct lh_error *error)
{
    if (graph->plugin_count == 0) {
        return LH_OK;
    }
    const char **bundles = malloc(((size_t)graph->plugin_count + graph->insert_count) * sizeof *bundles);
    if (bundles == NULL) {
        return lh_error_no_memory(error);
    }
    size_t count = 0;
    for (uint32_t i = 0; i < graph->plugin_count; i++) {
        if (graph->plugins[i].bundle[0] != '\0') {
            bundles[count++] = graph->plugins[i].bundle;
        }
    }
    count = add_preset_bundles(graph, bundles, count);
    enum lh_status status = engine_host_new(bundles, count, NULL, host, error);
    free(bundles);
    return status;
}

/* What is left to find for the job: everything else is in it. */
static enum lh_status run_job(const struct engine_message *message, const struct engine_request *request,
                              struct engine_render_job *job, struct engine_render_result *result,
                              struct lh_error *error)
{
    const int *output_fds = message->fds + MEDIA_PLACE + request->media_count;
    int *outputs = spread(request->wanted, request->output_count, output_fds);
    const int *conformed_fds = output_fds + count_flags(request->wanted, request->output_count);
    int *conformed = spread(request->conformed, request->media_count, conformed_fds);
    enum lh_status status = LH_OK;
    if (outputs == NULL || conformed == NULL) {
        status = lh_error_no_memory(error);
    } else {
        job->output_fds = outputs;
        job->stored_fds = conformed_fds + count_flags(request->conformed, request->media_count);
        job->conformed_fds = request->keeps ? conformed : NULL;
        status = new_host(job->graph, &job->host, error);
    }
    status = status == LH_OK ? engine_render(job, result, error) : status;
    engine_host_free(job->host);
    free(outputs);
    free(conformed);
    return status;
}

static enum lh_status render_graph(const struct engine_serving *serving, const struct engine_message *message,
                                   const struct engine_request *request, const struct graph *graph,
                                   struct engine_render_result *result, struct lh_error *error)
{
    struct engine_render_job job = {
        .graph = graph,
        .media_fds = message->fds + MEDIA_PLACE,
        .scratch_fd = message->fds[SCRATCH_PLACE],
        .threads = request->threads,
        .block = request->block,
        .clock = lh_clock_monotonic_ns,
        .cpu_clock = lh_clock_process_ns,
        .report = request->report,
        .scratch_folder = serving->scratch,
    };
    if (request->kernels[0] != '\0') {
        job.kernels = engine_kernels_named(request->kernels);
        if (job.kernels == NULL) {
            return lh_error_set(error, LH_ERR_USAGE, NULL, "this program and CPU have no kernels named \"%s\"",
                                request->kernels);
        }
    }
    struct engine_page *page = NULL;
    enum lh_status status = engine_serve_map_page(message->fds[PAGE_PLACE], &page, error);
    if (status != LH_OK) {
        return status;
    }
    job.progress = &page->progress;
    job.watch = &page->watch;
    status = run_job(message, request, &job, result, error);
    engine_serve_unmap_page(page);
    return status;
}

/* Everything between the message and its result, whose tables are the caller's to free whatever the status. */
static enum lh_status render(const struct engine_serving *serving, const struct engine_message *message,
                             const struct graph **graph, struct engine_render_result *result, struct lh_error *error)
{
    struct engine_request request;
    if (engine_request_read(message->body, message->size, &request) != LH_OK) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the render request is malformed");
    }
    enum lh_status status = graph_decode(request.graph, request.graph_size, graph, error);
    if (status != LH_OK) {
        return status;
    }
    result->delivered = calloc((size_t)(*graph)->deliverable_count + 1, sizeof *result->delivered);
    result->inserted = calloc((size_t)(*graph)->insert_count + 1, sizeof *result->inserted);
    if (result->delivered == NULL || result->inserted == NULL) {
        return lh_error_no_memory(error);
    }
    if (!request_fits(&request, message, *graph)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the render request's files do not fit its graph");
    }
    return render_graph(serving, message, &request, *graph, result, error);
}

enum lh_status engine_serve_render(const struct engine_serving *serving, const struct engine_message *message,
                                   struct lh_error *error)
{
    struct engine_render_result result = {.delivered = NULL};
    struct lh_error failure = LH_ERROR_INIT;
    const struct graph *graph = NULL;
    enum lh_status status = render(serving, message, &graph, &result, &failure);
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_result_write(&writer, status, &result, graph, &failure);
    free(result.delivered);
    free(result.inserted);
    graph_unref(graph);
    return engine_serve_send(serving, ENGINE_MESSAGE_RESULT, &writer, error);
}
