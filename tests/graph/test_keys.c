/* SPDX-License-Identifier: MIT */
/* graph/keys.c: what a key depends on, and what it does not. */
#include "graph/keys.h"

#include <string.h>

#include "graph/partition.h"
#include "tests/graph/fixture.h"
#include "tests/graph/piece.h"
#include "tests/graph/spoil.h"
#include "tests/support/testing.h"

#define NODES_MAX 64
#define DELIVERABLES 3

static const struct graph_key_context context = {.sound_version = 1, .libraries = "lib-1", .cpu_class = "v3"};

struct keys {
    struct lh_digest nodes[NODES_MAX];
    struct lh_digest deliverables[DELIVERABLES];
};

/* Media digests follow the medium's length, which tells the fixture's media apart in any order. */
static void digests_of(const struct graph *graph, struct lh_digest *digests)
{
    for (uint32_t i = 0; i < graph->media_count; i++) {
        memset(&digests[i], 0, sizeof digests[i]);
        memcpy(digests[i].bytes, &graph->media[i].frames, sizeof graph->media[i].frames);
    }
}

static struct keys keys_with(const struct graph *graph, const struct graph_key_context *with)
{
    struct lh_digest media[FIXTURE_MEDIA];
    digests_of(graph, media);
    struct keys keys;
    memset(&keys, 0, sizeof keys);
    ck_assert_uint_le(graph->node_count, NODES_MAX);
    ck_assert_int_eq(graph_keys(graph, media, with, keys.nodes, keys.deliverables), LH_OK);
    return keys;
}

