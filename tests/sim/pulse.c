/* SPDX-License-Identifier: MIT */
/* Pulse around the core: an inbox, batches, commits that take their time, death at every moment, and its planner. Where
   a protection is taken away it is done here. */
#include <inttypes.h>
#include <string.h>

#include "tests/sim/sim.h"

#define BATCH_MOST 256
#define HALT (SIM_LEASE / 3) /* of one gap no more counts than that */

struct token { /* what a callback is about */
    unsigned index;
    uint64_t generation;
};

static void step(struct sim *sim, void *context, uint64_t generation);

static uint64_t clock_of(const struct sim *sim, const struct sim_pulse *pulse)
{
    return sim->now_ns + pulse->clock_ns;
}

static unsigned index_of(const struct sim *sim, const struct sim_pulse *pulse)
{
    return (unsigned)(pulse - sim->pulses);
}

/* While Pulse is away nobody looks: what went wrong just before shows only when it is back. */
static void go_away(struct sim *sim)
{
    if (!sim->away) {
        sim->away = true;
        sim->away_ns = sim->now_ns;
    }
}

static void come_back(struct sim *sim)
{
    for (size_t i = 0; i < sim->worker_count; i++) {
        if (sim->workers[i].sick_ns + SIM_WELL_FOR > (sim->away ? sim->away_ns : sim->now_ns)) {
            sim_worker_sicken(sim, &sim->workers[i]);
        }
    }
    sim->away = false;
}

/* ---- Death ---- */

/* What was decided and is not sent: the workers will not hear of it. */
static void sicken_unsent(struct sim *sim, const struct sim_pulse *pulse, size_t from)
{
    for (size_t i = from; i < pulse->outcome.action_count; i++) {
        struct sim_worker *worker =
            pulse->outcome.actions[i].worker == NULL ? NULL : sim_worker_named(sim, pulse->outcome.actions[i].worker);
        if (worker != NULL) {
            sim_worker_sicken(sim, worker);
        }
    }
}

static void start_again(struct sim *sim, void *context, uint64_t index)
{
    if (sim->pulses[sim->leader].farm == NULL) {
        sim_pulse_crash(sim, (unsigned)index); /* a deposed one that does not know it yet */
        sim_pulse_start(sim, context, index);
    }
}

void sim_pulse_crash(struct sim *sim, unsigned index)
{
    struct sim_pulse *pulse = &sim->pulses[index];
    if (pulse->farm == NULL) {
        return;
    }
    sim_note(sim, "pulse %u dies", index);
    pulse_farm_free(pulse->farm);
    pulse->farm = NULL;
    pulse->generation++;
    go_away(sim);
    pulse->inbox.count = pulse->batch.count = 0;
    pulse->step_due = pulse->busy = pulse->paused = false;
    if (index == sim->leader) {
        sim_at(sim, sim_between(sim, 200 * SIM_MS, 8 * SIM_S), start_again, NULL, sim_between(sim, 0, SIM_PULSES - 1));
    }
}

/* ---- Steps ---- */

static void schedule(struct sim *sim, struct sim_pulse *pulse)
{
    if (pulse->inbox.count > 0 && !pulse->step_due && !pulse->busy && !pulse->paused) {
        pulse->step_due = true;
        sim_at(sim, sim_between(sim, SIM_MS / 2, 2 * SIM_MS), step, pulse, pulse->generation);
    }
}

void sim_pulse_receive(struct sim *sim, unsigned index, const struct pulse_farm_event *event)
{
    struct sim_pulse *pulse = &sim->pulses[index];
    if (pulse->farm != NULL) {
        sim_append(&pulse->inbox, sim_copy(sim, event, 1, sizeof *event));
        schedule(sim, pulse);
    }
}

static void know(struct sim *sim, const struct sim_pulse *pulse, struct pulse_farm_event *event,
                 struct pulse_output_row *rows, const struct lh_digest *key)
{
    const struct pulse_output_row *row = rowstore_output(&sim->store, event->tenant, key);
    if (row != NULL && !pulse_farm_holds(pulse->farm, event->tenant, key)) {
        rows[event->known_count++] = *row;
    }
}

