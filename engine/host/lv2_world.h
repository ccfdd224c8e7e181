/* SPDX-License-Identifier: MIT */
/* The LV2 plugins of some bundles, by lilv. One thread at a time. */
#ifndef ENGINE_HOST_LV2_WORLD_H
#define ENGINE_HOST_LV2_WORLD_H

#include <lilv/lilv.h>

#include "engine/host/lv2_urid.h"
#include "engine/host/provider.h"

/* Names that Turtle data are asked by. */
enum engine_lv2_name {
    ENGINE_LV2_NAME_APPLIES_TO,
    ENGINE_LV2_NAME_PORT,
    ENGINE_LV2_NAME_INDEX,
    ENGINE_LV2_NAME_BUFFER_TYPE,
    ENGINE_LV2_NAME_SUPPORTS,
    ENGINE_LV2_NAME_DESIGNATION,
    ENGINE_LV2_NAME_MINIMUM,
    ENGINE_LV2_NAME_MAXIMUM,
    ENGINE_LV2_NAME_DEFAULT,
    ENGINE_LV2_NAME_MINOR_VERSION,
    ENGINE_LV2_NAME_MICRO_VERSION,
    ENGINE_LV2_NAME_LICENCE,
    ENGINE_LV2_NAME_PROJECT,
    ENGINE_LV2_NAME_UNIT,
    ENGINE_LV2_NAME_UNIT_SYMBOL,
    ENGINE_LV2_NAME_GROUP,
    ENGINE_LV2_NAME_MAIN_INPUT,
    ENGINE_LV2_NAME_SIDE_CHAIN_OF,
    ENGINE_LV2_NAME_MINIMUM_SIZE,
    ENGINE_LV2_NAME_WRITABLE,
    ENGINE_LV2_NAME_RANGE,
    ENGINE_LV2_NAME_LABEL,
    ENGINE_LV2_NAME_PRESET,
    ENGINE_LV2_NAME_SEE_ALSO,
    ENGINE_LV2_NAME_STATE,
    ENGINE_LV2_NAME_STATE_INTERFACE,
    ENGINE_LV2_NAME_WORKER_INTERFACE,
    ENGINE_LV2_NAME_WORKER_SCHEDULE,
    ENGINE_LV2_NAME_REQUIRED_OPTION,
    ENGINE_LV2_NAME_COUNT,
};

struct engine_lv2_entry {
    const char *uri; /* "lv2:..." */
    const LilvPlugin *plugin;
    struct engine_lv2_facts *facts; /* of instances; NULL until asked for */
};

struct engine_provider_world {
    LilvWorld *lilv;
    LilvNode *names[ENGINE_LV2_NAME_COUNT];
    struct engine_lv2_urids *urids;
    struct lh_arena arena;
    const char **bundles; /* as they were named; in the arena */
    size_t bundle_count;
    char **specs; /* folders; NULL-terminated, in the arena */
    bool specs_loaded;
    struct engine_lv2_entry *entries; /* by URI */
    size_t entry_count;
};

/* NULL: there is none. */
struct engine_lv2_entry *engine_lv2_world_find(const struct engine_provider_world *world, const char *uri);
/* Reads the specifications that name classes, units and common parameters, once. Where they are not installed, texts
   are shorter and nothing else changes. */
void engine_lv2_world_load_specs(struct engine_provider_world *world);

enum lh_status engine_lv2_world_open(const char *const *bundles, size_t count, const char *const *specs,
                                     struct engine_provider_world **world, struct lh_error *error);
void engine_lv2_world_close(struct engine_provider_world *world);
size_t engine_lv2_world_count(const struct engine_provider_world *world);
const char *engine_lv2_world_uri(const struct engine_provider_world *world, size_t index);

#endif
