/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/queue: who is served next. */
#include "pulse-daemon/farm/queue.h"

#include <stdio.h>
#include <string.h>

#include "tests/pulse-daemon/farm/farming.h"

static struct pulse_farm_options options;

static void set_up(void)
{
    options = (struct pulse_farm_options){.seed = 1};
    farming_begin(&options);
}

static void tear_down(void)
{
    farming_end();
}

/* Which output was assigned last, as a letter, and whose. */
static char last_letter(uint64_t *tenant)
{
    const struct pulse_farm_action *assign = farming_action(PULSE_FARM_ASSIGN, 0);
    *tenant = assign->tenant;
    return (char)assign->outputs[0].key.bytes[0];
}

/* Runs `count` shards one after the other on one worker: into `order` the letters as they come, as capital letters when
   they are tenant 2's, into `shares` how many each tenant had. */
static void serve(size_t count, char *order, size_t shares[4])
{
    farming_welcome("w1", 11, 1);
    for (size_t i = 0; i < count; i++) {
        uint64_t tenant = 0;
        char letter = last_letter(&tenant);
        if (order != NULL) {
            order[i] = tenant == 2 ? (char)(letter - 'a' + 'A') : letter;
            order[i + 1] = '\0';
        }
        shares[tenant]++;
        farming_tenant(tenant);
        farming_complete((const char[]){letter, '\0'});
    }
}

START_TEST(the_longest_chain_of_a_job_goes_first)
{
    char order[16];
    size_t shares[4] = {0};
    farming_submit(1, 1, 0);
    farming_plan(1, "a:100 b:900 c:300 d<a:2000 e:500", "abcde");
    serve(5, order, shares);
    ck_assert_str_eq(order, "adbec"); /* a is short, but d hangs on it */
}
END_TEST

START_TEST(the_older_job_of_a_tenant_goes_first)
{
    char order[16];
    size_t shares[4] = {0};
    farming_submit(1, 1, 0);
    farming_submit(2, 1, 0);
    farming_plan(2, "c:900 d:900", "cd");
    farming_plan(1, "a:1 b:2", "ab");
    serve(4, order, shares);
    ck_assert_str_eq(order, "bacd");
}
END_TEST

START_TEST(the_higher_priority_goes_first)
{
    char order[16];
    size_t shares[4] = {0};
    farming_submit(1, 1, 0);
    farming_plan(1, "a b", "ab");
    farming_submit(2, 2, 10);
    farming_plan(2, "c d", "cd");
    farming_submit(3, 1, 20);
    farming_plan(3, "e", "e");
    serve(5, order, shares);
    ck_assert_str_eq(order, "eCDab");
}
END_TEST

START_TEST(tenants_take_turns)
{
    char order[16];
    size_t shares[4] = {0};
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c d", "abcd");
    farming_submit(2, 2, 0);
    farming_plan(2, "a b", "ab");
    serve(6, order, shares);
    ck_assert(strcmp(order, "aAbBcd") == 0 || strcmp(order, "AaBbcd") == 0);
}
END_TEST

START_TEST(what_counts_is_cost)
{
    size_t shares[4] = {0};
    farming_submit(1, 1, 0);
    farming_plan(1, "a:400 b:400 c:400 d:400", "abcd");
    farming_submit(2, 2, 0);
    farming_plan(2, "a b c d e f g h i j k l", "abcdefghijkl");
    serve(10, NULL, shares);
    ck_assert_uint_eq(shares[1], 2);
    ck_assert_uint_eq(shares[2], 8);
}
END_TEST

START_TEST(weights_count)
{
    size_t shares[4] = {0};
    farming_add(&(struct pulse_farm_event){.kind = PULSE_FARM_TENANT, .tenant = 2, .weight = 3});
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c d e f g h i j k l", "abcdefghijkl");
    farming_submit(2, 2, 0);
    farming_plan(2, "a b c d e f g h i j k l", "abcdefghijkl");
    serve(12, NULL, shares);
    ck_assert_uint_eq(shares[1], 3);
    ck_assert_uint_eq(shares[2], 9);
}
END_TEST

