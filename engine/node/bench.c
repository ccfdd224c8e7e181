/* SPDX-License-Identifier: MIT */
/* Starting instances ahead. */
#include "engine/node/bench.h"

#include <string.h>

enum lh_status engine_bench_init(struct engine_bench *bench, const struct engine_node_settings *settings,
                                 struct lh_error *error)
{
    *bench = (struct engine_bench){.settings = settings};
    lh_arena_init(&bench->arena);
    enum lh_status status = engine_catalogue_init(&bench->arena, NULL, &bench->catalogue, error);
    if (status != LH_OK) {
        lh_arena_fini(&bench->arena);
        return status;
    }
    bench->catalogue.options.no_jail = settings->no_jail;
    bench->catalogue.options.hang_ms = settings->hang_ms;
    bench->catalogue.options.memory_bytes = settings->memory_bytes;
    return LH_OK;
}

void engine_bench_fini(struct engine_bench *bench)
{
    engine_instance_free(bench->spare);
    bench->spare = NULL;
    lh_arena_fini(&bench->arena);
}

void engine_bench_refill(struct engine_bench *bench)
{
    struct engine_instance *made = NULL;
    if (bench->spare == NULL && engine_instance_spawn(&bench->catalogue.options, &made, NULL) == LH_OK) {
        bench->spare = made;
    }
}

static enum lh_status greet(struct engine_instance *instance, bool (*go_on)(void *context), void *context,
                            struct lh_error *error)
{
    engine_instance_watch(instance, go_on, context);
    return engine_instance_probe(instance, NULL, 0, NULL, error);
}

/* The spare if there is one that lives, else a fresh one. */
static enum lh_status take_any(struct engine_bench *bench, uint64_t memory_bytes, bool (*go_on)(void *context),
                               void *context, struct engine_instance **instance, struct lh_error *error)
{
    if (memory_bytes != bench->catalogue.options.memory_bytes) { /* those that come next will mostly want the same */
        bench->catalogue.options.memory_bytes = memory_bytes;
        engine_instance_free(bench->spare);
        bench->spare = NULL;
    }
    struct engine_instance *taken = bench->spare;
    if (taken != NULL) {
        bench->spare = NULL;
        enum lh_status status = greet(taken, go_on, context, error);
        if (status == LH_OK) {
            *instance = taken;
            return LH_OK;
        }
        engine_instance_free(taken);
        if (status != LH_ERR_CRASHED) {
            return status;
        }
    }
    enum lh_status status = engine_instance_spawn(&bench->catalogue.options, &taken, error);
    if (status != LH_OK) {
        return status;
    }
    status = greet(taken, go_on, context, error);
    if (status != LH_OK) {
        engine_instance_free(taken);
        return status;
    }
    *instance = taken;
    return LH_OK;
}

enum lh_status engine_bench_take(struct engine_bench *bench, const struct engine_stock *stock, uint64_t memory_bytes,
                                 bool (*go_on)(void *context), void *context, struct engine_instance **instance,
                                 struct lh_error *error)
{
    struct engine_instance *taken = NULL;
    enum lh_status status = take_any(bench, memory_bytes, go_on, context, &taken, error);
    if (status != LH_OK) {
        return status;
    }
    struct lh_arena arena;
    lh_arena_init(&arena);
    const char *engine = engine_stock_engine(&arena, taken);
    if (engine == NULL) {
        status = lh_error_no_memory(error);
    } else if (strcmp(engine, stock->engine) != 0 || strcmp(engine_instance_cpu_class(taken), stock->cpu_class) != 0) {
        status =
            lh_error_set(error, LH_ERR_UNSUPPORTED, NULL, "the engine of this node has changed: it is %s now", engine);
    }
    lh_arena_fini(&arena);
    if (status != LH_OK) {
        engine_instance_free(taken);
        return status;
    }
    *instance = taken;
    return LH_OK;
}
