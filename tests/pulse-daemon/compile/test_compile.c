/* SPDX-License-Identifier: MIT */
/* The compiler as a whole: projects in, what their render graphs sound like out. */
#include "pulse-daemon/compile/compile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/keys.h"
#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

#define HALF_POWER 0.70710678118654752440

static const char everything[] =
    "{'loophole': 1, 'name': 'all', 'sampleRate': 48000, 'panLaw': 'compromise',"
    " 'tempo': [{'at': {'beats': 0}, 'bpm': 100, 'curve': 'ramp'}, {'at': {'beats': 8}, 'bpm': 137.3}],"
    " 'markers': [{'at': {'beats': 3.3}, 'name': 'here'}],"
    " 'media': {'a': {'file': 'a.wav'}, 'mono44': {'file': 'b.wav'}, 'lossy': {'file': 'c.mp3'}},"
    " 'tracks': ["
    "  {'id': 'drums', 'type': 'group', 'gainDb': -1.5, 'pan': 0.1, 'invert': true},"
    "  {'id': 'verb', 'type': 'return', 'gainDb': -4, 'sends': [{'to': 'echo', 'gainDb': -9}]},"
    "  {'id': 'echo', 'type': 'return'},"
    "  {'id': 'kick', 'type': 'audio', 'output': 'drums', 'gainDb': -3.3, 'pan': -0.2,"
    "   'clips': [{'media': 'a', 'start': {'beats': 1.1}, 'duration': {'beats': 3}, 'loop': true, 'offset': "
    "{'seconds': 1.5},"
    "     'fadeIn': {'duration': {'beats': 0.5}, 'shape': 'constantPower'},"
    "     'fadeOut': {'duration': {'seconds': 0.2}, 'shape': 'exponential'}}],"
    "   'sends': [{'to': 'verb', 'gainDb': -12, 'tap': 'pre'}],"
    "   'automation': [{'parameter': 'gainDb', 'points': [{'at': {'beats': 0}, 'value': -60}, {'at': {'beats': 8}, "
    "'value': 0}]},"
    "     {'parameter': 'pan', 'points': [{'at': {'beats': 1}, 'value': -1}, {'at': {'beats': 5}, 'value': 1}]},"
    "     {'parameter': 'sends/verb/gainDb', 'points': [{'at': {'beats': 1}, 'value': -30}, {'at': {'beats': 3}, "
    "'value': -6}]}]},"
    "  {'id': 'vox', 'type': 'audio', 'pan': 0.3, 'clips': [{'media': 'mono44', 'start': {'seconds': 0.3}, 'reverse': "
    "true,"
    "     'fadeOut': {'duration': {'beats': 1}, 'shape': 'sCurve'}}],"
    "   'sends': [{'to': 'verb', 'gainDb': -10, 'pan': -0.5}, {'to': 'echo', 'gainDb': -20}],"
    "   'automation': [{'parameter': 'pan', 'points': [{'at': {'beats': 0}, 'value': -0.9}, {'at': {'beats': 4}, "
    "'value': 1}]},"
    "     {'parameter': 'mute', 'points': [{'at': {'seconds': 1}, 'value': 1}, {'at': {'seconds': 1.2}, 'value': "
    "0}]}]},"
    "  {'id': 'bed', 'type': 'audio', 'clips': [{'media': 'lossy', 'start': {'frames': 17}, 'gainDb': -2}]}],"
    " 'deliverables': ["
    "  {'name': 'mix', 'source': 'master', 'format': 'wav', 'loudness': {'integrated': -14}, 'tags': {'title': 'x'},"
    "   'range': {'tail': {'untilDb': -90}}},"
    "  {'name': 'stems', 'source': {'each': ['kick', 'vox', 'bed'], 'tap': 'contribution'}, 'format': 'flac', "
    "'gainFrom': 'mix'},"
    "  {'name': 'web', 'source': 'master', 'format': 'opus'}]}";

