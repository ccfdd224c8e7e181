/* SPDX-License-Identifier: MIT */
/* Everything that the core is rebuilt from, row by row out of one snapshot. */
#include "pulse-daemon/store/load.h"

#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/needs.h"
#include "pulse-daemon/store/parts.h"

static const struct pulse_sql_statement last_job = {.text = "SELECT max(id) FROM jobs", .takes = "", .gives = "i"};
/* One look into the index per tenant instead of one at every shard. */
static const struct pulse_sql_statement last_shard = {
    .text = "SELECT max(last) FROM"
            " (SELECT (SELECT max(id) FROM shards WHERE shards.tenant = tenants.id) AS last FROM tenants) AS each",
    .takes = "",
    .gives = "i",
};
static const struct pulse_sql_statement last_event = {
    .text = "SELECT max(number) FROM events",
    .takes = "",
    .gives = "i",
};
static const struct pulse_sql_statement all_needs = {
    .text = "SELECT id, body FROM needs WHERE id IN (SELECT needs FROM shards WHERE state < 3)",
    .takes = "",
    .gives = "bb",
    .stream = true,
};
static const struct pulse_sql_statement live_jobs = {
    .text = "SELECT tenant, id, priority, state, error FROM jobs WHERE state < 3 ORDER BY id",
    .takes = "",
    .gives = "iiiit",
    .stream = true,
};
static const struct pulse_sql_statement promised = {
    .text = "SELECT tenant, key, kind, state, shard, digest, size, facts, unproven FROM outputs WHERE state = 0",
    .takes = "",
    .gives = "ibiiibibi",
    .stream = true,
};
static const struct pulse_sql_statement live_edges = {
    .text = "SELECT s.tenant, e.inputs, e.outputs FROM shards s"
            " JOIN specs e ON e.tenant = s.tenant AND e.shard = s.id WHERE s.state < 3",
    .takes = "",
    .gives = "ibb",
    .stream = true,
};
static const struct pulse_sql_statement live_wants = {
    .text = "SELECT w.tenant, w.job, w.key FROM jobs j JOIN wants w ON w.tenant = j.tenant AND w.job = j.id"
            " WHERE j.state < 3 ORDER BY w.job, w.key",
    .takes = "",
    .gives = "iib",
    .stream = true,
};
static const struct pulse_sql_statement present_among = {
    .text = "SELECT o.tenant, o.key, o.kind, o.state, o.shard, o.digest, o.size, o.facts, o.unproven FROM {rows}"
            " JOIN outputs o ON o.tenant = c1 AND o.key = c2 WHERE o.state = 1",
    .takes = "ib",
    .gives = "ibiiibibi",
    .rows = true,
};
/* Without an outer join a shard whose edges are gone would be lost silently. */
static const struct pulse_sql_statement live_shards = {
    .text = "SELECT s.tenant, s.id, s.kind, s.state, s.needs, s.cost_ms, s.attempt, s.owner, s.losses, s.failures,"
            " s.failed_on, e.inputs, e.outputs FROM shards s"
            " LEFT JOIN specs e ON e.tenant = s.tenant AND e.shard = s.id WHERE s.state < 3 ORDER BY s.id",
    .takes = "",
    .gives = "iiiibiitiitbb",
    .stream = true,
};

/* A key of somebody's. */
struct key {
    uint64_t tenant;
    struct lh_digest key;
};

struct loading {
    pulse_store_take_change *take;
    void *context;
    struct lh_error *error;
    struct key *keys; /* of outputs that live shards and jobs speak of */
    size_t key_count, key_capacity;
};

