/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/check: whatever is broken is found. Each test breaks one thing that holds, looks, and mends it. */
#include "pulse-daemon/farm/check.h"

#include <string.h>

#include "tests/pulse-daemon/farm/farming.h"

static struct pulse_farm *farm;
static struct pulse_farm_shard_entry *a, *c, *r; /* claimed, waiting, ready */
static struct pulse_farm_job *job;

static void set_up(void)
{
    farming_begin(NULL);
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a:9000 b c<ab", "c");
    farm = farming_farm();
    a = pulse_farm_find_shard(farm, farming_shard("a")->row.id);
    c = pulse_farm_find_shard(farm, farming_shard("c")->row.id);
    r = pulse_farm_find_shard(farm, farming_shard("b")->row.id);
    job = pulse_farm_find_job(farm, 1);
    ck_assert(a->claim != NULL && r->lane != NULL && c->absent == 2);
}

static void tear_down(void)
{
    farming_end();
}

/* Is it found, and does it say so with this word? */
static void found(const char *word)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(pulse_farm_check(farm, &error), LH_ERR_INTERNAL);
    ck_assert_msg(strstr(error.message, word) != NULL, "%s: %s", error.where, error.message);
    ck_assert_str_ne(error.where, "");
}

/* Sets a member to a value, looks, and sets it back. */
#define BREAK(member, value, word)                                                                                     \
    do {                                                                                                               \
        __typeof__(member) before_ = (member);                                                                         \
        (member) = (value);                                                                                            \
        found(word);                                                                                                   \
        (member) = before_;                                                                                            \
    } while (0)

START_TEST(what_holds_holds)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(pulse_farm_check(farm, &error), LH_OK);
}
END_TEST

START_TEST(outputs)
{
    struct pulse_farm_output *output = a->outputs[0];
    BREAK(output->maker, NULL, "(3)");
    BREAK(output->maker, c, "(3)");
    BREAK(output->state, PULSE_FARM_PRESENT, "(3)");
    BREAK(output->shard, 77, "(3)");
    BREAK(a->state, PULSE_SHARD_DONE, "(3)");
}
END_TEST

START_TEST(shards)
{
    BREAK(c->absent, 1, "absent inputs");
    BREAK(c->urgency, c->urgency - 1, "(7)");
    BREAK(r->absent, 1, "absent inputs");
    BREAK(c->state, PULSE_SHARD_READY, "(5)");
    BREAK(a->attempt, 0, "(5)");
    BREAK(r->state, PULSE_SHARD_CLAIMED, "(5)");
    BREAK(farm->last_shard, 1, "never given");
    BREAK(c->settle_place, 0, "unsettled");
    BREAK(farm->states[PULSE_SHARD_READY], 5, "count of shards");
}
END_TEST

START_TEST(nobody_waits)
{
    struct pulse_farm_output *output = c->outputs[0];
    BREAK(output->wants, NULL, "(6)");
}
END_TEST

START_TEST(jobs)
{
    BREAK(job->absent, 0, "absent outputs");
    BREAK(job->state, PULSE_JOB_PLANNING, "(1)");
    BREAK(job->phase, PULSE_FARM_IN_QUEUE, "(1)");
    BREAK(job->place, 0, "(1)");
    BREAK(job->replans, 17, "(14)");
    BREAK(job->renewed, true, "(14)");
    BREAK(farm->planning, 3, "more than it may");
    BREAK(farm->queued, 1, "than is counted");
}
END_TEST

START_TEST(circles)
{
    /* c is made to wait for itself instead of for a. */
    struct pulse_farm_edge *edge = &c->inputs[0];
    struct pulse_farm_output *before = edge->output, *own = c->outputs[0];
    before->edges = NULL;
    edge->output = own;
    own->edges = edge;
    struct pulse_farm_want *want = own->wants;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(pulse_farm_check(farm, &error), LH_ERR_INTERNAL);
    edge->output = before;
    before->edges = edge;
    own->edges = NULL;
    own->wants = want;
    ck_assert_int_eq(pulse_farm_check(farm, &error), LH_OK);
}
END_TEST

START_TEST(workers)
{
    struct pulse_farm_worker *worker = a->claim->worker;
    BREAK(worker->claim_count, 0, "count of its claims");
    BREAK(worker->active, false, "listed");
    BREAK(worker->draining, true, "listed");
    BREAK(a->claim->lease_ns, farm->now_ns, "(9)");
    BREAK(a->claim->lease_ns, farm->now_ns + 100 * FARMING_S, "(9)");
    BREAK(worker->class->active, 4, "count of its workers");
    struct pulse_farm_claim other = *a->claim;
    BREAK(a->claim, &other, "(");
}
END_TEST

START_TEST(queue)
{
    struct pulse_farm_share *share = r->lane->share;
    BREAK(share->queued, 2, "what it has ready");
    BREAK(share->level->queued, 2, "what is ready");
    BREAK(share->time, share->level->clock + share->level->charge_most + 1, "(10)");
    BREAK(r->lane->priority, 5, "wrong lane");
    share->level->clock += 10;
    share->time = share->level->clock - 1;
    found("(10)");
}
END_TEST

START_TEST(an_idle_worker)
{
    struct pulse_farm_worker *worker = a->claim->worker;
    worker->credits = 5;
    ck_assert(pulse_heap_push(&worker->class->free, worker));
    found("(11)");
    pulse_heap_remove(&worker->class->free, worker);
    worker->credits = 1;
}
END_TEST

START_TEST(a_job_that_was_not_told)
{
    farming_submit(2, 1, 0);
    farming_plan(2, "x@gpu y<x", "y");
    farming_wait(60 * FARMING_S);
    job = pulse_farm_find_job(farm, 2);
    ck_assert_uint_ne(job->stuck_told, 0);
    BREAK(job->stuck_told, 0, "(13)");
}
END_TEST

START_TEST(memory_runs_out)
{
    struct lh_error error = LH_ERROR_INIT;
    testing_fail_allocation(1);
    ck_assert_int_eq(pulse_farm_check(farm, &error), LH_ERR_NO_MEMORY);
    ck_assert(testing_fail_allocation_end());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("check");
    TCase *tests = tcase_create("check");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_holds_holds);
    tcase_add_test(tests, outputs);
    tcase_add_test(tests, shards);
    tcase_add_test(tests, nobody_waits);
    tcase_add_test(tests, jobs);
    tcase_add_test(tests, circles);
    tcase_add_test(tests, workers);
    tcase_add_test(tests, queue);
    tcase_add_test(tests, an_idle_worker);
    tcase_add_test(tests, a_job_that_was_not_told);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
