/* SPDX-License-Identifier: MIT */
/* pulse-daemon/service/watch.c: who is told what, and that nothing is left out. */
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/service/clients_parts.h"
#include "tests/pulse-daemon/store/fixture.h"

#define PATIENCE_MS 30000
#define TURN_MS 20

static struct pulse_mailbox boxes[3];
static struct pulse_clients clients;
static struct pulse_client ours, theirs; /* of the tenants 1 and 2 */
static struct pulse_decider *decider;

static void on_end(void *context, enum lh_status status, const struct lh_error *error)
{
    (void)context;
    ck_abort_msg("%s: %s", lh_status_text(status), error->message);
}

static void set_up(void)
{
    fixture_set_up();
    for (size_t i = 0; i < 3; i++) {
        OK(pulse_mailbox_init(&boxes[i], SIZE_MAX, &fixture_error));
    }
    const struct pulse_decider_options deciding = {.store = fixture_url(),
                                                   .holder = "test",
                                                   .workers = &boxes[0],
                                                   .planner = &boxes[1],
                                                   .clients = &boxes[2],
                                                   .on_end = on_end};
    OK(pulse_decider_new(&deciding, &decider, &fixture_error));
    clients = (struct pulse_clients){.options = {.store = fixture_url(), .decider = decider, .box = &boxes[2]},
                                     .list = &ours};
    OK(wire_link_new(NULL, &clients.link, &fixture_error)); /* nobody is connected: what is said is said in vain */
    ours = (struct pulse_client){.next = &theirs, .peer = 1, .watch = {.active = true, .tenant = 1}};
    theirs = (struct pulse_client){.peer = 2, .watch = {.active = true, .tenant = 2}};
}

static void tear_down(void)
{
    pulse_decider_free(decider);
    for (size_t i = 0; i < 3; i++) {
        struct pulse_mail *mail;
        while ((mail = pulse_mailbox_take(&boxes[i])) != NULL) {
            pulse_orders_free((struct pulse_orders *)mail);
        }
        pulse_mailbox_fini(&boxes[i]);
    }
    wire_link_free(clients.link, 0);
    pulse_store_close(clients.store);
    fixture_tear_down();
}

static struct pulse_mail *take(enum pulse_mail_kind kind)
{
    for (int turn = 0; turn < PATIENCE_MS / TURN_MS; turn++) {
        struct pulse_mail *mail = pulse_mailbox_take(&boxes[2]);
        if (mail != NULL && mail->kind == kind) {
            return mail;
        }
        if (mail != NULL) {
            pulse_orders_free((struct pulse_orders *)mail);
        }
        pulse_mailbox_wait(&boxes[2], -1, TURN_MS);
    }
    ck_abort_msg("nothing came");
    return NULL;
}

static struct pulse_task *ask(struct pulse_task *task)
{
    ck_assert_ptr_nonnull(task);
    task->home = &boxes[2];
    pulse_decider_ask(decider, task, true);
    return (struct pulse_task *)take(PULSE_MAIL_TASK);
}

/* A job of the first tenant. */
static void submit(void)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    ck_assert_ptr_nonnull(task);
    task->event = (struct pulse_farm_event){.kind = PULSE_FARM_SUBMIT, .job = {.tenant = 1, .error = ""}};
    task = ask(task);
    ck_assert_int_eq(task->status, LH_OK);
    ck_assert_uint_eq(task->job, 1);
    pulse_task_free(task);
}

START_TEST(how_far_a_job_has_come_is_told_to_its_tenant_alone)
{
    submit();
    ours.watch.progress = theirs.watch.progress = true;
    ours.watch.job = theirs.watch.job = 1;
    ours.watch.told = theirs.watch.told = -1;
    pulse_watch_look(&clients);
    for (size_t i = 0; i < 2; i++) {
        struct pulse_task *task = (struct pulse_task *)take(PULSE_MAIL_TASK);
        task->resume(task);
    }
    ck_assert(ours.watch.told >= 0);
    ck_assert(theirs.watch.told < 0);
}
END_TEST

static enum lh_status lose_store(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    (void)task, (void)writing;
    return lh_error_set(error, LH_ERR_UNAVAILABLE, NULL, "was it committed?");
}

/* The server may end between a commit and its answer. */
START_TEST(what_was_committed_unheard_is_told_when_the_store_is_back)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_WRITE);
    submit();
    ck_assert_ptr_nonnull(task);
    task->write = lose_store;
    task = ask(task);
    ck_assert_int_eq(task->status, LH_ERR_UNAVAILABLE);
    pulse_task_free(task);
    struct pulse_orders *orders = (struct pulse_orders *)take(PULSE_MAIL_ORDERS);
    ck_assert_uint_eq(orders->told_count, 0);
    int64_t last = fixture_count("SELECT max(number) FROM events");
    ck_assert_int_gt(last, 0);
    pulse_watch_tell(&clients, orders);
    ck_assert_uint_ge(ours.watch.after, (uint64_t)last);
    ck_assert_uint_eq(theirs.watch.after, 0);
    pulse_orders_free(orders);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/watch");
    TCase *tests = tcase_create("watching");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, how_far_a_job_has_come_is_told_to_its_tenant_alone);
    tcase_add_test(tests, what_was_committed_unheard_is_told_when_the_store_is_back);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
