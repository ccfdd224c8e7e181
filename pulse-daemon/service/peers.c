/* SPDX-License-Identifier: MIT */
/* The list of peers. */
#include "pulse-daemon/service/peers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/service/tags.h"

/* rfc.zeromq.org/spec/32 */
static const char z85[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
#define Z85_BASE 85u
#define Z85_BYTES 4u
#define Z85_LETTERS 5u

struct pulse_peers {
    pthread_mutex_t lock;
    struct lh_arena arena;
    struct pulse_peer *items;
    size_t count, capacity;
};

void pulse_key_text(const uint8_t key[PULSE_PEER_KEY_SIZE], char text[WIRE_KEY_SIZE])
{
    for (size_t i = 0; i < PULSE_PEER_KEY_SIZE / Z85_BYTES; i++) {
        const uint8_t *bytes = key + i * Z85_BYTES;
        uint32_t value = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
        for (size_t k = Z85_LETTERS; k-- > 0; value /= Z85_BASE) {
            text[i * Z85_LETTERS + k] = z85[value % Z85_BASE];
        }
    }
    text[WIRE_KEY_SIZE - 1] = '\0';
}

bool pulse_key_bytes(const char *text, uint8_t key[PULSE_PEER_KEY_SIZE])
{
    if (strlen(text) != WIRE_KEY_SIZE - 1) {
        return false;
    }
    for (size_t i = 0; i < PULSE_PEER_KEY_SIZE / Z85_BYTES; i++) {
        uint64_t value = 0;
        for (size_t k = 0; k < Z85_LETTERS; k++) {
            const char *letter = strchr(z85, text[i * Z85_LETTERS + k]);
            if (letter == NULL || *letter == '\0') {
                return false;
            }
            value = value * Z85_BASE + (uint64_t)(letter - z85);
        }
        if (value > UINT32_MAX) {
            return false;
        }
        for (size_t k = Z85_BYTES; k-- > 0; value >>= 8) {
            key[i * Z85_BYTES + k] = (uint8_t)value;
        }
    }
    return true;
}

enum lh_status pulse_peers_new(struct pulse_peers **peers)
{
    struct pulse_peers *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    pthread_mutex_init(&made->lock, NULL);
    lh_arena_init(&made->arena);
    *peers = made;
    return LH_OK;
}

void pulse_peers_free(struct pulse_peers *peers)
{
    if (peers != NULL) {
        lh_arena_fini(&peers->arena);
        pthread_mutex_destroy(&peers->lock);
        free(peers);
    }
}

static enum lh_status take_peer(void *context, const struct pulse_peer_row *row)
{
    struct pulse_peers *read = context;
    if (read->count == read->capacity) {
        size_t capacity = read->capacity * 2 + 16;
        struct pulse_peer *grown = lh_arena_array(&read->arena, capacity, sizeof *grown);
        if (grown == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        if (read->count > 0) {
            memcpy(grown, read->items, read->count * sizeof *grown);
        }
        read->items = grown;
        read->capacity = capacity;
    }
    struct pulse_peer *peer = &read->items[read->count++];
    pulse_key_text(row->key, peer->key);
    peer->name = lh_arena_strdup(&read->arena, row->name);
    peer->tags = lh_arena_strdup(&read->arena, row->tags);
    peer->role = row->role;
    peer->revoked = row->revoked_ms != 0;
    return peer->name != NULL && peer->tags != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

enum lh_status pulse_peers_load(struct pulse_peers *peers, struct pulse_store *store, struct lh_error *error)
{
    struct pulse_peers read = {.count = 0};
    lh_arena_init(&read.arena);
    enum lh_status status = pulse_store_peers(store, take_peer, &read, error);
    if (status != LH_OK) {
        lh_arena_fini(&read.arena);
        return status;
    }
    pthread_mutex_lock(&peers->lock);
    lh_arena_fini(&peers->arena);
    peers->arena = read.arena;
    peers->items = read.items;
    peers->count = read.count;
    peers->capacity = read.capacity;
    pthread_mutex_unlock(&peers->lock);
    return LH_OK;
}

enum lh_status pulse_peers_keys(struct pulse_peers *peers, enum pulse_peer_role role, struct lh_arena *arena,
                                const char *const **keys, size_t *count)
{
    size_t found = 0;
    pthread_mutex_lock(&peers->lock);
    const char **made = lh_arena_array(arena, peers->count, sizeof *made);
    bool good = made != NULL;
    for (size_t i = 0; good && i < peers->count; i++) {
        if (peers->items[i].role == role && !peers->items[i].revoked) {
            made[found] = lh_arena_strdup(arena, peers->items[i].key);
            good = made[found++] != NULL;
        }
    }
    pthread_mutex_unlock(&peers->lock);
    if (!good) {
        return LH_ERR_NO_MEMORY;
    }
    *keys = made;
    *count = found;
    return LH_OK;
}

/* Why this peer may not; false: it may. */
static bool objects(const struct pulse_peer *peer, const char *name, const char *const *tags, size_t count,
                    char why[LH_ERROR_MESSAGE_SIZE])
{
    if (strcmp(peer->name, name) != 0) {
        snprintf(why, LH_ERROR_MESSAGE_SIZE, "this key was enrolled for the worker %.64s, not for %.64s", peer->name,
                 name);
        return true;
    }
    for (size_t i = 0; peer->tags[0] != '\0' && i < count; i++) {
        if (!pulse_tags_has(peer->tags, tags[i])) {
            snprintf(why, LH_ERROR_MESSAGE_SIZE, "this key was enrolled with the tags %.64s, which %.64s is not among",
                     peer->tags, tags[i]);
            return true;
        }
    }
    return false;
}

bool pulse_peers_admit_worker(struct pulse_peers *peers, const char *key, const char *name, const char *const *tags,
                              size_t count, char why[LH_ERROR_MESSAGE_SIZE])
{
    bool admitted = false;
    snprintf(why, LH_ERROR_MESSAGE_SIZE, "this key is not enrolled for a worker");
    pthread_mutex_lock(&peers->lock);
    for (size_t i = 0; i < peers->count && !admitted; i++) {
        const struct pulse_peer *peer = &peers->items[i];
        admitted = !peer->revoked && peer->role == PULSE_PEER_WORKER && strcmp(peer->key, key) == 0 &&
                   !objects(peer, name, tags, count, why);
    }
    pthread_mutex_unlock(&peers->lock);
    return admitted;
}
