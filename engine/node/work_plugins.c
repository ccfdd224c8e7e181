/* SPDX-License-Identifier: MIT */
/* A graph says where plugins lie on the machine that it was compiled for. Here they lie where our own inventory says:
   the same by URI and digest, or none. */
#include <string.h>

#include "engine/node/work_parts.h"

static enum lh_status refuse(const struct graph_plugin *plugin, const char *why, struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_MISSING, plugin->uri, "the plugin %s", why);
}

static enum lh_status find_facts(struct engine_job *job, const struct graph_plugin *plugin,
                                 struct graph_plugin_facts *facts, struct lh_error *error)
{
    const struct engine_stock_plugin *known = engine_stock_find(job->tools->stock, plugin->uri);
    if (known == NULL) {
        return refuse(plugin, "is not installed on this node", error);
    }
    if (!lh_digest_equal(&known->digest, &plugin->digest)) {
        return refuse(plugin, "is installed on this node as another build", error);
    }
    struct lh_reader reader;
    lh_reader_init(&reader, known->facts, known->facts_size);
    enum lh_status status = graph_plugin_facts_read(&reader, &job->attempt->assigned, facts);
    return status == LH_OK ? LH_OK : lh_error_no_memory(error); /* we wrote them ourselves */
}

/* Where the preset of an insert is; as it was when the plugin knows none of that name. */
static const char *preset_bundle(const struct graph_insert *insert, const struct graph_plugin_facts *facts)
{
    for (uint32_t i = 0; i < facts->preset_count; i++) {
        if (strcmp(facts->presets[i].uri, insert->preset) == 0) {
            return facts->presets[i].bundle;
        }
    }
    return insert->preset_bundle;
}

enum lh_status engine_job_place_plugins(struct engine_job *job, struct lh_error *error)
{
    struct graph *graph = &job->graph;
    struct lh_arena *arena = &job->attempt->assigned;
    if (graph->plugin_count == 0) {
        return LH_OK;
    }
    struct graph_plugin *plugins = lh_arena_array(arena, graph->plugin_count, sizeof *plugins);
    struct graph_plugin_facts *facts = lh_arena_array(arena, graph->plugin_count, sizeof *facts);
    struct graph_insert *inserts = lh_arena_array(arena, graph->insert_count, sizeof *inserts);
    if (plugins == NULL || facts == NULL || inserts == NULL) {
        return lh_error_no_memory(error);
    }
    for (uint32_t i = 0; i < graph->plugin_count; i++) {
        enum lh_status status = find_facts(job, &graph->plugins[i], &facts[i], error);
        if (status != LH_OK) {
            return status;
        }
        plugins[i] = graph->plugins[i];
        plugins[i].bundle = facts[i].bundle;
    }
    for (uint32_t i = 0; i < graph->insert_count; i++) {
        inserts[i] = graph->inserts[i];
        if (*inserts[i].preset != '\0') {
            inserts[i].preset_bundle = preset_bundle(&inserts[i], &facts[inserts[i].plugin]);
        }
    }
    graph->plugins = plugins;
    graph->inserts = inserts;
    return LH_OK;
}
