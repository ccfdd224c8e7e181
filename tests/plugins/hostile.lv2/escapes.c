/* SPDX-License-Identifier: MIT */
/* Hostile plugins that want what is none of a plugin's business, and tell as sound whether they got it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/plugins/hostile.lv2/hostile.h"

#define URI "urn:loophole:hostile:"

/* Whether it could be opened. */
static bool opens(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC, 0600);
    if (file >= 0)
        close(file);
    return file >= 0;
}

static void read_shadow(struct hostile *self)
{
    hostile_tell(self, opens("/etc/shadow", O_RDONLY));
}

static void read_homes(struct hostile *self)
{
    hostile_tell(self, opens("/root/.ssh", O_RDONLY) || opens("/home", O_RDONLY));
}

static void write_home(struct hostile *self)
{
    const char *home = getenv("LOOPHOLE_TEST_HOME"); /* HOME may be one for it alone */
    char path[4096];
    snprintf(path, sizeof(path), "%s/loophole-hostile-wrote", home == NULL ? "/root" : home);
    hostile_tell(self, opens(path, O_WRONLY | O_CREAT));
}

/* Where every program may write. */
static void write_temporary(struct hostile *self)
{
    hostile_tell(self, opens("/tmp/loophole-hostile-wrote", O_WRONLY | O_CREAT));
    unlink("/tmp/loophole-hostile-wrote");
}

/* A folder of its own it may have: what it leaves there goes with it. */
static void write_scratch(struct hostile *self)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof(path), "%s/loophole-hostile-wrote", folder == NULL ? "/tmp" : folder);
    hostile_tell(self, opens(path, O_WRONLY | O_CREAT));
}

/* Tests give every run folders of its own; beside the bundle there may be a file that is to go. */
static void write_bundle(struct hostile *self)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/../wrote", self->bundle);
    hostile_tell(self, opens(path, O_WRONLY | O_CREAT));
}

static void unlink_file(struct hostile *self)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/../victim", self->bundle);
    hostile_tell(self, unlink(path) == 0);
}

static void rename_file(struct hostile *self)
{
    char path[4096], other[4096];
    snprintf(path, sizeof(path), "%s/../victim", self->bundle);
    snprintf(other, sizeof(other), "%s/../renamed", self->bundle);
    hostile_tell(self, rename(path, other) == 0);
}

static void truncate_file(struct hostile *self)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/../victim", self->bundle);
    hostile_tell(self, truncate(path, 0) == 0);
}

static void network(struct hostile *self)
{
    int end = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    hostile_tell(self, end >= 0);
    if (end >= 0)
        close(end);
}

static void datagrams(struct hostile *self)
{
    int end = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    hostile_tell(self, end >= 0);
    if (end >= 0)
        close(end);
}

/* A display server, a sound server, a session bus: they take orders. */
static void local_socket(struct hostile *self)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/../socket", self->bundle);
    int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    hostile_tell(self, end >= 0 && connect(end, (const struct sockaddr *)&address, sizeof(address)) == 0);
    if (end >= 0)
        close(end);
}

static void execute(struct hostile *self)
{
    execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
    hostile_tell(self, false);
}

static void fork_once(struct hostile *self)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    hostile_tell(self, child > 0);
    if (child > 0)
        waitpid(child, NULL, 0);
}

static void command(struct hostile *self)
{
    int status = system("true");
    hostile_tell(self, status == 0);
}

static void kill_parent(struct hostile *self)
{
    hostile_tell(self, kill(getppid(), SIGKILL) == 0);
}

static void trace_parent(struct hostile *self)
{
    bool could = ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0;
    hostile_tell(self, could);
}

static void read_parent(struct hostile *self)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)(uintptr_t)self, 1};
    bool could =
        process_vm_readv(getppid(), &here, 1, &there, 1, 0) == 1 || errno == EFAULT; /* looked, found nothing */
    hostile_tell(self, could);
}

static void open_parent(struct hostile *self)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
    hostile_tell(self, opens(path, O_RDWR));
}

static void open_self(struct hostile *self)
{
    hostile_tell(self, opens("/proc/self/mem", O_RDWR));
}

static void raise_limits(struct hostile *self)
{
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    hostile_tell(self, setrlimit(RLIMIT_AS, &all) == 0);
}

static void new_namespace(struct hostile *self)
{
    hostile_tell(self, unshare(CLONE_NEWUSER) == 0);
}

static void change_mode(struct hostile *self)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/../victim", self->bundle);
    hostile_tell(self, chmod(path, 0777) == 0);
}

static void change_times(struct hostile *self)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/../victim", self->bundle);
    hostile_tell(self, utimensat(AT_FDCWD, path, (struct timespec[2]){{.tv_sec = 1}, {.tv_sec = 1}}, 0) == 0);
}

static void list_root(struct hostile *self)
{
    hostile_tell(self, opens("/", O_RDONLY | O_DIRECTORY));
}

const struct hostile_deed hostile_escapes[] = {
    {URI "read-shadow", HOSTILE_ONCE, read_shadow},
    {URI "read-homes", HOSTILE_ONCE, read_homes},
    {URI "list-root", HOSTILE_ONCE, list_root},
    {URI "write-home", HOSTILE_ONCE, write_home},
    {URI "write-temporary", HOSTILE_ONCE, write_temporary},
    {URI "write-scratch", HOSTILE_ONCE, write_scratch},
    {URI "write-bundle", HOSTILE_ONCE, write_bundle},
    {URI "unlink", HOSTILE_ONCE, unlink_file},
    {URI "rename", HOSTILE_ONCE, rename_file},
    {URI "truncate", HOSTILE_ONCE, truncate_file},
    {URI "chmod", HOSTILE_ONCE, change_mode},
    {URI "utime", HOSTILE_ONCE, change_times},
    {URI "network", HOSTILE_ONCE, network},
    {URI "datagrams", HOSTILE_ONCE, datagrams},
    {URI "local-socket", HOSTILE_ONCE, local_socket},
    {URI "exec", HOSTILE_ONCE, execute},
    {URI "fork", HOSTILE_ONCE, fork_once},
    {URI "command", HOSTILE_ONCE, command},
    {URI "kill-parent", HOSTILE_ONCE, kill_parent},
    {URI "trace-parent", HOSTILE_ONCE, trace_parent},
    {URI "read-parent", HOSTILE_ONCE, read_parent},
    {URI "open-parent", HOSTILE_ONCE, open_parent},
    {URI "open-self", HOSTILE_ONCE, open_self},
    {URI "raise-limits", HOSTILE_ONCE, raise_limits},
    {URI "namespace", HOSTILE_ONCE, new_namespace},
    {0},
};
