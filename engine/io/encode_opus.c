/* SPDX-License-Identifier: MIT */
/* Ogg Opus by libopusenc. The stream's serial number comes from the dither seed (and so from the deliverable's name)
   instead of a random number. Opus has five rates; others are refused rather than converted behind the user's back. */
#include <opus/opusenc.h>
#include <stdlib.h>

#include "engine/io/encode_backend.h"

#define OPUS_CHANNELS_MAX 8u
#define OPUS_DEFAULT_KBPS 64u /* of each channel: 128 kbit/s stereo */
#define OPUS_LEAST_KBPS 6u    /* of each channel; quality 0 is 16, quality 1 is 128 */
#define OPUS_MOST_KBPS 256u
#define OPUS_QUALITY_LOW 16.0
#define OPUS_QUALITY_SPAN 112.0
#define OPUS_COMMENT_PADDING 512 /* bytes of room for tags that are added later */

struct opus {
    struct engine_file *file;
    OggOpusComments *comments;
    OggOpusEnc *encoder;
    struct lh_error error; /* of the first write that failed: libopusenc only hands on that one did */
    float *ordered;        /* a piece in Vorbis' order */
};

static uint32_t bitrate(const struct graph_deliverable *deliverable, uint32_t channels)
{
    if (deliverable->has_quality) {
        return (uint32_t)((OPUS_QUALITY_LOW + deliverable->quality * OPUS_QUALITY_SPAN) * 1000.0) * channels;
    }
    return (deliverable->bitrate_kbps > 0 ? deliverable->bitrate_kbps : OPUS_DEFAULT_KBPS * channels) * 1000;
}

static int on_write(void *context, const unsigned char *data, opus_int32 size)
{
    struct opus *opus = context;
    return engine_output_append(&opus->file->output, data, (size_t)size, &opus->error) == LH_OK ? 0 : 1;
}

static int on_close(void *context)
{
    (void)context;
    return 0;
}

static enum lh_status opus_error(const struct opus *opus, int code, struct lh_error *error)
{
    if (opus->error.code != LH_OK) {
        if (error != NULL) {
            *error = opus->error;
        }
        return opus->error.code;
    }
    if (code == OPE_ALLOC_FAIL) {
        return lh_error_no_memory(error);
    }
    return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the Opus encoder failed (%s)", ope_strerror(code));
}

static void opus_free(void *state)
{
    struct opus *opus = state;
    if (opus == NULL) {
        return;
    }
    if (opus->encoder != NULL) {
        ope_encoder_destroy(opus->encoder);
    }
    if (opus->comments != NULL) {
        ope_comments_destroy(opus->comments);
    }
    free(opus->ordered);
    free(opus);
}

static enum lh_status start(struct opus *opus, struct lh_error *error)
{
    static const OpusEncCallbacks callbacks = {.write = on_write, .close = on_close};
    const struct graph_deliverable *deliverable = opus->file->deliverable;
    uint32_t channels = opus->file->channels;
    const struct graph_tag *tags = engine_file_tags(opus->file);
    for (uint32_t i = 0; i < deliverable->tag_count; i++) {
        if (!engine_vorbis_tag(tags[i].name)) {
            continue;
        }
        int code = ope_comments_add(opus->comments, tags[i].name, tags[i].value);
        if (code != OPE_OK) {
            return opus_error(opus, code, error);
        }
    }
    int code = OPE_OK;
    int family = channels > 2 ? 1 : 0;
    opus->encoder = ope_encoder_create_callbacks(&callbacks, opus, opus->comments, (opus_int32)deliverable->rate,
                                                 (int)channels, family, &code);
    if (opus->encoder == NULL) {
        return opus_error(opus, code, error);
    }
    opus_int32 serial = (opus_int32)(uint32_t)(deliverable->dither_seed ^ deliverable->dither_seed >> 32);
    code = ope_encoder_ctl(opus->encoder, OPE_SET_SERIALNO(serial));
    if (code == OPE_OK) {
        code = ope_encoder_ctl(opus->encoder, OPE_SET_COMMENT_PADDING(OPUS_COMMENT_PADDING));
    }
    if (code == OPE_OK) {
        code = ope_encoder_ctl(opus->encoder, OPUS_SET_BITRATE((opus_int32)bitrate(deliverable, channels)));
    }
    return code == OPE_OK ? LH_OK : opus_error(opus, code, error);
}

static enum lh_status opus_open(struct engine_file *file, void **state, struct lh_error *error)
{
    struct opus *opus = calloc(1, sizeof *opus);
    if (opus == NULL) {
        return lh_error_no_memory(error);
    }
    opus->file = file;
    opus->ordered = malloc(ENGINE_CODEC_PIECE_FRAMES * file->channels * sizeof *opus->ordered);
    opus->comments = ope_comments_create();
    enum lh_status status =
        opus->ordered == NULL || opus->comments == NULL ? lh_error_no_memory(error) : start(opus, error);
    if (status != LH_OK) {
        opus_free(opus);
        return status;
    }
    *state = opus;
    return LH_OK;
}

static enum lh_status opus_write(void *state, const void *samples, size_t frames, struct lh_error *error)
{
    struct opus *opus = state;
    const float *in = samples;
    uint32_t channels = opus->file->channels;
    const uint8_t *order = engine_vorbis_order(channels);
    for (size_t i = 0; i < frames; i++) {
        for (uint32_t c = 0; c < channels; c++) {
            opus->ordered[i * channels + c] = in[i * channels + order[c]];
        }
    }
    int code = ope_encoder_write_float(opus->encoder, opus->ordered, (int)frames);
    return code == OPE_OK ? LH_OK : opus_error(opus, code, error);
}

static enum lh_status opus_finish(void *state, uint64_t frames, struct lh_error *error)
{
    struct opus *opus = state;
    static const float silence[OPUS_CHANNELS_MAX];
    /* libopusenc cannot end a stream without samples (it asserts): an empty file holds one silent frame. */
    int code = frames == 0 ? ope_encoder_write_float(opus->encoder, silence, 1) : OPE_OK;
    if (code == OPE_OK) {
        code = ope_encoder_drain(opus->encoder);
    }
    return code == OPE_OK ? LH_OK : opus_error(opus, code, error);
}

const struct engine_backend engine_backend_opus = {
    .name = "Ogg Opus",
    .streams = true,
    .holds_tag = engine_vorbis_tag,
    .open = opus_open,
    .write = opus_write,
    .finish = opus_finish,
    .free = opus_free,
};
