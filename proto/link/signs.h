/* SPDX-License-Identifier: MIT */
/* Signs of life: messages of one frame that is shorter than any envelope, told by the links and callers among
   themselves. ZeroMQ has heartbeats of its own, but up to the version of today they abort the process when a peer dies
   whose messages nobody reads (libzmq issues 3937, 4364 and 4767). */
#ifndef WIRE_LINK_SIGNS_H
#define WIRE_LINK_SIGNS_H

#include <stdint.h>
#include <zmq.h>

enum wire_sign {
    WIRE_SIGN_NONE = 0, /* an envelope */
    WIRE_SIGN_BEAT,     /* empty: "I live, and silence of mine means that I do not; and you?" From who connected */
    WIRE_SIGN_ASK,      /* 1: "do you live?" From a caller that waits */
    WIRE_SIGN_ALIVE,    /* 0: the answer to both; also tried on a peer to see whether it can be reached */
    WIRE_SIGN_ODD,      /* too short for anything */
};

static inline enum wire_sign wire_sign_of(zmq_msg_t *frame)
{
    size_t size = zmq_msg_size(frame);
    if (size > 1) {
        return WIRE_SIGN_NONE;
    }
    uint8_t value = size == 0 ? 0 : *(const uint8_t *)zmq_msg_data(frame);
    return size == 0 ? WIRE_SIGN_BEAT : value == 0 ? WIRE_SIGN_ALIVE : value == 1 ? WIRE_SIGN_ASK : WIRE_SIGN_ODD;
}

/* The last frame of a message, in vain if the peer takes nothing. */
static inline void wire_sign_send(void *socket, enum wire_sign sign)
{
    zmq_send(socket, sign == WIRE_SIGN_ASK ? "\x01" : "\x00", sign == WIRE_SIGN_BEAT ? 0 : 1, ZMQ_DONTWAIT);
}

#endif
