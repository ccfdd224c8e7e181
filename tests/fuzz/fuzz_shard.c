/* SPDX-License-Identifier: MIT */
/* libFuzzer target: what graph_shard_decode() accepts encodes to the very bytes that were read. */
#include <stdlib.h>
#include <string.h>

#include "graph/shard.h"
#include "tests/fuzz/fuzz.h"

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct graph_shard shard = {.graph = NULL};
    struct lh_error error = LH_ERROR_INIT;
    struct lh_arena arena;
    lh_arena_init(&arena);
    if (graph_shard_decode(data, size, &arena, &shard, &error) == LH_OK) {
        struct lh_writer writer;
        lh_writer_init(&writer);
        require(graph_shard_encode(&shard, &writer) == LH_OK);
        require(writer.size == size && memcmp(writer.data, data, size) == 0);
        lh_writer_fini(&writer);
        graph_unref(shard.graph);
    } else {
        require(shard.graph == NULL && error.message[0] != '\0');
    }
    lh_arena_fini(&arena);
    return 0;
}
