/* SPDX-License-Identifier: MIT */
/* What a file is, and how it can be read. Nothing that libsndfile says about uncompressed PCM is believed before our
   own way of reading it has given the same samples. */
#include <stdio.h>
#include <string.h>

#include "engine/io/media_impl.h"
#include "engine/io/truncation.h"

#define CHECKED_FRAMES 32         /* compared at the beginning, the middle and the end */
#define FRAMES_PER_BYTE_MAX 65536 /* no codec reaches this: a claim past it is a lie */
#define COUNT_SAMPLES 8192
#define SAMPLE_BYTES_MAX 8

/* How the samples are stored: one row for each of libsndfile's sub-formats that are read. */
struct encoding {
    int format;
    enum engine_access access;
    uint32_t bits;
    enum engine_sample_format little, big; /* POSITIONED */
    const char *name;                      /* after the container's name */
};

static const struct encoding encodings[] = {
    {SF_FORMAT_PCM_U8, ENGINE_ACCESS_POSITIONED, 8, ENGINE_SAMPLE_U8, ENGINE_SAMPLE_U8, "8 bit"},
    {SF_FORMAT_PCM_S8, ENGINE_ACCESS_POSITIONED, 8, ENGINE_SAMPLE_S8, ENGINE_SAMPLE_S8, "8 bit"},
    {SF_FORMAT_PCM_16, ENGINE_ACCESS_POSITIONED, 16, ENGINE_SAMPLE_S16_LE, ENGINE_SAMPLE_S16_BE, "16 bit"},
    {SF_FORMAT_PCM_24, ENGINE_ACCESS_POSITIONED, 24, ENGINE_SAMPLE_S24_LE, ENGINE_SAMPLE_S24_BE, "24 bit"},
    {SF_FORMAT_PCM_32, ENGINE_ACCESS_POSITIONED, 32, ENGINE_SAMPLE_S32_LE, ENGINE_SAMPLE_S32_BE, "32 bit"},
    {SF_FORMAT_FLOAT, ENGINE_ACCESS_POSITIONED, 32, ENGINE_SAMPLE_F32_LE, ENGINE_SAMPLE_F32_BE, "32 bit float"},
    {SF_FORMAT_DOUBLE, ENGINE_ACCESS_POSITIONED, 64, ENGINE_SAMPLE_F64_LE, ENGINE_SAMPLE_F64_BE, "64 bit float"},
    {SF_FORMAT_ALAC_16, ENGINE_ACCESS_LINEAR, 16, 0, 0, "ALAC, 16 bit"},
    {SF_FORMAT_ALAC_20, ENGINE_ACCESS_LINEAR, 20, 0, 0, "ALAC, 20 bit"},
    {SF_FORMAT_ALAC_24, ENGINE_ACCESS_LINEAR, 24, 0, 0, "ALAC, 24 bit"},
    {SF_FORMAT_ALAC_32, ENGINE_ACCESS_LINEAR, 32, 0, 0, "ALAC, 32 bit"},
    {SF_FORMAT_ULAW, ENGINE_ACCESS_LINEAR, 0, 0, 0, "u-law"},
    {SF_FORMAT_ALAW, ENGINE_ACCESS_LINEAR, 0, 0, 0, "A-law"},
    {SF_FORMAT_IMA_ADPCM, ENGINE_ACCESS_LINEAR, 0, 0, 0, "IMA ADPCM"},
    {SF_FORMAT_MS_ADPCM, ENGINE_ACCESS_LINEAR, 0, 0, 0, "MS ADPCM"},
    {SF_FORMAT_GSM610, ENGINE_ACCESS_LINEAR, 0, 0, 0, "GSM 6.10"},
    {SF_FORMAT_VORBIS, ENGINE_ACCESS_LINEAR, 0, 0, 0, "Vorbis"},
    {SF_FORMAT_OPUS, ENGINE_ACCESS_LINEAR, 0, 0, 0, "Opus"},
    {SF_FORMAT_MPEG_LAYER_I, ENGINE_ACCESS_LINEAR, 0, 0, 0, "1"},
    {SF_FORMAT_MPEG_LAYER_II, ENGINE_ACCESS_LINEAR, 0, 0, 0, "2"},
    {SF_FORMAT_MPEG_LAYER_III, ENGINE_ACCESS_LINEAR, 0, 0, 0, "3"},
};

