/* SPDX-License-Identifier: MIT */
/* lilv's world with the bundles that are named, and nothing scanned. Dynamic manifests stay off: describing must run no
   plugin's code. */
#include "engine/host/lv2_world.h"

#include <lv2/atom/atom.h>
#include <lv2/core/lv2.h>
#include <lv2/options/options.h>
#include <lv2/patch/patch.h>
#include <lv2/port-groups/port-groups.h>
#include <lv2/presets/presets.h>
#include <lv2/resize-port/resize-port.h>
#include <lv2/state/state.h>
#include <lv2/units/units.h>
#include <lv2/worker/worker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOAP "http://usefulinc.com/ns/doap#"
#define RDFS "http://www.w3.org/2000/01/rdf-schema#"
#define PATH_BYTES 4096
#define SPECS_MOST 64

static const char *const name_uris[ENGINE_LV2_NAME_COUNT] = {
    [ENGINE_LV2_NAME_APPLIES_TO] = LV2_CORE__appliesTo,
    [ENGINE_LV2_NAME_PORT] = LV2_CORE__port,
    [ENGINE_LV2_NAME_INDEX] = LV2_CORE__index,
    [ENGINE_LV2_NAME_BUFFER_TYPE] = LV2_ATOM__bufferType,
    [ENGINE_LV2_NAME_SUPPORTS] = LV2_ATOM__supports,
    [ENGINE_LV2_NAME_DESIGNATION] = LV2_CORE__designation,
    [ENGINE_LV2_NAME_MINIMUM] = LV2_CORE__minimum,
    [ENGINE_LV2_NAME_MAXIMUM] = LV2_CORE__maximum,
    [ENGINE_LV2_NAME_DEFAULT] = LV2_CORE__default,
    [ENGINE_LV2_NAME_MINOR_VERSION] = LV2_CORE__minorVersion,
    [ENGINE_LV2_NAME_MICRO_VERSION] = LV2_CORE__microVersion,
    [ENGINE_LV2_NAME_LICENCE] = DOAP "license",
    [ENGINE_LV2_NAME_PROJECT] = LV2_CORE__project,
    [ENGINE_LV2_NAME_UNIT] = LV2_UNITS__unit,
    [ENGINE_LV2_NAME_UNIT_SYMBOL] = LV2_UNITS__symbol,
    [ENGINE_LV2_NAME_GROUP] = LV2_PORT_GROUPS__group,
    [ENGINE_LV2_NAME_MAIN_INPUT] = LV2_PORT_GROUPS__mainInput,
    [ENGINE_LV2_NAME_SIDE_CHAIN_OF] = LV2_PORT_GROUPS__sideChainOf,
    [ENGINE_LV2_NAME_MINIMUM_SIZE] = LV2_RESIZE_PORT__minimumSize,
    [ENGINE_LV2_NAME_WRITABLE] = LV2_PATCH__writable,
    [ENGINE_LV2_NAME_RANGE] = RDFS "range",
    [ENGINE_LV2_NAME_LABEL] = RDFS "label",
    [ENGINE_LV2_NAME_SEE_ALSO] = RDFS "seeAlso",
    [ENGINE_LV2_NAME_PRESET] = LV2_PRESETS__Preset,
    [ENGINE_LV2_NAME_STATE] = LV2_STATE__state,
    [ENGINE_LV2_NAME_STATE_INTERFACE] = LV2_STATE__interface,
    [ENGINE_LV2_NAME_WORKER_INTERFACE] = LV2_WORKER__interface,
    [ENGINE_LV2_NAME_WORKER_SCHEDULE] = LV2_WORKER__schedule,
    [ENGINE_LV2_NAME_REQUIRED_OPTION] = LV2_OPTIONS__requiredOption,
};

/* Copies of the caller's folders, or of those that LV2_PATH or its usual value lists. */
static bool keep_specs(struct engine_provider_world *world, const char *const *specs)
{
    world->specs = lh_arena_array(&world->arena, SPECS_MOST + 1, sizeof *world->specs);
    if (world->specs == NULL) {
        return false;
    }
    if (specs != NULL) {
        for (size_t i = 0; specs[i] != NULL && i < SPECS_MOST; i++) {
            world->specs[i] = lh_arena_strdup(&world->arena, specs[i]);
            if (world->specs[i] == NULL) {
                return false;
            }
        }
        return true;
    }
    const char *path = getenv("LV2_PATH");
    path = path != NULL ? path : "/usr/local/lib/lv2:/usr/lib/lv2";
    for (size_t i = 0; *path != '\0' && i < SPECS_MOST;) {
        size_t length = strcspn(path, ":");
        if (length > 0) {
            world->specs[i] = lh_arena_strndup(&world->arena, path, length);
            if (world->specs[i++] == NULL) {
                return false;
            }
        }
        path += length;
        path += *path == ':' ? 1 : 0;
    }
    return true;
}

