/* SPDX-License-Identifier: MIT */
/* A farm of one process, and a command with a cache. */
#include "tests/identity/planner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "engine/run/conformed.h"
#include "graph/shard.h"
#include "graph/span.h"
#include "pulse-daemon/shard/keyed.h"
#include "pulse-daemon/shard/local.h"
#include "tests/identity/random_project.h"

#define BLOBS_MAX 4096

static const struct graph_key_context context = {
    .sound_version = ENGINE_SOUND_VERSION, .libraries = "here", .cpu_class = "this", .job = "job"};

struct planner {
    const struct graph *graph;
    const int *media;
    struct engine_host *host;
    struct lh_digest *digests; /* of the media: made up */
    struct pulse_costs *costs;
    struct pulse_latencies *latencies;
    struct pulse_keyed blobs; /* key -> index */
    int files[BLOBS_MAX];
    uint32_t file_count;
    bool lost[BLOBS_MAX];
};

static void die(const char *what)
{
    printf("Bail out! planner: %s\n", what);
    exit(1);
}

static void must(enum lh_status status, const char *what)
{
    if (status != LH_OK) {
        die(what);
    }
}

struct planner *planner_new(const struct graph *graph, const int *media, struct engine_host *host)
{
    static const struct {
        const char *what;
        double ns;
    } prices[] = {{"mix", 50}, {"store", 1}, {"load", 1}, {"shard", 2e6}, {"meter", 20}, {"conform", 100}};
    struct planner *planner = calloc(1, sizeof *planner);
    if (planner == NULL ||
        (planner->digests = calloc((size_t)graph->media_count + 1, sizeof *planner->digests)) == NULL) {
        die("memory");
    }
    planner->graph = graph;
    planner->media = media;
    planner->host = host;
    must(pulse_costs_new(&planner->costs), "costs");
    must(pulse_latencies_new(&planner->latencies), "latencies");
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
        must(pulse_costs_set(planner->costs, prices[i].what, prices[i].ns, 1), "costs");
    }
    for (uint32_t m = 0; m < graph->media_count; m++) {
        planner->digests[m].bytes[0] = (uint8_t)(m + 1);
    }
    return planner;
}

static void forget_blobs(struct planner *planner)
{
    for (uint32_t i = 0; i < planner->file_count; i++) {
        close(planner->files[i]);
    }
    planner->file_count = 0;
    pulse_keyed_fini(&planner->blobs);
}

void planner_free(struct planner *planner)
{
    forget_blobs(planner);
    pulse_latencies_free(planner->latencies);
    pulse_costs_free(planner->costs);
    free(planner->digests);
    free(planner);
}

static void put_blob(struct planner *planner, const struct lh_digest *key, int fd)
{
    if (planner->file_count == BLOBS_MAX) {
        die("too many blobs");
    }
    must(pulse_keyed_add(&planner->blobs, key, planner->file_count), "blobs");
    planner->files[planner->file_count] = fd;
    planner->lost[planner->file_count++] = false;
}

static int get_blob(const struct planner *planner, const struct lh_digest *key)
{
    const uint32_t *at = pulse_keyed_find(&planner->blobs, key);
    return at != NULL && !planner->lost[*at] ? planner->files[*at] : -1;
}

/* What one render gives. */
struct rendered {
    int *outputs;
    struct engine_delivered *delivered;
    struct engine_inserted *inserted;
    int scratch;
};

static enum lh_status render(const struct planner *planner, const struct graph *graph, const int *media,
                             const int *conformed, const int *stored, struct rendered *rendered, struct lh_error *error)
{
    struct engine_progress progress = {.cancel = 0};
    rendered->outputs = calloc((size_t)graph->deliverable_count + 1, sizeof *rendered->outputs);
    rendered->delivered = calloc((size_t)graph->deliverable_count + 1, sizeof *rendered->delivered);
    rendered->inserted = calloc((size_t)graph->insert_count + 1, sizeof *rendered->inserted);
    rendered->scratch = memfd_create("scratch", MFD_CLOEXEC);
    if (rendered->outputs == NULL || rendered->delivered == NULL || rendered->inserted == NULL) {
        die("memory");
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        rendered->outputs[d] = memfd_create("out", MFD_CLOEXEC);
    }
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = media,
                                    .conformed_fds = conformed,
                                    .stored_fds = stored,
                                    .output_fds = rendered->outputs,
                                    .scratch_fd = rendered->scratch,
                                    .threads = 2,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns,
                                    .report = true,
                                    .host = planner->host};
    struct engine_render_result result = {.delivered = rendered->delivered, .inserted = rendered->inserted};
    return engine_render(&job, &result, error);
}