static bool same(const struct lh_digest *a, const struct lh_digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void expect_same_deliverables(const struct graph *graph, const struct keys *expected)
{
    struct keys keys = keys_with(graph, &context);
    for (int i = 0; i < DELIVERABLES; i++) {
        ck_assert(same(&keys.deliverables[i], &expected->deliverables[i]));
    }
}

START_TEST(keys_do_not_depend_on_order)
{
    const uint32_t tracks[][FIXTURE_TRACKS] = {{5, 4, 3, 2, 1, 0}, {2, 0, 4, 1, 5, 3}};
    const uint32_t media[][FIXTURE_MEDIA] = {{3, 2, 1, 0}, {1, 3, 0, 2}};
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    struct keys expected = keys_with(graph, &context);
    for (int i = 0; i < 2; i++) {
        const struct graph *permuted = fixture_mix_ordered(tracks[i], media[i]);
        expect_same_deliverables(permuted, &expected);
        /* All nodes, too: the same set of keys. */
        struct keys keys = keys_with(permuted, &context);
        ck_assert_uint_eq(permuted->node_count, graph->node_count);
        for (uint32_t j = 0; j < graph->node_count; j++) {
            uint32_t found = 0;
            for (uint32_t k = 0; k < graph->node_count; k++) {
                found += same(&expected.nodes[j], &keys.nodes[k]) ? 1 : 0;
            }
            ck_assert_uint_eq(found, 1);
        }
        graph_unref(permuted);
    }
    graph_unref(graph);
}
END_TEST

START_TEST(keys_do_not_depend_on_the_cut)
{
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    struct keys expected = keys_with(graph, &context);
    for (uint64_t seed = 0; seed < 50; seed++) {
        const struct graph *cut = NULL;
        ck_assert_int_eq(graph_partition_seeded(graph, seed, &cut, NULL), LH_OK);
        expect_same_deliverables(cut, &expected);
        /* Every node of the whole graph is found in the cut one. */
        struct keys keys = keys_with(cut, &context);
        for (uint32_t j = 0; j < graph->node_count; j++) {
            uint32_t found = 0;
            for (uint32_t k = 0; k < cut->node_count; k++) {
                found += same(&expected.nodes[j], &keys.nodes[k]) ? 1 : 0;
            }
            ck_assert_uint_eq(found, 1);
        }
        graph_unref(cut);
    }
    graph_unref(graph);
}
END_TEST

static void rename_all(struct spoilt *s)
{
    for (uint32_t i = 0; i < s->graph.node_count; i++) {
        s->nodes[i].label = "renamed";
    }
    for (uint32_t i = 0; i < s->graph.media_count; i++) {
        s->media[i].name = "renamed";
    }
    for (uint32_t i = 0; i < s->graph.deliverable_count; i++) {
        s->deliverables[i].name = "renamed";
    }
}

static void change_quantum(struct spoilt *s)
{
    s->graph.quantum = 256;
}

static void change_gain(struct spoilt *s)
{
    s->regions[0].gain *= 1.0000001f;
}

static void change_point(struct spoilt *s)
{
    s->points[0].frame++;
}

static void change_polarity(struct spoilt *s)
{
    s->nodes[s->graph.node_count - 1].invert = !s->nodes[s->graph.node_count - 1].invert;
}

static void change_seed(struct spoilt *s)
{
    s->deliverables[0].dither_seed++;
}

static void change_range(struct spoilt *s)
{
    s->deliverables[2].end++;
}

static void change_tag(struct spoilt *s)
{
    s->tags[2].value = "Nacht";
}

/* What changes which deliverables' keys: a bit for each. The first hands its gain to the second. */
static const struct change {
    void (*change)(struct spoilt *s);
    unsigned deliverables;
} changes[] = {
    {rename_all, 0},      {change_quantum, 3}, /* the first one's tail is judged per quantum */
    {change_polarity, 7}, {change_seed, 3},    {change_range, 4}, {change_tag, 4}, {change_gain, 7}, {change_point, 7},
};

START_TEST(keys_depend_on_content)
{
    struct spoilt s;
    spoilt_init(&s);
    struct keys before = keys_with(&s.graph, &context);
    changes[_i].change(&s);
    ck_assert_int_eq(graph_check(&s.graph, NULL), LH_OK);
    struct keys after = keys_with(&s.graph, &context);
    unsigned changed = 0;
    for (unsigned i = 0; i < DELIVERABLES; i++) {
        changed |= same(&before.deliverables[i], &after.deliverables[i]) ? 0 : 1u << i;
    }
    ck_assert_uint_eq(changed, changes[_i].deliverables);
    bool nodes_changed = memcmp(before.nodes, after.nodes, sizeof before.nodes) != 0;
    ck_assert_int_eq(nodes_changed, changes[_i].deliverables == 7);
    spoilt_fini(&s);
}
END_TEST

START_TEST(cpu_class_enters_where_it_matters)
{
    struct graph_key_context other = context;
    other.cpu_class = "v2";
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    struct keys a = keys_with(graph, &context);
    struct keys b = keys_with(graph, &other);
    /* "vox" is resampled and in the mix; the drums are in place. */
    ck_assert(!same(&a.deliverables[0], &b.deliverables[0]));
    uint32_t drums = graph->deliverables[1].node;
    ck_assert(same(&a.nodes[drums], &b.nodes[drums]));
    ck_assert(!same(&a.deliverables[2], &b.deliverables[2]));
    other = context;
    other.libraries = "lib-2";
    b = keys_with(graph, &other);
    ck_assert(!same(&a.nodes[drums], &b.nodes[drums]));
    other = context;
    other.sound_version = 2;
    b = keys_with(graph, &other);
    ck_assert(!same(&a.nodes[drums], &b.nodes[drums]));
    graph_unref(graph);
}
END_TEST

/* Of one and the same sound: libFLAC's predictors come out of float kernels that the CPU chooses, so its files have
   equal samples in unequal bytes; PCM has not. */
START_TEST(cpu_class_enters_where_the_file_depends_on_it)
{
    struct graph_key_context other = context;
    other.cpu_class = "v2";
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    struct graph_deliverable stem = graph->deliverables[1];
    stem.gain_from = GRAPH_NONE;
    struct graph one = *graph;
    one.deliverables = &stem;
    one.deliverable_count = 1;
    static const enum graph_format formats[] = {GRAPH_FORMAT_WAV, GRAPH_FORMAT_AIFF, GRAPH_FORMAT_FLAC};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        stem.format = formats[i];
        struct keys a = keys_with(&one, &context);
        struct keys b = keys_with(&one, &other);
        ck_assert_int_eq(same(&a.deliverables[0], &b.deliverables[0]), formats[i] != GRAPH_FORMAT_FLAC);
    }
    graph_unref(graph);
}
END_TEST

START_TEST(an_output_is_its_node_over_its_span)
{
    static const struct graph_span spans[] = {{5, INT64_MAX, 90}, {6, INT64_MAX, 90}, {5, 80, 90}, {5, INT64_MAX, 91}};
    const struct lh_digest nodes[2] = {{{1}}, {{2}}};
    struct graph_key_context other = context;
    other.sound_version = 2;
    struct lh_digest keys[16];
    size_t count = 0;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        ck_assert_int_eq(graph_key_output(&context, 48000, &nodes[0], false, &spans[i], &keys[count++]), LH_OK);
    }
    ck_assert_int_eq(graph_key_output(&context, 48000, &nodes[1], false, &spans[0], &keys[count++]), LH_OK);
    ck_assert_int_eq(graph_key_output(&context, 48000, &nodes[0], true, &spans[0], &keys[count++]), LH_OK);
    ck_assert_int_eq(graph_key_output(&context, 44100, &nodes[0], false, &spans[0], &keys[count++]), LH_OK);
    ck_assert_int_eq(graph_key_output(&other, 48000, &nodes[0], false, &spans[0], &keys[count++]), LH_OK);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            ck_assert(!same(&keys[i], &keys[j]));
        }
    }
    struct lh_digest again;
    ck_assert_int_eq(graph_key_output(&context, 48000, &nodes[0], false, &spans[0], &again), LH_OK);
    ck_assert(same(&again, &keys[0]));
}
END_TEST

