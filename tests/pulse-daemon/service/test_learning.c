/* SPDX-License-Identifier: MIT */
/* pulse-daemon/service/learning.c: from a worker's word to the store's rows, on a real store. */
#include "pulse-daemon/service/learning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/shard.h"
#include "pulse-daemon/store/learned.h"
#include "tests/pulse-daemon/shard/song.h"
#include "tests/pulse-daemon/store/fixture.h"

#define TRUTH_NS 700.0

static struct pulse_costs *costs;
static struct pulse_learning learning;
static struct sung sung;
static struct lh_writer spec;

/* Shard 1 of tenant 1: a whole song. */
static void set_up(void)
{
    struct song song = {.seed = 5, .tracks = 4, .chain = 2, .frames = SONG_RATE * 60};
    struct lh_digest key = fixture_digest("key", 1);
    fixture_set_up();
    song_write(&song, &sung);
    struct graph_shard_input *inputs = calloc(sung.graph->media_count, sizeof *inputs);
    ck_assert_ptr_nonnull(inputs);
    for (uint32_t m = 0; m < sung.graph->media_count; m++) {
        inputs[m] = (struct graph_shard_input){GRAPH_SHARD_MEDIUM, m, sung.media[m]};
    }
    struct graph_shard_output output = {GRAPH_SHARD_OUT_FILE, 0, key};
    struct graph_shard work = {.kind = GRAPH_SHARD_RENDER,
                               .graph = sung.graph,
                               .inputs = inputs,
                               .input_count = sung.graph->media_count,
                               .outputs = &output,
                               .output_count = 1};
    lh_writer_init(&spec);
    ck_assert_int_eq(graph_shard_encode(&work, &spec), LH_OK);
    free(inputs);
    struct pulse_change changes[3] = {fixture_shard(1, 1, PULSE_SHARD_READY), fixture_spec(1, 1, NULL, 0, &key, 1)};
    changes[1].spec = spec.data;
    changes[1].spec_size = spec.size;
    fixture_needs(&changes[2]);
    fixture_apply(changes, 3);
    ck_assert_int_eq(pulse_costs_new(&costs), LH_OK);
    pulse_learning_init(&learning, costs);
}

static void tear_down(void)
{
    pulse_learning_fini(&learning);
    pulse_costs_free(costs);
    lh_writer_fini(&spec);
    sung_free(&sung);
    fixture_tear_down();
}

/* A worker says that each sample of a plugin took TRUTH_NS. */
static struct pulse_lesson *lesson_of(uint64_t tenant, uint64_t shard, size_t insert_count, double mix_ns)
{
    static Wire__ShardInsert inserts[64];
    static Wire__ShardInsert *pointers[64];
    Wire__Complete complete = WIRE__COMPLETE__INIT;
    Wire__ShardTimes times = WIRE__SHARD_TIMES__INIT;
    for (size_t i = 0; i < insert_count && i < 64; i++) {
        wire__shard_insert__init(&inserts[i]);
        inserts[i].nanoseconds = (uint64_t)(TRUTH_NS * 2 * 60 * SONG_RATE);
        pointers[i] = &inserts[i];
        times.plugins_ns += inserts[i].nanoseconds;
    }
    times.mix_ns = (uint64_t)mix_ns;
    complete.shard = shard;
    complete.times = &times;
    complete.inserts = pointers;
    complete.n_inserts = insert_count;
    return pulse_lesson_new(tenant, &complete);
}

static double plugin_ns(void)
{
    char name[PULSE_COST_NAME_SIZE];
    pulse_cost_plugin_name(&sung.graph->plugins[0].digest, name);
    return pulse_costs_ns(costs, name);
}

static enum lh_status step(void)
{
    return pulse_learning_step(&learning, fixture_store, &fixture_error);
}

/* As the decider does. */
static void carry_out(struct pulse_task *task)
{
    struct pulse_writing writing = {.store = fixture_store, .now_ms = NOW};
    ck_assert_ptr_nonnull(task);
    fixture_begin();
    OK(task->write(task, &writing, &fixture_error));
    fixture_commit();
    pulse_learning_saved(&learning, task);
}

static enum lh_status set_cost(void *context, const struct pulse_cost_row *row)
{
    return pulse_costs_set(context, row->name, row->value, row->weight);
}

START_TEST(what_is_said_is_learned_and_kept)
{
    double before = plugin_ns();
    pulse_learning_add(&learning, lesson_of(1, 1, sung.graph->insert_count, 1e9));
    ck_assert(pulse_learning_waits(&learning));
    OK(step());
    ck_assert(!pulse_learning_waits(&learning));
    ck_assert_msg(fabs(plugin_ns() - TRUTH_NS) < 1, "%g, before %g", plugin_ns(), before);
    carry_out(pulse_learning_save(&learning, false));
    ck_assert_ptr_null(pulse_learning_save(&learning, true)); /* nothing has changed */
    struct pulse_costs *other;
    ck_assert_int_eq(pulse_costs_new(&other), LH_OK);
    OK(pulse_store_costs(fixture_store, set_cost, other, &fixture_error));
    const struct pulse_cost *cost;
    size_t count = 0;
    for (; (cost = pulse_costs_at(costs, count)) != NULL; count++) {
        ck_assert_str_eq(pulse_costs_at(other, count)->what, cost->what);
        ck_assert(pulse_costs_at(other, count)->ns == cost->ns);
        ck_assert(pulse_costs_at(other, count)->weight == cost->weight);
    }
    ck_assert_uint_gt(count, 1);
    pulse_costs_free(other);
}
END_TEST

