/* SPDX-License-Identifier: MIT */
/* A connection without a thread: the caller owns its context, its one socket and the monitor of it. */
#include "proto/link/caller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "common/base/clock.h"
#include "proto/link/endpoint.h"
#include "proto/link/signs.h"

#define MILLISECOND_NS UINT64_C(1000000)
#define MICROSECOND_NS UINT64_C(1000)
#define ASK_MS 1000  /* waiting so long, the other side is asked whether it lives */
#define DEAD_MS 5000 /* without any sign it is given up */

struct wire_caller {
    void *context, *socket, *monitor;
    uint64_t spin_ns;
    uint64_t heard_ns;   /* the last message or sign of life */
    bool gone;           /* the connection ended; what came before may still be read */
    zmq_msg_t frames[2]; /* of the last answer */
};

/* The next event of the connection, 0: none. */
static int next_event(struct wire_caller *caller)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    uint16_t event = 0;
    if (zmq_msg_recv(&frame, caller->monitor, ZMQ_DONTWAIT) >= (int)sizeof event) {
        memcpy(&event, zmq_msg_data(&frame), sizeof event);
        while (zmq_msg_more(&frame) && zmq_msg_recv(&frame, caller->monitor, 0) >= 0) { /* the address */
        }
    }
    zmq_msg_close(&frame);
    return event;
}

/* How long until `deadline` for zmq_poll(), UINT64_MAX: for ever. */
static long left_ms(uint64_t deadline)
{
    if (deadline == UINT64_MAX) {
        return -1;
    }
    uint64_t now = lh_clock_monotonic_ns();
    return now >= deadline ? 0 : (long)((deadline - now + MILLISECOND_NS - 1) / MILLISECOND_NS);
}

static uint64_t deadline_of(int timeout_ms)
{
    return timeout_ms < 0 ? UINT64_MAX : lh_clock_monotonic_ns() + (uint64_t)timeout_ms * MILLISECOND_NS;
}

static enum lh_status await_connection(struct wire_caller *caller, const char *endpoint, int timeout_ms,
                                       struct lh_error *error)
{
    uint64_t deadline = deadline_of(timeout_ms);
    for (;;) {
        int event = next_event(caller);
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            return LH_OK;
        }
        if (event == ZMQ_EVENT_CLOSED || event == ZMQ_EVENT_CONNECT_RETRIED) {
            return lh_error_set(error, LH_ERR_UNAVAILABLE, endpoint, "nobody is there");
        }
        if (event != 0 && event != ZMQ_EVENT_CONNECTED && event != ZMQ_EVENT_CONNECT_DELAYED) {
            return lh_error_set(error, LH_ERR_UNAVAILABLE, endpoint,
                                "the other side does not let us in, or is not who we expect");
        }
        long left = left_ms(deadline);
        zmq_pollitem_t item = {.socket = caller->monitor, .events = ZMQ_POLLIN};
        if (event == 0 && left == 0) {
            return lh_error_set(error, LH_ERR_UNAVAILABLE, endpoint, "nobody answers");
        }
        if (event == 0 && zmq_poll(&item, 1, left) < 0) {
            return lh_error_set(error, LH_ERR_CANCELLED, endpoint, "interrupted");
        }
    }
}

