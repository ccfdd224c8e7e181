/* SPDX-License-Identifier: MIT */
/* Endpoints of Pulse. */
#include "pulse-daemon/service/listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/link/endpoint.h"

#define PORTS 3
#define PORT_MAX 65535

/* Up to the colon in front of the port. */
static size_t host_length(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');
    return colon != NULL ? (size_t)(colon - endpoint) : strlen(endpoint);
}

static bool same_host(const char *a, const char *b)
{
    return host_length(a) == host_length(b) && strncmp(a, b, host_length(a)) == 0;
}

static bool is_any_host(const char *endpoint)
{
    static const char *const any[] = {"tcp://*", "tcp://0.0.0.0", "tcp://[::]"};
    for (size_t i = 0; i < sizeof any / sizeof *any; i++) {
        if (strlen(any[i]) == host_length(endpoint) && strncmp(any[i], endpoint, strlen(any[i])) == 0) {
            return true;
        }
    }
    return false;
}

enum lh_status pulse_listen_spread(struct lh_arena *arena, const char *endpoint, const char **workers,
                                   const char **clients, const char **bulk, struct lh_error *error)
{
    const char **places[PORTS] = {workers, clients, bulk};
    size_t host = host_length(endpoint);
    const char *text = endpoint[host] == ':' ? endpoint + host + 1 : "";
    char *end;
    unsigned long port = strcmp(text, "*") == 0 ? 0 : strtoul(text, &end, 10);
    bool number = text[0] >= '0' && text[0] <= '9' && *end == '\0' && port <= PORT_MAX - (PORTS - 1);
    if (strncmp(endpoint, "tcp://", 6) != 0 || host <= 6 || (strcmp(text, "*") != 0 && !number) ||
        strlen(endpoint) >= WIRE_ENDPOINT_SIZE - 5) {
        return lh_error_set(error, LH_ERR_USAGE, "--listen",
                            "%s is not tcp://ADDRESS:PORT with two more ports behind it", endpoint);
    }
    for (unsigned i = 0; i < PORTS; i++) {
        char *made = *places[i] == NULL ? lh_arena_alloc(arena, WIRE_ENDPOINT_SIZE) : NULL;
        if (*places[i] == NULL && made == NULL) {
            return lh_error_no_memory(error);
        }
        if (made != NULL) {
            snprintf(made, WIRE_ENDPOINT_SIZE, "%.*s:%lu", (int)host, endpoint, port != 0 ? port + i : 0);
            *places[i] = made;
        }
    }
    return LH_OK;
}

enum lh_status pulse_listen_open(struct wire_link *link, const struct pulse_place *place, size_t message_max,
                                 char *bound, struct lh_error *error)
{
    struct wire_socket_options socket = {.kind = WIRE_ROUTER, .endpoint = place->local, .message_max = message_max};
    uint32_t number;
    enum lh_status status = wire_link_open(link, &socket, &number, error);
    *bound = '\0';
    if (status == LH_OK && place->remote != NULL) {
        socket.endpoint = place->remote;
        socket.keys = place->keys;
        status = wire_link_open(link, &socket, &number, error);
    }
    if (status == LH_OK && place->remote != NULL) {
        wire_link_endpoint(link, number, bound);
    }
    return status;
}

void pulse_listen_told(const struct pulse_place *bulk, const char *bound, const struct pulse_place *place, char *told)
{
    if (bulk->remote == NULL || place->remote == NULL) {
        *told = '\0';
    } else if (is_any_host(bulk->remote) || same_host(bulk->remote, place->remote)) {
        snprintf(told, WIRE_ENDPOINT_SIZE, WIRE_SAME_HOST "%s", bound + host_length(bound));
    } else {
        snprintf(told, WIRE_ENDPOINT_SIZE, "%s", bound);
    }
}
