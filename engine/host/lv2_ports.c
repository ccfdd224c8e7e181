/* SPDX-License-Identifier: MIT */
/* Ports as lilv tells them. Every text and number comes from other people's files: what is missing gets a plain value,
   what contradicts itself is widened until it does not. */
#include "engine/host/lv2_ports.h"

#include <lv2/atom/atom.h>
#include <lv2/core/lv2.h>
#include <lv2/midi/midi.h>
#include <lv2/patch/patch.h>
#include <lv2/port-props/port-props.h>
#include <lv2/time/time.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_BYTES 1024u
#define SYMBOL_BYTES 4096u
#define UNBOUNDED 1e30f /* a range without an end */
#define BOUNDS_RATE 48000.0f
#define POINTS_MOST 4096u

struct reading {
    struct engine_provider_world *world;
    struct lh_arena *arena;
    bool labels;
    struct engine_lv2_facts *facts;
    struct graph_port *ports;
    struct engine_lv2_port *more;
};

const char *engine_lv2_text(struct lh_arena *arena, const LilvNode *node, size_t limit)
{
    const char *text = node != NULL ? lilv_node_as_string(node) : "";
    size_t length = text != NULL ? strlen(text) : 0;
    if (length > limit) {
        for (length = limit; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80; length--) {
        }
    }
    return lh_arena_strndup(arena, text != NULL ? text : "", length);
}

const char *engine_lv2_local_name(const char *uri)
{
    const char *hash = strrchr(uri, '#');
    const char *slash = strrchr(uri, '/');
    return hash != NULL ? hash + 1 : slash != NULL ? slash + 1 : uri;
}

static float number_of(const LilvNode *node)
{
    if (node != NULL && (lilv_node_is_float(node) || lilv_node_is_int(node))) {
        float value = lilv_node_as_float(node);
        return isfinite(value) ? value : NAN;
    }
    if (node != NULL && lilv_node_is_bool(node)) {
        return lilv_node_as_bool(node) ? 1.0f : 0.0f;
    }
    return NAN;
}

/* Fits the range of a parameter together. NAN stands for what the data do not say. */
static void set_range(struct graph_port *port, float minimum, float maximum, float standard)
{
    float scale = port->scaled ? BOUNDS_RATE : 1.0f;
    float low = isnan(minimum) ? (port->toggled ? 0.0f : -UNBOUNDED) : minimum * scale;
    float high = isnan(maximum) ? (port->toggled ? 1.0f : UNBOUNDED) : maximum * scale;
    if (low > high) {
        float swap = low;
        low = high;
        high = swap;
    }
    /* Some give bounds in fractions of the sample rate and the default in hertz. */
    bool absolute =
        port->scaled && (standard * scale < low || standard * scale > high) && standard >= low && standard <= high;
    float usual = isnan(standard) ? fminf(fmaxf(0.0f, low), high) : standard * (absolute ? 1.0f : scale);
    port->absolute = absolute;
    port->minimum = fmaxf(fminf(low, usual), -UNBOUNDED);
    port->maximum = fminf(fmaxf(high, usual), UNBOUNDED);
    port->standard = fminf(fmaxf(usual, -UNBOUNDED), UNBOUNDED);
}

static void read_property(struct graph_port *port, const char *uri, bool *latency, enum engine_lv2_drive *drive)
{
    if (strcmp(uri, LV2_CORE__integer) == 0) {
        port->integer = true;
    } else if (strcmp(uri, LV2_CORE__toggled) == 0) {
        port->toggled = true;
    } else if (strcmp(uri, LV2_CORE__enumeration) == 0) {
        port->enumerated = true;
    } else if (strcmp(uri, LV2_PORT_PROPS__logarithmic) == 0) {
        port->logarithmic = true;
    } else if (strcmp(uri, LV2_CORE__sampleRate) == 0) {
        port->scaled = true;
    } else if (strcmp(uri, LV2_CORE__connectionOptional) == 0) {
        port->optional = true;
    } else if (strcmp(uri, LV2_CORE_PREFIX "isSideChain") == 0) {
        port->sidechain = port->input;
    } else if (strcmp(uri, LV2_CORE__reportsLatency) == 0) {
        *latency = true;
    } else if (strcmp(uri, LV2_CORE__freeWheeling) == 0) {
        *drive = ENGINE_LV2_DRIVE_ONE;
    }
}

