/* SPDX-License-Identifier: MIT */
/* cli/talk, cli/summary, cli/progress: what people read. */
#include "cli/talk.h"

#include <math.h>
#include <string.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/summary.h"
#include "tests/support/testing.h"

static void ck_clean(const char *text, const char *expected)
{
    char clean[64];
    cli_talk_clean(text, clean, sizeof clean);
    ck_assert_str_eq(clean, expected);
}

START_TEST(controls_are_escaped)
{
    ck_clean("plain", "plain");
    ck_clean("", "");
    ck_clean("a\x1b[2Jb\n", "a\\x1b[2Jb\\x0a");
    ck_clean("\x7f", "\\x7f");
    ck_clean("\xc2\x9b"
             "c",
             "\\x9b"
             "c");
    ck_clean("\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9");
    ck_clean("\xc2", "\xc2");
}
END_TEST

START_TEST(long_texts_are_cut)
{
    char clean[6];
    cli_talk_clean("abcdefghij", clean, sizeof clean);
    ck_assert_str_eq(clean, "abcde");
    cli_talk_clean("abc\x1b", clean, sizeof clean);
    ck_assert_str_eq(clean, "abc");
}
END_TEST

START_TEST(durations)
{
    char text[64];
    cli_summary_duration(0, text, sizeof text);
    ck_assert_str_eq(text, "0:00.000");
    cli_summary_duration(187.25, text, sizeof text);
    ck_assert_str_eq(text, "3:07.250");
    cli_summary_duration(59.9996, text, sizeof text);
    ck_assert_str_eq(text, "1:00.000");
    cli_summary_duration(3723.0, text, sizeof text);
    ck_assert_str_eq(text, "1:02:03.000");
}
END_TEST

START_TEST(loudness)
{
    char text[64];
    struct engine_loudness loud = {.integrated_lufs = -14.04, .true_peak_dbtp = -0.96, .sample_peak_dbfs = -1.2};
    cli_summary_loudness(&loud, text, sizeof text);
    ck_assert_str_eq(text, "-14.0 LUFS, -1.0 dBTP");
    loud.integrated_lufs = -INFINITY;
    cli_summary_loudness(&loud, text, sizeof text);
    ck_assert_str_eq(text, "-1.0 dBTP");
    loud.sample_peak_dbfs = -INFINITY;
    cli_summary_loudness(&loud, text, sizeof text);
    ck_assert_str_eq(text, "silent");
}
END_TEST

START_TEST(progress_figures)
{
    struct cli_progress_figures figures = cli_progress_measure(25, 100, 480000, 48000, 2.0);
    ck_assert_double_eq_tol(figures.x_realtime, 5.0, 1e-9);
    ck_assert_double_eq_tol(figures.seconds_left, 6.0, 1e-9);
    figures = cli_progress_measure(0, 100, 0, 48000, 0.01);
    ck_assert_double_eq(figures.x_realtime, 0);
    ck_assert(figures.seconds_left < 0);
    figures = cli_progress_measure(120, 100, 1, 48000, 1); /* a hint may overshoot */
    ck_assert_uint_eq(figures.done, 100);
    ck_assert_double_eq(figures.seconds_left, 0);
}
END_TEST

START_TEST(progress_texts)
{
    char text[512];
    struct cli_progress_figures figures = {.done = 52, .total = 100, .x_realtime = 148.2, .seconds_left = 2.5};
    cli_progress_plain(&figures, text, sizeof text);
    ck_assert_str_eq(text, "52 %, 148x realtime, 3 s left");
    figures.seconds_left = 61;
    figures.x_realtime = 1.25;
    cli_progress_plain(&figures, text, sizeof text);
    ck_assert_str_eq(text, "52 %, 1.2x realtime, 1:01 left");
    figures = (struct cli_progress_figures){.done = 0, .total = 0, .seconds_left = -1};
    cli_progress_plain(&figures, text, sizeof text);
    ck_assert_str_eq(text, "0 %");
}
END_TEST

START_TEST(progress_bar_fits)
{
    char text[512];
    struct cli_progress_figures figures = {.done = 50, .total = 100, .x_realtime = 148.2, .seconds_left = 2.5};
    for (unsigned columns = 1; columns < 200; columns++) {
        cli_progress_bar(&figures, columns, text, sizeof text);
        ck_assert_uint_le(strlen(text), columns);
    }
    ck_assert_str_eq(text, "[####################--------------------] 50 %, 148x realtime, 3 s left");
    cli_progress_bar(&figures, 12, text, sizeof text);
    ck_assert_str_eq(text, "50 %, 148x r");
    figures.done = 100;
    cli_progress_bar(&figures, 199, text, sizeof text);
    ck_assert_ptr_null(strchr(text, '-'));
}
END_TEST

START_TEST(exit_statuses)
{
    ck_assert_int_eq(cli_exit_of(LH_OK), 0);
    ck_assert_int_eq(cli_exit_of(LH_ERR_IO), 1);
    ck_assert_int_eq(cli_exit_of(LH_ERR_FAULT), 1);
    ck_assert_int_eq(cli_exit_of(LH_ERR_CRASHED), 1);
    ck_assert_int_eq(cli_exit_of(LH_ERR_NO_MEMORY), 1);
    ck_assert_int_eq(cli_exit_of(LH_ERR_UNAVAILABLE), 5);
    ck_assert_int_eq(cli_exit_of(LH_ERR_TAKEN_OVER), 1);
    ck_assert_int_eq(cli_exit_of(LH_ERR_CONFLICT), 1);
    ck_assert_int_eq(cli_exit_of(LH_ERR_USAGE), 2);
    ck_assert_int_eq(cli_exit_of(LH_ERR_INVALID), 3);
    ck_assert_int_eq(cli_exit_of(LH_ERR_LIMIT), 3);
    ck_assert_int_eq(cli_exit_of(LH_ERR_UNSUPPORTED), 3);
    ck_assert_int_eq(cli_exit_of(LH_ERR_MISSING), 4);
    ck_assert_int_eq(cli_exit_of(LH_ERR_FORMAT), 4);
    ck_assert_int_eq(cli_exit_of(LH_ERR_CANCELLED), 130);
}
END_TEST

START_TEST(worst_fault_decides)
{
    struct lh_arena arena;
    struct lh_faults faults;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    ck_assert_int_eq(cli_faults_status(&faults), LH_OK);
    lh_faults_add(&faults, LH_ERR_MISSING, "/media/a", "gone");
    ck_assert_int_eq(cli_faults_status(&faults), LH_ERR_MISSING);
    lh_faults_add(&faults, LH_ERR_INVALID, "/tracks", "wrong");
    lh_faults_add(&faults, LH_ERR_MISSING, "/media/b", "gone");
    ck_assert_int_eq(cli_exit_of(cli_faults_status(&faults)), 3);
    lh_faults_add(&faults, LH_ERR_USAGE, "/nowhere", "--set");
    ck_assert_int_eq(cli_faults_status(&faults), LH_ERR_USAGE);
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/talk");
    TCase *tests = tcase_create("talk");
    tcase_add_test(tests, controls_are_escaped);
    tcase_add_test(tests, long_texts_are_cut);
    tcase_add_test(tests, durations);
    tcase_add_test(tests, loudness);
    tcase_add_test(tests, progress_figures);
    tcase_add_test(tests, progress_texts);
    tcase_add_test(tests, progress_bar_fits);
    tcase_add_test(tests, exit_statuses);
    tcase_add_test(tests, worst_fault_decides);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
