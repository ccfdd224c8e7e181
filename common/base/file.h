/* SPDX-License-Identifier: MIT */
/* Positioned input and output of whole spans: interrupted and short transfers go on where they stopped. */
#ifndef LH_BASE_FILE_H
#define LH_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* All `size` bytes at `offset`. 0, or the errno of what failed: EIO for a file that ends before, which `data` then
   holds up to there. */
int lh_file_read_at(int fd, void *data, size_t size, uint64_t offset);
/* As many as there are up to `size`; *done of them, also when it fails. */
int lh_file_read_some_at(int fd, void *data, size_t size, uint64_t offset, size_t *done);
/* All `size` bytes at `offset`. 0, or the errno of what failed: ENOSPC when nothing is taken without a reason. */
int lh_file_write_at(int fd, const void *data, size_t size, uint64_t offset);

#endif
