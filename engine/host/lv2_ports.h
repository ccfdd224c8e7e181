/* SPDX-License-Identifier: MIT */
/* A plugin's ports and writable properties from its Turtle data. */
#ifndef ENGINE_HOST_LV2_PORTS_H
#define ENGINE_HOST_LV2_PORTS_H

#include "engine/host/lv2_describe.h"

#define ENGINE_LV2_EVENTS_CAPACITY 65536u /* of an event port that asks for no more */
#define ENGINE_LV2_EVENTS_CAPACITY_MAX (64u << 20)

/* Fills facts.ports, port_count and all that struct engine_lv2_facts says of ports; `labels`: also texts that are for
   people. Refuses in facts.refused what cannot be connected. LH_ERR_FORMAT, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_lv2_read_ports(struct engine_provider_world *world, struct lh_arena *arena,
                                                  bool labels, struct engine_lv2_facts *facts, struct lh_error *error);

/* A copy in the arena, cut at `limit` bytes; "" for NULL nodes. NULL: out of memory. */
const char *engine_lv2_text(struct lh_arena *arena, const LilvNode *node, size_t limit);
/* The same of a URI's last part: what follows '#', or else the last '/'. */
const char *engine_lv2_local_name(const char *uri);

#endif
