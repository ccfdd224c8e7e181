/* SPDX-License-Identifier: MIT */
/* Attempts to do what a jailed instance must not do, or must be able to. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/run/render.h"
#include "tests/engine/instance/fake_engine.h"

extern char **environ;

static int result_of(long result)
{
    return result < 0 ? errno : 0;
}

static int read_file(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int code = result_of(fd < 0 ? -1 : read(fd, &byte, 1));
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

static int write_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int code = result_of(fd < 0 ? -1 : write(fd, "x", 1));
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

static int connect_out(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int code = result_of(connect(fd, (const struct sockaddr *)&to, sizeof to));
    close(fd);
    return code == ECONNREFUSED ? 0 : code; /* it was let out */
}

static int fork_one(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    int code = result_of(pid);
    if (pid > 0) {
        waitpid(pid, NULL, 0);
    }
    return code;
}

static int spawn_one(void)
{
    pid_t pid;
    char *arguments[] = {(char[]){"true"}, NULL};
    int code = posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ);
    if (code == 0) {
        waitpid(pid, NULL, 0);
    }
    return code;
}

static void *do_nothing(void *argument)
{
    return argument;
}

static int start_thread(void)
{
    pthread_t thread;
    int code = pthread_create(&thread, NULL, do_nothing, NULL);
    if (code == 0) {
        pthread_join(thread, NULL);
    }
    return code;
}

static int load_library(void)
{
    void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
    return library != NULL && dlsym(library, "sin") != NULL ? 0 : EACCES;
}

/* 0: the limit is at most what it should be. */
static int limit_of(int resource, rlim_t most)
{
    struct rlimit limit;
    return getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_max <= most ? 0 : ERANGE;
}

static void tell(char *text, size_t size, const char *what, int code)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s %d", used > 0 ? ", " : "", what, code);
}

enum lh_status fake_jail_try(const struct engine_render_job *job, struct lh_error *error)
{
    char text[LH_ERROR_MESSAGE_SIZE] = "";
    const char *home = getenv("HOME");
    home = home != NULL ? home : "";
    const struct {
        const char *what;
        int code;
    } results[] = {
        {"shadow", read_file("/etc/shadow")},
        {"passwd", read_file("/etc/passwd")},
        {"self", read_file("/proc/self/maps")},
        {"init", read_file("/proc/1/environ")},
        {"share", read_file("/usr/share/common-licenses/GPL-3")},
        {"library", load_library()},
        {"marked", read_file(job->graph->markers[0].name)},
        {"tmp", write_file("/tmp", "loophole-was-here")},
        {"dev", write_file("/dev/shm", "loophole-was-here")},
        {"home", write_file(home, "here")},
        {"scratch", job->scratch_folder != NULL && strcmp(home, job->scratch_folder) == 0 ? 0 : ENOENT},
        {"null", write_file("/dev", "null")},
        {"connect", connect_out()},
        {"fork", fork_one()},
        {"spawn", spawn_one()},
        {"exec", result_of(execl("/nonexistent", "x", (char *)NULL))},
        {"parent", result_of(kill(getppid(), 0))},
        {"itself", result_of(kill(getpid(), 0))},
        {"thread", start_thread()},
        {"clone3", result_of(syscall(SYS_clone3, NULL, 0))},
        {"niceness", result_of(setpriority(PRIO_PROCESS, 0, -5))},
        {"mknod", result_of(mknod("/tmp/loophole-device", S_IFCHR | 0600, 0x103))},
        {"privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : errno},
        {"core", limit_of(RLIMIT_CORE, 0)},
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        tell(text, sizeof text, results[i].what, results[i].code);
    }
    return lh_error_set(error, LH_ERR_FAULT, NULL, "%s", text);
}
