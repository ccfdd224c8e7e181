/* SPDX-License-Identifier: MIT */
/* Decoders: a libsndfile handle of their own on the medium's descriptor. */
#include <stdlib.h>

#include "engine/io/media_impl.h"
#include "engine/io/vio.h"

struct engine_decoder {
    const struct engine_media *media; /* borrowed */
    SNDFILE *file;
    int64_t position; /* frame that the next read gives without a seek; -1 after a failure */
    struct engine_vio vio;
};

enum lh_status engine_decoder_new(const struct engine_media *media, struct engine_decoder **decoder,
                                  struct lh_error *error)
{
    if (media->is_scratch) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "a conformed medium is read in place, not decoded");
    }
    struct engine_decoder *created = malloc(sizeof(*created));
    if (created == NULL) {
        return lh_error_no_memory(error);
    }
    created->media = media;
    created->position = 0;
    SF_INFO info;
    enum lh_status status = engine_vio_init(&created->vio, media->fd, error);
    if (status == LH_OK) {
        status = engine_vio_open(&created->vio, &created->file, &info, error);
    }
    if (status != LH_OK) {
        free(created);
        return status;
    }
    if ((uint32_t)info.channels != media->facts.channels || (uint32_t)info.samplerate != media->facts.rate) {
        sf_close(created->file);
        free(created);
        return lh_error_set(error, LH_ERR_IO, NULL,
                            "a media file has changed while it was read: leave media alone during a render");
    }
    *decoder = created;
    return LH_OK;
}

void engine_decoder_free(struct engine_decoder *decoder)
{
    if (decoder == NULL) {
        return;
    }
    sf_close(decoder->file);
    free(decoder);
}

static enum lh_status seek(struct engine_decoder *decoder, int64_t frame, struct lh_error *error)
{
    if (decoder->media->facts.access == ENGINE_ACCESS_LINEAR) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "%s is decoded from its start only",
                            decoder->media->facts.format);
    }
    if (sf_seek(decoder->file, frame, SEEK_SET) != frame) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "a media file cannot be decoded at frame %lld: it is damaged, export it again",
                            (long long)frame);
    }
    decoder->position = frame;
    return LH_OK;
}

enum lh_status engine_decoder_read(struct engine_decoder *decoder, int64_t frame, size_t frames, float *out,
                                   struct lh_error *error)
{
    if (frame != decoder->position) {
        enum lh_status status = seek(decoder, frame, error);
        if (status != LH_OK) {
            return status;
        }
    }
    size_t channels = decoder->media->facts.channels;
    size_t done = 0;
    while (done < frames) {
        sf_count_t got = sf_readf_float(decoder->file, out + done * channels, (sf_count_t)(frames - done));
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
    }
    /* A decoder that lost its way may give samples all the same. */
    if (done < frames || sf_error(decoder->file) != SF_ERR_NO_ERROR) {
        decoder->position = -1;
        if (decoder->vio.read_errno != 0) {
            return lh_error_set(error, LH_ERR_IO, NULL, "reading a media file failed");
        }
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "a media file cannot be decoded at frame %lld: it is truncated or damaged, export or copy it again",
            (long long)(frame + (int64_t)done));
    }
    decoder->position = frame + (int64_t)frames;
    return LH_OK;
}
