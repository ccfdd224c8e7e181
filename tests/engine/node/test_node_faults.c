/* SPDX-License-Identifier: MIT */
/* The program loophole-node when things go wrong: instances that die, hang or are cancelled, a Pulse that goes and
   comes back, signals. $FAKE_SIGNAL is a double of Signal that does what the number of its threads says. */
#include "engine/node/node.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tests/engine/instance/fake_engine.h"
#include "tests/engine/node/script.h"
#include "tests/engine/node/shards.h"
#include "tests/support/testing.h"

#define MANY 300

static struct script script;
static char fake[600];
static const char *variables[] = {fake, NULL};

static void begin(void)
{
    script_begin(&script, false);
    snprintf(fake, sizeof fake, "LOOPHOLE_SIGNAL=%s", getenv("FAKE_SIGNAL"));
}

static void begin_remote(void)
{
    begin();
    script.remote = true;
}

static void end(void)
{
    script_end(&script);
    shards_end();
}

static double now_s(void)
{
    return (double)lh_clock_monotonic_ns() * 1e-9;
}

static void assign(uint64_t shard, uint32_t attempt, uint32_t threads)
{
    char name[40];
    snprintf(name, sizeof name, "shard %u", (unsigned)shard);
    struct graph_shard work = shards_silence(1, 100, name);
    struct script_limits limits = {.threads = threads};
    script_assign(&script, shard, attempt, &work, NULL, 0, &limits);
}

/* Until a beat says that the attempt is at work. */
static void await_start(uint64_t shard, uint32_t attempt)
{
    double begun = now_s();
    do {
        (void)script_hear(&script, WIRE__ENVELOPE__BODY_BEAT);
        ck_assert(now_s() - begun < 20);
    } while (!script_holds(&script, shard, attempt) || script.held[0].done == 0);
}

static Wire__Failed *hear_failed(uint64_t shard, uint32_t attempt, Wire__Failed__Kind kind)
{
    Wire__Failed *failed = script_hear(&script, WIRE__ENVELOPE__BODY_FAILED)->failed;
    ck_assert_uint_eq(failed->shard, shard);
    ck_assert_uint_eq(failed->attempt, attempt);
    ck_assert_msg(failed->kind == kind, "kind %d: %s", (int)failed->kind, failed->message);
    return failed;
}

/* One before it may be told again, whose acknowledgement was on its way. */
static void hear_complete(uint64_t shard, uint32_t attempt)
{
    const Wire__Complete *complete;
    do {
        complete = script_hear(&script, WIRE__ENVELOPE__BODY_COMPLETE)->complete;
    } while (complete->shard < shard);
    ck_assert_uint_eq(complete->shard, shard);
    ck_assert_uint_eq(complete->attempt, attempt);
}

static size_t files_in(const char *folder)
{
    char path[400];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/media/%s", script.folder, folder);
    DIR *open = opendir(path);
    ck_assert_ptr_nonnull(open);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    closedir(open);
    return count;
}

/* ---- instances */

START_TEST(crashes_are_told_and_nothing_is_left)
{
    script_greet(&script, NULL, variables);
    assign(1, 1, FAKE_CRASH);
    Wire__Failed *failed = hear_failed(1, 1, WIRE__FAILED__KIND__FAILED);
    ck_assert_int_eq((int)failed->status, LH_ERR_CRASHED);
    ck_assert_ptr_nonnull(strstr(failed->message, "signal 11"));
    char report[2000] = "";
    memcpy(report, failed->report.data, failed->report.len < sizeof report ? failed->report.len : sizeof report - 1);
    ck_assert_msg(strstr(report, "\"worker\":\"tested\"") != NULL && strstr(report, "signal 11") != NULL, "%s", report);
    assign(2, 1, FAKE_FAULT);
    failed = hear_failed(2, 1, WIRE__FAILED__KIND__FAILED);
    ck_assert_int_eq((int)failed->status, LH_ERR_FAULT);
    ck_assert_str_eq(failed->where, "track kick, frame 4711");
    assign(3, 1, 1);
    hear_complete(3, 1);
    script_ack(&script, 3, 1, WIRE__ACK__VERDICT__STALE);
    script_await_held(&script, 0); /* failures that were told are not listed, though nobody acknowledged them */
    ck_assert_uint_eq(files_in("incoming"), 0);
}
END_TEST

