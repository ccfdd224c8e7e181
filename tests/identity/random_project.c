/* SPDX-License-Identifier: MIT */
/* Makes random projects as JSON text. Levels are kept low enough that no sum comes near +66 dBFS. */
#include "tests/identity/random_project.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TRACKS_MAX 12
#define TRACK_TEXT_MAX 16384

uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

unsigned random_media_channels(unsigned medium)
{
    return medium % 3 == 1 ? 1 : 2;
}

static unsigned below(uint64_t *state, unsigned limit)
{
    return (unsigned)(random_next(state) % limit);
}

static double between(uint64_t *state, double low, double high)
{
    return low + (high - low) * ((double)(random_next(state) >> 11) * 0x1p-53);
}

struct text {
    char *data;
    size_t size, capacity;
};

static void LH_PRINTF(2, 3) put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->data + text->size, text->capacity - text->size, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < text->capacity - text->size) {
        text->size += (size_t)length;
    }
}

static void put_time(struct text *text, uint64_t *state, double longest_seconds)
{
    switch (below(state, 3)) {
    case 0:
        put(text, "{\"beats\": %.6f}", between(state, 0, longest_seconds * 2));
        break;
    case 1:
        put(text, "{\"seconds\": %.6f}", between(state, 0, longest_seconds));
        break;
    default:
        put(text, "{\"frames\": %u}", below(state, (unsigned)(longest_seconds * 48000) + 1));
        break;
    }
}

static void put_fade(struct text *text, uint64_t *state, const char *name)
{
    static const char *const shapes[] = {"linear", "constantPower", "exponential", "sCurve"};
    put(text, ", \"%s\": {\"duration\": {\"seconds\": %.4f}, \"shape\": \"%s\"}", name, between(state, 0, 0.4),
        shapes[below(state, 4)]);
}

static void put_clip(struct text *text, uint64_t *state, unsigned medium, unsigned index)
{
    put(text, "%s{\"id\": \"c%u\", \"media\": \"m%u\", \"start\": ", index > 0 ? ", " : "", index, medium);
    put_time(text, state, 2.0);
    if (below(state, 2) == 0) {
        put(text, ", \"offset\": {\"frames\": %u}", below(state, 20000));
    }
    if (below(state, 3) > 0) {
        put(text, ", \"duration\": {\"seconds\": %.5f}", between(state, 0.01, 1.5));
        if (below(state, 3) == 0) {
            put(text, ", \"loop\": true");
        }
    }
    if (below(state, 2) == 0) {
        put(text, ", \"gainDb\": %.3f", between(state, -20, 6));
    }
    if (below(state, 4) == 0) {
        put(text, ", \"reverse\": true");
    }
    if (below(state, 8) == 0) {
        put(text, ", \"mute\": true");
    }
    if (below(state, 2) == 0) {
        put_fade(text, state, "fadeIn");
    }
    if (below(state, 2) == 0) {
        put_fade(text, state, "fadeOut");
    }
    put(text, "}");
}

static void put_points(struct text *text, uint64_t *state, double low, double high, const char *hold)
{
    unsigned count = 1 + below(state, 4);
    put(text, "\"points\": [");
    for (unsigned i = 0; i < count; i++) {
        put(text, "%s{\"at\": ", i > 0 ? ", " : "");
        put_time(text, state, 3.0);
        put(text, ", \"value\": %.4f%s}", between(state, low, high), below(state, 3) == 0 ? hold : "");
    }
    put(text, "]");
}

