/* SPDX-License-Identifier: MIT */
/* graph/plugin.c: what is asked of a plugin's facts, and their bytes, damaged ones too. */
#include "graph/plugin.h"

#include <string.h>

#include "tests/support/testing.h"

static const struct graph_scale_point modes[] = {{"soft", 0}, {"hard", 1}};
static const struct graph_port ports[] = {
    {.kind = GRAPH_PORT_AUDIO, .input = true, .symbol = "in_l", .name = "In L", .unit = "", .role = ""},
    {.kind = GRAPH_PORT_AUDIO,
     .input = true,
     .sidechain = true,
     .symbol = "key",
     .name = "Key",
     .unit = "",
     .role = ""},
    {.kind = GRAPH_PORT_AUDIO, .symbol = "out_l", .name = "Out", .unit = "", .role = ""},
    {.kind = GRAPH_PORT_CONTROL,
     .input = true,
     .scaled = true,
     .symbol = "cutoff",
     .name = "Cutoff",
     .unit = "Hz",
     .role = "",
     .minimum = 48,
     .maximum = 24000,
     .standard = 4800},
    {.kind = GRAPH_PORT_CONTROL,
     .input = true,
     .integer = true,
     .enumerated = true,
     .symbol = "mode",
     .name = "Mode",
     .unit = "",
     .role = "",
     .maximum = 1,
     .points = modes,
     .point_count = 2},
    {.kind = GRAPH_PORT_CONTROL, .symbol = "meter", .name = "Meter", .unit = "dB", .role = "latency"},
    {.kind = GRAPH_PORT_EVENTS, .input = true, .notes = true, .symbol = "midi", .name = "MIDI", .unit = "", .role = ""},
    {.kind = GRAPH_PORT_PROPERTY,
     .input = true,
     .symbol = "size",
     .name = "Size",
     .unit = "",
     .role = "",
     .maximum = 9},
};
static const struct graph_preset presets[] = {{"urn:p#a", "Alpha", "/lv2/p.lv2/"}, {"urn:p#b", "Beta", "/lv2/more/"}};
static const struct graph_plugin_facts facts = {
    .uri = "lv2:urn:p",
    .name = "P",
    .author = "Nobody",
    .licence = "",
    .category = "Filter",
    .version = "2.4",
    .bundle = "/lv2/p.lv2/",
    .binary = "/lv2/p.lv2/p.so",
    .digest = {{1, 2, 3}},
    .refused = "",
    .reports_latency = true,
    .has_worker = true,
    .ports = ports,
    .port_count = sizeof ports / sizeof *ports,
    .presets = presets,
    .preset_count = 2,
};

START_TEST(answers)
{
    ck_assert_uint_eq(graph_plugin_audio_inputs(&facts), 1);
    ck_assert_uint_eq(graph_plugin_audio_outputs(&facts), 1);
    ck_assert_uint_eq(graph_plugin_sidechain_inputs(&facts), 1);
    ck_assert(graph_plugin_takes_notes(&facts));
    ck_assert_ptr_eq(graph_plugin_parameter(&facts, "cutoff"), &ports[3]);
    ck_assert_ptr_eq(graph_plugin_parameter(&facts, "size"), &ports[7]);
    ck_assert_ptr_null(graph_plugin_parameter(&facts, "meter"));
    ck_assert_ptr_null(graph_plugin_parameter(&facts, "in_l"));
    float minimum;
    float maximum;
    float standard;
    graph_port_range(&ports[3], 96000, &minimum, &maximum, &standard);
    ck_assert(minimum == 96.0f && maximum == 48000.0f && standard == 9600.0f);
    graph_port_range(&ports[4], 96000, &minimum, &maximum, &standard);
    ck_assert(minimum == 0.0f && maximum == 1.0f && standard == 0.0f);
}
END_TEST

static void write(struct lh_writer *bytes)
{
    lh_writer_init(bytes);
    graph_plugin_facts_write(bytes, &facts);
    ck_assert_int_eq(lh_writer_status(bytes), LH_OK);
}

