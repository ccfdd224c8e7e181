/* SPDX-License-Identifier: MIT */
/* Who may connect: the handler of ZeroMQ's authentication protocol (rfc.zeromq.org/spec/27), for CURVE alone. */
#include <stdlib.h>
#include <string.h>

#include "proto/link/link_parts.h"

#define PARTS 7 /* version, request, domain, address, identity, mechanism, credentials */
#define RAW_KEY_SIZE 32

enum lh_status wire_zap_open(struct wire_link *link)
{
    link->zap = zmq_socket(link->context, ZMQ_REP);
    return link->zap != NULL && zmq_bind(link->zap, "inproc://zeromq.zap.01") == 0 ? LH_OK : LH_ERR_IO;
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, WIRE_KEY_SIZE);
}

bool wire_zap_allows(const struct wire_link *link, const char *key)
{
    char padded[WIRE_KEY_SIZE] = "";
    memcpy(padded, key, strnlen(key, WIRE_KEY_SIZE - 1));
    return link->allowed_count > 0 &&
           bsearch(padded, link->allowed, link->allowed_count, WIRE_KEY_SIZE, compare_keys) != NULL;
}

void wire_zap_replace(struct wire_link *link, char (*keys)[WIRE_KEY_SIZE], size_t count)
{
    if (count > 0) {
        qsort(keys, count, WIRE_KEY_SIZE, compare_keys);
    }
    free(link->allowed);
    link->allowed = keys;
    link->allowed_count = count;
    wire_events_purge(link);
    for (uint32_t i = 0; i < link->socket_count; i++) {
        struct wire_socket *socket = &link->sockets[i];
        if (!socket->curve || socket->kind != WIRE_ROUTER) {
            continue;
        }
        for (uint32_t p = 0; p < socket->peers.slot_count; p++) {
            struct wire_peer *peer = socket->peers.slots[p];
            if (peer != NULL && !wire_zap_allows(link, peer->key)) {
                wire_peer_cut(link, i, peer, WIRE_GONE_REVOKED);
            }
        }
    }
}

static bool equals(zmq_msg_t *frame, const char *text)
{
    return zmq_msg_size(frame) == strlen(text) && memcmp(zmq_msg_data(frame), text, strlen(text)) == 0;
}

/* The key of who asks, when it may come in. */
static bool may_enter(const struct wire_link *link, zmq_msg_t *parts, char *key)
{
    return equals(&parts[0], "1.0") && equals(&parts[5], "CURVE") && zmq_msg_size(&parts[6]) == RAW_KEY_SIZE &&
           zmq_z85_encode(key, zmq_msg_data(&parts[6]), RAW_KEY_SIZE) != NULL && wire_zap_allows(link, key);
}

static void answer(const struct wire_link *link, zmq_msg_t *parts)
{
    char key[WIRE_KEY_SIZE] = "";
    bool good = may_enter(link, parts, key);
    const char *code = good ? "200" : "400";
    const char *text = good ? "OK" : "not enrolled";
    const char *user = good ? key : "";
    zmq_send(link->zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(link->zap, zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1]), ZMQ_SNDMORE);
    zmq_send(link->zap, code, 3, ZMQ_SNDMORE);
    zmq_send(link->zap, text, strlen(text), ZMQ_SNDMORE);
    zmq_send(link->zap, user, strlen(user), ZMQ_SNDMORE);
    zmq_send(link->zap, "", 0, 0);
}

bool wire_zap_answer(struct wire_link *link)
{
    zmq_msg_t parts[PARTS];
    for (unsigned i = 0; i < PARTS; i++) {
        zmq_msg_init(&parts[i]);
    }
    unsigned got = 0;
    if (zmq_msg_recv(&parts[0], link->zap, ZMQ_DONTWAIT) >= 0) {
        for (got = 1; got < PARTS && zmq_msg_more(&parts[got - 1]); got++) {
            if (zmq_msg_recv(&parts[got], link->zap, 0) < 0) {
                break;
            }
        }
    }
    if (got > 0) { /* ZeroMQ itself asks, and waits for an answer in any case */
        answer(link, parts);
    }
    for (unsigned i = 0; i < PARTS; i++) {
        zmq_msg_close(&parts[i]);
    }
    return got > 0;
}
