/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/load: rows that make no sense are refused one by one, the others are taken. */
#include "pulse-daemon/farm/load.h"

#include <string.h>

#include "tests/pulse-daemon/farm/farming.h"

static struct lh_error error;

static void set_up(void)
{
    farming_begin(NULL);
    error = LH_ERROR_INIT;
}

static void tear_down(void)
{
    farming_end();
}

static enum lh_status load(const struct pulse_change *row)
{
    enum lh_status status = pulse_farm_load(farming_farm(), row, &error);
    ck_assert(status == LH_OK || (error.message[0] != '\0' && error.where[0] != '\0'));
    return status;
}

static struct pulse_change needs(void)
{
    return (struct pulse_change){.kind = PULSE_CHANGE_NEEDS,
                                 .needs = {.id = {{1}}, .engine = FARMING_ENGINE, .cpu_class = ""}};
}

static struct pulse_change job(uint64_t id, enum pulse_job_state state)
{
    return (struct pulse_change){.kind = PULSE_CHANGE_JOB, .job = {.id = id, .tenant = 1, .state = state}};
}

static struct pulse_change output(char key, enum pulse_output_state state, uint64_t shard)
{
    return (struct pulse_change){.kind = PULSE_CHANGE_OUTPUT,
                                 .output = {.tenant = 1, .key = farming_key(1, key), .state = state, .shard = shard}};
}

static struct pulse_change shard(uint64_t id, enum pulse_shard_state state)
{
    return (struct pulse_change){.kind = PULSE_CHANGE_SHARD,
                                 .shard = {.id = id, .tenant = 1, .state = state, .needs = {{1}}}};
}

static const struct lh_digest *key(char letter)
{
    static struct lh_digest keys[128];
    keys[(int)letter] = farming_key(1, letter);
    return &keys[(int)letter];
}

static struct pulse_change edges(uint64_t id, const char *input, const char *made)
{
    struct pulse_change row = {.kind = PULSE_CHANGE_SPEC, .shard = {.id = id, .tenant = 1}};
    row.inputs = input[0] == '\0' ? NULL : key(input[0]);
    row.input_count = strlen(input);
    row.outputs = made[0] == '\0' ? NULL : key(made[0]);
    row.output_count = strlen(made);
    return row;
}

static struct pulse_change want(uint64_t id, char letter)
{
    return (struct pulse_change){.kind = PULSE_CHANGE_WANT,
                                 .job = {.id = id, .tenant = 1},
                                 .output = {.tenant = 1, .key = farming_key(1, letter)}};
}

#define TAKEN(row) ck_assert_int_eq(load(&(struct pulse_change[]){row}[0]), LH_OK)
#define REFUSED(row) ck_assert_int_eq(load(&(struct pulse_change[]){row}[0]), LH_ERR_FORMAT)

START_TEST(a_whole_store_is_taken)
{
    size_t healed = 9;
    TAKEN(needs());
    TAKEN(needs());
    TAKEN(job(1, PULSE_JOB_RUNNING));
    TAKEN(job(2, PULSE_JOB_QUEUED));
    TAKEN(output('a', PULSE_OUTPUT_PRESENT, 3));
    TAKEN(output('b', PULSE_OUTPUT_PROMISED, 7));
    TAKEN(shard(7, PULSE_SHARD_READY));
    TAKEN(edges(7, "a", "b"));
    TAKEN(want(1, 'b'));
    ck_assert_int_eq(pulse_farm_load_end(farming_farm(), 12, farming_now(), &healed), LH_OK);
    ck_assert_uint_eq(healed, 0);
    farming_step();
    ck_assert_uint_eq(farming_action(PULSE_FARM_PLAN, 0)->job, 2);
    farming_welcome("w1", 11, 1);
    ck_assert_uint_eq(farming_action(PULSE_FARM_ASSIGN, 0)->shard, 7);
    farming_plan(2, "x", "x");
    ck_assert_uint_eq(farming_shard("x")->row.id, 13); /* ids go on */
}
END_TEST

START_TEST(jobs_that_make_no_sense)
{
    struct pulse_change row = job(1, PULSE_JOB_SUCCEEDED);
    REFUSED(row);
    row = job(0, PULSE_JOB_RUNNING);
    REFUSED(row);
    row = job(UINT64_C(1) << 56, PULSE_JOB_RUNNING);
    REFUSED(row);
    row = job(1, PULSE_JOB_RUNNING);
    row.job.tenant = 0;
    REFUSED(row);
    row.job.tenant = 1;
    row.job.priority = 101;
    REFUSED(row);
    row.job.priority = 0;
    TAKEN(row);
    REFUSED(row);
}
END_TEST

