/* SPDX-License-Identifier: MIT */
/* The encoder's front: checks what is asked for, quantises with dither, hashes the samples as they are delivered, cuts
   them into pieces and hands them to a back end. */
#include "engine/io/encode.h"

#include <stdlib.h>
#include <string.h>

#include "engine/dsp/quantise.h"
#include "engine/io/encode_backend.h"
#include "graph/container.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "float samples are delivered as they lie in memory");

#define FLOAT_BITS 32u

struct engine_encoder {
    struct engine_file file;
    const struct engine_backend *backend;
    void *state;
    struct engine_quantiser quantiser; /* bits 0: the back end takes floats */
    struct lh_hasher *hasher;          /* NULL when no digest is asked for */
    int64_t first_frame;               /* on the timeline at the deliverable's rate: dither is a function of it */
    uint64_t frames, clipped;
    uint8_t *packed; /* one piece of integers */
    float *staged;   /* a codec's piece being filled */
    size_t staged_frames;
    struct lh_error failure; /* the first failure is the last: everything after it fails alike */
};

static const struct engine_backend *const backends[GRAPH_FORMAT_COUNT] = {
    [GRAPH_FORMAT_WAV] = &engine_backend_wav,       [GRAPH_FORMAT_BWF] = &engine_backend_bwf,
    [GRAPH_FORMAT_AIFF] = &engine_backend_aiff,     [GRAPH_FORMAT_FLAC] = &engine_backend_flac,
    [GRAPH_FORMAT_VORBIS] = &engine_backend_vorbis, [GRAPH_FORMAT_OPUS] = &engine_backend_opus,
    [GRAPH_FORMAT_MP3] = &engine_backend_mp3,
};

static enum lh_status allocate(struct engine_encoder *encoder, bool digest, struct lh_error *error)
{
    const struct engine_file *file = &encoder->file;
    bool integers = encoder->quantiser.bits != 0;
    if (digest && lh_hasher_new(&encoder->hasher) != LH_OK) {
        return lh_error_no_memory(error);
    }
    if (integers) {
        encoder->packed = malloc(ENGINE_PIECE_SAMPLES * file->sample_bytes);
    }
    if (!encoder->backend->packed) {
        encoder->staged = malloc(ENGINE_CODEC_PIECE_FRAMES * file->channels * sizeof *encoder->staged);
    }
    bool missing = (integers && encoder->packed == NULL) || (!encoder->backend->packed && encoder->staged == NULL);
    return missing ? lh_error_no_memory(error) : LH_OK;
}

enum lh_status engine_encoder_new_limited(const struct engine_encoder_spec *spec, uint64_t riff_limit,
                                          struct engine_encoder **encoder, struct lh_error *error)
{
    const struct graph_deliverable *deliverable = spec->deliverable;
    enum lh_status status = graph_container_check(deliverable, spec->channels, error);
    if (status != LH_OK) {
        return status;
    }
    struct engine_encoder *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return lh_error_no_memory(error);
    }
    opened->backend = backends[deliverable->format];
    opened->file = (struct engine_file){
        .graph = spec->graph,
        .deliverable = deliverable,
        .channels = spec->channels,
        .sample_bytes = opened->backend->packed ? deliverable->bit_depth / 8 : (uint32_t)sizeof(float),
        .frames = spec->frames < 0 ? -1 : spec->frames,
        .riff_limit = riff_limit,
    };
    if (opened->backend->packed && deliverable->bit_depth != FLOAT_BITS) {
        opened->quantiser = (struct engine_quantiser){
            .bits = deliverable->bit_depth,
            .dither = deliverable->dither == GRAPH_DITHER_TPDF,
            .seed = deliverable->dither_seed,
            .channels = spec->channels,
        };
    }
    opened->first_frame =
        (int64_t)graph_converted_length((uint64_t)deliverable->start, spec->graph->sample_rate, deliverable->rate);
    size_t capacity = engine_output_capacity(spec->graph->deliverable_count);
    status = engine_output_init(&opened->file.output, spec->fd, capacity, error);
    if (status == LH_OK && opened->file.output.pipe && !opened->backend->streams && spec->frames < 0) {
        status = lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name,
                              "%s of unknown length cannot go to a pipe: write it to a file", opened->backend->name);
    }
    if (status == LH_OK) {
        status = allocate(opened, spec->digest, error);
    }
    if (status == LH_OK) {
        status = opened->backend->open(&opened->file, &opened->state, error);
    }
    if (status != LH_OK) {
        engine_encoder_free(opened);
        return status;
    }
    *encoder = opened;
    return LH_OK;
}

enum lh_status engine_encoder_new(const struct engine_encoder_spec *spec, struct engine_encoder **encoder,
                                  struct lh_error *error)
{
    return engine_encoder_new_limited(spec, ENGINE_RIFF_LIMIT, encoder, error);
}

void engine_encoder_free(struct engine_encoder *encoder)
{
    if (encoder == NULL) {
        return;
    }
    if (encoder->state != NULL) {
        encoder->backend->free(encoder->state);
    }
    engine_output_fini(&encoder->file.output);
    lh_hasher_free(encoder->hasher);
    free(encoder->packed);
    free(encoder->staged);
    free(encoder);
}

