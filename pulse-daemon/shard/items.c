/* SPDX-License-Identifier: MIT */
/* What there is to make, in pieces that are not worth dividing. */
#include "pulse-daemon/shard/pack.h"

/* Deliverables that hang together, as a forest: each points to one before it, or to itself. */
struct families {
    const struct pulse_draft *draft;
    uint32_t *parent;
    bool *made; /* by deliverable: wanted, and the first with its key */
};

static uint32_t head_of(const struct families *families, uint32_t d)
{
    while (families->parent[d] != d) {
        d = families->parent[d];
    }
    return d;
}

static void join(struct families *families, uint32_t a, uint32_t b)
{
    uint32_t head_a = head_of(families, a), head_b = head_of(families, b);
    uint32_t first = head_a < head_b ? head_a : head_b;
    families->parent[head_a] = families->parent[head_b] = first;
}

static bool share_a_dear_node(const struct pulse_draft *draft, uint32_t a, uint32_t b)
{
    const struct graph *graph = draft->graph;
    return draft->needed[a] && draft->needed[b] && draft->pass_of[a] == draft->pass_of[b] &&
           graph->deliverables[a].node == graph->deliverables[b].node &&
           draft->cone_seconds[a] >= draft->limits.least_seconds;
}

/* By node of the graph, the last deliverable that was seen of it: those of one node are few, the nodes many. */
static void join_all(struct families *families, uint32_t *last_of_node, uint32_t *before)
{
    const struct graph *graph = families->draft->graph;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        last_of_node[n] = GRAPH_NONE;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        uint32_t node = graph->deliverables[d].node;
        before[d] = last_of_node[node];
        last_of_node[node] = d;
        for (uint32_t e = before[d]; e != GRAPH_NONE; e = before[e]) {
            if (share_a_dear_node(families->draft, d, e)) {
                join(families, d, e);
                break;
            }
        }
        if (families->made[d] && graph->deliverables[d].gain_from != GRAPH_NONE) {
            join(families, d, graph->deliverables[d].gain_from);
        }
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        families->parent[d] = head_of(families, d); /* short ways from here on */
    }
}

static enum lh_status find_made(struct families *families)
{
    const struct pulse_draft *draft = families->draft;
    struct pulse_keyed seen = {.entries = NULL};
    enum lh_status status = LH_OK;
    for (uint32_t d = 0; status == LH_OK && d < draft->graph->deliverable_count; d++) {
        families->parent[d] = d;
        families->made[d] = draft->wanted[d] && pulse_keyed_find(&seen, &draft->deliverable_keys[d]) == NULL;
        status = families->made[d] ? pulse_keyed_add(&seen, &draft->deliverable_keys[d], d) : LH_OK;
    }
    pulse_keyed_fini(&seen);
    return status;
}

/* What a family costs: each of its nodes once, each of its files. */
static void price_family(const struct families *families, uint32_t head, const uint32_t *before,
                         struct pulse_item *item)
{
    const struct pulse_draft *draft = families->draft;
    for (uint32_t d = head; d < draft->graph->deliverable_count; d++) {
        if (!draft->needed[d] || head_of(families, d) != head) {
            continue;
        }
        bool again = false;
        for (uint32_t e = before[d]; e != GRAPH_NONE && !again; e = before[e]) {
            again = draft->pass_of[e] == draft->pass_of[d] && draft->needed[e] && head_of(families, e) == head;
        }
        item->seconds += pulse_draft_delivering(draft, d) + (again ? 0 : draft->cone_seconds[d]);
        item->level = draft->cone_level[d] > item->level ? draft->cone_level[d] : item->level;
    }
}

static void list_families(const struct families *families, const uint32_t *before, struct pulse_items *items)
{
    const struct pulse_draft *draft = families->draft;
    uint32_t count = draft->graph->deliverable_count, files = 0;
    for (uint32_t head = 0; head < count; head++) {
        if (families->parent[head] != head) {
            continue;
        }
        struct pulse_item item = {.cut = GRAPH_NONE, .file_first = files};
        for (uint32_t d = head; d < count; d++) {
            if (families->made[d] && head_of(families, d) == head) {
                items->files[files++] = d;
            }
        }
        item.file_count = files - item.file_first;
        if (item.file_count > 0) {
            item.key = draft->deliverable_keys[items->files[item.file_first]];
            price_family(families, head, before, &item);
            items->items[items->count++] = item;
        }
    }
}

enum lh_status pulse_items_list(const struct pulse_draft *draft, struct pulse_items *items)
{
    uint32_t deliverables = draft->graph->deliverable_count;
    struct lh_arena *arena = draft->arena;
    struct families families = {
        .draft = draft,
        .parent = lh_arena_array(arena, deliverables, sizeof *families.parent),
        .made = lh_arena_array(arena, deliverables, sizeof *families.made),
    };
    uint32_t *last_of_node = lh_arena_array(arena, draft->graph->node_count, sizeof *last_of_node);
    uint32_t *before = lh_arena_array(arena, deliverables, sizeof *before);
    *items = (struct pulse_items){
        .items = lh_arena_array(arena, (size_t)draft->cut_count + deliverables, sizeof *items->items),
        .files = lh_arena_array(arena, deliverables, sizeof *items->files),
    };
    if (families.parent == NULL || families.made == NULL || last_of_node == NULL || before == NULL ||
        items->items == NULL || items->files == NULL || find_made(&families) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t c = 0; c < draft->cut_count; c++) {
        const struct pulse_cut *cut = &draft->cuts[c];
        items->items[items->count++] =
            (struct pulse_item){.cut = c, .key = cut->key, .seconds = cut->seconds, .level = cut->level};
    }
    join_all(&families, last_of_node, before);
    list_families(&families, before, items);
    return LH_OK;
}
