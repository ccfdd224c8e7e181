/* SPDX-License-Identifier: MIT */
/* The writer's bytes and the reader's bounds. */
#include "common/base/bytes.h"

#include <math.h>
#include <string.h>

#include "tests/support/testing.h"

static void write_one_of_each(struct lh_writer *writer)
{
    lh_writer_u8(writer, 0x12);
    lh_writer_u16(writer, 0x3456);
    lh_writer_u32(writer, 0x789ABCDE);
    lh_writer_u64(writer, UINT64_C(0x0123456789ABCDEF));
    lh_writer_i64(writer, -2);
    lh_writer_f32(writer, 1.0F);
    lh_writer_f64(writer, -2.0);
    lh_writer_text(writer, "hi");
}

START_TEST(bytes_are_little_endian)
{
    static const uint8_t expected[] = {
        0x12, 0x56, 0x34, 0xDE, 0xBC, 0x9A, 0x78, 0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23,
        0x01, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x80, 0x3F, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xC0, 0x02, 0x00, 0x00, 0x00, 'h',  'i',
    };
    struct lh_writer writer;
    lh_writer_init(&writer);
    write_one_of_each(&writer);
    ck_assert_int_eq(lh_writer_status(&writer), LH_OK);
    ck_assert_uint_eq(writer.size, sizeof expected);
    ck_assert_mem_eq(writer.data, expected, sizeof expected);
    lh_writer_fini(&writer);
    lh_writer_fini(NULL);
}
END_TEST

START_TEST(what_is_written_is_read)
{
    struct lh_writer writer;
    struct lh_reader reader;
    size_t length = 0;
    lh_writer_init(&writer);
    write_one_of_each(&writer);
    lh_reader_init(&reader, writer.data, writer.size);
    ck_assert_uint_eq(lh_reader_u8(&reader), 0x12);
    ck_assert_uint_eq(lh_reader_u8(&reader), 0x56);
    ck_assert_uint_eq(lh_reader_u8(&reader), 0x34);
    ck_assert_uint_eq(lh_reader_u32(&reader), 0x789ABCDE);
    ck_assert_uint_eq(lh_reader_u64(&reader), UINT64_C(0x0123456789ABCDEF));
    ck_assert_int_eq(lh_reader_i64(&reader), -2);
    ck_assert(lh_reader_f32(&reader) == 1.0F);
    ck_assert(lh_reader_f64(&reader) == -2.0);
    ck_assert(!lh_reader_done(&reader));
    const char *text = lh_reader_text(&reader, 2, &length);
    ck_assert_uint_eq(length, 2);
    ck_assert_mem_eq(text, "hi", 2);
    ck_assert(lh_reader_done(&reader));
    lh_writer_fini(&writer);
}
END_TEST

START_TEST(every_nan_is_one_nan)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_f64(&writer, NAN);
    lh_writer_f64(&writer, -NAN);
    lh_writer_f32(&writer, NAN);
    lh_writer_f32(&writer, -NAN);
    ck_assert_mem_eq(writer.data, writer.data + 8, 8);
    ck_assert_mem_eq(writer.data + 16, writer.data + 20, 4);
    lh_writer_fini(&writer);
}
END_TEST

START_TEST(a_short_read_gives_zeros_from_then_on)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7};
    struct lh_reader reader;
    lh_reader_init(&reader, data, sizeof data);
    ck_assert_uint_eq(lh_reader_u32(&reader), 0x04030201);
    ck_assert_uint_eq(lh_reader_u32(&reader), 0);
    ck_assert(!lh_reader_ok(&reader));
    ck_assert_uint_eq(lh_reader_u8(&reader), 0);
    ck_assert_ptr_null(lh_reader_view(&reader, 1));
    ck_assert(!lh_reader_done(&reader));
}
END_TEST

START_TEST(a_text_past_its_limit_is_refused)
{
    struct lh_writer writer;
    struct lh_reader reader;
    size_t length = 9;
    lh_writer_init(&writer);
    lh_writer_text(&writer, "abc");
    lh_reader_init(&reader, writer.data, writer.size);
    ck_assert_ptr_null(lh_reader_text(&reader, 2, &length));
    ck_assert_uint_eq(length, 0);
    ck_assert(!lh_reader_ok(&reader));
    writer.data[0] = 0xFF; /* a length that lies */
    writer.data[3] = 0xFF;
    lh_reader_init(&reader, writer.data, writer.size);
    ck_assert_ptr_null(lh_reader_text(&reader, SIZE_MAX, &length));
    ck_assert(!lh_reader_ok(&reader));
    lh_writer_fini(&writer);
}
END_TEST

START_TEST(an_empty_text_is_a_text)
{
    static const uint8_t data[4] = {0};
    struct lh_reader reader;
    size_t length = 9;
    lh_reader_init(&reader, data, sizeof data);
    ck_assert_ptr_nonnull(lh_reader_text(&reader, 0, &length));
    ck_assert_uint_eq(length, 0);
    ck_assert(lh_reader_done(&reader));
}
END_TEST

START_TEST(the_writer_grows)
{
    struct lh_writer writer;
    static uint8_t block[1000];
    lh_writer_init(&writer);
    for (size_t i = 0; i < 1000; i++) {
        memset(block, (int)(i & 0xFF), sizeof block);
        lh_writer_bytes(&writer, block, i);
        lh_writer_bytes(&writer, NULL, 0);
    }
    ck_assert_int_eq(lh_writer_status(&writer), LH_OK);
    ck_assert_uint_eq(writer.size, 999 * 1000 / 2);
    ck_assert_uint_eq(writer.data[writer.size - 1], 999 & 0xFF);
    lh_writer_fini(&writer);
}
END_TEST

START_TEST(memory_running_out_is_told_at_the_end)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_u32(&writer, 7);
    testing_fail_allocation(1);
    for (size_t i = 0; i < 1000; i++) {
        lh_writer_u32(&writer, 8);
    }
    ck_assert(testing_fail_allocation_end());
    ck_assert_int_eq(lh_writer_status(&writer), LH_ERR_NO_MEMORY);
    ck_assert_uint_lt(writer.size, 4004);
    lh_writer_fini(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/bytes");
    TCase *tests = tcase_create("bytes");
    tcase_add_test(tests, bytes_are_little_endian);
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, every_nan_is_one_nan);
    tcase_add_test(tests, a_short_read_gives_zeros_from_then_on);
    tcase_add_test(tests, a_text_past_its_limit_is_refused);
    tcase_add_test(tests, an_empty_text_is_a_text);
    tcase_add_test(tests, the_writer_grows);
    tcase_add_test(tests, memory_running_out_is_told_at_the_end);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
