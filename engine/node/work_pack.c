/* SPDX-License-Identifier: MIT */
/* Outputs become blobs: their digests are taken by this process, from files that nobody else has open any more. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "engine/instance/delivery.h"
#include "engine/node/work_parts.h"

#define PIECE_SIZE ((size_t)1 << 20)

static enum lh_status cancelled(struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_CANCELLED, NULL, "cancelled");
}

static enum lh_status hash(struct engine_job *job, struct lh_hasher *hasher, uint8_t *piece, int fd, uint64_t size,
                           struct lh_error *error)
{
    for (uint64_t at = 0; at < size;) {
        size_t length = size - at < PIECE_SIZE ? (size_t)(size - at) : PIECE_SIZE;
        int code = lh_file_read_at(fd, piece, length, at);
        if (code != 0) {
            return lh_error_set(error, LH_ERR_IO, NULL, "an output cannot be read back: %s", strerror(code));
        }
        lh_hasher_update(hasher, piece, length);
        at += length;
        job->claim.moved(job->claim.context, length);
        if (!engine_job_goes_on(job)) {
            return cancelled(error);
        }
    }
    return LH_OK;
}

static enum lh_status tell_of(struct engine_job *job, size_t output, struct engine_made *made, struct lh_error *error)
{
    if (job->shard.outputs[output].kind != GRAPH_SHARD_OUT_FILE) {
        return LH_OK;
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_delivery_write(&writer, &job->delivered[job->shard.outputs[output].index], &made->digest);
    uint8_t *facts = lh_writer_status(&writer) == LH_OK ? lh_arena_alloc(&job->attempt->arena, writer.size) : NULL;
    if (facts != NULL) {
        memcpy(facts, writer.data, writer.size);
        made->facts = facts;
        made->facts_size = writer.size;
    }
    lh_writer_fini(&writer);
    return facts != NULL ? LH_OK : lh_error_no_memory(error);
}

/* The digests of all, before the first is handed over. */
static enum lh_status hash_all(struct engine_job *job, struct engine_made *made, struct lh_hasher *hasher,
                               struct lh_error *error)
{
    uint8_t *piece = lh_arena_alloc(&job->attempt->assigned, PIECE_SIZE);
    if (piece == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < job->shard.output_count; i++) {
        struct stat info;
        if (fstat(job->crates[i].fd, &info) != 0) {
            return lh_error_set(error, LH_ERR_IO, NULL, "an output cannot be looked at: %s", strerror(errno));
        }
        made[i] = (struct engine_made){
            .key = job->shard.outputs[i].key, .size = (uint64_t)info.st_size, .crate = ENGINE_CRATE_NONE};
        enum lh_status status = hash(job, hasher, piece, job->crates[i].fd, made[i].size, error);
        lh_hasher_finish(hasher, &made[i].digest);
        status = status == LH_OK ? tell_of(job, i, &made[i], error) : status;
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

static enum lh_status ship_all(struct engine_job *job, struct engine_made *made, struct lh_error *error)
{
    for (size_t i = 0; i < job->shard.output_count; i++) {
        enum lh_status status = engine_carrier_ship(job->tools->carrier, &job->claim, &job->crates[i], &made[i].digest,
                                                    made[i].size, error);
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

enum lh_status engine_job_pack(struct engine_job *job, struct lh_error *error)
{
    struct engine_outcome *outcome = &job->attempt->outcome;
    size_t count = job->shard.output_count;
    struct engine_made *made = lh_arena_array(&job->attempt->arena, count, sizeof *made);
    struct lh_hasher *hasher = NULL;
    if (made == NULL || lh_hasher_new(&hasher) != LH_OK) {
        return lh_error_no_memory(error);
    }
    job->phase = ENGINE_PHASE_PACK;
    uint64_t begun = lh_clock_monotonic_ns();
    enum lh_status status = hash_all(job, made, hasher, error);
    lh_hasher_free(hasher);
    outcome->spent.hash_ns = lh_clock_monotonic_ns() - begun;
    if (status == LH_OK) {
        job->phase = ENGINE_PHASE_SHIP;
        status = ship_all(job, made, error);
    }
    if (status == LH_OK) {
        for (size_t i = 0; i < count; i++) {
            made[i].crate = job->crates[i];
            engine_crate_close(&made[i].crate);
            job->crates[i] = ENGINE_CRATE_NONE;
        }
        outcome->made = made;
        outcome->made_count = count;
    }
    return status;
}
