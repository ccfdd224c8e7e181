/* SPDX-License-Identifier: MIT */
/* A slot's hands: opening inputs, wherever they are, and handing outputs over. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/node/depot_parts.h"
#include "proto/link/bulk.h"

#define PAUSE_LEAST_MS 100
#define PAUSE_MOST_MS 2000
#define TURN_MS 50
#define GIVE_UP_NS (600 * LH_CLOCK_SECOND_NS) /* Pulse has been out of reach for that long */
#define NS_PER_MS 1000000L
#define NS_PER_S 1000000000L

struct engine_carrier {
    struct engine_depot *depot;
    struct wire_bulk *bulk; /* NULL: no transfer yet */
    char *endpoint;         /* that it is for */
};

enum lh_status engine_carrier_new(struct engine_depot *depot, struct engine_carrier **carrier)
{
    struct engine_carrier *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    made->depot = depot;
    *carrier = made;
    return LH_OK;
}

void engine_carrier_free(struct engine_carrier *carrier)
{
    if (carrier != NULL) {
        wire_bulk_free(carrier->bulk);
        free(carrier->endpoint);
        free(carrier);
    }
}

/* ---- the network */

static bool goes_on(const struct engine_claim *claim)
{
    return claim->go_on == NULL || claim->go_on(claim->context);
}

/* The conversation with Pulse where it is now. */
static enum lh_status connect_bulk(struct engine_carrier *carrier, struct lh_error *error)
{
    struct engine_depot *depot = carrier->depot;
    struct engine_place *place = engine_depot_place(depot);
    enum lh_status status = LH_OK;
    if (carrier->bulk == NULL || strcmp(carrier->endpoint, place->endpoint) != 0) {
        wire_bulk_free(carrier->bulk);
        free(carrier->endpoint);
        carrier->bulk = NULL;
        carrier->endpoint = strdup(place->endpoint);
        struct wire_caller_options options = {
            .endpoint = carrier->endpoint, .keys = depot->keys, .server_key = depot->server_key};
        status = carrier->endpoint != NULL && wire_bulk_new(&options, &carrier->bulk) == LH_OK
                     ? LH_OK
                     : lh_error_no_memory(error);
    }
    engine_depot_leave(depot, place);
    return status;
}

/* A pause between two tries, ever longer; false when there is to be none. */
static bool pause_for(const struct engine_claim *claim, uint32_t *pause_ms)
{
    for (uint32_t slept = 0; slept < *pause_ms; slept += TURN_MS) {
        if (!goes_on(claim)) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = TURN_MS * NS_PER_MS}, NULL);
    }
    *pause_ms = 2 * *pause_ms < PAUSE_MOST_MS ? 2 * *pause_ms : PAUSE_MOST_MS;
    return goes_on(claim);
}

/* One transfer, tried until it has come to an end: Pulse may be started again meanwhile. */
struct errand {
    struct wire_transfer transfer;
    int fd;                   /* put: from here */
    struct lh_blobs_put *put; /* get: to there */
    bool full;                /* the cache could not take it */
};

static enum lh_status take(void *context, const void *data, size_t size, struct lh_error *error)
{
    struct errand *errand = context;
    enum lh_status status = lh_blobs_put_write(errand->put, data, size, error);
    errand->full = status == LH_ERR_LIMIT;
    return status;
}

static enum lh_status run_errand(struct engine_carrier *carrier, const struct engine_claim *claim,
                                 struct errand *errand, struct lh_error *error)
{
    uint32_t pause_ms = PAUSE_LEAST_MS;
    uint64_t reached = lh_clock_monotonic_ns();
    errand->transfer.shard = claim->shard;
    errand->transfer.attempt = claim->attempt;
    errand->transfer.trace = claim->trace;
    errand->transfer.go_on = claim->go_on;
    errand->transfer.moved = claim->moved;
    errand->transfer.context = claim->context;
    for (;;) {
        enum lh_status status = connect_bulk(carrier, error);
        if (status != LH_OK) {
            return status;
        }
        uint64_t before = errand->put != NULL ? lh_blobs_put_size(errand->put) : 0;
        status = errand->put != NULL ? wire_bulk_get(carrier->bulk, &errand->transfer, before, take, errand, error)
                                     : wire_bulk_put(carrier->bulk, &errand->transfer, errand->fd, error);
        if (errand->put != NULL && lh_blobs_put_size(errand->put) > before) {
            reached = lh_clock_monotonic_ns();
            pause_ms = PAUSE_LEAST_MS;
        }
        if (status != LH_ERR_UNAVAILABLE || lh_clock_monotonic_ns() - reached > GIVE_UP_NS) {
            return status;
        }
        if (!pause_for(claim, &pause_ms)) {
            return lh_error_set(error, LH_ERR_CANCELLED, NULL, "the transfer was broken off");
        }
    }
}

