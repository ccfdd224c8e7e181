/* SPDX-License-Identifier: MIT */
/* Where runs are cut and what parameters are there, against the rule written out frame by frame; events that are chased
   and released; the musical time. */
#include "engine/run/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/testing.h"

#define QUANTUM 1024
#define LENGTH 20000
#define POINTS_MAX 256

static struct graph_point points[POINTS_MAX];
static struct graph_curve curves[4];
static struct graph_parameter parameters[4];
static struct graph_insert insert;
static struct graph graph;

static void begin_curves(void)
{
    memset(&insert, 0, sizeof insert);
    graph = (struct graph){.sample_rate = 48000,
                           .quantum = QUANTUM,
                           .points = points,
                           .curves = curves,
                           .parameters = parameters,
                           .inserts = &insert,
                           .insert_count = 1};
}

static void add_point(int64_t frame, float value)
{
    points[graph.point_count++] = (struct graph_point){.frame = frame, .value = value};
    curves[graph.curve_count - 1].count++;
}

static void add_curve(void)
{
    curves[graph.curve_count] = (struct graph_curve){.first = graph.point_count};
    parameters[graph.parameter_count++] = (struct graph_parameter){.symbol = "p", .curve = graph.curve_count++};
    insert.parameter_count++;
}

/* By the rule: the frame is a multiple of the quantum, a tempo begins or a curve steps there, or it is a multiple of 64
   and a curve moved on the way to it. */
static bool is_cut(int64_t frame)
{
    bool cut = frame % QUANTUM == 0;
    for (uint32_t t = 0; t < graph.tempo_count; t++) {
        cut = cut || graph.tempo[t].frame == frame;
    }
    for (uint32_t c = 0; c < graph.curve_count; c++) {
        const struct graph_point *at = points + curves[c].first;
        for (uint32_t i = 0; i + 1 < curves[c].count; i++) {
            bool ramps = at[i].frame < at[i + 1].frame && at[i].value != at[i + 1].value;
            cut = cut || (at[i].frame == at[i + 1].frame && at[i].frame == frame);
            cut = cut || (ramps && frame % ENGINE_RAMP_FRAMES == 0 && at[i].frame < frame &&
                          at[i + 1].frame > frame - ENGINE_RAMP_FRAMES);
        }
    }
    return cut;
}

static void follow_cuts(int64_t begin)
{
    struct engine_timeline timeline;
    ck_assert_int_eq(engine_timeline_init(&timeline, &graph, &insert, begin, INT64_MAX), LH_OK);
    int64_t at = begin;
    while (at < LENGTH) {
        int64_t next = engine_timeline_cut(&timeline, at, (at / QUANTUM + 1) * QUANTUM);
        int64_t wanted = at + 1;
        while (!is_cut(wanted)) {
            wanted++;
        }
        ck_assert_msg(next == wanted, "from %lld: cut at %lld, not %lld", (long long)at, (long long)next,
                      (long long)wanted);
        at = next;
    }
    engine_timeline_fini(&timeline);
    engine_timeline_fini(&timeline);
}

START_TEST(steps_cut_and_ramps_cut_at_multiples_of_64)
{
    begin_curves();
    add_curve();
    add_point(0, 1);
    add_point(100, 1);
    add_point(100, 2); /* a step off every grid */
    add_point(1500, 2);
    add_point(1700, 3); /* a ramp from and to frames off the grid */
    add_point(4096, 3);
    add_point(4096, 0);
    add_point(8192, 1); /* a step that a ramp follows */
    add_curve();
    add_point(5000, 7); /* constant */
    add_curve();
    add_point(64, 0);
    add_point(128, 1);
    add_point(9999, 1);
    add_point(9999, 4);
    add_point(9999 + 1, 5);
    static const int64_t begins[] = {0, 1, 63, 64, 99, 100, 101, 1666, 1728, 4096, 9999, 10000};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        follow_cuts(begins[i]);
    }
}
END_TEST

