/* SPDX-License-Identifier: MIT */
/* A descriptor as libsndfile sees it: positioned reads with a position of our own, so that any number of readers share
   one descriptor. The file's head is read once and then served from memory. */
#ifndef ENGINE_IO_VIO_H
#define ENGINE_IO_VIO_H

#include <sndfile.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define ENGINE_VIO_HEAD_SIZE 4096
#define ENGINE_VIO_HEADER_READS 65536 /* no honest header needs more: a file of a billion tiny chunks ends here */

/* Plain data; must not move while a SNDFILE uses it. One thread at a time. */
struct engine_vio {
    int fd; /* borrowed */
    int64_t position;
    int64_t size;       /* of the file, when it was looked at */
    int64_t reads_left; /* negative: without limit */
    int read_errno;     /* of the first read that failed, else 0 */
    size_t head_size;
    uint8_t head[ENGINE_VIO_HEAD_SIZE];
};

/* LH_ERR_FORMAT for anything but a regular file. */
LH_NODISCARD enum lh_status engine_vio_init(struct engine_vio *vio, int fd, struct lh_error *error);

/* Exactly `size` bytes at `offset`; false when the file has fewer there or cannot be read. */
LH_NODISCARD bool engine_vio_read_at(struct engine_vio *vio, int64_t offset, void *out, size_t size);

/* Opens the file for decoding, as a libsndfile handle that the caller closes before `vio` ends. Reading its header
   takes at most ENGINE_VIO_HEADER_READS reads. LH_ERR_FORMAT with libsndfile's reason, LH_ERR_IO when a read failed. */
LH_NODISCARD enum lh_status engine_vio_open(struct engine_vio *vio, SNDFILE **file, SF_INFO *info,
                                            struct lh_error *error);

#endif
