/* SPDX-License-Identifier: MIT */
/* What work costs: nanoseconds on one thread for each unit of it, by name. Defaults say something of everything; what
   shards took corrects them, by an exponential mean. Estimates: no sample depends on them, and a plan that was made by
   wrong ones is only slower. One thread at a time.

       name                    unit
       plugin/sha256:<hex>     a sample that a PLUGIN node gives, by the plugin's digest
       mix                     a sample of one contribution: a region, an input of a sum, a gain's input
       conform                 a sample of a medium at the project's rate
       meter                   a sample that is measured
       encode/<format>         a sample that is encoded, by the format's name
       store, load             a byte of stored frames that is written and hashed, that is read
       shard                   a shard, whatever it does: a process, its plugins, what is said about it

   What a plan goes by moves only when the mean has left it by half, so that two jobs are cut alike although something
   was learned between them. */
#ifndef PULSE_SHARD_COST_H
#define PULSE_SHARD_COST_H

#include "graph/graph.h"

#define PULSE_COST_NAME_SIZE 96

struct pulse_costs;

/* With nothing but defaults. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_costs_new(struct pulse_costs **costs);
void pulse_costs_free(struct pulse_costs *costs); /* accepts NULL */

/* What is kept of one name. */
struct pulse_cost {
    char what[PULSE_COST_NAME_SIZE];
    double ns;       /* for each unit, > 0, finite */
    double weight;   /* shards that it was learned from, >= 1 */
    uint64_t lesson; /* the last that it was learned from: pulse_costs_lessons() after it; 0: as it was set */
};
/* One from a store; nonsense is left out. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_costs_set(struct pulse_costs *costs, const char *what, double ns, double weight);
/* What was learned: by index, names ascending; NULL behind the last. Valid until the next change. */
const struct pulse_cost *pulse_costs_at(const struct pulse_costs *costs, size_t index);

/* The estimate by name, as plans go by it; a plugin that was never seen costs what is usual for one. */
double pulse_costs_ns(const struct pulse_costs *costs, const char *what);
/* How many things were learned since it was made: who keeps the costs somewhere writes those whose lesson is above the
   number that was written last. */
uint64_t pulse_costs_lessons(const struct pulse_costs *costs);
/* Whether something that took so long is learned from at all. */
bool pulse_cost_is_telling(double ns);
/* `units` of work took `ns` nanoseconds on one thread. Nonsense is left out, and so is what neither took long enough to
   be telling nor was thought to: that something is quick is learned where it passed for slow. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_costs_learn(struct pulse_costs *costs, const char *what, double units, double ns);

/* What the parts of one render took, nanoseconds summed over its threads (struct engine_times). */
struct pulse_spent {
    double conform, mix, meter, encode;
    const double *inserts; /* by graph->inserts; NULL: not told */
    const bool *conformed; /* by graph->media: it came so. NULL: none did */
};
/* Learns from a shard that rendered `graph`. What several formats took is shared out by what they were thought to cost.
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_costs_learn_render(struct pulse_costs *costs, const struct graph *graph,
                                                     const struct pulse_spent *spent);

/* Names in here. */
void pulse_cost_plugin_name(const struct lh_digest *plugin, char name[PULSE_COST_NAME_SIZE]);
void pulse_cost_format_name(enum graph_format format, char name[PULSE_COST_NAME_SIZE]);

#endif
