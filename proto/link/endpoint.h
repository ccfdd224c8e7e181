/* SPDX-License-Identifier: MIT */
/* Endpoints: which there are, and what a socket needs before it may use one. Shared by the link and the caller. */
#ifndef WIRE_LINK_ENDPOINT_H
#define WIRE_LINK_ENDPOINT_H

#include "proto/link/link.h"

/* Whether the options may be used at all: as wire_link_open() says. Fills in what is 0. */
LH_NODISCARD enum lh_status wire_endpoint_check(struct wire_socket_options *options, struct lh_error *error);
/* A ZeroMQ socket of that kind in the context, with every option set, neither bound nor connected. */
LH_NODISCARD enum lh_status wire_endpoint_socket(void *context, const struct wire_socket_options *options,
                                                 void **socket, struct lh_error *error);

/* How an endpoint is told to a peer that is to come there with the host that it came by: only the peer knows by which
   name it reaches us. A port follows. */
#define WIRE_SAME_HOST "tcp://*"
/* What `told` means to who connected to `connected`; WIRE_ENDPOINT_SIZE bytes. LH_ERR_INVALID: nothing (it is told to
   who came by no host, or it is too long). */
LH_NODISCARD enum lh_status wire_endpoint_meant(const char *told, const char *connected, char *endpoint,
                                                struct lh_error *error);

#endif
