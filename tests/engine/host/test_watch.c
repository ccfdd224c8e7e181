/* SPDX-License-Identifier: MIT */
/* The watch page around calls, and the floating environment with it. */
#include <xmmintrin.h>

#include "engine/host/call.h"
#include "graph/graph.h"
#include "tests/support/testing.h"

START_TEST(a_slot_tells_who_is_inside)
{
    struct engine_watch_slot slot = {.phase = ENGINE_WATCH_OUTSIDE};
    engine_watch_enter(&slot, ENGINE_WATCH_RUN, 7, 4096);
    ck_assert_ptr_eq(engine_watch_current, &slot);
    ck_assert_uint_eq(slot.phase, ENGINE_WATCH_RUN);
    ck_assert_uint_eq(slot.node, 7);
    ck_assert_int_eq(slot.frame, 4096);
    ck_assert_uint_eq(slot.calls, 1);
    engine_watch_leave();
    ck_assert_ptr_null(engine_watch_current);
    ck_assert_uint_eq(slot.phase, ENGINE_WATCH_OUTSIDE);
    engine_watch_enter(&slot, ENGINE_WATCH_FREE, GRAPH_NONE, 0);
    ck_assert_uint_eq(slot.calls, 2);
    engine_watch_leave();
}
END_TEST

START_TEST(without_a_slot_nothing_is_told)
{
    engine_watch_enter(NULL, ENGINE_WATCH_RUN, 7, 4096);
    ck_assert_ptr_null(engine_watch_current);
    engine_watch_leave();
    ck_assert_ptr_null(engine_watch_current);
}
END_TEST

START_TEST(the_floating_environment_comes_back_whole)
{
    unsigned before = _mm_getcsr();
    uint16_t x87_before;
    __asm__ __volatile__("fnstcw %0" : "=m"(x87_before));
    struct engine_call call = engine_call_enter(NULL, ENGINE_WATCH_RUN, 0, 0, NULL);
    ck_assert_uint_eq(_mm_getcsr() & 0xffc0u, 0x9fc0u);
    const uint16_t rude = 0x0c7f; /* single precision, towards zero */
    __asm__ __volatile__("fldcw %0" : : "m"(rude));
    _mm_setcsr(0x7f80u & ~0x8040u);
    engine_call_leave(&call);
    uint16_t x87_after;
    __asm__ __volatile__("fnstcw %0" : "=m"(x87_after));
    ck_assert_uint_eq(_mm_getcsr(), before);
    ck_assert_uint_eq(x87_after, x87_before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/host/watch");
    TCase *tests = tcase_create("watch");
    tcase_add_test(tests, a_slot_tells_who_is_inside);
    tcase_add_test(tests, without_a_slot_nothing_is_told);
    tcase_add_test(tests, the_floating_environment_comes_back_whole);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
