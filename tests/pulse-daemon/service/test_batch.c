/* SPDX-License-Identifier: MIT */
/* pulse-daemon/service/batch.c on a real store: what one task wants to write and the store refuses is its own affair.
 */
#include "pulse-daemon/service/batch.h"

#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/access.h"
#include "pulse-daemon/store/projects.h"
#include "tests/pulse-daemon/store/fixture.h"

#define TENANT 1
#define NOBODY 77 /* no tenant */

static struct pulse_mailbox workers, planner, clients, home;
static struct pulse_bench bench;
static uint64_t project;

static void set_up(void)
{
    struct pulse_mailbox *const boxes[] = {&workers, &planner, &clients, &home};
    fixture_set_up();
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        OK(pulse_mailbox_init(boxes[i], SIZE_MAX, &fixture_error));
    }
    bench = (struct pulse_bench){
        .store = fixture_store, .next_job = 1, .workers = &workers, .planner = &planner, .clients = &clients};
    OK(pulse_farm_new(NULL, &bench.farm));
    project = fixture_project(TENANT);
}

static void tear_down(void)
{
    struct pulse_mailbox *const boxes[] = {&workers, &planner, &clients};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        struct pulse_mail *mail;
        while ((mail = pulse_mailbox_take(boxes[i])) != NULL) {
            pulse_orders_free((struct pulse_orders *)mail);
        }
        pulse_mailbox_fini(boxes[i]);
    }
    pulse_mailbox_fini(&home);
    pulse_farm_free(bench.farm);
    fixture_tear_down();
}

static enum lh_status write_request(struct pulse_task *task, const struct pulse_writing *writing,
                                    struct lh_error *error)
{
    struct pulse_request_row *row = task->payload;
    row->job = writing->next_job;
    return pulse_store_request_put(writing->store, row, error);
}

/* A job submitted whose request has options of that length for that revision. */
static struct pulse_task *submission(uint64_t revision, size_t length)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    ck_assert_ptr_nonnull(task);
    struct pulse_request_row *row = lh_arena_alloc(&task->arena, sizeof *row);
    char *options = lh_arena_alloc(&task->arena, length + 1);
    ck_assert(row != NULL && options != NULL);
    memset(options, ' ', length);
    *row = (struct pulse_request_row){.tenant = TENANT, .project = project, .revision = revision, .options = options};
    task->event = (struct pulse_farm_event){.kind = PULSE_FARM_SUBMIT, .job = {.tenant = TENANT, .error = ""}};
    task->payload = row;
    task->write = write_request;
    task->home = &home;
    return task;
}

static struct pulse_task *come_home(enum lh_status status)
{
    struct pulse_task *task = (struct pulse_task *)pulse_mailbox_take(&home);
    ck_assert_ptr_nonnull(task);
    ck_assert_int_eq(task->status, status);
    ck_assert_int_eq(task->error.message[0] != '\0', status != LH_OK);
    ck_assert_str_eq(task->error.where, ""); /* where the store is does not concern them */
    return task;
}

START_TEST(one_that_is_refused_does_not_take_the_others_along)
{
    struct pulse_task *tasks[] = {submission(1, 2), submission(1, PULSE_STORE_TEXT_MAX + 1), submission(1, 2),
                                  submission(9, 2), submission(1, 2)};
    OK(pulse_batch_decide(&bench, tasks, 5, &fixture_error));
    pulse_task_free(come_home(LH_ERR_LIMIT));
    pulse_task_free(come_home(LH_ERR_INTERNAL)); /* there is no such revision, which a rule of the store's says */
    for (uint64_t job = 1; job <= 3; job++) {
        struct pulse_task *task = come_home(LH_OK);
        ck_assert_uint_eq(task->job, job);
        pulse_task_free(task);
    }
    ck_assert_ptr_null(pulse_mailbox_take(&home));
    ck_assert_uint_eq(bench.next_job, 4);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 3);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM requests"), 3);
    struct pulse_farm_counts counts;
    pulse_farm_counts(bench.farm, &counts);
    ck_assert_uint_eq(counts.jobs, 3);
}
END_TEST

START_TEST(all_may_be_refused)
{
    struct pulse_task *tasks[] = {submission(9, 2), submission(9, 2)};
    OK(pulse_batch_decide(&bench, tasks, 2, &fixture_error));
    pulse_task_free(come_home(LH_ERR_INTERNAL));
    pulse_task_free(come_home(LH_ERR_INTERNAL));
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 0);
    struct pulse_task *next[] = {submission(1, 2)};
    OK(pulse_batch_decide(&bench, next, 1, &fixture_error));
    pulse_task_free(come_home(LH_OK));
}
END_TEST

static enum lh_status write_token(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    const struct pulse_token_row row = {
        .digest = fixture_digest("token", 1), .tenant = task->event.tenant, .name = "", .role = PULSE_ROLE_VIEWER};
    return pulse_store_token_put(writing->store, &row, error);
}

START_TEST(a_rule_of_the_store_is_told_to_who_breaks_it)
{
    static const uint64_t tenants[] = {NOBODY, TENANT};
    for (size_t i = 0; i < 2; i++) {
        struct pulse_task *task = pulse_task_new(PULSE_TASK_WRITE);
        ck_assert_ptr_nonnull(task);
        task->event.tenant = tenants[i];
        task->write = write_token;
        task->home = &home;
        OK(pulse_batch_write(&bench, task, &fixture_error));
        pulse_task_free(come_home(i == 0 ? LH_ERR_INTERNAL : LH_OK));
    }
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM tokens"), 1);
}
END_TEST

static enum lh_status stop_leading(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    (void)task;
    (void)writing;
    return lh_error_set(error, LH_ERR_UNAVAILABLE, NULL, "the store went away");
}

START_TEST(a_store_that_is_away_is_nobodys_fault)
{
    struct pulse_task *tasks[] = {submission(1, 2), submission(1, 2)};
    tasks[1]->write = stop_leading;
    FAILS(pulse_batch_decide(&bench, tasks, 2, &fixture_error), LH_ERR_UNAVAILABLE);
    pulse_task_free(come_home(LH_ERR_UNAVAILABLE));
    pulse_task_free(come_home(LH_ERR_UNAVAILABLE));
    ck_assert_uint_eq(bench.next_job, 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM requests"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/batch");
    TCase *tests = tcase_create("batches");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, one_that_is_refused_does_not_take_the_others_along);
    tcase_add_test(tests, all_may_be_refused);
    tcase_add_test(tests, a_rule_of_the_store_is_told_to_who_breaks_it);
    tcase_add_test(tests, a_store_that_is_away_is_nobodys_fault);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
