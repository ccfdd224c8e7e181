/* SPDX-License-Identifier: MIT */
/* The graph of a piece: a copy of what its roots need, with STORED nodes where it reads what others have made. */
#include "pulse-daemon/shard/piece.h"

#include <stdlib.h>
#include <string.h>

/* What the piece delivers: the roots, and what their gains come from. */
struct delivery {
    uint32_t root;        /* GRAPH_NONE: measured only */
    uint32_t cut;         /* GRAPH_NONE: a deliverable */
    uint32_t deliverable; /* of the whole */
    uint32_t pass;
    uint32_t node;  /* of the whole */
    uint32_t made;  /* of the piece: the same node */
    uint32_t index; /* of the piece: the deliverable */
};

struct making {
    const struct pulse_draft *draft;
    struct pulse_piecer *piecer;
    struct pulse_walk *walk;
    const bool *read;
    struct graph_builder *builder;
    struct graph_copy *copy;
    struct lh_arena scratch;
    struct delivery *deliveries;
    size_t count;
    uint32_t *stored; /* in the order of the piece: cuts */
    uint32_t stored_count, stored_room;
    uint32_t *roots; /* in the order of the piece's deliverables */
    uint32_t delivered;
    uint32_t *places; /* NULL: nobody asks */
};

static struct delivery delivery_of(const struct pulse_draft *draft, const struct pulse_root *root, uint32_t index)
{
    bool file = root->cut == GRAPH_NONE;
    return (struct delivery){
        .root = index,
        .cut = root->cut,
        .deliverable = root->deliverable,
        .pass = file ? draft->pass_of[root->deliverable] : draft->cuts[root->cut].pass,
        .node = file ? draft->graph->deliverables[root->deliverable].node : draft->cuts[root->cut].node,
    };
}

static const struct delivery *find_file(const struct making *making, uint32_t deliverable)
{
    for (size_t i = 0; i < making->count; i++) {
        if (making->deliveries[i].cut == GRAPH_NONE && making->deliveries[i].deliverable == deliverable) {
            return &making->deliveries[i];
        }
    }
    return NULL;
}

/* The roots as deliveries, and behind them what gains come from that is no root: few, since gains are shared. */
static enum lh_status list_deliveries(struct making *making, const struct pulse_root *roots, size_t count)
{
    const struct graph *graph = making->draft->graph;
    making->deliveries = lh_arena_array(&making->scratch, 2 * count, sizeof *making->deliveries);
    making->roots = lh_arena_array(making->draft->arena, 2 * count, sizeof *making->roots);
    if (making->deliveries == NULL || making->roots == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        making->deliveries[making->count++] = delivery_of(making->draft, &roots[i], (uint32_t)i);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t from = roots[i].cut == GRAPH_NONE ? graph->deliverables[roots[i].deliverable].gain_from : GRAPH_NONE;
        if (from != GRAPH_NONE && find_file(making, from) == NULL) {
            struct pulse_root source = {.cut = GRAPH_NONE, .deliverable = from};
            making->deliveries[making->count++] = delivery_of(making->draft, &source, GRAPH_NONE);
        }
    }
    return LH_OK;
}

