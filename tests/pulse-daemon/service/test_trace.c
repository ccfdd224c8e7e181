/* SPDX-License-Identifier: MIT */
/* pulse-daemon/service/trace.c: what is a traceparent and what is none. */
#include "pulse-daemon/service/trace.h"

#include <string.h>

#include "tests/support/testing.h"

START_TEST(what_is_one)
{
    static const char *const good[] = {
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000001-1000000000000000-00",
        "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(pulse_trace_ok(good[i]), "%s", good[i]);
    }
}
END_TEST

START_TEST(what_is_none)
{
    static const char *const bad[] = {
        "",
        "00",
        "00-",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", /* of nobody */
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47366-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\n",
    };
    ck_assert(!pulse_trace_ok(NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(!pulse_trace_ok(bad[i]), "%s", bad[i]);
    }
}
END_TEST

START_TEST(new_ones)
{
    char one[PULSE_TRACE_SIZE] = "", other[PULSE_TRACE_SIZE] = "";
    ck_assert_int_eq(pulse_trace_make(one, NULL), LH_OK);
    ck_assert_int_eq(pulse_trace_make(other, NULL), LH_OK);
    ck_assert(pulse_trace_ok(one) && pulse_trace_ok(other));
    ck_assert_uint_eq(strlen(one), PULSE_TRACE_SIZE - 1);
    ck_assert_int_ne(memcmp(one, other, 35), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/trace");
    TCase *tests = tcase_create("trace");
    tcase_add_test(tests, what_is_one);
    tcase_add_test(tests, what_is_none);
    tcase_add_test(tests, new_ones);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
