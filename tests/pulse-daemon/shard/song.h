/* SPDX-License-Identifier: MIT */
/* Render graphs of made-up songs for the tests of the planner: tracks with chains of plugins, groups, a return, side
   chains, several ranges. The same seed gives the same song; nothing is ever rendered. */
#ifndef TESTS_PULSE_SHARD_SONG_H
#define TESTS_PULSE_SHARD_SONG_H

#include "graph/builder.h"
#include "pulse-daemon/shard/plan.h"

#define SONG_RATE 48000
#define SONG_PLUGINS 6 /* kinds of plugins that songs use */

struct song {
    uint64_t seed;
    uint32_t tracks;
    uint32_t chain;     /* plugins on a track, at most */
    uint32_t groups;    /* 0: all tracks into the master */
    int64_t frames;     /* of the main range */
    bool natives;       /* some tracks have no plugins */
    bool lossy;         /* some media are conformed */
    bool unproven;      /* some plugins are not proven repeatable */
    bool master_plugin; /* a limiter on the master */
    bool stems;         /* each track is delivered as well */
    bool ranges;        /* other ranges, with pre-rolls and tails, are delivered as well */
    bool gains;         /* loudness targets, and stems that take their gain from the mix */
    uint64_t order;     /* tracks are added in another order for each */
    uint32_t changed;   /* this track (from 1) has another parameter than it would have; 0: none */
};

/* Media of a graph and what tells them apart; digests by the graph's media. */
struct sung {
    const struct graph *graph; /* one reference */
    struct lh_digest *media;
};

/* Aborts the test when something fails. */
void song_write(const struct song *song, struct sung *sung);
void sung_free(struct sung *sung);

/* Latencies of all plugins of the graph, as these songs' plugins have them: by their kind, kind 0 has none. */
struct pulse_latencies *song_latencies(const struct graph *graph, const struct graph_key_context *context);
/* Costs as of a slow machine: `plugin_ns` for each sample of every kind. */
struct pulse_costs *song_costs(double plugin_ns);
extern const struct graph_key_context song_context;

#endif
