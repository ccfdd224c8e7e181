/* SPDX-License-Identifier: MIT */
/* Convert, judge the tail, spill or encode, and finish what was spilled. */
#include "engine/run/deliver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/math/exact.h"
#include "engine/dsp/kernels.h"
#include "engine/io/scratch.h"
#include "engine/io/stored.h"
#include "engine/plan/plan.h"

#define FINISH_CHUNK_FRAMES 16384u

bool engine_delivery_is_deferred(const struct graph_deliverable *deliverable)
{
    return deliverable->has_integrated || deliverable->has_true_peak || deliverable->gain_from != GRAPH_NONE ||
           deliverable->tail == GRAPH_TAIL_UNTIL;
}

/* Whether its loudness is asked for: by the report, or by its own target. */
static bool wants_loudness(const struct graph_deliverable *deliverable, bool report)
{
    return (report && deliverable->format != GRAPH_FORMAT_STORED) || deliverable->has_integrated ||
           deliverable->has_true_peak;
}

bool engine_delivery_meters_in_pass(const struct graph_deliverable *deliverable, uint32_t project_rate, bool report)
{
    return wants_loudness(deliverable, report) && deliverable->tail != GRAPH_TAIL_UNTIL &&
           deliverable->rate == project_rate;
}

/* Timeline frames to frames of the file. */
static uint64_t delivered_length(const struct graph *graph, const struct graph_deliverable *deliverable, int64_t frames)
{
    return graph_converted_length((uint64_t)frames, graph->sample_rate, deliverable->rate);
}

uint64_t engine_delivery_spill_bytes(const struct graph *graph, uint32_t index)
{
    const struct graph_deliverable *deliverable = &graph->deliverables[index];
    if (!engine_delivery_is_deferred(deliverable)) {
        return 0;
    }
    int64_t frames = deliverable->end - deliverable->start + graph_deliverable_tail(deliverable);
    return delivered_length(graph, deliverable, frames) * graph->nodes[deliverable->node].channels * sizeof(float);
}

static enum lh_status open_encoder(struct engine_delivery *delivery, int64_t frames, struct lh_error *error)
{
    struct engine_encoder_spec spec = {.graph = delivery->graph,
                                       .deliverable = delivery->deliverable,
                                       .channels = delivery->channels,
                                       .frames = frames,
                                       .fd = delivery->fd,
                                       .digest = delivery->report};
    return engine_encoder_new(&spec, &delivery->encoder, error);
}

static enum lh_status open_converter(struct engine_delivery *delivery, uint32_t block, struct lh_error *error)
{
    const struct graph_deliverable *deliverable = delivery->deliverable;
    enum lh_status status =
        engine_converter_new(deliverable->resampler, delivery->channels, delivery->graph->sample_rate,
                             deliverable->rate, &delivery->converter, error);
    if (status != LH_OK) {
        return status;
    }
    delivery->converted_capacity = engine_converter_room(delivery->converter, block);
    delivery->converted = malloc(delivery->converted_capacity * delivery->channels * sizeof *delivery->converted);
    if (delivery->converted == NULL) {
        return lh_error_no_memory(error);
    }
    if (deliverable->tail == GRAPH_TAIL_UNTIL || !wants_loudness(deliverable, delivery->report)) {
        return LH_OK; /* nobody asks, or it is measured when its length is known */
    }
    status = engine_meter_new(delivery->channels, deliverable->rate, &delivery->meter);
    return status == LH_OK ? LH_OK : lh_error_no_memory(error);
}

