/* SPDX-License-Identifier: MIT */
/* What clients see of jobs: requests, pages, artifacts, events. */
#include <string.h>

#include "pulse-daemon/store/projects.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

/* Job `id` of the tenant, asked for with a request. */
static void submit(uint64_t tenant, uint64_t id, uint64_t project, const char *key)
{
    struct pulse_change job = fixture_job(tenant, id, PULSE_JOB_QUEUED);
    const struct pulse_request_row request = {.tenant = tenant,
                                              .job = id,
                                              .project = project,
                                              .revision = 1,
                                              .options = "{\"only\": []}",
                                              .idempotency = key,
                                              .trace = key != NULL ? TRACE : NULL};
    fixture_begin();
    OK(pulse_store_apply(fixture_store, &job, 1, NULL, &fixture_error));
    OK(pulse_store_request_put(fixture_store, &request, &fixture_error));
    fixture_commit();
}

START_TEST(a_job_with_its_request)
{
    struct lh_arena arena;
    struct pulse_job_record record;
    uint64_t project = fixture_project(1), job = 7;
    submit(1, 5, project, "abc");
    submit(1, 6, project, NULL);
    lh_arena_init(&arena);
    OK(pulse_store_job(fixture_store, 1, 5, &arena, &record, &fixture_error));
    ck_assert(record.job.id == 5 && record.job.tenant == 1 && record.job.priority == -7);
    ck_assert(record.job.state == PULSE_JOB_QUEUED && record.created_ms == NOW && record.finished_ms == 0);
    ck_assert(record.request.project == project && record.request.revision == 1 && record.request.job == 5);
    ck_assert_str_eq(record.request.options, "{\"only\": []}");
    ck_assert_str_eq(record.request.idempotency, "abc");
    ck_assert_str_eq(record.request.trace, TRACE);
    struct pulse_change failed = fixture_job(1, 6, PULSE_JOB_FAILED);
    fixture_apply(&failed, 1);
    OK(pulse_store_job(fixture_store, 1, 6, &arena, &record, &fixture_error));
    ck_assert_ptr_null(record.request.idempotency);
    ck_assert_str_eq(record.request.trace, "");
    ck_assert_str_eq(record.job.error, failed.job.error);
    ck_assert_int_eq(record.finished_ms, NOW);
    FAILS(pulse_store_job(fixture_store, 2, 5, &arena, &record, &fixture_error), LH_ERR_MISSING);
    FAILS(pulse_store_job(fixture_store, 1, 7, &arena, &record, &fixture_error), LH_ERR_MISSING);
    lh_arena_fini(&arena);
    OK(pulse_store_request_find(fixture_store, 1, "abc", &job, &fixture_error));
    ck_assert_uint_eq(job, 5);
    OK(pulse_store_request_find(fixture_store, 2, "abc", &job, &fixture_error));
    ck_assert_uint_eq(job, 0);
}
END_TEST

START_TEST(a_key_of_a_client_counts_once)
{
    uint64_t first = fixture_project(1), second = fixture_project(2);
    submit(1, 1, first, "abc");
    submit(2, 2, second, "abc"); /* of another tenant */
    struct pulse_request_row again = {
        .tenant = 1, .job = 3, .project = first, .revision = 1, .options = "{}", .idempotency = "abc"};
    fixture_begin();
    FAILS(pulse_store_request_put(fixture_store, &again, &fixture_error), LH_ERR_INTERNAL);
    pulse_store_rollback(fixture_store);
    /* A request without a job, of a revision that is not there, of somebody else's project. */
    again.idempotency = NULL;
    fixture_begin();
    OK(pulse_store_request_put(fixture_store, &again, &fixture_error));
    FAILS(pulse_store_commit(fixture_store, &fixture_error), LH_ERR_INTERNAL);
    pulse_store_rollback(fixture_store);
    again.revision = 2;
    fixture_begin();
    FAILS(pulse_store_request_put(fixture_store, &again, &fixture_error), LH_ERR_INTERNAL);
    pulse_store_rollback(fixture_store);
    again.revision = 1;
    again.project = second;
    fixture_begin();
    FAILS(pulse_store_request_put(fixture_store, &again, &fixture_error), LH_ERR_INTERNAL);
    pulse_store_rollback(fixture_store);
}
END_TEST

static enum lh_status note_job(void *context, const struct pulse_job_record *record)
{
    uint64_t *sum = context;
    *sum = *sum * 10 + record->job.id;
    return LH_OK;
}

START_TEST(jobs_are_listed_by_page)
{
    uint64_t listed = 0, project = fixture_project(1), other = fixture_project(2);
    for (uint64_t id = 1; id <= 6; id++) {
        submit(id == 4 ? 2 : 1, id, id == 4 ? other : project, NULL);
    }
    OK(pulse_store_jobs(fixture_store, 1, 0, 3, note_job, &listed, &fixture_error));
    ck_assert_uint_eq(listed, 653);
    listed = 0;
    OK(pulse_store_jobs(fixture_store, 1, 3, 3, note_job, &listed, &fixture_error));
    ck_assert_uint_eq(listed, 21);
    listed = 0;
    OK(pulse_store_jobs(fixture_store, 2, 0, 3, note_job, &listed, &fixture_error));
    ck_assert_uint_eq(listed, 4);
}
END_TEST

