/* SPDX-License-Identifier: MIT */
/* Alarms as lines of the log. */
#include "pulse-daemon/service/alarms.h"

#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "tests/support/testing.h"

static char told[8192];

/* What is logged of these changes. */
static const char *log_of(const struct pulse_change *changes, size_t count)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    lh_log_open("test", LH_LOG_WARNING, ends[1]);
    pulse_alarms_log(changes, count);
    close(ends[1]);
    ssize_t size = read(ends[0], told, sizeof told - 1);
    close(ends[0]);
    ck_assert_int_ge(size, 0);
    told[size] = '\0';
    return told;
}

START_TEST(every_fact_is_a_field)
{
    const struct pulse_change changes[] = {
        {.kind = PULSE_CHANGE_EVENT, .event = "{\"type\":\"job.state\",\"state\":\"running\"}"},
        {.kind = PULSE_CHANGE_ALARM,
         .event = "{\"type\":\"alarm.digests\",\"tenant\":3,\"worker\":\"east\",\"kept\":\"sha256:1\"}"},
        {.kind = PULSE_CHANGE_ALARM, .event = "{\"type\":\"alarm.quarantine\",\"worker\":\"w 2\"}"},
    };
    const char *text = log_of(changes, 3);
    ck_assert_ptr_nonnull(strstr(text, "\"alarm\" type=alarm.digests tenant=3 worker=east kept=sha256:1\n"));
    ck_assert_ptr_nonnull(strstr(text, "\"alarm\" type=alarm.quarantine worker=\"w 2\"\n"));
    ck_assert_ptr_null(strstr(text, "job.state"));
}
END_TEST

START_TEST(what_is_no_object_is_told_as_it_is)
{
    const struct pulse_change odd[] = {{.kind = PULSE_CHANGE_ALARM, .event = "[1]"},
                                       {.kind = PULSE_CHANGE_ALARM, .event = "{"},
                                       {.kind = PULSE_CHANGE_ALARM, .event = "{\"type\":null}"}};
    const char *text = log_of(odd, 3);
    ck_assert_ptr_nonnull(strstr(text, "facts=[1]"));
    ck_assert_ptr_nonnull(strstr(text, "facts={"));
    ck_assert_ptr_nonnull(strstr(text, "null}"));
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("alarms");
    tcase_add_test(group, every_fact_is_a_field);
    tcase_add_test(group, what_is_no_object_is_told_as_it_is);
    Suite *suite = suite_create("pulse-daemon/service/alarms");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