enum lh_status engine_delivery_init(struct engine_delivery *delivery, const struct graph *graph, uint32_t index, int fd,
                                    int scratch_fd, uint64_t spill_offset, uint32_t block, bool report,
                                    struct lh_error *error)
{
    const struct graph_deliverable *deliverable = &graph->deliverables[index];
    int64_t tail = graph_deliverable_tail(deliverable);
    *delivery = (struct engine_delivery){.graph = graph,
                                         .deliverable = deliverable,
                                         .channels = graph->nodes[deliverable->node].channels,
                                         .fd = fd,
                                         .scratch_fd = scratch_fd,
                                         .spill_offset = spill_offset,
                                         .deferred = engine_delivery_is_deferred(deliverable),
                                         .stop = deliverable->end + tail,
                                         .tail_frames = tail,
                                         .quiet_since = -1,
                                         .report = report};
    enum lh_status status = LH_OK;
    if (deliverable->format == GRAPH_FORMAT_STORED) {
        delivery->stored_bytes = graph_node_frame_bytes(graph, deliverable->node);
        return LH_OK;
    }
    if (deliverable->rate != graph->sample_rate) {
        status = open_converter(delivery, block, error);
    }
    if (status == LH_OK && fd >= 0 && !delivery->deferred) {
        uint64_t frames = delivered_length(graph, deliverable, deliverable->end - deliverable->start + tail);
        status = open_encoder(delivery, (int64_t)frames, error);
    }
    return status;
}

void engine_delivery_fini(struct engine_delivery *delivery)
{
    engine_converter_free(delivery->converter);
    engine_meter_free(delivery->meter);
    engine_encoder_free(delivery->encoder);
    free(delivery->converted);
    delivery->converter = NULL;
    delivery->meter = NULL;
    delivery->encoder = NULL;
    delivery->converted = NULL;
}

static enum lh_status add_to_meter(struct engine_meter *meter, const float *in, size_t frames, struct lh_error *error)
{
    enum lh_status status = engine_meter_add(meter, in, frames);
    if (status != LH_OK) {
        lh_error_set(error, status, NULL, "the loudness cannot be measured: %s", lh_status_text(status));
    }
    return status;
}

static uint64_t spill_position(const struct engine_delivery *delivery, uint64_t frame)
{
    return delivery->spill_offset + frame * delivery->channels * sizeof(float);
}

/* What is delivered, at the deliverable's rate. */
static enum lh_status sink(struct engine_delivery *delivery, const float *in, size_t frames, struct lh_error *error)
{
    enum lh_status status = LH_OK;
    if (delivery->meter != NULL) {
        status = add_to_meter(delivery->meter, in, frames, error);
    }
    if (status != LH_OK) {
        return status;
    }
    if (delivery->deferred) {
        size_t bytes = frames * delivery->channels * sizeof *in;
        int cause = lh_file_write_at(delivery->scratch_fd, in, bytes, spill_position(delivery, delivery->written));
        status = cause == 0 ? LH_OK : engine_scratch_error(cause, error);
    } else if (delivery->encoder != NULL) {
        status = engine_encoder_write(delivery->encoder, in, frames, error);
    }
    delivery->written += frames;
    return status;
}

/* Through the converter. At the end of the stream exactly the length that the range has: what rounding leaves is cut or
   silent. */
static enum lh_status convert(struct engine_delivery *delivery, const float *in, size_t frames, bool last,
                              struct lh_error *error)
{
    uint64_t length =
        delivered_length(delivery->graph, delivery->deliverable, delivery->stop - delivery->deliverable->start);
    size_t given;
    do {
        enum lh_status status = engine_converter_process(delivery->converter, in, frames, last, delivery->converted,
                                                         delivery->converted_capacity, &given, error);
        size_t wanted = length - delivery->written < given ? (size_t)(length - delivery->written) : given;
        if (status == LH_OK) {
            status = sink(delivery, delivery->converted, wanted, error);
        }
        if (status != LH_OK) {
            return status;
        }
        frames = 0;
    } while (last && given == delivery->converted_capacity);
    if (last && !delivery->ended) {
        memset(delivery->converted, 0, delivery->converted_capacity * delivery->channels * sizeof *delivery->converted);
        while (delivery->written < length) {
            uint64_t left = length - delivery->written;
            size_t chunk = left < delivery->converted_capacity ? (size_t)left : delivery->converted_capacity;
            enum lh_status status = sink(delivery, delivery->converted, chunk, error);
            if (status != LH_OK) {
                return status;
            }
        }
    }
    return LH_OK;
}

static bool is_quiet(const struct engine_delivery *delivery, const float *in, size_t frames)
{
    float level = delivery->deliverable->tail_level;
    for (size_t i = 0; i < frames * delivery->channels; i++) {
        if (!(fabsf(in[i]) < level)) {
            return false;
        }
    }
    return true;
}

