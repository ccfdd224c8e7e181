/* SPDX-License-Identifier: MIT */
/* Time, chance and trace: the bottle itself. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CALM_FROM (40 * SIM_S)
#define CALM_MOST (500 * SIM_S)
#define OVER_AFTER (3600 * SIM_S) /* of calm: nothing that goes on takes that long */
#define MOMENTS_MOST 1000000

struct sim_moment {
    uint64_t at_ns, order;
    sim_call *call;
    void *context;
    uint64_t number;
};

static const char *const names[SIM_PROTECTIONS] = {
    "none",     "fencing",    "epoch",  "commit-first", "fresh-lease", "own-pause",
    "unlisted", "lease-ends", "poison", "look-up",      "replan",      "greet",
};

const char *sim_protection_name(enum sim_protection protection)
{
    return names[protection];
}

/* ---- Memory ---- */

void *sim_alloc(struct sim *sim, size_t count, size_t size)
{
    void *memory = lh_arena_array(&sim->arena, count, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

void *sim_copy(struct sim *sim, const void *data, size_t count, size_t size)
{
    void *memory = sim_alloc(sim, count, size);
    if (count > 0) {
        memcpy(memory, data, count * size);
    }
    return memory;
}

void sim_append(struct rowstore_list *list, void *item)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        if (list->items == NULL) {
            abort();
        }
    }
    list->items[list->count++] = item;
}

/* ---- Chance ---- */

uint64_t sim_random(struct sim *sim)
{
    /* SplitMix64. */
    uint64_t z = sim->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t sim_between(struct sim *sim, uint64_t least, uint64_t most)
{
    return least + sim_random(sim) % (most - least + 1);
}

bool sim_chance(struct sim *sim, unsigned per_mille)
{
    return sim_random(sim) % 1000 < per_mille;
}

bool sim_is_calm(const struct sim *sim)
{
    return sim->now_ns >= sim->calm_ns;
}

bool sim_may(const struct sim *sim, enum sim_fault fault)
{
    return (sim->faults & (uint32_t)fault) != 0 && !sim_is_calm(sim);
}

/* ---- Trace ---- */

void sim_note(struct sim *sim, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    uint32_t low = pulse_hash_bytes((uint32_t)sim->hash ^ (uint32_t)sim->now_ns, line, strlen(line));
    uint32_t high = pulse_hash_bytes((uint32_t)(sim->hash >> 32) ^ low, line, strlen(line));
    sim->hash = (uint64_t)high << 32 | low;
    if (sim->trace != NULL) {
        fprintf(sim->trace, "%10.3f %s\n", (double)sim->now_ns / 1e9, line);
    }
}

void sim_break(struct sim *sim, const char *format, ...)
{
    if (sim->broken[0] != '\0') {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim->broken, sizeof sim->broken, format, arguments);
    va_end(arguments);
    sim_note(sim, "BROKEN %s", sim->broken);
}

/* ---- Time ---- */

static bool before(const struct sim_moment *a, const struct sim_moment *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void sim_at(struct sim *sim, uint64_t delay_ns, sim_call *call, void *context, uint64_t number)
{
    if (sim->moment_count == sim->moment_room) {
        sim->moment_room = sim->moment_room == 0 ? 256 : sim->moment_room * 2;
        sim->moments = realloc(sim->moments, sim->moment_room * sizeof *sim->moments);
        if (sim->moments == NULL) {
            abort();
        }
    }
    struct sim_moment moment = {sim->now_ns + delay_ns, ++sim->moment_order, call, context, number};
    size_t at = sim->moment_count++;
    while (at > 0 && before(&moment, &sim->moments[(at - 1) / 2])) {
        sim->moments[at] = sim->moments[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    sim->moments[at] = moment;
}

static struct sim_moment next_moment(struct sim *sim)
{
    struct sim_moment first = sim->moments[0], last = sim->moments[--sim->moment_count];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= sim->moment_count) {
            break;
        }
        if (child + 1 < sim->moment_count && before(&sim->moments[child + 1], &sim->moments[child])) {
            child++;
        }
        if (!before(&sim->moments[child], &last)) {
            break;
        }
        sim->moments[at] = sim->moments[child];
        at = child;
    }
    sim->moments[at] = last;
    return first;
}

/* ---- A run ---- */

static void choose_faults(struct sim *sim)
{
    /* A quarter of the runs see few kinds of faults, most about half of them, some all at once. */
    uint64_t kind = sim_between(sim, 0, 3);
    uint32_t faults = (uint32_t)sim_random(sim);
    if (kind == 0) {
        faults &= (uint32_t)sim_random(sim) & (uint32_t)sim_random(sim);
    } else if (kind == 3 && sim_chance(sim, 300)) {
        faults = UINT32_MAX;
    }
    sim->faults = faults & ((1u << SIM_FAULTS) - 1);
}

void sim_run(struct sim *sim, uint64_t seed, enum sim_protection without, FILE *trace)
{
    *sim = (struct sim){.seed = seed, .random = seed, .without = without, .trace = trace};
    lh_arena_init(&sim->arena);
    sim->calm_ns = sim_between(sim, CALM_FROM, CALM_MOST);
    choose_faults(sim);
    sim_note(sim, "seed %" PRIu64 " faults %06" PRIx32 " calm from %.0f s", seed, sim->faults,
             (double)sim->calm_ns / 1e9);
    sim_world_make(sim);
    sim_pulse_start(sim, NULL, 0);
    for (size_t i = 0; i < sim->worker_count; i++) {
        sim_at(sim, sim_between(sim, 0, 2 * SIM_S), sim_worker_start, &sim->workers[i], 0);
    }
    sim_clients_begin(sim);
    sim_faults_begin(sim);
    sim_at(sim, sim->calm_ns, sim_calm, NULL, 0);
    while (sim->moment_count > 0 && sim->broken[0] == '\0' && !(sim_is_calm(sim) && sim_is_over(sim))) {
        struct sim_moment moment = next_moment(sim);
        if (moment.at_ns > sim->calm_ns + OVER_AFTER || ++sim->moments_run > MOMENTS_MOST) {
            break;
        }
        sim->now_ns = moment.at_ns;
        moment.call(sim, moment.context, moment.number);
    }
    sim_look_at_end(sim);
    sim_note(sim, "over: %zu events, %" PRIu64 " steps", sim->store.events, sim->steps);
}

void sim_fini(struct sim *sim)
{
    for (size_t i = 0; i < SIM_PULSES; i++) {
        pulse_farm_free(sim->pulses[i].farm);
        free(sim->pulses[i].inbox.items);
        free(sim->pulses[i].batch.items);
    }
    for (size_t i = 0; i < SIM_WORKERS_MOST; i++) {
        free(sim->workers[i].stopped_inbox.items);
    }
    free(sim->moments);
    pulse_table_fini(&sim->keys);
    pulse_table_fini(&sim->blobs);
    rowstore_fini(&sim->store);
    lh_arena_fini(&sim->arena);
}
