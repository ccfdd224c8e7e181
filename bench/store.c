/* SPDX-License-Identifier: MIT */
/* How fast the store keeps up: shards claimed and completed per second in batches, as the scheduler core commits them,
   and many shards admitted at once. Prints one number, for store.py.

   usage: store cycle URL SECONDS BATCH     claims and completions per second, half a batch of each in a transaction
          store admit URL COUNT             seconds for so many shards with specs, edges and promises
          store load URL                    seconds to read back all that lives */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "pulse-daemon/store/access.h"
#include "pulse-daemon/store/store.h"

enum { SPEC_SIZE = 300, SHARDS = 20000 };

static struct lh_error error;

static void need(enum lh_status status, const char *what)
{
    if (status != LH_OK) {
        fprintf(stderr, "%s: %s: %s\n", what, lh_status_text(status), error.message);
        exit(1);
    }
}

static struct lh_digest digest_of(char kind, uint64_t i)
{
    char text[32];
    struct lh_digest digest;
    int length = snprintf(text, sizeof text, "%c%" PRIu64, kind, i);
    need(lh_digest_bytes(text, (size_t)length, &digest), "digest");
    return digest;
}

static struct pulse_store *open_store(const char *url)
{
    struct pulse_store *store = NULL;
    uint64_t epoch = 0, tenant = 0;
    need(pulse_store_open(url, PULSE_STORE_WRITE, &store, &error), "open");
    need(pulse_store_migrate(store, 1, &error), "migrate");
    need(pulse_store_lead(store, "bench", 1, &epoch, &error), "lead");
    need(pulse_store_begin(store, 1, &error), "begin");
    need(pulse_store_tenant_put(store, &(struct pulse_tenant_row){.name = "bench", .tags = ""}, &tenant, &error),
         "tenant");
    need(pulse_store_commit(store, &error), "commit");
    return store;
}

static void commit(struct pulse_store *store, const struct pulse_change *changes, size_t count)
{
    need(pulse_store_begin(store, 1, &error), "begin");
    need(pulse_store_apply(store, changes, count, NULL, &error), "apply");
    need(pulse_store_commit(store, &error), "commit");
}

/* Shards first + 1 to first + count, each with two inputs and one output. */
static double admit(struct pulse_store *store, uint64_t first, size_t count)
{
    struct pulse_change *changes = calloc(3 * count + 1, sizeof *changes);
    struct lh_digest *keys = calloc(count + 2, sizeof *keys);
    char spec[SPEC_SIZE];
    if (changes == NULL || keys == NULL) {
        exit(1);
    }
    memset(spec, 's', sizeof spec);
    for (size_t i = 0; i < count + 2; i++) {
        keys[i] = digest_of('k', first + i);
    }
    struct lh_digest needs = digest_of('n', 0);
    changes[0] =
        (struct pulse_change){.kind = PULSE_CHANGE_NEEDS, .needs = {.id = needs, .engine = "1", .cpu_class = ""}};
    for (size_t i = 0; i < count; i++) {
        struct pulse_change *change = &changes[1 + 3 * i];
        change[0] = (struct pulse_change){.kind = PULSE_CHANGE_SHARD,
                                          .shard = {.id = first + i + 1,
                                                    .tenant = 1,
                                                    .kind = PULSE_SHARD_RENDER,
                                                    .state = PULSE_SHARD_READY,
                                                    .needs = needs,
                                                    .cost_ms = 100}};
        change[1] = (struct pulse_change){.kind = PULSE_CHANGE_SPEC,
                                          .shard = {.id = first + i + 1, .tenant = 1},
                                          .spec = spec,
                                          .spec_size = sizeof spec,
                                          .inputs = &keys[i],
                                          .input_count = 2,
                                          .outputs = &keys[i + 2],
                                          .output_count = 1};
        change[2] = (struct pulse_change){
            .kind = PULSE_CHANGE_OUTPUT,
            .output = {.tenant = 1, .key = keys[i + 2], .kind = PULSE_OUTPUT_STORED, .shard = first + i + 1}};
    }
    uint64_t begin = lh_clock_monotonic_ns();
    commit(store, changes, 3 * count + 1);
    double seconds = (double)(lh_clock_monotonic_ns() - begin) / 1e9;
    free(changes);
    free(keys);
    return seconds;
}

