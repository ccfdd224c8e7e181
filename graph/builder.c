/* SPDX-License-Identifier: MIT */
/* Adding to a render graph. A new entry is written behind the table's end and becomes part of it only when the set
   knows no equal one. */
#include "graph/builder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/deliverable.h"
#include "graph/state.h"

enum lh_status graph_builder_new(uint32_t sample_rate, uint32_t quantum, struct graph_builder **builder)
{
    struct graph_builder *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    made->sample_rate = sample_rate;
    made->quantum = quantum;
    lh_arena_init(&made->texts);
    *builder = made;
    return LH_OK;
}

void graph_builder_free(struct graph_builder *builder)
{
    if (builder == NULL) {
        return;
    }
    struct graph_table *tables[] = {
        &builder->media,        &builder->points,  &builder->curves,     &builder->regions,
        &builder->inputs,       &builder->nodes,   &builder->curve_refs, &builder->tags,
        &builder->deliverables, &builder->markers, &builder->plugins,    &builder->parameters,
        &builder->events,       &builder->inserts, &builder->tempo,      &builder->stored,
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        free(tables[i]->items);
    }
    free(builder->curve_set.slots);
    free(builder->node_set.slots);
    free(builder->places);
    lh_arena_fini(&builder->texts);
    free(builder);
}

enum lh_status graph_builder_copy_text(struct graph_builder *builder, const char *text, const char **copy)
{
    if (text == NULL || *text == '\0') {
        *copy = "";
        return LH_OK;
    }
    *copy = lh_arena_strdup(&builder->texts, text);
    return *copy != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

enum lh_status graph_builder_add_media(struct graph_builder *builder, const struct graph_media *media, uint32_t *index)
{
    struct graph_media entry = *media;
    enum lh_status status = graph_table_reserve(&builder->media, 1, sizeof entry);
    if (status == LH_OK) {
        status = graph_builder_copy_text(builder, media->name, &entry.name);
    }
    if (status != LH_OK) {
        return status;
    }
    ((struct graph_media *)builder->media.items)[builder->media.count] = entry;
    *index = builder->media.count++;
    return LH_OK;
}

enum lh_status graph_builder_add_stored(struct graph_builder *builder, const struct graph_stored *stored,
                                        const char *label, uint32_t *node)
{
    enum lh_status status = graph_table_reserve(&builder->stored, 1, sizeof *stored);
    status = status != LH_OK ? status : graph_table_reserve(&builder->nodes, 1, sizeof(struct graph_node));
    if (status != LH_OK) {
        return status;
    }
    ((struct graph_stored *)builder->stored.items)[builder->stored.count] = *stored;
    ((struct graph_node *)builder->nodes.items)[builder->nodes.count] = (struct graph_node){
        .kind = GRAPH_NODE_STORED, .channels = stored->channels, .first = builder->stored.count, .count = 1};
    bool taken;
    status = graph_builder_take_node(builder, label, node, &taken);
    if (status == LH_OK) {
        builder->stored.count++; /* no other has its entry, so the node was taken */
    }
    return status;
}

static bool points_are_valid(const struct graph_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(points[i].value) || (i > 0 && points[i].frame < points[i - 1].frame)) {
            return false;
        }
    }
    return count > 0;
}

/* Copies points to `out` without those that change nothing: repeated ones, and those inside a stretch of one value
   (whose slope is exactly 0, so that dropping them changes no bit). A constant stands at frame 0. Returns the count. */
static uint32_t reduce_points(struct graph_point *out, const struct graph_point *points, size_t count)
{
    uint32_t unique = 0;
    for (size_t i = 0; i < count; i++) {
        struct graph_point point = {.frame = points[i].frame, .value = points[i].value + 0.0f}; /* -0 becomes +0 */
        if (unique == 0 || point.frame != out[unique - 1].frame || point.value != out[unique - 1].value) {
            out[unique++] = point;
        }
    }
    uint32_t kept = 0;
    float before = out[0].value;
    for (uint32_t i = 0; i < unique; i++) {
        struct graph_point point = out[i];
        bool moves_after = i + 1 < unique && out[i + 1].value != point.value;
        if (point.value != before || moves_after) {
            out[kept++] = point;
        }
        before = point.value;
    }
    if (kept == 0) {
        out[kept++] = (struct graph_point){.frame = 0, .value = before};
    }
    return kept;
}

