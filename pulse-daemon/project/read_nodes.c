/* SPDX-License-Identifier: MIT */
/* Plugin nodes, and automation, which addresses them. */
#include <math.h>
#include <string.h>

#include "pulse-daemon/project/format.h"
#include "pulse-daemon/project/read.h"

static void read_node(struct pulse_reading *reading, const struct lh_json *json, struct pulse_node *node)
{
    const struct lh_json *sidechain = lh_json_member(json, "sidechain");
    bool has_sidechain = sidechain != NULL && sidechain->kind == LH_JSON_OBJECT;
    const struct lh_json *enabled = lh_json_member(json, "enabled");
    *node = (struct pulse_node){
        .id = pulse_text(json, "id", ""),
        .plugin = pulse_text(json, "plugin", ""),
        .enabled = enabled == NULL || enabled->kind == LH_JSON_TRUE,
        .sidechain_from = has_sidechain ? pulse_track_named(reading, lh_json_member(sidechain, "from")) : PULSE_NONE,
        .sidechain_tap =
            has_sidechain ? (enum pulse_tap)pulse_choice(sidechain, "tap", pulse_tap_names, 2, 0) : PULSE_TAP_POST,
        .json = json,
    };
}

static size_t stand_ins_of(const struct lh_json *node, struct lh_json *const **items)
{
    const struct lh_json *if_missing = lh_json_member(node, "ifMissing");
    return pulse_items(if_missing, LH_JSON_ARRAY, PULSE_NODES_MAX, items);
}

/* Ids are unique over a track's nodes and their stand-ins, so that automation can name any of them. */
static void check_ids(struct pulse_reading *reading, struct lh_json *const *items, size_t count)
{
    size_t total = 0;
    struct lh_json *const *stand_ins = NULL;
    for (size_t i = 0; i < count; i++) {
        total += 1 + stand_ins_of(items[i], &stand_ins);
    }
    const struct lh_json **all = pulse_read_array(reading, total, sizeof *all);
    const char **ids = pulse_read_array(reading, total, sizeof *ids);
    struct pulse_names names;
    if (all == NULL || ids == NULL) {
        return;
    }
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        all[filled++] = items[i];
        size_t spare = stand_ins_of(items[i], &stand_ins);
        for (size_t k = 0; k < spare; k++) {
            struct pulse_node ignored;
            read_node(reading, stand_ins[k], &ignored); /* checks its side chain */
            all[filled++] = stand_ins[k];
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
    }
    check_ids(reading, items, count);
    track->nodes = nodes;
    track->node_count = count;
}