/* Everything that bends a number through libm once upon a time: printed for other CPUs to be compared with. */
static uint64_t digest_of_everything(void)
{
    struct compiling t;
    compiling_init(&t, everything);
    ck_assert_msg(t.status == LH_OK, "%s %s", t.faults.stored > 0 ? t.faults.items[0].where : "",
                  t.faults.stored > 0 ? t.faults.items[0].message : lh_status_text(t.status));
    uint64_t digest = encoding_digest(t.compiled->graph);
    compiling_fini(&t);
    return digest;
}

static const char *own_path;

START_TEST(test_same_bits_everywhere)
{
    char command[4200];
    unsigned long long printed = 0;
    snprintf(command, sizeof command, "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F '%s' digest",
             own_path);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    ck_assert_int_eq(fscanf(pipe, "%llx", &printed), 1);
    ck_assert_int_eq(pclose(pipe), 0);
    ck_assert_uint_eq(printed, digest_of_everything());
}
END_TEST

START_TEST(test_contributions_sum_to_the_mix)
{
    struct compiling t;
    compiling_init(&t, everything);
    ck_assert_int_eq(t.status, LH_OK);
    static const char *const media[] = {"a", "mono44", "lossy"};
    static const char *const stems[] = {"stems-kick", "stems-vox", "stems-bed"};
    for (int64_t frame = 0; frame < 150000; frame += 61) {
        for (uint32_t channel = 0; channel < 2; channel++) {
            for (size_t i = 0; i < 3; i++) {
                double mix = response(&t, "mix", channel, media[i], frame);
                if (!(fabs(mix - response(&t, stems[i], channel, media[i], frame)) < 1e-12) ||
                    response(&t, stems[(i + 1) % 3], channel, media[i], frame) != 0.0) {
                    ck_abort_msg("%s at frame %lld", media[i], (long long)frame);
                }
            }
        }
    }
    ck_assert_uint_eq(deliverable_named(&t, "mix")->node, deliverable_named(&t, "web")->node);
    compiling_fini(&t);
}
END_TEST

START_TEST(test_outputs)
{
    struct compiling t;
    compiling_init(&t, everything);
    ck_assert_int_eq(t.status, LH_OK);
    static const char *const files[] = {"mix.wav", "stems-kick.flac", "stems-vox.flac", "stems-bed.flac", "web.opus"};
    ck_assert_uint_eq(t.compiled->graph->deliverable_count, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_str_eq(t.compiled->outputs[i].file, files[i]);
        ck_assert(t.compiled->outputs[i].wanted);
        ck_assert_uint_eq(t.compiled->graph->deliverables[i].gain_from, i >= 1 && i <= 3 ? 0 : GRAPH_NONE);
    }
    ck_assert_uint_eq(t.compiled->graph->media_count, 3);
    const struct graph_media *media = t.compiled->graph->media;
    ck_assert(media[0].conform == GRAPH_CONFORM_IN_PLACE && media[0].length == 96000);
    ck_assert(media[1].conform == GRAPH_CONFORM_SOXR && media[1].length == 104490); /* 96000 * 48000/44100 = 104489.8 */
    ck_assert(media[2].conform == GRAPH_CONFORM_DECODE);
    compiling_fini(&t);
}
END_TEST

START_TEST(test_only)
{
    struct compiling t;
    compiling_init_only(&t, everything, "stems");
    ck_assert_int_eq(t.status, LH_OK);
    ck_assert_uint_eq(t.compiled->graph->deliverable_count, 4);
    ck_assert(!t.compiled->outputs[0].wanted && t.compiled->outputs[1].wanted);
    compiling_fini(&t);
    compiling_init_only(&t, everything, "wep");
    ck_assert_int_eq(t.status, LH_ERR_USAGE);
    ck_assert_str_eq(fault_at(&t, ""), "there is no deliverable \"wep\"; did you mean \"web\"?");
    compiling_fini(&t);
}
END_TEST

