/* SPDX-License-Identifier: MIT */
/* What clients see of jobs: requests, listings, artifacts, events. */
#include <inttypes.h>
#include <string.h>

#include "pulse-daemon/store/load.h"
#include "pulse-daemon/store/projects.h"

/* ---- Requests ---- */

static const struct pulse_sql_statement put_request = {
    .text = "INSERT INTO requests (tenant, job, project, revision, options, idempotency, trace)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    .takes = "iiiittt",
    .gives = "",
};
static const struct pulse_sql_statement set_options = {
    .text = "UPDATE requests SET options = ?3 WHERE tenant = ?1 AND job = ?2",
    .takes = "iit",
    .gives = "",
};
static const struct pulse_sql_statement find_request = {
    .text = "SELECT job FROM requests WHERE tenant = ?1 AND idempotency = ?2",
    .takes = "it",
    .gives = "i",
};

enum lh_status pulse_store_request_put(struct pulse_store *store, const struct pulse_request_row *request,
                                       struct lh_error *error)
{
    const struct pulse_sql_value values[] = {
        pulse_sql_count(request->tenant),
        pulse_sql_count(request->job),
        pulse_sql_count(request->project),
        pulse_sql_count(request->revision),
        pulse_sql_text(request->options),
        pulse_sql_text(request->idempotency),
        pulse_sql_text(request->trace != NULL ? request->trace : ""),
    };
    return pulse_store_write(store, &put_request, values, NULL, error);
}

enum lh_status pulse_store_request_options(struct pulse_store *store, uint64_t tenant, uint64_t job,
                                           const char *options, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(job), pulse_sql_text(options)};
    return pulse_store_write(store, &set_options, values, NULL, error);
}

enum lh_status pulse_store_request_find(struct pulse_store *store, uint64_t tenant, const char *idempotency,
                                        uint64_t *job, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_text(idempotency)};
    int64_t found = 0;
    enum lh_status status = pulse_store_integer(store, &find_request, values, 0, &found, error);
    if (status == LH_OK) {
        *job = (uint64_t)found;
    }
    return status;
}

/* ---- Jobs ---- */

/* A job whose request is gone is shown all the same. */
#define JOB_SELECT                                                                                                     \
    "SELECT j.tenant, j.id, j.priority, j.state, j.error, j.created_ms, coalesce(j.finished_ms, 0),"                   \
    " coalesce(r.project, 0), coalesce(r.revision, 0), coalesce(r.options, ''), r.idempotency, coalesce(r.trace, '')"  \
    " FROM jobs j LEFT JOIN requests r ON r.tenant = j.tenant AND r.job = j.id"

static const struct pulse_sql_statement find_job = {
    .text = JOB_SELECT " WHERE j.tenant = ?1 AND j.id = ?2",
    .takes = "ii",
    .gives = "iiiitiiiittt",
};
static const struct pulse_sql_statement list_jobs = {
    .text = JOB_SELECT " WHERE j.tenant = ?1 AND j.id < ?2 ORDER BY j.id DESC LIMIT ?3",
    .takes = "iii",
    .gives = "iiiitiiiittt",
};

static enum lh_status read_job(const struct pulse_sql_value *values, struct pulse_job_record *record,
                               struct lh_error *error)
{
    struct pulse_columns columns = {values, true};
    pulse_column_job(&columns, 0, &record->job);
    record->created_ms = pulse_column_integer(&columns, 5, INT64_MIN, INT64_MAX);
    record->finished_ms = pulse_column_integer(&columns, 6, INT64_MIN, INT64_MAX);
    record->request = (struct pulse_request_row){
        .tenant = record->job.tenant,
        .job = record->job.id,
        .project = pulse_column_count(&columns, 7),
        .revision = pulse_column_count(&columns, 8),
        .options = pulse_column_text(&columns, 9),
        .idempotency = values[10].kind == PULSE_SQL_NULL ? NULL : pulse_column_text(&columns, 10),
        .trace = pulse_column_text(&columns, 11),
    };
    return pulse_columns_end(&columns, "jobs", error);
}

