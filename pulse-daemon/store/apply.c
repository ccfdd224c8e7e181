/* SPDX-License-Identifier: MIT */
/* A batch of changes becomes a handful of statements: of each kind the last change of each row, all rows of a kind in
   one go, ordered by key, what others refer to first. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/needs.h"
#include "pulse-daemon/store/parts.h"

/* A batch while it is being written. */
struct applying {
    struct pulse_store *store;
    const struct pulse_change **changes; /* of one kind at a time */
    size_t count;
    struct lh_arena arena; /* encoded needs */
    struct lh_error *error;
};

/* ---- Which changes count ---- */

static int by_number(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_job(const struct pulse_change *a, const struct pulse_change *b)
{
    int order = by_number(a->job.tenant, b->job.tenant);
    return order != 0 ? order : by_number(a->job.id, b->job.id);
}

static int by_shard(const struct pulse_change *a, const struct pulse_change *b)
{
    int order = by_number(a->shard.tenant, b->shard.tenant);
    return order != 0 ? order : by_number(a->shard.id, b->shard.id);
}

static int by_output(const struct pulse_change *a, const struct pulse_change *b)
{
    int order = by_number(a->output.tenant, b->output.tenant);
    return order != 0 ? order : memcmp(a->output.key.bytes, b->output.key.bytes, sizeof a->output.key.bytes);
}

static int by_want(const struct pulse_change *a, const struct pulse_change *b)
{
    int order = by_number(a->job.id, b->job.id);
    return order != 0 ? order : by_output(a, b);
}

static int by_needs(const struct pulse_change *a, const struct pulse_change *b)
{
    return memcmp(a->needs.id.bytes, b->needs.id.bytes, sizeof a->needs.id.bytes);
}

typedef int order_of_changes(const struct pulse_change *a, const struct pulse_change *b);

static int compare(const void *a, const void *b, void *order)
{
    const struct pulse_change *first = *(const struct pulse_change *const *)a;
    const struct pulse_change *second = *(const struct pulse_change *const *)b;
    int result = (*(order_of_changes *const *)order)(first, second);
    /* Both are in one array: what comes later there replaces what came before. */
    return result != 0 ? result : first < second ? -1 : first > second;
}

/* Keeps the last change of each row, in the order of rows. */
static void keep_last(struct applying *applying, order_of_changes *order)
{
    size_t kept = 0;
    if (applying->count > 0) {
        qsort_r(applying->changes, applying->count, sizeof *applying->changes, compare, (void *)&order);
    }
    for (size_t i = 0; i < applying->count; i++) {
        bool last = i + 1 == applying->count || order(applying->changes[i], applying->changes[i + 1]) != 0;
        if (last) {
            applying->changes[kept++] = applying->changes[i];
        }
    }
    applying->count = kept;
}

static void select_kinds(struct applying *applying, const struct pulse_change *changes, size_t count,
                         enum pulse_change_kind first, enum pulse_change_kind second)
{
    applying->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (changes[i].kind == first || changes[i].kind == second) {
            applying->changes[applying->count++] = &changes[i];
        }
    }
}

/* ---- Rows ---- */

