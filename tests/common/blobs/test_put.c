/* SPDX-License-Identifier: MIT */
/* Putting and adopting. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/blobs/blobs.h"
#include "tests/common/blobs/folder.h"
#include "tests/support/testing.h"

static char path[FOLDER_SIZE];
static struct lh_blobs *blobs;
static struct lh_error error;

static void setup(void)
{
    folders_make(path, sizeof path);
    blobs = folder_open(path);
    error = LH_ERROR_INIT;
}

static void teardown(void)
{
    lh_blobs_close(blobs);
    folders_remove(path);
}

static struct lh_blobs_usage usage_now(void)
{
    struct lh_blobs_usage usage;
    lh_blobs_usage(blobs, &usage);
    return usage;
}

/* Streams `size` bytes of `seed` in pieces and gives back what finishing said. */
static enum lh_status stream(const struct lh_digest *announced, uint64_t expected, uint64_t seed, size_t size,
                             size_t piece, enum lh_blobs_kind kind, struct lh_blob *blob)
{
    struct lh_blobs_put *put = NULL;
    uint8_t *bytes = folder_bytes(seed, size);
    enum lh_status status = lh_blobs_put_begin(blobs, announced, expected, kind, &put, &error);
    for (size_t done = 0; done < size && status == LH_OK; done += piece) {
        status = lh_blobs_put_write(put, bytes + done, size - done < piece ? size - done : piece, &error);
        ck_assert_uint_eq(status == LH_OK ? lh_blobs_put_size(put) : 0,
                          status == LH_OK ? done + piece < size ? done + piece : size : 0);
    }
    status = status == LH_OK ? lh_blobs_put_finish(put, blob, &error) : status;
    lh_blobs_put_free(put);
    free(bytes);
    return status;
}

START_TEST(test_streams)
{
    static const size_t sizes[] = {0, 1, 4095, 65536, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned known = 0; known < 2; known++) {
            struct lh_digest digest = folder_digest(i * 2 + known, sizes[i]);
            struct lh_blob blob;
            uint64_t expected = known != 0 ? sizes[i] : LH_BLOBS_SIZE_UNKNOWN;
            enum lh_blobs_kind kind = known != 0 ? LH_BLOBS_KEPT : LH_BLOBS_CACHED;
            ck_assert_int_eq(stream(&digest, expected, i * 2 + known, sizes[i], 1000, kind, &blob), LH_OK);
            ck_assert(lh_digest_equal(&blob.digest, &digest));
            ck_assert_uint_eq(blob.size, sizes[i]);
            ck_assert_int_eq(blob.kind, kind);
            ck_assert_str_eq(folder_place(path, &digest), known != 0 ? "kept" : "cached");
            if (sizes[i] == 0) {
                break; /* the empty blob is the same for every seed */
            }
        }
    }
    ck_assert_uint_eq(folder_verify(path), 9);
    ck_assert_uint_eq(folder_count(path, "incoming"), 0);
}
END_TEST

START_TEST(test_refuses_other_bytes)
{
    struct lh_digest digest = folder_digest(1, 100);
    struct lh_blob blob = {.size = 77};
    ck_assert_int_eq(stream(&digest, 100, 2, 100, 100, LH_BLOBS_KEPT, &blob), LH_ERR_FORMAT);
    ck_assert_int_eq(stream(&digest, 99, 1, 100, 100, LH_BLOBS_KEPT, &blob), LH_ERR_FORMAT);
    ck_assert_int_eq(stream(&digest, 101, 1, 100, 100, LH_BLOBS_KEPT, &blob), LH_ERR_FORMAT);
    ck_assert_uint_eq(blob.size, 77);
    ck_assert(!lh_blobs_has(blobs, &digest, NULL));
    ck_assert_uint_eq(folder_verify(path), 0);
    ck_assert_uint_eq(folder_count(path, "incoming"), 0);
    ck_assert_int_eq(stream(&digest, 100, 1, 100, 30, LH_BLOBS_KEPT, &blob), LH_OK);
}
END_TEST

START_TEST(test_leaves_nothing_when_given_up)
{
    struct lh_blobs_put *put = NULL;
    ck_assert_int_eq(lh_blobs_put_begin(blobs, NULL, 100, LH_BLOBS_KEPT, &put, &error), LH_OK);
    ck_assert_int_eq(lh_blobs_put_write(put, "abc", 3, &error), LH_OK);
    ck_assert_uint_eq(folder_count(path, "incoming"), 1);
    lh_blobs_put_free(put);
    lh_blobs_put_free(NULL);
    ck_assert_uint_eq(folder_count(path, "incoming"), 0);
    ck_assert_uint_eq(usage_now().count, 0);
}
END_TEST

