/* SPDX-License-Identifier: MIT */
/* CLIPS nodes: regions read from their media, shaped, and summed on the exact grid. */
#include <stdio.h>
#include <string.h>

#include "engine/run/pass.h"

/* The stretch of one region that falls into a stride. */
struct stretch {
    const struct graph_region *region;
    uint32_t node;
    uint32_t index; /* of the region */
    int64_t from;   /* clip time of the first frame */
    size_t frames;
    size_t at; /* frame inside the stride */
};

/* Reads `frames` media frames from `frame` on, all inside the medium, as floats in the medium's layout. */
static enum lh_status read_media(const struct engine_pass *pass, struct engine_scratch *scratch,
                                 const struct stretch *stretch, int64_t frame, size_t frames, float *out,
                                 struct lh_error *error)
{
    const struct engine_sources *sources = pass->sources;
    uint32_t m = stretch->region->media;
    const struct engine_media *media = sources->media[m];
    const struct engine_media_facts *facts = engine_media_get_facts(media);
    if (facts->access == ENGINE_ACCESS_POSITIONED) {
        enum lh_status status = engine_media_read_raw(media, frame, frames, scratch->raw, error);
        if (status == LH_OK) {
            sources->kernels->decode[engine_media_sample_format(media)](out, scratch->raw, frames * facts->channels);
        }
        return status;
    }
    struct engine_decoder **decoder = &pass->decoders[stretch->index];
    if (*decoder == NULL) {
        enum lh_status status = engine_decoder_new(media, decoder, error);
        if (status != LH_OK) {
            return status;
        }
        pass->decoders_open[stretch->node]++;
    }
    return engine_decoder_read(*decoder, frame, frames, out, error);
}

static void reverse_frames(float *data, size_t frames, size_t channels)
{
    for (size_t a = 0, b = frames - 1; a < b; a++, b--) {
        for (size_t c = 0; c < channels; c++) {
            float kept = data[a * channels + c];
            data[a * channels + c] = data[b * channels + c];
            data[b * channels + c] = kept;
        }
    }
}

/* Clip time to media time: one run of neighbouring frames, cut at the loop's seam. */
static size_t next_run(const struct graph_region *region, int64_t clip, size_t frames, int64_t *media_frame)
{
    int64_t played = region->reverse ? region->length - 1 - clip : clip;
    int64_t inside = region->loop_length > 0 ? played % region->loop_length : played;
    *media_frame = region->offset + inside;
    int64_t room = INT64_MAX;
    if (region->loop_length > 0) {
        room = region->reverse ? inside + 1 : region->loop_length - inside;
    }
    return (int64_t)frames < room ? frames : (size_t)room;
}

/* One run, forwards from `low` on; what lies outside the medium is silence. */
static enum lh_status read_run(const struct engine_pass *pass, struct engine_scratch *scratch,
                               const struct stretch *stretch, int64_t low, size_t frames, float *out,
                               struct lh_error *error)
{
    const struct graph_media *media = &pass->sources->graph->media[stretch->region->media];
    size_t channels = media->channels;
    int64_t end = (int64_t)media->length;
    int64_t high = low + (int64_t)frames;
    int64_t first = low < 0 ? 0 : low;
    int64_t last = high > end ? end : high;
    if (first >= last) {
        memset(out, 0, frames * channels * sizeof *out);
        return LH_OK;
    }
    size_t head = (size_t)(first - low);
    size_t body = (size_t)(last - first);
    memset(out, 0, head * channels * sizeof *out);
    memset(out + (head + body) * channels, 0, (frames - head - body) * channels * sizeof *out);
    return read_media(pass, scratch, stretch, first, body, out + head * channels, error);
}

/* Fills `count` samples with repetitions of the first `filled`. */
static void repeat(float *out, size_t filled, size_t count)
{
    while (filled < count) {
        size_t piece = filled < count - filled ? filled : count - filled;
        memcpy(out + filled, out, piece * sizeof *out);
        filled += piece;
    }
}

/* The stretch's samples before gain and fades, in the medium's layout, into `out`. A loop that comes round inside the
   stretch is read once: a read, and in compressed media a seek, for each repetition of a short one would take minutes.
 */
