/* SPDX-License-Identifier: MIT */
/* graph/insert.c and the PLUGIN rules of graph/check.c: every rule, broken one at a time. */
#include "graph/insert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/graph/band.h"
#include "tests/support/testing.h"

/* A band's graph with tables that can be written to. */
struct bent {
    struct graph graph;
    const struct graph *band; /* owns the texts */
    struct graph_plugin *plugins;
    struct graph_parameter *parameters;
    struct graph_event *events;
    struct graph_insert *inserts;
    struct graph_tempo *tempo;
    struct graph_node *nodes;
};

static void *copy(const void *table, size_t count, size_t size)
{
    void *made = calloc(count + 1, size);
    ck_assert_ptr_nonnull(made);
    memcpy(made, table, count * size);
    return made;
}

static struct graph_node *node_of(struct bent *bent, const char *uri)
{
    for (uint32_t i = 0; i < bent->graph.node_count; i++) {
        struct graph_node *node = &bent->nodes[i];
        if (node->kind == GRAPH_NODE_PLUGIN &&
            strcmp(bent->plugins[bent->inserts[node->insert].plugin].uri, uri) == 0) {
            return node;
        }
    }
    ck_abort_msg("no node of %s", uri);
    return NULL;
}

static void plugin_without_uri(struct bent *b)
{
    b->plugins[0].uri = "";
}

static void plugin_uri_not_utf8(struct bent *b)
{
    b->plugins[1].uri = "lv2:\xFF";
}

static void insert_without_plugin(struct bent *b)
{
    b->inserts[1].plugin = 3;
}

static void insert_parameters_elsewhere(struct bent *b)
{
    b->inserts[0].parameter_first = 1;
}

static void insert_too_many_parameters(struct bent *b)
{
    b->inserts[2].parameter_count = 9;
}

static void insert_too_many_events(struct bent *b)
{
    b->inserts[2].event_count = UINT32_MAX;
}

static void parameters_out_of_order(struct bent *b)
{
    b->parameters[0].symbol = "z";
}

static void parameters_twice(struct bent *b)
{
    b->parameters[1].symbol = b->parameters[0].symbol;
}

static void parameter_without_curve(struct bent *b)
{
    b->parameters[1].curve = 99;
}

static void event_before_time(struct bent *b)
{
    b->events[0].frame = -1;
}

static void events_out_of_order(struct bent *b)
{
    b->events[1].frame = 1;
}

static void event_without_size(struct bent *b)
{
    b->events[0].size = 0;
}

static void event_too_large(struct bent *b)
{
    b->events[0].size = 4;
}

static void event_without_status(struct bent *b)
{
    b->events[0].bytes[0] = 0x7F;
}

static void event_of_the_system(struct bent *b)
{
    b->events[0].bytes[0] = 0xF0;
}

static void event_with_wrong_data(struct bent *b)
{
    b->events[0].bytes[1] = 0x80;
}

static void event_with_more_than_its_size(struct bent *b)
{
    b->events[2].bytes[2] = 1;
}

static void tempo_late(struct bent *b)
{
    b->tempo[0].frame = 1;
}

static void tempo_twice(struct bent *b)
{
    b->tempo[1].frame = 0;
}

static void tempo_stands_still(struct bent *b)
{
    b->tempo[1].bpm = 0;
}

static void tempo_is_nan(struct bent *b)
{
    b->tempo[1].bpm = NAN;
}

static void tempo_odd_signature(struct bent *b)
{
    b->tempo[1].denominator = 3;
}

static void tempo_past_the_bar(struct bent *b)
{
    b->tempo[1].bar_beat = 3.5;
}

static void node_with_foreign_insert(struct bent *b)
{
    b->nodes[b->graph.node_count - 1].insert = 1;
}

static void node_without_insert(struct bent *b)
{
    node_of(b, "lv2:urn:comp")->insert = 7;
}

static void node_with_other_inputs(struct bent *b)
{
    b->inserts[node_of(b, "lv2:urn:comp")->insert].has_sidechain = false;
}

static void node_with_polarity(struct bent *b)
{
    node_of(b, "lv2:urn:comp")->invert = true;
}

static void node_with_other_layout(struct bent *b)
{
    node_of(b, "lv2:urn:fuzz")->channels = 1;
}

