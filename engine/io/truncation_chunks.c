/* SPDX-License-Identifier: MIT */
/* WAV, W64, AIFF, CAF and AU: walks the chunks up to the sound and holds its length against the file's. */
#include <string.h>

#include "engine/io/truncation.h"

#define CHUNKS_MAX 4096 /* more chunks than any honest file has before its sound */

/* Lengths that mean "not known when this was written", to a pipe or by a recorder that never finished. sox and others
   write the largest round number below 2 GiB (WAV) or 0x7f000000 (AIFF), ffmpeg all ones. */
#define UNKNOWN_SIZE_ALL UINT32_MAX
#define UNKNOWN_SIZE_WAV 0x7ffff000u
#define UNKNOWN_SIZE_WAV_MAX 0x7fffffffu
#define UNKNOWN_SIZE_AIFF 0x7f000000u

enum encoding { ENCODING_COMPRESSED = 0, ENCODING_PCM };

/* What the header claims. */
struct claims {
    bool has_format, has_sound;
    enum encoding encoding;
    double rate;
    uint64_t channels, bits;
    uint64_t block_align; /* 0: the container has none */
    bool has_frames;
    uint64_t frames;          /* stated apart from the sound's length: AIFF */
    uint64_t outer_size;      /* of the whole RIFF without its first 8 bytes */
    uint64_t long_sound_size; /* RF64: the data chunk's true length */
    int64_t sound_offset;
    uint64_t sound_size;
    bool sound_size_unknown;
    bool open_end;   /* CAF may do that; libsndfile cannot read it */
    bool unfinished; /* more follows than the header knows */
};

struct chunk {
    uint8_t id[4]; /* of W64: the first bytes of the GUID, which are the same letters */
    int64_t body;
    uint64_t size;
    int64_t next;
};

struct walk {
    struct engine_vio *vio;
    enum engine_container container;
    bool big_endian;
    int64_t offset; /* of the next chunk */
};

static uint64_t get_uint(const uint8_t *bytes, size_t size, bool big_endian)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint64_t)bytes[i] << 8 * (big_endian ? size - 1 - i : i);
    }
    return value;
}

