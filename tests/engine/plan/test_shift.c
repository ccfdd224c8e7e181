/* SPDX-License-Identifier: MIT */
/* Looking ahead: the shifts that take latency out, and the delays that hand a node on at several of them. Random graphs
   are walked block by block: whatever a chain reads must be there, whole, and in the same block. */
#include <stdlib.h>
#include <string.h>

#include "engine/plan/plan.h"
#include "tests/support/testing.h"

#define NODES_MAX 24
#define INPUTS_MAX 128
#define FILES_MAX 5
#define QUANTUM 256

/* A graph made by hand: the planner wants nothing of plugins but their latency. */
struct sketch {
    struct graph graph;
    struct graph_node nodes[NODES_MAX];
    struct graph_insert inserts[NODES_MAX];
    struct graph_stored stored[NODES_MAX];
    struct graph_deliverable files[FILES_MAX];
    struct graph_point point;
    struct graph_curve curve;
    uint32_t inputs[INPUTS_MAX];
    uint32_t curve_refs[NODES_MAX];
    uint32_t latency[NODES_MAX];
    bool meters[FILES_MAX];
};

static void sketch_begin(struct sketch *sketch)
{
    memset(sketch, 0, sizeof *sketch);
    sketch->point = (struct graph_point){.value = 0.5f};
    sketch->curve = (struct graph_curve){.count = 1};
    sketch->graph = (struct graph){.sample_rate = 48000,
                                   .quantum = QUANTUM,
                                   .points = &sketch->point,
                                   .point_count = 1,
                                   .curves = &sketch->curve,
                                   .curve_count = 1,
                                   .inputs = sketch->inputs,
                                   .curve_refs = sketch->curve_refs,
                                   .inserts = sketch->inserts,
                                   .stored = sketch->stored,
                                   .nodes = sketch->nodes,
                                   .deliverables = sketch->files};
}

static uint32_t sketch_node(struct sketch *sketch, enum graph_node_kind kind, const uint32_t *inputs, uint32_t count)
{
    struct graph *graph = &sketch->graph;
    struct graph_node *node = &sketch->nodes[graph->node_count];
    *node = (struct graph_node){.kind = kind, .channels = 1, .count = count, .label = "node"};
    if (kind != GRAPH_NODE_CLIPS) {
        ck_assert_uint_le(graph->input_count + count, INPUTS_MAX);
        node->first = graph->input_count;
        memcpy(&sketch->inputs[graph->input_count], inputs, count * sizeof *inputs);
        graph->input_count += count;
    }
    return graph->node_count++;
}

static uint32_t sketch_source(struct sketch *sketch)
{
    return sketch_node(sketch, GRAPH_NODE_CLIPS, NULL, 0);
}

static uint32_t sketch_stored(struct sketch *sketch)
{
    uint32_t n = sketch_source(sketch);
    sketch->nodes[n].kind = GRAPH_NODE_STORED;
    sketch->nodes[n].first = sketch->graph.stored_count;
    sketch->nodes[n].count = 1;
    sketch->stored[sketch->graph.stored_count++] = (struct graph_stored){.channels = 1, .frames = GRAPH_FRAMES_MAX - 1};
    return n;
}

static uint32_t sketch_plugin(struct sketch *sketch, const uint32_t *inputs, uint32_t count, uint32_t latency)
{
    uint32_t n = sketch_node(sketch, GRAPH_NODE_PLUGIN, inputs, count);
    sketch->nodes[n].insert = sketch->graph.insert_count;
    sketch->latency[sketch->graph.insert_count] = latency;
    sketch->inserts[sketch->graph.insert_count++] =
        (struct graph_insert){.has_input = count > 0, .has_sidechain = count > 1};
    return n;
}

static void sketch_file(struct sketch *sketch, uint32_t node, int64_t start, int64_t end)
{
    sketch->files[sketch->graph.deliverable_count++] =
        (struct graph_deliverable){.name = "file", .node = node, .start = start, .end = end, .gain_from = GRAPH_NONE};
}

