/* SPDX-License-Identifier: MIT */
/* What the farm remembers, as plain values: jobs, shards and outputs, and how they hang together. The scheduler core
   keeps them in memory, the store keeps them on disk, and a `struct pulse_change` carries one from the first to the
   second. Texts are borrowed from whoever made the row.

       tenant 1 --- * job      asks for outputs, by key
       tenant 1 --- * output   absent (no row), promised (a shard will make it) or present (a blob holds it)
       shard  * --- * output   needs some, makes others; a shard belongs to a tenant, never to a job: whoever waits for
                               one of its outputs waits for it

   Same key, same bytes (graph/keys.h): an output is made once, whoever asks for it and however often. */
#ifndef PULSE_FARM_ROWS_H
#define PULSE_FARM_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest/digest.h"

#define PULSE_NAME_SIZE 65 /* of a worker, a tag: [A-Za-z0-9_.-]{1,64} and a NUL */
#define PULSE_SHARD_SPEC_MAX (64u << 20)
#define PULSE_SHARD_EDGES_MAX 65536 /* inputs or outputs of one shard */
#define PULSE_PRIORITY_MIN (-100)
#define PULSE_PRIORITY_MAX 100

enum pulse_job_state {
    PULSE_JOB_QUEUED = 0, /* committed; nothing was done for it yet */
    PULSE_JOB_PLANNING,   /* facts are asked for, or the plan is being made */
    PULSE_JOB_RUNNING,    /* its plan is admitted; it waits for outputs */
    PULSE_JOB_SUCCEEDED,
    PULSE_JOB_FAILED,
    PULSE_JOB_CANCELLED,
};

struct pulse_job_row {
    uint64_t id;     /* > 0, ascending over all tenants */
    uint64_t tenant; /* > 0 */
    int32_t priority;
    enum pulse_job_state state;
    const char *error; /* FAILED: JSON, an object with "message", "where" and what else is known; else "" */
};

enum pulse_shard_kind {
    PULSE_SHARD_PROBE = 0, /* facts of media and MIDI files */
    PULSE_SHARD_CONVERT,   /* media at the project's rate */
    PULSE_SHARD_RENDER,    /* a graph */
};

enum pulse_shard_state {
    PULSE_SHARD_WAITING = 0, /* some input is not present */
    PULSE_SHARD_READY,       /* may be claimed, from `not before` on */
    PULSE_SHARD_CLAIMED,     /* `owner` works on attempt `attempt` */
    PULSE_SHARD_DONE,
    PULSE_SHARD_FAILED,    /* for good; everyone who waits for it fails */
    PULSE_SHARD_CANCELLED, /* nobody waits for it any more */
};

/* What a worker has to be for a shard. Equal sets are one: they have the same digest. */
struct pulse_needs_row {
    struct lh_digest id;     /* of all that follows */
    const char *engine;      /* sound version and libraries, as the worker told: "1 libsndfile-1.2.0 ..." */
    const char *cpu_class;   /* "": any */
    const char *const *tags; /* each of them, ascending */
    size_t tag_count;
    const struct lh_digest *plugins; /* each of them installed: graph_plugin.digest, ascending */
    size_t plugin_count;
};

struct pulse_shard_row {
    uint64_t id; /* > 0, ascending */
    uint64_t tenant;
    enum pulse_shard_kind kind;
    enum pulse_shard_state state;
    struct lh_digest needs;      /* a pulse_needs_row */
    uint32_t cost_ms;            /* as planned */
    uint32_t attempt;            /* of the latest claim; the fencing token. 0: never claimed */
    char owner[PULSE_NAME_SIZE]; /* CLAIMED: the worker; else "" */
    uint32_t losses, failures;
    char failed_on[PULSE_NAME_SIZE]; /* the worker of the last failure; "" */
};

enum pulse_output_kind {
    PULSE_OUTPUT_FILE = 0,  /* a finished deliverable */
    PULSE_OUTPUT_STORED,    /* frames of a node: raw interleaved float32 */
    PULSE_OUTPUT_SUM,       /* of a PARTIAL: raw interleaved int64 */
    PULSE_OUTPUT_CONFORMED, /* a medium at the project's rate: raw interleaved float32 */
    PULSE_OUTPUT_FACTS,     /* what a probe said */
};

enum pulse_output_state { PULSE_OUTPUT_PROMISED = 0, PULSE_OUTPUT_PRESENT };

struct pulse_output_row {
    uint64_t tenant;
    struct lh_digest key;
    enum pulse_output_kind kind;
    enum pulse_output_state state;
    bool unproven;           /* its key is its job's alone: two makings may differ, which is no alarm */
    uint64_t shard;          /* that makes or made it */
    struct lh_digest digest; /* PRESENT: of the blob */
    uint64_t size;           /* bytes of the blob; PROMISED: as estimated, 0 when nobody knows */
    const void *facts;       /* PRESENT: what is told of it beside the bytes (engine_delivered of a FILE); opaque */
    size_t facts_size;
};

/* One change, to be committed with the others of its batch, in their order. Rows say what is now; they replace what
   was, so the same changes twice leave what they left once (EVENT and ALARM, which append, aside). Members that a kind
   does not name are zero. */
enum pulse_change_kind {
    PULSE_CHANGE_JOB = 0, /* job: its row as it is now */
    PULSE_CHANGE_WANT,   /* job.{id,tenant}, output.{tenant,key}: the job waits for this output. May be there already */
    PULSE_CHANGE_UNWANT, /* the same: it does no more. Wants of a final job stay: they are what it made */
    PULSE_CHANGE_NEEDS,  /* needs: a set that may be there already */
    PULSE_CHANGE_SHARD,  /* shard: its row as it is now */
    PULSE_CHANGE_SPEC,   /* shard.{id,tenant}: its spec and edges, once, after its row */
    PULSE_CHANGE_OUTPUT, /* output: its row as it is now */
    PULSE_CHANGE_ABSENT, /* output.{tenant,key}: its row goes, if there is one */
    PULSE_CHANGE_EVENT,  /* job.{id,tenant}, event: appended to what people are told, with the next sequence number */
    PULSE_CHANGE_ALARM,  /* event: what operators must see ("two digests for one key", a worker in quarantine) */
};

struct pulse_change {
    enum pulse_change_kind kind;
    struct pulse_job_row job;
    struct pulse_shard_row shard;
    struct pulse_output_row output;
    struct pulse_needs_row needs;
    /* SPEC */
    const void *spec; /* what the assignment carries, opaque to core and store */
    size_t spec_size;
    const char *trace;              /* of the job that it was planned for first, opaque; NULL: "" */
    const struct lh_digest *inputs; /* keys of outputs of the same tenant */
    size_t input_count;
    const struct lh_digest *outputs; /* keys */
    size_t output_count;
    /* EVENT, ALARM */
    const char *event; /* JSON object with at least "type" */
};

const char *pulse_job_state_name(enum pulse_job_state state);     /* "queued" ... as the HTTP contract names them */
const char *pulse_shard_state_name(enum pulse_shard_state state); /* "waiting" ... */
bool pulse_job_is_final(enum pulse_job_state state);
bool pulse_shard_is_final(enum pulse_shard_state state);

#endif