START_TEST(a_killed_instance_is_lost)
{
    pid_t pids[8];
    script_greet(&script, NULL, variables);
    script_await_instances(&script, 2);
    assign(1, 1, FAKE_HANG);
    await_start(1, 1);
    double begun = now_s();
    size_t count = script_instances(&script, pids, 8);
    for (size_t i = 0; i < count && i < 8; i++) {
        ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
    }
    (void)hear_failed(1, 1, WIRE__FAILED__KIND__LOST);
    ck_assert(now_s() - begun < 2.0);
    assign(2, 1, 1); /* the spare was killed too, which is nobody's fault */
    hear_complete(2, 1);
}
END_TEST

START_TEST(cancelling_frees_at_once)
{
    script_greet(&script, NULL, variables);
    script_await_instances(&script, 2);
    assign(1, 1, FAKE_HANG); /* heeds nothing */
    await_start(1, 1);
    script_await_instances(&script, 2);
    double begun = now_s();
    script_cancel(&script, 1, 1);
    (void)hear_failed(1, 1, WIRE__FAILED__KIND__CANCELLED);
    ck_assert_msg(now_s() - begun < 1.0, "%f", now_s() - begun);
    script_await_held(&script, 0);
    ck_assert_uint_eq(script.granted, 3);
    script_cancel(&script, 1, 1); /* it is not held any more */
    (void)hear_failed(1, 1, WIRE__FAILED__KIND__CANCELLED);
    assign(2, 1, 1);
    hear_complete(2, 1);
    script_cancel(&script, 2, 1); /* overtaken: what it gave goes */
    (void)hear_failed(2, 1, WIRE__FAILED__KIND__CANCELLED);
    ck_assert_uint_eq(files_in("incoming"), 0);
}
END_TEST

START_TEST(missing_inputs_are_named)
{
    struct script_input inputs[2];
    script_put(&script, "here", 4, &inputs[0].blob);
    inputs[1].blob = (struct lh_blob){.digest = shards_key("gone"), .size = 5};
    struct lh_digest files[2];
    static const bool midi[2];
    for (size_t i = 0; i < 2; i++) {
        files[i] = inputs[i].key = inputs[i].blob.digest;
    }
    struct graph_shard probe = shards_probe(files, midi, 2);
    script_greet(&script, NULL, variables);
    script_assign(&script, 1, 1, &probe, inputs, 2, NULL);
    Wire__Failed *failed = hear_failed(1, 1, WIRE__FAILED__KIND__INPUT_MISSING);
    ck_assert_uint_eq(failed->n_missing, 1);
    ck_assert_mem_eq(failed->missing[0].data, files[1].bytes, LH_DIGEST_SIZE);
}
END_TEST

START_TEST(specs_are_not_believed)
{
    script_greet(&script, NULL, variables);
    Wire__Assign assign = WIRE__ASSIGN__INIT;
    assign.shard = 1;
    assign.attempt = 1;
    assign.tenant = 1;
    assign.kind = WIRE__SHARD_KIND__SHARD_RENDER;
    assign.spec = wire_bytes("LHshard\0garbage", 15);
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, ASSIGN, assign, &assign);
    script_say(&script, &envelope);
    Wire__Failed *failed = hear_failed(1, 1, WIRE__FAILED__KIND__FAILED);
    ck_assert_int_eq((int)failed->status, LH_ERR_FORMAT);
    assign.attempt = 2;
    assign.spec.len = 0;
    script_say(&script, &envelope);
    (void)hear_failed(1, 2, WIRE__FAILED__KIND__FAILED);
}
END_TEST

