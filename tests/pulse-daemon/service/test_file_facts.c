/* SPDX-License-Identifier: MIT */
/* pulse-daemon/service/file_facts.c on real blobs. */
#include "pulse-daemon/service/file_facts.h"

#include <string.h>
#include <unistd.h>

#include "tests/common/blobs/folder.h"
#include "tests/support/testing.h"

#define FACTS_MOST ((off_t)256 << 20)

static const struct graph_file_facts sound = {
    .message = "", .frames = 480, .rate = 48000, .channels = 2, .bits = 24, .format = "WAV, 24 bit"};
static const struct graph_midi_note note = {.at = 1, .track = 1, .size = 3, .bytes = {0x90, 60, 100}};
static const struct graph_file_facts midi = {
    .message = "", .format = "", .is_midi = true, .tracks = 1, .length = 2, .notes = &note, .note_count = 1};

static char folder[64];
static struct lh_blobs *blobs;
static struct lh_arena arena;
static struct lh_error error;

static void set_up(void)
{
    folders_make(folder, sizeof folder);
    blobs = folder_open(folder);
    lh_arena_init(&arena);
    error = LH_ERROR_INIT;
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
    lh_blobs_close(blobs);
    folders_remove(folder);
}

static struct lh_digest put(const void *data, size_t size)
{
    struct lh_blob blob;
    ck_assert_int_eq(lh_blobs_put_bytes(blobs, data, size, LH_BLOBS_CACHED, &blob, &error), LH_OK);
    lh_blobs_release(blobs, &blob.digest);
    return blob.digest;
}

static struct lh_digest put_facts(const struct graph_file_facts *facts)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    graph_facts_write(&writer, facts);
    ck_assert_int_eq(lh_writer_status(&writer), LH_OK);
    struct lh_digest digest = put(writer.data, writer.size);
    lh_writer_fini(&writer);
    return digest;
}

/* As a process of this host hands it over: nobody looks whether these are its bytes. */
static struct lh_digest adopt(const char *named_after, const char *bytes, off_t size, enum lh_blobs_kind kind)
{
    char name[LH_BLOBS_NAME_SIZE];
    struct lh_blob told = {.size = (uint64_t)size, .kind = kind}, blob;
    int fd;
    ck_assert_int_eq(lh_digest_bytes(named_after, strlen(named_after), &told.digest), LH_OK);
    ck_assert_int_eq(lh_blobs_hand_over(folder, name, &fd, &error), LH_OK);
    ck_assert_int_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
    ck_assert_int_eq(ftruncate(fd, size), 0);
    close(fd);
    ck_assert_int_eq(lh_blobs_adopt(blobs, name, &told, false, &blob, &error), LH_OK);
    lh_blobs_release(blobs, &told.digest);
    return told.digest;
}

static enum lh_status facts_of(struct lh_digest digest, bool is_midi, struct graph_file_facts *facts)
{
    return pulse_file_facts(blobs, &digest, is_midi, &arena, facts, &error);
}

START_TEST(facts_are_what_was_told)
{
    struct graph_file_facts facts;
    ck_assert_int_eq(facts_of(put_facts(&sound), false, &facts), LH_OK);
    ck_assert_uint_eq(facts.frames, 480);
    ck_assert_str_eq(facts.format, "WAV, 24 bit");
    ck_assert_int_eq(facts_of(put_facts(&midi), true, &facts), LH_OK);
    ck_assert_uint_eq(facts.note_count, 1);
    ck_assert_uint_eq(facts.notes[0].bytes[1], 60);
}
END_TEST

