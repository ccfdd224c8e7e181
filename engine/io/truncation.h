/* SPDX-License-Identifier: MIT */
/* What a file's header claims, held against the file: lengths past its end, rates and channels that cannot be.
   libsndfile reads a truncated file as a shorter one without a word, so this looks first. */
#ifndef ENGINE_IO_TRUNCATION_H
#define ENGINE_IO_TRUNCATION_H

#include "common/base/status.h"
#include "engine/io/vio.h"

/* The containers that are read at all, by their first bytes. What is not here never reaches a decoder. */
enum engine_container {
    ENGINE_CONTAINER_WAV = 0, /* RIFF, RIFX and RF64 */
    ENGINE_CONTAINER_W64,
    ENGINE_CONTAINER_AIFF, /* and AIFF-C */
    ENGINE_CONTAINER_CAF,
    ENGINE_CONTAINER_AU,
    ENGINE_CONTAINER_FLAC,
    ENGINE_CONTAINER_OGG,
    ENGINE_CONTAINER_MPEG,
};

/* LH_ERR_FORMAT names what the file is, if it is a known one that is not read. */
LH_NODISCARD enum lh_status engine_container_find(struct engine_vio *vio, enum engine_container *container,
                                                  struct lh_error *error);

/* LH_ERR_FORMAT: the header promises more than the file has, or cannot be true. A length that a recorder could not know
   (a pipe's WAV) is taken to reach to the end of the file. *length_known says whether the header of an MPEG file tells
   its exact length; true for every other container (FLAC may still say that it does not know). */
LH_NODISCARD enum lh_status engine_truncation_check(struct engine_vio *vio, enum engine_container container,
                                                    bool *length_known, struct lh_error *error);

/* Parts of the above: WAV, W64, AIFF, CAF and AU by their chunks, Ogg by its pages. */
LH_NODISCARD enum lh_status engine_truncation_check_chunks(struct engine_vio *vio, enum engine_container container,
                                                           struct lh_error *error);
LH_NODISCARD enum lh_status engine_truncation_check_ogg(struct engine_vio *vio, struct lh_error *error);
/* A rate and a number of channels that can be read. */
LH_NODISCARD enum lh_status engine_truncation_check_claims(double rate, uint64_t channels, struct lh_error *error);

#endif
