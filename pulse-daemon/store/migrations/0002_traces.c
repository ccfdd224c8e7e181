/* SPDX-License-Identifier: MIT */
/* Whose doing it is: the W3C traceparent that a job was submitted with, and of each shard that of the job which it was
   planned for first; "" for those of before. */
#include "pulse-daemon/store/migrations/migrations.h"

const char *const pulse_migration_2[] = {
    "ALTER TABLE requests ADD COLUMN trace {text} NOT NULL DEFAULT ''",
    "ALTER TABLE specs ADD COLUMN trace {text} NOT NULL DEFAULT ''",
    NULL,
};