static const struct pulse_sql_statement put_needs = {
    .text = "INSERT INTO needs (id, body) SELECT c1, c2 FROM {rows} WHERE true ON CONFLICT (id) DO NOTHING",
    .takes = "bb",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement put_shard = {
    .text = "INSERT INTO shards (tenant, id, kind, state, needs, cost_ms, attempt, owner, losses, failures, failed_on,"
            " finished_ms)"
            " SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 FROM {rows} WHERE true"
            " ON CONFLICT (tenant, id) DO UPDATE SET kind = excluded.kind, state = excluded.state,"
            " needs = excluded.needs, cost_ms = excluded.cost_ms, attempt = excluded.attempt, owner = excluded.owner,"
            " losses = excluded.losses, failures = excluded.failures, failed_on = excluded.failed_on,"
            " finished_ms = excluded.finished_ms",
    .takes = "iiiibiitiiti",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement put_spec = {
    .text = "INSERT INTO specs (tenant, shard, spec, inputs, outputs, trace)"
            " SELECT c1, c2, c3, c4, c5, c6 FROM {rows} WHERE true"
            " ON CONFLICT (tenant, shard) DO UPDATE SET spec = excluded.spec, inputs = excluded.inputs,"
            " outputs = excluded.outputs, trace = excluded.trace",
    .takes = "iibbbt",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement put_output = {
    .text = "INSERT INTO outputs (tenant, key, kind, state, shard, digest, size, facts, used_ms, unproven)"
            " SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10 FROM {rows} WHERE true"
            " ON CONFLICT (tenant, key) DO UPDATE SET kind = excluded.kind, state = excluded.state,"
            " shard = excluded.shard, digest = excluded.digest, size = excluded.size, facts = excluded.facts,"
            " used_ms = excluded.used_ms, unproven = excluded.unproven",
    .takes = "ibiiibibii",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement drop_output = {
    .text = "DELETE FROM outputs WHERE (tenant, key) IN (SELECT c1, c2 FROM {rows})",
    .takes = "ib",
    .gives = "",
    .rows = true,
};
/* The time of the end is that of the first row that says so. */
static const struct pulse_sql_statement put_job = {
    .text = "INSERT INTO jobs (tenant, id, priority, state, error, created_ms, finished_ms)"
            " SELECT c1, c2, c3, c4, c5, c6, c7 FROM {rows} WHERE true"
            " ON CONFLICT (tenant, id) DO UPDATE SET priority = excluded.priority, state = excluded.state,"
            " error = excluded.error, finished_ms ="
            " CASE WHEN excluded.finished_ms IS NULL THEN NULL"
            " ELSE coalesce(jobs.finished_ms, excluded.finished_ms) END",
    .takes = "iiiitii",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement put_want = {
    .text = "INSERT INTO wants (tenant, job, key) SELECT c1, c2, c3 FROM {rows} WHERE true"
            " ON CONFLICT (tenant, job, key) DO NOTHING",
    .takes = "iib",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement drop_want = {
    .text = "DELETE FROM wants WHERE (tenant, job, key) IN (SELECT c1, c2, c3 FROM {rows})",
    .takes = "iib",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement put_event = {
    .text = "INSERT INTO events (number, tenant, job, created_ms, body) SELECT c1, c2, c3, c4, c5 FROM {rows}"
            " WHERE true",
    .takes = "iiiit",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement put_alarm = {
    .text = "INSERT INTO alarms (number, tenant, job, created_ms, body) SELECT c1, c2, c3, c4, c5 FROM {rows}"
            " WHERE true",
    .takes = "iiiit",
    .gives = "",
    .rows = true,
};

static enum lh_status send_needs(struct applying *applying)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, applying->store, &put_needs, NULL, NULL, applying->error);
    for (size_t i = 0; i < applying->count; i++) {
        const struct pulse_needs_row *needs = &applying->changes[i]->needs;
        const void *body = NULL;
        size_t size = 0;
        if (pulse_needs_encode(needs, &applying->arena, &body, &size) != LH_OK) {
            rows.status = lh_error_no_memory(applying->error);
            break;
        }
        pulse_rows_add(&rows,
                       (const struct pulse_sql_value[]){pulse_sql_digest(&needs->id), pulse_sql_blob(body, size)});
    }
    return pulse_rows_end(&rows);
}

static enum lh_status send_shards(struct applying *applying)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, applying->store, &put_shard, NULL, NULL, applying->error);
    for (size_t i = 0; i < applying->count; i++) {
        const struct pulse_shard_row *shard = &applying->changes[i]->shard;
        bool over = shard->state >= PULSE_SHARD_DONE;
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){
                                  pulse_sql_count(shard->tenant),
                                  pulse_sql_count(shard->id),
                                  pulse_sql_integer(shard->kind),
                                  pulse_sql_integer(shard->state),
                                  pulse_sql_digest(&shard->needs),
                                  pulse_sql_integer(shard->cost_ms),
                                  pulse_sql_integer(shard->attempt),
                                  pulse_sql_text(shard->owner),
                                  pulse_sql_integer(shard->losses),
                                  pulse_sql_integer(shard->failures),
                                  pulse_sql_text(shard->failed_on),
                                  over ? pulse_sql_integer(applying->store->now_ms) : pulse_sql_null(),
                              });
    }
    return pulse_rows_end(&rows);
}

static enum lh_status send_specs(struct applying *applying)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, applying->store, &put_spec, NULL, NULL, applying->error);
    for (size_t i = 0; i < applying->count; i++) {
        const struct pulse_change *change = applying->changes[i];
        if (change->input_count > PULSE_SHARD_EDGES_MAX || change->output_count > PULSE_SHARD_EDGES_MAX) {
            rows.status = lh_error_set(applying->error, LH_ERR_LIMIT, NULL, "shard %" PRIu64 " has too many edges",
                                       change->shard.id);
            break;
        }
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){
                                  pulse_sql_count(change->shard.tenant),
                                  pulse_sql_count(change->shard.id),
                                  pulse_sql_blob(change->spec, change->spec_size),
                                  pulse_sql_blob(change->inputs, change->input_count * sizeof *change->inputs),
                                  pulse_sql_blob(change->outputs, change->output_count * sizeof *change->outputs),
                                  pulse_sql_text(change->trace != NULL ? change->trace : ""),
                              });
    }
    return pulse_rows_end(&rows);
}

