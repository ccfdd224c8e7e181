/* SPDX-License-Identifier: MIT */
/* What containers and codecs can hold, known without any of their libraries: a deliverable that cannot be written is
   told before anything is rendered, also by who renders nothing. Any thread. */
#ifndef GRAPH_CONTAINER_H
#define GRAPH_CONTAINER_H

#include "graph/graph.h"

/* LH_OK, or LH_ERR_UNSUPPORTED with the reason. */
LH_NODISCARD enum lh_status graph_container_check(const struct graph_deliverable *deliverable, uint32_t channels,
                                                  struct lh_error *error);
/* The highest bit rate of MP3 at a rate that is accepted, in kbit/s; 0: no such rate. */
uint32_t graph_mp3_most_kbps(uint32_t rate);

#endif
