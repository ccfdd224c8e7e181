/* SPDX-License-Identifier: MIT */
/* Writing back: order, numbers, equality of what is read again, memory that runs out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pulse-daemon/project/dump.h"
#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

static char *written(const struct pulse_project *project)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    ck_assert_int_eq(pulse_project_write(project, &writer), LH_OK);
    char *text = strndup((const char *)writer.data, writer.size);
    lh_writer_fini(&writer);
    ck_assert_ptr_nonnull(text);
    return text;
}

START_TEST(members_stand_in_the_order_of_the_format)
{
    struct pulse_project *project = project_of(
        "{\"ext\":{\"z\":1,\"a\":-0.5},\"tracks\":[{\"pan\":0.50,\"type\":\"audio\",\"id\":\"k\"}],"
        "\"media\":{\"z\":{\"file\":\"./z.wav\"},\"a\":{\"file\":\"a.wav\"}},\"sampleRate\":44100.0,\"loophole\":1}");
    char *text = written(project);
    ck_assert_str_eq(text, "{\n"
                           "  \"loophole\": 1,\n"
                           "  \"sampleRate\": 44100,\n"
                           "  \"media\": {\n"
                           "    \"z\": {\n"
                           "      \"file\": \"./z.wav\"\n"
                           "    },\n"
                           "    \"a\": {\n"
                           "      \"file\": \"a.wav\"\n"
                           "    }\n"
                           "  },\n"
                           "  \"tracks\": [\n"
                           "    {\n"
                           "      \"id\": \"k\",\n"
                           "      \"type\": \"audio\",\n"
                           "      \"pan\": 0.5\n"
                           "    }\n"
                           "  ],\n"
                           "  \"ext\": {\n"
                           "    \"z\": 1,\n"
                           "    \"a\": -0.5\n"
                           "  }\n"
                           "}\n");
    free(text);
    pulse_project_free(project);
}
END_TEST

static void expect_round_trip(struct pulse_project *project)
{
    char *first = written(project);
    struct pulse_project *again = project_of(first);
    char *second = written(again);
    char *model = dump_project(project);
    char *model_again = dump_project(again);
    ck_assert_str_eq(first, second);
    ck_assert_str_eq(model, model_again);
    free(first);
    free(second);
    free(model);
    free(model_again);
    pulse_project_free(again);
}

START_TEST(reading_again_gives_the_same_project)
{
    static const char *const names[] = {"extremes", "formats", "least", "night-drive"};
    const char *folder = getenv("PROJECT_CORPUS");
    ck_assert_ptr_nonnull(folder);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4096];
        struct lh_arena arena;
        struct lh_faults faults;
        struct pulse_project *project = NULL;
        snprintf(path, sizeof path, "%s/valid/%s.json", folder, names[i]);
        lh_arena_init(&arena);
        lh_faults_init(&faults, &arena);
        enum lh_status status = pulse_project_load(path, NULL, 0, &faults, &project);
        ck_assert_msg(status == LH_OK, "%s", faults.stored == 0 ? path : faults.items[0].message);
        lh_arena_fini(&arena);
        expect_round_trip(project);
        pulse_project_free(project);
    }
}
END_TEST

/* A plugin that nobody has: what was set comes back, in the order of the format. */
START_TEST(nodes_of_missing_plugins_survive)
{
    struct pulse_project *project = project_of(
        "{\"loophole\":1,\"tracks\":[{\"id\":\"k\",\"type\":\"audio\",\"automation\":[{\"points\":[{\"value\":3.5,"
        "\"at\":{\"frames\":9}}],\"parameter\":\"nodes/c/"
        "ratio\"}],\"nodes\":[{\"ifMissing\":[{\"plugin\":\"lv2:urn:d\","
        "\"id\":\"d\",\"enabled\":false}],\"ext\":{\"was\":\"there\"},\"state\":{\"file\":\"c.ttl\"},\"preset\":\"urn:"
        "p\","
        "\"parameters\":{\"ratio\":4,\"attack\":0.010},\"plugin\":\"lv2:urn:gone\",\"id\":\"c\"}]}]}");
    char *text = written(project);
    char *nodes = strstr(text, "\"nodes\"");
    ck_assert_ptr_nonnull(nodes);
    char *from = nodes, *to = nodes;
    for (; *from != '\0'; from++) { /* without the layout */
        if (*from != ' ' && *from != '\n') {
            *to++ = *from;
        }
    }
    *to = '\0';
    ck_assert_str_eq(
        nodes, "\"nodes\":[{\"id\":\"c\",\"plugin\":\"lv2:urn:gone\",\"parameters\":{\"ratio\":4,\"attack\":0.01},"
               "\"preset\":\"urn:p\",\"state\":{\"file\":\"c.ttl\"},\"ext\":{\"was\":\"there\"},"
               "\"ifMissing\":[{\"id\":\"d\",\"plugin\":\"lv2:urn:d\",\"enabled\":false}]}],"
               "\"automation\":[{\"parameter\":\"nodes/c/ratio\",\"points\":[{\"at\":{\"frames\":9},"
               "\"value\":3.5}]}]}]}");
    free(text);
    expect_round_trip(project);
    pulse_project_free(project);
}
END_TEST

START_TEST(memory_may_be_out)
{
    struct pulse_project *project = project_of("{\"loophole\": 1}");
    testing_fail_allocation(1);
    struct lh_writer writer;
    lh_writer_init(&writer);
    ck_assert_int_eq(pulse_project_write(project, &writer), LH_ERR_NO_MEMORY);
    ck_assert(testing_fail_allocation_end());
    lh_writer_fini(&writer);
    pulse_project_free(project);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/write");
    TCase *tests = tcase_create("write");
    tcase_add_test(tests, members_stand_in_the_order_of_the_format);
    tcase_add_test(tests, reading_again_gives_the_same_project);
    tcase_add_test(tests, nodes_of_missing_plugins_survive);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
