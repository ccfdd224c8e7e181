/* SPDX-License-Identifier: MIT */
/* The bulk conversation, both sides for real: uploads and downloads over sockets. */
#include "pulse-daemon/service/bulk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/envelope.h"
#include "tests/pulse-daemon/service/bulk_stage.h"
#include "tests/support/testing.h"

#define CHUNK 4096u

static struct bulk_stage *stage;
static struct wire_bulk *client;
static struct lh_error error;

static const struct pulse_bulk_options small = {.chunk_size = CHUNK, .credits = 3, .buffers = 4};

static void setup_ipc(void)
{
    stage = bulk_stage_new(false);
    bulk_stage_start(stage, &small, NULL);
    client = bulk_stage_client(stage);
    error = LH_ERROR_INIT;
}

static void setup_tcp(void)
{
    stage = bulk_stage_new(true);
    bulk_stage_start(stage, &small, NULL);
    client = bulk_stage_client(stage);
    error = LH_ERROR_INIT;
}

static void teardown(void)
{
    wire_bulk_free(client);
    bulk_stage_free(stage);
}

static enum lh_status put(struct wire_bulk *by, uint64_t seed, size_t size, const char *token, struct lh_digest *digest)
{
    uint8_t *bytes = bulk_stage_bytes(seed, size);
    struct wire_transfer transfer = bulk_stage_transfer(bytes, size, token);
    int fd = bulk_stage_file(bytes, size);
    enum lh_status status = wire_bulk_put(by, &transfer, fd, &error);
    close(fd);
    free(bytes);
    if (digest != NULL) {
        *digest = transfer.digest;
    }
    return status;
}

/* Gets from `offset` and compares. */
static enum lh_status get(struct wire_bulk *by, uint64_t seed, size_t size, uint64_t offset, const char *token)
{
    uint8_t *bytes = bulk_stage_bytes(seed, size);
    struct wire_transfer transfer = bulk_stage_transfer(bytes, size, token);
    struct bulk_taken taken = {.data = malloc(size + 1), .capacity = size};
    enum lh_status status = wire_bulk_get(by, &transfer, offset, bulk_stage_take, &taken, &error);
    if (status == LH_OK) {
        ck_assert_uint_eq(taken.size, size - offset);
        ck_assert_int_eq(memcmp(taken.data, bytes + offset, taken.size), 0);
    }
    free(taken.data);
    free(bytes);
    return status;
}

START_TEST(test_there_and_back)
{
    static const size_t sizes[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 100 * CHUNK + 7};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct lh_digest digest;
        enum lh_status status = put(client, i, sizes[i], "t1", &digest);
        ck_assert_msg(status == LH_OK, "%zu bytes: %s", sizes[i], error.message);
        ck_assert(lh_blobs_has(stage->blobs, &digest, NULL));
        ck_assert(bulk_stage_knows(stage, 1, &digest));
        ck_assert_int_eq(get(client, i, sizes[i], 0, "t1"), LH_OK);
        ck_assert_int_eq(get(client, i, sizes[i], sizes[i] / 2, "t1"), LH_OK);
        ck_assert_int_eq(get(client, i, sizes[i], sizes[i], "t1"), LH_OK);
    }
    struct pulse_bulk_figures figures;
    do {
        pulse_bulk_figures(stage->bulk, &figures); /* the last chunk is counted after it was sent */
    } while (figures.gets < 21 || figures.active > 0);
    ck_assert_uint_eq(figures.puts, 7);
    ck_assert_uint_eq(figures.gets, 21);
    ck_assert_uint_eq(figures.active, 0);
}
END_TEST

START_TEST(test_answers_may_come_late)
{
    ck_assert_int_eq(put(client, 1, 10 * CHUNK, "slow-t1", NULL), LH_OK);
    ck_assert_int_eq(get(client, 1, 10 * CHUNK, 0, "slow-t1"), LH_OK);
}
END_TEST

START_TEST(test_tenants_do_not_see_each_other)
{
    struct lh_digest digest;
    ck_assert_int_eq(put(client, 1, 5 * CHUNK, "t1", &digest), LH_OK);
    ck_assert_int_eq(get(client, 1, 5 * CHUNK, 0, "t2"), LH_ERR_MISSING);
    ck_assert_int_eq(get(client, 1, 5 * CHUNK, 0, "nobody"), LH_ERR_USAGE);
    ck_assert_int_eq(put(client, 1, 5 * CHUNK, "nobody", NULL), LH_ERR_USAGE);
    ck_assert_int_eq(put(client, 2, 5 * CHUNK, NULL, NULL), LH_ERR_USAGE);
    struct pulse_bulk_figures before, after;
    pulse_bulk_figures(stage->bulk, &before);
    ck_assert_int_eq(put(client, 1, 5 * CHUNK, "t2", NULL), LH_OK); /* has to bring the bytes all the same */
    pulse_bulk_figures(stage->bulk, &after);
    ck_assert_uint_eq(after.bytes_received - before.bytes_received, 5 * CHUNK);
    ck_assert_int_eq(put(client, 1, 5 * CHUNK, "t2", NULL), LH_OK); /* now it has them */
    pulse_bulk_figures(stage->bulk, &before);
    ck_assert_uint_eq(after.bytes_received, before.bytes_received);
    ck_assert_int_eq(get(client, 1, 5 * CHUNK, 0, "t2"), LH_OK);
}
END_TEST

