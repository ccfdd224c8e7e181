/* SPDX-License-Identifier: MIT */
/* Each line of the table in graph/fit.h, on a stream whose channels tell themselves apart. */
#include "engine/run/wires.h"

#include "graph/graph.h"

#include "tests/support/testing.h"

#define FRAMES 7

/* Channel c of every frame i is c + 1 + i / 8. */
static void stream(float *in, uint32_t channels)
{
    for (uint32_t i = 0; i < FRAMES; i++) {
        for (uint32_t c = 0; c < channels; c++) {
            in[i * channels + c] = (float)(c + 1) + (float)i / 8;
        }
    }
}

/* What a port hears, as the value at frame 0; the other frames move `slope` eighths at a time. */
static float heard(struct engine_wire wire, uint32_t channels, float *slope)
{
    float in[FRAMES * GRAPH_CHANNELS_MAX];
    float port[FRAMES + 1];
    port[FRAMES] = 99;
    stream(in, channels);
    engine_wire_fill(wire, in, FRAMES, channels, port);
    ck_assert(port[FRAMES] == 99);
    *slope = (port[1] - port[0]) * 8;
    for (uint32_t i = 1; i < FRAMES; i++) {
        ck_assert(port[i] == port[0] + (float)i * *slope / 8);
    }
    return port[0];
}

static struct graph_fit fit(uint32_t channels, uint32_t inputs, uint32_t outputs)
{
    struct graph_fit made;
    ck_assert(graph_fit_plugin(channels, inputs, outputs, &made));
    return made;
}

static void hears(const struct graph_fit *layout, uint32_t channels, uint32_t copy, uint32_t port, float value)
{
    float slope;
    float got = heard(engine_wire_input(layout, channels, copy, port), channels, &slope);
    ck_assert_msg(got == value, "%u channels, copy %u, port %u: %g", channels, copy, port, (double)got);
    ck_assert(slope == (value == 0 ? 0 : 1));
}

START_TEST(inputs_hear_what_the_rule_says)
{
    struct graph_fit straight = fit(2, 2, 2), pair = fit(3, 1, 1), mono = fit(1, 2, 2), mean = fit(4, 1, 4),
                     wide = fit(2, 4, 4), none = fit(2, 0, 2);
    hears(&straight, 2, 0, 0, 1);
    hears(&straight, 2, 0, 1, 2);
    hears(&pair, 3, 0, 0, 1);
    hears(&pair, 3, 2, 0, 3);
    hears(&mono, 1, 0, 0, 1);
    hears(&mono, 1, 0, 1, 1);
    hears(&mean, 4, 0, 0, 2.5f);
    hears(&wide, 2, 0, 1, 2);
    hears(&wide, 2, 0, 2, 0);
    hears(&none, 2, 0, 0, 0);
}
END_TEST

START_TEST(side_chains_hear_what_the_rule_says)
{
    static const struct {
        uint32_t channels, ports, port;
        float value, slope;
    } cases[] = {{1, 1, 0, 1, 1}, {2, 2, 1, 2, 1}, {2, 1, 0, 3, 2}, {4, 1, 0, 10, 4},
                 {1, 2, 1, 1, 1}, {4, 2, 1, 2, 1}, {2, 4, 1, 2, 1}, {2, 4, 3, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float slope;
        float got =
            heard(engine_wire_sidechain(cases[i].channels, cases[i].ports, cases[i].port), cases[i].channels, &slope);
        ck_assert_msg(got == cases[i].value && slope == cases[i].slope, "case %zu: %g", i, (double)got);
    }
}
END_TEST

START_TEST(no_stream_is_silence)
{
    float port[FRAMES] = {1, 1, 1, 1, 1, 1, 1};
    struct graph_fit straight = fit(2, 2, 2);
    engine_wire_fill(engine_wire_input(&straight, 2, 0, 0), NULL, FRAMES, 2, port);
    for (uint32_t i = 0; i < FRAMES; i++) {
        ck_assert(port[i] == 0);
    }
}
END_TEST

static void comes_from(const struct graph_fit *layout, uint32_t channel, uint32_t copy, uint32_t port)
{
    uint32_t got_copy;
    uint32_t got_port;
    engine_wire_output(layout, channel, &got_copy, &got_port);
    ck_assert(got_copy == copy && got_port == port);
}

START_TEST(channels_come_from_where_the_rule_says)
{
    struct graph_fit straight = fit(2, 2, 2), pair = fit(3, 1, 1), spread = fit(4, 4, 1), mean = fit(1, 2, 2),
                     wide = fit(2, 2, 6);
    comes_from(&straight, 1, 0, 1);
    comes_from(&pair, 2, 2, 0);
    comes_from(&spread, 3, 0, 0);
    comes_from(&mean, 0, 0, 0);
    comes_from(&wide, 1, 0, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/wires");
    TCase *tests = tcase_create("wires");
    tcase_add_test(tests, inputs_hear_what_the_rule_says);
    tcase_add_test(tests, side_chains_hear_what_the_rule_says);
    tcase_add_test(tests, no_stream_is_silence);
    tcase_add_test(tests, channels_come_from_where_the_rule_says);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
