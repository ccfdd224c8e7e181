/* SPDX-License-Identifier: MIT */
/* The program loophole-signal. As `--instance` it is a signal instance: its parent's socket is descriptor 3. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/instance/serve.h"

#define SOCKET_FD 3
#define EXIT_USAGE 2
#define OWNER_ONLY 077

static const char usage[] =
    "Usage: loophole-signal --instance\n"
    "Renders for the program that started it, which speaks to it over a socket as descriptor 3.\n"
    "\n"
    "  --instance  serve until the socket is closed\n"
    "  --version   print the version\n"
    "  --help      print this\n";

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

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return puts("loophole-signal " LOOPHOLE_VERSION) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return fputs(usage, stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    if (argc != 2 || strcmp(argv[1], "--instance") != 0 || !is_channel(SOCKET_FD)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    settle();
    struct lh_error error = LH_ERROR_INIT;
    if (engine_instance_serve(SOCKET_FD, &error) != LH_OK) {
        fprintf(stderr, "loophole-signal: %s\n", error.message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
