/* SPDX-License-Identifier: MIT */
/* engine/instance/serve.c and instance_main.c, spoken to by a parent that breaks the rules. The program is
   $FAKE_SIGNAL. */
#include "engine/instance/serve.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/instance/channel.h"
#include "engine/instance/page.h"
#include "engine/instance/process.h"
#include "engine/instance/protocol.h"
#include "graph/encode.h"
#include "tests/engine/instance/fake_engine.h"
#include "tests/graph/fixture.h"
#include "tests/graph/piece.h"
#include "tests/support/testing.h"

#define OUTPUTS 3 /* of the fixture's mix */

static struct engine_process child;

static void setup(void)
{
    struct lh_error error = LH_ERROR_INIT;
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct engine_launch launch;
    static const struct engine_instance_options usual;
    ck_assert_int_eq(engine_launch_compose(&usual, getenv("FAKE_SIGNAL"), "", &arena, &launch), LH_OK);
    ck_assert_msg(engine_process_start(&launch, &child, &error) == LH_OK, "%s", error.message);
    lh_arena_fini(&arena);
    struct engine_message message = {.kind = 0};
    ck_assert_int_eq(engine_channel_receive(child.socket, 0, &message, NULL), LH_OK);
    ck_assert_uint_eq(message.kind, ENGINE_MESSAGE_HELLO);
    struct engine_hello hello;
    ck_assert_int_eq(engine_hello_read(message.body, message.size, &hello), LH_OK);
    ck_assert_str_eq(hello.cpu_class, engine_instance_own_cpu_class());
    engine_message_fini(&message);
}

static void teardown(void)
{
    engine_process_end(&child);
}

/* The body of a render of the fixture's mix, which reaches into the kernels' name. */
static struct lh_writer request_body(void)
{
    static const uint8_t wanted[OUTPUTS], conformed[FIXTURE_MEDIA];
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    struct engine_request request = {
        .threads = 1,
        .kernels = FAKE_KERNELS,
        .media_count = FIXTURE_MEDIA,
        .output_count = OUTPUTS,
        .conformed = conformed,
        .wanted = wanted,
    };
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_request_write(&writer, &request);
    ck_assert_int_eq(graph_encode(graph, &writer), LH_OK);
    graph_unref(graph);
    return writer;
}

/* A page, a scratch file and media, all one sealed file. */
static void open_files(int *fds, size_t count)
{
    int page = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(page, (off_t)sizeof(struct engine_page)), 0);
    ck_assert_int_eq(fcntl(page, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    for (size_t i = 0; i < count; i++) {
        fds[i] = page;
    }
}

static const struct graph *mix(void)
{
    return fixture_mix_ordered(NULL, NULL);
}

static enum lh_status ask_render_of(const struct graph *(*make)(void), const uint8_t *body, size_t size, const int *fds,
                                    size_t count)
{
    ck_assert_int_eq(engine_channel_send(child.socket, ENGINE_MESSAGE_RENDER, body, size, fds, count, NULL), LH_OK);
    struct engine_message message = {.kind = 0};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_channel_receive(child.socket, 0, &message, &error) == LH_OK, "%s", error.message);
    ck_assert_uint_eq(message.kind, ENGINE_MESSAGE_RESULT);
    struct engine_delivered delivered[OUTPUTS];
    struct engine_render_result result = {.delivered = delivered};
    enum lh_status outcome = LH_ERR_INTERNAL;
    const struct graph *graph = make();
    ck_assert_int_eq(engine_result_read(message.body, message.size, graph, &result, &outcome, &error), LH_OK);
    graph_unref(graph);
    engine_message_fini(&message);
    return outcome;
}

static enum lh_status ask_render(const uint8_t *body, size_t size, const int *fds, size_t count)
{
    return ask_render_of(mix, body, size, fds, count);
}

START_TEST(files_must_fit_the_graph)
{
    enum { FDS = 2 + FIXTURE_MEDIA };
    struct lh_writer body = request_body();
    int fds[FDS + 1];
    open_files(fds, FDS + 1);
    ck_assert_int_eq(ask_render(body.data, body.size, fds, FDS), LH_OK);
    for (size_t count = 0; count <= FDS + 1; count++) {
        ck_assert_int_eq(ask_render(body.data, body.size, fds, count), count == FDS ? LH_OK : LH_ERR_FORMAT);
    }
    int page = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int good = fds[0];
    fds[0] = page; /* empty and not sealed */
    ck_assert_int_eq(ask_render(body.data, body.size, fds, FDS), LH_ERR_FORMAT);
    ck_assert_int_eq(ftruncate(page, 4096), 0);
    ck_assert_int_eq(ask_render(body.data, body.size, fds, FDS), LH_ERR_FORMAT);
    close(page);
    close(good);
    lh_writer_fini(&body);
}
END_TEST