static struct engine_plan *plan_sketch(const struct sketch *sketch, uint32_t block)
{
    struct engine_plan_options options = {
        .meter_in_pass = sketch->meters, .latency = sketch->latency, .threads = 2, .block = block};
    struct engine_plan *plan;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_plan_new(&sketch->graph, 0, &options, &plan, &error) == LH_OK, "%s", error.message);
    return plan;
}

static const struct engine_chain *chain_of(const struct engine_plan *plan, uint32_t node)
{
    ck_assert_uint_ne(plan->chain_of_node[node], GRAPH_NONE);
    return &plan->chains[plan->chain_of_node[node]];
}

static uint32_t count_delays(const struct engine_plan *plan)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        count += plan->chains[c].kind == ENGINE_CHAIN_DELAY ? 1 : 0;
    }
    return count;
}

/* ---- the walk ---- */

/* ck_assert() talks to the test's parent each time: too slow for millions. */
#define must(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            ck_abort_msg("%s", #condition);                                                                            \
        }                                                                                                              \
    } while (false)

/* What a chain has computed. */
struct walked {
    int64_t from, to; /* of the block at hand */
    int64_t next;     /* frames before this have been handed on, from the pass' begin on */
    int64_t fed;      /* PLUGIN, DELAY: frames before this have come in */
};

struct walk {
    const struct engine_plan *plan;
    const struct sketch *sketch;
    struct walked *walked; /* by chain */
    int64_t block;
    uint32_t reader;
    int64_t from, to; /* what the reader reads in this block */
};

/* Every chain that the reader reads, through fused nodes, has exactly these frames in this block, and stands before it.
 */
static void demand_node(const struct walk *walk, uint32_t node)
{
    const struct engine_plan *plan = walk->plan;
    const struct engine_chain *reader = &plan->chains[walk->reader];
    if (plan->chain_of_node[node] == GRAPH_NONE) {
        const struct graph_node *fused = &plan->graph->nodes[node];
        must(graph_node_is_source(fused) || fused->kind == GRAPH_NODE_GAIN);
        for (uint32_t i = 0; fused->kind == GRAPH_NODE_GAIN && i < fused->count; i++) {
            demand_node(walk, plan->graph->inputs[fused->first + i]);
        }
        return;
    }
    uint32_t source = engine_plan_source(plan, node, reader->reads);
    must(source < walk->reader);
    must(plan->chains[source].depth < reader->depth);
    if (walk->from < walk->to) {
        must(walk->walked[source].from == walk->from);
        must(walk->walked[source].to >= walk->to);
    }
    bool linked = false;
    for (uint32_t i = 0; i < plan->chains[source].consumer_count; i++) {
        linked = linked || plan->consumers[plan->chains[source].first_consumer + i] == walk->reader;
    }
    must(linked);
}

static void demand_inputs(const struct walk *walk)
{
    const struct engine_chain *reader = &walk->plan->chains[walk->reader];
    const struct graph_node *node = &walk->plan->graph->nodes[reader->node];
    if (reader->kind != ENGINE_CHAIN_MIX && reader->kind != ENGINE_CHAIN_PLUGIN) {
        demand_node(walk, reader->node);
        return;
    }
    for (uint32_t i = 0; !graph_node_is_source(node) && i < node->count; i++) {
        demand_node(walk, walk->plan->graph->inputs[node->first + i]);
    }
}

static void walk_chain(struct walk *walk, uint32_t c)
{
    const struct engine_plan *plan = walk->plan;
    const struct engine_chain *chain = &plan->chains[c];
    struct walked *own = &walk->walked[c];
    must(chain->shift % QUANTUM == 0);
    must(chain->reads % QUANTUM == 0);
    engine_plan_frames(plan, chain->shift, chain->stop, walk->block, &own->from, &own->to);
    must(own->to - own->from <= plan->block);
    must(own->from == own->to || own->from == own->next); /* gapless from begin to stop */
    own->next = own->from < own->to ? own->to : own->next;
    engine_plan_frames(plan, chain->reads, chain->reads_stop, walk->block, &walk->from, &walk->to);
    walk->reader = c;
    demand_inputs(walk);
    if (walk->from < walk->to) {
        must(own->fed == walk->from);
        own->fed = walk->to;
    }
    if (chain->kind == ENGINE_CHAIN_PLUGIN || chain->kind == ENGINE_CHAIN_DELAY) {
        must(chain->ordered);
        must(chain->reads_stop >= chain->stop + chain->latency);
        must(chain->kind == ENGINE_CHAIN_DELAY || chain->reads_stop % QUANTUM == 0);
        int64_t made = own->fed - chain->latency < chain->stop ? own->fed - chain->latency : chain->stop;
        must(own->next == plan->begin || own->next <= made);
        must(made - own->next <= chain->held);
    } else {
        must(chain->reads == chain->shift);
        must(chain->held == 0);
    }
}