static bool read_points(struct reading *reading, const LilvPlugin *plugin, const LilvPort *from,
                        struct graph_port *port)
{
    LilvScalePoints *points = lilv_port_get_scale_points(plugin, from);
    if (points == NULL) {
        return true;
    }
    size_t size = lilv_scale_points_size(points);
    struct graph_scale_point *made = lh_arena_array(reading->arena, size, sizeof *made);
    uint32_t count = 0;
    bool kept = made != NULL;
    LILV_FOREACH(scale_points, i, points)
    {
        const LilvScalePoint *point = lilv_scale_points_get(points, i);
        float value = number_of(lilv_scale_point_get_value(point));
        if (kept && !isnan(value) && count < POINTS_MOST) {
            made[count].label = engine_lv2_text(reading->arena, lilv_scale_point_get_label(point), NAME_BYTES);
            kept = made[count].label != NULL;
            made[count++].value = value;
        }
    }
    lilv_scale_points_free(points);
    /* lilv keeps them in the order of its index; by value they mean something. */
    for (uint32_t i = 1; kept && i < count; i++) {
        struct graph_scale_point moved = made[i];
        uint32_t at = i;
        for (; at > 0 && made[at - 1].value > moved.value; at--) {
            made[at] = made[at - 1];
        }
        made[at] = moved;
    }
    port->points = made;
    port->point_count = count;
    return kept;
}

static const char *cut(struct lh_arena *arena, const char *text)
{
    return lh_arena_strndup(arena, text, strnlen(text, NAME_BYTES));
}

static const char *read_unit(struct reading *reading, const LilvNode *unit)
{
    struct engine_provider_world *world = reading->world;
    if (unit == NULL || !reading->labels) {
        return "";
    }
    LilvNode *symbol = lilv_world_get(world->lilv, unit, world->names[ENGINE_LV2_NAME_UNIT_SYMBOL], NULL);
    const char *text = symbol != NULL           ? engine_lv2_text(reading->arena, symbol, NAME_BYTES)
                       : lilv_node_is_uri(unit) ? cut(reading->arena, engine_lv2_local_name(lilv_node_as_uri(unit)))
                                                : "";
    lilv_node_free(symbol);
    return text;
}

static bool read_control(struct reading *reading, const LilvPlugin *plugin, const LilvPort *from,
                         struct graph_port *port)
{
    struct engine_provider_world *world = reading->world;
    LilvNode *standard = NULL;
    LilvNode *minimum = NULL;
    LilvNode *maximum = NULL;
    lilv_port_get_range(plugin, from, &standard, &minimum, &maximum);
    set_range(port, number_of(minimum), number_of(maximum), number_of(standard));
    lilv_node_free(standard);
    lilv_node_free(minimum);
    lilv_node_free(maximum);
    if (!reading->labels) {
        return true;
    }
    LilvNode *unit = lilv_port_get(plugin, from, world->names[ENGINE_LV2_NAME_UNIT]);
    port->unit = read_unit(reading, unit);
    lilv_node_free(unit);
    return port->unit != NULL && read_points(reading, plugin, from, port);
}

