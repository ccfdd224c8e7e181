/* SPDX-License-Identifier: MIT */
/* The limits of every format as tables. Where a codec has a rule of its own, the tests hold the table against it. */
#include "graph/container.h"

#define CODEC_CHANNELS_MAX 8u    /* FLAC, Vorbis and Opus alike */
#define FLAC_RATE_16_BITS 65535u /* a frame's header has 16 bits for Hz or tens of Hz, 8 for kHz */
#define FLAC_RATE_MAX 655350u
#define FLAC_RATE_STEP 10u
#define OPUS_LEAST_KBPS 6u /* of each channel */
#define OPUS_MOST_KBPS 256u
#define MP3_CHANNELS_MAX 2u
#define MP3_BITRATES_MAX 14
#define VORBIS_RATE_MAX 200000u
#define VORBIS_SURROUND 6u /* channels that have a tuning of their own */

static enum lh_status check_pcm(const struct graph_deliverable *deliverable, uint32_t channels, struct lh_error *error)
{
    if (channels < 1 || channels > GRAPH_CHANNELS_MAX) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name, "%u channels: 1 to %d can be written",
                            channels, GRAPH_CHANNELS_MAX);
    }
    if (deliverable->bit_depth != 16 && deliverable->bit_depth != 24 && deliverable->bit_depth != 32) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name,
                            "%u bits: 16, 24 or 32 (float) can be written", deliverable->bit_depth);
    }
    return LH_OK;
}

static enum lh_status check_codec_channels(const struct graph_deliverable *deliverable, const char *codec,
                                           uint32_t channels, struct lh_error *error)
{
    if (channels < 1 || channels > CODEC_CHANNELS_MAX) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name,
                            "%s holds 1 to 8 channels, not %u: deliver WAV", codec, channels);
    }
    return LH_OK;
}

static enum lh_status check_flac(const struct graph_deliverable *deliverable, uint32_t channels, struct lh_error *error)
{
    enum lh_status status = check_codec_channels(deliverable, "FLAC", channels, error);
    if (status != LH_OK) {
        return status;
    }
    if (deliverable->bit_depth != 16 && deliverable->bit_depth != 24) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name, "FLAC holds 16 or 24 bits, not %u%s",
                            deliverable->bit_depth, deliverable->bit_depth == 32 ? " (float): deliver WAV" : "");
    }
    uint32_t rate = deliverable->rate;
    if (rate > FLAC_RATE_16_BITS && (rate > FLAC_RATE_MAX || rate % FLAC_RATE_STEP != 0)) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name, "FLAC cannot hold a sample rate of %u Hz",
                            rate);
    }
    return LH_OK;
}

/* Where libvorbisenc has bit rates, in kbit/s. Two channels are coupled; otherwise every channel counts alike. At an
   edge that two bands share both hold. */
static const struct {
    uint32_t rate_min, rate_max;
    uint16_t least, most;               /* of each channel */
    uint16_t stereo_least, stereo_most; /* of both */
} vorbis_bands[] = {
    {8000, 9000, 8, 42, 12, 84},     {9000, 15000, 12, 50, 16, 100},   {15000, 19000, 16, 100, 24, 200},
    {19000, 26000, 16, 90, 30, 180}, {26000, 40000, 30, 190, 36, 380}, {40000, 50000, 32, 240, 45, 500},
};
static const struct {
    uint32_t rate_min, rate_max;
    uint16_t least, most; /* of all six */
} vorbis_surround = {40000, 70000, 84, 1440};

static bool vorbis_has_bitrate(uint32_t channels, uint32_t rate, uint32_t kbps)
{
    for (size_t i = 0; i < sizeof vorbis_bands / sizeof vorbis_bands[0]; i++) {
        uint32_t least = channels == 2 ? vorbis_bands[i].stereo_least : vorbis_bands[i].least * channels;
        uint32_t most = channels == 2 ? vorbis_bands[i].stereo_most : vorbis_bands[i].most * channels;
        if (rate >= vorbis_bands[i].rate_min && rate <= vorbis_bands[i].rate_max && kbps >= least && kbps <= most) {
            return true;
        }
    }
    return channels == VORBIS_SURROUND && rate >= vorbis_surround.rate_min && rate <= vorbis_surround.rate_max &&
           kbps >= vorbis_surround.least && kbps <= vorbis_surround.most;
}

static enum lh_status check_vorbis(const struct graph_deliverable *deliverable, uint32_t channels,
                                   struct lh_error *error)
{
    enum lh_status status = check_codec_channels(deliverable, "Ogg Vorbis", channels, error);
    if (status != LH_OK) {
        return status;
    }
    uint32_t rate = deliverable->rate, kbps = deliverable->has_quality ? 0 : deliverable->bitrate_kbps;
    if (kbps > 0 && !vorbis_has_bitrate(channels, rate, kbps)) {
        return lh_error_set(
            error, LH_ERR_UNSUPPORTED, deliverable->name,
            "Ogg Vorbis cannot hold %u channels at %u Hz with %u kbit/s: choose another bit rate, or a quality",
            channels, rate, kbps);
    }
    if (rate > VORBIS_RATE_MAX) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name,
                            "Ogg Vorbis cannot hold %u channels at %u Hz: deliver 48000 Hz", channels, rate);
    }
    return LH_OK;
}