static bool keep_bundles(struct engine_provider_world *world, const char *const *bundles, size_t count)
{
    world->bundles = lh_arena_array(&world->arena, count, sizeof *world->bundles);
    for (size_t i = 0; world->bundles != NULL && i < count; i++) {
        world->bundles[i] = lh_arena_strdup(&world->arena, bundles[i]);
        if (world->bundles[i] == NULL) {
            return false;
        }
    }
    world->bundle_count = count;
    return world->bundles != NULL;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct engine_lv2_entry *)a)->uri, ((const struct engine_lv2_entry *)b)->uri);
}

static bool collect_entries(struct engine_provider_world *world)
{
    const LilvPlugins *plugins = lilv_world_get_all_plugins(world->lilv);
    world->entries = lh_arena_array(&world->arena, lilv_plugins_size(plugins), sizeof *world->entries);
    if (world->entries == NULL) {
        return false;
    }
    LILV_FOREACH(plugins, i, plugins)
    {
        const LilvPlugin *plugin = lilv_plugins_get(plugins, i);
        const char *uri = lilv_node_as_uri(lilv_plugin_get_uri(plugin));
        size_t size = strlen(uri) + sizeof "lv2:";
        char *text = lh_arena_alloc(&world->arena, size);
        if (text == NULL) {
            return false;
        }
        snprintf(text, size, "lv2:%s", uri);
        world->entries[world->entry_count++] = (struct engine_lv2_entry){.uri = text, .plugin = plugin};
    }
    qsort(world->entries, world->entry_count, sizeof *world->entries, compare_entries);
    return true;
}

static bool load_bundle(LilvWorld *lilv, const char *folder)
{
    LilvNode *uri = lilv_new_file_uri(lilv, NULL, folder);
    if (uri != NULL) {
        lilv_world_load_bundle(lilv, uri);
        lilv_node_free(uri);
    }
    return uri != NULL;
}

enum lh_status engine_lv2_world_open(const char *const *bundles, size_t count, const char *const *specs,
                                     struct engine_provider_world **world, struct lh_error *error)
{
    struct engine_provider_world *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    lh_arena_init(&made->arena);
    made->lilv = lilv_world_new();
    enum lh_status status = made->lilv != NULL ? LH_OK : lh_error_no_memory(error);
    for (size_t i = 0; status == LH_OK && i < ENGINE_LV2_NAME_COUNT; i++) {
        made->names[i] = lilv_new_uri(made->lilv, name_uris[i]);
        status = made->names[i] != NULL ? LH_OK : lh_error_no_memory(error);
    }
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        status = load_bundle(made->lilv, bundles[i]) ? LH_OK : lh_error_no_memory(error);
    }
    if (status == LH_OK &&
        (!keep_bundles(made, bundles, count) || !keep_specs(made, specs) || !collect_entries(made))) {
        status = lh_error_no_memory(error);
    }
    if (status == LH_OK) {
        status = engine_lv2_urids_new(&made->urids, error);
    }
    if (status == LH_OK) {
        *world = made;
    } else {
        engine_lv2_world_close(made);
    }
    return status;
}

void engine_lv2_world_close(struct engine_provider_world *world)
{
    if (world == NULL) {
        return;
    }
    for (size_t i = 0; i < ENGINE_LV2_NAME_COUNT; i++) {
        lilv_node_free(world->names[i]);
    }
    lilv_world_free(world->lilv);
    engine_lv2_urids_free(world->urids);
    lh_arena_fini(&world->arena);
    free(world);
}

size_t engine_lv2_world_count(const struct engine_provider_world *world)
{
    return world->entry_count;
}

const char *engine_lv2_world_uri(const struct engine_provider_world *world, size_t index)
{
    return world->entries[index].uri;
}

struct engine_lv2_entry *engine_lv2_world_find(const struct engine_provider_world *world, const char *uri)
{
    struct engine_lv2_entry key = {.uri = uri};
    return world->entry_count == 0 ? NULL
                                   : bsearch(&key, world->entries, world->entry_count, sizeof key, compare_entries);
}

void engine_lv2_world_load_specs(struct engine_provider_world *world)
{
    static const char *const wanted[] = {"core.lv2", "parameters.lv2", "units.lv2"};
    if (world->specs_loaded) {
        return;
    }
    world->specs_loaded = true;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        for (char **folder = world->specs; *folder != NULL; folder++) {
            char path[PATH_BYTES];
            int length = snprintf(path, sizeof path, "%s/%s/", *folder, wanted[i]);
            if (length > 0 && (size_t)length < sizeof path && access(path, R_OK) == 0) {
                load_bundle(world->lilv, path);
                break;
            }
        }
    }
    lilv_world_load_specifications(world->lilv);
    lilv_world_load_plugin_classes(world->lilv);
}
