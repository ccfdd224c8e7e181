/* SPDX-License-Identifier: MIT */
/* Random cuts, pass by pass. A piece makes nodes of one level: those below which equally many cuts lie, so that none of
   them waits for another piece of its level. */
#include "tests/identity/cutter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "graph/copy.h"
#include "graph/encode.h"
#include "graph/partition.h"
#include "graph/span.h"
#include "tests/identity/random_project.h"

#define GROUPS 2u /* pieces of one level at most, and of what is delivered */
#define NO_LEVEL UINT32_MAX

/* One pass of the whole, and where it is cut. All tables are by node. */
struct pass {
    uint32_t first; /* a deliverable of it */
    struct graph_span *spans;
    bool *cut;
    uint32_t *level; /* cuts beneath, the deepest path; NO_LEVEL: the pass does not need it */
    uint32_t *group;
    int *files; /* what was stored */
};

struct cutting {
    const struct graph *graph;
    const struct cutter *cutter;
    struct cutter_tally *tally;
    uint64_t state;
    struct lh_arena arena;
    struct pass *passes;
    uint32_t pass_count;
    uint32_t *pass_of; /* by deliverable */
};

static void need(enum lh_status status, const char *what)
{
    if (status != LH_OK) {
        printf("Bail out! %s: %s\n", what, lh_status_text(status));
        exit(1);
    }
}

static void *table(struct cutting *cutting, size_t count, size_t size)
{
    void *made = lh_arena_array(&cutting->arena, count, size);
    need(made != NULL ? LH_OK : LH_ERR_NO_MEMORY, "memory");
    return made;
}

static uint32_t below(struct cutting *cutting, uint32_t limit)
{
    return (uint32_t)(random_next(&cutting->state) % limit);
}

/* ---- one piece ---- */

struct piece {
    struct graph_builder *builder;
    struct graph_copy *copy;
    int *media, *stored, *outputs; /* of its graph */
    uint32_t media_count, stored_count, output_count;
};

static struct piece begin_piece(struct cutting *cutting)
{
    const struct graph *graph = cutting->graph;
    size_t passes = cutting->pass_count;
    struct piece piece = {.media = table(cutting, passes * graph->media_count, sizeof(int)),
                          .stored = table(cutting, passes * graph->node_count, sizeof(int)),
                          .outputs = table(cutting, (size_t)graph->node_count + graph->deliverable_count, sizeof(int))};
    need(graph_builder_new(graph->sample_rate, graph->quantum, &piece.builder), "builder");
    return piece;
}

/* From here on nodes of this pass are copied; those that were cut off beneath `level` are played. */
static void enter_pass(struct cutting *cutting, struct piece *piece, const struct pass *pass, uint32_t level)
{
    const struct graph *graph = cutting->graph;
    need(graph_copy_new(graph, piece->builder, &piece->copy), "copy");
    for (uint32_t n = 0; n < graph->node_count; n++) {
        if (pass->level[n] == NO_LEVEL || !pass->cut[n] || pass->level[n] >= level) {
            continue;
        }
        struct graph_stored stored =
            graph_span_stored(&pass->spans[n], graph->nodes[n].channels, graph_node_is_sum(graph, n));
        uint32_t node;
        need(graph_builder_add_stored(piece->builder, &stored, graph->nodes[n].label, &node), "stored");
        graph_copy_replace(piece->copy, n, node);
        piece->stored[piece->stored_count++] = pass->files[n];
    }
}

static void leave_pass(struct cutting *cutting, struct piece *piece)
{
    uint32_t count;
    const uint32_t *media = graph_copy_media(piece->copy, &count);
    for (uint32_t i = 0; i < count; i++) {
        piece->media[piece->media_count++] = cutting->cutter->media[media[i]];
    }
    graph_copy_free(piece->copy);
}

/* As a worker gets it: through the encoding. */
static const struct graph *finish_piece(struct piece *piece)
{
    const struct graph *graph;
    const struct graph *received;
    struct lh_writer bytes;
    struct lh_error error = LH_ERROR_INIT;
    if (graph_builder_finish(piece->builder, &graph, &error) != LH_OK) {
        printf("# %s: %s\n", error.where, error.message);
        need(LH_ERR_INTERNAL, "a piece is no graph");
    }
    lh_writer_init(&bytes);
    need(graph_encode(graph, &bytes), "encode");
    need(graph_decode(bytes.data, bytes.size, &received, NULL), "decode");
    lh_writer_fini(&bytes);
    graph_unref(graph);
    return received;
}