/* What the core does not hold is looked up. */
static void look_up(struct sim *sim, const struct sim_pulse *pulse, struct pulse_farm_event *event)
{
    size_t most = event->result_count + event->plan.want_count + event->plan.shard_count * 5;
    struct pulse_output_row *rows = sim_alloc(sim, most, sizeof *rows);
    event->known = rows;
    event->known_count = 0;
    for (size_t i = 0; i < event->result_count; i++) {
        know(sim, pulse, event, rows, &event->results[i].key);
    }
    for (size_t i = 0; i < event->plan.want_count; i++) {
        know(sim, pulse, event, rows, &event->plan.wants[i]);
    }
    for (size_t i = 0; i < event->plan.shard_count; i++) {
        for (size_t k = 0; k < event->plan.shards[i].input_count; k++) {
            know(sim, pulse, event, rows, &event->plan.shards[i].inputs[k]);
        }
        for (size_t k = 0; k < event->plan.shards[i].output_count; k++) {
            know(sim, pulse, event, rows, &event->plan.shards[i].outputs[k].key);
        }
    }
}

/* An old attempt's report passes for the current one's. */
static void forge(const struct sim *sim, struct pulse_farm_event *event)
{
    const struct rowstore_shard *shard = rowstore_shard(&sim->store, event->shard);
    if (shard != NULL && shard->row.state == PULSE_SHARD_CLAIMED && event->kind >= PULSE_FARM_COMPLETE &&
        event->kind <= PULSE_FARM_RETURNED) {
        event->worker = shard->row.owner;
        event->attempt = shard->row.attempt;
    }
}

/* Whatever the beat does not list is lost at once. */
static void lose_unlisted(struct sim *sim, const struct pulse_farm_event *beat, struct rowstore_list *batch)
{
    for (size_t i = 0; i < sim->store.shards.count; i++) {
        const struct rowstore_shard *shard = sim->store.shards.items[i];
        bool listed = shard->row.state != PULSE_SHARD_CLAIMED || strcmp(shard->row.owner, beat->worker) != 0;
        for (size_t k = 0; k < beat->held_count; k++) {
            listed = listed || beat->held[k].shard == shard->row.id;
        }
        if (!listed) {
            struct pulse_farm_event lost = {.kind = PULSE_FARM_LOST,
                                            .worker = beat->worker,
                                            .shard = shard->row.id,
                                            .attempt = shard->row.attempt,
                                            .text = "the worker does not know of it"};
            sim_append(batch, sim_copy(sim, &lost, 1, sizeof lost));
        }
    }
}

/* Beats that nobody sent renew every lease. */
static void renew_all(struct sim *sim, const struct sim_pulse *pulse, struct rowstore_list *batch)
{
    struct pulse_farm_worker_view view;
    for (size_t i = 0; pulse_farm_worker_view(pulse->farm, i, &view); i++) {
        struct pulse_farm_held *held = sim_alloc(sim, sim->store.shards.count, sizeof *held);
        struct pulse_farm_event beat = {.kind = PULSE_FARM_BEAT,
                                        .worker = sim_copy(sim, view.name, strlen(view.name) + 1, 1),
                                        .session = view.session,
                                        .held = held};
        for (size_t k = 0; k < sim->store.shards.count; k++) {
            const struct rowstore_shard *shard = sim->store.shards.items[k];
            if (shard->row.state == PULSE_SHARD_CLAIMED && strcmp(shard->row.owner, view.name) == 0) {
                held[beat.held_count++] =
                    (struct pulse_farm_held){.shard = shard->row.id, .attempt = shard->row.attempt};
            }
        }
        sim_append(batch, sim_copy(sim, &beat, 1, sizeof beat));
    }
}

