/* SPDX-License-Identifier: MIT */
/* Render keys, bottom-up: media, curves, nodes, deliverables. The bytes are stated in graph/keys.h. */
#include "graph/keys.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "graph/deliverable.h"
#include "graph/insert.h"
#include "graph/sums.h"

/* One region's description: a fixed size, so that regions can be sorted as bytes. */
#define REGION_BYTES (3 * LH_DIGEST_SIZE + 6 * 8 + 4 + 1)

/* What all keys of one graph are made with. */
struct keying {
    const struct graph *graph;
    const struct graph_key_context *context;
    const struct lh_digest *media; /* conform keys */
    struct lh_digest *curves;      /* digests of the curves */
    struct lh_digest *nodes;
    struct lh_digest *deliverables;
    uint32_t *counts;         /* contributions of sums */
    uint32_t *flat, *pending; /* room for GRAPH_INPUTS_MAX */
    struct lh_writer writer;  /* the description under way */
    struct lh_writer parts;   /* its regions or contributions, to be sorted */
};

static void write_digest(struct lh_writer *writer, const struct lh_digest *digest)
{
    lh_writer_bytes(writer, digest->bytes, sizeof digest->bytes);
}

static void begin(struct lh_writer *writer, const char *domain, const struct graph_key_context *context)
{
    writer->size = 0;
    lh_writer_text(writer, domain);
    lh_writer_u32(writer, GRAPH_KEY_VERSION);
    lh_writer_u32(writer, context->sound_version);
    lh_writer_text(writer, context->libraries);
}

static enum lh_status finish(const struct lh_writer *writer, struct lh_digest *key)
{
    enum lh_status status = lh_writer_status(writer);
    return status != LH_OK ? status : lh_digest_bytes(writer->data, writer->size, key);
}

static enum lh_status conform_key(struct lh_writer *writer, const struct graph *graph, uint32_t media,
                                  const struct lh_digest *digest, const struct graph_key_context *context,
                                  struct lh_digest *key)
{
    const struct graph_media *entry = &graph->media[media];
    begin(writer, "loophole conform", context);
    write_digest(writer, digest);
    lh_writer_u8(writer, (uint8_t)entry->conform);
    if (entry->conform == GRAPH_CONFORM_SOXR || entry->conform == GRAPH_CONFORM_SAMPLERATE) {
        lh_writer_u32(writer, entry->rate);
        lh_writer_u32(writer, graph->sample_rate);
    }
    if (entry->conform != GRAPH_CONFORM_IN_PLACE) {
        lh_writer_text(writer, context->cpu_class);
    }
    return finish(writer, key);
}

enum lh_status graph_key_conform(const struct graph *graph, uint32_t media, const struct lh_digest *digest,
                                 const struct graph_key_context *context, struct lh_digest *key)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    enum lh_status status = conform_key(&writer, graph, media, digest, context, key);
    lh_writer_fini(&writer);
    return status;
}

static enum lh_status key_curves(struct keying *keying)
{
    const struct graph *graph = keying->graph;
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < graph->curve_count; i++) {
        const struct graph_curve *curve = &graph->curves[i];
        keying->writer.size = 0;
        lh_writer_u32(&keying->writer, curve->count);
        for (uint32_t j = 0; j < curve->count; j++) {
            lh_writer_i64(&keying->writer, graph->points[curve->first + j].frame);
            lh_writer_f32(&keying->writer, graph->points[curve->first + j].value);
        }
        status = finish(&keying->writer, &keying->curves[i]);
    }
    return status;
}

static int compare_regions(const void *a, const void *b)
{
    return memcmp(a, b, REGION_BYTES);
}

static int compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, LH_DIGEST_SIZE);
}

static const struct lh_digest no_curve = {{0}};

