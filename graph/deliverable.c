/* SPDX-License-Identifier: MIT */
/* Deliverables, tags and markers: which members are in use, and the rules for them. */
#include "graph/deliverable.h"

#include <math.h>
#include <string.h>

#include "common/base/utf8.h"

#define LEVEL_LIMIT_DB 200.0 /* of a loudness target, either way */
#define BITRATE_MAX_KBPS 100000

void graph_deliverable_write(struct lh_writer *writer, const struct graph_deliverable *deliverable)
{
    const struct graph_deliverable *d = deliverable;
    lh_writer_i64(writer, d->start);
    lh_writer_i64(writer, d->end);
    lh_writer_i64(writer, d->preroll);
    lh_writer_u8(writer, (uint8_t)d->tail);
    lh_writer_i64(writer, d->tail_frames);
    lh_writer_i64(writer, d->tail_hold);
    lh_writer_f32(writer, d->tail_level);
    lh_writer_u8(writer, (uint8_t)d->format);
    lh_writer_u32(writer, d->bit_depth);
    lh_writer_u8(writer, (uint8_t)d->dither);
    lh_writer_u64(writer, d->dither_seed);
    lh_writer_u32(writer, d->rate);
    lh_writer_u8(writer, (uint8_t)d->resampler);
    lh_writer_u8(writer, d->has_quality ? 1 : 0);
    lh_writer_f64(writer, d->quality);
    lh_writer_u32(writer, d->bitrate_kbps);
    lh_writer_u8(writer, d->has_integrated ? 1 : 0);
    lh_writer_f64(writer, d->integrated_lufs);
    lh_writer_u8(writer, d->has_true_peak ? 1 : 0);
    lh_writer_f64(writer, d->true_peak_dbtp);
}

bool graph_format_is_lossy(enum graph_format format)
{
    return format == GRAPH_FORMAT_VORBIS || format == GRAPH_FORMAT_OPUS || format == GRAPH_FORMAT_MP3;
}

void graph_deliverable_normalise(struct graph_deliverable *deliverable, uint32_t sample_rate)
{
    struct graph_deliverable *d = deliverable;
    d->tail_frames = d->tail != GRAPH_TAIL_NONE ? d->tail_frames : 0;
    d->tail_hold = d->tail == GRAPH_TAIL_UNTIL ? d->tail_hold : 0;
    d->tail_level = d->tail == GRAPH_TAIL_UNTIL ? d->tail_level + 0.0f : 0.0f;
    d->bit_depth = graph_format_is_lossy(d->format) ? 0 : d->bit_depth;
    d->dither = d->bit_depth == 16 || d->bit_depth == 24 ? d->dither : GRAPH_DITHER_NONE;
    d->dither_seed = d->dither == GRAPH_DITHER_TPDF ? d->dither_seed : 0;
    d->resampler = d->rate != sample_rate ? d->resampler : GRAPH_CONFORM_IN_PLACE;
    d->has_quality = d->has_quality && graph_format_is_lossy(d->format);
    d->quality = d->has_quality ? d->quality + 0.0 : 0.0;
    d->bitrate_kbps = graph_format_is_lossy(d->format) && !d->has_quality ? d->bitrate_kbps : 0;
    d->integrated_lufs = d->has_integrated ? d->integrated_lufs + 0.0 : 0.0;
    d->true_peak_dbtp = d->has_true_peak ? d->true_peak_dbtp + 0.0 : 0.0;
    d->loop_start = d->has_loop ? d->loop_start : 0;
    d->loop_end = d->has_loop ? d->loop_end : 0;
}

