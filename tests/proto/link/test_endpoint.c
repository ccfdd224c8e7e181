/* SPDX-License-Identifier: MIT */
/* What endpoints mean to those who are told of them, and which may be used. */
#include "proto/link/endpoint.h"

#include <string.h>

#include "tests/support/testing.h"

static void check_meant(const char *told, const char *connected, const char *expected)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_endpoint_meant(told, connected, endpoint, &error), LH_OK);
    ck_assert_str_eq(endpoint, expected);
}

START_TEST(the_host_that_one_came_by)
{
    check_meant("tcp://*:7003", "tcp://farm.lan:7001", "tcp://farm.lan:7003");
    check_meant("tcp://*:7003", "tcp://[::1]:7001", "tcp://[::1]:7003");
    check_meant("tcp://*:7003", "tcp://10.0.0.9:0;10.0.0.1:7001", "tcp://10.0.0.9:0;10.0.0.1:7003");
    check_meant("tcp://10.0.0.1:7003", "tcp://farm.lan:7001", "tcp://10.0.0.1:7003");
    check_meant("ipc:///run/bulk.ipc", "ipc:///run/workers.ipc", "ipc:///run/bulk.ipc");
}
END_TEST

START_TEST(what_means_nothing)
{
    char endpoint[WIRE_ENDPOINT_SIZE], host[WIRE_ENDPOINT_SIZE] = "tcp://";
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_endpoint_meant("tcp://*:7003", "ipc:///run/workers.ipc", endpoint, &error), LH_ERR_INVALID);
    memset(host + strlen(host), 'h', sizeof host - strlen(host) - 3);
    memcpy(host + sizeof host - 3, ":1", 3);
    ck_assert_int_eq(wire_endpoint_meant("tcp://*:7003", host, endpoint, &error), LH_ERR_INVALID);
}
END_TEST

static void check_refused(struct wire_socket_options options, enum lh_status expected)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_endpoint_check(&options, &error), expected);
    ck_assert_int_eq(error.code, expected);
}

START_TEST(what_may_not_be_used)
{
    check_refused((struct wire_socket_options){.endpoint = "tcp://127.0.0.1:*"}, LH_ERR_USAGE);
    check_refused((struct wire_socket_options){.endpoint = "inproc://x"}, LH_ERR_USAGE);
    check_refused((struct wire_socket_options){.endpoint = "ipc://relative"}, LH_ERR_USAGE);
    check_refused((struct wire_socket_options){.endpoint = "ipc:///nowhere/at/all"}, LH_ERR_UNAVAILABLE);
    check_refused((struct wire_socket_options){.endpoint = "ipc:///tmp/x"}, LH_ERR_INVALID);
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("endpoint");
    tcase_add_test(group, the_host_that_one_came_by);
    tcase_add_test(group, what_means_nothing);
    tcase_add_test(group, what_may_not_be_used);
    Suite *suite = suite_create("proto/link/endpoint");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
