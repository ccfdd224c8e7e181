/* SPDX-License-Identifier: MIT */
/* What Pulse knows for good: SQLite in a file or PostgreSQL, behind the same calls. What is committed is on the disk.

   A handle is one connection and belongs to one thread at a time; a second handle for reading serves status queries
   beside the writer. One Pulse leads a store: pulse_store_lead() raises the epoch, and every transaction checks it, so
   that a Pulse that was thought dead can write nothing more.

       open -> migrate -> lead -> load -> { begin -> apply, put ... -> commit | rollback }... -> close

   Writes belong into a transaction; reads may stand in one or alone. Nothing may be called from inside a callback.
   Ids and sizes are up to INT64_MAX, texts are UTF-8 without U+0000; whatever is not gets LH_ERR_INVALID or
   LH_ERR_LIMIT before the store sees it. Times are milliseconds since 1970, told by the caller.

   Errors, of every call:
   LH_ERR_UNAVAILABLE  the server restarts, is cut off or has no room for another connection, or another process
                       holds the file's lock for long. Whether a commit that ends so took place is not known: load
                       again. The handle connects anew at the next begin or read, and still leads if nobody took over.
   LH_ERR_TAKEN_OVER   another Pulse leads. Stop.
   LH_ERR_IO           the disk is full or broken; nothing of the transaction is kept.
   LH_ERR_FORMAT       the database is damaged, or is none.
   LH_ERR_UNSUPPORTED  a newer Pulse has migrated it.
   LH_ERR_INTERNAL     a row breaks a constraint: a fault of the caller's.
   LH_ERR_NO_MEMORY
   LH_ERR_CONFLICT and LH_ERR_MISSING change nothing. After any other failed write or commit a transaction can only be
   rolled back. */
#ifndef PULSE_STORE_STORE_H
#define PULSE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "pulse-daemon/farm/rows.h"

#define PULSE_STORE_TEXT_MAX (1u << 20) /* bytes of a text: event, error, options, message */
#define PULSE_STORE_BLOB_MAX (64u << 20)

struct pulse_store;

enum pulse_store_access { PULSE_STORE_WRITE = 0, PULSE_STORE_READ };

/* "sqlite:PATH" (made when it is not there and access is WRITE) or "postgresql://...". LH_ERR_USAGE: neither, a wrong
   password, no such database. */
LH_NODISCARD enum lh_status pulse_store_open(const char *url, enum pulse_store_access access,
                                             struct pulse_store **store, struct lh_error *error);
void pulse_store_close(struct pulse_store *store); /* rolls back what is open; accepts NULL */

/* Brings the tables to the newest form, each step in a transaction; several processes may try at once. */
LH_NODISCARD enum lh_status pulse_store_migrate(struct pulse_store *store, int64_t now_ms, struct lh_error *error);

/* Takes over: from the moment this returns nobody else's transaction can commit. Waits for one that is being committed
   now. `holder` tells people who it is. */
LH_NODISCARD enum lh_status pulse_store_lead(struct pulse_store *store, const char *holder, int64_t now_ms,
                                             uint64_t *epoch, struct lh_error *error);

LH_NODISCARD enum lh_status pulse_store_begin(struct pulse_store *store, int64_t now_ms, struct lh_error *error);
LH_NODISCARD enum lh_status pulse_store_commit(struct pulse_store *store, struct lh_error *error);
void pulse_store_rollback(struct pulse_store *store); /* does nothing when nothing is open */

/* A batch of the core's. Any order and any number: of several changes of one row the last counts; rows that others
   refer to are written first. That the database refuses it may show as late as in the commit. `first_event` (may be
   NULL): the sequence number of the first EVENT; the others follow without a gap. */
LH_NODISCARD enum lh_status pulse_store_apply(struct pulse_store *store, const struct pulse_change *changes,
                                              size_t count, uint64_t *first_event, struct lh_error *error);

