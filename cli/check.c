/* SPDX-License-Identifier: MIT */
/* loophole check PROJECT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cli/settings.h"
#include "cli/summary.h"
#include "cli/talk.h"
#include "common/json/json.h"

#define TEXT_SIZE 64
#define NAME_SIZE 1024

static const struct lh_option rows[] = {
    {.name = "set",
     .type = LH_OPTION_TEXT,
     .placeholder = "POINTER=VALUE",
     .repeatable = true,
     .help = "Change the project before it is checked: a JSON Pointer up to the first =, then JSON or plain text"},
    {.name = "json", .type = LH_OPTION_FLAG, .help = "Print the outcome as JSON on standard output"},
};

static const struct lh_option_table table = {
    .usage = "check PROJECT [options]",
    .summary =
        "Tells every fault of a project, its media and its plugins at once, each with its place. Renders nothing.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "PROJECT",
};

/* What a sound project amounts to. */
struct extent {
    size_t tracks, clips, files;
    double seconds; /* of the longest deliverable, without its tail */
};

static struct extent measure(const struct cli_session *session)
{
    const struct graph *graph = session->compiled->graph;
    struct extent extent = {.tracks = session->project->track_count, .files = graph->deliverable_count};
    for (size_t i = 0; i < session->project->track_count; i++) {
        extent.clips += session->project->tracks[i].clip_count;
    }
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        double seconds = (double)(graph->deliverables[i].end - graph->deliverables[i].start) / graph->sample_rate;
        extent.seconds = seconds > extent.seconds ? seconds : extent.seconds;
    }
    return extent;
}

static enum lh_status print_sound(const struct cli_session *session, struct lh_error *error)
{
    struct extent extent = measure(session);
    char duration[TEXT_SIZE], name[NAME_SIZE];
    cli_summary_duration(extent.seconds, duration, sizeof duration);
    cli_talk_clean(session->request.project, name, sizeof name);
    printf("%s is sound: %zu track%s, %zu clip%s, %zu file%s to deliver, %s\n", name, extent.tracks,
           extent.tracks == 1 ? "" : "s", extent.clips, extent.clips == 1 ? "" : "s", extent.files,
           extent.files == 1 ? "" : "s", duration);
    if (fflush(stdout) != 0) {
        return lh_error_set(error, LH_ERR_IO, "standard output", "cannot be written: %s", strerror(errno));
    }
    return LH_OK;
}

static enum lh_status print_json(const struct cli_session *session, struct lh_error *error)
{
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, false);
    lh_json_emit_object(&emitter);
    lh_json_emit_name(&emitter, "project");
    lh_json_emit_text(&emitter, session->project != NULL ? session->project->name : NULL);
    lh_json_emit_name(&emitter, "sound");
    lh_json_emit_bool(&emitter, session->status == LH_OK);
    if (session->status == LH_OK) {
        struct extent extent = measure(session);
        lh_json_emit_name(&emitter, "tracks");
        lh_json_emit_integer(&emitter, (int64_t)extent.tracks);
        lh_json_emit_name(&emitter, "clips");
        lh_json_emit_integer(&emitter, (int64_t)extent.clips);
        lh_json_emit_name(&emitter, "files");
        lh_json_emit_integer(&emitter, (int64_t)extent.files);
        lh_json_emit_name(&emitter, "seconds");
        lh_json_emit_real(&emitter, extent.seconds);
    }
    cli_report_faults(&emitter, &session->faults);
    lh_json_emit_object_end(&emitter);
    enum lh_status status =
        lh_writer_status(&writer) == LH_OK ? cli_report_print(&writer, error) : lh_error_no_memory(error);
    lh_writer_fini(&writer);
    return status;
}

static int run(const struct lh_options *options)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct cli_request request = {.command = "check", .project = options->operands[0], .progress = CLI_PROGRESS_NONE};
    struct lh_error error = LH_ERROR_INIT;
    struct pulse_override *overrides = NULL;
    size_t override_count = 0;
    enum lh_status status = cli_settings_overrides(&arena, options, &overrides, &override_count, &error);
    if (status != LH_OK) {
        cli_talk_error("check", &error);
        lh_arena_fini(&arena);
        return (int)cli_exit_of(status);
    }
    struct cli_session session;
    cli_session_begin(&session, &request);
    cli_session_load(&session, overrides, override_count);
    cli_session_open_media(&session);
    cli_session_open_needs(&session);
    cli_session_compile(&session);
    bool sound = !cli_session_stopped(&session);
    if (lh_options_flag(options, "json") && (sound || session.faults.count > 0)) {
        cli_session_fail(&session, print_json(&session, &session.error));
    } else if (sound) {
        cli_session_fail(&session, print_sound(&session, &session.error));
    }
    size_t faults = session.faults.count;
    int exit_status = cli_session_end(&session);
    if (faults > 0) {
        fprintf(stderr, "%zu fault%s\n", faults, faults == 1 ? "" : "s");
    }
    lh_arena_fini(&arena);
    return exit_status;
}

const struct cli_command cli_command_check = {
    .name = "check",
    .summary = "Tell every fault of a project at once",
    .options = &table,
    .run = run,
};
