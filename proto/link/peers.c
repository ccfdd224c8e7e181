/* SPDX-License-Identifier: MIT */
/* The table of peers: slots that ids point into, and chains by route. */
#include "proto/link/peers.h"

#include <stdlib.h>

#define SLOT_BITS 16u
#define SLOT_MASK ((1u << SLOT_BITS) - 1)

_Static_assert(WIRE_PEERS_MAX <= SLOT_MASK + 1, "every slot has its number");

void wire_peers_init(struct wire_peers *peers)
{
    *peers = (struct wire_peers){0};
}

void wire_peers_fini(struct wire_peers *peers)
{
    for (uint32_t i = 0; i < peers->slot_count; i++) {
        free(peers->slots[i]);
    }
    free(peers->slots);
    free(peers->buckets);
    wire_peers_init(peers);
}

/* ZeroMQ counts its peers and writes the number with the high byte first: read as it lies, routes differ at the top
   only, so that all bits have to take part (the finaliser of MurmurHash3). */
static struct wire_peer **bucket_of(const struct wire_peers *peers, uint32_t route)
{
    uint32_t hash = (route ^ route >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return &peers->buckets[(hash ^ hash >> 16) & (peers->bucket_count - 1)];
}

struct wire_peer *wire_peers_by_route(const struct wire_peers *peers, uint32_t route)
{
    struct wire_peer *peer = peers->bucket_count > 0 ? *bucket_of(peers, route) : NULL;
    while (peer != NULL && peer->route != route) {
        peer = peer->next_by_route;
    }
    return peer;
}

struct wire_peer *wire_peers_by_id(const struct wire_peers *peers, uint64_t id)
{
    uint32_t slot = (uint32_t)(id & SLOT_MASK);
    struct wire_peer *peer = slot < peers->slot_count ? peers->slots[slot] : NULL;
    return peer != NULL && peer->id == id ? peer : NULL;
}

struct wire_peer *wire_peers_by_fd(const struct wire_peers *peers, int fd)
{
    for (uint32_t i = 0; i < peers->slot_count; i++) {
        if (peers->slots[i] != NULL && peers->slots[i]->fd == fd) {
            return peers->slots[i];
        }
    }
    return NULL;
}

/* Room for one more peer: as many buckets as slots. */
static bool grow(struct wire_peers *peers)
{
    uint32_t capacity = peers->capacity == 0 ? 16 : peers->capacity * 2;
    struct wire_peer **buckets = calloc(capacity, sizeof *buckets);
    struct wire_peer **slots = realloc(peers->slots, capacity * sizeof *slots);
    if (slots != NULL) {
        peers->slots = slots;
    }
    if (slots == NULL || buckets == NULL) {
        free(buckets);
        return false;
    }
    free(peers->buckets);
    peers->buckets = buckets;
    peers->bucket_count = capacity;
    peers->capacity = capacity;
    for (uint32_t i = 0; i < peers->slot_count; i++) {
        struct wire_peer *peer = peers->slots[i];
        struct wire_peer **bucket = bucket_of(peers, peer->route);
        peer->next_by_route = *bucket;
        *bucket = peer;
    }
    return true;
}

struct wire_peer *wire_peers_add(struct wire_peers *peers, uint32_t route, uint64_t *serial)
{
    if (peers->count == WIRE_PEERS_MAX || (peers->count == peers->capacity && !grow(peers))) {
        return NULL;
    }
    struct wire_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    uint32_t slot = peers->slot_count;
    if (peers->count < peers->slot_count) { /* there is a hole */
        for (slot = 0; peers->slots[slot] != NULL; slot++) {
        }
    } else {
        peers->slot_count++;
    }
    peers->slots[slot] = peer;
    peers->count++;
    peer->id = ++*serial << SLOT_BITS | slot;
    peer->route = route;
    peer->fd = -1;
    struct wire_peer **bucket = bucket_of(peers, route);
    peer->next_by_route = *bucket;
    *bucket = peer;
    return peer;
}

void wire_peers_remove(struct wire_peers *peers, struct wire_peer *peer)
{
    struct wire_peer **link = bucket_of(peers, peer->route);
    while (*link != peer) {
        link = &(*link)->next_by_route;
    }
    *link = peer->next_by_route;
    uint32_t slot = (uint32_t)(peer->id & SLOT_MASK);
    peers->slots[slot] = NULL;
    peers->count--;
    while (peers->slot_count > 0 && peers->slots[peers->slot_count - 1] == NULL) {
        peers->slot_count--;
    }
    free(peer);
}