/* ---- inputs */

/* From our cache. */
static enum lh_status open_cached(struct engine_depot *depot, const struct lh_digest *digest, uint64_t size, int *fd)
{
    struct lh_blob blob;
    int found = -1;
    enum lh_status status = lh_blobs_read(depot->cache, digest, &found, &blob, NULL);
    if (status == LH_OK && blob.size != size) {
        close(found);
        status = LH_ERR_MISSING;
    }
    if (status == LH_OK) {
        *fd = found;
    }
    return status;
}

/* From the cache of another node on this host. */
static enum lh_status open_neighbour(struct engine_depot *depot, const struct lh_digest *digest, uint64_t size, int *fd)
{
    DIR *folder = opendir(depot->parent);
    enum lh_status status = LH_ERR_MISSING;
    for (struct dirent *entry; folder != NULL && status != LH_OK && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, depot->settings->name) != 0) {
            size_t length = strlen(depot->parent) + strlen(entry->d_name) + 2;
            char *path = malloc(length);
            if (path != NULL) {
                snprintf(path, length, "%s/%s", depot->parent, entry->d_name);
                status = lh_blobs_visit_read(path, digest, size, fd, NULL);
                free(path);
            }
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return status == LH_OK ? LH_OK : LH_ERR_MISSING;
}

static enum lh_status begin_put(struct engine_depot *depot, const struct lh_digest *digest, uint64_t size,
                                struct lh_blobs_put **put, struct lh_error *error)
{
    enum lh_status status = lh_blobs_put_begin(depot->cache, digest, size, LH_BLOBS_CACHED, put, error);
    if (status == LH_ERR_LIMIT) {
        uint64_t freed = 0;
        status = lh_blobs_evict(depot->cache, size, &freed, error);
        status = status == LH_OK ? lh_blobs_put_begin(depot->cache, digest, size, LH_BLOBS_CACHED, put, error) : status;
    }
    return status;
}

static enum lh_status fetch(struct engine_carrier *carrier, const struct engine_claim *claim,
                            const struct lh_digest *digest, uint64_t size, int *fd, struct lh_error *error)
{
    struct engine_depot *depot = carrier->depot;
    struct errand errand = {.transfer = {.digest = *digest, .size = size}, .fd = -1};
    struct lh_blob blob;
    enum lh_status status = begin_put(depot, digest, size, &errand.put, error);
    if (status != LH_OK) {
        return status;
    }
    status = run_errand(carrier, claim, &errand, error);
    status = status == LH_OK ? lh_blobs_put_finish(errand.put, &blob, error) : status;
    lh_blobs_put_free(errand.put);
    if (status == LH_OK) {
        status = open_cached(depot, digest, size, fd);
        lh_blobs_release(depot->cache, digest);
    } else if (status == LH_ERR_FORMAT || (status == LH_ERR_LIMIT && !errand.full)) {
        status = LH_ERR_MISSING; /* whatever it is that Pulse has, it is not this blob */
    }
    return status;
}

static bool is_fetched(const struct engine_depot *depot, const struct lh_digest *digest)
{
    for (const struct engine_fetch *at = depot->fetches; at != NULL; at = at->next) {
        if (lh_digest_equal(&at->digest, digest)) {
            return true;
        }
    }
    return false;
}

/* Waits while another slot fetches the same; then it is ours to fetch. False: the claim does not go on. */
static bool begin_fetch(struct engine_depot *depot, const struct engine_claim *claim, struct engine_fetch *fetch)
{
    pthread_mutex_lock(&depot->lock);
    bool on = true;
    while (on && is_fetched(depot, &fetch->digest)) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TURN_MS * NS_PER_MS;
        until.tv_sec += until.tv_nsec / NS_PER_S;
        until.tv_nsec %= NS_PER_S;
        pthread_cond_timedwait(&depot->fetched, &depot->lock, &until);
        on = goes_on(claim);
    }
    if (on) {
        fetch->next = depot->fetches;
        depot->fetches = fetch;
    }
    pthread_mutex_unlock(&depot->lock);
    return on;
}

static void end_fetch(struct engine_depot *depot, const struct engine_fetch *fetch)
{
    pthread_mutex_lock(&depot->lock);
    for (struct engine_fetch **at = &depot->fetches; *at != NULL; at = &(*at)->next) {
        if (*at == fetch) {
            *at = fetch->next;
            break;
        }
    }
    pthread_cond_broadcast(&depot->fetched);
    pthread_mutex_unlock(&depot->lock);
}

