/* SPDX-License-Identifier: MIT */
/* Projects and their immutable revisions, and what clients ask for: jobs with their requests, events and artifacts.
   Handles, transactions and errors: store.h. What is found is put into the caller's arena; LH_ERR_MISSING when there is
   none (of this tenant). Rows that go through a callback are good during the call only; a status other than LH_OK ends
   the listing and is returned. */
#ifndef PULSE_STORE_PROJECTS_H
#define PULSE_STORE_PROJECTS_H

#include "pulse-daemon/store/store.h"

#define PULSE_STORE_FILES_MAX 200000 /* of one revision */
#define PULSE_STORE_PATH_MAX 4096

/* Head and tip as in pulse-daemon/project/history.h. */
struct pulse_project_row {
    uint64_t tenant, id; /* id > 0, ascending over all tenants */
    const char *name;
    uint64_t head, tip, newest; /* revision numbers, from 1 */
    int64_t created_ms, changed_ms;
};

/* What a revision refers to, and so is not forgotten as long as there is the revision. */
struct pulse_manifest_file {
    const char *path; /* as the document names it; where it names bytes and no file, that place: "/media/kick" */
    struct lh_digest digest;
    uint64_t size;
};
/* A file's path is relative, a JSON Pointer is not. */
static inline bool pulse_manifest_names_bytes(const struct pulse_manifest_file *file)
{
    return file->path[0] == '/';
}

struct pulse_revision_row {
    uint64_t tenant, project, number;
    uint64_t parent; /* 0: of the first */
    const char *author, *message;
    int64_t created_ms;
    const void *document; /* the project's text */
    size_t document_size;
    const struct pulse_manifest_file *files; /* by path, no path twice */
    size_t file_count;
};

/* A new project with its first revision; `number`, `parent`, `project` and the time of `first` are not looked at.
   LH_ERR_INVALID: a file that this tenant has not uploaded, a path twice. */
LH_NODISCARD enum lh_status pulse_store_project_new(struct pulse_store *store, uint64_t tenant, const char *name,
                                                    const struct pulse_revision_row *first, uint64_t *project,
                                                    struct lh_error *error);
/* A revision made on `revision->parent`, which has to be head: else LH_ERR_CONFLICT. It becomes head and tip; its
   number is the project's newest + 1. */
LH_NODISCARD enum lh_status pulse_store_revision_add(struct pulse_store *store,
                                                     const struct pulse_revision_row *revision, uint64_t *number,
                                                     struct lh_error *error);
/* Undo and redo: LH_ERR_CONFLICT unless head is `from`. */
LH_NODISCARD enum lh_status pulse_store_project_move(struct pulse_store *store, uint64_t tenant, uint64_t project,
                                                     uint64_t from, uint64_t head, uint64_t tip,
                                                     struct lh_error *error);
/* LH_ERR_CONFLICT while a job refers to it. */
LH_NODISCARD enum lh_status pulse_store_project_delete(struct pulse_store *store, uint64_t tenant, uint64_t project,
                                                       struct lh_error *error);

LH_NODISCARD enum lh_status pulse_store_project(struct pulse_store *store, uint64_t tenant, uint64_t project,
                                                struct lh_arena *arena, struct pulse_project_row *row,
                                                struct lh_error *error);
/* Newest first, those with an id below `before` (0: from the newest on), up to `limit`. */
typedef enum lh_status pulse_store_take_project(void *context, const struct pulse_project_row *row);
LH_NODISCARD enum lh_status pulse_store_projects(struct pulse_store *store, uint64_t tenant, uint64_t before,
                                                 size_t limit, pulse_store_take_project *take, void *context,
                                                 struct lh_error *error);
/* With document and files. */
LH_NODISCARD enum lh_status pulse_store_revision(struct pulse_store *store, uint64_t tenant, uint64_t project,
                                                 uint64_t number, struct lh_arena *arena,
                                                 struct pulse_revision_row *row, struct lh_error *error);