struct job_reading {
    struct lh_arena *arena;
    struct lh_error *error;
    pulse_store_take_job *take;
    void *context;
    struct pulse_job_record record;
    bool found;
};

static enum lh_status keep_job(void *context, const struct pulse_sql_value *values)
{
    struct job_reading *reading = context;
    struct pulse_job_record *record = &reading->record;
    enum lh_status status = read_job(values, record, reading->error);
    if (status != LH_OK) {
        return status;
    }
    bool named = record->request.idempotency != NULL;
    record->job.error = lh_arena_strdup(reading->arena, record->job.error);
    record->request.options = lh_arena_strdup(reading->arena, record->request.options);
    record->request.idempotency = named ? lh_arena_strdup(reading->arena, record->request.idempotency) : NULL;
    record->request.trace = lh_arena_strdup(reading->arena, record->request.trace);
    reading->found = true;
    bool whole = record->job.error != NULL && record->request.options != NULL && record->request.trace != NULL &&
                 (!named || record->request.idempotency != NULL);
    return whole ? LH_OK : lh_error_no_memory(reading->error);
}

enum lh_status pulse_store_job(struct pulse_store *store, uint64_t tenant, uint64_t job, struct lh_arena *arena,
                               struct pulse_job_record *record, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(job)};
    struct job_reading reading = {.arena = arena, .error = error};
    enum lh_status status = pulse_store_query(store, &find_job, values, 1, keep_job, &reading, error);
    if (status == LH_OK && !reading.found) {
        status = lh_error_set(error, LH_ERR_MISSING, NULL, "there is no job %" PRIu64, job);
    }
    if (status == LH_OK) {
        *record = reading.record;
    }
    return status;
}

static enum lh_status give_job(void *context, const struct pulse_sql_value *values)
{
    struct job_reading *reading = context;
    enum lh_status status = read_job(values, &reading->record, reading->error);
    return status == LH_OK ? reading->take(reading->context, &reading->record) : status;
}

enum lh_status pulse_store_jobs(struct pulse_store *store, uint64_t tenant, uint64_t before, size_t limit,
                                pulse_store_take_job *take, void *context, struct lh_error *error)
{
    struct job_reading reading = {.error = error, .take = take, .context = context};
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant),
                                             before > 0 ? pulse_sql_count(before) : pulse_sql_integer(INT64_MAX),
                                             pulse_sql_count(limit)};
    return pulse_store_query(store, &list_jobs, values, 1, give_job, &reading, error);
}

/* ---- Artifacts ---- */

static const struct pulse_sql_statement put_artifact = {
    .text = "INSERT INTO artifacts (tenant, job, name, key, digest, size, facts)"
            " SELECT c1, c2, c3, c4, c5, c6, c7 FROM {rows} WHERE true ON CONFLICT (tenant, job, name)"
            " DO UPDATE SET key = excluded.key, digest = excluded.digest, size = excluded.size, facts = excluded.facts",
    .takes = "iitbbib",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement list_artifacts = {
    .text = "SELECT tenant, job, name, key, digest, size, facts FROM artifacts WHERE tenant = ?1 AND job = ?2"
            " ORDER BY name",
    .takes = "ii",
    .gives = "iitbbib",
    .stream = true,
};

enum lh_status pulse_store_artifacts_put(struct pulse_store *store, const struct pulse_artifact_row *artifacts,
                                         size_t count, struct lh_error *error)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &put_artifact, NULL, NULL, error);
    for (size_t i = 0; i < count; i++) {
        const struct pulse_artifact_row *row = &artifacts[i];
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){
                                  pulse_sql_count(row->tenant), pulse_sql_count(row->job), pulse_sql_text(row->name),
                                  pulse_sql_digest(&row->key), pulse_sql_digest(&row->digest),
                                  pulse_sql_count(row->size), pulse_sql_blob(row->facts, row->facts_size)});
    }
    enum lh_status status = pulse_rows_end(&rows);
    return status == LH_OK ? pulse_store_settle(store, error) : status;
}

