/* SPDX-License-Identifier: MIT */
/* Where Pulse listens: always on a socket of its data folder, for its host, and on the network if it is told to. */
#ifndef PULSE_SERVICE_LISTEN_H
#define PULSE_SERVICE_LISTEN_H

#include "common/base/arena.h"
#include "proto/link/link.h"

/* Where one part of it listens. */
struct pulse_place {
    const char *local;            /* ipc */
    const char *remote;           /* tcp, as told; NULL: for this host alone */
    const struct wire_keys *keys; /* tcp */
};

/* The places that one endpoint of the network stands for: workers there, clients at the next port, bulk data at the one
   after it; "*" or 0: any port for each. What has an endpoint of its own keeps it. Texts in the arena.
   LH_ERR_USAGE: it is not tcp://ADDRESS:PORT. */
LH_NODISCARD enum lh_status pulse_listen_spread(struct lh_arena *arena, const char *endpoint, const char **workers,
                                                const char **clients, const char **bulk, struct lh_error *error);

/* Opens a ROUTER for each of the place's endpoints. `bound`, WIRE_ENDPOINT_SIZE bytes: where it is on the network, with
   the port that was chosen; "": nowhere. Errors as wire_link_open(). */
LH_NODISCARD enum lh_status pulse_listen_open(struct wire_link *link, const struct pulse_place *place,
                                              size_t message_max, char *bound, struct lh_error *error);

/* The bulk endpoint as those on the network are told who come by `place`. An address that both have in common, or any
   address, is not told: what we are bound to may not be what they know us by. They take the host that they connected to
   (proto/link/endpoint.h). `told`: WIRE_ENDPOINT_SIZE bytes. */
void pulse_listen_told(const struct pulse_place *bulk, const char *bound, const struct pulse_place *place, char *told);

#endif