/* The highest number ever given; 0: none yet. They are never given again, whatever is pruned. */
struct pulse_store_numbers {
    uint64_t job, shard, event;
};

/* Everything that the core is rebuilt from, as changes, in the order that pulse_farm_load() asks for: NEEDS of live
   shards; JOB, live ones; OUTPUT: all that are promised, and the inputs and outputs of live shards and the wants of
   live jobs if they are present; live shards by id, SHARD and then SPEC (`spec` NULL: pulse_store_spec() reads it when
   it is wanted); WANT of live jobs. Live: not final. One snapshot. What a change points to is good during the callback
   only. A status other than LH_OK ends it and is returned. */
typedef enum lh_status pulse_store_take_change(void *context, const struct pulse_change *change);
LH_NODISCARD enum lh_status pulse_store_load(struct pulse_store *store, pulse_store_take_change *take, void *context,
                                             struct pulse_store_numbers *numbers, struct lh_error *error);

/* A shard's spec, in the arena. LH_ERR_MISSING. */
struct pulse_spec {
    const void *data;
    size_t size;
    const char *trace; /* of the job that it was planned for first; "" */
};
LH_NODISCARD enum lh_status pulse_store_spec(struct pulse_store *store, uint64_t tenant, uint64_t shard,
                                             struct lh_arena *arena, struct pulse_spec *spec, struct lh_error *error);

/* The same of several, of those that are there, in any order; `index` into `shards`. `spec` is good during the callback
   only. */
struct pulse_shard_name {
    uint64_t tenant, shard;
};
typedef enum lh_status pulse_store_take_spec(void *context, size_t index, const struct pulse_spec *spec);
LH_NODISCARD enum lh_status pulse_store_specs(struct pulse_store *store, const struct pulse_shard_name *shards,
                                              size_t count, pulse_store_take_spec *take, void *context,
                                              struct lh_error *error);

/* Those of the outputs that have a row, in any order; `index` into `keys`. */
typedef enum lh_status pulse_store_take_output(void *context, size_t index, const struct pulse_output_row *output);
LH_NODISCARD enum lh_status pulse_store_outputs(struct pulse_store *store, uint64_t tenant,
                                                const struct lh_digest *keys, size_t count,
                                                pulse_store_take_output *take, void *context, struct lh_error *error);
/* They are used now: what was used longest ago is evicted first. */
LH_NODISCARD enum lh_status pulse_store_outputs_touch(struct pulse_store *store, uint64_t tenant,
                                                      const struct lh_digest *keys, size_t count,
                                                      struct lh_error *error);
/* Present outputs that no live job wants and that free room when they are let go, used longest ago first, up to
   `limit`. Whether a live shard needs one the core knows: it is the core that makes them absent. */
LH_NODISCARD enum lh_status pulse_store_outputs_idle(struct pulse_store *store, uint64_t tenant, size_t limit,
                                                     pulse_store_take_output *take, void *context,
                                                     struct lh_error *error);

/* What is inconsistent, each as a sentence with its place ("shard 7 of tenant 1"). A read of one snapshot beside a
   living Pulse. *found: how many faults. Whether blobs are there and whole is the media store's to check. */
typedef void pulse_store_report(void *context, const char *where, const char *fault);
LH_NODISCARD enum lh_status pulse_store_check(struct pulse_store *store, pulse_store_report *report, void *context,
                                              size_t *found, struct lh_error *error);

/* Forgets what is over: jobs that ended before `jobs_before_ms` with their requests, wants, events and artifacts;
   shards that ended before then; events before `events_before_ms`. The newest of each always stays. At most `limit`
   rows of each, so that a transaction stays short; *removed of all kinds, 0: nothing is left to do. */
struct pulse_retention {
    int64_t jobs_before_ms, events_before_ms;
    size_t limit;
};
LH_NODISCARD enum lh_status pulse_store_prune(struct pulse_store *store, const struct pulse_retention *retention,
                                              size_t *removed, struct lh_error *error);

#endif
