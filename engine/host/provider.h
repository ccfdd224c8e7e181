/* SPDX-License-Identifier: MIT */
/* What a kind of plugins (LV2, later CLAP) has to offer. engine/host/host.c finds plugins through it,
   engine/host/plugin.c owns buffers, watch, floating environment and checks; a provider talks to the plugin. */
#ifndef ENGINE_HOST_PROVIDER_H
#define ENGINE_HOST_PROVIDER_H

#include "engine/host/host.h"

struct engine_provider_world;
struct engine_provider_instance;

struct engine_provider {
    const char *kind;      /* what its URIs begin with: "lv2:" */
    const char *libraries; /* versions of what it stands on */

    /* As engine_host_new(), engine_host_uri() and engine_host_describe(). */
    enum lh_status (*open)(const char *const *bundles, size_t count, const char *const *specs,
                           struct engine_provider_world **world, struct lh_error *error);
    void (*close)(struct engine_provider_world *world);
    size_t (*count)(const struct engine_provider_world *world);
    const char *(*uri)(const struct engine_provider_world *world, size_t index);
    enum lh_status (*describe)(struct engine_provider_world *world, const char *uri, struct lh_arena *arena,
                               struct graph_plugin_facts *facts, struct lh_error *error);
    /* What an instance needs of it: without digest, presets, and texts that are for people. The world's. */
    enum lh_status (*facts)(struct engine_provider_world *world, const char *uri,
                            const struct graph_plugin_facts **facts, struct lh_error *error);

    /* All that follow are called inside engine/host/call.h.
       An instance at its defaults. ports[i] is the memory of port i of the facts, which does not move: `quantum` floats
       for AUDIO and CV, one for CONTROL, NULL for all others. */
    enum lh_status (*instantiate)(struct engine_provider_world *world, const struct engine_plugin_config *config,
                                  const struct graph_plugin_facts *facts, void *const *ports,
                                  struct engine_provider_instance **instance, struct lh_error *error);
    void (*free)(struct engine_provider_instance *instance);
    /* Preset, then state. */
    enum lh_status (*restore)(struct engine_provider_instance *instance, const struct engine_plugin_config *config,
                              struct lh_error *error);
    /* Once, before the first run; jobs that wait are done. */
    enum lh_status (*activate)(struct engine_provider_instance *instance, struct lh_error *error);
    /* Allocates nothing. */
    enum lh_status (*run)(struct engine_provider_instance *instance, const struct engine_plugin_chunk *chunk,
                          struct lh_error *error);

    /* These do not enter the plugin. */
    void (*set_property)(struct engine_provider_instance *instance, uint32_t port, float value);
    float (*get_property)(const struct engine_provider_instance *instance, uint32_t port);
    void (*choose)(struct engine_provider_instance *instance, uint32_t port); /* the caller set this control */
    float (*latency)(const struct engine_provider_instance *instance);        /* as the plugin wrote it */
};

extern const struct engine_provider engine_provider_lv2;

#endif