struct artifact_reading {
    struct lh_error *error;
    pulse_store_take_artifact *take;
    void *context;
};

static enum lh_status give_artifact(void *context, const struct pulse_sql_value *values)
{
    struct artifact_reading *reading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_artifact_row row = {.tenant = pulse_column_count(&columns, 0)};
    row.job = pulse_column_count(&columns, 1);
    row.name = pulse_column_text(&columns, 2);
    pulse_column_digest(&columns, 3, &row.key);
    pulse_column_digest(&columns, 4, &row.digest);
    row.size = pulse_column_count(&columns, 5);
    row.facts = pulse_column_blob(&columns, 6, &row.facts_size);
    enum lh_status status = pulse_columns_end(&columns, "artifacts", reading->error);
    return status == LH_OK ? reading->take(reading->context, &row) : status;
}

enum lh_status pulse_store_artifacts(struct pulse_store *store, uint64_t tenant, uint64_t job,
                                     pulse_store_take_artifact *take, void *context, struct lh_error *error)
{
    struct artifact_reading reading = {error, take, context};
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(job)};
    return pulse_store_query(store, &list_artifacts, values, 1, give_artifact, &reading, error);
}

/* ---- Events ---- */

static const struct pulse_sql_statement events_of_all = {
    .text = "SELECT number, tenant, coalesce(job, 0), created_ms, body FROM events WHERE number > ?3"
            " AND (?1 = 0 OR tenant = ?1) AND ?2 = 0 ORDER BY number LIMIT ?4",
    .takes = "iiii",
    .gives = "iiiit",
};
static const struct pulse_sql_statement events_of_job = {
    .text = "SELECT number, tenant, job, created_ms, body FROM events WHERE tenant = ?1 AND job = ?2 AND number > ?3"
            " ORDER BY number LIMIT ?4",
    .takes = "iiii",
    .gives = "iiiit",
};
static const struct pulse_sql_statement list_alarms = {
    .text = "SELECT number, tenant, job, created_ms, body FROM alarms ORDER BY number DESC LIMIT ?1",
    .takes = "i",
    .gives = "iiiit",
};

struct event_reading {
    struct lh_error *error;
    pulse_store_take_event *take;
    void *context;
};

static enum lh_status give_event(void *context, const struct pulse_sql_value *values)
{
    struct event_reading *reading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_event_row row = {.number = pulse_column_count(&columns, 0)};
    row.tenant = pulse_column_count(&columns, 1);
    row.job = pulse_column_count(&columns, 2);
    row.created_ms = pulse_column_integer(&columns, 3, INT64_MIN, INT64_MAX);
    row.text = pulse_column_text(&columns, 4);
    enum lh_status status = pulse_columns_end(&columns, "events", reading->error);
    return status == LH_OK ? reading->take(reading->context, &row) : status;
}

enum lh_status pulse_store_events(struct pulse_store *store, uint64_t tenant, uint64_t job, uint64_t after,
                                  size_t limit, pulse_store_take_event *take, void *context, struct lh_error *error)
{
    struct event_reading reading = {error, take, context};
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(job), pulse_sql_count(after),
                                             pulse_sql_count(limit)};
    return pulse_store_query(store, job > 0 ? &events_of_job : &events_of_all, values, 1, give_event, &reading, error);
}

enum lh_status pulse_store_alarms(struct pulse_store *store, size_t limit, pulse_store_take_event *take, void *context,
                                  struct lh_error *error)
{
    struct event_reading reading = {error, take, context};
    const struct pulse_sql_value values[] = {pulse_sql_count(limit)};
    return pulse_store_query(store, &list_alarms, values, 1, give_event, &reading, error);
}