static enum lh_status open_caller(struct wire_caller *caller, const struct wire_caller_options *options, int timeout_ms,
                                  struct lh_error *error)
{
    struct wire_socket_options socket = {.kind = WIRE_DEALER,
                                         .endpoint = options->endpoint,
                                         .keys = options->keys,
                                         .server_key = options->server_key,
                                         .message_max = options->message_max};
    enum lh_status status = wire_endpoint_check(&socket, error);
    if (status != LH_OK) {
        return status;
    }
    caller->context = zmq_ctx_new();
    if (caller->context == NULL) {
        return lh_error_set(error, LH_ERR_IO, options->endpoint, "ZeroMQ: %s", zmq_strerror(zmq_errno()));
    }
    status = wire_endpoint_socket(caller->context, &socket, &caller->socket, error);
    if (status != LH_OK) {
        return status;
    }
    static const char monitor[] = "inproc://monitor";
    int events = ZMQ_EVENT_ALL & ~(ZMQ_EVENT_LISTENING | ZMQ_EVENT_BIND_FAILED | ZMQ_EVENT_ACCEPTED);
    caller->monitor = zmq_socket(caller->context, ZMQ_PAIR);
    if (caller->monitor == NULL || zmq_socket_monitor(caller->socket, monitor, events) != 0 ||
        zmq_connect(caller->monitor, monitor) != 0 || zmq_connect(caller->socket, options->endpoint) != 0) {
        return lh_error_set(error, LH_ERR_IO, options->endpoint, "the endpoint cannot be connected: %s",
                            zmq_strerror(zmq_errno()));
    }
    return await_connection(caller, options->endpoint, timeout_ms, error);
}

enum lh_status wire_caller_new(const struct wire_caller_options *options, int timeout_ms, struct wire_caller **caller,
                               struct lh_error *error)
{
    struct wire_caller *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    zmq_msg_init(&made->frames[0]);
    zmq_msg_init(&made->frames[1]);
    made->spin_ns = options->spin_us * MICROSECOND_NS;
    enum lh_status status = open_caller(made, options, timeout_ms, error);
    if (status != LH_OK) {
        wire_caller_free(made);
        return status;
    }
    *caller = made;
    return LH_OK;
}

/* What was sent has a moment to leave: a caller that says something and goes is heard. */
#define LINGER_MS 1000

void wire_caller_free(struct wire_caller *caller)
{
    if (caller == NULL) {
        return;
    }
    zmq_msg_close(&caller->frames[0]);
    zmq_msg_close(&caller->frames[1]);
    if (caller->socket != NULL) {
        int linger = caller->gone ? 0 : LINGER_MS;
        zmq_setsockopt(caller->socket, ZMQ_LINGER, &linger, sizeof linger);
        zmq_socket_monitor(caller->socket, NULL, 0);
        zmq_close(caller->socket);
    }
    if (caller->monitor != NULL) {
        zmq_close(caller->monitor);
    }
    while (caller->context != NULL && zmq_ctx_term(caller->context) != 0 && zmq_errno() == EINTR) {
    }
    free(caller);
}

static void free_data(void *data, void *hint)
{
    (void)hint;
    free(data);
}

static void release(const struct wire_buffer *buffer)
{
    (buffer->release != NULL ? buffer->release : free_data)(buffer->data, buffer->hint);
}

/* Takes the buffer. */
static bool send_frame(struct wire_caller *caller, struct wire_buffer *buffer, int flags)
{
    zmq_msg_t frame;
    if (caller->gone || /* which may be told before the socket takes nothing more for it */
        zmq_msg_init_data(&frame, buffer->data, buffer->size, buffer->release != NULL ? buffer->release : free_data,
                          buffer->hint) != 0) {
        release(buffer);
        return false;
    }
    bool sent = zmq_msg_send(&frame, caller->socket, flags | ZMQ_DONTWAIT) >= 0;
    if (!sent) {
        zmq_msg_close(&frame);
    }
    return sent;
}

enum lh_status wire_caller_send(struct wire_caller *caller, struct wire_buffer *envelope, struct wire_buffer *payload,
                                struct lh_error *error)
{
    bool sent = send_frame(caller, envelope, payload != NULL ? ZMQ_SNDMORE : 0);
    if (payload != NULL && !sent) {
        release(payload);
    } else if (payload != NULL) {
        sent = send_frame(caller, payload, 0);
    }
    return sent ? LH_OK : lh_error_set(error, LH_ERR_UNAVAILABLE, "", "the other side is gone or takes nothing");
}

