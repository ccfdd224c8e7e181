/* SPDX-License-Identifier: MIT */
/* Writes the report. What a value cannot say (the loudness of silence) is null. */
#include "cli/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/reuse.h"
#include "cli/used.h"
#include "common/json/json.h"

static const char *const format_names[GRAPH_FORMAT_COUNT] = {"wav",    "bwf",  "aiff", "flac",
                                                             "vorbis", "opus", "mp3",  "stored"};
static const char *const tap_names[] = {"post", "pre", "contribution"};

static void digest(struct lh_json_emitter *emitter, const char *name, const struct lh_digest *value)
{
    char hex[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(value, hex);
    lh_json_put_text(emitter, name, hex);
}

static void object(struct lh_json_emitter *emitter, const char *name)
{
    lh_json_emit_name(emitter, name);
    lh_json_emit_object(emitter);
}

static double positive_or_null(double value)
{
    return value > 0 ? value : NAN;
}

static void emit_loudness(struct lh_json_emitter *emitter, const char *name, const struct engine_loudness *loudness)
{
    object(emitter, name);
    lh_json_put_real(emitter, "integratedLufs", loudness->integrated_lufs);
    lh_json_put_real(emitter, "rangeLu", loudness->range_lu);
    lh_json_put_real(emitter, "truePeakDbtp", loudness->true_peak_dbtp);
    lh_json_put_real(emitter, "samplePeakDbfs", loudness->sample_peak_dbfs);
    lh_json_put_real(emitter, "maxMomentaryLufs", loudness->max_momentary_lufs);
    lh_json_put_real(emitter, "maxShortTermLufs", loudness->max_short_term_lufs);
    lh_json_emit_object_end(emitter);
}

void cli_report_delivered(struct lh_json_emitter *emitter, const struct engine_delivered *delivered)
{
    lh_json_put_integer(emitter, "frames", (int64_t)delivered->file.frames);
    if (delivered->file.has_samples) {
        digest(emitter, "samplesSha256", &delivered->file.samples);
    }
    if (delivered->has_loudness) {
        object(emitter, "loudness");
        emit_loudness(emitter, "measured", &delivered->measured);
        emit_loudness(emitter, "reached", &delivered->reached);
        lh_json_emit_object_end(emitter);
    }
    lh_json_put_real(emitter, "gainDb", delivered->gain_db);
    lh_json_put_integer(emitter, "clippedSamples", (int64_t)delivered->file.clipped);
    lh_json_put_text(emitter, "notes", delivered->file.notes[0] != '\0' ? delivered->file.notes : NULL);
}

static void emit_encoding(struct lh_json_emitter *emitter, const struct graph_deliverable *deliverable)
{
    lh_json_put_text(emitter, "format", format_names[deliverable->format]);
    if (deliverable->bit_depth != 0) {
        lh_json_put_integer(emitter, "bitDepth", deliverable->bit_depth);
        lh_json_put_text(emitter, "dither", deliverable->dither == GRAPH_DITHER_TPDF ? "tpdf" : "none");
    } else if (deliverable->has_quality) {
        lh_json_put_real(emitter, "quality", deliverable->quality);
    } else {
        lh_json_put_real(emitter, "bitrateKbps",
                         positive_or_null(deliverable->bitrate_kbps)); /* null: the format's own */
    }
    lh_json_put_integer(emitter, "sampleRate", deliverable->rate);
}

static void emit_deliverable(struct lh_json_emitter *emitter, const struct cli_session *session, size_t index)
{
    const struct graph *graph = session->compiled->graph;
    const struct graph_deliverable *deliverable = &graph->deliverables[index];
    const struct pulse_output *output = &session->compiled->outputs[index];
    const struct engine_delivered *delivered = &session->result.delivered[index];
    lh_json_emit_object(emitter);
    lh_json_put_text(emitter, "name", deliverable->name);
    lh_json_put_text(emitter, "file", session->outputs.paths[index]);
    lh_json_put_text(emitter, "source", session->project->tracks[output->track].id);
    lh_json_put_text(emitter, "tap", tap_names[session->project->deliverables[output->deliverable].tap]);
    emit_encoding(emitter, deliverable);
    lh_json_put_integer(emitter, "channels", graph->nodes[deliverable->node].channels);
    lh_json_put_integer(emitter, "startFrame", deliverable->start);
    lh_json_put_real(emitter, "seconds", (double)delivered->file.frames / deliverable->rate);
    lh_json_put_integer(emitter, "bytes", (int64_t)delivered->file.bytes);
    if (session->file_digests != NULL && session->outputs.fds[index] != STDOUT_FILENO) {
        digest(emitter, "fileSha256", &session->file_digests[index]);
    }
    if (session->render_keys != NULL) {
        digest(emitter, "renderKey", &session->render_keys[index]);
    }
    if (session->reused != NULL) {
        lh_json_put_bool(emitter, "cached", cli_reused(session, index));
    }
    lh_json_put_real(emitter, "tailSeconds", (double)delivered->tail_frames / graph->sample_rate);
    cli_report_delivered(emitter, delivered);
    lh_json_emit_object_end(emitter);
}

static void emit_sources(struct lh_json_emitter *emitter, const struct cli_session *session)
{
    lh_json_emit_name(emitter, "sources");
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < session->sources.count; i++) {
        const struct cli_source *source = &session->sources.items[i];
        if (source->fd < 0 || !source->known) {
            continue; /* not needed for what was asked */
        }
        lh_json_emit_object(emitter);
        lh_json_put_text(emitter, "id", session->project->media[i].id);
        lh_json_put_text(emitter, "file", source->path);
        lh_json_put_text(emitter, "format", source->facts.format);
        lh_json_put_integer(emitter, "sampleRate", source->facts.rate);
        lh_json_put_integer(emitter, "channels", source->facts.channels);
        lh_json_put_integer(emitter, "frames", (int64_t)source->facts.frames);
        if (source->has_digest) {
            digest(emitter, "digest", &source->digest);
        }
        lh_json_emit_object_end(emitter);
    }
    lh_json_emit_array_end(emitter);
}

