/* SPDX-License-Identifier: MIT */
/* loophole-pulse without one of its protections, for tests that have to notice: the linker puts these functions in the
   place of the real ones (--wrap), and LOOPHOLE_TEST_WITHOUT says which is missing.

       leases     a silent worker keeps its shards for ever
       losses     nobody takes up what was lost
       fencing    a late result passes for that of the current attempt
       commits    that a job was taken is said a second before it is committed
       rejoining  a worker that comes back over another connection is not heard
       digests    a result that comes over the network is kept as what it was announced as

   With LOOPHOLE_TEST_SPOIL a bit of the first result that comes over the network is another one. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/blobs/blobs.h"
#include "pulse-daemon/farm/beat.h"
#include "pulse-daemon/farm/report.h"
#include "pulse-daemon/farm/task.h"
#include "pulse-daemon/service/workers_parts.h"
#include "pulse-daemon/store/store.h"

#define LATE_S 1
#define HOSTS_MAX 8

static bool is_without(const char *what)
{
    const char *without = getenv("LOOPHOLE_TEST_WITHOUT");
    return without != NULL && strcmp(without, what) == 0;
}

/* ---- leases ---- */

void __real_pulse_farm_lease_due(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);

void __wrap_pulse_farm_lease_due(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    if (is_without("leases")) {
        shard->claim->lease_ns = farm->now_ns + farm->options.lease_ns;
    }
    __real_pulse_farm_lease_due(farm, shard);
}

/* ---- losses ---- */

void __real_pulse_farm_task_lost(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *reason);

/* All claims of a worker have to go with it: those are lost even so. */
void __wrap_pulse_farm_task_lost(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *reason)
{
    static const char with_worker[] = "the worker has ";
    if (!is_without("losses") || strncmp(reason, with_worker, sizeof with_worker - 1) == 0) {
        __real_pulse_farm_task_lost(farm, shard, reason);
    }
}

void __real_pulse_farm_task_returned(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);

/* Nor what a worker gives back because it was withdrawn after all. */
void __wrap_pulse_farm_task_returned(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    if (!is_without("losses")) {
        __real_pulse_farm_task_returned(farm, shard);
    }
}

/* ---- fencing ---- */

void __real_pulse_farm_report_complete(struct pulse_farm *farm, const struct pulse_farm_event *event);

void __wrap_pulse_farm_report_complete(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    const struct pulse_farm_shard_entry *shard = pulse_farm_find_shard(farm, event->shard);
    if (!is_without("fencing") || shard == NULL || shard->claim == NULL || shard->attempt == event->attempt) {
        __real_pulse_farm_report_complete(farm, event);
        return;
    }
    struct pulse_farm_event forged = *event;
    forged.worker = shard->claim->worker->name;
    forged.attempt = shard->attempt;
    __real_pulse_farm_report_complete(farm, &forged);
}

/* ---- commits ---- */

enum lh_status __real_pulse_store_apply(struct pulse_store *store, const struct pulse_change *changes, size_t count,
                                        uint64_t *first_event, struct lh_error *error);
enum lh_status __real_pulse_store_begin(struct pulse_store *store, int64_t now_ms, struct lh_error *error);
enum lh_status __real_pulse_store_commit(struct pulse_store *store, struct lh_error *error);

static bool takes_job, postponed; /* the open transaction */

enum lh_status __wrap_pulse_store_apply(struct pulse_store *store, const struct pulse_change *changes, size_t count,
                                        uint64_t *first_event, struct lh_error *error)
{
    for (size_t i = 0; i < count; i++) {
        takes_job = takes_job || (changes[i].kind == PULSE_CHANGE_JOB && changes[i].job.state <= PULSE_JOB_PLANNING);
    }
    return __real_pulse_store_apply(store, changes, count, first_event, error);
}

/* What was put off is done before anything else. */
enum lh_status __wrap_pulse_store_begin(struct pulse_store *store, int64_t now_ms, struct lh_error *error)
{
    enum lh_status status = LH_OK;
    if (postponed) {
        postponed = false;
        nanosleep(&(struct timespec){.tv_sec = LATE_S}, NULL);
        status = __real_pulse_store_commit(store, error);
    }
    takes_job = false;
    return status == LH_OK ? __real_pulse_store_begin(store, now_ms, error) : status;
}

