/* SPDX-License-Identifier: MIT */
/* The LV2 provider's instances: made, connected once, run. */
#include "engine/host/lv2_instance.h"

#include <dlfcn.h>
#include <lv2/core/lv2.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS_MOST 65536u
#define IDLE_RUNS 4      /* one that asks for nothing may still take a step that leads to a job */
#define SETTLING_RUNS 64 /* of no frames, until a worker has nothing more to do */

static void free_instance(struct engine_provider_instance *instance)
{
    if (instance->lilv != NULL) {
        if (instance->activated) {
            lilv_instance_deactivate(instance->lilv);
        }
        lilv_instance_free(instance->lilv);
    }
    if (instance->library != NULL) {
        dlclose(instance->library);
    }
    engine_lv2_events_fini(&instance->events);
    engine_lv2_worker_fini(&instance->worker);
    free(instance->properties);
    free(instance->chosen);
    free(instance);
}

/* What the binary says of the plugin that its data promise; lilv would only tell to the standard error that it is not
   there. *asked: the binary can be asked in this way. */
static const LV2_Descriptor *find_descriptor(void *library, const char *uri, bool *asked)
{
    union {
        void *address;
        LV2_Descriptor_Function function;
    } entry = {.address = dlsym(library, "lv2_descriptor")};
    *asked = entry.address != NULL;
    for (uint32_t i = 0; *asked && i < DESCRIPTORS_MOST; i++) {
        const LV2_Descriptor *descriptor = entry.function(i);
        if (descriptor == NULL || strcmp(descriptor->URI, uri) == 0) {
            return descriptor;
        }
    }
    return NULL;
}

static enum lh_status judge_binary(struct engine_provider_instance *instance, struct lh_error *error)
{
    const char *where = instance->facts->facts.uri;
    bool asked;
    const LV2_Descriptor *descriptor =
        find_descriptor(instance->library, lilv_node_as_uri(lilv_plugin_get_uri(instance->facts->plugin)), &asked);
    if (!asked && dlsym(instance->library, "lv2_lib_descriptor") != NULL) {
        return LH_OK; /* lilv asks that one, with what it needs */
    }
    if (descriptor == NULL) {
        return lh_error_set(error, LH_ERR_FAULT, where, "its binary does not hold it");
    }
    bool complete = descriptor->instantiate != NULL && descriptor->connect_port != NULL && descriptor->run != NULL &&
                    descriptor->cleanup != NULL;
    return complete ? LH_OK : lh_error_set(error, LH_ERR_FAULT, where, "its binary lacks functions that it must have");
}

