/* SPDX-License-Identifier: MIT */
/* The ways between Pulse and its workers, and all that goes wrong. */
#include <string.h>

#include "tests/sim/sim.h"

#define LATE (2 * SIM_S) /* who hears of something so late was cut off */

struct up {
    struct pulse_farm_event event;
    unsigned pulse;
};

static void arrive_up(struct sim *sim, void *context, uint64_t number)
{
    const struct up *up = context;
    (void)number;
    sim_pulse_receive(sim, up->pulse, &up->event);
}

/* How long a message takes; false: for ever. */
static bool travel(struct sim *sim, struct sim_worker *worker, bool cut, uint64_t *delay_ns)
{
    *delay_ns = sim_between(sim, SIM_MS, 50 * SIM_MS);
    if (sim_may(sim, SIM_DELAY) && sim_chance(sim, 100)) {
        *delay_ns = sim_between(sim, 50 * SIM_MS, 8 * SIM_S);
    }
    bool lost = cut || (sim_may(sim, SIM_LOSS) && sim_chance(sim, 50));
    if (lost || *delay_ns > LATE) {
        sim_worker_sicken(sim, worker);
        worker->sick_ns += lost ? 0 : *delay_ns;
    }
    return !lost;
}

void sim_send_up(struct sim *sim, struct sim_worker *worker, const struct pulse_farm_event *event)
{
    uint64_t delay_ns = 0;
    unsigned copies = sim_may(sim, SIM_DUPLICATE) && sim_chance(sim, 100) ? 2 : 1;
    for (unsigned i = 0; i < copies; i++) {
        struct up up = {*event, worker->pulse};
        if (travel(sim, worker, worker->cut_up, &delay_ns)) {
            sim_at(sim, delay_ns, arrive_up, sim_copy(sim, &up, 1, sizeof up), 0);
        }
    }
}

struct down {
    struct pulse_farm_action action;
    uint64_t generation;
};

static void arrive_down(struct sim *sim, void *context, uint64_t index)
{
    const struct down *down = context;
    struct sim_worker *worker = &sim->workers[index];
    if (worker->generation == down->generation) {
        sim_worker_receive(sim, worker, &down->action);
    }
}

static struct pulse_farm_action copy_action(struct sim *sim, const struct pulse_farm_action *action)
{
    struct pulse_farm_action copy = *action;
    copy.worker = sim_copy(sim, action->worker, strlen(action->worker) + 1, 1);
    copy.inputs = sim_copy(sim, action->inputs, action->input_count, sizeof *action->inputs);
    copy.outputs = sim_copy(sim, action->outputs, action->output_count, sizeof *action->outputs);
    copy.text = sim_copy(sim, action->text, strlen(action->text) + 1, 1);
    return copy;
}

void sim_send_down(struct sim *sim, const struct pulse_farm_action *action)
{
    struct sim_worker *worker = sim_worker_named(sim, action->worker);
    sim_look_at_answer(sim, action);
    if (worker == NULL || worker->session == 0 || (action->session != 0 && action->session != worker->session)) {
        return;
    }
    uint64_t delay_ns = 0;
    unsigned copies = sim_may(sim, SIM_DUPLICATE) && sim_chance(sim, 100) ? 2 : 1;
    for (unsigned i = 0; i < copies; i++) {
        struct down down = {copy_action(sim, action), worker->generation};
        if (travel(sim, worker, worker->cut_down, &delay_ns)) {
            sim_at(sim, delay_ns, arrive_down, sim_copy(sim, &down, 1, sizeof down), worker->index);
        }
    }
}

/* ---- Misfortune ---- */

static void heal_way(struct sim *sim, void *context, uint64_t number)
{
    struct sim_worker *worker = context;
    (void)number;
    sim_note(sim, "the way of %s is whole", worker->name);
    worker->cut_up = worker->cut_down = false;
    sim_worker_sicken(sim, worker);
}

static void cut_way(struct sim *sim, struct sim_worker *worker)
{
    uint64_t which = sim_between(sim, 0, 2);
    worker->cut_up = which != 1;
    worker->cut_down = which != 0;
    sim_note(sim, "the way of %s is cut%s%s", worker->name, worker->cut_up ? " up" : "",
             worker->cut_down ? " down" : "");
    sim_at(sim, sim_between(sim, SIM_S, 40 * SIM_S), heal_way, worker, 0);
}

static void end_trouble(struct sim *sim, void *context, uint64_t number)
{
    struct sim_worker *worker = context;
    (void)sim;
    (void)number;
    worker->troubled = false;
}

