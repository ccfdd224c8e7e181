/* SPDX-License-Identifier: MIT */
/* A client's connection to Pulse: asks, answers, events. It is made again when it breaks, and questions are asked again
   until their time is over: each may be asked twice without doing anything twice. One thread. */
#ifndef CLI_FARM_H
#define CLI_FARM_H

#include "cli/home.h"
#include "proto/envelope.h"
#include "proto/link/caller.h"

struct cli_farm;

#define CLI_ROWS_FARM                                                                                                  \
    CLI_ROW_DATA,                                                                                                      \
        {.name = "server",                                                                                             \
         .type = LH_OPTION_TEXT,                                                                                       \
         .placeholder = "ENDPOINT",                                                                                    \
         .variable = "LOOPHOLE_SERVER",                                                                                \
         .help = "A farm on another machine: tcp://HOST:PORT. Standard: the one in the data folder"},                  \
        {.name = "token",                                                                                              \
         .type = LH_OPTION_TEXT,                                                                                       \
         .placeholder = "TOKEN",                                                                                       \
         .variable = "LOOPHOLE_TOKEN",                                                                                 \
         .help = "Who asks. Standard: the token in the data folder"},                                                  \
    {                                                                                                                  \
        .name = "keys", .type = LH_OPTION_TEXT, .placeholder = "FILE", .variable = "LOOPHOLE_KEYS",                    \
        .help = "This machine's keys for --server, as 'loophole enroll' wrote them; FILE.server is the farm's"         \
    }

#define CLI_FARM_SERVER_SUFFIX ".server" /* behind the name of a key file: the farm's public key */

struct cli_farm_place {
    const char *endpoint;
    const char *token;
    const char *keys; /* tcp: file of our pair, beside which the farm's key lies; else NULL */
    bool silent;      /* nothing is said of a farm that is gone while it is waited for */
};

/* What the rows say; texts in the arena. LH_ERR_USAGE, LH_ERR_UNAVAILABLE (no farm was ever started here). */
LH_NODISCARD enum lh_status cli_farm_find(struct lh_arena *arena, const struct lh_options *options,
                                          struct cli_farm_place *place, struct lh_error *error);

/* Does not connect yet. */
LH_NODISCARD enum lh_status cli_farm_open(const struct cli_farm_place *place, struct cli_farm **farm,
                                          struct lh_error *error);
void cli_farm_close(struct cli_farm *farm); /* accepts NULL */

/* How a connection to another of its endpoints is made, with the same keys. The texts are the farm's. */
void cli_farm_bulk_options(const struct cli_farm *farm, const char *endpoint, struct wire_caller_options *options);

/* Its public key; "": it is on this machine, and none is needed. */
const char *cli_farm_server_key(const struct cli_farm *farm);

/* Asks within `timeout_ms`; `question` is an envelope of which only the body is looked at. `expected` is the body that
   answers; *answer lives in the arena. LH_ERR_UNAVAILABLE: nobody answered, or the farm is gone for a minute;
   LH_ERR_CANCELLED: a signal came; what the farm answered instead, by its code. Events that come meanwhile are lost. */
LH_NODISCARD enum lh_status cli_farm_ask(struct cli_farm *farm, struct lh_arena *arena, const Wire__Envelope *question,
                                         Wire__Envelope__BodyCase expected, uint32_t timeout_ms,
                                         const Wire__Envelope **answer, struct lh_error *error);
/* The next event or progress of what is watched; *event is NULL when none came within `timeout_ms`.
   LH_ERR_UNAVAILABLE: the connection broke: watch again. */
LH_NODISCARD enum lh_status cli_farm_next(struct cli_farm *farm, struct lh_arena *arena, uint32_t timeout_ms,
                                          const Wire__Envelope **event, struct lh_error *error);
/* The faults that the last answer told in the place of what was asked for: of a document that breaks the format. */
const Wire__Error *cli_farm_refusal(const struct cli_farm *farm);

#endif
