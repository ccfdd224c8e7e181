/* SPDX-License-Identifier: MIT */
/* The promise over cuts: a graph that is rendered in pieces, each going on from what others stored, gives the very
   files of the whole. Random projects with every native feature, and random mixes with plugins, are cut at random; or
   as the planner cuts them, for several numbers of slots, and in one render with a cache that is empty, full or has
   holes.

   shards cut|plan song|mix FIRST_SEED COUNT prints TAP, one line for each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tests/identity/cutter.h"
#include "tests/identity/planner.h"
#include "tests/identity/random_mix.h"
#include "tests/identity/random_song.h"

#define FILES_MAX 64
#define CUTS 4  /* of each */
#define PLANS 6 /* of each: three farms, three renders with a cache */

struct result {
    enum lh_status status;
    struct lh_error error;
    uint32_t count;
    struct engine_delivered delivered[FILES_MAX];
    struct lh_digest files[FILES_MAX];
};

static void die(const char *what, const struct lh_error *error)
{
    printf("Bail out! %s: %s %s\n", what, error != NULL ? error->where : "", error != NULL ? error->message : "");
    exit(1);
}

static void take_files(const struct graph *graph, const int *outputs, struct result *result)
{
    result->count = graph->deliverable_count;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        struct lh_error error = LH_ERROR_INIT;
        if (lh_digest_file(outputs[d], &result->files[d], &error) != LH_OK) {
            die("digest", &error);
        }
        close(outputs[d]);
    }
}

static void render_whole(const struct graph *graph, const int *media, struct engine_host *host, struct result *result)
{
    int outputs[FILES_MAX];
    struct engine_progress progress = {.cancel = 0};
    struct engine_inserted *inserted = calloc((size_t)graph->insert_count + 1, sizeof *inserted);
    if (graph->deliverable_count > FILES_MAX || inserted == NULL) {
        die("too large", NULL);
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        outputs[d] = memfd_create("out", MFD_CLOEXEC);
    }
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = media,
                                    .output_fds = outputs,
                                    .scratch_fd = memfd_create("scratch", MFD_CLOEXEC),
                                    .threads = 2,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns,
                                    .report = true,
                                    .host = host};
    struct engine_render_result rendered = {.delivered = result->delivered, .inserted = inserted};
    result->status = engine_render(&job, &rendered, &result->error);
    take_files(graph, outputs, result);
    close(job.scratch_fd);
    free(inserted);
}

