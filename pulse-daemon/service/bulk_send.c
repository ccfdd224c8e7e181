/* SPDX-License-Identifier: MIT */
/* What Pulse says in the bulk conversation. */
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

void pulse_bulk_fail(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer, Wire__ErrorCode code,
                     const char *message)
{
    if (!transfer->gone) {
        pulse_bulk_send_error(bulk, transfer->socket, transfer->peer, transfer->question, code, message);
        atomic_fetch_add(&bulk->failed, 1);
    }
    pulse_bulk_transfer_end(bulk, transfer);
}

void pulse_bulk_fail_status(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer, const struct lh_error *error)
{
    Wire__ErrorCode code = wire_error_code(error->code);
    if (error->code == LH_ERR_FORMAT) {
        code = WIRE__ERROR_CODE__ERROR_DIGEST;
    } else if (error->code == LH_ERR_LIMIT) {
        code = WIRE__ERROR_CODE__ERROR_QUOTA;
    }
    struct lh_error told = *error; /* the transfer's own goes with it */
    pulse_bulk_fail(bulk, transfer, code, told.message);
}
