/* SPDX-License-Identifier: MIT */
/* Deliverable files. Nothing in their bytes depends on the clock, the number of threads or how the samples were cut
   into calls; those of PCM do not depend on the CPU either. A FLAC file holds the same samples everywhere, but libFLAC
   chooses among its predictors by float arithmetic that differs between classes of CPU, so its bytes may differ.

   Integer PCM is dithered by the frame's place on the timeline (at the deliverable's rate), so a range holds the bits
   that the whole would hold there. Without a quality or bit rate: Vorbis quality 0.6, Opus 64 kbit/s a channel, MP3 192
   kbit/s constant (or the most that its rate allows). A Vorbis bit rate is an average; an MP3 bit rate is constant and
   one of the format's steps. Quality 0..1: Vorbis q0..q10, MP3 V9..V0, Opus 16..128 kbit/s a channel.

   More than two channels stand in WAV's order of speakers (3: L R C; 4: L R Ls Rs; 5: L R C Ls Rs; 6: L R C LFE Ls Rs;
   7: L R C LFE Cs SL SR; 8: L R C LFE BL BR SL SR); codecs with another order get them sorted. Above 8 they are
   discrete. */
#ifndef ENGINE_IO_ENCODE_H
#define ENGINE_IO_ENCODE_H

#include "common/digest/digest.h"
#include "graph/graph.h"

#define ENGINE_NOTES_SIZE 256

struct engine_encoder_spec {
    const struct graph *graph; /* tags and markers; borrowed while the encoder lives */
    const struct graph_deliverable *deliverable;
    uint32_t channels;
    int64_t frames; /* length at the deliverable's rate; -1 when not known yet */
    int fd;         /* written from its beginning by positioned writes; not owned. A pipe works for
                       WAV, AIFF and FLAC with a known length, and for Ogg. */
    bool digest;    /* also compute engine_encoded.samples */
};

struct engine_encoded {
    uint64_t frames;  /* at the deliverable's rate */
    uint64_t clipped; /* samples that integer PCM had to clamp */
    uint64_t bytes;   /* of the file */
    bool has_samples; /* samples is filled: it was asked for */
    struct lh_digest
        samples; /* PCM: the interleaved little-endian samples as delivered; lossy: float32 before the encoder */
    char notes[ENGINE_NOTES_SIZE]; /* what the container could not hold ("FLAC holds no loop points"), or "" */
};

struct engine_encoder;
/* LH_ERR_UNSUPPORTED: a combination that the container cannot hold (16 channels of MP3, 12345 Hz Opus). */
LH_NODISCARD enum lh_status engine_encoder_new(const struct engine_encoder_spec *spec, struct engine_encoder **encoder,
                                               struct lh_error *error);
void engine_encoder_free(struct engine_encoder *encoder); /* accepts NULL; an unfinished file stays unfinished */
/* Interleaved floats in order. Disk full and the like: LH_ERR_IO. One thread at a time. */
LH_NODISCARD enum lh_status engine_encoder_write(struct engine_encoder *encoder, const float *in, size_t frames,
                                                 struct lh_error *error);
/* Ends the file: headers, labels, sizes. */
LH_NODISCARD enum lh_status engine_encoder_finish(struct engine_encoder *encoder, struct engine_encoded *result,
                                                  struct lh_error *error);

#endif