/* Runs the plan's blocks in order. All that is delivered must have been computed by the last. */
static void walk_plan(const struct sketch *sketch, const struct engine_plan *plan)
{
    struct walk walk = {.plan = plan, .sketch = sketch, .walked = calloc(plan->chain_count, sizeof *walk.walked)};
    ck_assert_ptr_nonnull(walk.walked);
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        walk.walked[c] = (struct walked){.next = plan->begin, .fed = plan->begin};
    }
    for (walk.block = 0; walk.block < plan->block_count; walk.block++) {
        for (uint32_t c = 0; c < plan->chain_count; c++) {
            walk_chain(&walk, c);
        }
    }
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        if (plan->stop > plan->start && chain->kind >= ENGINE_CHAIN_METER) {
            must(chain->shift == 0);
            must(walk.walked[c].next == chain->stop);
        }
    }
    free(walk.walked);
}

/* ---- tests ---- */

START_TEST(without_latency_nobody_looks_ahead)
{
    struct sketch sketch;
    sketch_begin(&sketch);
    uint32_t source = sketch_source(&sketch);
    uint32_t first = sketch_plugin(&sketch, &source, 1, 0);
    uint32_t second = sketch_plugin(&sketch, &first, 1, 0);
    sketch_file(&sketch, second, 100, 50000);
    struct engine_plan *plan = plan_sketch(&sketch, 1024);
    ck_assert_uint_eq(plan->plugin_count, 2);
    ck_assert_uint_eq(plan->chain_count, 3);
    ck_assert_uint_eq(plan->chain_of_node[source], GRAPH_NONE); /* read inside the first plugin's task */
    ck_assert_int_eq(chain_of(plan, first)->reads, 0);
    ck_assert_int_eq(plan->first_block, 0);
    ck_assert(chain_of(plan, first)->ordered && chain_of(plan, second)->judged && !chain_of(plan, first)->judged);
    walk_plan(&sketch, plan);
    engine_plan_free(plan);
}
END_TEST

/* Tasks that are short enough for a chain of plugins to be on every core soon, and still whole chunks. */
START_TEST(plugins_make_small_blocks)
{
    struct sketch sketch;
    sketch_begin(&sketch);
    uint32_t source = sketch_source(&sketch);
    sketch_file(&sketch, source, 0, 50000);
    struct engine_plan *plan = plan_sketch(&sketch, 0);
    uint32_t native = plan->block;
    engine_plan_free(plan);
    sketch.files[0].node = sketch_plugin(&sketch, &source, 1, 0);
    plan = plan_sketch(&sketch, 0);
    ck_assert_uint_lt(plan->block, native);
    ck_assert_uint_eq(plan->block % QUANTUM, 0);
    engine_plan_free(plan);
    sketch.graph.quantum = 8192;
    plan = plan_sketch(&sketch, 0);
    ck_assert_uint_eq(plan->block, 8192);
    engine_plan_free(plan);
}
END_TEST

