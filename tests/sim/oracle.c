/* SPDX-License-Identifier: MIT */
/* What must hold, judged from outside: by the rows before a commit and what led to it, by what is answered, and by how
   everything ends. The farm's own check is asked as well. */
#include <inttypes.h>
#include <string.h>

#include "tests/sim/sim.h"

#define GOING (SIM_VANISH | SIM_GARBLED) /* what was there may be gone */
#define BYTES_LEFT (256u << 10)          /* of a farm in which nothing is under way any more */

void sim_look_at_step(struct sim *sim, const struct sim_pulse *pulse)
{
    struct lh_error error = LH_ERROR_INIT;
    if (pulse_farm_check(pulse->farm, &error) != LH_OK) {
        sim_break(sim, "check: %s: %s", error.where, error.message);
    }
}

/* ---- Commits ---- */

/* A shard is done only by the attempt that the store has as the current one. */
static void look_at_done(struct sim *sim, const struct sim_pulse *pulse, const struct pulse_shard_row *row)
{
    const struct rowstore_shard *before = rowstore_shard(&sim->store, row->id);
    if (before == NULL || before->row.state != PULSE_SHARD_CLAIMED) {
        sim_break(sim, "shard %" PRIu64 " is done, but nobody had it", row->id);
        return;
    }
    for (size_t i = 0; i < pulse->outcome.action_count; i++) {
        const struct pulse_farm_action *action = &pulse->outcome.actions[i];
        if (action->kind == PULSE_FARM_ACKNOWLEDGE && action->shard == row->id &&
            action->verdict == PULSE_FARM_COMMITTED && action->attempt == before->row.attempt &&
            strcmp(action->worker, before->row.owner) == 0) {
            return;
        }
    }
    sim_break(sim, "shard %" PRIu64 " is done by another attempt than the current one", row->id);
}

/* The attempt that each report that counts came from, as it was before anything forged it. */
static void look_at_verdict(struct sim *sim, const struct pulse_farm_action *action)
{
    const struct rowstore_shard *before = rowstore_shard(&sim->store, action->shard);
    const struct sim_worker *worker = sim_worker_named(sim, action->worker);
    if (action->verdict != PULSE_FARM_COMMITTED || before == NULL || worker == NULL || worker->session == 0) {
        return;
    }
    for (size_t i = 0; i < worker->run_count; i++) {
        if (worker->runs[i].work.shard == action->shard && worker->runs[i].work.attempt == action->attempt &&
            worker->runs[i].state != SIM_ENDED) {
            sim_break(sim, "shard %" PRIu64 ".%u was reported of, but still runs", action->shard, action->attempt);
        }
    }
}

static void look_at_event(struct sim *sim, const struct pulse_change *change)
{
    struct sim_job *job = sim_job_of(sim, change->job.id);
    job->told = job->told || strstr(change->event, "\"job.waiting\"") != NULL;
    if (strstr(change->event, "does not know of it") == NULL && strstr(change->event, "silent for too long") == NULL) {
        return;
    }
    for (size_t i = 0; i < sim->worker_count; i++) {
        const struct sim_worker *worker = &sim->workers[i];
        char named[32];
        snprintf(named, sizeof named, "\"worker\":\"%s\"", worker->name);
        bool well = worker->session != 0 && !worker->stopped && !worker->cut_up && !worker->cut_down &&
                    sim->now_ns > worker->sick_ns + SIM_WELL_FOR;
        if (well && strstr(change->event, named) != NULL) {
            sim_break(sim, "%s was well, but lost a claim: %s", worker->name, change->event);
        }
    }
}

void sim_look_at_commit(struct sim *sim, const struct sim_pulse *pulse)
{
    if (sim->without != SIM_EPOCH && pulse->epoch < sim->store.epoch) {
        return; /* it will be refused */
    }
    for (size_t i = 0; i < pulse->outcome.change_count; i++) {
        const struct pulse_change *change = &pulse->outcome.changes[i];
        if (change->kind == PULSE_CHANGE_SHARD) {
            const struct pulse_shard_row *row = &change->shard;
            sim_note(sim, "shard %" PRIu64 ".%u %s %s", row->id, row->attempt, pulse_shard_state_name(row->state),
                     row->owner);
            if (row->state == PULSE_SHARD_DONE) {
                look_at_done(sim, pulse, row);
            }
        } else if (change->kind == PULSE_CHANGE_JOB) {
            sim_note(sim, "job %" PRIu64 " %s %s", change->job.id, pulse_job_state_name(change->job.state),
                     change->job.error);
        } else if (change->kind == PULSE_CHANGE_EVENT) {
            look_at_event(sim, change);
        } else if (change->kind == PULSE_CHANGE_ALARM) {
            sim_note(sim, "alarm %s", change->event);
        }
    }
    for (size_t i = 0; i < pulse->outcome.action_count; i++) {
        if (pulse->outcome.actions[i].kind == PULSE_FARM_ACKNOWLEDGE) {
            look_at_verdict(sim, &pulse->outcome.actions[i]);
        }
    }
}

/* ---- Answers ---- */

