/* SPDX-License-Identifier: MIT */
/* inventory/bundles: which folders are bundles, and what changes their identity. */
#include "inventory/bundles.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/inventory/folders.h"
#include "tests/support/testing.h"

static struct lh_arena arena;
static struct lh_error error;

static void set_up(void)
{
    folders_begin();
    lh_arena_init(&arena);
    folders_make("one");
    folders_make("one/b.lv2");
    folders_write("one/b.lv2/manifest.ttl", "b");
    folders_write("one/b.lv2/b.ttl", "b");
    folders_write("one/b.lv2/b.so", "b");
    folders_make("one/a");
    folders_write("one/a/manifest.ttl", "a");
    folders_make("one/no.lv2");
    folders_write("one/file", "");
    folders_make("two");
    folders_make("two/c.lv2");
    folders_write("two/c.lv2/manifest.ttl", "c");
    ck_assert_int_eq(symlink("../one/a", folders_path("two/d.lv2")), 0);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
    folders_end();
}

static struct inventory_bundles find(void)
{
    char path[4096];
    struct inventory_bundles bundles;
    snprintf(path, sizeof path, "%s/::%s:%s", folders_path("one"), folders_path("none"), folders_path("two"));
    ck_assert_int_eq(inventory_bundles_find(&arena, path, &bundles, &error), LH_OK);
    return bundles;
}

START_TEST(folders_with_a_manifest_in_the_order_of_the_path)
{
    struct inventory_bundles bundles = find();
    ck_assert_uint_eq(bundles.count, 3); /* the link leads to one that is known */
    ck_assert_str_eq(bundles.items[0].folder, folders_path("one/a/"));
    ck_assert_str_eq(bundles.items[1].folder, folders_path("one/b.lv2/"));
    ck_assert_str_eq(bundles.items[2].folder, folders_path("two/c.lv2/"));
    ck_assert_uint_eq(bundles.root_count, 2);
    ck_assert_str_eq(bundles.roots[1], folders_path("two"));
}
END_TEST

START_TEST(nothing_is_a_path_too)
{
    struct inventory_bundles bundles;
    ck_assert_int_eq(inventory_bundles_find(&arena, "", &bundles, &error), LH_OK);
    ck_assert_uint_eq(bundles.count, 0);
}
END_TEST

START_TEST(who_would_wait_for_ever_is_left_out)
{
    ck_assert_int_eq(mkfifo(folders_path("one/b.lv2/more.ttl"), 0600), 0);
    struct inventory_bundles bundles = find();
    ck_assert_uint_eq(bundles.count, 2);
    ck_assert_str_eq(bundles.items[0].folder, folders_path("one/a/"));
    ck_assert_str_eq(bundles.items[1].folder, folders_path("two/c.lv2/"));
    ck_assert_int_eq(unlink(folders_path("one/b.lv2/more.ttl")), 0);
    ck_assert_int_eq(symlink("/dev/zero", folders_path("one/b.lv2/more.ttl")), 0);
    ck_assert_uint_eq(find().count, 2);
}
END_TEST

static void touch(const char *name)
{
    struct timeval times[2] = {{1, 2}, {3, 4}};
    ck_assert_int_eq(utimes(folders_path(name), times), 0);
}

static void rewrite(const char *name)
{
    folders_write(name, "longer than before");
}

static void take_away(const char *name)
{
    ck_assert_int_eq(unlink(folders_path(name)), 0);
}

START_TEST(what_changes_is_noticed)
{
    static const struct {
        void (*change)(const char *name);
        const char *name;
    } cases[] = {
        {touch, "one/b.lv2/manifest.ttl"}, {rewrite, "one/b.lv2/b.ttl"}, {rewrite, "one/b.lv2/b.so"},
        {rewrite, "one/b.lv2/more.ttl"},   {touch, "one/b.lv2"},         {take_away, "one/b.lv2/b.ttl"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct inventory_bundles before = find(), again = find();
        ck_assert(lh_digest_equal(&before.state, &again.state));
        cases[i].change(cases[i].name);
        struct inventory_bundles after = find();
        ck_assert_msg(!lh_digest_equal(&before.items[1].identity, &after.items[1].identity), "%s", cases[i].name);
        ck_assert(lh_digest_equal(&before.items[0].identity, &after.items[0].identity));
        ck_assert(!lh_digest_equal(&before.state, &after.state));
    }
}
END_TEST

START_TEST(a_single_file_has_an_identity)
{
    struct lh_digest before, after;
    ck_assert(inventory_file_identity(folders_path("one/b.lv2/b.so"), &before));
    rewrite("one/b.lv2/b.so");
    ck_assert(inventory_file_identity(folders_path("one/b.lv2/b.so"), &after));
    ck_assert(!lh_digest_equal(&before, &after));
    ck_assert(!inventory_file_identity(folders_path("none"), &after));
}
END_TEST

START_TEST(memory_runs_out)
{
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        struct inventory_bundles bundles;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = inventory_bundles_find(&own, folders_path("one"), &bundles, &error);
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
    Suite *suite = suite_create("inventory/bundles");
    TCase *tests = tcase_create("bundles");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, folders_with_a_manifest_in_the_order_of_the_path);
    tcase_add_test(tests, nothing_is_a_path_too);
    tcase_add_test(tests, who_would_wait_for_ever_is_left_out);
    tcase_add_test(tests, what_changes_is_noticed);
    tcase_add_test(tests, a_single_file_has_an_identity);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
