/* SPDX-License-Identifier: MIT */
/* FLAC by libFLAC, level 5. libsndfile would do the same but keeps only ten kinds of tags. */
#include <FLAC/metadata.h>
#include <FLAC/stream_encoder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/io/encode_backend.h"

#define FLAC_LEVEL 5u
#define FLAC_FRAMES_MAX (UINT64_C(1) << 36) /* STREAMINFO's field */

struct flac {
    struct engine_file *file;
    FLAC__StreamEncoder *encoder;
    FLAC__StreamMetadata *comments;
    uint64_t position; /* where libFLAC writes next */
    uint64_t frames;
    struct lh_error error; /* of the first write that failed: libFLAC only hands on that one did */
    FLAC__int32 *samples;  /* one piece */
};

static FLAC__StreamEncoderWriteStatus on_write(const FLAC__StreamEncoder *encoder, const FLAC__byte buffer[],
                                               size_t bytes, uint32_t samples, uint32_t current_frame, void *context)
{
    (void)encoder;
    (void)samples;
    (void)current_frame;
    struct flac *flac = context;
    struct engine_output *output = &flac->file->output;
    enum lh_status status = flac->position == engine_output_size(output)
                                ? engine_output_append(output, buffer, bytes, &flac->error)
                                : engine_output_patch(output, flac->position, buffer, bytes, &flac->error);
    flac->position += bytes;
    return status == LH_OK ? FLAC__STREAM_ENCODER_WRITE_STATUS_OK : FLAC__STREAM_ENCODER_WRITE_STATUS_FATAL_ERROR;
}

static FLAC__StreamEncoderSeekStatus on_seek(const FLAC__StreamEncoder *encoder, FLAC__uint64 offset, void *context)
{
    (void)encoder;
    struct flac *flac = context;
    if (flac->file->output.pipe) { /* STREAMINFO then keeps the announced length and no checksum */
        return FLAC__STREAM_ENCODER_SEEK_STATUS_UNSUPPORTED;
    }
    flac->position = offset;
    return FLAC__STREAM_ENCODER_SEEK_STATUS_OK;
}

static FLAC__StreamEncoderTellStatus on_tell(const FLAC__StreamEncoder *encoder, FLAC__uint64 *offset, void *context)
{
    (void)encoder;
    const struct flac *flac = context;
    *offset = flac->position;
    return FLAC__STREAM_ENCODER_TELL_STATUS_OK;
}

static enum lh_status flac_error(struct flac *flac, struct lh_error *error)
{
    if (flac->error.code != LH_OK) {
        if (error != NULL) {
            *error = flac->error;
        }
        return flac->error.code;
    }
    FLAC__StreamEncoderState state = FLAC__stream_encoder_get_state(flac->encoder);
    if (state == FLAC__STREAM_ENCODER_MEMORY_ALLOCATION_ERROR) {
        return lh_error_no_memory(error);
    }
    return lh_error_set(error, LH_ERR_INTERNAL, flac->file->deliverable->name, "the FLAC encoder failed (%s)",
                        FLAC__StreamEncoderStateString[state]);
}

static void flac_free(void *state)
{
    struct flac *flac = state;
    if (flac == NULL) {
        return;
    }
    if (flac->encoder != NULL) {
        FLAC__stream_encoder_delete(flac->encoder);
    }
    if (flac->comments != NULL) {
        FLAC__metadata_object_delete(flac->comments);
    }
    free(flac->samples);
    free(flac);
}

static bool add_comment(FLAC__StreamMetadata *comments, const struct graph_tag *tag)
{
    FLAC__StreamMetadata_VorbisComment_Entry entry;
    if (!FLAC__metadata_object_vorbiscomment_entry_from_name_value_pair(&entry, tag->name, tag->value)) {
        return false;
    }
    if (FLAC__metadata_object_vorbiscomment_append_comment(comments, entry, false)) {
        return true;
    }
    free(entry.entry);
    return false;
}

static enum lh_status add_comments(struct flac *flac, struct lh_error *error)
{
    const struct graph_deliverable *deliverable = flac->file->deliverable;
    const struct graph_tag *tags = engine_file_tags(flac->file);
    flac->comments = FLAC__metadata_object_new(FLAC__METADATA_TYPE_VORBIS_COMMENT);
    if (flac->comments == NULL) {
        return lh_error_no_memory(error);
    }
    for (uint32_t i = 0; i < deliverable->tag_count; i++) {
        if (engine_vorbis_tag(tags[i].name) && !add_comment(flac->comments, &tags[i])) {
            return lh_error_no_memory(error);
        }
    }
    return LH_OK;
}