/* Fader, pan, polarity, group and the order of the gains, against plain arithmetic. */
START_TEST(test_levels)
{
    struct compiling t;
    compiling_init(
        &t,
        "{'loophole': 1, 'name': 'p', 'sampleRate': 48000, 'media': {'mono': {'file': 'm.wav'}, 'st': {'file': "
        "'s.wav'}},"
        "'tracks': [{'id': 'g', 'type': 'group', 'gainDb': -6, 'pan': 0.5},"
        "{'id': 'm', 'type': 'audio', 'output': 'g', 'gainDb': 3, 'invert': true, 'clips': [{'media': 'mono', 'start': "
        "{'frames': 0}, 'gainDb': -2}]},"
        "{'id': 's', 'type': 'audio', 'pan': -0.25, 'clips': [{'media': 'st', 'start': {'frames': 10}, 'duration': "
        "{'frames': 20}}]}],"
        "'deliverables': [{'name': 'mix', 'source': 'master'}, {'name': 'pre', 'source': {'track': 'm', 'tap': 'pre'}},"
        " {'name': 'post', 'source': {'track': 'm', 'tap': 'post'}}]}");
    ck_assert_int_eq(t.status, LH_OK);
    double clip = pow(10, -2 / 20.0), fader = pow(10, 3 / 20.0), group = pow(10, -6 / 20.0);
    ck_assert(fabs(response(&t, "pre", 0, "mono", 5) + clip) < 1e-7);
    ck_assert(fabs(response(&t, "post", 1, "mono", 5) + clip * fader * HALF_POWER) < 1e-7);
    ck_assert(fabs(response(&t, "mix", 0, "mono", 5) + clip * fader * HALF_POWER * group * 0.5) < 1e-7);
    ck_assert(fabs(response(&t, "mix", 1, "mono", 5) + clip * fader * HALF_POWER * group) < 1e-7);
    ck_assert(response(&t, "mix", 0, "st", 10) == 1.0 && response(&t, "mix", 1, "st", 29) == 0.75);
    ck_assert(response(&t, "mix", 0, "st", 9) == 0.0 && response(&t, "mix", 0, "st", 30) == 0.0);
    compiling_fini(&t);
}
END_TEST

static void node_digests(const struct compiling *t, struct lh_digest *keys)
{
    const struct graph *graph = t->compiled->graph;
    struct lh_digest media[8] = {{{0}}};
    const struct graph_key_context context = {.sound_version = 1, .libraries = "x", .cpu_class = "y"};
    for (uint32_t i = 0; i < graph->media_count; i++) {
        ck_assert_int_eq(lh_digest_bytes(graph->media[i].name, strlen(graph->media[i].name), &media[i]), LH_OK);
    }
    ck_assert_int_eq(graph_keys(graph, media, &context, NULL, keys), LH_OK);
}

#define TRACK_A                                                                                                        \
    "{'id': 'a', 'type': 'audio', 'output': 'g', 'clips': [{'media': 'x', 'start': {'beats': 1}}, {'media': 'y', "     \
    "'start': {'beats': 2}}]}"
#define TRACK_B                                                                                                        \
    "{'id': 'b', 'type': 'audio', 'gainDb': -3, 'clips': [{'media': 'mono', 'start': {'beats': 0}}], 'sends': "        \
    "[{'to': 'r', 'gainDb': -3}]}"
#define TRACK_C                                                                                                        \
    "{'id': 'c', 'type': 'audio', 'output': 'g', 'pan': 0.5, 'clips': [{'media': 'y', 'start': {'beats': 0}}]}"
#define TRACK_G "{'id': 'g', 'type': 'group', 'sends': [{'to': 'r'}]}"
#define TRACK_R "{'id': 'r', 'type': 'return'}"
#define MEDIA_XYM "'media': {'x': {'file': 'x.wav'}, 'y': {'file': 'y.wav'}, 'mono': {'file': 'm.wav'}}"
#define HEAD "{'loophole': 1, 'name': 'p', 'sampleRate': 48000, "