static double get_double(const uint8_t *bytes)
{
    uint64_t bits = get_uint(bytes, sizeof(bits), true);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* AIFF's rates: 80-bit extended, of which integers up to 2^32 are all that matters. Anything else is given as 0. */
static double get_extended(const uint8_t *bytes)
{
    unsigned exponent = (unsigned)get_uint(bytes, 2, true);
    uint64_t mantissa = get_uint(bytes + 2, 8, true);
    if (exponent < 16383 || exponent > 16383 + 32) {
        return 0;
    }
    return (double)(mantissa >> 11) / (double)(UINT64_C(1) << (52 - (exponent - 16383)));
}

static bool is_id(const struct chunk *chunk, const char *id)
{
    return memcmp(chunk->id, id, 4) == 0;
}

/* False at the end of the file, or where no further chunk can start. */
static bool next_chunk(struct walk *walk, struct chunk *chunk)
{
    enum { W64_HEADER = 24, CAF_HEADER = 12, RIFF_HEADER = 8 };
    uint8_t header[W64_HEADER];
    size_t size = walk->container == ENGINE_CONTAINER_W64   ? W64_HEADER
                  : walk->container == ENGINE_CONTAINER_CAF ? CAF_HEADER
                                                            : RIFF_HEADER;
    if (!engine_vio_read_at(walk->vio, walk->offset, header, size)) {
        return false;
    }
    memcpy(chunk->id, header, sizeof(chunk->id));
    chunk->body = walk->offset + (int64_t)size;
    uint64_t padding = 0;
    if (walk->container == ENGINE_CONTAINER_W64) {
        uint64_t whole = get_uint(header + 16, 8, false);
        if (whole < W64_HEADER) {
            return false;
        }
        chunk->size = whole - W64_HEADER;
        padding = -whole & 7;
    } else if (walk->container == ENGINE_CONTAINER_CAF) {
        chunk->size = get_uint(header + 4, 8, true);
    } else {
        chunk->size = get_uint(header + 4, 4, walk->big_endian);
        padding = chunk->size & 1;
    }
    /* A chunk that reaches past the end has none after it; its own length is judged by who knows what it holds. */
    uint64_t left = (uint64_t)(walk->vio->size - chunk->body);
    if (chunk->size > left || chunk->size + padding > left) {
        chunk->next = walk->vio->size;
    } else {
        chunk->next = chunk->body + (int64_t)(chunk->size + padding);
    }
    walk->offset = chunk->next;
    return true;
}

/* `fmt ` of WAV and W64. */
static bool read_wave_format(struct walk *walk, const struct chunk *chunk, struct claims *claims)
{
    enum { FORMAT_SIZE = 16, TAG_PCM = 1, TAG_FLOAT = 3, TAG_EXTENSIBLE = 0xfffe, SUB_FORMAT_AT = 24 };
    uint8_t format[FORMAT_SIZE];
    if (chunk->size < sizeof(format) || !engine_vio_read_at(walk->vio, chunk->body, format, sizeof(format))) {
        return false;
    }
    bool big = walk->big_endian;
    uint64_t tag = get_uint(format, 2, big);
    uint8_t sub[2];
    if (tag == TAG_EXTENSIBLE && chunk->size >= SUB_FORMAT_AT + 16 &&
        engine_vio_read_at(walk->vio, chunk->body + SUB_FORMAT_AT, sub, sizeof(sub))) {
        tag = get_uint(sub, 2, big);
    }
    claims->encoding = tag == TAG_PCM || tag == TAG_FLOAT ? ENCODING_PCM : ENCODING_COMPRESSED;
    claims->channels = get_uint(format + 2, 2, big);
    claims->rate = (double)get_uint(format + 4, 4, big);
    claims->block_align = get_uint(format + 12, 2, big);
    claims->bits = get_uint(format + 14, 2, big);
    claims->has_format = true;
    return true;
}

static void read_wave_sound(const struct walk *walk, const struct chunk *chunk, struct claims *claims)
{
    claims->has_sound = true;
    claims->sound_offset = chunk->body;
    claims->sound_size = chunk->size;
    if (walk->container == ENGINE_CONTAINER_W64) {
        return;
    }
    if (chunk->size == UNKNOWN_SIZE_ALL && claims->long_sound_size != 0) {
        claims->sound_size = claims->long_sound_size;
        return;
    }
    /* The RIFF says how long it is itself, up to padding. A recorder that died leaves it short. */
    claims->unfinished = claims->outer_size + 8 + 1 < (uint64_t)walk->vio->size;
    claims->sound_size_unknown =
        chunk->size == UNKNOWN_SIZE_ALL || (chunk->size >= UNKNOWN_SIZE_WAV && chunk->size <= UNKNOWN_SIZE_WAV_MAX);
}

static void walk_wave(struct walk *walk, struct claims *claims)
{
    uint8_t outer[8];
    bool is_w64 = walk->container == ENGINE_CONTAINER_W64;
    memcpy(outer, walk->vio->head, sizeof(outer));
    walk->big_endian = memcmp(outer, "RIFX", 4) == 0;
    walk->offset = is_w64 ? 40 : 12;
    claims->outer_size = get_uint(outer + 4, 4, walk->big_endian);
    struct chunk chunk;
    for (int i = 0; i < CHUNKS_MAX && !claims->has_sound && next_chunk(walk, &chunk); i++) {
        uint8_t sizes[16];
        if (is_id(&chunk, "ds64") && chunk.size >= sizeof(sizes) &&
            engine_vio_read_at(walk->vio, chunk.body, sizes, sizeof(sizes))) {
            claims->outer_size = get_uint(sizes, 8, false);
            claims->long_sound_size = get_uint(sizes + 8, 8, false);
        } else if (is_id(&chunk, "fmt ") && !read_wave_format(walk, &chunk, claims)) {
            return;
        } else if (is_id(&chunk, "data")) {
            read_wave_sound(walk, &chunk, claims);
        }
    }
}

static void walk_aiff(struct walk *walk, struct claims *claims)
{
    enum { COMMON_SIZE = 18, SOUND_HEADER = 8 };
    walk->big_endian = true;
    walk->offset = 12;
    bool compressible = walk->vio->head[11] == 'C';
    struct chunk chunk;
    for (int i = 0; i < CHUNKS_MAX && next_chunk(walk, &chunk); i++) {
        uint8_t common[COMMON_SIZE + 4] = {0};
        if (is_id(&chunk, "COMM") && chunk.size >= COMMON_SIZE) {
            size_t size = compressible && chunk.size >= sizeof(common) ? sizeof(common) : COMMON_SIZE;
            if (!engine_vio_read_at(walk->vio, chunk.body, common, size)) {
                return;
            }
            const uint8_t *kind = common + COMMON_SIZE;
            bool pcm = !compressible || memcmp(kind, "NONE", 4) == 0 || memcmp(kind, "sowt", 4) == 0 ||
                       memcmp(kind, "twos", 4) == 0;
            claims->encoding = pcm ? ENCODING_PCM : ENCODING_COMPRESSED;
            claims->channels = get_uint(common, 2, true);
            claims->frames = get_uint(common + 2, 4, true);
            claims->bits = get_uint(common + 6, 2, true);
            claims->rate = get_extended(common + 8);
            claims->has_format = claims->has_frames = true;
        } else if (is_id(&chunk, "SSND") && chunk.size >= SOUND_HEADER) {
            uint8_t header[SOUND_HEADER];
            if (!engine_vio_read_at(walk->vio, chunk.body, header, sizeof(header))) {
                return;
            }
            claims->has_sound = true;
            claims->sound_offset = chunk.body + SOUND_HEADER;
            claims->sound_size = chunk.size - SOUND_HEADER;
            claims->sound_size_unknown =
                chunk.size >= UNKNOWN_SIZE_AIFF && chunk.size <= UNKNOWN_SIZE_WAV_MAX && chunk.next == walk->vio->size;
        }
    }
    /* Written to a pipe, the number of frames is a guess as well. */
    claims->has_frames = claims->has_frames && !claims->sound_size_unknown;
}

static void walk_caf(struct walk *walk, struct claims *claims)
{
    enum { DESCRIPTION_SIZE = 32, EDIT_COUNT = 4 };
    walk->offset = 8;
    struct chunk chunk;
    for (int i = 0; i < CHUNKS_MAX && !claims->has_sound && next_chunk(walk, &chunk); i++) {
        uint8_t description[DESCRIPTION_SIZE];
        if (is_id(&chunk, "desc") && chunk.size >= sizeof(description)) {
            if (!engine_vio_read_at(walk->vio, chunk.body, description, sizeof(description))) {
                return;
            }
            claims->encoding = memcmp(description + 8, "lpcm", 4) == 0 ? ENCODING_PCM : ENCODING_COMPRESSED;
            claims->rate = get_double(description);
            claims->block_align = get_uint(description + 16, 4, true);
            claims->channels = get_uint(description + 24, 4, true);
            claims->bits = get_uint(description + 28, 4, true);
            claims->has_format = true;
        } else if (is_id(&chunk, "data") && chunk.size >= EDIT_COUNT) {
            claims->has_sound = true;
            claims->sound_offset = chunk.body + EDIT_COUNT;
            claims->sound_size = chunk.size - EDIT_COUNT;
            claims->open_end = chunk.size == UINT64_MAX;
        }
    }
}

static void read_au(struct walk *walk, struct claims *claims)
{
    uint8_t header[24];
    if (!engine_vio_read_at(walk->vio, 0, header, sizeof(header))) {
        return;
    }
    bool big = header[0] == '.';
    claims->sound_offset = (int64_t)get_uint(header + 4, 4, big);
    claims->sound_size = get_uint(header + 8, 4, big);
    claims->sound_size_unknown = claims->sound_size == UNKNOWN_SIZE_ALL;
    claims->rate = (double)get_uint(header + 16, 4, big);
    claims->channels = get_uint(header + 20, 4, big);
    claims->has_format = claims->has_sound = true;
}

static enum lh_status judge_frame_size(const struct claims *claims, struct lh_error *error)
{
    uint64_t sample = (claims->bits + 7) / 8;
    uint64_t frame = claims->channels * sample;
    if (sample == 0 || sample > sizeof(double)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file's header says %llu bits a sample: it is damaged, export it again",
                            (unsigned long long)claims->bits);
    }
    if (claims->block_align != 0 && claims->block_align != frame) {
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "the file's header contradicts itself: %llu channels of %llu bits are %llu bytes a frame, not %llu; "
            "export it again",
            (unsigned long long)claims->channels, (unsigned long long)claims->bits, (unsigned long long)frame,
            (unsigned long long)claims->block_align);
    }
    if (claims->has_frames && claims->frames > claims->sound_size / frame) {
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "the file's header contradicts itself: it says %llu frames and its sound has %llu, export it again",
            (unsigned long long)claims->frames, (unsigned long long)(claims->sound_size / frame));
    }
    return LH_OK;
}

