/* SPDX-License-Identifier: MIT */
/* From a job that has succeeded to its artifacts. */
#include "pulse-daemon/service/artifacts.h"

#include <string.h>

#include "pulse-daemon/store/projects.h"

/* The files of one job, filled as their outputs are found. */
struct finding {
    struct lh_arena *arena;
    const struct pulse_request *request;
    struct pulse_artifact_row *rows;
    size_t found;
};

static enum lh_status take_output(void *context, size_t index, const struct pulse_output_row *output)
{
    struct finding *finding = context;
    struct pulse_artifact_row *row = &finding->rows[index];
    void *facts = lh_arena_alloc(finding->arena, output->facts_size);
    if (facts == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    if (output->facts_size > 0) {
        memcpy(facts, output->facts, output->facts_size);
    }
    row->digest = output->digest;
    row->size = output->size;
    row->facts = facts;
    row->facts_size = output->facts_size;
    finding->found += output->state == PULSE_OUTPUT_PRESENT ? 1 : 0;
    return LH_OK;
}

static enum lh_status write_job(struct pulse_store *store, struct lh_arena *arena, uint64_t tenant, uint64_t job,
                                struct lh_error *error)
{
    struct pulse_job_record record;
    struct pulse_request request;
    enum lh_status status = pulse_store_job(store, tenant, job, arena, &record, error);
    status = status == LH_OK ? pulse_request_read(arena, record.request.options, &request, error) : status;
    if (status != LH_OK) {
        return status;
    }
    struct lh_digest *keys = lh_arena_array(arena, request.file_count, sizeof *keys);
    struct finding finding = {.arena = arena, .request = &request};
    finding.rows = lh_arena_array(arena, request.file_count, sizeof *finding.rows);
    if (keys == NULL || finding.rows == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < request.file_count; i++) {
        keys[i] = request.files[i].key;
        finding.rows[i] = (struct pulse_artifact_row){
            .tenant = tenant, .job = job, .name = request.files[i].name, .key = request.files[i].key};
    }
    if (request.file_count == 0) {
        return LH_OK;
    }
    status = pulse_store_outputs(store, tenant, keys, request.file_count, take_output, &finding, error);
    if (status == LH_OK && finding.found != request.file_count) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "job %llu succeeded with %zu of %zu files",
                            (unsigned long long)job, finding.found, request.file_count);
    }
    return status == LH_OK ? pulse_store_artifacts_put(store, finding.rows, request.file_count, error) : status;
}

enum lh_status pulse_artifacts_write(struct pulse_store *store, const struct pulse_change *changes, size_t count,
                                     struct lh_error *error)
{
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        const struct pulse_change *change = &changes[i];
        if (change->kind != PULSE_CHANGE_JOB || change->job.state != PULSE_JOB_SUCCEEDED) {
            continue;
        }
        struct lh_arena arena;
        lh_arena_init(&arena);
        status = write_job(store, &arena, change->job.tenant, change->job.id, error);
        lh_arena_fini(&arena);
    }
    return status;
}
