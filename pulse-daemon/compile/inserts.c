/* SPDX-License-Identifier: MIT */
/* Every node is resolved once, before any track is built, so that all faults are told together and a contribution's
   share goes through the very same description as the whole. */
#include "pulse-daemon/compile/inserts.h"

#include <stdio.h>
#include <string.h>

#include "graph/fit.h"
#include "pulse-daemon/compile/notes.h"
#include "pulse-daemon/compile/parameters.h"
#include "pulse-daemon/compile/strip.h"

#define LABEL_SIZE 192
#define REASON_SIZE 256

static const struct graph_plugin_facts *installed(const struct pulse_compiling *c, const struct pulse_insert *insert)
{
    return c->facts->plugins[insert->facts].installed;
}

/* The plugin's facts by its name in the project. LH_ERR_INTERNAL: nobody asked for them. */
static enum lh_status find_facts(const struct pulse_compiling *c, const char *plugin, size_t *facts)
{
    size_t found = pulse_names_find(&c->plugin_names, plugin);
    if (found == PULSE_NONE) {
        return LH_ERR_INTERNAL;
    }
    *facts = found;
    return LH_OK;
}

static bool can_run(const struct pulse_plugin_facts *facts)
{
    return facts->installed != NULL && facts->installed->refused[0] == '\0';
}

/* "; did you mean "A" or "B"?", or nothing. */
static void list_near(const struct pulse_plugin_facts *facts, char list[REASON_SIZE])
{
    size_t used = 0, most = sizeof facts->near / sizeof *facts->near;
    list[0] = '\0';
    for (size_t i = 0; facts->installed == NULL && i < most && facts->near[i] != NULL; i++) {
        bool last = i + 1 == most || facts->near[i + 1] == NULL;
        char near[REASON_SIZE];
        int length = snprintf(near, sizeof near, "%s\"%.100s\"%s",
                              i == 0 ? "; did you mean "
                              : last ? " or "
                                     : ", ",
                              facts->near[i], last ? "?" : "");
        if (length < 0 || used + (size_t)length >= REASON_SIZE) {
            return;
        }
        memcpy(list + used, near, (size_t)length + 1);
        used += (size_t)length;
    }
}

static void tell_missing(struct pulse_compiling *c, const struct pulse_node *node, size_t facts)
{
    const struct pulse_plugin_facts *known = &c->facts->plugins[facts];
    char near[REASON_SIZE];
    list_near(known, near);
    pulse_fault(c, node->json, "/plugin", LH_ERR_MISSING, "plugin \"%.100s\" %s%.100s, %s%s", node->plugin,
                known->installed != NULL ? "cannot be run here: it " : "is not installed",
                known->installed != NULL ? known->installed->refused : "",
                node->if_missing == PULSE_MISSING_STAND_INS
                    ? "nor can any of its stand-ins be used"
                    : "and \"ifMissing\" names no stand-ins and does not say \"bypass\"",
                near);
}

/* The node itself, else the first stand-in that is installed, else whatever the project says. *usable is false after a
   fault. A stand-in that is disabled is not tried. */
static enum lh_status choose(struct pulse_compiling *c, const struct pulse_node *node, struct pulse_insert *insert,
                             bool *usable)
{
    size_t facts = 0;
    enum lh_status status = find_facts(c, node->plugin, &facts);
    *insert = (struct pulse_insert){.node = node, .facts = facts, .graph_node = GRAPH_NONE};
    *usable = true;
    if (status != LH_OK || can_run(&c->facts->plugins[facts])) {
        return status;
    }
    for (size_t i = 0; i < node->stand_in_count; i++) {
        const struct pulse_node *stand_in = &node->stand_ins[i];
        size_t other = 0;
        if (!stand_in->enabled) {
            continue;
        }
        status = find_facts(c, stand_in->plugin, &other);
        if (status != LH_OK) {
            return status;
        }
        if (can_run(&c->facts->plugins[other])) {
            insert->node = stand_in;
            insert->facts = other;
            insert->stands_in = true;
            return LH_OK;
        }
    }
    insert->bypassed = node->if_missing == PULSE_MISSING_BYPASS;
    if (!insert->bypassed) {
        tell_missing(c, node, facts);
        *usable = false;
    }
    return LH_OK;
}

