/* SPDX-License-Identifier: MIT */
/* Random projects with every native feature, from a seed: the same seed gives the same project, and its tracks can be
   listed in another order without changing what they say. */
#ifndef TESTS_IDENTITY_RANDOM_PROJECT_H
#define TESTS_IDENTITY_RANDOM_PROJECT_H

#include <stdint.h>

#include "common/base/bytes.h"

#define RANDOM_MEDIA_COUNT 8

/* Channels of medium i ("m0".."m7"), for the writer of the files. */
unsigned random_media_channels(unsigned medium);

/* splitmix64: the tests' own generator. */
uint64_t random_next(uint64_t *state);

/* Writes the project's JSON. order_seed 0 lists the tracks as made, another shuffles them. */
void random_project_write(struct lh_writer *writer, uint64_t seed, uint64_t order_seed, uint32_t quantum);

#endif
