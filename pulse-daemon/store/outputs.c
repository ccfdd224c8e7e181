/* SPDX-License-Identifier: MIT */
/* Rows of the farm as values, and looking at outputs and specs. */
#include <inttypes.h>
#include <string.h>

#include "pulse-daemon/store/load.h"
#include "pulse-daemon/store/media.h"
#include "pulse-daemon/store/parts.h"

void pulse_column_job(struct pulse_columns *columns, size_t first, struct pulse_job_row *job)
{
    job->tenant = pulse_column_count(columns, first);
    job->id = pulse_column_count(columns, first + 1);
    job->priority = (int32_t)pulse_column_integer(columns, first + 2, PULSE_PRIORITY_MIN, PULSE_PRIORITY_MAX);
    job->state = (enum pulse_job_state)pulse_column_integer(columns, first + 3, PULSE_JOB_QUEUED, PULSE_JOB_CANCELLED);
    job->error = pulse_column_text(columns, first + 4);
}

static void column_name(struct pulse_columns *columns, size_t index, char name[PULSE_NAME_SIZE])
{
    const char *text = pulse_column_text(columns, index);
    size_t length = strlen(text);
    if (length >= PULSE_NAME_SIZE) {
        columns->sound = false;
        return;
    }
    memcpy(name, text, length + 1);
}

void pulse_column_shard(struct pulse_columns *columns, size_t first, struct pulse_shard_row *shard)
{
    shard->tenant = pulse_column_count(columns, first);
    shard->id = pulse_column_count(columns, first + 1);
    shard->kind =
        (enum pulse_shard_kind)pulse_column_integer(columns, first + 2, PULSE_SHARD_PROBE, PULSE_SHARD_RENDER);
    shard->state =
        (enum pulse_shard_state)pulse_column_integer(columns, first + 3, PULSE_SHARD_WAITING, PULSE_SHARD_CANCELLED);
    pulse_column_digest(columns, first + 4, &shard->needs);
    shard->cost_ms = (uint32_t)pulse_column_integer(columns, first + 5, 0, UINT32_MAX);
    shard->attempt = (uint32_t)pulse_column_integer(columns, first + 6, 0, UINT32_MAX);
    column_name(columns, first + 7, shard->owner);
    shard->losses = (uint32_t)pulse_column_integer(columns, first + 8, 0, UINT32_MAX);
    shard->failures = (uint32_t)pulse_column_integer(columns, first + 9, 0, UINT32_MAX);
    column_name(columns, first + 10, shard->failed_on);
}

void pulse_column_output(struct pulse_columns *columns, size_t first, struct pulse_output_row *output)
{
    output->tenant = pulse_column_count(columns, first);
    pulse_column_digest(columns, first + 1, &output->key);
    output->kind =
        (enum pulse_output_kind)pulse_column_integer(columns, first + 2, PULSE_OUTPUT_FILE, PULSE_OUTPUT_FACTS);
    output->state =
        (enum pulse_output_state)pulse_column_integer(columns, first + 3, PULSE_OUTPUT_PROMISED, PULSE_OUTPUT_PRESENT);
    output->shard = pulse_column_count(columns, first + 4);
    if (output->state == PULSE_OUTPUT_PRESENT) {
        pulse_column_digest(columns, first + 5, &output->digest);
    }
    output->size = pulse_column_count(columns, first + 6);
    output->facts = pulse_column_blob(columns, first + 7, &output->facts_size);
    output->unproven = pulse_column_integer(columns, first + 8, 0, 1) != 0;
}

struct looking {
    pulse_store_take_output *take;
    void *context;
    struct lh_error *error;
    size_t count; /* so far */
};

static const struct pulse_sql_statement find_outputs = {
    .text = "SELECT c1, o.tenant, o.key, o.kind, o.state, o.shard, o.digest, o.size, o.facts, o.unproven FROM {rows}"
            " JOIN outputs o ON o.tenant = c2 AND o.key = c3",
    .takes = "iib",
    .gives = "iibiiibibi",
    .rows = true,
};

static enum lh_status take_found(void *context, const struct pulse_sql_value *values)
{
    struct looking *looking = context;
    struct pulse_columns columns = {values, true};
    struct pulse_output_row output = {.tenant = 0};
    size_t index = (size_t)pulse_column_count(&columns, 0);
    pulse_column_output(&columns, 1, &output);
    enum lh_status status = pulse_columns_end(&columns, "outputs", looking->error);
    return status == LH_OK ? looking->take(looking->context, index, &output) : status;
}

enum lh_status pulse_store_outputs(struct pulse_store *store, uint64_t tenant, const struct lh_digest *keys,
                                   size_t count, pulse_store_take_output *take, void *context, struct lh_error *error)
{
    struct looking looking = {.take = take, .context = context, .error = error};
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &find_outputs, take_found, &looking, error);
    for (size_t i = 0; i < count; i++) {
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(i), pulse_sql_count(tenant),
                                                               pulse_sql_digest(&keys[i])});
    }
    return pulse_rows_end(&rows);
}

/* Only forward, and not again within a minute: reading must not cost a write each time. */
static const struct pulse_sql_statement touch_outputs = {
    .text = "UPDATE outputs SET used_ms = c3 FROM {rows} WHERE tenant = c1 AND key = c2 AND used_ms + 60000 < c3",
    .takes = "ibi",
    .gives = "",
    .rows = true,
};

enum lh_status pulse_store_outputs_touch(struct pulse_store *store, uint64_t tenant, const struct lh_digest *keys,
                                         size_t count, struct lh_error *error)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &touch_outputs, NULL, NULL, error);
    for (size_t i = 0; i < count; i++) {
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(tenant), pulse_sql_digest(&keys[i]),
                                                               pulse_sql_integer(store->now_ms)});
    }
    enum lh_status status = pulse_rows_end(&rows);
    return status == LH_OK ? pulse_store_settle(store, error) : status;
}