static const struct encoding *find_encoding(int format)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        if (encodings[i].format == (format & SF_FORMAT_SUBMASK)) {
            return &encodings[i];
        }
    }
    return NULL;
}

static void name_format(int format, const struct encoding *encoding, char *name, size_t size)
{
    static const struct {
        int format;
        const char *name; /* with what stands before the encoding's name */
    } containers[] = {
        {SF_FORMAT_WAV, "WAV, "},   {SF_FORMAT_WAVEX, "WAV, "}, {SF_FORMAT_RF64, "RF64, "}, {SF_FORMAT_W64, "W64, "},
        {SF_FORMAT_AIFF, "AIFF, "}, {SF_FORMAT_CAF, "CAF, "},   {SF_FORMAT_AU, "AU, "},     {SF_FORMAT_FLAC, "FLAC, "},
        {SF_FORMAT_OGG, "Ogg "},    {SF_FORMAT_MPEG, "MP"},
    };
    const char *container = "";
    for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
        if (containers[i].format == (format & SF_FORMAT_TYPEMASK)) {
            container = containers[i].name;
        }
    }
    snprintf(name, size, "%s%s", container, encoding->name);
}

/* Our own reading of PCM against libsndfile's, bit by bit: true when they agree at `frame`. */
static bool same_at(SNDFILE *file, struct engine_vio *vio, const struct engine_media *media, uint64_t frame,
                    size_t frames)
{
    float theirs[CHECKED_FRAMES * GRAPH_CHANNELS_MAX], ours[CHECKED_FRAMES * GRAPH_CHANNELS_MAX];
    uint8_t raw[CHECKED_FRAMES * GRAPH_CHANNELS_MAX * SAMPLE_BYTES_MAX];
    size_t samples = frames * media->facts.channels;
    int64_t offset = (int64_t)(media->data_offset + frame * media->frame_size);
    if (sf_seek(file, (sf_count_t)frame, SEEK_SET) != (sf_count_t)frame ||
        sf_readf_float(file, theirs, (sf_count_t)frames) != (sf_count_t)frames) {
        return false;
    }
    if (!engine_vio_read_at(vio, offset, raw, frames * media->frame_size)) {
        return false;
    }
    engine_kernels_c()->decode[media->sample_format](ours, raw, samples);
    return memcmp(ours, theirs, samples * sizeof(float)) == 0;
}

/* Where frame 0 lies is where libsndfile's seek goes. False: the file is not laid out as that says, and is better read
   through libsndfile. */
static bool locate_pcm(SNDFILE *file, struct engine_vio *vio, const struct encoding *encoding,
                       struct engine_media *media)
{
    if (sf_seek(file, 0, SEEK_SET) != 0) {
        return false;
    }
    /* libsndfile says whether the bytes stand against the machine's order: with the order, that is theirs. */
    bool swapped = sf_command(file, SFC_RAW_DATA_NEEDS_ENDSWAP, NULL, 0) == SF_TRUE;
    bool big = swapped != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    media->sample_format = big ? encoding->big : encoding->little;
    media->data_offset = (uint64_t)vio->position;
    media->frame_size = engine_sample_size(media->sample_format) * media->facts.channels;
    uint64_t frames = media->facts.frames;
    if (frames > ((uint64_t)vio->size - media->data_offset) / media->frame_size) {
        return false;
    }
    size_t checked = frames < CHECKED_FRAMES ? (size_t)frames : CHECKED_FRAMES;
    return same_at(file, vio, media, 0, checked) && same_at(file, vio, media, (frames - checked) / 2, checked) &&
           same_at(file, vio, media, frames - checked, checked);
}

/* The length of what does not tell it, by decoding all of it. */
static enum lh_status count_frames(SNDFILE *file, uint32_t channels, uint64_t *frames, struct lh_error *error)
{
    float samples[COUNT_SAMPLES];
    uint64_t count = 0;
    sf_count_t got;
    while ((got = sf_readf_float(file, samples, COUNT_SAMPLES / channels)) > 0) {
        count += (uint64_t)got;
    }
    if (sf_error(file) != SF_ERR_NO_ERROR) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file is damaged at frame %llu (%s): export or copy it again",
                            (unsigned long long)count, sf_strerror(file));
    }
    *frames = count;
    return LH_OK;
}

