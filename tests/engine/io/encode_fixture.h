/* SPDX-License-Identifier: MIT */
/* What the encoder's tests share: a deliverable to change, a file in memory, a signal, and the whole way through the
 * encoder. */
#ifndef TESTS_ENGINE_IO_ENCODE_FIXTURE_H
#define TESTS_ENGINE_IO_ENCODE_FIXTURE_H

#include <stdint.h>

#include "engine/io/encode.h"

#define FIXTURE_TAGS 3
#define FIXTURE_MARKERS 4

struct encode_fixture {
    struct graph graph;
    struct graph_deliverable deliverable;
    struct graph_tag tags[FIXTURE_TAGS];          /* title, artist, and "mood", which few containers hold */
    struct graph_marker markers[FIXTURE_MARKERS]; /* at 0, 10, 1000 and 100000 frames */
    uint32_t channels;
    int64_t announced; /* spec.frames */
    size_t split;      /* frames of each write */
    struct lh_error error;
    struct engine_encoded result;
    uint8_t *bytes; /* of the file after fixture_encode() */
    size_t size;
};

/* 24-bit WAV, stereo, 48 kHz, no tags, markers or loop, length announced as unknown, in one write. */
void fixture_init(struct encode_fixture *fixture);
void fixture_fini(struct encode_fixture *fixture);
void fixture_use_all(struct encode_fixture *fixture); /* tags, markers and the loop 10..1000 */
/* A tone in each channel (20 Hz apart, low enough for an LFE) with a little noise, within -6 dBFS. Caller frees. */
float *fixture_signal(size_t frames, uint32_t channels);
/* Encodes into a memory file of its own and keeps its bytes. */
enum lh_status fixture_encode(struct encode_fixture *fixture, const float *in, size_t frames);
/* The same into `fd`, keeping nothing. */
enum lh_status fixture_encode_to(struct encode_fixture *fixture, int fd, uint64_t riff_limit, const float *in,
                                 size_t frames);
/* The first place of a chunk's identifier at or behind `from`; SIZE_MAX when there is none. */
size_t fixture_find(const struct encode_fixture *fixture, const char *id, size_t from);
uint32_t fixture_u32(const struct encode_fixture *fixture, size_t offset); /* little-endian */
uint64_t fixture_u64(const struct encode_fixture *fixture, size_t offset);
uint32_t fixture_be32(const struct encode_fixture *fixture, size_t offset);
uint32_t fixture_be16(const struct encode_fixture *fixture, size_t offset);
/* A memory file with the encoded bytes, for a decoder; the caller closes it. */
int fixture_reopen(const struct encode_fixture *fixture);
/* Decodes by libsndfile: floats (caller frees), and how many frames there were. */
float *fixture_decode(const struct encode_fixture *fixture, size_t *frames, int *rate);
/* Signal to error ratio of `out` against `in` in dB, channel by channel the worst. */
double fixture_snr_db(const float *in, const float *out, size_t frames, uint32_t channels);

#endif