/* One piece as it is delivered: at most ENGINE_PIECE_SAMPLES. */
static enum lh_status write_piece(struct engine_encoder *encoder, const float *in, size_t frames,
                                  struct lh_error *error)
{
    const void *samples = in;
    if (encoder->quantiser.bits != 0) {
        int64_t frame = encoder->first_frame + (int64_t)encoder->frames;
        encoder->clipped += engine_quantise_packed(&encoder->quantiser, frame, encoder->packed, in, frames);
        samples = encoder->packed;
    }
    encoder->frames += frames;
    if (encoder->hasher != NULL) {
        lh_hasher_update(encoder->hasher, samples, frames * encoder->file.channels * encoder->file.sample_bytes);
    }
    return encoder->backend->write(encoder->state, samples, frames, error);
}

static enum lh_status write_pcm(struct engine_encoder *encoder, const float *in, size_t frames, struct lh_error *error)
{
    size_t most = ENGINE_PIECE_SAMPLES / encoder->file.channels;
    while (frames > 0) {
        size_t piece = frames < most ? frames : most;
        enum lh_status status = write_piece(encoder, in, piece, error);
        if (status != LH_OK) {
            return status;
        }
        in += piece * encoder->file.channels;
        frames -= piece;
    }
    return LH_OK;
}

static enum lh_status write_codec(struct engine_encoder *encoder, const float *in, size_t frames,
                                  struct lh_error *error)
{
    uint32_t channels = encoder->file.channels;
    while (frames > 0) {
        size_t piece = ENGINE_CODEC_PIECE_FRAMES - encoder->staged_frames;
        if (piece > frames) {
            piece = frames;
        }
        memcpy(encoder->staged + encoder->staged_frames * channels, in, piece * channels * sizeof *in);
        encoder->staged_frames += piece;
        in += piece * channels;
        frames -= piece;
        if (encoder->staged_frames < ENGINE_CODEC_PIECE_FRAMES) {
            break;
        }
        encoder->staged_frames = 0;
        enum lh_status status = write_piece(encoder, encoder->staged, ENGINE_CODEC_PIECE_FRAMES, error);
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

/* Keeps the first failure, so that a caller that goes on cannot finish a file with a hole. */
static enum lh_status settle(struct engine_encoder *encoder, enum lh_status status, struct lh_error *error)
{
    if (status != LH_OK) {
        encoder->failure.code = status;
        if (encoder->failure.where[0] == '\0') {
            const char *name = encoder->file.deliverable->name;
            size_t length = engine_text_prefix(name, LH_ERROR_WHERE_SIZE - 1);
            memcpy(encoder->failure.where, name, length);
            encoder->failure.where[length] = '\0';
        }
        if (error != NULL) {
            *error = encoder->failure;
        }
    }
    return status;
}

enum lh_status engine_encoder_write(struct engine_encoder *encoder, const float *in, size_t frames,
                                    struct lh_error *error)
{
    if (encoder->failure.code != LH_OK) {
        return settle(encoder, encoder->failure.code, error);
    }
    enum lh_status status = encoder->backend->packed ? write_pcm(encoder, in, frames, &encoder->failure)
                                                     : write_codec(encoder, in, frames, &encoder->failure);
    return settle(encoder, status, error);
}

static enum lh_status finish(struct engine_encoder *encoder, struct lh_error *error)
{
    enum lh_status status = LH_OK;
    if (encoder->staged_frames > 0) {
        size_t rest = encoder->staged_frames;
        encoder->staged_frames = 0;
        status = write_piece(encoder, encoder->staged, rest, error);
    }
    if (status == LH_OK && encoder->file.output.pipe && encoder->file.frames >= 0 &&
        (uint64_t)encoder->file.frames != encoder->frames) {
        status = lh_error_set(error, LH_ERR_INTERNAL, NULL, "%llu frames came where %lld were announced",
                              (unsigned long long)encoder->frames, (long long)encoder->file.frames);
    }
    if (status == LH_OK) {
        status = encoder->backend->finish(encoder->state, encoder->frames, error);
    }
    return status == LH_OK ? engine_output_flush(&encoder->file.output, error) : status;
}

enum lh_status engine_encoder_finish(struct engine_encoder *encoder, struct engine_encoded *result,
                                     struct lh_error *error)
{
    if (encoder->failure.code != LH_OK) {
        return settle(encoder, encoder->failure.code, error);
    }
    enum lh_status status = finish(encoder, &encoder->failure);
    if (status != LH_OK) {
        return settle(encoder, status, error);
    }
    *result = (struct engine_encoded){
        .frames = encoder->frames,
        .clipped = encoder->clipped,
        .bytes = engine_output_size(&encoder->file.output),
        .has_samples = encoder->hasher != NULL,
    };
    if (encoder->hasher != NULL) {
        lh_hasher_finish(encoder->hasher, &result->samples);
    }
    engine_file_notes(&encoder->file, encoder->backend, encoder->frames, result->notes, sizeof result->notes);
    return LH_OK;
}
