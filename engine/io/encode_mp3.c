/* SPDX-License-Identifier: MIT */
/* MP3 by LAME itself: libsndfile maps bit rates to a scale of its own. Constant bit rate, or VBR for a quality in 0..1
   (1 is LAME's V0). The LAME tag in the first frame tells players the encoder's delay and padding, so that they play
   the exact length. */
#include <lame/lame.h>
#include <stdlib.h>

#include "engine/io/encode_backend.h"
#include "engine/io/encode_id3.h"

#define MP3_CHANNELS_MAX 2u
#define MP3_DEFAULT_KBPS 192u
#define MP3_LOWEST_V 9.0f
/* LAME's bound for one call: 1.25 bytes a frame and 7200 more. */
#define MP3_BUFFER_SIZE (ENGINE_CODEC_PIECE_FRAMES * 5 / 4 + 7200)
#define MP3_BITRATES_MAX 14

/* The three generations of MPEG audio, layer 3: which rates, and which bit rates in kbit/s. */
static const struct generation {
    uint32_t rates[3];
    uint16_t bitrates[MP3_BITRATES_MAX]; /* ends with 0 when there are fewer */
    uint16_t most;
} generations[] = {
    {{32000, 44100, 48000}, {32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}, 320},
    {{16000, 22050, 24000}, {8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}, 160},
    {{8000, 11025, 12000}, {8, 16, 24, 32, 40, 48, 56, 64, 0}, 64},
};

struct mp3 {
    struct engine_file *file;
    lame_t lame;
    uint64_t frames_offset; /* of the first MPEG frame, the LAME tag, behind ID3 */
    unsigned char buffer[MP3_BUFFER_SIZE];
};

static const struct generation *find_generation(uint32_t rate)
{
    for (size_t i = 0; i < sizeof generations / sizeof generations[0]; i++) {
        for (size_t j = 0; j < sizeof generations[i].rates / sizeof generations[i].rates[0]; j++) {
            if (generations[i].rates[j] == rate)
                return &generations[i];
        }
    }
    return NULL;
}

static bool has_bitrate(const struct generation *generation, uint32_t kbps)
{
    for (size_t i = 0; i < MP3_BITRATES_MAX && generation->bitrates[i] != 0; i++) {
        if (generation->bitrates[i] == kbps)
            return true;
    }
    return false;
}

static enum lh_status mp3_check(const struct graph_deliverable *deliverable, uint32_t channels, struct lh_error *error)
{
    if (channels < 1 || channels > MP3_CHANNELS_MAX)
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name,
                            "MP3 holds 1 or 2 channels, not %u: deliver FLAC, Opus or WAV", channels);
    const struct generation *generation = find_generation(deliverable->rate);
    if (generation == NULL)
        return lh_error_set(
            error, LH_ERR_UNSUPPORTED, deliverable->name,
            "MP3 has no sample rate of %u Hz: deliver 48000, 44100 or 32000 (or a half or quarter of these)",
            deliverable->rate);
    uint32_t kbps = deliverable->bitrate_kbps;
    if (!deliverable->has_quality && kbps > 0 && !has_bitrate(generation, kbps))
        return lh_error_set(
            error, LH_ERR_UNSUPPORTED, deliverable->name, "MP3 at %u Hz has no bit rate of %u kbit/s: %s",
            deliverable->rate, kbps,
            generation->most == 320   ? "choose 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256 or 320"
            : generation->most == 160 ? "choose 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144 or 160"
                                      : "choose 8, 16, 24, 32, 40, 48, 56 or 64");
    return LH_OK;
}

static void silent(const char *format, va_list arguments)
{
    (void)format;
    (void)arguments;
}

static void mp3_free(void *state)
{
    struct mp3 *mp3 = state;
    if (mp3 == NULL)
        return;
    if (mp3->lame != NULL)
        lame_close(mp3->lame);
    free(mp3);
}

static enum lh_status mp3_error(int code, struct lh_error *error)
{
    if (code == LAME_NOMEM)
        return lh_error_no_memory(error);
    return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the MP3 encoder failed (%d)", code);
}

static int set_rate(lame_t lame, const struct graph_deliverable *deliverable)
{
    if (deliverable->has_quality)
        return lame_set_VBR(lame, vbr_default) |
               lame_set_VBR_quality(lame, (1.0f - (float)deliverable->quality) * MP3_LOWEST_V);
    uint32_t most = find_generation(deliverable->rate)->most;
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
    if (refused != 0 || code < 0)
        return mp3_error(code, error);
    struct lh_writer tags;
    lh_writer_init(&tags);
    enum lh_status status = engine_id3_put(file, &tags, error);
    if (status == LH_OK)
        status = engine_output_append(&mp3->file->output, tags.data, tags.size, error);
    mp3->frames_offset = tags.size;
    lh_writer_fini(&tags);
    return status;
}

static enum lh_status mp3_open(struct engine_file *file, void **state, struct lh_error *error)
{
    if (file->output.pipe)
        return lh_error_set(error, LH_ERR_UNSUPPORTED, file->deliverable->name,
                            "MP3 cannot go to a pipe: write it to a file");
    struct mp3 *mp3 = calloc(1, sizeof *mp3);
    if (mp3 == NULL)
        return lh_error_no_memory(error);
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
    if (size < 0)
        return mp3_error(size, error);
    return engine_output_append(&mp3->file->output, mp3->buffer, (size_t)size, error);
}

static enum lh_status mp3_finish(void *state, uint64_t frames, struct lh_error *error)
{
    (void)frames;
    struct mp3 *mp3 = state;
    int size = lame_encode_flush(mp3->lame, mp3->buffer, (int)sizeof mp3->buffer);
    if (size < 0)
        return mp3_error(size, error);
    enum lh_status status = engine_output_append(&mp3->file->output, mp3->buffer, (size_t)size, error);
    size_t tag_size = lame_get_lametag_frame(mp3->lame, mp3->buffer, sizeof mp3->buffer);
    if (status != LH_OK || tag_size == 0)
        return status;
    if (tag_size > sizeof mp3->buffer)
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the MP3 encoder's tag is larger than a frame");
    return engine_output_patch(&mp3->file->output, mp3->frames_offset, mp3->buffer, tag_size, error);
}

const struct engine_backend engine_backend_mp3 = {
    .name = "MP3",
    .check = mp3_check,
    .open = mp3_open,
    .write = mp3_write,
    .finish = mp3_finish,
    .free = mp3_free,
};
