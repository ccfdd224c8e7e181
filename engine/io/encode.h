/* SPDX-License-Identifier: MIT */
/* Deliverable files. Nothing in their bytes depends on the clock, the machine or the number of threads. */
#ifndef ENGINE_IO_ENCODE_H
#define ENGINE_IO_ENCODE_H

#include "common/digest/digest.h"
#include "graph/graph.h"

#define ENGINE_NOTES_SIZE 256

struct engine_encoder_spec {
    const struct graph *graph;                   /* tags and markers; borrowed while the encoder lives */
    const struct graph_deliverable *deliverable;
    uint32_t channels;
    int64_t frames;                              /* length at the deliverable's rate; -1 when not known yet */
    int fd;                                      /* written from its beginning by positioned writes; not owned. A pipe works for
                                                    WAV with a known length. */
    bool digest;                                 /* also compute engine_encoded.samples */
};

struct engine_encoded {
    uint64_t frames;           /* at the deliverable's rate */
    uint64_t clipped;          /* samples that integer PCM had to clamp */
    uint64_t bytes;            /* of the file */
    bool has_samples;          /* samples is filled: it was asked for */
    struct lh_digest samples;  /* PCM: the interleaved little-endian samples as delivered; lossy: float32 before the encoder */
    char notes[ENGINE_NOTES_SIZE]; /* what the container could not hold ("FLAC holds no loop points"), or "" */
};

struct engine_encoder;
/* LH_ERR_UNSUPPORTED: a combination that the container cannot hold (16 channels of MP3, 12345 Hz Opus). */
LH_NODISCARD enum lh_status engine_encoder_new(const struct engine_encoder_spec *spec, struct engine_encoder **encoder, struct lh_error *error);
void engine_encoder_free(struct engine_encoder *encoder); /* accepts NULL; an unfinished file stays unfinished */
/* Interleaved floats in order. Disk full and the like: LH_ERR_IO. One thread at a time. */
LH_NODISCARD enum lh_status engine_encoder_write(struct engine_encoder *encoder, const float *in, size_t frames, struct lh_error *error);
/* Ends the file: headers, labels, sizes. */
LH_NODISCARD enum lh_status engine_encoder_finish(struct engine_encoder *encoder, struct engine_encoded *result, struct lh_error *error);

/* What a format can hold, before anything is rendered: LH_OK or LH_ERR_UNSUPPORTED with the reason. */
LH_NODISCARD enum lh_status engine_encoder_check(const struct graph_deliverable *deliverable, uint32_t channels, struct lh_error *error);

#endif