/* Room for one more that is read. */
static enum lh_status grow_stored(struct making *making)
{
    if (making->stored_count < making->stored_room) {
        return LH_OK;
    }
    uint32_t room = making->stored_room > 0 ? 2 * making->stored_room : 16;
    uint32_t *stored = lh_arena_array(&making->scratch, room, sizeof *stored);
    if (stored == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    if (making->stored_count > 0) {
        memcpy(stored, making->stored, making->stored_count * sizeof *stored);
    }
    making->stored = stored;
    making->stored_room = room;
    return LH_OK;
}

/* Frames that two passes read are there once. */
static enum lh_status add_stored(struct making *making, uint32_t cut)
{
    const struct pulse_cut *from = &making->draft->cuts[cut];
    const struct graph_node *node = &making->draft->graph->nodes[from->node];
    uint32_t *at = &making->piecer->stored_at[cut];
    if (*at != GRAPH_NONE) {
        return LH_OK;
    }
    struct graph_stored stored = graph_span_stored(&from->span, node->channels, from->sum);
    enum lh_status status = grow_stored(making);
    status = status == LH_OK ? graph_builder_add_stored(making->builder, &stored, node->label, at) : status;
    if (status == LH_OK) {
        making->stored[making->stored_count++] = cut;
    }
    return status;
}

/* What the deliveries of one pass need of it. */
static enum lh_status copy_pass(struct making *making, uint32_t pass)
{
    struct pulse_walk *walk = making->walk;
    enum lh_status status = LH_OK;
    pulse_walk_load(walk, making->draft, pass);
    pulse_walk_begin(walk);
    graph_copy_forget(making->copy);
    for (size_t i = 0; i < making->count; i++) {
        if (making->deliveries[i].pass == pass) {
            pulse_walk_from(walk, making->draft, making->deliveries[i].node, making->read, false);
        }
    }
    for (uint32_t i = 0; status == LH_OK && i < walk->count; i++) {
        uint32_t n = walk->nodes[i];
        if (walk->read[n]) {
            status = add_stored(making, walk->cut_of[n]);
            graph_copy_replace(making->copy, n, making->piecer->stored_at[walk->cut_of[n]]);
        }
    }
    for (size_t i = 0; status == LH_OK && i < making->count; i++) {
        struct delivery *delivery = &making->deliveries[i];
        if (delivery->pass == pass) {
            status = graph_copy_node(making->copy, delivery->node, &delivery->made);
        }
    }
    for (uint32_t i = 0; status == LH_OK && making->places != NULL && i < walk->count; i++) {
        uint32_t n = walk->nodes[i];
        if (!walk->read[n]) {
            status = graph_copy_node(making->copy, n, &making->places[n]); /* it is there */
        }
    }
    return status;
}

static enum lh_status copy_passes(struct making *making)
{
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < making->count; i++) {
        size_t before = 0;
        while (before < i && making->deliveries[before].pass != making->deliveries[i].pass) {
            before++;
        }
        if (before == i) {
            status = copy_pass(making, making->deliveries[i].pass);
        }
    }
    return status;
}

static enum lh_status deliver_one(struct making *making, struct delivery *delivery)
{
    const struct graph *graph = making->draft->graph;
    bool file = delivery->cut == GRAPH_NONE;
    uint32_t node = file ? delivery->node : making->draft->cuts[delivery->cut].node;
    struct graph_deliverable deliverable = {.name = graph->nodes[node].label};
    const struct graph_tag *tags = NULL;
    if (file) {
        deliverable = graph->deliverables[delivery->deliverable];
        tags = deliverable.tag_count > 0 ? &graph->tags[deliverable.tag_first] : NULL;
    } else {
        graph_span_deliver(&making->draft->cuts[delivery->cut].span, graph->sample_rate, &deliverable);
    }
    if (deliverable.gain_from != GRAPH_NONE) {
        deliverable.gain_from = find_file(making, deliverable.gain_from)->index;
    }
    deliverable.node = delivery->made;
    making->roots[making->delivered++] = delivery->root;
    return graph_builder_add_deliverable(making->builder, &deliverable, tags, deliverable.tag_count, &delivery->index);
}

/* What gains come from stands before those who have theirs from there. */
static enum lh_status deliver_all(struct making *making)
{
    const struct graph *graph = making->draft->graph;
    enum lh_status status = LH_OK;
    bool files = false;
    for (int late = 0; late < 2; late++) {
        for (size_t i = 0; status == LH_OK && i < making->count; i++) {
            struct delivery *delivery = &making->deliveries[i];
            bool file = delivery->cut == GRAPH_NONE;
            bool follows = file && graph->deliverables[delivery->deliverable].gain_from != GRAPH_NONE;
            files = files || file;
            if (follows == (late == 1)) {
                status = deliver_one(making, delivery);
            }
        }
    }
    return status == LH_OK && files ? graph_copy_markers(making->copy) : status;
}

static enum lh_status build(struct making *making, const struct pulse_root *roots, size_t count)
{
    enum lh_status status = list_deliveries(making, roots, count);
    status = status == LH_OK ? graph_copy_restart(making->copy, making->builder) : status;
    status = status == LH_OK ? copy_passes(making) : status;
    return status == LH_OK ? deliver_all(making) : status;
}

/* NULL when memory is out. */
static uint32_t *copy_of(struct lh_arena *arena, const uint32_t *list, uint32_t count)
{
    uint32_t *copy = lh_arena_array(arena, count, sizeof *copy);
    if (copy != NULL && count > 0) {
        memcpy(copy, list, count * sizeof *copy);
    }
    return copy;
}

