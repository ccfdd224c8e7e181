/* SPDX-License-Identifier: MIT */
/* Adding plugins, PLUGIN nodes and the musical time; and their order by content. */
#include <stdlib.h>
#include <string.h>

#include "graph/builder.h"
#include "graph/state.h"

int graph_plugin_compare(const struct graph_plugin *a, const struct graph_plugin *b)
{
    int order = strcmp(a->uri, b->uri);
    order = order != 0 ? order : strcmp(a->version, b->version);
    order = order != 0 ? order : memcmp(&a->digest, &b->digest, sizeof a->digest);
    return order != 0 ? order : strcmp(a->bundle, b->bundle);
}

static int compare_words(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_parameters(const struct graph_builder *builder, const struct graph_insert *p,
                              const struct graph_insert *q)
{
    const struct graph_parameter *parameters = builder->parameters.items;
    int order = compare_words(p->parameter_count, q->parameter_count);
    for (uint32_t i = 0; order == 0 && i < p->parameter_count; i++) {
        const struct graph_parameter *left = &parameters[p->parameter_first + i];
        const struct graph_parameter *right = &parameters[q->parameter_first + i];
        order = strcmp(left->symbol, right->symbol);
        order = order != 0 ? order : compare_words(left->curve, right->curve);
    }
    return order;
}

static int compare_events(const struct graph_builder *builder, const struct graph_insert *p,
                          const struct graph_insert *q)
{
    const struct graph_event *events = builder->events.items;
    int order = compare_words(p->event_count, q->event_count);
    for (uint32_t i = 0; order == 0 && i < p->event_count; i++) {
        const struct graph_event *left = &events[p->event_first + i];
        const struct graph_event *right = &events[q->event_first + i];
        order = (left->frame > right->frame) - (left->frame < right->frame);
        order = order != 0 ? order : compare_words(left->size, right->size);
        order = order != 0 ? order : memcmp(left->bytes, right->bytes, sizeof left->bytes);
    }
    return order;
}

int graph_insert_compare(const struct graph_builder *builder, uint32_t a, uint32_t b)
{
    const struct graph_insert *p = (const struct graph_insert *)builder->inserts.items + a;
    const struct graph_insert *q = (const struct graph_insert *)builder->inserts.items + b;
    int order = compare_words(p->plugin, q->plugin);
    order = order != 0 ? order : compare_words(p->has_input, q->has_input);
    order = order != 0 ? order : compare_words(p->has_sidechain, q->has_sidechain);
    order = order != 0 ? order : strcmp(p->identity, q->identity);
    order = order != 0 ? order : strcmp(p->preset, q->preset);
    order = order != 0 ? order : strcmp(p->preset_bundle, q->preset_bundle);
    order = order != 0 ? order : strcmp(p->folder, q->folder);
    order = order != 0 ? order : strcmp(p->state, q->state);
    order = order != 0 ? order : compare_parameters(builder, p, q);
    return order != 0 ? order : compare_events(builder, p, q);
}

static uint64_t text_hash(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        hash = graph_hash_word(hash, (unsigned char)*text);
    }
    return graph_hash_word(hash, 0);
}

uint64_t graph_insert_hash(const struct graph_builder *builder, uint32_t insert, uint64_t hash)
{
    const struct graph_insert *entry = (const struct graph_insert *)builder->inserts.items + insert;
    const struct graph_parameter *parameters = builder->parameters.items;
    const struct graph_event *events = builder->events.items;
    hash = graph_hash_word(hash, (uint64_t)entry->plugin << 2 | (entry->has_input ? 2u : 0u) | entry->has_sidechain);
    hash = graph_hash_word(hash, (uint64_t)entry->parameter_count << 32 | entry->event_count);
    hash = text_hash(text_hash(text_hash(hash, entry->identity), entry->preset), entry->preset_bundle);
    hash = text_hash(text_hash(hash, entry->folder), entry->state);
    for (uint32_t i = 0; i < entry->parameter_count; i++) {
        hash = text_hash(hash, parameters[entry->parameter_first + i].symbol);
        hash = graph_hash_word(hash, parameters[entry->parameter_first + i].curve);
    }
    for (uint32_t i = 0; i < entry->event_count; i++) {
        const struct graph_event *event = &events[entry->event_first + i];
        uint32_t bytes;
        memcpy(&bytes, event->bytes, sizeof bytes);
        hash = graph_hash_word(graph_hash_word(hash, (uint64_t)event->frame), (uint64_t)event->size << 32 | bytes);
    }
    return hash;
}

enum lh_status graph_builder_add_plugin(struct graph_builder *builder, const struct graph_plugin *plugin,
                                        uint32_t *index)
{
    struct graph_plugin *plugins = builder->plugins.items;
    struct graph_plugin entry = *plugin;
    entry.bundle = plugin->bundle != NULL ? plugin->bundle : "";
    entry.version = plugin->version != NULL ? plugin->version : "";
    for (uint32_t i = 0; i < builder->plugins.count; i++) {
        if (graph_plugin_compare(&plugins[i], &entry) == 0) {
            *index = i;
            return LH_OK;
        }
    }
    enum lh_status status = graph_table_reserve(&builder->plugins, 1, sizeof entry);
    status = status != LH_OK ? status : graph_builder_copy_text(builder, plugin->uri, &entry.uri);
    status = status != LH_OK ? status : graph_builder_copy_text(builder, plugin->bundle, &entry.bundle);
    status = status != LH_OK ? status : graph_builder_copy_text(builder, plugin->version, &entry.version);
    if (status != LH_OK) {
        return status;
    }
    ((struct graph_plugin *)builder->plugins.items)[builder->plugins.count] = entry;
    *index = builder->plugins.count++;
    return LH_OK;
}

