/* SPDX-License-Identifier: MIT */
/* All steps, in their order. */
#include "pulse-daemon/store/migrations/migrations.h"

const struct pulse_migration pulse_migrations[] = {
    {pulse_migration_1},
    {pulse_migration_2},
    {pulse_migration_3},
    {pulse_migration_4},
};
const size_t pulse_migration_count = sizeof pulse_migrations / sizeof *pulse_migrations;
