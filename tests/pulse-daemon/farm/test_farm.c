/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/farm: a job's whole way, time that jumps, and memory that runs out. */
#include "pulse-daemon/farm/farm.h"

#include "tests/pulse-daemon/farm/farming.h"

#define LEASE (15 * FARMING_S)

static void set_up(void)
{
    farming_begin(NULL);
}

static void tear_down(void)
{
    farming_end();
}

static void run_jobs(void)
{
    farming_welcome("w1", 11, 2);
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c<ab", "c");
    farming_submit(2, 1, 5);
    farming_plan(2, "a d<a", "d");
    farming_complete("a");
    farming_complete("b");
    farming_complete("c");
    farming_complete("d");
}

START_TEST(a_job_goes_its_way)
{
    farming_welcome("w1", 11, 2);
    farming_submit(1, 1, 0);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    ck_assert_uint_eq(farming_action(PULSE_FARM_PLAN, 0)->job, 1);
    ck_assert_uint_eq(farming_action(PULSE_FARM_REPLY, 0)->token, 1);
    ck_assert(farming_told(1, "\"queued\"") && farming_told(1, "\"planning\""));
    farming_plan(1, "a b c<ab", "c");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_RUNNING);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_ASSIGN), 2);
    ck_assert_int_eq(farming_state("c"), PULSE_SHARD_WAITING);
    farming_complete("a");
    ck_assert_int_eq(farming_action(PULSE_FARM_ACKNOWLEDGE, 0)->verdict, PULSE_FARM_COMMITTED);
    farming_complete("b");
    const struct pulse_farm_action *assign = farming_action(PULSE_FARM_ASSIGN, 0);
    ck_assert_uint_eq(assign->session, 11);
    ck_assert_uint_eq(assign->attempt, 1);
    ck_assert_uint_eq(assign->input_count, 2);
    ck_assert_uint_eq(assign->inputs[0].size, 100);
    ck_assert_uint_eq(assign->inputs[0].digest.bytes[LH_DIGEST_SIZE - 1], 1);
    ck_assert_uint_eq(assign->output_count, 1);
    farming_complete("c");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
    ck_assert(farming_told(1, "\"succeeded\""));
    struct pulse_farm_counts counts;
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.jobs + counts.shards + counts.outputs + counts.needs + counts.tenants, 0);
    ck_assert_uint_eq(counts.assigned, 3);
    ck_assert_uint_eq(counts.completed, 3);
}
END_TEST

START_TEST(time_that_jumps_ahead_costs_no_lease)
{
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a", "a");
    farming_pass(1000 * FARMING_S); /* this program was stopped: what workers said meanwhile is still to be read */
    ck_assert_str_eq(farming_owner("a"), "w1");
    farming_beat("w1", 11);
    farming_wait(LEASE - FARMING_S);
    ck_assert_str_eq(farming_owner("a"), "w1");
    farming_wait(2 * FARMING_S);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
}
END_TEST

START_TEST(time_that_jumps_back_stands_still)
{
    struct pulse_farm_outcome outcome;
    farming_welcome("w1", 11, 1);
    uint64_t wake = pulse_farm_wake_ns(farming_farm());
    ck_assert_uint_eq(wake, farming_now() + LEASE / 3);
    ck_assert_int_eq(pulse_farm_step(farming_farm(), 1, NULL, 0, &outcome), LH_OK);
    ck_assert_uint_eq(pulse_farm_wake_ns(farming_farm()), wake);
}
END_TEST

START_TEST(it_wakes_for_what_is_due)
{
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a", "a");
    for (int i = 0; i < 3; i++) {
        farming_pass(LEASE / 3 - FARMING_S);
    }
    ck_assert_uint_eq(pulse_farm_wake_ns(farming_farm()), farming_now() + 3 * FARMING_S);
}
END_TEST