static const struct pulse_sql_statement touch_blobs = {
    .text = "UPDATE outputs SET used_ms = c3 FROM {rows} WHERE tenant = c1 AND digest = c2 AND used_ms + 60000 < c3",
    .takes = "ibi",
    .gives = "",
    .rows = true,
};

enum lh_status pulse_store_blobs_touch(struct pulse_store *store, const struct pulse_blob_use *uses, size_t count,
                                       struct lh_error *error)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &touch_blobs, NULL, NULL, error);
    for (size_t i = 0; i < count; i++) {
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(uses[i].tenant),
                                                               pulse_sql_digest(&uses[i].digest),
                                                               pulse_sql_integer(store->now_ms)});
    }
    enum lh_status status = pulse_rows_end(&rows);
    return status == LH_OK ? pulse_store_settle(store, error) : status;
}

/* What takes no room, and what stays because it was delivered or is somebody's medium, frees nothing when it is let go.
   What live jobs want is gathered once, not once for each output. */
static const struct pulse_sql_statement idle_outputs = {
    .text = "SELECT o.tenant, o.key, o.kind, o.state, o.shard, o.digest, o.size, o.facts, o.unproven FROM outputs o"
            " WHERE o.tenant = ?1 AND o.state = 1 AND o.size > 0 AND o.key NOT IN"
            " (SELECT w.key FROM jobs j JOIN wants w ON w.tenant = j.tenant AND w.job = j.id"
            " WHERE j.tenant = ?1 AND j.state < 3)"
            " AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.digest = o.digest)"
            " AND NOT EXISTS (SELECT 1 FROM media m WHERE m.digest = o.digest)"
            " ORDER BY o.used_ms, o.key LIMIT ?2",
    .takes = "ii",
    .gives = "ibiiibibi",
    .stream = true,
};

static enum lh_status take_idle(void *context, const struct pulse_sql_value *values)
{
    struct looking *looking = context;
    struct pulse_columns columns = {values, true};
    struct pulse_output_row output = {.tenant = 0};
    pulse_column_output(&columns, 0, &output);
    enum lh_status status = pulse_columns_end(&columns, "outputs", looking->error);
    return status == LH_OK ? looking->take(looking->context, looking->count++, &output) : status;
}

enum lh_status pulse_store_outputs_idle(struct pulse_store *store, uint64_t tenant, size_t limit,
                                        pulse_store_take_output *take, void *context, struct lh_error *error)
{
    struct looking looking = {.take = take, .context = context, .error = error};
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(limit)};
    return pulse_store_query(store, &idle_outputs, values, 1, take_idle, &looking, error);
}

static const struct pulse_sql_statement find_specs = {
    .text = "SELECT c1, s.spec, s.trace FROM {rows} JOIN specs s ON s.tenant = c2 AND s.shard = c3",
    .takes = "iii",
    .gives = "ibt",
    .rows = true,
};

struct reading {
    pulse_store_take_spec *take;
    void *context;
    struct lh_error *error;
};

static enum lh_status take_spec(void *context, const struct pulse_sql_value *values)
{
    struct reading *reading = context;
    struct pulse_columns columns = {values, true};
    size_t index = (size_t)pulse_column_count(&columns, 0);
    struct pulse_spec spec;
    spec.data = pulse_column_blob(&columns, 1, &spec.size);
    spec.trace = pulse_column_text(&columns, 2);
    enum lh_status status = pulse_columns_end(&columns, "specs", reading->error);
    return status == LH_OK ? reading->take(reading->context, index, &spec) : status;
}

enum lh_status pulse_store_specs(struct pulse_store *store, const struct pulse_shard_name *shards, size_t count,
                                 pulse_store_take_spec *take, void *context, struct lh_error *error)
{
    struct reading reading = {.take = take, .context = context, .error = error};
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &find_specs, take_spec, &reading, error);
    for (size_t i = 0; i < count; i++) {
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(i), pulse_sql_count(shards[i].tenant),
                                                               pulse_sql_count(shards[i].shard)});
    }
    return pulse_rows_end(&rows);
}

/* The one that was looked for. */
struct spec_copy {
    struct lh_arena *arena;
    struct pulse_spec spec;
};

static enum lh_status keep_spec(void *context, size_t index, const struct pulse_spec *spec)
{
    struct spec_copy *copy = context;
    void *data = lh_arena_alloc(copy->arena, spec->size);
    const char *trace = lh_arena_strdup(copy->arena, spec->trace);
    (void)index;
    if (data == NULL || trace == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    if (spec->size > 0) {
        memcpy(data, spec->data, spec->size);
    }
    copy->spec = (struct pulse_spec){.data = data, .size = spec->size, .trace = trace};
    return LH_OK;
}

enum lh_status pulse_store_spec(struct pulse_store *store, uint64_t tenant, uint64_t shard, struct lh_arena *arena,
                                struct pulse_spec *spec, struct lh_error *error)
{
    const struct pulse_shard_name name = {.tenant = tenant, .shard = shard};
    struct spec_copy copy = {.arena = arena};
    enum lh_status status = pulse_store_specs(store, &name, 1, keep_spec, &copy, error);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    if (status == LH_OK && copy.spec.data == NULL) {
        return lh_error_set(error, LH_ERR_MISSING, NULL, "there is no shard %" PRIu64, shard);
    }
    if (status == LH_OK) {
        *spec = copy.spec;
    }
    return status;
}