START_TEST(who_comes_late_has_saved_nothing_up)
{
    size_t shares[4] = {0};
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c d e f g h i j k l m n", "abcdefghijklmn");
    serve(6, NULL, shares);
    farming_submit(2, 2, 0);
    farming_plan(2, "a b c d e f", "abcdef");
    shares[1] = 0;
    farming_tenant(1);
    farming_complete("g");
    for (int i = 0; i < 6; i++) {
        uint64_t tenant = 0;
        char letter = last_letter(&tenant);
        shares[tenant]++;
        farming_tenant(tenant);
        farming_complete((const char[]){letter, '\0'});
    }
    ck_assert_uint_eq(shares[1], 3);
    ck_assert_uint_eq(shares[2], 3);
}
END_TEST

START_TEST(who_comes_with_one_after_the_other_is_not_always_new)
{
    /* Tenant 1 has much; tenant 2 gives one long shard, and the next when that is done. */
    size_t shares[4] = {0};
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c d e f g h i j k l m n", "abcdefghijklmn");
    farming_welcome("w1", 11, 1);
    for (uint64_t job = 2; shares[1] < 12; job++) {
        char letter[] = {(char)('a' + job - 2), '\0'}, shard[16];
        snprintf(shard, sizeof shard, "%s:500", letter);
        farming_submit(job, 2, 0);
        farming_plan(job, shard, letter);
        farming_tenant(2);
        while (farming_job(job) == PULSE_JOB_RUNNING) {
            bool second = farming_owner(letter)[0] != '\0';
            farming_tenant(second ? 2 : 1);
            shares[second ? 2 : 1]++;
            char mine[] = {(char)('a' + shares[1] - 1), '\0'};
            farming_complete(second ? letter : mine);
            farming_tenant(2);
        }
    }
    ck_assert_uint_le(shares[2], 4); /* each as much as five of the other's */
}
END_TEST

/* Completes what the worker has, whosever it is. */
static uint64_t serve_one(void)
{
    for (size_t i = 0; i < farming_store.shards.count; i++) {
        const struct rowstore_shard *shard = farming_store.shards.items[i];
        if (shard->row.state == PULSE_SHARD_CLAIMED) {
            uint64_t tenant = shard->row.tenant;
            farming_tenant(tenant);
            farming_complete((const char[]){(char)shard->outputs[0].bytes[0], '\0'});
            return tenant;
        }
    }
    return 0;
}

START_TEST(low_priority_does_not_starve)
{
    size_t shares[4] = {0};
    farming_submit(1, 1, -2);
    farming_plan(1, "a b", "ab");
    farming_submit(2, 2, 0);
    farming_plan(2, "a b c d e f g h i j k l m n o p q r s t", "abcdefghijklmnopqrst");
    farming_welcome("w1", 11, 1);
    for (int i = 0; i < 5; i++) {
        shares[serve_one()]++;
    }
    ck_assert_uint_eq(shares[1], 0);
    for (int i = 0; i < 7; i++) { /* 30 s: as much as three priorities, to be higher */
        farming_pass(4 * FARMING_S + FARMING_S / 2);
        farming_beat("w1", 11);
        shares[serve_one()]++;
    }
    shares[serve_one()]++;
    ck_assert_uint_eq(shares[1], 1);
    ck_assert_uint_eq(shares[2], 12);
}
END_TEST

START_TEST(a_shard_moves_with_its_priority)
{
    char order[16];
    size_t shares[4] = {0};
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c", "abc");
    farming_submit(2, 1, 10);
    farming_plan(2, "c", "c");
    serve(1, order, shares);
    ck_assert_str_eq(order, "c");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *tests = tcase_create("queue");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_longest_chain_of_a_job_goes_first);
    tcase_add_test(tests, the_older_job_of_a_tenant_goes_first);
    tcase_add_test(tests, the_higher_priority_goes_first);
    tcase_add_test(tests, tenants_take_turns);
    tcase_add_test(tests, what_counts_is_cost);
    tcase_add_test(tests, weights_count);
    tcase_add_test(tests, who_comes_late_has_saved_nothing_up);
    tcase_add_test(tests, who_comes_with_one_after_the_other_is_not_always_new);
    tcase_add_test(tests, low_priority_does_not_starve);
    tcase_add_test(tests, a_shard_moves_with_its_priority);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
