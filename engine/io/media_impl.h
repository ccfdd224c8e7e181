/* SPDX-License-Identifier: MIT */
/* What a medium is made of, for the files of this folder that make and read it. */
#ifndef ENGINE_IO_MEDIA_IMPL_H
#define ENGINE_IO_MEDIA_IMPL_H

#include "engine/io/media.h"

struct engine_media {
    int fd;          /* borrowed */
    bool is_scratch; /* raw floats: no decoder can open it */
    struct engine_media_facts facts;
    /* POSITIONED only */
    enum engine_sample_format sample_format;
    uint64_t data_offset; /* of frame 0, bytes */
    size_t frame_size;    /* bytes */
};

/* Looks at the file and fills *media: see engine_media_probe(). */
LH_NODISCARD enum lh_status engine_media_describe(int fd, struct engine_media *media, struct lh_error *error);

#endif
