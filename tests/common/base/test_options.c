/* SPDX-License-Identifier: MIT */
/* Reading command lines. */
#include "common/base/options.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/testing.h"

static const char *const progress_choices[] = {"auto", "plain", "none", NULL};
static const struct lh_option rows[] = {
    {.name = "output", .letter = 'o', .type = LH_OPTION_TEXT, .placeholder = "DIR", .standard = ".", .help = "folder"},
    {.name = "threads",
     .letter = 'j',
     .type = LH_OPTION_INTEGER,
     .placeholder = "N",
     .variable = "TEST_THREADS",
     .minimum = 1,
     .maximum = 64,
     .help = "threads"},
    {.name = "gain", .type = LH_OPTION_TEXT, .placeholder = "NAME=DB", .repeatable = true, .help = "gain"},
    {.name = "loudness",
     .type = LH_OPTION_NUMBER,
     .placeholder = "LUFS",
     .minimum = -70,
     .maximum = 0,
     .help = "level"},
    {.name = "progress",
     .type = LH_OPTION_TEXT,
     .placeholder = "KIND",
     .choices = progress_choices,
     .standard = "auto",
     .help = "progress"},
    {.name = "no-cache", .letter = 'n', .type = LH_OPTION_FLAG, .variable = "TEST_NO_CACHE", .help = "no cache"},
    {.name = "verbose", .letter = 'v', .type = LH_OPTION_FLAG, .help = "more words"},
};
static const struct lh_option_table table = {
    .usage = "render PROJECT [options]",
    .summary = "Renders.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 1,
    .operands_max = 2,
    .operand = "PROJECT",
};

static struct lh_arena arena;
static struct lh_options options;
static struct lh_error error;

