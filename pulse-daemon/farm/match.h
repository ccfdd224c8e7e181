/* SPDX-License-Identifier: MIT */
/* Which workers can do which shards. Workers with equal traits are one class; needs that the same classes meet are one
   group, and share one queue of work: so nothing is compared when a shard is handed out. */
#ifndef PULSE_FARM_MATCH_H
#define PULSE_FARM_MATCH_H

#include "pulse-daemon/farm/state.h"

/* The needs of that digest, made from the row when they are new; NULL: no memory. Those that no shard has in the end
   are to be freed. */
struct pulse_farm_needs *pulse_farm_needs(struct pulse_farm *farm, const struct pulse_needs_row *row, bool *is_new);
struct pulse_farm_needs *pulse_farm_find_needs(const struct pulse_farm *farm, const struct lh_digest *id);
void pulse_farm_needs_free(struct pulse_farm *farm, struct pulse_farm_needs *needs);

/* The class of these traits, with one more worker; NULL: no memory. */
struct pulse_farm_class *pulse_farm_class_join(struct pulse_farm *farm, const struct pulse_farm_traits *traits);
void pulse_farm_class_leave(struct pulse_farm *farm, struct pulse_farm_class *class);

bool pulse_farm_group_has(const struct pulse_farm_group *group, const struct pulse_farm_class *class);
/* How many workers there are who could get shards of the group. */
size_t pulse_farm_group_active(const struct pulse_farm *farm, const struct pulse_farm_group *group);
void pulse_farm_group_free(struct pulse_farm *farm, struct pulse_farm_group *group);

#endif
