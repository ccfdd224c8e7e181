/* SPDX-License-Identifier: MIT */
/* libFuzzer target: what graph_decode() accepts encodes to the very bytes that were read, and its keys can be made
   unless it goes on from stored frames; it can be copied, and has spans. */
#include <stdlib.h>
#include <string.h>

#include "graph/copy.h"
#include "graph/encode.h"
#include "graph/keys.h"
#include "tests/fuzz/fuzz.h"

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool is_whole(const struct graph *graph)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].kind == GRAPH_NODE_STORED) {
            return false;
        }
    }
    return true;
}

/* What nothing delivers is left out, and curves lose what is redundant: the copy need not be equal, but it is one. */
static void copy_and_measure(const struct graph *graph)
{
    struct graph_builder *builder;
    struct graph_copy *copy;
    const struct graph *whole = NULL;
    struct graph_span *spans = calloc((size_t)graph->node_count + 1, sizeof *spans);
    require(spans != NULL);
    require(graph_builder_new(graph->sample_rate, graph->quantum, &builder) == LH_OK);
    require(graph_copy_new(graph, builder, &copy) == LH_OK);
    require(graph_copy_sources(copy) == LH_OK);
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < graph->deliverable_count; i++) {
        uint32_t index;
        graph_spans(graph, i, NULL, spans);
        status = graph_copy_deliverable(copy, i, graph->deliverables[i].gain_from, &index);
    }
    status = status != LH_OK ? status : graph_builder_finish(builder, &whole, NULL);
    require(status == LH_OK || status == LH_ERR_USAGE || status == LH_ERR_FORMAT);
    graph_unref(whole);
    graph_copy_free(copy);
    graph_builder_free(builder);
    free(spans);
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
    enum lh_status keyed = graph_keys(graph, media, &context, NULL, NULL);
    require(keyed == (is_whole(graph) ? LH_OK : LH_ERR_UNSUPPORTED));
    free(media);
    copy_and_measure(graph);
    graph_unref(graph);
    return 0;
}
