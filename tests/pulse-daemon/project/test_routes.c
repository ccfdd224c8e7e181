/* SPDX-License-Identifier: MIT */
/* Cycles, and long ways without one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

START_TEST(a_diamond_is_no_cycle)
{
    pulse_project_free(project_of(P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"output\":\"g\",\"sends\":[{\"to\":"
                                    "\"r\"},{\"to\":\"master\"}]},{\"id\":\"g\",\"type\":\"group\",\"sends\":[{\"to\":"
                                    "\"r\"}]},{\"id\":\"r\",\"type\":\"return\"}]}"));
}
END_TEST

START_TEST(cycles_are_named)
{
    expect_fault(P "\"tracks\":[{\"id\":\"verb\",\"type\":\"return\",\"sends\":[{\"to\":\"drums\"}]},"
                   "{\"id\":\"drums\",\"type\":\"group\",\"sends\":[{\"to\":\"verb\"}]}]}",
                 "/tracks/1/sends/0/to", "verb -> drums -> verb");
    expect_fault(P "\"tracks\":[{\"id\":\"g\",\"type\":\"group\",\"output\":\"g\"}]}", "/tracks/0/output", "g -> g");
}
END_TEST

START_TEST(a_side_chain_closes_a_cycle)
{
    expect_fault(P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"output\":\"g\",\"nodes\":[{\"id\":\"n\",\"plugin\":"
                   "\"lv2:urn:x\",\"sidechain\":{\"from\":\"g\"}}]},{\"id\":\"g\",\"type\":\"group\"}]}",
                 "/tracks/0/nodes/0/sidechain/from", "a -> g -> a");
}
END_TEST

/* Groups in a row; the last one goes to `last`. */
static char *chain(size_t count, const char *last)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    fputs(P "\"tracks\":[", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s{\"id\":\"g%zu\",\"type\":\"group\",\"output\":\"", i == 0 ? "" : ",", i);
        if (i + 1 < count) {
            fprintf(out, "g%zu\"}", i + 1);
        } else {
            fprintf(out, "%s\"}", last);
        }
    }
    fputs("]}", out);
    fclose(out);
    return text;
}

START_TEST(the_longest_way_is_walked)
{
    char *text = chain(PULSE_TRACKS_MAX, "master");
    pulse_project_free(project_of(text));
    free(text);
    text = chain(PULSE_TRACKS_MAX, "g0");
    expect_fault(text, "/tracks/4095/output", "g0 -> g1 -> g2");
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/routes");
    TCase *tests = tcase_create("routes");
    tcase_add_test(tests, a_diamond_is_no_cycle);
    tcase_add_test(tests, cycles_are_named);
    tcase_add_test(tests, a_side_chain_closes_a_cycle);
    tcase_add_test(tests, the_longest_way_is_walked);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