static enum lh_status send_outputs(struct applying *applying)
{
    struct pulse_rows gone, rows;
    pulse_rows_init(&gone, applying->store, &drop_output, NULL, NULL, applying->error);
    for (size_t i = 0; i < applying->count; i++) {
        const struct pulse_output_row *output = &applying->changes[i]->output;
        if (applying->changes[i]->kind == PULSE_CHANGE_ABSENT) {
            pulse_rows_add(&gone, (const struct pulse_sql_value[]){pulse_sql_count(output->tenant),
                                                                   pulse_sql_digest(&output->key)});
        }
    }
    enum lh_status status = pulse_rows_end(&gone);
    pulse_rows_init(&rows, applying->store, &put_output, NULL, NULL, applying->error);
    for (size_t i = 0; status == LH_OK && i < applying->count; i++) {
        const struct pulse_output_row *output = &applying->changes[i]->output;
        bool present = output->state == PULSE_OUTPUT_PRESENT;
        if (applying->changes[i]->kind == PULSE_CHANGE_ABSENT) {
            continue;
        }
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){
                                  pulse_sql_count(output->tenant),
                                  pulse_sql_digest(&output->key),
                                  pulse_sql_integer(output->kind),
                                  pulse_sql_integer(output->state),
                                  pulse_sql_count(output->shard),
                                  present ? pulse_sql_digest(&output->digest) : pulse_sql_null(),
                                  pulse_sql_count(output->size),
                                  pulse_sql_blob(output->facts, present ? output->facts_size : 0),
                                  pulse_sql_integer(applying->store->now_ms),
                                  pulse_sql_integer(output->unproven),
                              });
    }
    enum lh_status second = pulse_rows_end(&rows);
    return status != LH_OK ? status : second;
}

static enum lh_status send_jobs(struct applying *applying)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, applying->store, &put_job, NULL, NULL, applying->error);
    for (size_t i = 0; i < applying->count; i++) {
        const struct pulse_job_row *job = &applying->changes[i]->job;
        struct pulse_sql_value now = pulse_sql_integer(applying->store->now_ms);
        bool over = job->state >= PULSE_JOB_SUCCEEDED;
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){
                                  pulse_sql_count(job->tenant),
                                  pulse_sql_count(job->id),
                                  pulse_sql_integer(job->priority),
                                  pulse_sql_integer(job->state),
                                  pulse_sql_text(job->error != NULL ? job->error : ""),
                                  now,
                                  over ? now : pulse_sql_null(),
                              });
    }
    return pulse_rows_end(&rows);
}

static enum lh_status send_wants_of(struct applying *applying, enum pulse_change_kind kind,
                                    const struct pulse_sql_statement *statement)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, applying->store, statement, NULL, NULL, applying->error);
    for (size_t i = 0; i < applying->count; i++) {
        const struct pulse_change *change = applying->changes[i];
        if (change->kind == kind) {
            pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(change->output.tenant),
                                                                   pulse_sql_count(change->job.id),
                                                                   pulse_sql_digest(&change->output.key)});
        }
    }
    return pulse_rows_end(&rows);
}

static enum lh_status send_wants(struct applying *applying)
{
    enum lh_status status = send_wants_of(applying, PULSE_CHANGE_UNWANT, &drop_want);
    return status == LH_OK ? send_wants_of(applying, PULSE_CHANGE_WANT, &put_want) : status;
}

