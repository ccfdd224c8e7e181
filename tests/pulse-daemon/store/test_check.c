/* SPDX-License-Identifier: MIT */
/* A sound store is found sound, and each way to break it is found. */
#include <stdio.h>
#include <string.h>

#include "pulse-daemon/store/projects.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

struct heard {
    char text[4096];
};

static void hear(void *context, const char *where, const char *fault)
{
    struct heard *heard = context;
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof heard->text - used, "%s: %s\n", where, fault);
}

static size_t check(struct heard *heard)
{
    struct pulse_store *reader = fixture_open(PULSE_STORE_READ);
    size_t found = 99;
    memset(heard, 0, sizeof *heard);
    OK(pulse_store_check(reader, hear, heard, &found, &fixture_error));
    pulse_store_close(reader);
    return found;
}

/* Shard 1 made `a`; 2 is claimed and makes b of a; 3 waits for b and makes c, which job 1 wants, as it wants a. Job 2
   has succeeded. */
static void fill(void)
{
    struct lh_digest a = fixture_digest("key", 1), b = fixture_digest("key", 2), c = fixture_digest("key", 3);
    struct pulse_change changes[] = {
        {.kind = PULSE_CHANGE_NEEDS},
        fixture_shard(1, 1, PULSE_SHARD_DONE),
        fixture_spec(1, 1, NULL, 0, &a, 1),
        fixture_shard(1, 2, PULSE_SHARD_READY),
        fixture_spec(1, 2, &a, 1, &b, 1),
        fixture_shard(1, 3, PULSE_SHARD_WAITING),
        fixture_spec(1, 3, &b, 1, &c, 1),
        fixture_output(1, &a, PULSE_OUTPUT_PRESENT, 1),
        fixture_output(1, &b, PULSE_OUTPUT_PROMISED, 2),
        fixture_output(1, &c, PULSE_OUTPUT_PROMISED, 3),
        fixture_job(1, 1, PULSE_JOB_RUNNING),
        fixture_job(1, 2, PULSE_JOB_SUCCEEDED),
        fixture_want(1, 1, &a),
        fixture_want(1, 1, &c),
    };
    const struct pulse_artifact_row artifact = {
        .tenant = 1, .job = 2, .name = "mix.wav", .key = a, .digest = fixture_digest("blob", 1), .size = 4097};
    uint64_t project = fixture_project(1);
    fixture_needs(&changes[0]);
    fixture_begin();
    OK(pulse_store_apply(fixture_store, changes, sizeof changes / sizeof *changes, NULL, &fixture_error));
    fixture_request(1, 1, project);
    fixture_request(1, 2, project);
    OK(pulse_store_artifacts_put(fixture_store, &artifact, 1, &fixture_error));
    fixture_commit();
}

START_TEST(a_sound_store)
{
    struct heard heard;
    size_t found = check(&heard);
    ck_assert_msg(found == 0, "%s", heard.text);
    fill();
    found = check(&heard);
    ck_assert_msg(found == 0, "%s", heard.text);
}
END_TEST

/* What is done to the store, and what must be said then. */
static const struct {
    const char *sql, *fault;
} cases[] = {
    {"DELETE FROM leader", "leader row 0 of tenant 0: there has to be exactly one"},
    {"INSERT INTO shards SELECT 2, id, kind, state, needs, cost_ms, attempt, owner, losses, failures, failed_on,"
     " finished_ms FROM shards WHERE id = 1",
     "shard 1 of tenant 1: two tenants"},
    {"DELETE FROM specs WHERE shard = 2", "shard 2 of tenant 1: it is alive and nothing says"},
    {"UPDATE specs SET outputs = inputs WHERE shard = 1", "shard 1 of tenant 1: it makes no output"},
    {"UPDATE shards SET state = 3, finished_ms = 1 WHERE id = 3",
     "shard 3 of tenant 1: an output is promised by it, but"},
    {"UPDATE outputs SET shard = 77 WHERE state = 0", "shard 77 of tenant 1: an output is promised by it, but"},
    {"UPDATE outputs SET shard = 2 WHERE shard = 3",
     "shard 2 of tenant 1: an output is promised by it that it does not"},
    {"DELETE FROM requests WHERE job = 1", "job 1 of tenant 1: nothing says what was asked for"},
    {"DELETE FROM wants", "job 1 of tenant 1: it is running and waits for nothing"},
    {"DELETE FROM wants", "shard 3 of tenant 1: it is alive and nobody waits for it"},
    {"UPDATE jobs SET state = 5 WHERE id = 2", "job 2 of tenant 1: it has an artifact"},
    {"UPDATE projects SET newest = 2", "project 1 of tenant 1: its revisions are not numbered"},
    {"UPDATE projects SET head = 2, tip = 2, newest = 2", "project 1 of tenant 1: its head is not on the way"},
    {"UPDATE artifacts SET size = 5", "two rows say different sizes"},
    {"UPDATE shards SET state = 1 WHERE id = 3", "shard 3 of tenant 1: it is ready though"},
    {"UPDATE shards SET state = 0 WHERE id = 2", "shard 2 of tenant 1: it waits though"},
    {"DELETE FROM outputs WHERE shard = 2", "shard 2 of tenant 1: it is alive and promises nothing"},
    {"DELETE FROM outputs WHERE shard = 2", "shard 3 of tenant 1: an input of it is neither"},
    {"DELETE FROM outputs WHERE shard = 3", "job 1 of tenant 1: it is running, and nobody makes"},
    {"DELETE FROM wants WHERE key IN (SELECT key FROM outputs WHERE state = 0)",
     "job 1 of tenant 1: it is running though all"},
    {"UPDATE needs SET body = outputs FROM specs WHERE specs.shard = 1", "what is alive: a row of table needs"},
};

START_TEST(what_is_broken_is_found)
{
    struct heard heard;
    fill();
    fixture_execute(cases[_i].sql);
    size_t found = check(&heard);
    ck_assert_uint_ge(found, 1);
    ck_assert_msg(strstr(heard.text, cases[_i].fault) != NULL, "%s gives %s", cases[_i].sql, heard.text);
}
END_TEST

/* SQLite keeps rules of rows and references only while somebody asks it to: they are checked afterwards too. */
START_TEST(rules_of_the_tables_are_checked)
{
    struct heard heard;
    if (fixture_is_postgres()) {
        return;
    }
    fill();
    fixture_execute(
        "UPDATE shards SET attempt = 0, state = 2, owner = 'x' WHERE id = 2; DELETE FROM jobs WHERE id = 2");
    ck_assert_uint_ge(check(&heard), 2);
    ck_assert_msg(strstr(heard.text, "CHECK constraint failed in shards") != NULL, "%s", heard.text);
    ck_assert_msg(strstr(heard.text, "refers to one of table jobs that is not there") != NULL, "%s", heard.text);
}
END_TEST

TCase *check_tests(void)
{
    TCase *tests = tcase_create("check");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, a_sound_store);
    tcase_add_loop_test(tests, what_is_broken_is_found, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tests, rules_of_the_tables_are_checked);
    return tests;
}
