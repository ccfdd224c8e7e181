/* SPDX-License-Identifier: MIT */
/* A worker's agent: it runs what it is given, says every five seconds what it holds, and keeps results until they are
   acknowledged. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define AGAIN SIM_S /* who is stopped looks again so much later */

struct running { /* what a callback is about */
    struct sim_worker *worker;
    uint64_t generation, shard;
    uint32_t attempt;
};

static void beat(struct sim *sim, void *context, uint64_t generation);
static void finished(struct sim *sim, void *context, uint64_t number);

struct sim_worker *sim_worker_named(struct sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->worker_count; i++) {
        if (strcmp(sim->workers[i].name, name) == 0) {
            return &sim->workers[i];
        }
    }
    return NULL;
}

void sim_worker_sicken(struct sim *sim, struct sim_worker *worker)
{
    worker->sick_ns = worker->sick_ns > sim->now_ns ? worker->sick_ns : sim->now_ns;
}

static void say(struct sim *sim, struct sim_worker *worker, const struct pulse_farm_event *event)
{
    struct pulse_farm_event whole = *event;
    whole.worker = worker->name;
    whole.session = worker->session;
    sim_send_up(sim, worker, &whole);
}

static void welcome(struct sim *sim, struct sim_worker *worker)
{
    say(sim, worker,
        &(struct pulse_farm_event){
            .kind = PULSE_FARM_WELCOME,
            .slots = worker->slots,
            .credits = worker->credits,
            .traits = {.engine = "1 sim", .cpu_class = "v3", .tags = &worker->tag, .tag_count = worker->tag != NULL}});
    if (worker->draining) {
        say(sim, worker, &(struct pulse_farm_event){.kind = PULSE_FARM_DRAIN, .flag = true});
    }
}

/* ---- Life ---- */

void sim_worker_start(struct sim *sim, void *context, uint64_t generation)
{
    struct sim_worker *worker = context;
    if (worker->generation != generation || worker->session != 0 || worker->absent) {
        return;
    }
    worker->session = ++sim->last_session;
    worker->generation++;
    worker->credits = worker->slots + worker->extra;
    worker->draining = worker->stopped = false;
    worker->run_count = worker->stopped_inbox.count = 0;
    worker->pulse = sim->leader;
    sim_worker_sicken(sim, worker);
    sim_note(sim, "%s starts", worker->name);
    welcome(sim, worker);
    sim_at(sim, sim_between(sim, SIM_MS, SIM_BEAT), beat, worker, worker->generation);
}

void sim_worker_end(struct sim *sim, struct sim_worker *worker, bool told)
{
    if (worker->session == 0) {
        return;
    }
    sim_note(sim, "%s ends%s", worker->name, told ? ", and its link says so" : "");
    if (told) {
        struct pulse_farm_event gone = {.kind = PULSE_FARM_GONE, .worker = worker->name, .session = worker->session};
        sim_pulse_receive(sim, worker->pulse, &gone);
    }
    worker->session = 0;
    worker->generation++;
    worker->run_count = 0;
    sim_worker_sicken(sim, worker);
    sim_at(sim, sim_between(sim, 100 * SIM_MS, 30 * SIM_S), sim_worker_start, worker, worker->generation);
}

void sim_worker_reconnect(struct sim *sim, void *context, uint64_t pulse)
{
    struct sim_worker *worker = context;
    if (worker->session != 0 && pulse == sim->leader) {
        worker->pulse = (unsigned)pulse;
        welcome(sim, worker);
    }
}

static void resume(struct sim *sim, void *context, uint64_t generation)
{
    struct sim_worker *worker = context;
    if (worker->generation != generation) {
        return;
    }
    sim_note(sim, "%s goes on", worker->name);
    worker->stopped = false;
    sim_worker_sicken(sim, worker);
    for (size_t i = 0; i < worker->stopped_inbox.count; i++) {
        sim_worker_receive(sim, worker, worker->stopped_inbox.items[i]);
    }
    worker->stopped_inbox.count = 0;
}

