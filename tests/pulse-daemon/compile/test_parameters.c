/* SPDX-License-Identifier: MIT */
/* compile/parameters.c: static values, automation, ranges at the project's rate, what cannot be set. */
#include "pulse-daemon/compile/parameters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

#define NODE "track a, node n"

/* A stereo track with one node: its members, and the track's automation. */
static void init(struct compiling *t, uint32_t rate, const char *members, const char *automation)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{'loophole': 1, 'sampleRate': %u, 'media': {'st': {'file': 's.wav'}}, 'tracks': [{'id': 'a', 'type': "
             "'audio', 'clips': [{'media': 'st'}], 'nodes': [{'id': 'n', 'plugin': 'lv2:urn:stereo'%s}], "
             "'automation': [%s]}]}",
             rate, members, automation);
    compiling_init(t, text);
}

START_TEST(static_values_are_constants)
{
    struct compiling t;
    init(&t, 48000, ", 'parameters': {'gain': -6.5, 'mode': 4, 'on': 1, 'steps': 16, 'prop': 0.25}", "");
    ck_assert_uint_eq(insert_of(&t, NODE)->parameter_count, 5);
    ck_assert_double_eq(parameter_at(&t, NODE, "gain", 0), -6.5);
    ck_assert_double_eq(parameter_at(&t, NODE, "gain", 1000000), -6.5);
    ck_assert_double_eq(parameter_at(&t, NODE, "mode", 0), 4);
    ck_assert_double_eq(parameter_at(&t, NODE, "on", 0), 1);
    ck_assert_double_eq(parameter_at(&t, NODE, "steps", 0), 16);
    ck_assert_double_eq(parameter_at(&t, NODE, "prop", 0), 0.25);
    ck_assert(isnan(parameter_at(&t, NODE, "freq", 0))); /* left as the plugin has it */
    compiling_fini(&t);
}
END_TEST

#define POINT(frame, value) "{'at': {'frames': " #frame "}, 'value': " #value "}"
#define HOLD(frame, value) "{'at': {'frames': " #frame "}, 'value': " #value ", 'curve': 'hold'}"

START_TEST(automation_replaces_the_static_value)
{
    struct compiling t;
    init(&t, 48000, ", 'parameters': {'gain': 12}",
         "{'parameter': 'nodes/n/gain', 'points': [" POINT(100, -60) "," HOLD(200, 0) "," POINT(
             300, 6) "]},"
                     "{'parameter': 'nodes/n/prop', 'points': []}");
    ck_assert_uint_eq(insert_of(&t, NODE)->parameter_count, 1);
    ck_assert_double_eq(parameter_at(&t, NODE, "gain", 0), -60);
    ck_assert_double_eq(parameter_at(&t, NODE, "gain", 150), -30); /* a straight line in its own unit */
    ck_assert_double_eq(parameter_at(&t, NODE, "gain", 299), 0);
    ck_assert_double_eq(parameter_at(&t, NODE, "gain", 300), 6);
    ck_assert_uint_eq(t.compiled->graph->curves[t.compiled->graph->parameters[0].curve].count, 4);
    compiling_fini(&t);
}
END_TEST

/* Switches, choices and whole numbers hold, whatever the points say. */
START_TEST(what_cannot_glide_holds)
{
    static const char *const symbols[] = {"mode", "on", "steps"};
    for (size_t i = 0; i < 3; i++) {
        char automation[256];
        struct compiling t;
        snprintf(automation, sizeof automation,
                 "{'parameter': 'nodes/n/%s', 'points': [" POINT(100, 1) "," POINT(100, 1) "," POINT(200, % d) "]}",
                 symbols[i],
                 i == 0   ? 4
                 : i == 1 ? 0
                          : 16);
        init(&t, 48000, "", automation);
        ck_assert_double_eq(parameter_at(&t, NODE, symbols[i], 199), 1);
        ck_assert_double_eq(parameter_at(&t, NODE, symbols[i], 200), i == 0 ? 4 : i == 1 ? 0 : 16);
        compiling_fini(&t);
    }
}
END_TEST

START_TEST(bounds_that_are_fractions_of_the_rate)
{
    struct compiling t;
    init(&t, 96000, ", 'parameters': {'freq': 48000}", "");
    ck_assert_double_eq(parameter_at(&t, NODE, "freq", 0), 48000);
    compiling_fini(&t);
    init(&t, 48000, ", 'parameters': {'freq': 48000}", "");
    ck_assert_str_eq(fault_at(&t, "/tracks/0/nodes/0/parameters/freq"), "\"freq\" goes from 0 to 24000 Hz, not 48000");
    compiling_fini(&t);
}
END_TEST

START_TEST(what_cannot_be_set_is_told)
{
    static const struct {
        const char *members, *automation, *where, *message;
    } cases[] = {
        {", 'parameters': {'gain': 24.1}", "", "/tracks/0/nodes/0/parameters/gain",
         "\"gain\" goes from -60 to 24 dB, not 24.1"},
        {", 'parameters': {'mode': 2}", "", "/tracks/0/nodes/0/parameters/mode",
         "\"mode\" is one of 0 (low), 1 (high), 4 (notch), not 2"},
        {", 'parameters': {'on': 0.5}", "", "/tracks/0/nodes/0/parameters/on", "\"on\" is a switch: 0 or 1, not 0.5"},
        {", 'parameters': {'steps': 1.5}", "", "/tracks/0/nodes/0/parameters/steps",
         "\"steps\" takes whole numbers, not 1.5"},
        {", 'parameters': {'steps': 17}", "", "/tracks/0/nodes/0/parameters/steps",
         "\"steps\" goes from 1 to 16, not 17"},
        {", 'parameters': {'gian': 1}", "", "/tracks/0/nodes/0/parameters/gian",
         "lv2:urn:stereo has no parameter \"gian\"; did you mean \"gain\"?"},
        {", 'parameters': {'zebra': 1}", "", "/tracks/0/nodes/0/parameters/zebra",
         "lv2:urn:stereo has no parameter \"zebra\""},
        {", 'parameters': {'level': 1}", "", "/tracks/0/nodes/0/parameters/level",
         "\"level\" is what lv2:urn:stereo tells, which cannot be set"},
        {", 'parameters': {'in_l': 1}", "", "/tracks/0/nodes/0/parameters/in_l",
         "\"in_l\" is a port of lv2:urn:stereo, but no parameter"},
        {"", "{'parameter': 'nodes/n/prob', 'points': [" POINT(0, 1) "]}", "/tracks/0/automation/0/parameter",
         "lv2:urn:stereo has no parameter \"prob\"; did you mean \"prop\"?"},
        {"", "{'parameter': 'nodes/n/prop', 'points': [" POINT(0, 1) "," POINT(9, 2) "]}",
         "/tracks/0/automation/0/points/1/value", "\"prop\" goes from 0 to 1, not 2"},
        {"", "{'parameter': 'nodes/n/prop', 'points': [{'at': {'seconds': 1e7}, 'value': 1}," POINT(9, 1) "]}", NULL,
         NULL},
        {", 'parameters': {'gain': 99}", "{'parameter': 'nodes/n/gain', 'points': [" POINT(0, 1) "]}",
         "/tracks/0/nodes/0/parameters/gain", "\"gain\" goes from -60 to 24 dB, not 99"},
    };
    struct compiling t;
    init(&t, cases[_i].where == NULL ? 192000 : 48000, cases[_i].members, cases[_i].automation);
    if (cases[_i].where == NULL) { /* past all time */
        ck_assert_int_eq(t.status, LH_ERR_LIMIT);
        ck_assert_ptr_nonnull(fault_at(&t, "/tracks/0/automation/0/points/0/at"));
    } else {
        ck_assert_int_eq(t.status, LH_ERR_INVALID);
        ck_assert_str_eq(t.faults.items[0].where, cases[_i].where);
        ck_assert_str_eq(t.faults.items[0].message, cases[_i].message);
        ck_assert_uint_eq(t.faults.count, 1);
    }
    compiling_fini(&t);
}
END_TEST

START_TEST(many_faults_do_not_take_for_ever)
{
    struct compiling t;
    size_t size = 0, room = 1u << 20;
    char *automation = malloc(room), *text = malloc(2 * room);
    ck_assert(automation != NULL && text != NULL);
    size += (size_t)snprintf(automation, room, "{'parameter': 'nodes/n/gain', 'points': [");
    for (unsigned i = 0; i < 20000; i++) {
        size += (size_t)snprintf(automation + size, room - size, "%s{'at': {'frames': %u}, 'value': 99}",
                                 i > 0 ? "," : "", i);
    }
    snprintf(automation + size, room - size, "]}");
    snprintf(text, 2 * room,
             "{'loophole': 1, 'media': {'st': {'file': 's.wav'}}, 'tracks': [{'id': 'a', 'type': 'audio', 'clips': "
             "[{'media': 'st'}], 'nodes': [{'id': 'n', 'plugin': 'lv2:urn:stereo'}], 'automation': [%s]}]}",
             automation);
    compiling_init(&t, text);
    ck_assert_int_eq(t.status, LH_ERR_INVALID);
    ck_assert_uint_eq(t.faults.count, LH_FAULTS_MAX);
    compiling_fini(&t);
    free(automation);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parameters");
    TCase *tests = tcase_create("parameters");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, static_values_are_constants);
    tcase_add_test(tests, automation_replaces_the_static_value);
    tcase_add_test(tests, what_cannot_glide_holds);
    tcase_add_test(tests, bounds_that_are_fractions_of_the_rate);
    tcase_add_loop_test(tests, what_cannot_be_set_is_told, 0, 13);
    tcase_add_test(tests, many_faults_do_not_take_for_ever);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
