/* SPDX-License-Identifier: MIT */
/* Uploads, as Pulse sees them. */
#include "pulse-daemon/service/bulk_impl.h"

static void say_stored(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    const struct pulse_bulk_transfer ended = *transfer;
    atomic_fetch_add(&bulk->puts, 1);
    pulse_bulk_transfer_end(bulk, transfer);
    if (ended.gone) {
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Stored body = WIRE__STORED__INIT;
    body.has_transfer = true;
    body.transfer = ended.name;
    body.digest = wire_bytes(ended.digest.bytes, LH_DIGEST_SIZE);
    body.size = ended.size;
    envelope.has_correlation = true;
    envelope.correlation = ended.question;
    WIRE_BODY(&envelope, STORED, stored, &body);
    /* Unsaid it is found out by the next attempt, which finds the blob there. */
    (void)pulse_bulk_send(bulk, ended.socket, ended.peer, &envelope, NULL);
}

/* The service lets it in: from its beginning, or from where an earlier connection stopped. */
static void start(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    struct lh_error error = LH_ERROR_INIT;
    transfer->owner = transfer->answer.owner;
    transfer->kind = transfer->answer.kind;
    if (!pulse_bulk_transfer_resume(bulk, transfer)) {
        enum lh_status status = lh_blobs_put_begin(bulk->options.blobs, &transfer->digest, transfer->size,
                                                   transfer->kind, &transfer->put, &error);
        if (status != LH_OK) {
            error.code = status;
            pulse_bulk_fail_status(bulk, transfer, &error);
            return;
        }
    }
    transfer->state = PULSE_BULK_RECEIVING;
    transfer->credits = bulk->options.credits;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__PutReady body = WIRE__PUT_READY__INIT;
    body.transfer = transfer->name;
    body.offset = lh_blobs_put_size(transfer->put);
    body.credits = transfer->credits;
    body.chunk_size = bulk->options.chunk_size;
    envelope.has_correlation = true;
    envelope.correlation = transfer->question;
    WIRE_BODY(&envelope, PUT_READY, put_ready, &body);
    if (!pulse_bulk_send(bulk, transfer->socket, transfer->peer, &envelope, NULL)) {
        pulse_bulk_transfer_leave(bulk, transfer); /* it begins again, and goes on from here */
    }
}

/* Why this chunk cannot be the next; NULL: it is. */
static const char *refuse_chunk(const struct pulse_bulk *bulk, const struct pulse_bulk_transfer *transfer,
                                const struct wire_event *event, uint64_t offset)
{
    uint64_t have = lh_blobs_put_size(transfer->put);
    uint64_t left = transfer->size - have;
    uint64_t next = left < bulk->options.chunk_size ? left : bulk->options.chunk_size;
    if (transfer->credits == 0) {
        return "a chunk came without a credit";
    }
    if (offset < have) {
        return "a chunk came twice";
    }
    return event->payload_size != next || next == 0 ? "a chunk does not have its size" : NULL;
}

static void give_credits(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    if (transfer->owed < (bulk->options.credits + 1) / 2) {
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__BulkCredit body = WIRE__BULK_CREDIT__INIT;
    body.transfer = transfer->name;
    body.credits = transfer->owed;
    WIRE_BODY(&envelope, BULK_CREDIT, bulk_credit, &body);
    if (pulse_bulk_send(bulk, transfer->socket, transfer->peer, &envelope, NULL)) {
        transfer->credits += transfer->owed;
        transfer->owed = 0;
    } /* else with the next chunk; without one under way the peer loses patience and begins again */
}

/* The link loses nothing: a chunk that is missing was dropped here, for want of memory. The peer begins again and goes
   on from where this stopped. */
static void lose(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    pulse_bulk_send_error(bulk, transfer->socket, transfer->peer, transfer->question, WIRE__ERROR_CODE__ERROR_BUSY,
                          "there was no memory for a chunk; try again later");
    pulse_bulk_transfer_leave(bulk, transfer);
}

void pulse_bulk_put_chunk(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__PutChunk *chunk)
{
    struct pulse_bulk_transfer *transfer = pulse_bulk_transfer_find(bulk, event->peer, chunk->transfer);
    if (transfer == NULL || transfer->state != PULSE_BULK_RECEIVING) {
        return; /* sent before the peer could know that its transfer had ended */
    }
    if (chunk->offset > lh_blobs_put_size(transfer->put)) {
        lose(bulk, transfer);
        return;
    }
    const char *why = refuse_chunk(bulk, transfer, event, chunk->offset);
    if (why != NULL) {
        pulse_bulk_fail(bulk, transfer, WIRE__ERROR_CODE__ERROR_MALFORMED, why);
        return;
    }
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = lh_blobs_put_write(transfer->put, event->payload, event->payload_size, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_bulk_fail_status(bulk, transfer, &error);
        return;
    }
    atomic_fetch_add(&bulk->received, event->payload_size);
    transfer->credits--;
    transfer->owed++;
    give_credits(bulk, transfer);
}

void pulse_bulk_put_end(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__Envelope *envelope)
{
    struct pulse_bulk_transfer *transfer = pulse_bulk_transfer_find(bulk, event->peer, envelope->put_end->transfer);
    if (transfer == NULL || transfer->state != PULSE_BULK_RECEIVING) {
        pulse_bulk_send_error(bulk, event->socket, event->peer, envelope->id, WIRE__ERROR_CODE__ERROR_NOT_FOUND,
                              "no such upload is under way");
        return;
    }
    transfer->question = envelope->id;
    if (lh_blobs_put_size(transfer->put) < transfer->size) {
        lose(bulk, transfer);
        return;
    }
    transfer->state = PULSE_BULK_FINISHING;
    (void)pulse_mailbox_put(&bulk->errands, &transfer->mail, true); /* closed: everything ends anyhow */
}

void pulse_bulk_put_finish(struct pulse_bulk_transfer *transfer)
{
    transfer->error = LH_ERROR_INIT;
    enum lh_status status = lh_blobs_put_finish(transfer->put, &transfer->blob, &transfer->error);
    transfer->error.code = status;
    transfer->held = status == LH_OK;
}

void pulse_bulk_put_back(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    enum lh_status status = transfer->error.code;
    switch (transfer->state) {
    case PULSE_BULK_ASKED:
        if (transfer->gone) {
            pulse_bulk_transfer_end(bulk, transfer);
        } else if (status != LH_OK) {
            pulse_bulk_fail_status(bulk, transfer, &transfer->error);
        } else if (transfer->answer.present) {
            say_stored(bulk, transfer);
        } else {
            start(bulk, transfer);
        }
        return;
    case PULSE_BULK_FINISHING:
        if (status != LH_OK) {
            pulse_bulk_fail_status(bulk, transfer, &transfer->error);
            return;
        }
        /* Also when the peer is gone: it will begin again and need not bring it twice. */
        transfer->state = PULSE_BULK_COMMITTING;
        pulse_bulk_ask(bulk, transfer, PULSE_BULK_PUT_DONE, "");
        return;
    case PULSE_BULK_COMMITTING:
        if (status != LH_OK) {
            pulse_bulk_fail_status(bulk, transfer, &transfer->error);
        } else {
            say_stored(bulk, transfer);
        }
        return;
    case PULSE_BULK_FREE:
    case PULSE_BULK_RECEIVING:
    case PULSE_BULK_PARKED:
    case PULSE_BULK_OPENING:
    case PULSE_BULK_SENDING:
        return;
    }
}
