/* SPDX-License-Identifier: MIT */
/* What is known of an installed plugin without running it: plain values that Signal reads from the plugin's data, Pulse
   checks projects against, and the index on disk keeps. Any thread. */
#ifndef GRAPH_PLUGIN_H
#define GRAPH_PLUGIN_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/digest/digest.h"
#include "graph/graph.h"

#define GRAPH_PLUGIN_PORTS_MAX 4096
#define GRAPH_PLUGIN_PRESETS_MAX 16384

enum graph_port_kind {
    GRAPH_PORT_AUDIO = 0,
    GRAPH_PORT_CONTROL,
    GRAPH_PORT_CV,
    GRAPH_PORT_EVENTS,   /* atom sequences */
    GRAPH_PORT_PROPERTY, /* no port: a writable property (LV2 patch:writable), addressed like a control input */
    GRAPH_PORT_OTHER,
};

struct graph_scale_point {
    const char *label;
    float value;
};

struct graph_port {
    enum graph_port_kind kind;
    bool input;
    bool optional;  /* may stay unconnected */
    bool sidechain; /* AUDIO and CV inputs: keys the plugin instead of being processed */
    bool notes;     /* EVENTS: MIDI */
    bool integer, toggled, enumerated, logarithmic; /* CONTROL, PROPERTY */
    const char *symbol, *name;
    const char *unit; /* symbol of its unit, "dB"; may be empty */
    const char
        *role; /* what the plugin says that it is for ("enabled", "freeWheeling", "latency", ...); may be empty */
    float minimum, maximum, standard; /* CONTROL, PROPERTY: natural unit at 48 kHz; finite; standard is the default */
    bool scaled;   /* bounds and default are fractions of the sample rate: multiplied by 48000 above */
    bool absolute; /* scaled, but for the default, which is in natural units at any rate */
    const struct graph_scale_point *points;
    uint32_t point_count;
};

struct graph_preset {
    const char *uri, *label;
    const char *bundle; /* that holds it, which need not be the plugin's; absolute, "/" at its end */
};

struct graph_plugin_facts {
    const char *uri;                                /* with its kind: "lv2:http://..." */
    const char *name, *author, *licence, *category; /* may be empty */
    const char *version;                            /* as the plugin says it, "2.4"; may be empty */
    const char *bundle;                             /* absolute, "/" at its end */
    const char *binary;                             /* absolute path */
    struct lh_digest digest;                        /* of the binary */
    const char *refused; /* why this host cannot run it ("needs the feature ..."); "" when it can */
    bool reports_latency, has_state, has_worker;
    const struct graph_port *ports; /* ports in their order, then properties by symbol */
    uint32_t port_count;
    const struct graph_preset *presets; /* by label */
    uint32_t preset_count;
};

/* Ports that graph/fit.h counts. */
uint32_t graph_plugin_audio_inputs(const struct graph_plugin_facts *facts); /* without side chains */
uint32_t graph_plugin_audio_outputs(const struct graph_plugin_facts *facts);
uint32_t graph_plugin_sidechain_inputs(const struct graph_plugin_facts *facts);
bool graph_plugin_takes_notes(const struct graph_plugin_facts *facts);
/* A control input or property by its symbol, NULL: there is none. */
const struct graph_port *graph_plugin_parameter(const struct graph_plugin_facts *facts, const char *symbol);
/* The range at a sample rate. */
void graph_port_range(const struct graph_port *port, uint32_t sample_rate, float *minimum, float *maximum,
                      float *standard);

/* What a plugin's sound hangs on, as far as it is installed: its binary, and the ports, defaults and presets that its
   data tell. Where it lies is left out. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status graph_plugin_digest(const struct graph_plugin_facts *facts, struct lh_digest *digest);

/* One record; little-endian, as common/base/bytes.h. The reader bounds every count; texts and tables go into the arena;
   what cannot have been written fails the reader. LH_ERR_FORMAT, LH_ERR_NO_MEMORY. */
void graph_plugin_facts_write(struct lh_writer *writer, const struct graph_plugin_facts *facts);
LH_NODISCARD enum lh_status graph_plugin_facts_read(struct lh_reader *reader, struct lh_arena *arena,
                                                    struct graph_plugin_facts *facts);

#endif
