/* SPDX-License-Identifier: MIT */
/* An instance with its buffers, whatever kind of plugin it is: what it is given, and whether what it gives back may be
   used. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/host/buffers.h"
#include "engine/host/call.h"
#include "engine/host/host_impl.h"
#include "engine/host/samples.h"

struct engine_plugin {
    const struct engine_provider *provider;
    struct engine_provider_instance *instance;
    const struct graph_plugin_facts *facts;
    struct engine_buffers buffers;
    void **ports;                      /* memory of each port of the facts; NULL where the provider has it */
    float **inputs, **keys, **outputs; /* audio, into `ports`' memory */
    uint32_t *output_ports;            /* indices of ports */
    uint32_t input_count, key_count, output_count;
    uint32_t quantum;
    uint32_t marked_from; /* outputs hold the mark from this frame on */
    uint32_t latency;
    bool activated;
    bool pins_random;
    struct engine_pinned pinned;
};

static struct engine_pinned *random_of(struct engine_plugin *plugin)
{
    return plugin->pins_random ? &plugin->pinned : NULL;
}

static bool is_input(const struct graph_port *port, bool sidechain)
{
    return port->kind == GRAPH_PORT_AUDIO && port->input && port->sidechain == sidechain;
}

/* Memory for the ports: buffers between guard pages, and one for all controls. */
static enum lh_status make_ports(struct engine_plugin *plugin, struct lh_error *error)
{
    const struct graph_plugin_facts *facts = plugin->facts;
    uint32_t count = facts->port_count;
    size_t *sizes = calloc((size_t)count + 1, sizeof *sizes);
    void **places = calloc((size_t)count + 1, sizeof *places);
    plugin->ports = calloc((size_t)count + 1, sizeof *plugin->ports);
    enum lh_status status =
        sizes != NULL && places != NULL && plugin->ports != NULL ? LH_OK : lh_error_no_memory(error);
    for (uint32_t i = 0; status == LH_OK && i < count; i++) {
        enum graph_port_kind kind = facts->ports[i].kind;
        bool samples = kind == GRAPH_PORT_AUDIO || kind == GRAPH_PORT_CV;
        sizes[i] = samples ? plugin->quantum * sizeof(float) : 0;
        sizes[count] += kind == GRAPH_PORT_CONTROL ? sizeof(float) : 0;
    }
    if (status == LH_OK) {
        status = engine_buffers_new(sizes, (size_t)count + 1, &plugin->buffers, places, error);
    }
    if (status == LH_OK) {
        float *control = places[count];
        for (uint32_t i = 0; i < count; i++) {
            plugin->ports[i] = facts->ports[i].kind == GRAPH_PORT_CONTROL ? control++ : places[i];
        }
    }
    free(sizes);
    free(places);
    return status;
}

/* Audio ports in their order, and CV inputs at their defaults. */
static enum lh_status sort_ports(struct engine_plugin *plugin, struct lh_error *error)
{
    const struct graph_plugin_facts *facts = plugin->facts;
    plugin->inputs = calloc((size_t)graph_plugin_audio_inputs(facts) + 1, sizeof *plugin->inputs);
    plugin->keys = calloc((size_t)graph_plugin_sidechain_inputs(facts) + 1, sizeof *plugin->keys);
    plugin->outputs = calloc((size_t)graph_plugin_audio_outputs(facts) + 1, sizeof *plugin->outputs);
    plugin->output_ports = calloc((size_t)graph_plugin_audio_outputs(facts) + 1, sizeof *plugin->output_ports);
    if (plugin->inputs == NULL || plugin->keys == NULL || plugin->outputs == NULL || plugin->output_ports == NULL) {
        return lh_error_no_memory(error);
    }
    for (uint32_t i = 0; i < facts->port_count; i++) {
        const struct graph_port *port = &facts->ports[i];
        if (is_input(port, false)) {
            plugin->inputs[plugin->input_count++] = plugin->ports[i];
        } else if (is_input(port, true)) {
            plugin->keys[plugin->key_count++] = plugin->ports[i];
        } else if (port->kind == GRAPH_PORT_AUDIO) {
            plugin->output_ports[plugin->output_count] = i;
            plugin->outputs[plugin->output_count++] = plugin->ports[i];
        } else if (port->kind == GRAPH_PORT_CV && port->input) {
            float *samples = plugin->ports[i];
            for (uint32_t k = 0; k < plugin->quantum; k++) {
                samples[k] = port->standard;
            }
        }
    }
    return LH_OK;
}

#define STACK_CLEANED 65536

/* Zeroes the stack that the next call will find: some plugins set themselves up from variables that they never wrote.
 */
static __attribute__((noinline)) void clean_stack(void)
{
    volatile unsigned char stack[STACK_CLEANED];
    for (size_t i = 0; i < sizeof stack; i++) {
        stack[i] = 0;
    }
}

