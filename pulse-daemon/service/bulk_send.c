/* SPDX-License-Identifier: MIT */
/* What Pulse says in the bulk conversation. */
#include <stdio.h>
#include <stdlib.h>

#include "pulse-daemon/service/bulk_impl.h"

#define RETRY_MS 500

bool pulse_bulk_send(struct pulse_bulk *bulk, uint32_t socket, uint64_t peer, Wire__Envelope *envelope,
                     struct wire_buffer *payload)
{
    struct wire_buffer packed = {0};
    uint8_t *data = NULL;
    envelope->id = ++bulk->sent;
    if (wire_envelope_pack(envelope, &data, &packed.size, NULL) != LH_OK) {
        if (payload != NULL) {
            payload->release(payload->data, payload->hint);
        }
        return false;
    }
    packed.data = data;
    return wire_link_send(bulk->link, socket, peer, &packed, payload) == LH_OK;
}

void pulse_bulk_send_error(struct pulse_bulk *bulk, uint32_t socket, uint64_t peer, uint64_t correlation,
                           Wire__ErrorCode code, const char *message)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Error body = WIRE__ERROR__INIT;
    body.code = code;
    body.message = wire_text(message);
    if (code == WIRE__ERROR_CODE__ERROR_BUSY || code == WIRE__ERROR_CODE__ERROR_UNAVAILABLE) {
        body.has_retry_after_ms = true;
        body.retry_after_ms = RETRY_MS;
    }
    envelope.has_correlation = correlation != 0;
    envelope.correlation = correlation;
    WIRE_BODY(&envelope, ERROR, error, &body);
    /* When even that cannot be said, the peer finds out by waiting. */
    (void)pulse_bulk_send(bulk, socket, peer, &envelope, NULL);
}

/* It lets go of what it has before the peer hears of it. */
void pulse_bulk_fail(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer, Wire__ErrorCode code,
                     const char *message)
{
    const struct pulse_bulk_transfer ended = *transfer;
    char copy[LH_ERROR_MESSAGE_SIZE]; /* it may be the transfer's own */
    snprintf(copy, sizeof copy, "%s", message);
    pulse_bulk_transfer_end(bulk, transfer);
    if (!ended.gone) {
        pulse_bulk_send_error(bulk, ended.socket, ended.peer, ended.question, code, copy);
        atomic_fetch_add(&bulk->failed, 1);
    }
}

void pulse_bulk_fail_status(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer, const struct lh_error *error)
{
    Wire__ErrorCode code = wire_error_code(error->code);
    if (error->code == LH_ERR_FORMAT) {
        code = WIRE__ERROR_CODE__ERROR_DIGEST;
    } else if (error->code == LH_ERR_LIMIT) {
        code = WIRE__ERROR_CODE__ERROR_QUOTA;
    } else if (error->code == LH_ERR_USAGE) {
        code = WIRE__ERROR_CODE__ERROR_UNAUTHENTICATED;
    }
    pulse_bulk_fail(bulk, transfer, code, error->message);
}
