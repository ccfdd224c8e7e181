/* SPDX-License-Identifier: MIT */
/* Statuses and codes. */
#include "proto/envelope.h"

#include <string.h>

#include "tests/support/testing.h"

START_TEST(statuses_survive_the_way_as_far_as_codes_tell)
{
    static const enum lh_status kept[] = {LH_ERR_INVALID,  LH_ERR_MISSING,   LH_ERR_FORMAT,      LH_ERR_LIMIT,
                                          LH_ERR_CONFLICT, LH_ERR_CANCELLED, LH_ERR_UNAVAILABLE, LH_ERR_UNSUPPORTED,
                                          LH_ERR_INTERNAL, LH_ERR_QUOTA};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        ck_assert_int_eq(wire_error_status(wire_error_code(kept[i])), kept[i]);
    }
    for (int status = LH_OK; status <= LH_STATUS_LAST; status++) {
        ck_assert_int_ne(wire_error_status(wire_error_code((enum lh_status)status)), LH_OK);
    }
    const ProtobufCEnumDescriptor *codes = &wire__error_code__descriptor;
    for (unsigned i = 0; i < codes->n_values; i++) {
        ck_assert_int_ne(wire_error_status((Wire__ErrorCode)codes->values[i].value), LH_OK);
    }
}
END_TEST

START_TEST(an_error_is_told_and_read)
{
    struct lh_error told = LH_ERROR_INIT;
    ck_assert_int_eq(lh_error_set(&told, LH_ERR_INVALID, "/tracks/0", "no such %s", "bus"), LH_ERR_INVALID);
    Wire__Error message;
    wire_error_make(&told, &message);
    ck_assert_int_eq(message.code, WIRE__ERROR_CODE__ERROR_INVALID);
    struct lh_error read = LH_ERROR_INIT;
    ck_assert_int_eq(wire_error_read(&message, &read), LH_ERR_INVALID);
    ck_assert_int_eq(read.code, told.code);
    ck_assert_str_eq(read.message, told.message);
    ck_assert_str_eq(read.where, told.where);
    told.where[0] = '\0';
    wire_error_make(&told, &message);
    ck_assert_ptr_null(message.where);
    ck_assert_int_eq(wire_error_read(&message, NULL), LH_ERR_INVALID);
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("errors");
    tcase_add_test(group, statuses_survive_the_way_as_far_as_codes_tell);
    tcase_add_test(group, an_error_is_told_and_read);
    Suite *suite = suite_create("proto/errors");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
