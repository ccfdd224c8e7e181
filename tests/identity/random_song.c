/* SPDX-License-Identifier: MIT */
/* Makes media, compiles random projects, sends their graphs. */
#include "tests/identity/random_song.h"

#include <fcntl.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/io/media.h"
#include "graph/encode.h"
#include "graph/partition.h"
#include "pulse-daemon/compile/compile.h"
#include "pulse-daemon/project/load.h"

static int media_fds[RANDOM_MEDIA_COUNT];
static struct pulse_media_facts media_facts[RANDOM_MEDIA_COUNT];

static void die(const char *what, const struct lh_error *error)
{
    printf("Bail out! %s: %s %s\n", what, error != NULL ? error->where : "", error != NULL ? error->message : "");
    exit(1);
}

/* ---- media: noise in every kind that is read differently ---- */

struct file {
    int fd;
    sf_count_t at;
};

static sf_count_t file_length(void *user)
{
    struct stat info;
    return fstat(((struct file *)user)->fd, &info) == 0 ? info.st_size : 0;
}

static sf_count_t file_seek(sf_count_t offset, int whence, void *user)
{
    struct file *file = user;
    file->at = whence == SEEK_SET ? offset : whence == SEEK_CUR ? file->at + offset : file_length(user) + offset;
    return file->at;
}

static sf_count_t file_read(void *data, sf_count_t count, void *user)
{
    struct file *file = user;
    ssize_t got = pread(file->fd, data, (size_t)count, (off_t)file->at);
    file->at += got > 0 ? got : 0;
    return got;
}

static sf_count_t file_write(const void *data, sf_count_t count, void *user)
{
    struct file *file = user;
    ssize_t put = pwrite(file->fd, data, (size_t)count, (off_t)file->at);
    file->at += put > 0 ? put : 0;
    return put;
}

static sf_count_t file_tell(void *user)
{
    return ((struct file *)user)->at;
}

static int make_medium(unsigned index)
{
    static const struct {
        int format, rate;
    } kinds[RANDOM_MEDIA_COUNT] = {
        {SF_FORMAT_WAV | SF_FORMAT_PCM_24, 48000},  {SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48000},
        {SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000},   {SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 48000},
        {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 48000}, {SF_FORMAT_WAV | SF_FORMAT_PCM_24, 44100},
        {SF_FORMAT_AIFF | SF_FORMAT_PCM_24, 48000}, {SF_FORMAT_OGG | SF_FORMAT_VORBIS, 48000}};
    static SF_VIRTUAL_IO io = {file_length, file_seek, file_read, file_write, file_tell};
    struct file file = {.fd = memfd_create("medium", MFD_CLOEXEC)};
    SF_INFO info = {
        .channels = (int)random_media_channels(index), .samplerate = kinds[index].rate, .format = kinds[index].format};
    SNDFILE *sound = sf_open_virtual(&io, SFM_WRITE, &info, &file);
    if (file.fd < 0 || sound == NULL) {
        die("cannot make a medium", NULL);
    }
    uint64_t state = 1000 + index;
    for (unsigned i = 0; i < 20000 + 9000 * index; i++) {
        float frame[2];
        for (unsigned c = 0; c < 2; c++) {
            frame[c] = (float)((double)(int64_t)random_next(&state) * 0x1p-64);
        }
        sf_writef_float(sound, frame, 1);
    }
    sf_close(sound);
    return file.fd;
}

void random_song_open(void)
{
    for (unsigned m = 0; m < RANDOM_MEDIA_COUNT; m++) {
        struct lh_error error = LH_ERROR_INIT;
        struct engine_media_facts facts;
        media_fds[m] = make_medium(m);
        if (engine_media_probe(media_fds[m], &facts, &error) != LH_OK) {
            die("probe", &error);
        }
        media_facts[m] = (struct pulse_media_facts){.frames = facts.frames,
                                                    .rate = facts.rate,
                                                    .channels = facts.channels,
                                                    .lossy = facts.access == ENGINE_ACCESS_LINEAR};
    }
}

void random_song_save_media(const char *folder)
{
    for (unsigned m = 0; m < RANDOM_MEDIA_COUNT; m++) {
        char path[4096];
        struct stat info;
        off_t at = 0;
        int medium = make_medium(m);
        snprintf(path, sizeof path, "%s/m%u", folder, m);
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (file < 0 || fstat(medium, &info) != 0 ||
            sendfile(file, medium, &at, (size_t)info.st_size) != info.st_size) {
            die(path, NULL);
        }
        close(file);
        close(medium);
    }
}

/* ---- from text to graph ---- */

static struct pulse_compiled *compile_project(uint64_t seed, uint64_t order_seed, uint32_t quantum,
                                              struct pulse_project **project)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct lh_writer text;
    struct pulse_compiled *compiled = NULL;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    lh_writer_init(&text);
    random_project_write(&text, seed, order_seed, quantum);
    struct pulse_compile_options options = {.only = NULL};
    struct pulse_needs needs;
    const struct pulse_facts known = {.media = media_facts};
    if (pulse_project_parse((const char *)text.data, text.size, NULL, NULL, 0, &faults, project) != LH_OK ||
        pulse_compile_needs(&arena, *project, &options, &needs) != LH_OK ||
        pulse_compile(*project, &needs, &known, &options, &faults, &compiled) != LH_OK) {
        printf("%.*s", (int)text.size, (const char *)text.data);
        for (size_t i = 0; i < faults.stored; i++) {
            printf("# %s: %s\n", faults.items[i].where, faults.items[i].message);
        }
        die("the random project does not compile", NULL);
    }
    lh_writer_fini(&text);
    lh_arena_fini(&arena);
    return compiled;
}

static const struct graph *send_graph(const struct graph *graph, uint64_t partition_seed)
{
    struct lh_writer bytes;
    struct lh_error error = LH_ERROR_INIT;
    const struct graph *received = NULL;
    lh_writer_init(&bytes);
    if (graph_encode(graph, &bytes) != LH_OK || graph_decode(bytes.data, bytes.size, &received, &error) != LH_OK) {
        die("the graph does not survive its encoding", &error);
    }
    lh_writer_fini(&bytes);
    if (partition_seed != 0) {
        const struct graph *cut;
        if (graph_partition_seeded(received, partition_seed, &cut, &error) != LH_OK) {
            die("partition", &error);
        }
        graph_unref(received);
        received = cut;
    }
    return received;
}

const struct graph *random_song_make(uint64_t seed, uint64_t order_seed, uint32_t quantum, uint64_t partition_seed,
                                     int *media)
{
    struct pulse_project *project;
    struct pulse_compiled *compiled = compile_project(seed, order_seed, quantum, &project);
    const struct graph *graph = send_graph(compiled->graph, partition_seed);
    for (uint32_t m = 0; m < graph->media_count; m++) {
        media[m] = media_fds[compiled->media[m]];
    }
    pulse_compiled_free(compiled);
    pulse_project_free(project);
    return graph;
}
