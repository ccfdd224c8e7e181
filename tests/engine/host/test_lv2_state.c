/* SPDX-License-Identifier: MIT */
/* Presets and states: the plugin's default, presets with files, texts with relative paths, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/engine/host/bare.h"
#include "tests/engine/host/stage.h"

#define HOLDER "lv2:urn:loophole:test:state-holder"
#define PREFIXES                                                                                                       \
    "@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n@prefix pset: <http://lv2plug.in/ns/ext/presets#> .\n"            \
    "@prefix state: <http://lv2plug.in/ns/ext/state#> .\n@prefix atom: <http://lv2plug.in/ns/ext/atom#> .\n"           \
    "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"                                                   \
    "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
#define TAPS                                                                                                           \
    "<urn:loophole:test:taps> [ a atom:Vector ; atom:childType atom:Float ; rdf:value ( \"4.0\"^^xsd:float "           \
    "\"0.0\"^^xsd:float \"0.0\"^^xsd:float \"0.0\"^^xsd:float ) ]"
#define OF_HOLDER " a pset:Preset ; lv2:appliesTo <urn:loophole:test:state-holder> ; "

static struct engine_host *host;
static char folder[64];

/* The response to a click of 1. */
static void check_response(const struct engine_plugin_config *config, const float wanted[4])
{
    struct engine_plugin *plugin;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_plugin_new(host, config, NULL, 0, &plugin, &error) == LH_OK, "%s", error.message);
    const float click[8] = {1.0f};
    stage_run(plugin, 0, 8, click);
    const float *output = engine_plugin_audio_output(plugin, 0);
    for (uint32_t i = 0; i < 8; i++) {
        ck_assert_msg(output[i] == (i < 4 ? wanted[i] : 0.0f), "tap %u is %g", i, (double)output[i]);
    }
    engine_plugin_free(plugin, NULL, 0);
}

START_TEST(a_plugin_begins_with_its_default_state)
{
    struct engine_plugin_config config = stage_config(HOLDER);
    check_response(&config, (const float[]){0.5f, 0.25f, 0.125f, 0.0625f});
}
END_TEST

START_TEST(a_preset_sets_ports_and_state)
{
    struct engine_plugin_config config = stage_config(HOLDER);
    config.preset = "urn:loophole:test:twice";
    check_response(&config, (const float[]){1.0f, 0.0f, 0.0f, 0.0f});
}
END_TEST

START_TEST(a_presets_file_lies_in_its_bundle)
{
    struct engine_plugin_config config = stage_config(HOLDER);
    config.preset = "urn:loophole:test:filed";
    check_response(&config, (const float[]){0.25f, 0.0f, 0.0f, 0.0f});
}
END_TEST

static const char *const texts[] = {
    PREFIXES "<>" OF_HOLDER "state:state [ " TAPS " ] .",
    PREFIXES "<urn:somebody>" OF_HOLDER "state:state [ " TAPS " ] .",
    PREFIXES "<state.ttl>" OF_HOLDER "lv2:port [ lv2:symbol \"trim\" ; pset:value 1.0 ] , "
             "[ lv2:symbol \"gone\" ; pset:value 9.0 ] ; state:state [ " TAPS " ] .",
};

START_TEST(a_states_text_is_restored)
{
    struct engine_plugin_config config = stage_config(HOLDER);
    config.state = texts[_i];
    check_response(&config, (const float[]){4.0f, 0.0f, 0.0f, 0.0f});
}
END_TEST

START_TEST(a_state_comes_after_the_preset)
{
    struct engine_plugin_config config = stage_config(HOLDER);
    config.preset = "urn:loophole:test:twice"; /* also sets trim to 0.5, which the state does not speak of */
    config.state = texts[0];
    check_response(&config, (const float[]){2.0f, 0.0f, 0.0f, 0.0f});
}
END_TEST

static const char *const filed[] = {
    PREFIXES "<>" OF_HOLDER "state:state [ " TAPS " ; <urn:loophole:test:file> \"ten.txt\"^^atom:Path ] .",
    PREFIXES "<>" OF_HOLDER "state:state [ " TAPS " ; <urn:loophole:test:file> <ten.txt> ] .",
};

START_TEST(relative_paths_begin_at_the_folder)
{
    struct engine_plugin_config config = stage_config(HOLDER);
    config.state = filed[_i];
    config.folder = folder;
    check_response(&config, (const float[]){40.0f, 0.0f, 0.0f, 0.0f});
}
END_TEST

