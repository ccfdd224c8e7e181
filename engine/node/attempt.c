/* SPDX-License-Identifier: MIT */
/* The life of an attempt as a value. */
#include "engine/node/attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/utf8.h"

struct engine_attempt *engine_attempt_new(struct lh_arena *assigned, const Wire__Assign *assign, const char *trace)
{
    struct engine_attempt *attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL) {
        return NULL;
    }
    attempt->shard = assign->shard;
    attempt->tenant = assign->tenant;
    attempt->number = assign->attempt;
    attempt->received_ns = lh_clock_monotonic_ns();
    snprintf(attempt->trace, sizeof attempt->trace, "%s", trace != NULL ? trace : "");
    attempt->assigned = *assigned;
    attempt->assign = assign;
    attempt->outcome.report = "";
    lh_arena_init(&attempt->arena);
    lh_arena_init(assigned);
    return attempt;
}

void engine_attempt_free(struct engine_attempt *attempt, bool adopted)
{
    if (attempt == NULL) {
        return;
    }
    for (size_t i = 0; i < attempt->outcome.made_count; i++) {
        struct engine_crate *crate = &attempt->outcome.made[i].crate;
        if (adopted && crate->local) {
            engine_crate_leave(crate);
        } else {
            engine_crate_discard(crate);
        }
    }
    lh_arena_fini(&attempt->assigned);
    lh_arena_fini(&attempt->arena);
    free(attempt);
}

/* Texts that came from a child or a plugin's data, as a message may carry them: UTF-8 without control characters. */
static void clean(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t length = lh_utf8_length(text, left);
        if (length == 0 || (unsigned char)*text < ' ' || *text == 0x7F) {
            *text = '?';
            length = 1;
        }
        text += length;
        left -= length;
    }
}

void engine_attempt_fail(struct engine_attempt *attempt, Wire__Failed__Kind kind, const struct lh_error *error)
{
    struct engine_outcome *outcome = &attempt->outcome;
    if (outcome->error.code == LH_OK) {
        outcome->kind = kind;
        outcome->error = *error;
        clean(outcome->error.message);
        clean(outcome->error.where);
        outcome->error.code = error->code != LH_OK ? error->code : LH_ERR_INTERNAL;
    }
}
