/* SPDX-License-Identifier: MIT */
/* What is kept is what comes back, and what is damaged is not there. */
#include "cli/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "common/base/file.h"
#include "tests/support/testing.h"

static char base[64], entry[512], facts_entry[520];
static struct lh_arena arena;
static struct lh_error error;
static struct cli_cache cache;
static struct lh_digest key;
static struct engine_delivered told;

static void set_up(void)
{
    strcpy(base, "cache-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    lh_arena_init(&arena);
    error = LH_ERROR_INIT;
    ck_assert_int_eq(cli_cache_open(&arena, base, &cache, &error), LH_OK);
    ck_assert_int_eq(cli_cache_open(&arena, base, &cache, &error), LH_OK); /* it may be there */
    ck_assert_int_eq(lh_digest_bytes("key", 3, &key), LH_OK);
    char text[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(&key, text);
    snprintf(entry, sizeof entry, "%s/deliverables/%s", base, text + 7);
    snprintf(facts_entry, sizeof facts_entry, "%s.facts", entry);
    told = (struct engine_delivered){
        .file = {.frames = 48000, .clipped = 3, .bytes = 7, .has_samples = true, .notes = "FLAC holds no loop points"},
        .has_loudness = true,
        .measured = {.integrated_lufs = -INFINITY, .true_peak_dbtp = -1.5},
        .reached = {.integrated_lufs = -14.1, .range_lu = 3, .max_momentary_lufs = -9.5, .max_short_term_lufs = -11},
        .gain_db = -2.125,
        .tail_frames = 99,
    };
    memset(told.file.samples.bytes, 0xab, LH_DIGEST_SIZE);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", base);
    ck_assert_int_eq(system(command), 0);
}

static int content(const char *text)
{
    int fd = open(base, O_TMPFILE | O_RDWR, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

static void store(const char *text)
{
    int fd = content(text);
    ck_assert_int_eq(cli_cache_store(&arena, &cache, &key, fd, &told, &error), LH_OK);
    close(fd);
}

/* The file's descriptor, -1 when it is not there. */
static int find(bool report)
{
    struct engine_delivered delivered = {0};
    int fd = -1;
    ck_assert_int_eq(cli_cache_find(&arena, &cache, &key, report, &fd, &delivered, &error), LH_OK);
    if (fd >= 0) {
        ck_assert_uint_eq(delivered.file.clipped, 3);
        ck_assert_str_eq(delivered.file.notes, "FLAC holds no loop points");
        ck_assert(isinf(delivered.measured.integrated_lufs));
        ck_assert_double_eq(delivered.reached.integrated_lufs, -14.1);
        ck_assert_double_eq(delivered.reached.max_momentary_lufs, -9.5);
        ck_assert_double_eq(delivered.reached.max_short_term_lufs, -11);
        ck_assert_double_eq(delivered.gain_db, -2.125);
        ck_assert_int_eq(delivered.tail_frames, 99);
        ck_assert(lh_digest_equal(&delivered.file.samples, &told.file.samples));
    }
    return fd;
}

START_TEST(kept_is_found)
{
    ck_assert_int_eq(find(false), -1);
    store("7 bytes");
    store("7 bytes");
    int fd = find(true);
    ck_assert_int_ge(fd, 0);
    int to = content("");
    char copy[16] = "";
    ck_assert_int_eq(cli_copy(fd, to, "to", &error), LH_OK);
    ck_assert_int_eq(pread(to, copy, sizeof copy, 0), 7);
    ck_assert_str_eq(copy, "7 bytes");
    close(to);
    close(fd);
}
END_TEST

START_TEST(copying_to_nowhere_fails)
{
    int from = content("7 bytes"), to = open("/dev/full", O_RDONLY);
    ck_assert_int_eq(cli_copy(from, to, "to", &error), LH_ERR_IO);
    ck_assert_str_eq(error.where, "to");
    close(from);
    close(to);
}
END_TEST

/* A disk that is full takes the first part of a piece and says why only when asked for the rest. */
START_TEST(copying_tells_why_it_ends_early)
{
    static const char zeros[1 << 18];
    const struct rlimit small = {100000, RLIM_INFINITY};
    struct rlimit before;
    int from = memfd_create("from", 0), to = content(""); /* of two file systems */
    ck_assert_int_eq(lh_file_write_at(from, zeros, sizeof zeros, 0), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    setrlimit(RLIMIT_FSIZE, &small);
    ck_assert_int_eq(cli_copy(from, to, "to", &error), LH_ERR_IO);
    setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_msg(strstr(error.message, strerror(EFBIG)) != NULL, "%s", error.message);
    close(from);
    close(to);
}
END_TEST

START_TEST(figures_that_are_missing_make_no_hit)
{
    told.has_loudness = false;
    store("7 bytes");
    ck_assert_int_eq(find(true), -1);
    int fd = find(false);
    ck_assert_int_ge(fd, 0);
    close(fd);
}
END_TEST

START_TEST(damage_makes_no_hit)
{
    store("7 bytes");
    ck_assert_int_eq(truncate(entry, 6), 0);
    ck_assert_int_eq(find(false), -1);
    store("7 bytes");
    ck_assert_int_eq(truncate(facts_entry, 40), 0);
    ck_assert_int_eq(find(false), -1);
    store("7 bytes");
    ck_assert_int_eq(unlink(entry), 0);
    ck_assert_int_eq(mkdir(entry, 0755), 0);
    ck_assert_int_eq(find(false), -1);
}
END_TEST

static int find_conformed(uint64_t size)
{
    int fd = -2;
    ck_assert_int_eq(cli_cache_find_conformed(&arena, &cache, &key, size, &fd, &error), LH_OK);
    return fd;
}

START_TEST(a_converted_medium_is_kept_by_its_extent)
{
    char path[512], digest_path[520], text[8] = "";
    snprintf(path, sizeof path, "%s/conformed/%s", base, strrchr(entry, '/') + 1);
    snprintf(digest_path, sizeof digest_path, "%s.digest", path);
    int from = content("0123456789");
    ck_assert_int_eq(find_conformed(4), -1);
    ck_assert_int_eq(cli_cache_store_conformed(&arena, &cache, &key, from, 3, 4, &error), LH_OK);
    int fd = find_conformed(4);
    ck_assert_int_eq(pread(fd, text, sizeof text, 0), 4);
    ck_assert_str_eq(text, "3456");
    close(fd);
    ck_assert_int_eq(find_conformed(5), -1);
    int damaged = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(damaged, "x", 1, 2), 1);
    close(damaged);
    ck_assert_int_eq(find_conformed(4), -1);
    ck_assert_int_eq(cli_cache_store_conformed(&arena, &cache, &key, from, 3, 4, &error), LH_OK);
    fd = find_conformed(4);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(truncate(digest_path, 10), 0);
    ck_assert_int_eq(find_conformed(4), -1);
    ck_assert_int_eq(cli_cache_store_conformed(&arena, &cache, &key, from, 3, 4, &error), LH_OK);
    ck_assert_int_eq(truncate(path, 3), 0);
    ck_assert_int_eq(find_conformed(4), -1);
    close(from);
}
END_TEST

START_TEST(memory_runs_out_for_a_converted_medium)
{
    int from = content("0123456789");
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        lh_arena_init(&own);
        int fd = -1;
        testing_fail_allocation(n);
        enum lh_status status = cli_cache_store_conformed(&own, &cache, &key, from, 3, 4, &error);
        status = status == LH_OK ? cli_cache_find_conformed(&own, &cache, &key, 4, &fd, &error) : status;
        bool fired = testing_fail_allocation_end();
        lh_arena_fini(&own);
        if (!fired) {
            ck_assert_int_eq(status, LH_OK);
            close(fd);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
    close(from);
}
END_TEST

START_TEST(digests_follow_the_files)
{
    char path[128];
    snprintf(path, sizeof path, "%s/source", base);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    ck_assert_int_eq(write(fd, "one", 3), 3);
    struct cli_source source = {.fd = fd, .path = path, .where = path};
    struct cli_sources sources = {.items = &source, .count = 1};
    ck_assert_int_eq(cli_cache_digest(&arena, &cache, &sources, &error), LH_OK);
    ck_assert(cli_cache_unchanged(&sources));
    ck_assert_uint_eq(cache.hashed_bytes, 3);
    struct lh_digest expected;
    ck_assert_int_eq(lh_digest_bytes("one", 3, &expected), LH_OK);
    ck_assert(lh_digest_equal(&expected, &source.digest));
    ck_assert_int_eq(pwrite(fd, "other", 5, 0), 5);
    ck_assert(!cli_cache_unchanged(&sources));
    source.has_digest = false;
    ck_assert_int_eq(cli_cache_digest(&arena, &cache, &sources, &error), LH_OK);
    ck_assert(!lh_digest_equal(&expected, &source.digest));
    close(fd);
}
END_TEST

START_TEST(a_folder_that_cannot_be)
{
    ck_assert_int_eq(cli_cache_open(&arena, "/proc/none", &cache, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "cache"));
}
END_TEST

START_TEST(memory_runs_out)
{
    int from = content("7 bytes");
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = cli_cache_store(&own, &cache, &key, from, &told, &error);
        bool fired = testing_fail_allocation_end();
        lh_arena_fini(&own);
        if (!fired) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
    close(from);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/cache");
    TCase *tests = tcase_create("cache");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, kept_is_found);
    tcase_add_test(tests, copying_to_nowhere_fails);
    tcase_add_test(tests, copying_tells_why_it_ends_early);
    tcase_add_test(tests, figures_that_are_missing_make_no_hit);
    tcase_add_test(tests, damage_makes_no_hit);
    tcase_add_test(tests, a_converted_medium_is_kept_by_its_extent);
    tcase_add_test(tests, memory_runs_out_for_a_converted_medium);
    tcase_add_test(tests, digests_follow_the_files);
    tcase_add_test(tests, a_folder_that_cannot_be);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