static void prepare(struct sim *sim, struct sim_pulse *pulse)
{
    size_t count = pulse->inbox.count < BATCH_MOST ? pulse->inbox.count : BATCH_MOST;
    pulse->batch.count = 0;
    for (size_t i = 0; i < count; i++) {
        struct pulse_farm_event *event = pulse->inbox.items[i];
        if (sim->without == SIM_FENCING) {
            forge(sim, event);
        }
        if (sim->without == SIM_POISON && event->kind == PULSE_FARM_FAILED) {
            event->kind = PULSE_FARM_RETURNED;
        }
        if (sim->without == SIM_REPLAN && event->kind == PULSE_FARM_MISSING) {
            event->kind = PULSE_FARM_RETURNED;
        }
        if (event->kind == PULSE_FARM_SUBMIT && rowstore_job(&sim->store, event->job.id) != NULL) {
            struct pulse_farm_action reply = {.kind = PULSE_FARM_REPLY, .token = event->token, .job = event->job.id};
            sim_client_reply(sim, &reply); /* told again */
            continue;
        }
        if (sim->without != SIM_LOOK_UP) {
            look_up(sim, pulse, event);
        }
        sim_append(&pulse->batch, event);
        if (sim->without == SIM_UNLISTED && event->kind == PULSE_FARM_BEAT) {
            lose_unlisted(sim, event, &pulse->batch);
        }
    }
    if (count > 0) {
        memmove(pulse->inbox.items, pulse->inbox.items + count, (pulse->inbox.count - count) * sizeof(void *));
        pulse->inbox.count -= count;
    }
    if (sim->without == SIM_LEASE_ENDS) {
        renew_all(sim, pulse, &pulse->batch);
    }
}

static void decide(struct sim *sim, struct sim_pulse *pulse, uint64_t clock_ns)
{
    struct pulse_farm_event *events = sim_alloc(sim, pulse->batch.count, sizeof *events);
    for (size_t i = 0; i < pulse->batch.count; i++) {
        events[i] = *(const struct pulse_farm_event *)pulse->batch.items[i];
    }
    if (pulse_farm_step(pulse->farm, clock_ns, events, pulse->batch.count, &pulse->outcome) != LH_OK) {
        sim_break(sim, "a step failed");
        return;
    }
    sim->steps++;
    sim_look_at_step(sim, pulse);
}

static bool write(struct sim *sim, struct sim_pulse *pulse)
{
    sim_look_at_commit(sim, pulse);
    uint64_t epoch = sim->without == SIM_EPOCH ? sim->store.epoch : pulse->epoch;
    bool written = rowstore_commit(&sim->store, epoch, pulse->outcome.changes, pulse->outcome.change_count);
    if (sim->store.broken[0] != '\0') {
        sim_break(sim, "store: %s", sim->store.broken);
    }
    return written;
}

/* ---- What follows ---- */

/* Facts that cannot be read are as good as gone: the core hears of that before it gets the plan that asks for them. */
static void tell_garbled(struct sim *sim, unsigned index, const struct pulse_farm_event *planned)
{
    for (size_t i = 0; i < planned->plan.want_count; i++) {
        struct pulse_farm_event event = {
            .kind = PULSE_FARM_MISSING, .tenant = planned->tenant, .key = planned->plan.wants[i]};
        const struct pulse_output_row *row = rowstore_output(&sim->store, event.tenant, &event.key);
        if (row != NULL && row->state == PULSE_OUTPUT_PRESENT) {
            sim_pulse_receive(sim, index, &event);
        }
    }
}

static void planned(struct sim *sim, void *context, uint64_t job_id)
{
    const struct token *token = context;
    const struct sim_job *job = sim_job_of(sim, job_id);
    if (sim->pulses[token->index].generation != token->generation || job == NULL) {
        return;
    }
    struct pulse_farm_event event = {
        .kind = PULSE_FARM_PLAN_FAILED, .job = {.id = job_id}, .text = "{\"message\":\"no\",\"where\":\"/tracks\"}"};
    if (!job->unplannable) {
        event = sim_plan(sim, job);
        if (job->garbled) {
            tell_garbled(sim, token->index, &event);
        }
    }
    sim_pulse_receive(sim, token->index, &event);
}

