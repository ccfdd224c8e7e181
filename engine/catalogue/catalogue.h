/* SPDX-License-Identifier: MIT */
/* The plugins of this machine as the command and a worker node see them: what is installed, asked of a signal instance
   only as far as the index on disk does not know it, and what probes have shown. One thread. */
#ifndef ENGINE_CATALOGUE_CATALOGUE_H
#define ENGINE_CATALOGUE_CATALOGUE_H

#include "engine/instance/client.h"
#include "inventory/evidence.h"
#include "inventory/index.h"
#include "inventory/places.h"

struct engine_catalogue {
    struct lh_arena *arena;
    struct inventory_places places;
    struct engine_instance_options options; /* for every instance that is to look at plugins or to run them */
    struct engine_instance *instance;       /* the session's; NULL: none */
    struct engine_instance *own;            /* started here, to look into all of some bundles; NULL: not yet */
    /* Asked while an instance of the catalogue's own is waited for, as engine_instance_watch() does; NULL: nobody is */
    bool (*go_on)(void *context);
    void *context;
    struct inventory_bundles bundles;
    struct inventory_describer describer;
    struct inventory_index *index; /* NULL: not opened yet */
};

/* Finds the places and says what an instance may read: the folders of the search path and, if it is not NULL, that of
   the project. Looks into nothing yet. `catalogue` must stay where it is in memory. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_catalogue_init(struct lh_arena *arena, const char *project_folder,
                                                  struct engine_catalogue *catalogue, struct lh_error *error);
/* Opens the index. Questions about single plugins that it cannot answer go to `instance` (not NULL then), others to one
   that is started for them: where a bundle's data crash it, all others are asked of the next one. */
LH_NODISCARD enum lh_status engine_catalogue_open(struct engine_catalogue *catalogue, struct engine_instance *instance,
                                                  struct lh_error *error);
/* Every installed plugin is in the index after this, and the index on the disk. */
LH_NODISCARD enum lh_status engine_catalogue_complete(struct engine_catalogue *catalogue, struct lh_error *error);
/* Ends what was started. */
void engine_catalogue_close(struct engine_catalogue *catalogue);

/* The record of a probe of this very binary, NULL: none. In the arena. */
LH_NODISCARD enum lh_status engine_catalogue_evidence(const struct engine_catalogue *catalogue,
                                                      const struct graph_plugin_facts *facts,
                                                      const struct inventory_evidence **evidence,
                                                      struct lh_error *error);

#endif
