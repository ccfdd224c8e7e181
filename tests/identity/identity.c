/* SPDX-License-Identifier: MIT */
/* The promise that everything rests on: the same project gives the same bits. Random projects with every native feature
   are rendered with different threads, blocks, kernels, orders of tracks and partitions of buses; every deliverable's
   samples and file must have one SHA-256.

   identity FIRST_SEED COUNT prints TAP, one line for each project. */
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/digest/digest.h"
#include "engine/io/media.h"
#include "engine/run/render.h"
#include "graph/encode.h"
#include "graph/partition.h"
#include "pulse-daemon/compile/compile.h"
#include "pulse-daemon/project/load.h"
#include "tests/identity/random_project.h"

#define FILES_MAX 64

struct result {
    size_t count;
    char names[FILES_MAX][80];
    struct lh_digest samples[FILES_MAX], files[FILES_MAX];
    double loudest; /* sample peak of the loudest file, dBFS */
};

struct variant {
    const char *name;
    uint32_t threads, block;
    const char *kernels;
    uint64_t order_seed, partition_seed;
};

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

static void make_media(void)
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

/* ---- one render ---- */

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

/* As the signal instance gets it: through the encoding; and cut into partial sums when asked. */
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

static void render_graph(const struct graph *graph, const struct pulse_compiled *compiled,
                         const struct variant *variant, struct result *result)
{
    static struct engine_delivered delivered[FILES_MAX];
    int inputs[RANDOM_MEDIA_COUNT];
    int outputs[FILES_MAX];
    struct engine_progress progress = {.cancel = 0};
    struct lh_error error = LH_ERROR_INIT;
    for (uint32_t m = 0; m < graph->media_count; m++) {
        inputs[m] = media_fds[compiled->media[m]];
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        outputs[d] = memfd_create("out", MFD_CLOEXEC);
    }
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = inputs,
                                    .output_fds = outputs,
                                    .scratch_fd = memfd_create("scratch", MFD_CLOEXEC),
                                    .threads = variant->threads,
                                    .block = variant->block,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns,
                                    .report = true,
                                    .kernels =
                                        variant->kernels != NULL ? engine_kernels_named(variant->kernels) : NULL};
    struct engine_render_result rendered = {.delivered = delivered};
    if (engine_render(&job, &rendered, &error) != LH_OK) {
        die(variant->name, &error);
    }
    result->count = graph->deliverable_count;
    result->loudest = -INFINITY;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        snprintf(result->names[d], sizeof result->names[d], "%s", graph->deliverables[d].name);
        result->samples[d] = delivered[d].file.samples;
        double peak = delivered[d].measured.sample_peak_dbfs;
        result->loudest = peak > result->loudest ? peak : result->loudest;
        if (lh_digest_file(outputs[d], &result->files[d], &error) != LH_OK) {
            die("digest", &error);
        }
        close(outputs[d]);
    }
    close(job.scratch_fd);
}

static void render_variant(uint64_t seed, uint32_t quantum, const struct variant *variant, struct result *result)
{
    struct pulse_project *project;
    struct pulse_compiled *compiled = compile_project(seed, variant->order_seed, quantum, &project);
    const struct graph *graph = send_graph(compiled->graph, variant->partition_seed);
    render_graph(graph, compiled, variant, result);
    graph_unref(graph);
    pulse_compiled_free(compiled);
    pulse_project_free(project);
}

/* ---- comparing ---- */

/* The first deliverable that differs, or NULL. Found by name: another order of tracks may list them in another order.
 */
static const char *difference(const struct result *a, const struct result *b)
{
    if (a->count != b->count) {
        return "the number of files";
    }
    for (size_t i = 0; i < a->count; i++) {
        size_t j = 0;
        while (j < b->count && strcmp(a->names[i], b->names[j]) != 0) {
            j++;
        }
        if (j == b->count || !lh_digest_equal(&a->samples[i], &b->samples[j]) ||
            !lh_digest_equal(&a->files[i], &b->files[j])) {
            return a->names[i];
        }
    }
    return NULL;
}

static const struct variant variants[] = {
    {"1 thread, block 1024, plain C", 1, 1024, "c", 0, 0},
    {"2 threads, block 4096", 2, 4096, NULL, 0, 0},
    {"4 threads, block 16384, other order", 4, 16384, NULL, 77, 0},
    {"8 threads, block 65536", 8, 65536, NULL, 0, 0},
    {"3 threads, chosen block, partial sums", 3, 0, NULL, 0, 5},
    {"8 threads, block 1024, other order, partial sums, plain C", 8, 1024, "c", 78, 6},
};

static unsigned audible; /* projects that had something to hear: the others prove little */

static bool check_project(uint64_t seed, unsigned number)
{
    static struct result reference;
    static struct result result;
    /* one project in four on the small quantum, where block 256 is possible */
    uint32_t quantum = seed % 4 == 0 ? 256 : 1024;
    struct variant first = {"1 thread, smallest block", 1, quantum, NULL, 0, 0};
    render_variant(seed, quantum, &first, &reference);
    for (size_t v = 0; v < sizeof variants / sizeof variants[0]; v++) {
        render_variant(seed, quantum, &variants[v], &result);
        const char *where = difference(&reference, &result);
        if (where != NULL) {
            printf("not ok %u - project %llu: %s differs with %s\n", number, (unsigned long long)seed, where,
                   variants[v].name);
            return false;
        }
    }
    printf("ok %u - project %llu: %zu files, %zu ways, up to %.1f dBFS\n", number, (unsigned long long)seed,
           reference.count, sizeof variants / sizeof variants[0] + 1, reference.loudest);
    audible += reference.loudest > -60 ? 1 : 0;
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: identity FIRST_SEED COUNT\n", stderr);
        return 2;
    }
    make_media();
    uint64_t seed = strtoull(argv[1], NULL, 10);
    unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
    bool good = true;
    printf("1..%u\n", count + 1);
    for (unsigned i = 0; i < count; i++) {
        good = check_project(seed + i, i + 1) && good;
    }
    bool heard = audible * 10 >= count * 7;
    printf("%s %u - %u of %u projects are audible\n", heard ? "ok" : "not ok", count + 1, audible, count);
    good = good && heard;
    return good ? 0 : 1;
}