static void put_automation(struct text *text, uint64_t *state, bool has_send)
{
    bool any = false;
    put(text, ", \"automation\": [");
    if (below(state, 2) == 0) {
        put(text, "{\"parameter\": \"gainDb\", ");
        put_points(text, state, -40, 6, ", \"curve\": \"hold\"");
        put(text, "}");
        any = true;
    }
    if (below(state, 3) == 0) {
        put(text, "%s{\"parameter\": \"pan\", ", any ? ", " : "");
        put_points(text, state, -1, 1, ", \"curve\": \"hold\"");
        put(text, "}");
        any = true;
    }
    if (below(state, 5) == 0) {
        put(text,
            "%s{\"parameter\": \"mute\", \"points\": [{\"at\": {\"frames\": %u}, \"value\": true, \"curve\": "
            "\"hold\"}, {\"at\": {\"frames\": %u}, \"value\": false, \"curve\": \"hold\"}]}",
            any ? ", " : "", below(state, 40000), 40000 + below(state, 40000));
        any = true;
    }
    if (has_send && below(state, 3) == 0) {
        put(text, "%s{\"parameter\": \"sends/r0/gainDb\", ", any ? ", " : "");
        put_points(text, state, -50, 0, "");
        put(text, "}");
    }
    put(text, "]");
}

static void put_strip(struct text *text, uint64_t *state)
{
    put(text, ", \"gainDb\": %.4f, \"pan\": %.4f", between(state, -24, 3), between(state, -1, 1));
    if (below(state, 5) == 0) {
        put(text, ", \"invert\": true");
    }
    if (below(state, 8) == 0) {
        put(text, ", \"mute\": true");
    }
    if (below(state, 20) == 0) {
        put(text, ", \"solo\": true");
    }
}

static void put_audio_track(struct text *text, uint64_t *state, unsigned index, unsigned groups)
{
    unsigned medium = below(state, RANDOM_MEDIA_COUNT);
    put(text, "{\"id\": \"t%u\", \"type\": \"audio\"", index);
    put_strip(text, state);
    if (groups > 0 && below(state, 2) == 0) {
        put(text, ", \"output\": \"g%u\"", below(state, groups));
    }
    put(text, ", \"clips\": [");
    unsigned clips = 1 + below(state, 5);
    for (unsigned c = 0; c < clips; c++) {
        /* every medium of a track has one layout unless the track is stereo */
        unsigned other = below(state, RANDOM_MEDIA_COUNT);
        put_clip(text, state, random_media_channels(other) == random_media_channels(medium) ? other : medium, c);
    }
    put(text, "]");
    bool has_send = below(state, 2) == 0;
    if (has_send) {
        put(text, ", \"sends\": [{\"to\": \"r0\", \"gainDb\": %.3f, \"pan\": %.3f, \"tap\": \"%s\"}]",
            between(state, -30, 0), between(state, -1, 1), below(state, 2) == 0 ? "pre" : "post");
    }
    put_automation(text, state, has_send);
    put(text, "}");
}

static void put_group(struct text *text, uint64_t *state, unsigned index)
{
    put(text, "{\"id\": \"g%u\", \"type\": \"group\"", index);
    put_strip(text, state);
    if (index > 0 && below(state, 2) == 0) {
        put(text, ", \"output\": \"g%u\"", below(state, index));
    }
    bool has_send = below(state, 3) == 0;
    if (has_send) {
        put(text, ", \"sends\": [{\"to\": \"r0\", \"gainDb\": %.3f}]", between(state, -30, 0));
    }
    put_automation(text, state, has_send);
    put(text, "}");
}

