/* SPDX-License-Identifier: MIT */
/* What a peer begins: it gets a place in the table, and the service is asked. */
#include <string.h>

#include "pulse-daemon/service/bulk_impl.h"

#define TRANSFERS_OF_PEER 64 /* that one connection may have at once */

static const char *token_of(const Wire__Envelope *envelope)
{
    return envelope->token != NULL ? envelope->token : "";
}

/* A place in the table for what the peer begins, or the reason why not, which it is told. */
static struct pulse_bulk_transfer *begin(struct pulse_bulk *bulk, const struct wire_event *event, uint64_t name,
                                         uint64_t question)
{
    Wire__ErrorCode code = WIRE__ERROR_CODE__ERROR_BUSY;
    const char *why = "too many transfers are under way; try again later";
    struct pulse_bulk_transfer *transfer = NULL;
    if (pulse_bulk_transfer_find(bulk, event->peer, name) != NULL) {
        code = WIRE__ERROR_CODE__ERROR_CONFLICT;
        why = "a transfer of that name is under way";
    } else if (pulse_bulk_transfers_of(bulk, event->peer) < TRANSFERS_OF_PEER) {
        transfer = pulse_bulk_transfer_new(bulk, event, name, question);
    }
    if (transfer == NULL) {
        pulse_bulk_send_error(bulk, event->socket, event->peer, question, code, why);
    }
    return transfer;
}

void pulse_bulk_put_begin(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__Envelope *envelope)
{
    const Wire__PutBegin *body = envelope->put_begin;
    if (body->size > INT64_MAX) {
        pulse_bulk_send_error(bulk, event->socket, event->peer, envelope->id, WIRE__ERROR_CODE__ERROR_LIMIT,
                              "no blob is as large as that");
        return;
    }
    struct pulse_bulk_transfer *transfer = begin(bulk, event, body->transfer, envelope->id);
    if (transfer == NULL) {
        return;
    }
    transfer->is_put = true;
    transfer->shard = body->has_shard ? body->shard : 0;
    transfer->attempt = body->has_attempt ? body->attempt : 0;
    memcpy(transfer->digest.bytes, body->digest.data, LH_DIGEST_SIZE);
    transfer->size = body->size;
    pulse_bulk_ask(bulk, transfer, PULSE_BULK_MAY_PUT, token_of(envelope));
}

void pulse_bulk_get_begin(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__Envelope *envelope)
{
    const Wire__GetBegin *body = envelope->get_begin;
    struct pulse_bulk_transfer *transfer = begin(bulk, event, body->transfer, envelope->id);
    if (transfer == NULL) {
        return;
    }
    transfer->shard = body->has_shard ? body->shard : 0;
    transfer->attempt = body->has_attempt ? body->attempt : 0;
    memcpy(transfer->digest.bytes, body->digest.data, LH_DIGEST_SIZE);
    transfer->offset = body->offset;
    uint64_t length = body->has_length ? body->length : UINT64_MAX;
    transfer->end = length > UINT64_MAX - body->offset ? UINT64_MAX : body->offset + length;
    transfer->credits = body->credits < bulk->options.credits ? body->credits : bulk->options.credits;
    pulse_bulk_ask(bulk, transfer, PULSE_BULK_MAY_GET, token_of(envelope));
}