/* Lets go of the piece but its builder, which still knows the places of nodes. */
static enum lh_status render_piece(struct cutting *cutting, struct piece *piece, bool report,
                                   struct engine_render_result *result, struct lh_error *error)
{
    static const uint32_t blocks[] = {0, 1, 3, 8};
    const struct graph *graph = finish_piece(piece);
    struct engine_progress progress = {.cancel = 0};
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = piece->media,
                                    .stored_fds = piece->stored,
                                    .output_fds = piece->outputs,
                                    .scratch_fd = memfd_create("scratch", MFD_CLOEXEC),
                                    .threads = 1 + below(cutting, 4),
                                    .block = blocks[below(cutting, 4)] * graph->quantum,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns,
                                    .report = report,
                                    .host = cutting->cutter->host};
    result->delivered = table(cutting, graph->deliverable_count, sizeof *result->delivered);
    result->inserted = table(cutting, graph->insert_count, sizeof *result->inserted);
    enum lh_status status = engine_render(&job, result, error);
    close(job.scratch_fd);
    graph_unref(graph);
    return status;
}

/* ---- where a pass is cut ---- */

/* What the plugins delay by in this pass, asked with a render of no frames. */
static enum lh_status ask_latencies(struct cutting *cutting, const struct pass *pass, uint32_t *latencies,
                                    struct lh_error *error)
{
    const struct graph *graph = cutting->graph;
    int64_t begin = graph_pass_begin(graph, &graph->deliverables[pass->first]);
    const struct graph_span nothing = {.begin = begin, .silence = INT64_MAX, .stop = begin};
    struct piece piece = begin_piece(cutting);
    uint32_t *nodes = table(cutting, graph->node_count, sizeof *nodes);
    enter_pass(cutting, &piece, pass, 0);
    for (uint32_t n = 0; n < graph->node_count; n++) {
        if (graph->nodes[n].kind == GRAPH_NODE_PLUGIN) {
            struct graph_deliverable file = {.name = "nothing"};
            uint32_t index;
            need(graph_copy_node(piece.copy, n, &nodes[n]), "copy");
            file.node = nodes[n];
            graph_span_deliver(&nothing, graph->sample_rate, &file);
            need(graph_builder_add_deliverable(piece.builder, &file, NULL, 0, &index), "deliverable");
            piece.outputs[piece.output_count++] = -1;
        }
    }
    leave_pass(cutting, &piece);
    struct engine_render_result result = {.delivered = NULL};
    enum lh_status status = LH_OK;
    if (piece.output_count > 0) {
        status = render_piece(cutting, &piece, false, &result, error);
    }
    for (uint32_t n = 0; status == LH_OK && n < graph->node_count; n++) {
        if (graph->nodes[n].kind == GRAPH_NODE_PLUGIN) {
            uint32_t place = graph_builder_place(piece.builder, nodes[n]);
            for (uint32_t i = 0; i < graph->insert_count; i++) {
                if (result.inserted[i].node == place) {
                    latencies[graph->nodes[n].insert] = result.inserted[i].latency;
                }
            }
        }
    }
    graph_builder_free(piece.builder);
    return status;
}

static void find_levels(struct cutting *cutting, struct pass *pass)
{
    const struct graph *graph = cutting->graph;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        const struct graph_node *node = &graph->nodes[n];
        pass->level[n] = pass->spans[n].stop > 0 ? 0 : NO_LEVEL;
        for (uint32_t i = 0; pass->level[n] != NO_LEVEL && !graph_node_is_source(node) && i < node->count; i++) {
            uint32_t input = graph->inputs[node->first + i];
            uint32_t level = pass->level[input] + (pass->cut[input] ? 1 : 0);
            pass->level[n] = level > pass->level[n] ? level : pass->level[n];
        }
    }
}

