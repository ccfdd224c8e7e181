/* SPDX-License-Identifier: MIT */
/* What a job is to do beside which revision it renders, as the store keeps it: a JSON object,
   {"only": [NAME, ...], "tags": [TAG, ...], "fresh": true, "files": [{"name": FILE, "key": "sha256:..."}, ...]}.
   `files` is there from its first plan on: what it will deliver. */
#ifndef PULSE_SERVICE_REQUEST_H
#define PULSE_SERVICE_REQUEST_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/digest/digest.h"

#define PULSE_REQUEST_TAGS_MAX 64

struct pulse_request_file {
    const char *name;
    struct lh_digest key; /* of the output */
};

struct pulse_request {
    const char *const *only; /* deliverables by name; none: all */
    size_t only_count;
    const char *const *tags; /* that a worker must have, ascending */
    size_t tag_count;
    bool fresh; /* shares nothing with other jobs */
    const struct pulse_request_file *files;
    size_t file_count;
};

LH_NODISCARD enum lh_status pulse_request_write(const struct pulse_request *request, struct lh_writer *writer);
/* Into the arena. LH_ERR_FORMAT: it is none of ours; LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_request_read(struct lh_arena *arena, const char *text, struct pulse_request *request,
                                               struct lh_error *error);
/* Both ask for the same, whatever was planned for them. */
bool pulse_request_same(const struct pulse_request *a, const struct pulse_request *b);

#endif