static void carry_out(struct sim *sim, struct sim_pulse *pulse, const struct pulse_farm_action *action)
{
    struct token token = {index_of(sim, pulse), pulse->generation};
    if (action->kind == PULSE_FARM_PLAN) {
        sim_at(sim, sim_between(sim, 5 * SIM_MS, 200 * SIM_MS), planned, sim_copy(sim, &token, 1, sizeof token),
               action->job);
    } else if (action->kind == PULSE_FARM_REPLY) {
        sim_client_reply(sim, action);
    } else if (action->kind != PULSE_FARM_GREET || sim->without != SIM_GREET) {
        sim_send_down(sim, action);
    }
}

/* False: it died of it. */
static bool carry_all_out(struct sim *sim, struct sim_pulse *pulse)
{
    for (size_t i = 0; i < pulse->outcome.action_count; i++) {
        if (sim_may(sim, SIM_RESTART) && sim_chance(sim, 2)) {
            sicken_unsent(sim, pulse, i);
            sim_pulse_crash(sim, index_of(sim, pulse));
            return false;
        }
        carry_out(sim, pulse, &pulse->outcome.actions[i]);
    }
    return true;
}

/* Steps without events, as if time had been looked at all the while. */
static void live_through(struct sim *sim, struct sim_pulse *pulse, uint64_t span_ns)
{
    uint64_t from = clock_of(sim, pulse) - span_ns;
    pulse->batch.count = 0;
    for (uint64_t passed = HALT; passed <= span_ns && sim->broken[0] == '\0'; passed += HALT) {
        decide(sim, pulse, from + passed);
        if (!write(sim, pulse) || !carry_all_out(sim, pulse)) {
            return;
        }
    }
}

static void wake(struct sim *sim, void *context, uint64_t number)
{
    struct sim_pulse *pulse = context;
    if (pulse->wake == number && pulse->farm != NULL && !pulse->busy && !pulse->paused && !pulse->step_due) {
        step(sim, pulse, pulse->generation);
    }
}

static void go_on(struct sim *sim, struct sim_pulse *pulse)
{
    if (pulse->farm == NULL) {
        return; /* it died of what it did first */
    }
    pulse->busy = false;
    schedule(sim, pulse);
    uint64_t due = pulse_farm_wake_ns(pulse->farm), now = clock_of(sim, pulse);
    sim_at(sim, due > now + SIM_MS ? due - now : SIM_MS, wake, pulse, ++pulse->wake);
}

static void load(struct sim *sim, struct sim_pulse *pulse)
{
    size_t healed = rowstore_load(&sim->store, pulse->farm, clock_of(sim, pulse));
    if (healed > 0) {
        sim_break(sim, "%zu places of the store had to be healed", healed);
    }
    if (sim->without == SIM_FRESH_LEASE) {
        pulse->clock_ns += 4 * HALT;
        live_through(sim, pulse, 4 * HALT);
    }
}

static void reload(struct sim *sim, void *context, uint64_t generation)
{
    struct sim_pulse *pulse = context;
    if (pulse->generation == generation) {
        sim_note(sim, "pulse %u loads anew", index_of(sim, pulse));
        come_back(sim);
        pulse_farm_forget(pulse->farm);
        load(sim, pulse);
        go_on(sim, pulse);
    }
}

