/* SPDX-License-Identifier: MIT */
/* MIX tasks: a node and what was fused into it, stride by stride, so that everything in hand stays in the cache. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/io/stored.h"
#include "engine/run/pass.h"

void *engine_pass_buffer(const struct engine_pass *pass, uint32_t chain, int64_t block)
{
    size_t slot = (size_t)(block % pass->plan->slots);
    return pass->buffers + slot * pass->plan->slot_bytes + pass->plan->chains[chain].buffer_offset;
}

void engine_pass_frames(const struct engine_pass *pass, uint32_t chain, int64_t block, int64_t *from, int64_t *to)
{
    const struct engine_chain *own = &pass->plan->chains[chain];
    engine_plan_frames(pass->plan, own->shift, own->stop, block, from, to);
}

enum lh_status engine_fault_sample(const char *what, const char *part, int64_t from, const float *in, size_t frames,
                                   size_t channels, struct lh_error *error)
{
    for (size_t i = 0; i < frames * channels; i++) {
        if (fabsf(in[i]) < ENGINE_GRID_LIMIT) {
            continue;
        }
        char where[LH_ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "%s%s, frame %lld, channel %zu", what, part,
                 (long long)(from + (int64_t)(i / channels)), i % channels + 1);
        if (isfinite(in[i])) {
            return lh_error_set(error, LH_ERR_FAULT, where,
                                "the level reaches +66 dBFS (a sample is %g times full scale): turn it down",
                                (double)in[i]);
        }
        return lh_error_set(error, LH_ERR_FAULT, where, "a sample is %s, which is no sound: repair the source",
                            isnan(in[i]) ? "NaN" : "infinite");
    }
    return lh_error_set(error, LH_ERR_INTERNAL, what, "a fault was seen but no sample is at fault");
}

/* Where in the work a stride is. */
struct stride {
    const struct engine_pass *pass;
    struct engine_scratch *scratch;
    int64_t block;
    int64_t shift; /* of the chain that reads */
    int64_t from;  /* timeline frame */
    size_t frames;
    size_t in_block; /* frames of the block before this stride */
};

/* The block's samples of a computed node. */
static const void *block_of(const struct stride *stride, uint32_t n)
{
    uint32_t chain = engine_plan_source(stride->pass->plan, n, stride->shift);
    return engine_pass_buffer(stride->pass, chain, stride->block);
}

/* The stride's part of them. */
static const float *computed(const struct stride *stride, uint32_t n)
{
    const float *buffer = block_of(stride, n);
    return buffer + stride->in_block * stride->pass->sources->graph->nodes[n].channels;
}

/* Gains of a GAIN node over the stride. True: constant, in gains[]; false: laid out frame by frame in scratch->gain. */
static bool stride_gains(const struct stride *stride, uint32_t n, float *gains)
{
    const struct graph *graph = stride->pass->sources->graph;
    const struct graph_node *node = &graph->nodes[n];
    const struct engine_gain *gain = &stride->pass->plan->gains[n];
    if (gain->constant) {
        memcpy(gains, gain->gains, node->channels * sizeof *gains);
        return true;
    }
    for (uint32_t c = 0; c < node->channels; c++) {
        engine_curve_fill(graph, graph->curve_refs[node->curves + c], stride->from, stride->frames,
                          stride->scratch->gain + c, node->channels);
    }
    return false;
}

static void widen_into(float *out, const float *mono, size_t frames, size_t channels)
{
    for (size_t i = 0; i < frames; i++) {
        for (size_t c = 0; c < channels; c++) {
            out[i * channels + c] = mono[i];
        }
    }
}

static void apply_gain(const struct stride *stride, uint32_t n, float *data)
{
    const struct graph_node *node = &stride->pass->sources->graph->nodes[n];
    const struct engine_kernels *kernels = stride->pass->sources->kernels;
    float gains[GRAPH_CHANNELS_MAX];
    if (stride_gains(stride, n, gains)) {
        kernels->gain(data, data, stride->frames, node->channels, gains);
    } else {
        kernels->multiply(data, data, stride->scratch->gain, stride->frames * node->channels);
    }
}

/* A STORED node over the stride: floats or sums. */
static enum lh_status read_stored(const struct stride *stride, uint32_t n, void *out, struct lh_error *error)
{
    const struct engine_sources *sources = stride->pass->sources;
    const struct graph_node *node = &sources->graph->nodes[n];
    enum lh_status status = engine_stored_read(sources->stored[node->first], &sources->graph->stored[node->first],
                                               stride->from, stride->frames, out, error);
    if (status != LH_OK && error != NULL) {
        snprintf(error->where, sizeof error->where, "%s", node->label);
    }
    return status;
}