/* Completes `half` shards that the transaction before claimed, claims the next. */
static size_t fill_batch(struct pulse_change *changes, uint64_t step, size_t half, const struct lh_digest *keys,
                         const struct lh_digest *needs)
{
    size_t count = 0;
    for (size_t i = 0; i < 2 * half; i++) {
        bool completes = i < half;
        uint64_t at = (step - (completes ? 1 : 0)) * half + i % half, number = at % SHARDS;
        if (completes && step == 0) {
            continue;
        }
        changes[count++] = (struct pulse_change){
            .kind = PULSE_CHANGE_SHARD,
            .shard = {.id = number + 1,
                      .tenant = 1,
                      .kind = PULSE_SHARD_RENDER,
                      .state = completes ? PULSE_SHARD_DONE : PULSE_SHARD_CLAIMED,
                      .needs = *needs,
                      .cost_ms = 100,
                      .attempt = (uint32_t)(at / SHARDS) + 1,
                      .owner = "worker-1"},
        };
        if (completes) {
            memset(changes[count - 1].shard.owner, 0, PULSE_NAME_SIZE);
            changes[count++] = (struct pulse_change){.kind = PULSE_CHANGE_OUTPUT,
                                                     .output = {.tenant = 1,
                                                                .key = keys[number],
                                                                .kind = PULSE_OUTPUT_STORED,
                                                                .state = PULSE_OUTPUT_PRESENT,
                                                                .shard = number + 1,
                                                                .digest = keys[(number + 7) % SHARDS],
                                                                .size = 4096}};
        }
    }
    return count;
}

static double cycle(struct pulse_store *store, double seconds, size_t batch)
{
    static struct lh_digest keys[SHARDS];
    struct lh_digest needs = digest_of('n', 0);
    size_t half = batch / 2;
    struct pulse_change *changes = calloc(3 * half, sizeof *changes);
    uint64_t step = 0;
    if (changes == NULL) {
        exit(1);
    }
    for (uint64_t i = 0; i < SHARDS; i++) {
        keys[i] = digest_of('k', i + 2);
    }
    admit(store, 0, SHARDS);
    uint64_t begin = lh_clock_monotonic_ns();
    double spent = 0.0;
    while (spent < seconds) {
        commit(store, changes, fill_batch(changes, step++, half, keys, &needs));
        spent = (double)(lh_clock_monotonic_ns() - begin) / 1e9;
    }
    free(changes);
    return (double)((step - 1) * half) / spent;
}

static enum lh_status count_change(void *context, const struct pulse_change *change)
{
    (void)change;
    ++*(size_t *)context;
    return LH_OK;
}

static double load(struct pulse_store *store)
{
    struct pulse_store_numbers numbers;
    size_t count = 0;
    uint64_t begin = lh_clock_monotonic_ns();
    need(pulse_store_load(store, count_change, &count, &numbers, &error), "load");
    return (double)(lh_clock_monotonic_ns() - begin) / 1e9;
}

int main(int count, char **arguments)
{
    const char *what = count > 2 ? arguments[1] : "";
    struct pulse_store *store = count > 2 ? open_store(arguments[2]) : NULL;
    if (strcmp(what, "cycle") == 0 && count == 5) {
        printf("%.1f\n", cycle(store, strtod(arguments[3], NULL), strtoul(arguments[4], NULL, 10)));
    } else if (strcmp(what, "admit") == 0 && count == 4) {
        printf("%.3f\n", admit(store, 0, strtoul(arguments[3], NULL, 10)));
    } else if (strcmp(what, "load") == 0 && count == 3) {
        printf("%.3f\n", load(store));
    } else {
        fprintf(stderr, "usage: store cycle URL SECONDS BATCH | admit URL COUNT | load URL\n");
        return 2;
    }
    pulse_store_close(store);
    return 0;
}
