/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/table: what was added is found until it is removed, whatever stood beside it. */
#include "pulse-daemon/farm/table.h"

#include <stdlib.h>

#include "tests/support/testing.h"

#define ITEMS 2000

static uint64_t items[ITEMS];
static bool there[ITEMS];

static bool match(const void *item, const void *key)
{
    return *(const uint64_t *)item == *(const uint64_t *)key;
}

/* Few hashes, so that runs are long and wrap around. */
static uint32_t hash(uint64_t key)
{
    return (uint32_t)(key % 37) * UINT32_C(0x9e3779b1);
}

static uint32_t next_random(uint32_t *state)
{
    return *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
}

START_TEST(it_agrees_with_a_list)
{
    struct pulse_table table = {0};
    uint32_t random = 1;
    size_t count = 0;
    for (uint64_t i = 0; i < ITEMS; i++) {
        items[i] = i * 3;
        there[i] = false;
    }
    for (int step = 0; step < 20000; step++) {
        size_t i = next_random(&random) / 7 % ITEMS;
        if (there[i]) {
            pulse_table_remove(&table, hash(items[i]), &items[i]);
            count--;
        } else {
            ck_assert(pulse_table_add(&table, hash(items[i]), &items[i]));
            count++;
        }
        there[i] = !there[i];
        ck_assert_uint_eq(table.count, count);
        size_t k = next_random(&random) / 7 % ITEMS;
        ck_assert_ptr_eq(pulse_table_find(&table, hash(items[k]), match, &items[k]), there[k] ? &items[k] : NULL);
    }
    size_t walked = 0, at = 0;
    for (uint64_t *item; (item = pulse_table_next(&table, &at)) != NULL; walked++) {
        ck_assert(there[item - items]);
    }
    ck_assert_uint_eq(walked, count);
    pulse_table_fini(&table);
}
END_TEST

START_TEST(a_walk_may_remove_what_it_stands_on)
{
    struct pulse_table table = {0};
    for (uint64_t i = 0; i < ITEMS; i++) {
        items[i] = i;
        ck_assert(pulse_table_add(&table, hash(i), &items[i]));
    }
    size_t at = 0, removed = 0;
    for (uint64_t *item; (item = pulse_table_next(&table, &at)) != NULL; at--, removed++) {
        pulse_table_remove(&table, hash(*item), item);
    }
    ck_assert_uint_eq(removed, ITEMS);
    ck_assert_uint_eq(table.count, 0);
    pulse_table_remove(&table, 1, &items[1]); /* which is not there */
    pulse_table_fini(&table);
}
END_TEST

START_TEST(room_is_given_back)
{
    struct pulse_table table = {0};
    static uint64_t many[20000];
    for (uint64_t i = 0; i < 20000; i++) {
        many[i] = i;
        ck_assert(pulse_table_add(&table, pulse_hash_u64(i), &many[i]));
        pulse_table_trim(&table);
    }
    for (uint64_t i = 10; i < 20000; i++) {
        pulse_table_remove(&table, pulse_hash_u64(i), &many[i]);
    }
    size_t before = table.capacity;
    testing_fail_allocation(1);
    pulse_table_trim(&table);
    ck_assert(testing_fail_allocation_end());
    ck_assert_uint_eq(table.capacity, before);
    for (int i = 0; i < 10; i++) {
        pulse_table_trim(&table);
    }
    ck_assert_uint_le(table.capacity, 1024);
    for (uint64_t i = 0; i < 10; i++) {
        ck_assert_ptr_eq(pulse_table_find(&table, pulse_hash_u64(i), match, &i), &many[i]);
    }
    pulse_table_fini(&table);
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
    struct pulse_table table = {0};
    testing_fail_allocation(1);
    ck_assert(!pulse_table_add(&table, 1, &items[0]));
    ck_assert(testing_fail_allocation_end());
    ck_assert(pulse_table_add(&table, 1, &items[0]));
    size_t added = 1;
    while (added < 12) {
        ck_assert(pulse_table_add(&table, (uint32_t)added, &items[added]));
        added++;
    }
    testing_fail_allocation(1);
    ck_assert(!pulse_table_add(&table, 12, &items[12]));
    ck_assert(testing_fail_allocation_end());
    ck_assert_uint_eq(table.count, 12);
    ck_assert_ptr_eq(pulse_table_find(&table, 5, match, &items[5]), &items[5]);
    pulse_table_fini(&table);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("table");
    tcase_add_test(tests, it_agrees_with_a_list);
    tcase_add_test(tests, a_walk_may_remove_what_it_stands_on);
    tcase_add_test(tests, room_is_given_back);
    tcase_add_test(tests, without_memory_nothing_changes);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
