/* SPDX-License-Identifier: MIT */
/* A look at bundles and records by their times every so often; at what is in them when one of these has changed. */
#include "engine/node/scout.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"

#define RETRY_S 5 /* after a look that failed */
#define TEXT_SIZE 1024

struct engine_scout {
    const struct engine_node_settings *settings;
    void (*found)(void *context, struct engine_stock *stock);
    void *context;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    _Atomic bool ending;
    bool woken;             /* under the lock */
    struct lh_digest seen;  /* state of bundles and records at the last look that went well */
    struct lh_digest known; /* of the last stock */
    bool has_seen, has_known;
    char engine[TEXT_SIZE];
};

static bool go_on(void *context)
{
    const struct engine_scout *scout = context;
    return !atomic_load_explicit(&scout->ending, memory_order_relaxed);
}

/* Of the bundles, and of the folders of records: a record that comes or goes changes its folder. */
static enum lh_status state_of(const struct engine_catalogue *catalogue, struct lh_digest *state)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_bytes(&writer, catalogue->bundles.state.bytes, sizeof catalogue->bundles.state.bytes);
    const struct inventory_places *places = &catalogue->places;
    for (size_t i = 0; i <= places->system_evidence_count; i++) {
        const char *folder = i < places->system_evidence_count ? places->system_evidence[i] : places->evidence;
        struct lh_digest identity = {{0}};
        if (folder != NULL && inventory_file_identity(folder, &identity)) {
            lh_writer_bytes(&writer, identity.bytes, sizeof identity.bytes);
        }
    }
    enum lh_status status = lh_writer_status(&writer);
    status = status == LH_OK ? lh_digest_bytes(writer.data, writer.size, state) : status;
    lh_writer_fini(&writer);
    return status;
}

/* An instance that has said what it is. */
static enum lh_status greet(struct engine_scout *scout, const struct engine_catalogue *catalogue,
                            struct engine_instance **instance, struct lh_error *error)
{
    struct engine_instance *made = NULL;
    enum lh_status status = engine_instance_spawn(&catalogue->options, &made, error);
    if (status != LH_OK) {
        return status;
    }
    engine_instance_watch(made, go_on, scout);
    status = engine_instance_probe(made, NULL, 0, NULL, error);
    if (status != LH_OK) {
        engine_instance_free(made);
        return status;
    }
    *instance = made;
    return LH_OK;
}

/* Hands a stock over that is not what was known. */
static void tell(struct engine_scout *scout, struct engine_stock *stock)
{
    bool same =
        scout->has_known && lh_digest_equal(&scout->known, &stock->digest) && strcmp(scout->engine, stock->engine) == 0;
    scout->known = stock->digest;
    scout->has_known = true;
    snprintf(scout->engine, sizeof scout->engine, "%s", stock->engine);
    if (same) {
        engine_stock_unref(stock);
        return;
    }
    size_t proven = 0;
    for (size_t i = 0; i < stock->plugin_count; i++) {
        proven += stock->plugins[i].evidence_size > 0 ? 1 : 0;
    }
    LH_LOG(LH_LOG_INFO, "plugins are known", LH_LOG_NUMBER("plugins", stock->plugin_count),
           LH_LOG_NUMBER("probed", proven), LH_LOG_TEXT("engine", stock->engine), LH_LOG_TEXT("cpu", stock->cpu_class),
           LH_LOG_TEXT("jail", stock->jail));
    scout->found(scout->context, stock);
}

static enum lh_status take_stock(struct engine_scout *scout, struct engine_catalogue *catalogue, struct lh_error *error)
{
    struct engine_instance *instance = NULL;
    struct engine_stock *stock = NULL;
    enum lh_status status = greet(scout, catalogue, &instance, error);
    status = status == LH_OK ? engine_catalogue_complete(catalogue, error) : status;
    status = status == LH_OK ? engine_stock_new(catalogue, instance, &stock, error) : status;
    engine_instance_free(instance);
    if (status == LH_OK) {
        tell(scout, stock);
    }
    return status;
}

/* `forced`: even if nothing seems to have changed. */
static enum lh_status look(struct engine_scout *scout, bool forced, struct lh_error *error)
{
    struct lh_arena arena;
    struct engine_catalogue catalogue;
    struct lh_digest state;
    lh_arena_init(&arena);
    enum lh_status status = engine_catalogue_init(&arena, NULL, &catalogue, error);
    if (status == LH_OK) {
        catalogue.options.no_jail = scout->settings->no_jail;
        catalogue.go_on = go_on;
        catalogue.context = scout;
        status = engine_catalogue_open(&catalogue, NULL, error);
    }
    status = status == LH_OK && state_of(&catalogue, &state) != LH_OK ? lh_error_no_memory(error) : status;
    bool changed = status == LH_OK && (forced || !scout->has_seen || !lh_digest_equal(&state, &scout->seen));
    if (changed) {
        status = take_stock(scout, &catalogue, error);
        engine_catalogue_close(&catalogue);
    }
    if (status == LH_OK) {
        scout->seen = state;
        scout->has_seen = true;
    }
    lh_arena_fini(&arena);
    return status;
}

/* Until it is time to look again, or somebody says so: then true. */
static bool rest(struct engine_scout *scout, uint32_t seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    pthread_mutex_lock(&scout->lock);
    int code = 0;
    while (go_on(scout) && !scout->woken && code == 0) {
        code = pthread_cond_timedwait(&scout->changed, &scout->lock, &until);
    }
    bool woken = scout->woken;
    scout->woken = false;
    pthread_mutex_unlock(&scout->lock);
    return woken;
}

static void *run(void *context)
{
    struct engine_scout *scout = context;
    bool forced = false;
    while (go_on(scout)) {
        struct lh_error error = LH_ERROR_INIT;
        enum lh_status status = look(scout, forced, &error);
        if (status != LH_OK && go_on(scout)) {
            LH_LOG(LH_LOG_ERROR, "plugins cannot be looked at", LH_LOG_TEXT("message", error.message),
                   LH_LOG_TEXT("where", error.where));
        }
        forced = rest(scout, status == LH_OK ? scout->settings->look_s : RETRY_S);
    }
    return NULL;
}

enum lh_status engine_scout_new(const struct engine_node_settings *settings,
                                void (*found)(void *context, struct engine_stock *stock), void *context,
                                struct engine_scout **scout, struct lh_error *error)
{
    struct engine_scout *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->settings = settings;
    made->found = found;
    made->context = context;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int code = pthread_create(&made->thread, NULL, run, made);
    if (code != 0) {
        pthread_cond_destroy(&made->changed);
        pthread_mutex_destroy(&made->lock);
        free(made);
        return lh_error_set(error, LH_ERR_IO, NULL, "a thread cannot be started: %s", strerror(code));
    }
    *scout = made;
    return LH_OK;
}

void engine_scout_wake(struct engine_scout *scout)
{
    pthread_mutex_lock(&scout->lock);
    scout->woken = true;
    pthread_cond_signal(&scout->changed);
    pthread_mutex_unlock(&scout->lock);
}

void engine_scout_free(struct engine_scout *scout)
{
    if (scout == NULL) {
        return;
    }
    pthread_mutex_lock(&scout->lock);
    atomic_store_explicit(&scout->ending, true, memory_order_relaxed);
    pthread_cond_signal(&scout->changed);
    pthread_mutex_unlock(&scout->lock);
    pthread_join(scout->thread, NULL);
    pthread_cond_destroy(&scout->changed);
    pthread_mutex_destroy(&scout->lock);
    free(scout);
}
