/* SPDX-License-Identifier: MIT */
/* What holds of a shard, and its bytes; graph/shard.h states both. */
#include "graph/shard.h"

#include <stdlib.h>
#include <string.h>

#include "graph/deliverable.h"
#include "graph/encode.h"

#define MAGIC "LHshard"
#define MAGIC_SIZE 8
#define EDGE_BYTES (1 + 4 + LH_DIGEST_SIZE)

static enum lh_status refuse(struct lh_error *error, const char *table, size_t index, const char *message)
{
    graph_refuse(error, table, (uint32_t)index, "");
    return lh_error_set(error, LH_ERR_FORMAT, error != NULL ? error->where : NULL, "shard: %s", message);
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, LH_DIGEST_SIZE);
}

/* Whoever keeps outputs knows them by their keys. */
static enum lh_status check_distinct(const struct graph_shard *shard, struct lh_error *error)
{
    struct lh_digest *keys = calloc(shard->output_count + 1, sizeof *keys);
    if (keys == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < shard->output_count; i++) {
        keys[i] = shard->outputs[i].key;
    }
    qsort(keys, shard->output_count, sizeof *keys, compare_keys);
    bool distinct = true;
    for (size_t i = 1; i < shard->output_count; i++) {
        distinct = distinct && !lh_digest_equal(&keys[i - 1], &keys[i]);
    }
    free(keys);
    return distinct ? LH_OK : lh_error_set(error, LH_ERR_FORMAT, "outputs", "shard: two outputs have one key");
}

static enum lh_status check_probe(const struct graph_shard *shard, struct lh_error *error)
{
    if (shard->graph != NULL) {
        return lh_error_set(error, LH_ERR_FORMAT, "graph", "shard: a probe has no graph");
    }
    if (shard->output_count != shard->input_count) {
        return lh_error_set(error, LH_ERR_FORMAT, "outputs", "shard: a probe says one thing of each file");
    }
    for (size_t i = 0; i < shard->input_count; i++) {
        const struct graph_shard_input *input = &shard->inputs[i];
        if (input->kind != GRAPH_SHARD_MEDIUM && input->kind != GRAPH_SHARD_MIDI) {
            return refuse(error, "inputs", i, "a probe looks into files only");
        }
        if (input->index != i) {
            return refuse(error, "inputs", i, "the files of a probe are counted through");
        }
        if (shard->outputs[i].kind != GRAPH_SHARD_OUT_FACTS || shard->outputs[i].index != i) {
            return refuse(error, "outputs", i, "a probe gives the facts of each file, in their order");
        }
    }
    return LH_OK;
}

/* First the media, then the stored frames, each in its order. */
static enum lh_status check_inputs(const struct graph_shard *shard, struct lh_error *error)
{
    const struct graph *graph = shard->graph;
    if (shard->input_count != (size_t)graph->media_count + graph->stored_count) {
        return lh_error_set(error, LH_ERR_FORMAT, "inputs",
                            "shard: each medium and each stored node of the graph has one input");
    }
    for (uint32_t i = 0; i < graph->media_count; i++) {
        const struct graph_shard_input *input = &shard->inputs[i];
        bool conformed = input->kind == GRAPH_SHARD_CONFORMED;
        if ((input->kind != GRAPH_SHARD_MEDIUM && !conformed) || input->index != i) {
            return refuse(error, "inputs", i, "the media come first, in their order");
        }
        if (conformed && (graph->media[i].conform == GRAPH_CONFORM_IN_PLACE || shard->kind == GRAPH_SHARD_CONVERT)) {
            return refuse(error, "inputs", i, "this medium is not conformed before");
        }
    }
    for (uint32_t i = 0; i < graph->stored_count; i++) {
        const struct graph_shard_input *input = &shard->inputs[graph->media_count + i];
        if (input->kind != GRAPH_SHARD_STORED || input->index != i) {
            return refuse(error, "inputs", (size_t)graph->media_count + i,
                          "stored frames come behind the media, in their order");
        }
    }
    return LH_OK;
}

static bool fits_deliverable(const struct graph *graph, const struct graph_shard_output *output)
{
    if (output->index >= graph->deliverable_count) {
        return false;
    }
    const struct graph_deliverable *deliverable = &graph->deliverables[output->index];
    if (deliverable->format != GRAPH_FORMAT_STORED) {
        return output->kind == GRAPH_SHARD_OUT_FILE;
    }
    return output->kind == (graph_node_is_sum(graph, deliverable->node) ? GRAPH_SHARD_OUT_SUM : GRAPH_SHARD_OUT_STORED);
}

