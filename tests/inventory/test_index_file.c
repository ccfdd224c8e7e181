/* SPDX-License-Identifier: MIT */
/* inventory/index_file: the same bytes come back, and any damage is noticed. */
#include "inventory/index_file.h"

#include <string.h>

#include "tests/support/testing.h"

static struct lh_arena arena;
static struct lh_writer writer;
static const struct inventory_index_stamp stamp = {.describer = "v1", .search_path = "/a:/b"};
static struct inventory_index_bundle bundles[2];
static struct inventory_index_entry entries[2];
static const char *absent[1] = {"lv2:none"};
static struct inventory_index_content content;

static void set_up(void)
{
    lh_arena_init(&arena);
    lh_writer_init(&writer);
    bundles[0] = (struct inventory_index_bundle){"/a/one/", {{1}}, false};
    bundles[1] = (struct inventory_index_bundle){"/a/two/", {{2}}, true};
    entries[0] = (struct inventory_index_entry){
        .uri = "lv2:a", .name = "A", .bundle = 1, .outside = "", .record = (const uint8_t *)"first", .record_size = 5};
    entries[1] = (struct inventory_index_entry){.uri = "lv2:b",
                                                .name = "B",
                                                .bundle = 1,
                                                .outside = "/lib/b.so",
                                                .outside_identity = {{3}},
                                                .record = (const uint8_t *)"other",
                                                .record_size = 5};
    content = (struct inventory_index_content){.state = {{9}},
                                               .complete = true,
                                               .bundles = bundles,
                                               .bundle_count = 2,
                                               .entries = entries,
                                               .entry_count = 2,
                                               .absent = absent,
                                               .absent_count = 1};
}

static void tear_down(void)
{
    lh_writer_fini(&writer);
    lh_arena_fini(&arena);
}

static enum lh_status read_back(const struct inventory_index_stamp *asked, struct inventory_index_content *read)
{
    return inventory_index_content_read(&arena, writer.data, writer.size, asked, read);
}

START_TEST(written_is_read)
{
    struct inventory_index_content read;
    inventory_index_content_write(&writer, &stamp, &content);
    ck_assert_int_eq(read_back(&stamp, &read), LH_OK);
    ck_assert(read.complete && lh_digest_equal(&read.state, &content.state));
    ck_assert_uint_eq(read.bundle_count, 2);
    ck_assert_str_eq(read.bundles[1].folder, "/a/two/");
    ck_assert(read.bundles[1].holds_plugins && !read.bundles[0].holds_plugins);
    ck_assert_uint_eq(read.entry_count, 2);
    ck_assert_str_eq(read.entries[1].outside, "/lib/b.so");
    ck_assert_uint_eq(read.entries[1].outside_identity.bytes[0], 3);
    ck_assert_mem_eq(read.entries[0].record, "first", 5);
    ck_assert_mem_eq(read.entries[1].record, "other", 5);
    ck_assert_uint_eq(read.absent_count, 1);
    ck_assert_str_eq(read.absent[0], "lv2:none");
}
END_TEST

START_TEST(of_another_stamp_is_none)
{
    struct inventory_index_content read;
    inventory_index_content_write(&writer, &stamp, &content);
    ck_assert_int_eq(read_back(&(struct inventory_index_stamp){"v2", "/a:/b"}, &read), LH_ERR_FORMAT);
    ck_assert_int_eq(read_back(&(struct inventory_index_stamp){"v1", "/a"}, &read), LH_ERR_FORMAT);
}
END_TEST

START_TEST(any_damage_is_noticed)
{
    struct inventory_index_content read;
    inventory_index_content_write(&writer, &stamp, &content);
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(inventory_index_content_read(&arena, writer.data, size, &stamp, &read), LH_ERR_FORMAT);
    }
    for (size_t i = 0; i < writer.size * 8; i++) {
        writer.data[i / 8] ^= (uint8_t)(1u << (i % 8));
        ck_assert_int_eq(read_back(&stamp, &read), LH_ERR_FORMAT);
        writer.data[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    ck_assert_int_eq(read_back(&stamp, &read), LH_OK);
}
END_TEST

/* Whoever wrote the digest may have lied before it. */
START_TEST(what_makes_no_sense_is_refused)
{
    struct inventory_index_content read;
    entries[0].bundle = 2;
    inventory_index_content_write(&writer, &stamp, &content);
    ck_assert_int_eq(read_back(&stamp, &read), LH_ERR_FORMAT);
    lh_writer_fini(&writer);
    entries[0].bundle = 1;
    entries[0].uri = "lv2:b";
    inventory_index_content_write(&writer, &stamp, &content);
    ck_assert_int_eq(read_back(&stamp, &read), LH_ERR_FORMAT);
    lh_writer_fini(&writer);
    entries[0].uri = "lv2:a";
    inventory_index_content_write(&writer, &stamp, &content);
    for (size_t i = 0; i + LH_DIGEST_SIZE < writer.size; i++) { /* any byte may be wrong, none may crash */
        struct lh_digest digest;
        uint8_t before = writer.data[i];
        writer.data[i] = (uint8_t)(before + 101);
        ck_assert_int_eq(lh_digest_bytes(writer.data, writer.size - LH_DIGEST_SIZE, &digest), LH_OK);
        memcpy(writer.data + writer.size - LH_DIGEST_SIZE, digest.bytes, LH_DIGEST_SIZE);
        enum lh_status status = read_back(&stamp, &read);
        ck_assert(status == LH_OK || status == LH_ERR_FORMAT);
        writer.data[i] = before;
    }
}
END_TEST

START_TEST(memory_runs_out)
{
    inventory_index_content_write(&writer, &stamp, &content);
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        struct inventory_index_content read;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = inventory_index_content_read(&own, writer.data, writer.size, &stamp, &read);
        bool fired = testing_fail_allocation_end();
        lh_arena_fini(&own);
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        if (!fired) {
            break;
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inventory/index_file");
    TCase *tests = tcase_create("index_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, written_is_read);
    tcase_add_test(tests, of_another_stamp_is_none);
    tcase_add_test(tests, any_damage_is_noticed);
    tcase_add_test(tests, what_makes_no_sense_is_refused);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