/* The tail's end, judged quantum by quantum on the absolute grid: where a quiet run began that lasted tail_hold frames.
   Returns the end of what is wanted of [from, to): a converter must not see what follows the quantum that ended the
   tail, since how much of that is here is a matter of the block. */
static int64_t judge_tail(struct engine_delivery *delivery, int64_t from, int64_t to, const float *in)
{
    int64_t quantum = delivery->graph->quantum;
    int64_t end = delivery->deliverable->end;
    int64_t at = from > end ? from : end;
    while (at < to && !delivery->ended) {
        int64_t next = (at / quantum + 1) * quantum;
        next = next < to ? next : to;
        if (!is_quiet(delivery, in + (size_t)(at - from) * delivery->channels, (size_t)(next - at))) {
            delivery->quiet_since = -1;
        } else if (delivery->quiet_since < 0) {
            delivery->quiet_since = at;
        }
        if (delivery->quiet_since >= 0 && next - delivery->quiet_since >= delivery->deliverable->tail_hold) {
            delivery->ended = true;
            delivery->tail_frames = delivery->quiet_since - end;
        }
        at = next;
    }
    return delivery->ended ? at : to;
}

static enum lh_status store(struct engine_delivery *delivery, const void *in, size_t frames, struct lh_error *error)
{
    uint64_t offset = delivery->written * delivery->stored_bytes;
    enum lh_status status = engine_stored_write(delivery->fd, in, frames * delivery->stored_bytes, offset, error);
    if (status == LH_OK) {
        delivery->written += frames;
        delivery->encoded.frames = delivery->written;
        delivery->encoded.bytes = delivery->written * delivery->stored_bytes;
    }
    return status;
}

enum lh_status engine_delivery_add(struct engine_delivery *delivery, int64_t from, int64_t to, const void *in,
                                   struct lh_error *error)
{
    if (delivery->ended || from >= delivery->stop ||
        (delivery->fd < 0 && !delivery->deferred && delivery->converter == NULL)) {
        return LH_OK;
    }
    to = to < delivery->stop ? to : delivery->stop;
    if (delivery->deliverable->tail == GRAPH_TAIL_UNTIL) {
        to = judge_tail(delivery, from, to, in);
    }
    size_t frames = (size_t)(to - from);
    if (delivery->stored_bytes > 0) {
        return store(delivery, in, frames, error);
    }
    if (delivery->converter != NULL) {
        return convert(delivery, in, frames, to == delivery->stop || delivery->ended, error);
    }
    return sink(delivery, in, frames, error);
}

enum lh_status engine_delivery_end_pass(struct engine_delivery *delivery, struct lh_error *error)
{
    if (delivery->meter != NULL) {
        engine_meter_get(delivery->meter, &delivery->measured);
        delivery->has_loudness = true;
    }
    delivery->reached = delivery->measured;
    enum lh_status status = LH_OK;
    if (delivery->encoder != NULL) {
        status = engine_encoder_finish(delivery->encoder, &delivery->encoded, error);
    }
    engine_delivery_fini(delivery); /* there may be thousands of passes to come */
    return status;
}

static uint64_t final_length(const struct engine_delivery *delivery)
{
    const struct graph_deliverable *deliverable = delivery->deliverable;
    return delivered_length(delivery->graph, deliverable,
                            deliverable->end - deliverable->start + delivery->tail_frames);
}

/* What happens to each chunk of what was spilled. */
struct replay {
    struct engine_delivery *delivery;
    struct engine_meter *meter; /* may be NULL */
    bool encode;
    float gain;
    _Atomic uint64_t *done; /* may be NULL */
    const _Atomic int *cancel;
};

static enum lh_status replay_chunk(const struct replay *replay, float *data, size_t frames, struct lh_error *error)
{
    struct engine_delivery *delivery = replay->delivery;
    if (replay->gain != 1.0f) {
        float gains[GRAPH_CHANNELS_MAX];
        for (uint32_t c = 0; c < delivery->channels; c++) {
            gains[c] = replay->gain;
        }
        engine_kernels_current()->gain(data, data, frames, delivery->channels, gains);
    }
    if (replay->meter != NULL) {
        enum lh_status status = add_to_meter(replay->meter, data, frames, error);
        if (status != LH_OK) {
            return status;
        }
    }
    return replay->encode ? engine_encoder_write(delivery->encoder, data, frames, error) : LH_OK;
}

