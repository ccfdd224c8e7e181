/* SPDX-License-Identifier: MIT */
/* How a signal instance ended, told in words that name the plugin which did it. */
#ifndef ENGINE_INSTANCE_DEATH_H
#define ENGINE_INSTANCE_DEATH_H

#include "engine/instance/page.h"
#include "graph/graph.h"

#define ENGINE_LAST_WORDS_SIZE 200

enum engine_death_kind {
    ENGINE_DEATH_SIGNAL = 0, /* `number`: which */
    ENGINE_DEATH_EXIT,       /* `number`: the exit status */
    ENGINE_DEATH_BROKE_OFF,  /* it closed the channel, lived on and was killed */
    ENGINE_DEATH_NONSENSE,   /* it said what makes no sense and was killed */
    ENGINE_DEATH_HANG,       /* a plugin's call took too long, and it was killed; `number`: the slot */
};

struct engine_death {
    enum engine_death_kind kind;
    int number;
    char words[ENGINE_LAST_WORDS_SIZE]; /* the last line that it wrote to standard error, safe to show; "" */
};

/* What it was at. */
struct engine_scene {
    const struct engine_page *page;
    const struct graph *graph; /* that it rendered; NULL: a trial */
    const char *uri;           /* of the plugin on trial, or NULL */
    uint64_t memory_bytes;     /* of address space that it was given; 0: no bound */
    uint32_t hang_ms;
};

/* `scene` NULL: no plugin can have run. LH_ERR_CRASHED; `where` is the node and, if one was running, the frame. When it
   is not known whose doing it was, everyone who was inside a plugin is named, the first few at least. */
enum lh_status engine_death_tell(const struct engine_death *death, const struct engine_scene *scene,
                                 struct lh_error *error);

#endif
