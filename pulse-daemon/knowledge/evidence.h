/* SPDX-License-Identifier: MIT */
/* What a probe has shown of a plugin: a record for each binary, found by the plugin's URI and version and the digest of
   the binary, so that an update begins without any. One JSON file a record, named by the SHA-256 of
   "URI\nVERSION\nsha256:HEX\n"; no dates, so that the same probe of the same plugin writes the same file but for its
   speed. Any thread. */
#ifndef PULSE_KNOWLEDGE_EVIDENCE_H
#define PULSE_KNOWLEDGE_EVIDENCE_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/digest/digest.h"
#include "common/json/json.h"
#include "pulse-daemon/knowledge/places.h"

enum pulse_evidence_status {
    PULSE_EVIDENCE_REPEATABLE = 0, /* the same bits in every process, and with a second instance beside it */
    PULSE_EVIDENCE_NOT_REPEATABLE,
    PULSE_EVIDENCE_FAULTY,  /* it crashed, hung or gave what is no number in some trial */
    PULSE_EVIDENCE_REFUSED, /* this host cannot run it */
};
#define PULSE_EVIDENCE_STATUS_COUNT 4

/* UNKNOWN: it was not tried, or the trial did not come to an end. */
enum pulse_verdict { PULSE_UNKNOWN = 0, PULSE_NO, PULSE_YES };

/* The lengths of runs that are tried; at each the quantum is the same, but 1024 for the ragged ones. */
enum pulse_block { PULSE_BLOCK_64 = 0, PULSE_BLOCK_512, PULSE_BLOCK_1024, PULSE_BLOCK_8192, PULSE_BLOCK_RAGGED };
#define PULSE_BLOCK_COUNT 5
extern const char *const pulse_block_names[PULSE_BLOCK_COUNT]; /* "64", ..., "ragged" */

struct pulse_evidence {
    const char *uri, *version;
    struct lh_digest digest;
    uint32_t sound_version; /* of the engine that tried it */
    const char *cpu_class;  /* the processor's */
    enum pulse_evidence_status status;
    enum pulse_verdict across_runs;  /* two processes, the same bits */
    enum pulse_verdict beside;       /* the same bits with a second instance in the process */
    enum pulse_verdict draws_random; /* the C library's random numbers change it: it repeats because they are pinned */
    enum pulse_verdict blocks[PULSE_BLOCK_COUNT]; /* the same bits as with runs of 1024 frames */
    enum pulse_verdict without_avx;               /* the same bits where the C library is told of no AVX and no FMA */
    enum pulse_verdict audible;                   /* some output, for noise or notes */
    enum pulse_verdict self_sounding;             /* some output without any input */
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
const char *pulse_evidence_status_text(enum pulse_evidence_status status);
/* Proven: what it gives may be merged and reused, even if it is faulty elsewhere, in longer runs, say: a crash gives
   nothing that could be reused. Evidence of another engine's sound does not count. */
bool pulse_evidence_is_repeatable(const struct pulse_evidence *evidence, uint32_t sound_version);
/* The same bits for all lengths of runs that were tried, which were all. */
enum pulse_verdict pulse_evidence_block_invariant(const struct pulse_evidence *evidence);

/* The record of this binary: this user's, else one that came with the system. *evidence is NULL when there is none (a
   damaged one is none); in the arena. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_evidence_find(struct lh_arena *arena, const struct pulse_places *places,
                                                const char *uri, const char *version, const struct lh_digest *digest,
                                                const struct pulse_evidence **evidence);
/* Keeps it for this user. LH_ERR_IO, also when this user has no folder for it; LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_evidence_save(const struct pulse_places *places,
                                                const struct pulse_evidence *evidence, struct lh_error *error);

/* The record's members, into an object that is open. */
void pulse_evidence_emit(struct lh_json_emitter *emitter, const struct pulse_evidence *evidence);
/* From a record's text; texts in the arena. LH_ERR_FORMAT: it is none; LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_evidence_parse(struct lh_arena *arena, const char *text, size_t length,
                                                 struct pulse_evidence *evidence);

#endif
