/* SPDX-License-Identifier: MIT */
/* Hostile plugins that change what the whole process stands on: descriptors, signals, locale, environment. */
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/plugins/hostile.lv2/hostile.h"

#define URI "urn:loophole:hostile:"
#define DESCRIPTORS 1024

static void close_all(struct hostile *self)
{
    (void)self;
    for (int descriptor = 0; descriptor < DESCRIPTORS; descriptor++)
        close(descriptor);
}

/* The first one after the standard ones: how the instance talks to its parent. */
static void close_socket(struct hostile *self)
{
    (void)self;
    close(3);
}

/* Words of its own on the line to the parent. */
static void write_socket(struct hostile *self)
{
    char words[4096];
    memset(words, 0x55, sizeof(words));
    hostile_tell(self, write(3, words, sizeof(words)) > 0);
}

HOSTILE_FAULT static void crash(void)
{
    *hostile_nowhere = 1;
}

static void ignore_crash(struct hostile *self)
{
    (void)self;
    signal(SIGSEGV, SIG_IGN);
    crash();
}

static void nothing(int number)
{
    (void)number;
}

/* A handler that comes back to the fault, again and again. */
static void return_to_crash(struct hostile *self)
{
    (void)self;
    signal(SIGSEGV, nothing);
    crash();
}

static sigjmp_buf escape;

static void jump(int number)
{
    siglongjmp(escape, number);
}

/* It crashes and lives on: its own affair, if all is as it was. */
static void survive_crash(struct hostile *self)
{
    (void)self;
    struct sigaction action = {.sa_handler = jump}, before;
    sigaction(SIGSEGV, &action, &before);
    if (sigsetjmp(escape, 1) == 0)
        crash();
    sigaction(SIGSEGV, &before, NULL);
}

static void block_crash(struct hostile *self)
{
    (void)self;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    crash();
}

static void alarm_clock(struct hostile *self)
{
    (void)self;
    struct itimerval soon = {.it_value = {.tv_usec = 1000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    usleep(20000);
}

static void locale(struct hostile *self)
{
    (void)self;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "tr_TR.UTF-8", "C.UTF-8"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (setlocale(LC_ALL, names[i]) != NULL)
            break;
}

static void surroundings(struct hostile *self)
{
    (void)self;
    clearenv();
    umask(0777);
    if (chdir("/") != 0)
        umask(0);
}

const struct hostile_deed hostile_tricks[] = {
    {URI "close-all", HOSTILE_ONCE, close_all},
    {URI "close-socket", HOSTILE_ONCE, close_socket},
    {URI "write-socket", HOSTILE_ONCE, write_socket},
    {URI "ignore-crash", HOSTILE_ONCE, ignore_crash},
    {URI "return-to-crash", HOSTILE_ONCE, return_to_crash},
    {URI "survive-crash", HOSTILE_ONCE, survive_crash},
    {URI "block-crash", HOSTILE_ONCE, block_crash},
    {URI "alarm", HOSTILE_ONCE, alarm_clock},
    {URI "locale", HOSTILE_AGAIN, locale},
    {URI "surroundings", HOSTILE_INSTANTIATE, surroundings},
    {0},
};
