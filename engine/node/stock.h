/* SPDX-License-Identifier: MIT */
/* What a node has to offer at one moment: its engine, its processor and its plugins with what is known of them. Made as
   a whole, never changed, shared by counting: any thread may read it. */
#ifndef ENGINE_NODE_STOCK_H
#define ENGINE_NODE_STOCK_H

#include <stdatomic.h>

#include "engine/catalogue/catalogue.h"
#include "graph/plugin.h"

struct engine_stock_plugin {
    const char *uri;
    struct lh_digest digest; /* graph_plugin_digest() */
    const uint8_t *facts;    /* graph_plugin_facts_write() */
    size_t facts_size;
    const char *evidence; /* the record of a probe of this very binary; "": none */
    size_t evidence_size;
};

struct engine_stock {
    _Atomic unsigned references;
    struct lh_arena arena;
    const char *engine; /* sound version and libraries: "1 libsndfile-1.2.0 ..." */
    const char *cpu_class, *jail;
    const struct engine_stock_plugin *plugins; /* by URI */
    size_t plugin_count;
    struct lh_digest digest; /* of the plugins, as proto/worker.proto has it */
};

/* What an instance says of itself, after its first answer. NULL when memory is out. */
const char *engine_stock_engine(struct lh_arena *arena, const struct engine_instance *instance);

/* All plugins of a complete catalogue. `instance` has answered before. One reference. LH_ERR_NO_MEMORY; LH_ERR_FORMAT:
   the index is damaged. */
LH_NODISCARD enum lh_status engine_stock_new(struct engine_catalogue *catalogue, const struct engine_instance *instance,
                                             struct engine_stock **stock, struct lh_error *error);
struct engine_stock *engine_stock_ref(struct engine_stock *stock);
void engine_stock_unref(struct engine_stock *stock); /* accepts NULL */

/* NULL: there is no such plugin. */
const struct engine_stock_plugin *engine_stock_find(const struct engine_stock *stock, const char *uri);

#endif