static void set_up(void)
{
    lh_arena_init(&arena);
    error = LH_ERROR_INIT;
    unsetenv("TEST_THREADS");
    unsetenv("TEST_NO_CACHE");
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

#define MAX_WORDS 16

/* Parses a line split at its blanks. */
static enum lh_status parse(const char *line)
{
    char *words[MAX_WORDS];
    int count = 0;
    char *rest = lh_arena_strdup(&arena, line);
    for (char *word = strtok(rest, " "); word != NULL && count < MAX_WORDS; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    return lh_options_parse(&arena, &table, count, words, &options, &error);
}

static void refuses(const char *line, const char *message)
{
    error = LH_ERROR_INIT;
    ck_assert_int_eq(parse(line), LH_ERR_USAGE);
    ck_assert_str_eq(error.message, message);
}

START_TEST(nothing_given_gives_the_standards)
{
    ck_assert_int_eq(parse("song.json"), LH_OK);
    ck_assert_str_eq(lh_options_text(&options, "output"), ".");
    ck_assert(!lh_options_given(&options, "output"));
    ck_assert_uint_eq(lh_options_count(&options, "threads"), 0);
    ck_assert_int_eq(lh_options_integer(&options, "threads"), 0);
    ck_assert_ptr_null(lh_options_text(&options, "gain"));
    ck_assert(!lh_options_flag(&options, "no-cache"));
    ck_assert_uint_eq(options.operand_count, 1);
    ck_assert_str_eq(options.operands[0], "song.json");
}
END_TEST

START_TEST(every_form_is_understood)
{
    ck_assert_int_eq(parse("--output=a --threads 8 b --loudness -14.5 -nv"), LH_OK);
    ck_assert_str_eq(lh_options_text(&options, "output"), "a");
    ck_assert(lh_options_given(&options, "output"));
    ck_assert_int_eq(lh_options_integer(&options, "threads"), 8);
    ck_assert(lh_options_number(&options, "loudness") == -14.5);
    ck_assert(lh_options_flag(&options, "no-cache"));
    ck_assert(lh_options_flag(&options, "verbose"));
    ck_assert_int_eq(parse("-oa -j 3 -v -v b"), LH_OK);
    ck_assert_str_eq(lh_options_text(&options, "output"), "a");
    ck_assert_int_eq(lh_options_integer(&options, "threads"), 3);
    ck_assert_int_eq(parse("-voa b"), LH_OK);
    ck_assert_str_eq(lh_options_text(&options, "output"), "a");
    ck_assert_int_eq(parse("--output= b"), LH_OK);
    ck_assert_str_eq(lh_options_text(&options, "output"), "");
    ck_assert_int_eq(parse("--output=a=b c"), LH_OK);
    ck_assert_str_eq(lh_options_text(&options, "output"), "a=b");
}
END_TEST

START_TEST(repeated_values_keep_their_order)
{
    ck_assert_int_eq(parse("--gain a=1 --gain=b=2 x --gain c=3 --gain d=4 --gain e=5"), LH_OK);
    ck_assert_uint_eq(lh_options_count(&options, "gain"), 5);
    ck_assert_str_eq(lh_options_at(&options, "gain", 0)->text, "a=1");
    ck_assert_str_eq(lh_options_at(&options, "gain", 3)->text, "d=4");
    ck_assert_str_eq(lh_options_text(&options, "gain"), "e=5");
    ck_assert_ptr_null(lh_options_at(&options, "gain", 5));
}
END_TEST

START_TEST(dashes_and_operands)
{
    ck_assert_int_eq(parse("-v -- -o"), LH_OK);
    ck_assert_uint_eq(options.operand_count, 1);
    ck_assert_str_eq(options.operands[0], "-o");
    ck_assert_int_eq(parse("- --"), LH_OK);
    ck_assert_str_eq(options.operands[0], "-");
    refuses("-v", "PROJECT is missing; --help shows what to give");
    refuses("a b c", "the argument 'c' is one too many; --help shows what to give");
}
END_TEST

START_TEST(help_needs_nothing_else)
{
    ck_assert_int_eq(parse("--help"), LH_OK);
    ck_assert(options.help);
    ck_assert_int_eq(parse("-vh"), LH_OK);
    ck_assert(options.help);
    ck_assert_int_eq(parse("x"), LH_OK);
    ck_assert(!options.help);
}
END_TEST

START_TEST(wrong_lines_are_refused_with_advice)
{
    refuses("--thread 3 x", "there is no option --thread; did you mean --threads?");
    refuses("--hepl", "there is no option --hepl; did you mean --help?");
    refuses("--zzzzz=1 x", "there is no option --zzzzz; --help shows them all");
    refuses("-vx x", "there is no option -x; --help shows them all");
    refuses("x --threads", "--threads needs a value: --threads N");
    refuses("x -j", "-j needs a value: -j N");
    refuses("--verbose=yes x", "--verbose takes no value");
    refuses("-o a --output b x", "--output is given twice; give it once");
    refuses("--progress=loud x", "--progress must be auto, plain or none, not 'loud'");
    refuses("--= x", "there is no option --; --help shows them all");
    ck_assert_str_eq(error.where, "--");
}
END_TEST

START_TEST(numbers_keep_their_bounds)
{
    static const char *const wrong[] = {"0", "65", "-1", "", "x", "3x", "1.5", "0x10", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *line[] = {(char[]){"x"}, (char[]){"--threads"}, lh_arena_strdup(&arena, wrong[i])};
        error = LH_ERROR_INIT;
        ck_assert_int_eq(lh_options_parse(&arena, &table, 3, line, &options, &error), LH_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(error.message, "--threads must be an integer from 1 to 64, not '"));
        ck_assert_str_eq(error.where, "--threads");
    }
    ck_assert_int_eq(parse("--threads 1 x"), LH_OK);
    ck_assert_int_eq(parse("--threads 64 x"), LH_OK);
    refuses("--loudness inf x", "--loudness must be a number from -70 to 0, not 'inf'");
    refuses("--loudness nan x", "--loudness must be a number from -70 to 0, not 'nan'");
    refuses("--loudness 0.1 x", "--loudness must be a number from -70 to 0, not '0.1'");
    refuses("--loudness 1e999 x", "--loudness must be a number from -70 to 0, not '1e999'");
    ck_assert_int_eq(parse("--loudness -70 x"), LH_OK);
}
END_TEST

START_TEST(the_environment_stands_in)
{
    setenv("TEST_THREADS", "5", 1);
    setenv("TEST_NO_CACHE", "1", 1);
    ck_assert_int_eq(parse("x"), LH_OK);
    ck_assert_int_eq(lh_options_integer(&options, "threads"), 5);
    ck_assert(!lh_options_given(&options, "threads"));
    ck_assert(lh_options_flag(&options, "no-cache"));
    ck_assert_int_eq(parse("x --threads 2"), LH_OK);
    ck_assert_int_eq(lh_options_integer(&options, "threads"), 2);
    setenv("TEST_NO_CACHE", "0", 1);
    setenv("TEST_THREADS", "", 1);
    ck_assert_int_eq(parse("x"), LH_OK);
    ck_assert(!lh_options_flag(&options, "no-cache"));
    ck_assert_uint_eq(lh_options_count(&options, "threads"), 0);
    setenv("TEST_THREADS", "many", 1);
    refuses("x", "TEST_THREADS must be an integer from 1 to 64, not 'many'");
    unsetenv("TEST_THREADS");
    setenv("TEST_NO_CACHE", "maybe", 1);
    refuses("x", "TEST_NO_CACHE must be 0 or 1, not 'maybe'");
}
END_TEST

START_TEST(failure_leaves_the_output_alone)
{
    memset(&options, 0x5A, sizeof options);
    struct lh_options before = options;
    ck_assert_int_eq(parse("--nonsense"), LH_ERR_USAGE);
    ck_assert_mem_eq(&before, &options, sizeof options);
}
END_TEST

START_TEST(memory_running_out_is_a_status)
{
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct lh_arena own;
        lh_arena_init(&own);
        char *line[] = {(char[]){"x"}, (char[]){"--gain"}, (char[]){"a"}, (char[]){"--progress"}, (char[]){"loud"}};
        testing_fail_allocation(n);
        enum lh_status status = lh_options_parse(&own, &table, 5, line, &options, &error);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_ERR_USAGE);
        lh_arena_fini(&own);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/options");
    TCase *tests = tcase_create("options");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nothing_given_gives_the_standards);
    tcase_add_test(tests, every_form_is_understood);
    tcase_add_test(tests, repeated_values_keep_their_order);
    tcase_add_test(tests, dashes_and_operands);
    tcase_add_test(tests, help_needs_nothing_else);
    tcase_add_test(tests, wrong_lines_are_refused_with_advice);
    tcase_add_test(tests, numbers_keep_their_bounds);
    tcase_add_test(tests, the_environment_stands_in);
    tcase_add_test(tests, failure_leaves_the_output_alone);
    tcase_add_test(tests, memory_running_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
