/* SPDX-License-Identifier: MIT */
/* Media: what a file is (probe), and reading it. Files are hostile and come as descriptors; nothing here opens a path.
   libsndfile reads headers and compressed audio; uncompressed PCM is read in place by positioned reads with our own
   conversion, from any thread. */
#ifndef ENGINE_IO_MEDIA_H
#define ENGINE_IO_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "engine/dsp/kernels.h"
#include "graph/graph.h"

/* How a medium can be read. */
enum engine_access {
    ENGINE_ACCESS_POSITIONED, /* PCM: any frame by one pread, from any thread */
    ENGINE_ACCESS_STREAM,     /* FLAC: exact to seek in, but one decoder for each reader */
    ENGINE_ACCESS_LINEAR,     /* lossy: only from the start, conformed before use */
};

struct engine_media_facts {
    enum engine_access access;
    uint32_t rate, channels;
    uint64_t frames;
    uint32_t bits;   /* of integer or float samples as stored; 0 for lossy */
    char format[48]; /* "WAV, 24 bit", "Ogg Vorbis", for reports */
};

/* Reads the header, and for lossy media as much as an exact length needs. LH_ERR_FORMAT: not a sound file, truncated
   (shorter than its header says), or absurd (0 Hz, no channels, more than 16, past GRAPH_FRAMES_MAX). */
LH_NODISCARD enum lh_status engine_media_probe(int fd, struct engine_media_facts *facts, struct lh_error *error);

struct engine_media; /* immutable after open; shared by threads; does not own the descriptor */

LH_NODISCARD enum lh_status engine_media_open(int fd, struct engine_media **media, struct lh_error *error);
/* Raw interleaved floats at `offset` bytes of a scratch file: a conformed medium. */
LH_NODISCARD enum lh_status engine_media_open_scratch(int fd, uint64_t offset, uint32_t channels, uint32_t rate,
                                                      uint64_t frames, struct engine_media **media);
void engine_media_close(struct engine_media *media); /* accepts NULL */
const struct engine_media_facts *engine_media_get_facts(const struct engine_media *media);

/* POSITIONED only. Reads raw bytes of `frames` frames from `frame` on; all of them lie inside the medium. `raw` has
   frames x channels x sample size bytes. A file that has shrunk since is LH_ERR_IO. */
enum engine_sample_format engine_media_sample_format(const struct engine_media *media);
LH_NODISCARD enum lh_status engine_media_read_raw(const struct engine_media *media, int64_t frame, size_t frames,
                                                  uint8_t *raw, struct lh_error *error);

/* STREAM and LINEAR: a decoder with a position. One thread at a time. */
struct engine_decoder;
LH_NODISCARD enum lh_status engine_decoder_new(const struct engine_media *media, struct engine_decoder **decoder,
                                               struct lh_error *error);
void engine_decoder_free(struct engine_decoder *decoder); /* accepts NULL */
/* `frames` frames from `frame` on as interleaved floats; seeks when `frame` is not where the last read ended (LINEAR:
   an error). All of them lie inside the medium; a decoder that ends early is LH_ERR_FORMAT. */
LH_NODISCARD enum lh_status engine_decoder_read(struct engine_decoder *decoder, int64_t frame, size_t frames,
                                                float *out, struct lh_error *error);

#endif