/* A layout near the track's that the plugin meets, 0: there is none. Wider ones first: they lose nothing. */
static uint32_t fitting_channels(uint32_t channels, uint32_t inputs, uint32_t outputs)
{
    struct graph_fit fit;
    for (uint32_t wider = channels + 1; wider <= GRAPH_CHANNELS_MAX; wider++) {
        if (graph_fit_plugin(wider, inputs, outputs, &fit)) {
            return wider;
        }
    }
    for (uint32_t narrower = channels; narrower-- > 1;) {
        if (graph_fit_plugin(narrower, inputs, outputs, &fit)) {
            return narrower;
        }
    }
    return 0;
}

static void check_layout(struct pulse_compiling *c, size_t track, const struct pulse_insert *insert)
{
    const struct graph_plugin_facts *plugin = installed(c, insert);
    uint32_t channels = c->channels[track];
    uint32_t inputs = graph_plugin_audio_inputs(plugin), outputs = graph_plugin_audio_outputs(plugin);
    struct graph_fit fit;
    if (graph_fit_plugin(channels, inputs, outputs, &fit)) {
        return;
    }
    uint32_t better = fitting_channels(channels, inputs, outputs);
    char advice[REASON_SIZE] = "no track can carry it";
    if (better > 0) {
        snprintf(advice, sizeof advice, "give the track \"channels\": %u or use another plugin", better);
    }
    pulse_fault(c, insert->node->json, "/plugin", LH_ERR_INVALID,
                "\"%.100s\" has %u audio input%s and %u output%s, and track \"%s\" has %u channel%s; %s",
                insert->node->plugin, inputs, inputs == 1 ? "" : "s", outputs, outputs == 1 ? "" : "s",
                c->project->tracks[track].id, channels, channels == 1 ? "" : "s", advice);
}

static void check_sidechain(struct pulse_compiling *c, const struct pulse_insert *insert)
{
    if (insert->node->sidechain_from != PULSE_NONE && graph_plugin_sidechain_inputs(installed(c, insert)) == 0) {
        pulse_fault(c, insert->node->json, "/sidechain", LH_ERR_INVALID,
                    "\"%.200s\" takes no side chain; remove \"sidechain\" or use another plugin", insert->node->plugin);
    }
}

/* By its URI, or by its label when only one preset has it. */
static enum lh_status find_preset(struct pulse_compiling *c, struct pulse_insert *insert)
{
    const struct graph_plugin_facts *plugin = installed(c, insert);
    const char *wanted = insert->node->preset;
    const struct graph_preset *labelled = NULL;
    size_t label_count = 0;
    const char **names = lh_arena_array(&c->arena, 2 * (size_t)plugin->preset_count, sizeof *names);
    if (wanted == NULL) {
        return LH_OK;
    }
    if (names == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < plugin->preset_count; i++) {
        const struct graph_preset *preset = &plugin->presets[i];
        names[2 * i] = preset->uri;
        names[2 * i + 1] = preset->label;
        if (strcmp(preset->uri, wanted) == 0) {
            insert->description.preset = preset->uri;
            insert->description.preset_bundle = preset->bundle;
            return LH_OK;
        }
        if (strcmp(preset->label, wanted) == 0) {
            labelled = preset;
            label_count++;
        }
    }
    if (label_count == 1) {
        insert->description.preset = labelled->uri;
        insert->description.preset_bundle = labelled->bundle;
        return LH_OK;
    }
    const char *nearest = label_count == 0 ? lh_nearest_name(wanted, names, 2 * (size_t)plugin->preset_count) : NULL;
    if (label_count > 1) {
        pulse_fault(c, insert->node->json, "/preset", LH_ERR_INVALID,
                    "%zu presets of \"%.100s\" are labelled \"%.100s\": give the URI of the one that is meant",
                    label_count, insert->node->plugin, wanted);
    } else {
        pulse_fault(c, insert->node->json, "/preset", LH_ERR_MISSING,
                    "\"%.100s\" has no preset \"%.100s\" that is installed%s%.100s%s", insert->node->plugin, wanted,
                    nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                    nearest != NULL ? "\"?" : "");
    }
    return LH_OK;
}

static enum lh_status find_state(struct pulse_compiling *c, struct pulse_insert *insert)
{
    const char *file = insert->node->state_file;
    if (file == NULL) {
        return LH_OK; /* none, or known by its digest alone, which was told where files are opened */
    }
    size_t found = pulse_names_find(&c->state_names, file);
    if (found == PULSE_NONE) {
        return LH_ERR_INTERNAL;
    }
    const struct pulse_state_facts *state = &c->facts->states[found];
    if (state->text == NULL) {
        return LH_OK;
    }
    if (strnlen(state->text, (size_t)GRAPH_STATE_MAX + 1) > GRAPH_STATE_MAX) {
        pulse_fault(c, insert->node->json, "/state", LH_ERR_LIMIT, "the state is larger than %u MiB",
                    GRAPH_STATE_MAX >> 20);
        return LH_OK;
    }
    insert->description.state = state->text;
    insert->description.folder = state->folder;
    return LH_OK;
}