/* The binary stays loaded when its last instance ends: unloading is where toolkits and threads of plugins crash. */
static enum lh_status load(struct engine_provider_instance *instance, uint32_t sample_rate, struct lh_error *error)
{
    const struct graph_plugin_facts *facts = &instance->facts->facts;
    instance->library = dlopen(facts->binary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (instance->library == NULL) {
        const char *why = dlerror();
        return lh_error_set(error, LH_ERR_FAULT, facts->uri, "its binary cannot be loaded: %s",
                            why != NULL ? why : "it is not known why");
    }
    enum lh_status status = judge_binary(instance, error);
    if (status != LH_OK) {
        return status;
    }
    instance->lilv = lilv_plugin_instantiate(instance->facts->plugin, (double)sample_rate, instance->features.instance);
    if (instance->lilv == NULL) {
        const char *complaint = instance->features.complaint;
        return lh_error_set(error, LH_ERR_FAULT, facts->uri, "gave no instance%s%s",
                            *complaint != '\0' ? "; it logged: " : "", complaint);
    }
    instance->state = lilv_instance_get_extension_data(instance->lilv, LV2_STATE__interface);
    instance->worker.handle = lilv_instance_get_handle(instance->lilv);
    if (facts->has_worker) {
        instance->worker.interface = lilv_instance_get_extension_data(instance->lilv, LV2_WORKER__interface);
    }
    return LH_OK;
}

static void connect_ports(struct engine_provider_instance *instance)
{
    const struct graph_plugin_facts *facts = &instance->facts->facts;
    for (uint32_t i = 0; i < facts->port_count; i++) {
        if (facts->ports[i].kind != GRAPH_PORT_PROPERTY) {
            void *events = instance->events.sequences[i];
            lilv_instance_connect_port(instance->lilv, i, events != NULL ? events : instance->ports[i]);
        }
    }
}

/* Controls at their defaults, and what only the host can know. */
static void set_controls(struct engine_provider_instance *instance, uint32_t sample_rate, bool defaults)
{
    const struct engine_lv2_facts *facts = instance->facts;
    for (uint32_t i = 0; i < facts->facts.port_count; i++) {
        const struct graph_port *port = &facts->facts.ports[i];
        float minimum;
        float maximum;
        float standard;
        graph_port_range(port, sample_rate, &minimum, &maximum, &standard);
        if (port->kind == GRAPH_PORT_PROPERTY) {
            instance->properties[i].value = defaults ? standard : instance->properties[i].value;
        } else if (port->kind == GRAPH_PORT_CONTROL && port->input) {
            float *value = instance->ports[i];
            *value = facts->ports[i].drive == ENGINE_LV2_DRIVE_ONE ? 1.0f : defaults ? standard : *value;
        }
    }
}

static enum lh_status instantiate(struct engine_provider_world *world, const struct engine_plugin_config *config,
                                  const struct graph_plugin_facts *plain, void *const *ports,
                                  struct engine_provider_instance **instance, struct lh_error *error)
{
    const struct engine_lv2_facts *facts = (const struct engine_lv2_facts *)(const void *)plain;
    struct engine_provider_instance *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->world = world;
    made->facts = facts;
    made->ports = ports;
    made->sample_rate = config->sample_rate;
    made->properties = calloc((size_t)plain->port_count + 1, sizeof *made->properties);
    made->chosen = calloc((size_t)plain->port_count + 1, sizeof *made->chosen);
    bool kept = made->properties != NULL && made->chosen != NULL;
    enum lh_status status = kept ? LH_OK : lh_error_no_memory(error);
    if (status == LH_OK) {
        status = engine_lv2_worker_init(&made->worker, plain->has_worker, error);
    }
    const struct engine_lv2_vocabulary *words = engine_lv2_urids_vocabulary(world->urids);
    if (status == LH_OK) {
        status = engine_lv2_events_init(&made->events, facts, words, config->sample_rate, error);
    }
    if (status == LH_OK) {
        engine_lv2_features_init(&made->features, world->urids, config, plain->has_worker ? &made->worker : NULL,
                                 facts->live);
        engine_lv2_events_reset(&made->events);
        set_controls(made, config->sample_rate, true);
        status = load(made, config->sample_rate, error);
    }
    if (status == LH_OK) {
        connect_ports(made);
        status = engine_lv2_state_default(made, error);
    }
    if (status != LH_OK) {
        free_instance(made);
        return status;
    }
    *instance = made;
    return LH_OK;
}

static enum lh_status restore(struct engine_provider_instance *instance, const struct engine_plugin_config *config,
                              struct lh_error *error)
{
    enum lh_status status = engine_lv2_state_restore(instance, config, error);
    if (status == LH_OK) {
        set_controls(instance, config->sample_rate, false);
    }
    return status;
}

static enum lh_status full(const struct engine_provider_instance *instance, uint32_t port, struct lh_error *error)
{
    const struct graph_plugin_facts *facts = &instance->facts->facts;
    return lh_error_set(error, LH_ERR_LIMIT, facts->uri, "more events at once than its port %s holds (%u bytes)",
                        facts->ports[port].symbol, instance->facts->ports[port].capacity);
}

static enum lh_status send_properties(struct engine_provider_instance *instance, struct lh_error *error)
{
    const struct graph_plugin_facts *facts = &instance->facts->facts;
    for (uint32_t i = facts->port_count; i-- > 0 && facts->ports[i].kind == GRAPH_PORT_PROPERTY;) {
        struct engine_lv2_property *property = &instance->properties[i];
        if (property->waiting) {
            if (!engine_lv2_events_patch(&instance->events, i, property->value)) {
                return full(instance, instance->facts->message_port, error);
            }
            property->waiting = false;
            property->known = true;
        }
    }
    return LH_OK;
}

static void tell_tempo(struct engine_provider_instance *instance, const struct engine_position *position)
{
    const struct engine_lv2_facts *facts = instance->facts;
    for (uint32_t i = 0; i < facts->facts.port_count; i++) {
        if (facts->ports[i].drive == ENGINE_LV2_DRIVE_TEMPO && !instance->chosen[i]) {
            float minimum;
            float maximum;
            float standard;
            graph_port_range(&facts->facts.ports[i], instance->sample_rate, &minimum, &maximum, &standard);
            float beats = (float)(position->bpm * (double)position->denominator / 4.0);
            *(float *)instance->ports[i] = fminf(fmaxf(beats, minimum), maximum);
        }
    }
}

static enum lh_status run(struct engine_provider_instance *instance, const struct engine_plugin_chunk *chunk,
                          struct lh_error *error)
{
    struct engine_lv2_events *events = &instance->events;
    engine_lv2_events_reset(events);
    if (chunk->position != NULL) {
        tell_tempo(instance, chunk->position);
        if (!engine_lv2_events_position(events, chunk->frame, chunk->position)) {
            return full(instance, instance->facts->position_port, error);
        }
    }
    /* A run of no frames may be returned from at once: what it was told would be lost. */
    enum lh_status status = chunk->frames > 0 ? send_properties(instance, error) : LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < chunk->event_count; i++) {
        if (!engine_lv2_events_note(events, chunk->events[i].frame - chunk->frame, &chunk->events[i])) {
            status = full(instance, instance->facts->note_port, error);
        }
    }
    if (status == LH_OK) {
        lilv_instance_run(instance->lilv, chunk->frames);
        engine_lv2_worker_deliver(&instance->worker);
    }
    return status;
}

