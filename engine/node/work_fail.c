/* SPDX-License-Identifier: MIT */
/* Whose fault a failure is: the shard's, this machine's, or nobody's. */
#include "common/json/json.h"
#include "engine/node/work_parts.h"

#define NS_PER_S 1e9

/* How an instance ended, for people: the job that fails shows it. */
static void report_crash(struct engine_job *job, const struct lh_error *error)
{
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, true);
    lh_json_emit_object(&emitter);
    lh_json_emit_name(&emitter, "status");
    lh_json_emit_text(&emitter, lh_status_text(error->code));
    lh_json_emit_name(&emitter, "message");
    lh_json_emit_text(&emitter, error->message);
    lh_json_emit_name(&emitter, "where");
    lh_json_emit_text(&emitter, error->where);
    lh_json_emit_name(&emitter, "worker");
    lh_json_emit_text(&emitter, job->tools->settings->name);
    lh_json_emit_name(&emitter, "cpuClass");
    lh_json_emit_text(&emitter, job->tools->stock->cpu_class);
    lh_json_emit_name(&emitter, "engine");
    lh_json_emit_text(&emitter, job->tools->stock->engine);
    lh_json_emit_name(&emitter, "jail");
    lh_json_emit_text(&emitter, job->tools->stock->jail);
    lh_json_emit_object_end(&emitter);
    const char *text = lh_writer_status(&writer) == LH_OK
                           ? lh_arena_strndup(&job->attempt->arena, (const char *)writer.data, writer.size)
                           : NULL;
    lh_writer_fini(&writer);
    job->attempt->outcome.report = text != NULL ? text : "";
}

/* While inputs and outputs are opened, or an instance started: the shard has done nothing yet. */
static Wire__Failed__Kind kind_before(const struct engine_job *job, enum lh_status status)
{
    if (job->phase == ENGINE_PHASE_INPUTS && status == LH_ERR_MISSING) {
        return WIRE__FAILED__KIND__INPUT_MISSING;
    }
    if (job->phase == ENGINE_PHASE_UNPACK && status != LH_ERR_NO_MEMORY) {
        return WIRE__FAILED__KIND__FAILED;
    }
    return status == LH_ERR_UNAVAILABLE || status == LH_ERR_CRASHED ? WIRE__FAILED__KIND__LOST
                                                                    : WIRE__FAILED__KIND__REFUSED;
}

static Wire__Failed__Kind kind_at_work(const struct engine_job *job, enum lh_status status)
{
    if (status == LH_ERR_CRASHED) {
        return job->was_killed ? WIRE__FAILED__KIND__LOST : WIRE__FAILED__KIND__FAILED;
    }
    bool is_disk = status == LH_ERR_IO || status == LH_ERR_LIMIT;
    if (status == LH_ERR_NO_MEMORY || (is_disk && engine_depot_is_full(job->tools->depot))) {
        return WIRE__FAILED__KIND__REFUSED;
    }
    return WIRE__FAILED__KIND__FAILED;
}

/* While outputs are handed over: Pulse says what it thinks of them. */
static Wire__Failed__Kind kind_after(enum lh_status status)
{
    if (status == LH_ERR_MISSING || status == LH_ERR_USAGE || status == LH_ERR_CONFLICT) {
        return WIRE__FAILED__KIND__CANCELLED; /* the claim is over */
    }
    if (status == LH_ERR_QUOTA) {
        return WIRE__FAILED__KIND__REFUSED; /* it has no room for them just now */
    }
    return status == LH_ERR_UNAVAILABLE ? WIRE__FAILED__KIND__LOST : WIRE__FAILED__KIND__FAILED;
}

static Wire__Failed__Kind kind_of(const struct engine_job *job, enum lh_status status)
{
    if (job->phase == ENGINE_PHASE_SHIP) {
        return kind_after(status);
    }
    return job->phase < ENGINE_PHASE_RUN ? kind_before(job, status) : kind_at_work(job, status);
}

void engine_job_fail(struct engine_job *job, enum lh_status status, struct lh_error *error)
{
    struct engine_attempt *attempt = job->attempt;
    int stop = atomic_load_explicit(&attempt->stop, memory_order_relaxed);
    Wire__Failed__Kind kind = WIRE__FAILED__KIND__FAILED;
    error->code = status;
    if (stop == ENGINE_STOP_CANCELLED) {
        kind = WIRE__FAILED__KIND__CANCELLED;
        lh_error_set(error, LH_ERR_CANCELLED, NULL, "cancelled");
    } else if (stop == ENGINE_STOP_HANDED_BACK) {
        kind = WIRE__FAILED__KIND__LOST;
        lh_error_set(error, LH_ERR_CANCELLED, NULL, "this node ends and hands it back");
    } else if (job->pace.verdict == ENGINE_PACE_TOO_LONG) {
        lh_error_set(error, LH_ERR_LIMIT, error->where, "it took longer than %g s",
                     (double)job->pace.hard_ns / NS_PER_S);
    } else if (job->pace.verdict == ENGINE_PACE_STALLED) {
        lh_error_set(error, LH_ERR_LIMIT, error->where, "it did not get on for %g s",
                     (double)job->pace.stall_ns / NS_PER_S);
    } else {
        kind = kind_of(job, status);
    }
    if (kind == WIRE__FAILED__KIND__FAILED && error->code == LH_ERR_CRASHED) {
        report_crash(job, error);
    }
    engine_attempt_fail(attempt, kind, error);
}