static enum lh_status read_stretch(const struct engine_pass *pass, struct engine_scratch *scratch,
                                   const struct stretch *stretch, float *out, struct lh_error *error)
{
    const struct graph_region *region = stretch->region;
    size_t channels = pass->sources->graph->media[region->media].channels;
    bool comes_round = region->loop_length > 0 && region->loop_length < (int64_t)stretch->frames;
    size_t period = comes_round ? (size_t)region->loop_length : stretch->frames;
    size_t done = 0;
    while (done < period) {
        int64_t frame;
        size_t run = next_run(region, stretch->from + (int64_t)done, period - done, &frame);
        int64_t low = region->reverse ? frame - (int64_t)run + 1 : frame;
        enum lh_status status = read_run(pass, scratch, stretch, low, run, out + done * channels, error);
        if (status != LH_OK) {
            return status;
        }
        if (region->reverse) {
            reverse_frames(out + done * channels, run, channels);
        }
        done += run;
    }
    repeat(out, period * channels, stretch->frames * channels);
    return LH_OK;
}

/* Mono media feed every channel of the node at unity. Widens in place, from the end. */
static void widen(float *data, size_t frames, size_t channels)
{
    for (size_t i = frames; i-- > 0;) {
        for (size_t c = channels; c-- > 0;) {
            data[i * channels + c] = data[i];
        }
    }
}

/* Multiplies what the stretch has of a fade: the fade in, or the fade out of the region. */
static void apply_fade(const struct engine_pass *pass, struct engine_scratch *scratch, const struct stretch *stretch,
                       bool out, size_t channels)
{
    const struct graph_region *region = stretch->region;
    int64_t length = out ? region->fade_out_length : region->fade_in_length;
    int64_t from = out ? region->length - length : 0;
    int64_t first = stretch->from > from ? stretch->from : from;
    int64_t last = stretch->from + (int64_t)stretch->frames;
    last = last < from + length ? last : from + length;
    if (first >= last) {
        return;
    }
    size_t frames = (size_t)(last - first);
    float *data = scratch->region + (size_t)(first - stretch->from) * channels;
    for (size_t c = 0; c < channels; c++) {
        engine_fade_fill(pass->sources->graph, out ? region->fade_out : region->fade_in, length,
                         out ? region->length - first : first, out ? -1 : 1, frames, scratch->gain + c, channels);
    }
    pass->sources->kernels->multiply(data, data, scratch->gain, frames * channels);
}

static void shape_stretch(const struct engine_pass *pass, struct engine_scratch *scratch, const struct stretch *stretch,
                          size_t channels)
{
    const struct graph_region *region = stretch->region;
    if (region->gain != 1.0f) {
        float gains[GRAPH_CHANNELS_MAX];
        for (size_t c = 0; c < channels; c++) {
            gains[c] = region->gain;
        }
        pass->sources->kernels->gain(scratch->region, scratch->region, stretch->frames, channels, gains);
    }
    apply_fade(pass, scratch, stretch, false, channels);
    apply_fade(pass, scratch, stretch, true, channels);
}

static bool is_plain(const struct graph_region *region, const struct stretch *stretch)
{
    int64_t last = stretch->from + (int64_t)stretch->frames;
    return region->gain == 1.0f && stretch->from >= region->fade_in_length &&
           last <= region->length - region->fade_out_length;
}

/* Whether the stride is nothing but neighbouring frames of exact PCM, which need neither rounding nor a check. */
static bool is_exact(const struct engine_pass *pass, const struct graph_node *node, const struct stretch *stretch,
                     size_t frames, int64_t *media_frame)
{
    const struct graph_region *region = stretch->region;
    const struct graph_media *media = &pass->sources->graph->media[region->media];
    const struct engine_media *open = pass->sources->media[region->media];
    if (node->invert || region->reverse || stretch->frames != frames || media->channels != node->channels ||
        !is_plain(region, stretch) || engine_media_get_facts(open)->access != ENGINE_ACCESS_POSITIONED ||
        !engine_sample_is_on_grid(engine_media_sample_format(open))) {
        return false;
    }
    return next_run(region, stretch->from, frames, media_frame) == frames &&
           *media_frame + (int64_t)frames <= (int64_t)media->length;
}

/* Says which medium of which node could not be read. */
static enum lh_status name_medium(const struct graph_node *node, const struct graph_media *media, enum lh_status status,
                                  struct lh_error *error)
{
    if (status != LH_OK && error != NULL && error->where[0] == '\0') {
        snprintf(error->where, sizeof error->where, "%s, media %s", node->label, media->name);
    }
    return status;
}

static enum lh_status add_stretch(const struct engine_pass *pass, struct engine_scratch *scratch,
                                  const struct graph_node *node, const struct stretch *stretch, int64_t from,
                                  struct lh_error *error)
{
    const struct engine_sources *sources = pass->sources;
    const struct graph_media *media = &sources->graph->media[stretch->region->media];
    enum lh_status status = read_stretch(pass, scratch, stretch, scratch->region, error);
    if (status != LH_OK) {
        return name_medium(node, media, status, error);
    }
    if (media->channels != node->channels) {
        widen(scratch->region, stretch->frames, node->channels);
    }
    shape_stretch(pass, scratch, stretch, node->channels);
    if (!sources->kernels->accumulate(scratch->clips + stretch->at * node->channels, scratch->region,
                                      stretch->frames * node->channels)) {
        char part[128];
        snprintf(part, sizeof part, ", media %s", media->name);
        return engine_fault_sample(node->label, part, from + (int64_t)stretch->at, scratch->region, stretch->frames,
                                   node->channels, error);
    }
    return LH_OK;
}