START_TEST(test_stores_equal_bytes_once)
{
    struct lh_digest digest = folder_put(blobs, 1, 1000, LH_BLOBS_CACHED);
    folder_put(blobs, 1, 1000, LH_BLOBS_CACHED);
    ck_assert_uint_eq(usage_now().count, 1);
    ck_assert_str_eq(folder_place(path, &digest), "cached");
    folder_put(blobs, 1, 1000, LH_BLOBS_KEPT);
    ck_assert_str_eq(folder_place(path, &digest), "kept");
    ck_assert_uint_eq(usage_now().count, 1);
    ck_assert_uint_eq(usage_now().cached_count, 0);
    folder_put(blobs, 1, 1000, LH_BLOBS_CACHED); /* once kept, always kept */
    ck_assert_str_eq(folder_place(path, &digest), "kept");
    ck_assert_uint_eq(usage_now().bytes, 1000);
    ck_assert_uint_eq(folder_verify(path), 1);
    ck_assert_uint_eq(folder_count(path, "incoming"), 0);
}
END_TEST

START_TEST(test_heals_what_was_deleted_behind_our_back)
{
    struct lh_digest digest = folder_put(blobs, 1, 1000, LH_BLOBS_CACHED);
    ck_assert_int_eq(unlink(folder_blob_path(path, "cached", &digest)), 0);
    folder_put(blobs, 1, 1000, LH_BLOBS_CACHED);
    ck_assert_str_eq(folder_place(path, &digest), "cached");
    ck_assert_uint_eq(usage_now().bytes, 1000);
}
END_TEST

START_TEST(test_keeps_to_quota)
{
    struct lh_blob blob;
    lh_blobs_limit(blobs, 1000, 0);
    folder_put(blobs, 1, 600, LH_BLOBS_KEPT);
    ck_assert_int_eq(stream(NULL, 401, 2, 401, 401, LH_BLOBS_KEPT, &blob), LH_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "quota"));
    ck_assert_int_eq(stream(NULL, LH_BLOBS_SIZE_UNKNOWN, 2, 401, 100, LH_BLOBS_KEPT, &blob), LH_ERR_LIMIT);
    ck_assert_int_eq(stream(NULL, UINT64_MAX - 1, 2, 401, 100, LH_BLOBS_KEPT, &blob), LH_ERR_LIMIT);
    /* Room is taken at the beginning, so that two that do not fit together are not both begun. */
    struct lh_blobs_put *first = NULL, *second = NULL;
    ck_assert_int_eq(lh_blobs_put_begin(blobs, NULL, 300, LH_BLOBS_KEPT, &first, &error), LH_OK);
    ck_assert_int_eq(lh_blobs_put_begin(blobs, NULL, 300, LH_BLOBS_KEPT, &second, &error), LH_ERR_LIMIT);
    lh_blobs_put_free(first);
    ck_assert_int_eq(stream(NULL, 400, 2, 400, 100, LH_BLOBS_KEPT, &blob), LH_OK);
    ck_assert_uint_eq(usage_now().bytes, 1000);
    lh_blobs_limit(blobs, 0, 0);
    ck_assert_int_eq(stream(NULL, 500, 3, 500, 100, LH_BLOBS_KEPT, &blob), LH_OK);
}
END_TEST

START_TEST(test_leaves_space_free)
{
    struct lh_blob blob;
    lh_blobs_limit(blobs, 0, UINT64_MAX / 2);
    ck_assert_int_eq(stream(NULL, 1, 2, 1, 1, LH_BLOBS_KEPT, &blob), LH_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "free"));
    ck_assert_uint_eq(usage_now().free_bytes, 0);
    lh_blobs_limit(blobs, 0, 1);
    ck_assert_int_eq(stream(NULL, 1, 2, 1, 1, LH_BLOBS_KEPT, &blob), LH_OK);
}
END_TEST

/* ---- Adopting */

static struct lh_blob hand_over(char *name, uint64_t seed, size_t size, enum lh_blobs_kind kind)
{
    int fd = -1;
    uint8_t *bytes = folder_bytes(seed, size);
    ck_assert_int_eq(lh_blobs_hand_over(path, name, &fd, &error), LH_OK);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    free(bytes);
    return (struct lh_blob){.digest = folder_digest(seed, size), .size = size, .kind = kind};
}

