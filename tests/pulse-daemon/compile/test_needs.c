/* SPDX-License-Identifier: MIT */
/* compile/needs.c: what is heard is asked for, once each, in the order of the project. */
#include <string.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

#define STATE "'state': {'file': 's.ttl'}"

static const char text[] =
    "{'loophole': 1, 'media': {'mono': {'file': 'm.wav'}, 'unused': {'file': 'u.wav'}}, 'tracks': ["
    "{'id': 'a', 'type': 'audio', 'clips': [{'media': 'mono'}], 'nodes': ["
    " {'id': 'n', 'plugin': 'lv2:urn:b', " STATE ", 'ifMissing': [{'id': 's', 'plugin': 'lv2:urn:c', 'state': "
    "{'file': './t.ttl'}}, {'id': 'x', 'plugin': 'lv2:urn:never', 'enabled': false}]},"
    " {'id': 'm', 'plugin': 'lv2:urn:a'}, {'id': 'o', 'plugin': 'lv2:urn:b', " STATE "},"
    " {'id': 'off', 'plugin': 'lv2:urn:never', 'enabled': false, 'state': {'file': 'never.ttl'}, 'sidechain': "
    "{'from': 'quiet'}}]},"
    "{'id': 'i', 'type': 'instrument', 'clips': [{'midi': 'b.mid'}, {'midi': 'a.mid', 'duration': {'beats': 1}},"
    " {'midi': 'b.mid'}, {'midi': 'muted.mid', 'mute': true, 'duration': {'beats': 1}},"
    " {'midi': 'long.mid', 'mute': true}],"
    " 'nodes': [{'id': 'n', 'plugin': 'lv2:urn:d', 'state': {'digest': "
    "'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}]},"
    "{'id': 'quiet', 'type': 'instrument', 'mute': true, 'clips': [{'midi': 'quiet.mid', 'duration': {'beats': 1}}], "
    "'nodes': [{'id': 'n', 'plugin': 'lv2:urn:quiet'}]}],"
    "'deliverables': [{'name': 'all'}, {'name': 'a', 'source': 'a', 'range': {'end': {'beats': 1}}}]}";

static struct pulse_project *parse(struct lh_arena *arena, struct lh_faults *faults)
{
    lh_arena_init(arena);
    lh_faults_init(faults, arena);
    return compiling_parse(text, faults);
}

START_TEST(what_is_heard_is_asked_for_once)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_project *project = parse(&arena, &faults);
    struct pulse_needs needs;
    ck_assert_int_eq(pulse_compile_needs(&arena, project, NULL, &needs), LH_OK);
    static const char *const plugins[] = {"lv2:urn:b", "lv2:urn:c", "lv2:urn:a", "lv2:urn:d"};
    static const char *const midi[] = {"b.mid", "a.mid", "long.mid"}; /* its length may be the project's */
    ck_assert(needs.media[0] && !needs.media[1]);
    ck_assert_uint_eq(needs.plugin_count, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(needs.plugins[i], plugins[i]);
    }
    ck_assert_uint_eq(needs.midi_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(needs.midi[i].file, midi[i]);
    }
    ck_assert_uint_eq(needs.state_count, 3);
    ck_assert_str_eq(needs.states[0].file, "s.ttl");
    ck_assert_str_eq(needs.states[1].file, "t.ttl"); /* a stand-in's, as the model has it */
    ck_assert_ptr_null(needs.states[2].file);
    char where[128];
    lh_json_pointer(needs.states[2].json, where, sizeof where);
    ck_assert_str_eq(where, "/tracks/1/nodes/0/state");
    lh_json_pointer(needs.midi[0].json, where, sizeof where);
    ck_assert_str_eq(where, "/tracks/1/clips/0/midi");
    pulse_project_free(project);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(a_choice_asks_for_less)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_project *project = parse(&arena, &faults);
    struct pulse_needs needs;
    const char *only = "a";
    const struct pulse_compile_options options = {.only = &only, .only_count = 1};
    ck_assert_int_eq(pulse_compile_needs(&arena, project, &options, &needs), LH_OK);
    ck_assert_uint_eq(needs.plugin_count, 3);
    ck_assert_uint_eq(needs.midi_count, 0);
    ck_assert_uint_eq(needs.state_count, 2);
    pulse_project_free(project);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(a_choice_of_what_is_not_there_is_told)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_project *project = parse(&arena, &faults);
    const char *only[] = {"a", "nobody"};
    struct pulse_compile_options options = {.only = only, .only_count = 1};
    ck_assert_int_eq(pulse_compile_choice(project, &options, &faults), LH_OK);
    ck_assert_int_eq(pulse_compile_choice(project, NULL, &faults), LH_OK);
    ck_assert_uint_eq(faults.count, 0);
    options.only_count = 2;
    ck_assert_int_eq(pulse_compile_choice(project, &options, &faults), LH_ERR_USAGE);
    ck_assert_uint_eq(faults.count, 1);
    ck_assert_ptr_nonnull(strstr(faults.items[0].message, "no deliverable \"nobody\""));
    pulse_project_free(project);
    lh_arena_fini(&arena);
}
END_TEST

/* Facts of a larger choice serve a smaller one, as what a cache has left to render. */
START_TEST(facts_of_more_serve_less)
{
    struct compiling t;
    compiling_init(&t, "{'loophole': 1, 'media': {'st': {'file': 's.wav'}}, 'tracks': ["
                       "{'id': 'a', 'type': 'audio', 'clips': [{'media': 'st'}], 'nodes': [{'id': 'n', 'plugin': "
                       "'lv2:urn:gone', 'ifMissing': 'bypass'}]},"
                       "{'id': 'b', 'type': 'audio', 'clips': [{'media': 'st'}], 'nodes': [{'id': 'n', 'plugin': "
                       "'lv2:urn:stereo'}]}], 'deliverables': [{'name': 'a', 'source': 'a'}, {'name': 'b', 'source': "
                       "'b'}]}");
    ck_assert_int_eq(t.status, LH_OK);
    const char *only = "b";
    const struct pulse_compile_options options = {.only = &only, .only_count = 1};
    struct pulse_compiled *part = NULL;
    ck_assert_int_eq(pulse_compile(t.project, &t.needs, &t.facts, &options, &t.faults, &part), LH_OK);
    ck_assert_uint_eq(part->plugin_count, 1);
    ck_assert_str_eq(part->plugins[0].plugin, "lv2:urn:stereo");
    ck_assert_uint_eq(part->plugins[0].facts, 1);
    pulse_compiled_free(part);
    const struct pulse_needs none = {.media = t.needs.media};
    ck_assert_int_eq(pulse_compile(t.project, &none, &t.facts, &options, &t.faults, &part), LH_ERR_INTERNAL);
    compiling_fini(&t);
}
END_TEST

START_TEST(memory_may_be_out)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_project *project = parse(&arena, &faults);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct lh_arena own;
        struct pulse_needs needs;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = pulse_compile_needs(&own, project, NULL, &needs);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        lh_arena_fini(&own);
    }
    pulse_project_free(project);
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("needs");
    TCase *tests = tcase_create("needs");
    tcase_add_test(tests, what_is_heard_is_asked_for_once);
    tcase_add_test(tests, a_choice_asks_for_less);
    tcase_add_test(tests, a_choice_of_what_is_not_there_is_told);
    tcase_add_test(tests, facts_of_more_serve_less);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
