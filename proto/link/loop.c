/* SPDX-License-Identifier: MIT */
/* The link's thread. A round: read, look after peers, hear what ended, let in, send. When a round did nothing the
   thread looks on for a while, if it was told to, and then sleeps. */
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "proto/link/link_parts.h"

#define MICROSECOND_NS UINT64_C(1000)

static void run_command(struct wire_link *link, struct wire_command *command)
{
    struct wire_call *call = command->call;
    switch (command->kind) {
    case WIRE_COMMAND_SEND:
        wire_socket_send(link, command);
        return;
    case WIRE_COMMAND_DROP:
        if (command->socket < link->socket_count) {
            struct wire_peer *peer = wire_peers_by_id(&link->sockets[command->socket].peers, command->peer);
            if (peer != NULL) {
                wire_peer_cut(link, command->socket, peer, WIRE_GONE_CLOSED);
            }
        }
        break;
    case WIRE_COMMAND_OPEN:
        wire_link_called(link, call, wire_socket_open(link, call));
        break;
    case WIRE_COMMAND_ALLOW:
        wire_zap_replace(link, call->keys, call->key_count);
        wire_link_called(link, call, LH_OK);
        break;
    case WIRE_COMMAND_STOP:
        link->stopping = true;
        link->linger_ms = call->linger_ms;
        wire_link_called(link, call, LH_OK);
        break;
    }
    wire_command_free(command);
}

static void run_commands(struct wire_link *link)
{
    struct wire_command *command;
    for (unsigned i = 0; i < WIRE_BATCH && (command = wire_command_take(&link->commands)) != NULL; i++) {
        link->busy = true;
        run_command(link, command);
    }
}

/* Returns when to look again at what waits. */
static uint64_t round_of(struct wire_link *link)
{
    uint32_t count = link->socket_count;
    link->now_ns = lh_clock_monotonic_ns();
    uint64_t soonest = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        bool full = wire_events_full(link);
        bool more = !full && wire_socket_receive(link, i);
        uint64_t next = wire_socket_tend(link, i, !full && !more);
        soonest = next < soonest ? next : soonest;
        run_commands(link); /* an answer need not wait for the other sockets */
    }
    for (uint32_t i = 0; i < count; i++) {
        link->busy |= wire_socket_monitor(link, i);
    }
    link->busy |= wire_zap_answer(link);
    run_commands(link);
    return soonest;
}

static long timeout_of(uint64_t soonest)
{
    if (soonest == UINT64_MAX) {
        return -1;
    }
    uint64_t now = lh_clock_monotonic_ns();
    return soonest <= now ? 0 : (long)((soonest - now + WIRE_MILLISECOND_NS - 1) / WIRE_MILLISECOND_NS);
}

/* Sleeps until something happens or the time has come. */
static void wait(struct wire_link *link, uint64_t soonest)
{
    zmq_pollitem_t items[2 * WIRE_SOCKETS_MAX + 2];
    int count = 0;
    bool full = wire_events_full(link);
    for (uint32_t i = 0; i < link->socket_count; i++) {
        items[count++] = (zmq_pollitem_t){.socket = link->sockets[i].monitor, .events = ZMQ_POLLIN};
        if (!full) {
            items[count++] = (zmq_pollitem_t){.socket = link->sockets[i].handle, .events = ZMQ_POLLIN};
        }
    }
    items[count++] = (zmq_pollitem_t){.socket = link->zap, .events = ZMQ_POLLIN};
    items[count++] = (zmq_pollitem_t){.fd = link->commands.fd, .events = ZMQ_POLLIN};
    atomic_store_explicit(&link->commands.sleeping, true, memory_order_seq_cst);
    if (!atomic_load_explicit(&link->commands.waiting, memory_order_seq_cst)) {
        zmq_poll(items, count, timeout_of(soonest));
    }
    atomic_store_explicit(&link->commands.sleeping, false, memory_order_seq_cst);
    if (items[count - 1].revents != 0) {
        uint64_t rings;
        ssize_t got = read(link->commands.fd, &rings, sizeof rings);
        (void)got;
    }
}

static void finish(struct wire_link *link)
{
    for (uint32_t i = 0; i < link->socket_count; i++) {
        wire_socket_close(&link->sockets[i], link->linger_ms);
    }
    zmq_close(link->zap);
}

void *wire_link_loop(void *argument)
{
    struct wire_link *link = argument;
    uint64_t idle_since = 0;
    while (!link->stopping) {
        link->busy = false;
        uint64_t soonest = round_of(link);
        if (link->busy) {
            idle_since = 0;
            continue;
        }
        if (link->options.spin_us > 0) {
            uint64_t now = lh_clock_monotonic_ns();
            idle_since = idle_since == 0 ? now : idle_since;
            if (now - idle_since < link->options.spin_us * MICROSECOND_NS) {
                continue;
            }
        }
        idle_since = 0;
        wait(link, soonest);
    }
    finish(link);
    return NULL;
}
