/* SPDX-License-Identifier: MIT */
/* Media for tests in other languages. `read` decodes every file to its end and prints a line for each: name, status
   word, message or format. `convert` writes the file at another rate as raw interleaved floats. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/io/conform.h"

static const char *status_word(enum lh_status status)
{
    return status == LH_OK           ? "ok"
           : status == LH_ERR_FORMAT ? "format"
           : status == LH_ERR_FAULT  ? "fault"
           : status == LH_ERR_IO     ? "io"
                                     : "other";
}

/* Conforms the file into `out_fd` at `rate`, or at its own when that is 0. */
static enum lh_status conform_file(const char *path, enum graph_conform resampler, uint32_t rate, int out_fd,
                                   char *format, size_t format_size, struct lh_error *error)
{
    struct engine_media *media = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum lh_status status = engine_media_open(fd, &media, error);
    if (status == LH_OK) {
        const struct engine_media_facts *facts = engine_media_get_facts(media);
        snprintf(format, format_size, "%s", facts->format);
        if (rate == 0) {
            rate = facts->rate;
        }
        struct graph_media target = {.channels = facts->channels,
                                     .rate = facts->rate,
                                     .frames = facts->frames,
                                     .length = graph_converted_length(facts->frames, facts->rate, rate),
                                     .conform = resampler,
                                     .name = "it"};
        status = engine_conform(media, &target, rate, target.length, out_fd, 0, NULL, NULL, error);
    }
    engine_media_close(media);
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

static int read_files(int count, char **paths)
{
    for (int i = 0; i < count; i++) {
        struct lh_error error = LH_ERROR_INIT;
        char format[64] = "";
        int scratch = memfd_create("scratch", MFD_CLOEXEC);
        enum lh_status status =
            conform_file(paths[i], GRAPH_CONFORM_DECODE, 0, scratch, format, sizeof(format), &error);
        const char *slash = strrchr(paths[i], '/');
        printf("%s\t%s\t%s\n", slash != NULL ? slash + 1 : paths[i], status_word(status),
               status == LH_OK ? format : error.message);
        fflush(stdout);
        close(scratch);
    }
    return EXIT_SUCCESS;
}

static int convert_file(char **arguments)
{
    enum graph_conform resampler = strcmp(arguments[0], "soxr") == 0 ? GRAPH_CONFORM_SOXR : GRAPH_CONFORM_SAMPLERATE;
    struct lh_error error = LH_ERROR_INIT;
    char format[64];
    int out = open(arguments[3], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum lh_status status = conform_file(arguments[2], resampler, (uint32_t)strtoul(arguments[1], NULL, 10), out,
                                         format, sizeof(format), &error);
    if (status != LH_OK) {
        fprintf(stderr, "media_tool: %s\n", error.message);
    }
    if (out >= 0) {
        close(out);
    }
    return status == LH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int count, char **arguments)
{
    if (count > 2 && strcmp(arguments[1], "read") == 0) {
        return read_files(count - 2, arguments + 2);
    }
    if (count == 6 && strcmp(arguments[1], "convert") == 0) {
        return convert_file(arguments + 2);
    }
    fprintf(stderr, "usage: media_tool read FILE... | convert soxr|samplerate RATE FILE RAW_FLOATS\n");
    return 2;
}
