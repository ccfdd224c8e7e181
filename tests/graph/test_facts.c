/* SPDX-License-Identifier: MIT */
/* graph/facts.c: what a probe says, there and back. */
#include "graph/facts.h"

#include <math.h>
#include <string.h>

#include "tests/support/testing.h"

static const struct graph_midi_note notes[] = {
    {.at = 0, .track = 1, .size = 3, .bytes = {0x90, 60, 100}},
    {.at = 0.5, .track = 2, .size = 2, .bytes = {0xC0, 7}},
    {.at = 0.5, .track = 1, .size = 3, .bytes = {0x80, 60, 0}},
};
static const struct graph_file_facts samples[] = {
    {.message = "", .frames = 480000, .rate = 44100, .channels = 2, .lossy = true, .format = "MP3"},
    {.message = "", .frames = 0, .rate = 8000, .channels = 16, .bits = 24, .format = "WAV, 24 bit"},
    {.message = "", .format = "", .is_midi = true, .tracks = 2, .length = 4.25, .notes = notes, .note_count = 3},
    {.message = "", .format = "", .is_midi = true, .seconds = true, .tracks = 0, .length = 0},
    {.status = LH_ERR_FORMAT, .message = "this is not a sound file", .format = ""},
    {.status = LH_ERR_UNSUPPORTED, .message = "32 channels", .format = "", .is_midi = true},
};
#define SAMPLES (int)(sizeof samples / sizeof samples[0])

START_TEST(facts_round_trip)
{
    const struct graph_file_facts *told = &samples[_i];
    struct lh_writer bytes, again;
    struct lh_arena arena;
    lh_writer_init(&bytes);
    lh_writer_init(&again);
    lh_arena_init(&arena);
    graph_facts_write(&bytes, told);
    struct graph_file_facts read;
    ck_assert_int_eq(graph_facts_read(bytes.data, bytes.size, &arena, &read), LH_OK);
    ck_assert_int_eq(read.status, told->status);
    ck_assert_int_eq(read.is_midi, told->is_midi);
    ck_assert_str_eq(read.message, told->message);
    ck_assert_str_eq(read.format, told->format);
    ck_assert_uint_eq(read.frames, told->frames);
    ck_assert_uint_eq(read.rate, told->rate);
    ck_assert_uint_eq(read.channels, told->channels);
    ck_assert_int_eq(read.lossy, told->lossy);
    ck_assert_uint_eq(read.bits, told->bits);
    ck_assert_int_eq(read.seconds, told->seconds);
    ck_assert_uint_eq(read.tracks, told->tracks);
    ck_assert(read.length == told->length);
    ck_assert_uint_eq(read.note_count, told->note_count);
    graph_facts_write(&again, &read);
    ck_assert_uint_eq(again.size, bytes.size);
    ck_assert_mem_eq(again.data, bytes.data, bytes.size);
    for (size_t size = 0; size < bytes.size; size++) {
        ck_assert_int_eq(graph_facts_read(bytes.data, size, &arena, &read), LH_ERR_FORMAT);
    }
    lh_writer_u8(&bytes, 0);
    ck_assert_int_eq(graph_facts_read(bytes.data, bytes.size, &arena, &read), LH_ERR_FORMAT);
    lh_writer_fini(&bytes);
    lh_writer_fini(&again);
    lh_arena_fini(&arena);
}
END_TEST

static void expect_refused(const struct graph_file_facts *facts)
{
    struct lh_writer bytes;
    struct lh_arena arena;
    lh_writer_init(&bytes);
    lh_arena_init(&arena);
    graph_facts_write(&bytes, facts);
    struct graph_file_facts read = {.rate = 1};
    ck_assert_int_eq(graph_facts_read(bytes.data, bytes.size, &arena, &read), LH_ERR_FORMAT);
    ck_assert_uint_eq(read.rate, 1);
    lh_writer_fini(&bytes);
    lh_arena_fini(&arena);
}

START_TEST(nonsense_is_refused)
{
    struct graph_file_facts medium = samples[0];
    medium.channels = 17;
    expect_refused(&medium);
    medium.channels = 0;
    expect_refused(&medium);
    medium = samples[0];
    medium.frames = (uint64_t)GRAPH_FRAMES_MAX;
    expect_refused(&medium);
    medium = samples[0];
    medium.rate = 0;
    expect_refused(&medium);
    struct graph_midi_note spoilt[3];
    struct graph_file_facts midi = samples[2];
    midi.notes = spoilt;
    static const struct graph_midi_note wrong[] = {
        {.at = NAN, .track = 1, .size = 3, .bytes = {0x90, 60, 100}},
        {.at = -1, .track = 1, .size = 3, .bytes = {0x90, 60, 100}},
        {.at = 9, .track = 1, .size = 3, .bytes = {0x90, 60, 100}}, /* the next one comes before it */
        {.at = 0, .track = 1, .size = 4, .bytes = {0x90, 60, 100}},
        {.at = 0, .track = 1, .size = 0, .bytes = {0x90}},
        {.at = 0, .track = 1, .size = 2, .bytes = {0x90, 60, 100}},
        {.at = 0, .track = 1, .size = 3, .bytes = {0xF0, 60, 100}},
        {.at = 0, .track = 1, .size = 3, .bytes = {0x70, 60, 100}},
        {.at = 0, .track = 1, .size = 3, .bytes = {0x90, 60, 200}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        memcpy(spoilt, notes, sizeof spoilt);
        spoilt[0] = wrong[i];
        expect_refused(&midi);
    }
    midi = samples[3];
    midi.length = INFINITY;
    expect_refused(&midi);
}
END_TEST

START_TEST(keys_tell_files_apart)
{
    struct graph_key_context context = {.libraries = "libsndfile-1", .cpu_class = ""};
    struct lh_digest file = {{1}}, other = {{2}}, keys[4];
    ck_assert_int_eq(graph_key_facts(&file, false, &context, &keys[0]), LH_OK);
    ck_assert_int_eq(graph_key_facts(&file, true, &context, &keys[1]), LH_OK);
    ck_assert_int_eq(graph_key_facts(&other, false, &context, &keys[2]), LH_OK);
    context.libraries = "libsndfile-2";
    ck_assert_int_eq(graph_key_facts(&file, false, &context, &keys[3]), LH_OK);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++) {
            ck_assert(!lh_digest_equal(&keys[i], &keys[j]));
        }
    }
}
END_TEST

START_TEST(memory_runs_out)
{
    struct lh_writer bytes;
    lh_writer_init(&bytes);
    graph_facts_write(&bytes, &samples[_i]);
    for (size_t n = 1;; n++) {
        struct lh_arena arena;
        struct graph_file_facts read;
        lh_arena_init(&arena);
        testing_fail_allocation(n);
        enum lh_status status = graph_facts_read(bytes.data, bytes.size, &arena, &read);
        bool failed = testing_fail_allocation_end();
        lh_arena_fini(&arena);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
    lh_writer_fini(&bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/facts");
    TCase *tcase = tcase_create("facts");
    tcase_add_loop_test(tcase, facts_round_trip, 0, SAMPLES);
    tcase_add_test(tcase, nonsense_is_refused);
    tcase_add_test(tcase, keys_tell_files_apart);
    tcase_add_loop_test(tcase, memory_runs_out, 0, SAMPLES);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
