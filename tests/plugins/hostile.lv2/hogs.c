/* SPDX-License-Identifier: MIT */
/* Hostile plugins that take all there is: processes, threads, memory, descriptors, disk, standard error. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/plugins/hostile.lv2/hostile.h"

#define URI "urn:loophole:hostile:"
#define PROCESSES_MAX 64
#define THREADS_MAX 4000
#define MEMORY_MAX (UINT64_C(1) << 40)
#define DESCRIPTORS_MAX 100000
#define DISK_MAX (UINT64_C(1) << 28)
#define PRINT_MAX (16 << 20)

static void wait_for_the_end(void)
{
    while (hostile_nowhere == NULL)
        sleep(1);
}

/* Children fork as well; without a jail they are few and end by themselves. */
static void fork_bomb(struct hostile *self)
{
    (void)self;
    _Atomic int *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (count == MAP_FAILED)
        abort();
    pid_t first = getpid();
    while (atomic_load(count) < PROCESSES_MAX)
        if (fork() == 0)
            atomic_fetch_add(count, 1);
    if (getpid() == first)
        wait_for_the_end();
    sleep(5);
    _exit(0);
}

static void *idle(void *context)
{
    wait_for_the_end();
    return context;
}

static void thread_bomb(struct hostile *self)
{
    (void)self;
    pthread_t thread;
    for (int i = 0; i < THREADS_MAX; i++)
        if (pthread_create(&thread, NULL, idle, NULL) != 0)
            break;
    wait_for_the_end();
}

/* It does not look whether it got any. Only a page of each piece is touched, so that the machine does not suffer. */
HOSTILE_FAULT static void memory_hog(struct hostile *self)
{
    static const size_t piece = 64 << 20;
    for (uint64_t sum = 0; sum < MEMORY_MAX; sum += piece) {
        char *volatile memory = malloc(piece);
        *(volatile char *)memory = 1;
    }
    hostile_tell(self, true);
}

static void address_hog(struct hostile *self)
{
    uint64_t pieces = 0;
    for (size_t piece = (size_t)1 << 36; piece >= (size_t)1 << 16; piece >>= 1)
        while (mmap(NULL, piece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED)
            pieces++;
    hostile_tell(self, pieces > 0);
}

static void descriptor_hog(struct hostile *self)
{
    int count = 0;
    while (count < DESCRIPTORS_MAX && dup(STDERR_FILENO) >= 0)
        count++;
    hostile_tell(self, count == DESCRIPTORS_MAX);
}

static int create_somewhere(void)
{
    const char *const folders[] = {getenv("TMPDIR"), ".", "/tmp", "/var/tmp", "/dev/shm"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        char path[4096];
        if (folders[i] == NULL)
            continue;
        snprintf(path, sizeof(path), "%s/loophole-hostile-%d", folders[i], (int)getpid());
        int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (file >= 0) {
            unlink(path); /* so that it ends with the process */
            return file;
        }
    }
    return -1;
}

static void fill_disk(struct hostile *self)
{
    static char piece[1 << 20];
    int file = create_somewhere();
    if (file < 0) {
        hostile_tell(self, false);
        return;
    }
    uint64_t sum = 0;
    while (sum < DISK_MAX && write(file, piece, sizeof(piece)) == (ssize_t)sizeof(piece))
        sum += sizeof(piece);
    hostile_tell(self, sum == DISK_MAX);
    close(file);
}

static void print_flood(struct hostile *self)
{
    (void)self;
    char line[128];
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (size_t i = 0; i < PRINT_MAX / sizeof(line); i++) {
        fwrite(line, 1, sizeof(line), stdout);
        fwrite(line, 1, sizeof(line), stderr);
    }
}

const struct hostile_deed hostile_hogs[] = {
    {URI "fork-bomb", HOSTILE_ONCE, fork_bomb},           {URI "thread-bomb", HOSTILE_ONCE, thread_bomb},
    {URI "memory-hog", HOSTILE_ONCE, memory_hog},         {URI "address-hog", HOSTILE_ONCE, address_hog},
    {URI "descriptor-hog", HOSTILE_ONCE, descriptor_hog}, {URI "fill-disk", HOSTILE_ONCE, fill_disk},
    {URI "print-flood", HOSTILE_ONCE, print_flood},       {0},
};
