/* SPDX-License-Identifier: MIT */
/* Which plugins bundles hold, and their facts from Turtle data: friendly ones, Debian's, and those that lie. */
#include <stdio.h>
#include <string.h>

#include "tests/engine/host/stage.h"

static struct lh_arena arena;

static const struct graph_port *port_of(const struct graph_plugin_facts *facts, const char *symbol)
{
    for (uint32_t i = 0; i < facts->port_count; i++) {
        if (strcmp(facts->ports[i].symbol, symbol) == 0) {
            return &facts->ports[i];
        }
    }
    ck_abort_msg("no port %s", symbol);
    return NULL;
}

START_TEST(uris_are_sorted_and_those_of_the_bundles)
{
    const char *const bundles[] = {STAGE_LV2 "mda.lv2/", STAGE_FRIENDLY};
    struct engine_host *host;
    ck_assert_int_eq(engine_host_new(bundles, 2, NULL, &host, NULL), LH_OK);
    ck_assert_uint_gt(engine_host_count(host), 36 + 30);
    for (size_t i = 0; i < engine_host_count(host); i++) {
        const char *uri = engine_host_uri(host, i);
        ck_assert(strncmp(uri, "lv2:http://drobilla.net/plugins/mda/", 36) == 0 ||
                  strncmp(uri, "lv2:urn:loophole:test:", 22) == 0);
        ck_assert(i == 0 || strcmp(engine_host_uri(host, i - 1), uri) < 0);
    }
    engine_host_free(host);
    engine_host_free(NULL);
}
END_TEST

START_TEST(a_folder_without_plugins_holds_none)
{
    struct engine_host *host = stage_host("/nowhere/at/all.lv2/");
    ck_assert_uint_eq(engine_host_count(host), 0);
    struct graph_plugin_facts facts;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_host_describe(host, "lv2:urn:nobody", &arena, &facts, &error), LH_ERR_MISSING);
    ck_assert_str_eq(error.where, "lv2:urn:nobody");
    engine_host_free(host);
}
END_TEST

START_TEST(facts_say_what_the_data_say)
{
    struct engine_host *host = stage_host(STAGE_LV2 "eg-amp.lv2/");
    struct graph_plugin_facts facts = stage_facts(host, "lv2:http://lv2plug.in/plugins/eg-amp", &arena);
    ck_assert_str_eq(facts.uri, "lv2:http://lv2plug.in/plugins/eg-amp");
    ck_assert_str_eq(facts.name, "Simple Amplifier");
    ck_assert_str_eq(facts.licence, "http://opensource.org/licenses/isc");
    ck_assert_str_eq(facts.category, "Amplifier");
    ck_assert_str_eq(facts.bundle, STAGE_LV2 "eg-amp.lv2/");
    ck_assert_str_eq(facts.binary, STAGE_LV2 "eg-amp.lv2/amp.so");
    ck_assert_str_eq(facts.refused, "");
    ck_assert_uint_eq(facts.port_count, 3);
    const struct graph_port *gain = port_of(&facts, "gain");
    ck_assert_str_eq(gain->name, "Gain");
    ck_assert_str_eq(gain->unit, "dB");
    ck_assert(gain->minimum == -90.0f && gain->maximum == 24.0f && gain->standard == 0.0f);
    ck_assert_uint_eq(gain->point_count, 4);
    for (uint32_t i = 1; i < gain->point_count; i++) {
        ck_assert(gain->points[i - 1].value < gain->points[i].value);
    }
    ck_assert_uint_eq(graph_plugin_audio_inputs(&facts), 1);
    ck_assert_uint_eq(graph_plugin_audio_outputs(&facts), 1);
    engine_host_free(host);
}
END_TEST

