/* SPDX-License-Identifier: MIT */
/* The text of --help, letter by letter. */
#include "common/base/options.h"

#include <string.h>

#include "tests/support/testing.h"

static const char *const choices[] = {"auto", "plain", "none", NULL};
static const struct lh_option rows[] = {
    {.name = "output",
     .letter = 'o',
     .type = LH_OPTION_TEXT,
     .placeholder = "DIR",
     .standard = ".",
     .help = "folder for the results, made when it is not there, one file for each deliverable"},
    {.name = "threads",
     .type = LH_OPTION_INTEGER,
     .placeholder = "N",
     .variable = "LOOPHOLE_THREADS",
     .minimum = 1,
     .maximum = 64,
     .help = "threads to render with"},
    {.name = "an-option-with-a-very-long-name",
     .type = LH_OPTION_TEXT,
     .placeholder = "POINTER=VALUE",
     .repeatable = true,
     .help = "changes the project"},
    {.name = "progress", .type = LH_OPTION_TEXT, .choices = choices, .help = "how to tell"},
    {.name = "quiet", .letter = 'q', .type = LH_OPTION_FLAG, .help = "say less"},
};
static const struct lh_option_table table = {
    .usage = "render PROJECT [options]",
    .summary = "Renders a project.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_max = 1,
};

static const char expected[] = "Usage: loophole render PROJECT [options]\n"
                               "\n"
                               "Renders a project.\n"
                               "\n"
                               "Options:\n"
                               "  -o, --output DIR      folder for the results, made when it is not there, one\n"
                               "                        file for each deliverable (default: .)\n"
                               "      --threads N       threads to render with (1 to 64; environment:\n"
                               "                        LOOPHOLE_THREADS)\n"
                               "      --an-option-with-a-very-long-name POINTER=VALUE\n"
                               "                        changes the project (may be repeated)\n"
                               "      --progress VALUE  how to tell (auto; plain; none)\n"
                               "  -q, --quiet           say less\n"
                               "  -h, --help            show this text\n";

START_TEST(help_comes_from_the_table)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_options_help(&table, "loophole", &writer);
    lh_writer_u8(&writer, 0);
    ck_assert_int_eq(lh_writer_status(&writer), LH_OK);
    ck_assert_str_eq((const char *)writer.data, expected);
    lh_writer_fini(&writer);
}
END_TEST

START_TEST(a_taken_letter_is_left_to_its_owner)
{
    static const struct lh_option host = {
        .name = "host", .letter = 'h', .type = LH_OPTION_TEXT, .placeholder = "NAME", .help = "host"};
    static const struct lh_option_table small = {.usage = "x", .summary = "X.", .rows = &host, .count = 1};
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_options_help(&small, "loophole", &writer);
    lh_writer_u8(&writer, 0);
    ck_assert_ptr_nonnull(
        strstr((const char *)writer.data, "  -h, --host NAME  host\n      --help       show this text\n"));
    lh_writer_fini(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/options_help");
    TCase *tests = tcase_create("help");
    tcase_add_test(tests, help_comes_from_the_table);
    tcase_add_test(tests, a_taken_letter_is_left_to_its_owner);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
