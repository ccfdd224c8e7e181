/* SPDX-License-Identifier: MIT */
/* Hostile plugins that do not come back. */
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "tests/plugins/hostile.lv2/hostile.h"

#define URI "urn:loophole:hostile:"

static void loop(struct hostile *self)
{
    (void)self;
    while (hostile_nowhere == NULL)
        continue;
}

static void sleep_on(struct hostile *self)
{
    (void)self;
    while (hostile_nowhere == NULL)
        sleep(1000);
}

static void deadlock(struct hostile *self)
{
    (void)self;
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}

/* Deaf to everything that can be ignored. */
static void deaf(struct hostile *self)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (int number = 1; number < 32; number++)
        signal(number, SIG_IGN);
    loop(self);
}

static void stop_self(struct hostile *self)
{
    (void)self;
    raise(SIGSTOP);
}

/* The worker that runs it is gone, and nobody is told. */
static void thread_exit(struct hostile *self)
{
    (void)self;
    pthread_exit(NULL);
}

/* Long, but it comes back: no hang. */
static void slow(struct hostile *self)
{
    (void)self;
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
}

const struct hostile_deed hostile_hangs[] = {
    {URI "loop", HOSTILE_ONCE, loop},
    {URI "loop-instantiate", HOSTILE_INSTANTIATE, loop},
    {URI "loop-cleanup", HOSTILE_CLEANUP, loop},
    {URI "sleep", HOSTILE_ONCE, sleep_on},
    {URI "deadlock", HOSTILE_ONCE, deadlock},
    {URI "deaf", HOSTILE_ONCE, deaf},
    {URI "stop-self", HOSTILE_ONCE, stop_self},
    {URI "thread-exit", HOSTILE_ONCE, thread_exit},
    {URI "slow", HOSTILE_ONCE, slow},
    {0},
};
