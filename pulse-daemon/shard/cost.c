/* SPDX-License-Identifier: MIT */
/* The cost model: a sorted table of means over the defaults. */
#include "pulse-daemon/shard/cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/shard/work.h"

#define MEAN_OF 16.0   /* shards that the mean remembers */
#define TELLING_NS 5e7 /* what took less says more of the machine than of the work */
#define TRUSTED 4.0    /* shards that a default counts for: what is native differs little from machine to machine */
#define BOUND 8.0      /* and by no more than that: the rest is other programs' doing */
#define MOVES_BY 1.5   /* a plan goes by another figure when the mean has left the old one by that */
#define UNIT_NS_MAX 1e12
#define UNIT_NS_MIN 1e-6
#define PLUGIN "plugin/"

/* Nanoseconds on one thread of a common server; what is learned replaces them. */
static const struct {
    const char *what;
    double ns;
} defaults[] = {
    {"conform", 25},     {"encode/aiff", 1.5},  {"encode/bwf", 1.5}, {"encode/flac", 12}, {"encode/mp3", 50},
    {"encode/opus", 60}, {"encode/vorbis", 50}, {"encode/wav", 1.5}, {"load", 0.5},       {"meter", 5},
    {"mix", 0.2},        {"shard", 1e8},        {"store", 1.5},
};
#define PLUGIN_NS 100

struct entry {
    struct pulse_cost cost;
    double held; /* what plans go by */
};

struct pulse_costs {
    struct entry *entries; /* by name */
    size_t count, room;
    uint64_t lessons;
};

enum lh_status pulse_costs_new(struct pulse_costs **costs)
{
    struct pulse_costs *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    *costs = made;
    return LH_OK;
}

void pulse_costs_free(struct pulse_costs *costs)
{
    if (costs != NULL) {
        free(costs->entries);
        free(costs);
    }
}

static bool is_plugin(const char *what)
{
    return strncmp(what, PLUGIN, strlen(PLUGIN)) == 0;
}

static double default_ns(const char *what)
{
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        if (strcmp(what, defaults[i].what) == 0) {
            return defaults[i].ns;
        }
    }
    return is_plugin(what) ? PLUGIN_NS : 0;
}

