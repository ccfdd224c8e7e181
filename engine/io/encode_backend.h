/* SPDX-License-Identifier: MIT */
/* Inside the encoder: what a container or codec (a "back end") gets and gives. The front (encode.c) quantises, hashes
   and cuts the samples into pieces; a back end turns pieces into bytes and hands them to the output. */
#ifndef ENGINE_IO_ENCODE_BACKEND_H
#define ENGINE_IO_ENCODE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "engine/io/encode.h"

/* A back end's write() never gets more samples than this at once. Codecs get pieces of exactly
   ENGINE_CODEC_PIECE_FRAMES (the last is shorter), since libvorbis' bits depend on the pieces that it is fed. */
#define ENGINE_PIECE_SAMPLES ((size_t)16384)
#define ENGINE_CODEC_PIECE_FRAMES ((size_t)1024)

/* --- The output: appended bytes, gathered into large positioned writes; earlier bytes can be patched unless it is a
 * pipe. --- */
struct engine_output {
    int fd;    /* borrowed */
    bool pipe; /* cannot be positioned: strictly in order, no patches */
    uint8_t *buffer;
    size_t capacity, fill;
    uint64_t offset; /* in the file, of buffer[0] */
};
/* Bytes to gather for each of so many files: the bytes of a file do not depend on it. */
size_t engine_output_capacity(uint32_t files);
LH_NODISCARD enum lh_status engine_output_init(struct engine_output *output, int fd, size_t capacity,
                                               struct lh_error *error);
void engine_output_fini(struct engine_output *output); /* drops what was not flushed */
uint64_t engine_output_size(const struct engine_output *output);
LH_NODISCARD enum lh_status engine_output_append(struct engine_output *output, const void *data, size_t size,
                                                 struct lh_error *error);
/* Replaces bytes that were appended before. */
LH_NODISCARD enum lh_status engine_output_patch(struct engine_output *output, uint64_t offset, const void *data,
                                                size_t size, struct lh_error *error);
LH_NODISCARD enum lh_status engine_output_flush(struct engine_output *output, struct lh_error *error);

/* --- One file being encoded, as a back end sees it. --- */
struct engine_file {
    const struct graph *graph;
    const struct graph_deliverable *deliverable;
    uint32_t channels;
    uint32_t sample_bytes; /* of a packed sample: 2, 3, or 4 for float */
    int64_t frames;        /* -1 when not known yet */
    uint64_t riff_limit;   /* largest RIFF or FORM size; past it WAV is RF64 and AIFF is refused */
    struct engine_output output;
};

struct engine_backend {
    const char *name; /* of the format, for messages: "FLAC" */
    bool packed;  /* takes packed little-endian integers (or float32 at 32 bits), else always float32 in codec pieces */
    bool streams; /* never patches: can go to a pipe whatever the length */
    bool holds_markers, holds_loop;
    bool (*holds_tag)(const char *name); /* NULL: any */
    enum lh_status (*open)(struct engine_file *file, void **state, struct lh_error *error);
    enum lh_status (*write)(void *state, const void *samples, size_t frames, struct lh_error *error);
    /* `frames` is the length in the end. Leaves flushing to the front. */
    enum lh_status (*finish)(void *state, uint64_t frames, struct lh_error *error);
    void (*free)(void *state); /* accepts NULL */
};
extern const struct engine_backend engine_backend_wav, engine_backend_bwf, engine_backend_aiff, engine_backend_flac,
    engine_backend_vorbis, engine_backend_opus, engine_backend_mp3;

#define ENGINE_RIFF_LIMIT (UINT64_C(0xFFFFFFFE)) /* the size field has 32 bits, and all ones mean "see ds64" */
/* engine_encoder_new() with another limit, so that tests meet RF64 without gigabytes. */
LH_NODISCARD enum lh_status engine_encoder_new_limited(const struct engine_encoder_spec *spec, uint64_t riff_limit,
                                                       struct engine_encoder **encoder, struct lh_error *error);

/* --- What the project says about the file. --- */
/* A timeline frame as a frame of the file, at the deliverable's rate; -1 before the file's start. */
int64_t engine_file_frame(const struct engine_file *file, int64_t timeline_frame);
/* The i-th marker (of graph->marker_count) when it lies in a file of `frames` and below 2^32. */
bool engine_file_marker(const struct engine_file *file, uint64_t frames, uint32_t i, uint32_t *position,
                        const char **name);
/* The loop [start, end) when there is one, it lies wholly in a file of `frames` and its positions fit into 32 bits. */
bool engine_file_loop(const struct engine_file *file, uint64_t frames, uint32_t *start, uint32_t *end);
/* The deliverable's tags: tag_count of them, NULL when there are none. */
const struct graph_tag *engine_file_tags(const struct engine_file *file);
/* A tag's value by its name (in any case), or NULL. */
const char *engine_file_tag(const struct engine_file *file, const char *name);
/* What the container cannot hold, as a sentence; "" when it holds all. */
void engine_file_notes(const struct engine_file *file, const struct engine_backend *backend, uint64_t frames,
                       char *notes, size_t size);
/* The longest prefix of `text` of at most `limit` bytes that ends between two UTF-8 characters. */
size_t engine_text_prefix(const char *text, size_t limit);
/* A name that a Vorbis comment (FLAC, Ogg Vorbis, Ogg Opus) can have: printable ASCII without '='. */
bool engine_vorbis_tag(const char *name);
/* Where channel i of a Vorbis or Opus stream comes from in our (WAV's) order. */
const uint8_t *engine_vorbis_order(uint32_t channels); /* 1..8 */

#endif
