/* SPDX-License-Identifier: MIT */
/* A host in 200 lines. Shares no code with engine/host. */
#include "tests/engine/host/bare.h"

#include <lilv/lilv.h>
#include <lv2/atom/atom.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/core/lv2.h>
#include <lv2/midi/midi.h>
#include <lv2/options/options.h>
#include <lv2/parameters/parameters.h>
#include <lv2/presets/presets.h>
#include <lv2/urid/urid.h>
#include <lv2/worker/worker.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xmmintrin.h>

#include "tests/support/testing.h"

#define URIDS_MOST 65536
#define SEQUENCE_BYTES 65536

static char *uris[URIDS_MOST];
static uint32_t uri_count;

static LV2_URID map_uri(LV2_URID_Map_Handle handle, const char *uri)
{
    (void)handle;
    for (uint32_t i = 0; i < uri_count; i++) {
        if (strcmp(uris[i], uri) == 0) {
            return i + 1;
        }
    }
    ck_assert_uint_lt(uri_count, URIDS_MOST);
    uris[uri_count] = strdup(uri);
    return ++uri_count;
}

static const char *unmap_urid(LV2_URID_Unmap_Handle handle, LV2_URID urid)
{
    (void)handle;
    return urid > 0 && urid <= uri_count ? uris[urid - 1] : NULL;
}

float bare_noise(uint32_t channel, uint64_t frame)
{
    uint64_t x = (frame + 1) * UINT64_C(0x9E3779B97F4A7C15) + channel * UINT64_C(0xD1B54A32D192ED03);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (float)((double)(int64_t)(x ^ (x >> 31)) * 0x1p-65);
}

static const LV2_Worker_Interface *worker;
static LV2_Handle worker_handle;
static uint8_t response[4096];
static uint32_t response_size;
static bool responded;

static LV2_Worker_Status respond(LV2_Worker_Respond_Handle handle, uint32_t size, const void *data)
{
    (void)handle;
    ck_assert_uint_le(size, sizeof response);
    memcpy(response, data, size);
    response_size = size;
    responded = true;
    return LV2_WORKER_SUCCESS;
}

static LV2_Worker_Status schedule(LV2_Worker_Schedule_Handle handle, uint32_t size, const void *data)
{
    (void)handle;
    return worker != NULL ? worker->work(worker_handle, respond, NULL, size, data) : LV2_WORKER_ERR_UNKNOWN;
}

struct ports {
    uint32_t count;
    float *controls;
    float *audio[2048];
    uint32_t inputs[BARE_CHANNELS_MOST], outputs[BARE_CHANNELS_MOST];
    uint32_t input_count, output_count;
    uint32_t latency;
    LV2_Atom_Sequence *events[2048];
    bool event_input[2048];
};

static void connect_ports(const LilvPlugin *plugin, LilvWorld *world, LilvInstance *instance, struct ports *ports,
                          uint32_t block)
{
    LilvNode *input = lilv_new_uri(world, LV2_CORE__InputPort);
    LilvNode *audio = lilv_new_uri(world, LV2_CORE__AudioPort);
    LilvNode *cv = lilv_new_uri(world, LV2_CORE__CVPort);
    LilvNode *control = lilv_new_uri(world, LV2_CORE__ControlPort);
    LilvNode *atom = lilv_new_uri(world, LV2_ATOM__AtomPort);
    LilvNode *reports = lilv_new_uri(world, LV2_CORE__reportsLatency);
    ports->count = lilv_plugin_get_num_ports(plugin);
    ck_assert_uint_lt(ports->count, 2048);
    ports->controls = calloc(ports->count, sizeof *ports->controls);
    ports->latency = UINT32_MAX;
    lilv_plugin_get_port_ranges_float(plugin, NULL, NULL, ports->controls);
    for (uint32_t i = 0; i < ports->count; i++) {
        const LilvPort *port = lilv_plugin_get_port_by_index(plugin, i);
        bool in = lilv_port_is_a(plugin, port, input);
        ports->controls[i] = isnan(ports->controls[i]) ? 0.0f : ports->controls[i];
        if (lilv_port_is_a(plugin, port, control)) {
            lilv_instance_connect_port(instance, i, &ports->controls[i]);
            ports->latency = lilv_port_has_property(plugin, port, reports) ? i : ports->latency;
        } else if (lilv_port_is_a(plugin, port, audio) || lilv_port_is_a(plugin, port, cv)) {
            ports->audio[i] = calloc(block, sizeof(float));
            lilv_instance_connect_port(instance, i, ports->audio[i]);
            if (lilv_port_is_a(plugin, port, audio)) {
                uint32_t *place = in ? &ports->inputs[ports->input_count++] : &ports->outputs[ports->output_count++];
                *place = i;
            }
        } else if (lilv_port_is_a(plugin, port, atom)) {
            ports->events[i] = calloc(1, SEQUENCE_BYTES);
            ports->event_input[i] = in;
            lilv_instance_connect_port(instance, i, ports->events[i]);
        } else {
            lilv_instance_connect_port(instance, i, NULL);
        }
    }
    LilvNode *nodes[] = {input, audio, cv, control, atom, reports};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        lilv_node_free(nodes[i]);
    }
}

