/* SPDX-License-Identifier: MIT */
/* How large blocks and strides are, and how many blocks there are. */
#include "engine/plan/draft.h"

#define BLOCK_DEFAULT 16384u
#define BLOCK_PLUGINS 4096u /* a chain of plugins is on all cores only once its first blocks have gone down it */
#define BLOCK_MIN 1024u
#define BUFFER_BUDGET ((size_t)10 << 20) /* bytes of node buffers for all blocks in flight: more is not faster */
#define BUFFER_BUDGET_PLUGINS ((size_t)20 << 20) /* with plugins, whose tasks want to be worth their start */
#define BUFFER_LIMIT ((size_t)16 << 30)          /* past this it is a mistake */
#define SLOTS_LEAST 2u                           /* blocks in flight beside one for each thread ... */
#define SLOTS_MOST 14u                           /* ... and where the budget allows */
#define BUFFER_ALIGNMENT 64u

static uint32_t wider(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void engine_draft_size_stride(const struct engine_draft *draft)
{
    struct engine_plan *plan = draft->plan;
    const struct graph *graph = plan->graph;
    plan->widest = 1;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        const struct graph_node *node = &graph->nodes[n];
        if (draft->uses[n] == 0) {
            continue;
        }
        plan->widest = wider(plan->widest, node->channels);
        for (uint32_t i = 0; node->kind == GRAPH_NODE_CLIPS && i < node->count; i++) {
            plan->widest = wider(plan->widest, graph->media[graph->regions[node->first + i].media].channels);
        }
    }
    plan->stride = ENGINE_STRIDE_SAMPLES / plan->widest;
}

static bool has_buffer(const struct engine_chain *chain)
{
    return chain->kind == ENGINE_CHAIN_MIX || chain->kind == ENGINE_CHAIN_PLUGIN || chain->kind == ENGINE_CHAIN_DELAY;
}

/* Bytes of every chain's buffer for one block of `block` frames; sets the offsets. */
static size_t lay_out_slot(struct engine_plan *plan, uint32_t block)
{
    size_t offset = 0;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        struct engine_chain *chain = &plan->chains[c];
        if (has_buffer(chain)) {
            chain->buffer_offset = offset;
            offset += (size_t)block * graph_node_frame_bytes(plan->graph, chain->node);
            offset = (offset + BUFFER_ALIGNMENT - 1) & ~(size_t)(BUFFER_ALIGNMENT - 1);
        }
    }
    return offset;
}

/* Bytes that chains keep from block to block; past BUFFER_LIMIT the sum may be anything more. */
static size_t held_bytes(const struct engine_plan *plan)
{
    size_t bytes = 0;
    for (uint32_t c = 0; c < plan->chain_count && bytes <= BUFFER_LIMIT; c++) {
        bytes += (size_t)plan->chains[c].held * graph_node_frame_bytes(plan->graph, plan->chains[c].node);
    }
    return bytes;
}

static void count_blocks(struct engine_plan *plan)
{
    int64_t ahead = 0;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        ahead = plan->chains[c].reads > ahead ? plan->chains[c].reads : ahead;
    }
    int64_t first = plan->begin - ahead;
    int64_t below = first < 0 ? (int64_t)plan->block - 1 : 0; /* division rounds towards zero */
    plan->first_block = (first - below) / plan->block;
    int64_t past = (plan->stop + plan->block - 1) / plan->block;
    plan->block_count = plan->stop > plan->start ? past - plan->first_block : 0;
}

/* More blocks in flight than threads, so that an ordered chain at the end never waits for the mix. */
enum lh_status engine_draft_size_blocks(struct engine_draft *draft, struct lh_error *error)
{
    struct engine_plan *plan = draft->plan;
    const struct engine_plan_options *options = draft->options;
    uint32_t quantum = plan->graph->quantum;
    size_t budget = plan->plugin_count > 0 ? BUFFER_BUDGET_PLUGINS : BUFFER_BUDGET;
    plan->slots = options->threads + SLOTS_LEAST;
    if (options->block != 0) {
        if (options->block % quantum != 0) {
            return lh_error_set(error, LH_ERR_USAGE, NULL,
                                "the block of %u frames is not a multiple of the project's quantum, %u", options->block,
                                quantum);
        }
        plan->block = options->block;
    } else {
        uint32_t least = quantum > BLOCK_MIN ? quantum : BLOCK_MIN;
        uint32_t largest = plan->plugin_count > 0 ? BLOCK_PLUGINS : BLOCK_DEFAULT;
        plan->block = largest > quantum ? largest : quantum;
        while (plan->block > least && lay_out_slot(plan, plan->block) * plan->slots > budget) {
            plan->block /= 2;
        }
    }
    plan->slot_bytes = lay_out_slot(plan, plan->block);
    while (plan->slots < options->threads + SLOTS_MOST && (plan->slots + 1) * plan->slot_bytes <= budget) {
        plan->slots++; /* room to run ahead of an encoder whose blocks take turns being slow */
    }
    size_t held = held_bytes(plan);
    if (held > BUFFER_LIMIT || plan->slot_bytes > (BUFFER_LIMIT - held) / plan->slots) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL,
                            "blocks of %u frames on %u threads would take more than %zu GiB: ask for smaller blocks or "
                            "fewer threads",
                            plan->block, options->threads, BUFFER_LIMIT >> 30);
    }
    count_blocks(plan);
    return LH_OK;
}