START_TEST(test_order_does_not_matter)
{
    static const char *const orders[] = {
        HEAD MEDIA_XYM ", 'tracks': [" TRACK_A "," TRACK_B "," TRACK_C "," TRACK_G "," TRACK_R "]}",
        HEAD MEDIA_XYM ", 'tracks': [" TRACK_R "," TRACK_G "," TRACK_C "," TRACK_B "," TRACK_A "]}",
        HEAD "'tracks': [" TRACK_C "," TRACK_R "," TRACK_A "," TRACK_G "," TRACK_B
             "], 'media': {'mono': {'file': 'm.wav'}, 'y': {'file': 'y.wav'}, 'x': {'file': 'x.wav'}}}",
    };
    struct lh_digest first, other;
    for (size_t i = 0; i < 3; i++) {
        struct compiling t;
        compiling_init(&t, orders[i]);
        ck_assert_int_eq(t.status, LH_OK);
        node_digests(&t, i == 0 ? &first : &other);
        ck_assert(i == 0 || lh_digest_equal(&first, &other));
        compiling_fini(&t);
    }
}
END_TEST

#define FAULTY(tracks)                                                                                                 \
    "{'loophole': 1, 'name': 'p', 'sampleRate': 192000, 'media': {'six': {'file': 'x.wav'}, 'mono': {'file': "         \
    "'m.wav'}, 'st': {'file': 's.wav'}}, 'tracks': [" tracks "]}"
#define MONO_CLIPS "'clips': [{'media': 'mono', 'start': {'beats': 0}}]"

START_TEST(test_faults)
{
    static const struct {
        const char *text, *where, *part;
        enum lh_status code;
    } faults[] = {
        {FAULTY("{'id': 'a', 'type': 'audio', 'clips': [{'media': 'six', 'start': {'beats': 0}}]}"),
         "/tracks/0/clips/0/media", "6 channels", LH_ERR_INVALID},
        {FAULTY("{'id': 'a', 'type': 'audio', 'channels': 6, 'clips': [{'media': 'mono', 'start': {'beats': 0}}]}"),
         "/tracks/0/clips/0/media", "has 1 channel and track \"a\" has 6", LH_ERR_INVALID},
        {FAULTY("{'id': 'a', 'type': 'audio', 'channels': 6, 'clips': [{'media': 'six', 'start': {'beats': 0}}]}"),
         "/tracks/0", "its output", LH_ERR_INVALID},
        {FAULTY("{'id': 'g', 'type': 'group', 'channels': 1}, {'id': 'a', 'type': 'audio', 'output': 'g', 'clips': "
                "[{'media': 'st', 'start': {'beats': 0}}]}"),
         "/tracks/1/output", "its output", LH_ERR_INVALID},
        {FAULTY("{'id': 'r', 'type': 'return', 'channels': 1}, {'id': 'a', 'type': 'audio', " MONO_CLIPS
                ", 'sends': [{'to': 'r'}]}"),
         "/tracks/1/sends/0/to", "post fader", LH_ERR_INVALID},
        {FAULTY("{'id': 'a', 'type': 'audio', " MONO_CLIPS ", 'nodes': [{'id': 'n', 'plugin': 'lv2:http://x'}]}"),
         "/tracks/0/nodes/0/plugin", "is not installed", LH_ERR_MISSING},
        {FAULTY("{'id': 'a', 'type': 'audio', 'clips': [{'media': 'mono', 'start': {'seconds': 1e7}}]}"),
         "/tracks/0/clips/0/start", "2^40", LH_ERR_LIMIT},
        {FAULTY("{'id': 'a', 'type': 'audio'}"), "", "nothing to deliver", LH_ERR_INVALID},
        {FAULTY("{'id': 'i', 'type': 'instrument', 'clips': [{'start': {'beats': 0}, 'duration': {'beats': 1}, "
                "'notes': [{'at': {'beats': 0}, 'duration': {'beats': 1}, 'key': 60, 'velocity': 9}]}]}"),
         "/tracks/0", "no plugin among its \"nodes\" that plays them", LH_ERR_INVALID},
        {FAULTY("{'id': 'a', 'type': 'audio', " MONO_CLIPS
                ", 'automation': [{'parameter': 'gainDb', 'points': [{'at': {'beats': 0}, 'value': -9}, {'at': "
                "{'seconds': 5e6}, 'value': 0}]}]}"),
         "/tracks/0", "ramps for too long", LH_ERR_LIMIT},
    };
    struct compiling t;
    compiling_init(&t, faults[_i].text);
    ck_assert_msg(t.status == faults[_i].code, "%d: %s", _i, lh_status_text(t.status));
    const char *message = fault_at(&t, faults[_i].where);
    ck_assert_msg(message != NULL, "%d: at %s: %s", _i, t.faults.items[0].where, t.faults.items[0].message);
    ck_assert_msg(strstr(message, faults[_i].part) != NULL, "%d: %s", _i, message);
    compiling_fini(&t);
}
END_TEST

