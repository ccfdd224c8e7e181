/* SPDX-License-Identifier: MIT */
/* Known latencies, and the keys that they are known by. */
#include "pulse-daemon/shard/latency.h"

#include <stdlib.h>

#include "common/base/bytes.h"
#include "pulse-daemon/shard/keyed.h"

struct pulse_latencies {
    struct pulse_keyed frames, none;
};

enum lh_status pulse_latencies_new(struct pulse_latencies **latencies)
{
    struct pulse_latencies *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    *latencies = made;
    return LH_OK;
}

void pulse_latencies_free(struct pulse_latencies *latencies)
{
    if (latencies != NULL) {
        pulse_keyed_fini(&latencies->frames);
        pulse_keyed_fini(&latencies->none);
        free(latencies);
    }
}

enum lh_status pulse_latencies_add(struct pulse_latencies *latencies, const struct lh_digest *key, uint32_t frames)
{
    return pulse_keyed_add(&latencies->frames, key, frames);
}

enum lh_status pulse_latencies_add_none(struct pulse_latencies *latencies, const struct lh_digest *plugin)
{
    return pulse_keyed_add(&latencies->none, plugin, 0);
}

bool pulse_latencies_has_none(const struct pulse_latencies *latencies, const struct lh_digest *plugin)
{
    return pulse_keyed_find(&latencies->none, plugin) != NULL;
}

uint32_t pulse_latencies_find(const struct pulse_latencies *latencies, const struct lh_digest *key)
{
    const uint32_t *frames = pulse_keyed_find(&latencies->frames, key);
    return frames != NULL ? *frames : GRAPH_NONE;
}

static void write_plugin(struct lh_writer *writer, const struct graph *graph, const struct graph_node *node,
                         const struct graph_key_context *context)
{
    const struct graph_insert *insert = &graph->inserts[node->insert];
    const struct graph_plugin *plugin = &graph->plugins[insert->plugin];
    lh_writer_text(writer, plugin->uri);
    lh_writer_text(writer, plugin->version);
    lh_writer_bytes(writer, plugin->digest.bytes, sizeof plugin->digest.bytes);
    lh_writer_u32(writer, node->channels);
    lh_writer_u8(writer, insert->has_input ? 1 : 0);
    lh_writer_u8(writer, insert->has_sidechain ? 1 : 0);
    if (insert->has_sidechain) {
        lh_writer_u32(writer, graph->nodes[graph->inputs[node->first + node->count - 1]].channels);
    }
    lh_writer_text(writer, insert->preset);
    lh_writer_text(writer, insert->state);
    lh_writer_text(writer, insert->identity);
    if (insert->identity[0] != '\0') {
        lh_writer_text(writer, context->job != NULL ? context->job : "");
    }
}

enum lh_status pulse_latency_key(const struct graph *graph, uint32_t node, int64_t begin,
                                 const struct graph_key_context *context, struct lh_digest *key)
{
    const struct graph_insert *insert = &graph->inserts[graph->nodes[node].insert];
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_text(&writer, "loophole latency");
    lh_writer_u32(&writer, GRAPH_KEY_VERSION);
    lh_writer_u32(&writer, context->sound_version);
    lh_writer_text(&writer, context->libraries);
    lh_writer_text(&writer, context->cpu_class);
    lh_writer_u32(&writer, graph->sample_rate);
    lh_writer_u32(&writer, graph->quantum);
    write_plugin(&writer, graph, &graph->nodes[node], context);
    lh_writer_u32(&writer, insert->parameter_count);
    for (uint32_t i = 0; i < insert->parameter_count; i++) {
        const struct graph_parameter *parameter = &graph->parameters[insert->parameter_first + i];
        lh_writer_text(&writer, parameter->symbol);
        lh_writer_f32(&writer, graph_curve_at(graph, parameter->curve, begin));
    }
    enum lh_status status = lh_writer_status(&writer);
    status = status == LH_OK ? lh_digest_bytes(writer.data, writer.size, key) : status;
    lh_writer_fini(&writer);
    return status;
}
