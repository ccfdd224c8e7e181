/* SPDX-License-Identifier: MIT */
/* exit() and its kin, in front of the C library's: a plugin that ends the process is found out by its name. The program
   exports them, so that the libraries it loads resolve to these. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/host/watch.h"
#include "engine/instance/crash.h"

#define FAILED 1

/* At once, without the exit handlers of whoever is loaded. */
static _Noreturn void end(int status)
{
    for (;;) {
        syscall(SYS_exit_group, status);
    }
}

/* Comes back when the caller is no plugin. */
static void told_if_plugin(int status)
{
    struct engine_watch_slot *slot = engine_watch_current;
    if (slot != NULL) {
        atomic_store_explicit(&slot->exit_called, 1 + (status & 0xFF), memory_order_relaxed);
        end(ENGINE_EXIT_BY_PLUGIN);
    }
}

static _Noreturn void go_on(const char *name, int status)
{
    void (*next)(int) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, name); /* as POSIX has it: a data pointer for a function's */
    if (next != NULL) {
        next(status);
    }
    end(FAILED);
}

_Noreturn void exit(int status)
{
    told_if_plugin(status);
    go_on("exit", status);
}

_Noreturn void quick_exit(int status)
{
    told_if_plugin(status);
    go_on("quick_exit", status);
}

_Noreturn void _exit(int status)
{
    told_if_plugin(status);
    end(status);
}

_Noreturn void _Exit(int status)
{
    told_if_plugin(status);
    end(status);
}
