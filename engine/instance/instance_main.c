/* SPDX-License-Identifier: MIT */
/* The program loophole-signal. As `--instance` it is a signal instance: its parent's socket is descriptor 3. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/instance/crash.h"
#include "engine/instance/jail.h"
#include "engine/instance/jail_calls.h"
#include "engine/instance/serve.h"

#define SOCKET_FD ENGINE_JAIL_SOCKET
#define EXIT_USAGE 2
#define OWNER_ONLY 077

static const char usage[] =
    "Usage: loophole-signal --instance [OPTION]...\n"
    "Renders for the program that started it, which speaks to it over a socket as descriptor 3.\n"
    "\n"
    "  --instance      serve until the socket is closed\n"
    "  --no-jail       do not give up the rights of who started it\n"
    "  --read PATH     in the jail, a folder or file that may be read; may be repeated\n"
    "  --scratch PATH  the folder that may be written to\n"
    "  --memory BYTES  in the jail, the most address space it takes\n"
    "  --version       print the version\n"
    "  --help          print this\n";

struct arguments {
    struct engine_jail jail;
    const char **readable; /* room for every argument */
    bool no_jail;
};

static bool read_bytes(const char *text, uint64_t *bytes)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    *bytes = value;
    return *text >= '1' && *text <= '9' && *end == '\0' && value < UINT64_MAX;
}

/* What comes after `--instance`. */
static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--no-jail") == 0) {
            arguments->no_jail = true;
            continue;
        }
        if (value == NULL) {
            return false;
        }
        if (strcmp(argv[i], "--read") == 0) {
            arguments->readable[arguments->jail.readable_count++] = value;
        } else if (strcmp(argv[i], "--scratch") == 0) {
            arguments->jail.scratch = value;
        } else if (strcmp(argv[i], "--memory") != 0 || !read_bytes(value, &arguments->jail.memory_bytes)) {
            return false;
        }
        i++;
    }
    arguments->jail.readable = arguments->readable;
    return true;
}

static int is_channel(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* What this process must not have from its parent, and must not outlive it. */
static void settle(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a parent that died before this is seen as the socket's end */
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file past the limit is an error to tell of */
    umask(OWNER_ONLY);
    close_range(SOCKET_FD + 1, ~0U, 0);
}

static enum lh_status serve(const struct arguments *arguments, struct lh_error *error)
{
    char note[ENGINE_JAIL_NOTE_SIZE] = "off";
    enum lh_status status = engine_crash_install(error);
    if (status == LH_OK && !arguments->no_jail) {
        status = engine_jail_enter(&arguments->jail, note, error);
    }
    struct engine_serving serving = {.socket = SOCKET_FD, .scratch = arguments->jail.scratch, .jail = note};
    return status == LH_OK ? engine_instance_serve(&serving, error) : status;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return puts("loophole-signal " LOOPHOLE_VERSION) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return fputs(usage, stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    struct arguments arguments = {.readable = calloc((size_t)argc + 1, sizeof *arguments.readable)};
    if (arguments.readable == NULL || argc < 2 || strcmp(argv[1], "--instance") != 0 ||
        !read_arguments(argc, argv, &arguments) || !is_channel(SOCKET_FD)) {
        fputs(usage, stderr);
        free(arguments.readable);
        return EXIT_USAGE;
    }
    settle();
    struct lh_error error = LH_ERROR_INIT;
    int exit_status = EXIT_SUCCESS;
    if (serve(&arguments, &error) != LH_OK) {
        fprintf(stderr, "loophole-signal: %s\n", error.message);
        exit_status = EXIT_FAILURE;
    }
    free(arguments.readable);
    if (!arguments.no_jail) {
        _exit(exit_status); /* nobody waits for what plugins' libraries, or a sanitizer, would do now */
    }
    return exit_status;
}
