/* SPDX-License-Identifier: MIT */
/* The numbered steps that bring a store's tables from nothing to what this Pulse works with. A step is never changed
   after it was released; the next one gets the next number. Steps expand first: a Pulse of the version before goes on
   working while the newer one has migrated already, and only a later step takes away what nobody reads any more. */
#ifndef PULSE_STORE_MIGRATIONS_MIGRATIONS_H
#define PULSE_STORE_MIGRATIONS_MIGRATIONS_H

#include <stddef.h>

/* Statements in the words of sql.h; each step is one transaction. */
struct pulse_migration {
    const char *const *statements; /* NULL at the end */
};

/* Number i + 1 at [i]. */
extern const struct pulse_migration pulse_migrations[];
extern const size_t pulse_migration_count;

extern const char *const pulse_migration_1[];
extern const char *const pulse_migration_2[];
extern const char *const pulse_migration_3[];
extern const char *const pulse_migration_4[];

#endif
