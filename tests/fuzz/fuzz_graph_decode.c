/* SPDX-License-Identifier: MIT */
/* libFuzzer target: what graph_decode() accepts encodes to the very bytes that were read, and its keys can be made. */
#include <stdlib.h>
#include <string.h>

#include "graph/encode.h"
#include "graph/keys.h"
#include "tests/fuzz/fuzz.h"

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct graph *graph = NULL;
    struct lh_error error = LH_ERROR_INIT;
    if (graph_decode(data, size, &graph, &error) != LH_OK) {
        require(graph == NULL && error.message[0] != '\0');
        return 0;
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    require(graph_encode(graph, &writer) == LH_OK);
    require(writer.size == size && memcmp(writer.data, data, size) == 0);
    lh_writer_fini(&writer);
    struct lh_digest *media = calloc((size_t)graph->media_count + 1, sizeof *media);
    require(media != NULL);
    struct graph_key_context context = {.sound_version = 1, .libraries = "", .cpu_class = ""};
    require(graph_keys(graph, media, &context, NULL, NULL) == LH_OK);
    free(media);
    graph_unref(graph);
    return 0;
}
