/* SPDX-License-Identifier: MIT */
/* A PROBE: what the instance says of files, as facts. */
#include <errno.h>
#include <string.h>

#include "common/base/file.h"
#include "engine/node/work_parts.h"
#include "graph/facts.h"

/* The inputs of one kind. */
struct batch {
    int *fds;
    size_t *inputs;
    size_t count;
};

static enum lh_status collect(struct engine_job *job, enum graph_shard_input_kind kind, struct batch *batch)
{
    size_t count = job->shard.input_count;
    batch->fds = lh_arena_array(&job->attempt->assigned, count, sizeof *batch->fds);
    batch->inputs = lh_arena_array(&job->attempt->assigned, count, sizeof *batch->inputs);
    if (batch->fds == NULL || batch->inputs == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        if (job->shard.inputs[i].kind == kind) {
            batch->fds[batch->count] = job->inputs[i];
            batch->inputs[batch->count++] = i;
        }
    }
    return LH_OK;
}

/* That a file cannot be read is a fact; that the machine failed is none. */
static bool is_fact(enum lh_status status)
{
    return status == LH_OK || status == LH_ERR_FORMAT || status == LH_ERR_LIMIT || status == LH_ERR_UNSUPPORTED;
}

static enum lh_status write_facts(struct engine_job *job, size_t input, const struct graph_file_facts *facts,
                                  const struct lh_error *told, struct lh_error *error)
{
    if (!is_fact(facts->status)) {
        *error = *told;
        return facts->status;
    }
    const struct engine_crate *crate = &job->crates[input]; /* a probe's outputs stand as its inputs do */
    struct lh_writer writer;
    lh_writer_init(&writer);
    graph_facts_write(&writer, facts);
    enum lh_status status = lh_writer_status(&writer) == LH_OK ? LH_OK : lh_error_no_memory(error);
    int code = status == LH_OK ? lh_file_write_at(crate->fd, writer.data, writer.size, 0) : 0;
    lh_writer_fini(&writer);
    return code == 0 ? status : lh_error_set(error, LH_ERR_IO, NULL, "facts cannot be written: %s", strerror(code));
}

static enum lh_status probe_media(struct engine_job *job, struct lh_error *error)
{
    struct batch batch = {.count = 0};
    enum lh_status status = collect(job, GRAPH_SHARD_MEDIUM, &batch);
    struct engine_probe *probes = lh_arena_array(&job->attempt->assigned, batch.count, sizeof *probes);
    if (status != LH_OK || probes == NULL) {
        return lh_error_no_memory(error);
    }
    status = batch.count > 0 ? engine_instance_probe(job->instance, batch.fds, batch.count, probes, error) : LH_OK;
    for (size_t i = 0; status == LH_OK && i < batch.count; i++) {
        const struct engine_media_facts *known = &probes[i].facts;
        bool good = probes[i].status == LH_OK;
        struct graph_file_facts facts = {.status = probes[i].status, .message = probes[i].error.message, .format = ""};
        if (good) {
            facts = (struct graph_file_facts){
                .message = "",
                .frames = known->frames,
                .rate = known->rate,
                .channels = known->channels,
                .lossy = known->access == ENGINE_ACCESS_LINEAR,
                .bits = known->bits,
                .format = known->format,
            };
        }
        status = write_facts(job, batch.inputs[i], &facts, &probes[i].error, error);
    }
    return status;
}

static enum lh_status write_score(struct engine_job *job, size_t input, const struct engine_midi_probe *probe,
                                  struct lh_error *error)
{
    bool good = probe->status == LH_OK;
    struct graph_file_facts facts = {
        .status = probe->status, .message = good ? "" : probe->error.message, .is_midi = true, .format = ""};
    struct graph_midi_note *notes = NULL;
    if (good) {
        notes = lh_arena_array(&job->attempt->assigned, probe->midi.event_count, sizeof *notes);
        if (notes == NULL) {
            return lh_error_no_memory(error);
        }
        for (size_t i = 0; i < probe->midi.event_count; i++) {
            const struct engine_midi_event *event = &probe->midi.events[i];
            notes[i] = (struct graph_midi_note){.at = event->at, .track = event->track, .size = event->size};
            memcpy(notes[i].bytes, event->bytes, event->size);
        }
        facts.seconds = probe->midi.seconds;
        facts.tracks = probe->midi.tracks;
        facts.length = probe->midi.length;
        facts.notes = notes;
        facts.note_count = probe->midi.event_count;
    }
    return write_facts(job, input, &facts, &probe->error, error);
}

static enum lh_status probe_midi(struct engine_job *job, struct lh_error *error)
{
    struct batch batch = {.count = 0};
    enum lh_status status = collect(job, GRAPH_SHARD_MIDI, &batch);
    struct engine_midi_probe *probes = lh_arena_array(&job->attempt->assigned, batch.count, sizeof *probes);
    if (status != LH_OK || probes == NULL) {
        return lh_error_no_memory(error);
    }
    if (batch.count == 0) {
        return LH_OK;
    }
    status = engine_instance_read_midi(job->instance, batch.fds, batch.count, probes, error);
    if (status != LH_OK) {
        return status;
    }
    for (size_t i = 0; i < batch.count; i++) {
        status = status == LH_OK ? write_score(job, batch.inputs[i], &probes[i], error) : status;
        if (probes[i].status == LH_OK) {
            engine_midi_fini(&probes[i].midi);
        }
    }
    return status;
}

enum lh_status engine_job_probe(struct engine_job *job, struct lh_error *error)
{
    enum lh_status status = probe_media(job, error);
    return status == LH_OK ? probe_midi(job, error) : status;
}