/* `last`: the highest number given so far; grows. */
static enum lh_status send_told(struct applying *applying, const struct pulse_sql_statement *statement, uint64_t *last)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, applying->store, statement, NULL, NULL, applying->error);
    for (size_t i = 0; i < applying->count; i++) {
        const struct pulse_change *change = applying->changes[i];
        bool nobody = statement == &put_event && change->job.id == 0;
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){
                                  pulse_sql_count(++*last),
                                  pulse_sql_count(change->job.tenant),
                                  nobody ? pulse_sql_null() : pulse_sql_count(change->job.id),
                                  pulse_sql_integer(applying->store->now_ms),
                                  pulse_sql_text(change->event),
                              });
    }
    return pulse_rows_end(&rows);
}

/* ---- The batch ---- */

static const struct pulse_sql_statement last_event = {
    .text = "SELECT max(number) FROM events",
    .takes = "",
    .gives = "i",
};
static const struct pulse_sql_statement last_alarm = {
    .text = "SELECT max(number) FROM alarms",
    .takes = "",
    .gives = "i",
};

static enum lh_status send_events(struct applying *applying, uint64_t *first)
{
    struct pulse_store *store = applying->store;
    int64_t last = 0;
    enum lh_status status = LH_OK;
    if (applying->count == 0) {
        return LH_OK;
    }
    /* Only who leads gives numbers, and whatever may have failed makes the number unknown again. */
    if (!store->last_event_known) {
        status = pulse_store_integer(store, &last_event, NULL, 0, &last, applying->error);
        store->last_event = (uint64_t)last;
        store->last_event_known = status == LH_OK;
    }
    *first = store->last_event + 1;
    return status == LH_OK ? send_told(applying, &put_event, &store->last_event) : status;
}

static enum lh_status send_alarms(struct applying *applying)
{
    int64_t last = 0;
    if (applying->count == 0) {
        return LH_OK;
    }
    enum lh_status status = pulse_store_integer(applying->store, &last_alarm, NULL, 0, &last, applying->error);
    uint64_t number = (uint64_t)last;
    return status == LH_OK ? send_told(applying, &put_alarm, &number) : status;
}

enum lh_status pulse_store_apply(struct pulse_store *store, const struct pulse_change *changes, size_t count,
                                 uint64_t *first_event, struct lh_error *error)
{
    /* In the order that references ask for. */
    static const struct {
        enum pulse_change_kind kind, also;
        order_of_changes *order;
        enum lh_status (*send)(struct applying *applying);
    } passes[] = {
        {PULSE_CHANGE_NEEDS, PULSE_CHANGE_NEEDS, by_needs, send_needs},
        {PULSE_CHANGE_SHARD, PULSE_CHANGE_SHARD, by_shard, send_shards},
        {PULSE_CHANGE_SPEC, PULSE_CHANGE_SPEC, by_shard, send_specs},
        {PULSE_CHANGE_OUTPUT, PULSE_CHANGE_ABSENT, by_output, send_outputs},
        {PULSE_CHANGE_JOB, PULSE_CHANGE_JOB, by_job, send_jobs},
        {PULSE_CHANGE_WANT, PULSE_CHANGE_UNWANT, by_want, send_wants},
    };
    uint64_t first = 0;
    enum lh_status status = LH_OK;
    struct applying applying = {.store = store, .error = error};
    if (count == 0) {
        return LH_OK;
    }
    applying.changes = malloc(count * sizeof *applying.changes);
    if (applying.changes == NULL) {
        store->failed = true;
        return lh_error_no_memory(error);
    }
    lh_arena_init(&applying.arena);
    for (size_t i = 0; status == LH_OK && i < sizeof passes / sizeof *passes; i++) {
        select_kinds(&applying, changes, count, passes[i].kind, passes[i].also);
        keep_last(&applying, passes[i].order);
        status = passes[i].send(&applying);
    }
    if (status == LH_OK) {
        select_kinds(&applying, changes, count, PULSE_CHANGE_EVENT, PULSE_CHANGE_EVENT);
        status = send_events(&applying, &first);
    }
    if (status == LH_OK) {
        select_kinds(&applying, changes, count, PULSE_CHANGE_ALARM, PULSE_CHANGE_ALARM);
        status = send_alarms(&applying);
    }
    if (status == LH_OK && first_event != NULL && first > 0) {
        *first_event = first;
    }
    lh_arena_fini(&applying.arena);
    free(applying.changes);
    return status;
}
