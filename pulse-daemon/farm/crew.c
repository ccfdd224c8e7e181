/* SPDX-License-Identifier: MIT */
/* Workers, their room for work, and who gets it. */
#include "pulse-daemon/farm/crew.h"

#include <stdio.h>
#include <string.h>

#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/queue.h"
#include "pulse-daemon/farm/say.h"
#include "pulse-daemon/farm/task.h"

static bool worker_before(const void *a, const void *b)
{
    const struct pulse_farm_worker *x = a, *y = b;
    uint64_t full_x = (uint64_t)x->claim_count * y->slots, full_y = (uint64_t)y->claim_count * x->slots;
    return full_x != full_y ? full_x < full_y : x->order < y->order;
}

static uint32_t *worker_place(void *item)
{
    return &((struct pulse_farm_worker *)item)->place;
}

const struct pulse_heap_order pulse_farm_worker_order = {worker_before, worker_place};

/* ---- Who there is ---- */

static bool match_worker(const void *item, const void *key)
{
    return strcmp(((const struct pulse_farm_worker *)item)->name, key) == 0;
}

static uint32_t hash_name(const char *name)
{
    return pulse_hash_bytes(0, name, strlen(name));
}

struct pulse_farm_worker *pulse_farm_find_worker(const struct pulse_farm *farm, const char *name)
{
    return pulse_table_find(&farm->workers, hash_name(name), match_worker, name);
}

struct pulse_farm_worker *pulse_farm_worker(struct pulse_farm *farm, const char *name)
{
    struct pulse_farm_worker *worker = pulse_farm_find_worker(farm, name);
    if (worker != NULL || (worker = pulse_farm_take(farm, sizeof *worker)) == NULL) {
        return worker;
    }
    snprintf(worker->name, sizeof worker->name, "%s", name);
    worker->order = ++farm->order;
    worker->slots = 1;
    worker->gone_ns = farm->now_ns;
    worker->place = worker->timer.place = worker->silence.place = PULSE_HEAP_NONE;
    worker->timer.kind = PULSE_FARM_TIMER_WORKER;
    worker->silence.kind = PULSE_FARM_TIMER_SILENCE;
    if (!pulse_table_add(&farm->workers, hash_name(worker->name), worker)) {
        farm->no_memory = true;
        pulse_farm_give(farm, worker, sizeof *worker);
        return NULL;
    }
    pulse_farm_timer_set(farm, &worker->timer, farm->now_ns + farm->options.forget_ns);
    return worker;
}

void pulse_farm_worker_free(struct pulse_farm *farm, struct pulse_farm_worker *worker)
{
    worker->session = 0;
    pulse_farm_worker_refresh(farm, worker);
    pulse_farm_timer_clear(farm, &worker->timer);
    pulse_farm_timer_clear(farm, &worker->silence);
    if (worker->class != NULL) {
        pulse_farm_class_leave(farm, worker->class);
    }
    pulse_table_remove(&farm->workers, hash_name(worker->name), worker);
    pulse_farm_give(farm, worker, sizeof *worker);
}

void pulse_farm_worker_refer(struct pulse_farm_worker **pointer, struct pulse_farm_worker *worker)
{
    struct pulse_farm_worker *old = *pointer;
    if (worker != NULL) {
        worker->refs++;
    }
    *pointer = worker;
    if (old != NULL) {
        old->refs--;
    }
}

/* ---- Room ---- */

void pulse_farm_worker_refresh(struct pulse_farm *farm, struct pulse_farm_worker *worker)
{
    struct pulse_farm_class *class = worker->class;
    if (class == NULL) {
        return;
    }
    if (worker->draining && worker->claim_count == 0 && !worker->drained_listed) {
        worker->drained_listed = pulse_farm_append(farm, &farm->drained, worker);
    }
    bool active = worker->session != 0 && !worker->silent && !worker->draining && worker->quarantine_ns == 0 &&
                  worker->credits > 0;
    if (active != worker->active) {
        worker->active = active;
        class->active += active ? 1 : UINT32_MAX;
    }
    bool room = active && worker->claim_count < worker->credits, listed = worker->place != PULSE_HEAP_NONE;
    if (room && listed) {
        pulse_heap_moved(&class->free, worker);
    } else if (room) {
        pulse_farm_push(farm, &class->free, worker);
    } else if (listed) {
        pulse_heap_remove(&class->free, worker);
    }
}

