/* SPDX-License-Identifier: MIT */
/* The parameters of a plugin over time: static values and automation as curves in their natural unit, checked against
   what the plugin says of its ports. */
#ifndef PULSE_COMPILE_PARAMETERS_H
#define PULSE_COMPILE_PARAMETERS_H

#include "pulse-daemon/compile/context.h"

/* Curves of everything that the project sets on a node of a track; in the compilation's arena. Faults are reported. */
LH_NODISCARD enum lh_status pulse_parameters_compile(struct pulse_compiling *c, const struct pulse_track *track,
                                                     const struct pulse_node *node,
                                                     const struct graph_plugin_facts *plugin,
                                                     const struct graph_parameter **parameters, size_t *count);

#endif