static enum lh_status make_instance(struct engine_plugin *plugin, struct engine_host *host,
                                    const struct engine_plugin_config *config, struct engine_watch_slot *slot,
                                    uint32_t node, struct lh_error *error)
{
    struct engine_call call = engine_call_enter(slot, ENGINE_WATCH_LOAD, node, 0, random_of(plugin));
    clean_stack();
    enum lh_status status =
        plugin->provider->instantiate(host->world, config, plugin->facts, plugin->ports, &plugin->instance, error);
    engine_call_leave(&call);
    if (status == LH_OK) {
        call = engine_call_enter(slot, ENGINE_WATCH_RESTORE, node, 0, random_of(plugin));
        status = plugin->provider->restore(plugin->instance, config, error);
        engine_call_leave(&call);
    }
    return status;
}

enum lh_status engine_plugin_new(struct engine_host *host, const struct engine_plugin_config *config,
                                 struct engine_watch_slot *slot, uint32_t node, struct engine_plugin **plugin,
                                 struct lh_error *error)
{
    const struct graph_plugin_facts *facts;
    enum lh_status status = host->provider->facts(host->world, config->uri, &facts, error);
    if (status != LH_OK) {
        return status;
    }
    if (*facts->refused != '\0') {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, facts->uri, "%s", facts->refused);
    }
    struct engine_plugin *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->provider = host->provider;
    made->facts = facts;
    made->quantum = config->quantum;
    made->marked_from = config->quantum;
    made->pins_random = !config->unpinned_random;
    engine_pinned_init(&made->pinned);
    status = make_ports(made, error);
    if (status == LH_OK) {
        status = sort_ports(made, error);
    }
    if (status == LH_OK) {
        status = make_instance(made, host, config, slot, node, error);
    }
    if (status != LH_OK) {
        engine_plugin_free(made, slot, node);
        return status;
    }
    *plugin = made;
    return LH_OK;
}

void engine_plugin_free(struct engine_plugin *plugin, struct engine_watch_slot *slot, uint32_t node)
{
    if (plugin == NULL) {
        return;
    }
    if (plugin->instance != NULL) {
        struct engine_call call = engine_call_enter(slot, ENGINE_WATCH_FREE, node, 0, random_of(plugin));
        plugin->provider->free(plugin->instance);
        engine_call_leave(&call);
    }
    engine_buffers_free(&plugin->buffers);
    free(plugin->ports);
    free(plugin->inputs);
    free(plugin->keys);
    free(plugin->outputs);
    free(plugin->output_ports);
    free(plugin);
}

uint32_t engine_plugin_audio_inputs(const struct engine_plugin *plugin)
{
    return plugin->input_count;
}

uint32_t engine_plugin_audio_outputs(const struct engine_plugin *plugin)
{
    return plugin->output_count;
}

uint32_t engine_plugin_sidechain_inputs(const struct engine_plugin *plugin)
{
    return plugin->key_count;
}

float *engine_plugin_audio_input(const struct engine_plugin *plugin, uint32_t index)
{
    return plugin->inputs[index];
}

const float *engine_plugin_audio_output(const struct engine_plugin *plugin, uint32_t index)
{
    return plugin->outputs[index];
}

float *engine_plugin_sidechain_input(const struct engine_plugin *plugin, uint32_t index)
{
    return plugin->keys[index];
}

bool engine_plugin_takes_notes(const struct engine_plugin *plugin)
{
    return graph_plugin_takes_notes(plugin->facts);
}

uint32_t engine_plugin_parameter(const struct engine_plugin *plugin, const char *symbol)
{
    const struct graph_port *port = graph_plugin_parameter(plugin->facts, symbol);
    return port != NULL ? (uint32_t)(port - plugin->facts->ports) : GRAPH_NONE;
}

void engine_plugin_set(struct engine_plugin *plugin, uint32_t parameter, float value)
{
    if (plugin->facts->ports[parameter].kind == GRAPH_PORT_PROPERTY) {
        plugin->provider->set_property(plugin->instance, parameter, value);
    } else {
        *(float *)plugin->ports[parameter] = value;
        plugin->provider->choose(plugin->instance, parameter);
    }
}

float engine_plugin_get(const struct engine_plugin *plugin, uint32_t parameter)
{
    if (plugin->facts->ports[parameter].kind == GRAPH_PORT_PROPERTY) {
        return plugin->provider->get_property(plugin->instance, parameter);
    }
    return *(const float *)plugin->ports[parameter];
}

/* The outputs' unused rest holds a mark that no plugin writes by chance. What comes back into use is silent first, or a
   plugin that leaves an output alone would give the mark. */