static bool same_loudness(const struct engine_loudness *a, const struct engine_loudness *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The first deliverable that differs, or NULL. */
static const char *difference(const struct graph *graph, const struct result *a, const struct result *b)
{
    for (uint32_t d = 0; d < a->count; d++) {
        const struct engine_delivered *one = &a->delivered[d];
        const struct engine_delivered *other = &b->delivered[d];
        if (!lh_digest_equal(&a->files[d], &b->files[d]) ||
            !lh_digest_equal(&one->file.samples, &other->file.samples) || one->tail_frames != other->tail_frames ||
            memcmp(&one->gain_db, &other->gain_db, sizeof one->gain_db) != 0 ||
            !same_loudness(&one->measured, &other->measured) || !same_loudness(&one->reached, &other->reached)) {
            return graph->deliverables[d].name;
        }
    }
    return NULL;
}

static struct cutter_tally tally;
static struct planner_tally plans;
static unsigned rendered;

/* A whole that fails has pieces of which one fails alike; where is not asked. */
static bool agrees(const struct graph *graph, const struct result *whole, const struct result *cut, uint64_t seed,
                   unsigned number, unsigned way)
{
    const char *where = NULL;
    if (cut->status != whole->status) {
        where = cut->status != LH_OK ? cut->error.message : "it does not fail";
    } else if (whole->status == LH_OK) {
        where = difference(graph, whole, cut);
    }
    if (where != NULL) {
        printf("not ok %u - seed %llu, cut %u differs: %s %s\n", number, (unsigned long long)seed, way,
               cut->error.where, where);
    }
    return where == NULL;
}

static bool check_cuts(uint64_t seed, unsigned number, const struct graph *graph, const int *media,
                       struct engine_host *host, const struct result *whole)
{
    static struct result cut;
    for (unsigned c = 0; c < CUTS; c++) {
        int outputs[FILES_MAX];
        struct cutter cutter = {.graph = graph, .media = media, .host = host, .seed = seed * CUTS + c};
        memset(&cut, 0, sizeof cut);
        cut.status = cutter_render(&cutter, outputs, cut.delivered, &tally, &cut.error);
        take_files(graph, outputs, &cut);
        if (!agrees(graph, whole, &cut, seed, number, c)) {
            return false;
        }
    }
    return true;
}

static bool check_plans(uint64_t seed, unsigned number, const struct graph *graph, const int *media,
                        struct engine_host *host, const struct result *whole)
{
    static const uint32_t slots[] = {1, 2, 7};
    static const unsigned forgotten[] = {256, 0, 128};
    static struct result cut;
    struct planner *planner = planner_new(graph, media, host);
    bool good = true;
    for (unsigned way = 0; good && way < PLANS; way++) {
        int outputs[FILES_MAX];
        memset(&cut, 0, sizeof cut);
        cut.status = way < 3 ? planner_render(planner, slots[way], outputs, cut.delivered, &plans, &cut.error)
                             : planner_render_local(planner, seed, forgotten[way - 3], outputs, cut.delivered, &plans,
                                                    &cut.error);
        take_files(graph, outputs, &cut);
        good = agrees(graph, whole, &cut, seed, number, way);
    }
    planner_free(planner);
    return good;
}

static bool by_plan;

static bool check(uint64_t seed, unsigned number, const struct graph *graph, const int *media, struct engine_host *host)
{
    static struct result whole;
    render_whole(graph, media, host, &whole);
    if (!(by_plan ? check_plans : check_cuts)(seed, number, graph, media, host, &whole)) {
        return false;
    }
    printf("ok %u - seed %llu: %u files%s%s\n", number, (unsigned long long)seed, whole.count,
           whole.status == LH_OK ? "" : ", all fail: ", whole.status == LH_OK ? "" : whole.error.message);
    rendered += whole.status == LH_OK ? 1 : 0;
    return true;
}

/* Whether so much was cut that agreement says something. */
static bool is_telling(bool mix, unsigned count)
{
    if (by_plan) {
        printf("# %u shards, %u of them conversions; %u stored, %u sums; %u latencies asked for; with a cache %u read, "
               "%u kept\n",
               plans.shards, plans.converts, plans.stored, plans.sums, plans.asked, plans.read, plans.kept);
        return plans.shards > 6 * count && plans.stored > 3 * count && plans.read > count && plans.kept > count &&
               (mix ? plans.asked > count / 2 : plans.converts > count && plans.sums > 0);
    }
    printf("# %u pieces, %u stored nodes, %u of them sums, %u ahead of what is delivered\n", tally.pieces, tally.stored,
           tally.sums, tally.ahead);
    return tally.stored > count * CUTS && tally.sums > count && tally.pieces > count * CUTS &&
           (!mix || tally.ahead > count);
}

static bool check_song(uint64_t seed, unsigned number)
{
    int media[RANDOM_MEDIA_COUNT];
    const struct graph *graph = random_song_make(seed, 0, seed % 4 == 0 ? 256 : 1024, 0, media);
    bool good = check(seed, number, graph, media, NULL);
    graph_unref(graph);
    return good;
}

static bool check_mix(uint64_t seed, unsigned number)
{
    const struct graph *graph = random_mix_make(seed, seed % 4 == 0 ? 256 : 1024, GRAPH_NONE);
    bool good = check(seed, number, graph, random_mix_media, random_mix_host);
    graph_unref(graph);
    return good;
}

int main(int argc, char **argv)
{
    bool mix = argc == 5 && strcmp(argv[2], "mix") == 0;
    by_plan = argc == 5 && strcmp(argv[1], "plan") == 0;
    if (argc != 5 || (!mix && strcmp(argv[2], "song") != 0) || (!by_plan && strcmp(argv[1], "cut") != 0)) {
        fputs("usage: shards cut|plan song|mix FIRST_SEED COUNT\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    mix ? random_mix_open() : random_song_open();
    uint64_t seed = strtoull(argv[3], NULL, 10);
    unsigned count = (unsigned)strtoul(argv[4], NULL, 10);
    bool good = true;
    printf("1..%u\n", count + 1);
    for (unsigned i = 0; i < count; i++) {
        good = (mix ? check_mix : check_song)(seed + i, i + 1) && good;
    }
    bool telling = is_telling(mix, count) && rendered * 10 >= count * 8;
    printf("%s %u - %u of %u render, and they are cut to pieces\n", telling ? "ok" : "not ok", count + 1, rendered,
           count);
    if (mix) {
        random_mix_close();
    }
    return good && telling ? 0 : 1;
}
