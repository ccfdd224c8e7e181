/* SPDX-License-Identifier: MIT */
/* engine/instance/locate.c: the environment first, then beside the program; else a message that says what to do. */
#include "engine/instance/locate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/testing.h"

START_TEST(environment_comes_first)
{
    char path[PATH_MAX];
    ck_assert_int_eq(setenv("LOOPHOLE_SIGNAL", "/some/where", 1), 0);
    ck_assert_int_eq(engine_instance_locate(path, sizeof path, NULL), LH_OK);
    ck_assert_str_eq(path, "/some/where");
    ck_assert_int_eq(engine_instance_locate(path, strlen("/some/where"), NULL), LH_ERR_LIMIT);
}
END_TEST

/* Nothing lies beside this test's program. */
START_TEST(a_missing_program_is_told)
{
    char path[PATH_MAX];
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(unsetenv("LOOPHOLE_SIGNAL"), 0);
    ck_assert_int_eq(engine_instance_locate(path, sizeof path, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "LOOPHOLE_SIGNAL"));
    ck_assert_int_eq(engine_instance_locate(path, 5, &error), LH_ERR_LIMIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/locate");
    TCase *test = tcase_create("locate");
    tcase_add_test(test, environment_comes_first);
    tcase_add_test(test, a_missing_program_is_told);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
