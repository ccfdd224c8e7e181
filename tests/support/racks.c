/* SPDX-License-Identifier: MIT */
/* Hosts and PLUGIN nodes for the tests of the engine. */
#include "tests/support/racks.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/testing.h"

#define BUNDLES_MAX 16
#define PARAMETERS_MAX 16

struct engine_host *racks_host(const char *const *bundles)
{
    static char folders[BUNDLES_MAX][256];
    const char *list[BUNDLES_MAX] = {TEST_PLUGINS "/friendly.lv2/"};
    size_t count = 1;
    for (; bundles != NULL && bundles[count - 1] != NULL; count++) {
        ck_assert_uint_lt(count, BUNDLES_MAX);
        snprintf(folders[count], sizeof folders[count], "/usr/lib/lv2/%s.lv2/", bundles[count - 1]);
        list[count] = folders[count];
    }
    struct engine_host *host;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_host_new(list, count, NULL, &host, &error) == LH_OK, "%s", error.message);
    return host;
}

static uint32_t add_plugin(struct graph_builder *builder, const char *uri)
{
    struct graph_plugin plugin = {.uri = uri, .bundle = "", .version = ""};
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_plugin(builder, &plugin, &index), LH_OK);
    return index;
}

static uint32_t add_node(struct graph_builder *builder, const struct graph_plugin_node *description)
{
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_plugin_node(builder, description, "track t, node n", &node), LH_OK);
    return node;
}

uint32_t racks_node(struct graph_builder *builder, const char *uri, uint32_t channels, uint32_t input,
                    uint32_t sidechain, const struct racks_value *values)
{
    struct graph_parameter parameters[PARAMETERS_MAX];
    struct graph_plugin_node description = {.plugin = add_plugin(builder, uri),
                                            .channels = channels,
                                            .input = input,
                                            .sidechain = sidechain,
                                            .parameters = parameters};
    for (size_t i = 0; values != NULL && values[i].symbol != NULL; i++) {
        struct graph_point point = {.value = values[i].value};
        parameters[i].symbol = values[i].symbol;
        ck_assert_int_eq(graph_builder_add_curve(builder, &point, 1, &parameters[i].curve), LH_OK);
        description.parameter_count = i + 1;
    }
    return add_node(builder, &description);
}

uint32_t racks_moving(struct graph_builder *builder, const char *uri, uint32_t channels, uint32_t input,
                      const char *symbol, const struct graph_point *points, size_t count)
{
    struct graph_parameter parameter = {.symbol = symbol};
    struct graph_plugin_node description = {.plugin = add_plugin(builder, uri),
                                            .channels = channels,
                                            .input = input,
                                            .sidechain = GRAPH_NONE,
                                            .parameters = &parameter,
                                            .parameter_count = 1};
    ck_assert_int_eq(graph_builder_add_curve(builder, points, count, &parameter.curve), LH_OK);
    return add_node(builder, &description);
}

uint32_t racks_instrument(struct graph_builder *builder, const char *uri, uint32_t channels,
                          const struct graph_event *events, size_t count)
{
    struct graph_plugin_node description = {.plugin = add_plugin(builder, uri),
                                            .channels = channels,
                                            .input = GRAPH_NONE,
                                            .sidechain = GRAPH_NONE,
                                            .events = events,
                                            .event_count = count};
    return add_node(builder, &description);
}

enum lh_status racks_render(struct engine_host *host, const struct graph *graph, const int *media, uint32_t threads,
                            uint32_t block, int *outputs, struct engine_render_result *result, struct lh_error *error)
{
    struct engine_render_job job = {
        .graph = graph, .media_fds = media, .threads = threads, .block = block, .report = true, .host = host};
    return graphs_render_job(&job, outputs, result, error);
}