static enum lh_status plan_pass(struct cutting *cutting, struct pass *pass, struct lh_error *error)
{
    const struct graph *graph = cutting->graph;
    uint32_t *latencies = table(cutting, graph->insert_count, sizeof *latencies);
    pass->spans = table(cutting, graph->node_count, sizeof *pass->spans);
    pass->cut = table(cutting, graph->node_count, sizeof *pass->cut);
    pass->level = table(cutting, graph->node_count, sizeof *pass->level);
    pass->group = table(cutting, graph->node_count, sizeof *pass->group);
    pass->files = table(cutting, graph->node_count, sizeof *pass->files);
    enum lh_status status = ask_latencies(cutting, pass, latencies, error);
    if (status != LH_OK) {
        return status;
    }
    graph_spans(graph, pass->first, latencies, pass->spans);
    uint32_t percent = 10 + below(cutting, 60);
    for (uint32_t n = 0; n < graph->node_count; n++) {
        pass->cut[n] = pass->spans[n].stop > 0 && below(cutting, 100) < percent;
        pass->group[n] = below(cutting, GROUPS);
    }
    find_levels(cutting, pass);
    return LH_OK;
}

/* ---- pieces that store ---- */

static void add_stored_file(struct cutting *cutting, struct piece *piece, struct pass *pass, uint32_t n)
{
    const struct graph *graph = cutting->graph;
    const struct graph_deliverable *first = &graph->deliverables[pass->first];
    struct graph_deliverable file = {.name = "piece"};
    uint32_t index;
    need(graph_copy_node(piece->copy, n, &file.node), "copy");
    graph_span_deliver(&pass->spans[n], graph->sample_rate, &file);
    need(graph_builder_add_deliverable(piece->builder, &file, NULL, 0, &index), "deliverable");
    pass->files[n] = memfd_create("stored", MFD_CLOEXEC);
    piece->outputs[piece->output_count++] = pass->files[n];
    cutting->tally->stored++;
    cutting->tally->sums += graph_node_is_sum(graph, n) ? 1 : 0;
    bool tail = graph_deliverable_tail(first) > 0;
    cutting->tally->ahead += !tail && pass->spans[n].stop > first->end ? 1 : 0;
}

/* Of one level and group: a node that the group does not have is none of its files. */
static enum lh_status store_group(struct cutting *cutting, struct pass *pass, uint32_t level, uint32_t group,
                                  struct lh_error *error)
{
    const struct graph *graph = cutting->graph;
    struct piece piece = begin_piece(cutting);
    enter_pass(cutting, &piece, pass, level);
    for (uint32_t n = 0; n < graph->node_count; n++) {
        if (pass->cut[n] && pass->level[n] == level && pass->group[n] == group) {
            add_stored_file(cutting, &piece, pass, n);
        }
    }
    leave_pass(cutting, &piece);
    enum lh_status status = LH_OK;
    if (piece.output_count > 0) {
        struct engine_render_result result;
        status = render_piece(cutting, &piece, below(cutting, 2) == 0, &result, error);
        cutting->tally->pieces++;
    }
    graph_builder_free(piece.builder);
    return status;
}

static enum lh_status store_pass(struct cutting *cutting, struct pass *pass, struct lh_error *error)
{
    uint32_t deepest = 0;
    for (uint32_t n = 0; n < cutting->graph->node_count; n++) {
        deepest = pass->cut[n] && pass->level[n] > deepest ? pass->level[n] : deepest;
    }
    enum lh_status status = LH_OK;
    for (uint32_t level = 0; status == LH_OK && level <= deepest; level++) {
        for (uint32_t group = 0; status == LH_OK && group < GROUPS; group++) {
            status = store_group(cutting, pass, level, group, error);
        }
    }
    return status;
}

/* ---- pieces that deliver ---- */

