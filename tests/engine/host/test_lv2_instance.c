/* SPDX-License-Identifier: MIT */
/* Debian's plugins sound as in the plainest host there is, sample for sample. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/engine/host/bare.h"
#include "tests/engine/host/stage.h"

#define FRAMES 16384u
#define CALF "lv2:http://calf.sourceforge.net/plugins/"
#define MDA "lv2:http://drobilla.net/plugins/mda/"
#define LSP "lv2:http://lsp-plug.in/plugins/lv2/"
#define SWH "lv2:http://plugin.org.uk/swh-plugins/"
#define X42 "lv2:http://gareus.org/oss/lv2/"

static const struct {
    const char *bundle, *uri;
    uint32_t block;
    uint32_t latency;
} plugins[] = {
    {"eg-amp.lv2/", "lv2:http://lv2plug.in/plugins/eg-amp", 1024, 0},
    {"mda.lv2/", MDA "Ambience", 1024, 0},
    {"mda.lv2/", MDA "Delay", 64, 0},
    {"mda.lv2/", MDA "Dynamics", 1024, 0},
    {"mda.lv2/", MDA "EPiano", 1024, 0},
    {"mda.lv2/", MDA "JX10", 1024, 0},
    {"mda.lv2/", MDA "Leslie", 512, 0},
    {"mda.lv2/", MDA "MultiBand", 1024, 0},
    {"mda.lv2/", MDA "Piano", 256, 0},
    {"calf.lv2/", CALF "Compressor", 1024, 0},
    {"calf.lv2/", CALF "Equalizer8Band", 1024, 0},
    {"calf.lv2/", CALF "Reverb", 1024, 0},
    {"calf.lv2/", CALF "VintageDelay", 256, 0},
    {"calf.lv2/", CALF "Monosynth", 1024, 0},
    {"lsp-plugins.lv2/", LSP "para_equalizer_x16_stereo", 1024, 0},
    {"lsp-plugins.lv2/", LSP "compressor_stereo", 1024, 0},
    {"lsp-plugins.lv2/", LSP "graph_equalizer_x16_mono", 512, 0},
    {"lsp-plugins.lv2/", LSP "impulse_reverb_stereo", 1024, 0},
    {"sapistaEQv2.lv2/", "lv2:http://eq10q.sourceforge.net/eq/eq10qs", 1024, 0},
    {"ZamEQ2.lv2/", "lv2:urn:zamaudio:ZamEQ2", 64, 0},
    {"ZamGEQ31.lv2/", "lv2:urn:zamaudio:ZamGEQ31", 1024, 0},
    {"ZaMaximX2.lv2/", "lv2:urn:zamaudio:ZaMaximX2", 1024, 480},
    {"dpl.lv2/", X42 "dpl#stereo", 1024, 64},
    {"fil4.lv2/", X42 "fil4#stereo", 1024, 0},
    {"rubberband.lv2/", "lv2:http://breakfastquay.com/rdf/lv2-rubberband#stereo", 1024, 8192},
    {"plate-swh.lv2/", SWH "plate", 1024, 0},
    {"gverb-swh.lv2/", SWH "gverb", 1024, 0},
    {"sc4-swh.lv2/", SWH "sc4", 64, 0},
    {"svf-swh.lv2/", SWH "svf", 128, 0},
    {"phasers-swh.lv2/", SWH "lfoPhaser", 1024, 0},
    {"DragonflyHallReverb.lv2/", "lv2:https://github.com/michaelwillis/dragonfly-reverb", 1024, 0},
    {"DragonflyRoomReverb.lv2/", "lv2:urn:dragonfly:room", 1024, 0},
    {"MVerb.lv2/", "lv2:http://distrho.sf.net/plugins/MVerb", 1024, 0},
    {"invada.lv2/", "lv2:http://invadarecords.com/plugins/lv2/compressor/stereo", 1024, 0},
    {"gx_zita_rev1.lv2/", "lv2:http://guitarix.sourceforge.net/plugins/gx_zita_rev1_stereo#_zita_rev1_stereo", 1024, 0},
    {"a-reverb.lv2/", "lv2:urn:ardour:a-reverb", 1024, 0},
    {"a-eq.lv2/", "lv2:urn:ardour:a-eq", 1024, 0},
    {"Nekobi.lv2/", "lv2:http://distrho.sf.net/plugins/Nekobi", 1024, 0},
};

START_TEST(samples_are_the_bare_hosts)
{
    char bundle[128];
    snprintf(bundle, sizeof bundle, STAGE_LV2 "%s", plugins[_i].bundle);
    uint32_t block = plugins[_i].block;
    struct bare_result bare = bare_run(bundle, plugins[_i].uri + 4, NULL, block, FRAMES, 777);
    struct engine_host *host = stage_host(bundle);
    struct engine_plugin_config config = stage_config(plugins[_i].uri);
    config.quantum = block;
    struct engine_plugin *plugin;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_plugin_new(host, &config, NULL, 0, &plugin, &error) == LH_OK, "%s", error.message);
    ck_assert_uint_eq(engine_plugin_audio_outputs(plugin), bare.outputs);
    ck_assert_uint_eq(engine_plugin_audio_inputs(plugin), bare.inputs);
    const struct graph_event note = {.frame = 777, .size = 3, .bytes = {0x90, 60, 100}};
    bool audible = false;
    for (uint32_t frame = 0; frame < FRAMES; frame += block) {
        for (uint32_t c = 0; c < bare.inputs; c++) {
            for (uint32_t i = 0; i < block; i++) {
                engine_plugin_audio_input(plugin, c)[i] = bare_noise(c, frame + i);
            }
        }
        const struct engine_plugin_chunk chunk = {.frame = frame,
                                                  .frames = block,
                                                  .events = &note,
                                                  .event_count = note.frame / block == frame / block ? 1 : 0};
        stage_run_chunk(plugin, &chunk);
        for (uint32_t c = 0; c < bare.outputs; c++) {
            const float *output = engine_plugin_audio_output(plugin, c);
            ck_assert_msg(memcmp(output, bare.samples + (size_t)c * FRAMES + frame, block * sizeof(float)) == 0,
                          "%s: output %u differs in the block at %u", plugins[_i].uri, c, frame);
            audible = audible || output[block - 1] != 0.0f;
        }
    }
    ck_assert_msg(audible, "%s is silent", plugins[_i].uri);
    ck_assert_uint_eq(engine_plugin_latency(plugin), plugins[_i].latency);
    engine_plugin_free(plugin, NULL, 0);
    engine_host_free(host);
    free(bare.samples);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/host/lv2_instance");
    TCase *tests = tcase_create("lv2_instance");
    tcase_add_loop_test(tests, samples_are_the_bare_hosts, 0, (int)(sizeof plugins / sizeof *plugins));
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