START_TEST(only_what_changed_is_written_and_not_all_the_time)
{
    pulse_learning_add(&learning, lesson_of(1, 1, sung.graph->insert_count, 1e9));
    OK(step());
    carry_out(pulse_learning_save(&learning, false));
    fixture_execute("UPDATE costs SET value = 1");
    pulse_learning_add(&learning, lesson_of(1, 1, 0, 1e9)); /* says nothing of plugins */
    OK(step());
    ck_assert_ptr_null(pulse_learning_save(&learning, false)); /* so soon */
    struct pulse_task *task = pulse_learning_save(&learning, true);
    ck_assert_ptr_null(pulse_learning_save(&learning, true)); /* one at a time */
    carry_out(task);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM costs WHERE value <> 1"), 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM costs WHERE value <> 1 AND name = 'mix'"), 1);
}
END_TEST

START_TEST(what_was_not_written_is_written_later)
{
    pulse_learning_add(&learning, lesson_of(1, 1, sung.graph->insert_count, 1e9));
    OK(step());
    struct pulse_task *task = pulse_learning_save(&learning, false);
    ck_assert_ptr_nonnull(task);
    task->status = LH_ERR_UNAVAILABLE;
    pulse_learning_saved(&learning, task);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM costs"), 0);
    carry_out(pulse_learning_save(&learning, true));
    ck_assert_int_gt(fixture_count("SELECT count(*) FROM costs"), 0);
}
END_TEST

START_TEST(what_makes_no_sense_is_left_out)
{
    double before = plugin_ns();
    ck_assert_ptr_null(lesson_of(1, 1, 0, 1e6)); /* too short to say anything */
    Wire__Complete untimed = WIRE__COMPLETE__INIT;
    ck_assert_ptr_null(pulse_lesson_new(1, &untimed));
    pulse_learning_add(&learning, lesson_of(2, 1, sung.graph->insert_count, 1e9));   /* another's */
    pulse_learning_add(&learning, lesson_of(1, 9, sung.graph->insert_count, 1e9));   /* forgotten */
    pulse_learning_add(&learning, lesson_of(1, 1, sung.graph->insert_count + 1, 0)); /* of another graph */
    for (int i = 0; i < 3; i++) {
        OK(step());
    }
    OK(step()); /* there is none */
    ck_assert(plugin_ns() == before);
    ck_assert_ptr_null(pulse_costs_at(costs, 0));
    fixture_execute("UPDATE specs SET spec = inputs");
    pulse_learning_add(&learning, lesson_of(1, 1, sung.graph->insert_count, 1e9));
    OK(step());
    ck_assert_ptr_null(pulse_costs_at(costs, 0));
}
END_TEST

START_TEST(no_more_than_can_be_taken_in)
{
    for (size_t i = 0; i < 3 * PULSE_LESSONS_MOST; i++) {
        pulse_learning_add(&learning, lesson_of(1, 1, 0, 1e9));
    }
    size_t taken = 0;
    for (; pulse_learning_waits(&learning); taken++) {
        OK(step());
    }
    ck_assert_uint_eq(taken, PULSE_LESSONS_MOST);
}
END_TEST

START_TEST(memory_runs_out)
{
    size_t failures = 0;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        testing_fail_allocation(n);
        struct pulse_lesson *lesson = lesson_of(1, 1, sung.graph->insert_count, 1e9);
        enum lh_status status = LH_OK;
        if (lesson != NULL) {
            pulse_learning_add(&learning, lesson);
            status = step();
        }
        struct pulse_task *task = status == LH_OK ? pulse_learning_save(&learning, true) : NULL;
        failed = testing_fail_allocation_end();
        ck_assert(status == LH_OK || (failed && (status == LH_ERR_NO_MEMORY || status == LH_ERR_IO)));
        ck_assert(failed || task != NULL);
        if (task != NULL) {
            task->status = LH_ERR_UNAVAILABLE;
            pulse_learning_saved(&learning, task);
        }
        failures += failed;
    }
    ck_assert_uint_gt(failures, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/learning");
    TCase *tests = tcase_create("learning");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_said_is_learned_and_kept);
    tcase_add_test(tests, only_what_changed_is_written_and_not_all_the_time);
    tcase_add_test(tests, what_was_not_written_is_written_later);
    tcase_add_test(tests, what_makes_no_sense_is_left_out);
    tcase_add_test(tests, no_more_than_can_be_taken_in);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