START_TEST(more_than_it_takes_is_refused)
{
    script_greet(&script, NULL, variables);
    assign(1, 1, FAKE_WAIT);
    assign(2, 1, FAKE_WAIT);
    assign(2, 1, FAKE_WAIT); /* said twice is heard once */
    assign(3, 1, 1);
    (void)hear_failed(3, 1, WIRE__FAILED__KIND__REFUSED);
    await_start(1, 1);
    assign(1, 2, 1); /* a newer attempt at what is at work: the older one ends */
    (void)hear_failed(1, 2, WIRE__FAILED__KIND__REFUSED);
    (void)hear_failed(1, 1, WIRE__FAILED__KIND__CANCELLED);
}
END_TEST

/* ---- Pulse */

START_TEST(results_are_kept_until_acknowledged)
{
    script_greet(&script, NULL, variables);
    assign(1, 1, 1);
    hear_complete(1, 1);
    script_hear_beats(&script, 8); /* longer than a failure is kept */
    ck_assert(script_holds(&script, 1, 1) && script.held[0].finished);
    ck_assert_uint_gt(script.repeats, 0); /* told again while nobody says anything */
    ck_assert_uint_eq(files_in("incoming"), 1);
    for (int i = 0; i < 2; i++) { /* offered again to each Pulse that comes */
        script_restart(&script);
        script_welcome(&script, false);
        hear_complete(1, 1);
    }
    ck_assert_uint_eq(files_in("incoming"), 1);
    script_ack(&script, 1, 2, WIRE__ACK__VERDICT__COMMITTED); /* of an attempt that is none */
    script_hear_beats(&script, 3);
    ck_assert(script_holds(&script, 1, 1));
    script_ack(&script, 1, 1, WIRE__ACK__VERDICT__COMMITTED);
    script_await_held(&script, 0);
    ck_assert_uint_eq(files_in("incoming"), 1); /* Pulse has it: it is Pulse's to name or remove */
}
END_TEST

START_TEST(work_goes_on_without_pulse)
{
    script_greet(&script, NULL, variables);
    uint8_t session[16];
    memcpy(session, script.session, sizeof session);
    assign(1, 1, FAKE_WAIT);
    assign(2, 1, FAKE_WAIT);
    await_start(1, 1);
    await_start(2, 1);
    script_leave(&script);
    usleep(500000);
    ck_assert_uint_ge(script_instances(&script, NULL, 0), 2);
    script_return(&script);
    double begun = now_s();
    script_welcome(&script, false);
    ck_assert_msg(now_s() - begun < 5, "%f", now_s() - begun);
    ck_assert_mem_eq(session, script.session, sizeof session);
    script_await_held(&script, 2);
    script_cancel(&script, 2, 1); /* Pulse has forgotten the second */
    (void)hear_failed(2, 1, WIRE__FAILED__KIND__CANCELLED);
    script_await_held(&script, 1);
    ck_assert(script_holds(&script, 1, 1));
}
END_TEST

START_TEST(results_nobody_wants_are_dropped)
{
    script_greet(&script, NULL, variables);
    assign(1, 1, 1);
    hear_complete(1, 1);
    script_restart(&script);
    script_welcome(&script, false);
    hear_complete(1, 1);
    script_ack(&script, 1, 1, WIRE__ACK__VERDICT__STALE);
    script_await_held(&script, 0);
    ck_assert_uint_eq(files_in("incoming"), 0);
    script_hear_beats(&script, 1);
    ck_assert_uint_eq(script.granted, 2);
}
END_TEST

static void refuse(uint64_t correlation, Wire__ErrorCode code)
{
    Wire__Error error = WIRE__ERROR__INIT;
    error.code = code;
    error.message = wire_text("not now");
    error.has_retry_after_ms = true;
    error.retry_after_ms = 50;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    envelope.has_correlation = true;
    envelope.correlation = correlation;
    WIRE_BODY(&envelope, ERROR, error, &error);
    script_say(&script, &envelope);
}

