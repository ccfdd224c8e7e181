/* SPDX-License-Identifier: MIT */
/* bench/farm_core: the scheduler core alone, beside the plainest thing that would do: a list that is searched for the
   most urgent shard at each claim. 100 000 shards of 100 jobs and 10 tenants, 1000 workers of 4 slots; events come in
   batches of 256, as the program around the core makes them.
   Seconds are of CPU time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "pulse-daemon/farm/farm.h"

#define JOBS 100
#define TENANTS 10
#define TRACKS 999 /* of a job, and one mix of them all */
#define WORKERS 1000
#define SLOTS 4
#define BATCH 256
#define SECOND 1e9
#define BEAT_SECONDS 5
#define SCANS 200

static struct pulse_farm *farm;
static struct pulse_farm_outcome outcome;
static uint64_t now_ns;
static char names[WORKERS][8];

struct claim {
    const char *worker;
    uint64_t shard, tenant;
    uint32_t attempt;
    struct pulse_farm_result results[1];
};

/* A ring of what is claimed. */
static struct claim claims[WORKERS * SLOTS + BATCH];
static size_t first_claim, claim_count;
static double slowest;

/* Of this thread: it waits for nothing, and others may have the machine meanwhile. */
static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / SECOND;
}

static void fail(const char *what)
{
    fprintf(stderr, "farm_core: %s\n", what);
    exit(1);
}

static const char *name_of(const char *name)
{
    return names[strtoul(name + 1, NULL, 10)];
}

static double step(const struct pulse_farm_event *events, size_t count)
{
    double begin = cpu_seconds();
    now_ns += 1000000;
    if (pulse_farm_step(farm, now_ns, events, count, &outcome) != LH_OK) {
        fail("a step failed");
    }
    double seconds = cpu_seconds() - begin;
    slowest = seconds > slowest ? seconds : slowest;
    for (size_t i = 0; i < outcome.action_count; i++) {
        const struct pulse_farm_action *action = &outcome.actions[i];
        if (action->kind == PULSE_FARM_ASSIGN) {
            struct claim *claim = &claims[(first_claim + claim_count++) % (sizeof claims / sizeof claims[0])];
            *claim = (struct claim){.worker = name_of(action->worker),
                                    .shard = action->shard,
                                    .tenant = action->tenant,
                                    .attempt = action->attempt,
                                    .results = {{.key = action->outputs[0].key, .digest = {{1}}, .size = 1}}};
        }
    }
    return seconds;
}

static struct lh_digest key_of(uint64_t job, uint64_t shard)
{
    struct lh_digest key = {{0}};
    uint64_t words[] = {job * UINT64_C(0x9e3779b97f4a7c15) + shard * UINT64_C(0xbf58476d1ce4e5b9), job, shard};
    memcpy(key.bytes, words, sizeof words);
    return key;
}

static void welcome_all(void)
{
    static struct pulse_farm_event events[WORKERS];
    for (size_t i = 0; i < WORKERS; i++) {
        snprintf(names[i], sizeof names[i], "w%zu", i);
        events[i] = (struct pulse_farm_event){.kind = PULSE_FARM_WELCOME,
                                              .worker = names[i],
                                              .session = i + 1,
                                              .slots = SLOTS,
                                              .credits = SLOTS,
                                              .traits = {.engine = "1 bench", .cpu_class = "v3"}};
    }
    step(events, WORKERS);
}

/* A job whose tracks are mixed in the end. */
static double admit(uint64_t job)
{
    static struct lh_digest keys[TRACKS + 1];
    static struct pulse_farm_promise promises[TRACKS + 1];
    static struct pulse_farm_shard shards[TRACKS + 1];
    static const struct pulse_needs_row needs = {.id = {{1}}, .engine = "1 bench", .cpu_class = ""};
    for (size_t i = 0; i <= TRACKS; i++) {
        keys[i] = key_of(job, i);
        promises[i] = (struct pulse_farm_promise){.key = keys[i], .kind = PULSE_OUTPUT_STORED};
        shards[i] = (struct pulse_farm_shard){.kind = PULSE_SHARD_RENDER,
                                              .needs = &needs,
                                              .cost_ms = (uint32_t)(100 + i * 7919 % 1000),
                                              .outputs = &promises[i],
                                              .output_count = 1};
    }
    shards[TRACKS].inputs = keys;
    shards[TRACKS].input_count = TRACKS;
    struct pulse_farm_event submit = {.kind = PULSE_FARM_SUBMIT, .job = {.id = job, .tenant = job % TENANTS + 1}};
    struct pulse_farm_event plan = {
        .kind = PULSE_FARM_PLANNED,
        .plan = {.job = job, .shards = shards, .shard_count = TRACKS + 1, .wants = &keys[TRACKS], .want_count = 1}};
    return step(&submit, 1) + step(&plan, 1);
}

