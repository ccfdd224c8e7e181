/* SPDX-License-Identifier: MIT */
/* A seed of the graph decoder's smoke run that goes on from stored frames. */
#include "graph/encode.h"
#include "tests/fuzz/fuzz.h"
#include "tests/graph/piece.h"

uint8_t *fuzz_seed(size_t *size)
{
    const struct graph *graph = NULL;
    struct lh_writer writer;
    lh_writer_init(&writer);
    if (piece_make(&graph) != LH_OK || graph_encode(graph, &writer) != LH_OK) {
        lh_writer_fini(&writer);
    }
    graph_unref(graph);
    *size = writer.size;
    return writer.data;
}
