/* SPDX-License-Identifier: MIT */
/* Writing the canonical encoding; its layout stands in graph/encode.h. Reading it is graph/decode.c. */
#include "graph/encode.h"

#include "graph/deliverable.h"
#include "graph/insert.h"
#include "graph/layout.h"

static void write_media(struct lh_writer *writer, const struct graph_media *media)
{
    lh_writer_u32(writer, media->channels);
    lh_writer_u32(writer, media->rate);
    lh_writer_u64(writer, media->frames);
    lh_writer_u64(writer, media->length);
    lh_writer_u8(writer, (uint8_t)media->conform);
    lh_writer_text(writer, media->name);
}

static void write_stored(struct lh_writer *writer, const struct graph_stored *stored)
{
    lh_writer_u32(writer, stored->channels);
    lh_writer_u8(writer, stored->sum ? 1 : 0);
    lh_writer_i64(writer, stored->begin);
    lh_writer_i64(writer, stored->frames);
}

static void write_region(struct lh_writer *writer, const struct graph_region *region)
{
    lh_writer_u32(writer, region->media);
    lh_writer_i64(writer, region->start);
    lh_writer_i64(writer, region->length);
    lh_writer_i64(writer, region->offset);
    lh_writer_i64(writer, region->loop_length);
    lh_writer_u8(writer, region->reverse ? 1 : 0);
    lh_writer_f32(writer, region->gain);
    lh_writer_i64(writer, region->fade_in_length);
    lh_writer_i64(writer, region->fade_out_length);
    lh_writer_u32(writer, region->fade_in);
    lh_writer_u32(writer, region->fade_out);
}

static void write_plugin(struct lh_writer *writer, const struct graph_plugin *plugin)
{
    lh_writer_text(writer, plugin->uri);
    lh_writer_text(writer, plugin->bundle);
    lh_writer_text(writer, plugin->version);
    lh_writer_bytes(writer, plugin->digest.bytes, sizeof plugin->digest.bytes);
}

static void write_insert(struct lh_writer *writer, const struct graph_insert *insert)
{
    lh_writer_u32(writer, insert->plugin);
    lh_writer_u8(writer, insert->has_input ? 1 : 0);
    lh_writer_u8(writer, insert->has_sidechain ? 1 : 0);
    lh_writer_u32(writer, insert->parameter_count);
    lh_writer_u32(writer, insert->event_count);
    lh_writer_text(writer, insert->preset);
    lh_writer_text(writer, insert->preset_bundle);
    lh_writer_text(writer, insert->state);
    lh_writer_text(writer, insert->folder);
    lh_writer_text(writer, insert->identity);
}

static void write_plugin_tables(struct lh_writer *writer, const struct graph *graph)
{
    for (uint32_t i = 0; i < graph->plugin_count; i++) {
        write_plugin(writer, &graph->plugins[i]);
    }
    for (uint32_t i = 0; i < graph->parameter_count; i++) {
        lh_writer_text(writer, graph->parameters[i].symbol);
        lh_writer_u32(writer, graph->parameters[i].curve);
    }
    for (uint32_t i = 0; i < graph->event_count; i++) {
        graph_event_write(writer, &graph->events[i]);
    }
    for (uint32_t i = 0; i < graph->insert_count; i++) {
        write_insert(writer, &graph->inserts[i]);
    }
    graph_tempo_write(writer, graph);
}

static void write_node(struct lh_writer *writer, const struct graph_node *node)
{
    lh_writer_u8(writer, (uint8_t)node->kind);
    lh_writer_u8(writer, node->invert ? 1 : 0);
    lh_writer_u32(writer, node->channels);
    lh_writer_u32(writer, node->count);
    lh_writer_text(writer, node->label);
    if (node->kind == GRAPH_NODE_STORED) {
        lh_writer_u32(writer, node->first);
    }
}

static void write_deliverable(struct lh_writer *writer, const struct graph_deliverable *deliverable)
{
    const struct graph_deliverable *d = deliverable;
    lh_writer_u32(writer, d->node);
    graph_deliverable_write(writer, d);
    lh_writer_u32(writer, d->gain_from);
    lh_writer_u8(writer, d->has_loop ? 1 : 0);
    lh_writer_i64(writer, d->loop_start);
    lh_writer_i64(writer, d->loop_end);
    lh_writer_u32(writer, d->tag_count);
    lh_writer_text(writer, d->name);
}

static void write_head(struct lh_writer *writer, const struct graph *graph)
{
    lh_writer_bytes(writer, GRAPH_MAGIC, GRAPH_MAGIC_SIZE);
    lh_writer_u32(writer, GRAPH_ENCODING_VERSION);
    lh_writer_u32(writer, graph->sample_rate);
    lh_writer_u32(writer, graph->quantum);
    lh_writer_u32(writer, graph->media_count);
    lh_writer_u32(writer, graph->stored_count);
    lh_writer_u32(writer, graph->curve_count);
    lh_writer_u32(writer, graph->point_count);
    lh_writer_u32(writer, graph->region_count);
    lh_writer_u32(writer, graph->input_count);
    lh_writer_u32(writer, graph->curve_ref_count);
    lh_writer_u32(writer, graph->plugin_count);
    lh_writer_u32(writer, graph->parameter_count);
    lh_writer_u32(writer, graph->event_count);
    lh_writer_u32(writer, graph->insert_count);
    lh_writer_u32(writer, graph->tempo_count);
    lh_writer_u32(writer, graph->node_count);
    lh_writer_u32(writer, graph->deliverable_count);
    lh_writer_u32(writer, graph->tag_count);
    lh_writer_u32(writer, graph->marker_count);
}

enum lh_status graph_encode(const struct graph *graph, struct lh_writer *writer)
{
    write_head(writer, graph);
    for (uint32_t i = 0; i < graph->media_count; i++) {
        write_media(writer, &graph->media[i]);
    }
    for (uint32_t i = 0; i < graph->stored_count; i++) {
        write_stored(writer, &graph->stored[i]);
    }
    for (uint32_t i = 0; i < graph->curve_count; i++) {
        lh_writer_u32(writer, graph->curves[i].count);
    }
    for (uint32_t i = 0; i < graph->point_count; i++) {
        lh_writer_i64(writer, graph->points[i].frame);
        lh_writer_f32(writer, graph->points[i].value);
    }
    for (uint32_t i = 0; i < graph->region_count; i++) {
        write_region(writer, &graph->regions[i]);
    }
    for (uint32_t i = 0; i < graph->input_count; i++) {
        lh_writer_u32(writer, graph->inputs[i]);
    }
    for (uint32_t i = 0; i < graph->curve_ref_count; i++) {
        lh_writer_u32(writer, graph->curve_refs[i]);
    }
    write_plugin_tables(writer, graph);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        write_node(writer, &graph->nodes[i]);
    }
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        write_deliverable(writer, &graph->deliverables[i]);
    }
    for (uint32_t i = 0; i < graph->tag_count; i++) {
        lh_writer_text(writer, graph->tags[i].name);
        lh_writer_text(writer, graph->tags[i].value);
    }
    for (uint32_t i = 0; i < graph->marker_count; i++) {
        lh_writer_i64(writer, graph->markers[i].frame);
        lh_writer_text(writer, graph->markers[i].name);
    }
    return lh_writer_status(writer);
}
