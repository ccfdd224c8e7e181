/* SPDX-License-Identifier: MIT */
/* cli/outputs and cli/sources: files opened, refused, published and taken back. */
#include "cli/outputs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/testing.h"

static char base[64], before[4096];
static struct lh_arena arena;
static struct lh_faults faults;
static struct lh_error error;
static struct cli_sources sources;
static struct graph graph;
static const struct pulse_output plan[] = {
    {.file = "mix.wav", .wanted = true},
    {.file = "ref.wav", .wanted = false},
    {.file = "stem-a.flac", .wanted = true},
};
static struct pulse_compiled compiled;

static void set_up(void)
{
    unsetenv("TMPDIR");
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    strcpy(base, "outputs-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    ck_assert_int_eq(chdir(base), 0);
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    error = LH_ERROR_INIT;
    sources = (struct cli_sources){0};
    graph = (struct graph){.deliverable_count = 3};
    compiled = (struct pulse_compiled){.graph = &graph, .outputs = plan};
}

static void tear_down(void)
{
    cli_sources_close(&sources);
    lh_arena_fini(&arena);
    ck_assert_int_eq(chdir(before), 0);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", base);
    ck_assert_int_eq(system(command), 0);
}

static enum lh_status open_in(const char *folder, struct cli_outputs *outputs)
{
    return cli_outputs_open(&arena, folder, NULL, &compiled, &sources, outputs, &error);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void make_file(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

START_TEST(wanted_files_appear_together)
{
    struct cli_outputs outputs;
    ck_assert_int_eq(open_in("out/deep", &outputs), LH_OK);
    ck_assert_int_ge(outputs.fds[0], 0);
    ck_assert_int_eq(outputs.fds[1], -1);
    ck_assert_str_eq(outputs.paths[2], "out/deep/stem-a.flac");
    ck_assert(!exists("out/deep/mix.wav"));
    ck_assert_int_eq(cli_outputs_publish(&arena, &outputs, &error), LH_OK);
    cli_outputs_discard(&outputs);
    ck_assert(exists("out/deep/mix.wav"));
    ck_assert(!exists("out/deep/ref.wav"));
    ck_assert(exists("out/deep/stem-a.flac"));
}
END_TEST

START_TEST(discard_removes_the_folders_it_made)
{
    struct cli_outputs outputs;
    ck_assert_int_eq(mkdir("out", 0755), 0);
    ck_assert_int_eq(open_in("out/a/b/", &outputs), LH_OK);
    ck_assert(exists("out/a/b"));
    cli_outputs_discard(&outputs);
    cli_outputs_discard(&outputs);
    ck_assert(!exists("out/a"));
    ck_assert(exists("out"));
}
END_TEST

START_TEST(a_folder_in_use_stays)
{
    struct cli_outputs outputs;
    ck_assert_int_eq(open_in("new", &outputs), LH_OK);
    make_file("new/other");
    cli_outputs_discard(&outputs);
    ck_assert(exists("new/other"));
}
END_TEST

START_TEST(sources_are_not_replaced)
{
    const char *const paths[] = {"mix.wav"};
    struct cli_outputs outputs;
    make_file("mix.wav");
    ck_assert_int_eq(cli_sources_open_files(&arena, paths, 1, &faults, &sources, &error), LH_OK);
    ck_assert_int_eq(open_in(".", &outputs), LH_ERR_IO);
    ck_assert_str_eq(error.where, "mix.wav");
    ck_assert_ptr_nonnull(strstr(error.message, "one of the sources"));
    ck_assert_int_eq(open_in("out", &outputs), LH_OK);
    cli_outputs_discard(&outputs);
}
END_TEST

START_TEST(places_that_cannot_be)
{
    struct cli_outputs outputs;
    make_file("file");
    ck_assert_int_eq(open_in("file", &outputs), LH_ERR_IO);
    ck_assert_int_eq(open_in("file/below", &outputs), LH_ERR_IO);
    ck_assert_int_eq(open_in("/proc/none", &outputs), LH_ERR_IO);
    ck_assert_int_eq(mkdir("mix.wav", 0755), 0);
    ck_assert_int_eq(open_in(".", &outputs), LH_ERR_IO);
    ck_assert_int_eq(setenv("TMPDIR", "/nowhere", 1), 0);
    ck_assert_int_eq(open_in("out", &outputs), LH_ERR_IO);
    ck_assert(!exists("out"));
    char deep[2 * NAME_MAX] = "out/deep/";
    memset(deep + strlen(deep), 'x', NAME_MAX + 1);
    ck_assert_int_eq(open_in(deep, &outputs), LH_ERR_IO);
    ck_assert(!exists("out"));
}
END_TEST

START_TEST(missing_files_are_told_at_once)
{
    const char *const paths[] = {"none.wav", "there.wav", "folder", "fifo"};
    make_file("there.wav");
    ck_assert_int_eq(mkdir("folder", 0755), 0);
    ck_assert_int_eq(mkfifo("fifo", 0644), 0);
    ck_assert_int_eq(cli_sources_open_files(&arena, paths, 4, &faults, &sources, &error), LH_OK);
    ck_assert_uint_eq(faults.count, 3);
    ck_assert_str_eq(faults.items[0].where, "none.wav");
    ck_assert_str_eq(faults.items[2].message, "cannot be read: it is not a plain file");
    ck_assert_int_eq(sources.items[0].fd, -1);
    ck_assert_int_ge(sources.items[1].fd, 0);
    ck_assert_int_eq(cli_sources_hash(&sources, &error), LH_OK);
    ck_assert(sources.items[1].has_digest && !sources.items[0].has_digest);
    struct pulse_clip clips[] = {{.kind = PULSE_CLIP_NOTES, .media = PULSE_NONE},
                                 {.kind = PULSE_CLIP_AUDIO, .media = 2}};
    struct pulse_track tracks[] = {{.channels = 6, .clips = clips, .clip_count = 2}};
    struct pulse_project project = {.sample_rate = 1000, .tracks = tracks, .track_count = 1};
    const struct pulse_media_facts *facts = cli_sources_facts(&arena, &sources, &project);
    ck_assert_uint_eq(facts[0].frames, 3600000);
    ck_assert_uint_eq(facts[0].channels, 1);
    ck_assert_uint_eq(facts[2].channels, 6);
}
END_TEST

START_TEST(memory_runs_out)
{
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        struct cli_outputs outputs = CLI_OUTPUTS_NONE;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = cli_outputs_open(&own, "out/deep", NULL, &compiled, &sources, &outputs, &error);
        bool fired = testing_fail_allocation_end();
        cli_outputs_discard(&outputs);
        lh_arena_fini(&own);
        ck_assert(!exists("out"));
        if (!fired) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/outputs");
    TCase *tests = tcase_create("outputs");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, wanted_files_appear_together);
    tcase_add_test(tests, discard_removes_the_folders_it_made);
    tcase_add_test(tests, a_folder_in_use_stays);
    tcase_add_test(tests, sources_are_not_replaced);
    tcase_add_test(tests, places_that_cannot_be);
    tcase_add_test(tests, missing_files_are_told_at_once);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
