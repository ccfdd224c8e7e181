/* SPDX-License-Identifier: MIT */
/* graph/decode.c: hostile bytes are refused or are another valid graph; they never crash and never cost much memory. */
#include <stdlib.h>
#include <string.h>

#include "graph/encode.h"
#include "graph/partition.h"
#include "tests/graph/fixture.h"
#include "tests/graph/piece.h"
#include "tests/support/testing.h"

#define FLIP_ROUNDS 20000

static struct lh_writer valid;

static void setup_piece(void)
{
    const struct graph *piece = piece_new();
    lh_writer_init(&valid);
    ck_assert_int_eq(graph_encode(piece, &valid), LH_OK);
    graph_unref(piece);
}

static void setup(void)
{
    const struct graph *mix = fixture_mix_ordered(NULL, NULL);
    const struct graph *cut = NULL;
    ck_assert_int_eq(graph_partition_seeded(mix, 3, &cut, NULL), LH_OK);
    lh_writer_init(&valid);
    ck_assert_int_eq(graph_encode(cut, &valid), LH_OK);
    graph_unref(mix);
    graph_unref(cut);
}

static void teardown(void)
{
    lh_writer_fini(&valid);
}

/* What is accepted must encode to the very bytes that were read. Returns whether it was. */
static bool decodes(const uint8_t *data, size_t size)
{
    const struct graph *graph = NULL;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = graph_decode(data, size, &graph, &error);
    if (status != LH_OK) {
        ck_assert_int_eq(status, LH_ERR_FORMAT);
        ck_assert_ptr_null(graph);
        ck_assert(error.message[0] != '\0');
        return false;
    }
    struct lh_writer again;
    lh_writer_init(&again);
    ck_assert_int_eq(graph_encode(graph, &again), LH_OK);
    ck_assert_uint_eq(again.size, size);
    ck_assert_mem_eq(again.data, data, size);
    lh_writer_fini(&again);
    graph_unref(graph);
    return true;
}

START_TEST(truncations_are_refused)
{
    for (size_t size = 0; size < valid.size; size++) {
        uint8_t *bytes = malloc(size + 1); /* exact on the heap, so that a sanitizer sees a read past the end */
        memcpy(bytes, valid.data, size);
        ck_assert(!decodes(bytes, size));
        free(bytes);
    }
    ck_assert(decodes(valid.data, valid.size));
}
END_TEST

START_TEST(longer_is_refused)
{
    uint8_t *bytes = calloc(1, valid.size + 1);
    memcpy(bytes, valid.data, valid.size);
    ck_assert(!decodes(bytes, valid.size + 1));
    free(bytes);
}
END_TEST

START_TEST(flipped_bits_do_no_harm)
{
    uint8_t *bytes = malloc(valid.size);
    srand(20);
    int accepted = 0;
    for (int round = 0; round < FLIP_ROUNDS; round++) {
        memcpy(bytes, valid.data, valid.size);
        int flips = 1 + rand() % 3;
        for (int i = 0; i < flips; i++) {
            bytes[(size_t)rand() % valid.size] ^= (uint8_t)(1 << rand() % 8);
        }
        accepted += decodes(bytes, valid.size) ? 1 : 0;
    }
    free(bytes);
    ck_assert_int_gt(accepted, 0); /* a gain's last bit, say */
    ck_assert_int_lt(accepted, FLIP_ROUNDS);
}
END_TEST

/* Each u32 of the head (and every other aligned word) set to counts that nothing could back. */
START_TEST(huge_counts_are_refused_cheaply)
{
    static const uint32_t values[] = {UINT32_MAX, INT32_MAX, 1u << 24, 0};
    uint8_t *bytes = malloc(valid.size);
    for (size_t at = 8; at + 4 <= valid.size; at += 4) {
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            memcpy(bytes, valid.data, valid.size);
            memcpy(bytes + at, &values[i], 4);
            decodes(bytes, valid.size);
        }
    }
    free(bytes);
}
END_TEST

START_TEST(allocations_may_fail)
{
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        const struct graph *graph = NULL;
        testing_fail_allocation(n);
        enum lh_status status = graph_decode(valid.data, valid.size, &graph, NULL);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        graph_unref(graph);
    }
}
END_TEST

static void add_case(Suite *suite, const char *name, void (*prepare)(void))
{
    TCase *test = tcase_create(name);
    tcase_set_timeout(test, 60);
    tcase_add_checked_fixture(test, prepare, teardown);
    tcase_add_test(test, truncations_are_refused);
    tcase_add_test(test, longer_is_refused);
    tcase_add_test(test, flipped_bits_do_no_harm);
    tcase_add_test(test, huge_counts_are_refused_cheaply);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
}

int main(void)
{
    Suite *suite = suite_create("graph/decode");
    add_case(suite, "mix", setup);
    add_case(suite, "piece", setup_piece);
    return testing_main(suite);
}
