/* SPDX-License-Identifier: MIT */
/* The bulk conversation with peers that are killed, that come back, and that do not keep to the rules. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/envelope.h"
#include "tests/pulse-daemon/service/bulk_stage.h"
#include "tests/support/testing.h"

#define CHUNK 65536u
#define KILLS 6

extern char **environ;

static struct bulk_stage *stage;
static struct wire_bulk *client;
static struct lh_error error;
static const struct pulse_bulk_options standard = {.chunk_size = CHUNK, .credits = 4, .resumable_ms = 20000};

static void setup(void)
{
    stage = bulk_stage_new(false);
    bulk_stage_start(stage, &standard, NULL);
    client = bulk_stage_client(stage);
    error = LH_ERROR_INIT;
}

static void teardown(void)
{
    wire_bulk_free(client);
    bulk_stage_free(stage);
}

static void nap(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000}, NULL);
}

static struct pulse_bulk_figures figures_now(void)
{
    struct pulse_bulk_figures figures;
    pulse_bulk_figures(stage->bulk, &figures);
    return figures;
}

static pid_t start_tool(const char *what, const char *where, uint64_t seed, size_t size, const char *token, int *out)
{
    char seed_text[24], size_text[24];
    snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
    snprintf(size_text, sizeof size_text, "%zu", size);
    char *arguments[7] = {getenv("BULK_TOOL"), wire_text(what), wire_text(where), NULL, NULL, NULL, NULL};
    if (token != NULL) {
        arguments[3] = seed_text;
        arguments[4] = size_text;
        arguments[5] = wire_text(token);
    }
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    pid_t child = 0;
    ck_assert_ptr_nonnull(arguments[0]);
    ck_assert_int_eq(posix_spawn(&child, arguments[0], &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (out != NULL) {
        *out = ends[0];
    } else {
        close(ends[0]);
    }
    return child;
}

static int wait_for(pid_t child)
{
    int ending = 0;
    ck_assert_int_eq(waitpid(child, &ending, 0), child);
    return WIFEXITED(ending) ? WEXITSTATUS(ending) : -WTERMSIG(ending);
}

static void wait_for_bytes(uint64_t received)
{
    for (unsigned left = 20000; figures_now().bytes_received < received; left--) {
        ck_assert_uint_gt(left, 0);
        nap(1);
    }
}

static enum lh_status put(uint64_t seed, size_t size, const char *token)
{
    uint8_t *bytes = bulk_stage_bytes(seed, size);
    struct wire_transfer transfer = bulk_stage_transfer(bytes, size, token);
    int fd = bulk_stage_file(bytes, size);
    enum lh_status status = wire_bulk_put(client, &transfer, fd, &error);
    close(fd);
    free(bytes);
    return status;
}

/* ---- Uploads that go on where they were */

START_TEST(test_killed_uploader_goes_on)
{
    const size_t size = 400 * CHUNK;
    for (unsigned kills = 0; kills < 3; kills++) {
        uint64_t before = figures_now().bytes_received;
        pid_t child = start_tool("put", stage->endpoint, 1, size, "t1", NULL);
        wait_for_bytes(before + 20 * CHUNK);
        kill(child, SIGKILL);
        ck_assert_int_eq(wait_for(child), -SIGKILL);
        for (unsigned left = 20000; figures_now().parked == 0; left--) {
            ck_assert_uint_gt(left, 0);
            nap(1);
        }
    }
    ck_assert_int_eq(put(1, size, "t1"), LH_OK);
    ck_assert_uint_eq(figures_now().bytes_received, size); /* not one byte twice */
    ck_assert_uint_eq(figures_now().parked, 0);
}
END_TEST

START_TEST(test_another_owner_begins_anew)
{
    const size_t size = 400 * CHUNK;
    pid_t child = start_tool("put", stage->endpoint, 1, size, "t1", NULL);
    wait_for_bytes(20 * CHUNK);
    kill(child, SIGKILL);
    (void)wait_for(child);
    uint64_t before = 0;
    while (figures_now().parked == 0) {
        nap(1);
    }
    before = figures_now().bytes_received;
    ck_assert_int_eq(put(1, size, "t2"), LH_OK);
    ck_assert_uint_eq(figures_now().bytes_received - before, size);
    ck_assert_uint_eq(figures_now().parked, 1);
}
END_TEST

