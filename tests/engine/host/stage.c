/* SPDX-License-Identifier: MIT */
/* Hosts for tests. */
#include "tests/engine/host/stage.h"

#include <string.h>

struct engine_host *stage_host(const char *bundle)
{
    struct engine_host *host;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_host_new(&bundle, 1, NULL, &host, &error) == LH_OK, "%s", error.message);
    return host;
}

struct engine_plugin_config stage_config(const char *uri)
{
    return (struct engine_plugin_config){
        .uri = uri, .sample_rate = STAGE_RATE, .quantum = STAGE_QUANTUM, .preset = "", .state = "", .folder = ""};
}

struct engine_plugin *stage_plugin(struct engine_host *host, const char *uri)
{
    struct engine_plugin_config config = stage_config(uri);
    struct engine_plugin *plugin;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_plugin_new(host, &config, NULL, 0, &plugin, &error) == LH_OK, "%s: %s", uri, error.message);
    return plugin;
}

void stage_set(struct engine_plugin *plugin, const char *symbol, float value)
{
    uint32_t parameter = engine_plugin_parameter(plugin, symbol);
    ck_assert_msg(parameter != GRAPH_NONE, "no parameter %s", symbol);
    engine_plugin_set(plugin, parameter, value);
}

void stage_run_chunk(struct engine_plugin *plugin, const struct engine_plugin_chunk *chunk)
{
    int64_t fault_frame = -1;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = engine_plugin_run(plugin, chunk, NULL, 0, &fault_frame, &error);
    ck_assert_msg(status == LH_OK, "%s, frame %lld", error.message, (long long)fault_frame);
}

void stage_run(struct engine_plugin *plugin, int64_t frame, uint32_t frames, const float *input)
{
    for (uint32_t i = 0; input != NULL && i < engine_plugin_audio_inputs(plugin); i++) {
        memcpy(engine_plugin_audio_input(plugin, i), input, frames * sizeof *input);
    }
    const struct engine_plugin_chunk chunk = {.frame = frame, .frames = frames};
    stage_run_chunk(plugin, &chunk);
}

struct graph_plugin_facts stage_facts(struct engine_host *host, const char *uri, struct lh_arena *arena)
{
    struct graph_plugin_facts facts;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_host_describe(host, uri, arena, &facts, &error) == LH_OK, "%s: %s", uri, error.message);
    return facts;
}