static void commit(struct sim *sim, void *context, uint64_t generation)
{
    struct sim_pulse *pulse = context;
    if (pulse->generation != generation) {
        return;
    }
    bool dies_before = sim_may(sim, SIM_RESTART) && sim_chance(sim, 4);
    bool fails = sim_may(sim, SIM_COMMIT) && sim_chance(sim, 15), in_truth = fails && sim_chance(sim, 500);
    if (dies_before) {
        sim_pulse_crash(sim, index_of(sim, pulse));
        return;
    }
    if (fails && !in_truth) {
        sim_note(sim, "a commit of pulse %u fails", index_of(sim, pulse));
        pulse->inbox.count = 0; /* everybody is told "not now" */
        go_away(sim);
        sim_at(sim, sim_between(sim, 10 * SIM_MS, 30 * SIM_S), reload, pulse, generation);
        return;
    }
    if (!write(sim, pulse)) {
        sim_note(sim, "pulse %u is deposed", index_of(sim, pulse));
        sim_pulse_crash(sim, index_of(sim, pulse));
        return;
    }
    if (fails) {
        sim_note(sim, "a commit of pulse %u seems to fail", index_of(sim, pulse));
        sicken_unsent(sim, pulse, 0);
        go_away(sim);
        sim_at(sim, sim_between(sim, 10 * SIM_MS, 30 * SIM_S), reload, pulse, generation);
        return;
    }
    if (sim_may(sim, SIM_RESTART) && sim_chance(sim, 4)) {
        sicken_unsent(sim, pulse, 0);
        sim_pulse_crash(sim, index_of(sim, pulse));
        return;
    }
    if (sim->without == SIM_COMMIT_FIRST || carry_all_out(sim, pulse)) {
        go_on(sim, pulse);
    }
}

static void step(struct sim *sim, void *context, uint64_t generation)
{
    struct sim_pulse *pulse = context;
    if (pulse->generation != generation || pulse->busy || pulse->paused) {
        return;
    }
    pulse->step_due = false;
    prepare(sim, pulse);
    decide(sim, pulse, clock_of(sim, pulse));
    pulse->busy = true;
    if (sim->without == SIM_COMMIT_FIRST && !carry_all_out(sim, pulse)) {
        return;
    }
    sim_at(sim, sim_between(sim, SIM_MS, 20 * SIM_MS), commit, pulse, generation);
}

/* ---- Life ---- */

void sim_pulse_start(struct sim *sim, void *context, uint64_t index)
{
    struct sim_pulse *pulse = &sim->pulses[index];
    if (pulse->farm != NULL) {
        return;
    }
    struct pulse_farm_options options = {.seed = sim->seed, .lease_ns = SIM_LEASE};
    if (pulse_farm_new(&options, &pulse->farm) != LH_OK) {
        sim_break(sim, "no memory");
        return;
    }
    (void)context;
    pulse->epoch = ++sim->store.epoch;
    pulse->generation++;
    pulse->clock_ns = sim_between(sim, SIM_S, 1000 * SIM_S);
    sim->leader = (unsigned)index;
    sim_note(sim, "pulse %" PRIu64 " leads in epoch %" PRIu64, index, pulse->epoch);
    come_back(sim);
    load(sim, pulse);
    go_on(sim, pulse);
    for (size_t i = 0; i < sim->worker_count; i++) {
        sim_at(sim, sim_between(sim, 50 * SIM_MS, 3 * SIM_S), sim_worker_reconnect, &sim->workers[i], index);
    }
}

static void resume(struct sim *sim, void *context, uint64_t generation)
{
    struct sim_pulse *pulse = context;
    if (pulse->generation == generation && pulse->paused) {
        sim_note(sim, "pulse %u goes on", index_of(sim, pulse));
        pulse->paused = false;
        if (sim->without == SIM_OWN_PAUSE) {
            live_through(sim, pulse, sim->now_ns - sim->away_ns);
        }
        come_back(sim);
        go_on(sim, pulse);
    }
}

/* Only between batches; a commit that is under way ends meanwhile, and its sends leave late. */
void sim_pulse_pause(struct sim *sim, unsigned index, uint64_t for_ns)
{
    struct sim_pulse *pulse = &sim->pulses[index];
    if (pulse->farm == NULL || pulse->paused || pulse->busy) {
        return;
    }
    sim_note(sim, "pulse %u stops", index);
    pulse->paused = true;
    go_away(sim);
    pulse->step_due = false;
    sim_at(sim, for_ns, resume, pulse, pulse->generation);
}
