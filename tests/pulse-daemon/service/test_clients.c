/* SPDX-License-Identifier: MIT */
/* What envelopes say beside their bodies, asked of a whole Pulse over its socket: how long the sender waits, whose
   doing it is, and whether the sender may. A write lock on the store's file keeps the decider waiting for as long as a
   test wants. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pulse-daemon/service/trace.h"
#include "tests/pulse-daemon/service/asking.h"

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define NO_TRACE "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"
#define PATIENCE_MS ASKING_PATIENCE_MS
#define FOR_EVER ASKING_FOR_EVER

static const char document[] = "{\"loophole\": 1, \"name\": \"Nothing\", \"sampleRate\": 48000, \"media\": {},"
                               " \"tracks\": [{\"id\": \"master\", \"type\": \"master\"}], \"deliverables\":"
                               " [{\"name\": \"mix\", \"source\": \"master\", \"format\": \"wav\", \"bitDepth\": 24}]}";

static uint64_t project;

static uint64_t submit(const char *key, uint32_t remaining_ms, const char *trace)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__JobSubmit message = WIRE__JOB_SUBMIT__INIT;
    message.idempotency_key = wire_text(key);
    message.project = project;
    WIRE_BODY(&envelope, JOB_SUBMIT, job_submit, &message);
    return asking_send(&envelope, remaining_ms, trace);
}

static const Wire__Job *hear_job(uint64_t question)
{
    const Wire__Envelope *envelope = asking_hear(question);
    ck_assert_msg(envelope->body_case == WIRE__ENVELOPE__BODY_JOB, "%s: %s", wire_body_name(envelope->body_case),
                  envelope->body_case == WIRE__ENVELOPE__BODY_ERROR ? envelope->error->message : "");
    return envelope->job;
}

static void hear_timeout(uint64_t question)
{
    const Wire__Envelope *envelope = asking_hear(question);
    ck_assert_msg(envelope->body_case == WIRE__ENVELOPE__BODY_ERROR, "%s", wire_body_name(envelope->body_case));
    ck_assert_int_eq(envelope->error->code, WIRE__ERROR_CODE__ERROR_TIMEOUT);
}

static const Wire__Jobs *list(void)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__JobList message = WIRE__JOB_LIST__INIT;
    WIRE_BODY(&envelope, JOB_LIST, job_list, &message);
    const Wire__Envelope *answer = asking_ask(&envelope);
    ck_assert_int_eq(answer->body_case, WIRE__ENVELOPE__BODY_JOBS);
    return answer->jobs;
}

static void set_up(void)
{
    asking_start(NULL);
    const Wire__Envelope *answer = asking_create(document);
    ck_assert_int_eq(answer->body_case, WIRE__ENVELOPE__BODY_REVISION);
    project = answer->revision->project;
}

/* ---- how long it waits ---- */

START_TEST(who_does_not_wait_gets_nothing)
{
    hear_timeout(submit("one", 0, NULL));
    ck_assert_uint_eq(list()->n_jobs, 0);
    (void)hear_job(submit("one", PATIENCE_MS, NULL)); /* the key was not used up */
    (void)hear_job(submit("two", FOR_EVER, NULL));
    ck_assert_uint_eq(list()->n_jobs, 2);
}
END_TEST