static void end_rendered(struct rendered *rendered)
{
    close(rendered->scratch);
    free(rendered->outputs);
    free(rendered->delivered);
    free(rendered->inserted);
}

/* ---- shards ---- */

/* Descriptors of what a shard takes; -1 where it takes something else instead. */
struct taken {
    int *media, *conformed, *stored;
};

static void take_inputs(const struct planner *planner, const struct graph_shard *shard, struct taken *taken)
{
    size_t media = shard->graph->media_count;
    taken->media = calloc(media + 1, sizeof *taken->media);
    taken->conformed = calloc(media + 1, sizeof *taken->conformed);
    taken->stored = calloc((size_t)shard->graph->stored_count + 1, sizeof *taken->stored);
    if (taken->media == NULL || taken->conformed == NULL || taken->stored == NULL) {
        die("memory");
    }
    for (size_t i = 0; i < shard->input_count; i++) {
        const struct graph_shard_input *input = &shard->inputs[i];
        if (input->kind == GRAPH_SHARD_MEDIUM) {
            taken->media[input->index] = planner->media[input->key.bytes[0] - 1];
            taken->conformed[input->index] = -1;
            continue;
        }
        int fd = get_blob(planner, &input->key);
        if (fd < 0) {
            die("an input that nobody has made");
        }
        if (input->kind == GRAPH_SHARD_CONFORMED) {
            taken->media[input->index] = -1;
            taken->conformed[input->index] = fd;
        } else {
            taken->stored[input->index] = fd;
        }
    }
}

static int copy_range(int from, uint64_t offset, uint64_t size)
{
    int to = memfd_create("conformed", MFD_CLOEXEC);
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL || lh_file_read_at(from, bytes, size, offset) != 0 || lh_file_write_at(to, bytes, size, 0) != 0) {
        die("copy");
    }
    free(bytes);
    return to;
}

/* Conformed media lie in the scratch file. */
static void keep_conformed(struct planner *planner, const struct graph_shard *shard, const struct rendered *rendered)
{
    uint64_t offset = 0;
    for (size_t o = 0, m = 0; m < shard->graph->media_count; m++) {
        const struct graph_media *media = &shard->graph->media[m];
        if (o < shard->output_count && shard->outputs[o].index == m) {
            put_blob(planner, &shard->outputs[o++].key,
                     copy_range(rendered->scratch, offset, engine_conformed_size(media)));
        }
        offset += engine_conformed_room(media);
    }
}

/* What a finished shard leaves: its blobs, and of files what is told of them. */
struct told {
    struct pulse_keyed at; /* key -> index */
    struct engine_delivered files[64];
    uint32_t count;
};

static enum lh_status do_shard(struct planner *planner, const struct graph_shard *shard, struct told *told,
                               struct lh_error *error)
{
    struct taken taken;
    struct rendered rendered;
    take_inputs(planner, shard, &taken);
    enum lh_status status = render(planner, shard->graph, taken.media, taken.conformed, taken.stored, &rendered, error);
    if (status == LH_OK && shard->kind == GRAPH_SHARD_CONVERT) {
        keep_conformed(planner, shard, &rendered);
    }
    size_t o = 0;
    for (uint32_t d = 0; d < shard->graph->deliverable_count; d++) {
        bool asked = o < shard->output_count && shard->outputs[o].index == d;
        if (status != LH_OK || !asked) {
            close(rendered.outputs[d]);
            continue;
        }
        put_blob(planner, &shard->outputs[o].key, rendered.outputs[d]);
        if (shard->outputs[o].kind == GRAPH_SHARD_OUT_FILE) {
            must(pulse_keyed_add(&told->at, &shard->outputs[o].key, told->count), "told");
            told->files[told->count++] = rendered.delivered[d];
        }
        o++;
    }
    end_rendered(&rendered);
    free(taken.media);
    free(taken.conformed);
    free(taken.stored);
    return status;
}

