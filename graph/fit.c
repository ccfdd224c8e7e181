/* SPDX-License-Identifier: MIT */
/* The rule of graph/fit.h. */
#include "graph/fit.h"

static bool fit_in(uint32_t channels, uint32_t inputs, enum graph_fit_in *in)
{
    if (inputs == 0) {
        *in = GRAPH_FIT_IN_NONE;
    } else if (inputs == channels) {
        *in = GRAPH_FIT_IN_STRAIGHT;
    } else if (channels == 1) {
        *in = GRAPH_FIT_IN_SPREAD;
    } else if (inputs == 1) {
        *in = GRAPH_FIT_IN_MEAN;
    } else {
        *in = GRAPH_FIT_IN_STRAIGHT;
        return inputs > channels;
    }
    return true;
}

static bool fit_out(uint32_t channels, uint32_t outputs, enum graph_fit_out *out)
{
    if (outputs == 0) {
        *out = GRAPH_FIT_OUT_PASS;
    } else if (outputs == channels) {
        *out = GRAPH_FIT_OUT_STRAIGHT;
    } else if (outputs == 1) {
        *out = GRAPH_FIT_OUT_SPREAD;
    } else if (channels == 1 && outputs == 2) {
        *out = GRAPH_FIT_OUT_MEAN;
    } else {
        *out = GRAPH_FIT_OUT_STRAIGHT;
        return outputs > channels;
    }
    return true;
}

bool graph_fit_plugin(uint32_t channels, uint32_t audio_inputs, uint32_t audio_outputs, struct graph_fit *fit)
{
    struct graph_fit made = {.copies = 1};
    if (audio_inputs == 1 && audio_outputs == 1) {
        made = (struct graph_fit){.copies = channels, .in = GRAPH_FIT_IN_STRAIGHT, .out = GRAPH_FIT_OUT_STRAIGHT};
    } else if (!fit_in(channels, audio_inputs, &made.in) || !fit_out(channels, audio_outputs, &made.out)) {
        return false;
    }
    *fit = made;
    return true;
}
