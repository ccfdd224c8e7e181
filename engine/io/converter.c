/* SPDX-License-Identifier: MIT */
/* Rate conversion by libsoxr or libsamplerate, both without group delay, cut or padded to the exact length. */
#include <math.h>
#include <samplerate.h>
#include <soxr.h>
#include <stdlib.h>
#include <string.h>

#include "engine/io/conform.h"

#define ROOM_SLACK 64 /* frames that a converter may hold back in one call and give in the next */

struct engine_converter {
    uint32_t channels, from_rate, to_rate;
    soxr_t soxr; /* one of the two */
    SRC_STATE *src;
    uint64_t taken;  /* input frames so far */
    uint64_t given;  /* output frames so far */
    bool ending;     /* the last input came */
    uint64_t length; /* of the output; known when ending */
};

/* One converter's step: input and output as far as they go. */
struct step {
    const float *in;
    size_t in_frames, in_used;
    float *out;
    size_t out_frames, out_given;
};

static enum lh_status fail(struct lh_error *error, const char *reason)
{
    return lh_error_set(error, LH_ERR_INTERNAL, NULL, "rate conversion failed: %s", reason);
}

static enum lh_status open_soxr(struct engine_converter *converter, struct lh_error *error)
{
    soxr_error_t reason = NULL;
    soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    /* Without the default roll-off, which takes 0.01 dB from the top of the band, the pass band is flat to -140 dB. */
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, SOXR_ROLLOFF_NONE);
    soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    converter->soxr =
        soxr_create(converter->from_rate, converter->to_rate, converter->channels, &reason, &io, &quality, &runtime);
    return converter->soxr != NULL ? LH_OK : fail(error, soxr_strerror(reason));
}

static enum lh_status open_samplerate(struct engine_converter *converter, struct lh_error *error)
{
    if (!src_is_valid_ratio((double)converter->to_rate / converter->from_rate)) {
        return lh_error_set(
            error, LH_ERR_UNSUPPORTED, NULL,
            "libsamplerate cannot convert %u Hz to %u Hz: its ratios end at 256, use the resampler soxr",
            converter->from_rate, converter->to_rate);
    }
    int reason = 0;
    converter->src = src_new(SRC_SINC_BEST_QUALITY, (int)converter->channels, &reason);
    return converter->src != NULL ? LH_OK : fail(error, src_strerror(reason));
}

enum lh_status engine_converter_new(enum graph_conform resampler, uint32_t channels, uint32_t from_rate,
                                    uint32_t to_rate, struct engine_converter **converter, struct lh_error *error)
{
    struct engine_converter *created = calloc(1, sizeof(*created));
    if (created == NULL) {
        return lh_error_no_memory(error);
    }
    created->channels = channels;
    created->from_rate = from_rate;
    created->to_rate = to_rate;
    enum lh_status status = LH_ERR_USAGE;
    if (resampler == GRAPH_CONFORM_SOXR) {
        status = open_soxr(created, error);
    } else if (resampler == GRAPH_CONFORM_SAMPLERATE) {
        status = open_samplerate(created, error);
    } else {
        lh_error_set(error, status, NULL, "no resampler is chosen");
    }
    if (status != LH_OK) {
        engine_converter_free(created);
        return status;
    }
    *converter = created;
    return LH_OK;
}

void engine_converter_free(struct engine_converter *converter)
{
    if (converter == NULL) {
        return;
    }
    if (converter->soxr != NULL) {
        soxr_delete(converter->soxr);
    }
    if (converter->src != NULL) {
        src_delete(converter->src);
    }
    free(converter);
}

/* Input is given once; an empty input at the end drains what is held back. */
static enum lh_status step_soxr(struct engine_converter *converter, struct step *step, struct lh_error *error)
{
    bool drain = step->in_frames == 0;
    soxr_error_t reason = soxr_process(converter->soxr, drain ? NULL : step->in, step->in_frames,
                                       drain ? NULL : &step->in_used, step->out, step->out_frames, &step->out_given);
    return reason == NULL ? LH_OK : fail(error, soxr_strerror(reason));
}

static enum lh_status step_samplerate(struct engine_converter *converter, struct step *step, struct lh_error *error)
{
    /* libsamplerate looks at the address of an empty input too. */
    static const float nothing[GRAPH_CHANNELS_MAX] = {0};
    SRC_DATA data = {
        .data_in = step->in_frames == 0 ? nothing : step->in,
        .data_out = step->out,
        .input_frames = (long)step->in_frames,
        .output_frames = (long)step->out_frames,
        .end_of_input = converter->ending,
        .src_ratio = (double)converter->to_rate / converter->from_rate,
    };
    int reason = src_process(converter->src, &data);
    if (reason != 0) {
        return fail(error, src_strerror(reason));
    }
    step->in_used = (size_t)data.input_frames_used;
    step->out_given = (size_t)data.output_frames_gen;
    return LH_OK;
}

/* Runs the converter until the input is used up and, at the end, nothing more comes out or `out` is full. */
static enum lh_status run(struct engine_converter *converter, const float *in, size_t frames, float *out,
                          size_t capacity, size_t *given, struct lh_error *error)
{
    size_t used = 0, got = 0;
    while (used < frames || (converter->ending && got < capacity)) {
        struct step step = {.in = used < frames ? in + used * converter->channels : NULL,
                            .in_frames = frames - used,
                            .out = out + got * converter->channels,
                            .out_frames = capacity - got};
        enum lh_status status =
            converter->soxr != NULL ? step_soxr(converter, &step, error) : step_samplerate(converter, &step, error);
        if (status != LH_OK) {
            return status;
        }
        used += step.in_used;
        got += step.out_given;
        if (step.in_used == 0 && step.out_given == 0) {
            break;
        }
    }
    /* Once the output has its length, the last input may stay where it is. */
    bool complete = converter->ending && converter->given + got == converter->length;
    if (used < frames && !complete) {
        return fail(error, "the room for its output was too small");
    }
    *given = got;
    return LH_OK;
}

enum lh_status engine_converter_process(struct engine_converter *converter, const float *in, size_t frames, bool last,
                                        float *out, size_t capacity, size_t *given, struct lh_error *error)
{
    converter->taken += frames;
    if (last && !converter->ending) {
        converter->ending = true;
        converter->length = graph_converted_length(converter->taken, converter->from_rate, converter->to_rate);
    }
    size_t room = capacity;
    if (converter->ending && converter->length - converter->given < room) {
        room = (size_t)(converter->length - converter->given);
    }
    size_t got = 0;
    enum lh_status status = run(converter, in, frames, out, room, &got, error);
    if (status != LH_OK) {
        return status;
    }
    /* The filters run out up to a frame before the exact length. */
    if (converter->ending && got < room) {
        memset(out + got * converter->channels, 0, (room - got) * converter->channels * sizeof(*out));
        got = room;
    }
    converter->given += got;
    *given = got;
    return LH_OK;
}

size_t engine_converter_room(const struct engine_converter *converter, size_t frames)
{
    return (size_t)ceil((double)frames * converter->to_rate / converter->from_rate) + ROOM_SLACK;
}
