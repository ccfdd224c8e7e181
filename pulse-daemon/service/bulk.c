/* SPDX-License-Identifier: MIT */
/* The bulk conversation's threads. */
#include "pulse-daemon/service/bulk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "pulse-daemon/service/bulk_impl.h"

#define TRANSFERS 256
#define BUFFERS 64
#define RESUMABLE_MS (10 * 60 * 1000)
#define CHUNK_MIN 1024
#define EVENTS_AT_ONCE 64 /* looked at before the next chunks are sent */
#define CHOKED_MS 5       /* until the link is tried again */
#define LINGER_MS 200

static void speak(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__Envelope *envelope)
{
    switch ((int)envelope->body_case) {
    case WIRE__ENVELOPE__BODY_PUT_BEGIN:
        pulse_bulk_put_begin(bulk, event, envelope);
        return;
    case WIRE__ENVELOPE__BODY_PUT_CHUNK:
        pulse_bulk_put_chunk(bulk, event, envelope->put_chunk);
        return;
    case WIRE__ENVELOPE__BODY_PUT_END:
        pulse_bulk_put_end(bulk, event, envelope);
        return;
    case WIRE__ENVELOPE__BODY_GET_BEGIN:
        pulse_bulk_get_begin(bulk, event, envelope);
        return;
    case WIRE__ENVELOPE__BODY_BULK_CREDIT:
        pulse_bulk_get_credit(bulk, event, envelope->bulk_credit);
        return;
    case WIRE__ENVELOPE__BODY_BULK_ABORT: {
        struct pulse_bulk_transfer *transfer =
            pulse_bulk_transfer_find(bulk, event->peer, envelope->bulk_abort->transfer);
        if (transfer != NULL) {
            pulse_bulk_transfer_leave(bulk, transfer);
        }
        return;
    }
    default:
        pulse_bulk_send_error(bulk, event->socket, event->peer, envelope->id, WIRE__ERROR_CODE__ERROR_UNSUPPORTED,
                              "only blobs are talked about here");
    }
}

static void hear(struct pulse_bulk *bulk, const struct wire_event *event)
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    const Wire__Envelope *envelope = NULL;
    lh_arena_init(&arena);
    enum lh_status status = wire_envelope_unpack(event->envelope, event->envelope_size, &arena, &envelope, &error);
    if (status == LH_OK && wire_version_common(envelope->version_min, envelope->version_max) == 0) {
        pulse_bulk_send_error(bulk, event->socket, event->peer, envelope->id, WIRE__ERROR_CODE__ERROR_VERSION,
                              "no version of the conversation in common");
    } else if (status == LH_OK) {
        speak(bulk, event, envelope);
    } else {
        uint64_t id = wire_envelope_id(event->envelope, event->envelope_size);
        atomic_fetch_add(&bulk->malformed, 1);
        pulse_bulk_send_error(bulk, event->socket, event->peer, id, wire_error_code(status), error.message);
    }
    lh_arena_fini(&arena);
}

static void handle(struct pulse_bulk *bulk, const struct wire_event *event)
{
    if (event->kind == WIRE_MESSAGE) {
        hear(bulk, event);
    } else if (event->kind == WIRE_GONE) {
        for (uint32_t i = 0; i < bulk->options.transfers; i++) {
            struct pulse_bulk_transfer *transfer = &bulk->transfers[i];
            if (transfer->state != PULSE_BULK_FREE && transfer->peer == event->peer && !transfer->gone) {
                pulse_bulk_transfer_leave(bulk, transfer);
            }
        }
    }
}

/* What others have done with a transfer, or room for a chunk. */
static bool open_mail(struct pulse_bulk *bulk)
{
    bool any = false;
    struct pulse_mail *mail;
    while ((mail = pulse_mailbox_take(&bulk->mails)) != NULL) {
        any = true;
        if (mail == &bulk->room) {
            pthread_mutex_lock(&bulk->lock);
            bulk->told = false;
            pthread_mutex_unlock(&bulk->lock);
            continue; /* the pump looks anyhow */
        }
        struct pulse_bulk_transfer *transfer = (struct pulse_bulk_transfer *)mail;
        if (transfer->is_put) {
            pulse_bulk_put_back(bulk, transfer);
        } else {
            pulse_bulk_get_back(bulk, transfer);
        }
    }
    return any;
}

static void *move(void *context)
{
    struct pulse_bulk *bulk = context;
    int fd = wire_link_fd(bulk->link);
    while (!pulse_mailbox_closed(&bulk->mails)) {
        bool busy = open_mail(bulk);
        struct wire_event *event = NULL;
        for (unsigned i = 0; i < EVENTS_AT_ONCE && (event = wire_link_next(bulk->link)) != NULL; i++) {
            handle(bulk, event);
            wire_event_free(event);
            busy = true;
        }
        busy = pulse_bulk_get_pump(bulk) || busy;
        int wait = pulse_bulk_transfers_expire(bulk);
        if (!busy) {
            pulse_mailbox_wait(&bulk->mails, fd, bulk->choked ? CHOKED_MS : wait);
        }
    }
    return NULL;
}

