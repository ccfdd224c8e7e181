/* SPDX-License-Identifier: MIT */
/* One graph for all that a cache has not. */
#include "pulse-daemon/shard/local.h"

#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/shard/piece.h"
#include "pulse-daemon/shard/plan_made.h"

struct choice {
    const struct pulse_local_options *options;
    struct pulse_draft draft;
    struct pulse_local *local;
    bool *asked;  /* by cut */
    bool *read;   /* by cut: the cache has it */
    bool *made;   /* by cut: it has not, so that it is made on the way */
    bool *wanted; /* by node, of the pass under way */
};

static bool has(struct choice *choice, uint32_t cut)
{
    const struct pulse_cut *from = &choice->draft.cuts[cut];
    if (!choice->asked[cut]) {
        choice->asked[cut] = true;
        choice->read[cut] = !from->unproven && choice->options->has != NULL &&
                            choice->options->has(choice->options->context, &from->key, (uint64_t)from->bytes);
    }
    return choice->read[cut];
}

/* From the deliverables down, no further than what the cache has. */
static void choose_pass(struct choice *choice, struct pulse_walk *walk, uint32_t pass)
{
    const struct pulse_draft *draft = &choice->draft;
    const struct graph *graph = draft->graph;
    pulse_walk_load(walk, draft, pass);
    memset(choice->wanted, 0, graph->node_count * sizeof *choice->wanted);
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        if (draft->pass_of[d] == pass && draft->needed[d]) {
            choice->wanted[graph->deliverables[d].node] = true;
        }
    }
    for (uint32_t n = graph->node_count; n-- > 0;) {
        const struct graph_node *node = &graph->nodes[n];
        uint32_t cut = walk->cut_of[n];
        if (!choice->wanted[n] || (cut != GRAPH_NONE && has(choice, cut))) {
            continue;
        }
        if (cut != GRAPH_NONE) {
            choice->made[cut] = true;
        }
        for (uint32_t i = 0; !graph_node_is_source(node) && i < node->count; i++) {
            choice->wanted[graph->inputs[node->first + i]] = true;
        }
    }
}

/* A cut, and what it is worth to keep. */
struct candidate {
    uint32_t cut;
    double worth; /* seconds for each byte */
    const struct lh_digest *key;
};

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    if (left->worth != right->worth) {
        return left->worth > right->worth ? -1 : 1;
    }
    return memcmp(left->key->bytes, right->key->bytes, sizeof left->key->bytes);
}

/* The roots of the graph: what is wanted, then what is kept. NULL when memory is out. */
static struct pulse_root *list_roots(struct choice *choice, size_t *count)
{
    const struct pulse_draft *draft = &choice->draft;
    uint32_t deliverables = draft->graph->deliverable_count, candidates = 0;
    struct candidate *list = lh_arena_array(draft->arena, draft->cut_count, sizeof *list);
    struct pulse_root *roots = lh_arena_array(draft->arena, (size_t)draft->cut_count + deliverables, sizeof *roots);
    if (list == NULL || roots == NULL) {
        return NULL;
    }
    for (uint32_t d = 0; d < deliverables; d++) {
        if (draft->wanted[d]) {
            roots[(*count)++] = (struct pulse_root){.cut = GRAPH_NONE, .deliverable = d};
        }
    }
    for (uint32_t c = 0; c < draft->cut_count; c++) {
        const struct pulse_cut *cut = &draft->cuts[c];
        if (choice->made[c] && !cut->unproven) {
            list[candidates++] = (struct candidate){c, cut->seconds / cut->bytes, &cut->key};
        }
    }
    if (candidates > 1) {
        qsort(list, candidates, sizeof *list, compare_candidates);
    }
    double left = (double)choice->options->keep_bytes;
    for (uint32_t i = 0; i < candidates; i++) {
        if (draft->cuts[list[i].cut].bytes <= left) {
            left -= draft->cuts[list[i].cut].bytes;
            roots[(*count)++] = (struct pulse_root){.cut = list[i].cut};
        }
    }
    return roots;
}

static struct pulse_local_output output_of(const struct pulse_draft *draft, uint32_t cut)
{
    const struct pulse_cut *from = &draft->cuts[cut];
    return (struct pulse_local_output){
        .key = from->key, .bytes = (uint64_t)from->bytes, .seconds = from->seconds, .deliverable = GRAPH_NONE};
}

static enum lh_status list_outputs(struct choice *choice, const struct pulse_piece *piece,
                                   const struct pulse_root *roots)
{
    struct pulse_local *local = choice->local;
    const struct graph *graph = piece->graph;
    struct pulse_local_output *stored = lh_arena_array(&local->arena, graph->stored_count, sizeof *stored);
    struct pulse_local_output *kept = lh_arena_array(&local->arena, graph->deliverable_count, sizeof *kept);
    if (stored == NULL || kept == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t s = 0; s < graph->stored_count; s++) {
        stored[s] = output_of(&choice->draft, piece->stored[s]);
        local->saved_seconds += stored[s].seconds;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        if (piece->roots[d] != GRAPH_NONE && roots[piece->roots[d]].cut != GRAPH_NONE) {
            struct pulse_local_output *output = &kept[local->kept_count++];
            *output = output_of(&choice->draft, roots[piece->roots[d]].cut);
            output->deliverable = d;
        }
    }
    local->stored = stored;
    local->kept = kept;
    return LH_OK;
}

