/* SPDX-License-Identifier: MIT */
/* Graphs with plugins for the tests of the engine: our own from tests/plugins, and Debian's from /usr/lib/lv2. Every
   call aborts the test when it fails. */
#ifndef TESTS_SUPPORT_RACKS_H
#define TESTS_SUPPORT_RACKS_H

#include "tests/support/graphs.h"

#define RACKS_OWN "lv2:urn:loophole:test:"

/* A host of our friendly plugins and of these bundles in /usr/lib/lv2 ("calf"), NULL-terminated. */
struct engine_host *racks_host(const char *const *bundles);

struct racks_value {
    const char *symbol;
    float value;
};

/* A PLUGIN node with constant parameters, `values` up to the first without a symbol. An input or side chain of
   GRAPH_NONE is none. */
uint32_t racks_node(struct graph_builder *builder, const char *uri, uint32_t channels, uint32_t input,
                    uint32_t sidechain, const struct racks_value *values);
/* With one parameter that moves along these points. */
uint32_t racks_moving(struct graph_builder *builder, const char *uri, uint32_t channels, uint32_t input,
                      const char *symbol, const struct graph_point *points, size_t count);
/* Our own instrument of that name, with these events. */
uint32_t racks_instrument(struct graph_builder *builder, const char *uri, uint32_t channels,
                          const struct graph_event *events, size_t count);

/* Renders on `threads` with `block`; files into *outputs as graphs_render(). */
enum lh_status racks_render(struct engine_host *host, const struct graph *graph, const int *media, uint32_t threads,
                            uint32_t block, int *outputs, struct engine_render_result *result, struct lh_error *error);

#endif
