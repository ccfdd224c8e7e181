/* SPDX-License-Identifier: MIT */
/* graph/check.c: the rules of stored frames and of the nodes that play them, broken one at a time. */
#include "tests/graph/piece.h"
#include "tests/graph/spoil.h"
#include "tests/support/testing.h"

/* The first node of a kind. */
static struct graph_node *first_of(struct spoilt *s, enum graph_node_kind kind)
{
    struct graph_node *node = s->nodes;
    while (node->kind != kind) {
        node++;
    }
    return node;
}

static void stored_no_channels(struct spoilt *s)
{
    s->stored[2].channels = 0;
}

static void stored_many_channels(struct spoilt *s)
{
    s->stored[2].channels = 17;
}

static void stored_before_time(struct spoilt *s)
{
    s->stored[0].begin = -1;
}

static void stored_less_than_nothing(struct spoilt *s)
{
    s->stored[0].frames = -1;
}

static void stored_past_time(struct spoilt *s)
{
    s->stored[0].begin = s->stored[0].frames = GRAPH_FRAMES_MAX / 2;
}

static void stored_of_another_layout(struct spoilt *s)
{
    s->stored[0].channels = 1;
}

static void stored_missing(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_STORED)->first = s->graph.stored_count;
}

static void stored_played_twice(struct spoilt *s)
{
    struct graph_node *node = first_of(s, GRAPH_NODE_STORED);
    node->first = node[1].kind == GRAPH_NODE_STORED ? node[1].first : node[-1].first;
}

static void stored_played_in_part(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_STORED)->count = 0;
}

static void stored_inverted(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_STORED)->invert = true;
}

static void stored_with_an_insert(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_STORED)->insert = 1;
}

static void stored_with_curves(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_STORED)->curves = 1;
}

static void gain_of_a_stored_sum(struct spoilt *s)
{
    s->stored[PIECE_TRACK].sum = true;
}

static void node_of_an_unknown_kind(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_STORED)->kind = (enum graph_node_kind)(GRAPH_NODE_STORED + 1);
}

static const struct spoiler spoilers[] = {
    {"stored frames without channels", stored_no_channels, "stored[2]"},
    {"stored frames of 17 channels", stored_many_channels, "stored[2]"},
    {"stored frames before time", stored_before_time, "stored[0]"},
    {"fewer stored frames than none", stored_less_than_nothing, "stored[0]"},
    {"stored frames past the end of time", stored_past_time, "stored[0]"},
    {"stored frames of another layout", stored_of_another_layout, "nodes["},
    {"stored frames that do not exist", stored_missing, "nodes["},
    {"stored frames of two nodes", stored_played_twice, "nodes["},
    {"a node of no stored frames", stored_played_in_part, "nodes["},
    {"stored frames with their polarity changed", stored_inverted, "nodes["},
    {"a stored node with an insert", stored_with_an_insert, "nodes["},
    {"a stored node with curves", stored_with_curves, "nodes["},
    {"a gain of a stored sum", gain_of_a_stored_sum, "nodes["},
    {"a node of an unknown kind", node_of_an_unknown_kind, "nodes["},
};

START_TEST(broken_rule_is_refused)
{
    spoiler_run_piece(&spoilers[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/check_stored");
    TCase *test = tcase_create("rules");
    tcase_add_loop_test(test, broken_rule_is_refused, 0, (int)(sizeof spoilers / sizeof *spoilers));
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