static const struct {
    const char *preset, *state;
    enum lh_status status;
    const char *message;
} bad[] = {
    {"urn:nobody", "", LH_ERR_MISSING, "it has no preset urn:nobody"},
    {"not a uri", "", LH_ERR_MISSING, "it has no preset not a uri"},
    {"", "this is no Turtle", LH_ERR_FAULT, "its state is not the Turtle text of a preset"},
    {"", "", LH_OK, ""},
    {"", "# nothing but words: pset:Preset lv2:appliesTo", LH_ERR_FAULT,
     "its state is not the Turtle text of a preset"},
    {"", PREFIXES "<> a pset:Preset ; lv2:appliesTo <urn:other> .", LH_ERR_FAULT,
     "its state is another plugin's: urn:other"},
    {"", PREFIXES "[]" OF_HOLDER "state:state [ " TAPS " ] .", LH_ERR_FAULT,
     "its state is not the Turtle text of a preset"},
    {"", PREFIXES "<> a pset:Preset .", LH_ERR_FAULT, "its state is another plugin's: it does not say whose"},
    {"", PREFIXES "<>" OF_HOLDER "state:state [ <urn:loophole:test:file> 17 ] .", LH_ERR_FAULT,
     "refused its state: a value has a wrong type"},
    {"", PREFIXES "<>" OF_HOLDER "state:state [ <urn:loophole:test:file> \"gone.txt\"^^atom:Path ] .", LH_ERR_FAULT,
     "refused its state: it does not say why"},
};

