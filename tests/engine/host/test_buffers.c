/* SPDX-License-Identifier: MIT */
/* Guarded buffers: zeroed, aligned, their ends at the guard, and the guards really there. */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "engine/host/buffers.h"
#include "tests/support/testing.h"

static const size_t sizes[] = {4096, 0, 256, 16384 + 64, 4};
#define COUNT (sizeof sizes / sizeof *sizes)

START_TEST(buffers_end_at_a_page)
{
    struct engine_buffers buffers = {.base = NULL};
    void *places[COUNT];
    ck_assert_int_eq(engine_buffers_new(sizes, COUNT, &buffers, places, NULL), LH_OK);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < COUNT; i++) {
        if (sizes[i] == 0) {
            ck_assert_ptr_null(places[i]);
            continue;
        }
        const uint8_t *bytes = places[i];
        ck_assert_uint_eq(((uintptr_t)bytes + sizes[i]) % page, 0);
        for (size_t k = 0; k < sizes[i]; k++) {
            ck_assert_uint_eq(bytes[k], 0);
        }
        memset(places[i], 0x55, sizes[i]);
    }
    engine_buffers_free(&buffers);
    ck_assert_ptr_null(buffers.base);
    engine_buffers_free(&buffers);
    engine_buffers_free(NULL);
}
END_TEST

START_TEST(one_byte_past_the_end_is_a_fault)
{
    struct engine_buffers buffers;
    void *places[COUNT];
    ck_assert_int_eq(engine_buffers_new(sizes, COUNT, &buffers, places, NULL), LH_OK);
    ((volatile uint8_t *)places[0])[sizes[0]] = 1;
}
END_TEST

START_TEST(one_byte_before_a_whole_page_is_a_fault)
{
    struct engine_buffers buffers;
    void *places[COUNT];
    ck_assert_int_eq(engine_buffers_new(sizes, COUNT, &buffers, places, NULL), LH_OK);
    ((volatile uint8_t *)places[0])[-1] = 1;
}
END_TEST

START_TEST(what_cannot_be_had_is_a_status)
{
    const size_t mad[] = {SIZE_MAX / 2, 64};
    const size_t large[] = {SIZE_MAX / 8, 64};
    struct engine_buffers buffers = {.base = NULL};
    void *places[2];
    ck_assert_int_eq(engine_buffers_new(mad, 2, &buffers, places, NULL), LH_ERR_NO_MEMORY);
    ck_assert_int_eq(engine_buffers_new(large, 2, &buffers, places, NULL), LH_ERR_NO_MEMORY);
    ck_assert_ptr_null(buffers.base);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/host/buffers");
    TCase *tests = tcase_create("buffers");
    tcase_add_test(tests, buffers_end_at_a_page);
    tcase_add_test_raise_signal(tests, one_byte_past_the_end_is_a_fault, SIGSEGV);
    tcase_add_test_raise_signal(tests, one_byte_before_a_whole_page_is_a_fault, SIGSEGV);
    tcase_add_test(tests, what_cannot_be_had_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