/* What was stored is like a clip: read inside its one reader, or once for several, in any order of blocks. */
START_TEST(stored_frames_are_read_like_clips)
{
    struct sketch sketch;
    sketch_begin(&sketch);
    uint32_t alone = sketch_stored(&sketch);
    uint32_t shared = sketch_stored(&sketch);
    uint32_t heard = sketch_stored(&sketch);
    uint32_t wet = sketch_plugin(&sketch, (uint32_t[]){alone, shared}, 2, 300);
    uint32_t bus = sketch_node(&sketch, GRAPH_NODE_BUS, (uint32_t[]){wet, shared}, 2);
    sketch_file(&sketch, bus, 0, 50000);
    sketch_file(&sketch, heard, 0, 50000);
    sketch_file(&sketch, wet, 0, 50000);
    sketch.files[2].format = GRAPH_FORMAT_STORED;
    struct engine_plan *plan = plan_sketch(&sketch, 1024);
    ck_assert_uint_eq(plan->chain_of_node[alone], GRAPH_NONE);
    ck_assert(!chain_of(plan, shared)->ordered && !chain_of(plan, shared)->judged);
    ck_assert(!chain_of(plan, heard)->ordered && chain_of(plan, heard)->judged);
    ck_assert(!chain_of(plan, wet)->judged); /* its faults are its readers' */
    ck_assert_int_eq(chain_of(plan, shared)->shift, 512);
    ck_assert_uint_eq(count_delays(plan), 1);
    walk_plan(&sketch, plan);
    engine_plan_free(plan);
    sketch.files[1].node = wet;
    plan = plan_sketch(&sketch, 1024);
    ck_assert(chain_of(plan, wet)->judged);
    engine_plan_free(plan);
}
END_TEST

START_TEST(latencies_add_up_and_are_rounded_to_the_quantum)
{
    struct sketch sketch;
    sketch_begin(&sketch);
    uint32_t source = sketch_source(&sketch);
    uint32_t first = sketch_plugin(&sketch, &source, 1, 100);
    uint32_t second = sketch_plugin(&sketch, &first, 1, 300);
    sketch_file(&sketch, second, 0, 50000);
    struct engine_plan *plan = plan_sketch(&sketch, 1024);
    ck_assert_int_eq(chain_of(plan, second)->shift, 0);
    ck_assert_int_eq(chain_of(plan, second)->reads, 512);
    ck_assert_int_eq(chain_of(plan, second)->held, 212);
    ck_assert_int_eq(chain_of(plan, first)->shift, 512);
    ck_assert_int_eq(chain_of(plan, first)->reads, 768);
    ck_assert_int_eq(chain_of(plan, first)->held, 156);
    /* the second is fed whole chunks past the end, and so must the first be */
    ck_assert_int_eq(chain_of(plan, second)->stop, 50000);
    ck_assert_int_eq(chain_of(plan, first)->stop, (50000 + 300 + 255) / 256 * 256);
    ck_assert_uint_eq(count_delays(plan), 0);
    ck_assert_int_eq(plan->first_block, -1);
    walk_plan(&sketch, plan);
    engine_plan_free(plan);
}
END_TEST

START_TEST(a_dry_path_is_delayed)
{
    struct sketch sketch;
    sketch_begin(&sketch);
    uint32_t source = sketch_source(&sketch);
    uint32_t wet = sketch_plugin(&sketch, &source, 1, 5000);
    uint32_t sends[] = {source, wet};
    uint32_t bus = sketch_node(&sketch, GRAPH_NODE_BUS, sends, 2);
    sketch_file(&sketch, bus, 0, 50000);
    sketch_file(&sketch, source, 0, 50000);
    struct engine_plan *plan = plan_sketch(&sketch, 1024);
    const struct engine_chain *computed = chain_of(plan, source);
    ck_assert_int_eq(computed->shift, 5120);
    ck_assert_uint_eq(count_delays(plan), 1); /* the bus and the file read the same */
    const struct engine_chain *delay = &plan->chains[computed->next_delay];
    ck_assert_int_eq(delay->shift, 0);
    ck_assert_int_eq(delay->held, 5120);
    ck_assert_uint_eq(delay->next_delay, GRAPH_NONE);
    ck_assert_uint_eq(delay->consumer_count, 2);
    ck_assert_uint_eq(engine_plan_source(plan, source, 5120), plan->chain_of_node[source]);
    walk_plan(&sketch, plan);
    engine_plan_free(plan);
}
END_TEST

