/* SPDX-License-Identifier: MIT */
/* Places to listen, and how they are told. */
#include "pulse-daemon/service/listen.h"

#include "proto/link/endpoint.h"
#include "tests/support/testing.h"

static struct lh_arena arena;

static enum lh_status spread(const char *endpoint, const char *all[3])
{
    struct lh_error error = LH_ERROR_INIT;
    return pulse_listen_spread(&arena, endpoint, &all[0], &all[1], &all[2], &error);
}

START_TEST(three_ports_in_a_row)
{
    const char *all[3] = {NULL, NULL, NULL};
    lh_arena_init(&arena);
    ck_assert_int_eq(spread("tcp://0.0.0.0:7001", all), LH_OK);
    ck_assert_str_eq(all[0], "tcp://0.0.0.0:7001");
    ck_assert_str_eq(all[1], "tcp://0.0.0.0:7002");
    ck_assert_str_eq(all[2], "tcp://0.0.0.0:7003");
    const char *last[3] = {NULL, NULL, NULL};
    ck_assert_int_eq(spread("tcp://[::1]:65533", last), LH_OK);
    ck_assert_str_eq(last[2], "tcp://[::1]:65535");
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(what_is_named_has_its_own)
{
    const char *all[3] = {NULL, "tcp://10.0.0.1:9", NULL};
    lh_arena_init(&arena);
    ck_assert_int_eq(spread("tcp://*:*", all), LH_OK);
    ck_assert_str_eq(all[0], "tcp://*:0");
    ck_assert_str_eq(all[1], "tcp://10.0.0.1:9");
    ck_assert_str_eq(all[2], "tcp://*:0");
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(what_is_no_place)
{
    static const char *const wrong[] = {"",           "tcp://",        "tcp://:7001",      "7001",
                                        "tcp://host", "tcp://host:",   "tcp://host:70x",   "ipc:///run/x:7001",
                                        "udp://h:1",  "tcp://h:65534", "tcp://h:99999999", "tcp://h:-1"};
    lh_arena_init(&arena);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *all[3] = {NULL, NULL, NULL};
        ck_assert_msg(spread(wrong[i], all) == LH_ERR_USAGE && all[0] == NULL, "%s", wrong[i]);
    }
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(no_memory)
{
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        const char *all[3] = {NULL, NULL, NULL};
        lh_arena_init(&arena);
        testing_fail_allocation(n);
        enum lh_status status = spread("tcp://h:1", all);
        failed = testing_fail_allocation_end();
        lh_arena_fini(&arena);
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert(failed || n > 1);
    }
}
END_TEST

/* What is told, and what who connected to `connected` makes of it. */
static void check_told(const char *bulk, const char *bound, const char *place, const char *connected,
                       const char *expected)
{
    char told[WIRE_ENDPOINT_SIZE], meant[WIRE_ENDPOINT_SIZE];
    struct lh_error error = LH_ERROR_INIT;
    struct pulse_place files = {.local = "ipc:///x", .remote = bulk}, here = {.local = "ipc:///y", .remote = place};
    pulse_listen_told(&files, bound, &here, told);
    ck_assert_int_eq(wire_endpoint_meant(told, connected, meant, &error), LH_OK);
    ck_assert_str_eq(meant, expected);
}

START_TEST(those_elsewhere_find_the_way)
{
    check_told("tcp://*:0", "tcp://0.0.0.0:4711", "tcp://*:1", "tcp://farm.lan:1", "tcp://farm.lan:4711");
    check_told("tcp://0.0.0.0:3", "tcp://0.0.0.0:3", "tcp://10.0.0.1:1", "tcp://1.2.3.4:1", "tcp://1.2.3.4:3");
    check_told("tcp://10.0.0.1:3", "tcp://10.0.0.1:3", "tcp://10.0.0.1:1", "tcp://gate:1", "tcp://gate:3");
    check_told("tcp://10.0.9.1:3", "tcp://10.0.9.1:3", "tcp://10.0.0.1:1", "tcp://gate:1", "tcp://10.0.9.1:3");
    check_told("tcp://*:3", "tcp://0.0.0.0:3", "tcp://*:1", "tcp://[fe80::1]:1", "tcp://[fe80::1]:3");
}
END_TEST

START_TEST(nobody_elsewhere)
{
    char told[WIRE_ENDPOINT_SIZE] = "x";
    struct pulse_place files = {.local = "ipc:///x", .remote = "tcp://*:1"}, here = {.local = "ipc:///y"};
    pulse_listen_told(&files, "tcp://0.0.0.0:1", &here, told);
    ck_assert_str_eq(told, "");
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("listen");
    tcase_add_test(group, three_ports_in_a_row);
    tcase_add_test(group, what_is_named_has_its_own);
    tcase_add_test(group, what_is_no_place);
    tcase_add_test(group, no_memory);
    tcase_add_test(group, those_elsewhere_find_the_way);
    tcase_add_test(group, nobody_elsewhere);
    Suite *suite = suite_create("pulse-daemon/service/listen");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