static enum lh_status collect(struct loading *loading, uint64_t tenant, const void *keys, size_t count)
{
    if (count > loading->key_capacity - loading->key_count) {
        size_t capacity = 2 * loading->key_capacity + count;
        struct key *grown = realloc(loading->keys, capacity * sizeof *grown);
        if (grown == NULL) {
            return lh_error_no_memory(loading->error);
        }
        loading->keys = grown;
        loading->key_capacity = capacity;
    }
    for (size_t i = 0; i < count; i++) {
        struct key *key = &loading->keys[loading->key_count++];
        key->tenant = tenant;
        memcpy(key->key.bytes, (const uint8_t *)keys + i * LH_DIGEST_SIZE, LH_DIGEST_SIZE);
    }
    return LH_OK;
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *first = a, *second = b;
    if (first->tenant != second->tenant) {
        return first->tenant < second->tenant ? -1 : 1;
    }
    return memcmp(first->key.bytes, second->key.bytes, LH_DIGEST_SIZE);
}

static const struct lh_digest *edges(struct pulse_columns *columns, size_t index, size_t *count)
{
    size_t size = 0;
    const void *keys = pulse_column_blob(columns, index, &size);
    columns->sound =
        columns->sound && keys != NULL && size % LH_DIGEST_SIZE == 0 && size / LH_DIGEST_SIZE <= PULSE_SHARD_EDGES_MAX;
    *count = columns->sound ? size / LH_DIGEST_SIZE : 0;
    return keys;
}

static enum lh_status take_needs(void *context, const struct pulse_sql_value *values)
{
    struct loading *loading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_change change = {.kind = PULSE_CHANGE_NEEDS};
    struct lh_arena arena;
    size_t size = 0;
    pulse_column_digest(&columns, 0, &change.needs.id);
    const void *body = pulse_column_blob(&columns, 1, &size);
    lh_arena_init(&arena);
    enum lh_status status = pulse_columns_end(&columns, "needs", loading->error);
    if (status == LH_OK) {
        status = pulse_needs_decode(body, size, &arena, &change.needs, loading->error);
    }
    if (status == LH_OK) {
        status = loading->take(loading->context, &change);
    }
    lh_arena_fini(&arena);
    return status;
}

static enum lh_status take_job(void *context, const struct pulse_sql_value *values)
{
    struct loading *loading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_change change = {.kind = PULSE_CHANGE_JOB};
    pulse_column_job(&columns, 0, &change.job);
    enum lh_status status = pulse_columns_end(&columns, "jobs", loading->error);
    return status == LH_OK ? loading->take(loading->context, &change) : status;
}

static enum lh_status take_output(void *context, const struct pulse_sql_value *values)
{
    struct loading *loading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_change change = {.kind = PULSE_CHANGE_OUTPUT};
    pulse_column_output(&columns, 0, &change.output);
    enum lh_status status = pulse_columns_end(&columns, "outputs", loading->error);
    return status == LH_OK ? loading->take(loading->context, &change) : status;
}

static enum lh_status take_edges(void *context, const struct pulse_sql_value *values)
{
    struct loading *loading = context;
    struct pulse_columns columns = {values, true};
    size_t input_count = 0, output_count = 0;
    uint64_t tenant = pulse_column_count(&columns, 0);
    const struct lh_digest *inputs = edges(&columns, 1, &input_count);
    const struct lh_digest *outputs = edges(&columns, 2, &output_count);
    enum lh_status status = pulse_columns_end(&columns, "specs", loading->error);
    status = status == LH_OK ? collect(loading, tenant, inputs, input_count) : status;
    return status == LH_OK ? collect(loading, tenant, outputs, output_count) : status;
}

static enum lh_status collect_want(void *context, const struct pulse_sql_value *values)
{
    struct loading *loading = context;
    struct pulse_columns columns = {values, true};
    struct lh_digest key = {{0}};
    uint64_t tenant = pulse_column_count(&columns, 0);
    pulse_column_digest(&columns, 2, &key);
    enum lh_status status = pulse_columns_end(&columns, "wants", loading->error);
    return status == LH_OK ? collect(loading, tenant, key.bytes, 1) : status;
}