static bool fits_medium(const struct graph *graph, const struct graph_shard_output *output)
{
    return output->kind == GRAPH_SHARD_OUT_CONFORMED && output->index < graph->media_count &&
           graph->media[output->index].conform != GRAPH_CONFORM_IN_PLACE;
}

static enum lh_status check_outputs(const struct graph_shard *shard, struct lh_error *error)
{
    for (size_t i = 0; i < shard->output_count; i++) {
        const struct graph_shard_output *output = &shard->outputs[i];
        bool fits = shard->kind == GRAPH_SHARD_CONVERT ? fits_medium(shard->graph, output)
                                                       : fits_deliverable(shard->graph, output);
        if (!fits) {
            return refuse(error, "outputs", i, "the graph makes nothing of this kind and index");
        }
        if (i > 0 && output->index <= shard->outputs[i - 1].index) {
            return refuse(error, "outputs", i, "outputs stand in the order of what they hold, each once");
        }
    }
    return LH_OK;
}

static enum lh_status check_graph(const struct graph_shard *shard, struct lh_error *error)
{
    const struct graph *graph = shard->graph;
    if (graph == NULL) {
        return lh_error_set(error, LH_ERR_FORMAT, "graph", "shard: there is no graph");
    }
    if (shard->kind == GRAPH_SHARD_CONVERT &&
        (graph->node_count > 0 || graph->deliverable_count > 0 || graph->stored_count > 0)) {
        return lh_error_set(error, LH_ERR_FORMAT, "graph", "shard: what converts has media alone");
    }
    enum lh_status status = check_inputs(shard, error);
    return status == LH_OK ? check_outputs(shard, error) : status;
}

enum lh_status graph_shard_check(const struct graph_shard *shard, struct lh_error *error)
{
    if (shard->output_count == 0) {
        return lh_error_set(error, LH_ERR_FORMAT, "outputs", "shard: it makes nothing");
    }
    if (shard->input_count > GRAPH_SHARD_EDGES_MAX || shard->output_count > GRAPH_SHARD_EDGES_MAX) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "shard: more than %d inputs or outputs", GRAPH_SHARD_EDGES_MAX);
    }
    enum lh_status status = shard->kind == GRAPH_SHARD_PROBE ? check_probe(shard, error) : check_graph(shard, error);
    return status == LH_OK ? check_distinct(shard, error) : status;
}

static void write_edge(struct lh_writer *writer, unsigned kind, uint32_t index, const struct lh_digest *key)
{
    lh_writer_u8(writer, (uint8_t)kind);
    lh_writer_u32(writer, index);
    lh_writer_bytes(writer, key->bytes, sizeof key->bytes);
}

enum lh_status graph_shard_encode(const struct graph_shard *shard, struct lh_writer *writer)
{
    struct lh_writer graph;
    lh_writer_init(&graph);
    enum lh_status status = shard->graph != NULL ? graph_encode(shard->graph, &graph) : LH_OK;
    if (status == LH_OK) {
        lh_writer_bytes(writer, MAGIC, MAGIC_SIZE);
        lh_writer_u32(writer, GRAPH_SHARD_VERSION);
        lh_writer_u8(writer, (uint8_t)shard->kind);
        lh_writer_u32(writer, (uint32_t)shard->input_count);
        lh_writer_u32(writer, (uint32_t)shard->output_count);
        lh_writer_u64(writer, graph.size);
        for (size_t i = 0; i < shard->input_count; i++) {
            write_edge(writer, shard->inputs[i].kind, shard->inputs[i].index, &shard->inputs[i].key);
        }
        for (size_t i = 0; i < shard->output_count; i++) {
            write_edge(writer, shard->outputs[i].kind, shard->outputs[i].index, &shard->outputs[i].key);
        }
        lh_writer_bytes(writer, graph.data, graph.size);
        status = lh_writer_status(writer);
    }
    lh_writer_fini(&graph);
    return status;
}

