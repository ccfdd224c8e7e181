/* SPDX-License-Identifier: MIT */
/* Numbers for URIs: one each, both ways, from any thread. */
#include "engine/host/lv2_urid.h"

#include <lv2/midi/midi.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/testing.h"

#define URIS 5000

START_TEST(a_uri_has_one_number)
{
    struct engine_lv2_urids *urids;
    ck_assert_int_eq(engine_lv2_urids_new(&urids, NULL), LH_OK);
    const LV2_URID_Map *map = engine_lv2_urids_map(urids);
    const LV2_URID_Unmap *unmap = engine_lv2_urids_unmap(urids);
    ck_assert_uint_eq(map->map(map->handle, LV2_MIDI__MidiEvent), engine_lv2_urids_vocabulary(urids)->midi_event);
    LV2_URID numbers[URIS];
    for (int i = 0; i < URIS; i++) {
        char uri[32];
        snprintf(uri, sizeof uri, "urn:number:%d", i);
        numbers[i] = map->map(map->handle, uri);
        ck_assert_uint_gt(numbers[i], 0);
    }
    for (int i = 0; i < URIS; i++) {
        char uri[32];
        snprintf(uri, sizeof uri, "urn:number:%d", i);
        ck_assert_uint_eq(map->map(map->handle, uri), numbers[i]);
        ck_assert_str_eq(unmap->unmap(unmap->handle, numbers[i]), uri);
    }
    engine_lv2_urids_free(urids);
}
END_TEST

START_TEST(what_is_no_uri_has_no_number)
{
    struct engine_lv2_urids *urids;
    ck_assert_int_eq(engine_lv2_urids_new(&urids, NULL), LH_OK);
    const LV2_URID_Map *map = engine_lv2_urids_map(urids);
    const LV2_URID_Unmap *unmap = engine_lv2_urids_unmap(urids);
    ck_assert_uint_eq(map->map(map->handle, NULL), 0);
    ck_assert_ptr_null(unmap->unmap(unmap->handle, 0));
    ck_assert_ptr_null(unmap->unmap(unmap->handle, UINT32_MAX));
    static char longest[100000];
    memset(longest, 'x', sizeof longest - 1);
    ck_assert_uint_eq(map->map(map->handle, longest), 0);
    engine_lv2_urids_free(urids);
    engine_lv2_urids_free(NULL);
}
END_TEST

static void *map_all(void *context)
{
    const LV2_URID_Map *map = context;
    uintptr_t sum = 0;
    for (int i = 0; i < URIS; i++) {
        char uri[32];
        snprintf(uri, sizeof uri, "urn:number:%d", i);
        sum += map->map(map->handle, uri);
    }
    return (void *)sum;
}

START_TEST(threads_get_the_same_numbers)
{
    struct engine_lv2_urids *urids;
    ck_assert_int_eq(engine_lv2_urids_new(&urids, NULL), LH_OK);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, map_all, engine_lv2_urids_map(urids)), 0);
    }
    void *first = NULL;
    for (int i = 0; i < 4; i++) {
        void *sum;
        pthread_join(threads[i], &sum);
        ck_assert(i == 0 || sum == first);
        first = sum;
    }
    engine_lv2_urids_free(urids);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    for (size_t n = 1;; n++) {
        struct engine_lv2_urids *urids = NULL;
        testing_fail_allocation(n);
        enum lh_status status = engine_lv2_urids_new(&urids, NULL);
        if (!testing_fail_allocation_end()) {
            ck_assert_int_eq(status, LH_OK);
            engine_lv2_urids_free(urids);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
        ck_assert_ptr_null(urids);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/host/lv2_urid");
    TCase *tests = tcase_create("urid");
    tcase_add_test(tests, a_uri_has_one_number);
    tcase_add_test(tests, what_is_no_uri_has_no_number);
    tcase_add_test(tests, threads_get_the_same_numbers);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
