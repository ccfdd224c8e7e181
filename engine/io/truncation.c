/* SPDX-License-Identifier: MIT */
/* Which container a file is, and whether MPEG streams are whole. */
#include "engine/io/truncation.h"

#include <string.h>

#include "graph/graph.h"

#define READABLE "WAV, RF64, W64, AIFF, CAF, AU, FLAC, Ogg Vorbis, Ogg Opus and MP3 can be read"

struct magic {
    size_t offset;
    const char *bytes;
    size_t size;
};

static bool has_magic(const struct engine_vio *vio, const struct magic *magic)
{
    return vio->head_size >= magic->offset + magic->size &&
           memcmp(vio->head + magic->offset, magic->bytes, magic->size) == 0;
}

/* The name of a format that people try and that is not read; NULL when it is none of them. */
static const char *find_stranger(const struct engine_vio *vio)
{
    static const struct {
        struct magic magic;
        const char *name;
    } strangers[] = {
        {{4, "ftyp", 4}, "an MP4 file (AAC or ALAC)"},
        {{0, "wvpk", 4}, "a WavPack file"},
        {{0, "MAC ", 4}, "a Monkey's Audio file"},
        {{0, "\x30\x26\xb2\x75", 4}, "a Windows Media file"},
        {{0, "\x1a\x45\xdf\xa3", 4}, "a Matroska or WebM file"},
        {{0, "BW64", 4}, "a BW64 file"},
        {{0, "MThd", 4}, "a MIDI file"},
        {{0, "\xff\xf1", 2}, "an AAC stream"},
        {{0, "\xff\xf9", 2}, "an AAC stream"},
        {{0, "PK\x03\x04", 4}, "a ZIP archive"},
        {{0, "Creative Voice", 14}, "a VOC file"},
        {{0, "DSD ", 4}, "a DSD file"},
    };
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        if (has_magic(vio, &strangers[i].magic)) {
            return strangers[i].name;
        }
    }
    return NULL;
}

enum lh_status engine_container_find(struct engine_vio *vio, enum engine_container *container, struct lh_error *error)
{
    static const struct {
        struct magic magic, second;
        enum engine_container container;
    } known[] = {
        {{0, "RIFF", 4}, {8, "WAVE", 4}, ENGINE_CONTAINER_WAV},
        {{0, "RIFX", 4}, {8, "WAVE", 4}, ENGINE_CONTAINER_WAV},
        {{0, "RF64", 4}, {8, "WAVE", 4}, ENGINE_CONTAINER_WAV},
        {{0, "riff\x2e\x91\xcf\x11", 8}, {24, "wave", 4}, ENGINE_CONTAINER_W64},
        {{0, "FORM", 4}, {8, "AIFF", 4}, ENGINE_CONTAINER_AIFF},
        {{0, "FORM", 4}, {8, "AIFC", 4}, ENGINE_CONTAINER_AIFF},
        {{0, "caff", 4}, {0, "", 0}, ENGINE_CONTAINER_CAF},
        {{0, ".snd", 4}, {0, "", 0}, ENGINE_CONTAINER_AU},
        {{0, "dns.", 4}, {0, "", 0}, ENGINE_CONTAINER_AU},
        {{0, "fLaC", 4}, {0, "", 0}, ENGINE_CONTAINER_FLAC},
        {{0, "OggS", 4}, {0, "", 0}, ENGINE_CONTAINER_OGG},
        {{0, "ID3", 3}, {0, "", 0}, ENGINE_CONTAINER_MPEG},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (has_magic(vio, &known[i].magic) && has_magic(vio, &known[i].second)) {
            *container = known[i].container;
            return LH_OK;
        }
    }
    const char *stranger = find_stranger(vio);
    if (stranger != NULL) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "%s cannot be read: convert it to WAV or FLAC", stranger);
    }
    /* An MPEG frame: eleven bits of sync, a layer, a bit rate and a sampling rate that exist. */
    const uint8_t *head = vio->head;
    if (vio->head_size >= 4 && head[0] == 0xff && (head[1] & 0xe0) == 0xe0 && (head[1] & 0x18) != 0x08 &&
        (head[1] & 0x06) != 0 && (head[2] & 0xf0) != 0xf0 && (head[2] & 0x0c) != 0x0c) {
        *container = ENGINE_CONTAINER_MPEG;
        return LH_OK;
    }
    return lh_error_set(error, LH_ERR_FORMAT, NULL, "not a sound file that is known here: " READABLE);
}