enum lh_status engine_carrier_open(struct engine_carrier *carrier, const struct engine_claim *claim,
                                   const struct lh_digest *digest, uint64_t size, int *fd, uint64_t *fetched,
                                   struct lh_error *error)
{
    struct engine_depot *depot = carrier->depot;
    struct engine_place *place = engine_depot_place(depot);
    enum lh_status status =
        place->folder != NULL ? lh_blobs_visit_read(place->folder, digest, size, fd, NULL) : LH_ERR_MISSING;
    engine_depot_leave(depot, place);
    status = status != LH_OK ? open_cached(depot, digest, size, fd) : status;
    status = status != LH_OK ? open_neighbour(depot, digest, size, fd) : status;
    if (status == LH_OK) {
        return LH_OK;
    }
    struct engine_fetch ours = {.digest = *digest};
    if (!begin_fetch(depot, claim, &ours)) {
        return lh_error_set(error, LH_ERR_CANCELLED, NULL, "the transfer was broken off");
    }
    status = open_cached(depot, digest, size, fd); /* somebody may have fetched it while we waited */
    if (status != LH_OK) {
        status = fetch(carrier, claim, digest, size, fd, error);
        *fetched += status == LH_OK ? size : 0;
    }
    end_fetch(depot, &ours);
    return status;
}

/* ---- outputs */

enum lh_status engine_carrier_crate(struct engine_carrier *carrier, struct engine_crate *crate, struct lh_error *error)
{
    struct engine_depot *depot = carrier->depot;
    struct engine_place *place = engine_depot_place(depot);
    struct engine_crate made = {.fd = -1, .local = place->folder != NULL};
    made.folder = strdup(made.local ? place->folder : depot->folder);
    engine_depot_leave(depot, place);
    if (made.folder == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = lh_blobs_hand_over(made.folder, made.name, &made.fd, error);
    if (status != LH_OK) {
        free(made.folder);
        return status;
    }
    *crate = made;
    return LH_OK;
}

void engine_crate_close(struct engine_crate *crate)
{
    if (crate->fd >= 0) {
        close(crate->fd);
        crate->fd = -1;
    }
}

void engine_crate_leave(struct engine_crate *crate)
{
    engine_crate_close(crate);
    free(crate->folder);
    *crate = ENGINE_CRATE_NONE;
}

void engine_crate_discard(struct engine_crate *crate)
{
    if (crate->name[0] != '\0') {
        lh_blobs_hand_back(crate->folder, crate->name);
    }
    engine_crate_leave(crate);
}

/* What was made here may be asked for here: the next shard's input. A cache that is full does without. */
static void keep(struct engine_depot *depot, struct engine_crate *crate, const struct lh_digest *digest, uint64_t size)
{
    struct lh_blob announced = {.digest = *digest, .size = size, .kind = LH_BLOBS_CACHED}, blob;
    enum lh_status status = lh_blobs_adopt(depot->cache, crate->name, &announced, false, &blob, NULL);
    if (status == LH_ERR_LIMIT) {
        uint64_t freed = 0;
        status = lh_blobs_evict(depot->cache, size, &freed, NULL);
        status = status == LH_OK ? lh_blobs_adopt(depot->cache, crate->name, &announced, false, &blob, NULL) : status;
    }
    if (status == LH_OK) {
        lh_blobs_release(depot->cache, digest);
    } else {
        lh_blobs_hand_back(crate->folder, crate->name);
    }
    crate->name[0] = '\0';
}

enum lh_status engine_carrier_ship(struct engine_carrier *carrier, const struct engine_claim *claim,
                                   struct engine_crate *crate, const struct lh_digest *digest, uint64_t size,
                                   struct lh_error *error)
{
    if (crate->local) {
        return LH_OK;
    }
    struct errand errand = {.transfer = {.digest = *digest, .size = size}, .fd = crate->fd};
    enum lh_status status = run_errand(carrier, claim, &errand, error);
    if (status == LH_OK) {
        keep(carrier->depot, crate, digest, size);
    }
    return status;
}

enum lh_status engine_carrier_scratch(struct engine_carrier *carrier, int *fd, struct lh_error *error)
{
    char name[LH_BLOBS_NAME_SIZE];
    enum lh_status status = lh_blobs_hand_over(carrier->depot->folder, name, fd, error);
    if (status == LH_OK) {
        lh_blobs_hand_back(carrier->depot->folder, name);
    }
    return status;
}