static void emit_engine(struct lh_json_emitter *emitter, const struct cli_session *session)
{
    object(emitter, "engine");
    lh_json_put_text(emitter, "version", LOOPHOLE_VERSION);
    lh_json_put_integer(emitter, "soundVersion", ENGINE_SOUND_VERSION);
    lh_json_put_text(emitter, "libraries", session->libraries[0] != '\0' ? session->libraries : NULL);
    lh_json_put_text(emitter, "cpuClass", session->cpu_class[0] != '\0' ? session->cpu_class : NULL);
    lh_json_emit_object_end(emitter);
}

/* What need not be rendered, and what was kept for the next time. */
static void emit_cache(struct lh_json_emitter *emitter, const struct cli_session *session)
{
    const struct cli_remainder *remainder = &session->remainder;
    uint64_t files = 0;
    if (session->reused == NULL) {
        return;
    }
    for (size_t i = 0; i < session->outputs.count; i++) {
        files += cli_reused(session, i) ? 1 : 0;
    }
    object(emitter, "cache");
    lh_json_put_integer(emitter, "deliverables", (int64_t)files);
    lh_json_put_integer(emitter, "storedRead",
                        (int64_t)(remainder->local != NULL ? remainder->local->graph->stored_count : 0));
    lh_json_put_integer(emitter, "bytesRead", (int64_t)remainder->read_bytes);
    lh_json_put_integer(emitter, "storedKept", (int64_t)remainder->kept_count);
    lh_json_put_integer(emitter, "bytesKept", (int64_t)remainder->kept_bytes);
    lh_json_put_integer(emitter, "renderedFrames", (int64_t)session->frames);
    lh_json_emit_object_end(emitter);
}

static void emit_render(struct lh_json_emitter *emitter, const struct cli_session *session)
{
    const struct engine_render_result *result = &session->result;
    uint32_t sample_rate = session->compiled->graph->sample_rate;
    lh_json_put_integer(emitter, "sampleRate", sample_rate);
    lh_json_put_integer(emitter, "threads", session->request.threads);
    lh_json_put_integer(emitter, "block", result->block);
    lh_json_put_integer(emitter, "blocksInFlight", result->blocks_in_flight);
    lh_json_put_integer(emitter, "conformedMedia", (int64_t)result->conformed_media);
    object(emitter, "times");
    lh_json_put_real(emitter, "wallSeconds", session->wall_seconds);
    lh_json_put_real(emitter, "loadSeconds", session->load_seconds);
    lh_json_put_real(emitter, "compileSeconds", session->compile_seconds);
    lh_json_put_real(emitter, "renderSeconds", result->times.wall);
    lh_json_put_real(emitter, "firstBlockSeconds", positive_or_null(session->first_block_seconds));
    lh_json_put_real(emitter, "xRealtime",
                     positive_or_null((double)session->frames / sample_rate / session->wall_seconds));
    lh_json_put_real(emitter, "conformCpuSeconds", result->times.conform);
    lh_json_put_real(emitter, "mixCpuSeconds", result->times.mix);
    lh_json_put_real(emitter, "pluginCpuSeconds", result->times.plugins);
    lh_json_put_real(emitter, "meterCpuSeconds", result->times.meter);
    lh_json_put_real(emitter, "encodeCpuSeconds", result->times.encode);
    lh_json_emit_object_end(emitter);
    emit_cache(emitter, session);
    emit_sources(emitter, session);
    cli_used_emit(emitter, session);
    lh_json_emit_name(emitter, "deliverables");
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < session->outputs.count; i++) {
        if (session->outputs.paths[i] != NULL) {
            emit_deliverable(emitter, session, i);
        }
    }
    lh_json_emit_array_end(emitter);
}

