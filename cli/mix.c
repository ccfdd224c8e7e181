/* SPDX-License-Identifier: MIT */
/* loophole mix STEM... -o FILE */
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/settings.h"
#include "cli/stems.h"
#include "cli/talk.h"
#include "pulse-daemon/project/load.h"

#define STEMS_MAX (PULSE_TRACKS_MAX - 1) /* the master is one, too */

static const char *const bit_depths[] = {"16", "24", "32", NULL};

static const struct lh_option rows[] = {
    {.name = "output",
     .letter = 'o',
     .type = LH_OPTION_TEXT,
     .placeholder = "FILE",
     .help = "The mix; its ending says the format: " CLI_MIX_ENDINGS ". - is WAV on standard output"},
    {.name = "gain",
     .type = LH_OPTION_TEXT,
     .placeholder = "NAME=DB",
     .repeatable = true,
     .help = "Gain of a stem in decibels, or -inf; NAME is its file's name without folder and ending, or #2 for the "
             "second stem"},
    {.name = "pan",
     .type = LH_OPTION_TEXT,
     .placeholder = "NAME=P",
     .repeatable = true,
     .help = "Position of a stem, from -1 (left) to 1 (right)"},
    {.name = "loudness",
     .type = LH_OPTION_NUMBER,
     .placeholder = "LUFS",
     .minimum = -70,
     .maximum = 0,
     .help = "Bring the mix to this integrated loudness (EBU R 128), by gain alone"},
    {.name = "true-peak",
     .type = LH_OPTION_NUMBER,
     .placeholder = "DBTP",
     .minimum = -60,
     .maximum = 0,
     .help = "Keep the true peak below this, by gain alone"},
    {.name = "bit-depth",
     .type = LH_OPTION_TEXT,
     .placeholder = "BITS",
     .choices = bit_depths,
     .help = "Bits of a sample; 32 is float. Standard: 24"},
    CLI_ROW_THREADS,
    CLI_ROW_BLOCK,
    CLI_ROW_REPORT,
    CLI_ROW_PROGRESS,
    CLI_ROWS_CACHE,
    CLI_ROW_DIGESTS,
    CLI_ROW_JAIL,
};

static const struct lh_option_table table = {
    .usage = "mix STEM... -o FILE [options]",
    .summary = "Mixes stems to one file, without a project. All begin at the same time; the mix has the highest\n"
               "sample rate among them.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 1,
    .operands_max = STEMS_MAX,
    .operand = "STEM",
};

static enum lh_status read_output(const struct lh_options *options, struct lh_arena *arena, struct cli_request *request,
                                  struct cli_mix *mix, struct lh_error *error)
{
    const char *path = lh_options_text(options, "output");
    if (path == NULL || path[0] == '\0') {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "where to? Name the file with -o FILE");
    }
    mix->format = cli_mix_format(path);
    if (mix->format == NULL) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "-o %s: the ending says no format; there are " CLI_MIX_ENDINGS,
                            path);
    }
    request->single = path;
    request->folder = cli_folder_of(arena, path);
    if (request->folder == NULL) {
        return lh_error_no_memory(error);
    }
    if (strcmp(path, "-") != 0) {
        return LH_OK;
    }
    if (mix->has_loudness || mix->has_true_peak) {
        return lh_error_set(error, LH_ERR_USAGE, NULL,
                            "-o - begins to write before the loudness is known; name a file");
    }
    if (request->report_path != NULL && strcmp(request->report_path, "-") == 0) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "the mix and the report cannot both go to standard output");
    }
    if (isatty(STDOUT_FILENO) == 1) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "-o - would write WAV to the terminal; name a file or a pipe");
    }
    return LH_OK;
}

static enum lh_status read_mix(const struct lh_options *options, struct cli_mix *mix, struct lh_error *error)
{
    const char *bit_depth = lh_options_text(options, "bit-depth");
    if (bit_depth != NULL && cli_mix_format_is_lossy(mix->format)) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "--bit-depth %s: a lossy format has none; leave it out",
                            bit_depth);
    }
    if (bit_depth != NULL) {
        mix->bit_depth = strcmp(bit_depth, "16") == 0 ? 16 : strcmp(bit_depth, "24") == 0 ? 24 : 32;
    }
    return LH_OK;
}

static enum lh_status read_stems(const struct lh_options *options, struct lh_arena *arena, struct cli_stems *stems,
                                 struct lh_error *error)
{
    enum lh_status status = cli_stems_init(arena, options->operands, options->operand_count, stems, error);
    for (size_t i = 0; status == LH_OK && i < lh_options_count(options, "gain"); i++) {
        status = cli_stems_set(arena, stems, CLI_STEM_GAIN, lh_options_at(options, "gain", i)->text, error);
    }
    for (size_t i = 0; status == LH_OK && i < lh_options_count(options, "pan"); i++) {
        status = cli_stems_set(arena, stems, CLI_STEM_PAN, lh_options_at(options, "pan", i)->text, error);
    }
    return status;
}

/* The stems are known: the project that they make is read as any other. */
static void make_project(struct cli_session *session, const struct cli_stems *stems, const struct cli_mix *mix)
{
    if (session->faults.count > 0) {
        cli_session_fail(session, cli_faults_status(&session->faults));
    }
    if (cli_session_stopped(session)) {
        return;
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    if (cli_stems_project(stems, &session->sources, mix, &writer) == LH_OK) {
        cli_session_parse(session, (const char *)writer.data, writer.size);
    } else {
        cli_session_fail(session, lh_error_no_memory(&session->error));
    }
    lh_writer_fini(&writer);
}

static int run(const struct lh_options *options)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct cli_request request = {.command = "mix"};
    struct cli_mix mix = {
        .has_loudness = lh_options_count(options, "loudness") > 0,
        .has_true_peak = lh_options_count(options, "true-peak") > 0,
        .integrated_lufs = lh_options_number(options, "loudness"),
        .true_peak_dbtp = lh_options_number(options, "true-peak"),
    };
    struct cli_stems stems = {0};
    struct lh_error error = LH_ERROR_INIT;
    cli_settings_read(options, &request);
    enum lh_status status = read_output(options, &arena, &request, &mix, &error);
    status = status == LH_OK ? read_mix(options, &mix, &error) : status;
    status = status == LH_OK ? read_stems(options, &arena, &stems, &error) : status;
    if (status != LH_OK) {
        cli_tell_error(request.progress, "mix", &error);
        lh_arena_fini(&arena);
        return (int)cli_exit_of(status);
    }
    struct cli_session session;
    cli_session_begin(&session, &request);
    cli_session_open_files(&session, options->operands, options->operand_count);
    make_project(&session, &stems, &mix);
    cli_session_compile(&session);
    cli_session_render(&session);
    int exit_status = cli_session_end(&session);
    lh_arena_fini(&arena);
    return exit_status;
}

const struct cli_command cli_command_mix = {
    .name = "mix",
    .summary = "Mix stems to one file, without a project",
    .options = &table,
    .run = run,
};
