/* SPDX-License-Identifier: MIT */
/* pulse-daemon/service/workers.c and intake.c with a real decider, store and link; the worker is this test. */
#include "pulse-daemon/service/workers.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "graph/facts.h"
#include "graph/shard.h"
#include "proto/envelope.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/support/folders.h"

#define TENANT 1
#define PATIENCE_MS 30000
#define TURN_MS 20
#define BEAT_MS 5000

static char folder[64], endpoint[128];
static struct pulse_mailbox boxes[3];
static struct lh_blobs *blobs;
static struct pulse_roster *roster;
static struct pulse_decider *decider;
static struct pulse_intake *intake;
static struct pulse_workers *workers;
static atomic_bool ended;

static void on_end(void *context, enum lh_status status, const struct lh_error *error)
{
    (void)context;
    (void)status;
    (void)error;
    atomic_store(&ended, true);
}

static bool admits(void *context, const char *key, const char *name, const char *const *tags, size_t count, char *out)
{
    (void)context, (void)key, (void)name, (void)tags, (void)count, (void)out;
    return false; /* nobody comes over the network */
}

static void set_up(void)
{
    fixture_set_up();
    folders_make(folder, sizeof folder);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/workers.ipc", folder);
    static char media[96];
    snprintf(media, sizeof media, "%s/media", folder);
    const struct lh_blobs_options options = {0};
    OK(lh_blobs_open(media, &options, &blobs, &fixture_error));
    for (size_t i = 0; i < 3; i++) {
        OK(pulse_mailbox_init(&boxes[i], SIZE_MAX, &fixture_error));
    }
    atomic_store(&ended, false);
    OK(pulse_roster_new(&roster));
    const struct pulse_decider_options deciding = {.store = fixture_url(),
                                                   .holder = "test",
                                                   .blobs = blobs,
                                                   .workers = &boxes[0],
                                                   .planner = &boxes[1],
                                                   .clients = &boxes[2],
                                                   .on_end = on_end};
    OK(pulse_decider_new(&deciding, &decider, &fixture_error));
    const struct pulse_intake_options taking = {.blobs = blobs, .decider = decider};
    OK(pulse_intake_new(&taking, &intake, &fixture_error));
    const struct pulse_workers_options working = {.place = {.local = endpoint},
                                                  .bulk_local = endpoint,
                                                  .bulk_remote = "",
                                                  .media_folder = media,
                                                  .store = fixture_url(),
                                                  .blobs = blobs,
                                                  .decider = decider,
                                                  .roster = roster,
                                                  .intake = intake,
                                                  .box = &boxes[0],
                                                  .lessons = &boxes[1],
                                                  .lease_ms = 15000,
                                                  .beat_ms = BEAT_MS,
                                                  .admits = admits};
    OK(pulse_workers_new(&working, &workers, &fixture_error));
}

static void tear_down(void)
{
    pulse_workers_free(workers);
    pulse_intake_free(intake);
    pulse_decider_free(decider);
    for (size_t i = 0; i < 3; i++) {
        struct pulse_mail *mail;
        while ((mail = pulse_mailbox_take(&boxes[i])) != NULL) {
            ck_assert_int_eq(mail->kind, PULSE_MAIL_ORDERS);
            pulse_orders_free((struct pulse_orders *)mail);
        }
        pulse_mailbox_fini(&boxes[i]);
    }
    pulse_roster_free(roster);
    lh_blobs_close(blobs);
    folders_remove(folder);
    fixture_tear_down();
}

static void nap(void)
{
    const struct timespec turn = {.tv_nsec = TURN_MS * 1000000L};
    nanosleep(&turn, NULL);
}

/* ---- a worker ---- */

struct worker {
    struct wire_link *link;
    uint32_t socket;
    uint64_t said;
};

static void say(struct worker *worker, Wire__Envelope *envelope)
{
    uint8_t *data;
    size_t size;
    envelope->id = ++worker->said;
    OK(wire_envelope_pack(envelope, &data, &size, &fixture_error));
    struct wire_buffer buffer = {.data = data, .size = size};
    OK(wire_link_send(worker->link, worker->socket, 0, &buffer, NULL));
}