START_TEST(a_side_chain_is_read_with_the_input)
{
    struct sketch sketch;
    sketch_begin(&sketch);
    uint32_t source = sketch_source(&sketch);
    uint32_t key = sketch_source(&sketch);
    uint32_t latent = sketch_plugin(&sketch, &key, 1, 700);
    uint32_t both[] = {source, latent};
    uint32_t keyed = sketch_plugin(&sketch, both, 2, 0);
    sketch_file(&sketch, keyed, 0, 50000);
    sketch_file(&sketch, source, 0, 50000);
    struct engine_plan *plan = plan_sketch(&sketch, 512);
    ck_assert_int_eq(chain_of(plan, keyed)->reads, 0);
    ck_assert_int_eq(chain_of(plan, latent)->shift, 0);
    ck_assert_int_eq(chain_of(plan, latent)->reads, 768);
    ck_assert_int_eq(chain_of(plan, source)->shift, 0);
    walk_plan(&sketch, plan);
    engine_plan_free(plan);
}
END_TEST

/* Pieces are cut by graph_spans(): what it says is what the engine reads, or a piece would ask for frames that were not
   stored. */
static void expect_spans(const struct sketch *sketch, const struct engine_plan *plan)
{
    struct graph_span spans[NODES_MAX];
    if (plan->stop == 0) {
        return; /* of nothing, nothing is stored */
    }
    graph_spans(&sketch->graph, 0, sketch->latency, spans);
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        const struct graph_node *node = &plan->graph->nodes[chain->node];
        if (chain->kind == ENGINE_CHAIN_MIX || chain->kind == ENGINE_CHAIN_PLUGIN) {
            must(spans[chain->node].begin == plan->begin && spans[chain->node].stop == chain->stop);
        }
        for (uint32_t i = 0; chain->kind == ENGINE_CHAIN_PLUGIN && i < node->count; i++) {
            must(spans[plan->graph->inputs[node->first + i]].stop >= chain->reads_stop);
        }
    }
}

START_TEST(passes_differ_by_preroll_and_tail_where_there_are_plugins)
{
    struct sketch sketch;
    sketch_begin(&sketch);
    uint32_t source = sketch_source(&sketch);
    for (uint32_t d = 0; d < 4; d++) {
        sketch_file(&sketch, source, 1000, 5000);
    }
    sketch.files[1].preroll = 300;
    sketch.files[2].tail = sketch.files[3].tail = GRAPH_TAIL_FRAMES;
    sketch.files[2].tail_frames = 100;
    const struct graph *graph = &sketch.graph;
    for (uint32_t d = 1; d < 4; d++) {
        ck_assert(graph_pass_is_same(graph, &sketch.files[0], &sketch.files[d]));
    }
    ck_assert_int_eq(graph_pass_begin(graph, &sketch.files[1]), 1000);
    struct engine_plan *plan = plan_sketch(&sketch, 1024);
    ck_assert_int_eq(plan->silence, 5000);
    engine_plan_free(plan);

    sketch_file(&sketch, sketch_plugin(&sketch, &source, 1, 10), 1000, 5000);
    sketch.graph.deliverable_count = 4;
    ck_assert(!graph_pass_is_same(graph, &sketch.files[0], &sketch.files[1]));
    ck_assert(!graph_pass_is_same(graph, &sketch.files[0], &sketch.files[2]));
    ck_assert(graph_pass_is_same(graph, &sketch.files[0], &sketch.files[3])); /* a tail of no frames */
    ck_assert_int_eq(graph_pass_begin(graph, &sketch.files[1]), 700);
    struct graph_deliverable stored = {.start = 700, .end = 9000};
    ck_assert(graph_pass_is_same(graph, &sketch.files[1], &stored)); /* another beginning and end, the same run */
    plan = plan_sketch(&sketch, 1024);
    ck_assert_int_gt(plan->silence, GRAPH_FRAMES_MAX);
    engine_plan_free(plan);
    sketch.files[0] = sketch.files[2];
    plan = plan_sketch(&sketch, 1024);
    ck_assert_int_eq(plan->silence, 5000);
    engine_plan_free(plan);
}
END_TEST

