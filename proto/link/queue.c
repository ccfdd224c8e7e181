/* SPDX-License-Identifier: MIT */
/* The link's two queues: events to the user, commands to the thread. Each has a lock, held for a few instructions, and
   an eventfd, written only when somebody may be asleep. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/link/link_parts.h"

enum lh_status wire_queues_init(struct wire_link *link, struct lh_error *error)
{
    pthread_mutex_init(&link->events.lock, NULL);
    pthread_mutex_init(&link->commands.lock, NULL);
    pthread_cond_init(&link->commands.done, NULL);
    link->events.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    link->commands.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (link->events.fd < 0 || link->commands.fd < 0) {
        return lh_error_set(error, LH_ERR_IO, "", "no descriptor for the link: %s", strerror(errno));
    }
    return LH_OK;
}

void wire_queues_fini(struct wire_link *link)
{
    struct wire_command *command;
    while ((command = wire_command_take(&link->commands)) != NULL) {
        wire_command_free(command);
    }
    struct wire_event *event;
    while (link->events.count > 0 && (event = wire_link_next(link)) != NULL) {
        wire_event_free(event);
    }
    if (link->events.fd >= 0) {
        close(link->events.fd);
    }
    if (link->commands.fd >= 0) {
        close(link->commands.fd);
    }
    pthread_cond_destroy(&link->commands.done);
    pthread_mutex_destroy(&link->commands.lock);
    pthread_mutex_destroy(&link->events.lock);
}

static void ring(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one); /* fails only when it is rung 2^64 times already */
    (void)written;
}

static void hush(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count); /* EAGAIN: it was not rung */
    (void)got;
}

/* ---- commands */

static void free_data(void *data, void *hint)
{
    (void)hint;
    free(data);
}

static void release(const struct wire_buffer *buffer)
{
    if (buffer != NULL) {
        (buffer->release != NULL ? buffer->release : free_data)(buffer->data, buffer->hint);
    }
}

/* Takes the buffer into the next frame. */
static bool add_frame(struct wire_command *command, const struct wire_buffer *buffer)
{
    zmq_msg_t *frame = &command->frames[command->frame_count];
    if (zmq_msg_init_data(frame, buffer->data, buffer->size, buffer->release != NULL ? buffer->release : free_data,
                          buffer->hint) != 0) {
        return false;
    }
    command->frame_count++;
    return true;
}

static struct wire_command *make_command(enum wire_command_kind kind, uint32_t socket, uint64_t peer)
{
    struct wire_command *command = calloc(1, sizeof *command);
    if (command != NULL) {
        command->kind = kind;
        command->socket = socket;
        command->peer = peer;
    }
    return command;
}

void wire_command_free(struct wire_command *command)
{
    for (unsigned i = 0; i < command->frame_count; i++) {
        zmq_msg_close(&command->frames[i]);
    }
    free(command);
}

/* Takes the command unless it returns LH_ERR_LIMIT. */
static enum lh_status push(struct wire_link *link, struct wire_command *command, bool limited)
{
    struct wire_commands *commands = &link->commands;
    pthread_mutex_lock(&commands->lock);
    if (limited && commands->count >= link->options.sends_max) {
        pthread_mutex_unlock(&commands->lock);
        return LH_ERR_LIMIT;
    }
    if (commands->last != NULL) {
        commands->last->next = command;
    } else {
        commands->first = command;
    }
    commands->last = command;
    commands->count++;
    atomic_store_explicit(&commands->waiting, true, memory_order_seq_cst);
    pthread_mutex_unlock(&commands->lock);
    /* The thread says that it sleeps before it looks for commands a last time: one of the two sees the other. */
    if (atomic_load_explicit(&commands->sleeping, memory_order_seq_cst)) {
        ring(commands->fd);
    }
    return LH_OK;
}

struct wire_command *wire_command_take(struct wire_commands *commands)
{
    if (!atomic_load_explicit(&commands->waiting, memory_order_acquire)) {
        return NULL;
    }
    pthread_mutex_lock(&commands->lock);
    struct wire_command *command = commands->first;
    if (command != NULL) {
        commands->first = command->next;
        commands->count--;
    }
    if (commands->first == NULL) {
        commands->last = NULL;
        atomic_store_explicit(&commands->waiting, false, memory_order_release);
    }
    pthread_mutex_unlock(&commands->lock);
    if (command != NULL) {
        command->next = NULL;
    }
    return command;
}

enum lh_status wire_link_send(struct wire_link *link, uint32_t socket, uint64_t peer, struct wire_buffer *envelope,
                              struct wire_buffer *payload)
{
    struct wire_command *command = make_command(WIRE_COMMAND_SEND, socket, peer);
    enum lh_status status = LH_ERR_NO_MEMORY;
    if (command == NULL || !add_frame(command, envelope)) {
        release(envelope);
        release(payload);
    } else if (payload != NULL && !add_frame(command, payload)) {
        release(payload);
    } else {
        status = push(link, command, true);
        command = status == LH_OK ? NULL : command;
    }
    if (command != NULL) {
        wire_command_free(command);
    }
    return status;
}