static void put_deliverables(struct text *text, uint64_t *state, unsigned tracks)
{
    static const char *const dithers[] = {"tpdf", "none"};
    put(text, "[{\"name\": \"mix\", \"source\": \"master\", \"format\": \"wav\", \"bitDepth\": 32}");
    put(text,
        ", {\"name\": \"mix16\", \"source\": \"master\", \"format\": \"wav\", \"bitDepth\": 16, \"dither\": \"%s\"}",
        dithers[below(state, 2)]);
    put(text, ", {\"name\": \"pre\", \"source\": {\"each\": [\"t0\"], \"tap\": \"pre\"}, \"format\": \"flac\", "
              "\"bitDepth\": 24}");
    put(text,
        ", {\"name\": \"part\", \"source\": {\"each\": [\"t%u\"], \"tap\": \"contribution\"}, \"format\": \"wav\", "
        "\"bitDepth\": 24}",
        below(state, tracks));
    if (below(state, 2) == 0) {
        put(text,
            ", {\"name\": \"loud\", \"source\": \"master\", \"format\": \"wav\", \"bitDepth\": 24, \"loudness\": "
            "{\"integrated\": -20, \"truePeak\": -2},"
            " \"range\": {\"start\": {\"seconds\": %.3f}, \"end\": {\"seconds\": 2.9}, \"tail\": {\"untilDb\": -80, "
            "\"holdSeconds\": 0.1, \"maxSeconds\": 1}}}",
            between(state, 0, 1));
        put(text, ", {\"name\": \"follow\", \"source\": \"r0\", \"format\": \"aiff\", \"bitDepth\": 24, \"gainFrom\": "
                  "\"loud\"}");
    }
    if (below(state, 3) == 0) {
        put(text, ", {\"name\": \"cd\", \"source\": \"master\", \"format\": \"wav\", \"bitDepth\": 16, \"sampleRate\": "
                  "44100}");
    }
    put(text, "]");
}

void random_project_write(struct lh_writer *writer, uint64_t seed, uint64_t order_seed, uint32_t quantum)
{
    static char texts[TRACKS_MAX + 4][TRACK_TEXT_MAX];
    static char rest[TRACK_TEXT_MAX];
    static const char *const laws[] = {"constantPower", "linear", "compromise"};
    uint64_t state = seed;
    unsigned tracks = 1 + below(&state, TRACKS_MAX);
    unsigned groups = below(&state, 3);
    unsigned count = 0;
    for (unsigned t = 0; t < tracks; t++, count++) {
        struct text text = {.data = texts[count], .capacity = TRACK_TEXT_MAX};
        put_audio_track(&text, &state, t, groups);
    }
    for (unsigned g = 0; g < groups; g++, count++) {
        struct text text = {.data = texts[count], .capacity = TRACK_TEXT_MAX};
        put_group(&text, &state, g);
    }
    struct text returned = {.data = texts[count], .capacity = TRACK_TEXT_MAX};
    put(&returned, "{\"id\": \"r0\", \"type\": \"return\", \"gainDb\": %.2f, \"pan\": %.2f}", between(&state, -12, 0),
        between(&state, -1, 1));
    count++;

    struct text text = {.data = rest, .capacity = sizeof rest};
    put(&text, "{\"loophole\": 1, \"name\": \"random\", \"sampleRate\": 48000, \"quantum\": %u, \"panLaw\": \"%s\",\n",
        quantum, laws[below(&state, 3)]);
    put(&text,
        "\"tempo\": [{\"at\": {\"beats\": 0}, \"bpm\": %.3f, \"curve\": \"ramp\"}, {\"at\": {\"beats\": 4}, \"bpm\": "
        "%.3f}],\n",
        between(&state, 60, 180), between(&state, 60, 180));
    put(&text, "\"media\": {");
    for (unsigned m = 0; m < RANDOM_MEDIA_COUNT; m++) {
        put(&text, "%s\"m%u\": {\"file\": \"m%u\"%s}", m > 0 ? ", " : "", m, m,
            m == 5 && below(&state, 2) == 0 ? ", \"resampler\": \"samplerate\"" : "");
    }
    put(&text, "},\n\"deliverables\": ");
    put_deliverables(&text, &state, tracks);
    put(&text, ",\n\"tracks\": [\n");
    lh_writer_bytes(writer, rest, text.size);

    unsigned order[TRACKS_MAX + 4];
    for (unsigned i = 0; i < count; i++) {
        order[i] = i;
    }
    for (unsigned i = count; order_seed != 0 && i > 1; i--) {
        unsigned j = below(&order_seed, i);
        unsigned kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
    for (unsigned i = 0; i < count; i++) {
        lh_writer_bytes(writer, texts[order[i]], strlen(texts[order[i]]));
        lh_writer_bytes(writer, i + 1 < count ? ",\n" : "\n", i + 1 < count ? 2 : 1);
    }
    lh_writer_bytes(writer, "]}\n", 3);
}
