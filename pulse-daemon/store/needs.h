/* SPDX-License-Identifier: MIT */
/* What a set of needs looks like in its row:
       u8 1   text engine   text CPU class   u32 count of tags: texts   u32 count of plugins: digests */
#ifndef PULSE_STORE_NEEDS_H
#define PULSE_STORE_NEEDS_H

#include "common/base/arena.h"
#include "pulse-daemon/farm/rows.h"

/* In the arena. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_needs_encode(const struct pulse_needs_row *needs, struct lh_arena *arena,
                                               const void **body, size_t *size);
/* All but the id; texts in the arena, plugins too. LH_ERR_FORMAT, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_needs_decode(const void *body, size_t size, struct lh_arena *arena,
                                               struct pulse_needs_row *needs, struct lh_error *error);

#endif
