/* SPDX-License-Identifier: MIT */
/* The promise that everything rests on: the same project gives the same bits. Random projects with every native feature
   are rendered with different threads, blocks, kernels, orders of tracks and partitions of buses; every deliverable's
   samples and file must have one SHA-256.

   identity FIRST_SEED COUNT prints TAP, one line for each project. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/digest/digest.h"
#include "engine/run/render.h"
#include "tests/identity/random_song.h"

#define FILES_MAX 64

struct result {
    size_t count;
    char names[FILES_MAX][80];
    struct lh_digest samples[FILES_MAX], files[FILES_MAX];
    double loudest; /* sample peak of the loudest file, dBFS */
};

struct variant {
    const char *name;
    uint32_t threads, block;
    const char *kernels;
    uint64_t order_seed, partition_seed;
};

static void die(const char *what, const struct lh_error *error)
{
    printf("Bail out! %s: %s %s\n", what, error != NULL ? error->where : "", error != NULL ? error->message : "");
    exit(1);
}

/* ---- one render ---- */

static void render_graph(const struct graph *graph, const int *media, const struct variant *variant,
                         struct result *result)
{
    static struct engine_delivered delivered[FILES_MAX];
    int outputs[FILES_MAX];
    struct engine_progress progress = {.cancel = 0};
    struct lh_error error = LH_ERROR_INIT;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        outputs[d] = memfd_create("out", MFD_CLOEXEC);
    }
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = media,
                                    .output_fds = outputs,
                                    .scratch_fd = memfd_create("scratch", MFD_CLOEXEC),
                                    .threads = variant->threads,
                                    .block = variant->block,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns,
                                    .report = true,
                                    .kernels =
                                        variant->kernels != NULL ? engine_kernels_named(variant->kernels) : NULL};
    struct engine_render_result rendered = {.delivered = delivered};
    if (engine_render(&job, &rendered, &error) != LH_OK) {
        die(variant->name, &error);
    }
    result->count = graph->deliverable_count;
    result->loudest = -INFINITY;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        snprintf(result->names[d], sizeof result->names[d], "%s", graph->deliverables[d].name);
        result->samples[d] = delivered[d].file.samples;
        double peak = delivered[d].measured.sample_peak_dbfs;
        result->loudest = peak > result->loudest ? peak : result->loudest;
        if (lh_digest_file(outputs[d], &result->files[d], &error) != LH_OK) {
            die("digest", &error);
        }
        close(outputs[d]);
    }
    close(job.scratch_fd);
}

static void render_variant(uint64_t seed, uint32_t quantum, const struct variant *variant, struct result *result)
{
    int media[RANDOM_MEDIA_COUNT];
    const struct graph *graph = random_song_make(seed, variant->order_seed, quantum, variant->partition_seed, media);
    render_graph(graph, media, variant, result);
    graph_unref(graph);
}

/* ---- comparing ---- */

/* The first deliverable that differs, or NULL. Found by name: another order of tracks may list them in another order.
 */
static const char *difference(const struct result *a, const struct result *b)
{
    if (a->count != b->count) {
        return "the number of files";
    }
    for (size_t i = 0; i < a->count; i++) {
        size_t j = 0;
        while (j < b->count && strcmp(a->names[i], b->names[j]) != 0) {
            j++;
        }
        if (j == b->count || !lh_digest_equal(&a->samples[i], &b->samples[j]) ||
            !lh_digest_equal(&a->files[i], &b->files[j])) {
            return a->names[i];
        }
    }
    return NULL;
}

static const struct variant variants[] = {
    {"1 thread, block 1024, plain C", 1, 1024, "c", 0, 0},
    {"2 threads, block 4096", 2, 4096, NULL, 0, 0},
    {"4 threads, block 16384, other order", 4, 16384, NULL, 77, 0},
    {"8 threads, block 65536", 8, 65536, NULL, 0, 0},
    {"3 threads, chosen block, partial sums", 3, 0, NULL, 0, 5},
    {"8 threads, block 1024, other order, partial sums, plain C", 8, 1024, "c", 78, 6},
};

static unsigned audible; /* projects that had something to hear: the others prove little */

static bool check_project(uint64_t seed, unsigned number)
{
    static struct result reference;
    static struct result result;
    /* one project in four on the small quantum, where block 256 is possible */
    uint32_t quantum = seed % 4 == 0 ? 256 : 1024;
    struct variant first = {"1 thread, smallest block", 1, quantum, NULL, 0, 0};
    render_variant(seed, quantum, &first, &reference);
    for (size_t v = 0; v < sizeof variants / sizeof variants[0]; v++) {
        render_variant(seed, quantum, &variants[v], &result);
        const char *where = difference(&reference, &result);
        if (where != NULL) {
            printf("not ok %u - project %llu: %s differs with %s\n", number, (unsigned long long)seed, where,
                   variants[v].name);
            return false;
        }
    }
    printf("ok %u - project %llu: %zu files, %zu ways, up to %.1f dBFS\n", number, (unsigned long long)seed,
           reference.count, sizeof variants / sizeof variants[0] + 1, reference.loudest);
    audible += reference.loudest > -60 ? 1 : 0;
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: identity FIRST_SEED COUNT\n", stderr);
        return 2;
    }
    random_song_open();
    uint64_t seed = strtoull(argv[1], NULL, 10);
    unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
    bool good = true;
    printf("1..%u\n", count + 1);
    for (unsigned i = 0; i < count; i++) {
        good = check_project(seed + i, i + 1) && good;
    }
    bool heard = audible * 10 >= count * 7;
    printf("%s %u - %u of %u projects are audible\n", heard ? "ok" : "not ok", count + 1, audible, count);
    good = good && heard;
    return good ? 0 : 1;
}