/* What waits in a delay counts as memory. */
START_TEST(absurd_delays_are_refused)
{
    struct sketch sketch;
    sketch_begin(&sketch);
    uint32_t source = sketch_source(&sketch);
    uint32_t nodes[] = {source, source};
    for (uint32_t i = 0; i < 5; i++) {
        nodes[1] = sketch_plugin(&sketch, &nodes[1], 1, UINT32_MAX);
    }
    sketch_file(&sketch, sketch_node(&sketch, GRAPH_NODE_BUS, nodes, 2), 0, 50000);
    struct engine_plan_options options = {
        .meter_in_pass = sketch.meters, .latency = sketch.latency, .threads = 1, .block = 1024};
    struct engine_plan *plan = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_plan_new(&sketch.graph, 0, &options, &plan, &error), LH_ERR_LIMIT);
    ck_assert_ptr_null(plan);
}
END_TEST

static uint32_t draw(uint64_t *state, uint32_t limit)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % limit;
}

static void sketch_random(struct sketch *sketch, uint64_t *state)
{
    static const uint32_t latencies[] = {0, 1, 64, 255, 256, 257, 480, 1024, 5000, 70000};
    sketch_begin(sketch);
    uint32_t count = 2 + draw(state, NODES_MAX - 2);
    while (sketch->graph.node_count < count) {
        uint32_t before = sketch->graph.node_count;
        uint32_t inputs[4];
        for (uint32_t i = 0; before > 0 && i < 4; i++) {
            inputs[i] = draw(state, before);
        }
        uint32_t kind = before == 0 ? 0 : draw(state, 8);
        if (kind == 0 && draw(state, 2) == 0) {
            sketch_stored(sketch);
        } else if (kind == 0) {
            sketch_source(sketch);
        } else if (kind < 3) {
            sketch_node(sketch, GRAPH_NODE_GAIN, inputs, 1);
        } else if (kind < 5) {
            sketch_node(sketch, GRAPH_NODE_BUS, inputs, draw(state, 5));
        } else {
            sketch_plugin(sketch, inputs, draw(state, 3), latencies[draw(state, 10)]);
        }
    }
    int64_t start = draw(state, 3) == 0 ? 0 : draw(state, 9000);
    int64_t end = start + draw(state, 20000);
    int64_t preroll = draw(state, 2) == 0 ? 0 : draw(state, (uint32_t)start + 1);
    bool tails = draw(state, 2) == 0;
    for (uint32_t d = 1 + draw(state, FILES_MAX); d-- > 0;) {
        sketch->meters[sketch->graph.deliverable_count] = draw(state, 2) == 0;
        sketch_file(sketch, draw(state, count), start, end);
        struct graph_deliverable *file = &sketch->files[sketch->graph.deliverable_count - 1];
        file->preroll = preroll;
        file->tail = tails ? GRAPH_TAIL_FRAMES : GRAPH_TAIL_NONE;
        file->tail_frames = tails ? 1 + draw(state, 9000) : 0;
    }
}

START_TEST(all_that_is_read_is_there)
{
    static const uint32_t blocks[] = {0, 256, 512, 768, 1024, 4096, 16384};
    uint64_t state = 4711;
    uint32_t delays = 0;
    for (uint32_t round = 0; round < 1000; round++) {
        static struct sketch sketch;
        sketch_random(&sketch, &state);
        for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
            struct engine_plan *plan = plan_sketch(&sketch, blocks[b]);
            walk_plan(&sketch, plan);
            expect_spans(&sketch, plan);
            delays += count_delays(plan);
            engine_plan_free(plan);
        }
    }
    ck_assert_uint_gt(delays, 2000); /* or it proved little */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/plan/shift");
    TCase *tests = tcase_create("shift");
    tcase_add_test(tests, without_latency_nobody_looks_ahead);
    tcase_add_test(tests, plugins_make_small_blocks);
    tcase_add_test(tests, latencies_add_up_and_are_rounded_to_the_quantum);
    tcase_add_test(tests, stored_frames_are_read_like_clips);
    tcase_add_test(tests, a_dry_path_is_delayed);
    tcase_add_test(tests, a_side_chain_is_read_with_the_input);
    tcase_add_test(tests, passes_differ_by_preroll_and_tail_where_there_are_plugins);
    tcase_add_test(tests, absurd_delays_are_refused);
    tcase_add_test(tests, all_that_is_read_is_there);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