/* The state says by its datatype that it refers to files, whose content no key knows. The prefix of the datatype is
   the writer's choice. */
static bool refers_to_files(const char *state)
{
    return state != NULL && (strstr(state, ":Path") != NULL || strstr(state, "#Path") != NULL);
}

/* What is not proven, or hangs on files that no key knows, is nobody else's equal. */
static enum lh_status set_identity(struct pulse_compiling *c, const struct pulse_track *track,
                                   struct pulse_insert *insert)
{
    bool known = c->facts->plugins[insert->facts].repeatable && insert->description.preset == NULL &&
                 !refers_to_files(insert->description.state);
    char text[LABEL_SIZE];
    snprintf(text, sizeof text, "track %s, node %s", track->id, insert->node->id);
    insert->label = lh_arena_strdup(&c->arena, text);
    insert->description.identity = known ? "" : insert->label;
    return insert->label != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum lh_status resolve_plugin(struct pulse_compiling *c, size_t track, struct pulse_insert *insert)
{
    const struct graph_plugin_facts *plugin = installed(c, insert);
    const struct pulse_track *item = &c->project->tracks[track];
    struct graph_plugin entry = {.uri = plugin->uri, .bundle = plugin->bundle, .version = plugin->version};
    struct graph_plugin_node *description = &insert->description;
    check_layout(c, track, insert);
    check_sidechain(c, insert);
    insert->begins = graph_plugin_audio_inputs(plugin) == 0 && graph_plugin_audio_outputs(plugin) > 0;
    enum lh_status status = graph_plugin_digest(plugin, &entry.digest);
    status = status == LH_OK ? graph_builder_add_plugin(c->builder, &entry, &description->plugin) : status;
    status = status == LH_OK ? find_preset(c, insert) : status;
    status = status == LH_OK ? find_state(c, insert) : status;
    status = status == LH_OK ? set_identity(c, item, insert) : status;
    return status == LH_OK ? pulse_parameters_compile(c, item, insert->node, plugin, &description->parameters,
                                                      &description->parameter_count)
                           : status;
}

/* Notes go to the first that turns them into sound; MIDI that a plugin puts out goes nowhere. */
static bool plays_notes(const struct pulse_compiling *c, const struct pulse_insert *insert)
{
    const struct graph_plugin_facts *plugin = installed(c, insert);
    return graph_plugin_takes_notes(plugin) && graph_plugin_audio_outputs(plugin) > 0;
}

static enum lh_status resolve_track(struct pulse_compiling *c, size_t track)
{
    const struct pulse_track *item = &c->project->tracks[track];
    struct pulse_inserts *inserts = &c->inserts[track];
    inserts->items = lh_arena_array(&c->arena, item->node_count, sizeof *inserts->items);
    if (inserts->items == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < item->node_count; i++) {
        struct pulse_insert *insert = &inserts->items[inserts->count];
        bool usable = false;
        if (!item->nodes[i].enabled) {
            inserts->may_lack_player = true;
            continue;
        }
        enum lh_status status = choose(c, &item->nodes[i], insert, &usable);
        if (status == LH_OK && usable && !insert->bypassed) {
            status = resolve_plugin(c, track, insert);
        }
        if (status != LH_OK) {
            return status;
        }
        inserts->may_lack_player = inserts->may_lack_player || !usable || insert->bypassed;
        if (usable && !insert->bypassed && inserts->player == PULSE_NONE && plays_notes(c, insert)) {
            inserts->player = inserts->count;
        }
        inserts->count += usable ? 1 : 0;
    }
    return c->routing.needed[track] ? pulse_notes_compile(c, track) : LH_OK;
}

static enum lh_status index_needs(struct pulse_compiling *c)
{
    const struct pulse_needs *needs = c->needs;
    const char **midi = lh_arena_array(&c->arena, needs->midi_count, sizeof *midi);
    const char **states = lh_arena_array(&c->arena, needs->state_count, sizeof *states);
    if (midi == NULL || states == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < needs->midi_count; i++) {
        midi[i] = needs->midi[i].file;
    }
    for (size_t i = 0; i < needs->state_count; i++) {
        states[i] = needs->states[i].file;
    }
    bool known = pulse_names_build(&c->plugin_names, &c->arena, needs->plugins, needs->plugin_count) &&
                 pulse_names_build(&c->midi_names, &c->arena, midi, needs->midi_count) &&
                 pulse_names_build(&c->state_names, &c->arena, states, needs->state_count);
    return known ? LH_OK : LH_ERR_NO_MEMORY;
}

enum lh_status pulse_inserts_resolve(struct pulse_compiling *c)
{
    size_t count = c->project->track_count;
    c->inserts = lh_arena_array(&c->arena, count, sizeof *c->inserts);
    enum lh_status status = c->inserts != NULL ? index_needs(c) : LH_ERR_NO_MEMORY;
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        c->inserts[i].player = PULSE_NONE;
        if (pulse_takes_part(c, i)) {
            status = resolve_track(c, i);
        }
    }
    return status;
}

