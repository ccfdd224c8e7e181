/* SPDX-License-Identifier: MIT */
/* Graphs of plugins for the double of Signal, and rendering them by an instance. */
#ifndef TESTS_ENGINE_INSTANCE_PLUGGED_H
#define TESTS_ENGINE_INSTANCE_PLUGGED_H

#include "engine/instance/client.h"

/* One PLUGIN node for each deed, named "track T, node N" with the numbers from 1; all go to one bus. `phase`: as
   fake_plugins.c has it. `marker`: a text that travels with the graph. */
const struct graph *plugged_graph(const char *const *deeds, size_t count, const char *phase, const char *marker);

/* Renders it without outputs, by a child that is started with `options`. */
enum lh_status plugged_render(const struct engine_instance_options *options, const struct graph *graph,
                              uint32_t threads, struct lh_error *error);
/* One plugin that does this. */
enum lh_status plugged_run(const char *deed, const char *phase, struct lh_error *error);

#endif
