/* SPDX-License-Identifier: MIT */
/* A plugin's facts from its Turtle data. No code of it runs. */
#ifndef ENGINE_HOST_LV2_DESCRIBE_H
#define ENGINE_HOST_LV2_DESCRIBE_H

#include "engine/host/lv2_world.h"

/* What the host does with a control input by itself. */
enum engine_lv2_drive {
    ENGINE_LV2_DRIVE_NONE = 0,
    ENGINE_LV2_DRIVE_ONE,   /* enabled, free-wheeling: always 1 in offline renders */
    ENGINE_LV2_DRIVE_TEMPO, /* beats a minute, unless the caller sets it */
};

/* What an instance must know of a port beside its facts. */
struct engine_lv2_port {
    uint32_t capacity; /* EVENTS: bytes of its buffer */
    bool position;     /* EVENTS: takes time positions */
    bool patches;      /* EVENTS: takes patch messages */
    enum engine_lv2_drive drive;
    LV2_URID property, type; /* PROPERTY: its key, and the type of its values */
};

struct engine_lv2_facts {
    struct graph_plugin_facts facts; /* first: the provider hands out pointers to it */
    const LilvPlugin *plugin;
    const struct engine_lv2_port *ports; /* as facts.ports */
    bool live;                           /* it runs for hosts that say isLive, and for no others */
    uint32_t latency_port;               /* GRAPH_NONE: none */
    uint32_t message_port;               /* that patch messages go to; GRAPH_NONE: none */
    uint32_t position_port, note_port;   /* the same for positions and MIDI */
};

enum lh_status engine_lv2_describe(struct engine_provider_world *world, const char *uri, struct lh_arena *arena,
                                   struct graph_plugin_facts *facts, struct lh_error *error);
enum lh_status engine_lv2_facts(struct engine_provider_world *world, const char *uri,
                                const struct graph_plugin_facts **facts, struct lh_error *error);

#endif
