/* SPDX-License-Identifier: MIT */
/* Tenants, tokens, peers. */
#include "pulse-daemon/store/access.h"

#include <string.h>

#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

static enum lh_status note_tenant(void *context, const struct pulse_tenant_row *row)
{
    char *text = context;
    strcat(text, row->name);
    strcat(text, row->tags);
    strcat(text, row->quota_bytes == 77 ? "77," : ",");
    return LH_OK;
}

START_TEST(tenants)
{
    char text[256] = "";
    uint64_t id = 0;
    fixture_begin();
    OK(pulse_store_tenant_put(fixture_store, &(struct pulse_tenant_row){.name = "two", .quota_bytes = 77, .tags = ""},
                              &id, &fixture_error));
    ck_assert_uint_eq(id, 2); /* known by its name */
    OK(pulse_store_tenant_put(fixture_store, &(struct pulse_tenant_row){.id = 1, .name = "uno", .tags = "a b"}, &id,
                              &fixture_error));
    ck_assert_uint_eq(id, 1);
    OK(pulse_store_tenant_put(fixture_store, &(struct pulse_tenant_row){.name = "3", .tags = ""}, &id, &fixture_error));
    ck_assert_uint_eq(id, 3);
    fixture_commit();
    OK(pulse_store_tenants(fixture_store, note_tenant, text, &fixture_error));
    ck_assert_str_eq(text, "unoa b,two77,3,");
    fixture_begin();
    FAILS(pulse_store_tenant_put(fixture_store, &(struct pulse_tenant_row){.id = 9, .name = "uno", .tags = ""}, &id,
                                 &fixture_error),
          LH_ERR_INTERNAL);
    pulse_store_rollback(fixture_store);
}
END_TEST

START_TEST(a_tenant_by_number_and_by_name)
{
    struct lh_arena arena;
    struct pulse_tenant_row row = {.name = "label", .quota_bytes = INT64_MAX, .tags = "fast mine", .weight = 1000};
    struct pulse_tenant_row read = {.id = 77};
    uint64_t id = 0;
    fixture_begin();
    OK(pulse_store_tenant_put(fixture_store, &row, &id, &fixture_error));
    fixture_commit();
    lh_arena_init(&arena);
    OK(pulse_store_tenant(fixture_store, id, NULL, &arena, &read, &fixture_error));
    ck_assert(read.id == id && read.quota_bytes == INT64_MAX && read.weight == 1000);
    ck_assert_str_eq(read.name, "label");
    ck_assert_str_eq(read.tags, "fast mine");
    /* All settings are replaced; no weight is the weight of everybody. */
    row = (struct pulse_tenant_row){.name = "label", .tags = ""};
    fixture_begin();
    OK(pulse_store_tenant_put(fixture_store, &row, &id, &fixture_error));
    fixture_commit();
    OK(pulse_store_tenant(fixture_store, 0, "label", &arena, &read, &fixture_error));
    ck_assert(read.id == id && read.quota_bytes == 0 && read.weight == 1);
    ck_assert_str_eq(read.tags, "");
    FAILS(pulse_store_tenant(fixture_store, 0, "lab", &arena, &read, &fixture_error), LH_ERR_MISSING);
    FAILS(pulse_store_tenant(fixture_store, 99, "label", &arena, &read, &fixture_error), LH_ERR_MISSING);
    FAILS(pulse_store_tenant(fixture_store, 0, "", &arena, &read, &fixture_error), LH_ERR_MISSING);
    ck_assert_uint_eq(read.id, id); /* untouched */
    lh_arena_fini(&arena);
    row.weight = 1001;
    fixture_begin();
    FAILS(pulse_store_tenant_put(fixture_store, &row, &id, &fixture_error), LH_ERR_INTERNAL);
    pulse_store_rollback(fixture_store);
}
END_TEST

static enum lh_status count_token(void *context, const struct pulse_token_row *row)
{
    ck_assert_uint_eq(row->tenant, 1);
    ++*(size_t *)context;
    return LH_OK;
}

