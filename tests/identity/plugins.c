/* SPDX-License-Identifier: MIT */
/* The same promise for graphs with plugins, among them many whose output depends on how their runs are cut: random
   mixes of Calf's, Steve Harris', LSP's and our own, with moving parameters, latency, side chains, groups, returns,
   pre-rolls and tails, are rendered on every number of threads from 1 to 8, in blocks from the quantum to 65536, in
   partial sums, and file by file. Every file must have one SHA-256, and a render that fails must fail in one place.

   identity_plugins FIRST_SEED COUNT prints TAP, one line for each mix. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/run/render.h"
#include "graph/partition.h"
#include "tests/identity/random_mix.h"

#define FILES_MAX RANDOM_MIX_FILES
#define INSERTS_MAX 64

static void die(const char *what, const struct lh_error *error)
{
    printf("Bail out! %s: %s %s\n", what, error != NULL ? error->where : "", error != NULL ? error->message : "");
    exit(1);
}

/* ---- one render ---- */

struct result {
    enum lh_status status;
    char where[LH_ERROR_WHERE_SIZE + LH_ERROR_MESSAGE_SIZE + 2];
    uint32_t count;
    struct lh_digest samples[FILES_MAX];
    uint64_t frames[FILES_MAX];
};

struct variant {
    uint32_t threads, block;
    uint64_t partition_seed;
};

static void render_graph(const struct graph *graph, const struct variant *variant, struct result *result)
{
    struct engine_delivered delivered[FILES_MAX];
    struct engine_inserted inserted[INSERTS_MAX];
    struct engine_progress progress = {.cancel = 0};
    struct engine_render_result rendered = {.delivered = delivered, .inserted = inserted};
    struct lh_error error = LH_ERROR_INIT;
    int outputs[FILES_MAX];
    if (graph->insert_count > INSERTS_MAX || graph->deliverable_count > FILES_MAX) {
        die("too large a mix", NULL);
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        outputs[d] = memfd_create("out", MFD_CLOEXEC);
    }
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = random_mix_media,
                                    .output_fds = outputs,
                                    .scratch_fd = memfd_create("scratch", MFD_CLOEXEC),
                                    .threads = variant->threads,
                                    .block = variant->block,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns,
                                    .report = true,
                                    .host = random_mix_host};
    memset(result, 0, sizeof *result);
    result->status = engine_render(&job, &rendered, &error);
    if (result->status != LH_OK) {
        snprintf(result->where, sizeof result->where, "%s: %s", error.where, error.message);
    }
    result->count = result->status == LH_OK ? graph->deliverable_count : 0;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        if (result->status == LH_OK) {
            result->samples[d] = delivered[d].file.samples;
            result->frames[d] = (uint64_t)delivered[d].tail_frames;
        }
        close(outputs[d]);
    }
    close(job.scratch_fd);
}

static void render_variant(const struct graph *graph, const struct variant *variant, struct result *result)
{
    struct lh_error error = LH_ERROR_INIT;
    const struct graph *cut = graph;
    if (variant->partition_seed == 0) {
        graph_ref(cut);
    } else if (graph_partition_seeded(graph, variant->partition_seed, &cut, &error) != LH_OK) {
        die("partition", &error);
    }
    render_graph(cut, variant, result);
    graph_unref(cut);
}

static bool same(const struct result *a, const struct result *b)
{
    return a->status == b->status && strcmp(a->where, b->where) == 0 && a->count == b->count &&
           memcmp(a->samples, b->samples, sizeof a->samples) == 0 &&
           memcmp(a->frames, b->frames, sizeof a->frames) == 0;
}

static const struct variant variants[] = {{2, 4096, 0}, {3, 0, 5},     {4, 16384, 0}, {5, 8192, 6},
                                          {6, 1024, 0}, {7, 65536, 0}, {8, 2048, 7},  {2, 0, 0}};
#define VARIANT_COUNT (sizeof variants / sizeof *variants)

/* What else is delivered changes nothing: each file alone is what it is among the others. */
static bool stand_alone(uint64_t seed, uint32_t quantum, const struct result *together)
{
    static const struct variant variant = {2, 0, 0};
    for (uint32_t d = 0; d < together->count; d++) {
        const struct graph *graph = random_mix_make(seed, quantum, d);
        struct result alone;
        render_variant(graph, &variant, &alone);
        graph_unref(graph);
        if (!lh_digest_equal(&alone.samples[0], &together->samples[d]) || alone.frames[0] != together->frames[d]) {
            printf("# file %u differs when it is alone\n", d);
            return false;
        }
    }
    return true;
}

static unsigned rendered, cut_dependent;

static bool check_mix(uint64_t seed, unsigned number)
{
    uint32_t quantum = seed % 4 == 0 ? 256 : 1024;
    const struct graph *graph = random_mix_make(seed, quantum, GRAPH_NONE);
    struct variant first = {1, quantum, 0};
    struct result reference;
    struct result result;
    bool good = true;
    render_variant(graph, &first, &reference);
    for (size_t v = 0; good && v < VARIANT_COUNT; v++) {
        render_variant(graph, &variants[v], &result);
        good = same(&reference, &result);
        if (!good) {
            printf("# %s: %s\n", reference.where, result.where);
            printf("not ok %u - mix %llu differs on %u threads, block %u, partition %llu\n", number,
                   (unsigned long long)seed, variants[v].threads, variants[v].block,
                   (unsigned long long)variants[v].partition_seed);
        }
    }
    if (good && !stand_alone(seed, quantum, &reference)) {
        printf("not ok %u - mix %llu depends on what is delivered\n", number, (unsigned long long)seed);
        good = false;
    }
    uint32_t inserts = graph->insert_count;
    graph_unref(graph);
    graph = random_mix_make(seed, quantum / 2, GRAPH_NONE);
    first.block = quantum;
    render_variant(graph, &first, &result);
    graph_unref(graph);
    rendered += reference.status == LH_OK ? 1 : 0;
    cut_dependent += same(&reference, &result) ? 0 : 1;
    if (good) {
        printf("ok %u - mix %llu: %u plugins, %zu ways%s%s\n", number, (unsigned long long)seed, inserts,
               VARIANT_COUNT + 1, reference.status == LH_OK ? "" : ", all fail: ", reference.where);
    }
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: identity_plugins FIRST_SEED COUNT\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    random_mix_open();
    uint64_t seed = strtoull(argv[1], NULL, 10);
    unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
    bool good = true;
    printf("1..%u\n", count + 1);
    for (unsigned i = 0; i < count; i++) {
        good = check_mix(seed + i, i + 1) && good;
    }
    bool telling = rendered * 10 >= count * 8 && cut_dependent * 4 >= count;
    printf("%s %u - %u of %u mixes render, %u depend on the quantum\n", telling ? "ok" : "not ok", count + 1, rendered,
           count, cut_dependent);
    random_mix_close();
    return good && telling ? 0 : 1;
}
