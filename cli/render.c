/* SPDX-License-Identifier: MIT */
/* loophole render PROJECT */
#include <string.h>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/settings.h"
#include "cli/talk.h"

static const struct lh_option rows[] = {
    {.name = "output",
     .letter = 'o',
     .type = LH_OPTION_TEXT,
     .placeholder = "DIR",
     .standard = ".",
     .help = "Folder for the files; made if it is not there"},
    {.name = "deliverable",
     .type = LH_OPTION_TEXT,
     .placeholder = "NAME",
     .repeatable = true,
     .help = "Deliver only this one of the project's deliverables"},
    {.name = "set",
     .type = LH_OPTION_TEXT,
     .placeholder = "POINTER=VALUE",
     .repeatable = true,
     .help = "Change the project before it is checked: a JSON Pointer up to the first =, then JSON or plain text"},
    CLI_ROW_THREADS,
    CLI_ROW_BLOCK,
    CLI_ROW_REPORT,
    CLI_ROW_PROGRESS,
    CLI_ROWS_CACHE,
    CLI_ROW_DIGESTS,
    CLI_ROW_JAIL,
};

static const struct lh_option_table table = {
    .usage = "render PROJECT [options]",
    .summary = "Renders a project's deliverables. Files appear under their names only when all of them are whole.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "PROJECT",
};

static int run(const struct lh_options *options)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct cli_request request = {
        .command = "render",
        .project = options->operands[0],
        .folder = lh_options_text(options, "output"),
    };
    cli_settings_read(options, &request);
    struct lh_error error = LH_ERROR_INIT;
    struct pulse_override *overrides = NULL;
    size_t override_count = 0;
    enum lh_status status = cli_settings_overrides(&arena, options, &overrides, &override_count, &error);
    status = status == LH_OK ? cli_settings_only(&arena, options, &request.compile, &error) : status;
    if (status == LH_OK && request.folder[0] == '\0') {
        status = lh_error_set(&error, LH_ERR_USAGE, "--output", "name a folder; . is the current one");
    }
    if (status != LH_OK) {
        cli_tell_error(request.progress, "render", &error);
        lh_arena_fini(&arena);
        return (int)cli_exit_of(status);
    }
    struct cli_session session;
    cli_session_begin(&session, &request);
    cli_session_load(&session, overrides, override_count);
    cli_session_open_media(&session);
    cli_session_open_needs(&session);
    cli_session_compile(&session);
    cli_session_render(&session);
    int exit_status = cli_session_end(&session);
    lh_arena_fini(&arena);
    return exit_status;
}

const struct cli_command cli_command_render = {
    .name = "render",
    .summary = "Render a project's deliverables",
    .options = &table,
    .run = run,
};