static void insert_of_nobody(struct bent *b)
{
    b->graph.insert_count--;
}

static const struct {
    void (*bend)(struct bent *bent);
    const char *where;
} rules[] = {
    {plugin_without_uri, "plugins["},
    {plugin_uri_not_utf8, "plugins[1"},
    {insert_without_plugin, "inserts[1"},
    {insert_parameters_elsewhere, "inserts[0"},
    {insert_too_many_parameters, "inserts["},
    {insert_too_many_events, "inserts["},
    {parameters_out_of_order, "parameters["},
    {parameters_twice, "parameters["},
    {parameter_without_curve, "parameters["},
    {event_before_time, "events[0"},
    {events_out_of_order, "events[1"},
    {event_without_size, "events[0"},
    {event_too_large, "events[0"},
    {event_without_status, "events[0"},
    {event_of_the_system, "events[0"},
    {event_with_wrong_data, "events[0"},
    {event_with_more_than_its_size, "events[2"},
    {tempo_late, "tempo[0"},
    {tempo_twice, "tempo[1"},
    {tempo_stands_still, "tempo[1"},
    {tempo_is_nan, "tempo[1"},
    {tempo_odd_signature, "tempo[1"},
    {tempo_past_the_bar, "tempo[1"},
    {node_with_foreign_insert, "nodes["},
    {node_without_insert, "nodes["},
    {node_with_other_inputs, "nodes["},
    {node_with_polarity, "nodes["},
    {node_with_other_layout, "nodes["},
    {insert_of_nobody, ""},
};

static void bent_init(struct bent *bent)
{
    bent->band = band_new(&(struct band){.state = "state"});
    bent->graph = *bent->band;
    const struct graph *g = bent->band;
    bent->graph.plugins = bent->plugins = copy(g->plugins, g->plugin_count, sizeof *g->plugins);
    bent->graph.parameters = bent->parameters = copy(g->parameters, g->parameter_count, sizeof *g->parameters);
    bent->graph.events = bent->events = copy(g->events, g->event_count, sizeof *g->events);
    bent->graph.inserts = bent->inserts = copy(g->inserts, g->insert_count, sizeof *g->inserts);
    bent->graph.tempo = bent->tempo = copy(g->tempo, g->tempo_count, sizeof *g->tempo);
    bent->graph.nodes = bent->nodes = copy(g->nodes, g->node_count, sizeof *g->nodes);
}

static void bent_fini(struct bent *bent)
{
    free(bent->plugins);
    free(bent->parameters);
    free(bent->events);
    free(bent->inserts);
    free(bent->tempo);
    free(bent->nodes);
    graph_unref(bent->band);
}

START_TEST(broken_rules_are_named)
{
    struct bent bent;
    bent_init(&bent);
    ck_assert_int_eq(graph_check(&bent.graph, NULL), LH_OK);
    rules[_i].bend(&bent);
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graph_check(&bent.graph, &error), LH_ERR_FORMAT);
    ck_assert_msg(strncmp(error.where, rules[_i].where, strlen(rules[_i].where)) == 0, "%s: %s", error.where,
                  error.message);
    bent_fini(&bent);
}
END_TEST

START_TEST(a_state_may_be_long_but_not_too_long)
{
    struct bent bent;
    bent_init(&bent);
    char *text = malloc((size_t)GRAPH_STATE_MAX + 2);
    ck_assert_ptr_nonnull(text);
    memset(text, ' ', (size_t)GRAPH_STATE_MAX + 1);
    text[GRAPH_STATE_MAX] = '\0';
    bent.inserts[0].state = text;
    ck_assert_int_eq(graph_check(&bent.graph, NULL), LH_OK);
    text[GRAPH_STATE_MAX] = ' ';
    text[GRAPH_STATE_MAX + 1] = '\0';
    ck_assert_int_eq(graph_check(&bent.graph, NULL), LH_ERR_FORMAT);
    free(text);
    bent_fini(&bent);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("insert");
    TCase *test = tcase_create("rules");
    tcase_add_loop_test(test, broken_rules_are_named, 0, sizeof rules / sizeof *rules);
    tcase_add_test(test, a_state_may_be_long_but_not_too_long);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
