/* SPDX-License-Identifier: MIT */
/* A double of Signal for the tests of the conversation: what it does is chosen by the number of threads. */
#include "tests/engine/instance/fake_engine.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/io/conform.h"
#include "engine/io/media.h"
#include "engine/run/render.h"

const char *engine_io_libraries(void)
{
    return "fake-1.0";
}

const char *engine_host_libraries(void)
{
    return "host-2.0";
}

const struct engine_kernels *engine_kernels_named(const char *name)
{
    static const struct engine_kernels fake = {.name = FAKE_KERNELS};
    return strcmp(name, fake.name) == 0 ? &fake : NULL;
}

/* The file's size decides: empty is no sound, FAKE_PROBE_CRASH kills, FAKE_PROBE_HANG never ends. */
enum lh_status engine_media_probe(int fd, struct engine_media_facts *facts, struct lh_error *error)
{
    struct stat file;
    if (fstat(fd, &file) != 0 || file.st_size == 0) {
        return lh_error_set(error, LH_ERR_FORMAT, "here", "this is no\x1B[31m sound file");
    }
    if (file.st_size == FAKE_PROBE_CRASH) {
        abort();
    }
    while (file.st_size == FAKE_PROBE_HANG) {
        pause();
    }
    *facts = (struct engine_media_facts){
        .access = ENGINE_ACCESS_STREAM, .rate = 44100, .channels = 2, .frames = (uint64_t)file.st_size, .bits = 16};
    strcpy(facts->format, "fake, 16 bit");
    return LH_OK;
}

static void deliver(const struct engine_render_job *job, struct engine_render_result *result)
{
    for (uint32_t i = 0; i < job->graph->deliverable_count; i++) {
        struct engine_delivered *one = &result->delivered[i];
        one->file.frames = 1000 + i;
        one->file.has_samples = job->report;
        memset(one->file.samples.bytes, (int)i, sizeof one->file.samples.bytes);
        memset(one->file.notes, 'n', sizeof one->file.notes - 1);
        one->has_loudness = job->report;
        one->measured.integrated_lufs = (double)-INFINITY;
        one->gain_db = -1.5;
        one->tail_frames = 7;
        if (job->output_fds[i] >= 0 && write(job->output_fds[i], &i, sizeof i) != (ssize_t)sizeof i) {
            abort();
        }
    }
    for (uint32_t i = 0; i < job->graph->insert_count; i++) {
        result->inserted[i] = (struct engine_inserted){.node = 1, .latency = 64 + i, .copies = 1};
    }
    result->block = job->block;
    result->blocks_in_flight = 3;
    result->times.wall = 0.5;
}

static enum lh_status wait_for_cancel(const struct engine_render_job *job, bool heed, struct lh_error *error)
{
    while (!heed || atomic_load(&job->progress->cancel) == 0) {
        usleep(1000);
    }
    return lh_error_set(error, LH_ERR_CANCELLED, NULL, "interrupted");
}

enum lh_status engine_render(const struct engine_render_job *job, struct engine_render_result *result,
                             struct lh_error *error)
{
    struct rlimit limit;
    atomic_store(&job->progress->frames, (uint64_t)getpid());
    atomic_store(&job->progress->done, 1);
    atomic_store(&job->progress->first_block_ns, job->clock());
    switch (job->threads) {
    case FAKE_CRASH:
        signal(SIGSEGV, SIG_DFL); /* also where a sanitizer would catch it */
        raise(SIGSEGV);
        break;
    case FAKE_EXIT:
        fputs("a warning\nout of\033 order\n", stderr);
        _exit(7);
    case FAKE_SETTINGS:
        return lh_error_set(error, LH_ERR_FAULT, NULL, "%d %d", getenv("SOXR_TRACE") != NULL,
                            getenv("GLIBC_TUNABLES") != NULL);
    case FAKE_TALK:
        for (int i = 0; i < 100000; i++) {
            fputs("warning: this is a warning\n", stderr);
        }
        break;
    case FAKE_HANG:
        return wait_for_cancel(job, false, error);
    case FAKE_WAIT:
        return wait_for_cancel(job, true, error);
    case FAKE_FAULT:
        return lh_error_set(error, LH_ERR_FAULT, "track kick, frame 4711", "the sample is\nnot a number");
    case FAKE_PLUGINS:
        return fake_plugins_run(job, error);
    case FAKE_JAIL:
        return fake_jail_try(job, error);
    case FAKE_MEMORY:
        return getrlimit(RLIMIT_AS, &limit) != 0
                   ? LH_ERR_IO
                   : lh_error_set(error, LH_ERR_FAULT, NULL, "%llu MiB", (unsigned long long)limit.rlim_cur >> 20);
    case FAKE_NONSENSE:
        result->times.wall = (double)NAN;
        return LH_OK;
    default:
        break;
    }
    deliver(job, result);
    return LH_OK;
}