/* The value of a CLIPS, STORED or GAIN node over the stride, into `out`; *silent instead when it is all zeros. The
   recursion is bounded by the planner (FUSE_DEPTH_MAX). `own`: compute it even though it has a buffer, which is what is
   being filled. */
static enum lh_status evaluate(const struct stride *stride, uint32_t n, bool own, float *out, bool *silent,
                               struct lh_error *error)
{
    const struct graph *graph = stride->pass->sources->graph;
    const struct graph_node *node = &graph->nodes[n];
    uint32_t chain = stride->pass->plan->chain_of_node[n];
    *silent = false;
    if (!own && chain != GRAPH_NONE) {
        memcpy(out, computed(stride, n), stride->frames * node->channels * sizeof *out);
        return LH_OK;
    }
    if (node->kind == GRAPH_NODE_CLIPS) {
        enum engine_clips_shape shape;
        enum engine_sample_format format;
        enum lh_status status = engine_clips_read(stride->pass, stride->scratch, n, stride->from, stride->frames, false,
                                                  out, &shape, &format, error);
        *silent = shape == ENGINE_CLIPS_SILENT;
        return status;
    }
    if (node->kind == GRAPH_NODE_STORED) {
        return read_stored(stride, n, out, error);
    }
    uint32_t input = graph->inputs[node->first];
    bool wider = graph->nodes[input].channels != node->channels;
    enum lh_status status = evaluate(stride, input, false, wider ? stride->scratch->mono : out, silent, error);
    if (status != LH_OK) {
        return status;
    }
    if (*silent) {
        if (stride->pass->plan->gains[n].keeps_silence) {
            return LH_OK;
        }
        *silent = false;
        memset(wider ? stride->scratch->mono : out, 0, stride->frames * graph->nodes[input].channels * sizeof *out);
    }
    if (wider) {
        widen_into(out, stride->scratch->mono, stride->frames, node->channels);
    }
    apply_gain(stride, n, out);
    return LH_OK;
}

static enum lh_status name_fault(const struct stride *stride, uint32_t n, const float *value, struct lh_error *error)
{
    const struct graph_node *node = &stride->pass->sources->graph->nodes[n];
    return engine_fault_sample(node->label, "", stride->from, value, stride->frames, node->channels, error);
}

/* A fused node's value goes into the sum through a float buffer. */
static enum lh_status add_value(const struct stride *stride, uint32_t n, int64_t *sum, struct lh_error *error)
{
    const struct graph_node *node = &stride->pass->sources->graph->nodes[n];
    float *value = stride->scratch->value;
    bool silent;
    enum lh_status status = evaluate(stride, n, false, value, &silent, error);
    if (status != LH_OK || silent) {
        return status;
    }
    if (!stride->pass->sources->kernels->accumulate(sum, value, stride->frames * node->channels)) {
        return name_fault(stride, n, value, error);
    }
    return LH_OK;
}

/* Below what faults a contribution. */
static bool are_small(const float *values, size_t channels)
{
    for (size_t c = 0; c < channels; c++) {
        if (!(fabsf(values[c]) < ENGINE_GRID_LIMIT)) {
            return false;
        }
    }
    return true;
}

/* Clips under a constant gain (or none: n is the CLIPS node itself) straight from the file's bytes where they allow it:
   the plain stem of a mix, and what decides over its speed. The same bits as add_value(). */
static enum lh_status add_clips(const struct stride *stride, uint32_t n, uint32_t clips, const float *gains,
                                int64_t *sum, struct lh_error *error)
{
    const struct graph_node *node = &stride->pass->sources->graph->nodes[n];
    const struct engine_kernels *kernels = stride->pass->sources->kernels;
    struct engine_scratch *scratch = stride->scratch;
    size_t inputs = stride->pass->sources->graph->nodes[clips].channels;
    enum engine_clips_shape shape;
    enum engine_sample_format format;
    enum lh_status status = engine_clips_read(stride->pass, scratch, clips, stride->from, stride->frames, true,
                                              scratch->value, &shape, &format, error);
    if (status != LH_OK || shape == ENGINE_CLIPS_SILENT) {
        return status; /* a zero of either sign adds nothing */
    }
    if (shape == ENGINE_CLIPS_RAW) {
        if (inputs == node->channels && are_small(gains, inputs) &&
            (format == ENGINE_SAMPLE_S24_LE || format == ENGINE_SAMPLE_S16_LE)) {
            (format == ENGINE_SAMPLE_S24_LE ? kernels->accumulate_s24 : kernels->accumulate_s16)(
                sum, scratch->raw, stride->frames, inputs, gains);
            return LH_OK;
        }
        kernels->decode[format](scratch->value, scratch->raw, stride->frames * inputs);
    }
    bool sound = inputs == node->channels ? kernels->accumulate_gain(sum, scratch->value, stride->frames, inputs, gains)
                                          : kernels->accumulate_pan(sum, scratch->value, stride->frames, gains);
    if (!sound) {
        float *product = scratch->region;
        widen_into(product, scratch->value, inputs == node->channels ? 0 : stride->frames, node->channels);
        kernels->gain(product, inputs == node->channels ? scratch->value : product, stride->frames, node->channels,
                      gains);
        return name_fault(stride, n, product, error);
    }
    return LH_OK;
}

