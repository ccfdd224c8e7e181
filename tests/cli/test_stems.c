/* SPDX-License-Identifier: MIT */
/* cli/stems: names, settings, and the project that they make. */
#include "cli/stems.h"

#include <math.h>
#include <string.h>

#include "pulse-daemon/project/load.h"
#include "tests/support/testing.h"

static struct lh_arena arena;
static struct cli_stems stems;
static struct lh_error error;
static const char *const paths[] = {"a/kick.wav", "snare.drum.flac", "b/kick.wav", ".hidden", "na me \xc3\xa9=1.wav"};

static void set_up(void)
{
    lh_arena_init(&arena);
    error = LH_ERROR_INIT;
    ck_assert_int_eq(cli_stems_init(&arena, paths, 5, &stems, &error), LH_OK);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

static enum lh_status gain(const char *text)
{
    return cli_stems_set(&arena, &stems, CLI_STEM_GAIN, text, &error);
}

static enum lh_status pan(const char *text)
{
    return cli_stems_set(&arena, &stems, CLI_STEM_PAN, text, &error);
}

START_TEST(names_without_folder_and_ending)
{
    ck_assert_str_eq(stems.items[0].name, "kick");
    ck_assert_str_eq(stems.items[1].name, "snare.drum");
    ck_assert_str_eq(stems.items[3].name, ".hidden");
    ck_assert_str_eq(stems.items[4].name, "na me \xc3\xa9=1");
}
END_TEST

START_TEST(settings_by_name_and_number)
{
    ck_assert_int_eq(gain("snare.drum=-3.5"), LH_OK);
    ck_assert_double_eq(stems.items[1].gain_db, -3.5);
    ck_assert_int_eq(gain("#3=-inf"), LH_OK);
    ck_assert(isinf(stems.items[2].gain_db));
    ck_assert_int_eq(gain("na me \xc3\xa9=1=+6"), LH_OK); /* the last = divides */
    ck_assert_double_eq(stems.items[4].gain_db, 6);
    ck_assert_int_eq(pan("#1=-1"), LH_OK);
    ck_assert_double_eq(stems.items[0].pan, -1);
}
END_TEST

START_TEST(wrong_settings_say_why)
{
    static const struct {
        const char *text, *why;
    } wrong[] = {
        {"snare.drum", "has no ="},
        {"kick=1", "#1, #3"},
        {"snare.drm=1", "did you mean snare.drum?"},
        {"zzzzzzzz=1", "no stem is"},
        {"#6=1", "#1 to #5"},
        {"#0=1", "#1 to #5"},
        {"#x=1", "#1 to #5"},
        {"#99999999999999999999=1", "#1 to #5"},
        {"#1x=1", "#1 to #5"},
        {"snare.drum=", "not a level"},
        {"snare.drum=loud", "not a level"},
        {"snare.drum=61", "not a level"},
        {"snare.drum=nan", "not a level"},
        {"snare.drum=inf", "not a level"},
        {"snare.drum=0x10", "not a level"},
        {"snare.drum=1e999", "not a level"},
        {"snare.drum=-1e999", "not a level"},
        {"snare.drum=1 ", "not a level"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_int_eq(cli_stems_init(&arena, paths, 5, &stems, &error), LH_OK);
        ck_assert_int_eq(gain(wrong[i].text), LH_ERR_USAGE);
        ck_assert_msg(strstr(error.message, wrong[i].why) != NULL, "%s: %s", wrong[i].text, error.message);
    }
    ck_assert_int_eq(pan("#1=1.01"), LH_ERR_USAGE);
    ck_assert_int_eq(pan("#2=0.5"), LH_OK);
    ck_assert_int_eq(pan("snare.drum=0.5"), LH_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(error.message, "twice"));
}
END_TEST

START_TEST(formats_by_ending)
{
    ck_assert_str_eq(cli_mix_format("x/mix.wav"), "wav");
    ck_assert_str_eq(cli_mix_format("mix.FLAC"), "flac");
    ck_assert_str_eq(cli_mix_format("mix.ogg"), "vorbis");
    ck_assert_str_eq(cli_mix_format("-"), "wav");
    ck_assert_ptr_null(cli_mix_format("mix"));
    ck_assert_ptr_null(cli_mix_format("mix."));
    ck_assert_ptr_null(cli_mix_format("a.wav/mix"));
    ck_assert_ptr_null(cli_mix_format("mix.txt"));
    ck_assert(cli_mix_format_is_lossy("opus"));
    ck_assert(!cli_mix_format_is_lossy("flac"));
}
END_TEST

static struct cli_sources sources_at(const uint32_t *rates, size_t count)
{
    struct cli_sources sources = {.items = lh_arena_array(&arena, count, sizeof *sources.items), .count = count};
    for (size_t i = 0; i < count; i++) {
        sources.items[i].known = true;
        sources.items[i].facts.rate = rates[i];
    }
    return sources;
}

START_TEST(project_says_what_was_asked)
{
    const uint32_t rates[] = {44100, 96000, 48000, 8000, 44100};
    struct cli_sources sources = sources_at(rates, 5);
    ck_assert_int_eq(gain("#2=-3.5"), LH_OK);
    ck_assert_int_eq(gain("#3=-inf"), LH_OK);
    ck_assert_int_eq(pan("#1=0.25"), LH_OK);
    struct cli_mix mix = {.format = "flac", .bit_depth = 16, .has_loudness = true, .integrated_lufs = -14};
    struct lh_writer writer;
    lh_writer_init(&writer);
    ck_assert_int_eq(cli_stems_project(&stems, &sources, &mix, &writer), LH_OK);
    struct lh_faults faults;
    lh_faults_init(&faults, &arena);
    struct pulse_project *project = NULL;
    ck_assert_int_eq(pulse_project_parse((const char *)writer.data, writer.size, NULL, NULL, 0, &faults, &project),
                     LH_OK);
    ck_assert_uint_eq(project->sample_rate, 96000);
    ck_assert_uint_eq(project->media_count, 5);
    ck_assert_uint_eq(project->track_count, 6);
    ck_assert_str_eq(project->media[0].id, "1-kick");
    ck_assert_str_eq(project->media[4].id, "5-na_me____1");
    ck_assert_double_eq(project->tracks[2].gain_db, -3.5);
    ck_assert(isinf(project->tracks[3].gain_db));
    ck_assert_double_eq(project->tracks[1].pan, 0.25);
    ck_assert_uint_eq(project->tracks[5].clips[0].media, 4);
    ck_assert_uint_eq(project->deliverable_count, 1);
    ck_assert_int_eq(project->deliverables[0].format, PULSE_FORMAT_FLAC);
    ck_assert_uint_eq(project->deliverables[0].bit_depth, 16);
    ck_assert(project->deliverables[0].has_integrated);
    ck_assert(!project->deliverables[0].has_true_peak);
    pulse_project_free(project);
    lh_writer_fini(&writer);
}
END_TEST

START_TEST(memory_runs_out)
{
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        struct cli_stems made = {0};
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = cli_stems_init(&own, paths, 5, &made, &error);
        status = status == LH_OK ? cli_stems_set(&own, &made, CLI_STEM_GAIN, "#1=3", &error) : status;
        bool fired = testing_fail_allocation_end();
        lh_arena_fini(&own);
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
    Suite *suite = suite_create("cli/stems");
    TCase *tests = tcase_create("stems");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, names_without_folder_and_ending);
    tcase_add_test(tests, settings_by_name_and_number);
    tcase_add_test(tests, wrong_settings_say_why);
    tcase_add_test(tests, formats_by_ending);
    tcase_add_test(tests, project_says_what_was_asked);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