START_TEST(tokens)
{
    struct lh_arena arena;
    struct pulse_token_row row = {
        .digest = fixture_digest("token", 1), .tenant = 1, .role = PULSE_ROLE_EDITOR, .name = "ci", .expires_ms = 5};
    struct pulse_token_row read;
    size_t count = 0;
    fixture_begin();
    OK(pulse_store_token_put(fixture_store, &row, &fixture_error));
    row.digest = fixture_digest("token", 2);
    row.role = PULSE_ROLE_ADMIN;
    OK(pulse_store_token_put(fixture_store, &row, &fixture_error));
    fixture_commit();
    lh_arena_init(&arena);
    OK(pulse_store_token(fixture_store, &row.digest, &arena, &read, &fixture_error));
    ck_assert(read.tenant == 1 && read.role == PULSE_ROLE_ADMIN && read.created_ms == NOW && read.expires_ms == 5);
    ck_assert_int_eq(read.revoked_ms, 0);
    ck_assert_str_eq(read.name, "ci");
    fixture_begin();
    FAILS(pulse_store_token_revoke(fixture_store, 2, &row.digest, &fixture_error), LH_ERR_MISSING);
    OK(pulse_store_token_revoke(fixture_store, 1, &row.digest, &fixture_error));
    fixture_commit();
    OK(pulse_store_token(fixture_store, &row.digest, &arena, &read, &fixture_error));
    ck_assert_int_eq(read.revoked_ms, NOW);
    OK(pulse_store_tokens(fixture_store, 1, count_token, &count, &fixture_error));
    OK(pulse_store_tokens(fixture_store, 2, count_token, &count, &fixture_error));
    ck_assert_uint_eq(count, 2);
    row.digest = fixture_digest("token", 3);
    FAILS(pulse_store_token(fixture_store, &row.digest, &arena, &read, &fixture_error), LH_ERR_MISSING);
    lh_arena_fini(&arena);
    row.role = (enum pulse_role)9;
    fixture_begin();
    FAILS(pulse_store_token_put(fixture_store, &row, &fixture_error), LH_ERR_INTERNAL);
    pulse_store_rollback(fixture_store);
}
END_TEST

static enum lh_status note_peer(void *context, const struct pulse_peer_row *row)
{
    char *text = context;
    strcat(text, row->name);
    strcat(text, row->tags);
    strcat(text, row->role == PULSE_PEER_WORKER ? "W" : "C");
    strcat(text, row->revoked_ms != 0 ? "-," : ",");
    ck_assert_int_eq(row->key[31], 0xEE);
    return LH_OK;
}

START_TEST(peers)
{
    char text[256] = "";
    struct pulse_peer_row first = {.key = {1}, .name = "b", .role = PULSE_PEER_WORKER, .tags = "gpu"};
    struct pulse_peer_row second = {.key = {0}, .name = "a", .role = PULSE_PEER_CLIENT, .tags = ""};
    first.key[31] = second.key[31] = 0xEE;
    fixture_begin();
    OK(pulse_store_peer_put(fixture_store, &first, &fixture_error));
    OK(pulse_store_peer_put(fixture_store, &second, &fixture_error));
    OK(pulse_store_peer_put(fixture_store, &first, &fixture_error));
    second.name = "b";
    FAILS(pulse_store_peer_put(fixture_store, &second, &fixture_error), LH_ERR_CONFLICT);
    OK(pulse_store_peer_revoke(fixture_store, first.key, &fixture_error));
    first.key[0] = 9; /* the name is free again */
    first.tags = "new";
    OK(pulse_store_peer_put(fixture_store, &first, &fixture_error));
    first.key[0] = 10;
    FAILS(pulse_store_peer_revoke(fixture_store, first.key, &fixture_error), LH_ERR_MISSING);
    fixture_commit();
    OK(pulse_store_peers(fixture_store, note_peer, text, &fixture_error));
    ck_assert(strcmp(text, "aC,bgpuW-,bnewW,") == 0 || strcmp(text, "aC,bnewW,bgpuW-,") == 0);
}
END_TEST

TCase *access_tests(void)
{
    TCase *cases = tcase_create("access");
    tcase_add_checked_fixture(cases, fixture_set_up, fixture_tear_down);
    tcase_add_test(cases, tenants);
    tcase_add_test(cases, a_tenant_by_number_and_by_name);
    tcase_add_test(cases, tokens);
    tcase_add_test(cases, peers);
    return cases;
}
