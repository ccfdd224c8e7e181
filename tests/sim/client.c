/* SPDX-License-Identifier: MIT */
/* Clients: they ask until they are answered. */
#include "tests/sim/sim.h"

#define ASK_AGAIN (3 * SIM_S)

struct sim_job *sim_job_of(struct sim *sim, uint64_t id)
{
    return id == 0 || id > sim->job_count ? NULL : &sim->jobs[id - 1];
}

static bool is_lost(struct sim *sim)
{
    return sim_may(sim, SIM_LOSS) && sim_chance(sim, 100);
}

static void submit(struct sim *sim, void *context, uint64_t number)
{
    struct sim_job *job = context;
    if (job->submit_answered) {
        return;
    }
    struct pulse_farm_event event = {.kind = PULSE_FARM_SUBMIT,
                                     .token = job->id * 2,
                                     .job = {.id = job->id, .tenant = job->tenant, .priority = job->priority}};
    if (!is_lost(sim)) {
        sim_pulse_receive(sim, sim->leader, &event);
    }
    sim_at(sim, ASK_AGAIN, submit, job, number);
}

static void cancel(struct sim *sim, void *context, uint64_t number)
{
    struct sim_job *job = context;
    if (job->cancel_answered) {
        return;
    }
    if (job->submit_answered) {
        struct pulse_farm_event event = {
            .kind = PULSE_FARM_CANCEL, .token = job->id * 2 + 1, .job = {.id = job->id, .tenant = job->tenant}};
        job->cancel_asked = true;
        if (!is_lost(sim)) {
            sim_pulse_receive(sim, sim->leader, &event);
        }
    }
    sim_at(sim, ASK_AGAIN, cancel, job, number);
}

void sim_clients_begin(struct sim *sim)
{
    uint64_t span_ns = sim_chance(sim, 500) ? 5 * SIM_S : sim->calm_ns;
    for (size_t i = 0; i < sim->job_count; i++) {
        struct sim_job *job = &sim->jobs[i];
        uint64_t at_ns = sim_between(sim, 0, span_ns);
        sim_at(sim, at_ns, submit, job, 0);
        if ((sim->faults & SIM_CANCEL) != 0 && sim_chance(sim, 250)) {
            sim_at(sim, at_ns + sim_between(sim, 0, 30 * SIM_S), cancel, job, 0);
        }
    }
}

void sim_client_reply(struct sim *sim, const struct pulse_farm_action *action)
{
    struct sim_job *job = sim_job_of(sim, action->job);
    sim_look_at_answer(sim, action);
    if (is_lost(sim)) {
        return;
    }
    if (action->token % 2 == 0) {
        job->submit_answered = true;
    } else {
        job->cancel_answered = true;
    }
}