START_TEST(test_refuses_other_bytes)
{
    uint8_t *bytes = bulk_stage_bytes(1, 9 * CHUNK);
    struct wire_transfer transfer = bulk_stage_transfer(bytes, 9 * CHUNK, "t1");
    bytes[8 * CHUNK] ^= 1;
    int fd = bulk_stage_file(bytes, 9 * CHUNK);
    ck_assert_int_eq(wire_bulk_put(client, &transfer, fd, &error), LH_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "announced"));
    transfer.size++; /* longer than the file */
    ck_assert_int_eq(wire_bulk_put(client, &transfer, fd, &error), LH_ERR_IO);
    close(fd);
    free(bytes);
    struct lh_blobs_usage usage;
    lh_blobs_usage(stage->blobs, &usage);
    ck_assert_uint_eq(usage.count, 0);
    ck_assert_int_eq(put(client, 2, CHUNK, "t1", NULL), LH_OK); /* the connection is as good as before */
}
END_TEST

START_TEST(test_says_that_it_is_full)
{
    lh_blobs_limit(stage->blobs, 10 * CHUNK, 0);
    ck_assert_int_eq(put(client, 1, 6 * CHUNK, "t1", NULL), LH_OK);
    ck_assert_int_eq(put(client, 2, 6 * CHUNK, "t1", NULL), LH_ERR_QUOTA);
    ck_assert_ptr_nonnull(strstr(error.message, "quota"));
    ck_assert_int_eq(put(client, 3, 4 * CHUNK, "t1", NULL), LH_OK);
}
END_TEST

START_TEST(test_is_stored_only_when_committed)
{
    struct lh_digest digest;
    stage->commit = LH_ERR_CONFLICT;
    ck_assert_int_eq(put(client, 1, 6 * CHUNK, "t1", &digest), LH_ERR_CONFLICT);
    ck_assert(!bulk_stage_knows(stage, 1, &digest));
    ck_assert(lh_blobs_mark(stage->blobs, &digest, 0)); /* nobody holds what nothing refers to */
    ck_assert_int_eq(lh_blobs_remove(stage->blobs, &digest, NULL, &error), LH_OK);
    stage->commit = LH_OK;
    ck_assert_int_eq(put(client, 1, 6 * CHUNK, "t1", &digest), LH_OK);
}
END_TEST

START_TEST(test_tries_again_while_the_store_is_away)
{
    stage->commit = LH_ERR_UNAVAILABLE;
    uint8_t *bytes = bulk_stage_bytes(1, CHUNK);
    struct wire_transfer transfer = bulk_stage_transfer(bytes, CHUNK, "t1");
    transfer.patience_ms = 700;
    int fd = bulk_stage_file(bytes, CHUNK);
    ck_assert_int_eq(wire_bulk_put(client, &transfer, fd, &error), LH_ERR_UNAVAILABLE);
    pthread_mutex_lock(&stage->lock);
    ck_assert_uint_ge(stage->asked[PULSE_BULK_PUT_DONE], 2);
    pthread_mutex_unlock(&stage->lock);
    close(fd);
    free(bytes);
}
END_TEST

START_TEST(test_damaged_blob_is_missing)
{
    struct lh_digest digest;
    char text[LH_DIGEST_TEXT_SIZE], path[600];
    ck_assert_int_eq(put(client, 1, 6 * CHUNK, "t1", &digest), LH_OK);
    lh_digest_text(&digest, text);
    snprintf(path, sizeof path, "%s/media/kept/%.2s/%s", stage->path, text + 7, text + 7);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(get(client, 1, 6 * CHUNK, 0, "t1"), LH_ERR_MISSING);
}
END_TEST

/* ---- Many at once */

#define CLIENTS 12
#define ROUNDS 6

static void *work(void *context)
{
    uint64_t number = *(const uint64_t *)context;
    struct wire_bulk *own = bulk_stage_client(stage);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        /* Half of the blobs are the same for everybody. */
        uint64_t seed = i % 2 == 0 ? i : number * 100 + i;
        size_t size = 20 * CHUNK + (size_t)seed;
        uint8_t *bytes = bulk_stage_bytes(seed, size);
        struct wire_transfer transfer = bulk_stage_transfer(bytes, size, number % 2 == 0 ? "t1" : "slow-t2");
        struct bulk_taken taken = {.data = malloc(size), .capacity = size};
        struct lh_error own_error = LH_ERROR_INIT;
        int fd = bulk_stage_file(bytes, size);
        enum lh_status status = wire_bulk_put(own, &transfer, fd, &own_error);
        ck_assert_msg(status == LH_OK, "%s", own_error.message);
        status = wire_bulk_get(own, &transfer, 0, bulk_stage_take, &taken, &own_error);
        ck_assert_msg(status == LH_OK, "%s", own_error.message);
        ck_assert_int_eq(memcmp(taken.data, bytes, size), 0);
        close(fd);
        free(taken.data);
        free(bytes);
    }
    wire_bulk_free(own);
    return NULL;
}