/* As a worker gets it: from its bytes. */
static enum lh_status do_encoded(struct planner *planner, const struct graph_shard *shard, struct told *told,
                                 struct lh_error *error)
{
    struct lh_writer writer;
    struct lh_arena arena;
    struct graph_shard decoded = {.graph = NULL};
    lh_writer_init(&writer);
    lh_arena_init(&arena);
    must(graph_shard_encode(shard, &writer), "encode");
    must(graph_shard_decode(writer.data, writer.size, &arena, &decoded, error), "decode");
    enum lh_status status = do_shard(planner, &decoded, told, error);
    graph_unref(decoded.graph);
    lh_arena_fini(&arena);
    lh_writer_fini(&writer);
    return status;
}

static void count_shard(const struct graph_shard *shard, struct planner_tally *tally)
{
    tally->shards++;
    tally->converts += shard->kind == GRAPH_SHARD_CONVERT ? 1 : 0;
    for (size_t o = 0; o < shard->output_count; o++) {
        tally->stored += shard->outputs[o].kind == GRAPH_SHARD_OUT_STORED ? 1 : 0;
        tally->sums += shard->outputs[o].kind == GRAPH_SHARD_OUT_SUM ? 1 : 0;
    }
}

static void do_plan(struct planner *planner, const struct pulse_plan *plan, struct told *told,
                    struct planner_tally *tally, enum lh_status *status, struct lh_error *error)
{
    for (size_t s = 0; *status == LH_OK && s < plan->shard_count; s++) {
        *status = do_encoded(planner, &plan->shards[s].work, told, error);
        count_shard(&plan->shards[s].work, tally);
    }
}

static struct pulse_plan_options options_of(const struct planner *planner, uint32_t slots)
{
    return (struct pulse_plan_options){.context = &context,
                                       .media = planner->digests,
                                       .costs = planner->costs,
                                       .latencies = planner->latencies,
                                       .slots = slots};
}

/* By the shard that is made for that. */
static enum lh_status find_latencies(struct planner *planner, const struct pulse_latency_ask *asks, size_t count,
                                     struct planner_tally *tally, struct lh_error *error)
{
    struct pulse_plan *plan = NULL;
    struct rendered rendered;
    if (count == 0) {
        return LH_OK;
    }
    must(pulse_plan_latencies(planner->graph, asks, count, &plan, error), "plan of latencies");
    const struct graph_shard *work = &plan->shards[0].work;
    must(graph_shard_check(work, error), "shard of latencies");
    enum lh_status status = render(planner, work->graph, NULL, NULL, NULL, &rendered, error);
    for (size_t i = 0; i < count; i++) {
        if (status == LH_OK) {
            must(pulse_latencies_add(planner->latencies, &work->outputs[i].key, rendered.inserted[i].latency), "add");
        }
        close(rendered.outputs[i]);
    }
    tally->asked += (unsigned)count;
    end_rendered(&rendered);
    pulse_plan_free(plan);
    return status;
}

static int duplicate(int from)
{
    int to = from >= 0 ? fcntl(from, F_DUPFD_CLOEXEC, 0) : memfd_create("none", MFD_CLOEXEC);
    return to;
}

enum lh_status planner_render(struct planner *planner, uint32_t slots, int *outputs, struct engine_delivered *delivered,
                              struct planner_tally *tally, struct lh_error *error)
{
    const struct graph *graph = planner->graph;
    struct pulse_plan_options options = options_of(planner, slots);
    struct pulse_latency_ask *asks;
    size_t count;
    struct told told = {.count = 0};
    struct lh_arena arena;
    struct pulse_plan *plan = NULL;
    lh_arena_init(&arena);
    forget_blobs(planner);
    must(pulse_plan_asks(graph, &options, &arena, &asks, &count, error), "asks");
    enum lh_status status = find_latencies(planner, asks, count, tally, error);
    must(pulse_plan_new(graph, &options, &plan, error), "plan");
    do_plan(planner, plan, &told, tally, &status, error);
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        const uint32_t *at = pulse_keyed_find(&told.at, &plan->deliverables[d]);
        outputs[d] = duplicate(at != NULL ? get_blob(planner, &plan->deliverables[d]) : -1);
        if (at != NULL) {
            delivered[d] = told.files[*at];
        }
    }
    pulse_keyed_fini(&told.at);
    pulse_plan_free(plan);
    lh_arena_fini(&arena);
    return status;
}