START_TEST(what_is_no_state_is_refused)
{
    struct engine_plugin_config config = stage_config(HOLDER);
    config.preset = bad[_i].preset;
    config.state = bad[_i].state;
    struct engine_plugin *plugin = NULL;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = engine_plugin_new(host, &config, NULL, 0, &plugin, &error);
    ck_assert_msg(status == bad[_i].status, "%s", error.message);
    ck_assert_str_eq(error.message, bad[_i].message);
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

/* As lilv itself restores them, and jalv with it. */
static const struct {
    const char *bundle, *uri;
} others[] = {
    {STAGE_LV2 "calf.lv2/", "lv2:http://calf.sourceforge.net/plugins/Compressor"},
    {STAGE_LV2 "mda.lv2/", "lv2:http://drobilla.net/plugins/mda/JX10"},
    {STAGE_LV2 "ZamVerb.lv2/", "lv2:urn:zamaudio:ZamVerb"},
    {STAGE_LV2 "gx_amp.lv2/", "lv2:http://guitarix.sourceforge.net/plugins/gx_amp#GUITARIX"},
};

START_TEST(presets_sound_as_lilv_restores_them)
{
    struct engine_host *other = stage_host(others[_i].bundle);
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct graph_plugin_facts facts = stage_facts(other, others[_i].uri, &arena);
    uint32_t count = facts.preset_count < 4 ? facts.preset_count : 4;
    for (uint32_t k = 0; k < count; k++) {
        struct engine_plugin_config config = stage_config(others[_i].uri);
        config.preset = facts.presets[k].uri;
        struct engine_plugin *plugin;
        ck_assert_int_eq(engine_plugin_new(other, &config, NULL, 0, &plugin, NULL), LH_OK);
        struct bare_result bare =
            bare_run(others[_i].bundle, others[_i].uri + 4, facts.presets[k].uri, STAGE_QUANTUM, 4096, -1);
        for (uint32_t frame = 0; frame < 4096; frame += STAGE_QUANTUM) {
            for (uint32_t c = 0; c < engine_plugin_audio_inputs(plugin); c++) {
                for (uint32_t i = 0; i < STAGE_QUANTUM; i++) {
                    engine_plugin_audio_input(plugin, c)[i] = bare_noise(c, frame + i);
                }
            }
            stage_run(plugin, frame, STAGE_QUANTUM, NULL);
            for (uint32_t c = 0; c < bare.outputs; c++) {
                ck_assert_mem_eq(engine_plugin_audio_output(plugin, c), bare.samples + c * 4096 + frame,
                                 STAGE_QUANTUM * sizeof(float));
            }
        }
        free(bare.samples);
        engine_plugin_free(plugin, NULL, 0);
    }
    lh_arena_fini(&arena);
    engine_host_free(other);
}
END_TEST

/* A sampler's file is loaded by its default state; a note plays it from its very frame on. */
START_TEST(a_sampler_is_ready_at_frame_0)
{
    struct engine_host *other = stage_host(STAGE_LV2 "eg-sampler.lv2/");
    struct engine_plugin *plugin = stage_plugin(other, "lv2:http://lv2plug.in/plugins/eg-sampler");
    const struct graph_event note = {.frame = 100, .size = 3, .bytes = {0x90, 60, 127}};
    const struct engine_plugin_chunk chunk = {.frames = 1024, .events = &note, .event_count = 1};
    stage_run_chunk(plugin, &chunk);
    const float *output = engine_plugin_audio_output(plugin, 0);
    float peak = 0.0f;
    for (uint32_t i = 0; i < 1024; i++) {
        ck_assert(i >= 100 || output[i] == 0.0f);
        peak = output[i] > peak ? output[i] : peak;
    }
    ck_assert(peak > 0.1f);
    engine_plugin_free(plugin, NULL, 0);
    engine_host_free(other);
}
END_TEST

/* A click after 100 frames of silence, 48 kHz mono float WAV. */
static void write_response(const char *path)
{
    enum { FRAMES = 256, CLICK = 100 };
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_bytes(&writer, "RIFF", 4);
    lh_writer_u32(&writer, 36 + 4 * FRAMES);
    lh_writer_bytes(&writer, "WAVEfmt ", 8);
    lh_writer_u32(&writer, 16);
    lh_writer_u16(&writer, 3);
    lh_writer_u16(&writer, 1);
    lh_writer_u32(&writer, STAGE_RATE);
    lh_writer_u32(&writer, STAGE_RATE * 4);
    lh_writer_u16(&writer, 4);
    lh_writer_u16(&writer, 32);
    lh_writer_bytes(&writer, "data", 4);
    lh_writer_u32(&writer, 4 * FRAMES);
    for (int i = 0; i < FRAMES; i++) {
        lh_writer_f32(&writer, i == CLICK ? 1.0f : 0.0f);
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(writer.data, 1, writer.size, file), writer.size);
    fclose(file);
    lh_writer_fini(&writer);
}

/* A convolver loads its file through its worker, in several jobs of several runs: all of them are done before the first
   frame sounds. */
START_TEST(a_workers_file_is_there_at_frame_0)
{
    static const char uri[] = "lv2:http://lsp-plug.in/plugins/lv2/impulse_responses_mono";
    char path[128];
    snprintf(path, sizeof path, "%sresponse.wav", folder);
    write_response(path);
    struct engine_host *other = stage_host(STAGE_LV2 "lsp-plugins.lv2/");
    struct engine_plugin_config config = stage_config(uri);
    config.state =
        PREFIXES "<> a pset:Preset ; lv2:appliesTo <http://lsp-plug.in/plugins/lv2/impulse_responses_mono> ; "
                 "state:state [ <http://lsp-plug.in/plugins/lv2/impulse_responses_mono/ports#ifn> "
                 "\"response.wav\"^^atom:Path ] .";
    config.folder = folder;
    struct engine_plugin *plugin;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = engine_plugin_new(other, &config, NULL, 0, &plugin, &error);
    ck_assert_msg(status == LH_OK, "%s", error.message);
    const float click[STAGE_QUANTUM] = {[10] = 0.5f};
    stage_set(plugin, "cs", 1.0f);
    stage_run(plugin, 0, STAGE_QUANTUM, click);
    const float *output = engine_plugin_audio_output(plugin, 0);
    unlink(path);
    ck_assert_msg(output[110] > 0.01f, "%g", (double)output[110]);
    engine_plugin_free(plugin, NULL, 0);
    engine_host_free(other);
}
END_TEST

static void set_up(void)
{
    host = stage_host(STAGE_FRIENDLY);
    snprintf(folder, sizeof folder, "/tmp/loophole state XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    strcat(folder, "/");
    char path[128];
    snprintf(path, sizeof path, "%sten.txt", folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("10\n", file);
    fclose(file);
}

static void tear_down(void)
{
    engine_host_free(host);
    char path[128];
    snprintf(path, sizeof path, "%sten.txt", folder);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    Suite *suite = suite_create("engine/host/lv2_state");
    TCase *tests = tcase_create("state");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_plugin_begins_with_its_default_state);
    tcase_add_test(tests, a_preset_sets_ports_and_state);
    tcase_add_test(tests, a_presets_file_lies_in_its_bundle);
    tcase_add_loop_test(tests, a_states_text_is_restored, 0, (int)(sizeof texts / sizeof *texts));
    tcase_add_test(tests, a_state_comes_after_the_preset);
    tcase_add_loop_test(tests, relative_paths_begin_at_the_folder, 0, (int)(sizeof filed / sizeof *filed));
    tcase_add_loop_test(tests, what_is_no_state_is_refused, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_loop_test(tests, presets_sound_as_lilv_restores_them, 0, (int)(sizeof others / sizeof *others));
    tcase_add_test(tests, a_sampler_is_ready_at_frame_0);
    tcase_add_test(tests, a_workers_file_is_there_at_frame_0);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
