/* SPDX-License-Identifier: MIT */
/* Shares wide buses out into partial sums. Which contributions go together is told by their keys, so that it does not
   hang on their order, and so that one that changes leaves its part for another and touches no third. */
#include <string.h>

#include "graph/partition.h"
#include "pulse-daemon/shard/draft.h"
#include "pulse-daemon/shard/work.h"

#define INPUTS_MIN 4u   /* of a bus that is looked at */
#define PARTS_MAX 1024u /* a power of two */
#define ROOM 2.0        /* a part is to be worth that many times the least, so that most of them are */

/* A part's members and what they cost to add up. */
struct part {
    uint32_t members;
    double seconds;
};

struct parts {
    const struct graph *graph;
    uint32_t *of_input; /* by index into graph->inputs: its part; GRAPH_NONE: stays alone */
    struct part *tally; /* PARTS_MAX */
    bool some;
};

/* What one contribution costs: to have it, and to add it. */
static double contribution(const struct pulse_draft *draft, const struct pulse_sweep *sweep, uint32_t bus,
                           uint32_t input)
{
    double adding = draft->prices.mix * pulse_work_samples(draft->graph, bus, &sweep->spans[bus]) * 1e-9;
    return pulse_sweep_input(sweep, draft, input) + adding;
}

/* Seconds that a part of the bus has to be worth. */
static double least(const struct pulse_draft *draft, const struct pulse_sweep *sweep, uint32_t bus)
{
    double sums = pulse_work_samples(draft->graph, bus, &sweep->spans[bus]) * (double)sizeof(int64_t);
    double storing = sums * (draft->prices.store + draft->prices.load) * 1e-9;
    double worth = PULSE_PART_FACTOR * storing;
    return worth > draft->limits.least_seconds ? worth : draft->limits.least_seconds;
}

static uint32_t part_of_key(const struct lh_digest *key, uint32_t parts)
{
    uint32_t word;
    memcpy(&word, key->bytes, sizeof word);
    return word & (parts - 1);
}

static void share_out(struct parts *parts, const struct pulse_draft *draft, const struct pulse_sweep *sweep,
                      uint32_t bus)
{
    const struct graph *graph = draft->graph;
    const struct graph_node *node = &graph->nodes[bus];
    double total = 0, worth = least(draft, sweep, bus);
    for (uint32_t i = 0; i < node->count; i++) {
        total += contribution(draft, sweep, bus, graph->inputs[node->first + i]);
    }
    uint32_t count = 1;
    while (count < PARTS_MAX && 2 * count <= node->count / 2 && total >= 2 * count * ROOM * worth) {
        count *= 2;
    }
    if (count == 1) {
        return;
    }
    memset(parts->tally, 0, count * sizeof *parts->tally);
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t input = graph->inputs[node->first + i];
        struct part *part = &parts->tally[part_of_key(&draft->node_keys[input], count)];
        part->members++;
        part->seconds += contribution(draft, sweep, bus, input);
    }
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t at = part_of_key(&draft->node_keys[graph->inputs[node->first + i]], count);
        if (parts->tally[at].members > 1 && parts->tally[at].seconds >= worth) {
            parts->of_input[node->first + i] = at;
            parts->some = true;
        }
    }
}

static bool is_wide(const struct pulse_draft *draft, const struct pulse_sweep *sweep, const struct parts *parts,
                    uint32_t n)
{
    const struct graph_node *node = &draft->graph->nodes[n];
    if (node->kind != GRAPH_NODE_BUS || node->count < INPUTS_MIN || sweep->uses[n] == 0 ||
        (sweep->open[n] && !draft->limits.blind)) {
        return false;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        if (parts->of_input[node->first + i] != GRAPH_NONE) {
            return false; /* as another pass wanted it */
        }
    }
    return true;
}

static uint32_t part_of(void *context, uint32_t bus, uint32_t level, uint32_t position, uint32_t count)
{
    (void)level;
    (void)count;
    const struct parts *parts = context;
    return parts->of_input[parts->graph->nodes[bus].first + position];
}

enum lh_status pulse_parts_make(const struct pulse_draft *draft, struct pulse_sweep *sweep, const struct graph **parted,
                                struct lh_error *error)
{
    const struct graph *graph = draft->graph;
    struct parts parts = {
        .graph = graph,
        .of_input = lh_arena_array(draft->arena, graph->input_count, sizeof *parts.of_input),
        .tally = lh_arena_array(draft->arena, PARTS_MAX, sizeof *parts.tally),
    };
    if (parts.of_input == NULL || parts.tally == NULL) {
        return lh_error_no_memory(error);
    }
    for (uint32_t i = 0; i < graph->input_count; i++) {
        parts.of_input[i] = GRAPH_NONE;
    }
    for (uint32_t p = 0; p < draft->pass_count; p++) {
        if (pulse_sweep_pass(sweep, draft, p) != LH_OK) {
            return lh_error_no_memory(error);
        }
        for (uint32_t n = 0; n < graph->node_count; n++) {
            if (is_wide(draft, sweep, &parts, n)) {
                share_out(&parts, draft, sweep, n);
            }
        }
    }
    if (!parts.some) {
        graph_ref(graph);
        *parted = graph;
        return LH_OK;
    }
    struct graph_partition partition = {.levels = 1, .part = part_of, .context = &parts};
    return graph_partition(graph, &partition, parted, error);
}
