/* SPDX-License-Identifier: MIT */
/* A full disk comes with advice, other causes as they are. */
#include "engine/io/scratch.h"

#include <errno.h>
#include <string.h>

#include "tests/support/testing.h"

START_TEST(a_full_disk_comes_with_advice)
{
    static const int causes[] = {ENOSPC, EDQUOT};
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        struct lh_error error = LH_ERROR_INIT;
        ck_assert_int_eq(engine_scratch_error(causes[i], &error), LH_ERR_IO);
        ck_assert_str_eq(error.where, "scratch file");
        ck_assert_ptr_nonnull(strstr(error.message, strerror(causes[i])));
        ck_assert_ptr_nonnull(strstr(error.message, "set TMPDIR"));
    }
}
END_TEST

START_TEST(another_cause_stands_alone)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_scratch_error(EIO, &error), LH_ERR_IO);
    ck_assert_str_eq(error.message, strerror(EIO));
    ck_assert_int_eq(engine_scratch_error(EIO, NULL), LH_ERR_IO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/scratch");
    TCase *test = tcase_create("scratch");
    tcase_add_test(test, a_full_disk_comes_with_advice);
    tcase_add_test(test, another_cause_stands_alone);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
