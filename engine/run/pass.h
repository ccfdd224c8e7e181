/* SPDX-License-Identifier: MIT */
/* One pass while it runs: what its tasks share. Private to engine/run. */
#ifndef ENGINE_RUN_PASS_H
#define ENGINE_RUN_PASS_H

#include <stdatomic.h>

#include "engine/dsp/kernels.h"
#include "engine/io/media.h"
#include "engine/plan/plan.h"
#include "engine/run/fifo.h"

/* One worker's scratch: room for a stride of everything that an inner loop touches. Allocated before the pass. */
struct engine_scratch {
    uint8_t *raw;     /* bytes as they lie in the file */
    float *region;    /* a region's samples, in the medium's or node's layout */
    float *value;     /* a fused node's value on its way into a sum or a plugin */
    float *sidechain; /* the same, on its way into a plugin's side chain */
    float *mono;      /* a mono value before it becomes wider */
    float *gain;      /* gains of a moving curve, interleaved */
    int64_t *clips;   /* the sum of a CLIPS node, or a stored one */
    int64_t *sum;     /* the sum of a BUS node */
};

/* What every pass of a render shares, prepared once. */
struct engine_sources {
    const struct graph *graph;
    const struct engine_kernels *kernels;
    struct engine_media *const *media; /* by medium: as it is read now, conformed or in place */
    const int *stored;                 /* files, by entry of graph->stored */
    const int64_t *reach;              /* by region: the latest end among this and the earlier regions of its node */
};

struct engine_pass {
    const struct engine_sources *sources;
    const struct engine_plan *plan;
    struct engine_scratch *scratch;   /* by worker */
    uint8_t *buffers;                 /* plan->slots slots of plan->slot_bytes */
    struct engine_decoder **decoders; /* by region: its decoder while it plays, for media that are read as streams */
    uint32_t *decoders_open;          /* by node: how many of its regions have one */
    uint32_t decoders_share;          /* how many a node may keep from one stride to the next */
    struct engine_fifo *held;         /* by chain: what waits in a PLUGIN or DELAY */
};

/* A node's samples of one block, in the slot of that block. */
void *engine_pass_buffer(const struct engine_pass *pass, uint32_t chain, int64_t block);

/* The frames that a chain has in a block, as engine_plan_frames(). */
void engine_pass_frames(const struct engine_pass *pass, uint32_t chain, int64_t block, int64_t *from, int64_t *to);

/* MIX task: computes the chain's node for the block into its buffer. */
LH_NODISCARD enum lh_status engine_mix_block(const struct engine_pass *pass, uint32_t worker, uint32_t chain,
                                             int64_t block, struct lh_error *error);

/* DELAY task: hands on the chain's frames of the block, and keeps what came too early. */
void engine_delay_block(const struct engine_pass *pass, uint32_t chain, int64_t block);

/* An input of a PLUGIN chain over [from, from + frames), frames <= plan->stride, all of them among those that the chain
   reads in this block: a part of the input's buffer or, when it is fused, what `out` was filled with. *value is NULL
   where it is silent. */
LH_NODISCARD enum lh_status engine_mix_read(const struct engine_pass *pass, uint32_t worker, uint32_t chain,
                                            int64_t block, uint32_t input, int64_t from, size_t frames, float *out,
                                            const float **value, struct lh_error *error);

/* LH_ERR_FAULT when a sample of the node reaches what no sum takes: for what is delivered without going through one. */
LH_NODISCARD enum lh_status engine_mix_judge(const struct engine_pass *pass, uint32_t node, int64_t from,
                                             const float *value, size_t frames, struct lh_error *error);

/* What a CLIPS node is over a stride. */
enum engine_clips_shape {
    ENGINE_CLIPS_SILENT, /* no region plays */
    ENGINE_CLIPS_RAW,    /* scratch->raw holds the stride's frames, exact PCM of `format` in the node's layout: no float
                            needed */
    ENGINE_CLIPS_FLOAT,  /* out holds the completed sum */
};
/* Sums a CLIPS node over [from, from + frames), frames <= plan->stride. `raw_allowed` lets it answer with RAW.
 */
LH_NODISCARD enum lh_status engine_clips_read(const struct engine_pass *pass, struct engine_scratch *scratch,
                                              uint32_t node, int64_t from, size_t frames, bool raw_allowed, float *out,
                                              enum engine_clips_shape *shape, enum engine_sample_format *format,
                                              struct lh_error *error);

/* Names the first sample of `in` that is not finite or reaches 2^11 as a node fault. `what` is the node's label. */
enum lh_status engine_fault_sample(const char *what, const char *part, int64_t from, const float *in, size_t frames,
                                   size_t channels, struct lh_error *error);

#endif