/* The next message of that kind, in the arena. */
static const Wire__Envelope *hear(struct worker *worker, Wire__Envelope__BodyCase body, struct lh_arena *arena)
{
    for (;;) {
        const Wire__Envelope *envelope = NULL;
        struct wire_event *event = wire_link_wait(worker->link, PATIENCE_MS);
        ck_assert_msg(event != NULL, "%s was not said", wire_body_name(body));
        if (event->kind == WIRE_MESSAGE) {
            OK(wire_envelope_unpack(event->envelope, event->envelope_size, arena, &envelope, &fixture_error));
        }
        wire_event_free(event);
        if (envelope != NULL && envelope->body_case == body) {
            return envelope;
        }
    }
}

static void connect_to(struct worker *worker)
{
    const struct wire_socket_options options = {
        .kind = WIRE_DEALER, .endpoint = endpoint, .message_max = WIRE_MESSAGE_MAX};
    *worker = (struct worker){0};
    OK(wire_link_new(NULL, &worker->link, &fixture_error));
    OK(wire_link_open(worker->link, &options, &worker->socket, &fixture_error));
    struct wire_event *event = wire_link_wait(worker->link, PATIENCE_MS);
    ck_assert(event != NULL && event->kind == WIRE_JOINED);
    wire_event_free(event);
}

/* Assignments, all in all. */
static void grant(struct worker *worker, uint64_t granted)
{
    Wire__Credit credit = WIRE__CREDIT__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    credit.granted = granted;
    WIRE_BODY(&envelope, CREDIT, credit, &credit);
    say(worker, &envelope);
}

/* A worker of one slot without plugins, in that process. */
static void say_hello(struct worker *worker, const char *name, uint8_t process)
{
    uint8_t session[16] = {process};
    struct lh_digest nothing;
    Wire__Hello hello = WIRE__HELLO__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    OK(lh_digest_bytes("", 0, &nothing));
    hello.name = wire_text(name);
    hello.session = wire_bytes(session, sizeof session);
    hello.host = wire_text("here");
    hello.slots = 1;
    hello.engine = wire_text("1 test");
    hello.cpu_class = wire_text("x");
    hello.software = wire_text("test");
    hello.inventory = wire_bytes(nothing.bytes, sizeof nothing.bytes);
    WIRE_BODY(&envelope, HELLO, hello, &hello);
    say(worker, &envelope);
}

static void greet_as(struct worker *worker, const char *name, uint8_t process, struct lh_arena *arena)
{
    struct lh_digest nothing;
    Wire__Inventory inventory = WIRE__INVENTORY__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    OK(lh_digest_bytes("", 0, &nothing));
    say_hello(worker, name, process);
    if (hear(worker, WIRE__ENVELOPE__BODY_WELCOME, arena)->welcome->inventory_wanted) {
        inventory.inventory = wire_bytes(nothing.bytes, sizeof nothing.bytes);
        inventory.last = true;
        WIRE_BODY(&envelope, INVENTORY, inventory, &inventory);
        say(worker, &envelope);
    }
    grant(worker, 1);
}

/* One process, however often it connects. */
static void greet(struct worker *worker, struct lh_arena *arena)
{
    greet_as(worker, "alone", 7, arena);
}

static bool is_in_roster(void)
{
    struct lh_arena arena;
    struct pulse_crew crew;
    lh_arena_init(&arena);
    enum lh_status status = pulse_roster_crew(roster, &arena, NULL, 0, &crew);
    lh_arena_fini(&arena);
    return status == LH_OK;
}

static void wait_for_connections(size_t count)
{
    struct pulse_workers_figures figures = {0};
    for (int turn = 0; turn < PATIENCE_MS / TURN_MS; turn++) {
        pulse_workers_figures(workers, &figures);
        if (figures.connected == count && is_in_roster() == (count > 0)) {
            return;
        }
        nap();
    }
    ck_abort_msg("%zu connections, %s", figures.connected, is_in_roster() ? "known" : "not known to the planner");
}

/* A network may heal before Pulse sees that the old connection is broken. */
START_TEST(who_connects_anew_stays_known_to_the_planner)
{
    struct worker before, after;
    struct lh_arena arena;
    lh_arena_init(&arena);
    connect_to(&before);
    greet(&before, &arena);
    wait_for_connections(1);
    connect_to(&after);
    greet(&after, &arena);
    wait_for_connections(1); /* the old one was dropped, and its end was told */
    wire_link_free(before.link, 0);
    nap();
    wait_for_connections(1);
    wire_link_free(after.link, 0);
    wait_for_connections(0);
    lh_arena_fini(&arena);
}
END_TEST

