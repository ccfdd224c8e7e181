/* SPDX-License-Identifier: MIT */
/* Values are compared as the floats that a plugin gets: 0.1 is within a range that ends at 0.1f. A switch, a choice or
   a whole number does not glide; its automation holds. */
#include "pulse-daemon/compile/parameters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX_SIZE 64
#define CHOICES_SIZE 160 /* bytes of a list of choices in a message */
#define UNIT_SIZE 24

static const char node_prefix[] = "nodes/";

struct setting {
    struct pulse_compiling *c;
    const struct pulse_track *track;
    const struct pulse_node *node;
    const struct graph_plugin_facts *plugin;
    struct graph_parameter *parameters;
    size_t count;
};

/* "nodes/<id>/<symbol>": the symbol when the id is the node's, else NULL. Ids hold no slash. */
static const char *symbol_of(const struct pulse_automation *automation, const struct pulse_node *node)
{
    size_t prefix = sizeof node_prefix - 1, length = strlen(node->id);
    const char *id = automation->parameter + prefix;
    bool own = automation->target == PULSE_TARGET_PLUGIN && automation->point_count > 0 &&
               strncmp(automation->parameter, node_prefix, prefix) == 0 && strncmp(id, node->id, length) == 0 &&
               id[length] == '/';
    return own ? id + length + 1 : NULL;
}

static const struct pulse_automation *automation_of(const struct setting *setting, const char *symbol)
{
    for (size_t i = 0; i < setting->track->automation_count; i++) {
        const char *own = symbol_of(&setting->track->automation[i], setting->node);
        if (own != NULL && strcmp(own, symbol) == 0) {
            return &setting->track->automation[i];
        }
    }
    return NULL;
}

/* A symbol that cannot be set: it is something else, or nothing, and then the nearest that can be. */
static enum lh_status tell_unknown(const struct setting *setting, const struct lh_json *json, const char *suffix,
                                   const char *symbol)
{
    const struct graph_plugin_facts *plugin = setting->plugin;
    const char **names = lh_arena_array(&setting->c->arena, plugin->port_count, sizeof *names);
    size_t count = 0;
    if (names == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < plugin->port_count; i++) {
        const struct graph_port *port = &plugin->ports[i];
        if (strcmp(port->symbol, symbol) == 0) {
            pulse_fault(setting->c, json, suffix, LH_ERR_INVALID,
                        port->kind == GRAPH_PORT_CONTROL ? "\"%s\" is what %.200s tells, which cannot be set"
                                                         : "\"%s\" is a port of %.200s, but no parameter",
                        symbol, setting->node->plugin);
            return LH_OK;
        }
        if (graph_plugin_parameter(plugin, port->symbol) == port) {
            names[count++] = port->symbol;
        }
    }
    const char *nearest = lh_nearest_name(symbol, names, count);
    pulse_fault(setting->c, json, suffix, LH_ERR_INVALID, "%.200s has no parameter \"%s\"%s%s%s", setting->node->plugin,
                symbol, nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                nearest != NULL ? "\"?" : "");
    return LH_OK;
}

/* "0 (low), 1 (high)", as many as a message holds. */
static void list_choices(const struct graph_port *port, char list[CHOICES_SIZE])
{
    size_t used = 0;
    list[0] = '\0';
    for (uint32_t i = 0; i < port->point_count; i++) {
        char choice[CHOICES_SIZE];
        int length = snprintf(choice, sizeof choice, "%s%.9g (%.40s)", i > 0 ? ", " : "", (double)port->points[i].value,
                              port->points[i].label);
        if (length < 0 || used + (size_t)length + sizeof ", ..." > CHOICES_SIZE) {
            snprintf(list + used, CHOICES_SIZE - used, ", ...");
            return;
        }
        memcpy(list + used, choice, (size_t)length + 1);
        used += (size_t)length;
    }
}

static bool is_choice(const struct graph_port *port, float value)
{
    bool found = port->point_count == 0 || value == port->standard;
    for (uint32_t i = 0; !found && i < port->point_count; i++) {
        found = value == port->points[i].value;
    }
    return found;
}

static void check_value(const struct setting *setting, const struct graph_port *port, double value,
                        const struct lh_json *json, const char *suffix)
{
    float low, high, standard, given = (float)value;
    graph_port_range(port, setting->c->project->sample_rate, &low, &high, &standard);
    if (port->toggled) {
        if (given != 0.0f && given != 1.0f) {
            pulse_fault(setting->c, json, suffix, LH_ERR_INVALID, "\"%s\" is a switch: 0 or 1, not %.9g", port->symbol,
                        value);
        }
    } else if (port->enumerated && !is_choice(port, given)) {
        char list[CHOICES_SIZE];
        list_choices(port, list);
        pulse_fault(setting->c, json, suffix, LH_ERR_INVALID, "\"%s\" is one of %s, not %.9g", port->symbol, list,
                    value);
    } else if (!port->enumerated && low < high && !(given >= low && given <= high)) {
        char unit[UNIT_SIZE] = "";
        if (port->unit[0] != '\0') {
            snprintf(unit, sizeof unit, " %s", port->unit);
        }
        pulse_fault(setting->c, json, suffix, LH_ERR_INVALID, "\"%s\" goes from %.9g to %.9g%s, not %.9g", port->symbol,
                    (double)low, (double)high, unit, value);
    } else if (port->integer && given != rintf(given)) {
        pulse_fault(setting->c, json, suffix, LH_ERR_INVALID, "\"%s\" takes whole numbers, not %.9g", port->symbol,
                    value);
    }
}

