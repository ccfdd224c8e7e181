/* SPDX-License-Identifier: MIT */
/* What a probe has shown of a plugin: a record for each binary, found by the plugin's URI and version and the digest of
   the binary, so that an update begins without any. One JSON file a record, named by the SHA-256 of
   "URI\nVERSION\nsha256:HEX\n"; no dates, so that the same probe of the same plugin writes the same file but for its
   speed. Any thread. */
#ifndef INVENTORY_EVIDENCE_H
#define INVENTORY_EVIDENCE_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/digest/digest.h"
#include "common/json/json.h"
#include "inventory/places.h"

enum inventory_evidence_status {
    INVENTORY_EVIDENCE_REPEATABLE = 0, /* the same bits in every process, and with a second instance beside it */
    INVENTORY_EVIDENCE_NOT_REPEATABLE,
    INVENTORY_EVIDENCE_FAULTY,  /* it crashed, hung or gave what is no number in some trial */
    INVENTORY_EVIDENCE_REFUSED, /* this host cannot run it */
};
#define INVENTORY_EVIDENCE_STATUS_COUNT 4

/* UNKNOWN: it was not tried, or the trial did not come to an end. */
enum inventory_verdict { INVENTORY_UNKNOWN = 0, INVENTORY_NO, INVENTORY_YES };

/* The lengths of runs that are tried; at each the quantum is the same, but 1024 for the ragged ones. */
enum inventory_block {
    INVENTORY_BLOCK_64 = 0,
    INVENTORY_BLOCK_512,
    INVENTORY_BLOCK_1024,
    INVENTORY_BLOCK_8192,
    INVENTORY_BLOCK_RAGGED
};
#define INVENTORY_BLOCK_COUNT 5
extern const char *const inventory_block_names[INVENTORY_BLOCK_COUNT]; /* "64", ..., "ragged" */

struct inventory_evidence {
    const char *uri, *version;
    struct lh_digest digest;
    uint32_t sound_version; /* of the engine that tried it */
    const char *cpu_class;  /* the processor's */
    enum inventory_evidence_status status;
    enum inventory_verdict across_runs; /* two processes, the same bits */
    enum inventory_verdict beside;      /* the same bits with a second instance in the process */
    enum inventory_verdict
        draws_random; /* the C library's random numbers change it: it repeats because they are pinned */
    enum inventory_verdict blocks[INVENTORY_BLOCK_COUNT]; /* the same bits as with runs of 1024 frames */
    enum inventory_verdict without_avx;   /* the same bits where the C library is told of no AVX and no FMA */
    enum inventory_verdict audible;       /* some output, for noise or notes */
    enum inventory_verdict self_sounding; /* some output without any input */
    bool has_latency, latency_changes;
    uint32_t latency_frames;
    bool has_tail;               /* it fell silent in time */
    double tail_seconds;         /* after its input ended, to -90 dBFS */
    double ns_per_frame;         /* 0: not known */
    const char *failed;          /* what was tried when it failed: "runs of 64 frames"; NULL: nothing failed */
    const char *message;         /* how; of REFUSED: why; NULL */
    const char *const *features; /* what it uses: "notes", "state", "worker", ... */
    size_t feature_count;
};

/* "repeatable", "not repeatable", "faulty", "refused". */
const char *inventory_evidence_status_text(enum inventory_evidence_status status);
/* Proven: what it gives may be merged and reused, even if it is faulty elsewhere, in longer runs, say: a crash gives
   nothing that could be reused. Evidence of another engine's sound does not count. */
bool inventory_evidence_is_repeatable(const struct inventory_evidence *evidence, uint32_t sound_version);
/* The same bits for all lengths of runs that were tried, which were all. */
enum inventory_verdict inventory_evidence_block_invariant(const struct inventory_evidence *evidence);

/* A member: true, false, or null for what is unknown. */
void inventory_verdict_emit(struct lh_json_emitter *emitter, const char *name, enum inventory_verdict verdict);

/* The record of this binary: this user's, else one that came with the system. *evidence is NULL when there is none (a
   damaged one is none); in the arena. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status inventory_evidence_find(struct lh_arena *arena, const struct inventory_places *places,
                                                    const char *uri, const char *version,
                                                    const struct lh_digest *digest,
                                                    const struct inventory_evidence **evidence);
/* Keeps it for this user. LH_ERR_IO, also when this user has no folder for it; LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status inventory_evidence_save(const struct inventory_places *places,
                                                    const struct inventory_evidence *evidence, struct lh_error *error);

/* The record's members, into an object that is open. */
void inventory_evidence_emit(struct lh_json_emitter *emitter, const struct inventory_evidence *evidence);
/* The record's text, as it is kept. */
void inventory_evidence_write(struct lh_writer *writer, const struct inventory_evidence *evidence);
/* From a record's text; texts in the arena. LH_ERR_FORMAT: it is none; LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status inventory_evidence_parse(struct lh_arena *arena, const char *text, size_t length,
                                                     struct inventory_evidence *evidence);

#endif
