/* SPDX-License-Identifier: MIT */
/* Removing and evicting, also while others put and hold. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

START_TEST(test_removes)
{
    struct lh_digest digest = folder_put(blobs, 1, 1000, LH_BLOBS_KEPT);
    uint64_t size = 0;
    ck_assert(lh_blobs_mark(blobs, &digest, 0));
    ck_assert_int_eq(lh_blobs_remove(blobs, &digest, &size, &error), LH_OK);
    ck_assert_uint_eq(size, 1000);
    ck_assert_str_eq(folder_place(path, &digest), "");
    ck_assert_uint_eq(usage_now().bytes, 0);
    ck_assert_uint_eq(folder_count(path, "trash"), 1);
    lh_blobs_empty_trash(blobs);
    ck_assert_uint_eq(folder_count(path, "trash"), 0);
    ck_assert(!lh_blobs_mark(blobs, &digest, 0));
}
END_TEST

START_TEST(test_evicts_what_was_not_used_for_longest)
{
    struct lh_digest digests[6];
    uint64_t freed = 77;
    for (uint64_t i = 0; i < 6; i++) {
        digests[i] = folder_put(blobs, i, 100, i == 1 ? LH_BLOBS_KEPT : LH_BLOBS_CACHED);
    }
    lh_blobs_limit(blobs, 600, 0);
    ck_assert_int_eq(lh_blobs_evict(blobs, 0, &freed, &error), LH_OK);
    ck_assert_uint_eq(freed, 0);
    ck_assert_int_eq(lh_blobs_hold(blobs, &digests[0], NULL, &error), LH_OK); /* also used now */
    lh_blobs_release(blobs, &digests[0]);
    ck_assert_int_eq(lh_blobs_hold(blobs, &digests[2], NULL, &error), LH_OK);
    ck_assert_uint_eq(lh_blobs_excess(blobs, 150), 150);
    ck_assert_int_eq(lh_blobs_evict(blobs, 150, &freed, &error), LH_OK);
    ck_assert_uint_eq(freed, 200);
    static const bool there[] = {true, true, true, false, false, true};
    for (unsigned i = 0; i < 6; i++) {
        ck_assert_int_eq(lh_blobs_has(blobs, &digests[i], NULL), there[i]);
    }
    ck_assert_uint_eq(folder_count(path, "trash"), 0);
    /* More than there is: what is kept or held stays. */
    ck_assert_int_eq(lh_blobs_evict(blobs, UINT64_MAX, &freed, &error), LH_OK);
    ck_assert_uint_eq(freed, 200);
    ck_assert_uint_eq(usage_now().count, 2);
    lh_blobs_release(blobs, &digests[2]);
}
END_TEST

/* ---- Waiting */

struct bringer {
    pthread_t thread;
    _Atomic bool done;
    bool by_hold;
    struct lh_digest digest;
    enum lh_status status;
};

static void *bring(void *context)
{
    struct bringer *bringer = context;
    struct lh_blob blob;
    uint8_t *bytes = folder_bytes(1, 1000);
    struct lh_error own = LH_ERROR_INIT;
    bringer->status = bringer->by_hold ? lh_blobs_hold(blobs, &bringer->digest, NULL, &own)
                                       : lh_blobs_put_bytes(blobs, bytes, 1000, LH_BLOBS_CACHED, &blob, &own);
    atomic_store(&bringer->done, true);
    free(bytes);
    return NULL;
}

static void start_bringers(struct bringer *bringers, const struct lh_digest *digest)
{
    for (unsigned i = 0; i < 2; i++) {
        bringers[i] = (struct bringer){.by_hold = i == 1, .digest = *digest};
        ck_assert_int_eq(pthread_create(&bringers[i].thread, NULL, bring, &bringers[i]), 0);
    }
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    ck_assert(!atomic_load(&bringers[0].done));
    ck_assert(!atomic_load(&bringers[1].done));
}

START_TEST(test_puts_of_a_marked_digest_wait)
{
    struct lh_digest digest = folder_put(blobs, 1, 1000, LH_BLOBS_CACHED);
    struct bringer bringers[2];
    ck_assert(lh_blobs_mark(blobs, &digest, 0));
    start_bringers(bringers, &digest);
    ck_assert_int_eq(lh_blobs_remove(blobs, &digest, NULL, &error), LH_OK);
    pthread_join(bringers[0].thread, NULL);
    pthread_join(bringers[1].thread, NULL);
    ck_assert_int_eq(bringers[0].status, LH_OK);
    /* Whoever wanted to hold it found it gone, or brought again: which of the two is up to chance. */
    ck_assert(bringers[1].status == LH_OK || bringers[1].status == LH_ERR_MISSING);
    ck_assert_uint_eq(folder_verify(path), 1);
    ck_assert(lh_blobs_has(blobs, &digest, NULL));
    ck_assert(!lh_blobs_mark(blobs, &digest, 0));
}
END_TEST

