/* SPDX-License-Identifier: MIT */
/* Hostile plugins that end the process, or try to. */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/plugins/hostile.lv2/hostile.h"

#define URI "urn:loophole:hostile:"

HOSTILE_FAULT static void segv(struct hostile *self)
{
    (void)self;
    *hostile_nowhere = 1;
}

HOSTILE_FAULT static void null_call(struct hostile *self)
{
    (void)self;
    static void (*volatile function)(void);
    function();
}

HOSTILE_FAULT static void bus(struct hostile *self)
{
    (void)self;
    int file = memfd_create("hostile", MFD_CLOEXEC);
    volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page != MAP_FAILED)
        *page = 1;
}

HOSTILE_FAULT static void divide(struct hostile *self)
{
    (void)self;
    hostile_nought = 100 / hostile_nought;
}

static void illegal(struct hostile *self)
{
    (void)self;
    __builtin_trap();
}

static void abort_now(struct hostile *self)
{
    (void)self;
    abort();
}

static void exit_3(struct hostile *self)
{
    (void)self;
    exit(3);
}

static void exit_0(struct hostile *self)
{
    (void)self;
    exit(0);
}

static void exit_now(struct hostile *self)
{
    (void)self;
    _exit(4);
}

static void quick(struct hostile *self)
{
    (void)self;
    quick_exit(5);
}

static void kill_self(struct hostile *self)
{
    (void)self;
    raise(SIGKILL);
}

/* What an exception that nobody catches does. */
static void terminate(struct hostile *self)
{
    (void)self;
    void *library = dlopen("libstdc++.so.6", RTLD_NOW);
    void *symbol = library == NULL ? NULL : dlsym(library, "_ZSt9terminatev");
    if (symbol == NULL)
        abort();
    ((void (*)(void))(uintptr_t)symbol)();
}

/* A lazily bound function that is nowhere: the dynamic linker ends the process with status 127. */
static void symbol_lookup(struct hostile *self)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/../unresolved.lv2/unresolved.so", self->bundle);
    void *library = dlopen(path, RTLD_LAZY);
    void *symbol = library == NULL ? NULL : dlsym(library, "unresolved_call");
    if (symbol == NULL)
        abort();
    ((void (*)(void))(uintptr_t)symbol)();
}

static void crash_at_exit(void)
{
    segv(NULL);
}

static void at_exit(struct hostile *self)
{
    (void)self;
    atexit(crash_at_exit);
}

static void *crash_in_thread(void *context)
{
    (void)context;
    segv(NULL);
    return NULL;
}

/* The fault is on no thread of the host. */
static void thread_crash(struct hostile *self)
{
    (void)self;
    pthread_t thread;
    if (pthread_create(&thread, NULL, crash_in_thread, NULL) == 0)
        pthread_join(thread, NULL);
}

/* The frames are used after the call, so that it cannot become a loop. */
HOSTILE_FAULT static int deeper(volatile const char *above)
{
    volatile char frame[4096];
    if (hostile_nowhere != NULL)
        return 0;
    frame[0] = above == NULL ? 1 : above[0];
    frame[4095] = (char)deeper(frame);
    return frame[0] + frame[4095];
}

static void stack_overflow(struct hostile *self)
{
    (void)self;
    hostile_nought = deeper(NULL);
}

const struct hostile_deed hostile_crashes[] = {
    {URI "segv", HOSTILE_ONCE, segv},
    {URI "segv-instantiate", HOSTILE_INSTANTIATE, segv},
    {URI "segv-activate", HOSTILE_ACTIVATE, segv},
    {URI "segv-deactivate", HOSTILE_DEACTIVATE, segv},
    {URI "segv-cleanup", HOSTILE_CLEANUP, segv},
    {URI "null-call", HOSTILE_ONCE, null_call},
    {URI "bus", HOSTILE_ONCE, bus},
    {URI "divide", HOSTILE_ONCE, divide},
    {URI "illegal", HOSTILE_ONCE, illegal},
    {URI "abort", HOSTILE_ONCE, abort_now},
    {URI "exit-3", HOSTILE_ONCE, exit_3},
    {URI "exit-0", HOSTILE_ONCE, exit_0},
    {URI "exit-instantiate", HOSTILE_INSTANTIATE, exit_0},
    {URI "exit-now", HOSTILE_ONCE, exit_now},
    {URI "quick-exit", HOSTILE_ONCE, quick},
    {URI "kill-self", HOSTILE_ONCE, kill_self},
    {URI "terminate", HOSTILE_ONCE, terminate},
    {URI "symbol-lookup", HOSTILE_ONCE, symbol_lookup},
    {URI "at-exit", HOSTILE_ONCE, at_exit},
    {URI "thread-crash", HOSTILE_ONCE, thread_crash},
    {URI "stack-overflow", HOSTILE_ONCE, stack_overflow},
    {0},
};