void sim_worker_stop(struct sim *sim, struct sim_worker *worker, uint64_t for_ns)
{
    if (!worker->stopped) {
        sim_note(sim, "%s stops", worker->name);
        worker->stopped = true;
        sim_worker_sicken(sim, worker);
        sim_at(sim, for_ns, resume, worker, worker->generation);
    }
}

void sim_worker_grant(struct sim *sim, struct sim_worker *worker, uint32_t credits)
{
    worker->credits = credits;
    say(sim, worker, &(struct pulse_farm_event){.kind = PULSE_FARM_CREDITS, .credits = credits});
}

/* ---- Runs ---- */

static struct sim_run *run_of(struct sim_worker *worker, uint64_t shard, uint32_t attempt)
{
    for (size_t i = 0; i < worker->run_count; i++) {
        if (worker->runs[i].work.shard == shard && worker->runs[i].work.attempt == attempt) {
            return &worker->runs[i];
        }
    }
    return NULL;
}

static size_t running_count(const struct sim_worker *worker)
{
    size_t count = 0;
    for (size_t i = 0; i < worker->run_count; i++) {
        count += worker->runs[i].state == SIM_RUNS;
    }
    return count;
}

static void start_waiting(struct sim *sim, struct sim_worker *worker)
{
    for (size_t i = 0; i < worker->run_count; i++) {
        struct sim_run *run = &worker->runs[i];
        if (run->state != SIM_WAITS || running_count(worker) >= worker->slots) {
            continue;
        }
        run->state = SIM_RUNS;
        run->begun_ns = sim->now_ns;
        run->length_ns = run->work.cost_ms * SIM_MS + sim_between(sim, 0, run->work.cost_ms * SIM_MS / 2);
        run->hangs = sim_may(sim, SIM_HANG) && sim_chance(sim, 20);
        if (run->hangs) {
            sim_note(sim, "shard %u hangs on %s", (unsigned)run->work.shard, worker->name);
        }
        struct running about = {worker, worker->generation, run->work.shard, run->work.attempt};
        if (!run->hangs) {
            sim_at(sim, run->length_ns, finished, sim_copy(sim, &about, 1, sizeof about), 0);
        }
    }
}

static void end_run(struct sim *sim, struct sim_worker *worker, struct sim_run *run,
                    const struct pulse_farm_event *result)
{
    run->state = SIM_ENDED;
    run->result = *result;
    run->result.shard = run->work.shard;
    run->result.attempt = run->work.attempt;
    run->result.tenant = run->work.tenant;
    say(sim, worker, &run->result);
    start_waiting(sim, worker);
}

static void drop_run(struct sim *sim, struct sim_worker *worker, struct sim_run *run)
{
    *run = worker->runs[--worker->run_count];
    start_waiting(sim, worker);
}

static bool is_bad(struct sim *sim, const struct pulse_farm_action *work)
{
    for (size_t i = 0; i < work->output_count; i++) {
        if (sim_is_bad(sim, &work->outputs[i].key, work)) {
            return true;
        }
    }
    return false;
}

static struct pulse_farm_event make(struct sim *sim, const struct pulse_farm_action *work)
{
    struct pulse_farm_result *results = sim_alloc(sim, work->output_count, sizeof *results);
    for (size_t i = 0; i < work->output_count; i++) {
        results[i].key = work->outputs[i].key;
        results[i].digest = sim_made(sim, &results[i].key, work);
        results[i].size = 1000;
        sim_blob_put(sim, &results[i].digest);
    }
    return (struct pulse_farm_event){
        .kind = PULSE_FARM_COMPLETE, .results = results, .result_count = work->output_count};
}

