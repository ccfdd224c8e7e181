/* SPDX-License-Identifier: MIT */
/* Saying things. */
#include "pulse-daemon/service/line.h"

#include "common/base/log.h"
#include "pulse-daemon/service/decider.h"

enum lh_status pulse_line_say(const struct pulse_line *line, Wire__Envelope *envelope)
{
    uint8_t *data;
    size_t size;
    struct lh_error error = LH_ERROR_INIT;
    envelope->id = ++*line->last_id;
    enum lh_status status = wire_envelope_pack(envelope, &data, &size, &error);
    if (status == LH_OK) {
        struct wire_buffer buffer = {.data = data, .size = size};
        status = wire_link_send(line->link, line->socket, line->peer, &buffer, NULL);
    }
    if (status != LH_OK) {
        LH_LOG(LH_LOG_WARNING, "not said", LH_LOG_TEXT("what", wire_body_name(envelope->body_case)),
               LH_LOG_TEXT("code", lh_status_text(status)), LH_LOG_TEXT("where", error.where),
               LH_LOG_TEXT("why", error.message));
    }
    return status;
}

enum lh_status pulse_line_answer(const struct pulse_line *line, uint64_t question, Wire__Envelope *envelope)
{
    envelope->has_correlation = question != 0;
    envelope->correlation = question;
    return pulse_line_say(line, envelope);
}

static void refuse(const struct pulse_line *line, uint64_t question, Wire__Error *error, uint32_t retry_ms)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    error->has_retry_after_ms = retry_ms > 0;
    error->retry_after_ms = retry_ms;
    WIRE_BODY(&envelope, ERROR, error, error);
    pulse_line_answer(line, question, &envelope);
}

void pulse_line_refuse(const struct pulse_line *line, uint64_t question, Wire__ErrorCode code, const char *message,
                       const char *where, uint32_t retry_ms)
{
    Wire__Error error = WIRE__ERROR__INIT;
    error.code = code;
    error.message = wire_text(message);
    error.where = where != NULL && where[0] != '\0' ? wire_text(where) : NULL;
    refuse(line, question, &error, retry_ms);
}

void pulse_line_fail(const struct pulse_line *line, uint64_t question, const struct lh_error *error)
{
    Wire__Error message;
    wire_error_make(error, &message);
    if (error->message[0] == '\0') {
        message.message = wire_text(lh_status_text(error->code));
    }
    refuse(line, question, &message,
           error->code == LH_ERR_UNAVAILABLE || error->code == LH_ERR_NO_MEMORY ? PULSE_RETRY_MS : 0);
}