/* Swaps the first sample of every sampled input with `kept`: the caller's input waits while the plugin settles. */
static void swap_first_samples(const struct engine_provider_instance *instance, float *kept)
{
    const struct graph_plugin_facts *facts = &instance->facts->facts;
    for (uint32_t i = 0; i < facts->port_count; i++) {
        const struct graph_port *port = &facts->ports[i];
        if (port->input && (port->kind == GRAPH_PORT_AUDIO || port->kind == GRAPH_PORT_CV)) {
            float *sample = instance->ports[i];
            float swap = *sample;
            *sample = kept[i];
            kept[i] = swap;
        }
    }
}

/* Runs until the worker has nothing more to do. */
static enum lh_status settle(struct engine_provider_instance *instance, uint32_t frames, struct lh_error *error)
{
    const struct engine_plugin_chunk silence = {.frames = frames};
    enum lh_status status = LH_OK;
    for (int i = 0, idle = 0; status == LH_OK && i < SETTLING_RUNS && idle < IDLE_RUNS; i++) {
        instance->worker.worked = false;
        status = run(instance, &silence, error);
        idle = instance->worker.worked || instance->worker.used > 0 ? 0 : idle + 1;
    }
    return status;
}

/* What a state makes a worker do (files are loaded, mostly) is done before frame 0, not while the first blocks sound.
   Runs of no frames are asked first, as they change nothing else; some plugins do nothing in them, so that one with a
   state gets a few frames of silence, too. */
static enum lh_status activate(struct engine_provider_instance *instance, struct lh_error *error)
{
    lilv_instance_activate(instance->lilv);
    instance->activated = true;
    if (instance->worker.interface == NULL) {
        return LH_OK;
    }
    engine_lv2_worker_deliver(&instance->worker);
    enum lh_status status = settle(instance, 0, error);
    if (status == LH_OK && instance->restored) {
        float *kept = calloc((size_t)instance->facts->facts.port_count + 1, sizeof *kept);
        if (kept == NULL) {
            return lh_error_no_memory(error);
        }
        swap_first_samples(instance, kept);
        status = settle(instance, 1, error);
        swap_first_samples(instance, kept);
        free(kept);
    }
    return status;
}

static void set_property(struct engine_provider_instance *instance, uint32_t port, float value)
{
    struct engine_lv2_property *property = &instance->properties[port];
    property->waiting = property->waiting || !property->known || property->value != value;
    property->value = value;
}

static float get_property(const struct engine_provider_instance *instance, uint32_t port)
{
    return instance->properties[port].value;
}

static void choose(struct engine_provider_instance *instance, uint32_t port)
{
    instance->chosen[port] = true;
}

static float latency(const struct engine_provider_instance *instance)
{
    uint32_t port = instance->facts->latency_port;
    return port == GRAPH_NONE ? 0.0f : *(const float *)instance->ports[port];
}

const struct engine_provider engine_provider_lv2 = {
    .kind = "lv2:",
    .libraries = "lilv-" ENGINE_LILV_VERSION,
    .open = engine_lv2_world_open,
    .close = engine_lv2_world_close,
    .count = engine_lv2_world_count,
    .uri = engine_lv2_world_uri,
    .describe = engine_lv2_describe,
    .facts = engine_lv2_facts,
    .instantiate = instantiate,
    .free = free_instance,
    .restore = restore,
    .activate = activate,
    .run = run,
    .set_property = set_property,
    .get_property = get_property,
    .choose = choose,
    .latency = latency,
};
