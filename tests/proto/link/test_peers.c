/* SPDX-License-Identifier: MIT */
/* The table of peers against a plain list, over a long random life; and when memory runs out. */
#include "proto/link/peers.h"

#include <stdlib.h>

#include "tests/support/testing.h"

#define MODEL 512

static struct wire_peers peers;
static uint64_t serial;

static void start(void)
{
    wire_peers_init(&peers);
    serial = 0;
}

static void stop(void)
{
    wire_peers_fini(&peers);
}

START_TEST(peers_are_found_by_what_they_are_named)
{
    static struct wire_peer *model[MODEL];
    static uint64_t ids[100000];
    size_t given = 0;
    uint32_t count = 0;
    uint64_t state = 1;
    for (int step = 0; step < 20000; step++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t at = (size_t)(state >> 33) % MODEL;
        uint32_t route = (uint32_t)at * 0x01000193u;
        if (model[at] == NULL) {
            ck_assert_ptr_null(wire_peers_by_route(&peers, route));
            model[at] = wire_peers_add(&peers, route, &serial);
            ck_assert_ptr_nonnull(model[at]);
            model[at]->fd = (int)at;
            ids[given++] = model[at]->id;
            count++;
        } else {
            ck_assert_ptr_eq(wire_peers_by_route(&peers, route), model[at]);
            ck_assert_ptr_eq(wire_peers_by_id(&peers, model[at]->id), model[at]);
            ck_assert_ptr_eq(wire_peers_by_fd(&peers, (int)at), model[at]);
            uint64_t id = model[at]->id;
            wire_peers_remove(&peers, model[at]);
            model[at] = NULL;
            count--;
            ck_assert_ptr_null(wire_peers_by_id(&peers, id));
        }
        ck_assert_uint_eq(peers.count, count);
        ck_assert_uint_le(peers.slot_count, MODEL);
    }
    for (size_t i = 1; i < given; i++) { /* a number never comes back */
        ck_assert_uint_gt(ids[i] >> 16, ids[i - 1] >> 16);
    }
}
END_TEST

/* Numbered one after the other, the high byte first. */
START_TEST(peers_of_zeromq_are_spread_over_the_table)
{
    size_t longest = 0;
    for (uint32_t number = 1; number <= 1000; number++) {
        uint32_t route = __builtin_bswap32(0x6b8b4567u + number);
        ck_assert_ptr_nonnull(wire_peers_add(&peers, route, &serial));
    }
    for (uint32_t i = 0; i < peers.bucket_count; i++) {
        size_t length = 0;
        for (const struct wire_peer *peer = peers.buckets[i]; peer != NULL; peer = peer->next_by_route) {
            length++;
        }
        longest = length > longest ? length : longest;
    }
    ck_assert_uint_le(longest, 10);
}
END_TEST

START_TEST(there_is_a_limit)
{
    for (uint32_t i = 0; i < WIRE_PEERS_MAX; i++) {
        if (wire_peers_add(&peers, i, &serial) == NULL) {
            ck_abort_msg("%u", i);
        }
    }
    ck_assert_ptr_null(wire_peers_add(&peers, WIRE_PEERS_MAX, &serial));
    wire_peers_remove(&peers, wire_peers_by_route(&peers, 77));
    ck_assert_ptr_nonnull(wire_peers_add(&peers, WIRE_PEERS_MAX, &serial));
    ck_assert_ptr_null(wire_peers_by_route(&peers, 77));
}
END_TEST

START_TEST(memory_that_runs_out_leaves_the_table_as_it_was)
{
    for (uint32_t i = 0; i < 16; i++) {
        ck_assert_ptr_nonnull(wire_peers_add(&peers, i, &serial));
    }
    for (size_t n = 1;; n++) {
        testing_fail_allocation(n);
        struct wire_peer *more = wire_peers_add(&peers, 16, &serial);
        if (!testing_fail_allocation_end()) {
            ck_assert_ptr_nonnull(more);
            break;
        }
        ck_assert_ptr_null(more);
        ck_assert_uint_eq(peers.count, 16);
        for (uint32_t i = 0; i < 16; i++) {
            ck_assert_ptr_nonnull(wire_peers_by_route(&peers, i));
        }
    }
    ck_assert_uint_eq(peers.count, 17);
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("peers");
    tcase_add_checked_fixture(group, start, stop);
    tcase_add_test(group, peers_are_found_by_what_they_are_named);
    tcase_add_test(group, peers_of_zeromq_are_spread_over_the_table);
    tcase_add_test(group, there_is_a_limit);
    tcase_add_test(group, memory_that_runs_out_leaves_the_table_as_it_was);
    Suite *suite = suite_create("proto/link/peers");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
