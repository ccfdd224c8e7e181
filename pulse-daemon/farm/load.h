/* SPDX-License-Identifier: MIT */
/* What load.c and heal.c share. */
#ifndef PULSE_FARM_LOAD_H
#define PULSE_FARM_LOAD_H

#include "pulse-daemon/farm/state.h"

/* State, claim and past of a shard whose edges are linked. False: no memory. */
bool pulse_farm_load_owner(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard,
                           const struct pulse_shard_row *row);

#endif
