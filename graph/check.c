/* SPDX-License-Identifier: MIT */
/* The rules of the render graph: media, curves, regions and nodes. Every value is compared with its bounds before it is
   used in arithmetic or as an index: the graph may come from anywhere. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "graph/deliverable.h"
#include "graph/insert.h"
#include "graph/sums.h"

enum lh_status graph_refuse(struct lh_error *error, const char *table, uint32_t index, const char *message)
{
    char where[64];
    snprintf(where, sizeof where, "%s[%u]", table, index);
    return lh_error_set(error, LH_ERR_FORMAT, where, "render graph: %s", message);
}

/* A frame index or length: 0 <= value < GRAPH_FRAMES_MAX. */
static bool in_time(int64_t value)
{
    return value >= 0 && value < GRAPH_FRAMES_MAX;
}

static bool is_rate(uint32_t rate)
{
    return rate >= GRAPH_RATE_MIN && rate <= GRAPH_RATE_MAX;
}

static bool is_channel_count(uint32_t channels)
{
    return channels >= 1 && channels <= GRAPH_CHANNELS_MAX;
}

static enum lh_status check_head(const struct graph *graph, struct lh_error *error)
{
    if (!is_rate(graph->sample_rate)) {
        return lh_error_set(error, LH_ERR_FORMAT, "sample_rate",
                            "render graph: a sample rate of %u Hz is not in %d..%d", graph->sample_rate, GRAPH_RATE_MIN,
                            GRAPH_RATE_MAX);
    }
    uint32_t quantum = graph->quantum;
    if (quantum < GRAPH_QUANTUM_MIN || quantum > GRAPH_QUANTUM_MAX || (quantum & (quantum - 1)) != 0) {
        return lh_error_set(error, LH_ERR_FORMAT, "quantum",
                            "render graph: a quantum of %u frames is not a power of two in %d..%d", quantum,
                            GRAPH_QUANTUM_MIN, GRAPH_QUANTUM_MAX);
    }
    return LH_OK;
}

static const char *media_fault(const struct graph *graph, const struct graph_media *media)
{
    if (!is_channel_count(media->channels)) {
        return "a medium has 1 to 16 channels";
    }
    if (!is_rate(media->rate)) {
        return "the medium's rate is out of range";
    }
    if (media->frames >= (uint64_t)GRAPH_FRAMES_MAX || media->length >= (uint64_t)GRAPH_FRAMES_MAX) {
        return "the medium is too long";
    }
    if ((unsigned)media->conform > GRAPH_CONFORM_SAMPLERATE) {
        return "unknown way to conform a medium";
    }
    bool converts = media->conform == GRAPH_CONFORM_SOXR || media->conform == GRAPH_CONFORM_SAMPLERATE;
    if (converts != (media->rate != graph->sample_rate)) {
        return "a medium is converted exactly when its rate is not the project's";
    }
    if (media->length != graph_converted_length(media->frames, media->rate, graph->sample_rate)) {
        return "the medium's conformed length does not follow from its native length";
    }
    return graph_text_fault(media->name);
}

static enum lh_status check_media(const struct graph *graph, struct lh_error *error)
{
    for (uint32_t i = 0; i < graph->media_count; i++) {
        const char *fault = media_fault(graph, &graph->media[i]);
        if (fault != NULL) {
            return graph_refuse(error, "media", i, fault);
        }
    }
    return LH_OK;
}

static const char *stored_fault(const struct graph_stored *stored)
{
    if (!is_channel_count(stored->channels)) {
        return "stored frames have 1 to 16 channels";
    }
    return !in_time(stored->begin) || !in_time(stored->frames) || stored->begin + stored->frames >= GRAPH_FRAMES_MAX
               ? "stored frames lie outside of time"
               : NULL;
}

static enum lh_status check_stored(const struct graph *graph, struct lh_error *error)
{
    for (uint32_t i = 0; i < graph->stored_count; i++) {
        const char *fault = stored_fault(&graph->stored[i]);
        if (fault != NULL) {
            return graph_refuse(error, "stored", i, fault);
        }
    }
    return LH_OK;
}

static const char *points_fault(const struct graph_point *points, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (points[i].frame <= -GRAPH_FRAMES_MAX || points[i].frame >= GRAPH_FRAMES_MAX) {
            return "a curve's point lies outside of time";
        }
        if (!isfinite(points[i].value)) {
            return "a curve's value is not finite";
        }
        if (i > 0 && points[i].frame < points[i - 1].frame) {
            return "a curve's frames decrease";
        }
        if (i > 1 && points[i].frame == points[i - 2].frame) {
            return "more than two points of a curve share a frame";
        }
    }
    return NULL;
}

static enum lh_status check_curves(const struct graph *graph, struct lh_error *error)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < graph->curve_count; i++) {
        const struct graph_curve *curve = &graph->curves[i];
        if (curve->first != next || curve->count < 1 || curve->count > graph->point_count - next) {
            return graph_refuse(error, "curves", i, "the curve's points are not a range that follows the last one's");
        }
        const char *fault = points_fault(graph->points + curve->first, curve->count);
        if (fault != NULL) {
            return graph_refuse(error, "curves", i, fault);
        }
        next += curve->count;
    }
    return next == graph->point_count ? LH_OK : graph_refuse(error, "points", next, "a point belongs to no curve");
}