START_TEST(a_result_that_cannot_be_taken_is_said_again)
{
    script_greet(&script, NULL, variables);
    assign(1, 1, 1);
    hear_complete(1, 1);
    refuse(script.heard->id, WIRE__ERROR_CODE__ERROR_UNAVAILABLE);
    hear_complete(1, 1);
    refuse(script.heard->id, WIRE__ERROR_CODE__ERROR_NOT_FOUND); /* its file is gone, say */
    (void)hear_failed(1, 1, WIRE__FAILED__KIND__LOST);
    script_await_held(&script, 0);
}
END_TEST

START_TEST(an_unfriendly_greeting_is_tried_again)
{
    script_start(&script, NULL, variables);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_HELLO);
    refuse(script.heard->id, WIRE__ERROR_CODE__ERROR_UNAVAILABLE);
    script_welcome(&script, false);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_CREDIT);
}
END_TEST

START_TEST(garbage_from_pulse_is_survived)
{
    script_greet(&script, NULL, variables);
    for (size_t size = 1; size < 200; size += 7) {
        uint8_t *data = malloc(size);
        for (size_t i = 0; i < size; i++) {
            data[i] = (uint8_t)(i * 37 + size);
        }
        struct wire_buffer buffer = {.data = data, .size = size};
        ck_assert_int_eq(wire_link_send(script.link, script.socket, script.peer, &buffer, NULL), LH_OK);
    }
    assign(1, 1, 1);
    hear_complete(1, 1);
}
END_TEST

/* ---- the node's own end */

START_TEST(drains_at_the_shards_edge)
{
    struct graph_shard slow = shards_silence(1, 100, "slow");
    script_greet(&script, NULL, variables);
    struct script_limits limits = {.threads = FAKE_WAIT, .hard_ms = 1200};
    script_assign(&script, 1, 1, &slow, NULL, 0, &limits);
    await_start(1, 1);
    ck_assert_int_eq(kill(script.node, SIGTERM), 0);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_DRAIN);
    assign(2, 1, 1); /* on its way when the drain was said */
    (void)hear_failed(2, 1, WIRE__FAILED__KIND__REFUSED);
    (void)hear_failed(1, 1, WIRE__FAILED__KIND__FAILED); /* this double of a shard ends in no other way */
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_BYE);
    ck_assert_int_eq(script_wait(&script), 0);
}
END_TEST

START_TEST(drains_until_results_are_acknowledged)
{
    script_greet(&script, NULL, variables);
    assign(1, 1, 1);
    hear_complete(1, 1);
    Wire__DrainRequest request = WIRE__DRAIN_REQUEST__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, DRAIN_REQUEST, drain_request, &request);
    script_say(&script, &envelope);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_DRAIN);
    script_hear_beats(&script, 3);
    ck_assert_int_eq(kill(script.node, 0), 0);
    script_ack(&script, 1, 1, WIRE__ACK__VERDICT__COMMITTED);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_BYE);
    ck_assert_int_eq(script_wait(&script), 0);
}
END_TEST

START_TEST(a_second_signal_hands_back)
{
    script_greet(&script, NULL, variables);
    assign(1, 1, FAKE_HANG);
    await_start(1, 1);
    ck_assert_int_eq(kill(script.node, SIGTERM), 0);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_DRAIN);
    double begun = now_s();
    ck_assert_int_eq(kill(script.node, SIGINT), 0);
    (void)hear_failed(1, 1, WIRE__FAILED__KIND__LOST);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_BYE);
    ck_assert_int_eq(script_wait(&script), 0);
    ck_assert_msg(now_s() - begun < 10, "%f", now_s() - begun);
}
END_TEST