/* Two nodes that were given one name would throw each other out for ever. */
START_TEST(a_name_belongs_to_whoever_works_under_it)
{
    struct worker first, second;
    struct lh_arena arena;
    lh_arena_init(&arena);
    connect_to(&first);
    greet(&first, &arena);
    wait_for_connections(1);
    connect_to(&second);
    say_hello(&second, "alone", 8);
    const Wire__Error *refusal = hear(&second, WIRE__ENVELOPE__BODY_ERROR, &arena)->error;
    ck_assert_int_eq(refusal->code, WIRE__ERROR_CODE__ERROR_CONFLICT);
    ck_assert_uint_eq(refusal->retry_after_ms, BEAT_MS);
    ck_assert_ptr_nonnull(strstr(refusal->message, "--name"));
    wait_for_connections(2);
    wire_link_free(first.link, 0);
    for (int turn = 0; turn < PATIENCE_MS / TURN_MS && is_in_roster(); turn++) {
        nap();
    }
    say_hello(&second, "alone", 8);
    (void)hear(&second, WIRE__ENVELOPE__BODY_WELCOME, &arena);
    wire_link_free(second.link, 0);
    lh_arena_fini(&arena);
}
END_TEST

/* ---- a shard ---- */

static struct pulse_mail *take(struct pulse_mailbox *box)
{
    struct pulse_mail *mail = pulse_mailbox_take(box);
    for (int turn = 0; mail == NULL && turn < PATIENCE_MS / TURN_MS; turn++) {
        pulse_mailbox_wait(box, -1, TURN_MS);
        mail = pulse_mailbox_take(box);
    }
    ck_assert_ptr_nonnull(mail);
    return mail;
}

static void submit(void)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    ck_assert_ptr_nonnull(task);
    task->event = (struct pulse_farm_event){.kind = PULSE_FARM_SUBMIT, .job = {.tenant = TENANT, .error = ""}};
    pulse_decider_ask(decider, task, true);
    pulse_orders_free((struct pulse_orders *)take(&boxes[1])); /* it is to be planned */
}

/* One shard that looks into the medium. */
static void plan(const struct lh_digest *medium, const struct lh_digest *key)
{
    static struct pulse_needs_row needs = {.engine = "1 test", .cpu_class = ""};
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    ck_assert_ptr_nonnull(task);
    struct pulse_farm_shard *shard = lh_arena_alloc(&task->arena, sizeof *shard);
    struct pulse_farm_promise *promise = lh_arena_alloc(&task->arena, sizeof *promise);
    struct lh_digest *want = lh_arena_alloc(&task->arena, sizeof *want);
    const struct graph_shard_input input = {GRAPH_SHARD_MEDIUM, 0, *medium};
    const struct graph_shard_output output = {GRAPH_SHARD_OUT_FACTS, 0, *key};
    const struct graph_shard work = {
        .kind = GRAPH_SHARD_PROBE, .inputs = &input, .input_count = 1, .outputs = &output, .output_count = 1};
    struct lh_writer writer;
    lh_writer_init(&writer);
    OK(graph_shard_encode(&work, &writer));
    void *spec = lh_arena_alloc(&task->arena, writer.size);
    ck_assert(shard != NULL && promise != NULL && want != NULL && spec != NULL);
    memcpy(spec, writer.data, writer.size);
    needs.id = fixture_digest("needs", 1);
    *promise = (struct pulse_farm_promise){.key = *key, .kind = PULSE_OUTPUT_FACTS};
    *want = *key;
    *shard = (struct pulse_farm_shard){.kind = PULSE_SHARD_PROBE,
                                       .needs = &needs,
                                       .cost_ms = 1,
                                       .outputs = promise,
                                       .output_count = 1,
                                       .spec = spec,
                                       .spec_size = writer.size};
    task->event = (struct pulse_farm_event){
        .kind = PULSE_FARM_PLANNED,
        .tenant = TENANT,
        .plan = {.job = 1, .again = true, .shards = shard, .shard_count = 1, .wants = want, .want_count = 1}};
    lh_writer_fini(&writer);
    pulse_decider_ask(decider, task, true);
}

static void complete(struct worker *worker, const Wire__Assign *assign, const struct lh_blob *blob, uint64_t size)
{
    Wire__Complete complete = WIRE__COMPLETE__INIT;
    Wire__ShardOutput output = WIRE__SHARD_OUTPUT__INIT;
    Wire__Blob told = WIRE__BLOB__INIT;
    Wire__ShardOutput *outputs = &output;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    told.digest = wire_bytes(blob->digest.bytes, sizeof blob->digest.bytes);
    told.size = size;
    output.key = assign->outputs[0];
    output.blob = &told;
    complete.shard = assign->shard;
    complete.attempt = assign->attempt;
    complete.n_outputs = 1;
    complete.outputs = &outputs;
    WIRE_BODY(&envelope, COMPLETE, complete, &complete);
    say(worker, &envelope);
}