START_TEST(random_curves_are_cut_by_the_rule)
{
    uint32_t state = 17;
    for (int round = 0; round < 200; round++) {
        begin_curves();
        for (uint32_t c = 0; c < 3; c++) {
            add_curve();
            int64_t frame = 0;
            for (int p = 0; p < 20; p++) {
                state = state * 1664525u + 1013904223u;
                uint32_t drawn = state >> 8;
                add_point(frame, (float)(drawn % 3));
                if (drawn % 5 == 0) {
                    add_point(frame, (float)(drawn % 7)); /* a step, or two equal points */
                }
                frame += 1 + (drawn >> 4) % (drawn % 4 == 0 ? 40 : 2000);
            }
        }
        follow_cuts((int64_t)(state >> 20));
    }
}
END_TEST

START_TEST(tempi_cut_where_they_begin)
{
    static const struct graph_tempo tempo[] = {{.frame = 0},    {.frame = 1},         {.frame = 1023},
                                               {.frame = 1024}, {.frame = 1600},      {.frame = 1601},
                                               {.frame = 9000}, {.frame = LENGTH + 5}};
    static const int64_t begins[] = {0, 1, 1000, 1024, 1600, 5000, 10000};
    begin_curves();
    graph.tempo = tempo;
    graph.tempo_count = sizeof tempo / sizeof *tempo;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        follow_cuts(begins[i]);
    }
    add_curve(); /* and a ramp that is cut besides */
    add_point(1500, 2);
    add_point(2700, 3);
    follow_cuts(0);
}
END_TEST

START_TEST(a_curve_that_never_moves_is_no_motion)
{
    begin_curves();
    add_curve();
    add_point(10, 2);
    add_point(20, 2);
    struct engine_timeline timeline;
    ck_assert_int_eq(engine_timeline_init(&timeline, &graph, &insert, 0, INT64_MAX), LH_OK);
    ck_assert_uint_eq(timeline.motion_count, 0);
    ck_assert_int_eq(engine_timeline_cut(&timeline, 0, 1024), 1024);
    engine_timeline_fini(&timeline);
}
END_TEST

/* ---- events ---- */

#define MESSAGE(at, status, first, second)                                                                             \
    {                                                                                                                  \
        .frame = (at), .size = 3, .bytes = {(status), (first), (second) }                                              \
    }

static void expect_events(struct engine_timeline *timeline, int64_t to, const struct graph_event *wanted, size_t count)
{
    const struct graph_event *events;
    uint32_t got;
    engine_timeline_events(timeline, to, &events, &got);
    ck_assert_uint_eq(got, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(events[i].frame == wanted[i].frame && memcmp(events[i].bytes, wanted[i].bytes, 3) == 0,
                      "event %zu: %02x %02x %02x at %lld", i, events[i].bytes[0], events[i].bytes[1],
                      events[i].bytes[2], (long long)events[i].frame);
    }
}

static void begin_events(const struct graph_event *events, uint32_t count, struct engine_timeline *timeline,
                         int64_t begin, int64_t silence)
{
    begin_curves();
    graph.events = events;
    graph.event_count = insert.event_count = count;
    ck_assert_int_eq(engine_timeline_init(timeline, &graph, &insert, begin, silence), LH_OK);
}

START_TEST(events_come_with_their_chunk)
{
    static const struct graph_event events[] = {MESSAGE(0, 0x90, 60, 100), MESSAGE(1023, 0x80, 60, 0),
                                                MESSAGE(1024, 0x91, 61, 1), MESSAGE(5000, 0x81, 61, 0)};
    struct engine_timeline timeline;
    begin_events(events, 4, &timeline, 0, INT64_MAX);
    expect_events(&timeline, 1024, events, 2);
    expect_events(&timeline, 2048, events + 2, 1);
    expect_events(&timeline, 5000, NULL, 0);
    expect_events(&timeline, 5001, events + 3, 1);
    expect_events(&timeline, INT64_MAX, NULL, 0);
    engine_timeline_fini(&timeline);
}
END_TEST

