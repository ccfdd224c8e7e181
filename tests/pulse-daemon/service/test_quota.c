/* SPDX-License-Identifier: MIT */
/* What a tenant may keep: uploads, plans, and what has to go. On both stores. */
#include "pulse-daemon/service/quota.h"

#include <string.h>

#include "pulse-daemon/store/access.h"
#include "pulse-daemon/store/projects.h"
#include "tests/pulse-daemon/store/fixture.h"

#define QUOTA 1000

/* Tenant 1 may keep so much, and has uploaded so much. */
static void set_up(uint64_t quota, uint64_t uploaded)
{
    struct pulse_media_row medium = {.tenant = 1, .digest = fixture_digest("medium", 1), .size = uploaded};
    uint64_t id = 0;
    fixture_begin();
    OK(pulse_store_tenant_put(fixture_store,
                              &(struct pulse_tenant_row){.id = 1, .name = "one", .quota_bytes = quota, .tags = ""}, &id,
                              &fixture_error));
    OK(pulse_store_media_put(fixture_store, &medium, 1, &fixture_error));
    fixture_commit();
}

static struct pulse_change output(uint64_t i, enum pulse_output_state state, uint64_t size)
{
    struct lh_digest key = fixture_digest("key", i);
    struct pulse_change change = fixture_output(1, &key, state, i + 1);
    change.output.size = size;
    return change;
}

START_TEST(uploads)
{
    struct lh_digest known = fixture_digest("medium", 1), other = fixture_digest("medium", 2);
    struct pulse_change change = output(0, PULSE_OUTPUT_PRESENT, 5000);
    fixture_apply(&change, 1); /* outputs go when there is no room: they are in nobody's way */
    set_up(QUOTA, 600);
    OK(pulse_quota_upload(fixture_store, 1, &other, 400, &fixture_error));
    FAILS(pulse_quota_upload(fixture_store, 1, &other, 401, &fixture_error), LH_ERR_QUOTA);
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "quota is 1000 bytes"));
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "uploads use 600"));
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "401"));
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "tenants change"));
    FAILS(pulse_quota_upload(fixture_store, 1, &other, UINT64_MAX, &fixture_error), LH_ERR_QUOTA);
    OK(pulse_quota_upload(fixture_store, 2, &other, UINT64_MAX, &fixture_error)); /* has none */
    set_up(10, 600);                                                              /* less than it has */
    OK(pulse_quota_upload(fixture_store, 1, &known, 600, &fixture_error));
    FAILS(pulse_quota_upload(fixture_store, 1, &other, 0, &fixture_error), LH_ERR_QUOTA);
    FAILS(pulse_quota_upload(fixture_store, 9, &other, 0, &fixture_error), LH_ERR_MISSING);
}
END_TEST

/* key 0 -> shard 0 -> key 1 -> shard 1 -> keys 2 (wanted) and 3. */
static enum lh_status plan_of(uint64_t first, uint64_t second)
{
    struct lh_digest keys[4];
    struct lh_arena arena;
    for (size_t i = 0; i < 4; i++) {
        keys[i] = fixture_digest("key", i);
    }
    const struct pulse_farm_promise between = {.key = keys[1], .size = first};
    const struct pulse_farm_promise last[] = {{.key = keys[2], .size = second}, {.key = keys[3], .size = 1}};
    const struct pulse_farm_shard shards[] = {
        {.inputs = &keys[0], .input_count = 1, .outputs = &between, .output_count = 1},
        {.inputs = &keys[1], .input_count = 1, .outputs = last, .output_count = 2},
    };
    const struct pulse_farm_plan plan = {.shards = shards, .shard_count = 2, .wants = &keys[2], .want_count = 1};
    lh_arena_init(&arena);
    enum lh_status status = pulse_quota_plan(fixture_store, 1, &plan, &arena, &fixture_error);
    lh_arena_fini(&arena);
    return status;
}

START_TEST(what_a_plan_makes)
{
    set_up(QUOTA, 600);
    OK(plan_of(100, 299));
    FAILS(plan_of(100, 300), LH_ERR_QUOTA);
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "the 401 that this job may take"));
    FAILS(plan_of(UINT64_MAX - 1, 0), LH_ERR_QUOTA);
    set_up(0, 600);
    OK(plan_of(UINT64_MAX - 1, 0));
}
END_TEST

START_TEST(what_is_there_is_not_made)
{
    struct pulse_change changes[] = {output(0, PULSE_OUTPUT_PRESENT, 50), output(9, PULSE_OUTPUT_PRESENT, 7000)};
    set_up(QUOTA, 600);
    fixture_apply(changes, 2);
    OK(plan_of(100, 249)); /* and what it takes has to stay, what nobody takes has not */
    FAILS(plan_of(100, 250), LH_ERR_QUOTA);
    changes[0] = output(1, PULSE_OUTPUT_PRESENT, 60);
    fixture_apply(changes, 1); /* nobody makes key 1, nobody takes key 0 */
    OK(plan_of(100000, 339));
    FAILS(plan_of(100000, 340), LH_ERR_QUOTA);
    changes[0] = output(2, PULSE_OUTPUT_PRESENT, 5000);
    fixture_apply(changes, 1); /* all is there: it costs nothing, whatever else is kept */
    OK(plan_of(100000, 100000));
}
END_TEST

START_TEST(promises_are_kept_room_for)
{
    struct pulse_change changes[] = {output(1, PULSE_OUTPUT_PROMISED, 60), output(9, PULSE_OUTPUT_PROMISED, 100)};
    set_up(QUOTA, 600);
    fixture_apply(changes, 2);
    OK(plan_of(100000, 239));
    FAILS(plan_of(100000, 240), LH_ERR_QUOTA);
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "jobs under way 160"));
}
END_TEST

START_TEST(what_has_to_go)
{
    uint64_t bytes = 99;
    struct pulse_change changes[] = {output(1, PULSE_OUTPUT_PRESENT, 300), output(2, PULSE_OUTPUT_PRESENT, 50),
                                     output(3, PULSE_OUTPUT_PROMISED, 40)};
    set_up(0, 600);
    fixture_apply(changes, 3);
    OK(pulse_quota_excess(fixture_store, 1, &bytes, &fixture_error));
    ck_assert_uint_eq(bytes, 0);
    set_up(990, 600);
    OK(pulse_quota_excess(fixture_store, 1, &bytes, &fixture_error));
    ck_assert_uint_eq(bytes, 0);
    set_up(980, 600);
    OK(pulse_quota_excess(fixture_store, 1, &bytes, &fixture_error));
    ck_assert_uint_eq(bytes, 10);
    set_up(1, 600); /* media do not go */
    OK(pulse_quota_excess(fixture_store, 1, &bytes, &fixture_error));
    ck_assert_uint_eq(bytes, 350);
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("quota");
    tcase_add_checked_fixture(group, fixture_set_up, fixture_tear_down);
    tcase_add_test(group, uploads);
    tcase_add_test(group, what_a_plan_makes);
    tcase_add_test(group, what_is_there_is_not_made);
    tcase_add_test(group, promises_are_kept_room_for);
    tcase_add_test(group, what_has_to_go);
    Suite *suite = suite_create("pulse-daemon/service/quota");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
