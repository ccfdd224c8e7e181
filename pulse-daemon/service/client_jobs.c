/* SPDX-License-Identifier: MIT */
/* Questions about jobs. */
#include <string.h>

#include "common/base/log.h"
#include "pulse-daemon/service/clients_parts.h"
#include "pulse-daemon/service/request.h"
#include "pulse-daemon/service/trace.h"

#define PAGE 100u

/* ---- a job as clients see it ---- */

static Wire__JobState state_of(enum pulse_job_state state)
{
    switch (state) {
    case PULSE_JOB_QUEUED:
        return WIRE__JOB_STATE__JOB_QUEUED;
    case PULSE_JOB_PLANNING:
        return WIRE__JOB_STATE__JOB_PLANNING;
    case PULSE_JOB_RUNNING:
        return WIRE__JOB_STATE__JOB_RUNNING;
    case PULSE_JOB_SUCCEEDED:
        return WIRE__JOB_STATE__JOB_SUCCEEDED;
    case PULSE_JOB_FAILED:
        return WIRE__JOB_STATE__JOB_FAILED;
    case PULSE_JOB_CANCELLED:
        return WIRE__JOB_STATE__JOB_CANCELLED;
    }
    return WIRE__JOB_STATE__JOB_FAILED;
}

static void fill_job(const struct pulse_job_record *record, Wire__Job *job)
{
    wire__job__init(job);
    job->job = record->job.id;
    job->state = state_of(record->job.state);
    job->project = record->request.project;
    job->revision = (uint32_t)record->request.revision;
    job->trace = record->request.trace[0] != '\0' ? wire_text(record->request.trace) : NULL;
    job->has_priority = true;
    job->priority = record->job.priority;
    job->has_error = record->job.state == PULSE_JOB_FAILED;
    job->error = wire_bytes(record->job.error, strlen(record->job.error));
    job->has_created_ms = true;
    job->created_ms = (uint64_t)record->created_ms;
    job->has_finished_ms = record->finished_ms != 0;
    job->finished_ms = (uint64_t)record->finished_ms;
    job->has_progress = record->job.state == PULSE_JOB_SUCCEEDED;
    job->progress = job->has_progress ? 1.0 : 0.0;
}

/* Artifacts into an array that grows in the arena. */
struct artifacts {
    struct lh_arena *arena;
    Wire__Artifact **items;
    size_t count, capacity;
};

static Wire__Artifact *copy_artifact(struct lh_arena *arena, const struct pulse_artifact_row *row)
{
    struct {
        Wire__Artifact artifact;
        Wire__Blob blob;
        Wire__Location location;
        struct lh_digest digest;
    } *made = lh_arena_alloc(arena, sizeof *made);
    void *facts = lh_arena_alloc(arena, row->facts_size);
    const char *name = lh_arena_strdup(arena, row->name);
    if (made == NULL || facts == NULL || name == NULL) {
        return NULL;
    }
    if (row->facts_size > 0) {
        memcpy(facts, row->facts, row->facts_size);
    }
    wire__artifact__init(&made->artifact);
    wire__blob__init(&made->blob);
    wire__location__init(&made->location);
    made->digest = row->digest;
    made->location.has_bulk = true;
    made->location.bulk = true;
    made->blob.digest = wire_bytes(made->digest.bytes, sizeof made->digest.bytes);
    made->blob.size = row->size;
    made->blob.location = &made->location;
    made->artifact.name = wire_text(name);
    made->artifact.blob = &made->blob;
    made->artifact.has_facts = row->facts_size > 0;
    made->artifact.facts = wire_bytes(facts, row->facts_size);
    return &made->artifact;
}

