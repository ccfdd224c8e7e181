/* SPDX-License-Identifier: MIT */
/* Loading: settings, overrides, files that are not there, faults by the thousand, memory that runs out. */
#include "pulse-daemon/project/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

static struct lh_arena arena;
static struct lh_faults faults;

static void set_up(void)
{
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

START_TEST(the_least_project_has_defaults)
{
    struct pulse_project *project = project_of("{\"loophole\": 1}");
    ck_assert_str_eq(project->name, "untitled");
    ck_assert_uint_eq(project->sample_rate, 48000);
    ck_assert_uint_eq(project->quantum, 1024);
    ck_assert_int_eq(project->pan_law, PULSE_PAN_CONSTANT_POWER);
    ck_assert_int_eq(project->resampler, PULSE_RESAMPLER_SOXR);
    ck_assert_ptr_null(project->folder);
    ck_assert_uint_eq(project->track_count, 1);
    ck_assert_uint_eq(project->master, 0);
    ck_assert_str_eq(project->tracks[0].id, "master");
    ck_assert_uint_eq(project->tracks[0].output, PULSE_NONE);
    ck_assert_ptr_null(project->tracks[0].json);
    ck_assert_uint_eq(project->deliverable_count, 1);
    pulse_project_free(project);
}
END_TEST

START_TEST(settings_are_read)
{
    struct pulse_project *project = project_of(P "\"name\":\"x\",\"sampleRate\":96000.0,\"quantum\":64,\"panLaw\":"
                                                 "\"compromise\",\"resampler\":\"samplerate\"}");
    ck_assert_str_eq(project->name, "x");
    ck_assert_uint_eq(project->sample_rate, 96000);
    ck_assert_uint_eq(project->quantum, 64);
    ck_assert_int_eq(project->pan_law, PULSE_PAN_COMPROMISE);
    ck_assert_int_eq(project->resampler, PULSE_RESAMPLER_SAMPLERATE);
    pulse_project_free(project);
}
END_TEST

START_TEST(files_are_read_with_their_folder)
{
    char folder[] = "/tmp/loophole-load-XXXXXX";
    char path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.json", folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("{\"loophole\": 1}", file);
    fclose(file);
    struct pulse_project *project = NULL;
    ck_assert_int_eq(pulse_project_load(path, NULL, 0, &faults, &project), LH_OK);
    ck_assert_str_eq(project->folder, folder);
    pulse_project_free(project);

    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(pulse_project_load("a.json", NULL, 0, &faults, &project), LH_OK);
    ck_assert_str_eq(project->folder, ".");
    pulse_project_free(project);

    bool failed = true;
    for (size_t n = 1; failed; n++) {
        project = NULL;
        testing_fail_allocation(n);
        enum lh_status status = pulse_project_load(path, NULL, 0, &faults, &project);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        pulse_project_free(project);
    }
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_missing)
{
    struct pulse_project *project = NULL;
    ck_assert_int_eq(pulse_project_load("/nowhere/a.json", NULL, 0, &faults, &project), LH_ERR_MISSING);
    ck_assert_int_eq(pulse_project_load("/", NULL, 0, &faults, &project), LH_ERR_MISSING);
    ck_assert_uint_eq(faults.count, 2);
    ck_assert_ptr_nonnull(strstr(faults.items[0].message, "/nowhere/a.json"));
    ck_assert_ptr_nonnull(strstr(faults.items[1].message, "directory"));
    ck_assert_ptr_null(project);
}
END_TEST

static enum lh_status with(const char *text, const struct pulse_override *overrides, size_t count,
                           struct pulse_project **project)
{
    return pulse_project_parse(text, strlen(text), NULL, overrides, count, &faults, project);
}

START_TEST(overrides_are_applied_before_the_checks)
{
    static const struct pulse_override overrides[] = {
        {"/tracks/kick/gainDb", "-6"}, {"/name", "Other"}, {"/tracks/-", "{\"id\": \"x\", \"type\": \"group\"}"}};
    static const char text[] = P "\"tracks\":[{\"id\":\"kick\",\"type\":\"audio\",\"gainDb\":1000}]}";
    struct pulse_project *project = NULL;
    ck_assert_int_eq(with(text, overrides, 3, &project), LH_OK);
    ck_assert_double_eq(project->tracks[0].gain_db, -6);
    ck_assert_str_eq(project->tracks[1].id, "x");
    ck_assert_str_eq(project->name, "Other");
    pulse_project_free(project);
}
END_TEST

START_TEST(overrides_that_fail_are_faults)
{
    static const struct pulse_override overrides[] = {{"/tracks/kcik/pan", "1"}, {"name", "x"}, {"/quantum", "100"}};
    struct pulse_project *project = NULL;
    ck_assert_int_eq(with(P "\"tracks\":[{\"id\":\"kick\",\"type\":\"audio\"}]}", overrides, 3, &project),
                     LH_ERR_INVALID);
    ck_assert_ptr_null(project);
    ck_assert_uint_eq(faults.count, 3);
    ck_assert_int_eq(faults.items[0].code, LH_ERR_USAGE);
    ck_assert_int_eq(faults.items[2].code, LH_ERR_INVALID);
    ck_assert_str_eq(faults.items[0].where, "/tracks/kcik/pan");
    ck_assert_ptr_nonnull(strstr(faults.items[0].message, "did you mean \"kick\"?"));
    ck_assert_str_eq(faults.items[2].where, "/quantum");
}
END_TEST

START_TEST(text_that_is_not_json_is_one_fault)
{
    struct pulse_project *project = NULL;
    ck_assert_int_eq(with("{\n  \"loophole\": 1,,\n}", NULL, 0, &project), LH_ERR_INVALID);
    ck_assert_uint_eq(faults.count, 1);
    ck_assert_ptr_nonnull(strstr(faults.items[0].message, "line 2"));
}
END_TEST

START_TEST(text_needs_no_terminator)
{
    static const char *const texts[] = {"\n", " \t\r\n", "{", "1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t length = strlen(texts[i]);
        char *exact = malloc(length); /* a sanitizer sees a read past its end */
        struct pulse_project *project = NULL;
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, texts[i], length);
        ck_assert_int_eq(pulse_project_parse(exact, length, NULL, NULL, 0, &faults, &project), LH_ERR_INVALID);
        free(exact);
    }
}
END_TEST