/* True: a message of one or two frames that is not a mere sign of life. */
static bool receive_now(struct wire_caller *caller, struct wire_answer *answer)
{
    while (zmq_msg_recv(&caller->frames[0], caller->socket, ZMQ_DONTWAIT) >= 0) {
        unsigned count = 1;
        bool more = zmq_msg_more(&caller->frames[0]) != 0;
        while (more && zmq_msg_recv(&caller->frames[1], caller->socket, 0) >= 0) {
            count++;
            more = zmq_msg_more(&caller->frames[1]) != 0;
        }
        caller->heard_ns = lh_clock_monotonic_ns();
        if (count == 2 || (count == 1 && wire_sign_of(&caller->frames[0]) == WIRE_SIGN_NONE)) {
            *answer = (struct wire_answer){.envelope = zmq_msg_data(&caller->frames[0]),
                                           .envelope_size = zmq_msg_size(&caller->frames[0])};
            if (count == 2) {
                answer->payload = zmq_msg_data(&caller->frames[1]);
                answer->payload_size = zmq_msg_size(&caller->frames[1]);
            }
            return true;
        }
    }
    return false;
}

/* Sleeps until something may have come, for at most `left` (-1: for ever) and never longer than until the other side is
   to be asked again whether it lives. *asked_ns is when it was asked last, 0: not yet. */
static enum lh_status sleep_and_ask(struct wire_caller *caller, long left, uint64_t *asked_ns, struct lh_error *error)
{
    uint64_t now = lh_clock_monotonic_ns();
    if (*asked_ns != 0 && now - *asked_ns > 2 * ASK_MS * MILLISECOND_NS) { /* stopped ourselves: the silence was ours */
        *asked_ns = 0;
    }
    if (*asked_ns != 0 && now - caller->heard_ns > DEAD_MS * MILLISECOND_NS) {
        return lh_error_set(error, LH_ERR_UNAVAILABLE, "", "the other side does not answer any more");
    }
    if (*asked_ns == 0) { /* what it did not say before nobody waited means nothing */
        caller->heard_ns = now;
        *asked_ns = now;
    } else if (now - *asked_ns >= ASK_MS * MILLISECOND_NS) {
        wire_sign_send(caller->socket, WIRE_SIGN_ASK);
        *asked_ns = now;
    }
    zmq_pollitem_t items[] = {{.socket = caller->socket, .events = ZMQ_POLLIN},
                              {.socket = caller->monitor, .events = ZMQ_POLLIN}};
    if (zmq_poll(items, 2, left < 0 || left > ASK_MS ? ASK_MS : left) < 0) {
        return lh_error_set(error, LH_ERR_CANCELLED, "", "interrupted");
    }
    return LH_OK;
}

enum lh_status wire_caller_receive(struct wire_caller *caller, int timeout_ms, struct wire_answer *answer,
                                   struct lh_error *error)
{
    uint64_t spin_end = caller->spin_ns > 0 ? lh_clock_monotonic_ns() + caller->spin_ns : 0;
    uint64_t deadline = deadline_of(timeout_ms);
    uint64_t asked_ns = 0;
    enum lh_status status = LH_OK;
    while (status == LH_OK) {
        bool gone = caller->gone;
        if (receive_now(caller, answer)) {
            return LH_OK;
        }
        if (gone) { /* and nothing is left that came before */
            return lh_error_set(error, LH_ERR_UNAVAILABLE, "", "the other side is gone");
        }
        int event = next_event(caller);
        if (event != 0) {
            caller->gone = event == ZMQ_EVENT_DISCONNECTED;
            continue;
        }
        if (spin_end > 0 && lh_clock_monotonic_ns() < spin_end) {
            continue;
        }
        spin_end = 0;
        long left = left_ms(deadline);
        status = left == 0 ? lh_error_set(error, LH_ERR_CANCELLED, "", "no answer in time")
                           : sleep_and_ask(caller, left, &asked_ns, error);
    }
    return status;
}
