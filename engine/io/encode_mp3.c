/* SPDX-License-Identifier: MIT */
/* MP3 by LAME itself: libsndfile maps bit rates to a scale of its own. Constant bit rate, or VBR for a quality in 0..1
   (1 is LAME's V0). The LAME tag in the first frame tells players the encoder's delay and padding, so that they play
   the exact length. */
#include <lame/lame.h>
#include <stdlib.h>

#include "engine/io/encode_backend.h"
#include "engine/io/encode_id3.h"
#include "graph/container.h"

#define MP3_DEFAULT_KBPS 192u
#define MP3_LOWEST_V 9.0f
/* LAME's bound for one call: 1.25 bytes a frame and 7200 more. */
#define MP3_BUFFER_SIZE (ENGINE_CODEC_PIECE_FRAMES * 5 / 4 + 7200)

struct mp3 {
    struct engine_file *file;
    lame_t lame;
    uint64_t frames_offset; /* of the first MPEG frame, the LAME tag, behind ID3 */
    unsigned char buffer[MP3_BUFFER_SIZE];
};

static void silent(const char *format, va_list arguments)
{
    (void)format;
    (void)arguments;
}

static void mp3_free(void *state)
{
    struct mp3 *mp3 = state;
    if (mp3 == NULL) {
        return;
    }
    if (mp3->lame != NULL) {
        lame_close(mp3->lame);
    }
    free(mp3);
}

static enum lh_status mp3_error(int code, struct lh_error *error)
{
    if (code == LAME_NOMEM) {
        return lh_error_no_memory(error);
    }
    return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the MP3 encoder failed (%d)", code);
}

static int set_rate(lame_t lame, const struct graph_deliverable *deliverable)
{
    if (deliverable->has_quality) {
        return lame_set_VBR(lame, vbr_default) |
               lame_set_VBR_quality(lame, (1.0f - (float)deliverable->quality) * MP3_LOWEST_V);
    }
    uint32_t most = graph_mp3_most_kbps(deliverable->rate);
    uint32_t otherwise = most < MP3_DEFAULT_KBPS ? most : MP3_DEFAULT_KBPS;
    uint32_t kbps = deliverable->bitrate_kbps > 0 ? deliverable->bitrate_kbps : otherwise;
    return lame_set_VBR(lame, vbr_off) | lame_set_brate(lame, (int)kbps);
}

static enum lh_status start(struct mp3 *mp3, struct lh_error *error)
{
    const struct engine_file *file = mp3->file;
    int rate = (int)file->deliverable->rate;
    lame_t lame = mp3->lame;
    int refused = lame_set_errorf(lame, silent) | lame_set_debugf(lame, silent) | lame_set_msgf(lame, silent) |
                  lame_set_num_channels(lame, (int)file->channels) | lame_set_in_samplerate(lame, rate) |
                  lame_set_out_samplerate(lame, rate) | lame_set_mode(lame, file->channels == 1 ? MONO : JOINT_STEREO) |
                  lame_set_bWriteVbrTag(lame, 1) | set_rate(lame, file->deliverable);
    lame_set_write_id3tag_automatic(lame, 0);
    int code = lame_init_params(lame);
    if (refused != 0 || code < 0) {
        return mp3_error(code, error);
    }
    struct lh_writer tags;
    lh_writer_init(&tags);
    enum lh_status status = engine_id3_put(file, &tags, error);
    if (status == LH_OK) {
        status = engine_output_append(&mp3->file->output, tags.data, tags.size, error);
    }
    mp3->frames_offset = tags.size;
    lh_writer_fini(&tags);
    return status;
}

static enum lh_status mp3_open(struct engine_file *file, void **state, struct lh_error *error)
{
    if (file->output.pipe) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, file->deliverable->name,
                            "MP3 cannot go to a pipe: write it to a file");
    }
    struct mp3 *mp3 = calloc(1, sizeof *mp3);
    if (mp3 == NULL) {
        return lh_error_no_memory(error);
    }
    mp3->file = file;
    mp3->lame = lame_init();
    enum lh_status status = mp3->lame == NULL ? lh_error_no_memory(error) : start(mp3, error);
    if (status != LH_OK) {
        mp3_free(mp3);
        return status;
    }
    *state = mp3;
    return LH_OK;
}

static enum lh_status mp3_write(void *state, const void *samples, size_t frames, struct lh_error *error)
{
    struct mp3 *mp3 = state;
    const float *in = samples;
    int size = mp3->file->channels == 1
                   ? lame_encode_buffer_ieee_float(mp3->lame, in, in, (int)frames, mp3->buffer, (int)sizeof mp3->buffer)
                   : lame_encode_buffer_interleaved_ieee_float(mp3->lame, in, (int)frames, mp3->buffer,
                                                               (int)sizeof mp3->buffer);
    if (size < 0) {
        return mp3_error(size, error);
    }
    return engine_output_append(&mp3->file->output, mp3->buffer, (size_t)size, error);
}

static enum lh_status mp3_finish(void *state, uint64_t frames, struct lh_error *error)
{
    (void)frames;
    struct mp3 *mp3 = state;
    int size = lame_encode_flush(mp3->lame, mp3->buffer, (int)sizeof mp3->buffer);
    if (size < 0) {
        return mp3_error(size, error);
    }
    enum lh_status status = engine_output_append(&mp3->file->output, mp3->buffer, (size_t)size, error);
    size_t tag_size = lame_get_lametag_frame(mp3->lame, mp3->buffer, sizeof mp3->buffer);
    if (status != LH_OK || tag_size == 0) {
        return status;
    }
    if (tag_size > sizeof mp3->buffer) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the MP3 encoder's tag is larger than a frame");
    }
    return engine_output_patch(&mp3->file->output, mp3->frames_offset, mp3->buffer, tag_size, error);
}

const struct engine_backend engine_backend_mp3 = {
    .name = "MP3",
    .open = mp3_open,
    .write = mp3_write,
    .finish = mp3_finish,
    .free = mp3_free,
};
