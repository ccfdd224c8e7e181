/* SPDX-License-Identifier: MIT */
/* The depot: the cache, and where Pulse is at the moment. */
#include "engine/node/depot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "engine/node/depot_parts.h"

#define FULL_BYTES (UINT64_C(4) << 20)

static const char tcp[] = "tcp://";

static struct engine_place *place_new(const char *folder, const char *endpoint)
{
    struct engine_place *place = calloc(1, sizeof *place);
    if (place == NULL) {
        return NULL;
    }
    place->references = 1;
    place->folder = folder != NULL ? strdup(folder) : NULL;
    place->endpoint = strdup(endpoint);
    if (place->endpoint == NULL || (folder != NULL && place->folder == NULL)) {
        free(place->folder);
        free(place->endpoint);
        free(place);
        return NULL;
    }
    return place;
}

struct engine_place *engine_depot_place(struct engine_depot *depot)
{
    pthread_mutex_lock(&depot->lock);
    struct engine_place *place = depot->place;
    place->references++;
    pthread_mutex_unlock(&depot->lock);
    return place;
}

void engine_depot_leave(struct engine_depot *depot, struct engine_place *place)
{
    pthread_mutex_lock(&depot->lock);
    bool last = --place->references == 0;
    pthread_mutex_unlock(&depot->lock);
    if (last) {
        free(place->folder);
        free(place->endpoint);
        free(place);
    }
}

/* The folder and those above it. */
static enum lh_status make_folder(char *path, struct lh_error *error)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char end = *at;
        *at = '\0';
        int code = mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : errno;
        *at = end;
        if (code != 0) {
            return lh_error_set(error, LH_ERR_IO, path, "the folder cannot be made: %s", strerror(code));
        }
        if (end == '\0') {
            return LH_OK;
        }
    }
}

static enum lh_status open_cache(struct engine_depot *depot, struct lh_error *error)
{
    const struct engine_node_settings *settings = depot->settings;
    size_t size = strlen(settings->cache) + sizeof settings->name + 1;
    depot->parent = strdup(settings->cache);
    depot->folder = malloc(size);
    if (depot->parent == NULL || depot->folder == NULL) {
        return lh_error_no_memory(error);
    }
    snprintf(depot->folder, size, "%s/%s", settings->cache, settings->name);
    enum lh_status status = make_folder(depot->parent, error);
    struct lh_blobs_options options = {.quota_bytes = settings->cache_bytes, .floor_bytes = settings->free_bytes};
    status = status == LH_OK ? lh_blobs_open(depot->folder, &options, &depot->cache, error) : status;
    if (status == LH_ERR_USAGE) {
        lh_error_set(error, status, "--name", "another node called %s uses %s", settings->name, depot->folder);
    }
    return status;
}

enum lh_status engine_depot_new(const struct engine_node_settings *settings, const struct wire_keys *keys,
                                const char *server_key, struct engine_depot **depot, struct lh_error *error)
{
    struct engine_depot *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->settings = settings;
    made->keys = keys;
    made->server_key = server_key;
    pthread_mutex_init(&made->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&made->fetched, &monotonic);
    pthread_condattr_destroy(&monotonic);
    made->place = place_new(NULL, settings->endpoint);
    enum lh_status status = made->place != NULL ? open_cache(made, error) : lh_error_no_memory(error);
    if (status != LH_OK) {
        engine_depot_free(made);
        return status;
    }
    *depot = made;
    return LH_OK;
}

void engine_depot_free(struct engine_depot *depot)
{
    if (depot == NULL) {
        return;
    }
    if (depot->place != NULL) {
        engine_depot_leave(depot, depot->place);
    }
    lh_blobs_close(depot->cache);
    pthread_cond_destroy(&depot->fetched);
    pthread_mutex_destroy(&depot->lock);
    free(depot->parent);
    free(depot->folder);
    free(depot);
}

/* The host of a tcp endpoint, with its brackets; NULL: it is none. */
static const char *host_of(const char *endpoint, size_t *length)
{
    if (strncmp(endpoint, tcp, sizeof tcp - 1) != 0) {
        return NULL;
    }
    const char *host = endpoint + sizeof tcp - 1, *colon = strrchr(host, ':');
    *length = colon != NULL ? (size_t)(colon - host) : strlen(host);
    return host;
}

/* A Pulse that listens on all addresses cannot say which of them leads to it from here: the one that we found it by
   does. The caller's to free; NULL when memory is out. */
static char *reachable(const char *endpoint, const char *ours)
{
    static const char *const any[] = {"0.0.0.0", "*", "[::]"};
    size_t length = 0, our_length = 0;
    const char *host = host_of(endpoint, &length), *our_host = host_of(ours, &our_length);
    bool is_any = false;
    for (size_t i = 0; host != NULL && i < sizeof any / sizeof *any; i++) {
        is_any = is_any || (length == strlen(any[i]) && strncmp(host, any[i], length) == 0);
    }
    if (!is_any || our_host == NULL) {
        return strdup(endpoint);
    }
    size_t size = sizeof tcp + our_length + strlen(host + length);
    char *made = malloc(size);
    if (made != NULL) {
        snprintf(made, size, "%s%.*s%s", tcp, (int)our_length, our_host, host + length);
    }
    return made;
}

enum lh_status engine_depot_point(struct engine_depot *depot, const struct engine_depot_view *view, bool *local,
                                  struct lh_error *error)
{
    const char *ours = depot->settings->endpoint;
    const char *folder =
        view->folder != NULL && lh_blobs_visit(view->folder, view->token, NULL) == LH_OK ? view->folder : NULL;
    char *endpoint = reachable(view->endpoint != NULL ? view->endpoint : ours, ours);
    struct engine_place *place = endpoint != NULL ? place_new(folder, endpoint) : NULL;
    free(endpoint);
    if (place == NULL) {
        return lh_error_no_memory(error);
    }
    pthread_mutex_lock(&depot->lock);
    struct engine_place *before = depot->place;
    depot->place = place;
    pthread_mutex_unlock(&depot->lock);
    engine_depot_leave(depot, before);
    *local = folder != NULL;
    return LH_OK;
}

static bool folder_has_room(const char *folder, uint64_t bytes)
{
    struct statvfs info;
    return statvfs(folder, &info) != 0 || (uint64_t)info.f_bavail * info.f_frsize >= bytes;
}

static bool has_room(struct engine_depot *depot, uint64_t bytes)
{
    struct engine_place *place = engine_depot_place(depot);
    bool room =
        folder_has_room(depot->folder, bytes) && (place->folder == NULL || folder_has_room(place->folder, bytes));
    engine_depot_leave(depot, place);
    return room;
}

bool engine_depot_has_room(struct engine_depot *depot)
{
    return has_room(depot, depot->settings->free_bytes);
}

bool engine_depot_is_full(struct engine_depot *depot)
{
    uint64_t least = depot->settings->free_bytes;
    return !has_room(depot, least > FULL_BYTES ? least : FULL_BYTES);
}
