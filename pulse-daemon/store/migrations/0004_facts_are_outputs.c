/* SPDX-License-Identifier: MIT */
/* What is known of files, inserts and plugins is kept otherwise (decision 19): no version ever filled these two tables.
   The column media.facts goes with a later step, since a Pulse of the version before still names it. */
#include "pulse-daemon/store/migrations/migrations.h"

const char *const pulse_migration_4[] = {
    "DROP TABLE insert_facts",
    "DROP TABLE inventories",
    NULL,
};