static void mark_rest(struct engine_plugin *plugin, uint32_t frames)
{
    if (frames == plugin->marked_from) {
        return;
    }
    for (uint32_t i = 0; i < plugin->output_count; i++) {
        float *output = plugin->outputs[i];
        if (frames < plugin->marked_from) {
            engine_samples_mark(output + frames, plugin->marked_from - frames);
        } else {
            memset(output + plugin->marked_from, 0, (frames - plugin->marked_from) * sizeof *output);
        }
    }
    plugin->marked_from = frames;
}

static enum lh_status judge_outputs(const struct engine_plugin *plugin, const struct engine_plugin_chunk *chunk,
                                    int64_t *fault_frame, struct lh_error *error)
{
    size_t first = chunk->frames;
    uint32_t culprit = GRAPH_NONE;
    for (uint32_t i = 0; i < plugin->output_count; i++) {
        if (!engine_samples_finite(plugin->outputs[i], chunk->frames)) {
            size_t at = engine_samples_first_not_finite(plugin->outputs[i], chunk->frames);
            culprit = culprit == GRAPH_NONE || at < first ? i : culprit;
            first = at < first ? at : first;
        }
    }
    if (culprit != GRAPH_NONE) {
        *fault_frame = chunk->frame + (int64_t)first;
        return lh_error_set(error, LH_ERR_FAULT, plugin->facts->uri, "gives %s, output %s",
                            isnan(plugin->outputs[culprit][first]) ? "NaN" : "infinity",
                            plugin->facts->ports[plugin->output_ports[culprit]].symbol);
    }
    for (uint32_t i = 0; i < plugin->output_count; i++) {
        size_t rest = plugin->quantum - chunk->frames;
        size_t at = engine_samples_first_unmarked(plugin->outputs[i] + chunk->frames, rest);
        if (at < rest) {
            *fault_frame = chunk->frame + chunk->frames + (int64_t)at;
            return lh_error_set(error, LH_ERR_FAULT, plugin->facts->uri,
                                "writes behind the %u frames that it was asked for, output %s", chunk->frames,
                                plugin->facts->ports[plugin->output_ports[i]].symbol);
        }
    }
    return LH_OK;
}

static uint32_t frames_of(float latency)
{
    return !(latency > 0.0f) ? 0 : latency > (float)ENGINE_LATENCY_MAX ? ENGINE_LATENCY_MAX : (uint32_t)lrintf(latency);
}

enum lh_status engine_plugin_run(struct engine_plugin *plugin, const struct engine_plugin_chunk *chunk,
                                 struct engine_watch_slot *slot, uint32_t node, int64_t *fault_frame,
                                 struct lh_error *error)
{
    enum lh_status status = LH_OK;
    if (!plugin->activated) {
        struct engine_call call = engine_call_enter(slot, ENGINE_WATCH_ACTIVATE, node, chunk->frame, random_of(plugin));
        status = plugin->provider->activate(plugin->instance, error);
        engine_call_leave(&call);
        plugin->activated = status == LH_OK;
    }
    if (status == LH_OK) {
        mark_rest(plugin, chunk->frames);
        struct engine_call call = engine_call_enter(slot, ENGINE_WATCH_RUN, node, chunk->frame, random_of(plugin));
        status = plugin->provider->run(plugin->instance, chunk, error);
        engine_call_leave(&call);
    }
    if (status != LH_OK) {
        *fault_frame = chunk->frame;
        return status;
    }
    plugin->latency = frames_of(plugin->provider->latency(plugin->instance));
    return judge_outputs(plugin, chunk, fault_frame, error);
}

uint32_t engine_plugin_latency(const struct engine_plugin *plugin)
{
    return plugin->latency;
}

enum lh_status engine_plugin_measure_latency(struct engine_host *host, const struct engine_plugin_config *config,
                                             const char *const *symbols, const float *values, size_t count,
                                             struct engine_watch_slot *slot, uint32_t node, uint32_t *latency,
                                             struct lh_error *error)
{
    const struct graph_plugin_facts *facts;
    enum lh_status status = host->provider->facts(host->world, config->uri, &facts, error);
    if (status == LH_OK && !facts->reports_latency) {
        *latency = 0; /* no instance could say otherwise, and making one may be expensive */
        return LH_OK;
    }
    struct engine_plugin *plugin;
    if (status == LH_OK) {
        status = engine_plugin_new(host, config, slot, node, &plugin, error);
    }
    if (status != LH_OK) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t parameter = engine_plugin_parameter(plugin, symbols[i]);
        if (parameter != GRAPH_NONE) {
            engine_plugin_set(plugin, parameter, values[i]);
        }
    }
    const struct engine_plugin_chunk silence = {.frames = config->quantum};
    int64_t fault_frame;
    status = engine_plugin_run(plugin, &silence, slot, node, &fault_frame, error);
    uint32_t measured = plugin->latency;
    engine_plugin_free(plugin, slot, node);
    if (status == LH_OK) {
        *latency = measured;
    }
    return status;
}
