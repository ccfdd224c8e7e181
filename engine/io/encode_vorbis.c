/* SPDX-License-Identifier: MIT */
/* Ogg Vorbis by libvorbisenc. The stream's serial number comes from the dither seed (and so from the deliverable's
   name) instead of a random number. Quality 0..1 is libvorbis' own scale up to q10; a bit rate is an average. */
#include <ogg/ogg.h>
#include <stdlib.h>
#include <vorbis/vorbisenc.h>

#include "engine/io/encode_backend.h"

#define VORBIS_DEFAULT_QUALITY 0.6

struct vorbis {
    struct engine_file *file;
    vorbis_info info;
    vorbis_comment comments;
    vorbis_dsp_state dsp;
    vorbis_block block;
    ogg_stream_state stream;
    bool has_dsp, has_block, has_stream;
};

/* Sets up `info` by the deliverable's quality or bit rate. */
static int setup(vorbis_info *info, const struct graph_deliverable *deliverable, uint32_t channels)
{
    if (!deliverable->has_quality && deliverable->bitrate_kbps > 0) {
        return vorbis_encode_init(info, (long)channels, (long)deliverable->rate, -1,
                                  (long)deliverable->bitrate_kbps * 1000, -1);
    }
    double quality = deliverable->has_quality ? deliverable->quality : VORBIS_DEFAULT_QUALITY;
    return vorbis_encode_init_vbr(info, (long)channels, (long)deliverable->rate, (float)quality);
}

static void vorbis_free(void *state)
{
    struct vorbis *vorbis = state;
    if (vorbis == NULL) {
        return;
    }
    if (vorbis->has_stream) {
        ogg_stream_clear(&vorbis->stream);
    }
    if (vorbis->has_block) {
        vorbis_block_clear(&vorbis->block);
    }
    if (vorbis->has_dsp) {
        vorbis_dsp_clear(&vorbis->dsp);
    }
    vorbis_comment_clear(&vorbis->comments);
    vorbis_info_clear(&vorbis->info);
    free(vorbis);
}

/* Pages that are full, or all that there is. */
static enum lh_status put_pages(struct vorbis *vorbis, bool all, struct lh_error *error)
{
    ogg_page page;
    while ((all ? ogg_stream_flush(&vorbis->stream, &page) : ogg_stream_pageout(&vorbis->stream, &page)) != 0) {
        enum lh_status status =
            engine_output_append(&vorbis->file->output, page.header, (size_t)page.header_len, error);
        if (status == LH_OK) {
            status = engine_output_append(&vorbis->file->output, page.body, (size_t)page.body_len, error);
        }
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

static enum lh_status put_headers(struct vorbis *vorbis, struct lh_error *error)
{
    ogg_packet identification, comments, codebooks;
    if (vorbis_analysis_headerout(&vorbis->dsp, &vorbis->comments, &identification, &comments, &codebooks) != 0 ||
        ogg_stream_packetin(&vorbis->stream, &identification) != 0) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = put_pages(vorbis, true, error); /* the first header has a page of its own */
    if (status != LH_OK) {
        return status;
    }
    if (ogg_stream_packetin(&vorbis->stream, &comments) != 0 || ogg_stream_packetin(&vorbis->stream, &codebooks) != 0) {
        return lh_error_no_memory(error);
    }
    return put_pages(vorbis, true, error);
}

static enum lh_status start(struct vorbis *vorbis, struct lh_error *error)
{
    const struct graph_deliverable *deliverable = vorbis->file->deliverable;
    if (setup(&vorbis->info, deliverable, vorbis->file->channels) != 0) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the Vorbis encoder refused settings that it took before");
    }
    const struct graph_tag *tags = engine_file_tags(vorbis->file);
    for (uint32_t i = 0; i < deliverable->tag_count; i++) {
        if (engine_vorbis_tag(tags[i].name)) {
            vorbis_comment_add_tag(&vorbis->comments, tags[i].name, tags[i].value);
        }
    }
    vorbis->has_dsp = vorbis_analysis_init(&vorbis->dsp, &vorbis->info) == 0;
    if (!vorbis->has_dsp) {
        return lh_error_no_memory(error);
    }
    vorbis->has_block = vorbis_block_init(&vorbis->dsp, &vorbis->block) == 0;
    uint32_t serial = (uint32_t)(deliverable->dither_seed ^ deliverable->dither_seed >> 32);
    vorbis->has_stream = ogg_stream_init(&vorbis->stream, (int)serial) == 0;
    if (!vorbis->has_block || !vorbis->has_stream) {
        return lh_error_no_memory(error);
    }
    return put_headers(vorbis, error);
}

static enum lh_status vorbis_open(struct engine_file *file, void **state, struct lh_error *error)
{
    struct vorbis *vorbis = calloc(1, sizeof *vorbis);
    if (vorbis == NULL) {
        return lh_error_no_memory(error);
    }
    vorbis->file = file;
    vorbis_info_init(&vorbis->info);
    vorbis_comment_init(&vorbis->comments);
    enum lh_status status = start(vorbis, error);
    if (status != LH_OK) {
        vorbis_free(vorbis);
        return status;
    }
    *state = vorbis;
    return LH_OK;
}

/* Encodes what the analysis has ready. */
static enum lh_status drain(struct vorbis *vorbis, struct lh_error *error)
{
    ogg_packet packet;
    int more;
    while ((more = vorbis_analysis_blockout(&vorbis->dsp, &vorbis->block)) == 1) {
        if (vorbis_analysis(&vorbis->block, NULL) != 0 || vorbis_bitrate_addblock(&vorbis->block) != 0) {
            return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the Vorbis encoder failed");
        }
        while (vorbis_bitrate_flushpacket(&vorbis->dsp, &packet) == 1) {
            if (ogg_stream_packetin(&vorbis->stream, &packet) != 0) {
                return lh_error_no_memory(error);
            }
            enum lh_status status = put_pages(vorbis, false, error);
            if (status != LH_OK) {
                return status;
            }
        }
    }
    return more == 0 ? LH_OK : lh_error_set(error, LH_ERR_INTERNAL, NULL, "the Vorbis encoder failed");
}

static enum lh_status vorbis_write(void *state, const void *samples, size_t frames, struct lh_error *error)
{
    struct vorbis *vorbis = state;
    const float *in = samples;
    uint32_t channels = vorbis->file->channels;
    const uint8_t *order = engine_vorbis_order(channels);
    float **planes = vorbis_analysis_buffer(&vorbis->dsp, (int)frames);
    if (planes == NULL) {
        return lh_error_no_memory(error);
    }
    for (uint32_t c = 0; c < channels; c++) {
        for (size_t i = 0; i < frames; i++) {
            planes[c][i] = in[i * channels + order[c]];
        }
    }
    if (vorbis_analysis_wrote(&vorbis->dsp, (int)frames) != 0) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the Vorbis encoder took no samples");
    }
    return drain(vorbis, error);
}

static enum lh_status vorbis_finish(void *state, uint64_t frames, struct lh_error *error)
{
    (void)frames;
    struct vorbis *vorbis = state;
    if (vorbis_analysis_wrote(&vorbis->dsp, 0) != 0) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the Vorbis encoder did not end");
    }
    enum lh_status status = drain(vorbis, error);
    return status == LH_OK ? put_pages(vorbis, true, error) : status;
}

const struct engine_backend engine_backend_vorbis = {
    .name = "Ogg Vorbis",
    .streams = true,
    .holds_tag = engine_vorbis_tag,
    .open = vorbis_open,
    .write = vorbis_write,
    .finish = vorbis_finish,
    .free = vorbis_free,
};
