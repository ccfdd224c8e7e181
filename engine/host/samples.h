/* SPDX-License-Identifier: MIT */
/* Looking over samples that a plugin gave. */
#ifndef ENGINE_HOST_SAMPLES_H
#define ENGINE_HOST_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

/* Neither NaN nor infinite, all of them. */
bool engine_samples_finite(const float *samples, size_t count);
size_t engine_samples_first_not_finite(const float *samples, size_t count); /* count: there is none */
/* A value that sound does not have, to see whether something was written over it. */
void engine_samples_mark(float *samples, size_t count);
size_t engine_samples_first_unmarked(const float *samples, size_t count); /* count: there is none */

#endif
