/* SPDX-License-Identifier: MIT */
/* Sound files in memory, for the tests of this folder. */
#ifndef TESTS_ENGINE_IO_SOUNDS_H
#define TESTS_ENGINE_IO_SOUNDS_H

#include <stddef.h>
#include <stdint.h>

/* An empty file in memory; the test ends when there is none to have. */
int sounds_empty(void);
int sounds_from_bytes(const void *bytes, size_t size);

/* A file of libsndfile's `format` with `frames` of `samples`. -1 when libsndfile cannot write the combination. */
int sounds_write(int format, int rate, int channels, const float *samples, size_t frames);
/* Integers in the upper bits, as they are. */
int sounds_write_int(int format, int rate, int channels, const int32_t *samples, size_t frames);

/* The file's first `size` bytes, in a new file. */
int sounds_cut(int fd, size_t size);
size_t sounds_size(int fd);

/* Noise in -1..1, repeatable: a multiple of 2^-(bits - 1). */
void sounds_fill_noise(float *out, size_t count, unsigned bits, uint32_t seed);

#endif
