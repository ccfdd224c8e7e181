/* SPDX-License-Identifier: MIT */
/* The program loophole-node: how long an attempt may take, and with how much memory. $FAKE_SIGNAL is a double of Signal
   that does what the number of its threads says. */
#include "engine/node/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "engine/instance/jail.h"
#include "tests/engine/instance/fake_engine.h"
#include "tests/engine/node/script.h"
#include "tests/engine/node/shards.h"
#include "tests/support/testing.h"

static struct script script;
static char fake[600];
static const char *variables[] = {fake, NULL};

static void begin(void)
{
    script_begin(&script, false);
    snprintf(fake, sizeof fake, "LOOPHOLE_SIGNAL=%s", getenv("FAKE_SIGNAL"));
}

static void end(void)
{
    script_end(&script);
    shards_end();
}

/* An attempt with these limits fails, soon, with this in the message. */
static void check(uint64_t shard, const struct script_limits *limits, const char *expected)
{
    struct graph_shard work = shards_silence(1, 100, "slow");
    uint64_t begun_ns = lh_clock_monotonic_ns();
    script_assign(&script, shard, 1, &work, NULL, 0, limits);
    Wire__Failed *failed = script_hear(&script, WIRE__ENVELOPE__BODY_FAILED)->failed;
    ck_assert_uint_eq(failed->shard, shard);
    ck_assert_msg(failed->kind == WIRE__FAILED__KIND__FAILED, "kind %d: %s", (int)failed->kind, failed->message);
    ck_assert_msg(strstr(failed->message, expected) != NULL, "%s, expected %s", failed->message, expected);
    ck_assert(lh_clock_monotonic_ns() - begun_ns < 8 * LH_CLOCK_SECOND_NS);
}

/* Of address space, which has no limit where a sanitizer takes terabytes. */
static void check_memory(uint64_t shard, uint64_t assigned, const char *expected)
{
    check(shard, &(struct script_limits){.threads = FAKE_MEMORY, .memory = assigned},
          ENGINE_JAIL_SANITIZED ? "MiB" : expected);
}

START_TEST(limits_hold)
{
    script_greet(&script, NULL, variables);
    check(1, &(struct script_limits){.threads = FAKE_HANG, .no_progress_ms = 300}, "did not get on");
    check(2, &(struct script_limits){.threads = FAKE_WAIT, .hard_ms = 300}, "took longer");
    check_memory(3, UINT64_C(3) << 30, "3072 MiB");
}
END_TEST

/* Of the node's limits and the assignment's the stricter ones count. */
START_TEST(nobody_is_laxer_than_the_other)
{
    static const char *const arguments[] = {"--no-progress-s", "2", "--hard-s", "1", "--memory-max", "2048", NULL};
    script_greet(&script, arguments, variables);
    check(1, &(struct script_limits){.threads = FAKE_HANG}, "took longer");
    check(2, &(struct script_limits){.threads = FAKE_HANG, .hard_ms = 60000}, "took longer");
    check(3, &(struct script_limits){.threads = FAKE_HANG, .no_progress_ms = 300}, "did not get on");
    check_memory(4, 0, "2048 MiB");
    check_memory(5, UINT64_C(8) << 30, "2048 MiB");
    for (uint64_t shard = 6; shard < 9; shard++) { /* one that was started ahead is as it has to be, too */
        check_memory(shard, UINT64_C(1) << 30, "1024 MiB");
    }
    check_memory(9, 0, "2048 MiB");
}
END_TEST

/* What Pulse does not say the node says. */
START_TEST(a_node_has_limits_of_its_own)
{
    static const char *const arguments[] = {"--no-progress-s", "1", NULL};
    script_greet(&script, arguments, variables);
    check(1, &(struct script_limits){.threads = FAKE_HANG, .no_progress_ms = 60000}, "did not get on");
    check(2, &(struct script_limits){.threads = FAKE_HANG}, "did not get on");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/node/work");
    TCase *tests = tcase_create("limits");
    tcase_add_checked_fixture(tests, begin, end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, limits_hold);
    tcase_add_test(tests, nobody_is_laxer_than_the_other);
    tcase_add_test(tests, a_node_has_limits_of_its_own);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
