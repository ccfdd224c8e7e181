/* SPDX-License-Identifier: MIT */
/* A whole plan: cut, listed, packed, and each pack made a shard of. */
#include "pulse-daemon/shard/plan.h"

#include <stdlib.h>
#include <string.h>

#include "graph/builder.h"
#include "pulse-daemon/shard/pack.h"
#include "pulse-daemon/shard/piece.h"
#include "pulse-daemon/shard/plan_made.h"
#include "pulse-daemon/shard/work.h"

/* In the price of a shard. */
#define LEAST 0.5 /* what is worth a cut */
#define WHOLE 8.0 /* a job that is not cut at all */
#define TARGET_MIN 4.0
#define TARGET_MAX 10.0
#define TURNS                                                                                                          \
    16.0 /* shards of one slot, if they are as long as the target: enough for the last ones to end together            \
          */

/* A shard in the making. */
struct shard_draft {
    struct pulse_piece piece;
    struct pulse_root *roots;
    size_t root_count;
    double seconds;
};

struct planning {
    struct pulse_draft draft;
    struct pulse_plan *plan;
    struct pulse_items items;
    struct shard_draft *shards;
    bool *read;      /* by cut: true */
    uint32_t *users; /* by medium: shards that would conform it */
    bool *converted; /* by medium: a shard of its own does */
    struct lh_digest *conform_keys;
    size_t converts;
};

struct pulse_plan *pulse_plan_empty(void)
{
    struct pulse_plan *plan = calloc(1, sizeof *plan);
    if (plan != NULL) {
        lh_arena_init(&plan->arena);
    }
    return plan;
}

struct pulse_limits pulse_plan_limits(const struct pulse_costs *costs)
{
    double price = pulse_costs_ns(costs, "shard") * 1e-9;
    return (struct pulse_limits){.least_seconds = LEAST * price, .whole_seconds = WHOLE * price};
}

void pulse_plan_free(struct pulse_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (size_t i = 0; i < plan->shard_count; i++) {
        graph_unref(plan->shards[i].work.graph);
    }
    lh_arena_fini(&plan->arena);
    free(plan);
}

/* ---- pieces ---- */