/* Where the whole's nodes and deliverables are, once the builder has dropped what nothing delivers. */
static enum lh_status tell_places(const struct making *making, struct pulse_piece *piece)
{
    const struct graph *graph = making->draft->graph;
    piece->delivered = lh_arena_array(making->draft->arena, graph->deliverable_count, sizeof *piece->delivered);
    if (piece->delivered == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        piece->delivered[d] = GRAPH_NONE;
    }
    for (size_t i = 0; i < making->count; i++) {
        if (making->deliveries[i].cut == GRAPH_NONE) {
            piece->delivered[making->deliveries[i].deliverable] = making->deliveries[i].index;
        }
    }
    for (uint32_t n = 0; n < graph->node_count; n++) {
        if (making->places[n] != GRAPH_NONE) {
            making->places[n] = graph_builder_place(making->builder, making->places[n]);
        }
    }
    piece->places = making->places;
    return LH_OK;
}

/* The bits of what the graph makes hang on the class of the CPU. */
static bool hangs_on_cpu(const struct graph *graph)
{
    bool hangs = graph->insert_count > 0;
    for (uint32_t m = 0; m < graph->media_count; m++) {
        hangs = hangs || graph->media[m].conform != GRAPH_CONFORM_IN_PLACE;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        const struct graph_deliverable *deliverable = &graph->deliverables[d];
        hangs = hangs || graph_format_is_lossy(deliverable->format) || deliverable->format == GRAPH_FORMAT_FLAC ||
                deliverable->rate != graph->sample_rate;
    }
    return hangs;
}

static enum lh_status finish(struct making *making, struct pulse_piece *piece, struct lh_error *error)
{
    const struct graph *graph = NULL;
    uint32_t media_count = 0;
    const uint32_t *media = graph_copy_media(making->copy, &media_count);
    piece->media = copy_of(making->draft->arena, media, media_count);
    piece->stored = copy_of(making->draft->arena, making->stored, making->stored_count);
    if (piece->media == NULL || piece->stored == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = graph_builder_finish(making->builder, &graph, error);
    if (status != LH_OK) {
        return status;
    }
    if (making->places != NULL && tell_places(making, piece) != LH_OK) {
        graph_unref(graph);
        return lh_error_no_memory(error);
    }
    piece->graph = graph;
    piece->roots = making->roots;
    piece->cpu_class = hangs_on_cpu(graph);
    return LH_OK;
}

enum lh_status pulse_piecer_init(struct pulse_piecer *piecer, const struct pulse_draft *draft)
{
    struct graph_builder *builder = NULL;
    *piecer = (struct pulse_piecer){.draft = draft};
    piecer->stored_at = lh_arena_array(draft->arena, draft->cut_count, sizeof *piecer->stored_at);
    if (piecer->stored_at == NULL || pulse_walk_init(&piecer->walk, draft) != LH_OK ||
        graph_builder_new(draft->graph->sample_rate, draft->graph->quantum, &builder) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t c = 0; c < draft->cut_count; c++) {
        piecer->stored_at[c] = GRAPH_NONE;
    }
    enum lh_status status =
        graph_copy_new(draft->graph, builder, &piecer->copy); /* each piece brings its own builder */
    graph_builder_free(builder);
    return status;
}

void pulse_piecer_fini(struct pulse_piecer *piecer)
{
    graph_copy_free(piecer->copy);
    piecer->copy = NULL;
}

enum lh_status pulse_piece_make(struct pulse_piecer *piecer, const struct pulse_root *roots, size_t count,
                                const bool *read, bool whole, struct pulse_piece *piece, struct lh_error *error)
{
    const struct pulse_draft *draft = piecer->draft;
    const struct graph *graph = draft->graph;
    struct making making = {
        .draft = draft, .piecer = piecer, .walk = &piecer->walk, .read = read, .copy = piecer->copy};
    struct pulse_piece made = {.graph = NULL};
    if (whole) {
        making.places = lh_arena_array(draft->arena, graph->node_count, sizeof *making.places);
        for (uint32_t n = 0; making.places != NULL && n < graph->node_count; n++) {
            making.places[n] = GRAPH_NONE;
        }
    }
    if ((whole && making.places == NULL) ||
        graph_builder_new(graph->sample_rate, graph->quantum, &making.builder) != LH_OK) {
        return lh_error_no_memory(error);
    }
    lh_arena_init(&making.scratch);
    enum lh_status status = build(&making, roots, count);
    if (status != LH_OK) {
        lh_error_set(error, status, NULL, "a piece of the graph cannot be made: %s", lh_status_text(status));
    } else {
        status = finish(&making, &made, error);
    }
    for (uint32_t s = 0; s < making.stored_count; s++) {
        piecer->stored_at[making.stored[s]] = GRAPH_NONE;
    }
    lh_arena_fini(&making.scratch);
    graph_builder_free(making.builder);
    if (status == LH_OK) {
        *piece = made;
    }
    return status;
}
