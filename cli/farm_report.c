/* SPDX-License-Identifier: MIT */
/* Writes the report of a job. */
#include "cli/farm_report.h"

#include <stdio.h>
#include <string.h>

#include "cli/aside.h"
#include "cli/job.h"
#include "cli/report.h"
#include "common/json/json.h"
#include "engine/instance/delivery.h"

static void emit_artifact(struct lh_json_emitter *emitter, const struct cli_farm_report *report,
                          const Wire__Artifact *artifact)
{
    struct engine_delivered delivered;
    struct lh_digest digest;
    char path[4096], hex[LH_DIGEST_TEXT_SIZE] = "";
    lh_json_emit_object(emitter);
    lh_json_put_text(emitter, "name", artifact->name);
    if (report->folder != NULL) {
        snprintf(path, sizeof path, "%s/%s", report->folder, artifact->name);
        lh_json_put_text(emitter, "file", path);
    }
    lh_json_put_integer(emitter, "bytes", (int64_t)artifact->blob->size);
    if (artifact->blob->digest.len == sizeof digest.bytes) {
        memcpy(digest.bytes, artifact->blob->digest.data, sizeof digest.bytes);
        lh_digest_text(&digest, hex);
        lh_json_put_text(emitter, "fileSha256", hex);
    }
    if (artifact->has_facts &&
        engine_delivery_read(artifact->facts.data, artifact->facts.len, &delivered, &digest) == LH_OK) {
        cli_report_delivered(emitter, &delivered);
    }
    lh_json_emit_object_end(emitter);
}

static void emit_job(struct lh_json_emitter *emitter, const struct cli_farm_report *report)
{
    const Wire__Job *job = report->job;
    lh_json_emit_name(emitter, "job");
    lh_json_emit_object(emitter);
    lh_json_put_integer(emitter, "id", (int64_t)job->job);
    lh_json_put_text(emitter, "state", cli_job_state(job->state));
    lh_json_put_integer(emitter, "project", (int64_t)job->project);
    lh_json_put_integer(emitter, "revision", (int64_t)job->revision);
    lh_json_emit_object_end(emitter);
    lh_json_emit_name(emitter, "deliverables");
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < job->n_artifacts; i++) {
        emit_artifact(emitter, report, job->artifacts[i]);
    }
    lh_json_emit_array_end(emitter);
}

static void emit(struct lh_json_emitter *emitter, const struct cli_farm_report *report)
{
    lh_json_emit_object(emitter);
    lh_json_put_text(emitter, "status", report->exit_status == 0 ? "done" : "failed");
    lh_json_put_integer(emitter, "exitStatus", report->exit_status);
    lh_json_put_text(emitter, "project", report->project);
    lh_json_put_text(emitter, "projectFile", report->project_file);
    lh_json_put_real(emitter, "wallSeconds", report->seconds);
    lh_json_emit_name(emitter, "bytes");
    lh_json_emit_object(emitter);
    lh_json_put_integer(emitter, "hashed", (int64_t)report->hashed_bytes);
    lh_json_put_integer(emitter, "sent", (int64_t)report->sent_bytes);
    lh_json_put_integer(emitter, "shared", (int64_t)report->shared_bytes);
    lh_json_emit_object_end(emitter);
    if (report->job != NULL) {
        emit_job(emitter, report);
    }
    if (report->exit_status != 0) {
        lh_json_emit_name(emitter, "error");
        lh_json_emit_object(emitter);
        lh_json_put_text(emitter, "where", report->error->where);
        lh_json_put_text(emitter, "code", lh_status_text(report->error->code));
        lh_json_put_text(emitter, "message", report->error->message);
        lh_json_emit_object_end(emitter);
        cli_report_faults(emitter, report->faults);
    }
    lh_json_emit_object_end(emitter);
}

enum lh_status cli_farm_report_write(struct lh_arena *arena, const char *path, const struct cli_farm_report *report,
                                     struct lh_error *error)
{
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    struct cli_aside aside = CLI_ASIDE_NONE;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, false);
    emit(&emitter, report);
    enum lh_status status = lh_writer_status(&writer) == LH_OK ? LH_OK : lh_error_no_memory(error);
    if (status == LH_OK && strcmp(path, "-") == 0) {
        status = cli_report_print(&writer, error);
    } else if (status == LH_OK) {
        status = cli_aside_open(arena, path, &aside, error);
        status = status == LH_OK ? cli_aside_write(&aside, writer.data, writer.size, error) : status;
        status = status == LH_OK ? cli_aside_publish(&aside, error) : status;
        cli_aside_discard(&aside);
    }
    lh_writer_fini(&writer);
    return status;
}