static enum lh_status list_roots(struct planning *planning)
{
    const struct pulse_items *items = &planning->items;
    struct lh_arena *arena = &planning->plan->arena;
    for (uint32_t i = 0; i < items->count; i++) {
        const struct pulse_item *item = &items->items[i];
        planning->shards[item->shard].root_count += item->cut != GRAPH_NONE ? 1 : item->file_count;
        planning->shards[item->shard].seconds += item->seconds;
    }
    for (uint32_t s = 0; s < items->shards; s++) {
        struct shard_draft *shard = &planning->shards[s];
        shard->roots = lh_arena_array(arena, shard->root_count, sizeof *shard->roots);
        if (shard->roots == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        shard->root_count = 0;
    }
    for (uint32_t i = 0; i < items->count; i++) {
        const struct pulse_item *item = &items->items[i];
        struct shard_draft *shard = &planning->shards[item->shard];
        if (item->cut != GRAPH_NONE) {
            shard->roots[shard->root_count++] = (struct pulse_root){.cut = item->cut};
        }
        for (uint32_t f = 0; f < item->file_count; f++) {
            shard->roots[shard->root_count++] =
                (struct pulse_root){.cut = GRAPH_NONE, .deliverable = items->files[item->file_first + f]};
        }
    }
    return LH_OK;
}

static void set_read(struct planning *planning, const struct shard_draft *shard, bool read)
{
    for (size_t r = 0; r < shard->root_count; r++) {
        if (shard->roots[r].cut != GRAPH_NONE) {
            planning->read[shard->roots[r].cut] = read;
        }
    }
}

static enum lh_status make_pieces(struct planning *planning, struct lh_error *error)
{
    struct pulse_piecer piecer = {.draft = NULL};
    if (list_roots(planning) != LH_OK || pulse_piecer_init(&piecer, &planning->draft) != LH_OK) {
        pulse_piecer_fini(&piecer);
        return lh_error_no_memory(error);
    }
    enum lh_status status = LH_OK;
    for (uint32_t s = 0; status == LH_OK && s < planning->items.shards; s++) {
        struct shard_draft *shard = &planning->shards[s];
        set_read(planning, shard, false);
        status =
            pulse_piece_make(&piecer, shard->roots, shard->root_count, planning->read, false, &shard->piece, error);
        set_read(planning, shard, true);
    }
    pulse_piecer_fini(&piecer);
    return status;
}

/* ---- media ---- */

/* What several shards would conform, one does for all. */
static enum lh_status find_converted(struct planning *planning)
{
    const struct pulse_draft *draft = &planning->draft;
    const struct graph *graph = draft->graph;
    struct pulse_keyed seen = {.entries = NULL};
    enum lh_status status = LH_OK;
    for (uint32_t s = 0; s < planning->items.shards; s++) {
        const struct pulse_piece *piece = &planning->shards[s].piece;
        for (uint32_t m = 0; m < piece->graph->media_count; m++) {
            planning->users[piece->media[m]]++;
        }
    }
    for (uint32_t m = 0; status == LH_OK && m < graph->media_count; m++) {
        bool conformed = graph->media[m].conform != GRAPH_CONFORM_IN_PLACE && planning->users[m] > 0;
        if (!conformed) {
            continue;
        }
        status =
            graph_key_conform(graph, m, &draft->options->media[m], draft->options->context, &planning->conform_keys[m]);
        /* The same file under two names is converted under the first. */
        const uint32_t *first = status == LH_OK ? pulse_keyed_find(&seen, &planning->conform_keys[m]) : NULL;
        if (first != NULL) {
            planning->converted[m] = planning->converted[*first] = true;
        } else if (status == LH_OK) {
            planning->converted[m] = planning->users[m] > 1;
            status = pulse_keyed_add(&seen, &planning->conform_keys[m], m);
        }
    }
    pulse_keyed_fini(&seen);
    return status;
}

static double conform_seconds(const struct planning *planning, uint32_t medium)
{
    return pulse_work_conform(&planning->draft.graph->media[medium]) * planning->draft.prices.conform * 1e-9;
}

static enum lh_status make_conversion(struct planning *planning, uint32_t medium, struct pulse_shard *shard,
                                      struct lh_error *error)
{
    const struct graph *graph = planning->draft.graph;
    struct lh_arena *arena = &planning->plan->arena;
    struct graph_shard_input *input = lh_arena_array(arena, 1, sizeof *input);
    struct graph_shard_output *output = lh_arena_array(arena, 1, sizeof *output);
    struct graph_builder *builder = NULL;
    uint32_t index;
    if (input == NULL || output == NULL || graph_builder_new(graph->sample_rate, graph->quantum, &builder) != LH_OK) {
        return lh_error_no_memory(error);
    }
    const struct graph *made = NULL;
    enum lh_status status = graph_builder_add_media(builder, &graph->media[medium], &index);
    status = status == LH_OK ? graph_builder_finish(builder, &made, error) : lh_error_no_memory(error);
    graph_builder_free(builder);
    if (status != LH_OK) {
        return status;
    }
    *input = (struct graph_shard_input){GRAPH_SHARD_MEDIUM, 0, planning->draft.options->media[medium]};
    *output = (struct graph_shard_output){GRAPH_SHARD_OUT_CONFORMED, 0, planning->conform_keys[medium]};
    *shard = (struct pulse_shard){
        .work = {.kind = GRAPH_SHARD_CONVERT,
                 .graph = made,
                 .inputs = input,
                 .input_count = 1,
                 .outputs = output,
                 .output_count = 1},
        .cost_seconds = conform_seconds(planning, medium) + planning->draft.prices.shard * 1e-9,
        .cpu_class = true,
    };
    return LH_OK;
}

static enum lh_status make_conversions(struct planning *planning, struct pulse_shard *shards, struct lh_error *error)
{
    struct pulse_keyed made = {.entries = NULL};
    enum lh_status status = LH_OK;
    for (uint32_t m = 0; status == LH_OK && m < planning->draft.graph->media_count; m++) {
        if (!planning->converted[m] || pulse_keyed_find(&made, &planning->conform_keys[m]) != NULL) {
            continue;
        }
        status = make_conversion(planning, m, &shards[planning->plan->shard_count], error);
        planning->plan->shard_count += status == LH_OK ? 1 : 0;
        if (status == LH_OK && pulse_keyed_add(&made, &planning->conform_keys[m], m) != LH_OK) {
            status = lh_error_no_memory(error);
        }
    }
    pulse_keyed_fini(&made);
    return status;
}

/* ---- renders ---- */

static enum lh_status list_inputs(struct planning *planning, const struct pulse_piece *piece, struct pulse_shard *shard)
{
    const struct graph *graph = piece->graph;
    size_t count = (size_t)graph->media_count + graph->stored_count;
    struct graph_shard_input *inputs = lh_arena_array(&planning->plan->arena, count, sizeof *inputs);
    if (inputs == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t m = 0; m < graph->media_count; m++) {
        uint32_t medium = piece->media[m];
        bool converted = planning->converted[medium];
        inputs[m] = (struct graph_shard_input){
            .kind = converted ? GRAPH_SHARD_CONFORMED : GRAPH_SHARD_MEDIUM,
            .index = m,
            .key = converted ? planning->conform_keys[medium] : planning->draft.options->media[medium],
        };
        shard->cost_seconds += converted ? 0 : conform_seconds(planning, medium);
    }
    for (uint32_t s = 0; s < graph->stored_count; s++) {
        inputs[graph->media_count + s] =
            (struct graph_shard_input){GRAPH_SHARD_STORED, s, planning->draft.cuts[piece->stored[s]].key};
    }
    shard->work.inputs = inputs;
    shard->work.input_count = count;
    return LH_OK;
}

static enum lh_status list_outputs(struct planning *planning, const struct shard_draft *from, struct pulse_shard *shard)
{
    const struct graph *graph = from->piece.graph;
    struct graph_shard_output *outputs =
        lh_arena_array(&planning->plan->arena, graph->deliverable_count, sizeof *outputs);
    if (outputs == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    size_t count = 0;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        if (from->piece.roots[d] == GRAPH_NONE) {
            continue;
        }
        const struct pulse_root *root = &from->roots[from->piece.roots[d]];
        struct graph_shard_output *output = &outputs[count++];
        output->index = d;
        if (root->cut == GRAPH_NONE) {
            output->kind = GRAPH_SHARD_OUT_FILE;
            output->key = planning->draft.deliverable_keys[root->deliverable];
        } else {
            output->kind = planning->draft.cuts[root->cut].sum ? GRAPH_SHARD_OUT_SUM : GRAPH_SHARD_OUT_STORED;
            output->key = planning->draft.cuts[root->cut].key;
        }
    }
    shard->work.outputs = outputs;
    shard->work.output_count = count;
    return LH_OK;
}

static int compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, LH_DIGEST_SIZE);
}