/* A probe of a medium, to be assigned to whoever comes. */
static struct lh_digest begin_probe(struct lh_arena *arena)
{
    struct lh_blob medium;
    struct lh_digest key = fixture_digest("key", 1);
    lh_arena_init(arena);
    OK(lh_blobs_put_bytes(blobs, "medium", 6, LH_BLOBS_KEPT, &medium, &fixture_error));
    submit();
    plan(&medium.digest, &key);
    return medium.digest;
}

/* The next attempt that it gets. */
static void answer(struct worker *worker, const struct lh_blob *made, struct lh_arena *arena)
{
    const Wire__Assign *assign = hear(worker, WIRE__ENVELOPE__BODY_ASSIGN, arena)->assign;
    complete(worker, assign, made, made->size);
    ck_assert_int_eq(hear(worker, WIRE__ENVELOPE__BODY_ACK, arena)->ack->verdict, WIRE__ACK__VERDICT__COMMITTED);
}

static void write_facts(struct lh_writer *writer, bool is_midi)
{
    const struct graph_file_facts sound = {
        .message = "", .frames = 480, .rate = 48000, .channels = 2, .bits = 16, .format = "WAV, 16 bit"};
    const struct graph_file_facts midi = {.message = "", .format = "", .is_midi = true, .tracks = 1};
    lh_writer_init(writer);
    graph_facts_write(writer, is_midi ? &midi : &sound);
    OK(lh_writer_status(writer));
}

/* What they would be called. */
static struct lh_blob facts_blob(bool is_midi)
{
    struct lh_writer writer;
    struct lh_blob blob = {.kind = LH_BLOBS_CACHED};
    write_facts(&writer, is_midi);
    blob.size = writer.size;
    OK(lh_digest_bytes(writer.data, writer.size, &blob.digest));
    lh_writer_fini(&writer);
    return blob;
}

/* As they come over the network: nobody holds them then. */
static struct lh_blob put_facts(bool is_midi)
{
    struct lh_writer writer;
    struct lh_blob blob;
    write_facts(&writer, is_midi);
    OK(lh_blobs_put_bytes(blobs, writer.data, writer.size, LH_BLOBS_CACHED, &blob, &fixture_error));
    lh_writer_fini(&writer);
    lh_blobs_release(blobs, &blob.digest);
    return blob;
}

/* As a worker of this host hands them over: nobody looks whether the name is theirs. */
static struct lh_blob hand_over(const struct lh_blob *told, const char *bytes)
{
    char media[96], name[LH_BLOBS_NAME_SIZE];
    struct lh_blob blob;
    int fd;
    snprintf(media, sizeof media, "%s/media", folder);
    OK(lh_blobs_hand_over(media, name, &fd, &fixture_error));
    ck_assert_int_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
    ck_assert_int_eq(ftruncate(fd, (off_t)told->size), 0);
    close(fd);
    OK(lh_blobs_adopt(blobs, name, told, false, &blob, &fixture_error));
    lh_blobs_release(blobs, &blob.digest);
    return blob;
}

/* A row with that size could not be written, or its blob would never be found again. */
START_TEST(a_blob_of_another_size_is_no_result)
{
    struct worker worker;
    struct lh_arena arena;
    struct lh_blob medium, made;
    struct lh_digest key = fixture_digest("key", 1);
    lh_arena_init(&arena);
    OK(lh_blobs_put_bytes(blobs, "medium", 6, LH_BLOBS_KEPT, &medium, &fixture_error));
    OK(lh_blobs_put_bytes(blobs, "made", 4, LH_BLOBS_CACHED, &made, &fixture_error));
    connect_to(&worker);
    greet(&worker, &arena);
    submit();
    plan(&medium.digest, &key);
    const Wire__Assign *assign = hear(&worker, WIRE__ENVELOPE__BODY_ASSIGN, &arena)->assign;
    complete(&worker, assign, &made, _i == 0 ? UINT64_MAX : 5);
    (void)hear(&worker, WIRE__ENVELOPE__BODY_ACK, &arena);
    struct pulse_decider_figures figures;
    pulse_decider_figures(decider, &figures);
    ck_assert(!atomic_load(&ended) && figures.leading);
    ck_assert_uint_eq(figures.failed, 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs WHERE state = 1"), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM shards WHERE state < 3"), 1); /* it is tried again */
    wire_link_free(worker.link, 0);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(a_blob_that_is_there_is_a_result)
{
    struct worker worker;
    struct lh_arena arena;
    begin_probe(&arena);
    struct lh_blob made = put_facts(false);
    connect_to(&worker);
    greet(&worker, &arena);
    answer(&worker, &made, &arena);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs WHERE state = 1"), 1);
    pulse_orders_free((struct pulse_orders *)take(&boxes[1])); /* now the job can be planned */
    wire_link_free(worker.link, 0);
    lh_arena_fini(&arena);
}
END_TEST