/* A FLAC tells its length in front: the last frame has to be there. */
static enum lh_status check_last_frame(SNDFILE *file, uint64_t frames, struct lh_error *error)
{
    float sample[GRAPH_CHANNELS_MAX];
    sf_count_t last = (sf_count_t)frames - 1;
    if (sf_seek(file, last, SEEK_SET) == last && sf_readf_float(file, sample, 1) == 1 &&
        sf_error(file) == SF_ERR_NO_ERROR) {
        return LH_OK;
    }
    return lh_error_set(
        error, LH_ERR_FORMAT, NULL,
        "the file is truncated or damaged: the last of its %llu frames cannot be decoded, export or copy it again",
        (unsigned long long)frames);
}

static enum lh_status measure(SNDFILE *file, const SF_INFO *info, const struct engine_vio *vio, bool length_known,
                              struct engine_media *media, struct lh_error *error)
{
    bool is_flac = (info->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC;
    uint64_t frames = info->frames > 0 ? (uint64_t)info->frames : 0;
    /* A FLAC that came through a pipe does not know its length, and cannot be relied on to seek; of an Ogg file with
       bytes behind its end libsndfile does not find it. */
    bool streamed = info->frames == SF_COUNT_MAX;
    enum lh_status status = LH_OK;
    if (is_flac && !streamed) {
        media->facts.access = ENGINE_ACCESS_STREAM;
    }
    if (!length_known || streamed) {
        status = count_frames(file, media->facts.channels, &frames, error);
    }
    if (status != LH_OK) {
        return status;
    }
    if (frames == 0) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file holds no sound: it has a header and no frames, export it again");
    }
    if (frames >= GRAPH_FRAMES_MAX || frames / FRAMES_PER_BYTE_MAX > (uint64_t)vio->size) {
        return lh_error_set(
            error, LH_ERR_FORMAT, NULL,
            "the file's header says %llu frames, which %lld bytes cannot hold: it is damaged, export it again",
            (unsigned long long)frames, (long long)vio->size);
    }
    media->facts.frames = frames;
    return is_flac && !streamed ? check_last_frame(file, frames, error) : LH_OK;
}

static enum lh_status describe(SNDFILE *file, const SF_INFO *info, struct engine_vio *vio, bool length_known,
                               struct engine_media *media, struct lh_error *error)
{
    const struct encoding *encoding = find_encoding(info->format);
    if (encoding == NULL) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file's encoding cannot be read: export it again as WAV or FLAC");
    }
    enum lh_status status =
        engine_truncation_check_claims(info->samplerate, (uint64_t)(info->channels > 0 ? info->channels : 0), error);
    if (status != LH_OK) {
        return status;
    }
    struct engine_media found = {.fd = vio->fd, .is_scratch = false};
    found.facts.access = ENGINE_ACCESS_LINEAR;
    found.facts.rate = (uint32_t)info->samplerate;
    found.facts.channels = (uint32_t)info->channels;
    found.facts.bits = encoding->bits;
    name_format(info->format, encoding, found.facts.format, sizeof(found.facts.format));
    status = measure(file, info, vio, length_known, &found, error);
    if (status != LH_OK) {
        return status;
    }
    bool is_pcm = encoding->access == ENGINE_ACCESS_POSITIONED && (info->format & SF_FORMAT_TYPEMASK) != SF_FORMAT_FLAC;
    if (is_pcm) {
        found.facts.access = locate_pcm(file, vio, encoding, &found) ? ENGINE_ACCESS_POSITIONED : ENGINE_ACCESS_STREAM;
    }
    *media = found;
    return LH_OK;
}

enum lh_status engine_media_describe(int fd, struct engine_media *media, struct lh_error *error)
{
    struct engine_vio vio;
    enum engine_container container;
    bool length_known;
    SNDFILE *file;
    SF_INFO info;
    enum lh_status status = engine_vio_init(&vio, fd, error);
    if (status == LH_OK) {
        status = engine_container_find(&vio, &container, error);
    }
    if (status == LH_OK) {
        status = engine_truncation_check(&vio, container, &length_known, error);
    }
    if (status == LH_OK) {
        status = engine_vio_open(&vio, &file, &info, error);
    }
    if (status != LH_OK) {
        return status;
    }
    status = describe(file, &info, &vio, length_known, media, error);
    sf_close(file);
    return status;
}
