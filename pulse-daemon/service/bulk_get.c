/* SPDX-License-Identifier: MIT */
/* Downloads, as Pulse sees them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "pulse-daemon/service/bulk_impl.h"

/* ---- Buffers --------------------------------------------------------------------------------------------------------
 */

/* NULL: none now; the mover is told when there is. */
static struct pulse_bulk_buffer *take_buffer(struct pulse_bulk *bulk)
{
    pthread_mutex_lock(&bulk->lock);
    struct pulse_bulk_buffer *buffer = bulk->buffers;
    bool may_make = buffer == NULL && bulk->buffers_made < bulk->options.buffers;
    if (buffer != NULL) {
        bulk->buffers = buffer->next;
    } else if (may_make) {
        bulk->buffers_made++;
    }
    bulk->starved = buffer == NULL && !may_make;
    pthread_mutex_unlock(&bulk->lock);
    if (may_make) {
        buffer = malloc(sizeof *buffer + bulk->options.chunk_size);
        if (buffer == NULL) {
            pthread_mutex_lock(&bulk->lock);
            bulk->buffers_made--;
            pthread_mutex_unlock(&bulk->lock);
        } else {
            buffer->bulk = bulk;
        }
    }
    return buffer;
}

/* A wire_buffer's release: on whichever thread. */
static void give_buffer(void *data, void *hint)
{
    struct pulse_bulk_buffer *buffer = hint;
    struct pulse_bulk *bulk = buffer->bulk;
    (void)data;
    pthread_mutex_lock(&bulk->lock);
    buffer->next = bulk->buffers;
    bulk->buffers = buffer;
    if (bulk->starved && !bulk->told) {
        bulk->told = pulse_mailbox_put(&bulk->mails, &bulk->room, true);
    }
    pthread_mutex_unlock(&bulk->lock);
}

void pulse_bulk_buffers_fini(struct pulse_bulk *bulk)
{
    while (bulk->buffers != NULL) {
        struct pulse_bulk_buffer *buffer = bulk->buffers;
        bulk->buffers = buffer->next;
        free(buffer);
    }
}

/* ---- Sending --------------------------------------------------------------------------------------------------------
 */

void pulse_bulk_get_open(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    transfer->error = LH_ERROR_INIT;
    enum lh_status status =
        lh_blobs_read(bulk->options.blobs, &transfer->digest, &transfer->fd, &transfer->blob, &transfer->error);
    transfer->error.code = status;
}

/* The blob is open. */
static void start(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    transfer->size = transfer->blob.size;
    if (transfer->offset > transfer->size) {
        pulse_bulk_fail(bulk, transfer, WIRE__ERROR_CODE__ERROR_LIMIT, "the blob is not as long as that");
        return;
    }
    transfer->end = transfer->end < transfer->size ? transfer->end : transfer->size;
    transfer->state = PULSE_BULK_SENDING;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__GetReady body = WIRE__GET_READY__INIT;
    body.transfer = transfer->name;
    body.size = transfer->size;
    body.chunk_size = bulk->options.chunk_size;
    envelope.has_correlation = true;
    envelope.correlation = transfer->question;
    WIRE_BODY(&envelope, GET_READY, get_ready, &body);
    if (!pulse_bulk_send(bulk, transfer->socket, transfer->peer, &envelope, NULL)) {
        pulse_bulk_transfer_leave(bulk, transfer); /* the peer waits in vain, and asks again */
    }
}

void pulse_bulk_get_back(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    enum lh_status status = transfer->error.code;
    if (transfer->gone) {
        pulse_bulk_transfer_end(bulk, transfer);
    } else if (status != LH_OK) {
        pulse_bulk_fail_status(bulk, transfer, &transfer->error);
    } else if (transfer->state == PULSE_BULK_ASKED) {
        transfer->state = PULSE_BULK_OPENING;
        (void)pulse_mailbox_put(&bulk->errands, &transfer->mail, true); /* closed: everything ends anyhow */
    } else if (transfer->state == PULSE_BULK_OPENING) {
        start(bulk, transfer);
    }
}

void pulse_bulk_get_credit(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__BulkCredit *credit)
{
    struct pulse_bulk_transfer *transfer = pulse_bulk_transfer_find(bulk, event->peer, credit->transfer);
    if (transfer != NULL && transfer->state == PULSE_BULK_SENDING) {
        /* However many it gives: no more than our own limit are under way. */
        uint32_t room = bulk->options.credits - transfer->credits;
        transfer->credits += credit->credits < room ? credit->credits : room;
    }
}

/* The next chunk of one transfer; false when there is no buffer or the link takes nothing. */
static bool send_chunk(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    struct pulse_bulk_buffer *buffer = take_buffer(bulk);
    if (buffer == NULL) {
        return false;
    }
    uint64_t left = transfer->end - transfer->offset;
    size_t size = left < bulk->options.chunk_size ? (size_t)left : bulk->options.chunk_size;
    int code = lh_file_read_at(transfer->fd, buffer->data, size, transfer->offset);
    if (code != 0) {
        give_buffer(buffer->data, buffer);
        pulse_bulk_fail(bulk, transfer, WIRE__ERROR_CODE__ERROR_INTERNAL, strerror(code));
        return true;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__GetChunk body = WIRE__GET_CHUNK__INIT;
    body.transfer = transfer->name;
    body.offset = transfer->offset;
    body.has_last = true;
    body.last = size == left;
    WIRE_BODY(&envelope, GET_CHUNK, get_chunk, &body);
    struct wire_buffer payload = {.data = buffer->data, .size = size, .release = give_buffer, .hint = buffer};
    if (size == 0) {
        give_buffer(buffer->data, buffer);
    }
    if (!pulse_bulk_send(bulk, transfer->socket, transfer->peer, &envelope, size > 0 ? &payload : NULL)) {
        bulk->choked = true;
        return false;
    }
    atomic_fetch_add(&bulk->sent_bytes, size);
    transfer->offset += size;
    transfer->credits--;
    if (body.last) {
        atomic_fetch_add(&bulk->gets, 1);
        pulse_bulk_transfer_end(bulk, transfer);
    }
    return true;
}

bool pulse_bulk_get_pump(struct pulse_bulk *bulk)
{
    bool sent = false;
    bulk->choked = false;
    for (uint32_t i = 0; i < bulk->options.transfers; i++) {
        uint32_t turn = (bulk->turn + i) % bulk->options.transfers;
        struct pulse_bulk_transfer *transfer = &bulk->transfers[turn];
        if (transfer->state == PULSE_BULK_SENDING && transfer->credits > 0) {
            if (!send_chunk(bulk, transfer)) {
                bulk->turn = turn; /* who went without is the first next time */
                return sent;
            }
            sent = true;
        }
    }
    return sent;
}
