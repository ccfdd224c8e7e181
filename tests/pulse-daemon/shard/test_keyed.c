/* SPDX-License-Identifier: MIT */
/* pulse-daemon/shard/keyed.c: numbers by digests. */
#include "pulse-daemon/shard/keyed.h"

#include <string.h>

#include "tests/support/testing.h"

/* Many collide: only a few values of the bytes that place them. */
static struct lh_digest key(uint32_t number)
{
    struct lh_digest digest = {{(uint8_t)(number % 3)}};
    memcpy(digest.bytes + 20, &number, sizeof number);
    return digest;
}

START_TEST(what_is_added_is_found)
{
    struct pulse_keyed keyed = {.entries = NULL};
    for (uint32_t i = 0; i < 2000; i++) {
        struct lh_digest one = key(i);
        ck_assert_ptr_null(pulse_keyed_find(&keyed, &one));
        ck_assert_int_eq(pulse_keyed_add(&keyed, &one, i * 7), LH_OK);
        ck_assert_int_eq(pulse_keyed_add(&keyed, &one, 1), LH_OK); /* the first counts */
    }
    ck_assert_uint_eq(keyed.count, 2000);
    for (uint32_t i = 0; i < 2000; i++) {
        struct lh_digest one = key(i);
        const uint32_t *value = pulse_keyed_find(&keyed, &one);
        ck_assert_ptr_nonnull(value);
        ck_assert_uint_eq(*value, i * 7);
    }
    struct lh_digest none = key(2000);
    ck_assert_ptr_null(pulse_keyed_find(&keyed, &none));
    pulse_keyed_fini(&keyed);
    ck_assert_ptr_null(pulse_keyed_find(&keyed, &none));
}
END_TEST

START_TEST(memory_runs_out)
{
    struct pulse_keyed keyed = {.entries = NULL};
    for (uint32_t i = 0; i < 500; i++) {
        struct lh_digest one = key(i);
        testing_fail_allocation(1);
        enum lh_status status = pulse_keyed_add(&keyed, &one, i);
        if (testing_fail_allocation_end()) {
            ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
            ck_assert_ptr_null(pulse_keyed_find(&keyed, &one));
            status = pulse_keyed_add(&keyed, &one, i);
        }
        ck_assert_int_eq(status, LH_OK);
    }
    ck_assert_uint_eq(keyed.count, 500);
    pulse_keyed_fini(&keyed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse/shard/keyed");
    TCase *tcase = tcase_create("keyed");
    tcase_add_test(tcase, what_is_added_is_found);
    tcase_add_test(tcase, memory_runs_out);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
