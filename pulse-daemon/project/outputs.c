/* SPDX-License-Identifier: MIT */
/* Names of the files that a project delivers. */
#include "pulse-daemon/project/outputs.h"

#include <stdio.h>
#include <string.h>

const char *pulse_format_ending(enum pulse_format format)
{
    switch (format) {
    case PULSE_FORMAT_WAV:
    case PULSE_FORMAT_BWF:
        return "wav";
    case PULSE_FORMAT_AIFF:
        return "aiff";
    case PULSE_FORMAT_FLAC:
        return "flac";
    case PULSE_FORMAT_VORBIS:
        return "ogg";
    case PULSE_FORMAT_OPUS:
        return "opus";
    case PULSE_FORMAT_MP3:
        return "mp3";
    }
    return "wav";
}

char *pulse_output_file(struct lh_arena *arena, const struct pulse_deliverable *deliverable,
                        const struct pulse_track *track)
{
    const char *ending = pulse_format_ending(deliverable->format);
    size_t size = strlen(deliverable->name) + strlen(track->id) + strlen(ending) + sizeof "-.";
    char *file = lh_arena_alloc(arena, size);
    if (file == NULL) {
        return NULL;
    }
    snprintf(file, size, "%s%s%s.%s", deliverable->name, deliverable->each ? "-" : "",
             deliverable->each ? track->id : "", ending);
    return file;
}
