/* SPDX-License-Identifier: MIT */
/* Random projects as render graphs: through load, compile and encoding, with the media that they play. */
#ifndef TESTS_IDENTITY_RANDOM_SONG_H
#define TESTS_IDENTITY_RANDOM_SONG_H

#include "graph/graph.h"
#include "tests/identity/random_project.h"

/* Makes the media of all projects: noise in every kind that is read differently. */
void random_song_open(void);

/* The same media as files of a folder, under the names that projects call them by. */
void random_song_save_media(const char *folder);

/* The project of a seed, its tracks listed in the order of another (0: as made), as the signal instance gets it:
   through the encoding; and cut into partial sums when partition_seed is not 0. `media` has room for RANDOM_MEDIA_COUNT
   files, which stay ours. */
const struct graph *random_song_make(uint64_t seed, uint64_t order_seed, uint32_t quantum, uint64_t partition_seed,
                                     int *media);

#endif
