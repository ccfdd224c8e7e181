/* SPDX-License-Identifier: MIT */
/* The summary of a render. */
#include "cli/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/reuse.h"
#include "cli/talk.h"
#include "cli/used.h"

#define TEXT_SIZE 64
#define PATH_SIZE 1024

void cli_summary_duration(double seconds, char *text, size_t size)
{
    int64_t thousandths = llround(seconds * 1000);
    int64_t hours = thousandths / 3600000, minutes = thousandths / 60000 % 60, rest = thousandths % 60000;
    if (hours > 0) {
        snprintf(text, size, "%" PRId64 ":%02" PRId64 ":%02" PRId64 ".%03" PRId64, hours, minutes, rest / 1000,
                 rest % 1000);
    } else {
        snprintf(text, size, "%" PRId64 ":%02" PRId64 ".%03" PRId64, minutes, rest / 1000, rest % 1000);
    }
}

void cli_summary_loudness(const struct engine_loudness *loudness, char *text, size_t size)
{
    if (!isfinite(loudness->sample_peak_dbfs)) {
        snprintf(text, size, "silent");
    } else if (!isfinite(loudness->integrated_lufs)) {
        snprintf(text, size, "%.1f dBTP", loudness->true_peak_dbtp);
    } else {
        snprintf(text, size, "%.1f LUFS, %.1f dBTP", loudness->integrated_lufs, loudness->true_peak_dbtp);
    }
}

static void print_deliverable(const struct cli_session *session, size_t index, int width)
{
    const struct graph_deliverable *deliverable = &session->compiled->graph->deliverables[index];
    const struct engine_delivered *delivered = &session->result.delivered[index];
    char path[PATH_SIZE], duration[TEXT_SIZE], loudness[TEXT_SIZE];
    cli_talk_clean(session->outputs.paths[index], path, sizeof path);
    cli_summary_duration((double)delivered->file.frames / deliverable->rate, duration, sizeof duration);
    fprintf(stderr, "%-*s  %9s", width, path, duration);
    if (delivered->has_loudness) {
        cli_summary_loudness(&delivered->reached, loudness, sizeof loudness);
        fprintf(stderr, "  %s", loudness);
    }
    if (delivered->gain_db < 0 || delivered->gain_db > 0) {
        fprintf(stderr, ", gain %+.3f dB", delivered->gain_db);
    }
    if (delivered->file.clipped > 0) {
        fprintf(stderr, ", %" PRIu64 " samples clipped", delivered->file.clipped);
    }
    fprintf(stderr, "%s%s%s%s\n", cli_reused(session, index) ? ", cached" : "",
            delivered->file.notes[0] != '\0' ? " (" : "", delivered->file.notes,
            delivered->file.notes[0] != '\0' ? ")" : "");
}

void cli_summary_print(const struct cli_session *session)
{
    size_t files = 0, width = 0;
    for (size_t i = 0; i < session->outputs.count; i++) {
        const char *path = session->outputs.paths[i];
        if (path != NULL) {
            files++;
            width = strlen(path) > width ? strlen(path) : width;
        }
    }
    width = width < TEXT_SIZE ? width : TEXT_SIZE;
    for (size_t i = 0; i < session->outputs.count; i++) {
        if (session->outputs.paths[i] != NULL) {
            print_deliverable(session, i, (int)width);
        }
    }
    cli_used_print(session);
    char duration[TEXT_SIZE];
    double rendered = (double)session->frames / session->compiled->graph->sample_rate;
    cli_summary_duration(rendered, duration, sizeof duration);
    if (cli_reused_all(session)) {
        fprintf(stderr, "%zu file%s from the cache in %.2f s\n", files, files == 1 ? "" : "s", session->wall_seconds);
        return;
    }
    fprintf(stderr, "%zu file%s, %s rendered in %.2f s", files, files == 1 ? "" : "s", duration, session->wall_seconds);
    if (rendered > 0) {
        fprintf(stderr, " (%.0fx realtime)", rendered / session->wall_seconds);
    }
    fputc('\n', stderr);
}