/* Bits, not values: -0 is not the zero that an unused member holds. */
static bool same_f64(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool is_normalised(const struct graph_deliverable *d, uint32_t sample_rate)
{
    struct graph_deliverable n = *d;
    graph_deliverable_normalise(&n, sample_rate);
    return n.tail_frames == d->tail_frames && n.tail_hold == d->tail_hold && same_f64(n.tail_level, d->tail_level) &&
           n.bit_depth == d->bit_depth && n.dither == d->dither && n.dither_seed == d->dither_seed &&
           n.resampler == d->resampler && n.has_quality == d->has_quality && same_f64(n.quality, d->quality) &&
           n.bitrate_kbps == d->bitrate_kbps && same_f64(n.integrated_lufs, d->integrated_lufs) &&
           same_f64(n.true_peak_dbtp, d->true_peak_dbtp) && n.loop_start == d->loop_start && n.loop_end == d->loop_end;
}

static bool in_time(int64_t value)
{
    return value >= 0 && value < GRAPH_FRAMES_MAX;
}

static const char *range_fault(const struct graph_deliverable *d)
{
    if (!in_time(d->start) || !in_time(d->end) || d->end < d->start) {
        return "the range does not go forward, or lies outside of time";
    }
    if (d->preroll < 0 || d->preroll > d->start) {
        return "the pre-roll begins before frame 0";
    }
    if ((unsigned)d->tail > GRAPH_TAIL_UNTIL) {
        return "unknown kind of tail";
    }
    if (!in_time(d->tail_frames) || d->end + d->tail_frames >= GRAPH_FRAMES_MAX || !in_time(d->tail_hold)) {
        return "the tail is out of range";
    }
    if (!isfinite(d->tail_level) || d->tail_level < 0.0f) {
        return "the tail's level is not a linear peak";
    }
    if (d->has_loop && (!in_time(d->loop_start) || !in_time(d->loop_end) || d->loop_start >= d->loop_end)) {
        return "the loop is empty or lies outside of time";
    }
    return NULL;
}

static const char *encoding_fault(const struct graph *graph, const struct graph_deliverable *d)
{
    if ((unsigned)d->format >= GRAPH_FORMAT_COUNT || (unsigned)d->dither > GRAPH_DITHER_TPDF) {
        return "unknown format or dither";
    }
    bool lossy = graph_format_is_lossy(d->format);
    bool is_float = d->bit_depth == 32 && d->format != GRAPH_FORMAT_FLAC;
    if (lossy ? d->bit_depth != 0 : d->bit_depth != 16 && d->bit_depth != 24 && !is_float) {
        return "the format does not have this bit depth";
    }
    if (d->rate < GRAPH_RATE_MIN || d->rate > GRAPH_RATE_MAX) {
        return "the rate is out of range";
    }
    if (d->rate != graph->sample_rate && d->resampler != GRAPH_CONFORM_SOXR &&
        d->resampler != GRAPH_CONFORM_SAMPLERATE) {
        return "no resampler is named for another rate";
    }
    if (!(d->quality >= 0.0 && d->quality <= 1.0) || d->bitrate_kbps > BITRATE_MAX_KBPS) {
        return "quality or bit rate is out of range";
    }
    return NULL;
}

static bool has_target(const struct graph_deliverable *d)
{
    return d->has_integrated || d->has_true_peak;
}

static const char *loudness_fault(const struct graph *graph, uint32_t index)
{
    const struct graph_deliverable *d = &graph->deliverables[index];
    if (!(fabs(d->integrated_lufs) <= LEVEL_LIMIT_DB) || !(fabs(d->true_peak_dbtp) <= LEVEL_LIMIT_DB)) {
        return "a loudness target is out of range";
    }
    if (d->gain_from == GRAPH_NONE) {
        return NULL;
    }
    if (d->gain_from >= graph->deliverable_count || d->gain_from == index) {
        return "the gain comes from no other deliverable";
    }
    const struct graph_deliverable *source = &graph->deliverables[d->gain_from];
    if (!has_target(source) || source->gain_from != GRAPH_NONE) {
        return "the gain comes from a deliverable without a loudness target of its own";
    }
    return has_target(d) ? "a loudness target and a gain from another deliverable exclude each other" : NULL;
}

/* What stored frames have not. Members behind a false flag are zero: that is checked for all alike. */
static const char *stored_fault(const struct graph *graph, const struct graph_deliverable *d)
{
    if (d->format != GRAPH_FORMAT_STORED) {
        return graph_node_is_sum(graph, d->node) ? "the delivered node is a partial sum" : NULL;
    }
    if (d->bit_depth != 32 || d->rate != graph->sample_rate) {
        return "what is stored is not of 32 bits at the project's rate";
    }
    if (d->preroll != 0 || d->tail == GRAPH_TAIL_UNTIL) {
        return "what is stored has a pre-roll, or a tail that ends by itself";
    }
    return has_target(d) || d->gain_from != GRAPH_NONE || d->has_loop || d->tag_count != 0
               ? "what is stored has a loudness, a loop or tags"
               : NULL;
}

static const char *deliverable_fault(const struct graph *graph, uint32_t index)
{
    const struct graph_deliverable *d = &graph->deliverables[index];
    if (d->node >= graph->node_count) {
        return "the delivered node does not exist";
    }
    const char *fault = range_fault(d);
    fault = fault != NULL ? fault : encoding_fault(graph, d);
    fault = fault != NULL ? fault : loudness_fault(graph, index);
    fault = fault != NULL ? fault : stored_fault(graph, d);
    fault = fault != NULL ? fault : graph_text_fault(d->name);
    return fault == NULL && !is_normalised(d, graph->sample_rate) ? "a member that is not in use is not zero" : fault;
}

static enum lh_status check_texts(const struct graph *graph, struct lh_error *error)
{
    for (uint32_t i = 0; i < graph->tag_count; i++) {
        const char *fault = graph_text_fault(graph->tags[i].name);
        fault = fault != NULL ? fault : graph_text_fault(graph->tags[i].value);
        if (fault != NULL) {
            return graph_refuse(error, "tags", i, fault);
        }
    }
    for (uint32_t i = 0; i < graph->marker_count; i++) {
        const char *fault = in_time(graph->markers[i].frame) ? NULL : "the marker lies outside of time";
        fault = fault != NULL ? fault : graph_text_fault(graph->markers[i].name);
        if (fault != NULL) {
            return graph_refuse(error, "markers", i, fault);
        }
    }
    return LH_OK;
}

enum lh_status graph_check_deliverables(const struct graph *graph, struct lh_error *error)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        const struct graph_deliverable *d = &graph->deliverables[i];
        const char *fault = deliverable_fault(graph, i);
        if (fault == NULL && (d->tag_first != next || d->tag_count > graph->tag_count - next)) {
            fault = "the tags are not a range that follows the last one's";
        }
        if (fault != NULL) {
            return graph_refuse(error, "deliverables", i, fault);
        }
        next += d->tag_count;
    }
    if (next != graph->tag_count) {
        return graph_refuse(error, "tags", next, "a tag belongs to no deliverable");
    }
    return check_texts(graph, error);
}

const char *graph_text_fault(const char *text)
{
    return strnlen(text, (size_t)GRAPH_TEXT_MAX + 1) > GRAPH_TEXT_MAX ? "a text is longer than 65535 bytes"
                                                                      : graph_utf8_fault(text);
}

const char *graph_utf8_fault(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t length = lh_utf8_length(text, left);
        if (length == 0) {
            return "a text is not UTF-8";
        }
        text += length;
        left -= length;
    }
    return NULL;
}