static unsigned read_edge(struct lh_reader *reader, unsigned last, uint32_t *index, struct lh_digest *key)
{
    unsigned kind = lh_reader_u8(reader);
    *index = lh_reader_u32(reader);
    const uint8_t *bytes = lh_reader_view(reader, sizeof key->bytes);
    if (bytes == NULL || kind > last) {
        reader->failed = true;
        return 0;
    }
    memcpy(key->bytes, bytes, sizeof key->bytes);
    return kind;
}

static enum lh_status read_edges(struct lh_reader *reader, struct lh_arena *arena, struct graph_shard *shard)
{
    struct graph_shard_input *input = lh_arena_array(arena, shard->input_count, sizeof *input);
    struct graph_shard_output *output = lh_arena_array(arena, shard->output_count, sizeof *output);
    if (input == NULL || output == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < shard->input_count; i++) {
        input[i].kind =
            (enum graph_shard_input_kind)read_edge(reader, GRAPH_SHARD_STORED, &input[i].index, &input[i].key);
    }
    for (size_t i = 0; i < shard->output_count; i++) {
        output[i].kind =
            (enum graph_shard_output_kind)read_edge(reader, GRAPH_SHARD_OUT_FACTS, &output[i].index, &output[i].key);
    }
    shard->inputs = input;
    shard->outputs = output;
    return LH_OK;
}

static enum lh_status damaged(struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_FORMAT, NULL, "the encoded shard is damaged");
}

/* What stands in front of the edges. */
static enum lh_status read_head(struct lh_reader *reader, struct graph_shard *shard, uint64_t *graph_size,
                                struct lh_error *error)
{
    const uint8_t *magic = lh_reader_view(reader, MAGIC_SIZE);
    if (magic == NULL || memcmp(magic, MAGIC, MAGIC_SIZE) != 0) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "this is not an encoded shard");
    }
    uint32_t version = lh_reader_u32(reader);
    if (version != GRAPH_SHARD_VERSION) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the shard is encoded as version %u; this program reads version %d", version,
                            GRAPH_SHARD_VERSION);
    }
    unsigned kind = lh_reader_u8(reader);
    shard->input_count = lh_reader_u32(reader);
    shard->output_count = lh_reader_u32(reader);
    *graph_size = lh_reader_u64(reader);
    size_t left = (reader->size - reader->offset) / EDGE_BYTES;
    if (!lh_reader_ok(reader) || kind > GRAPH_SHARD_RENDER || shard->input_count > left ||
        shard->output_count > left - shard->input_count) {
        return damaged(error);
    }
    shard->kind = (enum graph_shard_kind)kind;
    return LH_OK;
}

/* All in front of the graph, which is the rest. */
static enum lh_status read_tables(struct lh_reader *reader, struct lh_arena *arena, struct graph_shard *shard,
                                  struct lh_error *error)
{
    uint64_t graph_size = 0;
    enum lh_status status = read_head(reader, shard, &graph_size, error);
    if (status == LH_OK && read_edges(reader, arena, shard) != LH_OK) {
        return lh_error_no_memory(error);
    }
    if (status == LH_OK && (!lh_reader_ok(reader) || graph_size != reader->size - reader->offset)) {
        status = damaged(error);
    }
    return status;
}

enum lh_status graph_shard_edges(const void *data, size_t size, struct lh_arena *arena, struct graph_shard *shard,
                                 struct lh_error *error)
{
    struct lh_reader reader;
    struct graph_shard read = {.graph = NULL};
    lh_reader_init(&reader, data, size);
    enum lh_status status = read_tables(&reader, arena, &read, error);
    if (status == LH_OK) {
        *shard = read;
    }
    return status;
}

enum lh_status graph_shard_decode(const void *data, size_t size, struct lh_arena *arena, struct graph_shard *shard,
                                  struct lh_error *error)
{
    struct lh_reader reader;
    struct graph_shard read = {.graph = NULL};
    lh_reader_init(&reader, data, size);
    enum lh_status status = read_tables(&reader, arena, &read, error);
    size_t graph_size = status == LH_OK ? reader.size - reader.offset : 0;
    if (status == LH_OK && graph_size > 0) {
        status = graph_decode(reader.data + reader.offset, graph_size, &read.graph, error);
    }
    status = status == LH_OK ? graph_shard_check(&read, error) : status;
    if (status != LH_OK) {
        graph_unref(read.graph);
        return status;
    }
    *shard = read;
    return LH_OK;
}