START_TEST(without_specifications_texts_are_shorter)
{
    const char *bundle = STAGE_LV2 "eg-amp.lv2/";
    const char *const specs[] = {"/nowhere", NULL};
    struct engine_host *host;
    ck_assert_int_eq(engine_host_new(&bundle, 1, specs, &host, NULL), LH_OK);
    struct graph_plugin_facts facts = stage_facts(host, "lv2:http://lv2plug.in/plugins/eg-amp", &arena);
    ck_assert_str_eq(port_of(&facts, "gain")->unit, "db");
    ck_assert_str_eq(facts.category, "");
    ck_assert_str_eq(facts.name, "Simple Amplifier");
    engine_host_free(host);
}
END_TEST

START_TEST(ports_have_their_kinds_and_roles)
{
    struct engine_host *host = stage_host(STAGE_FRIENDLY);
    struct graph_plugin_facts facts = stage_facts(host, "lv2:urn:loophole:test:typed", &arena);
    ck_assert(port_of(&facts, "whole")->integer);
    ck_assert(port_of(&facts, "toggle")->toggled);
    ck_assert(port_of(&facts, "mode")->enumerated);
    ck_assert_uint_eq(port_of(&facts, "mode")->point_count, 3);
    ck_assert_str_eq(port_of(&facts, "mode")->points[1].label, "two");
    facts = stage_facts(host, "lv2:urn:loophole:test:enabled-teller", &arena);
    ck_assert_str_eq(port_of(&facts, "enabled")->role, "enabled");
    ck_assert_str_eq(port_of(&facts, "freewheeling")->role, "freeWheeling");
    facts = stage_facts(host, "lv2:urn:loophole:test:latent", &arena);
    ck_assert(facts.reports_latency);
    facts = stage_facts(host, "lv2:urn:loophole:test:scaled-range", &arena);
    const struct graph_port *port = port_of(&facts, "frequency");
    ck_assert(port->scaled);
    ck_assert(port->minimum == 0.0f && port->maximum == 24000.0f && port->standard == 12000.0f);
    facts = stage_facts(host, "lv2:urn:loophole:test:cv-in", &arena);
    ck_assert_int_eq(port_of(&facts, "cv")->kind, GRAPH_PORT_CV);
    facts = stage_facts(host, "lv2:urn:loophole:test:optional", &arena);
    ck_assert(port_of(&facts, "extra")->optional && port_of(&facts, "seen")->optional);
    facts = stage_facts(host, "lv2:urn:loophole:test:click-synth", &arena);
    ck_assert(graph_plugin_takes_notes(&facts));
    facts = stage_facts(host, "lv2:urn:loophole:test:worker-doubler", &arena);
    ck_assert(facts.has_worker && !facts.has_state);
    facts = stage_facts(host, "lv2:urn:loophole:test:property", &arena);
    port = graph_plugin_parameter(&facts, "level");
    ck_assert_ptr_nonnull(port);
    ck_assert_int_eq(port->kind, GRAPH_PORT_PROPERTY);
    ck_assert(port->minimum == 0.0f && port->maximum == 4.0f && port->standard == 1.0f);
    engine_host_free(host);
}
END_TEST

/* Side chains: by LV2's property, by group, by name, and by being in another group than the main one. */
static const struct {
    const char *bundle, *uri;
    uint32_t inputs, keys;
} sided[] = {
    {STAGE_FRIENDLY, "lv2:urn:loophole:test:sidechain-multiply", 1, 1},
    {STAGE_FRIENDLY, "lv2:urn:loophole:test:sidechain-stereo", 2, 2},
    {STAGE_FRIENDLY, "lv2:urn:loophole:test:eight-in", 8, 0},
    {STAGE_LV2 "a-comp.lv2/", "lv2:urn:ardour:a-comp#stereo", 2, 1},
    {STAGE_LV2 "calf.lv2/", "lv2:http://calf.sourceforge.net/plugins/SidechainCompressor", 2, 2},
    {STAGE_LV2 "calf.lv2/", "lv2:http://calf.sourceforge.net/plugins/Vocoder", 2, 2},
    {STAGE_LV2 "lsp-plugins.lv2/", "lv2:http://lsp-plug.in/plugins/lv2/sc_compressor_stereo", 2, 2},
    {STAGE_LV2 "sc3-swh.lv2/", "lv2:http://plugin.org.uk/swh-plugins/sc3", 2, 1},
    {STAGE_LV2 "matrix_st_ms-swh.lv2/", "lv2:http://plugin.org.uk/swh-plugins/matrixStMS", 2, 0},
};

