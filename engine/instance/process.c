/* SPDX-License-Identifier: MIT */
/* Starting the child by posix_spawn (no copy of the parent's page tables), and telling how it ended. */
#include "engine/instance/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/instance/channel.h"

#define CHILD_SOCKET 3
#define SEND_TIMEOUT_S 10 /* a child that takes nothing for so long hangs */
#define REAP_TRIES 100
#define REAP_PAUSE_NS 10000000

extern char **environ;

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* best effort: a small project does without */
    }
}

/* Returns an errno value. */
static int set_actions(posix_spawn_file_actions_t *actions, int socket)
{
    int code = posix_spawn_file_actions_adddup2(actions, socket, CHILD_SOCKET);
    code = code != 0 ? code : posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    code = code != 0 ? code : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    return code != 0 ? code : posix_spawn_file_actions_addclosefrom_np(actions, CHILD_SOCKET + 1);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int code = posix_spawnattr_setpgroup(attributes, 0);
    code = code != 0 ? code : posix_spawnattr_setsigmask(attributes, &none);
    code = code != 0 ? code : posix_spawnattr_setsigdefault(attributes, &all);
    return code != 0 ? code
                     : posix_spawnattr_setflags(attributes,
                                                POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(const char *program, int socket, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) {
        return code;
    }
    code = posix_spawnattr_init(&attributes);
    if (code == 0) {
        char *const arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "--instance", NULL};
        code = set_actions(&actions, socket);
        code = code != 0 ? code : set_attributes(&attributes);
        code = code != 0 ? code : posix_spawn(pid, program, &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

enum lh_status engine_process_start(const char *program, struct engine_process *process, struct lh_error *error)
{
    raise_descriptor_limit();
    int sockets[2];
    enum lh_status status = engine_channel_pair(sockets, error);
    if (status != LH_OK) {
        return status;
    }
    struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
    setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    pid_t pid;
    int code = spawn(program, sockets[1], &pid);
    close(sockets[1]);
    if (code != 0) {
        close(sockets[0]);
        return lh_error_set(error, code == ENOENT || code == EACCES ? LH_ERR_MISSING : LH_ERR_IO, program,
                            "the signal instance cannot be started: %s", strerror(code));
    }
    *process = (struct engine_process){.pid = pid, .socket = sockets[0]};
    return LH_OK;
}

static void close_socket(struct engine_process *process)
{
    if (process->socket >= 0) {
        close(process->socket);
        process->socket = -1;
    }
}

/* Kills and reaps; the exit status as waitpid() gives it. */
static int kill_child(struct engine_process *process)
{
    int ended = 0;
    kill(process->pid, SIGKILL);
    while (waitpid(process->pid, &ended, 0) < 0 && errno == EINTR) {
    }
    process->pid = -1;
    return ended;
}

void engine_process_end(struct engine_process *process)
{
    close_socket(process);
    if (process->pid > 0) {
        kill_child(process);
    }
}

/* Gives a child that closed its socket the time to end by itself, so that its own reason is seen. */
static bool reap(struct engine_process *process, int *ended)
{
    for (int i = 0; i < REAP_TRIES; i++) {
        pid_t pid = waitpid(process->pid, ended, WNOHANG);
        if (pid == process->pid) {
            process->pid = -1;
            return true;
        }
        if (pid < 0 && errno != EINTR) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = REAP_PAUSE_NS}, NULL);
    }
    return false;
}

enum lh_status engine_process_crashed(struct engine_process *process, struct lh_error *error)
{
    close_socket(process);
    int ended = 0;
    if (process->pid <= 0) {
        return lh_error_set(error, LH_ERR_CRASHED, NULL, "the signal instance has ended");
    }
    if (!reap(process, &ended)) {
        kill_child(process);
        return lh_error_set(error, LH_ERR_CRASHED, NULL,
                            "the signal instance broke off the conversation and was killed");
    }
    if (WIFSIGNALED(ended)) {
        return lh_error_set(error, LH_ERR_CRASHED, NULL, "the signal instance was killed by signal %d (%s)",
                            WTERMSIG(ended), strsignal(WTERMSIG(ended)));
    }
    return lh_error_set(error, LH_ERR_CRASHED, NULL, "the signal instance ended by itself with exit status %d",
                        WEXITSTATUS(ended));
}
