/* SPDX-License-Identifier: MIT */
/* Where the program loophole-signal is. */
#ifndef ENGINE_INSTANCE_LOCATE_H
#define ENGINE_INSTANCE_LOCATE_H

#include <stddef.h>

#include "common/base/status.h"

/* $LOOPHOLE_SIGNAL; else as common/base/program.h says. LH_ERR_IO says what to do; LH_ERR_LIMIT: a path longer than
   `size`. */
LH_NODISCARD enum lh_status engine_instance_locate(char *path, size_t size, struct lh_error *error);

#endif