START_TEST(no_instance_outlives_the_node)
{
    pid_t pids[8];
    script_greet(&script, NULL, variables);
    assign(1, 1, FAKE_HANG);
    await_start(1, 1);
    script_await_instances(&script, 2);
    size_t count = script_instances(&script, pids, 8);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(kill(script.node, SIGKILL), 0);
    ck_assert_int_eq(script_wait(&script), 1000 + SIGKILL);
    double begun = now_s();
    for (size_t i = 0; i < count; i++) {
        while (kill(pids[i], 0) == 0) { /* whoever adopts it reaps it, or it is a zombie: then it runs no more */
            char path[64], state = 0;
            snprintf(path, sizeof path, "/proc/%d/stat", (int)pids[i]);
            FILE *file = fopen(path, "r");
            if (file == NULL || fscanf(file, "%*d %*s %c", &state) != 1 || state == 'Z') {
                if (file != NULL) {
                    fclose(file);
                }
                break;
            }
            fclose(file);
            ck_assert(now_s() - begun < 5);
            usleep(10000);
        }
    }
}
END_TEST

START_TEST(being_stopped_is_survived)
{
    struct graph_shard work = shards_silence(1, 100, "stopped");
    script_greet(&script, NULL, variables);
    struct script_limits limits = {.threads = FAKE_WAIT, .no_progress_ms = 3000}; /* the time asleep does not count */
    script_assign(&script, 1, 1, &work, NULL, 0, &limits);
    await_start(1, 1);
    ck_assert_int_eq(kill(script.node, SIGSTOP), 0);
    usleep(3500000);
    ck_assert_int_eq(kill(script.node, SIGCONT), 0);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_BEAT);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_BEAT);
    ck_assert(script_holds(&script, 1, 1));
    script_cancel(&script, 1, 1);
    (void)hear_failed(1, 1, WIRE__FAILED__KIND__CANCELLED);
}
END_TEST

START_TEST(one_name_one_node)
{
    script_greet(&script, NULL, variables);
    pid_t first = script.node;
    script_start(&script, NULL, variables);
    ck_assert_int_eq(script_wait(&script), 2);
    script.node = first;
}
END_TEST

/* ---- the machine */

static size_t entries_of(pid_t pid, const char *what)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

START_TEST(nothing_leaks)
{
    script_greet(&script, NULL, variables);
    size_t fds = 0, threads = 0;
    for (uint64_t shard = 1; shard <= MANY; shard++) {
        bool fails = shard % 10 == 0;
        assign(shard, 1, fails ? FAKE_FAULT : 1);
        if (fails) {
            (void)hear_failed(shard, 1, WIRE__FAILED__KIND__FAILED);
        } else {
            hear_complete(shard, 1);
            script_ack(&script, shard, 1, WIRE__ACK__VERDICT__IDENTICAL);
        }
        if (shard == MANY / 4 || shard == MANY) {
            script_await_held(&script, 0);
            script_await_instances(&script, 2);
            if (shard == MANY) {
                ck_assert_uint_eq(entries_of(script.node, "fd"), fds);
                ck_assert_uint_eq(entries_of(script.node, "task"), threads);
            }
            fds = entries_of(script.node, "fd");
            threads = entries_of(script.node, "task");
        }
    }
    ck_assert_uint_eq(files_in("incoming"), 0);
}
END_TEST

