/* SPDX-License-Identifier: MIT */
/* Reading the canonical encoding from hostile bytes: sizes are bounded here, meaning is left to graph_check(). */
#include <string.h>

#include "graph/encode.h"
#include "graph/layout.h"
#include "graph/owner.h"

struct decoder {
    struct lh_reader reader;
    struct lh_arena *arena;
    bool out_of_memory;
};

static bool healthy(const struct decoder *decoder)
{
    return !decoder->out_of_memory && lh_reader_ok(&decoder->reader);
}

/* A table of `count` entries, none of which takes less than `least` bytes of what is left. */
static void *new_table(struct decoder *decoder, uint32_t count, size_t size, size_t least)
{
    struct lh_reader *reader = &decoder->reader;
    if (count > (reader->size - reader->offset) / least) {
        reader->failed = true;
    }
    if (!healthy(decoder)) {
        return NULL;
    }
    void *table = lh_arena_array(decoder->arena, count, size);
    decoder->out_of_memory = table == NULL;
    return table;
}

/* A value of 0..last in one byte: kinds, formats, booleans. */
static unsigned read_choice(struct decoder *decoder, unsigned last)
{
    unsigned value = lh_reader_u8(&decoder->reader);
    if (value > last) {
        decoder->reader.failed = true;
        return 0;
    }
    return value;
}

static bool read_bool(struct decoder *decoder)
{
    return read_choice(decoder, 1) == 1;
}

static const char *read_long_text(struct decoder *decoder, size_t limit)
{
    size_t length;
    const char *view = lh_reader_text(&decoder->reader, limit, &length);
    if (view == NULL || length == 0) {
        return "";
    }
    if (memchr(view, '\0', length) != NULL) {
        decoder->reader.failed = true;
        return "";
    }
    const char *copy = lh_arena_strndup(decoder->arena, view, length);
    decoder->out_of_memory = decoder->out_of_memory || copy == NULL;
    return copy != NULL ? copy : "";
}

static const char *read_text(struct decoder *decoder)
{
    return read_long_text(decoder, GRAPH_TEXT_MAX);
}

static void read_bytes(struct decoder *decoder, void *out, size_t size)
{
    const uint8_t *view = lh_reader_view(&decoder->reader, size);
    if (view != NULL) {
        memcpy(out, view, size);
    }
}

static void read_media(struct decoder *decoder, struct graph *graph)
{
    struct lh_reader *reader = &decoder->reader;
    struct graph_media *media = new_table(decoder, graph->media_count, sizeof *media, GRAPH_MEDIA_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->media_count; i++) {
        media[i].channels = lh_reader_u32(reader);
        media[i].rate = lh_reader_u32(reader);
        media[i].frames = lh_reader_u64(reader);
        media[i].length = lh_reader_u64(reader);
        media[i].conform = (enum graph_conform)read_choice(decoder, GRAPH_CONFORM_SAMPLERATE);
        media[i].name = read_text(decoder);
    }
    graph->media = media;
}

static void read_stored(struct decoder *decoder, struct graph *graph)
{
    struct lh_reader *reader = &decoder->reader;
    struct graph_stored *stored = new_table(decoder, graph->stored_count, sizeof *stored, GRAPH_STORED_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->stored_count; i++) {
        stored[i].channels = lh_reader_u32(reader);
        stored[i].sum = read_bool(decoder);
        stored[i].begin = lh_reader_i64(reader);
        stored[i].frames = lh_reader_i64(reader);
    }
    graph->stored = stored;
}

static void read_curves(struct decoder *decoder, struct graph *graph)
{
    struct lh_reader *reader = &decoder->reader;
    struct graph_curve *curves = new_table(decoder, graph->curve_count, sizeof *curves, GRAPH_CURVE_BYTES);
    uint32_t next = 0;
    for (uint32_t i = 0; healthy(decoder) && i < graph->curve_count; i++) {
        curves[i] = (struct graph_curve){.first = next, .count = lh_reader_u32(reader)};
        next += curves[i].count; /* may wrap: then graph_check() finds it past the table */
    }
    graph->curves = curves;
    struct graph_point *points = new_table(decoder, graph->point_count, sizeof *points, GRAPH_POINT_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->point_count; i++) {
        points[i].frame = lh_reader_i64(reader);
        points[i].value = lh_reader_f32(reader);
    }
    graph->points = points;
}