static enum lh_status judge(const struct engine_vio *vio, const struct claims *claims, struct lh_error *error)
{
    if (!claims->has_format) {
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "the file is truncated or damaged: its header does not say what it holds, export or copy it again");
    }
    enum lh_status status = engine_truncation_check_claims(claims->rate, claims->channels, error);
    if (status != LH_OK) {
        return status;
    }
    if (!claims->has_sound) {
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "the file is truncated or damaged: it ends before its sound begins, export or copy it again");
    }
    if (claims->encoding == ENCODING_PCM) {
        status = judge_frame_size(claims, error);
        if (status != LH_OK) {
            return status;
        }
    }
    if (claims->open_end) {
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "the file's header leaves its length open, which cannot be read in CAF: export it again as WAV");
    }
    uint64_t left = claims->sound_offset < vio->size ? (uint64_t)(vio->size - claims->sound_offset) : 0;
    bool none = claims->sound_size == 0 && !claims->sound_size_unknown;
    if (none && left > 0 && claims->unfinished) {
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "the file was never finished: its header says no sound and %llu bytes follow; export it again, or repair "
            "it with sox --ignore-length",
            (unsigned long long)left);
    }
    if (left == 0 || none) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file holds no sound: it has a header and no frames, export it again");
    }
    if (!claims->sound_size_unknown && claims->sound_size > left) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file is truncated: its header promises %llu bytes of sound and %llu are there, export "
                            "or copy it again",
                            (unsigned long long)claims->sound_size, (unsigned long long)left);
    }
    return LH_OK;
}

enum lh_status engine_truncation_check_chunks(struct engine_vio *vio, enum engine_container container,
                                              struct lh_error *error)
{
    struct walk walk = {.vio = vio, .container = container, .big_endian = false, .offset = 0};
    struct claims claims = {.has_format = false};
    if (container == ENGINE_CONTAINER_AIFF) {
        walk_aiff(&walk, &claims);
    } else if (container == ENGINE_CONTAINER_CAF) {
        walk_caf(&walk, &claims);
    } else if (container == ENGINE_CONTAINER_AU) {
        read_au(&walk, &claims);
    } else {
        walk_wave(&walk, &claims);
    }
    return judge(vio, &claims, error);
}