START_TEST(without_room_nothing_is_taken)
{
    static const char *const arguments[] = {"--free-min", "1000000000", NULL}; /* a pebibyte */
    script_start(&script, arguments, variables);
    script_welcome(&script, false);
    script_listen(&script, 1500);
    ck_assert_uint_eq(script.granted, 0);
    ck_assert_uint_ge(script.beats, 5);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    script.disk = "size=1m";
    if (!script_may_mount()) {
        return;
    }
    size_t size;
    uint8_t *wav = shards_wav(SHARDS_RATE, 2, 100000, &size);
    struct script_input input;
    script_put(&script, wav, size, &input.blob);
    input.key = input.blob.digest;
    struct graph_shard large = shards_clip(&input.key, SHARDS_RATE, 100000, true); /* twice as much as it reads */
    static const char *const arguments[] = {"--free-min", "0", NULL};
    script_greet(&script, arguments, NULL);
    script_assign(&script, 1, 1, &large, &input, 1, NULL);
    Wire__Failed *failed = hear_failed(1, 1, WIRE__FAILED__KIND__REFUSED);
    ck_assert_msg(strstr(failed->message, "full") != NULL, "%s", failed->message);
    struct graph_shard small = shards_silence(1, 100, "small"); /* what the other one wrote is gone */
    script_assign(&script, 2, 1, &small, NULL, 0, NULL);
    hear_complete(2, 1);
}
END_TEST

/* As on Pulse's own host: it is held against nobody. */
START_TEST(a_pulse_without_room_is_no_failure)
{
    struct graph_shard shard = shards_silence(1, 1000, "out");
    script_greet(&script, NULL, NULL);
    lh_blobs_limit(script.media, 1, 0);
    script_assign(&script, 1, 1, &shard, NULL, 0, NULL);
    Wire__Failed *failed = hear_failed(1, 1, WIRE__FAILED__KIND__REFUSED);
    ck_assert_msg(strstr(failed->message, "quota") != NULL, "%s", failed->message);
    lh_blobs_limit(script.media, 0, 0);
    script_assign(&script, 1, 2, &shard, NULL, 0, NULL);
    hear_complete(1, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/node/node");
    TCase *instances = tcase_create("instances"), *pulse = tcase_create("pulse"), *node = tcase_create("node"),
          *machine = tcase_create("machine"), *disk = tcase_create("disk");
    tcase_add_checked_fixture(instances, begin, end);
    tcase_add_checked_fixture(pulse, begin, end);
    tcase_add_checked_fixture(node, begin, end);
    tcase_add_checked_fixture(machine, begin, end);
    tcase_add_checked_fixture(disk, begin_remote, end);
    tcase_set_timeout(machine, 240); /* hundreds of processes, perhaps under a sanitizer */
    tcase_add_test(instances, crashes_are_told_and_nothing_is_left);
    tcase_add_test(instances, a_killed_instance_is_lost);
    tcase_add_test(instances, cancelling_frees_at_once);
    tcase_add_test(instances, missing_inputs_are_named);
    tcase_add_test(instances, specs_are_not_believed);
    tcase_add_test(instances, more_than_it_takes_is_refused);
    tcase_add_test(pulse, results_are_kept_until_acknowledged);
    tcase_add_test(pulse, work_goes_on_without_pulse);
    tcase_add_test(pulse, results_nobody_wants_are_dropped);
    tcase_add_test(pulse, a_result_that_cannot_be_taken_is_said_again);
    tcase_add_test(pulse, an_unfriendly_greeting_is_tried_again);
    tcase_add_test(pulse, garbage_from_pulse_is_survived);
    tcase_add_test(node, drains_at_the_shards_edge);
    tcase_add_test(node, drains_until_results_are_acknowledged);
    tcase_add_test(node, a_second_signal_hands_back);
    tcase_add_test(node, no_instance_outlives_the_node);
    tcase_add_test(node, being_stopped_is_survived);
    tcase_add_test(node, one_name_one_node);
    tcase_add_test(machine, nothing_leaks);
    tcase_add_test(machine, without_room_nothing_is_taken);
    tcase_add_test(disk, a_full_disk_is_told);
    tcase_add_test(disk, a_pulse_without_room_is_no_failure);
    suite_add_tcase(suite, instances);
    suite_add_tcase(suite, pulse);
    suite_add_tcase(suite, node);
    suite_add_tcase(suite, machine);
    suite_add_tcase(suite, disk);
    return testing_main(suite);
}