/* What each revision was made from, by number - 1. */
LH_NODISCARD enum lh_status pulse_store_parents(struct pulse_store *store, uint64_t tenant, uint64_t project,
                                                struct lh_arena *arena, const uint64_t **parents, size_t *count,
                                                struct lh_error *error);

/* What a job is to do. Its row (pulse_change JOB) is applied in the same transaction, before or after. Put once more,
   it replaces the options (planning adds what the job will deliver); all else stays. */
struct pulse_request_row {
    uint64_t tenant, job, project, revision;
    const char *options;     /* JSON, opaque to the store */
    const char *idempotency; /* the client's key, unique within the tenant; NULL: none */
    const char *trace;       /* W3C traceparent; NULL: "" */
};
LH_NODISCARD enum lh_status pulse_store_request_put(struct pulse_store *store, const struct pulse_request_row *request,
                                                    struct lh_error *error);
/* Other options for a job that is there: planning adds what it will deliver. */
LH_NODISCARD enum lh_status pulse_store_request_options(struct pulse_store *store, uint64_t tenant, uint64_t job,
                                                        const char *options, struct lh_error *error);
/* The job that was made under this key; 0: none. */
LH_NODISCARD enum lh_status pulse_store_request_find(struct pulse_store *store, uint64_t tenant,
                                                     const char *idempotency, uint64_t *job, struct lh_error *error);

struct pulse_job_record {
    struct pulse_job_row job;
    struct pulse_request_row request;
    int64_t created_ms, finished_ms; /* 0: not final */
};
LH_NODISCARD enum lh_status pulse_store_job(struct pulse_store *store, uint64_t tenant, uint64_t job,
                                            struct lh_arena *arena, struct pulse_job_record *record,
                                            struct lh_error *error);
/* Newest first, below `before` (0: from the newest on), up to `limit`. */
typedef enum lh_status pulse_store_take_job(void *context, const struct pulse_job_record *record);
LH_NODISCARD enum lh_status pulse_store_jobs(struct pulse_store *store, uint64_t tenant, uint64_t before, size_t limit,
                                             pulse_store_take_job *take, void *context, struct lh_error *error);

/* A finished file of a job. It keeps its blob, whatever becomes of the output. */
struct pulse_artifact_row {
    uint64_t tenant, job;
    const char *name;     /* "mix.wav", unique within the job */
    struct lh_digest key; /* of the output that it came from */
    struct lh_digest digest;
    uint64_t size;
    const void *facts; /* the output's */
    size_t facts_size;
};
LH_NODISCARD enum lh_status pulse_store_artifacts_put(struct pulse_store *store, const struct pulse_artifact_row *rows,
                                                      size_t count, struct lh_error *error);
/* By name. */
typedef enum lh_status pulse_store_take_artifact(void *context, const struct pulse_artifact_row *row);
LH_NODISCARD enum lh_status pulse_store_artifacts(struct pulse_store *store, uint64_t tenant, uint64_t job,
                                                  pulse_store_take_artifact *take, void *context,
                                                  struct lh_error *error);

struct pulse_event_row {
    uint64_t number; /* ascending over the whole store, in the order of commits */
    uint64_t tenant, job;
    int64_t created_ms;
    const char *text; /* JSON */
};
/* Events after number `after`, oldest first, up to `limit`; of one job, or of all of the tenant's (job 0), or of
   everybody's (tenant 0). */
typedef enum lh_status pulse_store_take_event(void *context, const struct pulse_event_row *row);
LH_NODISCARD enum lh_status pulse_store_events(struct pulse_store *store, uint64_t tenant, uint64_t job, uint64_t after,
                                               size_t limit, pulse_store_take_event *take, void *context,
                                               struct lh_error *error);
/* Alarms, newest first; `number` counts them, `tenant` and `job` are 0 where they do not matter. */
LH_NODISCARD enum lh_status pulse_store_alarms(struct pulse_store *store, size_t limit, pulse_store_take_event *take,
                                               void *context, struct lh_error *error);

#endif