START_TEST(test_what_is_not_continued_is_dropped)
{
    bulk_stage_stop(stage);
    bulk_stage_start(stage, &(struct pulse_bulk_options){.chunk_size = CHUNK, .transfers = 2, .resumable_ms = 300},
                     NULL);
    pid_t child = start_tool("put", stage->endpoint, 1, 400 * CHUNK, "t1", NULL);
    wait_for_bytes(20 * CHUNK);
    kill(child, SIGKILL);
    (void)wait_for(child);
    while (figures_now().parked == 0) {
        nap(1);
    }
    for (unsigned left = 20000; figures_now().parked > 0; left--) {
        ck_assert_uint_gt(left, 0);
        nap(1);
    }
    /* Room in the table goes before patience: what is parked makes way. */
    bulk_stage_stop(stage);
    bulk_stage_start(stage, &(struct pulse_bulk_options){.chunk_size = CHUNK, .transfers = 1}, NULL);
    child = start_tool("put", stage->endpoint, 1, 400 * CHUNK, "t1", NULL);
    wait_for_bytes(20 * CHUNK);
    kill(child, SIGKILL);
    (void)wait_for(child);
    ck_assert_int_eq(put(2, CHUNK, "t1"), LH_OK);
    ck_assert_uint_eq(figures_now().parked, 0);
}
END_TEST

/* ---- Killed servers */

START_TEST(test_server_may_come_later)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    bulk_stage_stop(stage);
    snprintf(endpoint, sizeof endpoint, "%s", stage->endpoint);
    pid_t child = start_tool("put", endpoint, 1, 10 * CHUNK, "t1", NULL);
    nap(1500);
    bulk_stage_start(stage, &standard, NULL);
    ck_assert_int_eq(wait_for(child), LH_OK);
}
END_TEST

static void expect_ready(int out)
{
    char text[8];
    ck_assert_int_eq(read(out, text, 6), 6);
    close(out);
}

START_TEST(test_killed_server_comes_back)
{
    const size_t size = 150 * CHUNK;
    char endpoint[WIRE_ENDPOINT_SIZE];
    int out = -1;
    bulk_stage_stop(stage);
    snprintf(endpoint, sizeof endpoint, "%s", stage->endpoint);
    pid_t server = start_tool("serve", stage->path, 0, 0, NULL, &out);
    expect_ready(out);
    unsigned seed = 7;
    for (unsigned i = 0; i < KILLS; i++) {
        pid_t putter = start_tool("put", endpoint, i, size, "t1", NULL);
        pid_t getter = i > 0 ? start_tool("get", endpoint, i - 1, size, "t1", NULL) : 0;
        seed = seed * 1103515245u + 12345u;
        nap(5 + seed % 60);
        kill(server, SIGKILL);
        ck_assert_int_eq(wait_for(server), -SIGKILL);
        server = start_tool("serve", stage->path, 0, 0, NULL, &out);
        expect_ready(out);
        ck_assert_int_eq(wait_for(putter), LH_OK);
        ck_assert_int_eq(getter != 0 ? wait_for(getter) : 0, LH_OK);
    }
    kill(server, SIGKILL);
    (void)wait_for(server);
    bulk_stage_start(stage, &standard, NULL);
    struct lh_blobs_usage usage;
    lh_blobs_usage(stage->blobs, &usage);
    ck_assert_uint_eq(usage.count, KILLS);
    ck_assert_uint_eq(usage.bytes, KILLS * size);
}
END_TEST

/* ---- Peers that break the rules */

static void say(struct wire_caller *caller, Wire__Envelope *envelope, size_t payload_size)
{
    static uint64_t id = 1000;
    struct wire_buffer packed = {0}, payload = {.data = calloc(1, payload_size + 1), .size = payload_size};
    uint8_t *data = NULL;
    envelope->id = ++id;
    ck_assert_int_eq(wire_envelope_pack(envelope, &data, &packed.size, &error), LH_OK);
    packed.data = data;
    if (payload_size == 0) {
        free(payload.data);
    }
    ck_assert_int_eq(wire_caller_send(caller, &packed, payload_size > 0 ? &payload : NULL, &error), LH_OK);
}