/* ---- the local way ---- */

static bool has_blob(void *asked, const struct lh_digest *key, uint64_t bytes)
{
    int fd = get_blob(asked, key);
    if (fd >= 0 && (uint64_t)lseek(fd, 0, SEEK_END) != bytes) {
        die("an output of another size");
    }
    return fd >= 0;
}

static void lose(struct planner *planner, uint64_t seed, unsigned forget)
{
    for (uint32_t i = 0; i < planner->file_count; i++) {
        planner->lost[i] = random_next(&seed) % 256 < forget;
    }
}

static int *fds_of_local(const struct planner *planner, const struct pulse_local *local, int **stored)
{
    int *media = calloc((size_t)local->graph->media_count + 1, sizeof *media);
    *stored = calloc((size_t)local->graph->stored_count + 1, sizeof **stored);
    if (media == NULL || *stored == NULL) {
        die("memory");
    }
    for (uint32_t m = 0; m < local->graph->media_count; m++) {
        media[m] = planner->media[local->media[m]];
    }
    for (uint32_t s = 0; s < local->graph->stored_count; s++) {
        (*stored)[s] = get_blob(planner, &local->stored[s].key);
    }
    return media;
}

static enum lh_status render_local(struct planner *planner, const struct pulse_local *local, int *outputs,
                                   struct engine_delivered *delivered, struct lh_error *error)
{
    struct rendered rendered;
    int *stored;
    int *media = fds_of_local(planner, local, &stored);
    enum lh_status status = render(planner, local->graph, media, NULL, stored, &rendered, error);
    for (uint32_t d = 0; d < planner->graph->deliverable_count; d++) {
        uint32_t at = local->deliverables[d];
        outputs[d] = rendered.outputs[at];
        delivered[d] = rendered.delivered[at];
    }
    for (uint32_t k = 0; k < local->kept_count; k++) {
        int fd = rendered.outputs[local->kept[k].deliverable];
        const uint32_t *before = pulse_keyed_find(&planner->blobs, &local->kept[k].key);
        if (status != LH_OK) {
            close(fd);
        } else if (before != NULL) {
            close(planner->files[*before]);
            planner->files[*before] = fd;
            planner->lost[*before] = false;
        } else {
            put_blob(planner, &local->kept[k].key, fd);
        }
    }
    end_rendered(&rendered);
    free(media);
    free(stored);
    return status;
}

enum lh_status planner_render_local(struct planner *planner, uint64_t seed, unsigned forget, int *outputs,
                                    struct engine_delivered *delivered, struct planner_tally *tally,
                                    struct lh_error *error)
{
    struct pulse_local_options options = {.plan = options_of(planner, 1),
                                          .least_seconds = 1e-4,
                                          .has = has_blob,
                                          .context = planner,
                                          .keep_bytes = (uint64_t)1 << 40};
    struct pulse_latency_ask *asks;
    size_t count;
    struct lh_arena arena;
    struct pulse_local *local = NULL;
    lh_arena_init(&arena);
    lose(planner, seed, forget);
    must(pulse_local_asks(planner->graph, &options, &arena, &asks, &count, error), "asks");
    enum lh_status status = find_latencies(planner, asks, count, tally, error);
    must(pulse_local_new(planner->graph, &options, &local, error), "local");
    enum lh_status rendered = render_local(planner, local, outputs, delivered, error);
    status = status == LH_OK ? rendered : status;
    tally->read += local->graph->stored_count;
    tally->kept += local->kept_count;
    pulse_local_free(local);
    lh_arena_fini(&arena);
    return status;
}