/* A node that was computed before, here or elsewhere, under a constant gain. */
static enum lh_status add_computed(const struct stride *stride, uint32_t n, uint32_t source, const float *gains,
                                   int64_t *sum, struct lh_error *error)
{
    const struct graph *graph = stride->pass->sources->graph;
    const struct engine_kernels *kernels = stride->pass->sources->kernels;
    const struct graph_node *node = &graph->nodes[n];
    size_t inputs = graph->nodes[source].channels;
    const float *value = stride->scratch->value;
    if (stride->pass->plan->chain_of_node[source] != GRAPH_NONE) {
        value = computed(stride, source);
    } else {
        enum lh_status status = read_stored(stride, source, stride->scratch->value, error);
        if (status != LH_OK) {
            return status;
        }
    }
    bool sound = inputs == node->channels ? kernels->accumulate_gain(sum, value, stride->frames, inputs, gains)
                                          : kernels->accumulate_pan(sum, value, stride->frames, gains);
    if (!sound) {
        bool silent;
        enum lh_status status = evaluate(stride, n, false, stride->scratch->value, &silent, error);
        return status != LH_OK ? status : name_fault(stride, n, stride->scratch->value, error);
    }
    return LH_OK;
}

/* A partial sum, computed or stored. */
static enum lh_status add_partial(const struct stride *stride, uint32_t input, int64_t *sum, struct lh_error *error)
{
    size_t channels = stride->pass->sources->graph->nodes[input].channels;
    const int64_t *part = stride->scratch->clips;
    if (stride->pass->plan->chain_of_node[input] != GRAPH_NONE) {
        part = (const int64_t *)block_of(stride, input) + stride->in_block * channels;
    } else {
        enum lh_status status = read_stored(stride, input, stride->scratch->clips, error);
        if (status != LH_OK) {
            return status;
        }
    }
    stride->pass->sources->kernels->add(sum, part, stride->frames * channels);
    return LH_OK;
}