/* A range in the middle of a song has the programs and controllers of the song, but none of the notes before it. */
START_TEST(what_was_set_before_the_beginning_is_set_there)
{
    static const struct graph_event events[] = {
        MESSAGE(0, 0xB0, 0, 1),    MESSAGE(0, 0xC0, 5, 0),      MESSAGE(1, 0x90, 60, 100), MESSAGE(2, 0xB0, 7, 90),
        MESSAGE(3, 0xB0, 0, 2),    MESSAGE(3, 0xC0, 9, 0),      MESSAGE(4, 0xB0, 101, 0),  MESSAGE(4, 0xB0, 100, 0),
        MESSAGE(4, 0xB0, 6, 12),   MESSAGE(5, 0xB0, 101, 127),  MESSAGE(6, 0xE0, 0, 70),   MESSAGE(7, 0xD3, 40, 0),
        MESSAGE(8, 0xB0, 7, 80),   MESSAGE(9, 0xB0, 123, 0),    MESSAGE(9, 0xA0, 60, 10),  MESSAGE(10, 0xC3, 1, 0),
        MESSAGE(500, 0xB0, 7, 70), MESSAGE(1000, 0x90, 61, 100)};
    static const struct graph_event wanted[] = {
        MESSAGE(500, 0xB0, 0, 2),  MESSAGE(500, 0xC0, 9, 0),     MESSAGE(500, 0xB0, 101, 0), MESSAGE(500, 0xB0, 100, 0),
        MESSAGE(500, 0xB0, 6, 12), MESSAGE(500, 0xB0, 101, 127), MESSAGE(500, 0xE0, 0, 70),  MESSAGE(500, 0xD3, 40, 0),
        MESSAGE(500, 0xB0, 7, 80), MESSAGE(500, 0xC3, 1, 0),     MESSAGE(500, 0xB0, 7, 70)};
    struct engine_timeline timeline;
    begin_events(events, sizeof events / sizeof *events, &timeline, 500, INT64_MAX);
    expect_events(&timeline, 1000, wanted, sizeof wanted / sizeof *wanted);
    expect_events(&timeline, 1001, events + 17, 1);
    engine_timeline_fini(&timeline);
}
END_TEST

/* A bank selected after the last program is for the program to come. */
START_TEST(a_program_keeps_the_bank_before_it)
{
    static const struct graph_event events[] = {MESSAGE(0, 0xB0, 0, 9), MESSAGE(0, 0xB0, 32, 1), MESSAGE(0, 0xB0, 0, 1),
                                                MESSAGE(0, 0xC0, 4, 0), MESSAGE(1, 0xC0, 5, 0),  MESSAGE(2, 0xB0, 0, 7),
                                                MESSAGE(3, 0xB0, 0, 2), MESSAGE(3, 0xB1, 0, 6),  MESSAGE(4, 0xC0, 8, 0),
                                                MESSAGE(20, 0xC0, 1, 0)};
    static const struct graph_event early[] = {MESSAGE(4, 0xB0, 32, 1), MESSAGE(4, 0xB0, 0, 1), MESSAGE(4, 0xC0, 5, 0),
                                               MESSAGE(4, 0xB0, 0, 2),  MESSAGE(4, 0xB1, 0, 6), MESSAGE(4, 0xC0, 8, 0)};
    static const struct graph_event late[] = {MESSAGE(10, 0xB0, 32, 1), MESSAGE(10, 0xB0, 0, 2),
                                              MESSAGE(10, 0xB1, 0, 6), MESSAGE(10, 0xC0, 8, 0)};
    struct engine_timeline timeline;
    begin_events(events, sizeof events / sizeof *events, &timeline, 4, INT64_MAX);
    expect_events(&timeline, 10, early, sizeof early / sizeof *early);
    engine_timeline_fini(&timeline);
    begin_events(events, sizeof events / sizeof *events, &timeline, 10, INT64_MAX);
    expect_events(&timeline, 20, late, sizeof late / sizeof *late);
    engine_timeline_fini(&timeline);
}
END_TEST

