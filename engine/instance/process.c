/* SPDX-License-Identifier: MIT */
/* Starting the child by posix_spawn (no copy of the parent's page tables), and telling how it ended. */
#include "engine/instance/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/instance/channel.h"

#define CHILD_SOCKET 3
#define TALK_SIZE 4096    /* bytes of a child's talk read at a time */
#define SEND_TIMEOUT_S 10 /* a child that takes nothing for so long hangs */
#define REAP_TRIES 100
#define REAP_PAUSE_NS 10000000

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* best effort: a small project does without */
    }
}

/* Returns an errno value. `talk`: for standard error, or -1 to share ours. */
static int set_actions(posix_spawn_file_actions_t *actions, int socket, int talk)
{
    int code = talk >= 0 ? posix_spawn_file_actions_adddup2(actions, talk, STDERR_FILENO) : 0;
    code = code != 0 ? code : posix_spawn_file_actions_adddup2(actions, socket, CHILD_SOCKET);
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

static int spawn(const struct engine_launch *launch, int socket, int talk, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) {
        return code;
    }
    code = posix_spawnattr_init(&attributes);
    if (code == 0) {
        code = set_actions(&actions, socket, talk);
        code = code != 0 ? code : set_attributes(&attributes);
        code = code != 0
                   ? code
                   : posix_spawn(pid, launch->program, &actions, &attributes, launch->arguments, launch->environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* A pipe for the child's standard error, where libraries complain about media. It is read only when the child is dead;
   until then what does not fit is lost, so that a child that talks a lot neither blocks nor fills the memory. */
static enum lh_status open_talk(int talk[2], struct lh_error *error)
{
    talk[0] = -1;
    talk[1] = -1;
    if (getenv("LOOPHOLE_SIGNAL_STDERR") != NULL || pipe2(talk, O_CLOEXEC | O_NONBLOCK) == 0) {
        return LH_OK;
    }
    return lh_error_set(error, LH_ERR_IO, NULL, "the signal instance cannot be started: %s", strerror(errno));
}

static void close_if_open(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

enum lh_status engine_process_start(const struct engine_launch *launch, struct engine_process *process,
                                    struct lh_error *error)
{
    raise_descriptor_limit();
    int sockets[2];
    int talk[2];
    enum lh_status status = open_talk(talk, error);
    if (status != LH_OK) {
        return status;
    }
    status = engine_channel_pair(sockets, error);
    if (status != LH_OK) {
        close_if_open(&talk[0]);
        close_if_open(&talk[1]);
        return status;
    }
    struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
    setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    pid_t pid;
    int code = spawn(launch, sockets[1], talk[1], &pid);
    close(sockets[1]);
    close_if_open(&talk[1]);
    if (code != 0) {
        close(sockets[0]);
        close_if_open(&talk[0]);
        if (code == ENOMEM) {
            return lh_error_no_memory(error);
        }
        return lh_error_set(error, LH_ERR_IO, launch->program, "the signal instance cannot be started: %s",
                            strerror(code));
    }
    *process = (struct engine_process){.pid = pid, .socket = sockets[0], .talk = talk[0]};
    return LH_OK;
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
    close_if_open(&process->socket);
    close_if_open(&process->talk);
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

/* The last line that a dead child wrote, as text that is safe to show: what the C library says before it aborts, say.
 */
static void read_last_line(int talk, char *line, size_t size)
{
    char text[TALK_SIZE];
    size_t used = 0;
    bool complete = false;
    for (ssize_t got; talk >= 0 && (got = read(talk, text, sizeof text)) > 0;) {
        for (ssize_t i = 0; i < got; i++) {
            if (text[i] == '\n') {
                complete = true;
                continue;
            }
            used = complete ? 0 : used;
            complete = false;
            if (used + 1 < size) {
                line[used++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
            }
        }
    }
    line[used] = '\0';
}

/* What a dead child said last. */
static void take_words(struct engine_process *process, struct engine_death *death)
{
    read_last_line(process->talk, death->words, sizeof death->words);
    close_if_open(&process->talk);
}

void engine_process_kill(struct engine_process *process, struct engine_death *death)
{
    close_if_open(&process->socket);
    if (process->pid > 0) {
        kill_child(process);
    }
    take_words(process, death);
}

void engine_process_reap(struct engine_process *process, struct engine_death *death)
{
    close_if_open(&process->socket);
    int ended = 0;
    if (!reap(process, &ended)) {
        kill_child(process);
        death->kind = ENGINE_DEATH_BROKE_OFF;
    } else if (WIFSIGNALED(ended)) {
        death->kind = ENGINE_DEATH_SIGNAL;
        death->number = WTERMSIG(ended);
    } else {
        death->kind = ENGINE_DEATH_EXIT;
        death->number = WEXITSTATUS(ended);
    }
    take_words(process, death);
}
