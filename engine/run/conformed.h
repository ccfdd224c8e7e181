/* SPDX-License-Identifier: MIT */
/* Where conformed media lie in the scratch file: in the graph's order from its beginning, whether or not they are
   given from elsewhere. The render puts them there, its caller may copy them from there once it is done. */
#ifndef ENGINE_RUN_CONFORMED_H
#define ENGINE_RUN_CONFORMED_H

#include "graph/graph.h"

#define ENGINE_CONFORMED_ALIGNMENT 4096u /* of each, so that file systems can share blocks */

/* Bytes of a medium once conformed: raw interleaved floats at the project's rate. 0: it is read in place. */
static inline uint64_t engine_conformed_size(const struct graph_media *media)
{
    return media->conform == GRAPH_CONFORM_IN_PLACE ? 0 : media->length * media->channels * sizeof(float);
}

/* The same with what is left free behind it. */
static inline uint64_t engine_conformed_room(const struct graph_media *media)
{
    return (engine_conformed_size(media) + ENGINE_CONFORMED_ALIGNMENT - 1) &
           ~(uint64_t)(ENGINE_CONFORMED_ALIGNMENT - 1);
}

#endif