static uint32_t sidechain_of(const struct pulse_compiling *c, const struct pulse_node *node,
                             const struct pulse_strip *strips)
{
    size_t from = node->sidechain_from;
    if (from == PULSE_NONE) {
        return GRAPH_NONE;
    }
    bool live = pulse_tap_is_live(&c->routing, from, node->sidechain_tap);
    uint32_t tap = node->sidechain_tap == PULSE_TAP_PRE ? strips[from].pre : strips[from].post;
    return live ? tap : GRAPH_NONE;
}

static enum lh_status add_node(struct pulse_compiling *c, size_t track, struct pulse_insert *insert,
                               struct graph_plugin_node *description, uint32_t *node)
{
    if (description->input == GRAPH_NONE && !insert->begins) { /* an effect that is played has silence to work on */
        enum lh_status status = graph_builder_add_sum(c->builder, GRAPH_NODE_BUS, c->channels[track], false, NULL, 0,
                                                      "silence", &description->input);
        if (status != LH_OK) {
            return status;
        }
    }
    description->channels = c->channels[track];
    enum lh_status status = graph_builder_add_plugin_node(c->builder, description, insert->label, node);
    if (status == LH_OK && insert->graph_node == GRAPH_NONE) {
        insert->graph_node = *node;
    }
    return status;
}

enum lh_status pulse_inserts_build(struct pulse_compiling *c, size_t track, const struct pulse_strip *strips,
                                   uint32_t source, bool share, uint32_t *node)
{
    struct pulse_inserts *inserts = &c->inserts[track];
    uint32_t at = source;
    for (size_t i = 0; i < inserts->count; i++) {
        struct pulse_insert *insert = &inserts->items[i];
        struct graph_plugin_node description = insert->description;
        if (insert->bypassed) {
            continue;
        }
        if (!share && i == inserts->player) {
            description.events = inserts->events;
            description.event_count = inserts->event_count;
        }
        if (insert->begins && share) {
            at = GRAPH_NONE; /* what it makes is the track's own */
            continue;
        }
        if (at == GRAPH_NONE && !insert->begins && description.event_count == 0) {
            continue; /* silence stays silence */
        }
        description.input = insert->begins ? GRAPH_NONE : at;
        description.sidechain = sidechain_of(c, insert->node, strips);
        enum lh_status status = add_node(c, track, insert, &description, &at);
        if (status != LH_OK) {
            return status;
        }
    }
    *node = at;
    return LH_OK;
}

enum lh_status pulse_inserts_report(struct pulse_compiling *c)
{
    size_t most = 0, count = 0;
    for (size_t i = 0; i < c->project->track_count; i++) {
        most += c->inserts[i].count;
    }
    struct pulse_used_plugin *used = lh_arena_array(&c->result->arena, most, sizeof *used);
    if (used == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < c->project->track_count; i++) {
        for (size_t k = 0; k < c->inserts[i].count; k++) {
            const struct pulse_insert *insert = &c->inserts[i].items[k];
            uint32_t place = GRAPH_NONE;
            if (insert->graph_node != GRAPH_NONE) {
                place = graph_builder_place(c->builder, insert->graph_node);
            }
            if (insert->bypassed || place != GRAPH_NONE) {
                used[count++] = (struct pulse_used_plugin){.track = i,
                                                           .node = insert->node->id,
                                                           .plugin = insert->node->plugin,
                                                           .facts = insert->facts,
                                                           .graph_node = place,
                                                           .stands_in = insert->stands_in};
            }
        }
    }
    c->result->plugins = used;
    c->result->plugin_count = count;
    return LH_OK;
}
