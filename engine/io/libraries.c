/* SPDX-License-Identifier: MIT */
/* Which versions of other people's libraries decode, convert, measure and encode. */
#include <FLAC/format.h>
#include <ebur128.h>
#include <lame/lame.h>
#include <opus/opus.h>
#include <opus/opusenc.h>
#include <pthread.h>
#include <samplerate.h>
#include <sndfile.h>
#include <soxr.h>
#include <stdio.h>
#include <vorbis/codec.h>

#include "engine/io/conform.h"

#define LIBRARIES_SIZE 256

static char libraries[LIBRARIES_SIZE];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The first run of digits, dots and suffix in `text`: "Xiph.Org libVorbis 1.3.7" -> 1.3.7. */
static const char *find_version(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at >= '0' && *at <= '9' && (at == text || at[-1] == ' ' || at[-1] == '-')) {
            return at;
        }
    }
    return text;
}

static void add(size_t *length, const char *name, const char *version)
{
    const char *at = find_version(version);
    int size = 0;
    while (at[size] != '\0' && at[size] != ' ') {
        size++;
    }
    int written =
        snprintf(libraries + *length, sizeof(libraries) - *length, "%s%s-%.*s", *length > 0 ? " " : "", name, size, at);
    if (written > 0 && (size_t)written < sizeof(libraries) - *length) {
        *length += (size_t)written;
    }
}

static void collect(void)
{
    size_t length = 0;
    int major, minor, patch;
    char text[32];
    add(&length, "libsndfile", sf_version_string());
    add(&length, "libFLAC", FLAC__VERSION_STRING);
    add(&length, "libvorbis", vorbis_version_string());
    add(&length, "libopus", opus_get_version_string());
    add(&length, "libopusenc", ope_get_version_string());
    /* libmpg123 cannot be asked before 1.32: what this was built against. */
    add(&length, "libmpg123", ENGINE_MPG123_VERSION);
    add(&length, "liblame", get_lame_short_version());
    add(&length, "libsoxr", soxr_version());
    add(&length, "libsamplerate", src_get_version());
    ebur128_get_version(&major, &minor, &patch);
    snprintf(text, sizeof(text), "%d.%d.%d", major, minor, patch);
    add(&length, "libebur128", text);
}

const char *engine_io_libraries(void)
{
    pthread_once(&once, collect);
    return libraries;
}
