/* SPDX-License-Identifier: MIT */
/* Endpoints: folders that are ours alone, keys where there are none, and the options of a socket. */
#include "proto/link/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#define MESSAGE_STANDARD ((size_t)(1u << 20) + 4096)
#define QUEUE_STANDARD 1000
#define HEARTBEAT_STANDARD_MS 1000
#define DEAD_STANDARD_MS 5000
#define RECONNECT_STANDARD_MS 50
#define RECONNECT_MAX_STANDARD_MS 2000

static const char ipc[] = "ipc://";
static const char tcp[] = "tcp://";

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Whoever can reach the socket may speak: its folder keeps everybody else out. */
static enum lh_status check_ipc(const char *path, struct lh_error *error)
{
    struct sockaddr_un address;
    size_t length = strlen(path);
    if (length == 0 || path[0] != '/') {
        return lh_error_set(error, LH_ERR_USAGE, path, "the path of a local endpoint is not absolute");
    }
    if (length >= sizeof address.sun_path) {
        return lh_error_set(error, LH_ERR_LIMIT, path, "the path of a local endpoint is longer than %zu bytes",
                            sizeof address.sun_path - 1);
    }
    char folder[sizeof address.sun_path];
    size_t cut = (size_t)(strrchr(path, '/') - path);
    memcpy(folder, path, cut);
    folder[cut] = '\0';
    struct stat facts;
    if (lstat(cut > 0 ? folder : "/", &facts) != 0) {
        return lh_error_set(error, errno == ENOENT ? LH_ERR_UNAVAILABLE : LH_ERR_IO, folder,
                            "the folder of a local endpoint cannot be looked at: %s", strerror(errno));
    }
    bool ours = facts.st_uid == geteuid() || geteuid() == 0;
    if (!S_ISDIR(facts.st_mode) || !ours || (facts.st_mode & 077) != 0) {
        return lh_error_set(error, LH_ERR_INVALID, folder,
                            "the folder of a local endpoint must belong to this user and have mode 0700");
    }
    return LH_OK;
}

static enum lh_status check_tcp(const struct wire_socket_options *options, struct lh_error *error)
{
    const struct wire_keys *keys = options->keys;
    if (keys == NULL || !wire_key_valid(keys->public_key) || !wire_key_valid(keys->secret_key)) {
        return lh_error_set(error, LH_ERR_USAGE, options->endpoint, "an endpoint on the network needs a pair of keys");
    }
    if (options->kind == WIRE_DEALER && (options->server_key == NULL || !wire_key_valid(options->server_key))) {
        return lh_error_set(error, LH_ERR_USAGE, options->endpoint, "the key of the other side is needed to connect");
    }
    return LH_OK;
}

static void fill_in(uint32_t *value, uint32_t standard)
{
    *value = *value == 0 ? standard : *value;
}

enum lh_status wire_endpoint_check(struct wire_socket_options *options, struct lh_error *error)
{
    fill_in(&options->queue, QUEUE_STANDARD);
    fill_in(&options->heartbeat_ms, HEARTBEAT_STANDARD_MS);
    fill_in(&options->dead_ms, DEAD_STANDARD_MS);
    fill_in(&options->reconnect_ms, RECONNECT_STANDARD_MS);
    fill_in(&options->reconnect_max_ms, RECONNECT_MAX_STANDARD_MS);
    options->message_max = options->message_max == 0 ? MESSAGE_STANDARD : options->message_max;
    if (strlen(options->endpoint) >= WIRE_ENDPOINT_SIZE) {
        return lh_error_set(error, LH_ERR_LIMIT, options->endpoint, "the endpoint's name is too long");
    }
    if (starts_with(options->endpoint, ipc)) {
        return check_ipc(options->endpoint + strlen(ipc), error);
    }
    if (starts_with(options->endpoint, tcp)) {
        return check_tcp(options, error);
    }
    return lh_error_set(error, LH_ERR_USAGE, options->endpoint, "an endpoint starts with ipc:// or tcp://");
}

static bool set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_text(void *socket, int option, const char *text)
{
    return zmq_setsockopt(socket, option, text, strlen(text) + 1) == 0;
}