START_TEST(thousands_of_faults_are_counted)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    fputs(P "\"markers\":[", out);
    for (int i = 0; i < 50000; i++) {
        fputs(i == 0 ? "{\"nmae\":1}" : ",{\"nmae\":1}", out);
    }
    fputs("]}", out);
    fclose(out);
    struct pulse_project *project = NULL;
    ck_assert_int_eq(with(text, NULL, 0, &project), LH_ERR_INVALID);
    ck_assert_uint_eq(faults.count, 100000);
    ck_assert_uint_eq(faults.stored, LH_FAULTS_MAX);
    free(text);
}
END_TEST

START_TEST(memory_may_be_out)
{
    expect_out_of_memory("{\"loophole\": 1}", LH_OK);
    expect_out_of_memory(P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"output\":\"b\",\"gain\":1}]}",
                         LH_ERR_INVALID);
    static const struct pulse_override override = {"/name", "x"};
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct pulse_project *project = NULL;
        testing_fail_allocation(n);
        enum lh_status status = with("{\"loophole\": 1}", &override, 1, &project);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        pulse_project_free(project);
    }
    pulse_project_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/load");
    TCase *tests = tcase_create("load");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_least_project_has_defaults);
    tcase_add_test(tests, settings_are_read);
    tcase_add_test(tests, files_are_read_with_their_folder);
    tcase_add_test(tests, files_that_cannot_be_read_are_missing);
    tcase_add_test(tests, overrides_are_applied_before_the_checks);
    tcase_add_test(tests, overrides_that_fail_are_faults);
    tcase_add_test(tests, text_that_is_not_json_is_one_fault);
    tcase_add_test(tests, text_needs_no_terminator);
    tcase_add_test(tests, thousands_of_faults_are_counted);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
