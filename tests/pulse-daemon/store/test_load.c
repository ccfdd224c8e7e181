/* SPDX-License-Identifier: MIT */
/* What the core is rebuilt from: all that lives, nothing else, in the right order, unchanged. */
#include <stdio.h>
#include <string.h>

#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

#define SEEN_MAX 64

/* Changes as they come, with copies of what is compared. */
struct seen {
    struct pulse_change changes[SEEN_MAX];
    char texts[SEEN_MAX][64];
    struct lh_digest keys[SEEN_MAX][4];
    size_t count;
    size_t stop_at; /* 0: never */
};

static enum lh_status see(void *context, const struct pulse_change *change)
{
    struct seen *seen = context;
    ck_assert_uint_lt(seen->count, SEEN_MAX);
    size_t at = seen->count++;
    seen->changes[at] = *change;
    if (change->kind == PULSE_CHANGE_JOB) {
        strncpy(seen->texts[at], change->job.error, 63);
    } else if (change->kind == PULSE_CHANGE_NEEDS) {
        ck_assert_str_eq(change->needs.engine, "1 libsndfile-1.2.0");
        ck_assert_str_eq(change->needs.cpu_class, "x86-64-v3");
        ck_assert_uint_eq(change->needs.tag_count, 2);
        ck_assert_str_eq(change->needs.tags[1], "gpu");
        ck_assert_uint_eq(change->needs.plugin_count, 2);
        struct lh_digest second = fixture_digest("plugin", 1);
        ck_assert(lh_digest_equal(&change->needs.plugins[1], &second));
    } else if (change->kind == PULSE_CHANGE_SPEC) {
        ck_assert_ptr_null(change->spec);
        ck_assert_uint_le(change->input_count + change->output_count, 4);
        memcpy(seen->keys[at], change->inputs, change->input_count * sizeof(struct lh_digest));
        memcpy(seen->keys[at] + change->input_count, change->outputs, change->output_count * sizeof(struct lh_digest));
    } else if (change->kind == PULSE_CHANGE_OUTPUT && change->output.state == PULSE_OUTPUT_PRESENT) {
        ck_assert_uint_eq(change->output.facts_size, 6);
        ck_assert(change->output.unproven);
        ck_assert_mem_eq(change->output.facts, "facts\0", 6);
    }
    return seen->count == seen->stop_at ? LH_ERR_CANCELLED : LH_OK;
}

static void load(struct seen *seen, struct pulse_store_numbers *numbers)
{
    memset(seen, 0, sizeof *seen);
    OK(pulse_store_load(fixture_store, see, seen, numbers, &fixture_error));
}

START_TEST(an_empty_store_gives_nothing)
{
    static struct seen seen;
    struct pulse_store_numbers numbers = {9, 9, 9};
    load(&seen, &numbers);
    ck_assert_uint_eq(seen.count, 0);
    ck_assert(numbers.job == 0 && numbers.shard == 0 && numbers.event == 0);
}
END_TEST

/* Shard 1 is done and made `a`; 2 needs a and makes b and c (c is present already); 3 waits for b and makes d; job 1
   wants d and e, which is present. Job 2 is over. f is present and nobody speaks of it. Tenant 2 has the same keys. */
static void fill(void)
{
    struct lh_digest a = fixture_digest("key", 1), b = fixture_digest("key", 2), c = fixture_digest("key", 3);
    struct lh_digest d = fixture_digest("key", 4), e = fixture_digest("key", 5), f = fixture_digest("key", 6);
    struct lh_digest both[] = {b, c};
    struct pulse_change changes[] = {
        {.kind = PULSE_CHANGE_NEEDS},
        fixture_shard(1, 1, PULSE_SHARD_DONE),
        fixture_spec(1, 1, NULL, 0, &a, 1),
        fixture_shard(1, 2, PULSE_SHARD_CLAIMED),
        fixture_spec(1, 2, &a, 1, both, 2),
        fixture_shard(1, 3, PULSE_SHARD_WAITING),
        fixture_spec(1, 3, &b, 1, &d, 1),
        fixture_shard(2, 4, PULSE_SHARD_READY),
        fixture_spec(2, 4, NULL, 0, &a, 1),
        fixture_output(1, &a, PULSE_OUTPUT_PRESENT, 1),
        fixture_output(1, &b, PULSE_OUTPUT_PROMISED, 2),
        fixture_output(1, &c, PULSE_OUTPUT_PRESENT, 90),
        fixture_output(1, &d, PULSE_OUTPUT_PROMISED, 3),
        fixture_output(1, &e, PULSE_OUTPUT_PRESENT, 91),
        fixture_output(1, &f, PULSE_OUTPUT_PRESENT, 92),
        fixture_output(2, &a, PULSE_OUTPUT_PROMISED, 4),
        fixture_output(2, &c, PULSE_OUTPUT_PRESENT, 93),
        fixture_job(1, 1, PULSE_JOB_RUNNING),
        fixture_job(1, 2, PULSE_JOB_SUCCEEDED),
        fixture_job(2, 3, PULSE_JOB_QUEUED),
        fixture_want(1, 1, &d),
        fixture_want(1, 1, &e),
        fixture_want(1, 2, &f),
        {.kind = PULSE_CHANGE_EVENT, .job = {.tenant = 1, .id = 1}, .event = "{}"},
    };
    fixture_needs(&changes[0]);
    fixture_apply(changes, sizeof changes / sizeof *changes);
}

