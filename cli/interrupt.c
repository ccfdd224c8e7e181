/* SPDX-License-Identifier: MIT */
/* Signal handlers: a flag, and the way out on the second signal. */
#include "cli/interrupt.h"

#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#define SIGNAL_EXIT_BASE 128 /* the shell's convention */

static const int handled[] = {SIGINT, SIGTERM, SIGHUP};
#define HANDLED_COUNT (sizeof handled / sizeof handled[0])

static _Atomic int first_signal; /* written by a handler, read by any thread */
static void (*on_abandon)(void);

static void handle(int number)
{
    if (first_signal != 0) {
        if (on_abandon != NULL) {
            on_abandon();
        }
        _exit(SIGNAL_EXIT_BASE + number);
    }
    first_signal = number;
}

static void handled_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < HANDLED_COUNT; i++) {
        sigaddset(set, handled[i]);
    }
}

void cli_interrupt_install(void (*abandon)(void))
{
    on_abandon = abandon;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a file past the limit is an error to tell of */
    /* No SA_RESTART: a wait for the child ends, so that the flag is looked at. */
    struct sigaction action = {.sa_handler = handle};
    handled_set(&action.sa_mask);
    for (size_t i = 0; i < HANDLED_COUNT; i++) {
        struct sigaction before;
        /* nohup and shells without job control start programs with signals ignored, and mean it. */
        if (sigaction(handled[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            sigaction(handled[i], &action, NULL);
        }
    }
}

bool cli_interrupted(void)
{
    return first_signal != 0;
}

int cli_interrupt_exit(void)
{
    return SIGNAL_EXIT_BASE + (first_signal != 0 ? first_signal : SIGINT);
}

void cli_interrupt_hold(sigset_t *before)
{
    sigset_t set;
    handled_set(&set);
    sigprocmask(SIG_BLOCK, &set, before);
}

void cli_interrupt_release(const sigset_t *before)
{
    sigprocmask(SIG_SETMASK, before, NULL);
}
