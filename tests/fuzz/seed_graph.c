/* SPDX-License-Identifier: MIT */
/* The seed of the graph decoder's smoke run: an encoded mix whose buses are cut into partial sums. */
#include "graph/encode.h"
#include "graph/partition.h"
#include "tests/fuzz/fuzz.h"
#include "tests/graph/fixture.h"

uint8_t *fuzz_seed(size_t *size)
{
    const struct graph *mix = NULL;
    const struct graph *cut = NULL;
    struct lh_writer writer;
    lh_writer_init(&writer);
    if (fixture_mix(NULL, NULL, &mix) != LH_OK || graph_partition_seeded(mix, 3, &cut, NULL) != LH_OK ||
        graph_encode(cut, &writer) != LH_OK) {
        lh_writer_fini(&writer);
    }
    graph_unref(mix);
    graph_unref(cut);
    *size = writer.size;
    return writer.data;
}