/* A present output loses its blob; nobody knows yet. */
static void vanish(struct sim *sim)
{
    if (sim->store.outputs.count == 0) {
        return;
    }
    const struct rowstore_output *output = sim->store.outputs.items[sim_between(sim, 0, sim->store.outputs.count - 1)];
    if (output->there && output->row.state == PULSE_OUTPUT_PRESENT) {
        sim_note(sim, "a blob of shard %u vanishes", (unsigned)output->row.shard);
        sim_blob_drop(sim, &output->row.digest);
    }
}

static void jump_clock(struct sim *sim)
{
    struct sim_pulse *pulse = &sim->pulses[sim->leader];
    if (sim_chance(sim, 700)) {
        pulse->clock_ns += sim_between(sim, SIM_S, 3600 * SIM_S);
    } else {
        uint64_t back = sim_between(sim, SIM_MS, 10 * SIM_S);
        pulse->clock_ns -= back < pulse->clock_ns ? back : pulse->clock_ns;
    }
    sim_note(sim, "the clock jumps");
    /* Each jump may take a third of a lease. A lease stands one of them beside a restart, not two. */
    for (size_t i = 0; sim->jumped_ns + SIM_LEASE > sim->now_ns && i < sim->worker_count; i++) {
        sim_worker_sicken(sim, &sim->workers[i]);
    }
    sim->jumped_ns = sim->now_ns;
}

static void befall_worker(struct sim *sim, struct sim_worker *worker, enum sim_fault fault)
{
    if (worker->session == 0) {
        return;
    }
    if (fault == SIM_PARTITION) {
        cut_way(sim, worker);
    } else if (fault == SIM_CRASH) {
        sim_worker_end(sim, worker, sim_chance(sim, 500));
    } else if (fault == SIM_STOP) {
        sim_worker_stop(sim, worker, sim_between(sim, 100 * SIM_MS, 40 * SIM_S));
    } else if (fault == SIM_KILL) {
        sim_worker_kill_instance(sim, worker);
    } else if (fault == SIM_TROUBLE && !worker->troubled) {
        sim_note(sim, "%s has trouble", worker->name);
        worker->troubled = true;
        sim_at(sim, sim_between(sim, SIM_S, 30 * SIM_S), end_trouble, worker, 0);
    } else if (fault == SIM_DRAIN) {
        sim_worker_drain(sim, worker);
    } else if (fault == SIM_CREDIT) {
        sim_worker_grant(sim, worker, (uint32_t)sim_between(sim, 0, worker->slots + 1));
    }
}

static void misfortune(struct sim *sim, void *context, uint64_t number)
{
    if (sim_is_calm(sim)) {
        return;
    }
    enum sim_fault fault = (enum sim_fault)(1u << sim_between(sim, 0, SIM_FAULTS - 1));
    struct sim_worker *worker = &sim->workers[sim_between(sim, 0, sim->worker_count - 1)];
    if (!sim_may(sim, fault)) {
        fault = SIM_LOSS; /* which needs no moment of its own */
    }
    if (fault == SIM_RESTART) {
        sim_pulse_crash(sim, sim->leader);
    } else if (fault == SIM_TAKEOVER && sim->pulses[sim->leader].farm != NULL) {
        sim_pulse_start(sim, NULL, SIM_PULSES - 1 - sim->leader);
    } else if (fault == SIM_PAUSE) {
        sim_pulse_pause(sim, sim->leader, sim_between(sim, 100 * SIM_MS, 60 * SIM_S));
    } else if (fault == SIM_CLOCK) {
        jump_clock(sim);
    } else if (fault == SIM_VANISH) {
        vanish(sim);
    } else {
        befall_worker(sim, worker, fault);
    }
    (void)number;
    sim_at(sim, sim_between(sim, 200 * SIM_MS, 3 * SIM_S), misfortune, context, 0);
}

void sim_faults_begin(struct sim *sim)
{
    sim_at(sim, sim_between(sim, SIM_S, 5 * SIM_S), misfortune, NULL, 0);
}

void sim_calm(struct sim *sim, void *context, uint64_t number)
{
    sim_note(sim, "all is mended");
    for (size_t i = 0; i < sim->worker_count; i++) {
        struct sim_worker *worker = &sim->workers[i];
        worker->bad = worker->troubled = false;
        worker->cut_up = worker->cut_down = false;
        sim_worker_sicken(sim, worker);
        if (worker->absent) {
            worker->absent = false;
            sim_worker_start(sim, worker, worker->generation);
        } else if (worker->session != 0 && !worker->draining) {
            sim_worker_grant(sim, worker, worker->slots + worker->extra);
        }
    }
    (void)context;
    (void)number;
}