START_TEST(what_is_too_late_when_its_turn_comes_is_not_done)
{
    char path[300];
    sqlite3 *lock;
    snprintf(path, sizeof path, "%s/pulse.db", asking_folder);
    ck_assert_int_eq(sqlite3_open(path, &lock), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    uint64_t patient = submit("patient", PATIENCE_MS, NULL); /* the decider waits with it */
    usleep(200000);
    uint64_t hasty = submit("hasty", 200, NULL), next = submit("next", PATIENCE_MS, NULL);
    usleep(500000);
    ck_assert_int_eq(sqlite3_exec(lock, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(lock);
    const Wire__Envelope *answers[3];
    size_t jobs = 0;
    for (size_t i = 0; i < 3; i++) { /* in any order */
        answers[i] = asking_hear_any();
        bool late = answers[i]->body_case == WIRE__ENVELOPE__BODY_ERROR;
        jobs += late ? 0 : 1;
        ck_assert(late == (answers[i]->correlation == hasty));
        ck_assert(!late || answers[i]->error->code == WIRE__ERROR_CODE__ERROR_TIMEOUT);
        ck_assert(late || answers[i]->correlation == patient || answers[i]->correlation == next);
    }
    ck_assert_uint_eq(jobs, 2);
    ck_assert_uint_eq(list()->n_jobs, 2);
}
END_TEST

/* ---- whose doing it is ---- */

START_TEST(a_job_has_the_trace_of_its_submitter)
{
    const Wire__Job *job = hear_job(submit("one", FOR_EVER, TRACE));
    ck_assert_str_eq(job->trace, TRACE);
    ck_assert_str_eq(hear_job(submit("one", FOR_EVER, NO_TRACE))->trace, TRACE); /* asked again: the same job */
    ck_assert_str_eq(list()->jobs[0]->trace, TRACE);
    char path[300];
    sqlite3 *store;
    sqlite3_stmt *rows;
    snprintf(path, sizeof path, "%s/pulse.db", asking_folder);
    ck_assert_int_eq(sqlite3_open(path, &store), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(store, "SELECT trace FROM requests", -1, &rows, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(rows), SQLITE_ROW);
    ck_assert_str_eq((const char *)sqlite3_column_text(rows, 0), TRACE);
    sqlite3_finalize(rows);
    sqlite3_close(store);
}
END_TEST

START_TEST(a_job_without_one_gets_one)
{
    const Wire__Job *one = hear_job(submit("one", FOR_EVER, NULL)), *two = hear_job(submit("two", FOR_EVER, NO_TRACE));
    ck_assert(pulse_trace_ok(one->trace) && pulse_trace_ok(two->trace));
    ck_assert_str_ne(one->trace, two->trace);
}
END_TEST

/* ---- whether it may ---- */

static struct wire_caller *watch(const char *token)
{
    struct wire_caller *caller = asking_connect();
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Watch message = WIRE__WATCH__INIT;
    WIRE_BODY(&envelope, WATCH, watch, &message);
    (void)asking_send_by(caller, token, &envelope);
    ck_assert_int_eq(asking_hear_by(caller)->body_case, WIRE__ENVELOPE__BODY_WATCHING);
    return caller;
}

static const Wire__TokenCreated *make_token(uint64_t *tenant)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__TenantCreate other = WIRE__TENANT_CREATE__INIT;
    Wire__TokenCreate token = WIRE__TOKEN_CREATE__INIT;
    other.name = wire_text("other");
    WIRE_BODY(&envelope, TENANT_CREATE, tenant_create, &other);
    const Wire__Envelope *answer = asking_ask(&envelope);
    ck_assert_int_eq(answer->body_case, WIRE__ENVELOPE__BODY_TENANT);
    token.name = wire_text("leaver");
    token.role = wire_text("viewer");
    token.tenant = *tenant = answer->tenant->id;
    WIRE_BODY(&envelope, TOKEN_CREATE, token_create, &token);
    answer = asking_ask(&envelope);
    ck_assert_int_eq(answer->body_case, WIRE__ENVELOPE__BODY_TOKEN_CREATED);
    return answer->token_created;
}

START_TEST(whose_token_is_revoked_watches_no_more)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__TokenRevoke message = WIRE__TOKEN_REVOKE__INIT;
    struct wire_answer answer;
    const Wire__TokenCreated *token = make_token(&message.tenant);
    struct wire_caller *theirs = watch(token->secret), *ours = watch(asking_token);
    message.id = token->token->id;
    message.has_tenant = true;
    WIRE_BODY(&envelope, TOKEN_REVOKE, token_revoke, &message);
    ck_assert_int_eq(asking_ask(&envelope)->body_case, WIRE__ENVELOPE__BODY_DONE);
    ck_assert_int_eq(wire_caller_receive(theirs, PATIENCE_MS, &answer, &asking_error), LH_ERR_UNAVAILABLE);
    ck_assert_int_eq(wire_caller_receive(ours, 200, &answer, &asking_error), LH_ERR_CANCELLED); /* goes on */
    wire_caller_free(theirs);
    wire_caller_free(ours);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/clients");
    TCase *tests = tcase_create("clients");
    tcase_add_checked_fixture(tests, set_up, asking_clean);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, who_does_not_wait_gets_nothing);
    tcase_add_test(tests, what_is_too_late_when_its_turn_comes_is_not_done);
    tcase_add_test(tests, a_job_has_the_trace_of_its_submitter);
    tcase_add_test(tests, a_job_without_one_gets_one);
    tcase_add_test(tests, whose_token_is_revoked_watches_no_more);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