/* Adds one input to a sum, by the shortest way that gives its bits. */
static enum lh_status add_input(const struct stride *stride, uint32_t input, int64_t *sum, struct lh_error *error)
{
    static const float unity[GRAPH_CHANNELS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const struct graph *graph = stride->pass->sources->graph;
    const struct engine_plan *plan = stride->pass->plan;
    const struct engine_kernels *kernels = stride->pass->sources->kernels;
    const struct graph_node *node = &graph->nodes[input];
    uint32_t chain = plan->chain_of_node[input];
    size_t count = stride->frames * node->channels;
    if (graph_node_is_sum(graph, input)) {
        return add_partial(stride, input, sum, error);
    }
    if (chain != GRAPH_NONE) {
        const float *value = computed(stride, input);
        return kernels->accumulate(sum, value, count) ? LH_OK : name_fault(stride, input, value, error);
    }
    if (node->kind == GRAPH_NODE_CLIPS) {
        return add_clips(stride, input, input, unity, sum, error);
    }
    if (node->kind == GRAPH_NODE_STORED) {
        return add_value(stride, input, sum, error);
    }
    uint32_t source = graph->inputs[node->first];
    uint32_t inputs = graph->nodes[source].channels;
    if (plan->gains[input].constant && (inputs == node->channels || node->channels == 2)) {
        if (plan->chain_of_node[source] != GRAPH_NONE || graph->nodes[source].kind == GRAPH_NODE_STORED) {
            return add_computed(stride, input, source, plan->gains[input].gains, sum, error);
        }
        if (graph->nodes[source].kind == GRAPH_NODE_CLIPS) {
            return add_clips(stride, input, source, plan->gains[input].gains, sum, error);
        }
    }
    return add_value(stride, input, sum, error);
}

/* A PARTIAL accumulates into its own buffer, a BUS into scratch from where it is completed. */
static enum lh_status mix_sum(const struct stride *stride, uint32_t n, void *out, struct lh_error *error)
{
    const struct graph *graph = stride->pass->sources->graph;
    const struct graph_node *node = &graph->nodes[n];
    size_t count = stride->frames * node->channels;
    int64_t *sum =
        node->kind == GRAPH_NODE_PARTIAL ? (int64_t *)out + stride->in_block * node->channels : stride->scratch->sum;
    memset(sum, 0, count * sizeof *sum);
    for (uint32_t i = 0; i < node->count; i++) {
        enum lh_status status = add_input(stride, graph->inputs[node->first + i], sum, error);
        if (status != LH_OK) {
            return status;
        }
    }
    if (node->kind == GRAPH_NODE_PARTIAL) {
        return LH_OK;
    }
    float *completed = (float *)out + stride->in_block * node->channels;
    if (!stride->pass->sources->kernels->complete(completed, sum, count, node->invert)) {
        return engine_fault_sample(node->label, "", stride->from, completed, stride->frames, node->channels, error);
    }
    return LH_OK;
}

enum lh_status engine_mix_judge(const struct engine_pass *pass, uint32_t n, int64_t from, const float *value,
                                size_t frames, struct lh_error *error)
{
    const struct graph_node *node = &pass->sources->graph->nodes[n];
    float peaks[GRAPH_CHANNELS_MAX] = {0};
    pass->sources->kernels->peak(peaks, value, frames, node->channels);
    return are_small(peaks, node->channels)
               ? LH_OK
               : engine_fault_sample(node->label, "", from, value, frames, node->channels, error);
}

/* A stored sum is nobody's fault yet, and is not delivered to be heard. */
static enum lh_status mix_stored(const struct stride *stride, uint32_t chain, void *out, struct lh_error *error)
{
    const struct engine_chain *own = &stride->pass->plan->chains[chain];
    size_t bytes = graph_node_frame_bytes(stride->pass->sources->graph, own->node);
    uint8_t *value = (uint8_t *)out + stride->in_block * bytes;
    enum lh_status status = read_stored(stride, own->node, value, error);
    if (status != LH_OK || !own->judged) {
        return status;
    }
    return engine_mix_judge(stride->pass, own->node, stride->from, (const float *)(const void *)value, stride->frames,
                            error);
}

static enum lh_status mix_value(const struct stride *stride, uint32_t chain, float *out, struct lh_error *error)
{
    const struct engine_chain *own = &stride->pass->plan->chains[chain];
    size_t channels = stride->pass->sources->graph->nodes[own->node].channels;
    float *value = out + stride->in_block * channels;
    bool silent;
    enum lh_status status = evaluate(stride, own->node, true, value, &silent, error);
    if (status != LH_OK) {
        return status;
    }
    if (silent) {
        memset(value, 0, stride->frames * channels * sizeof *value);
    }
    return own->judged && !silent
               ? engine_mix_judge(stride->pass, own->node, stride->from, value, stride->frames, error)
               : LH_OK;
}

enum lh_status engine_mix_read(const struct engine_pass *pass, uint32_t worker, uint32_t chain, int64_t block,
                               uint32_t input, int64_t from, size_t frames, float *out, const float **value,
                               struct lh_error *error)
{
    const struct engine_chain *reader = &pass->plan->chains[chain];
    int64_t first;
    int64_t last;
    engine_plan_frames(pass->plan, reader->reads, INT64_MAX, block, &first, &last);
    struct stride stride = {.pass = pass,
                            .scratch = &pass->scratch[worker],
                            .block = block,
                            .shift = reader->reads,
                            .from = from,
                            .frames = frames,
                            .in_block = (size_t)(from - first)};
    if (pass->plan->chain_of_node[input] != GRAPH_NONE) {
        *value = computed(&stride, input);
        return LH_OK;
    }
    bool silent;
    enum lh_status status = evaluate(&stride, input, false, out, &silent, error);
    if (status == LH_OK) {
        *value = silent ? NULL : out;
    }
    return status;
}

enum lh_status engine_mix_block(const struct engine_pass *pass, uint32_t worker, uint32_t chain, int64_t block,
                                struct lh_error *error)
{
    uint32_t n = pass->plan->chains[chain].node;
    enum graph_node_kind kind = pass->sources->graph->nodes[n].kind;
    bool sums = kind == GRAPH_NODE_BUS || kind == GRAPH_NODE_PARTIAL;
    void *out = engine_pass_buffer(pass, chain, block);
    int64_t from;
    int64_t to;
    engine_pass_frames(pass, chain, block, &from, &to);
    for (int64_t at = from; at < to; at += pass->plan->stride) {
        struct stride stride = {.pass = pass,
                                .scratch = &pass->scratch[worker],
                                .block = block,
                                .shift = pass->plan->chains[chain].shift,
                                .from = at};
        stride.frames = (size_t)(to - at < pass->plan->stride ? to - at : pass->plan->stride);
        stride.in_block = (size_t)(at - from);
        enum lh_status status = sums                        ? mix_sum(&stride, n, out, error)
                                : kind == GRAPH_NODE_STORED ? mix_stored(&stride, chain, out, error)
                                                            : mix_value(&stride, chain, out, error);
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}
