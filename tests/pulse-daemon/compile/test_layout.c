/* SPDX-License-Identifier: MIT */
/* How layouts meet along outputs: what the fader's pan does and how many channels its tap has. */
#include "pulse-daemon/compile/strip.h"

#include <math.h>
#include <stdio.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

static void init(struct compiling *t, const char *media, uint32_t channels, uint32_t master)
{
    char text[1024];
    snprintf(
        text, sizeof text,
        "{'loophole': 1, 'name': 'p', 'sampleRate': 48000, 'media': {'%s': {'file': 's.wav'}},"
        "'tracks': [{'id': 'main', 'type': 'master', 'channels': %u, 'pan': 0.25},"
        "{'id': 'a', 'type': 'audio', 'channels': %u, 'pan': 0.5, 'clips': [{'media': '%s', 'start': {'frames': 0}}]}],"
        "'deliverables': [{'name': 'mix', 'source': 'main'}, {'name': 'a', 'source': 'a'}]}",
        media, master, channels, media);
    compiling_init(t, text);
}

static uint32_t channels_of(const struct compiling *t, const char *name)
{
    return t->compiled->graph->nodes[deliverable_named(t, name)->node].channels;
}

START_TEST(test_meeting)
{
    static const struct {
        const char *media;
        uint32_t channels, master, post; /* post 0: refused */
        double left;                     /* at the track's post tap */
    } cases[] = {
        {"mono", 1, 2, 2, 0.38268343236508977}, /* cos(0.75 pi/2) */
        {"mono", 2, 2, 2, 0.5},
        {"st", 2, 2, 2, 0.5},
        {"mono", 1, 1, 1, 1.0},
        {"six", 6, 6, 6, 1.0},
        {"st", 2, 1, 0, 0},
        {"mono", 1, 6, 0, 0},
        {"six", 6, 2, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct compiling t;
        init(&t, cases[i].media, cases[i].channels, cases[i].master);
        ck_assert_int_eq(t.status, cases[i].post == 0 ? LH_ERR_INVALID : LH_OK);
        if (t.status == LH_OK) {
            ck_assert_uint_eq(channels_of(&t, "a"), cases[i].post);
            ck_assert_uint_eq(channels_of(&t, "mix"), cases[i].master);
            ck_assert(fabs(response(&t, "a", 0, cases[i].media, 5) - cases[i].left) < 1e-7);
            double balance = cases[i].master == 2 ? 0.75 : 1.0; /* the master's own pan is a balance */
            ck_assert(fabs(response(&t, "mix", 0, cases[i].media, 5) - cases[i].left * balance) < 1e-7);
        }
        compiling_fini(&t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layout");
    TCase *tests = tcase_create("layout");
    tcase_add_test(tests, test_meeting);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