void cli_report_faults(struct lh_json_emitter *emitter, const struct lh_faults *faults)
{
    lh_json_emit_name(emitter, "faults");
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < faults->stored; i++) {
        lh_json_emit_object(emitter);
        lh_json_put_text(emitter, "where", faults->items[i].where);
        lh_json_put_text(emitter, "code", lh_status_text(faults->items[i].code));
        lh_json_put_text(emitter, "message", faults->items[i].message);
        lh_json_emit_object_end(emitter);
    }
    lh_json_emit_array_end(emitter);
    lh_json_put_integer(emitter, "faultCount", (int64_t)faults->count);
}

static void emit_failure(struct lh_json_emitter *emitter, const struct cli_session *session)
{
    if (session->error.message[0] != '\0') {
        object(emitter, "error");
        lh_json_put_text(emitter, "where", session->error.where);
        lh_json_put_text(emitter, "code", lh_status_text(session->error.code));
        lh_json_put_text(emitter, "message", session->error.message);
        lh_json_emit_object_end(emitter);
    }
    cli_report_faults(emitter, &session->faults);
}

enum lh_status cli_report_text(const struct cli_session *session, int exit_status, struct lh_writer *writer)
{
    struct lh_json_emitter emitter;
    lh_json_emit_init(&emitter, writer, false);
    lh_json_emit_object(&emitter);
    lh_json_put_text(&emitter, "status", session->published ? "done" : "failed");
    lh_json_put_integer(&emitter, "exitStatus", exit_status);
    lh_json_put_text(&emitter, "project", session->project != NULL ? session->project->name : NULL);
    lh_json_put_text(&emitter, "projectFile", session->request.project);
    emit_engine(&emitter, session);
    if (session->published) {
        emit_render(&emitter, session);
    } else {
        emit_failure(&emitter, session);
    }
    lh_json_emit_object_end(&emitter);
    return lh_writer_status(writer);
}

enum lh_status cli_report_print(const struct lh_writer *writer, struct lh_error *error)
{
    if (fwrite(writer->data, 1, writer->size, stdout) != writer->size || fflush(stdout) != 0) {
        return lh_error_set(error, LH_ERR_IO, "standard output", "cannot be written: %s", strerror(errno));
    }
    return LH_OK;
}

enum lh_status cli_report_check(const struct cli_session *session, struct lh_error *error)
{
    const char *path = session->request.report_path;
    struct stat report, project;
    if (session->request.project != NULL && stat(path, &report) == 0 && stat(session->request.project, &project) == 0 &&
        report.st_dev == project.st_dev && report.st_ino == project.st_ino) {
        return lh_error_set(error, LH_ERR_USAGE, "--report", "%s is the project itself; name another file", path);
    }
    if (cli_sources_contain(&session->sources, path)) {
        return lh_error_set(error, LH_ERR_USAGE, "--report", "%s is one of the sources; name another file", path);
    }
    return LH_OK;
}

enum lh_status cli_report_write(struct cli_session *session, int exit_status, struct lh_error *error)
{
    const char *path = session->request.report_path;
    struct lh_writer writer;
    lh_writer_init(&writer);
    enum lh_status status = cli_report_text(session, exit_status, &writer);
    if (status != LH_OK) {
        (void)lh_error_no_memory(error);
    } else if (strcmp(path, "-") == 0) {
        status = cli_report_print(&writer, error);
    } else {
        if (session->report.fd < 0) { /* failed before the render */
            status = cli_report_check(session, error);
            status = status == LH_OK ? cli_aside_open(&session->arena, path, &session->report, error) : status;
        }
        status = status == LH_OK ? cli_aside_write(&session->report, writer.data, writer.size, error) : status;
        status = status == LH_OK ? cli_aside_publish(&session->report, error) : status;
    }
    lh_writer_fini(&writer);
    return status;
}