START_TEST(test_adopts)
{
    for (unsigned verify = 0; verify < 2; verify++) {
        char name[LH_BLOBS_NAME_SIZE];
        struct lh_blob blob, told = hand_over(name, verify, 5000, verify != 0 ? LH_BLOBS_KEPT : LH_BLOBS_CACHED);
        ck_assert_int_eq(lh_blobs_adopt(blobs, name, &told, verify != 0, &blob, &error), LH_OK);
        ck_assert_uint_eq(blob.size, 5000);
        ck_assert_int_eq(blob.kind, told.kind);
        ck_assert_int_eq(lh_blobs_adopt(blobs, name, &told, false, &blob, &error), LH_ERR_MISSING);
    }
    ck_assert_uint_eq(folder_verify(path), 2);
    ck_assert_uint_eq(folder_count(path, "incoming"), 0);
    char name[LH_BLOBS_NAME_SIZE];
    struct lh_blob blob, told = hand_over(name, 0, 5000, LH_BLOBS_CACHED);
    ck_assert_int_eq(lh_blobs_adopt(blobs, name, &told, false, &blob, &error), LH_OK); /* is there already */
    ck_assert_uint_eq(usage_now().count, 2);
    ck_assert_uint_eq(folder_count(path, "incoming"), 0);
}
END_TEST

START_TEST(test_does_not_adopt_what_it_should_not)
{
    char name[LH_BLOBS_NAME_SIZE];
    struct lh_blob blob, told = hand_over(name, 1, 5000, LH_BLOBS_CACHED);
    struct lh_blob longer = told, other = told;
    longer.size++;
    other.digest.bytes[0] ^= 1;
    ck_assert_int_eq(lh_blobs_adopt(blobs, name, &longer, false, &blob, &error), LH_ERR_FORMAT);
    ck_assert_int_eq(lh_blobs_adopt(blobs, name, &other, true, &blob, &error), LH_ERR_FORMAT);
    ck_assert_uint_eq(folder_count(path, "incoming"), 1);
    static const char *const names[] = {"",
                                        "from-",
                                        "put-0",
                                        "../lock",
                                        "from-ab/../../lock",
                                        "from-AB",
                                        "from-0",
                                        "from-000000000000000000000000000000000000000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert_int_ne(lh_blobs_adopt(blobs, names[i], &told, false, &blob, &error), LH_OK);
    }
    /* Two names: whoever has the other one could still write. */
    ck_assert_int_eq(link(folder_path(path, "incoming/%s", name), folder_path(path, "other")), 0);
    ck_assert_int_eq(lh_blobs_adopt(blobs, name, &told, false, &blob, &error), LH_ERR_FORMAT);
    ck_assert_int_eq(symlink("../other", folder_path(path, "incoming/from-00")), 0);
    ck_assert_int_eq(lh_blobs_adopt(blobs, "from-00", &told, false, &blob, &error), LH_ERR_MISSING);
    ck_assert_int_eq(mkfifo(folder_path(path, "incoming/from-01"), 0600), 0);
    ck_assert_int_eq(lh_blobs_adopt(blobs, "from-01", &told, false, &blob, &error), LH_ERR_FORMAT);
    ck_assert_uint_eq(usage_now().count, 0);
    lh_blobs_limit(blobs, 4999, 0);
    told = hand_over(name, 2, 5000, LH_BLOBS_CACHED);
    ck_assert_int_eq(lh_blobs_adopt(blobs, name, &told, false, &blob, &error), LH_ERR_LIMIT);
    lh_blobs_limit(blobs, 5000, 0);
    ck_assert_int_eq(lh_blobs_adopt(blobs, name, &told, false, &blob, &error), LH_OK);
}
END_TEST

START_TEST(test_nth_allocation_fails)
{
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct lh_blob blob;
        testing_fail_allocation(n);
        enum lh_status status = lh_blobs_put_bytes(blobs, &n, sizeof n, LH_BLOBS_CACHED, &blob, &error);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert_uint_eq(usage_now().count, failed ? 0 : 1);
        ck_assert_uint_eq(folder_count(path, "incoming"), 0);
        ck_assert_uint_lt(n, 100);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/blobs/put");
    TCase *tests = tcase_create("put");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_streams);
    tcase_add_test(tests, test_refuses_other_bytes);
    tcase_add_test(tests, test_leaves_nothing_when_given_up);
    tcase_add_test(tests, test_stores_equal_bytes_once);
    tcase_add_test(tests, test_heals_what_was_deleted_behind_our_back);
    tcase_add_test(tests, test_keeps_to_quota);
    tcase_add_test(tests, test_leaves_space_free);
    tcase_add_test(tests, test_adopts);
    tcase_add_test(tests, test_does_not_adopt_what_it_should_not);
    tcase_add_test(tests, test_nth_allocation_fails);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
