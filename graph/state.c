/* SPDX-License-Identifier: MIT */
/* The builder's tables, its sets for hash-consing, and the orders by content that make a graph canonical. */
#include "graph/state.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_FIRST 16u
#define INTERN_FIRST 64u

enum lh_status graph_table_reserve(struct graph_table *table, size_t extra, size_t size)
{
    if (extra > GRAPH_TABLE_MAX - table->count) {
        return LH_ERR_LIMIT;
    }
    uint32_t need = table->count + (uint32_t)extra;
    if (need <= table->capacity) {
        return LH_OK;
    }
    uint32_t capacity = table->capacity < TABLE_FIRST ? TABLE_FIRST : table->capacity;
    while (capacity < need) {
        capacity *= 2; /* need is at most 2^28 */
    }
    void *items = realloc(table->items, (size_t)capacity * size);
    if (items == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    table->items = items;
    table->capacity = capacity;
    return LH_OK;
}

static void place(struct graph_intern_slot *slots, uint32_t capacity, struct graph_intern_slot entry)
{
    uint32_t at = (uint32_t)entry.hash & (capacity - 1);
    while (slots[at].index != GRAPH_NONE) {
        at = (at + 1) & (capacity - 1);
    }
    slots[at] = entry;
}

enum lh_status graph_intern_reserve(struct graph_intern *intern)
{
    if (intern->count < intern->capacity / 2) {
        return LH_OK;
    }
    uint32_t capacity = intern->capacity == 0 ? INTERN_FIRST : intern->capacity * 2;
    struct graph_intern_slot *slots = malloc(capacity * sizeof *slots);
    if (slots == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < capacity; i++) {
        slots[i] = (struct graph_intern_slot){.index = GRAPH_NONE};
    }
    for (uint32_t i = 0; i < intern->capacity; i++) {
        if (intern->slots[i].index != GRAPH_NONE) {
            place(slots, capacity, intern->slots[i]);
        }
    }
    free(intern->slots);
    intern->slots = slots;
    intern->capacity = capacity;
    return LH_OK;
}

uint32_t graph_intern_find(const struct graph_intern *intern, uint64_t hash, const struct graph_builder *builder,
                           uint32_t candidate,
                           int (*compare)(const struct graph_builder *builder, uint32_t a, uint32_t b))
{
    if (intern->capacity == 0) {
        return GRAPH_NONE;
    }
    uint32_t at = (uint32_t)hash & (intern->capacity - 1);
    while (intern->slots[at].index != GRAPH_NONE) {
        const struct graph_intern_slot *slot = &intern->slots[at];
        if (slot->hash == hash && compare(builder, slot->index, candidate) == 0) {
            return slot->index;
        }
        at = (at + 1) & (intern->capacity - 1);
    }
    return GRAPH_NONE;
}

void graph_intern_insert(struct graph_intern *intern, uint64_t hash, uint32_t index)
{
    place(intern->slots, intern->capacity, (struct graph_intern_slot){.hash = hash, .index = index});
    intern->count++;
}

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int graph_compare_indices(const void *a, const void *b)
{
    return compare_u64(*(const uint32_t *)a, *(const uint32_t *)b);
}

int graph_compare_regions(const void *a, const void *b)
{
    return graph_region_compare(a, b);
}

int graph_region_compare(const struct graph_region *a, const struct graph_region *b)
{
    int order = compare_i64(a->start, b->start);
    order = order != 0 ? order : compare_i64(a->length, b->length);
    order = order != 0 ? order : compare_u64(a->media, b->media);
    order = order != 0 ? order : compare_i64(a->offset, b->offset);
    order = order != 0 ? order : compare_i64(a->loop_length, b->loop_length);
    order = order != 0 ? order : compare_u64(a->reverse, b->reverse);
    order = order != 0 ? order : compare_u64(float_bits(a->gain), float_bits(b->gain));
    order = order != 0 ? order : compare_i64(a->fade_in_length, b->fade_in_length);
    order = order != 0 ? order : compare_i64(a->fade_out_length, b->fade_out_length);
    order = order != 0 ? order : compare_u64(a->fade_in, b->fade_in);
    return order != 0 ? order : compare_u64(a->fade_out, b->fade_out);
}

int graph_curve_compare(const struct graph_builder *builder, uint32_t a, uint32_t b)
{
    const struct graph_curve *curves = builder->curves.items;
    const struct graph_point *points = builder->points.items;
    int order = compare_u64(curves[a].count, curves[b].count);
    for (uint32_t i = 0; order == 0 && i < curves[a].count; i++) {
        const struct graph_point *p = &points[curves[a].first + i];
        const struct graph_point *q = &points[curves[b].first + i];
        order = compare_i64(p->frame, q->frame);
        order = order != 0 ? order : compare_u64(float_bits(p->value), float_bits(q->value));
    }
    return order;
}

static int compare_index_lists(const uint32_t *a, const uint32_t *b, uint32_t count)
{
    int order = 0;
    for (uint32_t i = 0; order == 0 && i < count; i++) {
        order = compare_u64(a[i], b[i]);
    }
    return order;
}

int graph_node_compare(const struct graph_builder *builder, uint32_t a, uint32_t b)
{
    const struct graph_node *p = (const struct graph_node *)builder->nodes.items + a;
    const struct graph_node *q = (const struct graph_node *)builder->nodes.items + b;
    int order = compare_u64(p->kind, q->kind);
    order = order != 0 ? order : compare_u64(p->channels, q->channels);
    order = order != 0 ? order : compare_u64(p->invert, q->invert);
    order = order != 0 ? order : compare_u64(p->count, q->count);
    if (order != 0) {
        return order;
    }
    if (p->kind == GRAPH_NODE_CLIPS) {
        const struct graph_region *regions = builder->regions.items;
        for (uint32_t i = 0; order == 0 && i < p->count; i++) {
            order = graph_region_compare(&regions[p->first + i], &regions[q->first + i]);
        }
        return order;
    }
    if (p->kind == GRAPH_NODE_STORED) {
        return compare_u64(p->first, q->first);
    }
    const uint32_t *inputs = builder->inputs.items;
    if (p->count > 0) {
        order = compare_index_lists(inputs + p->first, inputs + q->first, p->count);
    }
    if (order == 0 && p->kind == GRAPH_NODE_GAIN) {
        const uint32_t *refs = builder->curve_refs.items;
        order = compare_index_lists(refs + p->curves, refs + q->curves, p->channels);
    }
    if (order == 0 && p->kind == GRAPH_NODE_PLUGIN) {
        order = graph_insert_compare(builder, p->insert, q->insert);
    }
    return order;
}

/* Multiplication spreads upwards, the shift brings it back to the low bits that choose the slot. */
uint64_t graph_hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

uint64_t graph_curve_hash(const struct graph_builder *builder, uint32_t curve)
{
    const struct graph_curve *entry = (const struct graph_curve *)builder->curves.items + curve;
    const struct graph_point *points = (const struct graph_point *)builder->points.items + entry->first;
    uint64_t hash = graph_hash_word(1, entry->count);
    for (uint32_t i = 0; i < entry->count; i++) {
        hash = graph_hash_word(graph_hash_word(hash, (uint64_t)points[i].frame), float_bits(points[i].value));
    }
    return hash;
}

static uint64_t region_hash(uint64_t hash, const struct graph_region *region)
{
    hash = graph_hash_word(graph_hash_word(hash, (uint64_t)region->start), (uint64_t)region->length);
    hash = graph_hash_word(graph_hash_word(hash, (uint64_t)region->offset), (uint64_t)region->loop_length);
    hash = graph_hash_word(graph_hash_word(hash, (uint64_t)region->fade_in_length), (uint64_t)region->fade_out_length);
    hash = graph_hash_word(hash, (uint64_t)region->fade_in << 32 | region->fade_out);
    return graph_hash_word(graph_hash_word(hash, region->media),
                           (uint64_t)region->reverse << 32 | float_bits(region->gain));
}

uint64_t graph_node_hash(const struct graph_builder *builder, uint32_t node)
{
    const struct graph_node *entry = (const struct graph_node *)builder->nodes.items + node;
    uint64_t hash =
        graph_hash_word((uint64_t)entry->kind << 32 | entry->channels, (uint64_t)entry->invert << 32 | entry->count);
    if (entry->kind == GRAPH_NODE_CLIPS) {
        const struct graph_region *regions = builder->regions.items;
        for (uint32_t i = 0; i < entry->count; i++) {
            hash = region_hash(hash, &regions[entry->first + i]);
        }
        return hash;
    }
    if (entry->kind == GRAPH_NODE_STORED) {
        return graph_hash_word(hash, entry->first);
    }
    const uint32_t *inputs = builder->inputs.items;
    for (uint32_t i = 0; i < entry->count; i++) {
        hash = graph_hash_word(hash, inputs[entry->first + i]);
    }
    if (entry->kind == GRAPH_NODE_GAIN) {
        const uint32_t *refs = builder->curve_refs.items;
        for (uint32_t i = 0; i < entry->channels; i++) {
            hash = graph_hash_word(hash, refs[entry->curves + i]);
        }
    }
    return entry->kind == GRAPH_NODE_PLUGIN ? graph_insert_hash(builder, entry->insert, hash) : hash;
}