START_TEST(what_cannot_be_used_is_told)
{
    struct graph_file_facts facts = {.frames = 7};
    struct lh_digest digest;
    ck_assert_int_eq(facts_of(put("garbage", 7), false, &facts), LH_ERR_FORMAT);
    ck_assert_str_eq(error.message, "the 7 bytes cannot be read as facts of a file");
    ck_assert_int_eq(facts_of(put("", 0), true, &facts), LH_ERR_FORMAT);
    ck_assert_int_eq(facts_of(put_facts(&midi), false, &facts), LH_ERR_FORMAT);
    ck_assert_str_eq(error.message, "they are of a MIDI file, and this is a sound file");
    ck_assert_int_eq(facts_of(put_facts(&sound), true, &facts), LH_ERR_FORMAT);
    ck_assert_int_eq(facts_of(adopt("large", "", FACTS_MOST + 1, LH_BLOBS_CACHED), false, &facts), LH_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "larger than 268435456 bytes"));
    ck_assert_int_eq(lh_digest_bytes("gone", 4, &digest), LH_OK);
    ck_assert_int_eq(facts_of(digest, false, &facts), LH_ERR_MISSING);
    ck_assert_uint_eq(facts.frames, 7);
}
END_TEST

START_TEST(bytes_end_with_a_zero)
{
    struct lh_digest digest = put("state", 5);
    char *data;
    size_t size;
    ck_assert_int_eq(pulse_blob_bytes(blobs, &digest, 5, &arena, &data, &size, &error), LH_OK);
    ck_assert_uint_eq(size, 5);
    ck_assert_str_eq(data, "state");
    ck_assert_int_eq(pulse_blob_bytes(blobs, &digest, 4, &arena, &data, &size, &error), LH_ERR_LIMIT);
}
END_TEST

START_TEST(only_what_has_other_bytes_than_its_name_goes)
{
    struct lh_digest whole = put("garbage", 7), damaged = adopt("right", "wrong", 5, LH_BLOBS_CACHED);
    struct lh_digest kept = adopt("medium", "damage", 6, LH_BLOBS_KEPT);
    struct lh_digest large = adopt("large", "", FACTS_MOST + 1, LH_BLOBS_CACHED), gone;
    struct lh_blob blob;
    ck_assert_int_eq(lh_digest_bytes("gone", 4, &gone), LH_OK);
    pulse_facts_doubt(blobs, &gone);
    pulse_facts_doubt(blobs, &whole);
    pulse_facts_doubt(blobs, &kept);
    pulse_facts_doubt(blobs, &large);
    ck_assert(lh_blobs_has(blobs, &whole, &blob) && lh_blobs_has(blobs, &kept, &blob));
    ck_assert(lh_blobs_has(blobs, &large, &blob));
    ck_assert_int_eq(lh_blobs_hold(blobs, &damaged, &blob, &error), LH_OK);
    pulse_facts_doubt(blobs, &damaged);
    ck_assert(lh_blobs_has(blobs, &damaged, &blob)); /* somebody has it */
    lh_blobs_release(blobs, &damaged);
    pulse_facts_doubt(blobs, &damaged);
    ck_assert(!lh_blobs_has(blobs, &damaged, &blob));
    struct lh_digest right = put("right", 5);
    ck_assert(lh_digest_equal(&right, &damaged));
    pulse_facts_doubt(blobs, &right);
    ck_assert(lh_blobs_has(blobs, &right, &blob));
}
END_TEST

START_TEST(memory_runs_out)
{
    struct lh_digest digest = put_facts(&midi), damaged = adopt("right", "wrong", 5, LH_BLOBS_CACHED);
    struct lh_blob blob;
    size_t failures = 0;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct graph_file_facts facts = {.tracks = 9};
        testing_fail_allocation(n);
        enum lh_status status = facts_of(digest, true, &facts);
        failed = testing_fail_allocation_end();
        lh_arena_fini(&arena);
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert_uint_eq(facts.tracks, failed ? 9 : 1);
        failures += failed;
    }
    ck_assert_uint_gt(failures, 0);
    testing_fail_allocation(1);
    pulse_facts_doubt(blobs, &damaged); /* hashing takes some: it stays */
    ck_assert(testing_fail_allocation_end());
    ck_assert(lh_blobs_has(blobs, &damaged, &blob));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/file_facts");
    TCase *tests = tcase_create("file_facts");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, facts_are_what_was_told);
    tcase_add_test(tests, what_cannot_be_used_is_told);
    tcase_add_test(tests, bytes_end_with_a_zero);
    tcase_add_test(tests, only_what_has_other_bytes_than_its_name_goes);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
