/* SPDX-License-Identifier: MIT */
/* cli/session, cli/needs, cli/used, cli/report and cli/reuse: whole renders in this process, with a real signal
 * instance (LOOPHOLE_SIGNAL).
 */
#include "cli/session.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"
#include "common/base/bytes.h"
#include "common/json/json.h"
#include "tests/support/testing.h"

#define FRAMES 4800u

static char base[64], before[4096];

static const char project_text[] =
    "{\"loophole\": 1, \"name\": \"Short\", \"sampleRate\": 48000, \"media\": {\"a\": {\"file\": \"a.wav\"}},"
    " \"tracks\": [{\"id\": \"t\", \"type\": \"audio\", \"clips\": [{\"media\": \"a\", \"start\": {\"beats\": 0}}]}],"
    " \"deliverables\": [{\"name\": \"mix\", \"source\": \"master\", \"format\": \"wav\"},"
    " {\"name\": \"web\", \"source\": \"t\", \"format\": \"flac\"}]}";

/* A synth of tests/plugins with notes of a MIDI file, a plugin with a state, and one that is missing. */
static const char plugin_text[] =
    "{\"loophole\": 1, \"name\": \"Plugged\", \"sampleRate\": 48000, \"media\": {\"a\": {\"file\": \"a.wav\"}},"
    " \"tracks\": [{\"id\": \"t\", \"type\": \"audio\", \"clips\": [{\"media\": \"a\"}], \"nodes\": ["
    "{\"id\": \"h\", \"plugin\": \"lv2:urn:loophole:test:state-holder\", \"state\": {\"file\": \"s.ttl\"}},"
    "{\"id\": \"m\", \"plugin\": \"lv2:urn:loophole:test:state-hodler\", \"ifMissing\": \"bypass\"}]},"
    "{\"id\": \"i\", \"type\": \"instrument\", \"clips\": [{\"midi\": \"n.mid\"}], \"nodes\": ["
    "{\"id\": \"s\", \"plugin\": \"lv2:urn:loophole:test:click-synth\"}]}],"
    " \"deliverables\": [{\"name\": \"mix\", \"source\": \"master\", \"format\": \"wav\"},"
    " {\"name\": \"web\", \"source\": \"t\", \"format\": \"flac\"}]}";
static const char state_text[] =
    "@prefix state: <http://lv2plug.in/ns/ext/state#> .\n@prefix test: <urn:loophole:test:> .\n"
    "@prefix atom: <http://lv2plug.in/ns/ext/atom#> .\n@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n"
    "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"
    "<> a <http://lv2plug.in/ns/ext/presets#Preset> ; lv2:appliesTo test:state-holder ;\n"
    " state:state [ test:taps [ a atom:Vector ; atom:childType atom:Float ; rdf:value ( 2.0 0.0 0.0 0.0 ) ] ] .\n";
static const uint8_t midi_bytes[] = {'M', 'T', 'h', 'd', 0,  0, 0,    6,  0,   0,  0,    1,  0, 96, 'M',  'T',  'r',
                                     'k', 0,   0,   0,   12, 0, 0x90, 60, 100, 10, 0x80, 60, 0, 0,  0xff, 0x2f, 0};

static void write_file(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
    close(fd);
}

/* A ramp in 16 bits, one channel. */
static void write_wav(const char *path)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_bytes(&writer, "RIFF", 4);
    lh_writer_u32(&writer, 36 + 2 * FRAMES);
    lh_writer_bytes(&writer, "WAVEfmt ", 8);
    lh_writer_u32(&writer, 16);
    lh_writer_u16(&writer, 1);
    lh_writer_u16(&writer, 1);
    lh_writer_u32(&writer, 48000);
    lh_writer_u32(&writer, 96000);
    lh_writer_u16(&writer, 2);
    lh_writer_u16(&writer, 16);
    lh_writer_bytes(&writer, "data", 4);
    lh_writer_u32(&writer, 2 * FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++) {
        lh_writer_u16(&writer, (uint16_t)i);
    }
    ck_assert_int_eq(lh_writer_status(&writer), LH_OK);
    write_file(path, writer.data, writer.size);
    lh_writer_fini(&writer);
}

