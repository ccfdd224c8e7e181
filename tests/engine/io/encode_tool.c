/* SPDX-License-Identifier: MIT */
/* Encodes a file of raw interleaved floats, so that other people's tools can judge what came of it (check_files.py).
   encode_tool OUT IN format=F channels=N rate=HZ [bits=B] [dither=0|1] [quality=Q] [kbps=K] [known=0|1] [start=FRAME]
               [project=HZ] [loop=START:END] [tag=NAME:VALUE]... [marker=FRAME:NAME]... [split=FRAMES] */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/io/encode.h"

#define TOOL_LIST_MAX 64

struct options {
    struct graph graph;
    struct graph_deliverable deliverable;
    struct graph_tag tags[TOOL_LIST_MAX];
    struct graph_marker markers[TOOL_LIST_MAX];
    uint32_t channels;
    bool known;
    size_t split;
};

static const char *const format_names[GRAPH_FORMAT_STORED] = {"wav", "bwf", "aiff", "flac", "vorbis", "opus", "mp3"};

static bool set_list_option(struct options *options, const char *name, char *value)
{
    char *colon = strchr(value, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    if (strcmp(name, "tag") == 0 && options->deliverable.tag_count < TOOL_LIST_MAX) {
        options->tags[options->deliverable.tag_count++] = (struct graph_tag){.name = value, .value = colon + 1};
    } else if (strcmp(name, "marker") == 0 && options->graph.marker_count < TOOL_LIST_MAX) {
        options->markers[options->graph.marker_count++] =
            (struct graph_marker){.frame = atoll(value), .name = colon + 1};
    } else if (strcmp(name, "loop") == 0) {
        options->deliverable.has_loop = true;
        options->deliverable.loop_start = atoll(value);
        options->deliverable.loop_end = atoll(colon + 1);
    } else {
        return false;
    }
    return true;
}

static bool set_option(struct options *options, char *argument)
{
    struct graph_deliverable *deliverable = &options->deliverable;
    char *value = strchr(argument, '=');
    if (value == NULL) {
        return false;
    }
    *value++ = '\0';
    if (strcmp(argument, "format") == 0) {
        for (unsigned i = 0; i < GRAPH_FORMAT_STORED; i++) {
            if (strcmp(value, format_names[i]) == 0) {
                deliverable->format = (enum graph_format)i;
            }
        }
    } else if (strcmp(argument, "channels") == 0) {
        options->channels = (uint32_t)atoi(value);
    } else if (strcmp(argument, "rate") == 0) {
        deliverable->rate = (uint32_t)atoi(value);
    } else if (strcmp(argument, "project") == 0) {
        options->graph.sample_rate = (uint32_t)atoi(value);
    } else if (strcmp(argument, "bits") == 0) {
        deliverable->bit_depth = (uint32_t)atoi(value);
    } else if (strcmp(argument, "dither") == 0) {
        deliverable->dither = atoi(value) != 0 ? GRAPH_DITHER_TPDF : GRAPH_DITHER_NONE;
    } else if (strcmp(argument, "quality") == 0) {
        deliverable->has_quality = true;
        deliverable->quality = atof(value);
    } else if (strcmp(argument, "kbps") == 0) {
        deliverable->bitrate_kbps = (uint32_t)atoi(value);
    } else if (strcmp(argument, "known") == 0) {
        options->known = atoi(value) != 0;
    } else if (strcmp(argument, "start") == 0) {
        deliverable->start = atoll(value);
    } else if (strcmp(argument, "split") == 0) {
        options->split = (size_t)atoll(value);
    } else {
        return set_list_option(options, argument, value);
    }
    return true;
}

static float *read_floats(const char *path, size_t *count)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    (void)fseek(file, 0, SEEK_END);
    *count = (size_t)ftell(file) / sizeof(float);
    rewind(file);
    float *samples = malloc((*count + 1) * sizeof *samples);
    if (samples != NULL && fread(samples, sizeof *samples, *count, file) != *count) {
        free(samples);
        samples = NULL;
    }
    (void)fclose(file);
    return samples;
}

static enum lh_status encode(const struct options *options, const float *samples, size_t frames, int fd,
                             struct engine_encoded *result, struct lh_error *error)
{
    struct engine_encoder_spec spec = {.graph = &options->graph,
                                       .deliverable = &options->deliverable,
                                       .channels = options->channels,
                                       .frames = options->known ? (int64_t)frames : -1,
                                       .fd = fd,
                                       .digest = true};
    struct engine_encoder *encoder = NULL;
    enum lh_status status = engine_encoder_new(&spec, &encoder, error);
    for (size_t done = 0; status == LH_OK && done < frames;) {
        size_t piece = frames - done < options->split ? frames - done : options->split;
        status = engine_encoder_write(encoder, samples + done * options->channels, piece, error);
        done += piece;
    }
    if (status == LH_OK) {
        status = engine_encoder_finish(encoder, result, error);
    }
    engine_encoder_free(encoder);
    return status;
}

int main(int argc, char **argv)
{
    static struct options options = {
        .channels = 2,
        .known = true,
        .split = 65536,
        .graph.sample_rate = 48000,
        .deliverable = {.name = "tool", .rate = 48000, .gain_from = GRAPH_NONE, .dither_seed = 0x1234567812345678u}};
    options.graph.tags = options.tags;
    options.graph.markers = options.markers;
    options.graph.deliverables = &options.deliverable;
    options.graph.deliverable_count = 1;
    for (int i = 3; i < argc; i++) {
        if (!set_option(&options, argv[i])) {
            (void)fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
    }
    options.graph.tag_count = options.deliverable.tag_count;
    size_t count = 0;
    float *samples = argc > 2 ? read_floats(argv[2], &count) : NULL;
    int fd = argc > 2 ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    if (samples == NULL || fd < 0) {
        (void)fprintf(stderr, "usage: encode_tool OUT IN name=value...\n");
        free(samples);
        return 2;
    }
    struct engine_encoded result;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = encode(&options, samples, count / options.channels, fd, &result, &error);
    free(samples);
    (void)close(fd);
    if (status != LH_OK) {
        (void)fprintf(stderr, "%s: %s\n", lh_status_text(status), error.message);
        return 1;
    }
    char digest[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(&result.samples, digest);
    (void)printf("{\"frames\": %" PRIu64 ", \"clipped\": %" PRIu64 ", \"bytes\": %" PRIu64
                 ", \"samples\": \"%s\", \"notes\": \"%s\"}\n",
                 result.frames, result.clipped, result.bytes, digest, result.notes);
    return 0;
}