static void *run_errands(void *context)
{
    struct pulse_bulk *bulk = context;
    while (!pulse_mailbox_closed(&bulk->errands)) {
        struct pulse_bulk_transfer *transfer = (struct pulse_bulk_transfer *)pulse_mailbox_take(&bulk->errands);
        if (transfer == NULL) {
            pulse_mailbox_wait(&bulk->errands, -1, -1);
            continue;
        }
        if (transfer->is_put) {
            pulse_bulk_put_finish(transfer);
        } else {
            pulse_bulk_get_open(bulk, transfer);
        }
        (void)pulse_mailbox_put(&bulk->mails, &transfer->mail, true); /* closed: everything ends anyhow */
    }
    return NULL;
}

/* ---- Life -----------------------------------------------------------------------------------------------------------
 */

static void set_standards(struct pulse_bulk_options *options)
{
    options->chunk_size = options->chunk_size != 0 ? options->chunk_size : WIRE_CHUNK_SIZE;
    options->transfers = options->transfers != 0 ? options->transfers : TRANSFERS;
    options->credits = options->credits != 0 ? options->credits : WIRE_BULK_CREDITS;
    options->buffers = options->buffers != 0 ? options->buffers : BUFFERS;
    options->resumable_ms = options->resumable_ms != 0 ? options->resumable_ms : RESUMABLE_MS;
}

static enum lh_status start_threads(struct pulse_bulk *bulk, struct lh_error *error)
{
    bulk->slow_runs = pthread_create(&bulk->slow, NULL, run_errands, bulk) == 0;
    bulk->mover_runs = bulk->slow_runs && pthread_create(&bulk->mover, NULL, move, bulk) == 0;
    return bulk->mover_runs ? LH_OK : lh_error_no_memory(error);
}

enum lh_status pulse_bulk_new(const struct pulse_bulk_options *options, struct pulse_bulk **bulk,
                              struct lh_error *error)
{
    struct pulse_bulk *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->options = *options;
    set_standards(&made->options);
    assert(made->options.chunk_size >= CHUNK_MIN && made->options.chunk_size <= WIRE_CHUNK_SIZE);
    pthread_mutex_init(&made->lock, NULL);
    enum lh_status status = pulse_mailbox_init(&made->mails, SIZE_MAX, error);
    if (status != LH_OK) {
        goto no_mails;
    }
    status = pulse_mailbox_init(&made->errands, SIZE_MAX, error);
    if (status != LH_OK) {
        goto no_errands;
    }
    made->transfers = calloc(made->options.transfers, sizeof *made->transfers);
    made->asked = calloc(made->options.transfers, sizeof *made->asked);
    if (made->transfers == NULL || made->asked == NULL) {
        status = lh_error_no_memory(error);
        goto no_transfers;
    }
    status = wire_link_new(&(struct wire_link_options){0}, &made->link, error);
    status = status == LH_OK ? start_threads(made, error) : status;
    if (status != LH_OK) {
        pulse_bulk_free(made);
        return status;
    }
    *bulk = made;
    return LH_OK;
no_transfers:
    free(made->asked);
    free(made->transfers);
    pulse_mailbox_fini(&made->errands);
no_errands:
    pulse_mailbox_fini(&made->mails);
no_mails:
    pthread_mutex_destroy(&made->lock);
    free(made);
    return status;
}

struct wire_link *pulse_bulk_link(struct pulse_bulk *bulk)
{
    return bulk->link;
}

static void stop(pthread_t thread, bool runs, struct pulse_mailbox *box)
{
    pulse_mailbox_close(box);
    if (runs) {
        pthread_join(thread, NULL);
    }
}

void pulse_bulk_free(struct pulse_bulk *bulk)
{
    if (bulk == NULL) {
        return;
    }
    stop(bulk->mover, bulk->mover_runs, &bulk->mails);
    stop(bulk->slow, bulk->slow_runs, &bulk->errands);
    if (bulk->link != NULL) {
        wire_link_free(bulk->link, LINGER_MS);
    }
    while (pulse_mailbox_take(&bulk->mails) != NULL || pulse_mailbox_take(&bulk->errands) != NULL) {
    }
    for (uint32_t i = 0; i < bulk->options.transfers; i++) {
        if (bulk->transfers[i].state != PULSE_BULK_FREE) {
            pulse_bulk_transfer_end(bulk, &bulk->transfers[i]);
        }
    }
    pulse_bulk_buffers_fini(bulk);
    pulse_mailbox_fini(&bulk->errands);
    pulse_mailbox_fini(&bulk->mails);
    pthread_mutex_destroy(&bulk->lock);
    free(bulk->asked);
    free(bulk->transfers);
    free(bulk);
}

void pulse_bulk_figures(struct pulse_bulk *bulk, struct pulse_bulk_figures *figures)
{
    struct wire_counters counters;
    wire_link_counters(bulk->link, &counters);
    *figures = (struct pulse_bulk_figures){.puts = atomic_load(&bulk->puts),
                                           .gets = atomic_load(&bulk->gets),
                                           .failed = atomic_load(&bulk->failed),
                                           .bytes_received = atomic_load(&bulk->received),
                                           .bytes_sent = atomic_load(&bulk->sent_bytes),
                                           .malformed = atomic_load(&bulk->malformed) + counters.malformed,
                                           .shut_out = counters.refused,
                                           .active = atomic_load(&bulk->active),
                                           .parked = atomic_load(&bulk->parked)};
}