static void finished(struct sim *sim, void *context, uint64_t number)
{
    const struct running *about = context;
    struct sim_worker *worker = about->worker;
    struct sim_run *run = worker->generation == about->generation ? run_of(worker, about->shard, about->attempt) : NULL;
    if (run == NULL || run->state != SIM_RUNS) {
        return;
    }
    if (worker->stopped) {
        sim_at(sim, AGAIN, finished, context, number);
        return;
    }
    struct pulse_farm_event failed = {.kind = PULSE_FARM_FAILED, .text = "{\"message\":\"SIGSEGV\",\"where\":\"\"}"};
    if (is_bad(sim, &run->work) || (worker->bad && sim_chance(sim, 800))) {
        end_run(sim, worker, run, &failed);
    } else if (worker->troubled) {
        failed.text = "{\"message\":\"the disk is full\",\"where\":\"\"}";
        failed.flag = true;
        end_run(sim, worker, run, &failed);
    } else {
        struct pulse_farm_event complete = make(sim, &run->work);
        end_run(sim, worker, run, &complete);
    }
}

void sim_worker_kill_instance(struct sim *sim, struct sim_worker *worker)
{
    for (size_t i = 0; i < worker->run_count; i++) {
        if (worker->runs[i].state == SIM_RUNS && !worker->stopped) {
            sim_note(sim, "shard %u is killed on %s", (unsigned)worker->runs[i].work.shard, worker->name);
            end_run(sim, worker, &worker->runs[i],
                    &(struct pulse_farm_event){.kind = PULSE_FARM_LOST, .text = "killed"});
            return;
        }
    }
}

/* ---- Beats ---- */

static void beat(struct sim *sim, void *context, uint64_t generation)
{
    struct sim_worker *worker = context;
    if (worker->generation != generation) {
        return;
    }
    sim_at(sim, SIM_BEAT, beat, worker, generation);
    if (worker->stopped) {
        return;
    }
    struct pulse_farm_held *held = sim_alloc(sim, worker->run_count, sizeof *held);
    for (size_t i = 0; i < worker->run_count; i++) {
        const struct sim_run *run = &worker->runs[i];
        uint64_t ran = run->state == SIM_WAITS ? 0 : sim->now_ns - run->begun_ns;
        held[i] = (struct pulse_farm_held){.shard = run->work.shard,
                                           .attempt = run->work.attempt,
                                           .running = run->state != SIM_WAITS,
                                           .progress = run->hangs ? 1 : ran};
        if (run->state == SIM_ENDED) {
            say(sim, worker, &run->result);
        }
    }
    say(sim, worker,
        &(struct pulse_farm_event){.kind = PULSE_FARM_BEAT, .held = held, .held_count = worker->run_count});
    say(sim, worker, &(struct pulse_farm_event){.kind = PULSE_FARM_CREDITS, .credits = worker->credits});
    if (worker->draining) {
        say(sim, worker, &(struct pulse_farm_event){.kind = PULSE_FARM_DRAIN, .flag = true});
    }
}

void sim_worker_drain(struct sim *sim, struct sim_worker *worker)
{
    if (worker->draining || worker->stopped) {
        return;
    }
    sim_note(sim, "%s drains", worker->name);
    worker->draining = true;
    say(sim, worker, &(struct pulse_farm_event){.kind = PULSE_FARM_DRAIN, .flag = true});
    for (size_t i = 0; i < worker->run_count; i++) {
        if (worker->runs[i].state == SIM_WAITS) {
            end_run(sim, worker, &worker->runs[i], &(struct pulse_farm_event){.kind = PULSE_FARM_RETURNED});
        }
    }
}

/* ---- What it is told ---- */

/* What it is given to work with must be what it should be. */
static void look_at_inputs(struct sim *sim, const struct pulse_farm_action *work)
{
    for (size_t i = 0; i < work->input_count; i++) {
        struct lh_digest right;
        if (sim_expected(sim, &work->inputs[i].key, &right) && !lh_digest_equal(&right, &work->inputs[i].digest)) {
            sim_break(sim, "shard %u is to work on a wrong input", (unsigned)work->shard);
        }
    }
}