static void read_regions(struct decoder *decoder, struct graph *graph)
{
    struct lh_reader *reader = &decoder->reader;
    struct graph_region *regions = new_table(decoder, graph->region_count, sizeof *regions, GRAPH_REGION_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->region_count; i++) {
        struct graph_region *region = &regions[i];
        region->media = lh_reader_u32(reader);
        region->start = lh_reader_i64(reader);
        region->length = lh_reader_i64(reader);
        region->offset = lh_reader_i64(reader);
        region->loop_length = lh_reader_i64(reader);
        region->reverse = read_bool(decoder);
        region->gain = lh_reader_f32(reader);
        region->fade_in_length = lh_reader_i64(reader);
        region->fade_out_length = lh_reader_i64(reader);
        region->fade_in = lh_reader_u32(reader);
        region->fade_out = lh_reader_u32(reader);
    }
    graph->regions = regions;
}

static const uint32_t *read_indices(struct decoder *decoder, uint32_t count)
{
    uint32_t *indices = new_table(decoder, count, sizeof *indices, GRAPH_INDEX_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < count; i++) {
        indices[i] = lh_reader_u32(&decoder->reader);
    }
    return indices;
}

static void read_plugins(struct decoder *decoder, struct graph *graph)
{
    struct lh_reader *reader = &decoder->reader;
    struct graph_plugin *plugins = new_table(decoder, graph->plugin_count, sizeof *plugins, GRAPH_PLUGIN_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->plugin_count; i++) {
        plugins[i].uri = read_text(decoder);
        plugins[i].bundle = read_text(decoder);
        plugins[i].version = read_text(decoder);
        read_bytes(decoder, plugins[i].digest.bytes, sizeof plugins[i].digest.bytes);
    }
    graph->plugins = plugins;
    struct graph_parameter *parameters =
        new_table(decoder, graph->parameter_count, sizeof *parameters, GRAPH_PARAMETER_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->parameter_count; i++) {
        parameters[i].symbol = read_text(decoder);
        parameters[i].curve = lh_reader_u32(reader);
    }
    graph->parameters = parameters;
    struct graph_event *events = new_table(decoder, graph->event_count, sizeof *events, GRAPH_EVENT_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->event_count; i++) {
        events[i].frame = lh_reader_i64(reader);
        events[i].size = lh_reader_u32(reader);
        read_bytes(decoder, events[i].bytes, sizeof events[i].bytes);
    }
    graph->events = events;
}

static void read_inserts(struct decoder *decoder, struct graph *graph)
{
    struct lh_reader *reader = &decoder->reader;
    struct graph_insert *inserts = new_table(decoder, graph->insert_count, sizeof *inserts, GRAPH_INSERT_BYTES);
    uint32_t next_parameter = 0;
    uint32_t next_event = 0;
    for (uint32_t i = 0; healthy(decoder) && i < graph->insert_count; i++) {
        struct graph_insert *insert = &inserts[i];
        insert->plugin = lh_reader_u32(reader);
        insert->has_input = read_bool(decoder);
        insert->has_sidechain = read_bool(decoder);
        insert->parameter_count = lh_reader_u32(reader);
        insert->event_count = lh_reader_u32(reader);
        insert->preset = read_text(decoder);
        insert->preset_bundle = read_text(decoder);
        insert->state = read_long_text(decoder, GRAPH_STATE_MAX);
        insert->folder = read_text(decoder);
        insert->identity = read_text(decoder);
        insert->parameter_first = next_parameter;
        insert->event_first = next_event;
        next_parameter += insert->parameter_count; /* may wrap: then graph_check() finds it past the table */
        next_event += insert->event_count;
    }
    graph->inserts = inserts;
    struct graph_tempo *tempo = new_table(decoder, graph->tempo_count, sizeof *tempo, GRAPH_TEMPO_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->tempo_count; i++) {
        tempo[i].frame = lh_reader_i64(reader);
        tempo[i].beats = lh_reader_f64(reader);
        tempo[i].bpm = lh_reader_f64(reader);
        tempo[i].bar = lh_reader_i64(reader);
        tempo[i].bar_beat = lh_reader_f64(reader);
        tempo[i].numerator = lh_reader_u32(reader);
        tempo[i].denominator = lh_reader_u32(reader);
    }
    graph->tempo = tempo;
}

