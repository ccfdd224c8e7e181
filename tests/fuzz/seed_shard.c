/* SPDX-License-Identifier: MIT */
/* The seed of the shard decoder's smoke run: a mix with all its inputs and outputs. */
#include "graph/shard.h"
#include "tests/fuzz/fuzz.h"
#include "tests/graph/fixture.h"

#define EDGES_MAX 16

uint8_t *fuzz_seed(size_t *size)
{
    const struct graph *mix = NULL;
    struct graph_shard_input inputs[EDGES_MAX];
    struct graph_shard_output outputs[EDGES_MAX];
    struct graph_shard shard = {.kind = GRAPH_SHARD_RENDER, .inputs = inputs, .outputs = outputs};
    struct lh_writer writer;
    lh_writer_init(&writer);
    if (fixture_mix(NULL, NULL, &mix) == LH_OK) {
        shard.graph = mix;
        for (uint32_t i = 0; i < mix->media_count && i < EDGES_MAX; i++) {
            inputs[shard.input_count++] = (struct graph_shard_input){GRAPH_SHARD_MEDIUM, i, {{(uint8_t)(i + 1)}}};
        }
        for (uint32_t i = 0; i < mix->deliverable_count && i < EDGES_MAX; i++) {
            outputs[shard.output_count++] = (struct graph_shard_output){GRAPH_SHARD_OUT_FILE, i, {{(uint8_t)~i}}};
        }
        if (graph_shard_encode(&shard, &writer) != LH_OK) {
            lh_writer_fini(&writer);
        }
    }
    graph_unref(mix);
    *size = writer.size;
    return writer.data;
}