static enum lh_status take_want(void *context, const struct pulse_sql_value *values)
{
    struct loading *loading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_change change = {.kind = PULSE_CHANGE_WANT};
    change.job.tenant = change.output.tenant = pulse_column_count(&columns, 0);
    change.job.id = pulse_column_count(&columns, 1);
    pulse_column_digest(&columns, 2, &change.output.key);
    enum lh_status status = pulse_columns_end(&columns, "wants", loading->error);
    return status == LH_OK ? loading->take(loading->context, &change) : status;
}

static enum lh_status take_shard(void *context, const struct pulse_sql_value *values)
{
    struct loading *loading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_change change = {.kind = PULSE_CHANGE_SHARD};
    pulse_column_shard(&columns, 0, &change.shard);
    change.inputs = edges(&columns, 11, &change.input_count);
    change.outputs = edges(&columns, 12, &change.output_count);
    enum lh_status status = pulse_columns_end(&columns, "shards", loading->error);
    if (status == LH_OK) {
        status = loading->take(loading->context, &change);
    }
    change.kind = PULSE_CHANGE_SPEC;
    return status == LH_OK ? loading->take(loading->context, &change) : status;
}

/* Sorted, each once: then the reads go through the table in its order. */
static enum lh_status load_present(struct pulse_store *store, struct loading *loading)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &present_among, take_output, loading, loading->error);
    if (loading->key_count > 0) {
        qsort(loading->keys, loading->key_count, sizeof *loading->keys, compare_keys);
    }
    for (size_t i = 0; i < loading->key_count; i++) {
        const struct key *key = &loading->keys[i];
        if (i == 0 || compare_keys(key - 1, key) != 0) {
            pulse_rows_add(&rows,
                           (const struct pulse_sql_value[]){pulse_sql_count(key->tenant), pulse_sql_digest(&key->key)});
        }
    }
    return pulse_rows_end(&rows);
}

enum lh_status pulse_store_load_in_snapshot(struct pulse_store *store, pulse_store_take_change *take, void *context,
                                            struct lh_error *error)
{
    static const struct {
        const struct pulse_sql_statement *statement;
        pulse_sql_take *take;
    } before[] = {{&all_needs, take_needs},
                  {&live_jobs, take_job},
                  {&promised, take_output},
                  {&live_edges, take_edges},
                  {&live_wants, collect_want}},
      after[] = {{&live_shards, take_shard}, {&live_wants, take_want}};
    struct loading loading = {.take = take, .context = context, .error = error};
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < sizeof before / sizeof *before; i++) {
        status = pulse_store_query(store, before[i].statement, NULL, 1, before[i].take, &loading, error);
    }
    if (status == LH_OK) {
        status = load_present(store, &loading);
    }
    for (size_t i = 0; status == LH_OK && i < sizeof after / sizeof *after; i++) {
        status = pulse_store_query(store, after[i].statement, NULL, 1, after[i].take, &loading, error);
    }
    free(loading.keys);
    return status;
}

enum lh_status pulse_store_load(struct pulse_store *store, pulse_store_take_change *take, void *context,
                                struct pulse_store_numbers *numbers, struct lh_error *error)
{
    int64_t job = 0, shard = 0, event = 0;
    enum lh_status status = pulse_store_snapshot(store, error);
    if (status != LH_OK) {
        return status;
    }
    status = pulse_store_integer(store, &last_job, NULL, 0, &job, error);
    if (status == LH_OK) {
        status = pulse_store_integer(store, &last_shard, NULL, 0, &shard, error);
    }
    if (status == LH_OK) {
        status = pulse_store_integer(store, &last_event, NULL, 0, &event, error);
    }
    if (status == LH_OK) {
        status = pulse_store_load_in_snapshot(store, take, context, error);
    }
    pulse_store_snapshot_end(store);
    if (status == LH_OK) {
        *numbers = (struct pulse_store_numbers){(uint64_t)job, (uint64_t)shard, (uint64_t)event};
    }
    return status;
}
