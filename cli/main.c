/* SPDX-License-Identifier: MIT */
/* The loophole program: finds the command, reads its options, runs it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/talk.h"
#include "common/base/faults.h"

#define NAMES_MAX 64
#define NAME_SIZE 64

static const struct cli_command *const commands[] = {
    &cli_command_render,
    &cli_command_mix,
    &cli_command_check,
    &cli_command_plugins,
    &cli_command_up,
    &cli_command_submit,
    &cli_command_watch,
    &cli_command_fetch,
    &cli_command_cancel,
    &cli_command_jobs,
    &cli_command_workers,
    &cli_command_drain,
    &cli_command_enroll,
    &cli_command_peers,
    &cli_command_tokens,
    &cli_command_tenants,
    &cli_command_alarms,
    &cli_command_doctor,
    NULL,
};

static const struct cli_command *find_command(const struct cli_command *const *among, const char *name)
{
    for (; *among != NULL; among++) {
        if (strcmp((*among)->name, name) == 0) {
            return *among;
        }
    }
    return NULL;
}

/* `above`: the command that has no such part, NULL: the program. */
static int unknown_command(const struct cli_command *above, const char *name)
{
    const char *names[NAMES_MAX] = {"help"};
    size_t count = 1;
    for (const struct cli_command *const *one = above != NULL ? above->parts : commands; *one != NULL; one++) {
        names[count++] = (*one)->name;
    }
    const char *near = lh_nearest_name(name, names, count), *space = above != NULL ? " " : "";
    const char *first = above != NULL ? above->name : "";
    struct lh_error error = LH_ERROR_INIT;
    if (near != NULL) {
        lh_error_set(&error, LH_ERR_USAGE, NULL, "there is no command %s%s%s; did you mean %s%s%s?", first, space, name,
                     first, space, near);
    } else {
        lh_error_set(&error, LH_ERR_USAGE, NULL, "there is no command %s%s%s", first, space, name);
    }
    cli_talk_error(above != NULL ? above->name : NULL, &error);
    return CLI_EXIT_USAGE;
}

static void print_list(const struct cli_command *const *list, FILE *out)
{
    fputs("\nCommands:\n", out);
    for (; *list != NULL; list++) {
        fprintf(out, "  %-10s %s\n", (*list)->name, (*list)->summary);
    }
}

static void print_commands(FILE *out)
{
    fputs("Usage: loophole COMMAND [options]\n\n"
          "Renders music projects to finished audio, bit-exact and fast.\n",
          out);
    print_list(commands, out);
    fputs("  help       Tell about a command\n\n"
          "'loophole COMMAND --help' tells its options. 'loophole --version' tells the version.\n",
          out);
}

static void print_parts(const struct cli_command *command, FILE *out)
{
    fprintf(out, "Usage: loophole %s COMMAND [options]\n\n%s.\n", command->name, command->summary);
    print_list(command->parts, out);
    fprintf(out, "\n'loophole %s COMMAND --help' tells its options.\n", command->name);
}

static int finish_output(void)
{
    return fflush(stdout) == 0 ? CLI_EXIT_DONE : CLI_EXIT_FAILED;
}

static int print_help(const struct cli_command *command)
{
    if (command->parts != NULL) {
        print_parts(command, stdout);
        return finish_output();
    }
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
    const struct cli_command *above = NULL, *command = find_command(commands, arguments[0]);
    int at = 0;
    while (command != NULL && command->parts != NULL && at + 1 < count) {
        above = command;
        command = find_command(above->parts, arguments[++at]);
    }
    return command != NULL ? print_help(command) : unknown_command(above, arguments[at]);
}

/* `name` is all of its name: "plugins list". */
static int run_command(const struct cli_command *command, const char *name, int count, char *const *arguments)
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    struct lh_options options;
    lh_arena_init(&arena);
    int exit_status;
    enum lh_status status = lh_options_parse(&arena, command->options, count, arguments, &options, &error);
    if (status != LH_OK) {
        cli_talk_error(name, &error);
        exit_status = (int)cli_exit_of(status);
    } else {
        exit_status = options.help ? print_help(command) : command->run(&options);
    }
    lh_arena_fini(&arena);
    return exit_status;
}

static bool asks_for_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0 || strcmp(argument, "help") == 0;
}

/* A command of the table, or one of its parts. */
static int find_and_run(int count, char *const *arguments)
{
    const struct cli_command *command = find_command(commands, arguments[0]);
    if (command == NULL || command->parts == NULL) {
        return command != NULL ? run_command(command, command->name, count - 1, arguments + 1)
                               : unknown_command(NULL, arguments[0]);
    }
    if (count < 2) {
        print_parts(command, stderr);
        return CLI_EXIT_USAGE;
    }
    if (asks_for_help(arguments[1])) {
        return print_help(command);
    }
    const struct cli_command *part = find_command(command->parts, arguments[1]);
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s %s", command->name, part != NULL ? part->name : "");
    return part != NULL ? run_command(part, name, count - 2, arguments + 2) : unknown_command(command, arguments[1]);
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
    if (asks_for_help(name)) {
        return help(argc - 2, argv + 2);
    }
    if (strcmp(name, "--version") == 0) {
        puts("loophole " LOOPHOLE_VERSION);
        return finish_output();
    }
    return find_and_run(argc - 1, argv + 1);
}