static bool holds_uri(const LilvNodes *nodes, const char *uri)
{
    if (nodes != NULL) {
        LILV_FOREACH(nodes, i, nodes)
        {
            const LilvNode *node = lilv_nodes_get(nodes, i);
            if (lilv_node_is_uri(node) && strcmp(lilv_node_as_uri(node), uri) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* An event port is an atom port for sequences; false: it is of another kind. */
static bool read_events(struct reading *reading, const LilvPlugin *plugin, const LilvPort *from, uint32_t index)
{
    LilvNode *const *names = reading->world->names;
    struct engine_lv2_port *more = &reading->more[index];
    LilvNodes *buffers = lilv_port_get_value(plugin, from, names[ENGINE_LV2_NAME_BUFFER_TYPE]);
    bool sequence = holds_uri(buffers, LV2_ATOM__Sequence);
    lilv_nodes_free(buffers);
    LilvNodes *supports = lilv_port_get_value(plugin, from, names[ENGINE_LV2_NAME_SUPPORTS]);
    reading->ports[index].notes = holds_uri(supports, LV2_MIDI__MidiEvent);
    more->position = holds_uri(supports, LV2_TIME__Position);
    more->patches = holds_uri(supports, LV2_PATCH__Message);
    lilv_nodes_free(supports);
    LilvNode *size = lilv_port_get(plugin, from, names[ENGINE_LV2_NAME_MINIMUM_SIZE]);
    float least = number_of(size);
    lilv_node_free(size);
    more->capacity = ENGINE_LV2_EVENTS_CAPACITY;
    if (least < 0.0f || least > (float)ENGINE_LV2_EVENTS_CAPACITY) {
        more->capacity = least < 0.0f || least > (float)ENGINE_LV2_EVENTS_CAPACITY_MAX
                             ? ENGINE_LV2_EVENTS_CAPACITY_MAX + 8
                             : ((uint32_t)least + 7u) / 8u * 8u;
    }
    return sequence && more->capacity <= ENGINE_LV2_EVENTS_CAPACITY_MAX;
}

static enum graph_port_kind kind_of(struct reading *reading, const LilvPlugin *plugin, const LilvPort *from,
                                    uint32_t index)
{
    const LilvNodes *classes = lilv_port_get_classes(plugin, from);
    reading->ports[index].input = holds_uri(classes, LV2_CORE__InputPort);
    if (!reading->ports[index].input && !holds_uri(classes, LV2_CORE__OutputPort)) {
        return GRAPH_PORT_OTHER;
    }
    if (holds_uri(classes, LV2_CORE__AudioPort)) {
        return GRAPH_PORT_AUDIO;
    }
    if (holds_uri(classes, LV2_CORE__ControlPort)) {
        return GRAPH_PORT_CONTROL;
    }
    if (holds_uri(classes, LV2_CORE__CVPort)) {
        return GRAPH_PORT_CV;
    }
    bool events = holds_uri(classes, LV2_ATOM__AtomPort) && read_events(reading, plugin, from, index);
    return events ? GRAPH_PORT_EVENTS : GRAPH_PORT_OTHER;
}

/* What the port is for. */
static bool read_role(struct reading *reading, const LilvPlugin *plugin, const LilvPort *from, uint32_t index,
                      bool latency)
{
    struct graph_port *port = &reading->ports[index];
    LilvNode *node = lilv_port_get(plugin, from, reading->world->names[ENGINE_LV2_NAME_DESIGNATION]);
    const char *uri = node != NULL && lilv_node_is_uri(node) ? lilv_node_as_uri(node) : "";
    bool control = port->kind == GRAPH_PORT_CONTROL;
    latency = latency || strcmp(uri, LV2_CORE__latency) == 0;
    if (control && port->input && (strcmp(uri, LV2_CORE__enabled) == 0 || strcmp(uri, LV2_CORE__freeWheeling) == 0)) {
        reading->more[index].drive = ENGINE_LV2_DRIVE_ONE;
    } else if (control && port->input && strcmp(uri, LV2_TIME__beatsPerMinute) == 0) {
        reading->more[index].drive = ENGINE_LV2_DRIVE_TEMPO;
    }
    if (control && !port->input && latency && reading->facts->latency_port == GRAPH_NONE) {
        reading->facts->latency_port = index;
    }
    const char *role = latency && control && !port->input ? "latency"
                       : *uri == '\0' && reading->more[index].drive == ENGINE_LV2_DRIVE_ONE
                           ? "freeWheeling"
                           : engine_lv2_local_name(uri);
    port->role = cut(reading->arena, role);
    bool first = port->kind == GRAPH_PORT_EVENTS && port->input && strcmp(uri, LV2_CORE__control) == 0;
    if (first && reading->facts->message_port == GRAPH_NONE) {
        reading->facts->message_port = index;
    }
    lilv_node_free(node);
    return port->role != NULL;
}

static enum lh_status read_port(struct reading *reading, const LilvPlugin *plugin, uint32_t index,
                                struct lh_error *error)
{
    const LilvPort *from = lilv_plugin_get_port_by_index(plugin, index);
    if (from == NULL) {
        return lh_error_set(error, LH_ERR_FORMAT, reading->facts->facts.uri, "port %u is not described", index);
    }
    struct graph_port *port = &reading->ports[index];
    port->unit = "";
    port->kind = kind_of(reading, plugin, from, index);
    bool latency = false;
    LilvNodes *properties = lilv_port_get_properties(plugin, from);
    LILV_FOREACH(nodes, i, properties)
    {
        const LilvNode *property = lilv_nodes_get(properties, i);
        if (lilv_node_is_uri(property)) {
            read_property(port, lilv_node_as_uri(property), &latency, &reading->more[index].drive);
        }
    }
    lilv_nodes_free(properties);
    port->symbol = engine_lv2_text(reading->arena, lilv_port_get_symbol(plugin, from), SYMBOL_BYTES);
    port->name = "";
    if (reading->labels) {
        LilvNode *name = lilv_port_get_name(plugin, from);
        port->name = engine_lv2_text(reading->arena, name, NAME_BYTES);
        lilv_node_free(name);
    }
    if (port->symbol == NULL || port->name == NULL || !read_role(reading, plugin, from, index, latency)) {
        return lh_error_no_memory(error);
    }
    bool ranged = port->kind == GRAPH_PORT_CONTROL || port->kind == GRAPH_PORT_CV;
    return !ranged || read_control(reading, plugin, from, port) ? LH_OK : lh_error_no_memory(error);
}

/* Names that keys go by where the data do not say it in LV2's words. */
static bool sounds_like_key(const char *text)
{
    static const char *const words[] = {"sidechain", "side chain", "side-chain", "side_chain"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(text, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Is the port in a group that keys another, or in another than the plugin's main one? */
static bool in_side_group(struct engine_provider_world *world, const LilvPlugin *plugin, const LilvPort *port,
                          const LilvNodes *main_groups)
{
    LilvNodes *groups = lilv_port_get_value(plugin, port, world->names[ENGINE_LV2_NAME_GROUP]);
    bool side = false;
    if (groups != NULL) {
        LILV_FOREACH(nodes, i, groups)
        {
            const LilvNode *group = lilv_nodes_get(groups, i);
            side = side || lilv_world_ask(world->lilv, group, world->names[ENGINE_LV2_NAME_SIDE_CHAIN_OF], NULL) ||
                   (main_groups != NULL && !lilv_nodes_contains(main_groups, group));
        }
        lilv_nodes_free(groups);
    }
    return side;
}

static void find_sidechains(struct reading *reading, const LilvPlugin *plugin, uint32_t count)
{
    struct engine_provider_world *world = reading->world;
    LilvNodes *main_groups = lilv_plugin_get_value(plugin, world->names[ENGINE_LV2_NAME_MAIN_INPUT]);
    uint32_t plain = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct graph_port *port = &reading->ports[i];
        bool audio = port->kind == GRAPH_PORT_AUDIO && port->input;
        const LilvPort *from = lilv_plugin_get_port_by_index(plugin, i);
        if (audio && !port->sidechain) {
            LilvNode *name = lilv_port_get_name(plugin, from);
            port->sidechain = in_side_group(world, plugin, from, main_groups) || sounds_like_key(port->symbol) ||
                              (name != NULL && sounds_like_key(lilv_node_as_string(name)));
            lilv_node_free(name);
        } else if (port->kind != GRAPH_PORT_CV && !audio) {
            port->sidechain = false;
        }
        plain += audio && !port->sidechain ? 1 : 0;
    }
    lilv_nodes_free(main_groups);
    for (uint32_t i = 0; plain == 0 && i < count; i++) {
        reading->ports[i].sidechain = false; /* a plugin is not all key */
    }
}

static LV2_URID value_type(struct reading *reading, const LilvNode *property)
{
    static const struct {
        const char *name;
        const char *atom;
    } types[] = {{"Float", LV2_ATOM__Float},   {"Double", LV2_ATOM__Double}, {"Int", LV2_ATOM__Int},
                 {"Long", LV2_ATOM__Long},     {"Bool", LV2_ATOM__Bool},     {"float", LV2_ATOM__Float},
                 {"double", LV2_ATOM__Double}, {"int", LV2_ATOM__Int},       {"integer", LV2_ATOM__Int},
                 {"long", LV2_ATOM__Long},     {"boolean", LV2_ATOM__Bool},  {"decimal", LV2_ATOM__Float}};
    LilvNode *range =
        lilv_world_get(reading->world->lilv, property, reading->world->names[ENGINE_LV2_NAME_RANGE], NULL);
    const char *name = range != NULL && lilv_node_is_uri(range) ? engine_lv2_local_name(lilv_node_as_uri(range)) : "";
    LV2_URID type = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) {
            type = engine_lv2_urids_number(reading->world->urids, types[i].atom);
        }
    }
    lilv_node_free(range);
    return type;
}

static float property_number(struct reading *reading, const LilvNode *property, enum engine_lv2_name name)
{
    LilvNode *node = lilv_world_get(reading->world->lilv, property, reading->world->names[name], NULL);
    float value = number_of(node);
    lilv_node_free(node);
    return value;
}

/* A writable property of numbers becomes a port of its own; one of paths, texts and the like is left to states. */
static bool read_writable(struct reading *reading, const LilvNode *property, uint32_t *count)
{
    struct engine_provider_world *world = reading->world;
    LV2_URID type = value_type(reading, property);
    LilvNode *symbol = lilv_world_get_symbol(world->lilv, property);
    if (type == 0 || symbol == NULL) {
        lilv_node_free(symbol);
        return true;
    }
    const struct engine_lv2_vocabulary *words = engine_lv2_urids_vocabulary(world->urids);
    struct graph_port *port = &reading->ports[*count];
    LilvNode *label = lilv_world_get(world->lilv, property, world->names[ENGINE_LV2_NAME_LABEL], NULL);
    LilvNode *unit = lilv_world_get(world->lilv, property, world->names[ENGINE_LV2_NAME_UNIT], NULL);
    *port = (struct graph_port){.kind = GRAPH_PORT_PROPERTY,
                                .input = true,
                                .optional = true,
                                .integer = type == words->atom_int || type == words->atom_long,
                                .toggled = type == words->atom_bool,
                                .symbol = engine_lv2_text(reading->arena, symbol, SYMBOL_BYTES),
                                .name = engine_lv2_text(reading->arena, label, NAME_BYTES),
                                .unit = read_unit(reading, unit),
                                .role = ""};
    set_range(port, property_number(reading, property, ENGINE_LV2_NAME_MINIMUM),
              property_number(reading, property, ENGINE_LV2_NAME_MAXIMUM),
              property_number(reading, property, ENGINE_LV2_NAME_DEFAULT));
    reading->more[*count] = (struct engine_lv2_port){
        .property = engine_lv2_urids_number(world->urids, lilv_node_as_uri(property)), .type = type};
    lilv_node_free(symbol);
    lilv_node_free(label);
    lilv_node_free(unit);
    (*count)++;
    return port->symbol != NULL && port->name != NULL && port->unit != NULL;
}

struct property_place {
    struct graph_port port;
    struct engine_lv2_port more;
};

static int compare_places(const void *a, const void *b)
{
    return strcmp(((const struct property_place *)a)->port.symbol, ((const struct property_place *)b)->port.symbol);
}

/* The properties from `first` on, by symbol. */
static bool sort_properties(struct reading *reading, uint32_t first, uint32_t count)
{
    struct property_place *places = malloc((count - first + 1) * sizeof *places);
    if (places == NULL) {
        return false;
    }
    for (uint32_t i = first; i < count; i++) {
        places[i - first] = (struct property_place){reading->ports[i], reading->more[i]};
    }
    qsort(places, count - first, sizeof *places, compare_places);
    for (uint32_t i = first; i < count; i++) {
        reading->ports[i] = places[i - first].port;
        reading->more[i] = places[i - first].more;
    }
    free(places);
    return true;
}

/* Which event ports get which messages: the one that says so and is designated for control, else the first. */
static void choose_event_ports(struct engine_lv2_facts *facts)
{
    uint32_t control = facts->message_port;
    facts->message_port = GRAPH_NONE;
    for (uint32_t i = facts->facts.port_count; i-- > 0;) {
        const struct graph_port *port = &facts->facts.ports[i];
        if (port->kind == GRAPH_PORT_EVENTS && port->input) {
            facts->message_port = facts->ports[i].patches ? i : facts->message_port;
            facts->position_port = facts->ports[i].position ? i : facts->position_port;
            facts->note_port = port->notes ? i : facts->note_port;
        }
    }
    if (control != GRAPH_NONE) {
        bool alone = facts->message_port == GRAPH_NONE;
        facts->message_port = alone || facts->ports[control].patches ? control : facts->message_port;
        facts->position_port = facts->ports[control].position ? control : facts->position_port;
        facts->note_port = facts->facts.ports[control].notes ? control : facts->note_port;
    }
}

/* lilv takes an index for the size of a table, and drops all ports of a plugin where one makes no sense. */
static enum lh_status count_ports(struct reading *reading, uint32_t *count, struct lh_error *error)
{
    struct engine_provider_world *world = reading->world;
    const char *where = reading->facts->facts.uri;
    LilvNodes *ports = lilv_plugin_get_value(reading->facts->plugin, world->names[ENGINE_LV2_NAME_PORT]);
    size_t size = ports != NULL ? lilv_nodes_size(ports) : 0;
    enum lh_status status = LH_OK;
    if (size > GRAPH_PLUGIN_PORTS_MAX) {
        status = lh_error_set(error, LH_ERR_FORMAT, where, "it has more than %d ports", GRAPH_PLUGIN_PORTS_MAX);
    } else if (ports != NULL) {
        LILV_FOREACH(nodes, i, ports)
        {
            LilvNode *index =
                lilv_world_get(world->lilv, lilv_nodes_get(ports, i), world->names[ENGINE_LV2_NAME_INDEX], NULL);
            float number = number_of(index);
            lilv_node_free(index);
            if (status == LH_OK && !(number >= 0.0f && number < (float)size)) {
                status = lh_error_set(error, LH_ERR_FORMAT, where, "its ports are not numbered from 0 on");
            }
        }
    }
    lilv_nodes_free(ports);
    if (status == LH_OK && lilv_plugin_get_num_ports(reading->facts->plugin) != size) {
        status =
            lh_error_set(error, LH_ERR_FORMAT, where, "two of its ports have one number, or one has no valid symbol");
    }
    *count = (uint32_t)size;
    return status;
}

enum lh_status engine_lv2_read_ports(struct engine_provider_world *world, struct lh_arena *arena, bool labels,
                                     struct engine_lv2_facts *facts, struct lh_error *error)
{
    const LilvPlugin *plugin = facts->plugin;
    uint32_t count = 0;
    LilvNodes *writable = lilv_plugin_get_value(plugin, world->names[ENGINE_LV2_NAME_WRITABLE]);
    size_t properties = writable != NULL ? lilv_nodes_size(writable) : 0;
    struct reading reading = {.world = world, .arena = arena, .labels = labels, .facts = facts};
    enum lh_status status = count_ports(&reading, &count, error);
    if (status == LH_OK && properties > GRAPH_PLUGIN_PORTS_MAX - count) {
        status = lh_error_set(error, LH_ERR_FORMAT, facts->facts.uri, "it has more than %d ports and properties",
                              GRAPH_PLUGIN_PORTS_MAX);
    }
    if (status == LH_OK) {
        reading.ports = lh_arena_array(arena, count + properties, sizeof *reading.ports);
        reading.more = lh_arena_array(arena, count + properties, sizeof *reading.more);
        status = reading.ports != NULL && reading.more != NULL ? LH_OK : lh_error_no_memory(error);
    }
    facts->latency_port = facts->message_port = facts->position_port = facts->note_port = GRAPH_NONE;
    for (uint32_t i = 0; status == LH_OK && i < count; i++) {
        status = read_port(&reading, plugin, i, error);
    }
    if (status == LH_OK) {
        uint32_t all = count;
        bool read = true;
        find_sidechains(&reading, plugin, count);
        if (properties > 0) {
            engine_lv2_world_load_specs(world); /* common parameters have their types there */
            LILV_FOREACH(nodes, i, writable)
            {
                const LilvNode *property = lilv_nodes_get(writable, i);
                read = read && (!lilv_node_is_uri(property) || read_writable(&reading, property, &all));
            }
        }
        facts->facts.ports = reading.ports;
        facts->facts.port_count = all;
        facts->ports = reading.more;
        status = read && sort_properties(&reading, count, all) ? LH_OK : lh_error_no_memory(error);
    }
    if (status == LH_OK) {
        choose_event_ports(facts);
    }
    lilv_nodes_free(writable);
    return status;
}
