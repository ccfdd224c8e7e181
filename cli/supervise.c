/* SPDX-License-Identifier: MIT */
/* Starting, watching and ending programs. */
#include "cli/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/program.h"

#define LASTED_NS (5 * LH_CLOCK_SECOND_NS) /* who lived that long was well */
#define PAUSE_NS (LH_CLOCK_SECOND_NS / 10) /* before the second start, then twice that, ... */
#define PAUSE_DOUBLINGS 6                  /* at most 6.4 s: Pulse is to be back soon after what stopped it is gone */
#define POLL_NS (LH_CLOCK_SECOND_NS / 100)
#define EXEC_FAILED 127 /* the shell's convention */

/* Between fork and exec: async-signal-safe calls alone. */
static void become(char *const *arguments, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        sigaction(ours[i], &standard, NULL);
    }
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(EXEC_FAILED); /* died before it could be asked for */
    }
    execv(arguments[0], arguments);
    _exit(EXEC_FAILED);
}

enum lh_status cli_locate_pulse(char *path, size_t size, struct lh_error *error)
{
    static const struct lh_program pulse = {
        .name = "loophole-pulse", .variable = "LOOPHOLE_PULSE", .build_folder = "pulse-daemon"};
    return lh_program_locate(&pulse, path, size, error);
}

enum lh_status cli_child_start(struct cli_child *child, struct lh_error *error)
{
    if (access(child->arguments[0], X_OK) != 0) {
        return lh_error_set(error, LH_ERR_IO, child->arguments[0], "cannot be run: %s", strerror(errno));
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        become(child->arguments, parent);
    }
    if (pid < 0) {
        return lh_error_set(error, LH_ERR_IO, child->name, "cannot be started: %s", strerror(errno));
    }
    child->pid = pid;
    child->started_ns = lh_clock_monotonic_ns();
    return LH_OK;
}

bool cli_child_ended(struct cli_child *child)
{
    if (child->pid == 0 || waitpid(child->pid, &child->exit_status, WNOHANG) != child->pid) {
        return false;
    }
    uint64_t now_ns = lh_clock_monotonic_ns();
    child->pid = 0;
    child->deaths = now_ns - child->started_ns < LASTED_NS ? child->deaths + 1 : 0;
    unsigned doublings = child->deaths > PAUSE_DOUBLINGS ? PAUSE_DOUBLINGS : child->deaths;
    child->start_at_ns = now_ns + (child->deaths > 0 ? PAUSE_NS << doublings : 0);
    return true;
}

void cli_child_ending(const struct cli_child *child, char *text, size_t size)
{
    if (WIFSIGNALED(child->exit_status)) {
        int number = WTERMSIG(child->exit_status);
        snprintf(text, size, "was killed by signal %d (%s)", number, strsignal(number));
    } else {
        snprintf(text, size, "ended with status %d", WEXITSTATUS(child->exit_status));
    }
}

void cli_children_signal(struct cli_child *children, size_t count, int number)
{
    for (size_t i = 0; i < count; i++) {
        if (children[i].pid > 0) {
            kill(children[i].pid, number);
        }
    }
}

static bool any_runs(struct cli_child *children, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        (void)cli_child_ended(&children[i]);
        any = any || children[i].pid > 0;
    }
    return any;
}

void cli_children_end(struct cli_child *children, size_t count, uint64_t deadline_ns)
{
    struct timespec pause = {.tv_nsec = (long)POLL_NS};
    while (any_runs(children, count) && lh_clock_monotonic_ns() < deadline_ns) {
        nanosleep(&pause, NULL);
    }
    cli_children_signal(children, count, SIGKILL);
    for (size_t i = 0; i < count; i++) {
        while (children[i].pid > 0 && waitpid(children[i].pid, &children[i].exit_status, 0) < 0 && errno == EINTR) {
        }
        children[i].pid = 0;
    }
}