START_TEST(names_that_are_none_are_not_heard)
{
    static const char *const names[] = {"", "a b", "../x", NULL,
                                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert(!pulse_farm_name_ok(names[i]));
        farming_welcome(names[i], 1, 1);
    }
    struct pulse_farm_counts counts;
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.workers, 0);
    ck_assert(pulse_farm_name_ok("a-B_3.x"));
}
END_TEST

START_TEST(what_is_forgotten_is_loaded_again)
{
    farming_welcome("w1", 11, 1);
    farming_welcome("w2", 12, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c<ab", "c");
    ck_assert_uint_eq(farming_reload(), 0);
    farming_step();
    ck_assert_str_eq(farming_owner("a"), "w1"); /* workers need not present themselves again */
    farming_complete("a");
    farming_complete("b");
    ck_assert_uint_eq(farming_actions(PULSE_FARM_ASSIGN), 1);
    farming_complete("c");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}
END_TEST

/* Steps that run out of memory at each of their allocations: the farm is forgotten, loaded, and all goes on. */
static bool fail_at(size_t n)
{
    static const struct pulse_farm_held held = {.shard = 1, .attempt = 1, .running = true, .progress = 1};
    static const char *const tag = "gpu";
    struct lh_digest a = farming_key(1, 'a'), c = farming_key(1, 'c'), b = farming_key(1, 'b');
    struct pulse_farm_promise promises[] = {{.key = a, .kind = PULSE_OUTPUT_STORED},
                                            {.key = c, .kind = PULSE_OUTPUT_FILE}};
    struct pulse_needs_row needs = {.id = {{1}}, .engine = FARMING_ENGINE, .cpu_class = "", .tags = &tag};
    struct pulse_farm_shard shards[] = {
        {.needs = &needs, .cost_ms = 5, .outputs = &promises[0], .output_count = 1},
        {.needs = &needs, .cost_ms = 5, .inputs = &a, .input_count = 1, .outputs = &promises[1], .output_count = 1}};
    struct pulse_farm_result result = {.key = a, .digest = b, .size = 1, .facts = "x", .facts_size = 1};
    struct pulse_farm_event events[] = {
        {.kind = PULSE_FARM_WELCOME,
         .worker = "w1",
         .session = 5,
         .slots = 2,
         .credits = 2,
         .traits = {.engine = FARMING_ENGINE, .tags = &tag, .tag_count = 1, .plugins = &a, .plugin_count = 1}},
        {.kind = PULSE_FARM_SUBMIT, .job = {.id = 1, .tenant = 1}},
        {.kind = PULSE_FARM_SUBMIT, .job = {.id = 2, .tenant = 2, .priority = 3}},
        {.kind = PULSE_FARM_TENANT, .tenant = 3, .weight = 5},
    };
    struct pulse_farm_event planned = {
        .kind = PULSE_FARM_PLANNED,
        .tenant = 1,
        .plan = {.job = 1, .shards = shards, .shard_count = 2, .wants = &c, .want_count = 1}};
    struct pulse_farm_event beat = {
        .kind = PULSE_FARM_BEAT, .worker = "w1", .session = 5, .held = &held, .held_count = 1};
    struct pulse_farm_event failed = {
        .kind = PULSE_FARM_FAILED, .worker = "w1", .shard = 1, .attempt = 1, .text = "{\"message\":\"x\"}"};
    struct pulse_farm_event complete = {.kind = PULSE_FARM_COMPLETE,
                                        .worker = "w1",
                                        .shard = 1,
                                        .attempt = 2,
                                        .tenant = 1,
                                        .results = &result,
                                        .result_count = 1};
    struct pulse_farm_event missing = {.kind = PULSE_FARM_MISSING, .tenant = 1, .key = a};
    struct pulse_farm_event gone = {.kind = PULSE_FARM_GONE, .worker = "w1", .session = 5};
    const struct {
        const struct pulse_farm_event *events;
        size_t count;
    } steps[] = {{events, 4}, {&planned, 1}, {&beat, 1}, {&failed, 1}, {&complete, 1}, {&missing, 1}, {&gone, 1}};
    struct pulse_farm_options options = {.seed = 1};
    struct pulse_farm *farm = NULL;
    struct pulse_farm_outcome outcome;
    enum lh_status status = pulse_farm_new(&options, &farm);
    ck_assert_int_eq(status, LH_OK);
    testing_fail_allocation(n);
    for (size_t i = 0; status == LH_OK && i < sizeof steps / sizeof steps[0]; i++) {
        status = pulse_farm_step(farm, (i + 1) * 3 * FARMING_S, steps[i].events, steps[i].count, &outcome);
    }
    bool failed_once = testing_fail_allocation_end();
    ck_assert_msg(status == (failed_once ? LH_ERR_NO_MEMORY : LH_OK), "allocation %zu: %d", n, status);
    pulse_farm_forget(farm);
    size_t healed = 0;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(pulse_farm_load_end(farm, 0, 100 * FARMING_S, &healed), LH_OK);
    ck_assert_uint_eq(healed, 0);
    ck_assert_int_eq(pulse_farm_step(farm, 101 * FARMING_S, events, 4, &outcome), LH_OK);
    ck_assert_int_eq(pulse_farm_step(farm, 101 * FARMING_S, &planned, 1, &outcome), LH_OK);
    ck_assert_msg(pulse_farm_check(farm, &error) == LH_OK, "%s: %s", error.where, error.message);
    struct pulse_farm_counts counts;
    pulse_farm_counts(farm, &counts);
    ck_assert_uint_eq(counts.shards, 2);
    pulse_farm_free(farm);
    return failed_once;
}

START_TEST(memory_that_runs_out_leaves_a_farm_to_load)
{
    size_t n = 1;
    while (fail_at(n)) {
        n++;
    }
    ck_assert_uint_gt(n, 60);
}
END_TEST

START_TEST(no_memory_for_a_farm)
{
    struct pulse_farm *farm = NULL;
    testing_fail_allocation(1);
    ck_assert_int_eq(pulse_farm_new(NULL, &farm), LH_ERR_NO_MEMORY);
    ck_assert(testing_fail_allocation_end());
    ck_assert_ptr_null(farm);
    pulse_farm_free(NULL);
}
END_TEST

START_TEST(a_restart_in_the_middle_of_everything)
{
    run_jobs();
    farming_submit(3, 1, 0);
    farming_plan(3, "e f<e g<f", "g");
    ck_assert_uint_eq(farming_restart(), 0);
    farming_step();
    ck_assert_str_eq(farming_owner("e"), "w1");
    farming_beat("w1", 11); /* who is not known is asked */
    ck_assert_uint_eq(farming_action(PULSE_FARM_GREET, 0)->session, 11);
    farming_welcome("w1", 11, 2);
    farming_complete("e");
    farming_complete("f");
    farming_complete("g");
    ck_assert_int_eq(farming_job(3), PULSE_JOB_SUCCEEDED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("farm");
    TCase *life = tcase_create("life");
    tcase_add_checked_fixture(life, set_up, tear_down);
    tcase_add_test(life, a_job_goes_its_way);
    tcase_add_test(life, time_that_jumps_ahead_costs_no_lease);
    tcase_add_test(life, time_that_jumps_back_stands_still);
    tcase_add_test(life, it_wakes_for_what_is_due);
    tcase_add_test(life, names_that_are_none_are_not_heard);
    tcase_add_test(life, what_is_forgotten_is_loaded_again);
    tcase_add_test(life, a_restart_in_the_middle_of_everything);
    tcase_add_test(life, memory_that_runs_out_leaves_a_farm_to_load);
    tcase_add_test(life, no_memory_for_a_farm);
    suite_add_tcase(suite, life);
    return testing_main(suite);
}
