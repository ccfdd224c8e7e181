/* SPDX-License-Identifier: MIT */
/* Plugins as the engine sees them: a narrow descriptor of our own. LV2 is its first provider, CLAP may be the second
   (engine/host/provider.h is what one has to offer). No graphical interface is ever loaded.

   What a plugin is promised, and what makes its output a function of its input alone:
   - a fresh instance for each render; `run` with 1..quantum frames, always the same cuts (docs/sound.md);
   - block lengths are announced (boundedBlockLength; minimum 1, nominal and maximum the quantum);
   - its worker's jobs are done inside `schedule_work`, responses delivered after the run that asked;
   - rand(), random() and their kin are this instance's own sequence, seeded alike in each (engine/host/pinned.h);
   - denormals are zero, rounding is to nearest; the floating environment is restored after each call into it;
   - audio and CV buffers lie between guard pages, each with its end at the upper one.

   A plugin's instance is used by one thread at a time, any thread. A host is used by one thread at a time. Calls into
   plugins go through engine/host/watch.h with the slot that is handed in. */
#ifndef ENGINE_HOST_HOST_H
#define ENGINE_HOST_HOST_H

#include "engine/host/watch.h"
#include "graph/plugin.h"

struct engine_host;
struct engine_plugin;

/* Knows the plugins of these bundles (absolute folders, "/" at their ends) and no others; the data of LV2's
   specifications is looked for in `specs` (folders that hold *.lv2, NULL-terminated; NULL: where LV2_PATH or its
   default says). Only manifests are read here; a plugin's own data when it is first asked for. */
LH_NODISCARD enum lh_status engine_host_new(const char *const *bundles, size_t count, const char *const *specs,
                                            struct engine_host **host, struct lh_error *error);
void engine_host_free(struct engine_host *host); /* accepts NULL; after the last of its plugins */

/* Every plugin that the bundles hold, URIs with their kind, sorted. The texts are the host's. */
size_t engine_host_count(const struct engine_host *host);
const char *engine_host_uri(const struct engine_host *host, size_t index);
/* Reads a plugin's data and hashes its binary; runs none of its code. Everything goes into the arena. LH_ERR_MISSING:
   not in these bundles; LH_ERR_FORMAT: its data make no sense. */
LH_NODISCARD enum lh_status engine_host_describe(struct engine_host *host, const char *uri, struct lh_arena *arena,
                                                 struct graph_plugin_facts *facts, struct lh_error *error);

struct engine_plugin_config {
    const char *uri;
    uint32_t sample_rate;
    uint32_t quantum;           /* the most frames of one run: 1..8192 */
    const char *preset;         /* URI; "" none */
    const char *state, *folder; /* as in struct graph_insert */
    const char *scratch;        /* folder that it may write files to; NULL: none */
    bool unpinned_random;       /* leave rand() alone: for probes */
};

/* An instance with its buffers: parameters at their defaults, then preset, then state. Not yet activated, so that
   parameters set now are there from the first frame on. The watch slot is used for this call. LH_ERR_MISSING: no such
   plugin or preset; LH_ERR_UNSUPPORTED: it needs what this host has not (the message names the feature); LH_ERR_FAULT:
   it gave no instance, or refused its state. */
LH_NODISCARD enum lh_status engine_plugin_new(struct engine_host *host, const struct engine_plugin_config *config,
                                              struct engine_watch_slot *slot, uint32_t node,
                                              struct engine_plugin **plugin, struct lh_error *error);
void engine_plugin_free(struct engine_plugin *plugin, struct engine_watch_slot *slot, uint32_t node); /* accepts NULL */

/* Counts and buffers: planar, `quantum` floats each. Inputs are the caller's to fill before a run (a plugin may write
   to them); outputs are valid until the next. In the order of the ports; side chains apart. Not NULL. */
uint32_t engine_plugin_audio_inputs(const struct engine_plugin *plugin);
uint32_t engine_plugin_audio_outputs(const struct engine_plugin *plugin);
uint32_t engine_plugin_sidechain_inputs(const struct engine_plugin *plugin);
float *engine_plugin_audio_input(const struct engine_plugin *plugin, uint32_t index);
const float *engine_plugin_audio_output(const struct engine_plugin *plugin, uint32_t index);
float *engine_plugin_sidechain_input(const struct engine_plugin *plugin, uint32_t index);
bool engine_plugin_takes_notes(const struct engine_plugin *plugin);

/* Index of a control input or writable property by its symbol; GRAPH_NONE: there is none. */
uint32_t engine_plugin_parameter(const struct engine_plugin *plugin, const char *symbol);
/* Takes effect with the next run. A property is sent as a patch message when its value changes. */
void engine_plugin_set(struct engine_plugin *plugin, uint32_t parameter, float value);
float engine_plugin_get(const struct engine_plugin *plugin, uint32_t parameter);

/* The musical time at the first frame of a chunk. */
struct engine_position {
    double bpm;      /* quarter notes a minute */
    double beat;     /* quarter notes from the project's start */
    int64_t bar;     /* 0 = the first */
    double bar_beat; /* beats of `denominator` since the bar began */
    uint32_t numerator, denominator;
};

struct engine_plugin_chunk {
    int64_t frame;                    /* timeline, of the first frame */
    uint32_t frames;                  /* 1..quantum */
    const struct graph_event *events; /* of these frames, in order */
    uint32_t event_count;
    const struct engine_position *position; /* NULL: nothing new to tell */
};

/* Runs the chunk; activates before the first. LH_ERR_FAULT: an output that is not finite ("gives NaN, output out_l",
   the frame in *fault_frame), or a write behind the chunk's frames; LH_ERR_LIMIT: more events than its port holds. */
LH_NODISCARD enum lh_status engine_plugin_run(struct engine_plugin *plugin, const struct engine_plugin_chunk *chunk,
                                              struct engine_watch_slot *slot, uint32_t node, int64_t *fault_frame,
                                              struct lh_error *error);
/* Frames of delay that it reports, after the last run; 0 when it reports none. Never negative, at most
   ENGINE_LATENCY_MAX. */
#define ENGINE_LATENCY_MAX (1 << 20)
uint32_t engine_plugin_latency(const struct engine_plugin *plugin);

/* The latency of a throw-away instance with these parameters: made, activated, run with one chunk of silence and freed.
   `values` by `symbols`. */
LH_NODISCARD enum lh_status engine_plugin_measure_latency(struct engine_host *host,
                                                          const struct engine_plugin_config *config,
                                                          const char *const *symbols, const float *values, size_t count,
                                                          struct engine_watch_slot *slot, uint32_t node,
                                                          uint32_t *latency, struct lh_error *error);

/* How many audio inputs (side chains do not count) and outputs a plugin has, without making an instance. */
LH_NODISCARD enum lh_status engine_host_audio_ports(struct engine_host *host, const char *uri, uint32_t *inputs,
                                                    uint32_t *outputs, struct lh_error *error);

/* Versions of the libraries that host plugins: "lilv-0.24.14". Static. */
const char *engine_host_libraries(void);

#endif