/* One that drains and holds nothing more is told so, after everything else of the step. */
void pulse_farm_tell_drained(struct pulse_farm *farm)
{
    for (size_t i = 0; i < farm->drained.count; i++) {
        struct pulse_farm_worker *worker = farm->drained.items[i];
        worker->drained_listed = false;
        if (worker->draining && !worker->drained_told && worker->claim_count == 0 && worker->session != 0) {
            worker->drained_told = true;
            pulse_farm_act_on(farm, PULSE_FARM_DRAINED, worker, 0, 0);
        }
    }
    farm->drained.count = 0;
}

/* ---- Silence ---- */

void pulse_farm_worker_heard(struct pulse_farm *farm, struct pulse_farm_worker *worker)
{
    worker->heard_ns = farm->now_ns;
    if (worker->silence.place == PULSE_HEAP_NONE) {
        pulse_farm_timer_set(farm, &worker->silence, farm->now_ns + farm->options.lease_ns);
    }
    if (worker->silent) {
        worker->silent = false;
        pulse_farm_worker_refresh(farm, worker);
    }
}

/* Whoever is silent may be dead, and is the emptiest of all: it must not draw one shard after the other. */
void pulse_farm_silence_due(struct pulse_farm *farm, struct pulse_farm_worker *worker)
{
    uint64_t due_ns = worker->heard_ns + farm->options.lease_ns;
    if (worker->session == 0) {
        return;
    }
    if (due_ns > farm->now_ns) {
        pulse_farm_timer_set(farm, &worker->silence, due_ns);
        return;
    }
    worker->silent = true;
    pulse_farm_worker_refresh(farm, worker);
}

/* ---- Faults ---- */

void pulse_farm_worker_strike(struct pulse_farm *farm, struct pulse_farm_worker *worker)
{
    if (farm->now_ns - worker->strike_ns > farm->options.quarantine_ns) {
        worker->strikes = 0;
    }
    worker->strike_ns = farm->now_ns;
    if (++worker->strikes >= PULSE_FARM_STRIKES && worker->quarantine_ns == 0) {
        worker->quarantine_ns = farm->now_ns + farm->options.quarantine_ns;
        pulse_farm_say_worker(farm, "alarm.quarantine", worker);
        pulse_farm_timer_set(farm, &worker->timer, worker->quarantine_ns);
        pulse_farm_worker_refresh(farm, worker);
    }
}

void pulse_farm_worker_due(struct pulse_farm *farm, struct pulse_farm_worker *worker)
{
    if (worker->quarantine_ns != 0 && worker->quarantine_ns <= farm->now_ns) {
        worker->quarantine_ns = 0;
        worker->strikes = 0;
        pulse_farm_say_worker(farm, "alarm.forgiven", worker);
        pulse_farm_worker_refresh(farm, worker);
    }
    if (worker->session != 0) {
        return;
    }
    if (farm->now_ns - worker->gone_ns >= farm->options.forget_ns && worker->refs == 0 && worker->claim_count == 0 &&
        worker->quarantine_ns == 0 && !worker->drained_listed) {
        pulse_farm_worker_free(farm, worker);
    } else {
        pulse_farm_timer_set(farm, &worker->timer, farm->now_ns + farm->options.forget_ns);
    }
}

/* ---- Handing out ---- */

/* Gives one shard to a worker of the class that has room: in its slots, or also to wait there. False: nothing fits. */
static bool hand_out(struct pulse_farm *farm, struct pulse_farm_class *class, bool slots_only)
{
    /* The emptiest worker decides for its class, but where one had better not take what the others may. */
    size_t count = farm->tainted == 0 && class->free.count > 1 ? 1 : class->free.count;
    for (size_t i = 0; i < count; i++) {
        struct pulse_farm_worker *worker = class->free.items[i];
        if (slots_only && worker->claim_count >= worker->slots) {
            continue;
        }
        struct pulse_farm_shard_entry *shard = pulse_farm_queue_next(farm, worker);
        if (shard != NULL) {
            pulse_farm_task_assign(farm, shard, worker);
            return !farm->no_memory;
        }
    }
    return false;
}

void pulse_farm_dispatch(struct pulse_farm *farm)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < farm->class_count; i++) {
            while (farm->class_by_index[i] != NULL && !farm->no_memory &&
                   hand_out(farm, farm->class_by_index[i], pass == 0)) {
            }
        }
    }
}