struct setting {
    const LilvPlugin *plugin;
    LilvWorld *world;
    float *controls;
};

static void set_control(const char *symbol, void *context, const void *value, uint32_t size, uint32_t type)
{
    struct setting *setting = context;
    LilvNode *name = lilv_new_string(setting->world, symbol);
    const LilvPort *port = lilv_plugin_get_port_by_symbol(setting->plugin, name);
    lilv_node_free(name);
    if (port == NULL) {
        return;
    }
    float *control = &setting->controls[lilv_port_get_index(setting->plugin, port)];
    if (type == map_uri(NULL, LV2_ATOM__Float) && size == 4) {
        memcpy(control, value, 4);
    } else if (type == map_uri(NULL, LV2_ATOM__Int) && size == 4) {
        int32_t whole;
        memcpy(&whole, value, 4);
        *control = (float)whole;
    } else if (type == map_uri(NULL, LV2_ATOM__Double) && size == 8) {
        double precise;
        memcpy(&precise, value, 8);
        *control = (float)precise;
    }
}

static void prepare_events(struct ports *ports, int64_t note)
{
    for (uint32_t i = 0; i < ports->count; i++) {
        LV2_Atom_Sequence *events = ports->events[i];
        if (events == NULL) {
            continue;
        }
        events->atom.type = map_uri(NULL, ports->event_input[i] ? LV2_ATOM__Sequence : LV2_ATOM__Chunk);
        events->atom.size = ports->event_input[i] ? sizeof events->body : SEQUENCE_BYTES - sizeof events->atom;
        events->body = (LV2_Atom_Sequence_Body){0, 0};
        if (ports->event_input[i] && note >= 0) {
            LV2_Atom_Event *event = (LV2_Atom_Event *)(events + 1);
            event->time.frames = note;
            event->body = (LV2_Atom){3, map_uri(NULL, LV2_MIDI__MidiEvent)};
            memcpy(event + 1, (uint8_t[]){0x90, 60, 100}, 3);
            events->atom.size += sizeof *event + 8;
        }
    }
}

static void run(LilvInstance *instance, struct ports *ports, struct bare_result *result, uint32_t block,
                uint32_t frames, int64_t note)
{
    for (uint32_t frame = 0; frame < frames; frame += block) {
        for (uint32_t c = 0; c < ports->input_count; c++) {
            for (uint32_t k = 0; k < block; k++) {
                ports->audio[ports->inputs[c]][k] = bare_noise(c, frame + k);
            }
        }
        prepare_events(ports, note >= frame && note < frame + block ? note - frame : -1);
        unsigned saved = _mm_getcsr();
        _mm_setcsr(saved | 0x8040u);
        lilv_instance_run(instance, block);
        if (worker != NULL && responded) {
            responded = false;
            worker->work_response(worker_handle, response_size, response);
        }
        if (worker != NULL && worker->end_run != NULL) {
            worker->end_run(worker_handle);
        }
        _mm_setcsr(saved);
        for (uint32_t c = 0; c < ports->output_count; c++) {
            memcpy(result->samples + (size_t)c * frames + frame, ports->audio[ports->outputs[c]],
                   block * sizeof(float));
        }
    }
    result->latency = ports->latency != UINT32_MAX ? ports->controls[ports->latency] : 0.0f;
}

