/* SPDX-License-Identifier: MIT */
/* The ring of frames against a plain queue. */
#include "engine/run/fifo.h"

#include "tests/support/testing.h"

START_TEST(frames_come_out_in_order)
{
    uint32_t state = 5;
    for (size_t capacity = 0; capacity < 40; capacity++) {
        struct engine_fifo fifo;
        ck_assert_int_eq(engine_fifo_init(&fifo, capacity, 2 * sizeof(float)), LH_OK);
        float in = 0;
        float out = 0;
        for (int round = 0; round < 200; round++) {
            state = state * 1664525u + 1013904223u;
            size_t wanted = (state >> 16) % (capacity + 1);
            if (wanted > capacity - fifo.count) {
                float taken[80];
                size_t count = engine_fifo_take(&fifo, taken, wanted);
                ck_assert_uint_eq(count, wanted < (size_t)(in - out) ? wanted : (size_t)(in - out));
                for (size_t i = 0; i < count; i++, out++) {
                    ck_assert(taken[2 * i] == out && taken[2 * i + 1] == -out);
                }
            } else {
                float given[80];
                for (size_t i = 0; i < wanted; i++, in++) {
                    given[2 * i] = in;
                    given[2 * i + 1] = -in;
                }
                engine_fifo_put(&fifo, given, wanted);
            }
            ck_assert_uint_eq(fifo.count, (size_t)(in - out));
        }
        engine_fifo_fini(&fifo);
        engine_fifo_fini(&fifo);
    }
}
END_TEST

START_TEST(room_ends_where_the_ring_wraps)
{
    struct engine_fifo fifo;
    float frames[8];
    size_t room;
    ck_assert_int_eq(engine_fifo_init(&fifo, 8, sizeof(float)), LH_OK);
    engine_fifo_room(&fifo, 100, &room);
    ck_assert_uint_eq(room, 8);
    engine_fifo_push(&fifo, 6);
    ck_assert_uint_eq(engine_fifo_take(&fifo, frames, 5), 5);
    engine_fifo_room(&fifo, 100, &room);
    ck_assert_uint_eq(room, 2);
    engine_fifo_push(&fifo, room);
    engine_fifo_room(&fifo, 3, &room);
    ck_assert_uint_eq(room, 3);
    engine_fifo_push(&fifo, room);
    engine_fifo_room(&fifo, 100, &room);
    ck_assert_uint_eq(room, 2);
    engine_fifo_push(&fifo, room);
    engine_fifo_room(&fifo, 100, &room);
    ck_assert_uint_eq(room, 0);
    engine_fifo_fini(&fifo);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    struct engine_fifo fifo = {0};
    testing_fail_allocation(1);
    enum lh_status status = engine_fifo_init(&fifo, 100, 4);
    ck_assert(testing_fail_allocation_end());
    ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    engine_fifo_fini(&fifo);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/fifo");
    TCase *tests = tcase_create("fifo");
    tcase_add_test(tests, frames_come_out_in_order);
    tcase_add_test(tests, room_ends_where_the_ring_wraps);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
