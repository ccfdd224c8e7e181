/* SPDX-License-Identifier: MIT */
/* Presets and states. lilv reads them and sets ports; the plugin's restore() is called through an instance of ours that
   lilv takes for the plugin, because lilv would drop its answer and hand it features of its own. */
#include <lv2/presets/presets.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/host/lv2_instance.h"

/* A preset that any state is preferred to: lilv takes the first by URI, and must find one. */
#define NOBODY "zzz:loophole:no-state"

struct restoring {
    struct engine_provider_instance *instance;
    bool own_paths; /* relative paths begin at the caller's folder, not at lilv's */
    LV2_State_Status status;
};

static LV2_State_Status restore_through(LV2_Handle handle, LV2_State_Retrieve_Function retrieve, LV2_State_Handle state,
                                        uint32_t flags, const LV2_Feature *const *features)
{
    struct restoring *restoring = handle;
    struct engine_provider_instance *instance = restoring->instance;
    struct engine_lv2_features *ours = &instance->features;
    for (size_t i = 0; features[i] != NULL && !restoring->own_paths; i++) {
        if (strcmp(features[i]->URI, LV2_STATE__mapPath) == 0) {
            ours->paths.inner = features[i]->data;
        }
    }
    restoring->status =
        instance->state->restore(lilv_instance_get_handle(instance->lilv), retrieve, state, flags, ours->restore);
    ours->paths.inner = NULL;
    return restoring->status;
}

static const void *extension_data_of_ours(const char *uri)
{
    static const LV2_State_Interface interface = {.save = NULL, .restore = restore_through};
    return strcmp(uri, LV2_STATE__interface) == 0 ? &interface : NULL;
}

static float number_of(const struct engine_lv2_vocabulary *words, const void *value, uint32_t size, uint32_t type)
{
    float single;
    double precise;
    int32_t whole;
    int64_t large;
    if (type == words->atom_float && size == sizeof single) {
        memcpy(&single, value, sizeof single);
        return single;
    }
    if (type == words->atom_double && size == sizeof precise) {
        memcpy(&precise, value, sizeof precise);
        return (float)precise;
    }
    if ((type == words->atom_int || type == words->atom_bool) && size == sizeof whole) {
        memcpy(&whole, value, sizeof whole);
        return (float)whole;
    }
    if (type == words->atom_long && size == sizeof large) {
        memcpy(&large, value, sizeof large);
        return (float)large;
    }
    return NAN;
}

static void set_port(const char *symbol, void *context, const void *value, uint32_t size, uint32_t type)
{
    struct engine_provider_instance *instance = context;
    float number = number_of(instance->features.words, value, size, type);
    const struct graph_plugin_facts *facts = &instance->facts->facts;
    for (uint32_t i = 0; isfinite(number) && i < facts->port_count; i++) {
        const struct graph_port *port = &facts->ports[i];
        if (port->kind == GRAPH_PORT_CONTROL && port->input && strcmp(port->symbol, symbol) == 0) {
            *(float *)instance->ports[i] = number;
            return;
        }
    }
}

static LV2_State_Status apply(struct engine_provider_instance *instance, const LilvState *state, bool own_paths)
{
    static const LV2_Descriptor descriptor = {.URI = "", .extension_data = extension_data_of_ours};
    struct restoring restoring = {.instance = instance, .own_paths = own_paths, .status = LV2_STATE_SUCCESS};
    LilvInstance ours = {.lv2_descriptor = &descriptor, .lv2_handle = &restoring, .pimpl = NULL};
    bool restores = instance->state != NULL && instance->state->restore != NULL;
    instance->restored = instance->restored || (restores && lilv_state_get_num_properties(state) > 0);
    lilv_state_restore(state, restores ? &ours : NULL, set_port, instance, 0, NULL);
    /* A preset of port values alone, or one from before a property existed: what is missing keeps its value. */
    bool incomplete = restoring.status == LV2_STATE_ERR_NO_PROPERTY || lilv_state_get_num_properties(state) == 0;
    return incomplete ? LV2_STATE_SUCCESS : restoring.status;
}

static enum lh_status refused(const struct engine_provider_instance *instance, const char *what,
                              LV2_State_Status status, struct lh_error *error)
{
    const char *why = status == LV2_STATE_ERR_BAD_TYPE     ? "a value has a wrong type"
                      : status == LV2_STATE_ERR_BAD_FLAGS  ? "a value has wrong flags"
                      : status == LV2_STATE_ERR_NO_FEATURE ? "it misses a feature of the host"
                                                           : "it does not say why";
    const char *complaint = instance->features.complaint;
    return lh_error_set(error, LH_ERR_FAULT, instance->facts->facts.uri, "refused its %s: %s%s%s", what, why,
                        *complaint != '\0' ? "; it logged: " : "", complaint);
}