enum lh_status graph_builder_add_curve(struct graph_builder *builder, const struct graph_point *points, size_t count,
                                       uint32_t *index)
{
    if (!points_are_valid(points, count)) {
        return LH_ERR_USAGE;
    }
    enum lh_status status = graph_table_reserve(&builder->points, count, sizeof *points);
    status = status != LH_OK ? status : graph_table_reserve(&builder->curves, 1, sizeof(struct graph_curve));
    status = status != LH_OK ? status : graph_intern_reserve(&builder->curve_set);
    if (status != LH_OK) {
        return status;
    }
    uint32_t candidate = builder->curves.count;
    struct graph_point *out = (struct graph_point *)builder->points.items + builder->points.count;
    uint32_t kept = reduce_points(out, points, count);
    ((struct graph_curve *)builder->curves.items)[candidate] =
        (struct graph_curve){.first = builder->points.count, .count = kept};
    uint64_t hash = graph_curve_hash(builder, candidate);
    uint32_t found = graph_intern_find(&builder->curve_set, hash, builder, candidate, graph_curve_compare);
    if (found == GRAPH_NONE) {
        graph_intern_insert(&builder->curve_set, hash, candidate);
        builder->curves.count++;
        builder->points.count += kept;
        found = candidate;
    }
    *index = found;
    return LH_OK;
}

/* Of two labels of one node the lesser is kept, so that the order of adding does not show. */
enum lh_status graph_builder_take_node(struct graph_builder *builder, const char *label, uint32_t *node, bool *taken)
{
    uint32_t candidate = builder->nodes.count;
    struct graph_node *nodes = builder->nodes.items;
    enum lh_status status = graph_intern_reserve(&builder->node_set);
    if (status != LH_OK) {
        return status;
    }
    uint64_t hash = graph_node_hash(builder, candidate);
    uint32_t found = graph_intern_find(&builder->node_set, hash, builder, candidate, graph_node_compare);
    bool is_new = found == GRAPH_NONE;
    const char *known = is_new ? "" : nodes[found].label;
    bool better = label != NULL && *label != '\0' && (*known == '\0' || strcmp(label, known) < 0);
    const char *copy = known;
    if (better) {
        status = graph_builder_copy_text(builder, label, &copy);
        if (status != LH_OK) {
            return status;
        }
    }
    if (is_new) {
        graph_intern_insert(&builder->node_set, hash, candidate);
        builder->nodes.count++;
        found = candidate;
    }
    nodes[found].label = copy;
    *taken = is_new;
    *node = found;
    return LH_OK;
}

static bool channels_are_valid(uint32_t channels)
{
    return channels >= 1 && channels <= GRAPH_CHANNELS_MAX;
}

static bool is_curve(const struct graph_builder *builder, uint32_t curve)
{
    return curve < builder->curves.count;
}

/* A region as it is stored: members without meaning hold one value, so that equal regions compare equal. */
static bool take_region(const struct graph_builder *builder, const struct graph_region *region,
                        struct graph_region *out)
{
    *out = *region;
    out->gain = region->gain + 0.0f; /* -0 becomes +0 */
    out->fade_in = region->fade_in_length == 0 ? GRAPH_NONE : region->fade_in;
    out->fade_out = region->fade_out_length == 0 ? GRAPH_NONE : region->fade_out;
    return region->media < builder->media.count && (out->fade_in == GRAPH_NONE || is_curve(builder, out->fade_in)) &&
           (out->fade_out == GRAPH_NONE || is_curve(builder, out->fade_out));
}

enum lh_status graph_builder_add_clips(struct graph_builder *builder, uint32_t channels, bool invert,
                                       const struct graph_region *regions, size_t count, const char *label,
                                       uint32_t *node)
{
    enum lh_status status = graph_table_reserve(&builder->regions, count, sizeof *regions);
    status = status != LH_OK ? status : graph_table_reserve(&builder->nodes, 1, sizeof(struct graph_node));
    if (status != LH_OK) {
        return status;
    }
    if (!channels_are_valid(channels)) {
        return LH_ERR_USAGE;
    }
    uint32_t first = builder->regions.count;
    if (count > 0) {
        struct graph_region *out = (struct graph_region *)builder->regions.items + first;
        for (size_t i = 0; i < count; i++) {
            if (!take_region(builder, &regions[i], &out[i])) {
                return LH_ERR_USAGE;
            }
        }
        qsort(out, count, sizeof *out, graph_compare_regions);
    }
    ((struct graph_node *)builder->nodes.items)[builder->nodes.count] = (struct graph_node){
        .kind = GRAPH_NODE_CLIPS, .channels = channels, .invert = invert, .first = first, .count = (uint32_t)count};
    bool taken;
    status = graph_builder_take_node(builder, label, node, &taken);
    if (status == LH_OK && taken) {
        builder->regions.count += (uint32_t)count;
    }
    return status;
}

static bool is_unity(const struct graph_builder *builder, uint32_t curve)
{
    const struct graph_curve *entry = (const struct graph_curve *)builder->curves.items + curve;
    const struct graph_point *points = builder->points.items;
    return entry->count == 1 && points[entry->first].value == 1.0f;
}

