/* SPDX-License-Identifier: MIT */
/* Building and rendering them. */
#include "tests/engine/instance/plugged.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/engine/instance/fake_engine.h"
#include "tests/graph/fixture.h"
#include "tests/support/testing.h"

#define PLUGS_MAX 8

const struct graph *plugged_graph(const char *const *deeds, size_t count, const char *phase, const char *marker)
{
    struct graph_builder *builder;
    uint32_t nodes[PLUGS_MAX];
    uint32_t index;
    ck_assert_uint_le(count, PLUGS_MAX);
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    for (size_t i = 0; i < count; i++) {
        char uri[128];
        char label[64];
        snprintf(uri, sizeof uri, FAKE_URI "%s", deeds[i]);
        snprintf(label, sizeof label, "track %zu, node %zu", i + 1, i + 1);
        struct graph_plugin plugin = {.uri = uri, .bundle = "/nowhere/fake.lv2/", .version = "1"};
        struct graph_plugin_node node = {
            .channels = 1, .input = GRAPH_NONE, .sidechain = GRAPH_NONE, .preset = phase, .identity = label};
        ck_assert_int_eq(graph_builder_add_plugin(builder, &plugin, &node.plugin), LH_OK);
        ck_assert_int_eq(graph_builder_add_plugin_node(builder, &node, label, &nodes[i]), LH_OK);
    }
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 1, false, nodes, count, "master", &index), LH_OK);
    struct graph_deliverable mix = fixture_deliverable(index, "mix");
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    ck_assert_int_eq(graph_builder_add_marker(builder, 0, marker), LH_OK);
    const struct graph *graph = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(graph_builder_finish(builder, &graph, &error) == LH_OK, "%s %s", error.where, error.message);
    graph_builder_free(builder);
    return graph;
}

enum lh_status plugged_render(const struct engine_instance_options *options, const struct graph *graph,
                              uint32_t threads, struct lh_error *error)
{
    struct engine_instance_options ours = *options;
    ours.program = getenv("FAKE_SIGNAL");
    struct engine_instance *instance = NULL;
    *error = LH_ERROR_INIT;
    ck_assert_msg(engine_instance_spawn(&ours, &instance, error) == LH_OK, "%s", error->message);
    int scratch = memfd_create("scratch", MFD_CLOEXEC);
    int none = -1;
    struct engine_delivered delivered;
    struct engine_inserted inserted[PLUGS_MAX];
    struct engine_render_result result = {.delivered = &delivered, .inserted = inserted};
    struct engine_instance_render render = {
        .graph = graph, .output_fds = &none, .scratch_fd = scratch, .threads = threads};
    enum lh_status status = engine_instance_render(instance, &render, &result, error);
    close(scratch);
    engine_instance_free(instance);
    return status;
}

enum lh_status plugged_run(const char *deed, const char *phase, struct lh_error *error)
{
    const struct graph *graph = plugged_graph(&deed, 1, phase, "");
    struct engine_instance_options options = {.hang_ms = 300, .memory_bytes = UINT64_C(1) << 30};
    enum lh_status status = plugged_render(&options, graph, FAKE_PLUGINS, error);
    graph_unref(graph);
    return status;
}
