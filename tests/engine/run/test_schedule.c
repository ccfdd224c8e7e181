/* SPDX-License-Identifier: MIT */
/* The scheduler on plans made by hand: order, dependencies, the window of blocks, early ends, failures. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/run/schedule.h"
#include "tests/support/testing.h"

#define CHAINS 5u
#define BLOCKS 200
#define SLOTS 4u

/*  0 (ordered) ─┬─▶ 2 ─▶ 3 (ordered)
    1 ───────────┘    └─▶ 4            */
static uint32_t consumers[] = {2, 2, 3, 4};
static struct engine_chain chains[CHAINS] = {
    {.ordered = true, .first_consumer = 0, .consumer_count = 1},
    {.first_consumer = 1, .consumer_count = 1},
    {.producers = 2, .depth = 1, .first_consumer = 2, .consumer_count = 2},
    {.producers = 1, .depth = 2, .ordered = true},
    {.producers = 1, .depth = 2},
};

static struct engine_plan make_plan(void)
{
    return (struct engine_plan){.chains = chains,
                                .chain_count = CHAINS,
                                .consumers = consumers,
                                .consumer_count = 4,
                                .slots = SLOTS,
                                .block_count = BLOCKS,
                                .block = 1024};
}

struct record {
    _Atomic bool done[CHAINS][BLOCKS];
    _Atomic unsigned tasks;
    _Atomic unsigned violations;
    _Atomic int64_t blocks; /* the limit handed to the scheduler */
    int64_t end_at;         /* block whose end lowers the limit, or -1 */
    int64_t fail_at;        /* block in which chain 2 fails, or -1 */
    _Atomic int cancel;
    int64_t cancel_at;    /* block in which chain 2 cancels, or -1 */
    int64_t open_fail_at; /* block in which chain 1 fails as soon as it is open, or -1 */
    int64_t race_at;      /* block in which chain 0 fails late, when chain 1 has failed in it and in the next; or -1 */
};

static void demand(struct record *record, uint32_t chain, int64_t block)
{
    if (!atomic_load(&record->done[chain][block])) {
        atomic_fetch_add(&record->violations, 1);
    }
}

static enum lh_status run_task(void *context, uint32_t worker, uint32_t chain, int64_t block, struct lh_error *error)
{
    (void)worker;
    struct record *record = context;
    if (chain == 2) {
        demand(record, 0, block);
        demand(record, 1, block);
    } else if (chain > 2) {
        demand(record, 2, block);
    }
    if (chains[chain].ordered && block > 0) {
        demand(record, chain, block - 1);
    }
    for (uint32_t c = 0; block >= SLOTS && c < CHAINS; c++) {
        demand(record, c, block - SLOTS); /* the slot was free */
    }
    if (atomic_load(&record->done[chain][block])) {
        atomic_fetch_add(&record->violations, 1);
    }
    struct timespec nap = {.tv_nsec = (long)((uint64_t)(block * 7 + chain * 13) % 5 * 10000)};
    nanosleep(&nap, NULL);
    if (chain == 1 && record->race_at >= 0 && (block == record->race_at || block == record->race_at + 1)) {
        return lh_error_set(error, LH_ERR_FAULT, "late", "as asked");
    }
    if (chain == 0 && block == record->race_at) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        return lh_error_set(error, LH_ERR_FAULT, "first", "as asked");
    }
    if (chain == 2 && block == record->fail_at) {
        return lh_error_set(error, LH_ERR_FAULT, "here", "as asked");
    }
    if (chain == 1 && block == record->open_fail_at) {
        return lh_error_set(error, LH_ERR_FAULT, "beyond", "as asked");
    }
    if (chain == 2 && block == record->cancel_at) {
        atomic_store(&record->cancel, 1);
    }
    if (block == record->end_at) {
        atomic_store(&record->blocks, block + 1);
    }
    atomic_store(&record->done[chain][block], true);
    atomic_fetch_add(&record->tasks, 1);
    return LH_OK;
}

static enum lh_status run(uint32_t threads, struct record *record, struct lh_error *error, uint64_t *done_blocks)
{
    struct engine_plan plan = make_plan();
    struct engine_pool *pool;
    _Atomic uint64_t done = 0;
    ck_assert_int_eq(engine_pool_new(threads, &pool, NULL), LH_OK);
    atomic_store(&record->blocks, BLOCKS);
    struct engine_tasks tasks = {.run = run_task, .context = record, .cancel = &record->cancel, .done_blocks = &done};
    enum lh_status status = engine_schedule_run(&plan, pool, &tasks, &record->blocks, error);
    engine_pool_free(pool);
    *done_blocks = atomic_load(&done);
    return status;
}

static struct record *new_record(void)
{
    struct record *record = calloc(1, sizeof *record);
    ck_assert_ptr_nonnull(record);
    record->end_at = record->fail_at = record->cancel_at = record->race_at = record->open_fail_at = -1;
    return record;
}