static enum lh_status take_artifact(void *context, const struct pulse_artifact_row *row)
{
    struct artifacts *list = context;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity * 2 + 16;
        Wire__Artifact **grown = lh_arena_array(list->arena, capacity, sizeof *grown);
        if (grown == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        if (list->count > 0) {
            memcpy(grown, list->items, list->count * sizeof *grown);
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count] = copy_artifact(list->arena, row);
    return list->items[list->count++] != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

/* What the core knows of a job that is not over. */
struct job_look {
    struct pulse_farm_job_view view;
    bool live;
};

static void look_at_job(struct pulse_task *task, struct pulse_farm *farm)
{
    struct job_look *look = task->payload;
    look->live = pulse_farm_job_view(farm, task->job, &look->view);
}

static void answer_job(struct pulse_question *question, uint64_t id, const struct pulse_farm_job_view *view)
{
    struct pulse_store *store = pulse_question_store(question);
    struct pulse_job_record record;
    struct lh_error error = LH_ERROR_INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Job job;
    struct artifacts artifacts = {.arena = &question->arena};
    if (store == NULL) {
        return;
    }
    enum lh_status status = pulse_store_job(store, question->caller.tenant, id, &question->arena, &record, &error);
    if (status == LH_OK && record.job.state == PULSE_JOB_SUCCEEDED) {
        status = pulse_store_artifacts(store, question->caller.tenant, id, take_artifact, &artifacts, &error);
    }
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    fill_job(&record, &job);
    job.artifacts = artifacts.items;
    job.n_artifacts = artifacts.count;
    if (view != NULL) {
        job.has_progress = true;
        job.progress = view->progress;
        job.has_shards = true;
        job.shards = view->shards;
    }
    WIRE_BODY(&envelope, JOB, job, &job);
    pulse_question_answer(question, &envelope);
}

static void looked_at_job(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct job_look look = *(const struct job_look *)task->payload;
    uint64_t id = task->job;
    pulse_task_free(task);
    answer_job(question, id, look.live ? &look.view : NULL);
}

static void ask_job(struct pulse_question *question, uint64_t id)
{
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_LOOK, looked_at_job);
    if (task != NULL) {
        task->job = id;
        task->look = look_at_job;
        if (pulse_question_payload(question, task, sizeof(struct job_look)) != NULL) {
            pulse_question_ask(question, task);
        }
    }
}

void pulse_ask_job(struct pulse_question *question)
{
    ask_job(question, question->envelope->job_read->job);
}

/* ---- submitting ---- */

/* In the batch's transaction: two of one key that came at once are one. */
static enum lh_status write_request(struct pulse_task *task, const struct pulse_writing *writing,
                                    struct lh_error *error)
{
    struct pulse_request_row *row = task->payload;
    uint64_t earlier = 0;
    enum lh_status status = pulse_store_request_find(writing->store, row->tenant, row->idempotency, &earlier, error);
    if (status != LH_OK || earlier != 0) {
        task->spared = true;
        task->job = earlier;
        return status == LH_ERR_MISSING ? LH_OK : status;
    }
    row->job = writing->next_job;
    return pulse_store_request_put(writing->store, row, error);
}

static void submitted(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    if (!pulse_question_failed(question, task)) {
        const struct pulse_request_row *row = task->payload;
        uint64_t id = task->job;
        if (!task->spared) {
            LH_LOG(LH_LOG_INFO, "job submitted", LH_LOG_NUMBER("job", id), LH_LOG_NUMBER("tenant", row->tenant),
                   LH_LOG_NUMBER("project", row->project), LH_LOG_NUMBER("revision", row->revision),
                   LH_LOG_TEXT("trace", row->trace));
        }
        pulse_task_free(task);
        ask_job(question, id);
    }
}

/* The same key asks for the same, or it is another's. */
static void answer_earlier(struct pulse_question *question, struct pulse_store *store, uint64_t job,
                           const struct pulse_request *request, uint64_t revision)
{
    const Wire__JobSubmit *submit = question->envelope->job_submit;
    struct pulse_job_record record;
    struct pulse_request before;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = pulse_store_job(store, question->caller.tenant, job, &question->arena, &record, &error);
    status = status == LH_OK ? pulse_request_read(&question->arena, record.request.options, &before, &error) : status;
    if (status != LH_OK) {
        pulse_question_fail(question, &error);
    } else if (!pulse_request_same(request, &before) || record.request.project != submit->project ||
               (submit->has_revision && record.request.revision != revision) ||
               record.job.priority != submit->priority) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_KEY_REUSED,
                              "this idempotency key was used for another request", "idempotency_key");
    } else {
        ask_job(question, job);
    }
}

/* The client's own, or a new one: every job has one. */
static const char *make_trace(struct lh_arena *arena, const struct pulse_question *question)
{
    char made[PULSE_TRACE_SIZE];
    const char *given = question->envelope->trace;
    if (pulse_trace_ok(given)) {
        return lh_arena_strdup(arena, given);
    }
    return pulse_trace_make(made, NULL) == LH_OK ? lh_arena_strdup(arena, made) : NULL;
}

static bool fill_row(struct pulse_task *task, const struct pulse_question *question,
                     const struct pulse_request *request, uint64_t revision)
{
    const Wire__JobSubmit *submit = question->envelope->job_submit;
    struct pulse_request_row *row = lh_arena_alloc(&task->arena, sizeof *row);
    struct lh_writer writer;
    lh_writer_init(&writer);
    const char *options = pulse_request_write(request, &writer) == LH_OK
                              ? lh_arena_strdup(&task->arena, (const char *)writer.data)
                              : NULL;
    const char *key = lh_arena_strdup(&task->arena, submit->idempotency_key);
    const char *trace = make_trace(&task->arena, question);
    lh_writer_fini(&writer);
    if (row == NULL || options == NULL || key == NULL || trace == NULL) {
        return false;
    }
    *row = (struct pulse_request_row){
        .tenant = question->caller.tenant,
        .project = submit->project,
        .revision = revision,
        .options = options,
        .idempotency = key,
        .trace = trace,
    };
    task->payload = row;
    return true;
}

