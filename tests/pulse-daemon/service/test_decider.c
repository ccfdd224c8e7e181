/* SPDX-License-Identifier: MIT */
/* pulse-daemon/service/decider.c on a real store: whose turn it is. */
#include "pulse-daemon/service/decider.h"

#include <semaphore.h>
#include <stdlib.h>

#include "pulse-daemon/farm/state.h"
#include "tests/pulse-daemon/store/fixture.h"

#define MANY 257 /* shards of a plan that is large */
#define WAIT_MS 60000

static struct pulse_mailbox workers, planner, clients, home;
static struct pulse_decider *decider;
static sem_t looking, seen;

static void on_end(void *context, enum lh_status status, const struct lh_error *error)
{
    (void)context;
    (void)status;
    ck_abort_msg("%s", error->message);
}

static void start(void)
{
    const struct pulse_decider_options options = {.store = fixture_url(),
                                                  .holder = "test",
                                                  .workers = &workers,
                                                  .planner = &planner,
                                                  .clients = &clients,
                                                  .on_end = on_end};
    OK(pulse_decider_new(&options, &decider, &fixture_error));
}

static void set_up(void)
{
    struct pulse_mailbox *const boxes[] = {&workers, &planner, &clients, &home};
    fixture_set_up();
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        OK(pulse_mailbox_init(boxes[i], SIZE_MAX, &fixture_error));
    }
    sem_init(&looking, 0, 0);
    sem_init(&seen, 0, 0);
    start();
}

static void tear_down(void)
{
    struct pulse_mailbox *const boxes[] = {&workers, &planner, &clients};
    pulse_decider_free(decider);
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        struct pulse_mail *mail;
        while ((mail = pulse_mailbox_take(boxes[i])) != NULL) {
            pulse_orders_free((struct pulse_orders *)mail);
        }
        pulse_mailbox_fini(boxes[i]);
    }
    pulse_mailbox_fini(&home);
    sem_destroy(&looking);
    sem_destroy(&seen);
    fixture_tear_down();
}

/* Comes home as the task of that number. */
static void ask(enum pulse_task_kind kind, struct pulse_farm_event event, uint64_t number)
{
    struct pulse_task *task = pulse_task_new(kind);
    ck_assert_ptr_nonnull(task);
    task->event = event;
    task->job = number;
    task->home = &home;
    pulse_decider_ask(decider, task, true);
}

/* A plan of a job that nobody knows: the core passes over it. */
static void ask_plan(size_t shards, uint64_t number)
{
    static const struct pulse_farm_shard none[2 * MANY];
    const struct pulse_farm_event event = {.kind = PULSE_FARM_PLANNED, .plan = {.shards = none, .shard_count = shards}};
    ask(PULSE_TASK_EVENT, event, number);
}

static void wait_here(struct pulse_task *task, struct pulse_farm *farm)
{
    (void)task;
    (void)farm;
    sem_post(&looking);
    sem_wait(&seen);
}

/* From here on the decider does nothing, until `seen` is posted. */
static void hold_up(void)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_LOOK);
    ck_assert_ptr_nonnull(task);
    task->look = wait_here;
    pulse_decider_ask(decider, task, true);
    sem_wait(&looking);
}

static uint64_t next_home(void)
{
    struct pulse_mail *mail = pulse_mailbox_take(&home);
    while (mail == NULL) {
        pulse_mailbox_wait(&home, -1, WAIT_MS);
        mail = pulse_mailbox_take(&home);
    }
    struct pulse_task *task = (struct pulse_task *)mail;
    uint64_t number = task->job;
    ck_assert_int_eq(task->status, LH_OK);
    pulse_task_free(task);
    return number;
}

START_TEST(nobody_waits_for_large_plans_that_came_before)
{
    static const struct pulse_farm_event tick = {.kind = PULSE_FARM_TICK};
    hold_up();
    ask_plan(MANY, 1);
    ask_plan(2 * MANY, 2);
    ask(PULSE_TASK_EVENT, tick, 3);
    ask_plan(MANY - 1, 4);
    ask_plan(MANY, 5);
    ask_plan(MANY - 1, 6); /* one more small plan than a batch takes */
    ask(PULSE_TASK_EVENT, tick, 7);
    sem_post(&seen);
    static const uint64_t order[] = {3, 4, 1, 6, 7, 2, 5};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        ck_assert_uint_eq(next_home(), order[i]);
    }
}
END_TEST

START_TEST(the_end_waits_for_large_plans)
{
    hold_up();
    for (uint64_t number = 1; number <= 3; number++) {
        ask_plan(MANY, number);
    }
    sem_post(&seen);
    pulse_decider_free(decider);
    decider = NULL;
    for (uint64_t number = 1; number <= 3; number++) {
        ck_assert_uint_eq(next_home(), number);
    }
}
END_TEST

static void look_at_weights(struct pulse_task *task, struct pulse_farm *farm)
{
    uint32_t *weights = task->payload;
    for (uint64_t tenant = 1; tenant <= 2; tenant++) {
        const struct pulse_farm_tenant *found = pulse_farm_find_tenant(farm, tenant);
        weights[tenant - 1] = found != NULL ? found->weight : 1;
    }
}

/* By the store's rows alone: an event for each would come behind a change that waits to be decided. */
START_TEST(weights_are_known_when_deciding_begins)
{
    struct pulse_decider_figures figures;
    uint32_t weights[2] = {0};
    pulse_decider_free(decider);
    fixture_execute("UPDATE tenants SET weight = 7 WHERE id = 2");
    start();
    struct pulse_task *task = pulse_task_new(PULSE_TASK_LOOK);
    ck_assert_ptr_nonnull(task);
    task->look = look_at_weights;
    task->payload = weights;
    task->home = &home;
    pulse_decider_ask(decider, task, true);
    (void)next_home();
    ck_assert(weights[0] == 1 && weights[1] == 7);
    hold_up(); /* the figures of the turn before are told */
    pulse_decider_figures(decider, &figures);
    ck_assert_uint_eq(figures.events, 0);
    sem_post(&seen);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/decider");
    TCase *tests = tcase_create("turns");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, nobody_waits_for_large_plans_that_came_before);
    tcase_add_test(tests, the_end_waits_for_large_plans);
    tcase_add_test(tests, weights_are_known_when_deciding_begins);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
