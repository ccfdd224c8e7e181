/* SPDX-License-Identifier: MIT */
/* The slot's thread. Everything that starts an instance happens on it: the kernel ends an instance with the thread that
   started it. */
#include "engine/node/slot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/node/bench.h"
#include "engine/node/work.h"

struct engine_slot {
    const struct engine_node_settings *settings;
    struct engine_depot *depot;
    engine_slot_done *done;
    void *context;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct engine_attempt *attempt; /* under the lock: to be taken up */
    struct engine_stock *stock;     /* the same */
    bool ending;                    /* the same */
    struct engine_bench bench;      /* the thread's */
    struct engine_carrier *carrier; /* the same */
};

/* The next attempt; NULL: the slot ends. Whoever waits has the time to start an instance. */
static struct engine_attempt *next(struct engine_slot *slot, struct engine_stock **stock)
{
    pthread_mutex_lock(&slot->lock);
    if (slot->attempt == NULL && !slot->ending) {
        pthread_mutex_unlock(&slot->lock);
        engine_bench_refill(&slot->bench);
        pthread_mutex_lock(&slot->lock);
    }
    while (slot->attempt == NULL && !slot->ending) {
        pthread_cond_wait(&slot->changed, &slot->lock);
    }
    struct engine_attempt *attempt = slot->attempt;
    *stock = slot->stock;
    slot->attempt = NULL;
    slot->stock = NULL;
    pthread_mutex_unlock(&slot->lock);
    return attempt;
}

static void *run(void *context)
{
    struct engine_slot *slot = context;
    struct engine_stock *stock = NULL;
    for (struct engine_attempt *attempt; (attempt = next(slot, &stock)) != NULL;) {
        struct engine_tools tools = {
            .settings = slot->settings,
            .depot = slot->depot,
            .carrier = slot->carrier,
            .bench = &slot->bench,
            .stock = stock,
        };
        bool changed = false;
        engine_work(&tools, attempt, &changed);
        engine_stock_unref(stock);
        slot->done(slot->context, slot, attempt, changed);
    }
    engine_bench_fini(&slot->bench);
    return NULL;
}

enum lh_status engine_slot_new(const struct engine_node_settings *settings, struct engine_depot *depot,
                               engine_slot_done *done, void *context, struct engine_slot **slot, struct lh_error *error)
{
    struct engine_slot *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->settings = settings;
    made->depot = depot;
    made->done = done;
    made->context = context;
    enum lh_status status = engine_carrier_new(depot, &made->carrier);
    status = status == LH_OK ? engine_bench_init(&made->bench, settings, error) : lh_error_no_memory(error);
    if (status != LH_OK) {
        engine_carrier_free(made->carrier);
        free(made);
        return status;
    }
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->changed, NULL);
    int code = pthread_create(&made->thread, NULL, run, made);
    if (code != 0) {
        pthread_cond_destroy(&made->changed);
        pthread_mutex_destroy(&made->lock);
        engine_bench_fini(&made->bench);
        engine_carrier_free(made->carrier);
        free(made);
        return lh_error_set(error, LH_ERR_IO, NULL, "a thread cannot be started: %s", strerror(code));
    }
    *slot = made;
    return LH_OK;
}

void engine_slot_give(struct engine_slot *slot, struct engine_attempt *attempt, struct engine_stock *stock)
{
    pthread_mutex_lock(&slot->lock);
    slot->attempt = attempt;
    slot->stock = stock;
    pthread_cond_signal(&slot->changed);
    pthread_mutex_unlock(&slot->lock);
}

void engine_slot_free(struct engine_slot *slot)
{
    if (slot == NULL) {
        return;
    }
    pthread_mutex_lock(&slot->lock);
    slot->ending = true;
    pthread_cond_signal(&slot->changed);
    pthread_mutex_unlock(&slot->lock);
    pthread_join(slot->thread, NULL);
    pthread_cond_destroy(&slot->changed);
    pthread_mutex_destroy(&slot->lock);
    engine_carrier_free(slot->carrier);
    free(slot);
}
