/* SPDX-License-Identifier: MIT */
/* What is known of the latency of plugins as they are used: by a key of all that decides over it (plugin, rate, layout,
   preset, state, the parameters at the first frame of a range). One thread at a time. */
#ifndef PULSE_SHARD_LATENCY_H
#define PULSE_SHARD_LATENCY_H

#include "graph/keys.h"

struct pulse_latencies;

LH_NODISCARD enum lh_status pulse_latencies_new(struct pulse_latencies **latencies);
void pulse_latencies_free(struct pulse_latencies *latencies); /* accepts NULL */
/* The first word counts. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_latencies_add(struct pulse_latencies *latencies, const struct lh_digest *key,
                                                uint32_t frames);
/* A plugin that reports none (graph_plugin_facts.reports_latency), by graph_plugin.digest. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_latencies_add_none(struct pulse_latencies *latencies, const struct lh_digest *plugin);
bool pulse_latencies_has_none(const struct pulse_latencies *latencies, const struct lh_digest *plugin);
/* GRAPH_NONE: not known. */
uint32_t pulse_latencies_find(const struct pulse_latencies *latencies, const struct lh_digest *key);

/* The key of PLUGIN node `node` in a pass that begins at `begin`. Inputs, events and what is not at `begin` do not
   enter; what is not proven repeatable enters with the context's job. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_latency_key(const struct graph *graph, uint32_t node, int64_t begin,
                                              const struct graph_key_context *context, struct lh_digest *key);

/* A latency that a plan would like to know. */
struct pulse_latency_ask {
    struct lh_digest key;
    uint32_t node; /* PLUGIN node of the graph */
    int64_t begin; /* first frame of the pass */
};

#endif
