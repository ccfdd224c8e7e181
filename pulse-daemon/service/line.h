/* SPDX-License-Identifier: MIT */
/* One peer of a link, to speak to. Envelopes are numbered, packed and queued; a peer that is gone does not hear. */
#ifndef PULSE_SERVICE_LINE_H
#define PULSE_SERVICE_LINE_H

#include "proto/envelope.h"
#include "proto/link/link.h"

struct pulse_line {
    struct wire_link *link;
    uint32_t socket;
    uint64_t peer;
    uint64_t *last_id; /* of what it was sent */
};

/* Sets id and versions. What cannot be said is logged (LH_ERR_LIMIT, LH_ERR_NO_MEMORY): most callers have nothing to
   add to that. */
enum lh_status pulse_line_say(const struct pulse_line *line, Wire__Envelope *envelope);
/* The same as an answer to the question with that id. */
enum lh_status pulse_line_answer(const struct pulse_line *line, uint64_t question, Wire__Envelope *envelope);
/* An Error in the place of an answer (question 0: unasked). `retry_ms` 0: it says nothing of when. */
void pulse_line_refuse(const struct pulse_line *line, uint64_t question, Wire__ErrorCode code, const char *message,
                       const char *where, uint32_t retry_ms);
/* The same of a status. */
void pulse_line_fail(const struct pulse_line *line, uint64_t question, const struct lh_error *error);

#endif
