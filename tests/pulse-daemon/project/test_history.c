/* SPDX-License-Identifier: MIT */
/* Undo and redo against two plain stacks. */
#include "pulse-daemon/project/history.h"

#include "tests/support/testing.h"

#define STEPS 2000

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

START_TEST(test_example_of_the_header)
{
    const uint64_t parents[] = {0, 1, 2, 3, 3, 5};
    struct pulse_history history = {.head = 5, .tip = 6, .newest = 6, .parents = parents};
    ck_assert(pulse_history_is_sound(&history));
    ck_assert_uint_eq(pulse_history_undo(&history), 3);
    ck_assert_uint_eq(pulse_history_redo(&history), 6);
    history.head = 3;
    ck_assert_uint_eq(pulse_history_redo(&history), 5);
    history.head = 6;
    ck_assert_uint_eq(pulse_history_redo(&history), PULSE_REVISION_NONE);
    history.head = 1;
    ck_assert_uint_eq(pulse_history_undo(&history), PULSE_REVISION_NONE);
    history.head = 4; /* on no line to the tip */
    ck_assert(!pulse_history_is_sound(&history));
}
END_TEST

/* What an editor with two stacks would show, whatever is done. */
START_TEST(test_random_walk)
{
    static uint64_t parents[STEPS + 1], undo[STEPS], redo[STEPS];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        state = seed * UINT64_C(0x9e3779b97f4a7c15);
        size_t undos = 0, redos = 0;
        struct pulse_history history = {.head = 1, .tip = 1, .newest = 1, .parents = parents};
        parents[0] = PULSE_REVISION_NONE;
        for (unsigned step = 0; step < STEPS; step++) {
            uint64_t to = PULSE_REVISION_NONE;
            switch (draw(3)) {
            case 0:
                to = history.newest + 1;
                parents[to - 1] = history.head;
                undo[undos++] = history.head;
                redos = 0;
                history.head = history.tip = history.newest = to;
                break;
            case 1:
                to = pulse_history_undo(&history);
                ck_assert_uint_eq(to, undos > 0 ? undo[undos - 1] : PULSE_REVISION_NONE);
                if (undos > 0) {
                    undos--;
                    redo[redos++] = history.head;
                    history.head = to;
                }
                break;
            default:
                to = pulse_history_redo(&history);
                ck_assert_uint_eq(to, redos > 0 ? redo[redos - 1] : PULSE_REVISION_NONE);
                if (redos > 0) {
                    redos--;
                    undo[undos++] = history.head;
                    history.head = to;
                }
            }
            ck_assert(pulse_history_is_sound(&history));
        }
    }
}
END_TEST

START_TEST(test_tells_what_is_no_history)
{
    const uint64_t good[] = {0, 1, 2}, loop[] = {0, 3, 2}, ahead[] = {0, 2, 1}, two[] = {0, 0, 1}, rooted[] = {1, 1, 2};
    const struct {
        uint64_t head, tip, newest;
        const uint64_t *parents;
        bool sound;
    } cases[] = {{3, 3, 3, good, true},  {1, 3, 3, good, true},   {0, 3, 3, good, false}, {3, 2, 3, good, false},
                 {3, 4, 3, good, false}, {1, 1, 0, good, false},  {2, 3, 3, loop, false}, {1, 1, 3, ahead, false},
                 {1, 1, 3, two, false},  {1, 1, 3, rooted, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct pulse_history history = {
            .head = cases[i].head, .tip = cases[i].tip, .newest = cases[i].newest, .parents = cases[i].parents};
        ck_assert_msg(pulse_history_is_sound(&history) == cases[i].sound, "case %zu", i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/history");
    TCase *tests = tcase_create("history");
    tcase_add_test(tests, test_example_of_the_header);
    tcase_add_test(tests, test_random_walk);
    tcase_add_test(tests, test_tells_what_is_no_history);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