static bool glides(const struct graph_port *port)
{
    return !port->toggled && !port->enumerated && !port->integer;
}

/* The lane's points as break-points: a ramp is two of them, a step two at one frame. */
static enum lh_status lane_points(const struct pulse_lane *lane, bool glide, struct pulse_points *points)
{
    pulse_points_clear(points);
    if (lane->count == 0) {
        return pulse_points_add(points, 0, lane->constant);
    }
    double before = lane->points[0].reached;
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < lane->count; i++) {
        const struct pulse_lane_point *point = &lane->points[i];
        bool arrives = i > 0 && glide && lane->points[i - 1].ramp;
        status = pulse_points_add(points, point->frame, arrives ? point->reached : before);
        if (status == LH_OK) {
            status = pulse_points_add(points, point->frame, point->value);
        }
        before = point->value;
    }
    return status;
}

static enum lh_status add_curve(struct setting *setting, const struct graph_port *port, const struct pulse_lane *lane)
{
    struct pulse_compiling *c = setting->c;
    uint32_t curve = GRAPH_NONE;
    enum lh_status status = lane_points(lane, glides(port), &c->points);
    if (status == LH_OK) {
        status = graph_builder_add_curve(c->builder, c->points.items, c->points.count, &curve);
    }
    if (status == LH_OK) {
        setting->parameters[setting->count++] = (struct graph_parameter){.symbol = port->symbol, .curve = curve};
    }
    return status;
}

static enum lh_status set_static(struct setting *setting, const struct pulse_parameter *parameter)
{
    const struct graph_port *port = graph_plugin_parameter(setting->plugin, parameter->symbol);
    if (port == NULL) {
        return tell_unknown(setting, parameter->json, "", parameter->symbol);
    }
    check_value(setting, port, parameter->value, parameter->json, "");
    if (automation_of(setting, parameter->symbol) != NULL) {
        return LH_OK; /* which replaces it */
    }
    struct pulse_lane lane = pulse_lane_constant(parameter->value);
    return add_curve(setting, port, &lane);
}

static enum lh_status set_automation(struct setting *setting, const struct pulse_automation *automation,
                                     const char *symbol)
{
    struct pulse_compiling *c = setting->c;
    const struct graph_port *port = graph_plugin_parameter(setting->plugin, symbol);
    if (port == NULL) {
        return tell_unknown(setting, automation->json, "/parameter", symbol);
    }
    for (size_t i = 0; i < automation->point_count && c->faults->count < LH_FAULTS_MAX; i++) {
        char suffix[SUFFIX_SIZE];
        snprintf(suffix, sizeof suffix, "/points/%zu/value", i);
        check_value(setting, port, automation->points[i].value, automation->json, suffix);
    }
    struct pulse_lane lane;
    size_t beyond = 0;
    enum lh_status status = pulse_lane_resolve(&c->arena, &c->tempo, automation, &lane, &beyond);
    if (status == LH_ERR_LIMIT) {
        char suffix[SUFFIX_SIZE];
        snprintf(suffix, sizeof suffix, "/points/%zu/at", beyond);
        pulse_fault(c, automation->json, suffix, LH_ERR_LIMIT, "the point lies past frame 2^40");
        return LH_OK;
    }
    return status == LH_OK ? add_curve(setting, port, &lane) : status;
}

enum lh_status pulse_parameters_compile(struct pulse_compiling *c, const struct pulse_track *track,
                                        const struct pulse_node *node, const struct graph_plugin_facts *plugin,
                                        const struct graph_parameter **parameters, size_t *count)
{
    struct setting setting = {.c = c, .track = track, .node = node, .plugin = plugin};
    size_t most = node->parameter_count;
    for (size_t i = 0; i < track->automation_count; i++) {
        most += symbol_of(&track->automation[i], node) != NULL ? 1 : 0;
    }
    setting.parameters = lh_arena_array(&c->arena, most, sizeof *setting.parameters);
    enum lh_status status = setting.parameters != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    for (size_t i = 0; status == LH_OK && i < node->parameter_count; i++) {
        status = set_static(&setting, &node->parameters[i]);
    }
    for (size_t i = 0; status == LH_OK && i < track->automation_count; i++) {
        const char *symbol = symbol_of(&track->automation[i], node);
        if (symbol != NULL) {
            status = set_automation(&setting, &track->automation[i], symbol);
        }
    }
    if (status == LH_OK) {
        *parameters = setting.parameters;
        *count = setting.count;
    }
    return status;
}
