/* SPDX-License-Identifier: MIT */
/* What the encoder's tests share. */
#include "tests/engine/io/encode_fixture.h"

#include <check.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/io/encode_backend.h"

void fixture_init(struct encode_fixture *fixture)
{
    *fixture = (struct encode_fixture){
        .graph = {.sample_rate = 48000},
        .deliverable = {.name = "mix",
                        .format = GRAPH_FORMAT_WAV,
                        .bit_depth = 24,
                        .rate = 48000,
                        .gain_from = GRAPH_NONE,
                        .dither_seed = 0xFEEDC0DE12345678u},
        .tags = {{"title", "N\xC3\xA4he"}, {"artist", "Somebody"}, {"mood", "calm"}},
        .markers = {{0, "Intro"}, {10, "A"}, {1000, "Chorus"}, {100000, "Far"}},
        .channels = 2,
        .announced = -1,
        .split = SIZE_MAX,
    };
}

void fixture_use_all(struct encode_fixture *fixture)
{
    fixture->graph.tags = fixture->tags;
    fixture->graph.tag_count = fixture->deliverable.tag_count = FIXTURE_TAGS;
    fixture->graph.markers = fixture->markers;
    fixture->graph.marker_count = FIXTURE_MARKERS;
    fixture->deliverable.has_loop = true;
    fixture->deliverable.loop_start = 10;
    fixture->deliverable.loop_end = 1000;
}

void fixture_fini(struct encode_fixture *fixture)
{
    free(fixture->bytes);
    fixture->bytes = NULL;
}

float *fixture_signal(size_t frames, uint32_t channels)
{
    float *samples = malloc((frames * channels + 1) * sizeof *samples);
    ck_assert_ptr_nonnull(samples);
    uint32_t noise = 1;
    for (size_t i = 0; i < frames; i++) {
        for (uint32_t c = 0; c < channels; c++) {
            noise = noise * 1664525u + 1013904223u;
            double tone = 0.4 * sin(2 * M_PI * 20 * (c + 2) * (double)i / 48000);
            samples[i * channels + c] = (float)(tone + 1e-4 * ((double)noise / UINT32_MAX - 0.5));
        }
    }
    return samples;
}

enum lh_status fixture_encode_to(struct encode_fixture *fixture, int fd, uint64_t riff_limit, const float *in,
                                 size_t frames)
{
    struct engine_encoder_spec spec = {
        .graph = &fixture->graph,
        .deliverable = &fixture->deliverable,
        .channels = fixture->channels,
        .frames = fixture->announced,
        .fd = fd,
        .digest = true,
    };
    struct engine_encoder *encoder = NULL;
    fixture->error = LH_ERROR_INIT;
    enum lh_status status = engine_encoder_new_limited(&spec, riff_limit, &encoder, &fixture->error);
    for (size_t done = 0; status == LH_OK && done < frames;) {
        size_t piece = frames - done < fixture->split ? frames - done : fixture->split;
        status = engine_encoder_write(encoder, in + done * fixture->channels, piece, &fixture->error);
        done += piece;
    }
    if (status == LH_OK) {
        status = engine_encoder_finish(encoder, &fixture->result, &fixture->error);
    }
    engine_encoder_free(encoder);
    return status;
}

enum lh_status fixture_encode(struct encode_fixture *fixture, const float *in, size_t frames)
{
    fixture_fini(fixture);
    int fd = memfd_create("encoded", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    enum lh_status status = fixture_encode_to(fixture, fd, ENGINE_RIFF_LIMIT, in, frames);
    off_t size = lseek(fd, 0, SEEK_END);
    ck_assert_int_ge(size, 0);
    fixture->size = (size_t)size;
    fixture->bytes = malloc(fixture->size + 1);
    ck_assert_ptr_nonnull(fixture->bytes);
    ck_assert_int_eq(pread(fd, fixture->bytes, fixture->size, 0), (ssize_t)fixture->size);
    close(fd);
    return status;
}

size_t fixture_find(const struct encode_fixture *fixture, const char *id, size_t from)
{
    for (size_t i = from; i + 4 <= fixture->size; i++) {
        if (memcmp(fixture->bytes + i, id, 4) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

uint32_t fixture_u32(const struct encode_fixture *fixture, size_t offset)
{
    ck_assert_uint_le(offset, fixture->size - 4);
    uint32_t value;
    memcpy(&value, fixture->bytes + offset, sizeof value);
    return value;
}

uint64_t fixture_u64(const struct encode_fixture *fixture, size_t offset)
{
    return fixture_u32(fixture, offset) | (uint64_t)fixture_u32(fixture, offset + 4) << 32;
}

uint32_t fixture_be32(const struct encode_fixture *fixture, size_t offset)
{
    return __builtin_bswap32(fixture_u32(fixture, offset));
}

uint32_t fixture_be16(const struct encode_fixture *fixture, size_t offset)
{
    return fixture_be32(fixture, offset) >> 16;
}

int fixture_reopen(const struct encode_fixture *fixture)
{
    int fd = memfd_create("reopened", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, fixture->bytes, fixture->size, 0), (ssize_t)fixture->size);
    return fd;
}

float *fixture_decode(const struct encode_fixture *fixture, size_t *frames, int *rate)
{
    int fd = fixture_reopen(fixture);
    SF_INFO info = {0};
    SNDFILE *file = sf_open_fd(fd, SFM_READ, &info, 1);
    ck_assert_msg(file != NULL, "libsndfile: %s", sf_strerror(NULL));
    ck_assert_int_eq(info.channels, (int)fixture->channels);
    float *samples = malloc(((size_t)info.frames + 1) * fixture->channels * sizeof *samples);
    ck_assert_ptr_nonnull(samples);
    *frames = (size_t)sf_readf_float(file, samples, info.frames);
    ck_assert_int_eq((sf_count_t)*frames, info.frames);
    *rate = info.samplerate;
    sf_close(file);
    return samples;
}

double fixture_snr_db(const float *in, const float *out, size_t frames, uint32_t channels)
{
    double worst = INFINITY;
    for (uint32_t c = 0; c < channels; c++) {
        double signal = 0, noise = 0;
        for (size_t i = 0; i < frames; i++) {
            double a = (double)in[i * channels + c], b = (double)out[i * channels + c];
            signal += a * a;
            noise += (a - b) * (a - b);
        }
        worst = fmin(worst, 10 * log10(signal / noise));
    }
    return worst;
}
