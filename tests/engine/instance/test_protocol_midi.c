/* SPDX-License-Identifier: MIT */
/* engine/instance/protocol_midi.c: what is written is read back; truncated, changed and absurd bodies are refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/instance/protocol.h"
#include "tests/support/testing.h"

#define FILES 3
#define EVENTS 5

static struct lh_writer writer;
static struct engine_midi_event events[EVENTS];
static struct engine_midi_probe files[FILES];

static void setup(void)
{
    lh_writer_init(&writer);
    memset(files, 0, sizeof files);
    for (int i = 0; i < EVENTS; i++) {
        events[i] =
            (struct engine_midi_event){.at = i / 2, .track = 2, .size = 3, .bytes = {0x90, (uint8_t)(60 + i), 100}};
    }
    events[4].size = 2;
    files[0].midi = (struct engine_midi){.tracks = 2, .events = events, .event_count = EVENTS, .length = 8.5};
    files[1].status = LH_ERR_FORMAT;
    lh_error_set(&files[1].error, LH_ERR_FORMAT, NULL, "this is no MIDI\x1B file");
    files[2].midi = (struct engine_midi){.seconds = true, .tracks = 1};
}

static void teardown(void)
{
    lh_writer_fini(&writer);
}

static void let_go(struct engine_midi_probe *read)
{
    for (int i = 0; i < FILES; i++) {
        engine_midi_fini(&read[i].midi);
    }
}

START_TEST(scores_round_trip)
{
    engine_scores_write(&writer, files, FILES);
    struct engine_midi_probe read[FILES];
    memset(read, 0, sizeof read);
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(engine_scores_read(writer.data, size, read, FILES), LH_ERR_FORMAT);
    }
    ck_assert_int_eq(engine_scores_read(writer.data, writer.size, read, FILES - 1), LH_ERR_FORMAT);
    ck_assert_ptr_null(read[0].midi.events);
    ck_assert_int_eq(engine_scores_read(writer.data, writer.size, read, FILES), LH_OK);
    ck_assert(read[0].status == LH_OK && read[0].midi.event_count == EVENTS && read[0].midi.tracks == 2);
    ck_assert(!read[0].midi.seconds && read[0].midi.length == 8.5);
    for (int i = 0; i < EVENTS; i++) {
        const struct engine_midi_event *event = &read[0].midi.events[i];
        ck_assert(event->at == events[i].at && event->track == 2 && event->size == events[i].size);
        ck_assert_mem_eq(event->bytes, events[i].bytes, 4);
    }
    ck_assert_int_eq(read[1].status, LH_ERR_FORMAT);
    ck_assert_str_eq(read[1].error.message, "this is no MIDI  file");
    ck_assert(read[2].status == LH_OK && read[2].midi.seconds && read[2].midi.event_count == 0);
    let_go(read);
}
END_TEST

START_TEST(absurd_events_are_refused)
{
    for (int i = 0; i < 9; i++) {
        setup();
        struct engine_midi_event *one = &events[3];
        one->at = i == 0 ? (double)NAN : i == 1 ? -1.0 : i == 2 ? 0.5 : one->at;
        one->track = i == 3 ? 0 : i == 4 ? 3 : one->track;
        one->size = i == 5 ? 0 : i == 6 ? 4 : one->size;
        one->bytes[0] = i == 7 ? 0xF0 : i == 8 ? 0x7F : one->bytes[0];
        engine_scores_write(&writer, files, FILES);
        struct engine_midi_probe read[FILES];
        ck_assert_int_eq(engine_scores_read(writer.data, writer.size, read, FILES), LH_ERR_FORMAT);
        teardown();
    }
    files[0].midi.length = (double)INFINITY;
    setup();
}
END_TEST

/* More than a message holds, which is seen without looking at them. */
START_TEST(what_does_not_fit_is_told)
{
    files[2].midi.event_count = (size_t)1 << 26;
    engine_scores_write(&writer, files, FILES);
    ck_assert_uint_lt(writer.size, 10000);
    struct engine_midi_probe read[FILES];
    ck_assert_int_eq(engine_scores_read(writer.data, writer.size, read, FILES), LH_OK);
    ck_assert_int_eq(read[0].status, LH_OK);
    ck_assert_int_eq(read[2].status, LH_ERR_LIMIT);
    let_go(read);
}
END_TEST

START_TEST(changed_bytes_do_no_harm)
{
    engine_scores_write(&writer, files, FILES);
    uint8_t *bytes = malloc(writer.size);
    srand(6);
    for (int round = 0; round < 20000; round++) {
        memcpy(bytes, writer.data, writer.size);
        bytes[(size_t)rand() % writer.size] ^= (uint8_t)(1 << rand() % 8);
        bytes[(size_t)rand() % writer.size] = (uint8_t)rand();
        struct engine_midi_probe read[FILES];
        enum lh_status status = engine_scores_read(bytes, writer.size, read, FILES);
        ck_assert(status == LH_OK || status == LH_ERR_FORMAT);
        if (status == LH_OK) {
            let_go(read);
        }
    }
    free(bytes);
}
END_TEST

START_TEST(allocations_may_fail)
{
    engine_scores_write(&writer, files, FILES);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct engine_midi_probe read[FILES];
        testing_fail_allocation(n);
        enum lh_status status = engine_scores_read(writer.data, writer.size, read, FILES);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        if (status == LH_OK) {
            let_go(read);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/protocol_midi");
    TCase *test = tcase_create("midi");
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, scores_round_trip);
    tcase_add_test(test, absurd_events_are_refused);
    tcase_add_test(test, what_does_not_fit_is_told);
    tcase_add_test(test, changed_bytes_do_no_harm);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