/* What is not heard may hold what cannot be rendered. */
START_TEST(test_plugins_that_are_not_heard)
{
    struct compiling t;
    compiling_init(&t, FAULTY("{'id': 'a', 'type': 'audio', " MONO_CLIPS
                              ", 'nodes': [{'id': 'n', 'plugin': 'lv2:http://x', 'enabled': false}]},"
                              "{'id': 'b', 'type': 'audio', 'mute': true, " MONO_CLIPS
                              ", 'nodes': [{'id': 'n', 'plugin': 'lv2:http://x'}]}"));
    ck_assert_int_eq(t.status, LH_OK);
    compiling_fini(&t);
}
END_TEST

START_TEST(test_no_memory)
{
    struct lh_arena arena;
    struct lh_faults faults;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    struct pulse_project *project = compiling_parse(everything, &faults);
    const struct pulse_media_facts media[] = {
        {96000, 48000, 2, false}, {96000, 44100, 1, false}, {96000, 48000, 2, true}};
    const struct pulse_facts facts = {.media = media};
    struct pulse_needs needs;
    ck_assert_int_eq(pulse_compile_needs(&arena, project, NULL, &needs), LH_OK);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct pulse_compiled *compiled = NULL;
        testing_fail_allocation(n);
        enum lh_status status = pulse_compile(project, &needs, &facts, NULL, &faults, &compiled);
        fired = testing_fail_allocation_end();
        ck_assert_msg(status == (fired ? LH_ERR_NO_MEMORY : LH_OK), "allocation %zu: %s", n, lh_status_text(status));
        ck_assert((compiled == NULL) == fired);
        pulse_compiled_free(compiled);
    }
    fired = true;
    for (size_t n = 1; fired; n++) {
        struct lh_arena own;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = pulse_compile_needs(&own, project, NULL, &needs);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        lh_arena_fini(&own);
    }
    pulse_project_free(project);
    lh_arena_fini(&arena);
}
END_TEST

static Suite *compile_suite(void)
{
    Suite *suite = suite_create("compile");
    TCase *tests = tcase_create("compile");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_same_bits_everywhere);
    tcase_add_test(tests, test_contributions_sum_to_the_mix);
    tcase_add_test(tests, test_outputs);
    tcase_add_test(tests, test_only);
    tcase_add_test(tests, test_levels);
    tcase_add_test(tests, test_order_does_not_matter);
    tcase_add_loop_test(tests, test_faults, 0, 10);
    tcase_add_test(tests, test_plugins_that_are_not_heard);
    tcase_add_test(tests, test_no_memory);
    suite_add_tcase(suite, tests);
    return suite;
}

START_TEST(print_digest)
{
    printf("%llx\n", (unsigned long long)digest_of_everything());
}
END_TEST

/* `test_compile digest` prints the digest instead of testing. */
int main(int argc, char **argv)
{
    own_path = argv[0];
    if (argc < 2 || strcmp(argv[1], "digest") != 0) {
        return testing_main(compile_suite());
    }
    Suite *suite = suite_create("digest");
    TCase *tests = tcase_create("digest");
    tcase_add_test(tests, print_digest);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