static enum lh_status replay_spill(const struct replay *replay, struct lh_error *error)
{
    struct engine_delivery *delivery = replay->delivery;
    float *data = malloc((size_t)FINISH_CHUNK_FRAMES * delivery->channels * sizeof *data);
    if (data == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = LH_OK;
    uint64_t length = final_length(delivery);
    for (uint64_t at = 0; status == LH_OK && at < length; at += FINISH_CHUNK_FRAMES) {
        size_t frames = length - at < FINISH_CHUNK_FRAMES ? (size_t)(length - at) : FINISH_CHUNK_FRAMES;
        int cause = lh_file_read_at(delivery->scratch_fd, data, frames * delivery->channels * sizeof *data,
                                    spill_position(delivery, at));
        status = cause == 0 ? replay_chunk(replay, data, frames, error) : engine_scratch_error(cause, error);
        if (replay->done != NULL) {
            atomic_fetch_add_explicit(replay->done, frames, memory_order_relaxed);
        }
        if (status == LH_OK && atomic_load_explicit(replay->cancel, memory_order_relaxed) != 0) {
            status = lh_error_set(error, LH_ERR_CANCELLED, NULL, "interrupted");
        }
    }
    free(data);
    return status;
}

enum lh_status engine_delivery_measure(struct engine_delivery *delivery, const _Atomic int *cancel,
                                       struct lh_error *error)
{
    const struct graph_deliverable *deliverable = delivery->deliverable;
    enum lh_status status = LH_OK;
    if (!wants_loudness(deliverable, delivery->report)) {
        return LH_OK;
    }
    if (!delivery->has_loudness) {
        struct engine_meter *meter;
        if (engine_meter_new(delivery->channels, deliverable->rate, &meter) != LH_OK) {
            return lh_error_no_memory(error);
        }
        struct replay replay = {.delivery = delivery, .meter = meter, .gain = 1.0f, .cancel = cancel};
        status = replay_spill(&replay, error);
        engine_meter_get(meter, &delivery->measured);
        engine_meter_free(meter);
        delivery->has_loudness = status == LH_OK;
    }
    delivery->gain_db =
        engine_loudness_gain_db(&delivery->measured, deliverable->has_integrated, deliverable->integrated_lufs,
                                deliverable->has_true_peak, deliverable->true_peak_dbtp);
    return status;
}

/* A linear gain moves every level by its decibels. */
static struct engine_loudness raised(struct engine_loudness loudness, double gain_db)
{
    loudness.integrated_lufs += gain_db;
    loudness.true_peak_dbtp += gain_db;
    loudness.sample_peak_dbfs += gain_db;
    loudness.max_momentary_lufs += gain_db;
    loudness.max_short_term_lufs += gain_db;
    return loudness;
}

enum lh_status engine_delivery_finish(struct engine_delivery *delivery, _Atomic uint64_t *done,
                                      const _Atomic int *cancel, struct lh_error *error)
{
    delivery->reached = raised(delivery->measured, delivery->gain_db);
    if (delivery->fd < 0) {
        return LH_OK;
    }
    struct replay replay = {.delivery = delivery,
                            .encode = true,
                            .gain = (float)lh_gain_from_db(delivery->gain_db),
                            .done = done,
                            .cancel = cancel};
    if (replay.gain != 1.0f && delivery->report &&
        engine_meter_new(delivery->channels, delivery->deliverable->rate, &replay.meter) != LH_OK) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = open_encoder(delivery, (int64_t)final_length(delivery), error);
    if (status == LH_OK) {
        status = replay_spill(&replay, error);
    }
    if (status == LH_OK && replay.meter != NULL) {
        engine_meter_get(replay.meter, &delivery->reached);
    }
    engine_meter_free(replay.meter);
    if (status == LH_OK) {
        status = engine_encoder_finish(delivery->encoder, &delivery->encoded, error);
    }
    engine_delivery_fini(delivery);
    return status;
}