enum lh_status pulse_shard_list_plugins(struct lh_arena *arena, struct pulse_shard *shard)
{
    const struct graph *graph = shard->work.graph;
    struct lh_digest *plugins = lh_arena_array(arena, graph->plugin_count, sizeof *plugins);
    if (plugins == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t p = 0; p < graph->plugin_count; p++) {
        plugins[p] = graph->plugins[p].digest;
    }
    if (graph->plugin_count > 1) {
        qsort(plugins, graph->plugin_count, sizeof *plugins, compare_digests);
    }
    size_t count = 0;
    for (uint32_t p = 0; p < graph->plugin_count; p++) {
        if (count == 0 || !lh_digest_equal(&plugins[count - 1], &plugins[p])) {
            plugins[count++] = plugins[p];
        }
    }
    shard->plugins = plugins;
    shard->plugin_count = count;
    return LH_OK;
}

static enum lh_status make_render(struct planning *planning, struct shard_draft *from, struct pulse_shard *shard)
{
    *shard = (struct pulse_shard){
        .work = {.kind = GRAPH_SHARD_RENDER, .graph = from->piece.graph},
        .cost_seconds = from->seconds + planning->draft.prices.shard * 1e-9,
        .cpu_class = from->piece.cpu_class,
    };
    enum lh_status status = list_inputs(planning, &from->piece, shard);
    status = status == LH_OK ? list_outputs(planning, from, shard) : status;
    return status == LH_OK ? pulse_shard_list_plugins(&planning->plan->arena, shard) : status;
}

/* ---- the whole ---- */

/* What the plan takes when there are as many slots as it can fill. */
static enum lh_status find_critical(struct pulse_plan *plan)
{
    struct pulse_keyed maker = {.entries = NULL};
    double *done = calloc(plan->shard_count + 1, sizeof *done);
    enum lh_status status = done != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    for (size_t s = 0; status == LH_OK && s < plan->shard_count; s++) {
        const struct graph_shard *work = &plan->shards[s].work;
        for (size_t i = 0; i < work->input_count; i++) {
            const uint32_t *before = pulse_keyed_find(&maker, &work->inputs[i].key);
            done[s] = before != NULL && done[*before] > done[s] ? done[*before] : done[s];
        }
        done[s] += plan->shards[s].cost_seconds;
        plan->cost_seconds += plan->shards[s].cost_seconds;
        plan->critical_seconds = done[s] > plan->critical_seconds ? done[s] : plan->critical_seconds;
        for (size_t o = 0; status == LH_OK && o < work->output_count; o++) {
            status = pulse_keyed_add(&maker, &work->outputs[o].key, (uint32_t)s);
        }
    }
    pulse_keyed_fini(&maker);
    free(done);
    return status;
}

