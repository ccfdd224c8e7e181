/* SPDX-License-Identifier: MIT */
/* engine/io/midi.c: what plays and when, careless writers, damage, limits, memory that runs out. */
#include "engine/io/midi.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/testing.h"

#define HEADER(format, tracks, high, low) "MThd\0\0\0\6\0" format "\0" tracks high low
#define SONG_SIZE 4096

/* A file from a header and tracks, whose chunks' heads are made here. */
struct song {
    uint8_t bytes[SONG_SIZE];
    size_t size;
};

static void add(struct song *song, const void *bytes, size_t size)
{
    ck_assert_uint_le(song->size + size, SONG_SIZE);
    memcpy(song->bytes + song->size, bytes, size);
    song->size += size;
}

static void add_chunk(struct song *song, const char *type, const void *bytes, size_t size)
{
    const uint8_t length[4] = {0, 0, (uint8_t)(size >> 8), (uint8_t)size};
    add(song, type, 4);
    add(song, length, sizeof length);
    add(song, bytes, size);
}

#define BEGIN(song, header) add(song, header, sizeof(header) - 1)
#define TRACK(song, text) add_chunk(song, "MTrk", text, sizeof(text) - 1)
#define END "\0\xFF\x2F\0"

static int file_of(const void *bytes, size_t size)
{
    int fd = memfd_create("song", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    return fd;
}

static enum lh_status read_bytes(const void *bytes, size_t size, struct engine_midi *midi, struct lh_error *error)
{
    int fd = file_of(bytes, size);
    enum lh_status status = engine_midi_read(fd, midi, error);
    close(fd);
    return status;
}

static void expect_event(const struct engine_midi *midi, size_t index, double at, uint32_t track, uint8_t status,
                         uint8_t first, uint8_t second, uint32_t size)
{
    ck_assert_uint_lt(index, midi->event_count);
    const struct engine_midi_event *event = &midi->events[index];
    ck_assert_double_eq(event->at, at);
    ck_assert_uint_eq(event->track, track);
    ck_assert_uint_eq(event->size, size);
    ck_assert_uint_eq(event->bytes[0], status);
    ck_assert_uint_eq(event->bytes[1], first);
    ck_assert_uint_eq(event->bytes[2], second);
    ck_assert_uint_eq(event->bytes[3], 0);
}

static void begin_two_tracks(struct song *song)
{
    *song = (struct song){.size = 0};
    BEGIN(song, HEADER("\1", "\2", "\0", "\x60"));
    TRACK(song, "\0\xFF\x51\3\7\xA1\x20"
                "\0\x90\x3C\x64"
                "\x60\x3C\0" END);
    add_chunk(song, "XTra", "mine", 4);
    TRACK(song, "\0\xC1\5"
                "\0\xFF\1\2hi"
                "\x30\x91\x40\x50"
                "\0\xF0\3\1\2\xF7"
                "\x81\x10\x81\x40\0"
                "\0\xE1\0\x40"
                "\x83\x00\xFF\x2F\0");
}

START_TEST(tracks_are_merged_by_time)
{
    struct song song;
    struct engine_midi midi;
    begin_two_tracks(&song);
    ck_assert_int_eq(read_bytes(song.bytes, song.size, &midi, NULL), LH_OK);
    ck_assert(!midi.seconds);
    ck_assert_uint_eq(midi.tracks, 2);
    ck_assert_uint_eq(midi.event_count, 6);
    expect_event(&midi, 0, 0.0, 1, 0x90, 0x3C, 0x64, 3);
    expect_event(&midi, 1, 0.0, 2, 0xC1, 5, 0, 2);
    expect_event(&midi, 2, 0.5, 2, 0x91, 0x40, 0x50, 3);
    expect_event(&midi, 3, 1.0, 1, 0x90, 0x3C, 0, 3); /* running status */
    expect_event(&midi, 4, 2.0, 2, 0x81, 0x40, 0, 3);
    expect_event(&midi, 5, 2.0, 2, 0xE1, 0, 0x40, 3);
    ck_assert_double_eq(midi.length, 6.0); /* to the end of the longest track */
    engine_midi_fini(&midi);
}
END_TEST

/* Time code: 25 frames of 40 ticks a second; and 29.97. */
START_TEST(time_code_counts_in_seconds)
{
    struct song song = {.size = 0};
    struct engine_midi midi;
    BEGIN(&song, HEADER("\0", "\1", "\xE7", "\x28"));
    TRACK(&song, "\x87\x68\x90\x3C\x64" END);
    ck_assert_int_eq(read_bytes(song.bytes, song.size, &midi, NULL), LH_OK);
    ck_assert(midi.seconds);
    expect_event(&midi, 0, 1.0, 1, 0x90, 0x3C, 0x64, 3);
    engine_midi_fini(&midi);
    song.size = 0;
    BEGIN(&song, HEADER("\0", "\1", "\xE3", "\x64"));
    TRACK(&song, "\xAE\x70\x90\x3C\x64" END);
    ck_assert_int_eq(read_bytes(song.bytes, song.size, &midi, NULL), LH_OK);
    ck_assert_double_eq_tol(midi.events[0].at, 6000 / (100 * 30000.0 / 1001.0), 1e-12);
    engine_midi_fini(&midi);
}
END_TEST

/* Running status across a meta event, no end of track, a longer header, bytes behind the last track. */
START_TEST(careless_writers_are_understood)
{
    struct song song = {.size = 0};
    struct engine_midi midi;
    BEGIN(&song, "MThd\0\0\0\x8\0\0\0\1\0\x60xy");
    TRACK(&song, "\0\x90\x3C\x64"
                 "\0\xFF\1\1x"
                 "\x60\x3C\0");
    BEGIN(&song, "rubbish");
    ck_assert_int_eq(read_bytes(song.bytes, song.size, &midi, NULL), LH_OK);
    ck_assert_uint_eq(midi.event_count, 2);
    ck_assert_double_eq(midi.length, 1.0);
    engine_midi_fini(&midi);
    song.size = 0;
    BEGIN(&song, HEADER("\1", "\0", "\0", "\x60"));
    ck_assert_int_eq(read_bytes(song.bytes, song.size, &midi, NULL), LH_OK); /* nothing at all is a song, too */
    ck_assert_uint_eq(midi.event_count, 0);
    engine_midi_fini(&midi);
}
END_TEST

struct damage {
    const char *header;
    size_t header_size;
    const char *track;
    size_t track_size;
    const char *says;
};
#define DAMAGE(header, track, says)                                                                                    \
    {                                                                                                                  \
        header, sizeof(header) - 1, track, sizeof(track) - 1, says                                                     \
    }
#define GOOD HEADER("\0", "\1", "\0", "\x60")

static const struct damage damages[] = {
    DAMAGE("", "", "no MIDI file"),
    DAMAGE("RIFF\0\0\0\4WAVE", "", "no MIDI file"),
    DAMAGE("MThd\0\0\0\6\0\0", "", "inside its header"),
    DAMAGE("MThd\0\0\0\2\0\0", "", "inside its header"),
    DAMAGE(HEADER("\3", "\1", "\0", "\x60"), END, "formats 0, 1 and 2"),
    DAMAGE(HEADER("\0", "\1", "\0", "\0"), END, "no ticks"),
    DAMAGE(HEADER("\0", "\1", "\xE7", "\0"), END, "a rate that does not exist"),
    DAMAGE(HEADER("\0", "\1", "\x90", "\4"), END, "a rate that does not exist"),
    DAMAGE(GOOD, "\0\x90\x3C", "inside a message"),
    DAMAGE(GOOD, "\0\x90", "inside a message"),
    DAMAGE(GOOD, "\0", "inside a message"),
    DAMAGE(GOOD, "\x81", "inside a message"),
    DAMAGE(GOOD, "\x81\x81\x81\x81\1\x90\x3C\x64", "inside a message"),
    DAMAGE(GOOD, "\0\xFF\1\x7Fshort", "inside a message"),
    DAMAGE(GOOD, "\0\xF0\x8F\xFF\xFF\x7F" END, "inside a message"),
    DAMAGE(GOOD, "\0\x3C\x64" END, "without a message"),
    DAMAGE(GOOD, "\0\x90\x3C\x80" END, "lacks its data"),
    DAMAGE(GOOD, "\0\xC0\xFF" END, "lacks its data"),
    DAMAGE(GOOD, "\0\xF8" END, "no file may hold"),
};

START_TEST(damage_is_refused)
{
    const struct damage *damage = &damages[_i];
    struct song song = {.size = 0};
    struct engine_midi midi = {.tracks = 77};
    struct lh_error error = LH_ERROR_INIT;
    add(&song, damage->header, damage->header_size);
    if (damage->track_size > 0) {
        add_chunk(&song, "MTrk", damage->track, damage->track_size);
    }
    ck_assert_int_eq(read_bytes(song.bytes, song.size, &midi, &error), LH_ERR_FORMAT);
    ck_assert_msg(strstr(error.message, damage->says) != NULL, "%s", error.message);
    ck_assert_uint_eq(midi.tracks, 77); /* untouched */
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    struct song song;
    struct engine_midi midi;
    begin_two_tracks(&song);
    for (size_t size = 0; size < song.size; size++) {
        ck_assert_int_eq(read_bytes(song.bytes, size, &midi, NULL), LH_ERR_FORMAT);
    }
}
END_TEST

START_TEST(limits_are_told)
{
    struct engine_midi midi;
    struct lh_error error = LH_ERROR_INIT;
    int fd = memfd_create("large", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, (off_t)ENGINE_MIDI_BYTES_MAX + 1), 0);
    ck_assert_int_eq(engine_midi_read(fd, &midi, &error), LH_ERR_LIMIT);
    close(fd);
    size_t events = (size_t)ENGINE_MIDI_EVENTS_MAX + 1, size = 22 + 3 * events;
    uint8_t *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, GOOD "MTrk", 18);
    for (unsigned i = 0; i < 4; i++) {
        bytes[18 + i] = (uint8_t)((3 * events) >> (24 - 8 * i));
    }
    for (size_t i = 0; i < events; i++) {
        memcpy(bytes + 22 + 3 * i, "\0\xC0\1", 3);
    }
    ck_assert_int_eq(read_bytes(bytes, size, &midi, &error), LH_ERR_LIMIT);
    free(bytes);
    ck_assert_int_eq(engine_midi_read(-1, &midi, &error), LH_ERR_IO);
}
END_TEST

START_TEST(memory_may_be_out)
{
    struct song song;
    struct engine_midi midi;
    begin_two_tracks(&song);
    int fd = file_of(song.bytes, song.size);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        testing_fail_allocation(n);
        enum lh_status status = engine_midi_read(fd, &midi, NULL);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
    }
    engine_midi_fini(&midi);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/midi");
    TCase *tests = tcase_create("midi");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, tracks_are_merged_by_time);
    tcase_add_test(tests, time_code_counts_in_seconds);
    tcase_add_test(tests, careless_writers_are_understood);
    tcase_add_loop_test(tests, damage_is_refused, 0, (int)(sizeof damages / sizeof *damages));
    tcase_add_test(tests, every_truncation_is_refused);
    tcase_add_test(tests, limits_are_told);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