START_TEST(a_registered_parameter_keeps_its_last_data)
{
    static const struct graph_event events[] = {
        MESSAGE(0, 0xB0, 6, 99), /* of nothing */
        MESSAGE(0, 0xB0, 101, 0), MESSAGE(0, 0xB0, 100, 0),   MESSAGE(0, 0xB0, 6, 2),     MESSAGE(0, 0xB0, 38, 3),
        MESSAGE(0, 0xB0, 6, 12),  MESSAGE(1, 0xB0, 100, 1),   MESSAGE(1, 0xB0, 6, 64),    MESSAGE(2, 0xB0, 99, 1),
        MESSAGE(2, 0xB0, 98, 0),  MESSAGE(2, 0xB0, 6, 50),    MESSAGE(2, 0xB0, 96, 0),    MESSAGE(3, 0xB0, 100, 0),
        MESSAGE(3, 0xB0, 38, 7),  MESSAGE(4, 0xB0, 101, 127), MESSAGE(4, 0xB0, 100, 127), MESSAGE(4, 0xB0, 6, 1),
        MESSAGE(4, 0xB1, 101, 0), MESSAGE(4, 0xB1, 100, 0),   MESSAGE(4, 0xB1, 121, 0),   MESSAGE(4, 0xB1, 6, 1)};
    static const struct graph_event wanted[] = {
        MESSAGE(9, 0xB0, 101, 0), MESSAGE(9, 0xB0, 100, 0), MESSAGE(9, 0xB0, 6, 12),    MESSAGE(9, 0xB0, 100, 1),
        MESSAGE(9, 0xB0, 6, 64),  MESSAGE(9, 0xB0, 99, 1),  MESSAGE(9, 0xB0, 98, 0),    MESSAGE(9, 0xB0, 6, 50),
        MESSAGE(9, 0xB0, 100, 0), MESSAGE(9, 0xB0, 38, 7),  MESSAGE(9, 0xB0, 101, 127), MESSAGE(9, 0xB0, 100, 127),
        MESSAGE(9, 0xB1, 121, 0)};
    struct engine_timeline timeline;
    begin_events(events, sizeof events / sizeof *events, &timeline, 9, INT64_MAX);
    expect_events(&timeline, 10, wanted, sizeof wanted / sizeof *wanted);
    engine_timeline_fini(&timeline);
}
END_TEST

/* A song that sweeps unregistered parameters: a bounded number is kept, the latest. */
START_TEST(registered_parameters_are_bounded)
{
    enum { SWEEPS = 40, NUMBERS = 128, CONTROLLERS = 120 };
    const uint32_t count = SWEEPS * NUMBERS * 4 + 16 * CONTROLLERS;
    struct graph_event *events = calloc(count, sizeof *events);
    ck_assert_ptr_nonnull(events);
    uint32_t n = 0;
    for (uint32_t i = 0; i < 16 * CONTROLLERS; i++) {
        events[n++] = (struct graph_event)MESSAGE(0, (uint8_t)(0xB0 | i % 16), (uint8_t)(i / 16), 1);
    }
    for (uint32_t i = 0; i < SWEEPS * NUMBERS; i++) {
        const uint8_t told[4][2] = {{99, 1}, {98, (uint8_t)(i % NUMBERS)}, {6, (uint8_t)(i / NUMBERS)}, {38, 5}};
        for (int m = 0; m < 4; m++) {
            events[n++] = (struct graph_event)MESSAGE(1, 0xB3, told[m][0], told[m][1]);
        }
    }
    struct engine_timeline timeline;
    begin_events(events, n, &timeline, 100, INT64_MAX);
    const struct graph_event *kept;
    uint32_t got;
    engine_timeline_events(&timeline, 101, &kept, &got);
    ck_assert_uint_le(got * 24, 65536 - 16); /* as an atom sequence */
    ck_assert_uint_ge(got, 96 * 4);
    for (uint32_t p = 0; p < 96; p++) {
        ck_assert_mem_eq(kept[got - 96 * 4 + p * 4 + 1].bytes, ((uint8_t[]){0xB3, 98, (uint8_t)(32 + p)}), 3);
        ck_assert_mem_eq(kept[got - 96 * 4 + p * 4 + 2].bytes, ((uint8_t[]){0xB3, 6, SWEEPS - 1}), 3);
    }
    engine_timeline_fini(&timeline);
    free(events);
}
END_TEST

START_TEST(what_sounds_at_the_end_is_released)
{
    static const struct graph_event events[] = {
        MESSAGE(0, 0x90, 60, 100), MESSAGE(0, 0x90, 64, 100), MESSAGE(1, 0xB0, 64, 127), MESSAGE(2, 0x80, 64, 0),
        MESSAGE(3, 0x95, 10, 1),   MESSAGE(4, 0x95, 10, 0),   MESSAGE(5, 0xB5, 66, 127), MESSAGE(6, 0xB5, 66, 0),
        MESSAGE(800, 0x90, 1, 1),  MESSAGE(900, 0x80, 60, 0)};
    static const struct graph_event released[] = {MESSAGE(800, 0x80, 60, 64), MESSAGE(800, 0xB0, 64, 0)};
    struct engine_timeline timeline;
    begin_events(events, sizeof events / sizeof *events, &timeline, 0, 800);
    expect_events(&timeline, 800, events, 8);
    expect_events(&timeline, INT64_MAX, released, 2);
    engine_timeline_fini(&timeline);
    begin_events(events, sizeof events / sizeof *events, &timeline, 0, INT64_MAX);
    expect_events(&timeline, INT64_MAX, events, 10);
    engine_timeline_fini(&timeline);
}
END_TEST