/* One shard with all that is wanted, when nothing is cut. */
static void pack_whole(struct pulse_items *items)
{
    for (uint32_t i = 0; i < items->count; i++) {
        items->items[i].shard = 0;
    }
    items->shards = items->count > 0 ? 1 : 0;
}

static enum lh_status pack(struct planning *planning)
{
    const struct pulse_draft *draft = &planning->draft;
    struct lh_arena *arena = &planning->plan->arena;
    double price = draft->prices.shard * 1e-9;
    double slots = draft->options->slots > 0 ? draft->options->slots : 1;
    double target = draft->seconds / (TURNS * slots);
    target = target < TARGET_MIN * price ? TARGET_MIN * price : target;
    target = target > TARGET_MAX * price ? TARGET_MAX * price : target;
    if (pulse_items_list(draft, &planning->items) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    if (draft->whole) {
        pack_whole(&planning->items);
    } else if (pulse_items_pack(draft, &planning->items, target) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    uint32_t media = draft->graph->media_count;
    planning->shards = lh_arena_array(arena, planning->items.shards, sizeof *planning->shards);
    planning->read = lh_arena_array(arena, draft->cut_count, sizeof *planning->read);
    planning->users = lh_arena_array(arena, media, sizeof *planning->users);
    planning->converted = lh_arena_array(arena, media, sizeof *planning->converted);
    planning->conform_keys = lh_arena_array(arena, media, sizeof *planning->conform_keys);
    for (uint32_t c = 0; planning->read != NULL && c < draft->cut_count; c++) {
        planning->read[c] = true;
    }
    return planning->shards != NULL && planning->read != NULL && planning->users != NULL &&
                   planning->converted != NULL && planning->conform_keys != NULL
               ? LH_OK
               : LH_ERR_NO_MEMORY;
}

static enum lh_status make_shards(struct planning *planning, struct lh_error *error)
{
    struct pulse_plan *plan = planning->plan;
    size_t most = (size_t)planning->items.shards + planning->draft.graph->media_count;
    struct pulse_shard *shards = lh_arena_array(&plan->arena, most, sizeof *shards);
    if (shards == NULL || find_converted(planning) != LH_OK) {
        return lh_error_no_memory(error);
    }
    plan->shards = shards;
    enum lh_status status = make_conversions(planning, shards, error);
    for (uint32_t s = 0; status == LH_OK && s < planning->items.shards; s++) {
        status = make_render(planning, &planning->shards[s], &shards[plan->shard_count]);
        if (status == LH_OK) {
            planning->shards[s].piece.graph = NULL; /* the plan's from here on */
            plan->shard_count++;
        } else {
            lh_error_no_memory(error);
        }
    }
    return status;
}

static enum lh_status plan_all(struct planning *planning, const struct graph *graph, struct lh_error *error)
{
    struct pulse_draft *draft = &planning->draft;
    draft->limits = pulse_plan_limits(draft->options->costs);
    enum lh_status status = pulse_draft_init(draft, graph, error);
    if (status != LH_OK) {
        return status;
    }
    planning->plan->deliverables = draft->deliverable_keys;
    if (pulse_draft_cut(draft) != LH_OK || pack(planning) != LH_OK) {
        return lh_error_no_memory(error);
    }
    status = make_pieces(planning, error);
    status = status == LH_OK ? make_shards(planning, error) : status;
    if (status == LH_OK && find_critical(planning->plan) != LH_OK) {
        return lh_error_no_memory(error);
    }
    return status;
}

enum lh_status pulse_plan_new(const struct graph *graph, const struct pulse_plan_options *options,
                              struct pulse_plan **plan, struct lh_error *error)
{
    struct planning planning = {.plan = pulse_plan_empty()};
    if (planning.plan == NULL) {
        return lh_error_no_memory(error);
    }
    planning.draft = (struct pulse_draft){.arena = &planning.plan->arena, .options = options};
    enum lh_status status = plan_all(&planning, graph, error);
    for (uint32_t s = 0; planning.shards != NULL && s < planning.items.shards; s++) {
        graph_unref(planning.shards[s].piece.graph);
    }
    pulse_draft_fini(&planning.draft);
    if (status != LH_OK) {
        pulse_plan_free(planning.plan);
        return status;
    }
    *plan = planning.plan;
    return LH_OK;
}
