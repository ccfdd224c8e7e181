/* SPDX-License-Identifier: MIT */
/* Plugin nodes and their stand-ins. */
#include <string.h>

#include "pulse-daemon/project/format.h"
#include "pulse-daemon/project/paths.h"
#include "pulse-daemon/project/read.h"

static void read_parameters(struct pulse_reading *reading, const struct lh_json *map, struct pulse_node *node)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(map, LH_JSON_OBJECT, PULSE_PARAMETERS_MAX, &items);
    struct pulse_parameter *parameters = pulse_read_array(reading, count, sizeof *parameters);
    for (size_t i = 0; parameters != NULL && i < count; i++) {
        parameters[i] =
            (struct pulse_parameter){.symbol = items[i]->name, .value = lh_json_number(items[i]), .json = items[i]};
    }
    node->parameters = parameters;
    node->parameter_count = parameters == NULL ? 0 : count;
}

static void read_state(struct pulse_reading *reading, const struct lh_json *state, struct pulse_node *node)
{
    const char *file = state == NULL ? NULL : pulse_text(state, "file", NULL);
    const char *digest = state == NULL ? NULL : pulse_text(state, "digest", NULL);
    if (file != NULL && pulse_path_fault(file) == NULL) {
        node->state_file = pulse_path_normalise(reading->arena, file);
        reading->report.out_of_memory |= node->state_file == NULL;
    }
    bool known = digest != NULL && lh_digest_parse(digest, &node->state_digest);
    node->state = node->state_file != NULL || known ? state : NULL;
}

/* What a node and a stand-in have in common. */
static void read_node(struct pulse_reading *reading, const struct lh_json *json, struct pulse_node *node)
{
    const struct lh_json *sidechain = lh_json_member(json, "sidechain");
    bool has_sidechain = sidechain != NULL && sidechain->kind == LH_JSON_OBJECT;
    const struct lh_json *enabled = lh_json_member(json, "enabled");
    *node = (struct pulse_node){
        .id = pulse_text(json, "id", ""),
        .plugin = pulse_text(json, "plugin", ""),
        .enabled = enabled == NULL || enabled->kind == LH_JSON_TRUE,
        .preset = pulse_text(json, "preset", NULL),
        .sidechain_from = has_sidechain ? pulse_track_named(reading, lh_json_member(sidechain, "from")) : PULSE_NONE,
        .sidechain_tap =
            has_sidechain ? (enum pulse_tap)pulse_choice(sidechain, "tap", pulse_tap_names, 2, 0) : PULSE_TAP_POST,
        .json = json,
    };
    read_parameters(reading, lh_json_member(json, "parameters"), node);
    read_state(reading, lh_json_member(json, "state"), node);
}

static void read_if_missing(struct pulse_reading *reading, const struct lh_json *if_missing, struct pulse_node *node)
{
    if (if_missing == NULL || if_missing->kind != LH_JSON_ARRAY) {
        bool bypass = strcmp(pulse_text(node->json, "ifMissing", ""), "bypass") == 0;
        node->if_missing = bypass ? PULSE_MISSING_BYPASS : PULSE_MISSING_FAIL;
        return;
    }
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(if_missing, LH_JSON_ARRAY, PULSE_NODES_MAX, &items);
    struct pulse_node *stand_ins = pulse_read_array(reading, count, sizeof *stand_ins);
    for (size_t i = 0; stand_ins != NULL && i < count; i++) {
        read_node(reading, items[i], &stand_ins[i]);
    }
    node->if_missing = PULSE_MISSING_STAND_INS;
    node->stand_ins = stand_ins;
    node->stand_in_count = stand_ins == NULL ? 0 : count;
}

/* Ids are unique over a track's nodes and their stand-ins, so that automation can name any of them. */
static void check_ids(struct pulse_reading *reading, const struct pulse_node *nodes, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += 1 + nodes[i].stand_in_count;
    }
    const struct lh_json **all = pulse_read_array(reading, total, sizeof *all);
    const char **ids = pulse_read_array(reading, total, sizeof *ids);
    struct pulse_names names;
    if (all == NULL || ids == NULL) {
        return;
    }
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        all[filled++] = nodes[i].json;
        for (size_t k = 0; k < nodes[i].stand_in_count; k++) {
            all[filled++] = nodes[i].stand_ins[k].json;
        }
    }
    for (size_t i = 0; i < total; i++) {
        ids[i] = pulse_text(all[i], "id", NULL);
    }
    if (!pulse_read_names(reading, ids, total, &names)) {
        return;
    }
    for (size_t i = 0; i < total; i++) {
        if (ids[i] != NULL && pulse_names_find(&names, ids[i]) != i) {
            pulse_report_at(&reading->report, lh_json_member(all[i], "id"),
                            "node id %s is already taken by another node of this track",
                            pulse_report_quote(&reading->report, ids[i]));
        }
    }
}

void pulse_read_nodes(struct pulse_reading *reading, struct pulse_track *track, const struct lh_json *list)
{
    struct lh_json *const *items = NULL;
    size_t count = pulse_items(list, LH_JSON_ARRAY, PULSE_NODES_MAX, &items);
    struct pulse_node *nodes = pulse_read_array(reading, count, sizeof *nodes);
    if (nodes == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_node(reading, items[i], &nodes[i]);
        read_if_missing(reading, lh_json_member(items[i], "ifMissing"), &nodes[i]);
    }
    check_ids(reading, nodes, count);
    track->nodes = nodes;
    track->node_count = count;
}