/* Deliverables of one group, pass by pass. Their gains come from their own piece. */
static enum lh_status deliver_group(struct cutting *cutting, const uint32_t *group_of, uint32_t group,
                                    const int *outputs, struct engine_delivered *delivered, struct lh_error *error)
{
    const struct graph *graph = cutting->graph;
    uint32_t *place = table(cutting, graph->deliverable_count, sizeof *place);
    uint32_t count = 0;
    for (uint32_t p = 0; p < cutting->pass_count; p++) {
        for (uint32_t d = 0; d < graph->deliverable_count; d++) {
            place[d] = cutting->pass_of[d] == p && group_of[d] == group ? count++ : place[d];
        }
    }
    if (count == 0) {
        return LH_OK;
    }
    struct piece piece = begin_piece(cutting);
    for (uint32_t p = 0; p < cutting->pass_count; p++) {
        enter_pass(cutting, &piece, &cutting->passes[p], NO_LEVEL);
        for (uint32_t d = 0; d < graph->deliverable_count; d++) {
            if (cutting->pass_of[d] == p && group_of[d] == group) {
                uint32_t from = graph->deliverables[d].gain_from;
                uint32_t index;
                need(graph_copy_deliverable(piece.copy, d, from == GRAPH_NONE ? from : place[from], &index), "file");
                piece.outputs[piece.output_count++] = outputs[d];
            }
        }
        leave_pass(cutting, &piece);
    }
    for (uint32_t m = 0; m < graph->marker_count; m++) {
        need(graph_builder_add_marker(piece.builder, graph->markers[m].frame, graph->markers[m].name), "marker");
    }
    struct engine_render_result result;
    enum lh_status status = render_piece(cutting, &piece, true, &result, error);
    for (uint32_t d = 0; status == LH_OK && d < graph->deliverable_count; d++) {
        delivered[d] = group_of[d] == group ? result.delivered[place[d]] : delivered[d];
    }
    cutting->tally->pieces++;
    graph_builder_free(piece.builder);
    return status;
}

static enum lh_status deliver(struct cutting *cutting, const int *outputs, struct engine_delivered *delivered,
                              struct lh_error *error)
{
    const struct graph *graph = cutting->graph;
    uint32_t *group_of = table(cutting, graph->deliverable_count, sizeof *group_of);
    bool shares_gain = false;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        shares_gain = shares_gain || graph->deliverables[d].gain_from != GRAPH_NONE;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        group_of[d] = shares_gain ? 0 : below(cutting, GROUPS);
    }
    enum lh_status status = LH_OK;
    for (uint32_t group = 0; status == LH_OK && group < GROUPS; group++) {
        status = deliver_group(cutting, group_of, group, outputs, delivered, error);
    }
    return status;
}

/* ---- the whole ---- */

static void find_passes(struct cutting *cutting)
{
    const struct graph *graph = cutting->graph;
    cutting->passes = table(cutting, graph->deliverable_count, sizeof *cutting->passes);
    cutting->pass_of = table(cutting, graph->deliverable_count, sizeof *cutting->pass_of);
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        uint32_t p = 0;
        while (p < cutting->pass_count &&
               !graph_pass_is_same(graph, &graph->deliverables[cutting->passes[p].first], &graph->deliverables[d])) {
            p++;
        }
        if (p == cutting->pass_count) {
            cutting->passes[cutting->pass_count++].first = d;
        }
        cutting->pass_of[d] = p;
    }
}

static void close_files(const struct cutting *cutting)
{
    for (uint32_t p = 0; p < cutting->pass_count; p++) {
        for (uint32_t n = 0; cutting->passes[p].files != NULL && n < cutting->graph->node_count; n++) {
            if (cutting->passes[p].files[n] > 0) {
                close(cutting->passes[p].files[n]);
            }
        }
    }
}

enum lh_status cutter_render(const struct cutter *cutter, int *outputs, struct engine_delivered *delivered,
                             struct cutter_tally *tally, struct lh_error *error)
{
    struct cutting cutting = {.graph = cutter->graph, .cutter = cutter, .tally = tally, .state = cutter->seed};
    const struct graph *parted = NULL;
    if (cutter->seed % 3 != 0) {
        need(graph_partition_seeded(cutter->graph, cutter->seed, &parted, NULL), "partition");
        cutting.graph = parted;
    }
    lh_arena_init(&cutting.arena);
    for (uint32_t d = 0; d < cutting.graph->deliverable_count; d++) {
        outputs[d] = memfd_create("out", MFD_CLOEXEC);
    }
    find_passes(&cutting);
    enum lh_status status = LH_OK;
    for (uint32_t p = 0; status == LH_OK && p < cutting.pass_count; p++) {
        status = plan_pass(&cutting, &cutting.passes[p], error);
        status = status != LH_OK ? status : store_pass(&cutting, &cutting.passes[p], error);
    }
    status = status != LH_OK ? status : deliver(&cutting, outputs, delivered, error);
    close_files(&cutting);
    lh_arena_fini(&cutting.arena);
    graph_unref(parted);
    return status;
}
