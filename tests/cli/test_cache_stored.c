/* SPDX-License-Identifier: MIT */
/* cli/cache_stored.c: stored frames that are whole come back, damage is not there; and what was learned. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cache.h"
#include "tests/support/testing.h"

#define FRAMES "0123456789"

static char base[64], entry[512], facts[520];
static struct lh_arena arena;
static struct lh_error error;
static struct cli_cache cache;
static struct lh_digest key;

static void set_up(void)
{
    strcpy(base, "cache-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    lh_arena_init(&arena);
    error = LH_ERROR_INIT;
    ck_assert_int_eq(cli_cache_open(&arena, base, &cache, &error), LH_OK);
    ck_assert_int_eq(lh_digest_bytes("key", 3, &key), LH_OK);
    char text[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(&key, text);
    snprintf(entry, sizeof entry, "%s/stored/%s", base, text + 7);
    snprintf(facts, sizeof facts, "%s.facts", entry);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", base);
    ck_assert_int_eq(system(command), 0);
}

static enum lh_status keep(struct lh_arena *own)
{
    struct cli_aside aside = CLI_ASIDE_NONE;
    enum lh_status status = cli_cache_open_stored(own, &cache, &key, &aside, &error);
    status = status == LH_OK ? cli_aside_write(&aside, FRAMES, strlen(FRAMES), &error) : status;
    status = status == LH_OK ? cli_cache_store_stored(own, &cache, &key, &aside, &error) : status;
    cli_aside_discard(&aside);
    return status;
}

static bool is_there(uint64_t size)
{
    int fd = -2;
    char text[32] = "";
    ck_assert_int_eq(cli_cache_find_stored(&arena, &cache, &key, size, &fd, &error), LH_OK);
    if (fd < 0) {
        return false;
    }
    ck_assert_int_eq(pread(fd, text, sizeof text - 1, 0), (ssize_t)strlen(FRAMES));
    ck_assert_str_eq(text, FRAMES);
    close(fd);
    return true;
}

/* Changes a byte and brings the times back, as a failing disk would. */
static void flip(bool quietly)
{
    struct stat info;
    ck_assert_int_eq(stat(entry, &info), 0);
    int fd = open(entry, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, "x", 1, 3), 1);
    close(fd);
    if (quietly) {
        ck_assert_int_eq(utimensat(AT_FDCWD, entry, (struct timespec[]){info.st_atim, info.st_mtim}, 0), 0);
    }
}

START_TEST(what_is_whole_comes_back)
{
    ck_assert(!is_there(10));
    ck_assert_int_eq(keep(&arena), LH_OK);
    ck_assert(is_there(10));
    ck_assert(!is_there(9));
    ck_assert(!is_there(11));
    ck_assert_int_eq(keep(&arena), LH_OK); /* the same again */
    ck_assert(is_there(10));
}
END_TEST

START_TEST(damage_is_not_there)
{
    for (int quietly = 0; quietly < 2; quietly++) {
        ck_assert_int_eq(keep(&arena), LH_OK);
        flip(quietly == 1);
        ck_assert(!is_there(10));
        ck_assert(!is_there(10));
    }
    ck_assert_int_eq(keep(&arena), LH_OK);
    ck_assert_int_eq(truncate(entry, 4), 0);
    ck_assert(!is_there(10));
    ck_assert_int_eq(keep(&arena), LH_OK);
    ck_assert_int_eq(truncate(facts, 80), 0);
    ck_assert(!is_there(10));
    ck_assert_int_eq(keep(&arena), LH_OK);
    ck_assert_int_eq(unlink(facts), 0);
    ck_assert(!is_there(10));
    ck_assert_int_eq(keep(&arena), LH_OK);
    ck_assert_int_eq(unlink(entry), 0);
    ck_assert_int_eq(mkdir(entry, 0755), 0);
    ck_assert(!is_there(10));
}
END_TEST

