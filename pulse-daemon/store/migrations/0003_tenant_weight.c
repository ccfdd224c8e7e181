/* SPDX-License-Identifier: MIT */
/* Tenants get a weight. A Pulse of the version before writes none, and gives everybody the same share. */
#include "pulse-daemon/store/migrations/migrations.h"

const char *const pulse_migration_3[] = {
    "ALTER TABLE tenants ADD COLUMN weight {int} NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000)",
    NULL,
};
