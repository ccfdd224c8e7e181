/* SPDX-License-Identifier: MIT */
/* A document while it is edited: what was not touched is the JSON value as read, what was is a list of nodes. Internal
   to this folder. */
#ifndef PULSE_PROJECT_EDIT_TREE_H
#define PULSE_PROJECT_EDIT_TREE_H

#include <stdbool.h>

#include "common/json/json.h"

#define PULSE_EDIT_WORK_MAX (UINT64_C(1) << 28) /* elements looked at and moved by one transaction */

struct pulse_edit_node {
    const struct lh_json *value; /* as read; of an open one its kind alone counts */
    const char *name;            /* as a member; NULL as an element or the root */
    bool open;
    struct pulse_edit_node **items; /* of an open array or object */
    size_t count, capacity;
};

struct pulse_edit_tree {
    struct lh_arena *arena;
    struct pulse_edit_node *root;
    uint64_t work;
};

/* A place: `index` in the items of `parent` (which is open); its count for one past the end, or a new member of the
   name `token`. The root has no parent. */
struct pulse_edit_place {
    struct pulse_edit_node *parent;
    size_t index;
    const char *token;   /* the last of the pointer, with ~0 and ~1 undone */
    bool there;          /* something stands there */
    const char *pointer; /* the same by indices, for a place that is there or would be inserted */
};

LH_NODISCARD enum lh_status pulse_edit_tree_init(struct pulse_edit_tree *tree, struct lh_arena *arena,
                                                 const struct lh_json *root, struct lh_error *error);
/* Follows the pointer; opens what is on the way. LH_ERR_USAGE when it leads nowhere. */
LH_NODISCARD enum lh_status pulse_edit_tree_find(struct pulse_edit_tree *tree, const char *pointer,
                                                 struct pulse_edit_place *place, struct lh_error *error);
/* What stands there. */
struct pulse_edit_node *pulse_edit_tree_at(const struct pulse_edit_tree *tree, const struct pulse_edit_place *place);
/* Inserts a node; of an object under the place's token, before `index`. */
LH_NODISCARD enum lh_status pulse_edit_tree_insert(struct pulse_edit_tree *tree, const struct pulse_edit_place *place,
                                                   struct pulse_edit_node *node, struct lh_error *error);
/* Takes what is there out; the places after it move up. */
LH_NODISCARD enum lh_status pulse_edit_tree_remove(struct pulse_edit_tree *tree, const struct pulse_edit_place *place,
                                                   struct pulse_edit_node **node, struct lh_error *error);
/* Replaces what is there; of the root too. */
void pulse_edit_tree_replace(struct pulse_edit_tree *tree, const struct pulse_edit_place *place,
                             struct pulse_edit_node *node);
/* A closed node; NULL when memory is out. */
struct pulse_edit_node *pulse_edit_node_new(struct pulse_edit_tree *tree, const struct lh_json *value);
/* The node as a value: as read, or built anew from what is open. */
LH_NODISCARD enum lh_status pulse_edit_node_freeze(struct pulse_edit_tree *tree, const struct pulse_edit_node *node,
                                                   const struct lh_json **value, struct lh_error *error);

#endif