/* A file that was touched, or outlived a start of the machine, is held against its digest, and then believed again. */
START_TEST(what_may_have_changed_is_looked_at)
{
    ck_assert_int_eq(keep(&arena), LH_OK);
    ck_assert_int_eq(utimensat(AT_FDCWD, entry, (struct timespec[]){{.tv_sec = 1}, {.tv_sec = 1}}, 0), 0);
    ck_assert(is_there(10));
    char text[256] = "", before[256] = "";
    int fd = open(facts, O_RDWR);
    ck_assert_int_gt(read(fd, before, sizeof before - 1), 140);
    strcpy(text, before);
    memset(strrchr(text, '-'), '-', 3); /* another start of the machine */
    ck_assert_int_eq(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    close(fd);
    ck_assert(is_there(10));
    fd = open(facts, O_RDONLY);
    memset(text, 0, sizeof text);
    ck_assert_int_gt(read(fd, text, sizeof text - 1), 0);
    close(fd);
    ck_assert_str_eq(text, before);
}
END_TEST

START_TEST(latencies_come_back)
{
    ck_assert_uint_eq(cli_cache_find_latency(&arena, &cache, &key), GRAPH_NONE);
    ck_assert_int_eq(cli_cache_store_latency(&arena, &cache, &key, 0, &error), LH_OK);
    ck_assert_uint_eq(cli_cache_find_latency(&arena, &cache, &key), 0);
    ck_assert_int_eq(cli_cache_store_latency(&arena, &cache, &key, 123456, &error), LH_OK);
    ck_assert_uint_eq(cli_cache_find_latency(&arena, &cache, &key), 123456);
    char path[512], text[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(&key, text);
    snprintf(path, sizeof path, "%s/latencies/%s", base, text + 7);
    static const char *const wrong[] = {"", "x", "-1", "99999999999999", "4294967295"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int fd = open(path, O_WRONLY | O_TRUNC);
        ck_assert_int_eq(write(fd, wrong[i], strlen(wrong[i])), (ssize_t)strlen(wrong[i]));
        close(fd);
        ck_assert_uint_eq(cli_cache_find_latency(&arena, &cache, &key), GRAPH_NONE);
    }
}
END_TEST

START_TEST(costs_come_back)
{
    struct pulse_costs *costs, *other;
    ck_assert_int_eq(pulse_costs_new(&costs), LH_OK);
    ck_assert_int_eq(pulse_costs_new(&other), LH_OK);
    ck_assert_int_eq(cli_cache_load_costs(&arena, &cache, costs), LH_OK);
    ck_assert_ptr_null(pulse_costs_at(costs, 0));
    ck_assert_int_eq(pulse_costs_set(costs, "mix", 0.3, 2), LH_OK);
    ck_assert_int_eq(pulse_costs_set(costs, "plugin/sha256:ab", 1.0 / 3, 7), LH_OK);
    ck_assert_int_eq(cli_cache_store_costs(&arena, &cache, costs, &error), LH_OK);
    char path[128];
    snprintf(path, sizeof path, "%s/costs", base);
    FILE *file = fopen(path, "a");
    fputs("nonsense\nmeter nan 1\nmeter -1 1\nmeter 1\n\nstore 3 1", file);
    fclose(file);
    ck_assert_int_eq(cli_cache_load_costs(&arena, &cache, other), LH_OK);
    ck_assert_str_eq(pulse_costs_at(other, 1)->what, "plugin/sha256:ab");
    ck_assert(pulse_costs_at(other, 1)->ns == 1.0 / 3 && pulse_costs_at(other, 1)->weight == 7);
    ck_assert_str_eq(pulse_costs_at(other, 2)->what, "store");
    ck_assert_ptr_null(pulse_costs_at(other, 3));
    pulse_costs_free(costs);
    pulse_costs_free(other);
}
END_TEST

START_TEST(memory_runs_out)
{
    struct pulse_costs *costs;
    ck_assert_int_eq(pulse_costs_new(&costs), LH_OK);
    ck_assert_int_eq(pulse_costs_set(costs, "mix", 0.3, 2), LH_OK);
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        int fd = -1;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = keep(&own);
        status = status == LH_OK ? cli_cache_find_stored(&own, &cache, &key, 10, &fd, &error) : status;
        status = status == LH_OK ? cli_cache_store_latency(&own, &cache, &key, 1, &error) : status;
        status = status == LH_OK ? cli_cache_store_costs(&own, &cache, costs, &error) : status;
        status = status == LH_OK ? cli_cache_load_costs(&own, &cache, costs) : status;
        bool fired = testing_fail_allocation_end();
        lh_arena_fini(&own);
        if (fd >= 0) {
            close(fd);
        }
        if (!fired) {
            ck_assert_int_eq(status, LH_OK);
            ck_assert_int_ge(fd, 0);
            break;
        }
        ck_assert(status == LH_ERR_NO_MEMORY || (status == LH_OK && fd < 0)); /* what cannot be told is not there */
    }
    pulse_costs_free(costs);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/cache_stored");
    TCase *tests = tcase_create("cache_stored");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_whole_comes_back);
    tcase_add_test(tests, damage_is_not_there);
    tcase_add_test(tests, what_may_have_changed_is_looked_at);
    tcase_add_test(tests, latencies_come_back);
    tcase_add_test(tests, costs_come_back);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