START_TEST(test_many_at_once)
{
    pthread_t threads[CLIENTS];
    uint64_t numbers[CLIENTS];
    for (uint64_t i = 0; i < CLIENTS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
    }
    struct lh_blobs_usage usage;
    lh_blobs_usage(stage->blobs, &usage);
    ck_assert_uint_eq(usage.count, ROUNDS / 2 + CLIENTS * ROUNDS / 2);
}
END_TEST

/* ---- Giving up */

static unsigned asked_to_go_on;

static bool give_up(void *context)
{
    return ++asked_to_go_on < *(const unsigned *)context;
}

START_TEST(test_gives_up_when_told)
{
    unsigned limit = 4;
    uint8_t *bytes = bulk_stage_bytes(1, 100 * CHUNK);
    struct wire_transfer transfer = bulk_stage_transfer(bytes, 100 * CHUNK, "t1");
    int fd = bulk_stage_file(bytes, 100 * CHUNK);
    transfer.go_on = give_up;
    transfer.context = &limit;
    asked_to_go_on = 0;
    ck_assert_int_eq(wire_bulk_put(client, &transfer, fd, &error), LH_ERR_CANCELLED);
    ck_assert_int_eq(put(client, 2, CHUNK, "t1", NULL), LH_OK);
    ck_assert_int_eq(put(client, 1, 100 * CHUNK, "t1", NULL), LH_OK);
    struct bulk_taken taken = {.data = malloc(100 * CHUNK), .capacity = 100 * CHUNK};
    asked_to_go_on = 0;
    ck_assert_int_eq(wire_bulk_get(client, &transfer, 0, bulk_stage_take, &taken, &error), LH_ERR_CANCELLED);
    ck_assert_uint_lt(taken.size, 100 * CHUNK);
    ck_assert_int_eq(get(client, 2, CHUNK, 0, "t1"), LH_OK);
    free(taken.data);
    close(fd);
    free(bytes);
}
END_TEST

START_TEST(test_nobody_is_there)
{
    struct wire_transfer transfer = {.size = 1, .patience_ms = 300};
    bulk_stage_stop(stage);
    ck_assert_int_eq(wire_bulk_get(client, &transfer, 0, bulk_stage_take, NULL, &error), LH_ERR_UNAVAILABLE);
    ck_assert_int_eq(wire_bulk_put(client, &transfer, -1, NULL), LH_ERR_UNAVAILABLE);
}
END_TEST

START_TEST(test_nth_allocation_fails)
{
    for (size_t n = 1; n < 150; n++) {
        uint8_t *bytes = bulk_stage_bytes(n, 5 * CHUNK);
        struct wire_transfer transfer = bulk_stage_transfer(bytes, 5 * CHUNK, "t1");
        transfer.patience_ms = 1000;
        int fd = bulk_stage_file(bytes, 5 * CHUNK);
        testing_fail_allocation(n);
        enum lh_status status = wire_bulk_put(client, &transfer, fd, &error);
        (void)testing_fail_allocation_end();
        ck_assert_msg(status == LH_OK || status == LH_ERR_NO_MEMORY || status == LH_ERR_UNAVAILABLE, "%zu: %s", n,
                      error.message);
        ck_assert_msg(put(client, n, 5 * CHUNK, "t1", NULL) == LH_OK, "%zu: %s", n, error.message);
        close(fd);
        free(bytes);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/bulk");
    TCase *local = tcase_create("ipc"), *far = tcase_create("tcp");
    tcase_add_checked_fixture(local, setup_ipc, teardown);
    tcase_add_checked_fixture(far, setup_tcp, teardown);
    tcase_add_test(local, test_there_and_back);
    tcase_add_test(far, test_there_and_back);
    tcase_add_test(local, test_answers_may_come_late);
    tcase_add_test(local, test_tenants_do_not_see_each_other);
    tcase_add_test(local, test_refuses_other_bytes);
    tcase_add_test(local, test_says_that_it_is_full);
    tcase_add_test(local, test_is_stored_only_when_committed);
    tcase_add_test(local, test_tries_again_while_the_store_is_away);
    tcase_add_test(local, test_damaged_blob_is_missing);
    tcase_add_test(local, test_many_at_once);
    tcase_add_test(far, test_many_at_once);
    tcase_add_test(local, test_gives_up_when_told);
    tcase_add_test(local, test_nobody_is_there);
    tcase_add_test(local, test_nth_allocation_fails);
    suite_add_tcase(suite, local);
    suite_add_tcase(suite, far);
    return testing_main(suite);
}