struct bare_result bare_run(const char *bundle, const char *uri, const char *preset, uint32_t block, uint32_t frames,
                            int64_t note)
{
    LilvWorld *world = lilv_world_new();
    LilvNode *folder = lilv_new_file_uri(world, NULL, bundle);
    LilvNode *name = lilv_new_uri(world, uri);
    lilv_world_load_bundle(world, folder);
    const LilvPlugin *plugin = lilv_plugins_get_by_uri(lilv_world_get_all_plugins(world), name);
    ck_assert_msg(plugin != NULL, "%s is not in %s", uri, bundle);
    LV2_URID_Map map = {NULL, map_uri};
    LV2_URID_Unmap unmap = {NULL, unmap_urid};
    LV2_Worker_Schedule scheduler = {NULL, schedule};
    float rate = BARE_RATE;
    int32_t least = 1;
    int32_t most = (int32_t)block;
    int32_t bytes = SEQUENCE_BYTES;
    LV2_URID integer = map_uri(NULL, LV2_ATOM__Int);
    const LV2_Options_Option options[] = {
        {0, 0, map_uri(NULL, LV2_PARAMETERS__sampleRate), 4, map_uri(NULL, LV2_ATOM__Float), &rate},
        {0, 0, map_uri(NULL, LV2_BUF_SIZE__minBlockLength), 4, integer, &least},
        {0, 0, map_uri(NULL, LV2_BUF_SIZE__maxBlockLength), 4, integer, &most},
        {0, 0, map_uri(NULL, LV2_BUF_SIZE__nominalBlockLength), 4, integer, &most},
        {0, 0, map_uri(NULL, LV2_BUF_SIZE__sequenceSize), 4, integer, &bytes},
        {0, 0, 0, 0, 0, NULL},
    };
    LV2_Feature features[] = {{LV2_URID__map, &map},
                              {LV2_URID__unmap, &unmap},
                              {LV2_OPTIONS__options, (void *)(uintptr_t)options},
                              {LV2_BUF_SIZE__boundedBlockLength, NULL},
                              {LV2_WORKER__schedule, &scheduler}};
    const LV2_Feature *list[] = {&features[0], &features[1], &features[2], &features[3], &features[4], NULL};
    worker = NULL;
    responded = false;
    LilvInstance *instance = lilv_plugin_instantiate(plugin, BARE_RATE, list);
    ck_assert_msg(instance != NULL, "no instance of %s", uri);
    worker = lilv_instance_get_extension_data(instance, LV2_WORKER__interface);
    worker_handle = lilv_instance_get_handle(instance);
    struct ports ports = {.count = 0};
    connect_ports(plugin, world, instance, &ports, block);
    if (preset != NULL) {
        LilvNode *wanted = lilv_new_uri(world, preset);
        lilv_world_load_resource(world, wanted);
        LilvState *state = lilv_state_new_from_world(world, &map, wanted);
        ck_assert_msg(state != NULL, "no preset %s", preset);
        struct setting setting = {plugin, world, ports.controls};
        lilv_state_restore(state, instance, set_control, &setting, 0, list);
        lilv_state_free(state);
        lilv_node_free(wanted);
    }
    struct bare_result result = {.inputs = ports.input_count, .outputs = ports.output_count};
    result.samples = calloc((size_t)frames * (ports.output_count + 1), sizeof *result.samples);
    lilv_instance_activate(instance);
    run(instance, &ports, &result, block, frames, note);
    lilv_instance_deactivate(instance);
    lilv_instance_free(instance);
    for (uint32_t i = 0; i < ports.count; i++) {
        free(ports.audio[i]);
        free(ports.events[i]);
    }
    free(ports.controls);
    lilv_node_free(name);
    lilv_node_free(folder);
    lilv_world_free(world);
    return result;
}