static void read_nodes(struct decoder *decoder, struct graph *graph)
{
    struct lh_reader *reader = &decoder->reader;
    struct graph_node *nodes = new_table(decoder, graph->node_count, sizeof *nodes, GRAPH_NODE_BYTES);
    /* Where the next node's entries begin: the ranges tile the tables, so they are not written. */
    uint32_t next_region = 0;
    uint32_t next_input = 0;
    uint32_t next_ref = 0;
    uint32_t next_insert = 0;
    for (uint32_t i = 0; healthy(decoder) && i < graph->node_count; i++) {
        struct graph_node *node = &nodes[i];
        node->kind = (enum graph_node_kind)read_choice(decoder, GRAPH_NODE_STORED);
        node->invert = read_bool(decoder);
        node->channels = lh_reader_u32(reader);
        node->count = lh_reader_u32(reader);
        node->label = read_text(decoder);
        if (node->kind == GRAPH_NODE_STORED) {
            node->first = lh_reader_u32(reader);
            continue;
        }
        uint32_t *next = node->kind == GRAPH_NODE_CLIPS ? &next_region : &next_input;
        node->first = *next;
        *next += node->count;
        if (node->kind == GRAPH_NODE_GAIN) {
            node->curves = next_ref;
            next_ref += node->channels;
        }
        if (node->kind == GRAPH_NODE_PLUGIN) {
            node->insert = next_insert++;
        }
    }
    graph->nodes = nodes;
}

static void read_deliverable(struct decoder *decoder, struct graph_deliverable *d)
{
    struct lh_reader *reader = &decoder->reader;
    d->node = lh_reader_u32(reader);
    d->start = lh_reader_i64(reader);
    d->end = lh_reader_i64(reader);
    d->preroll = lh_reader_i64(reader);
    d->tail = (enum graph_tail_kind)read_choice(decoder, GRAPH_TAIL_UNTIL);
    d->tail_frames = lh_reader_i64(reader);
    d->tail_hold = lh_reader_i64(reader);
    d->tail_level = lh_reader_f32(reader);
    d->format = (enum graph_format)read_choice(decoder, GRAPH_FORMAT_COUNT - 1);
    d->bit_depth = lh_reader_u32(reader);
    d->dither = (enum graph_dither)read_choice(decoder, GRAPH_DITHER_TPDF);
    d->dither_seed = lh_reader_u64(reader);
    d->rate = lh_reader_u32(reader);
    d->resampler = (enum graph_conform)read_choice(decoder, GRAPH_CONFORM_SAMPLERATE);
    d->has_quality = read_bool(decoder);
    d->quality = lh_reader_f64(reader);
    d->bitrate_kbps = lh_reader_u32(reader);
    d->has_integrated = read_bool(decoder);
    d->integrated_lufs = lh_reader_f64(reader);
    d->has_true_peak = read_bool(decoder);
    d->true_peak_dbtp = lh_reader_f64(reader);
    d->gain_from = lh_reader_u32(reader);
    d->has_loop = read_bool(decoder);
    d->loop_start = lh_reader_i64(reader);
    d->loop_end = lh_reader_i64(reader);
    d->tag_count = lh_reader_u32(reader);
    d->name = read_text(decoder);
}

