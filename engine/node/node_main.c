/* SPDX-License-Identifier: MIT */
/* The program loophole-node: a worker node's agent. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/node/node.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

static int fail(const struct lh_error *error)
{
    fprintf(stderr, "loophole-node: %s%s%s\n", error->where, *error->where != '\0' ? ": " : "", error->message);
    return error->code == LH_ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

static int print_help(void)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_options_help(&engine_node_options, "loophole-node", &writer);
    bool good = lh_writer_status(&writer) == LH_OK && fwrite(writer.data, 1, writer.size, stdout) == writer.size;
    lh_writer_fini(&writer);
    return good && fflush(stdout) == 0 ? 0 : EXIT_FAILED;
}

static int run(struct lh_arena *arena, int count, char *const *arguments)
{
    struct lh_error error = LH_ERROR_INIT;
    struct lh_options options;
    struct engine_node_settings settings;
    enum lh_status status = lh_options_parse(arena, &engine_node_options, count, arguments, &options, &error);
    if (status == LH_OK && options.help) {
        return print_help();
    }
    status = status == LH_OK ? engine_node_settings_read(arena, &options, &settings, &error) : status;
    if (status != LH_OK) {
        return fail(&error);
    }
    lh_log_open("loophole-node", settings.log, STDERR_FILENO);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a file past the limit is an error to tell of */
    status = engine_node_run(&settings, &error);
    return status == LH_OK ? 0 : fail(&error);
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "--version") == 0) {
        return puts("loophole-node " LOOPHOLE_VERSION) >= 0 ? 0 : EXIT_FAILED;
    }
    struct lh_arena arena;
    lh_arena_init(&arena);
    int status = run(&arena, count - 1, arguments + 1);
    lh_arena_fini(&arena);
    return status;
}
