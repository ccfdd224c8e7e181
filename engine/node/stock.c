/* SPDX-License-Identifier: MIT */
/* Collecting the records of all plugins. */
#include "engine/node/stock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *engine_stock_engine(struct lh_arena *arena, const struct engine_instance *instance)
{
    const char *libraries = engine_instance_libraries(instance);
    size_t size = strlen(libraries) + 16;
    char *text = lh_arena_alloc(arena, size);
    if (text != NULL) {
        snprintf(text, size, "%d %s", ENGINE_SOUND_VERSION, libraries);
    }
    return text;
}

/* The bytes of a writer, in the arena; NULL when memory is out. */
static uint8_t *keep(struct lh_arena *arena, struct lh_writer *writer)
{
    uint8_t *kept = lh_writer_status(writer) == LH_OK ? lh_arena_alloc(arena, writer->size) : NULL;
    if (kept != NULL && writer->size > 0) {
        memcpy(kept, writer->data, writer->size);
    }
    return kept;
}

static enum lh_status add_evidence(struct engine_stock *stock, const struct inventory_evidence *evidence,
                                   struct engine_stock_plugin *plugin)
{
    plugin->evidence = "";
    if (evidence == NULL) {
        return LH_OK;
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    inventory_evidence_write(&writer, evidence);
    plugin->evidence = (const char *)keep(&stock->arena, &writer);
    plugin->evidence_size = writer.size;
    lh_writer_fini(&writer);
    return plugin->evidence != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum lh_status add_plugin(struct engine_stock *stock, struct engine_catalogue *catalogue, size_t entry,
                                 struct engine_stock_plugin *plugin, struct lh_error *error)
{
    struct graph_plugin_facts facts;
    const struct inventory_evidence *evidence = NULL;
    enum lh_status status = inventory_index_read(catalogue->index, entry, &facts, error);
    status = status == LH_OK ? engine_catalogue_evidence(catalogue, &facts, &evidence, error) : status;
    if (status != LH_OK) {
        return status;
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    graph_plugin_facts_write(&writer, &facts);
    plugin->uri = lh_arena_strdup(&stock->arena, facts.uri);
    plugin->facts = keep(&stock->arena, &writer);
    plugin->facts_size = writer.size;
    lh_writer_fini(&writer);
    if (plugin->uri == NULL || plugin->facts == NULL || graph_plugin_digest(&facts, &plugin->digest) != LH_OK ||
        add_evidence(stock, evidence, plugin) != LH_OK) {
        return lh_error_no_memory(error);
    }
    return LH_OK;
}

static enum lh_status digest_plugins(struct engine_stock *stock)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    for (size_t i = 0; i < stock->plugin_count; i++) {
        const struct engine_stock_plugin *plugin = &stock->plugins[i];
        lh_writer_text(&writer, plugin->uri);
        lh_writer_bytes(&writer, plugin->digest.bytes, sizeof plugin->digest.bytes);
        lh_writer_u32(&writer, (uint32_t)plugin->facts_size);
        lh_writer_bytes(&writer, plugin->facts, plugin->facts_size);
        lh_writer_u32(&writer, (uint32_t)plugin->evidence_size);
        lh_writer_bytes(&writer, plugin->evidence, plugin->evidence_size);
    }
    enum lh_status status = lh_writer_status(&writer);
    status = status == LH_OK ? lh_digest_bytes(writer.data, writer.size, &stock->digest) : status;
    lh_writer_fini(&writer);
    return status;
}

static enum lh_status fill(struct engine_stock *stock, struct engine_catalogue *catalogue,
                           const struct engine_instance *instance, struct lh_error *error)
{
    size_t count = inventory_index_count(catalogue->index);
    struct engine_stock_plugin *plugins = lh_arena_array(&stock->arena, count, sizeof *plugins);
    stock->engine = engine_stock_engine(&stock->arena, instance);
    stock->cpu_class = lh_arena_strdup(&stock->arena, engine_instance_cpu_class(instance));
    stock->jail = lh_arena_strdup(&stock->arena, engine_instance_jail(instance));
    if (plugins == NULL || stock->engine == NULL || stock->cpu_class == NULL || stock->jail == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        enum lh_status status = add_plugin(stock, catalogue, i, &plugins[i], error);
        if (status != LH_OK) {
            return status;
        }
    }
    stock->plugins = plugins;
    stock->plugin_count = count;
    return digest_plugins(stock) == LH_OK ? LH_OK : lh_error_no_memory(error);
}

enum lh_status engine_stock_new(struct engine_catalogue *catalogue, const struct engine_instance *instance,
                                struct engine_stock **stock, struct lh_error *error)
{
    struct engine_stock *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    lh_arena_init(&made->arena);
    atomic_init(&made->references, 1);
    enum lh_status status = fill(made, catalogue, instance, error);
    if (status != LH_OK) {
        engine_stock_unref(made);
        return status;
    }
    *stock = made;
    return LH_OK;
}

struct engine_stock *engine_stock_ref(struct engine_stock *stock)
{
    atomic_fetch_add_explicit(&stock->references, 1, memory_order_relaxed);
    return stock;
}

void engine_stock_unref(struct engine_stock *stock)
{
    if (stock != NULL && atomic_fetch_sub_explicit(&stock->references, 1, memory_order_acq_rel) == 1) {
        lh_arena_fini(&stock->arena);
        free(stock);
    }
}

static int compare_uri(const void *key, const void *item)
{
    return strcmp(key, ((const struct engine_stock_plugin *)item)->uri);
}

const struct engine_stock_plugin *engine_stock_find(const struct engine_stock *stock, const char *uri)
{
    return stock->plugin_count > 0
               ? bsearch(uri, stock->plugins, stock->plugin_count, sizeof *stock->plugins, compare_uri)
               : NULL;
}
