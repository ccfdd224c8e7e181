/* SPDX-License-Identifier: MIT */
/* Lines as they reach the descriptor. */
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/testing.h"

#define TIME_LENGTH 24 /* of "2026-03-01T12:00:00.042Z" */

static int ends[2];
static char line[2 * LH_LOG_LINE_MAX];

static void open_pipe(void)
{
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    lh_log_open("tester", LH_LOG_INFO, ends[1]);
}

static void close_pipe(void)
{
    lh_log_open("", LH_LOG_INFO, STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
}

/* What has been written since, without the time. */
static const char *said(void)
{
    ssize_t got = read(ends[0], line, sizeof line - 1);
    line[got > 0 ? got : 0] = '\0';
    return got > TIME_LENGTH ? line + TIME_LENGTH : line;
}

START_TEST(names_and_values)
{
    LH_LOG(LH_LOG_INFO, "attempt ends", LH_LOG_NUMBER("shard", UINT64_MAX), LH_LOG_INTEGER("gain", -3),
           LH_LOG_TEXT("verdict", "committed"), LH_LOG_TEXT("tenant", ""), LH_LOG_TEXT("job", NULL));
    ck_assert_str_eq(said(), " info tester \"attempt ends\" shard=18446744073709551615 gain=-3 verdict=committed\n");
    lh_log_write(LH_LOG_ERROR, "nothing more", NULL, 0);
    ck_assert_str_eq(said(), " error tester \"nothing more\"\n");
}
END_TEST

START_TEST(time_is_utc)
{
    lh_log_write(LH_LOG_WARNING, "now", NULL, 0);
    (void)said();
    for (size_t i = 0; i < TIME_LENGTH; i++) {
        ck_assert_msg(("0000-00-00T00:00:00.000Z"[i] == '0') == (line[i] >= '0' && line[i] <= '9'), "%s", line);
    }
    ck_assert_int_eq(line[TIME_LENGTH - 1], 'Z');
}
END_TEST

START_TEST(quotes_what_is_no_word)
{
    LH_LOG(LH_LOG_INFO, "q", LH_LOG_TEXT("a", "two words"), LH_LOG_TEXT("b", "say \"so\"\\"), LH_LOG_TEXT("c", "x=y"),
           LH_LOG_TEXT("d", "1\n2\033[31m\x7F"), LH_LOG_TEXT("e", "\xC3\xA4"));
    ck_assert_str_eq(said(), " info tester \"q\" a=\"two words\" b=\"say \\\"so\\\"\\\\\" c=\"x=y\" "
                             "d=\"1\\n2\\u001b[31m\\u007f\" e=\"\xC3\xA4\"\n");
}
END_TEST

START_TEST(levels)
{
    lh_log_write(LH_LOG_DEBUG, "too quiet", NULL, 0);
    ck_assert_str_eq(said(), "");
    lh_log_open("tester", LH_LOG_DEBUG, ends[1]);
    lh_log_write(LH_LOG_DEBUG, "heard", NULL, 0);
    ck_assert_str_eq(said(), " debug tester \"heard\"\n");
    enum lh_log_level level = LH_LOG_ERROR;
    ck_assert(lh_log_level_parse("debug", &level) && level == LH_LOG_DEBUG);
    ck_assert(!lh_log_level_parse("loud", &level) && level == LH_LOG_DEBUG);
    ck_assert_str_eq(lh_log_level_text(LH_LOG_WARNING), "warning");
}
END_TEST

START_TEST(long_lines_end)
{
    static char text[LH_LOG_LINE_MAX + 1];
    for (size_t length = LH_LOG_LINE_MAX - 80; length < LH_LOG_LINE_MAX; length++) {
        memset(text, 'x', length);
        text[length] = '\0';
        LH_LOG(LH_LOG_INFO, "l", LH_LOG_TEXT("t", text), LH_LOG_TEXT("u", "v"));
        const char *got = said();
        size_t whole = strlen(line);
        ck_assert_uint_le(whole, LH_LOG_LINE_MAX);
        ck_assert_int_eq(line[whole - 1], '\n');
        bool fits = strstr(got, "u=v\n") != NULL;
        ck_assert_msg(fits || strcmp(line + whole - 4, "...\n") == 0, "%s", line + whole - 20);
    }
}
END_TEST

START_TEST(nobody_listens)
{
    lh_log_open("tester", LH_LOG_INFO, -1);
    errno = ERANGE;
    lh_log_write(LH_LOG_ERROR, "into the void", NULL, 0);
    ck_assert_int_eq(errno, ERANGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/log");
    TCase *tcase = tcase_create("log");
    tcase_add_checked_fixture(tcase, open_pipe, close_pipe);
    tcase_add_test(tcase, names_and_values);
    tcase_add_test(tcase, time_is_utc);
    tcase_add_test(tcase, quotes_what_is_no_word);
    tcase_add_test(tcase, levels);
    tcase_add_test(tcase, long_lines_end);
    tcase_add_test(tcase, nobody_listens);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