void pulse_ask_submit(struct pulse_question *question)
{
    const Wire__JobSubmit *submit = question->envelope->job_submit;
    struct pulse_store *store = pulse_question_store(question);
    struct pulse_request request = {
        .only = (const char *const *)submit->only,
        .only_count = submit->n_only,
        .tags = (const char *const *)submit->tags,
        .tag_count = submit->n_tags,
        .fresh = submit->fresh,
    };
    struct pulse_project_row project;
    struct lh_error error = LH_ERROR_INIT;
    uint64_t earlier = 0;
    if (store == NULL) {
        return;
    }
    enum lh_status status =
        pulse_store_project(store, question->caller.tenant, submit->project, &question->arena, &project, &error);
    uint64_t revision = submit->has_revision ? submit->revision : status == LH_OK ? project.head : 0;
    if (status == LH_OK && revision > project.newest) {
        status = lh_error_set(&error, LH_ERR_MISSING, "revision", "the project has no such revision");
    }
    status = status == LH_OK
                 ? pulse_store_request_find(store, question->caller.tenant, submit->idempotency_key, &earlier, &error)
                 : status;
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    if (earlier != 0) {
        answer_earlier(question, store, earlier, &request, revision);
        return;
    }
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_EVENT, submitted);
    if (task == NULL) {
        return;
    }
    if (!fill_row(task, question, &request, revision)) {
        pulse_task_free(task);
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
        return;
    }
    task->event = (struct pulse_farm_event){
        .kind = PULSE_FARM_SUBMIT,
        .job = {.tenant = question->caller.tenant, .priority = submit->priority, .error = ""},
    };
    task->write = write_request;
    pulse_question_ask(question, task);
}

/* ---- the others ---- */

static void cancelled(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    if (task->status == LH_ERR_USAGE || task->status == LH_ERR_MISSING) {
        task->status = LH_OK; /* it is over already, as its state says, or there is no such job, as the store says */
    }
    if (!pulse_question_failed(question, task)) {
        uint64_t id = task->event.job.id;
        pulse_task_free(task);
        ask_job(question, id);
    }
}

void pulse_ask_cancel(struct pulse_question *question)
{
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_EVENT, cancelled);
    if (task != NULL) {
        task->event = (struct pulse_farm_event){
            .kind = PULSE_FARM_CANCEL,
            .job = {.id = question->envelope->job_cancel->job, .tenant = question->caller.tenant, .error = ""},
        };
        pulse_question_ask(question, task);
    }
}

struct job_list {
    struct lh_arena *arena;
    Wire__Job **items;
    size_t count;
    uint64_t last;
    bool any;
    Wire__JobState state;
};

static enum lh_status take_job(void *context, const struct pulse_job_record *record)
{
    struct job_list *list = context;
    list->last = record->job.id;
    if (!list->any && state_of(record->job.state) != list->state) {
        return LH_OK;
    }
    struct pulse_job_record copy = *record;
    Wire__Job *job = lh_arena_alloc(list->arena, sizeof *job);
    copy.job.error = lh_arena_strdup(list->arena, record->job.error);
    copy.request.trace = lh_arena_strdup(list->arena, record->request.trace);
    if (job == NULL || copy.job.error == NULL || copy.request.trace == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    fill_job(&copy, job);
    list->items[list->count++] = job;
    return LH_OK;
}

void pulse_ask_jobs(struct pulse_question *question)
{
    const Wire__JobList *asked = question->envelope->job_list;
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    size_t limit = asked->has_count ? asked->count : PAGE;
    struct job_list list = {.arena = &question->arena, .any = !asked->has_state, .state = asked->state};
    list.items = lh_arena_array(&question->arena, limit, sizeof *list.items);
    if (store == NULL) {
        return;
    }
    enum lh_status status = list.items == NULL ? lh_error_no_memory(&error)
                                               : pulse_store_jobs(store, question->caller.tenant,
                                                                  pulse_cursor_read(asked->has_cursor, &asked->cursor),
                                                                  limit, take_job, &list, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Jobs jobs = WIRE__JOBS__INIT;
    jobs.jobs = list.items;
    jobs.n_jobs = list.count;
    jobs.has_cursor = list.last > 1;
    jobs.cursor = pulse_cursor_write(&question->arena, list.last);
    WIRE_BODY(&envelope, JOBS, jobs, &jobs);
    pulse_question_answer(question, &envelope);
}

void pulse_ask_artifact(struct pulse_question *question)
{
    const Wire__ArtifactRead *asked = question->envelope->artifact_read;
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    struct artifacts artifacts = {.arena = &question->arena};
    if (store == NULL) {
        return;
    }
    enum lh_status status =
        pulse_store_artifacts(store, question->caller.tenant, asked->job, take_artifact, &artifacts, &error);
    for (size_t i = 0; status == LH_OK && i < artifacts.count; i++) {
        if (strcmp(artifacts.items[i]->name, asked->name) == 0) {
            Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
            WIRE_BODY(&envelope, ARTIFACT, artifact, artifacts.items[i]);
            pulse_question_answer(question, &envelope);
            return;
        }
    }
    if (status == LH_OK) {
        (void)lh_error_set(&error, LH_ERR_MISSING, "name", "the job has no such file");
    }
    pulse_question_fail(question, &error);
}