/* The next body that comes; of an error its code too. */
static Wire__Envelope__BodyCase hear(struct wire_caller *caller, Wire__ErrorCode *code)
{
    struct wire_answer answer;
    struct lh_arena arena;
    const Wire__Envelope *envelope = NULL;
    lh_arena_init(&arena);
    enum lh_status status = wire_caller_receive(caller, 20000, &answer, &error);
    ck_assert_msg(status == LH_OK, "%s", error.message);
    status = wire_envelope_unpack(answer.envelope, answer.envelope_size, &arena, &envelope, &error);
    ck_assert_msg(status == LH_OK, "%s", error.message);
    Wire__Envelope__BodyCase body = envelope->body_case;
    if (body == WIRE__ENVELOPE__BODY_ERROR) {
        *code = envelope->error->code;
    }
    lh_arena_fini(&arena);
    return body;
}

static void expect_error(struct wire_caller *caller, Wire__ErrorCode expected)
{
    Wire__ErrorCode code = WIRE__ERROR_CODE__ERROR_INTERNAL;
    Wire__Envelope__BodyCase body = hear(caller, &code);
    while (body == WIRE__ENVELOPE__BODY_BULK_CREDIT) {
        body = hear(caller, &code);
    }
    ck_assert_str_eq(wire_body_name(body), "error");
    ck_assert_int_eq(code, expected);
}

static void begin_put(struct wire_caller *caller, uint64_t name, uint64_t size)
{
    struct lh_digest digest = {{1, 2, 3}};
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__PutBegin body = WIRE__PUT_BEGIN__INIT;
    body.transfer = name;
    body.digest = wire_bytes(digest.bytes, LH_DIGEST_SIZE);
    body.size = size;
    envelope.token = wire_text("t1");
    WIRE_BODY(&envelope, PUT_BEGIN, put_begin, &body);
    say(caller, &envelope, 0);
}

static void send_chunk(struct wire_caller *caller, uint64_t name, uint64_t offset, size_t size)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__PutChunk body = WIRE__PUT_CHUNK__INIT;
    body.transfer = name;
    body.offset = offset;
    WIRE_BODY(&envelope, PUT_CHUNK, put_chunk, &body);
    say(caller, &envelope, size);
}

static void end_put(struct wire_caller *caller, uint64_t name)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__PutEnd body = WIRE__PUT_END__INIT;
    body.transfer = name;
    WIRE_BODY(&envelope, PUT_END, put_end, &body);
    say(caller, &envelope, 0);
}