START_TEST(all_that_lives_is_loaded)
{
    static struct seen seen;
    static const enum pulse_change_kind order[] = {
        PULSE_CHANGE_NEEDS,  PULSE_CHANGE_JOB,    PULSE_CHANGE_JOB,    PULSE_CHANGE_OUTPUT, PULSE_CHANGE_OUTPUT,
        PULSE_CHANGE_OUTPUT, PULSE_CHANGE_OUTPUT, PULSE_CHANGE_OUTPUT, PULSE_CHANGE_OUTPUT, PULSE_CHANGE_SHARD,
        PULSE_CHANGE_SPEC,   PULSE_CHANGE_SHARD,  PULSE_CHANGE_SPEC,   PULSE_CHANGE_SHARD,  PULSE_CHANGE_SPEC,
        PULSE_CHANGE_WANT,   PULSE_CHANGE_WANT,
    };
    struct pulse_store_numbers numbers;
    fill();
    load(&seen, &numbers);
    ck_assert(numbers.job == 3 && numbers.shard == 4 && numbers.event == 1);
    ck_assert_uint_eq(seen.count, sizeof order / sizeof *order);
    for (size_t i = 0; i < seen.count; i++) {
        ck_assert_int_eq(seen.changes[i].kind, order[i]);
    }
    ck_assert_uint_eq(seen.changes[1].job.id, 1);
    ck_assert_int_eq(seen.changes[1].job.priority, -7);
    ck_assert_uint_eq(seen.changes[2].job.tenant, 2);
    /* Promised b, d, a of 2; present a, c, e of 1. */
    struct lh_digest f = fixture_digest("key", 6);
    uint64_t shards = 0;
    for (size_t i = 3; i < 9; i++) {
        ck_assert_int_eq(seen.changes[i].output.state, i < 6 ? PULSE_OUTPUT_PROMISED : PULSE_OUTPUT_PRESENT);
        ck_assert(!lh_digest_equal(&seen.changes[i].output.key, &f));
        shards += seen.changes[i].output.shard;
    }
    ck_assert_uint_eq(shards, 2 + 3 + 4 + 1 + 90 + 91);
    const struct pulse_shard_row *claimed = &seen.changes[9].shard;
    ck_assert(claimed->id == 2 && claimed->tenant == 1 && claimed->kind == PULSE_SHARD_RENDER);
    ck_assert(claimed->state == PULSE_SHARD_CLAIMED && claimed->attempt == 3 && claimed->cost_ms == 1000);
    ck_assert(claimed->losses == 1 && claimed->failures == 2);
    ck_assert_str_eq(claimed->owner, "worker-1");
    ck_assert_str_eq(claimed->failed_on, "worker-2");
    struct lh_digest needs = fixture_digest("needs", 1), c = fixture_digest("key", 3);
    ck_assert(lh_digest_equal(&claimed->needs, &needs));
    ck_assert(seen.changes[10].input_count == 1 && seen.changes[10].output_count == 2);
    ck_assert(lh_digest_equal(&seen.keys[10][2], &c));
    ck_assert_uint_eq(seen.changes[15].job.id, 1);
}
END_TEST

START_TEST(who_takes_may_stop)
{
    static struct seen seen;
    struct pulse_store_numbers numbers = {9, 9, 9};
    fill();
    for (size_t stop = 1; stop <= 17; stop++) {
        memset(&seen, 0, sizeof seen);
        seen.stop_at = stop;
        FAILS(pulse_store_load(fixture_store, see, &seen, &numbers, &fixture_error), LH_ERR_CANCELLED);
        ck_assert_uint_eq(seen.count, stop);
        ck_assert_uint_eq(numbers.job, 9);
    }
    load(&seen, &numbers);
    ck_assert_uint_eq(seen.count, 17);
}
END_TEST

START_TEST(rows_that_make_no_sense_are_told)
{
    static struct seen seen;
    struct pulse_store_numbers numbers;
    const char *empty = fixture_is_postgres() ? "'\\x'" : "x''";
    char sql[128];
    fill();
    snprintf(sql, sizeof sql, "UPDATE needs SET body = %s", empty);
    fixture_execute(sql);
    FAILS(pulse_store_load(fixture_store, see, &seen, &numbers, &fixture_error), LH_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "needs"));
    struct pulse_change needs;
    fixture_needs(&needs);
    fixture_execute("DELETE FROM needs");
    fixture_apply(&needs, 1);
    fixture_execute("DELETE FROM specs WHERE shard = 3");
    memset(&seen, 0, sizeof seen);
    FAILS(pulse_store_load(fixture_store, see, &seen, &numbers, &fixture_error), LH_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "shards"));
}
END_TEST

TCase *load_tests(void)
{
    TCase *tests = tcase_create("load");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, an_empty_store_gives_nothing);
    tcase_add_test(tests, all_that_lives_is_loaded);
    tcase_add_test(tests, who_takes_may_stop);
    tcase_add_test(tests, rows_that_make_no_sense_are_told);
    return tests;
}