static void describe_clips(struct keying *keying, const struct graph_node *node)
{
    struct lh_writer *parts = &keying->parts;
    parts->size = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct graph_region *region = &keying->graph->regions[node->first + i];
        write_digest(parts, &keying->media[region->media]);
        lh_writer_i64(parts, region->start);
        lh_writer_i64(parts, region->length);
        lh_writer_i64(parts, region->offset);
        lh_writer_i64(parts, region->loop_length);
        lh_writer_u8(parts, region->reverse ? 1 : 0);
        lh_writer_f32(parts, region->gain);
        lh_writer_i64(parts, region->fade_in_length);
        lh_writer_i64(parts, region->fade_out_length);
        write_digest(parts, region->fade_in == GRAPH_NONE ? &no_curve : &keying->curves[region->fade_in]);
        write_digest(parts, region->fade_out == GRAPH_NONE ? &no_curve : &keying->curves[region->fade_out]);
    }
    if (node->count > 0 && !parts->failed) {
        qsort(parts->data, node->count, REGION_BYTES, compare_regions);
    }
    lh_writer_u32(&keying->writer, node->count);
}

static void describe_sum(struct keying *keying, uint32_t node)
{
    struct lh_writer *parts = &keying->parts;
    parts->size = 0;
    uint32_t count = graph_sum_flatten(keying->graph, keying->counts, node, keying->flat, keying->pending);
    for (uint32_t i = 0; i < count; i++) {
        write_digest(parts, &keying->nodes[keying->flat[i]]);
    }
    if (count > 0 && !parts->failed) {
        qsort(parts->data, count, LH_DIGEST_SIZE, compare_digests);
    }
    lh_writer_u32(&keying->writer, count);
}

/* Everything that decides over what a plugin gives, but the range. */
static void describe_plugin(struct keying *keying, const struct graph_node *node)
{
    const struct graph *graph = keying->graph;
    const struct graph_insert *insert = &graph->inserts[node->insert];
    const struct graph_plugin *plugin = &graph->plugins[insert->plugin];
    struct lh_writer *writer = &keying->writer;
    lh_writer_u32(writer, graph->sample_rate);
    lh_writer_u32(writer, graph->quantum);
    lh_writer_text(writer, keying->context->cpu_class);
    lh_writer_u8(writer, insert->has_input ? 1 : 0);
    lh_writer_u8(writer, insert->has_sidechain ? 1 : 0);
    for (uint32_t i = 0; i < node->count; i++) {
        write_digest(writer, &keying->nodes[graph->inputs[node->first + i]]);
    }
    lh_writer_text(writer, plugin->uri);
    lh_writer_text(writer, plugin->version);
    write_digest(writer, &plugin->digest);
    lh_writer_text(writer, insert->preset);
    lh_writer_text(writer, insert->state);
    lh_writer_text(writer, insert->identity);
    if (insert->identity[0] != '\0') {
        lh_writer_text(writer, keying->context->job != NULL ? keying->context->job : "");
    }
    lh_writer_u32(writer, insert->parameter_count);
    for (uint32_t i = 0; i < insert->parameter_count; i++) {
        const struct graph_parameter *parameter = &graph->parameters[insert->parameter_first + i];
        lh_writer_text(writer, parameter->symbol);
        write_digest(writer, &keying->curves[parameter->curve]);
    }
    lh_writer_u32(writer, insert->event_count);
    for (uint32_t i = 0; i < insert->event_count; i++) {
        graph_event_write(writer, &graph->events[insert->event_first + i]);
    }
    lh_writer_u32(writer, graph->tempo_count);
    graph_tempo_write(writer, graph);
}

static enum lh_status key_node(struct keying *keying, uint32_t index)
{
    const struct graph *graph = keying->graph;
    const struct graph_node *node = &graph->nodes[index];
    struct lh_writer *writer = &keying->writer;
    begin(writer, "loophole node", keying->context);
    lh_writer_u8(writer, (uint8_t)node->kind);
    lh_writer_u32(writer, node->channels);
    lh_writer_u8(writer, node->invert ? 1 : 0);
    if (node->kind == GRAPH_NODE_GAIN) {
        write_digest(writer, &keying->nodes[graph->inputs[node->first]]);
        for (uint32_t i = 0; i < node->channels; i++) {
            write_digest(writer, &keying->curves[graph->curve_refs[node->curves + i]]);
        }
        return finish(writer, &keying->nodes[index]);
    }
    if (node->kind == GRAPH_NODE_PLUGIN) {
        describe_plugin(keying, node);
        return finish(writer, &keying->nodes[index]);
    }
    if (node->kind == GRAPH_NODE_CLIPS) {
        describe_clips(keying, node);
    } else {
        describe_sum(keying, index);
    }
    if (keying->parts.failed) {
        return LH_ERR_NO_MEMORY;
    }
    lh_writer_bytes(writer, keying->parts.data, keying->parts.size);
    return finish(writer, &keying->nodes[index]);
}