START_TEST(side_chains_are_found)
{
    struct engine_host *host = stage_host(sided[_i].bundle);
    struct graph_plugin_facts facts = stage_facts(host, sided[_i].uri, &arena);
    ck_assert_uint_eq(graph_plugin_audio_inputs(&facts), sided[_i].inputs);
    ck_assert_uint_eq(graph_plugin_sidechain_inputs(&facts), sided[_i].keys);
    engine_host_free(host);
}
END_TEST

START_TEST(presets_are_listed_by_label)
{
    struct engine_host *host = stage_host(STAGE_FRIENDLY);
    struct graph_plugin_facts facts = stage_facts(host, "lv2:urn:loophole:test:state-holder", &arena);
    ck_assert(facts.has_state);
    ck_assert_uint_eq(facts.preset_count, 2);
    ck_assert_str_eq(facts.presets[0].label, "Twice");
    ck_assert_str_eq(facts.presets[0].uri, "urn:loophole:test:twice");
    ck_assert_str_eq(facts.presets[1].label, "With a file");
    engine_host_free(host);
}
END_TEST

START_TEST(common_parameters_have_their_types)
{
    struct engine_host *host = stage_host(STAGE_LV2 "eg-sampler.lv2/");
    struct graph_plugin_facts facts = stage_facts(host, "lv2:http://lv2plug.in/plugins/eg-sampler", &arena);
    const struct graph_port *gain = graph_plugin_parameter(&facts, "gain");
    ck_assert_ptr_nonnull(gain);
    ck_assert(gain->minimum == -20.0f && gain->maximum == 20.0f);
    ck_assert_ptr_null(graph_plugin_parameter(&facts, "sample")); /* a path is no number */
    engine_host_free(host);
}
END_TEST

static const struct {
    const char *uri, *refused;
} refusals[] = {
    {"lv2:urn:loophole:test:requires-unknown", "needs the feature urn:nobody"},
    {"lv2:urn:loophole:test:needs-fixed-block",
     "needs blocks of a fixed length (fixedBlockLength), and renders cut them"},
    {"lv2:urn:loophole:test:needs-power-of-two",
     "needs blocks of a fixed length (powerOf2BlockLength), and renders cut them"},
    {"lv2:urn:loophole:test:requires-live", ""},
    {"lv2:urn:loophole:test:options-teller", ""},
};

START_TEST(what_cannot_be_run_says_why)
{
    struct engine_host *host = stage_host(STAGE_FRIENDLY);
    struct graph_plugin_facts facts = stage_facts(host, refusals[_i].uri, &arena);
    ck_assert_str_eq(facts.refused, refusals[_i].refused);
    engine_host_free(host);
}
END_TEST

/* Data that lie: some are refused as data, some when run, none crash. */
static const struct {
    const char *name;
    enum lh_status status;
    const char *refused; /* what the refusal has in it; NULL: not refused */
    bool breaks;         /* lilv crashes on it when it is not looked through first */
} liars[] = {
    {"index-gap", LH_ERR_FORMAT, NULL, false},
    {"index-twice", LH_ERR_FORMAT, NULL, false},
    {"index-huge", LH_ERR_FORMAT, NULL, true},
    {"index-negative", LH_ERR_FORMAT, NULL, true},
    {"symbol-none", LH_ERR_FORMAT, NULL, false},
    {"symbol-bad", LH_ERR_FORMAT, NULL, false},
    {"many-ports", LH_ERR_FORMAT, NULL, false},
    {"range-nan", LH_OK, NULL, false},
    {"range-infinite", LH_OK, NULL, false},
    {"range-upside-down", LH_OK, NULL, false},
    {"range-text", LH_OK, NULL, false},
    {"range-none", LH_OK, NULL, false},
    {"default-outside", LH_OK, NULL, false},
    {"no-direction", LH_OK, "its port knob", false},
    {"no-kind", LH_OK, "its port knob", false},
    {"no-binary", LH_OK, "its binary", false},
    {"size-huge", LH_OK, "its port notify", false},
    {"long-name", LH_OK, NULL, false},
};