/* What is stored comes behind all else, a file for each entry. */
START_TEST(stored_frames_must_fit_the_graph)
{
    enum { FDS = 2 + 1 + 1 + PIECE_STORED };
    static const uint8_t wanted[] = {0, 1, 0}, conformed[1];
    struct engine_request request = {.threads = 1,
                                     .kernels = FAKE_KERNELS,
                                     .media_count = 1,
                                     .output_count = 3,
                                     .stored_count = PIECE_STORED,
                                     .conformed = conformed,
                                     .wanted = wanted};
    const struct graph *piece = piece_new();
    int fds[FDS + 1];
    open_files(fds, FDS + 1);
    for (uint32_t told = 0; told <= PIECE_STORED + 1; told++) {
        struct lh_writer body;
        lh_writer_init(&body);
        request.stored_count = told;
        engine_request_write(&body, &request);
        ck_assert_int_eq(graph_encode(piece, &body), LH_OK);
        for (size_t count = FDS - 2; count <= FDS + 1; count++) {
            bool fits = told == PIECE_STORED && count == FDS;
            ck_assert_int_eq(ask_render_of(piece_new, body.data, body.size, fds, count), fits ? LH_OK : LH_ERR_FORMAT);
        }
        lh_writer_fini(&body);
    }
    close(fds[0]);
    graph_unref(piece);
}
END_TEST

START_TEST(damaged_requests_are_answered)
{
    enum { FDS = 2 + FIXTURE_MEDIA };
    struct lh_writer body = request_body();
    int fds[FDS];
    open_files(fds, FDS);
    for (size_t size = 0; size < body.size; size += 7) {
        ck_assert_int_eq(ask_render(body.data, size, fds, FDS), LH_ERR_FORMAT);
    }
    srand(11);
    uint8_t *bytes = malloc(body.size);
    for (int round = 0; round < 2000; round++) {
        memcpy(bytes, body.data, body.size);
        size_t at = (size_t)rand() % (round % 2 == 0 ? 64 : body.size);
        bytes[at] ^= (uint8_t)(1 << rand() % 8);
        if (at >= 4) { /* another number of threads may be a crash on purpose */
            (void)!ask_render(bytes, body.size, fds, FDS);
        }
    }
    ck_assert_int_eq(ask_render(body.data, body.size, fds, FDS), LH_OK);
    free(bytes);
    close(fds[0]);
    lh_writer_fini(&body);
}
END_TEST

/* The child ends, with exit status 1, not by a signal. */
static void expect_end(int exit_status)
{
    int ended;
    ck_assert_int_eq(waitpid(child.pid, &ended, 0), child.pid);
    child.pid = -1;
    ck_assert(WIFEXITED(ended));
    ck_assert_int_eq(WEXITSTATUS(ended), exit_status);
}

START_TEST(unknown_questions_end_it)
{
    ck_assert_int_eq(engine_channel_send(child.socket, 99, "x", 1, NULL, 0, NULL), LH_OK);
    expect_end(1);
    teardown();
    setup();
    ck_assert_int_eq(engine_channel_send(child.socket, ENGINE_MESSAGE_PROBE, "x", 1, NULL, 0, NULL), LH_OK);
    expect_end(1);
    teardown();
    setup();
    ck_assert_int_ge(send(child.socket, "nonsense", 8, 0), 0);
    expect_end(1);
}
END_TEST

START_TEST(it_ends_with_the_conversation)
{
    close(child.socket);
    child.socket = -1;
    expect_end(0);
}
END_TEST

static int run_with(const char *argument, const char *second, const char *third)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        dup2(null, 3);
        execl(getenv("FAKE_SIGNAL"), "loophole-signal", argument, second, third, (char *)NULL);
        _exit(127);
    }
    int ended;
    ck_assert_int_eq(waitpid(pid, &ended, 0), pid);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

static int run(const char *argument)
{
    return run_with(argument, NULL, NULL);
}

START_TEST(arguments_are_checked)
{
    ck_assert_int_eq(run("--version"), 0);
    ck_assert_int_eq(run("--help"), 0);
    ck_assert_int_eq(run("--instanc"), 2);
    ck_assert_int_eq(run(NULL), 2);
    ck_assert_int_eq(run("--instance"), 2); /* descriptor 3 is no socket */
    ck_assert_int_eq(run_with("--instance", "--scratch", NULL), 2);
    ck_assert_int_eq(run_with("--instance", "--memory", "much"), 2);
    ck_assert_int_eq(run_with("--instance", "--memory", "12x"), 2);
    ck_assert_int_eq(run_with("--instance", "--jail", "off"), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/serve");
    TCase *test = tcase_create("serve");
    tcase_set_timeout(test, 60);
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, files_must_fit_the_graph);
    tcase_add_test(test, stored_frames_must_fit_the_graph);
    tcase_add_test(test, damaged_requests_are_answered);
    tcase_add_test(test, unknown_questions_end_it);
    tcase_add_test(test, it_ends_with_the_conversation);
    suite_add_tcase(suite, test);
    TCase *program = tcase_create("program");
    tcase_add_test(program, arguments_are_checked);
    suite_add_tcase(suite, program);
    return testing_main(suite);
}
