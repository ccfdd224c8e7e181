/* SPDX-License-Identifier: MIT */
/* How a plugin's audio ports meet the layout of the track that it sits on: one rule, which Pulse checks projects by and
   Signal connects ports by.

   A track carries c channels; the plugin has i audio inputs and o audio outputs (side chains and CV do not count).

       into the plugin                            out of it
       i = 0          nothing: an instrument      o = 0          the input passes through: an analyser
       i = c          straight                    o = c          straight
       i = 1, o = 1   a copy for each channel     (each copy gives its channel)
       c = 1          mono feeds every input      o = 1          mono feeds every channel
       i = 1          the mean of the channels    o = 2, c = 1   the mean of both
       i > c > 1      the first c; the others     o > c          the first c
                      get silence
       i < c          refused                     o < c          refused

   The mean of n is their sum, left to right in float, times (float)(1.0 / n). For c = 1, i = 2, o = 2, the mean of two
   equal sides is the mono sound itself: a stereo compressor on a mono track is what one expects.

   A side chain of s channels reaches p ports: s = p straight; p = 1 the sum; s = 1 every port; else the first
   min(s, p), and silence for what is left. */
#ifndef GRAPH_FIT_H
#define GRAPH_FIT_H

#include <stdbool.h>
#include <stdint.h>

enum graph_fit_in { GRAPH_FIT_IN_NONE = 0, GRAPH_FIT_IN_STRAIGHT, GRAPH_FIT_IN_SPREAD, GRAPH_FIT_IN_MEAN };
enum graph_fit_out { GRAPH_FIT_OUT_PASS = 0, GRAPH_FIT_OUT_STRAIGHT, GRAPH_FIT_OUT_SPREAD, GRAPH_FIT_OUT_MEAN };

struct graph_fit {
    uint32_t copies;        /* instances of the plugin: 1, or one for each channel */
    enum graph_fit_in in;   /* of one copy; STRAIGHT: the first min(i, c) inputs, silence for the others */
    enum graph_fit_out out; /* of one copy */
};

/* False: the layouts cannot meet. channels: 1..16. */
bool graph_fit_plugin(uint32_t channels, uint32_t audio_inputs, uint32_t audio_outputs, struct graph_fit *fit);

#endif
