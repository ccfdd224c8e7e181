/* SPDX-License-Identifier: MIT */
/* Connecting a plugin's ports. */
#include "engine/run/wires.h"

#include <string.h>

#include "engine/dsp/planar.h"

static struct engine_wire silence(void)
{
    return (struct engine_wire){.kind = ENGINE_WIRE_SILENCE};
}

static struct engine_wire channel_of(uint32_t channel)
{
    return (struct engine_wire){.kind = ENGINE_WIRE_CHANNEL, .channel = channel};
}

static struct engine_wire sum_times(float scale)
{
    return (struct engine_wire){.kind = ENGINE_WIRE_SUM, .scale = scale};
}

struct engine_wire engine_wire_input(const struct graph_fit *fit, uint32_t channels, uint32_t copy, uint32_t port)
{
    switch (fit->in) {
    case GRAPH_FIT_IN_NONE:
        break;
    case GRAPH_FIT_IN_STRAIGHT:
        return copy + port < channels ? channel_of(copy + port) : silence();
    case GRAPH_FIT_IN_SPREAD:
        return channel_of(0);
    case GRAPH_FIT_IN_MEAN:
        return sum_times((float)(1.0 / channels));
    }
    return silence();
}

struct engine_wire engine_wire_sidechain(uint32_t channels, uint32_t ports, uint32_t port)
{
    if (channels == ports) {
        return channel_of(port);
    }
    if (ports == 1) {
        return sum_times(1.0f);
    }
    if (channels == 1) {
        return channel_of(0);
    }
    return port < channels ? channel_of(port) : silence();
}

void engine_wire_fill(struct engine_wire wire, const float *in, size_t frames, uint32_t channels, float *port)
{
    if (in == NULL || wire.kind == ENGINE_WIRE_SILENCE) {
        memset(port, 0, frames * sizeof *port);
    } else if (wire.kind == ENGINE_WIRE_CHANNEL) {
        engine_planar_pick(port, in, frames, channels, wire.channel);
    } else {
        engine_planar_sum(port, in, frames, channels, wire.scale);
    }
}

void engine_wire_output(const struct graph_fit *fit, uint32_t channel, uint32_t *copy, uint32_t *port)
{
    bool copies = fit->copies > 1;
    bool straight = fit->out == GRAPH_FIT_OUT_STRAIGHT;
    *copy = copies ? channel : 0;
    *port = straight && !copies ? channel : 0;
}
