/* SPDX-License-Identifier: MIT */
/* A medium, once from its start to its end or to the last frame that is wanted, into raw floats at the project's rate.
 */
#include "engine/io/conform.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "engine/io/media_impl.h"
#include "engine/io/scratch.h"

#define CHUNK_FRAMES 65536 /* output frames of one write */
#define CHUNK_FRAMES_MIN 64

/* The medium in order, however it is stored. */
struct source {
    const struct engine_media *media;
    const struct engine_kernels *kernels;
    struct engine_decoder *decoder; /* STREAM and LINEAR */
    uint8_t *raw;                   /* POSITIONED: one chunk */
    int64_t frame;
};

struct conform {
    const struct graph_media *target;
    struct source source;
    struct engine_converter *converter; /* NULL: the rate stays */
    size_t in_chunk, out_chunk;         /* frames */
    float *in, *out;
    int scratch_fd;
    uint64_t offset; /* bytes, of the next write */
    uint64_t wanted; /* output frames */
    uint64_t done;
};

static enum lh_status source_read(struct source *source, size_t frames, float *out, struct lh_error *error)
{
    enum lh_status status;
    if (source->decoder != NULL) {
        status = engine_decoder_read(source->decoder, source->frame, frames, out, error);
    } else {
        status = engine_media_read_raw(source->media, source->frame, frames, source->raw, error);
        if (status == LH_OK) {
            source->kernels->decode[source->media->sample_format](out, source->raw,
                                                                  frames * source->media->facts.channels);
        }
    }
    if (status == LH_OK) {
        source->frame += (int64_t)frames;
    }
    return status;
}

/* The first sample that is not finite, or `count`. */
static size_t find_not_finite(const float *samples, size_t count)
{
    const uint32_t exponent = 0x7f800000;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &samples[i], sizeof(bits));
        if ((bits & exponent) == exponent) {
            return i;
        }
    }
    return count;
}

/* `rate` names what the frames count: those of the medium, or of the project after conversion. */
static enum lh_status check_finite(const struct graph_media *target, const float *samples, size_t frames,
                                   uint64_t first_frame, const char *rate, struct lh_error *error)
{
    size_t count = frames * target->channels;
    size_t at = find_not_finite(samples, count);
    if (at == count) {
        return LH_OK;
    }
    return lh_error_set(
        error, LH_ERR_FAULT, NULL,
        "medium %s, frame %llu (%s), channel %zu: the sample is not a finite number; export the file again",
        target->name != NULL ? target->name : "", (unsigned long long)(first_frame + at / target->channels), rate,
        at % target->channels + 1);
}

static enum lh_status write_frames(struct conform *conform, const float *samples, size_t frames, struct lh_error *error)
{
    size_t size = frames * conform->target->channels * sizeof(float);
    int cause = lh_file_write_at(conform->scratch_fd, samples, size, conform->offset);
    if (cause != 0) {
        return engine_scratch_error(cause, error);
    }
    conform->offset += size;
    conform->done += frames;
    return LH_OK;
}

/* Converts what was read and writes what comes of it. At the end it drains the converter. */
static enum lh_status convert(struct conform *conform, size_t frames, bool last, struct lh_error *error)
{
    for (;;) {
        size_t given = 0;
        enum lh_status status = engine_converter_process(conform->converter, conform->in, frames, last, conform->out,
                                                         conform->out_chunk, &given, error);
        if (status == LH_OK) {
            status = check_finite(conform->target, conform->out, given, conform->done, "converted", error);
        }
        if (status == LH_OK) {
            status = write_frames(conform, conform->out, given, error);
        }
        if (status != LH_OK || !last || given < conform->out_chunk) {
            return status;
        }
        frames = 0;
    }
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static enum lh_status conform_all(struct conform *conform, _Atomic uint64_t *done_frames, const _Atomic int *cancel,
                                  struct lh_error *error)
{
    const struct graph_media *target = conform->target;
    uint64_t read = 0;
    bool all = conform->wanted >= target->length;
    while (read < target->frames && (all || conform->done < conform->wanted)) {
        if (cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed) != 0) {
            return lh_error_set(error, LH_ERR_CANCELLED, NULL, "cancelled");
        }
        uint64_t left = target->frames - read;
        size_t frames = left < conform->in_chunk ? (size_t)left : conform->in_chunk;
        enum lh_status status = source_read(&conform->source, frames, conform->in, error);
        if (status == LH_OK) {
            status = check_finite(target, conform->in, frames, read, "of the file", error);
        }
        if (status != LH_OK) {
            return status;
        }
        read += frames;
        uint64_t before = conform->done;
        status = conform->converter != NULL ? convert(conform, frames, read == target->frames, error)
                                            : write_frames(conform, conform->in, frames, error);
        if (status != LH_OK) {
            return status;
        }
        if (done_frames != NULL) {
            uint64_t more = smaller(conform->done, conform->wanted) - smaller(before, conform->wanted);
            atomic_fetch_add_explicit(done_frames, more, memory_order_relaxed);
        }
    }
    if (conform->done < conform->wanted || conform->done > target->length) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "medium %s came out at %llu frames instead of %llu",
                            target->name != NULL ? target->name : "", (unsigned long long)conform->done,
                            (unsigned long long)conform->wanted);
    }
    return LH_OK;
}