enum lh_status engine_lv2_state_default(struct engine_provider_instance *instance, struct lh_error *error)
{
    struct engine_provider_world *world = instance->world;
    const LilvNode *uri = lilv_plugin_get_uri(instance->facts->plugin);
    if (!lilv_world_ask(world->lilv, uri, world->names[ENGINE_LV2_NAME_STATE], NULL)) {
        return LH_OK;
    }
    LilvState *state = lilv_state_new_from_world(world->lilv, engine_lv2_urids_map(world->urids), uri);
    if (state == NULL) {
        return lh_error_no_memory(error);
    }
    LV2_State_Status status = apply(instance, state, false);
    lilv_state_free(state);
    return status == LV2_STATE_SUCCESS ? LH_OK : refused(instance, "default state", status, error);
}

static enum lh_status restore_preset(struct engine_provider_instance *instance, const char *uri, struct lh_error *error)
{
    struct engine_provider_world *world = instance->world;
    LilvNode *preset = lilv_new_uri(world->lilv, uri);
    const LilvNode *plugin = lilv_plugin_get_uri(instance->facts->plugin);
    if (preset == NULL || !lilv_world_ask(world->lilv, preset, world->names[ENGINE_LV2_NAME_APPLIES_TO], plugin)) {
        lilv_node_free(preset);
        return lh_error_set(error, LH_ERR_MISSING, instance->facts->facts.uri, "it has no preset %s", uri);
    }
    lilv_world_load_resource(world->lilv, preset);
    LilvState *state = lilv_state_new_from_world(world->lilv, engine_lv2_urids_map(world->urids), preset);
    lilv_node_free(preset);
    if (state == NULL) {
        return lh_error_set(error, LH_ERR_FORMAT, instance->facts->facts.uri, "its preset %s cannot be read", uri);
    }
    LV2_State_Status status = apply(instance, state, false);
    lilv_state_free(state);
    return status == LV2_STATE_SUCCESS ? LH_OK : refused(instance, "preset", status, error);
}

/* The text with the folder as its base, so that relative paths and <> mean what they mean in a file there. */
static char *with_base(struct engine_provider_instance *instance, const char *text, const char *folder)
{
    LilvNode *base = lilv_new_file_uri(instance->world->lilv, NULL, *folder == '/' ? folder : "/");
    if (base == NULL) {
        return NULL;
    }
    const char *uri = lilv_node_as_uri(base);
    const char *plugin = lilv_node_as_uri(lilv_plugin_get_uri(instance->facts->plugin));
    size_t size = strlen(uri) + strlen(plugin) + strlen(text) + 256;
    char *whole = malloc(size);
    if (whole != NULL) {
        snprintf(whole, size,
                 "@base <%s> .\n<" NOBODY "> a <" LV2_PRESETS__Preset "> ; <" LV2_CORE__appliesTo "> <%s> .\n%s", uri,
                 plugin, text);
    }
    lilv_node_free(base);
    return whole;
}

static enum lh_status restore_text(struct engine_provider_instance *instance, const char *text, const char *folder,
                                   struct lh_error *error)
{
    struct engine_provider_world *world = instance->world;
    const char *where = instance->facts->facts.uri;
    char *whole = with_base(instance, text, folder != NULL ? folder : "");
    if (whole == NULL) {
        return lh_error_no_memory(error);
    }
    LilvState *state = lilv_state_new_from_string(world->lilv, engine_lv2_urids_map(world->urids), whole);
    free(whole);
    if (state == NULL) {
        return lh_error_no_memory(error);
    }
    const LilvNode *uri = lilv_state_get_uri(state);
    const LilvNode *owner = lilv_state_get_plugin_uri(state);
    enum lh_status status = LH_OK;
    if (uri == NULL || strcmp(lilv_node_as_string(uri), NOBODY) == 0) {
        status = lh_error_set(error, LH_ERR_FAULT, where, "its state is not the Turtle text of a preset");
    } else if (owner == NULL || !lilv_node_equals(owner, lilv_plugin_get_uri(instance->facts->plugin))) {
        status = lh_error_set(error, LH_ERR_FAULT, where, "its state is another plugin's: %s",
                              owner != NULL ? lilv_node_as_string(owner) : "it does not say whose");
    } else {
        char *unreadable = instance->features.paths.unreadable;
        *unreadable = '\0';
        LV2_State_Status answer = apply(instance, state, true);
        status = answer == LV2_STATE_SUCCESS ? LH_OK : refused(instance, "state", answer, error);
        if (status == LH_OK && *unreadable != '\0') { /* most plugins would go on in silence */
            status = lh_error_set(error, LH_ERR_MISSING, where,
                                  "its state refers to the file %s, which is not there or outside of what plugins may "
                                  "read: keep it in the project's folder",
                                  unreadable);
        }
    }
    lilv_state_free(state);
    return status;
}

enum lh_status engine_lv2_state_restore(struct engine_provider_instance *instance,
                                        const struct engine_plugin_config *config, struct lh_error *error)
{
    enum lh_status status = LH_OK;
    if (config->preset != NULL && *config->preset != '\0') {
        status = restore_preset(instance, config->preset, error);
    }
    if (status == LH_OK && config->state != NULL && *config->state != '\0') {
        status = restore_text(instance, config->state, config->folder, error);
    }
    return status;
}