/* The first entry that is not before `what`. */
static size_t place_of(const struct pulse_costs *costs, const char *what)
{
    size_t low = 0, high = costs->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(costs->entries[middle].cost.what, what) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct entry *find(const struct pulse_costs *costs, const char *what)
{
    size_t at = place_of(costs, what);
    bool there = at < costs->count && strcmp(costs->entries[at].cost.what, what) == 0;
    return there ? &costs->entries[at] : NULL;
}

/* NULL when memory is out. */
static struct entry *add(struct pulse_costs *costs, const char *what)
{
    if (costs->count == costs->room) {
        size_t room = costs->room > 0 ? 2 * costs->room : 32;
        struct entry *entries = realloc(costs->entries, room * sizeof *entries);
        if (entries == NULL) {
            return NULL;
        }
        costs->entries = entries;
        costs->room = room;
    }
    size_t at = place_of(costs, what);
    memmove(&costs->entries[at + 1], &costs->entries[at], (costs->count - at) * sizeof *costs->entries);
    costs->count++;
    costs->entries[at] = (struct entry){.held = is_plugin(what) ? 0 : default_ns(what)};
    snprintf(costs->entries[at].cost.what, sizeof costs->entries[at].cost.what, "%s", what);
    return &costs->entries[at];
}

static bool is_cost(double ns)
{
    return isfinite(ns) && ns >= UNIT_NS_MIN && ns <= UNIT_NS_MAX;
}

static void take(struct entry *entry, double ns, double weight)
{
    entry->cost.ns = ns;
    entry->cost.weight = weight;
    if (entry->held <= 0 || ns > entry->held * MOVES_BY || ns < entry->held / MOVES_BY) {
        entry->held = ns;
    }
}

enum lh_status pulse_costs_set(struct pulse_costs *costs, const char *what, double ns, double weight)
{
    if (!is_cost(ns) || !isfinite(weight) || weight < 1 || strlen(what) >= PULSE_COST_NAME_SIZE) {
        return LH_OK;
    }
    struct entry *entry = find(costs, what);
    entry = entry != NULL ? entry : add(costs, what);
    if (entry == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    take(entry, ns, weight);
    return LH_OK;
}

const struct pulse_cost *pulse_costs_at(const struct pulse_costs *costs, size_t index)
{
    return index < costs->count ? &costs->entries[index].cost : NULL;
}

double pulse_costs_ns(const struct pulse_costs *costs, const char *what)
{
    const struct entry *entry = find(costs, what);
    return entry != NULL ? entry->held : default_ns(what);
}

/* The mean itself, where there is one. */
static double mean_ns(const struct pulse_costs *costs, const char *what)
{
    const struct entry *entry = find(costs, what);
    return entry != NULL ? entry->cost.ns : default_ns(what);
}

/* One observation, for what there is a default of: a plugin's is a guess, all others are known roughly. */
static void observe(struct entry *entry, double ns)
{
    double known = default_ns(entry->cost.what);
    bool native = known > 0 && !is_plugin(entry->cost.what);
    double weight = entry->cost.weight + 1;
    double before = entry->cost.ns;
    double seen = weight;
    if (native) {
        ns = ns > known * BOUND ? known * BOUND : ns;
        ns = ns < known / BOUND ? known / BOUND : ns;
        before = weight > 1 ? before : known;
        seen += TRUSTED;
    }
    double share = 1 / (seen < MEAN_OF ? seen : MEAN_OF);
    take(entry, before + share * (ns - before), weight);
}

uint64_t pulse_costs_lessons(const struct pulse_costs *costs)
{
    return costs->lessons;
}

bool pulse_cost_is_telling(double ns)
{
    return ns >= TELLING_NS;
}

enum lh_status pulse_costs_learn(struct pulse_costs *costs, const char *what, double units, double ns)
{
    if (!(units > 0) || !is_cost(ns / units) || strlen(what) >= PULSE_COST_NAME_SIZE ||
        (!pulse_cost_is_telling(ns) && !pulse_cost_is_telling(units * mean_ns(costs, what)))) {
        return LH_OK;
    }
    struct entry *entry = find(costs, what);
    entry = entry != NULL ? entry : add(costs, what);
    if (entry == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    observe(entry, ns / units);
    entry->cost.lesson = ++costs->lessons;
    return LH_OK;
}

void pulse_cost_plugin_name(const struct lh_digest *plugin, char name[PULSE_COST_NAME_SIZE])
{
    char text[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(plugin, text);
    snprintf(name, PULSE_COST_NAME_SIZE, PLUGIN "%s", text);
}

void pulse_cost_format_name(enum graph_format format, char name[PULSE_COST_NAME_SIZE])
{
    static const char *const names[GRAPH_FORMAT_COUNT] = {
        [GRAPH_FORMAT_WAV] = "wav",   [GRAPH_FORMAT_BWF] = "bwf",       [GRAPH_FORMAT_AIFF] = "aiff",
        [GRAPH_FORMAT_FLAC] = "flac", [GRAPH_FORMAT_VORBIS] = "vorbis", [GRAPH_FORMAT_OPUS] = "opus",
        [GRAPH_FORMAT_MP3] = "mp3"};
    if (format == GRAPH_FORMAT_STORED) {
        snprintf(name, PULSE_COST_NAME_SIZE, "store");
    } else {
        snprintf(name, PULSE_COST_NAME_SIZE, "encode/%s", names[format]);
    }
}

/* What one render did, in units. */
struct done {
    double mix, conform, meter;
    double *inserts;                    /* by insert: samples */
    double formats[GRAPH_FORMAT_COUNT]; /* samples encoded, bytes stored */
};

static bool is_first_of_pass(const struct graph *graph, uint32_t d)
{
    uint32_t e = 0;
    while (e < d && !graph_pass_is_same(graph, &graph->deliverables[e], &graph->deliverables[d])) {
        e++;
    }
    return e == d;
}

static void count_pass(const struct graph *graph, const struct graph_span *spans, struct done *done)
{
    for (uint32_t n = 0; n < graph->node_count; n++) {
        if (spans[n].stop > spans[n].begin) {
            done->mix += pulse_work_mix(graph, n, &spans[n]);
            if (graph->nodes[n].kind == GRAPH_NODE_PLUGIN) {
                done->inserts[graph->nodes[n].insert] += pulse_work_samples(graph, n, &spans[n]);
            }
        }
    }
}

static void count_done(const struct graph *graph, const bool *conformed, struct graph_span *spans, struct done *done)
{
    for (uint32_t m = 0; m < graph->media_count; m++) {
        done->conform += conformed != NULL && conformed[m] ? 0 : pulse_work_conform(&graph->media[m]);
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        const struct graph_deliverable *deliverable = &graph->deliverables[d];
        double samples = pulse_work_delivered(graph, deliverable);
        bool stored = deliverable->format == GRAPH_FORMAT_STORED;
        size_t bytes = graph_node_frame_bytes(graph, deliverable->node) / graph->nodes[deliverable->node].channels;
        done->formats[deliverable->format] += stored ? samples * (double)bytes : samples;
        done->meter += stored ? 0 : samples;
        if (is_first_of_pass(graph, d)) {
            graph_spans(graph, d, NULL, spans);
            count_pass(graph, spans, done);
        }
    }
}

/* All nodes of one plugin together: one of them alone may be too short to tell. */
static enum lh_status learn_plugins(struct pulse_costs *costs, const struct graph *graph, const struct done *done,
                                    const double *spent)
{
    double *samples = calloc((size_t)graph->plugin_count + 1, sizeof *samples);
    double *ns = calloc((size_t)graph->plugin_count + 1, sizeof *ns);
    enum lh_status status = samples != NULL && ns != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    for (uint32_t i = 0; status == LH_OK && i < graph->insert_count; i++) {
        samples[graph->inserts[i].plugin] += done->inserts[i];
        ns[graph->inserts[i].plugin] += spent[i];
    }
    for (uint32_t p = 0; status == LH_OK && p < graph->plugin_count; p++) {
        char name[PULSE_COST_NAME_SIZE];
        pulse_cost_plugin_name(&graph->plugins[p].digest, name);
        status = pulse_costs_learn(costs, name, samples[p], ns[p]);
    }
    free(samples);
    free(ns);
    return status;
}

/* What was spent is shared out as it was thought to cost. What stored frames cost is not learned here: hashing them is
 * part of it. */
static enum lh_status learn_formats(struct pulse_costs *costs, const struct done *done, double spent)
{
    double thought = 0;
    double share[GRAPH_FORMAT_COUNT];
    char name[PULSE_COST_NAME_SIZE];
    for (unsigned f = 0; f < GRAPH_FORMAT_COUNT; f++) {
        pulse_cost_format_name((enum graph_format)f, name);
        share[f] = mean_ns(costs, name) * done->formats[f];
        thought += share[f];
    }
    enum lh_status status = LH_OK;
    for (unsigned f = 0; status == LH_OK && thought > 0 && f < GRAPH_FORMAT_COUNT; f++) {
        if (f != GRAPH_FORMAT_STORED) {
            pulse_cost_format_name((enum graph_format)f, name);
            status = pulse_costs_learn(costs, name, done->formats[f], spent * (share[f] / thought));
        }
    }
    return status;
}

enum lh_status pulse_costs_learn_render(struct pulse_costs *costs, const struct graph *graph,
                                        const struct pulse_spent *spent)
{
    struct done done = {.inserts = calloc((size_t)graph->insert_count + 1, sizeof(double))};
    struct graph_span *spans = calloc((size_t)graph->node_count + 1, sizeof *spans);
    enum lh_status status = LH_ERR_NO_MEMORY;
    if (done.inserts != NULL && spans != NULL) {
        count_done(graph, spent->conformed, spans, &done);
        status = pulse_costs_learn(costs, "mix", done.mix, spent->mix);
        status = status == LH_OK ? pulse_costs_learn(costs, "conform", done.conform, spent->conform) : status;
        status = status == LH_OK ? pulse_costs_learn(costs, "meter", done.meter, spent->meter) : status;
        if (status == LH_OK && spent->inserts != NULL) {
            status = learn_plugins(costs, graph, &done, spent->inserts);
        }
        status = status == LH_OK ? learn_formats(costs, &done, spent->encode) : status;
    }
    free(done.inserts);
    free(spans);
    return status;
}
