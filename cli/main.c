/* SPDX-License-Identifier: MIT */
/* The loophole program: finds the command, reads its options, runs it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/talk.h"
#include "common/base/faults.h"

static const struct cli_command *const commands[] = {
    &cli_command_render,
    &cli_command_mix,
    &cli_command_check,
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT + 1];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i]->name;
    }
    names[COMMAND_COUNT] = "help";
    const char *near = lh_nearest_name(name, names, COMMAND_COUNT + 1);
    struct lh_error error = LH_ERROR_INIT;
    if (near != NULL) {
        lh_error_set(&error, LH_ERR_USAGE, NULL, "there is no command %s; did you mean %s?", name, near);
    } else {
        lh_error_set(&error, LH_ERR_USAGE, NULL, "there is no command %s", name);
    }
    cli_talk_error(NULL, &error);
    return CLI_EXIT_USAGE;
}

static void print_commands(FILE *out)
{
    fputs("Usage: loophole COMMAND [options]\n\n"
          "Renders music projects to finished audio, bit-exact and fast.\n\nCommands:\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("  help       Tell about a command\n\n"
          "'loophole COMMAND --help' tells its options. 'loophole --version' tells the version.\n",
          out);
}

static int finish_output(void)
{
    return fflush(stdout) == 0 ? CLI_EXIT_DONE : CLI_EXIT_FAILED;
}

static int print_help(const struct cli_command *command)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_options_help(command->options, "loophole", &writer);
    bool ok = lh_writer_status(&writer) == LH_OK;
    if (ok) {
        fwrite(writer.data, 1, writer.size, stdout);
    }
    lh_writer_fini(&writer);
    return ok ? finish_output() : CLI_EXIT_FAILED;
}

static int help(int count, char *const *arguments)
{
    if (count == 0) {
        print_commands(stdout);
        return finish_output();
    }
    const struct cli_command *command = find_command(arguments[0]);
    return command != NULL ? print_help(command) : unknown_command(arguments[0]);
}

static int run_command(const struct cli_command *command, int count, char *const *arguments)
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    struct lh_options options;
    lh_arena_init(&arena);
    int exit_status;
    enum lh_status status = lh_options_parse(&arena, command->options, count, arguments, &options, &error);
    if (status != LH_OK) {
        cli_talk_error(command->name, &error);
        exit_status = (int)cli_exit_of(status);
    } else {
        exit_status = options.help ? print_help(command) : command->run(&options);
    }
    lh_arena_fini(&arena);
    return exit_status;
}

/* A caller may have closed standard descriptors. The next files opened would take their numbers, and what is said would
   go into a deliverable. Output that nobody can get is a failure, hence /dev/full. */
static void fill_standard_descriptors(void)
{
    static const char *const stand_ins[] = {"/dev/null", "/dev/full", "/dev/null"};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open(stand_ins[fd], O_RDWR) != fd) {
            _exit(CLI_EXIT_FAILED);
        }
    }
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    if (argc < 2) {
        print_commands(stderr);
        return CLI_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        return help(argc - 2, argv + 2);
    }
    if (strcmp(name, "--version") == 0) {
        puts("loophole " LOOPHOLE_VERSION);
        return finish_output();
    }
    const struct cli_command *command = find_command(name);
    return command != NULL ? run_command(command, argc - 2, argv + 2) : unknown_command(name);
}