START_TEST(come_back_from_bytes)
{
    struct lh_writer bytes;
    write(&bytes);
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct lh_reader reader;
    lh_reader_init(&reader, bytes.data, bytes.size);
    struct graph_plugin_facts read;
    ck_assert_int_eq(graph_plugin_facts_read(&reader, &arena, &read), LH_OK);
    ck_assert(lh_reader_done(&reader));
    struct lh_writer again;
    lh_writer_init(&again);
    graph_plugin_facts_write(&again, &read);
    ck_assert_uint_eq(again.size, bytes.size);
    ck_assert_mem_eq(again.data, bytes.data, bytes.size);
    ck_assert_str_eq(read.ports[4].points[1].label, "hard");
    lh_writer_fini(&again);
    lh_writer_fini(&bytes);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(a_digest_follows_the_data_but_not_the_place)
{
    struct lh_digest digest;
    struct lh_digest other;
    struct graph_plugin_facts changed = facts;
    ck_assert_int_eq(graph_plugin_digest(&facts, &digest), LH_OK);
    changed.bundle = "/elsewhere/";
    changed.binary = "/elsewhere/p.so";
    ck_assert_int_eq(graph_plugin_digest(&changed, &other), LH_OK);
    ck_assert_mem_eq(&digest, &other, sizeof digest);
    struct graph_port louder[sizeof ports / sizeof *ports];
    memcpy(louder, ports, sizeof louder);
    louder[3].standard = 4801;
    changed.ports = louder;
    ck_assert_int_eq(graph_plugin_digest(&changed, &other), LH_OK);
    ck_assert_mem_ne(&digest, &other, sizeof digest);
    changed = facts;
    changed.digest.bytes[0] ^= 1;
    ck_assert_int_eq(graph_plugin_digest(&changed, &other), LH_OK);
    ck_assert_mem_ne(&digest, &other, sizeof digest);
}
END_TEST

/* Every prefix is refused; no flipped bit does harm. */
START_TEST(damaged_bytes)
{
    struct lh_writer bytes;
    write(&bytes);
    for (size_t i = 0; i < bytes.size; i++) {
        struct lh_arena arena;
        lh_arena_init(&arena);
        struct lh_reader reader;
        struct graph_plugin_facts read = {.name = "untouched"};
        lh_reader_init(&reader, bytes.data, i);
        ck_assert_int_eq(graph_plugin_facts_read(&reader, &arena, &read), LH_ERR_FORMAT);
        ck_assert_str_eq(read.name, "untouched");
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.data[i] ^= (uint8_t)(1u << bit);
            lh_reader_init(&reader, bytes.data, bytes.size);
            enum lh_status status = graph_plugin_facts_read(&reader, &arena, &read);
            ck_assert(status == LH_OK || status == LH_ERR_FORMAT);
            bytes.data[i] ^= (uint8_t)(1u << bit);
        }
        lh_arena_fini(&arena);
    }
    lh_writer_fini(&bytes);
}
END_TEST

START_TEST(allocations_may_fail)
{
    struct lh_writer bytes;
    write(&bytes);
    for (size_t n = 1;; n++) {
        struct lh_arena arena;
        lh_arena_init(&arena);
        struct lh_reader reader;
        lh_reader_init(&reader, bytes.data, bytes.size);
        struct graph_plugin_facts read;
        testing_fail_allocation(n);
        enum lh_status status = graph_plugin_facts_read(&reader, &arena, &read);
        bool failed = testing_fail_allocation_end();
        lh_arena_fini(&arena);
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        if (!failed) {
            break;
        }
    }
    lh_writer_fini(&bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plugin");
    TCase *test = tcase_create("facts");
    tcase_add_test(test, answers);
    tcase_add_test(test, come_back_from_bytes);
    tcase_add_test(test, a_digest_follows_the_data_but_not_the_place);
    tcase_add_test(test, damaged_bytes);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