static enum lh_status check_opus(const struct graph_deliverable *deliverable, uint32_t channels, struct lh_error *error)
{
    static const uint32_t rates[] = {48000, 24000, 16000, 12000, 8000};
    bool rate = false;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        rate = rate || deliverable->rate == rates[i];
    }
    if (!rate) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name,
                            "Opus has no sample rate of %u Hz: deliver 48000 (or 24000, 16000, 12000, 8000)",
                            deliverable->rate);
    }
    enum lh_status status = check_codec_channels(deliverable, "Ogg Opus", channels, error);
    if (status != LH_OK) {
        return status;
    }
    uint32_t kbps = deliverable->has_quality ? 0 : deliverable->bitrate_kbps;
    if (kbps > 0 && (kbps < OPUS_LEAST_KBPS * channels || kbps > OPUS_MOST_KBPS * channels)) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name,
                            "Opus with %u channels takes %u to %u kbit/s, not %u", channels, OPUS_LEAST_KBPS * channels,
                            OPUS_MOST_KBPS * channels, kbps);
    }
    return LH_OK;
}

/* The three generations of MPEG audio, layer 3: which rates, and which bit rates in kbit/s. */
static const struct generation {
    uint32_t rates[3];
    uint16_t bitrates[MP3_BITRATES_MAX]; /* ends with 0 when there are fewer */
    uint16_t most;
    const char *choice;
} generations[] = {
    {{32000, 44100, 48000},
     {32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
     320,
     "32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256 or 320"},
    {{16000, 22050, 24000},
     {8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
     160,
     "8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144 or 160"},
    {{8000, 11025, 12000}, {8, 16, 24, 32, 40, 48, 56, 64, 0}, 64, "8, 16, 24, 32, 40, 48, 56 or 64"},
};

static const struct generation *find_generation(uint32_t rate)
{
    for (size_t i = 0; i < sizeof generations / sizeof generations[0]; i++) {
        for (size_t j = 0; j < sizeof generations[i].rates / sizeof generations[i].rates[0]; j++) {
            if (generations[i].rates[j] == rate) {
                return &generations[i];
            }
        }
    }
    return NULL;
}

uint32_t graph_mp3_most_kbps(uint32_t rate)
{
    const struct generation *generation = find_generation(rate);
    return generation != NULL ? generation->most : 0;
}

static bool mp3_has_bitrate(const struct generation *generation, uint32_t kbps)
{
    for (size_t i = 0; i < MP3_BITRATES_MAX && generation->bitrates[i] != 0; i++) {
        if (generation->bitrates[i] == kbps) {
            return true;
        }
    }
    return false;
}

static enum lh_status check_mp3(const struct graph_deliverable *deliverable, uint32_t channels, struct lh_error *error)
{
    if (channels < 1 || channels > MP3_CHANNELS_MAX) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name,
                            "MP3 holds 1 or 2 channels, not %u: deliver FLAC, Opus or WAV", channels);
    }
    const struct generation *generation = find_generation(deliverable->rate);
    if (generation == NULL) {
        return lh_error_set(
            error, LH_ERR_UNSUPPORTED, deliverable->name,
            "MP3 has no sample rate of %u Hz: deliver 48000, 44100 or 32000 (or a half or quarter of these)",
            deliverable->rate);
    }
    uint32_t kbps = deliverable->has_quality ? 0 : deliverable->bitrate_kbps;
    if (kbps > 0 && !mp3_has_bitrate(generation, kbps)) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name,
                            "MP3 at %u Hz has no bit rate of %u kbit/s: choose %s", deliverable->rate, kbps,
                            generation->choice);
    }
    return LH_OK;
}

enum lh_status graph_container_check(const struct graph_deliverable *deliverable, uint32_t channels,
                                     struct lh_error *error)
{
    if (deliverable->rate < GRAPH_RATE_MIN || deliverable->rate > GRAPH_RATE_MAX) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name, "a sample rate of %u Hz cannot be written",
                            deliverable->rate);
    }
    switch (deliverable->format) {
    case GRAPH_FORMAT_WAV:
    case GRAPH_FORMAT_BWF:
    case GRAPH_FORMAT_AIFF:
        return check_pcm(deliverable, channels, error);
    case GRAPH_FORMAT_FLAC:
        return check_flac(deliverable, channels, error);
    case GRAPH_FORMAT_VORBIS:
        return check_vorbis(deliverable, channels, error);
    case GRAPH_FORMAT_OPUS:
        return check_opus(deliverable, channels, error);
    case GRAPH_FORMAT_MP3:
        return check_mp3(deliverable, channels, error);
    case GRAPH_FORMAT_STORED:
        return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name, "stored frames have no container");
    }
    return lh_error_set(error, LH_ERR_UNSUPPORTED, deliverable->name, "unknown format %d", (int)deliverable->format);
}