/* The first region of a node that can reach past `from`: regions are sorted by start, and `reach` never falls. */
static uint32_t first_reaching(const int64_t *reach, const struct graph_node *node, int64_t from)
{
    uint32_t low = 0;
    uint32_t high = node->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (reach[node->first + middle] > from) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* The next stretch at or after region *i that plays inside [from, to); false when there is none. */
static bool next_stretch(const struct engine_pass *pass, uint32_t n, int64_t from, int64_t to, uint32_t *i,
                         struct stretch *stretch)
{
    const struct graph_node *node = &pass->sources->graph->nodes[n];
    for (; *i < node->count; (*i)++) {
        const struct graph_region *region = &pass->sources->graph->regions[node->first + *i];
        if (region->start >= to) {
            return false;
        }
        int64_t first = region->start > from ? region->start : from;
        int64_t last = region->start + region->length < to ? region->start + region->length : to;
        if (first < last) {
            *stretch = (struct stretch){.region = region,
                                        .node = n,
                                        .index = node->first + *i,
                                        .from = first - region->start,
                                        .frames = (size_t)(last - first),
                                        .at = (size_t)(first - from)};
            (*i)++;
            return true;
        }
    }
    return false;
}

/* A decoder is kept only while its region plays, and while the node keeps to its share of them. Regions past that open
   one anew for each stride: unlike closing the one that waited longest, which would miss every time since all that play
   are read in turn, this leaves the others theirs. */
static void close_decoder(const struct engine_pass *pass, const struct stretch *stretch)
{
    struct engine_decoder **decoder = &pass->decoders[stretch->index];
    bool ended = stretch->from + (int64_t)stretch->frames == stretch->region->length;
    if (*decoder != NULL && (ended || pass->decoders_open[stretch->node] > pass->decoders_share)) {
        engine_decoder_free(*decoder);
        *decoder = NULL;
        pass->decoders_open[stretch->node]--;
    }
}

enum lh_status engine_clips_read(const struct engine_pass *pass, struct engine_scratch *scratch, uint32_t n,
                                 int64_t from, size_t frames, bool raw_allowed, float *out,
                                 enum engine_clips_shape *shape, enum engine_sample_format *format,
                                 struct lh_error *error)
{
    const struct engine_sources *sources = pass->sources;
    const struct graph_node *node = &sources->graph->nodes[n];
    int64_t end = from + (int64_t)frames < pass->plan->silence ? from + (int64_t)frames : pass->plan->silence;
    uint32_t i = first_reaching(sources->reach, node, from);
    struct stretch stretch;
    if (!next_stretch(pass, n, from, end, &i, &stretch)) {
        *shape = ENGINE_CLIPS_SILENT;
        return LH_OK;
    }
    struct stretch following;
    bool alone = !next_stretch(pass, n, from, end, &i, &following);
    int64_t media_frame;
    if (alone && is_exact(pass, node, &stretch, frames, &media_frame)) {
        const struct engine_media *media = sources->media[stretch.region->media];
        *format = engine_media_sample_format(media);
        enum lh_status status = engine_media_read_raw(media, media_frame, frames, scratch->raw, error);
        if (status == LH_OK) {
            *shape = raw_allowed ? ENGINE_CLIPS_RAW : ENGINE_CLIPS_FLOAT;
            if (!raw_allowed) {
                sources->kernels->decode[*format](out, scratch->raw, frames * node->channels);
            }
        }
        return name_medium(node, &sources->graph->media[stretch.region->media], status, error);
    }
    memset(scratch->clips, 0, frames * node->channels * sizeof *scratch->clips);
    for (bool more = true; more;) {
        enum lh_status status = add_stretch(pass, scratch, node, &stretch, from, error);
        if (status != LH_OK) {
            return status;
        }
        close_decoder(pass, &stretch);
        more = !alone;
        if (more) {
            stretch = following;
            alone = !next_stretch(pass, n, from, end, &i, &following);
        }
    }
    *shape = ENGINE_CLIPS_FLOAT;
    if (!sources->kernels->complete(out, scratch->clips, frames * node->channels, node->invert)) {
        return engine_fault_sample(node->label, "", from, out, frames, node->channels, error);
    }
    return LH_OK;
}
