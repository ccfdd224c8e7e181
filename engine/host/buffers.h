/* SPDX-License-Identifier: MIT */
/* Memory for a plugin's ports: each buffer lies between pages that nobody may touch, with its end at the upper one, so
   that writing past a port is caught where it happens. */
#ifndef ENGINE_HOST_BUFFERS_H
#define ENGINE_HOST_BUFFERS_H

#include <stddef.h>

#include "common/base/status.h"

struct engine_buffers {
    void *base; /* NULL: none */
    size_t size;
};

/* `count` buffers of `sizes[i]` bytes, zeroed, places[i] each; NULL for a size of 0. A buffer is aligned as its size
   is: to 64 bytes when that is a multiple of 64. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_buffers_new(const size_t *sizes, size_t count, struct engine_buffers *buffers,
                                               void **places, struct lh_error *error);
void engine_buffers_free(struct engine_buffers *buffers); /* accepts NULL and zeroed ones */

#endif