static enum lh_status note_artifact(void *context, const struct pulse_artifact_row *row)
{
    struct pulse_artifact_row *rows = context;
    while (rows->tenant != 0) {
        rows++;
    }
    *rows = *row;
    ck_assert_uint_eq(row->facts_size, 3);
    ck_assert_mem_eq(row->facts, "\0\1\2", 3);
    ck_assert(strcmp(row->name, "mix.wav") == 0 || strcmp(row->name, "alt.flac") == 0);
    rows->name = row->name[0] == 'm' ? "mix.wav" : "alt.flac";
    return LH_OK;
}

START_TEST(artifacts_keep_what_they_were)
{
    struct pulse_artifact_row rows[3], read[4] = {{.tenant = 0}};
    submit(1, 1, fixture_project(1), NULL);
    for (size_t i = 0; i < 2; i++) {
        rows[i] = (struct pulse_artifact_row){.tenant = 1,
                                              .job = 1,
                                              .name = i == 0 ? "mix.wav" : "alt.flac",
                                              .key = fixture_digest("key", i),
                                              .digest = fixture_digest("blob", i),
                                              .size = UINT64_C(1) << (40 + i),
                                              .facts = "\0\1\2",
                                              .facts_size = 3};
    }
    fixture_begin();
    OK(pulse_store_artifacts_put(fixture_store, rows, 2, &fixture_error));
    OK(pulse_store_artifacts_put(fixture_store, rows, 2, &fixture_error)); /* once more is no harm */
    fixture_commit();
    OK(pulse_store_artifacts(fixture_store, 1, 1, note_artifact, read, &fixture_error));
    ck_assert_str_eq(read[0].name, "alt.flac");
    ck_assert_str_eq(read[1].name, "mix.wav");
    ck_assert(read[2].tenant == 0 && read[0].size == UINT64_C(1) << 41);
    ck_assert(lh_digest_equal(&read[1].digest, &rows[0].digest) && lh_digest_equal(&read[1].key, &rows[0].key));
    rows[0].job = 2;
    fixture_begin();
    FAILS(pulse_store_artifacts_put(fixture_store, rows, 1, &fixture_error), LH_ERR_INTERNAL);
    pulse_store_rollback(fixture_store);
}
END_TEST

static enum lh_status note_event(void *context, const struct pulse_event_row *row)
{
    uint64_t *sum = context;
    ck_assert_int_eq(row->created_ms, NOW);
    ck_assert_str_eq(row->text, "{\"t\":1}");
    *sum = *sum * 10 + row->number;
    return LH_OK;
}

START_TEST(events_are_read_from_where_one_was)
{
    struct pulse_change changes[9] = {fixture_job(1, 1, PULSE_JOB_QUEUED), fixture_job(2, 2, PULSE_JOB_QUEUED)};
    static const uint64_t jobs[] = {1, 2, 1, 0, 2, 1}; /* of events 1 to 6; 0: of none, of tenant 1 */
    uint64_t listed = 0;
    for (size_t i = 0; i < 6; i++) {
        changes[2 + i] = (struct pulse_change){
            .kind = PULSE_CHANGE_EVENT, .job = {.id = jobs[i], .tenant = jobs[i] == 2 ? 2 : 1}, .event = "{\"t\":1}"};
    }
    changes[8] = changes[7];
    changes[8].kind = PULSE_CHANGE_ALARM;
    fixture_apply(changes, 9);
    fixture_apply(&changes[8], 1);
    static const struct {
        uint64_t tenant, job, after;
        size_t limit;
        uint64_t expected;
    } cases[] = {
        {0, 0, 0, 9, 123456}, {0, 0, 4, 9, 56}, {1, 0, 0, 9, 1346}, {1, 1, 0, 9, 136}, {1, 1, 1, 1, 3},
        {2, 2, 2, 9, 5},      {2, 1, 0, 9, 0},  {0, 0, 6, 9, 0},    {0, 0, 0, 2, 12},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        listed = 0;
        OK(pulse_store_events(fixture_store, cases[i].tenant, cases[i].job, cases[i].after, cases[i].limit, note_event,
                              &listed, &fixture_error));
        ck_assert_uint_eq(listed, cases[i].expected);
    }
    listed = 0;
    OK(pulse_store_alarms(fixture_store, 9, note_event, &listed, &fixture_error));
    ck_assert_uint_eq(listed, 21);
}
END_TEST

TCase *jobs_tests(void)
{
    TCase *tests = tcase_create("jobs");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, a_job_with_its_request);
    tcase_add_test(tests, a_key_of_a_client_counts_once);
    tcase_add_test(tests, jobs_are_listed_by_page);
    tcase_add_test(tests, artifacts_keep_what_they_were);
    tcase_add_test(tests, events_are_read_from_where_one_was);
    return tests;
}
