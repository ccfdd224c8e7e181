/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/match: a shard goes only where all that it needs is there, whoever comes first. */
#include "pulse-daemon/farm/match.h"

#include <stdio.h>
#include <string.h>

#include "tests/pulse-daemon/farm/farming.h"

static const struct lh_digest plugins[] = {{{3}}, {{1}}, {{2}}};

static void set_up(void)
{
    farming_begin(NULL);
}

static void tear_down(void)
{
    farming_end();
}

/* One shard with these needs, of a job of its own; who gets it of the worker with these traits? */
static bool fits(const struct pulse_needs_row *needs, const struct pulse_farm_traits *traits, bool worker_first)
{
    struct lh_digest key = farming_key(1, 'a');
    struct pulse_farm_promise output = {.key = key, .kind = PULSE_OUTPUT_STORED};
    struct pulse_farm_shard shard = {.needs = needs, .outputs = &output, .output_count = 1};
    struct pulse_farm_event welcome = {
        .kind = PULSE_FARM_WELCOME, .worker = "w1", .session = 11, .slots = 1, .credits = 1, .traits = *traits};
    farming_end();
    farming_begin(NULL);
    if (worker_first) {
        farming_add(&welcome);
    }
    farming_submit(1, 1, 0);
    farming_add(&(struct pulse_farm_event){
        .kind = PULSE_FARM_PLANNED,
        .plan = {.job = 1, .shards = &shard, .shard_count = 1, .wants = &key, .want_count = 1}});
    farming_step();
    if (!worker_first) {
        farming_add(&welcome);
        farming_step();
    }
    return farming_actions(PULSE_FARM_ASSIGN) == 1;
}

static void check(const struct pulse_needs_row *needs, const struct pulse_farm_traits *traits, bool expected)
{
    ck_assert_int_eq(fits(needs, traits, true), expected);
    ck_assert_int_eq(fits(needs, traits, false), expected);
}

START_TEST(everything_must_be_there)
{
    static const char *const all_tags[] = {"ssd", "gpu", "big"};
    static const char *const two_tags[] = {"big", "gpu"};
    static const char *const other_tags[] = {"big", "tpu"};
    struct pulse_farm_traits traits = {
        .engine = "1 x", .cpu_class = "v3", .tags = all_tags, .tag_count = 3, .plugins = plugins, .plugin_count = 3};
    struct pulse_needs_row needs = {.engine = "1 x", .cpu_class = ""};
    check(&needs, &traits, true);
    needs.engine = "2 x";
    check(&needs, &traits, false);
    needs.engine = "1 x";
    needs.cpu_class = "v3";
    check(&needs, &traits, true);
    needs.cpu_class = "v4";
    check(&needs, &traits, false);
    needs.cpu_class = "";
    needs.tags = two_tags;
    needs.tag_count = 2;
    check(&needs, &traits, true);
    needs.tags = other_tags;
    check(&needs, &traits, false);
    needs.tag_count = 0;
    needs.plugins = &plugins[1];
    needs.plugin_count = 2;
    check(&needs, &traits, true);
    traits.plugin_count = 2;
    check(&needs, &traits, false);
    traits.plugin_count = 0;
    needs.plugin_count = 0;
    check(&needs, &traits, true);
}
END_TEST

START_TEST(a_worker_may_come_back_as_another)
{
    static const char *const gpu[] = {"gpu"};
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a@gpu b", "ab");
    ck_assert_str_eq(farming_owner("a"), "");
    ck_assert_str_eq(farming_owner("b"), "w1");
    farming_complete("b");
    farming_welcome_as("w1", 11, 1, gpu, 1);
    ck_assert_str_eq(farming_owner("a"), "w1");
}
END_TEST

START_TEST(each_gets_what_it_can_do)
{
    static const char *const gpu[] = {"gpu"}, *const tpu[] = {"tpu"};
    farming_submit(1, 1, 0);
    farming_plan(1, "a@gpu b@tpu c@gpu d@tpu e", "abcde");
    farming_welcome_as("w1", 11, 2, gpu, 1);
    farming_welcome_as("w2", 12, 2, tpu, 1);
    ck_assert_str_eq(farming_owner("a"), "w1");
    ck_assert_str_eq(farming_owner("b"), "w2");
    ck_assert_str_eq(farming_owner("c"), "w1");
    ck_assert_str_eq(farming_owner("d"), "w2");
    farming_complete("b");
    ck_assert_str_eq(farming_owner("e"), "w2");
}
END_TEST

START_TEST(many_kinds_of_workers)
{
    /* More than fit into one word of a set, each with one shard for it alone. */
    farming_submit(1, 1, 0);
    char plan[2048] = "", wants[64] = "", tags[26 * 5][8];
    for (int i = 0; i < 26; i++) {
        snprintf(plan + strlen(plan), sizeof plan - strlen(plan), "%c@t%d ", 'a' + i, i * 5);
        wants[i] = (char)('a' + i);
        wants[i + 1] = '\0';
    }
    farming_plan(1, plan, wants);
    for (int i = 0; i < 26 * 5; i++) {
        char name[16];
        snprintf(tags[i], sizeof tags[i], "t%d", i);
        const char *const tag[] = {tags[i]};
        snprintf(name, sizeof name, "w%d", i);
        farming_welcome_as(name, (uint64_t)i + 1, 1, tag, 1);
        ck_assert_uint_eq(farming_actions(PULSE_FARM_ASSIGN), i % 5 == 0 ? 1 : 0);
    }
    for (int i = 0; i < 26; i++) {
        char shard[] = {(char)('a' + i), '\0'}, name[16];
        snprintf(name, sizeof name, "w%d", i * 5);
        ck_assert_str_eq(farming_owner(shard), name);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("match");
    TCase *tests = tcase_create("match");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, everything_must_be_there);
    tcase_add_test(tests, a_worker_may_come_back_as_another);
    tcase_add_test(tests, each_gets_what_it_can_do);
    tcase_add_test(tests, many_kinds_of_workers);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