static void assigned(struct sim *sim, struct sim_worker *worker, const struct pulse_farm_action *action)
{
    if (run_of(worker, action->shard, action->attempt) != NULL) {
        return;
    }
    look_at_inputs(sim, action);
    sim_note(sim, "%s gets shard %u.%u", worker->name, (unsigned)action->shard, action->attempt);
    if (worker->run_count == SIM_HELD_MOST) {
        return; /* it will not be listed */
    }
    struct sim_run *run = &worker->runs[worker->run_count++];
    *run = (struct sim_run){.work = *action, .begun_ns = sim->now_ns};
    for (size_t i = 0; i < action->input_count; i++) {
        if (!sim_blob_there(sim, &action->inputs[i].digest)) {
            struct pulse_farm_event missing = {.kind = PULSE_FARM_MISSING, .key = action->inputs[i].key};
            end_run(sim, worker, run, &missing);
            return;
        }
    }
    if (worker->draining) {
        end_run(sim, worker, run, &(struct pulse_farm_event){.kind = PULSE_FARM_RETURNED});
    } else {
        start_waiting(sim, worker);
    }
}

/* Says once more what counts no more, with other bytes. */
static void lie(struct sim *sim, void *context, uint64_t number)
{
    struct pulse_farm_event event = *(const struct pulse_farm_event *)context;
    struct sim_worker *worker = sim_worker_named(sim, event.worker);
    const struct rowstore_shard *shard = rowstore_shard(&sim->store, event.shard);
    (void)number;
    if (worker->session == 0 || shard == NULL || shard->row.state != PULSE_SHARD_DONE) {
        return;
    }
    struct pulse_farm_result *results = sim_copy(sim, event.results, event.result_count, sizeof *results);
    for (size_t i = 0; i < event.result_count; i++) {
        results[i].digest.bytes[LH_DIGEST_SIZE - 1] ^= 1;
    }
    event.results = results;
    sim_note(sim, "%s lies about shard %u", worker->name, (unsigned)event.shard);
    say(sim, worker, &event);
}

static void acknowledged(struct sim *sim, struct sim_worker *worker, struct sim_run *run)
{
    if (run->result.kind == PULSE_FARM_COMPLETE && sim_may(sim, SIM_LATE_LIE) && sim_chance(sim, 100)) {
        struct pulse_farm_event event = run->result;
        event.worker = worker->name;
        sim_at(sim, sim_between(sim, SIM_S, 20 * SIM_S), lie, sim_copy(sim, &event, 1, sizeof event), 0);
    }
    drop_run(sim, worker, run);
}

void sim_worker_receive(struct sim *sim, struct sim_worker *worker, const struct pulse_farm_action *action)
{
    if (worker->stopped) {
        sim_append(&worker->stopped_inbox, sim_copy(sim, action, 1, sizeof *action));
        return;
    }
    struct sim_run *run = run_of(worker, action->shard, action->attempt);
    if (action->kind == PULSE_FARM_ASSIGN) {
        assigned(sim, worker, action);
    } else if (action->kind == PULSE_FARM_WITHDRAW && run != NULL) {
        sim_note(sim, "%s loses shard %u.%u: %s", worker->name, (unsigned)action->shard, action->attempt, action->text);
        drop_run(sim, worker, run);
    } else if (action->kind == PULSE_FARM_ACKNOWLEDGE && run != NULL && run->state == SIM_ENDED) {
        acknowledged(sim, worker, run);
    } else if (action->kind == PULSE_FARM_GREET && action->session == worker->session) {
        welcome(sim, worker);
    } else if (action->kind == PULSE_FARM_DRAINED && worker->draining) {
        sim_worker_end(sim, worker, false);
    }
}