/* Where the whole's plugins are: cutting buses may have moved its nodes, their keys stay. */
static enum lh_status place_plugins(struct choice *choice, const struct graph *graph, const struct pulse_piece *piece)
{
    const struct pulse_draft *draft = &choice->draft;
    struct pulse_local *local = choice->local;
    if (graph == draft->graph) {
        local->plugins = piece->places;
        return LH_OK;
    }
    uint32_t *plugins = lh_arena_array(&local->arena, graph->node_count, sizeof *plugins);
    struct lh_digest *keys = lh_arena_array(&local->arena, graph->node_count, sizeof *keys);
    struct pulse_keyed places = {.entries = NULL};
    enum lh_status status = plugins != NULL && keys != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    status = status == LH_OK ? graph_keys(graph, draft->options->media, draft->options->context, keys, NULL) : status;
    for (uint32_t n = 0; status == LH_OK && n < draft->graph->node_count; n++) {
        if (draft->graph->nodes[n].kind == GRAPH_NODE_PLUGIN) {
            status = pulse_keyed_add(&places, &draft->node_keys[n], piece->places[n]);
        }
    }
    for (uint32_t n = 0; status == LH_OK && n < graph->node_count; n++) {
        const uint32_t *place = pulse_keyed_find(&places, &keys[n]);
        plugins[n] = place != NULL ? *place : GRAPH_NONE;
    }
    pulse_keyed_fini(&places);
    local->plugins = plugins;
    return status;
}

static enum lh_status choose(struct choice *choice, struct pulse_piecer *piecer)
{
    struct pulse_draft *draft = &choice->draft;
    if (pulse_draft_cut(draft) != LH_OK || pulse_piecer_init(piecer, draft) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    choice->asked = lh_arena_array(draft->arena, draft->cut_count, sizeof *choice->asked);
    choice->read = lh_arena_array(draft->arena, draft->cut_count, sizeof *choice->read);
    choice->made = lh_arena_array(draft->arena, draft->cut_count, sizeof *choice->made);
    choice->wanted = lh_arena_array(draft->arena, draft->graph->node_count, sizeof *choice->wanted);
    if (choice->asked == NULL || choice->read == NULL || choice->made == NULL || choice->wanted == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t p = 0; p < draft->pass_count; p++) {
        choose_pass(choice, &piecer->walk, p);
    }
    return LH_OK;
}

static enum lh_status assemble(struct choice *choice, const struct graph *graph, struct lh_error *error)
{
    struct pulse_draft *draft = &choice->draft;
    struct pulse_piecer piecer = {.draft = NULL};
    struct pulse_piece piece = {.graph = NULL};
    enum lh_status status = pulse_draft_init(draft, graph, error);
    if (status != LH_OK) {
        return status;
    }
    size_t count = 0;
    struct pulse_root *roots = choose(choice, &piecer) == LH_OK ? list_roots(choice, &count) : NULL;
    status = roots != NULL ? pulse_piece_make(&piecer, roots, count, choice->read, true, &piece, error)
                           : lh_error_no_memory(error);
    pulse_piecer_fini(&piecer);
    if (status != LH_OK) {
        return status;
    }
    choice->local->graph = piece.graph;
    choice->local->media = piece.media;
    choice->local->deliverables = piece.delivered;
    if (list_outputs(choice, &piece, roots) != LH_OK || place_plugins(choice, graph, &piece) != LH_OK) {
        return lh_error_no_memory(error);
    }
    return LH_OK;
}

enum lh_status pulse_local_new(const struct graph *graph, const struct pulse_local_options *options,
                               struct pulse_local **local, struct lh_error *error)
{
    struct pulse_local *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    lh_arena_init(&made->arena);
    struct choice choice = {
        .options = options,
        .draft = {.arena = &made->arena,
                  .options = &options->plan,
                  .limits = {.least_seconds = options->least_seconds}},
        .local = made,
    };
    enum lh_status status = assemble(&choice, graph, error);
    pulse_draft_fini(&choice.draft);
    if (status != LH_OK) {
        pulse_local_free(made);
        return status;
    }
    *local = made;
    return LH_OK;
}

void pulse_local_free(struct pulse_local *local)
{
    if (local != NULL) {
        graph_unref(local->graph);
        lh_arena_fini(&local->arena);
        free(local);
    }
}

enum lh_status pulse_local_asks(const struct graph *graph, const struct pulse_local_options *options,
                                struct lh_arena *arena, struct pulse_latency_ask **asks, size_t *count,
                                struct lh_error *error)
{
    struct pulse_limits limits = {.least_seconds = options->least_seconds};
    return pulse_draft_asks(graph, &options->plan, &limits, arena, asks, count, error);
}