enum lh_status __wrap_pulse_store_commit(struct pulse_store *store, struct lh_error *error)
{
    postponed = is_without("commits") && takes_job;
    return postponed ? LH_OK : __real_pulse_store_commit(store, error);
}

/* ---- rejoining ---- */

void __real_pulse_workers_hello(struct pulse_workers *workers, struct pulse_session *session,
                                const Wire__Envelope *envelope);

void __wrap_pulse_workers_hello(struct pulse_workers *workers, struct pulse_session *session,
                                const Wire__Envelope *envelope)
{
    static struct {
        char name[PULSE_NAME_SIZE];
        uint64_t peer;
    } hosts[HOSTS_MAX];
    if (is_without("rejoining")) {
        size_t at = 0;
        while (at < HOSTS_MAX - 1 && hosts[at].peer != 0 && strcmp(hosts[at].name, envelope->hello->name) != 0) {
            at++;
        }
        if (hosts[at].peer != 0 && hosts[at].peer != session->peer) {
            return;
        }
        snprintf(hosts[at].name, sizeof hosts[at].name, "%s", envelope->hello->name);
        hosts[at].peer = session->peer;
    }
    __real_pulse_workers_hello(workers, session, envelope);
}

/* ---- digests ---- */

static _Atomic(struct lh_blobs_put *) spoiled; /* until it is */
static struct lh_blobs *spoiled_among;

static bool take_spoiled(struct lh_blobs_put *put)
{
    return atomic_compare_exchange_strong(&spoiled, &put, NULL);
}

enum lh_status __real_lh_blobs_put_begin(struct lh_blobs *blobs, const struct lh_digest *announced, uint64_t size,
                                         enum lh_blobs_kind kind, struct lh_blobs_put **put, struct lh_error *error);
enum lh_status __real_lh_blobs_put_write(struct lh_blobs_put *put, const void *data, size_t size,
                                         struct lh_error *error);
enum lh_status __real_lh_blobs_put_finish(struct lh_blobs_put *put, struct lh_blob *blob, struct lh_error *error);

/* What workers bring is not KEPT at first. */
enum lh_status __wrap_lh_blobs_put_begin(struct lh_blobs *blobs, const struct lh_digest *announced, uint64_t size,
                                         enum lh_blobs_kind kind, struct lh_blobs_put **put, struct lh_error *error)
{
    static atomic_bool chosen;
    enum lh_status status = __real_lh_blobs_put_begin(blobs, announced, size, kind, put, error);
    if (status == LH_OK && kind == LH_BLOBS_CACHED && announced != NULL && getenv("LOOPHOLE_TEST_SPOIL") != NULL &&
        !atomic_exchange(&chosen, true)) {
        spoiled_among = blobs;
        atomic_store(&spoiled, *put);
    }
    return status;
}

enum lh_status __wrap_lh_blobs_put_write(struct lh_blobs_put *put, const void *data, size_t size,
                                         struct lh_error *error)
{
    uint8_t *copy = size > 0 && !is_without("digests") && take_spoiled(put) ? malloc(size) : NULL;
    if (copy == NULL) {
        return __real_lh_blobs_put_write(put, data, size, error);
    }
    memcpy(copy, data, size);
    copy[size / 2] ^= 1;
    enum lh_status status = __real_lh_blobs_put_write(put, copy, size, error);
    free(copy);
    return status;
}

/* As if nobody had looked: the other bit is in the file that has the announced digest's name. */
enum lh_status __wrap_lh_blobs_put_finish(struct lh_blobs_put *put, struct lh_blob *blob, struct lh_error *error)
{
    enum lh_status status = __real_lh_blobs_put_finish(put, blob, error);
    struct lh_blob found;
    struct lh_error ignored = LH_ERROR_INIT;
    int fd;
    if (status == LH_OK && is_without("digests") && take_spoiled(put) &&
        lh_blobs_read(spoiled_among, &blob->digest, &fd, &found, &ignored) == LH_OK) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int writing = open(path, O_RDWR | O_CLOEXEC);
        off_t middle = (off_t)(blob->size / 2);
        uint8_t byte;
        if (writing < 0 || pread(writing, &byte, 1, middle) != 1 ||
            pwrite(writing, &(uint8_t){byte ^ 1}, 1, middle) != 1) {
            abort();
        }
        close(writing);
        close(fd);
    }
    return status;
}