static int compare_symbols(const void *a, const void *b)
{
    return strcmp(((const struct graph_parameter *)a)->symbol, ((const struct graph_parameter *)b)->symbol);
}

/* Copies the parameters behind their table's end, sorted. */
static enum lh_status place_parameters(struct graph_builder *builder, const struct graph_plugin_node *description)
{
    size_t count = description->parameter_count;
    enum lh_status status = graph_table_reserve(&builder->parameters, count, sizeof(struct graph_parameter));
    if (status != LH_OK || count == 0) {
        return status;
    }
    struct graph_parameter *out = (struct graph_parameter *)builder->parameters.items + builder->parameters.count;
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        out[i] = description->parameters[i];
        if (out[i].curve >= builder->curves.count) {
            return LH_ERR_USAGE;
        }
        status = graph_builder_copy_text(builder, description->parameters[i].symbol, &out[i].symbol);
    }
    if (status != LH_OK) {
        return status;
    }
    qsort(out, count, sizeof *out, compare_symbols);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(out[i - 1].symbol, out[i].symbol) == 0) {
            return LH_ERR_USAGE;
        }
    }
    return LH_OK;
}

static enum lh_status place_events(struct graph_builder *builder, const struct graph_plugin_node *description)
{
    size_t count = description->event_count;
    enum lh_status status = graph_table_reserve(&builder->events, count, sizeof(struct graph_event));
    if (status != LH_OK || count == 0) {
        return status;
    }
    for (size_t i = 1; i < count; i++) {
        if (description->events[i].frame < description->events[i - 1].frame) {
            return LH_ERR_USAGE;
        }
    }
    memcpy((struct graph_event *)builder->events.items + builder->events.count, description->events,
           count * sizeof *description->events);
    return LH_OK;
}

/* Copies the insert behind its table's end. */
static enum lh_status place_insert(struct graph_builder *builder, const struct graph_plugin_node *description)
{
    struct graph_insert entry = {
        .plugin = description->plugin,
        .has_input = description->input != GRAPH_NONE,
        .has_sidechain = description->sidechain != GRAPH_NONE,
        .parameter_first = builder->parameters.count,
        .parameter_count = (uint32_t)description->parameter_count,
        .event_first = builder->events.count,
        .event_count = (uint32_t)description->event_count,
    };
    enum lh_status status = graph_table_reserve(&builder->inserts, 1, sizeof entry);
    status = status != LH_OK ? status : place_parameters(builder, description);
    status = status != LH_OK ? status : place_events(builder, description);
    status = status != LH_OK ? status : graph_builder_copy_text(builder, description->preset, &entry.preset);
    status =
        status != LH_OK ? status : graph_builder_copy_text(builder, description->preset_bundle, &entry.preset_bundle);
    status = status != LH_OK ? status : graph_builder_copy_text(builder, description->state, &entry.state);
    status = status != LH_OK ? status : graph_builder_copy_text(builder, description->folder, &entry.folder);
    status = status != LH_OK ? status : graph_builder_copy_text(builder, description->identity, &entry.identity);
    if (status == LH_OK) {
        ((struct graph_insert *)builder->inserts.items)[builder->inserts.count] = entry;
    }
    return status;
}

static bool may_read(const struct graph_builder *builder, uint32_t node)
{
    return node == GRAPH_NONE || node < builder->nodes.count;
}

enum lh_status graph_builder_add_plugin_node(struct graph_builder *builder, const struct graph_plugin_node *description,
                                             const char *label, uint32_t *node)
{
    if (description->plugin >= builder->plugins.count || description->channels < 1 ||
        description->channels > GRAPH_CHANNELS_MAX || !may_read(builder, description->input) ||
        !may_read(builder, description->sidechain)) {
        return LH_ERR_USAGE;
    }
    enum lh_status status = graph_table_reserve(&builder->inputs, 2, sizeof(uint32_t));
    status = status != LH_OK ? status : graph_table_reserve(&builder->nodes, 1, sizeof(struct graph_node));
    status = status != LH_OK ? status : place_insert(builder, description);
    if (status != LH_OK) {
        return status;
    }
    uint32_t *inputs = (uint32_t *)builder->inputs.items + builder->inputs.count;
    uint32_t count = 0;
    if (description->input != GRAPH_NONE) {
        inputs[count++] = description->input;
    }
    if (description->sidechain != GRAPH_NONE) {
        inputs[count++] = description->sidechain;
    }
    ((struct graph_node *)builder->nodes.items)[builder->nodes.count] = (struct graph_node){
        .kind = GRAPH_NODE_PLUGIN,
        .channels = description->channels,
        .first = builder->inputs.count,
        .count = count,
        .insert = builder->inserts.count,
    };
    bool taken;
    status = graph_builder_take_node(builder, label, node, &taken);
    if (status == LH_OK && taken) {
        builder->inputs.count += count;
        builder->parameters.count += (uint32_t)description->parameter_count;
        builder->events.count += (uint32_t)description->event_count;
        builder->inserts.count++;
    }
    return status;
}

enum lh_status graph_builder_set_tempo(struct graph_builder *builder, const struct graph_tempo *tempo, size_t count)
{
    builder->tempo.count = 0;
    enum lh_status status = graph_table_reserve(&builder->tempo, count, sizeof *tempo);
    if (status == LH_OK && count > 0) {
        memcpy(builder->tempo.items, tempo, count * sizeof *tempo);
        builder->tempo.count = (uint32_t)count;
    }
    return status;
}
