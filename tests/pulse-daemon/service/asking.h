/* SPDX-License-Identifier: MIT */
/* A whole Pulse in this process, and a client of its socket. */
#ifndef TESTS_PULSE_DAEMON_SERVICE_ASKING_H
#define TESTS_PULSE_DAEMON_SERVICE_ASKING_H

#include "common/digest/digest.h"
#include "proto/envelope.h"
#include "proto/link/caller.h"
#include "tests/support/testing.h"

#define ASKING_PATIENCE_MS 20000
#define ASKING_FOR_EVER UINT32_MAX

extern char asking_folder[200], asking_token[100];
extern struct lh_arena asking_arena;
extern struct lh_error asking_error;

/* On this store; NULL: a file in the folder. */
void asking_start(const char *store);
void asking_stop(void); /* may be called twice */
void asking_clean(void);

/* -> the question's number. */
uint64_t asking_send(Wire__Envelope *envelope, uint32_t remaining_ms, const char *trace);
/* Whatever answer comes next, in the arena. */
const Wire__Envelope *asking_hear_any(void);
/* The answer to that question. */
const Wire__Envelope *asking_hear(uint64_t question);
/* Both, without a limit in time. */
const Wire__Envelope *asking_ask(Wire__Envelope *envelope);
/* Another connection, to be freed before asking_stop(); asking by it, and whatever comes there next. */
struct wire_caller *asking_connect(void);
uint64_t asking_send_by(struct wire_caller *by, const char *token, Wire__Envelope *envelope);
const Wire__Envelope *asking_hear_by(struct wire_caller *by);
/* Has to be an Error: -> it. */
const Wire__Error *asking_refused(const Wire__Envelope *answer);

/* Hands over a file of that text. */
struct lh_digest asking_upload(const char *text);
/* ProjectCreate, without files. */
const Wire__Envelope *asking_create(const char *document);

#endif
