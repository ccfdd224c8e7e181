/* SPDX-License-Identifier: MIT */
/* Media as values, and reading uncompressed PCM in place. */
#include "engine/io/media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "engine/io/media_impl.h"

enum lh_status engine_media_probe(int fd, struct engine_media_facts *facts, struct lh_error *error)
{
    struct engine_media media;
    enum lh_status status = engine_media_describe(fd, &media, error);
    if (status == LH_OK) {
        *facts = media.facts;
    }
    return status;
}

enum lh_status engine_media_open(int fd, struct engine_media **media, struct lh_error *error)
{
    struct engine_media *opened = malloc(sizeof(*opened));
    if (opened == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = engine_media_describe(fd, opened, error);
    if (status != LH_OK) {
        free(opened);
        return status;
    }
    *media = opened;
    return LH_OK;
}

enum lh_status engine_media_open_scratch(int fd, uint64_t offset, uint32_t channels, uint32_t rate, uint64_t frames,
                                         struct engine_media **media)
{
    struct engine_media *opened = calloc(1, sizeof(*opened));
    if (opened == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    opened->fd = fd;
    opened->is_scratch = true;
    opened->sample_format = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ENGINE_SAMPLE_F32_BE : ENGINE_SAMPLE_F32_LE;
    opened->data_offset = offset;
    opened->frame_size = channels * sizeof(float);
    opened->facts = (struct engine_media_facts){
        .access = ENGINE_ACCESS_POSITIONED, .rate = rate, .channels = channels, .frames = frames, .bits = 32};
    snprintf(opened->facts.format, sizeof(opened->facts.format), "conformed");
    *media = opened;
    return LH_OK;
}

void engine_media_close(struct engine_media *media)
{
    free(media);
}

const struct engine_media_facts *engine_media_get_facts(const struct engine_media *media)
{
    return &media->facts;
}

enum engine_sample_format engine_media_sample_format(const struct engine_media *media)
{
    return media->sample_format;
}

enum lh_status engine_media_read_raw(const struct engine_media *media, int64_t frame, size_t frames, uint8_t *raw,
                                     struct lh_error *error)
{
    uint64_t offset = media->data_offset + (uint64_t)frame * media->frame_size;
    size_t size = frames * media->frame_size;
    size_t done;
    int cause = lh_file_read_some_at(media->fd, raw, size, offset, &done);
    if (cause != 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "reading a media file failed: %s", strerror(cause));
    }
    if (done < size) {
        return lh_error_set(error, LH_ERR_IO, NULL,
                            "a media file has become shorter while it was read: leave media alone during a render");
    }
    return LH_OK;
}
