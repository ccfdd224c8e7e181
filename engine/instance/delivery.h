/* SPDX-License-Identifier: MIT */
/* What is told of a delivered file beside its bytes, as bytes: the cache of the command keeps it, the farm carries it
   from a worker to whoever asks for the file. Any thread. */
#ifndef ENGINE_INSTANCE_DELIVERY_H
#define ENGINE_INSTANCE_DELIVERY_H

#include "common/base/bytes.h"
#include "common/digest/digest.h"
#include "engine/run/render.h"

/* `file`: the digest of the file. */
void engine_delivery_write(struct lh_writer *writer, const struct engine_delivered *delivered,
                           const struct lh_digest *file);
/* Checks everything: LH_ERR_FORMAT for what cannot have been written. */
LH_NODISCARD enum lh_status engine_delivery_read(const void *data, size_t size, struct engine_delivered *delivered,
                                                 struct lh_digest *file);

#endif