/* The links tell each other that they live (proto/link/signs.h); the kernel finds hosts that are gone. */
static bool set_liveness(void *socket, const struct wire_socket_options *options)
{
    int dead = (int)options->dead_ms;
    int seconds = dead < 4000 ? 1 : dead / 4000;
    return set(socket, ZMQ_HANDSHAKE_IVL, dead) && set(socket, ZMQ_TCP_KEEPALIVE, 1) &&
           set(socket, ZMQ_TCP_KEEPALIVE_IDLE, seconds) && set(socket, ZMQ_TCP_KEEPALIVE_INTVL, seconds) &&
           set(socket, ZMQ_TCP_KEEPALIVE_CNT, 4) && set(socket, ZMQ_TCP_MAXRT, 2 * dead);
}

/* Without a handler of its questions ZeroMQ would let in whoever has a key: the link binds the handler before it has
   any socket, and closes it after them. */
static bool set_trust(void *socket, const struct wire_socket_options *options)
{
    if (!starts_with(options->endpoint, tcp)) {
        return true;
    }
    bool good = set_text(socket, ZMQ_CURVE_PUBLICKEY, options->keys->public_key) &&
                set_text(socket, ZMQ_CURVE_SECRETKEY, options->keys->secret_key);
    if (options->kind == WIRE_ROUTER) {
        static const char domain[] = "loophole";
        return good && set(socket, ZMQ_CURVE_SERVER, 1) &&
               zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0;
    }
    return good && set_text(socket, ZMQ_CURVE_SERVERKEY, options->server_key);
}

/* A connecting socket takes nothing while it is not connected: what is said late is worse than what is not said. */
static bool set_options(void *socket, const struct wire_socket_options *options)
{
    int64_t largest = (int64_t)options->message_max;
    bool good = set(socket, ZMQ_LINGER, 0) && set(socket, ZMQ_SNDHWM, (int)options->queue) &&
                set(socket, ZMQ_RCVHWM, (int)options->queue) &&
                zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0 &&
                set_liveness(socket, options) && set_trust(socket, options);
    if (options->kind == WIRE_ROUTER) {
        good = good && set(socket, ZMQ_ROUTER_MANDATORY, 1);
    } else {
        good = good && set(socket, ZMQ_IMMEDIATE, 1) && set(socket, ZMQ_RECONNECT_IVL, (int)options->reconnect_ms) &&
               set(socket, ZMQ_RECONNECT_IVL_MAX, (int)options->reconnect_max_ms) &&
               /* the kernel's own tries come ever later: after a long cut it would take it half a minute */
               set(socket, ZMQ_CONNECT_TIMEOUT, (int)options->reconnect_max_ms);
    }
    return good;
}

enum lh_status wire_endpoint_socket(void *context, const struct wire_socket_options *options, void **socket,
                                    struct lh_error *error)
{
    static const int kinds[] = {[WIRE_ROUTER] = ZMQ_ROUTER, [WIRE_DEALER] = ZMQ_DEALER};
    void *made = zmq_socket(context, kinds[options->kind]);
    if (made == NULL) {
        return lh_error_set(error, LH_ERR_IO, options->endpoint, "no socket: %s", zmq_strerror(zmq_errno()));
    }
    if (!set_options(made, options)) {
        int why = zmq_errno();
        zmq_close(made);
        return lh_error_set(error, LH_ERR_IO, options->endpoint, "the socket's options: %s", zmq_strerror(why));
    }
    *socket = made;
    return LH_OK;
}

enum lh_status wire_endpoint_meant(const char *told, const char *connected, char *endpoint, struct lh_error *error)
{
    const char *colon = strrchr(connected, ':');
    bool same = starts_with(told, WIRE_SAME_HOST ":");
    int length = -1;
    if (!same) {
        length = snprintf(endpoint, WIRE_ENDPOINT_SIZE, "%s", told);
    } else if (starts_with(connected, tcp) && colon != NULL) {
        length = snprintf(endpoint, WIRE_ENDPOINT_SIZE, "%.*s%s", (int)(colon - connected), connected,
                          told + strlen(WIRE_SAME_HOST));
    }
    return length >= 0 && length < WIRE_ENDPOINT_SIZE
               ? LH_OK
               : lh_error_set(error, LH_ERR_INVALID, told, "this endpoint cannot be reached by way of %s", connected);
}