static void describe_marks(struct lh_writer *writer, const struct graph *graph, const struct graph_deliverable *d)
{
    lh_writer_u8(writer, d->has_loop ? 1 : 0);
    lh_writer_i64(writer, d->loop_start);
    lh_writer_i64(writer, d->loop_end);
    lh_writer_u32(writer, d->tag_count);
    for (uint32_t i = 0; i < d->tag_count; i++) {
        lh_writer_text(writer, graph->tags[d->tag_first + i].name);
        lh_writer_text(writer, graph->tags[d->tag_first + i].value);
    }
    lh_writer_u32(writer, graph->marker_count);
    for (uint32_t i = 0; i < graph->marker_count; i++) {
        lh_writer_i64(writer, graph->markers[i].frame);
        lh_writer_text(writer, graph->markers[i].name);
    }
}

static enum lh_status output_key(struct lh_writer *writer, const struct graph_key_context *context,
                                 uint32_t project_rate, const struct lh_digest *node_key, bool is_sum,
                                 const struct graph_span *span, struct lh_digest *key)
{
    begin(writer, "loophole output", context);
    write_digest(writer, node_key);
    lh_writer_u8(writer, is_sum ? 1 : 0);
    lh_writer_u32(writer, project_rate);
    lh_writer_i64(writer, span->begin);
    lh_writer_i64(writer, span->silence);
    lh_writer_i64(writer, span->stop);
    return finish(writer, key);
}

enum lh_status graph_key_output(const struct graph_key_context *context, uint32_t project_rate,
                                const struct lh_digest *node_key, bool is_sum, const struct graph_span *span,
                                struct lh_digest *key)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    enum lh_status status = output_key(&writer, context, project_rate, node_key, is_sum, span, key);
    lh_writer_fini(&writer);
    return status;
}

static enum lh_status key_deliverable(struct keying *keying, uint32_t index)
{
    const struct graph *graph = keying->graph;
    const struct graph_deliverable *d = &graph->deliverables[index];
    struct lh_writer *writer = &keying->writer;
    if (d->format == GRAPH_FORMAT_STORED) {
        struct graph_span span = graph_span_of(d);
        return output_key(writer, keying->context, graph->sample_rate, &keying->nodes[d->node],
                          graph_node_is_sum(graph, d->node), &span, &keying->deliverables[index]);
    }
    begin(writer, "loophole deliverable", keying->context);
    write_digest(writer, &keying->nodes[d->node]);
    lh_writer_u32(writer, graph->sample_rate);
    lh_writer_u32(writer, d->tail == GRAPH_TAIL_UNTIL ? graph->quantum : 0);
    graph_deliverable_write(writer, d);
    lh_writer_u8(writer, d->gain_from != GRAPH_NONE ? 1 : 0);
    if (d->gain_from != GRAPH_NONE) {
        write_digest(writer, &keying->deliverables[d->gain_from]);
    }
    describe_marks(writer, graph, d);
    /* libFLAC's bytes differ between CPUs, though its samples do not. */
    if (graph_format_is_lossy(d->format) || d->format == GRAPH_FORMAT_FLAC || d->rate != graph->sample_rate) {
        lh_writer_text(writer, keying->context->cpu_class);
    }
    return finish(writer, &keying->deliverables[index]);
}