START_TEST(outputs_that_make_no_sense)
{
    struct pulse_change row = output('a', PULSE_OUTPUT_PRESENT, 1);
    row.output.tenant = 0;
    REFUSED(row);
    row.output.tenant = 1;
    TAKEN(row);
    REFUSED(row);
}
END_TEST

START_TEST(shards_that_make_no_sense)
{
    struct pulse_change row = shard(1, PULSE_SHARD_READY);
    REFUSED(row); /* of unknown needs */
    TAKEN(needs());
    row = shard(1, PULSE_SHARD_DONE);
    REFUSED(row);
    row = shard(0, PULSE_SHARD_READY);
    REFUSED(row);
    row = shard(1, PULSE_SHARD_CLAIMED); /* by nobody */
    REFUSED(row);
    strcpy(row.shard.owner, "w1");
    REFUSED(row); /* an attempt that never was */
    row.shard.attempt = 2;
    strcpy(row.shard.failed_on, "a b");
    REFUSED(row);
    row.shard.failed_on[0] = '\0';
    TAKEN(row);
    REFUSED(row); /* the edges have to come first */
    REFUSED(edges(2, "", "a"));
    TAKEN(edges(1, "", "a"));
    REFUSED(row);
    REFUSED(edges(1, "", "a"));
    TAKEN(shard(2, PULSE_SHARD_READY));
    REFUSED(edges(2, "a", "")); /* makes nothing */
}
END_TEST

START_TEST(wants_that_make_no_sense)
{
    struct pulse_change row = want(1, 'a');
    REFUSED(row);
    TAKEN(job(1, PULSE_JOB_RUNNING));
    row.output.tenant = 2;
    REFUSED(row);
    TAKEN(want(1, 'a'));
    TAKEN(want(1, 'a'));
}
END_TEST

START_TEST(other_rows_are_none)
{
    static const enum pulse_change_kind kinds[] = {PULSE_CHANGE_UNWANT, PULSE_CHANGE_ABSENT, PULSE_CHANGE_EVENT,
                                                   PULSE_CHANGE_ALARM};
    for (size_t i = 0; i < 4; i++) {
        REFUSED((struct pulse_change){.kind = kinds[i]});
    }
    struct pulse_change row = needs();
    row.needs.engine = NULL;
    REFUSED(row);
}
END_TEST

START_TEST(memory_runs_out)
{
    struct pulse_change claimed = shard(7, PULSE_SHARD_CLAIMED);
    strcpy(claimed.shard.owner, "w1");
    strcpy(claimed.shard.failed_on, "w2");
    claimed.shard.attempt = 1;
    const struct pulse_change rows[] = {needs(),
                                        job(1, PULSE_JOB_RUNNING),
                                        output('a', PULSE_OUTPUT_PRESENT, 3),
                                        output('b', PULSE_OUTPUT_PROMISED, 7),
                                        claimed,
                                        edges(7, "a", "b"),
                                        want(1, 'b')};
    bool failed = true;
    size_t n = 1;
    for (; failed; n++) {
        enum lh_status status = LH_OK;
        size_t healed = 0;
        farming_end();
        farming_begin(NULL);
        testing_fail_allocation(n);
        for (size_t i = 0; status == LH_OK && i < sizeof rows / sizeof rows[0]; i++) {
            status = pulse_farm_load(farming_farm(), &rows[i], &error);
        }
        if (status == LH_OK) {
            status = pulse_farm_load_end(farming_farm(), 0, 5, &healed);
        }
        failed = testing_fail_allocation_end();
        ck_assert_msg(status == (failed ? LH_ERR_NO_MEMORY : LH_OK), "allocation %zu", n);
    }
    ck_assert_uint_gt(n, 20);
    farming_step();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load");
    TCase *tests = tcase_create("load");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_whole_store_is_taken);
    tcase_add_test(tests, jobs_that_make_no_sense);
    tcase_add_test(tests, outputs_that_make_no_sense);
    tcase_add_test(tests, shards_that_make_no_sense);
    tcase_add_test(tests, wants_that_make_no_sense);
    tcase_add_test(tests, other_rows_are_none);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
