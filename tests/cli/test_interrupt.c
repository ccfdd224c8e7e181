/* SPDX-License-Identifier: MIT */
/* cli/interrupt: a flag first, the way out second. */
#include "cli/interrupt.h"

#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/testing.h"

static volatile sig_atomic_t abandoned;

static void abandon(void)
{
    abandoned = 1;
    (void)!write(STDOUT_FILENO, "", 0);
}

START_TEST(first_signal_is_a_flag)
{
    cli_interrupt_install(abandon);
    ck_assert(!cli_interrupted());
    raise(SIGTERM);
    ck_assert(cli_interrupted());
    ck_assert_int_eq(cli_interrupt_exit(), 143);
    ck_assert_int_eq(abandoned, 0);
}
END_TEST

START_TEST(second_signal_ends_the_program)
{
    pid_t child = fork();
    if (child == 0) {
        cli_interrupt_install(abandon);
        raise(SIGINT);
        raise(SIGINT);
        _exit(0);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 130);
}
END_TEST

START_TEST(ignored_signals_stay_ignored)
{
    signal(SIGHUP, SIG_IGN);
    cli_interrupt_install(NULL);
    raise(SIGHUP);
    ck_assert(!cli_interrupted());
    raise(SIGPIPE); /* does not end us */
}
END_TEST

START_TEST(held_signals_come_later)
{
    cli_interrupt_install(NULL);
    sigset_t before;
    cli_interrupt_hold(&before);
    raise(SIGINT);
    ck_assert(!cli_interrupted());
    cli_interrupt_release(&before);
    ck_assert(cli_interrupted());
    ck_assert_int_eq(cli_interrupt_exit(), 130);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/interrupt");
    TCase *tests = tcase_create("interrupt");
    tcase_add_test(tests, first_signal_is_a_flag);
    tcase_add_test(tests, second_signal_ends_the_program);
    tcase_add_test(tests, ignored_signals_stay_ignored);
    tcase_add_test(tests, held_signals_come_later);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
