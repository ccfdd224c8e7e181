/* SPDX-License-Identifier: MIT */
/* Needs as bytes: what goes in comes out, and nothing else is believed. */
#include "pulse-daemon/store/needs.h"

#include <stdlib.h>
#include <string.h>

#include "tests/pulse-daemon/store/fixture.h"

START_TEST(what_goes_in_comes_out)
{
    struct pulse_change change;
    struct pulse_needs_row read = {.engine = NULL}, bare = {.engine = "", .cpu_class = ""};
    struct lh_arena arena;
    const void *body = NULL;
    size_t size = 0;
    fixture_needs(&change);
    lh_arena_init(&arena);
    OK(pulse_needs_encode(&change.needs, &arena, &body, &size));
    OK(pulse_needs_decode(body, size, &arena, &read, &fixture_error));
    ck_assert_str_eq(read.engine, change.needs.engine);
    ck_assert_str_eq(read.cpu_class, change.needs.cpu_class);
    ck_assert(read.tag_count == 2 && read.plugin_count == 2);
    ck_assert_str_eq(read.tags[0], "big");
    ck_assert(lh_digest_equal(&read.plugins[0], &change.needs.plugins[0]));
    OK(pulse_needs_encode(&bare, &arena, &body, &size));
    OK(pulse_needs_decode(body, size, &arena, &read, &fixture_error));
    ck_assert(read.tag_count == 0 && read.plugin_count == 0 && read.engine[0] == '\0');
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(other_bytes_are_refused)
{
    struct pulse_change change;
    struct pulse_needs_row read = {.engine = NULL};
    struct lh_arena arena;
    const void *body = NULL;
    size_t size = 0;
    fixture_needs(&change);
    lh_arena_init(&arena);
    OK(pulse_needs_encode(&change.needs, &arena, &body, &size));
    uint8_t *copy = malloc(size + 1);
    for (size_t length = 0; length < size; length++) {
        memcpy(copy, body, length);
        FAILS(pulse_needs_decode(copy, length, &arena, &read, &fixture_error), LH_ERR_FORMAT);
    }
    memcpy(copy, body, size);
    copy[size] = 0;
    FAILS(pulse_needs_decode(copy, size + 1, &arena, &read, &fixture_error), LH_ERR_FORMAT);
    for (size_t at = 0; at < size; at++) { /* whatever it gives, it ends */
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[at] ^= (uint8_t)(1u << bit);
            enum lh_status status = pulse_needs_decode(copy, size, &arena, &read, &fixture_error);
            ck_assert(status == LH_OK || status == LH_ERR_FORMAT);
            copy[at] ^= (uint8_t)(1u << bit);
        }
    }
    free(copy);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(any_allocation_may_fail)
{
    struct pulse_change change;
    bool failed = true;
    fixture_needs(&change);
    for (size_t n = 1; failed; n++) {
        struct pulse_needs_row read = {.engine = NULL};
        struct lh_arena arena;
        const void *body = NULL;
        size_t size = 0;
        lh_arena_init(&arena);
        testing_fail_allocation(n);
        enum lh_status status = pulse_needs_encode(&change.needs, &arena, &body, &size);
        status = status == LH_OK ? pulse_needs_decode(body, size, &arena, &read, &fixture_error) : status;
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        lh_arena_fini(&arena);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/store/needs");
    TCase *tests = tcase_create("needs");
    tcase_add_test(tests, what_goes_in_comes_out);
    tcase_add_test(tests, other_bytes_are_refused);
    tcase_add_test(tests, any_allocation_may_fail);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
