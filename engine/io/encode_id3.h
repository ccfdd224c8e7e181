/* SPDX-License-Identifier: MIT */
/* ID3v2.4 in UTF-8, for MP3. */
#ifndef ENGINE_IO_ENCODE_ID3_H
#define ENGINE_IO_ENCODE_ID3_H

#include "engine/io/encode_backend.h"

/* The whole tag, nothing when the deliverable has no tags. LH_ERR_LIMIT past ID3's 256 MiB. */
LH_NODISCARD enum lh_status engine_id3_put(const struct engine_file *file, struct lh_writer *writer,
                                           struct lh_error *error);

#endif