static bool fade_is_valid(const struct graph *graph, int64_t fade_length, int64_t length, uint32_t curve)
{
    if (fade_length < 0 || fade_length > length) {
        return false;
    }
    return fade_length == 0 ? curve == GRAPH_NONE : curve < graph->curve_count;
}

static const char *region_fault(const struct graph *graph, const struct graph_region *region, uint32_t channels)
{
    if (region->media >= graph->media_count) {
        return "the region's medium does not exist";
    }
    const struct graph_media *media = &graph->media[region->media];
    if (media->channels != 1 && media->channels != channels) {
        return "the region's medium has another layout than its node";
    }
    if (!in_time(region->start) || !in_time(region->length) || region->length == 0 ||
        region->start + region->length >= GRAPH_FRAMES_MAX) {
        return "the region lies outside of time or is empty";
    }
    if (!in_time(region->offset) || !in_time(region->loop_length)) {
        return "the region's offset or loop is out of range";
    }
    if (region->loop_length > 0 && (uint64_t)(region->offset + region->loop_length) > media->length) {
        return "the region's loop reaches past its medium";
    }
    if (!isfinite(region->gain)) {
        return "the region's gain is not finite";
    }
    if (!fade_is_valid(graph, region->fade_in_length, region->length, region->fade_in) ||
        !fade_is_valid(graph, region->fade_out_length, region->length, region->fade_out)) {
        return "a fade is longer than its region, or its curve does not exist";
    }
    return NULL;
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* How many regions sound at once at most: starts are sorted, ends are sorted here. */
static enum lh_status overlap(const struct graph_region *regions, uint32_t count, uint32_t *most)
{
    int64_t *ends = malloc(count * sizeof *ends);
    if (ends == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        ends[i] = regions[i].start + regions[i].length;
    }
    qsort(ends, count, sizeof *ends, compare_times);
    uint32_t ended = 0;
    *most = 0;
    for (uint32_t i = 0; i < count; i++) {
        while (ends[ended] <= regions[i].start) {
            ended++; /* stops in time: this region's own end is past its start */
        }
        *most = i + 1 - ended > *most ? i + 1 - ended : *most;
    }
    free(ends);
    return LH_OK;
}

static enum lh_status check_clips(const struct graph *graph, uint32_t index, struct lh_error *error)
{
    const struct graph_node *node = &graph->nodes[index];
    const struct graph_region *regions = node->count > 0 ? &graph->regions[node->first] : NULL;
    for (uint32_t i = 0; i < node->count; i++) {
        const char *fault = region_fault(graph, &regions[i], node->channels);
        if (fault == NULL && i > 0 && regions[i].start < regions[i - 1].start) {
            fault = "the regions of a node are not in order of their starts";
        }
        if (fault != NULL) {
            return graph_refuse(error, "regions", node->first + i, fault);
        }
    }
    uint32_t most = node->count;
    if (most > GRAPH_INPUTS_MAX && overlap(regions, node->count, &most) != LH_OK) {
        return lh_error_no_memory(error);
    }
    return most <= GRAPH_INPUTS_MAX
               ? LH_OK
               : graph_refuse(error, "nodes", index, "more than 4096 clips sound at once; use groups");
}

/* Inputs of all but sources: lower in the table, and of a layout and kind that the node can read. */
static const char *inputs_fault(const struct graph *graph, uint32_t index)
{
    const struct graph_node *node = &graph->nodes[index];
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t input = graph->inputs[node->first + i];
        if (input >= index) {
            return "a node reads one that does not stand before it";
        }
        const struct graph_node *source = &graph->nodes[input];
        if (node->kind == GRAPH_NODE_PLUGIN) {
            bool sidechain = i + 1 == node->count && graph->inserts[node->insert].has_sidechain;
            if (graph_node_is_sum(graph, input)) {
                return "a plugin reads a partial sum";
            }
            if (!sidechain && source->channels != node->channels) {
                return "a plugin's input has another layout than its node";
            }
        } else if (node->kind == GRAPH_NODE_GAIN) {
            if (graph_node_is_sum(graph, input)) {
                return "a gain reads a partial sum";
            }
            if (source->channels != 1 && source->channels != node->channels) {
                return "a gain's input is neither mono nor of the same layout";
            }
        } else if (source->channels != node->channels) {
            return "an input of a sum has another layout";
        }
    }
    return NULL;
}

static const char *gain_fault(const struct graph *graph, const struct graph_node *node)
{
    if (node->count != 1) {
        return "a gain has one input";
    }
    for (uint32_t i = 0; i < node->channels; i++) {
        if (graph->curve_refs[node->curves + i] >= graph->curve_count) {
            return "a gain's curve does not exist";
        }
    }
    return NULL;
}

