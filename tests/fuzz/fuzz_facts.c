/* SPDX-License-Identifier: MIT */
/* libFuzzer target: what graph_facts_read() accepts is written as the very bytes that were read. */
#include <stdlib.h>
#include <string.h>

#include "graph/facts.h"
#include "tests/fuzz/fuzz.h"

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct graph_file_facts facts;
    struct lh_arena arena;
    lh_arena_init(&arena);
    if (graph_facts_read(data, size, &arena, &facts) == LH_OK) {
        struct lh_writer writer;
        lh_writer_init(&writer);
        graph_facts_write(&writer, &facts);
        require(lh_writer_status(&writer) == LH_OK);
        require(writer.size == size && memcmp(writer.data, data, size) == 0);
        lh_writer_fini(&writer);
    }
    lh_arena_fini(&arena);
    return 0;
}