START_TEST(every_task_runs_once_and_in_order)
{
    static const uint32_t counts[] = {1, 2, 4, 8};
    struct record *record = new_record();
    struct lh_error error = LH_ERROR_INIT;
    uint64_t blocks;
    ck_assert_int_eq(run(counts[_i], record, &error, &blocks), LH_OK);
    ck_assert_uint_eq(atomic_load(&record->tasks), CHAINS * BLOCKS);
    ck_assert_uint_eq(atomic_load(&record->violations), 0);
    ck_assert_uint_eq(blocks, BLOCKS);
    free(record);
}
END_TEST

START_TEST(an_early_end_opens_no_more_blocks)
{
    struct record *record = new_record();
    struct lh_error error = LH_ERROR_INIT;
    uint64_t blocks;
    record->end_at = 20;
    ck_assert_int_eq(run(4, record, &error, &blocks), LH_OK);
    ck_assert_uint_eq(atomic_load(&record->violations), 0);
    ck_assert_uint_ge(blocks, 21);
    ck_assert_uint_le(blocks, 21 + SLOTS);
    free(record);
}
END_TEST

START_TEST(a_failure_ends_the_run_with_its_error)
{
    struct record *record = new_record();
    struct lh_error error = LH_ERROR_INIT;
    uint64_t blocks;
    record->fail_at = 30;
    ck_assert_int_eq(run((uint32_t)_i + 1, record, &error, &blocks), LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "here");
    ck_assert_uint_le(blocks, 30 + SLOTS);
    ck_assert(!atomic_load(&record->done[3][30]));
    free(record);
}
END_TEST

/* Who is told off must not depend on who was faster. */
START_TEST(the_first_of_several_failures_is_told)
{
    static const uint32_t counts[] = {1, 2, 4, 8};
    struct record *record = new_record();
    struct lh_error error = LH_ERROR_INIT;
    uint64_t blocks;
    record->race_at = 5;
    ck_assert_int_eq(run(counts[_i], record, &error, &blocks), LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "first");
    ck_assert_uint_eq(blocks, 5);
    ck_assert_uint_eq(atomic_load(&record->violations), 0);
    free(record);
}
END_TEST

/* A block that was open when the end became known was never wanted. */
START_TEST(a_failure_behind_an_early_end_is_none)
{
    static const uint32_t counts[] = {1, 2, 4, 8};
    for (int64_t ahead = 0; ahead < SLOTS; ahead++) {
        struct record *record = new_record();
        struct lh_error error = LH_ERROR_INIT;
        uint64_t blocks;
        record->end_at = 20;
        record->open_fail_at = 20 + ahead;
        ck_assert_int_eq(run(counts[_i], record, &error, &blocks), ahead == 0 ? LH_ERR_FAULT : LH_OK);
        ck_assert_str_eq(error.where, ahead == 0 ? "beyond" : "");
        ck_assert_uint_eq(atomic_load(&record->violations), 0);
        for (uint32_t c = 0; ahead > 0 && c < CHAINS; c++) {
            ck_assert(atomic_load(&record->done[c][20]));
        }
        free(record);
    }
}
END_TEST

START_TEST(cancelling_ends_the_run)
{
    struct record *record = new_record();
    struct lh_error error = LH_ERROR_INIT;
    uint64_t blocks;
    record->cancel_at = 10;
    ck_assert_int_eq(run(2, record, &error, &blocks), LH_ERR_CANCELLED);
    ck_assert_str_eq(error.message, "interrupted");
    ck_assert_uint_le(blocks, 10 + SLOTS);
    free(record);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    struct engine_plan plan = make_plan();
    struct engine_pool *pool;
    ck_assert_int_eq(engine_pool_new(1, &pool, NULL), LH_OK);
    for (size_t n = 1;; n++) {
        struct record *record = new_record();
        struct lh_error error = LH_ERROR_INIT;
        _Atomic uint64_t done = 0;
        atomic_store(&record->blocks, 8);
        struct engine_tasks tasks = {
            .run = run_task, .context = record, .cancel = &record->cancel, .done_blocks = &done};
        testing_fail_allocation(n);
        enum lh_status status = engine_schedule_run(&plan, pool, &tasks, &record->blocks, &error);
        bool failed = testing_fail_allocation_end();
        free(record);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
    engine_pool_free(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/schedule");
    TCase *tests = tcase_create("schedule");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_task_runs_once_and_in_order, 0, 4);
    tcase_add_test(tests, an_early_end_opens_no_more_blocks);
    tcase_add_loop_test(tests, a_failure_ends_the_run_with_its_error, 0, 4);
    tcase_add_loop_test(tests, the_first_of_several_failures_is_told, 0, 4);
    tcase_add_loop_test(tests, a_failure_behind_an_early_end_is_none, 0, 4);
    tcase_add_test(tests, cancelling_ends_the_run);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
