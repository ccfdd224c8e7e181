/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/heap: the first is always the first, whatever was taken out of the middle. */
#include "pulse-daemon/farm/heap.h"

#include "tests/support/testing.h"

#define ITEMS 300

struct item {
    uint32_t value, place;
};

static struct item items[ITEMS];

static bool before(const void *a, const void *b)
{
    return ((const struct item *)a)->value < ((const struct item *)b)->value;
}

static uint32_t *place(void *item)
{
    return &((struct item *)item)->place;
}

static const struct pulse_heap_order order = {before, place};

static uint32_t next_random(uint32_t *state)
{
    return (*state = *state * UINT32_C(1664525) + UINT32_C(1013904223)) / 7;
}

static const struct item *least(void)
{
    const struct item *found = NULL;
    for (size_t i = 0; i < ITEMS; i++) {
        if (items[i].place != PULSE_HEAP_NONE && (found == NULL || items[i].value < found->value)) {
            found = &items[i];
        }
    }
    return found;
}

START_TEST(the_first_is_the_least)
{
    struct pulse_heap heap = {.order = &order};
    uint32_t random = 5;
    for (uint32_t i = 0; i < ITEMS; i++) {
        items[i] = (struct item){i * 2654435761u, PULSE_HEAP_NONE};
    }
    for (int step = 0; step < 20000; step++) {
        struct item *item = &items[next_random(&random) % ITEMS];
        if (item->place == PULSE_HEAP_NONE) {
            ck_assert(pulse_heap_push(&heap, item));
        } else if (next_random(&random) % 2 == 0) {
            pulse_heap_remove(&heap, item);
        } else {
            item->value = next_random(&random) * ITEMS + (uint32_t)(item - items);
            pulse_heap_moved(&heap, item);
        }
        ck_assert_ptr_eq(pulse_heap_first(&heap), least());
    }
    pulse_heap_fini(&heap);
    ck_assert_ptr_null(pulse_heap_first(&heap));
}
END_TEST

START_TEST(without_memory_it_is_in_no_heap)
{
    struct pulse_heap heap = {.order = &order};
    testing_fail_allocation(1);
    ck_assert(!pulse_heap_push(&heap, &items[0]));
    ck_assert(testing_fail_allocation_end());
    ck_assert_uint_eq(items[0].place, PULSE_HEAP_NONE);
    ck_assert_uint_eq(heap.count, 0);
    ck_assert(pulse_heap_push(&heap, &items[0]));
    ck_assert_uint_eq(items[0].place, 0);
    pulse_heap_fini(&heap);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heap");
    TCase *tests = tcase_create("heap");
    tcase_add_test(tests, the_first_is_the_least);
    tcase_add_test(tests, without_memory_it_is_in_no_heap);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