void wire_link_drop(struct wire_link *link, uint32_t socket, uint64_t peer)
{
    struct wire_command *command = make_command(WIRE_COMMAND_DROP, socket, peer);
    if (command != NULL && push(link, command, false) != LH_OK) {
        wire_command_free(command);
    }
}

enum lh_status wire_link_call(struct wire_link *link, enum wire_command_kind kind, struct wire_call *call)
{
    struct wire_command *command = make_command(kind, 0, 0);
    if (command == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    command->call = call;
    call->done = false;
    enum lh_status status = push(link, command, false);
    pthread_mutex_lock(&link->commands.lock);
    while (status == LH_OK && !call->done) {
        pthread_cond_wait(&link->commands.done, &link->commands.lock);
    }
    pthread_mutex_unlock(&link->commands.lock);
    return status == LH_OK ? call->status : status;
}

void wire_link_called(struct wire_link *link, struct wire_call *call, enum lh_status status)
{
    pthread_mutex_lock(&link->commands.lock);
    call->status = status;
    call->done = true;
    pthread_cond_broadcast(&link->commands.done);
    pthread_mutex_unlock(&link->commands.lock);
}

/* ---- events */

struct wire_event_node *wire_event_make(enum wire_event_kind kind, uint32_t socket, const struct wire_peer *peer)
{
    struct wire_event_node *node = malloc(sizeof *node);
    if (node == NULL) {
        return NULL;
    }
    node->event = (struct wire_event){.kind = kind, .socket = socket};
    node->frame_count = 0;
    node->bytes = 0;
    node->next = NULL;
    if (peer != NULL) {
        node->event.peer = peer->id;
        memcpy(node->event.key, peer->key, sizeof node->event.key);
    }
    return node;
}

void wire_event_free(struct wire_event *event)
{
    if (event == NULL) {
        return;
    }
    struct wire_event_node *node = (struct wire_event_node *)event;
    for (unsigned i = 0; i < node->frame_count; i++) {
        zmq_msg_close(&node->frames[i]);
    }
    free(node);
}

void wire_event_tell(struct wire_link *link, struct wire_event_node *node)
{
    if (link->options.handler != NULL && link->options.handler(link->options.handler_context, link, &node->event)) {
        return;
    }
    struct wire_events *events = &link->events;
    pthread_mutex_lock(&events->lock);
    bool first = events->count == 0;
    if (events->last != NULL) {
        events->last->next = node;
    } else {
        events->first = node;
    }
    events->last = node;
    events->count++;
    events->bytes += node->bytes;
    if (first) {
        ring(events->fd);
    }
    pthread_mutex_unlock(&events->lock);
}

static bool is_full(const struct wire_link *link)
{
    return link->events.count >= link->options.events_max || link->events.bytes >= link->options.events_bytes;
}

bool wire_events_full(struct wire_link *link)
{
    pthread_mutex_lock(&link->events.lock);
    bool full = is_full(link);
    atomic_store_explicit(&link->stalled, full, memory_order_relaxed);
    pthread_mutex_unlock(&link->events.lock);
    return full;
}

void wire_events_purge(struct wire_link *link)
{
    struct wire_events *events = &link->events;
    pthread_mutex_lock(&events->lock);
    struct wire_event_node **at = &events->first;
    events->last = NULL;
    while (*at != NULL) {
        struct wire_event_node *node = *at;
        if (node->event.kind == WIRE_MESSAGE && node->event.key[0] != '\0' &&
            link->sockets[node->event.socket].kind == WIRE_ROUTER && !wire_zap_allows(link, node->event.key)) {
            *at = node->next;
            events->count--;
            events->bytes -= node->bytes;
            atomic_fetch_add_explicit(&link->tallies.revoked, 1, memory_order_relaxed);
            wire_event_free(&node->event);
        } else {
            events->last = node;
            at = &node->next;
        }
    }
    if (events->count == 0) {
        hush(events->fd);
    }
    pthread_mutex_unlock(&events->lock);
}

struct wire_event *wire_link_next(struct wire_link *link)
{
    struct wire_events *events = &link->events;
    pthread_mutex_lock(&events->lock);
    struct wire_event_node *node = events->first;
    bool wake = false;
    if (node != NULL) {
        events->first = node->next;
        events->last = node->next == NULL ? NULL : events->last;
        events->count--;
        events->bytes -= node->bytes;
        if (events->count == 0) {
            hush(events->fd);
        }
        wake = !is_full(link) && atomic_exchange_explicit(&link->stalled, false, memory_order_relaxed);
    }
    pthread_mutex_unlock(&events->lock);
    if (wake) {
        ring(link->commands.fd);
    }
    return node != NULL ? &node->event : NULL;
}

struct wire_event *wire_link_wait(struct wire_link *link, int timeout_ms)
{
    struct wire_event *event = wire_link_next(link);
    if (event == NULL && timeout_ms != 0) {
        struct pollfd item = {.fd = link->events.fd, .events = POLLIN};
        if (poll(&item, 1, timeout_ms) > 0) {
            event = wire_link_next(link);
        }
    }
    return event;
}

int wire_link_fd(const struct wire_link *link)
{
    return link->events.fd;
}
