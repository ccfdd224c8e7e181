/* SPDX-License-Identifier: MIT */
/* cli/trials and cli/catalogue: real plugins of tests/plugins, tried by a real signal instance (LOOPHOLE_SIGNAL,
   LV2_PATH). */
#include "cli/trials.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/catalogue.h"
#include "tests/support/testing.h"

static struct lh_arena arena;
static struct lh_error error;
static struct engine_catalogue catalogue;

static void set_up(void)
{
    setenv("XDG_CACHE_HOME", "nowhere", 1); /* no absolute path: nothing is kept */
    setenv("XDG_DATA_HOME", "nowhere", 1);
    unsetenv("HOME");
    lh_arena_init(&arena);
    ck_assert_int_eq(cli_catalogue_init(&arena, NULL, &catalogue, &error), LH_OK);
    ck_assert_int_eq(engine_catalogue_open(&catalogue, NULL, &error), LH_OK);
    ck_assert_int_eq(engine_catalogue_complete(&catalogue, &error), LH_OK);
}

static void tear_down(void)
{
    engine_catalogue_close(&catalogue);
    lh_arena_fini(&arena);
}

static struct inventory_evidence try_one(const char *name)
{
    size_t entry = 0;
    struct graph_plugin_facts facts;
    struct inventory_evidence evidence;
    ck_assert_msg(cli_catalogue_choose(&catalogue, name, &entry, &error) == LH_OK, "%s", error.message);
    ck_assert_int_eq(inventory_index_read(catalogue.index, entry, &facts, &error), LH_OK);
    ck_assert_int_eq(cli_trials_run(&arena, &catalogue.options, &facts, &evidence, &error), LH_OK);
    return evidence;
}

START_TEST(a_sound_plugin_is_proven)
{
    struct inventory_evidence evidence = try_one("test:gain2");
    ck_assert_int_eq(evidence.status, INVENTORY_EVIDENCE_REPEATABLE);
    ck_assert(inventory_evidence_is_repeatable(&evidence, ENGINE_SOUND_VERSION));
    ck_assert_int_eq(inventory_evidence_block_invariant(&evidence), INVENTORY_YES);
    ck_assert_int_eq(evidence.audible, INVENTORY_YES);
    ck_assert_int_eq(evidence.self_sounding, INVENTORY_NO);
    ck_assert(evidence.has_latency && evidence.latency_frames == 0);
    ck_assert_str_ne(evidence.cpu_class, "");
}
END_TEST

START_TEST(one_that_crashes_is_faulty)
{
    struct inventory_evidence evidence = try_one("lv2:urn:loophole:hostile:segv");
    ck_assert_int_eq(evidence.status, INVENTORY_EVIDENCE_FAULTY);
    ck_assert_str_eq(evidence.failed, "runs of 1024 frames");
    ck_assert_str_ne(evidence.message, "");
    ck_assert_int_eq(evidence.across_runs, INVENTORY_UNKNOWN);
}
END_TEST

START_TEST(one_that_asks_for_too_much_is_refused)
{
    struct inventory_evidence evidence = try_one("requires-unknown");
    ck_assert_int_eq(evidence.status, INVENTORY_EVIDENCE_REFUSED);
    ck_assert_ptr_null(evidence.failed);
    ck_assert_ptr_nonnull(strstr(evidence.message, "urn:nobody"));
}
END_TEST

START_TEST(names_are_chosen_by)
{
    size_t entry = 0;
    ck_assert_int_eq(cli_catalogue_choose(&catalogue, "lv2:urn:loophole:test:gain", &entry, &error), LH_OK);
    ck_assert_str_eq(inventory_index_uri(catalogue.index, entry), "lv2:urn:loophole:test:gain");
    ck_assert_int_eq(cli_catalogue_choose(&catalogue, "teller", &entry, &error), LH_ERR_MISSING);
    ck_assert_ptr_nonnull(strstr(error.message, "..."));
    ck_assert_int_eq(cli_catalogue_choose(&catalogue, "urn:loophole:test:gian2", &entry, &error), LH_ERR_MISSING);
    ck_assert_ptr_nonnull(strstr(error.message, "lv2:urn:loophole:test:gain2"));
    ck_assert_int_eq(cli_catalogue_choose(&catalogue, "qqqqqqqq", &entry, &error), LH_ERR_MISSING);
}
END_TEST

START_TEST(memory_runs_out)
{
    char bundle[8192];
    ck_assert_int_lt(snprintf(bundle, sizeof bundle, "%s/constructor.lv2", getenv("LV2_PATH")), (int)sizeof bundle);
    char base[] = "trials-XXXXXX", path[64], real[PATH_MAX]; /* one bundle with one plugin will do */
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(path, sizeof path, "%s/constructor.lv2", base);
    ck_assert_int_eq(symlink(bundle, path), 0);
    ck_assert_ptr_nonnull(realpath(base, real));
    setenv("LV2_PATH", real, 1);
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        struct engine_catalogue other = {.own = NULL};
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = cli_catalogue_init(&own, "/", &other, &error);
        status = status == LH_OK ? engine_catalogue_open(&other, NULL, &error) : status;
        status = status == LH_OK ? engine_catalogue_complete(&other, &error) : status;
        bool fired = testing_fail_allocation_end();
        engine_catalogue_close(&other);
        lh_arena_fini(&own);
        if (!fired) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert(status == LH_ERR_NO_MEMORY || status == LH_OK); /* what only saves time may be done without */
    }
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(base), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/trials");
    TCase *tests = tcase_create("trials");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_sound_plugin_is_proven);
    tcase_add_test(tests, one_that_crashes_is_faulty);
    tcase_add_test(tests, one_that_asks_for_too_much_is_refused);
    tcase_add_test(tests, names_are_chosen_by);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