static void set_up(void)
{
    unsetenv("TMPDIR");
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    strcpy(base, "session-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    ck_assert_int_eq(chdir(base), 0);
    write_wav("a.wav");
    write_file("p.json", project_text, strlen(project_text));
    write_file("plugged.json", plugin_text, strlen(plugin_text));
    write_file("s.ttl", state_text, strlen(state_text));
    write_file("n.mid", midi_bytes, sizeof midi_bytes);
    char place[4096], bundle[8192];
    ck_assert_ptr_nonnull(realpath(".", place));
    setenv("XDG_CACHE_HOME", place, 1);
    setenv("XDG_DATA_HOME", place, 1);
    snprintf(bundle, sizeof bundle, "%s/friendly.lv2", getenv("LV2_PATH")); /* the hostile ones are for others */
    ck_assert_int_eq(symlink(bundle, "friendly.lv2"), 0);
    setenv("LV2_PATH", place, 1);
    int nowhere = open("/dev/null", O_WRONLY); /* what is said belongs to other tests */
    ck_assert_int_ge(dup2(nowhere, STDERR_FILENO), 0);
    close(nowhere);
}

static void tear_down(void)
{
    ck_assert_int_eq(chdir(before), 0);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", base);
    ck_assert_int_eq(system(command), 0);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int render(const struct cli_request *request, const struct pulse_override *overrides, size_t count)
{
    struct cli_session session;
    cli_session_begin(&session, request);
    cli_session_load(&session, overrides, count);
    cli_session_open_media(&session);
    cli_session_open_needs(&session);
    cli_session_compile(&session);
    cli_session_render(&session);
    return cli_session_end(&session);
}

static struct cli_request request_for(const char *folder)
{
    return (struct cli_request){
        .command = "render", .project = "p.json", .folder = folder, .threads = 1, .progress = CLI_PROGRESS_NONE};
}

/* The report's member as a number or a text. */
static const struct lh_json *read_report(struct lh_arena *arena, const char *path, const char *member)
{
    static char text[65536];
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ssize_t length = read(fd, text, sizeof text);
    close(fd);
    const struct lh_json *root = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_gt(length, 0);
    ck_assert_int_eq(lh_json_parse(arena, text, (size_t)length, &root, &error), LH_OK);
    const struct lh_json *value = lh_json_member(root, member);
    ck_assert_ptr_nonnull(value);
    return value;
}

START_TEST(renders_and_reports)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct cli_request request = request_for("out");
    request.report_path = "report.json";
    request.digests = true;
    ck_assert_int_eq(render(&request, NULL, 0), 0);
    ck_assert(exists("out/mix.wav") && exists("out/web.flac"));
    const struct lh_json *deliverables = read_report(&arena, "report.json", "deliverables");
    ck_assert_uint_eq(deliverables->value.list.count, 2);
    const struct lh_json *mix = deliverables->value.list.items[0];
    ck_assert_double_eq(lh_json_number(lh_json_member(mix, "frames")), FRAMES);
    ck_assert_ptr_nonnull(lh_json_member(mix, "renderKey"));
    ck_assert_ptr_null(lh_json_member(mix, "cached"));
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(failures_are_reported)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct cli_request request = request_for("out");
    request.report_path = "report.json";
    struct pulse_override wrong = {.pointer = "/tracks/0/pan", .value = "7"};
    ck_assert_int_eq(render(&request, &wrong, 1), 3);
    ck_assert_double_eq(lh_json_number(read_report(&arena, "report.json", "exitStatus")), 3);
    ck_assert_uint_eq(read_report(&arena, "report.json", "faults")->value.list.count, 1);
    ck_assert_int_eq(unlink("a.wav"), 0);
    ck_assert_int_eq(render(&request, NULL, 0), 4);
    request.project = "none.json";
    ck_assert_int_eq(render(&request, NULL, 0), 3);
    ck_assert(!exists("out"));
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(steps_after_a_failure_do_nothing)
{
    ck_assert_int_eq(setenv("LOOPHOLE_SIGNAL", "/nowhere/loophole-signal", 1), 0);
    struct cli_request request = request_for("out");
    ck_assert_int_ne(render(&request, NULL, 0), 0);
    ck_assert(!exists("out"));
}
END_TEST

START_TEST(a_signal_stops_the_session)
{
    struct cli_request request = request_for("out");
    struct cli_session session;
    cli_session_begin(&session, &request);
    cli_session_load(&session, NULL, 0);
    raise(SIGTERM);
    cli_session_open_media(&session);
    cli_session_open_needs(&session);
    cli_session_compile(&session);
    cli_session_render(&session);
    ck_assert_int_eq(cli_session_end(&session), 143);
    ck_assert(!exists("out"));
}
END_TEST

START_TEST(plugins_are_used_and_told_of)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct cli_request request = request_for("out");
    request.project = "plugged.json";
    request.report_path = "report.json";
    request.cache = "cache";
    ck_assert_int_eq(render(&request, NULL, 0), 0);
    ck_assert(exists("out/mix.wav") && exists("out/web.flac"));
    const struct lh_json *plugins = read_report(&arena, "report.json", "plugins");
    ck_assert_uint_eq(plugins->value.list.count, 3);
    const struct lh_json *holder = plugins->value.list.items[0], *missing = plugins->value.list.items[1];
    ck_assert_str_eq(lh_json_member(holder, "name")->value.string.text, "state-holder");
    ck_assert_int_eq(lh_json_member(holder, "repeatable")->kind, LH_JSON_FALSE);
    ck_assert_double_eq(lh_json_number(lh_json_member(holder, "copies")), 1);
    ck_assert_int_eq(lh_json_member(missing, "bypassed")->kind, LH_JSON_TRUE);
    ck_assert_ptr_null(lh_json_member(missing, "copies"));
    ck_assert_uint_eq(read_report(&arena, "report.json", "warnings")->value.list.count, 1);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(files_that_plugins_need_are_faults_when_they_are_bad)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct cli_request request = request_for("out");
    request.project = "plugged.json";
    request.report_path = "report.json";
    write_file("n.mid", "MThd", 4);
    write_file("s.ttl", "a\0b", 3);
    ck_assert_int_eq(render(&request, NULL, 0), 4);
    ck_assert_uint_eq(read_report(&arena, "report.json", "faults")->value.list.count, 2);
    ck_assert_int_eq(unlink("n.mid"), 0);
    ck_assert_int_eq(unlink("s.ttl"), 0);
    ck_assert_int_eq(render(&request, NULL, 0), 4);
    const struct lh_json *faults = read_report(&arena, "report.json", "faults");
    ck_assert_uint_eq(faults->value.list.count, 2);
    ck_assert_int_eq(symlink("/dev/zero", "n.mid"), 0);
    ck_assert_int_eq(symlink("/etc/passwd", "s.ttl"), 0);
    ck_assert_int_eq(render(&request, NULL, 0), 3); /* a link that leads out of the folder breaks a rule */
    lh_arena_fini(&arena);
}
END_TEST

/* Every allocation of the parent fails once, at each step of a render with all the trimmings. What fails leaves no
 * file. */
static void fail_every_allocation(const char *project)
{
    struct cli_request request = request_for("out");
    request.project = project;
    request.report_path = "report.json";
    request.cache = "cache";
    ck_assert_int_eq(render(&request, NULL, 0), 0); /* leaves an index: scans are tested elsewhere */
    ck_assert_int_eq(system("rm -rf out cache report.json"), 0);
    for (size_t n = 1;; n++) {
        testing_fail_allocation(n);
        int exit_status = render(&request, NULL, 0);
        bool fired = testing_fail_allocation_end();
        bool delivered = exists("out/mix.wav") && exists("out/web.flac");
        ck_assert_msg(exit_status == 0 || exit_status == 1, "allocation %zu: exit status %d", n, exit_status);
        ck_assert_msg(exit_status != 0 || delivered, "allocation %zu", n);
        ck_assert_msg(delivered || !exists("out"), "allocation %zu left something", n);
        ck_assert_int_eq(system("rm -rf out cache report.json"), 0);
        if (!fired) {
            ck_assert_int_eq(exit_status, 0);
            break;
        }
    }
}

START_TEST(memory_runs_out)
{
    fail_every_allocation("p.json");
}
END_TEST

START_TEST(memory_runs_out_with_plugins)
{
    fail_every_allocation("plugged.json");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/session");
    TCase *tests = tcase_create("session");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, renders_and_reports);
    tcase_add_test(tests, failures_are_reported);
    tcase_add_test(tests, steps_after_a_failure_do_nothing);
    tcase_add_test(tests, a_signal_stops_the_session);
    tcase_add_test(tests, plugins_are_used_and_told_of);
    tcase_add_test(tests, files_that_plugins_need_are_faults_when_they_are_bad);
    tcase_add_test(tests, memory_runs_out);
    tcase_add_test(tests, memory_runs_out_with_plugins);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