START_TEST(test_rules_are_kept)
{
    struct wire_caller *caller = bulk_stage_caller(stage);
    Wire__ErrorCode code;
    const Wire__ErrorCode malformed = WIRE__ERROR_CODE__ERROR_MALFORMED;
    uint64_t name = 0;
    static const struct {
        uint64_t offset;
        size_t size;
    } wrong[] = {{0, CHUNK - 1}, {0, CHUNK + 1}, {0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin_put(caller, ++name, 10 * CHUNK);
        ck_assert_int_eq(hear(caller, &code), WIRE__ENVELOPE__BODY_PUT_READY);
        send_chunk(caller, name, wrong[i].offset, wrong[i].size);
        expect_error(caller, malformed);
        send_chunk(caller, name, 0, CHUNK); /* what comes late is passed over */
    }
    /* The same chunk twice, more than the blob has, past the credits. */
    begin_put(caller, ++name, 10 * CHUNK);
    ck_assert_int_eq(hear(caller, &code), WIRE__ENVELOPE__BODY_PUT_READY);
    send_chunk(caller, name, 0, CHUNK);
    send_chunk(caller, name, 0, CHUNK);
    expect_error(caller, malformed);
    begin_put(caller, ++name, CHUNK);
    ck_assert_int_eq(hear(caller, &code), WIRE__ENVELOPE__BODY_PUT_READY);
    send_chunk(caller, name, 0, CHUNK);
    send_chunk(caller, name, CHUNK, CHUNK);
    expect_error(caller, malformed);
    /* A chunk left out, or the end too soon: it may begin again. */
    begin_put(caller, ++name, 10 * CHUNK);
    ck_assert_int_eq(hear(caller, &code), WIRE__ENVELOPE__BODY_PUT_READY);
    send_chunk(caller, name, CHUNK, CHUNK);
    expect_error(caller, WIRE__ERROR_CODE__ERROR_BUSY);
    begin_put(caller, ++name, 10 * CHUNK);
    ck_assert_int_eq(hear(caller, &code), WIRE__ENVELOPE__BODY_PUT_READY);
    end_put(caller, name);
    expect_error(caller, WIRE__ERROR_CODE__ERROR_BUSY);
    end_put(caller, name);
    expect_error(caller, WIRE__ERROR_CODE__ERROR_NOT_FOUND);
    /* One name twice. */
    begin_put(caller, ++name, CHUNK);
    ck_assert_int_eq(hear(caller, &code), WIRE__ENVELOPE__BODY_PUT_READY);
    begin_put(caller, name, CHUNK);
    expect_error(caller, WIRE__ERROR_CODE__ERROR_CONFLICT);
    /* Sizes that nobody has room for. */
    begin_put(caller, ++name, UINT64_MAX);
    expect_error(caller, WIRE__ERROR_CODE__ERROR_LIMIT);
    begin_put(caller, ++name, INT64_MAX);
    expect_error(caller, WIRE__ERROR_CODE__ERROR_QUOTA);
    wire_caller_free(caller);
    ck_assert_int_eq(put(1, 10 * CHUNK, "t1"), LH_OK);
}
END_TEST

START_TEST(test_one_peer_does_not_take_all)
{
    struct wire_caller *caller = bulk_stage_caller(stage);
    Wire__ErrorCode code;
    unsigned ready = 0;
    for (uint64_t name = 1; name <= 300; name++) {
        begin_put(caller, name, CHUNK);
        ready += hear(caller, &code) == WIRE__ENVELOPE__BODY_PUT_READY ? 1 : 0;
    }
    ck_assert_uint_eq(ready, 64);
    ck_assert_int_eq(code, WIRE__ERROR_CODE__ERROR_BUSY);
    ck_assert_int_eq(put(1, 10 * CHUNK, "t1"), LH_OK);
    wire_caller_free(caller);
    for (unsigned left = 20000; figures_now().active > 0; left--) {
        ck_assert_uint_gt(left, 0);
        nap(1);
    }
}
END_TEST

START_TEST(test_garbage_does_no_harm)
{
    struct wire_caller *caller = bulk_stage_caller(stage);
    uint64_t state = 99;
    for (unsigned i = 0; i < 500; i++) {
        size_t size = 1 + i % 200;
        uint8_t *bytes = bulk_stage_bytes(++state, size);
        struct wire_buffer buffer = {.data = bytes, .size = size};
        ck_assert_int_eq(wire_caller_send(caller, &buffer, NULL, &error), LH_OK);
    }
    /* Good envelopes that have no business here, and one of the future. */
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Ping ping = WIRE__PING__INIT;
    WIRE_BODY(&envelope, PING, ping, &ping);
    say(caller, &envelope, 0);
    Wire__ErrorCode code = WIRE__ERROR_CODE__ERROR_INTERNAL;
    while (code != WIRE__ERROR_CODE__ERROR_UNSUPPORTED) {
        ck_assert_int_eq(hear(caller, &code), WIRE__ENVELOPE__BODY_ERROR);
    }
    envelope.version_min = 1000;
    envelope.version_max = 1001;
    say(caller, &envelope, 0);
    expect_error(caller, WIRE__ERROR_CODE__ERROR_VERSION);
    ck_assert_int_eq(put(1, 10 * CHUNK, "t1"), LH_OK);
    wire_caller_free(caller);
    struct lh_blobs_usage usage;
    lh_blobs_usage(stage->blobs, &usage);
    ck_assert_uint_eq(usage.count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/bulk_faults");
    TCase *tests = tcase_create("faults");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 170); /* processes come and go, slowly under a sanitizer */
    tcase_add_test(tests, test_killed_uploader_goes_on);
    tcase_add_test(tests, test_another_owner_begins_anew);
    tcase_add_test(tests, test_what_is_not_continued_is_dropped);
    tcase_add_test(tests, test_server_may_come_later);
    tcase_add_test(tests, test_killed_server_comes_back);
    tcase_add_test(tests, test_rules_are_kept);
    tcase_add_test(tests, test_one_peer_does_not_take_all);
    tcase_add_test(tests, test_garbage_does_no_harm);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
