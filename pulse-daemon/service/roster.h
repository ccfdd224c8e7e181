/* SPDX-License-Identifier: MIT */
/* Who is there to work, and which plugins they have: what planning chooses by. Filled by the workers' sessions, read by
   the planner; any thread. It is forgotten with the process: workers tell it again. */
#ifndef PULSE_SERVICE_ROSTER_H
#define PULSE_SERVICE_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "graph/plugin.h"

struct pulse_roster;

/* The plugins of a worker as it told them, entries by URI ascending. Immutable and shared by those that have the same.
 */
struct pulse_plugin_entry {
    const char *uri;
    struct lh_digest digest;
    const struct graph_plugin_facts *facts; /* NULL: not told */
    uint32_t repeatable;                    /* the sound version for which a probe has proven it; 0: for none */
};
struct pulse_inventory {
    struct lh_digest id;
    struct pulse_plugin_entry *entries;
    size_t count;
    struct lh_arena arena;
    unsigned references; /* the roster's own */
};

/* What a worker is. Texts are borrowed for the call. */
struct pulse_worker_traits {
    const char *name, *engine, *cpu_class;
    const char *const *tags;
    size_t tag_count;
    uint64_t session;
    uint32_t slots;
};

LH_NODISCARD enum lh_status pulse_roster_new(struct pulse_roster **roster);
void pulse_roster_free(struct pulse_roster *roster); /* accepts NULL */

/* An inventory by its digest, one reference for the caller; NULL: not known. */
struct pulse_inventory *pulse_roster_inventory(struct pulse_roster *roster, const struct lh_digest *id);
/* Keeps one that was made (with an arena of its own, entries in any order); one reference for the caller. */
struct pulse_inventory *pulse_roster_keep(struct pulse_roster *roster, struct pulse_inventory *inventory);
void pulse_roster_drop(struct pulse_roster *roster, struct pulse_inventory *inventory); /* accepts NULL */

/* A worker is there, with an inventory; whatever was known by that name is replaced. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_roster_join(struct pulse_roster *roster, const struct pulse_worker_traits *traits,
                                              struct pulse_inventory *inventory);
/* That session of it is over. */
void pulse_roster_leave(struct pulse_roster *roster, const char *name, uint64_t session);

/* What to plan for: the engine that most slots have, and of those that have it the class of CPU of most. Of workers who
   have certain tags, if there are any, else of all: then the plan waits for one who has them. Texts are in the arena.
 */
struct pulse_crew {
    const char *engine; /* as workers tell it: "1 libsndfile-1.2.0 ..." */
    uint32_t sound_version;
    const char *libraries; /* the rest of `engine` */
    const char *cpu_class;
    uint32_t slots;          /* of that engine */
    const char *const *tags; /* as the caller gave them, or none */
    size_t tag_count;
};
/* LH_ERR_MISSING: nobody is there. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_roster_crew(struct pulse_roster *roster, struct lh_arena *arena,
                                              const char *const *tags, size_t tag_count, struct pulse_crew *crew);
/* A plugin that most slots of the crew's engine have; false: nobody has it. `facts` are copied to the arena (NULL:
   memory is out). */
struct pulse_found_plugin {
    const struct graph_plugin_facts *facts;
    bool repeatable;
};
bool pulse_roster_plugin(struct pulse_roster *roster, struct lh_arena *arena, const struct pulse_crew *crew,
                         const char *uri, struct pulse_found_plugin *found);
/* URIs like that one, of anybody: up to three, in the arena. */
void pulse_roster_near(struct pulse_roster *roster, struct lh_arena *arena, const char *uri, const char *near[3]);

#endif