enum lh_status graph_builder_add_gain(struct graph_builder *builder, uint32_t input, uint32_t channels,
                                      const uint32_t *curves, const char *label, uint32_t *node)
{
    if (input >= builder->nodes.count || !channels_are_valid(channels)) {
        return LH_ERR_USAGE;
    }
    bool unity = ((const struct graph_node *)builder->nodes.items)[input].channels == channels;
    for (uint32_t i = 0; i < channels; i++) {
        if (!is_curve(builder, curves[i])) {
            return LH_ERR_USAGE;
        }
        unity = unity && is_unity(builder, curves[i]);
    }
    if (unity) {
        *node = input;
        return LH_OK;
    }
    enum lh_status status = graph_table_reserve(&builder->curve_refs, channels, sizeof *curves);
    status = status != LH_OK ? status : graph_table_reserve(&builder->inputs, 1, sizeof input);
    status = status != LH_OK ? status : graph_table_reserve(&builder->nodes, 1, sizeof(struct graph_node));
    if (status != LH_OK) {
        return status;
    }
    memcpy((uint32_t *)builder->curve_refs.items + builder->curve_refs.count, curves, channels * sizeof *curves);
    ((uint32_t *)builder->inputs.items)[builder->inputs.count] = input;
    ((struct graph_node *)builder->nodes.items)[builder->nodes.count] = (struct graph_node){
        .kind = GRAPH_NODE_GAIN,
        .channels = channels,
        .first = builder->inputs.count,
        .count = 1,
        .curves = builder->curve_refs.count,
    };
    bool taken;
    status = graph_builder_take_node(builder, label, node, &taken);
    if (status == LH_OK && taken) {
        builder->inputs.count++;
        builder->curve_refs.count += channels;
    }
    return status;
}

enum lh_status graph_builder_add_sum(struct graph_builder *builder, enum graph_node_kind kind, uint32_t channels,
                                     bool invert, const uint32_t *inputs, size_t count, const char *label,
                                     uint32_t *node)
{
    if ((kind != GRAPH_NODE_BUS && kind != GRAPH_NODE_PARTIAL) || !channels_are_valid(channels)) {
        return LH_ERR_USAGE;
    }
    for (size_t i = 0; i < count; i++) {
        if (inputs[i] >= builder->nodes.count) {
            return LH_ERR_USAGE;
        }
    }
    enum lh_status status = graph_table_reserve(&builder->inputs, count, sizeof *inputs);
    status = status != LH_OK ? status : graph_table_reserve(&builder->nodes, 1, sizeof(struct graph_node));
    if (status != LH_OK) {
        return status;
    }
    uint32_t first = builder->inputs.count;
    if (count > 0) {
        uint32_t *out = (uint32_t *)builder->inputs.items + first;
        memcpy(out, inputs, count * sizeof *inputs);
        qsort(out, count, sizeof *out, graph_compare_indices);
    }
    ((struct graph_node *)builder->nodes.items)[builder->nodes.count] = (struct graph_node){
        .kind = kind, .channels = channels, .invert = invert, .first = first, .count = (uint32_t)count};
    bool taken;
    status = graph_builder_take_node(builder, label, node, &taken);
    if (status == LH_OK && taken) {
        builder->inputs.count += (uint32_t)count;
    }
    return status;
}

enum lh_status graph_builder_add_marker(struct graph_builder *builder, int64_t frame, const char *name)
{
    struct graph_marker marker = {.frame = frame};
    enum lh_status status = graph_table_reserve(&builder->markers, 1, sizeof marker);
    status = status != LH_OK ? status : graph_builder_copy_text(builder, name, &marker.name);
    if (status == LH_OK) {
        ((struct graph_marker *)builder->markers.items)[builder->markers.count++] = marker;
    }
    return status;
}

enum lh_status graph_builder_add_deliverable(struct graph_builder *builder, const struct graph_deliverable *deliverable,
                                             const struct graph_tag *tags, size_t tag_count, uint32_t *index)
{
    if (deliverable->node >= builder->nodes.count) {
        return LH_ERR_USAGE;
    }
    struct graph_deliverable entry = *deliverable;
    graph_deliverable_normalise(&entry, builder->sample_rate);
    enum lh_status status = graph_table_reserve(&builder->deliverables, 1, sizeof entry);
    status = status != LH_OK ? status : graph_table_reserve(&builder->tags, tag_count, sizeof *tags);
    status = status != LH_OK ? status : graph_builder_copy_text(builder, deliverable->name, &entry.name);
    for (size_t i = 0; status == LH_OK && i < tag_count; i++) {
        struct graph_tag *tag = (struct graph_tag *)builder->tags.items + builder->tags.count + i;
        status = graph_builder_copy_text(builder, tags[i].name, &tag->name);
        status = status != LH_OK ? status : graph_builder_copy_text(builder, tags[i].value, &tag->value);
    }
    if (status != LH_OK) {
        return status;
    }
    entry.tag_first = builder->tags.count;
    entry.tag_count = (uint32_t)tag_count;
    builder->tags.count += (uint32_t)tag_count;
    ((struct graph_deliverable *)builder->deliverables.items)[builder->deliverables.count] = entry;
    *index = builder->deliverables.count++;
    return LH_OK;
}
