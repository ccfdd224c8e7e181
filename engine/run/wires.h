/* SPDX-License-Identifier: MIT */
/* The rule of graph/fit.h, port by port. Private to engine/run. */
#ifndef ENGINE_RUN_WIRES_H
#define ENGINE_RUN_WIRES_H

#include <stddef.h>

#include "graph/fit.h"

enum engine_wire_kind { ENGINE_WIRE_SILENCE = 0, ENGINE_WIRE_CHANNEL, ENGINE_WIRE_SUM };

/* What one input port of a plugin hears of a stream. */
struct engine_wire {
    enum engine_wire_kind kind;
    uint32_t channel; /* CHANNEL */
    float scale;      /* SUM: of all channels, times this */
};

/* Audio input `port` of a copy, on a track of `channels`. */
struct engine_wire engine_wire_input(const struct graph_fit *fit, uint32_t channels, uint32_t copy, uint32_t port);
/* Side chain input `port` of `ports`, keyed by a stream of `channels`. */
struct engine_wire engine_wire_sidechain(uint32_t channels, uint32_t ports, uint32_t port);
/* Fills a port from interleaved frames; NULL is silence. */
void engine_wire_fill(struct engine_wire wire, const float *in, size_t frames, uint32_t channels, float *port);

/* Which copy's output gives a channel of the track, and which port of it. Not for PASS; of MEAN the first of two. */
void engine_wire_output(const struct graph_fit *fit, uint32_t channel, uint32_t *copy, uint32_t *port);

#endif
