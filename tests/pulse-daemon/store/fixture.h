/* SPDX-License-Identifier: MIT */
/* A store of its own for each test: a file in a new folder, or a schema of its own in the server that
   LOOPHOLE_TEST_POSTGRES names (tests/support/postgres.py). */
#ifndef TESTS_PULSE_DAEMON_STORE_FIXTURE_H
#define TESTS_PULSE_DAEMON_STORE_FIXTURE_H

#include "pulse-daemon/store/store.h"
#include "tests/support/testing.h"

#define NOW INT64_C(1700000000000)

/* For tcase_add_checked_fixture(): an empty place; migrated and led, with two tenants, 1 and 2. */
void fixture_set_up_empty(void);
void fixture_set_up(void);
void fixture_tear_down(void);

extern struct pulse_store *fixture_store; /* leads; NULL after fixture_set_up_empty() */
extern struct lh_error fixture_error;

bool fixture_is_postgres(void);
const char *fixture_url(void);
const char *fixture_path(void); /* of the file, SQLite */
struct pulse_store *fixture_open(enum pulse_store_access access);
/* SQL past the store, rules included: what nobody should be able to write. */
void fixture_execute(const char *sql);
/* "stop immediate", "start", "restart fast": of the server. */
void fixture_control(const char *command);

/* A call that has to succeed. */
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        enum lh_status status_ = (call);                                                                               \
        ck_assert_msg(status_ == LH_OK, "%s: %s %s %s", #call, lh_status_text(status_), fixture_error.message,         \
                      fixture_error.where);                                                                            \
    } while (0)
#define FAILS(call, expected)                                                                                          \
    do {                                                                                                               \
        enum lh_status status_ = (call);                                                                               \
        ck_assert_msg(status_ == (expected), "%s: %s (%s)", #call, lh_status_text(status_), fixture_error.message);    \
    } while (0)

/* The i-th key or digest of a kind. */
struct lh_digest fixture_digest(const char *kind, uint64_t i);
void fixture_needs(struct pulse_change *change);
struct pulse_change fixture_shard(uint64_t tenant, uint64_t id, enum pulse_shard_state state);
struct pulse_change fixture_spec(uint64_t tenant, uint64_t id, const struct lh_digest *inputs, size_t input_count,
                                 const struct lh_digest *outputs, size_t output_count);
struct pulse_change fixture_output(uint64_t tenant, const struct lh_digest *key, enum pulse_output_state state,
                                   uint64_t shard);
struct pulse_change fixture_job(uint64_t tenant, uint64_t id, enum pulse_job_state state);
struct pulse_change fixture_want(uint64_t tenant, uint64_t job, const struct lh_digest *key);
/* In one transaction. */
void fixture_apply(const struct pulse_change *changes, size_t count);
/* The same, expecting what a batch is refused with; nothing of it may be left. */
void fixture_refuse(const struct pulse_change *changes, size_t count, enum lh_status expected);
void fixture_begin(void);
void fixture_commit(void);
/* How many rows a query counts. */
int64_t fixture_count(const char *sql);

/* A project with one revision of one uploaded file, a job's request for it. */
uint64_t fixture_project(uint64_t tenant);
void fixture_request(uint64_t tenant, uint64_t job, uint64_t project);

#endif
