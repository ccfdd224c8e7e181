/* SPDX-License-Identifier: MIT */
/* Uncompressed containers: a header, the samples, then chunks that depend on the length. WAV and AIFF differ in what
   the two ends look like and in byte order. */
#ifndef ENGINE_IO_ENCODE_PCM_H
#define ENGINE_IO_ENCODE_PCM_H

#include "engine/io/encode_backend.h"

struct engine_container {
    bool big_endian;
    bool grows; /* past riff_limit it changes its form (RF64) instead of being refused */
    /* The header for a file of `frames` with `tail_size` bytes of chunks after the (padded) samples. Its size does not
       depend on `frames`. */
    void (*head)(const struct engine_file *file, uint64_t frames, uint64_t tail_size, struct lh_writer *writer);
    /* The chunks after the samples. */
    void (*tail)(const struct engine_file *file, uint64_t frames, struct lh_writer *writer);
};

/* What a backend's open() ends with; its other calls are these as they are. */
LH_NODISCARD enum lh_status engine_pcm_open(struct engine_file *file, const struct engine_container *container,
                                            void **state, struct lh_error *error);
enum lh_status engine_pcm_write(void *state, const void *samples, size_t frames, struct lh_error *error);
enum lh_status engine_pcm_finish(void *state, uint64_t frames, struct lh_error *error);
void engine_pcm_free(void *state);
uint64_t engine_pcm_data_size(const struct engine_file *file, uint64_t frames);

/* Writing chunks. A text of exactly `size` bytes, cut or filled with zeros: */
void engine_chunk_text(struct lh_writer *writer, const char *text, size_t size);
void engine_chunk_id(struct lh_writer *writer, const char *id);
void engine_chunk_zeros(struct lh_writer *writer, size_t size);

#endif