static void read_deliverables(struct decoder *decoder, struct graph *graph)
{
    struct graph_deliverable *deliverables =
        new_table(decoder, graph->deliverable_count, sizeof *deliverables, GRAPH_DELIVERABLE_BYTES);
    uint32_t next = 0;
    for (uint32_t i = 0; healthy(decoder) && i < graph->deliverable_count; i++) {
        read_deliverable(decoder, &deliverables[i]);
        deliverables[i].tag_first = next;
        next += deliverables[i].tag_count;
    }
    graph->deliverables = deliverables;
    struct graph_tag *tags = new_table(decoder, graph->tag_count, sizeof *tags, GRAPH_TAG_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->tag_count; i++) {
        tags[i].name = read_text(decoder);
        tags[i].value = read_text(decoder);
    }
    graph->tags = tags;
    struct graph_marker *markers = new_table(decoder, graph->marker_count, sizeof *markers, GRAPH_MARKER_BYTES);
    for (uint32_t i = 0; healthy(decoder) && i < graph->marker_count; i++) {
        markers[i].frame = lh_reader_i64(&decoder->reader);
        markers[i].name = read_text(decoder);
    }
    graph->markers = markers;
}

static void read_tables(struct decoder *decoder, struct graph *graph)
{
    struct lh_reader *reader = &decoder->reader;
    graph->sample_rate = lh_reader_u32(reader);
    graph->quantum = lh_reader_u32(reader);
    graph->media_count = lh_reader_u32(reader);
    graph->stored_count = lh_reader_u32(reader);
    graph->curve_count = lh_reader_u32(reader);
    graph->point_count = lh_reader_u32(reader);
    graph->region_count = lh_reader_u32(reader);
    graph->input_count = lh_reader_u32(reader);
    graph->curve_ref_count = lh_reader_u32(reader);
    graph->plugin_count = lh_reader_u32(reader);
    graph->parameter_count = lh_reader_u32(reader);
    graph->event_count = lh_reader_u32(reader);
    graph->insert_count = lh_reader_u32(reader);
    graph->tempo_count = lh_reader_u32(reader);
    graph->node_count = lh_reader_u32(reader);
    graph->deliverable_count = lh_reader_u32(reader);
    graph->tag_count = lh_reader_u32(reader);
    graph->marker_count = lh_reader_u32(reader);
    read_media(decoder, graph);
    read_stored(decoder, graph);
    read_curves(decoder, graph);
    read_regions(decoder, graph);
    graph->inputs = read_indices(decoder, graph->input_count);
    graph->curve_refs = read_indices(decoder, graph->curve_ref_count);
    read_plugins(decoder, graph);
    read_inserts(decoder, graph);
    read_nodes(decoder, graph);
    read_deliverables(decoder, graph);
}

/* Magic and version. */
static enum lh_status check_head(struct lh_reader *reader, struct lh_error *error)
{
    const uint8_t *magic = lh_reader_view(reader, GRAPH_MAGIC_SIZE);
    if (magic == NULL || memcmp(magic, GRAPH_MAGIC, GRAPH_MAGIC_SIZE) != 0) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "this is not an encoded render graph");
    }
    uint32_t version = lh_reader_u32(reader);
    if (version != GRAPH_ENCODING_VERSION) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the render graph is encoded as version %u; this program reads version %d", version,
                            GRAPH_ENCODING_VERSION);
    }
    return LH_OK;
}

enum lh_status graph_decode(const void *data, size_t size, const struct graph **graph, struct lh_error *error)
{
    struct decoder decoder = {.out_of_memory = false};
    lh_reader_init(&decoder.reader, data, size);
    enum lh_status status = check_head(&decoder.reader, error);
    if (status != LH_OK) {
        return status;
    }
    struct graph_owner *owner = graph_owner_new();
    if (owner == NULL) {
        return lh_error_no_memory(error);
    }
    decoder.arena = &owner->arena;
    read_tables(&decoder, &owner->graph);
    if (decoder.out_of_memory) {
        status = lh_error_no_memory(error);
    } else if (!lh_reader_done(&decoder.reader)) {
        status = lh_error_set(error, LH_ERR_FORMAT, NULL, "the encoded render graph is damaged");
    } else {
        status = graph_check(&owner->graph, error);
    }
    if (status != LH_OK) {
        graph_unref(&owner->graph);
        return status;
    }
    *graph = &owner->graph;
    return LH_OK;
}