START_TEST(lies_are_seen_through)
{
    char uri[128];
    snprintf(uri, sizeof uri, "lv2:urn:loophole:hostile:liar-%s", liars[_i].name);
    struct engine_host *host = stage_host(liars[_i].breaks ? STAGE_BREAKER : STAGE_LIAR);
    struct graph_plugin_facts facts = {.refused = ""};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = engine_host_describe(host, uri, &arena, &facts, &error);
    ck_assert_msg(status == liars[_i].status, "%s: %s", uri, error.message);
    if (liars[_i].refused != NULL) {
        ck_assert_ptr_nonnull(strstr(facts.refused, liars[_i].refused));
    } else if (status == LH_OK) {
        ck_assert_str_eq(facts.refused, "");
    }
    for (uint32_t i = 0; status == LH_OK && i < facts.port_count; i++) {
        const struct graph_port *port = &facts.ports[i];
        ck_assert(port->minimum <= port->standard && port->standard <= port->maximum);
        ck_assert(port->minimum >= -1e30f && port->maximum <= 1e30f);
    }
    engine_host_free(host);
}
END_TEST

/* Facts survive the trip to the parent. */
START_TEST(facts_can_be_written_and_read)
{
    struct engine_host *host = stage_host(STAGE_FRIENDLY);
    for (size_t i = 0; i < engine_host_count(host); i++) {
        struct graph_plugin_facts facts = stage_facts(host, engine_host_uri(host, i), &arena);
        struct lh_writer writer;
        lh_writer_init(&writer);
        graph_plugin_facts_write(&writer, &facts);
        ck_assert_int_eq(lh_writer_status(&writer), LH_OK);
        struct lh_reader reader;
        lh_reader_init(&reader, writer.data, writer.size);
        struct graph_plugin_facts back;
        ck_assert_int_eq(graph_plugin_facts_read(&reader, &arena, &back), LH_OK);
        ck_assert_str_eq(back.uri, facts.uri);
        ck_assert_uint_eq(back.port_count, facts.port_count);
        lh_writer_fini(&writer);
    }
    engine_host_free(host);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    const char *bundle = STAGE_FRIENDLY;
    for (size_t n = 1;; n++) {
        struct engine_host *host = NULL;
        struct graph_plugin_facts facts;
        testing_fail_allocation(n);
        enum lh_status status = engine_host_new(&bundle, 1, NULL, &host, NULL);
        if (status == LH_OK) {
            status = engine_host_describe(host, "lv2:urn:loophole:test:state-holder", &arena, &facts, NULL);
        }
        bool failed = testing_fail_allocation_end();
        engine_host_free(host);
        lh_arena_fini(&arena);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
}
END_TEST

static void set_up(void)
{
    lh_arena_init(&arena);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

int main(void)
{
    Suite *suite = suite_create("engine/host/host");
    TCase *tests = tcase_create("host");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, uris_are_sorted_and_those_of_the_bundles);
    tcase_add_test(tests, a_folder_without_plugins_holds_none);
    tcase_add_test(tests, facts_say_what_the_data_say);
    tcase_add_test(tests, without_specifications_texts_are_shorter);
    tcase_add_test(tests, ports_have_their_kinds_and_roles);
    tcase_add_loop_test(tests, side_chains_are_found, 0, (int)(sizeof sided / sizeof *sided));
    tcase_add_test(tests, presets_are_listed_by_label);
    tcase_add_test(tests, common_parameters_have_their_types);
    tcase_add_loop_test(tests, what_cannot_be_run_says_why, 0, (int)(sizeof refusals / sizeof *refusals));
    tcase_add_loop_test(tests, lies_are_seen_through, 0, (int)(sizeof liars / sizeof *liars));
    tcase_add_test(tests, facts_can_be_written_and_read);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
