/* SPDX-License-Identifier: MIT */
/* A slot's signal instances: one for each attempt, and one more that is started ahead and waits for the next, so that
   an attempt need not wait for a program to load. No instance serves two attempts. One thread, which must outlive the
   bench. */
#ifndef ENGINE_NODE_BENCH_H
#define ENGINE_NODE_BENCH_H

#include "engine/node/settings.h"
#include "engine/node/stock.h"

struct engine_bench {
    const struct engine_node_settings *settings;
    struct lh_arena arena;
    struct engine_catalogue catalogue; /* for the options of instances */
    struct engine_instance *spare;     /* NULL: none */
};

/* `settings` must live as long. The bench must stay where it is in memory. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_bench_init(struct engine_bench *bench, const struct engine_node_settings *settings,
                                              struct lh_error *error);
void engine_bench_fini(struct engine_bench *bench);

/* Starts the spare if there is none. If it cannot be started now, then when it is needed. */
void engine_bench_refill(struct engine_bench *bench);
/* An instance that has said what it is. `memory_bytes` 0: the usual. `go_on` and `context` as in
   engine_instance_watch(). LH_ERR_UNSUPPORTED: it is another engine or processor than `stock` tells of. */
LH_NODISCARD enum lh_status engine_bench_take(struct engine_bench *bench, const struct engine_stock *stock,
                                              uint64_t memory_bytes, bool (*go_on)(void *context), void *context,
                                              struct engine_instance **instance, struct lh_error *error);

#endif
