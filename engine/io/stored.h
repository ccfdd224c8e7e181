/* SPDX-License-Identifier: MIT */
/* Stored frames (struct graph_stored): raw files that one render writes and another reads, by positioned calls. Any
   thread; several may read one file. */
#ifndef ENGINE_IO_STORED_H
#define ENGINE_IO_STORED_H

#include "graph/graph.h"

/* Bytes of the file. */
uint64_t engine_stored_size(const struct graph_stored *stored);
/* LH_ERR_IO: the file is not one of exactly these frames. */
LH_NODISCARD enum lh_status engine_stored_check(int fd, const struct graph_stored *stored, struct lh_error *error);
/* Frames [from, from + frames) of the timeline, floats or int64, into `out`. LH_ERR_FAULT: it does not have them all,
   and nothing is read. */
LH_NODISCARD enum lh_status engine_stored_read(int fd, const struct graph_stored *stored, int64_t from, size_t frames,
                                               void *out, struct lh_error *error);
/* `bytes` of them at `offset` in the file. LH_ERR_IO. */
LH_NODISCARD enum lh_status engine_stored_write(int fd, const void *in, size_t bytes, uint64_t offset,
                                                struct lh_error *error);

#endif