enum lh_status engine_truncation_check_claims(double rate, uint64_t channels, struct lh_error *error)
{
    if (channels == 0) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file's header says 0 channels: it is damaged, export it again");
    }
    if (channels > GRAPH_CHANNELS_MAX) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file has %llu channels: at most %d can be read, split it up",
                            (unsigned long long)channels, GRAPH_CHANNELS_MAX);
    }
    /* Written so that a rate that is not a number fails too. */
    if (!(rate >= GRAPH_RATE_MIN && rate <= GRAPH_RATE_MAX)) {
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "the file's header says %.10g Hz: from %d to %d can be read, export it again at a usual rate", rate,
            GRAPH_RATE_MIN, GRAPH_RATE_MAX);
    }
    return LH_OK;
}

/* An ID3v2 tag's size as it lies before the first frame; 0 when there is none. */
static int64_t id3_size(struct engine_vio *vio)
{
    const uint8_t *head = vio->head;
    if (vio->head_size < 10 || memcmp(head, "ID3", 3) != 0) {
        return 0;
    }
    int64_t size = 10;
    for (int i = 0; i < 4; i++) {
        size += (int64_t)(head[6 + i] & 0x7f) << (21 - 7 * i);
    }
    return (head[5] & 0x10) != 0 ? size + 10 : size;
}

/* The "Xing" or "Info" tag in the first frame of an MP3: how many frames and bytes follow. Without it the length is
   only known after decoding. */
static enum lh_status check_mpeg(struct engine_vio *vio, bool *length_known, struct lh_error *error)
{
    enum { TAG_SIZE = 16, HAS_FRAMES = 1, HAS_BYTES = 2 };
    *length_known = false;
    int64_t start = id3_size(vio);
    if (start >= vio->size) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file is truncated: it ends inside its tags, export or copy it again");
    }
    uint8_t frame[4];
    if (!engine_vio_read_at(vio, start, frame, sizeof(frame)) || frame[0] != 0xff || (frame[1] & 0xe0) != 0xe0) {
        return LH_OK;
    }
    bool version_1 = (frame[1] & 0x18) == 0x18;
    bool mono = (frame[3] & 0xc0) == 0xc0;
    int64_t side_info = version_1 ? (mono ? 17 : 32) : (mono ? 9 : 17);
    uint8_t tag[TAG_SIZE];
    if (!engine_vio_read_at(vio, start + (int64_t)sizeof(frame) + side_info, tag, sizeof(tag)) ||
        (memcmp(tag, "Xing", 4) != 0 && memcmp(tag, "Info", 4) != 0) || (tag[7] & HAS_FRAMES) == 0 ||
        (tag[7] & HAS_BYTES) == 0) {
        return LH_OK;
    }
    int64_t bytes = 0;
    for (int i = 0; i < 4; i++) {
        bytes = bytes << 8 | tag[12 + i];
    }
    if (start + bytes > vio->size) {
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "the file is truncated: its header promises %lld bytes and %lld are there, export or copy it again",
            (long long)bytes, (long long)(vio->size - start));
    }
    *length_known = true;
    return LH_OK;
}

enum lh_status engine_truncation_check(struct engine_vio *vio, enum engine_container container, bool *length_known,
                                       struct lh_error *error)
{
    switch (container) {
    case ENGINE_CONTAINER_OGG:
        *length_known = true;
        return engine_truncation_check_ogg(vio, error);
    case ENGINE_CONTAINER_MPEG:
        return check_mpeg(vio, length_known, error);
    case ENGINE_CONTAINER_FLAC:
        *length_known = true;
        return LH_OK;
    case ENGINE_CONTAINER_WAV:
    case ENGINE_CONTAINER_W64:
    case ENGINE_CONTAINER_AIFF:
    case ENGINE_CONTAINER_CAF:
    case ENGINE_CONTAINER_AU:
        break;
    }
    *length_known = true;
    return engine_truncation_check_chunks(vio, container, error);
}