/* What is told is already true in the store. */
void sim_look_at_answer(struct sim *sim, const struct pulse_farm_action *action)
{
    const struct rowstore_shard *shard = rowstore_shard(&sim->store, action->shard);
    const struct rowstore_job *job = rowstore_job(&sim->store, action->job);
    if (action->kind == PULSE_FARM_ASSIGN && (shard == NULL || shard->row.attempt < action->attempt)) {
        sim_break(sim, "shard %" PRIu64 " was given out before that was committed", action->shard);
    }
    if (action->kind == PULSE_FARM_ACKNOWLEDGE && action->verdict == PULSE_FARM_COMMITTED &&
        (shard == NULL || (shard->row.state == PULSE_SHARD_CLAIMED && shard->row.attempt == action->attempt))) {
        sim_break(sim, "a result of shard %" PRIu64 " was acknowledged before it was committed", action->shard);
    }
    if (action->kind == PULSE_FARM_REPLY && action->token % 2 == 0 && action->status == LH_OK && job == NULL) {
        sim_break(sim, "job %" PRIu64 " was taken before it was committed", action->job);
    }
    if (action->kind == PULSE_FARM_REPLY && action->token % 2 == 1 && action->status == LH_OK &&
        (job == NULL || job->row.state != PULSE_JOB_CANCELLED)) {
        sim_break(sim, "job %" PRIu64 " was said to be cancelled before it was", action->job);
    }
}

/* ---- The end ---- */

bool sim_is_over(const struct sim *sim)
{
    const struct sim_pulse *pulse = &sim->pulses[sim->leader];
    if (pulse->farm == NULL || pulse->busy || pulse->paused || pulse->inbox.count > 0) {
        return false;
    }
    for (size_t i = 0; i < sim->job_count; i++) {
        const struct rowstore_job *job = rowstore_job(&sim->store, sim->jobs[i].id);
        if (job == NULL || !pulse_job_is_final(job->row.state)) {
            return false;
        }
    }
    return true;
}

static void look_at_result(struct sim *sim, const struct sim_job *job)
{
    for (size_t i = 0; i < job->want_count; i++) {
        struct lh_digest key = sim_key_of(sim, job->tenant, job->wants[i], job->id), right;
        const struct pulse_output_row *row = rowstore_output(&sim->store, job->tenant, &key);
        bool known = sim_expected(sim, &key, &right);
        if (row == NULL && (sim->faults & GOING) != 0) {
            continue; /* it was there, and is gone since */
        }
        if (row == NULL || row->state != PULSE_OUTPUT_PRESENT) {
            bool again = row != NULL && (sim->faults & GOING) != 0;
            if (!again) {
                sim_break(sim, "job %" PRIu64 " has succeeded, but its output is not there", job->id);
            }
        } else if (known && !lh_digest_equal(&row->digest, &right)) {
            sim_break(sim, "job %" PRIu64 " has succeeded, but its output is wrong", job->id);
        }
    }
}

/* A job may fail for what can never succeed, or because of a shard of which two attempts failed. */
static bool may_fail(const struct sim *sim, const struct sim_job *job, const char *error)
{
    if (sim_is_doomed(sim, job)) {
        return true;
    }
    const char *at = strstr(error, "\"shard\":");
    uint64_t id = 0;
    if (strstr(error, "keeps vanishing") != NULL || strstr(error, "again and again") != NULL) {
        return (sim->faults & GOING) != 0;
    }
    if (at == NULL || sscanf(at, "\"shard\":%" SCNu64, &id) != 1) {
        return false;
    }
    const struct rowstore_shard *shard = rowstore_shard(&sim->store, id);
    return shard != NULL && shard->row.state == PULSE_SHARD_FAILED && shard->row.failures >= 2;
}

static void look_at_job(struct sim *sim, const struct sim_job *job)
{
    const struct rowstore_job *row = rowstore_job(&sim->store, job->id);
    if (row == NULL || !pulse_job_is_final(row->row.state)) {
        sim_break(sim, "job %" PRIu64 " is %s and never ended", job->id,
                  row == NULL ? "not there" : pulse_job_state_name(row->row.state));
        return;
    }
    if (row->row.state == PULSE_JOB_SUCCEEDED) {
        if (sim_is_doomed(sim, job)) {
            sim_break(sim, "job %" PRIu64 " has succeeded, which it cannot", job->id);
        }
        look_at_result(sim, job);
    } else if (row->row.state == PULSE_JOB_CANCELLED && !job->cancel_asked) {
        sim_break(sim, "job %" PRIu64 " was cancelled by nobody", job->id);
    } else if (row->row.state == PULSE_JOB_FAILED && !may_fail(sim, job, row->row.error)) {
        sim_break(sim, "job %" PRIu64 " has failed without cause: %s", job->id, row->row.error);
    }
}

void sim_look_at_end(struct sim *sim)
{
    for (size_t i = 0; i < sim->job_count && sim->broken[0] == '\0'; i++) {
        look_at_job(sim, &sim->jobs[i]);
    }
    if (sim->broken[0] != '\0' || sim->pulses[sim->leader].farm == NULL) {
        return;
    }
    struct pulse_farm_counts counts;
    struct pulse_farm_outcome outcome;
    if (pulse_farm_step(sim->pulses[sim->leader].farm, 0, NULL, 0, &outcome) != LH_OK) { /* forgets what is over */
        sim_break(sim, "a step failed");
    }
    pulse_farm_counts(sim->pulses[sim->leader].farm, &counts);
    if (counts.jobs + counts.shards + counts.outputs + counts.needs + counts.tenants > 0 || counts.bytes > BYTES_LEFT) {
        sim_break(
            sim,
            "everything has ended, but %zu jobs, %zu shards, %zu outputs, %zu bytes are held, %zu needs, %zu tenants",
            counts.jobs, counts.shards, counts.outputs, counts.bytes, counts.needs, counts.tenants);
    }
}
