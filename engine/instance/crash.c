/* SPDX-License-Identifier: MIT */
/* The handler of crashes: async-signal-safe throughout. */
#include "engine/instance/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STACK_BYTES 65536 /* room for the registers of any CPU and a little work */
#define STATM_SIZE 32     /* its first number is all that is read */

static const int caught[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
#define CAUGHT (sizeof caught / sizeof *caught)

static struct sigaction before[CAUGHT];
static _Atomic(struct engine_page *) told;
static _Alignas(64) unsigned char stack[STACK_BYTES];

/* The first number of /proc/self/statm: pages of address space. Where that has no bound, nobody wants to know. */
static uint64_t address_space(void)
{
    struct rlimit limit;
    char text[STATM_SIZE];
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return 0;
    }
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t size = read(fd, text, sizeof text);
    close(fd);
    uint64_t pages = 0;
    for (ssize_t i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++) {
        pages = pages * 10 + (uint64_t)(text[i] - '0');
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t address_of(int number, const siginfo_t *info)
{
    if (number == SIGSYS) {
        return (uint64_t)info->si_syscall;
    }
    return info->si_code > 0 ? (uint64_t)(uintptr_t)info->si_addr : 0; /* not by kill() and its kin */
}

/* With the default action the signal ends the process as soon as the handler is left. A sanitizer's handler wants to
   see the fault itself, which happens again. */
static void pass_on(int number, const siginfo_t *info)
{
    const struct sigaction *next = NULL;
    for (size_t i = 0; i < CAUGHT; i++) {
        next = caught[i] == number ? &before[i] : next;
    }
    if (next != NULL && next->sa_handler != SIG_DFL && number != SIGSYS) {
        sigaction(number, next, NULL);
        if (info->si_code > 0) {
            return;
        }
    }
    raise(number);
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)context;
    struct engine_watch_slot *slot = engine_watch_current != NULL ? engine_watch_current : engine_watch_last;
    struct engine_page *page = atomic_load_explicit(&told, memory_order_relaxed);
    if (slot != NULL) {
        atomic_store_explicit(&slot->address, address_of(number, info), memory_order_relaxed);
        atomic_store_explicit(&slot->signal, number, memory_order_relaxed);
    } else if (page != NULL) {
        atomic_store_explicit(&page->watch.stray_signal, number, memory_order_relaxed);
    }
    if (page != NULL) {
        atomic_store_explicit(&page->address_space, address_space(), memory_order_relaxed);
    }
    pass_on(number, info);
}

enum lh_status engine_crash_install(struct lh_error *error)
{
    stack_t now;
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    /* A sanitizer has given this thread one already, and wants it back. */
    int result = sigaltstack(NULL, &now);
    if (result == 0 && (now.ss_flags & SS_DISABLE) != 0) {
        result = sigaltstack(&own, NULL);
    }
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < CAUGHT && result == 0; i++) {
        result = sigaction(caught[i], &action, &before[i]);
    }
    return result == 0 ? LH_OK : lh_error_set(error, LH_ERR_IO, NULL, "crashes cannot be caught: %s", strerror(errno));
}

void engine_crash_tell(struct engine_page *page)
{
    engine_watch_last = NULL;
    atomic_store_explicit(&told, page, memory_order_relaxed);
}
