/* SPDX-License-Identifier: MIT */
/* Random mixes with plugins, from a seed: tracks and instruments through Calf's, Steve Harris', LSP's and our own
   plugins, with moving parameters, latency, side chains, a group, a return, pre-rolls and tails. */
#ifndef TESTS_IDENTITY_RANDOM_MIX_H
#define TESTS_IDENTITY_RANDOM_MIX_H

#include "engine/host/host.h"
#include "graph/graph.h"

#define RANDOM_MIX_FILES 4

extern struct engine_host *random_mix_host;
extern int random_mix_media[2]; /* of every mix */

/* Without Debian's plugins there is nothing to show: prints a TAP plan of none and exits. */
void random_mix_open(void);
void random_mix_close(void);

/* The same seed and quantum make the same mix. `only`: the one file that is delivered; GRAPH_NONE: all. */
const struct graph *random_mix_make(uint64_t seed, uint32_t quantum, uint32_t only);

#endif