/* ---- musical time ---- */

START_TEST(the_musical_time_is_told_when_it_changes)
{
    static const struct graph_tempo tempo[] = {
        {.frame = 0, .beats = 0, .bpm = 120, .bar = 0, .bar_beat = 0, .numerator = 4, .denominator = 4},
        {.frame = 96000, .beats = 4, .bpm = 60, .bar = 1, .bar_beat = 0, .numerator = 6, .denominator = 8},
        {.frame = 96010, .beats = 4.1, .bpm = 90, .bar = 1, .bar_beat = 0.5, .numerator = 6, .denominator = 8}};
    begin_curves();
    graph.tempo = tempo;
    graph.tempo_count = 3;
    struct engine_timeline timeline;
    struct engine_position told;
    ck_assert_int_eq(engine_timeline_init(&timeline, &graph, &insert, 60000, INT64_MAX), LH_OK);
    ck_assert(engine_timeline_position(&timeline, 60000, &told)); /* 2.5 beats in */
    ck_assert(told.bpm == 120 && told.beat == 2.5 && told.bar == 0 && told.bar_beat == 2.5);
    ck_assert(!engine_timeline_position(&timeline, 61440, &told));
    ck_assert(!engine_timeline_position(&timeline, 95999, &told));
    ck_assert(engine_timeline_position(&timeline, 96000, &told));
    ck_assert(told.bpm == 60 && told.beat == 4 && told.bar == 1 && told.bar_beat == 0 && told.numerator == 6 &&
              told.denominator == 8);
    /* later than it began: 7 eighths after half of one is a bar and a half */
    ck_assert(engine_timeline_position(&timeline, 96010 + 48000 * 7 / 3, &told));
    ck_assert(told.bpm == 90 && told.bar == 2);
    ck_assert(told.bar_beat > 1.4999 && told.bar_beat < 1.5001);
    ck_assert(!engine_timeline_position(&timeline, 96010 + 48000 * 100, &told));
    engine_timeline_fini(&timeline);
}
END_TEST

START_TEST(without_a_tempo_nobody_is_told)
{
    begin_curves();
    struct engine_timeline timeline;
    struct engine_position told;
    ck_assert_int_eq(engine_timeline_init(&timeline, &graph, &insert, 0, INT64_MAX), LH_OK);
    ck_assert(!engine_timeline_position(&timeline, 0, &told));
    engine_timeline_fini(&timeline);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    static const struct graph_event events[] = {MESSAGE(0, 0xC0, 1, 0)};
    begin_curves();
    add_curve();
    add_point(0, 1);
    graph.events = events;
    graph.event_count = insert.event_count = 1;
    for (size_t n = 1; n <= 4; n++) {
        struct engine_timeline timeline;
        testing_fail_allocation(n);
        enum lh_status status = engine_timeline_init(&timeline, &graph, &insert, 10, INT64_MAX);
        bool failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert(failed == (n <= 3));
        engine_timeline_fini(&timeline);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/timeline");
    TCase *tests = tcase_create("timeline");
    tcase_add_test(tests, steps_cut_and_ramps_cut_at_multiples_of_64);
    tcase_add_test(tests, random_curves_are_cut_by_the_rule);
    tcase_add_test(tests, tempi_cut_where_they_begin);
    tcase_add_test(tests, a_curve_that_never_moves_is_no_motion);
    tcase_add_test(tests, events_come_with_their_chunk);
    tcase_add_test(tests, what_was_set_before_the_beginning_is_set_there);
    tcase_add_test(tests, a_program_keeps_the_bank_before_it);
    tcase_add_test(tests, a_registered_parameter_keeps_its_last_data);
    tcase_add_test(tests, registered_parameters_are_bounded);
    tcase_add_test(tests, what_sounds_at_the_end_is_released);
    tcase_add_test(tests, the_musical_time_is_told_when_it_changes);
    tcase_add_test(tests, without_a_tempo_nobody_is_told);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
