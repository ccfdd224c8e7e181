/* SPDX-License-Identifier: MIT */
/* One instance of an LV2 plugin, as the files of this provider share it. */
#ifndef ENGINE_HOST_LV2_INSTANCE_H
#define ENGINE_HOST_LV2_INSTANCE_H

#include "engine/host/lv2_describe.h"
#include "engine/host/lv2_events.h"
#include "engine/host/lv2_features.h"
#include "engine/host/lv2_worker.h"

/* A writable property's way to the plugin. */
struct engine_lv2_property {
    float value;
    bool known;   /* `value` is what the plugin was told */
    bool waiting; /* to be told */
};

struct engine_provider_instance {
    struct engine_provider_world *world;
    const struct engine_lv2_facts *facts;
    void *const *ports; /* the caller's memory */
    uint32_t sample_rate;
    LilvInstance *lilv; /* NULL until made */
    void *library;      /* keeps the binary loaded */
    const LV2_State_Interface *state;
    struct engine_lv2_features features;
    struct engine_lv2_worker worker;
    struct engine_lv2_events events;
    struct engine_lv2_property *properties; /* by port */
    bool *chosen;                           /* by port: the caller set it, so the host does not drive it */
    bool restored;                          /* it was given properties of a state */
    bool activated;
};

/* The state that the plugin's data say it begins with, then the preset, then the state's text. */
enum lh_status engine_lv2_state_default(struct engine_provider_instance *instance, struct lh_error *error);
enum lh_status engine_lv2_state_restore(struct engine_provider_instance *instance,
                                        const struct engine_plugin_config *config, struct lh_error *error);

#endif