static double complete_batch(size_t *done)
{
    static struct claim mine[BATCH];
    static struct pulse_farm_event events[BATCH];
    size_t count = claim_count < BATCH ? claim_count : BATCH;
    for (size_t i = 0; i < count; i++) {
        mine[i] = claims[(first_claim + i) % (sizeof claims / sizeof claims[0])];
        events[i] = (struct pulse_farm_event){.kind = PULSE_FARM_COMPLETE,
                                              .worker = mine[i].worker,
                                              .shard = mine[i].shard,
                                              .attempt = mine[i].attempt,
                                              .tenant = mine[i].tenant,
                                              .results = mine[i].results,
                                              .result_count = 1};
    }
    first_claim = (first_claim + count) % (sizeof claims / sizeof claims[0]);
    claim_count -= count;
    *done += count;
    return step(events, count);
}

/* Every worker says what it holds, once. */
static double beat_all(void)
{
    static struct pulse_farm_held held[WORKERS][SLOTS];
    static struct pulse_farm_event events[WORKERS];
    double seconds = 0;
    for (size_t i = 0; i < WORKERS; i++) {
        events[i] =
            (struct pulse_farm_event){.kind = PULSE_FARM_BEAT, .worker = names[i], .session = i + 1, .held = held[i]};
    }
    for (size_t i = 0; i < claim_count; i++) {
        const struct claim *claim = &claims[(first_claim + i) % (sizeof claims / sizeof claims[0])];
        struct pulse_farm_event *event = &events[strtoul(claim->worker + 1, NULL, 10)];
        held[event - events][event->held_count++] = (struct pulse_farm_held){
            .shard = claim->shard, .attempt = claim->attempt, .running = true, .progress = now_ns};
    }
    for (size_t i = 0; i < WORKERS; i += 4) { /* they come one by one: a few in each batch */
        seconds += step(&events[i], 4);
    }
    return seconds;
}

/* The peer: all shards in one list, searched whenever a worker asks. */
static double scan(void)
{
    struct plain {
        uint64_t job;
        uint32_t cost, state;
    };
    size_t count = (size_t)JOBS * (TRACKS + 1), taken = 0;
    struct plain *shards = calloc(count, sizeof *shards);
    if (shards == NULL) {
        fail("no memory");
    }
    for (size_t i = 0; i < count; i++) {
        shards[i] = (struct plain){i / (TRACKS + 1), (uint32_t)(100 + i * 7919 % 1000), 0};
    }
    double begin = cpu_seconds();
    for (; taken < SCANS; taken++) {
        struct plain *best = NULL;
        for (size_t i = 0; i < count; i++) {
            struct plain *shard = &shards[i];
            if (shard->state == 0 &&
                (best == NULL || shard->job < best->job || (shard->job == best->job && shard->cost > best->cost))) {
                best = shard;
            }
        }
        best->state = 1;
    }
    double seconds = cpu_seconds() - begin;
    free(shards);
    return seconds;
}

int main(void)
{
    struct pulse_farm_counts counts;
    struct rusage usage;
    double admitted = 0, completed = 0, beats;
    size_t done = 0, steps = 0;
    if (pulse_farm_new(NULL, &farm) != LH_OK) {
        fail("no memory");
    }
    for (uint64_t job = 1; job <= JOBS; job++) {
        admitted += admit(job);
    }
    pulse_farm_counts(farm, &counts);
    printf("admission      %8.0f shards/s, slowest step %.1f ms (1000 shards), %zu bytes a shard with its output\n",
           (double)counts.shards / admitted, slowest * 1e3, counts.bytes / counts.shards);
    slowest = 0;
    welcome_all();
    printf("first claims   %8zu in one step of %.1f ms\n", claim_count, slowest * 1e3);
    slowest = 0;
    beats = beat_all();
    printf("beats          %8.0f workers/s; %d workers of %d slots take %.2f %% of a core\n", WORKERS / beats, WORKERS,
           SLOTS, beats / BEAT_SECONDS * 100);
    slowest = 0;
    while (claim_count > 0) {
        completed += complete_batch(&done);
        steps++;
    }
    pulse_farm_counts(farm, &counts);
    if (counts.shards > 0 || done != (size_t)JOBS * (TRACKS + 1)) {
        fail("not everything was done");
    }
    printf("claim+complete %8.0f shards/s in batches of %d, slowest step %.1f ms, mean %.2f ms\n",
           (double)done / completed, BATCH, slowest * 1e3, completed / (double)steps * 1e3);
    printf("peer: a list   %8.0f claims/s, searched for each of %d\n", SCANS / scan(), SCANS);
    getrusage(RUSAGE_SELF, &usage);
    printf("memory at most %8ld KiB, %zu bytes held in the end\n", usage.ru_maxrss, counts.bytes);
    pulse_farm_free(farm);
    return 0;
}
