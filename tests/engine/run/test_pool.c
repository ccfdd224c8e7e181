/* SPDX-License-Identifier: MIT */
/* The thread pool: every worker once, results visible, floating environment entered and left. */
#include <stdatomic.h>
#include <stdint.h>
#include <xmmintrin.h>

#include "engine/run/pool.h"
#include "tests/support/testing.h"

#define THREADS_MOST 16u

struct counts {
    _Atomic unsigned calls[THREADS_MOST];
    _Atomic unsigned flushing; /* calls that found denormals flushed */
};

static void count_call(void *context, uint32_t worker)
{
    struct counts *counts = context;
    atomic_fetch_add(&counts->calls[worker], 1);
    volatile float small = 1e-38f;
    if (small * 0.01f == 0.0f) {
        atomic_fetch_add(&counts->flushing, 1);
    }
}

START_TEST(every_worker_is_called_once)
{
    for (uint32_t threads = 1; threads <= THREADS_MOST; threads *= 4) {
        struct engine_pool *pool;
        struct lh_error error = LH_ERROR_INIT;
        ck_assert_int_eq(engine_pool_new(threads, &pool, &error), LH_OK);
        ck_assert_uint_eq(engine_pool_threads(pool), threads);
        struct counts counts = {.flushing = 0};
        for (unsigned round = 1; round <= 50; round++) {
            engine_pool_run(pool, count_call, &counts);
            for (uint32_t w = 0; w < threads; w++) {
                ck_assert_uint_eq(atomic_load(&counts.calls[w]), round);
            }
        }
        ck_assert_uint_eq(atomic_load(&counts.flushing), 50 * threads);
        engine_pool_free(pool);
    }
}
END_TEST

START_TEST(the_callers_environment_comes_back)
{
    struct engine_pool *pool;
    ck_assert_int_eq(engine_pool_new(2, &pool, NULL), LH_OK);
    unsigned before = _mm_getcsr();
    struct counts counts = {.flushing = 0};
    engine_pool_run(pool, count_call, &counts);
    ck_assert_uint_eq(_mm_getcsr() & 0xffc0u, before & 0xffc0u);
    engine_pool_free(pool);
    engine_pool_free(NULL);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    for (size_t n = 1;; n++) {
        struct engine_pool *pool = NULL;
        struct lh_error error = LH_ERROR_INIT;
        testing_fail_allocation(n);
        enum lh_status status = engine_pool_new(4, &pool, &error);
        bool failed = testing_fail_allocation_end();
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            engine_pool_free(pool);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
        ck_assert_ptr_null(pool);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/pool");
    TCase *tests = tcase_create("pool");
    tcase_add_test(tests, every_worker_is_called_once);
    tcase_add_test(tests, the_callers_environment_comes_back);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