/* ---- facts that make no sense ---- */

/* What a worker may say of a sound file instead of facts, and what it is told to the job as. */
static const struct {
    const char *bytes; /* NULL: facts of a MIDI file */
    off_t size;
    const char *told;
} senseless[] = {
    {"garbage", 7, "s facts of this sound file cannot be used: the 7 bytes cannot be read"},
    {NULL, 0, "they are of a MIDI file"},
    {"large", ((off_t)256 << 20) + 1, "larger than 268435456 bytes"},
};
#define SENSELESS (int)(sizeof senseless / sizeof senseless[0])

static struct lh_blob put_senseless(int which)
{
    const char *bytes = senseless[which].bytes;
    if (bytes == NULL) {
        return put_facts(true);
    }
    struct lh_blob told = {.digest = fixture_digest("told", 1), .size = (uint64_t)senseless[which].size};
    return hand_over(&told, bytes);
}

static void expect_failed(const char *text)
{
    char sql[512];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM jobs WHERE state = 4 AND error LIKE '%%%s%%'", text);
    ck_assert_int_eq(fixture_count(sql), 1);
}

/* Nobody is there who could do better. */
START_TEST(facts_that_make_no_sense_fail_the_job)
{
    struct worker worker;
    struct lh_arena arena;
    char file[LH_DIGEST_TEXT_SIZE];
    struct lh_digest medium = begin_probe(&arena);
    connect_to(&worker);
    greet(&worker, &arena);
    for (uint64_t attempt = 1; attempt <= 2; attempt++) {
        struct lh_blob made = put_senseless(_i);
        ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs WHERE state = 1"), 1);
        grant(&worker, attempt);
        answer(&worker, &made, &arena);
        ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs WHERE state = 1"), 0);
    }
    lh_digest_text(&medium, file);
    expect_failed(senseless[_i].told);
    expect_failed(file);
    expect_failed("failed twice on the only worker");
    ck_assert_ptr_null(pulse_mailbox_take(&boxes[1])); /* it was not planned again for that */
    wire_link_free(worker.link, 0);
    lh_arena_fini(&arena);
}
END_TEST

/* The first one's bytes stand under the name of the right ones, too: they may not stay in their way. */
START_TEST(another_worker_does_better)
{
    struct worker bad, good;
    struct lh_arena arena;
    struct lh_blob right = facts_blob(false);
    begin_probe(&arena);
    connect_to(&bad);
    greet_as(&bad, "bad", 7, &arena);
    hand_over(&right, "wrong");
    const Wire__Assign *assign = hear(&bad, WIRE__ENVELOPE__BODY_ASSIGN, &arena)->assign;
    connect_to(&good);
    greet_as(&good, "good", 8, &arena);
    wait_for_connections(2);
    complete(&bad, assign, &right, right.size);
    (void)hear(&bad, WIRE__ENVELOPE__BODY_ACK, &arena);
    put_facts(false);
    answer(&good, &right, &arena);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs WHERE state = 1"), 1);
    pulse_orders_free((struct pulse_orders *)take(&boxes[1]));
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs WHERE state = 1"), 1);
    wire_link_free(bad.link, 0);
    wire_link_free(good.link, 0);
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/workers");
    TCase *tests = tcase_create("workers");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, who_connects_anew_stays_known_to_the_planner);
    tcase_add_test(tests, a_name_belongs_to_whoever_works_under_it);
    tcase_add_test(tests, a_blob_that_is_there_is_a_result);
    tcase_add_loop_test(tests, a_blob_of_another_size_is_no_result, 0, 2);
    tcase_add_loop_test(tests, facts_that_make_no_sense_fail_the_job, 0, SENSELESS);
    tcase_add_test(tests, another_worker_does_better);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