/* The graph was made from an earlier look at the same file. */
static enum lh_status check_target(const struct engine_media *media, const struct graph_media *target,
                                   uint32_t project_rate, struct lh_error *error)
{
    const struct engine_media_facts *facts = &media->facts;
    if (facts->rate != target->rate || facts->channels != target->channels || facts->frames != target->frames) {
        return lh_error_set(error, LH_ERR_IO, NULL,
                            "medium %s has changed since the project was read: leave media alone during a render",
                            target->name != NULL ? target->name : "");
    }
    bool converts = target->conform == GRAPH_CONFORM_SOXR || target->conform == GRAPH_CONFORM_SAMPLERATE;
    if ((!converts && target->rate != project_rate) ||
        target->length != graph_converted_length(target->frames, target->rate, project_rate)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "medium %s: its entry in the render graph contradicts itself",
                            target->name != NULL ? target->name : "");
    }
    return LH_OK;
}

static enum lh_status prepare(struct conform *conform, const struct engine_media *media, uint32_t project_rate,
                              struct lh_error *error)
{
    const struct graph_media *target = conform->target;
    conform->source.media = media;
    conform->source.kernels = engine_kernels_current();
    conform->in_chunk = CHUNK_FRAMES;
    if (target->rate != project_rate) {
        enum lh_status status = engine_converter_new(target->conform, target->channels, target->rate, project_rate,
                                                     &conform->converter, error);
        if (status != LH_OK) {
            return status;
        }
        uint64_t in_chunk = (uint64_t)CHUNK_FRAMES * target->rate / project_rate;
        conform->in_chunk = in_chunk < CHUNK_FRAMES_MIN ? CHUNK_FRAMES_MIN
                            : in_chunk > CHUNK_FRAMES   ? CHUNK_FRAMES
                                                        : (size_t)in_chunk;
        conform->out_chunk = engine_converter_room(conform->converter, conform->in_chunk);
        conform->out = malloc(conform->out_chunk * target->channels * sizeof(float));
        if (conform->out == NULL) {
            return lh_error_no_memory(error);
        }
    }
    conform->in = malloc(conform->in_chunk * target->channels * sizeof(float));
    if (conform->in == NULL) {
        return lh_error_no_memory(error);
    }
    if (media->facts.access != ENGINE_ACCESS_POSITIONED) {
        return engine_decoder_new(media, &conform->source.decoder, error);
    }
    conform->source.raw = malloc(conform->in_chunk * media->frame_size);
    return conform->source.raw != NULL ? LH_OK : lh_error_no_memory(error);
}

enum lh_status engine_conform(const struct engine_media *media, const struct graph_media *target, uint32_t project_rate,
                              uint64_t wanted, int scratch_fd, uint64_t offset, _Atomic uint64_t *done_frames,
                              const _Atomic int *cancel, struct lh_error *error)
{
    struct conform conform = {.target = target, .scratch_fd = scratch_fd, .offset = offset, .wanted = wanted};
    enum lh_status status = check_target(media, target, project_rate, error);
    if (status == LH_OK) {
        status = prepare(&conform, media, project_rate, error);
    }
    if (status == LH_OK) {
        status = conform_all(&conform, done_frames, cancel, error);
    }
    engine_decoder_free(conform.source.decoder);
    engine_converter_free(conform.converter);
    free(conform.source.raw);
    free(conform.in);
    free(conform.out);
    return status;
}