static enum lh_status start(struct flac *flac, struct lh_error *error)
{
    const struct engine_file *file = flac->file;
    enum lh_status status = add_comments(flac, error);
    if (status != LH_OK) {
        return status;
    }
    FLAC__StreamEncoder *encoder = flac->encoder;
    bool set =
        FLAC__stream_encoder_set_channels(encoder, file->channels) &&
        FLAC__stream_encoder_set_bits_per_sample(encoder, file->deliverable->bit_depth) &&
        FLAC__stream_encoder_set_sample_rate(encoder, file->deliverable->rate) &&
        FLAC__stream_encoder_set_compression_level(encoder, FLAC_LEVEL) &&
        (file->frames <= 0 || FLAC__stream_encoder_set_total_samples_estimate(encoder, (FLAC__uint64)file->frames)) &&
        FLAC__stream_encoder_set_metadata(encoder, &flac->comments, 1);
    if (!set) {
        return lh_error_set(error, LH_ERR_INTERNAL, file->deliverable->name, "the FLAC encoder refused its settings");
    }
    if (FLAC__stream_encoder_init_stream(encoder, on_write, on_seek, on_tell, NULL, flac) !=
        FLAC__STREAM_ENCODER_INIT_STATUS_OK) {
        return flac_error(flac, error);
    }
    return LH_OK;
}

static enum lh_status flac_open(struct engine_file *file, void **state, struct lh_error *error)
{
    if (file->frames >= 0 && (uint64_t)file->frames >= FLAC_FRAMES_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, file->deliverable->name,
                            "the file is longer than FLAC can hold (2^36 frames): deliver WAV");
    }
    struct flac *flac = calloc(1, sizeof *flac);
    if (flac == NULL) {
        return lh_error_no_memory(error);
    }
    flac->file = file;
    flac->samples = malloc(ENGINE_PIECE_SAMPLES * sizeof *flac->samples);
    flac->encoder = FLAC__stream_encoder_new();
    enum lh_status status =
        flac->samples == NULL || flac->encoder == NULL ? lh_error_no_memory(error) : start(flac, error);
    if (status != LH_OK) {
        flac_free(flac);
        return status;
    }
    *state = flac;
    return LH_OK;
}

/* Packed little-endian integers of 2 or 3 bytes to the right-aligned 32 bits that libFLAC takes. */
static void unpack(FLAC__int32 *out, const uint8_t *in, size_t samples, uint32_t bytes)
{
    for (size_t i = 0; i < samples; i++) {
        const uint8_t *byte = in + i * bytes;
        out[i] = bytes == 2
                     ? (int16_t)(byte[0] | byte[1] << 8)
                     : (int32_t)((uint32_t)byte[0] << 8 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 24) >> 8;
    }
}

static enum lh_status flac_write(void *state, const void *samples, size_t frames, struct lh_error *error)
{
    struct flac *flac = state;
    if (frames >= FLAC_FRAMES_MAX - flac->frames) {
        return lh_error_set(error, LH_ERR_LIMIT, flac->file->deliverable->name,
                            "the file has grown past what FLAC can hold (2^36 frames): deliver WAV");
    }
    flac->frames += frames;
    unpack(flac->samples, samples, frames * flac->file->channels, flac->file->sample_bytes);
    return FLAC__stream_encoder_process_interleaved(flac->encoder, flac->samples, (uint32_t)frames)
               ? LH_OK
               : flac_error(flac, error);
}

static enum lh_status flac_finish(void *state, uint64_t frames, struct lh_error *error)
{
    (void)frames;
    struct flac *flac = state;
    return FLAC__stream_encoder_finish(flac->encoder) ? LH_OK : flac_error(flac, error);
}

const struct engine_backend engine_backend_flac = {
    .name = "FLAC",
    .packed = true,
    .holds_tag = engine_vorbis_tag,
    .open = flac_open,
    .write = flac_write,
    .finish = flac_finish,
    .free = flac_free,
};