/* Those that a gain comes from have none that it comes from themselves (graph_check), so two passes reach all. */
static enum lh_status key_deliverables(struct keying *keying)
{
    enum lh_status status = LH_OK;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; status == LH_OK && i < keying->graph->deliverable_count; i++) {
            if ((keying->graph->deliverables[i].gain_from == GRAPH_NONE) == (pass == 0)) {
                status = key_deliverable(keying, i);
            }
        }
    }
    return status;
}

static enum lh_status key_media(struct keying *keying, const struct lh_digest *digests, struct lh_digest *keys)
{
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < keying->graph->media_count; i++) {
        status = conform_key(&keying->writer, keying->graph, i, &digests[i], keying->context, &keys[i]);
    }
    keying->media = keys;
    return status;
}

static enum lh_status key_all(struct keying *keying, struct lh_arena *arena, const struct lh_digest *media_digests)
{
    const struct graph *graph = keying->graph;
    struct lh_digest *media = lh_arena_array(arena, graph->media_count, sizeof *media);
    keying->curves = lh_arena_array(arena, graph->curve_count, sizeof *keying->curves);
    keying->nodes = lh_arena_array(arena, graph->node_count, sizeof *keying->nodes);
    keying->deliverables = lh_arena_array(arena, graph->deliverable_count, sizeof *keying->deliverables);
    keying->counts = lh_arena_array(arena, graph->node_count, sizeof *keying->counts);
    keying->flat = lh_arena_array(arena, GRAPH_INPUTS_MAX, sizeof *keying->flat);
    keying->pending = lh_arena_array(arena, GRAPH_INPUTS_MAX, sizeof *keying->pending);
    if (media == NULL || keying->curves == NULL || keying->nodes == NULL || keying->deliverables == NULL ||
        keying->counts == NULL || keying->flat == NULL || keying->pending == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    graph_sum_contributions(graph, keying->counts);
    enum lh_status status = key_media(keying, media_digests, media);
    status = status != LH_OK ? status : key_curves(keying);
    for (uint32_t i = 0; status == LH_OK && i < graph->node_count; i++) {
        status = key_node(keying, i);
    }
    return status != LH_OK ? status : key_deliverables(keying);
}

enum lh_status graph_keys(const struct graph *graph, const struct lh_digest *media_digests,
                          const struct graph_key_context *context, struct lh_digest *node_keys,
                          struct lh_digest *deliverable_keys)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].kind == GRAPH_NODE_STORED) {
            return LH_ERR_UNSUPPORTED;
        }
    }
    struct keying keying = {.graph = graph, .context = context};
    struct lh_arena arena;
    lh_arena_init(&arena);
    lh_writer_init(&keying.writer);
    lh_writer_init(&keying.parts);
    enum lh_status status = key_all(&keying, &arena, media_digests);
    if (status == LH_OK && node_keys != NULL && graph->node_count > 0) {
        memcpy(node_keys, keying.nodes, graph->node_count * sizeof *node_keys);
    }
    if (status == LH_OK && deliverable_keys != NULL && graph->deliverable_count > 0) {
        memcpy(deliverable_keys, keying.deliverables, graph->deliverable_count * sizeof *deliverable_keys);
    }
    lh_writer_fini(&keying.writer);
    lh_writer_fini(&keying.parts);
    lh_arena_fini(&arena);
    return status;
}

enum lh_status graph_keys_unproven(const struct graph *graph, bool *deliverables)
{
    bool *unproven = calloc((size_t)graph->node_count + 1, sizeof *unproven);
    if (unproven == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        unproven[i] = node->kind == GRAPH_NODE_PLUGIN && graph->inserts[node->insert].identity[0] != '\0';
        for (uint32_t j = 0; !graph_node_is_source(node) && j < node->count; j++) {
            unproven[i] = unproven[i] || unproven[graph->inputs[node->first + j]];
        }
    }
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        const struct graph_deliverable *d = &graph->deliverables[i];
        deliverables[i] = unproven[d->node];
        if (d->gain_from != GRAPH_NONE) {
            deliverables[i] = deliverables[i] || unproven[graph->deliverables[d->gain_from].node];
        }
    }
    free(unproven);
    return LH_OK;
}