/* What a whole graph stores has the key of that output, whatever its file is named. */
START_TEST(what_is_stored_has_its_outputs_key)
{
    const struct graph *mix = fixture_mix_ordered(NULL, NULL);
    const struct graph *cut = NULL;
    ck_assert_int_eq(graph_partition_seeded(mix, 3, &cut, NULL), LH_OK);
    uint32_t partial = 0;
    while (cut->nodes[partial].kind != GRAPH_NODE_PARTIAL) {
        partial++;
    }
    const struct graph_span span = {.begin = 3, .silence = 50, .stop = 80};
    for (unsigned i = 0; i < 2; i++) {
        struct graph_deliverable file = {.name = i == 0 ? "a" : "b", .node = i == 0 ? partial : 0};
        graph_span_deliver(&span, cut->sample_rate, &file);
        struct graph one = *cut;
        one.deliverables = &file;
        one.deliverable_count = 1;
        struct keys keys = keys_with(&one, &context);
        struct lh_digest output;
        ck_assert_int_eq(graph_key_output(&context, cut->sample_rate, &keys.nodes[file.node], i == 0, &span, &output),
                         LH_OK);
        ck_assert(same(&keys.deliverables[0], &output));
    }
    graph_unref(cut);
    graph_unref(mix);
}
END_TEST

START_TEST(pieces_are_not_keyed)
{
    const struct graph *piece = piece_new();
    struct lh_digest media = {{1}};
    struct lh_digest nodes[NODES_MAX], untouched[NODES_MAX];
    memset(nodes, 7, sizeof nodes);
    memset(untouched, 7, sizeof untouched);
    ck_assert_int_eq(graph_keys(piece, &media, &context, nodes, NULL), LH_ERR_UNSUPPORTED);
    ck_assert_mem_eq(nodes, untouched, sizeof nodes);
    graph_unref(piece);
}
END_TEST

START_TEST(conform_key_tells_conversions_apart)
{
    struct graph_media media = {.channels = 1, .rate = 48000, .name = "m"};
    struct graph graph = {.sample_rate = 48000, .media = &media, .media_count = 1};
    struct lh_digest digest = {{1}};
    struct lh_digest keys[4];
    for (unsigned i = 0; i < 4; i++) {
        media.conform = (enum graph_conform)i;
        ck_assert_int_eq(graph_key_conform(&graph, 0, &digest, &context, &keys[i]), LH_OK);
        for (unsigned j = 0; j < i; j++) {
            ck_assert(!same(&keys[i], &keys[j]));
        }
    }
    struct lh_digest key;
    media.rate = 44100;
    ck_assert_int_eq(graph_key_conform(&graph, 0, &digest, &context, &key), LH_OK);
    ck_assert(!same(&key, &keys[3]));
}
END_TEST

START_TEST(allocations_may_fail)
{
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    struct lh_digest media[FIXTURE_MEDIA];
    digests_of(graph, media);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct lh_digest nodes[NODES_MAX];
        struct lh_digest untouched[NODES_MAX];
        memset(nodes, 7, sizeof nodes);
        memset(untouched, 7, sizeof untouched);
        testing_fail_allocation(n);
        enum lh_status status = graph_keys(graph, media, &context, nodes, NULL);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert(!fired || memcmp(nodes, untouched, sizeof nodes) == 0);
    }
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/keys");
    TCase *test = tcase_create("keys");
    tcase_add_test(test, keys_do_not_depend_on_order);
    tcase_add_test(test, keys_do_not_depend_on_the_cut);
    tcase_add_loop_test(test, keys_depend_on_content, 0, (int)(sizeof changes / sizeof *changes));
    tcase_add_test(test, cpu_class_enters_where_it_matters);
    tcase_add_test(test, cpu_class_enters_where_the_file_depends_on_it);
    tcase_add_test(test, an_output_is_its_node_over_its_span);
    tcase_add_test(test, what_is_stored_has_its_outputs_key);
    tcase_add_test(test, pieces_are_not_keyed);
    tcase_add_test(test, conform_key_tells_conversions_apart);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