/* Where the next node's entries must begin, and which of the stored ones belong to a node. */
struct tiles {
    uint32_t regions, inputs, refs, inserts;
    bool *stored;
};

static const char *insert_fault(const struct graph *graph, const struct graph_node *node, struct tiles *next)
{
    if (node->kind != GRAPH_NODE_PLUGIN) {
        return node->insert != 0 ? "only a plugin's node has an insert" : NULL;
    }
    if (node->insert != next->inserts || node->insert >= graph->insert_count) {
        return "the node's insert does not follow the last one's";
    }
    next->inserts++;
    const struct graph_insert *insert = &graph->inserts[node->insert];
    uint32_t inputs = (insert->has_input ? 1u : 0u) + (insert->has_sidechain ? 1u : 0u);
    return node->count != inputs ? "a plugin's node has other inputs than its insert says" : NULL;
}

static const char *range_fault(const struct graph *graph, const struct graph_node *node, struct tiles *next)
{
    if (node->kind == GRAPH_NODE_STORED) {
        if (node->count != 1 || node->first >= graph->stored_count || next->stored[node->first] ||
            node->channels != graph->stored[node->first].channels || node->curves != 0) {
            return "the node's stored frames do not exist, are another's, or have another layout";
        }
        next->stored[node->first] = true;
        return NULL;
    }
    bool clips = node->kind == GRAPH_NODE_CLIPS;
    bool gain = node->kind == GRAPH_NODE_GAIN;
    uint32_t *place = clips ? &next->regions : &next->inputs;
    uint32_t total = clips ? graph->region_count : graph->input_count;
    if (node->first != *place || node->count > total - *place) {
        return "the node's entries are not a range that follows the last one's";
    }
    if (gain ? node->curves != next->refs || node->channels > graph->curve_ref_count - next->refs : node->curves != 0) {
        return "the node's curves are not a range that follows the last one's";
    }
    *place += node->count;
    next->refs += gain ? node->channels : 0;
    return NULL;
}

/* Everything about one node but the regions of CLIPS. */
static const char *node_fault(const struct graph *graph, uint32_t index, struct tiles *next)
{
    const struct graph_node *node = &graph->nodes[index];
    const char *fault = NULL;
    if ((unsigned)node->kind > GRAPH_NODE_STORED) {
        fault = "unknown kind of node";
    } else if (!is_channel_count(node->channels)) {
        fault = "a node has 1 to 16 channels";
    } else if (node->invert && node->kind != GRAPH_NODE_CLIPS && node->kind != GRAPH_NODE_BUS) {
        fault = "only clips and buses change polarity";
    }
    fault = fault != NULL ? fault : range_fault(graph, node, next);
    fault = fault != NULL ? fault : insert_fault(graph, node, next);
    fault = fault != NULL ? fault : graph_text_fault(node->label);
    fault = fault != NULL || graph_node_is_source(node) ? fault : inputs_fault(graph, index);
    return fault == NULL && node->kind == GRAPH_NODE_GAIN ? gain_fault(graph, node) : fault;
}

static enum lh_status check_each_node(const struct graph *graph, struct tiles *next, struct lh_error *error)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const char *fault = node_fault(graph, i, next);
        if (fault != NULL) {
            return graph_refuse(error, "nodes", i, fault);
        }
        enum lh_status status = graph->nodes[i].kind == GRAPH_NODE_CLIPS ? check_clips(graph, i, error) : LH_OK;
        if (status != LH_OK) {
            return status;
        }
    }
    if (next->regions != graph->region_count || next->inputs != graph->input_count ||
        next->refs != graph->curve_ref_count || next->inserts != graph->insert_count) {
        return graph_refuse(error, "nodes", graph->node_count,
                            "regions, inputs, curves or inserts that belong to no node");
    }
    return LH_OK;
}

static enum lh_status check_nodes(const struct graph *graph, struct lh_error *error)
{
    struct tiles next = {.stored = calloc((size_t)graph->stored_count + 1, sizeof *next.stored)};
    if (next.stored == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = check_each_node(graph, &next, error);
    free(next.stored);
    return status;
}

static enum lh_status check_sums(const struct graph *graph, struct lh_error *error)
{
    if (graph->node_count == 0) {
        return LH_OK;
    }
    uint32_t *counts = malloc(graph->node_count * sizeof *counts);
    if (counts == NULL) {
        return lh_error_no_memory(error);
    }
    graph_sum_contributions(graph, counts);
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < graph->node_count; i++) {
        if (counts[i] > GRAPH_INPUTS_MAX) {
            status = graph_refuse(error, "nodes", i, "a sum has more than 4096 contributions; use groups");
        }
    }
    free(counts);
    return status;
}

enum lh_status graph_check(const struct graph *graph, struct lh_error *error)
{
    enum lh_status (*const checks[])(const struct graph *, struct lh_error *) = {
        check_head,   check_media,         check_stored,
        check_curves, graph_check_inserts, graph_check_tempo,
        check_nodes,  check_sums,          graph_check_deliverables,
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        enum lh_status status = checks[i](graph, error);
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}
