/* SPDX-License-Identifier: MIT */
/* A program's own way to ask Pulse: one connection, no thread of ours, one question at a time; and the events that are
   pushed in between. What link.h says of endpoints, trust and limits holds here too. A caller belongs to one thread. */
#ifndef WIRE_LINK_CALLER_H
#define WIRE_LINK_CALLER_H

#include "proto/link/link.h"

struct wire_caller;

struct wire_caller_options {
    const char *endpoint;
    const struct wire_keys *keys; /* tcp */
    const char *server_key;       /* tcp */
    size_t message_max;           /* bytes of a frame; 0: 1 MiB and a bit */
    uint32_t spin_us;             /* looks for the answer so long before it sleeps */
};

/* What came: an answer or an event. The caller's until its next call. */
struct wire_answer {
    const uint8_t *envelope;
    size_t envelope_size;
    const void *payload; /* NULL: none */
    size_t payload_size;
};

/* Connects within `timeout_ms`. LH_ERR_UNAVAILABLE: nobody is there, or it does not let us in (the message says
   which); the errors of wire_link_open(). */
LH_NODISCARD enum lh_status wire_caller_new(const struct wire_caller_options *options, int timeout_ms,
                                            struct wire_caller **caller, struct lh_error *error);
void wire_caller_free(struct wire_caller *caller); /* accepts NULL */

/* Takes both buffers, whatever comes of it; `payload` may be NULL. LH_ERR_UNAVAILABLE: the other side is gone. */
LH_NODISCARD enum lh_status wire_caller_send(struct wire_caller *caller, struct wire_buffer *envelope,
                                             struct wire_buffer *payload, struct lh_error *error);
/* The next message within `timeout_ms` (-1: for ever). LH_ERR_CANCELLED: none in that time, or a signal came;
   LH_ERR_UNAVAILABLE: the other side is gone: make a new caller and ask again. */
LH_NODISCARD enum lh_status wire_caller_receive(struct wire_caller *caller, int timeout_ms, struct wire_answer *answer,
                                                struct lh_error *error);

#endif