START_TEST(test_what_is_unmarked_is_there_for_who_waited)
{
    struct lh_digest digest = folder_put(blobs, 1, 1000, LH_BLOBS_CACHED);
    struct bringer bringers[2];
    ck_assert(lh_blobs_mark(blobs, &digest, 0));
    start_bringers(bringers, &digest);
    lh_blobs_unmark(blobs, &digest);
    pthread_join(bringers[0].thread, NULL);
    pthread_join(bringers[1].thread, NULL);
    ck_assert_int_eq(bringers[0].status, LH_OK);
    ck_assert_int_eq(bringers[1].status, LH_OK);
    ck_assert_uint_eq(usage_now().count, 1);
}
END_TEST

/* ---- Everybody at once */

#define SEEDS 24u
#define ROUNDS 400u

static _Atomic uint64_t turns;

static void put_one(uint64_t seed, uint64_t turn)
{
    struct lh_blob blob;
    struct lh_error own = LH_ERROR_INIT;
    size_t size = (size_t)seed * 300;
    uint8_t *bytes = folder_bytes(seed, size);
    enum lh_status status =
        lh_blobs_put_bytes(blobs, bytes, size, turn % 5 == 0 ? LH_BLOBS_KEPT : LH_BLOBS_CACHED, &blob, &own);
    ck_assert_msg(status == LH_OK, "%s", own.message);
    /* While it is held it is there, whatever the collector does. */
    int fd = -1;
    struct lh_digest found;
    ck_assert_int_eq(lh_blobs_read(blobs, &blob.digest, &fd, NULL, &own), LH_OK);
    ck_assert_int_eq(lh_digest_file(fd, &found, NULL), LH_OK);
    ck_assert(lh_digest_equal(&found, &blob.digest));
    close(fd);
    lh_blobs_release(blobs, &blob.digest);
    free(bytes);
}

static void *put_and_hold(void *context)
{
    (void)context;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t turn = atomic_fetch_add(&turns, 1);
        uint64_t seed = turn * 7919 % SEEDS;
        struct lh_digest digest = folder_digest(seed, (size_t)seed * 300);
        struct lh_error own = LH_ERROR_INIT;
        int fd = -1;
        switch (turn % 3) {
        case 0:
            put_one(seed, turn);
            break;
        case 1:
            if (lh_blobs_hold(blobs, &digest, NULL, &own) == LH_OK) {
                ck_assert_int_eq(lh_blobs_read(blobs, &digest, &fd, NULL, &own), LH_OK);
                close(fd);
                lh_blobs_release(blobs, &digest);
            }
            break;
        default: {
            enum lh_status status = lh_blobs_keep(blobs, &digest, &own);
            ck_assert_msg(status == LH_OK || status == LH_ERR_MISSING, "%s", own.message);
        }
        }
    }
    return NULL;
}

static void *collect(void *context)
{
    const _Atomic bool *stop = context;
    for (uint64_t i = 0; !atomic_load(stop); i++) {
        uint64_t seed = i % SEEDS;
        struct lh_digest digest = folder_digest(seed, (size_t)seed * 300);
        if (lh_blobs_mark(blobs, &digest, 0)) {
            if (i % 4 == 0) {
                lh_blobs_unmark(blobs, &digest);
            } else {
                ck_assert_int_eq(lh_blobs_remove(blobs, &digest, NULL, NULL), LH_OK);
            }
        }
        if (i % 16 == 0) {
            lh_blobs_empty_trash(blobs);
        }
    }
    return NULL;
}

START_TEST(test_puts_holds_and_collects_at_once)
{
    pthread_t users[4], collector;
    _Atomic bool stop = false;
    atomic_store(&turns, 0);
    ck_assert_int_eq(pthread_create(&collector, NULL, collect, &stop), 0);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&users[i], NULL, put_and_hold, NULL), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(users[i], NULL);
    }
    atomic_store(&stop, true);
    pthread_join(collector, NULL);
    struct lh_blobs_usage usage = usage_now(), again;
    ck_assert_uint_eq(folder_verify(path), usage.count);
    ck_assert_uint_eq(folder_count(path, "incoming"), 0);
    lh_blobs_close(blobs);
    blobs = folder_open(path);
    again = usage_now();
    ck_assert_uint_eq(again.count, usage.count);
    ck_assert_uint_eq(again.bytes, usage.bytes);
    ck_assert_uint_eq(again.cached_bytes, usage.cached_bytes);
}
END_TEST

START_TEST(test_nth_allocation_fails)
{
    uint64_t freed = 0;
    folder_put(blobs, 1, 1000, LH_BLOBS_CACHED);
    lh_blobs_limit(blobs, 1000, 0);
    testing_fail_allocation(1);
    ck_assert_int_eq(lh_blobs_evict(blobs, 1, &freed, &error), LH_ERR_NO_MEMORY);
    ck_assert(testing_fail_allocation_end());
    ck_assert_uint_eq(usage_now().count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/blobs/take");
    TCase *tests = tcase_create("take");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_removes);
    tcase_add_test(tests, test_evicts_what_was_not_used_for_longest);
    tcase_add_test(tests, test_puts_of_a_marked_digest_wait);
    tcase_add_test(tests, test_what_is_unmarked_is_there_for_who_waited);
    tcase_add_test(tests, test_puts_holds_and_collects_at_once);
    tcase_add_test(tests, test_nth_allocation_fails);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
