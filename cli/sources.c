/* SPDX-License-Identifier: MIT */
/* Opens, probes and hashes the media of a render. */
#include "cli/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pulse-daemon/project/files.h"

#define STAND_IN_SECONDS 3600u

static enum lh_status make(struct lh_arena *arena, size_t count, struct cli_sources *sources, struct lh_error *error)
{
    struct cli_source *items = lh_arena_array(arena, count, sizeof *items);
    if (items == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        items[i].fd = -1;
    }
    *sources = (struct cli_sources){.items = items, .count = count};
    return LH_OK;
}

/* RFC 6901: ids hold neither '~' nor '/', so nothing has to be escaped. */
static const char *media_pointer(struct lh_arena *arena, const char *id)
{
    char pointer[sizeof "/media/" + PULSE_ID_MAX];
    snprintf(pointer, sizeof pointer, "/media/%s", id);
    return lh_arena_strdup(arena, pointer);
}

enum lh_status cli_sources_open_project(struct lh_arena *arena, const struct pulse_project *project,
                                        const struct pulse_needs *needs, struct lh_faults *faults,
                                        struct cli_sources *sources, struct lh_error *error)
{
    enum lh_status status = make(arena, project->media_count, sources, error);
    for (size_t i = 0; status == LH_OK && i < sources->count; i++) {
        struct cli_source *source = &sources->items[i];
        source->path = project->media[i].file;
        if (!needs->media[i]) {
            continue;
        }
        source->where = media_pointer(arena, project->media[i].id);
        if (source->where == NULL) {
            return lh_error_no_memory(error);
        }
        struct lh_error fault = LH_ERROR_INIT;
        enum lh_status opened = pulse_media_open(project, i, &source->fd, &fault);
        if (opened == LH_ERR_NO_MEMORY) {
            return lh_error_no_memory(error);
        }
        if (opened != LH_OK) {
            source->fd = -1;
            lh_faults_add(faults, opened == LH_ERR_INVALID ? LH_ERR_INVALID : LH_ERR_MISSING, source->where, "%s",
                          fault.message);
        }
    }
    return status;
}

/* A plain file, or -1 with the reason in errno. Never waits, as opening a named pipe would. */
static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return -1;
    }
    struct stat info;
    int code = fstat(fd, &info) != 0 ? errno : S_ISREG(info.st_mode) ? 0 : S_ISDIR(info.st_mode) ? EISDIR : ESPIPE;
    if (code == 0) {
        return fd;
    }
    close(fd);
    errno = code;
    return -1;
}

enum lh_status cli_sources_open_files(struct lh_arena *arena, const char *const *paths, size_t count,
                                      struct lh_faults *faults, struct cli_sources *sources, struct lh_error *error)
{
    enum lh_status status = make(arena, count, sources, error);
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        struct cli_source *source = &sources->items[i];
        source->path = paths[i];
        source->where = paths[i];
        source->fd = open_file(paths[i]);
        if (source->fd < 0) {
            lh_faults_add(faults, LH_ERR_MISSING, source->where, "cannot be read: %s",
                          errno == ESPIPE ? "it is not a plain file" : strerror(errno));
        }
    }
    return status;
}

static void add_probe_fault(struct lh_faults *faults, const struct cli_source *source, const struct engine_probe *probe)
{
    const char *message = probe->error.message[0] != '\0' ? probe->error.message : lh_status_text(probe->status);
    if (source->path != NULL && source->path != source->where) {
        lh_faults_add(faults, LH_ERR_MISSING, source->where, "%s: %s", source->path, message);
    } else {
        lh_faults_add(faults, LH_ERR_MISSING, source->where, "%s", message);
    }
}

enum lh_status cli_sources_probe(struct engine_instance *instance, struct lh_faults *faults,
                                 struct cli_sources *sources, struct lh_error *error)
{
    /* Not in the arena: with their messages they are large, and soon forgotten. */
    int *fds = calloc(sources->count + 1, sizeof *fds);
    struct engine_probe *probes = calloc(sources->count + 1, sizeof *probes);
    if (fds == NULL || probes == NULL) {
        free(fds);
        free(probes);
        return lh_error_no_memory(error);
    }
    size_t open_count = 0;
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->items[i].fd >= 0) {
            fds[open_count++] = sources->items[i].fd;
        }
    }
    enum lh_status status = engine_instance_probe(instance, fds, open_count, probes, error);
    const struct engine_probe *probe = probes;
    for (size_t i = 0; status == LH_OK && i < sources->count; i++) {
        struct cli_source *source = &sources->items[i];
        if (source->fd < 0) {
            continue;
        }
        source->known = probe->status == LH_OK;
        source->facts = probe->facts;
        if (!source->known) {
            add_probe_fault(faults, source, probe);
        }
        probe++;
    }
    free(fds);
    free(probes);
    return status;
}

enum lh_status cli_sources_hash(struct cli_sources *sources, struct lh_error *error)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct cli_source *source = &sources->items[i];
        if (source->fd < 0 || source->has_digest) {
            continue;
        }
        enum lh_status status = lh_digest_file(source->fd, &source->digest, error);
        if (status != LH_OK) {
            return status;
        }
        source->has_digest = true;
    }
    return LH_OK;
}

/* Media of which nothing is known get the layout of a track that plays them: what they do not hold cannot misfit. */
static void fit_stand_ins(const struct cli_sources *sources, const struct pulse_project *project,
                          struct pulse_media_facts *facts)
{
    for (size_t i = 0; i < project->track_count; i++) {
        const struct pulse_track *track = &project->tracks[i];
        for (size_t k = 0; track->channels != 0 && k < track->clip_count; k++) {
            const struct pulse_clip *clip = &track->clips[k];
            if (clip->kind == PULSE_CLIP_AUDIO && !sources->items[clip->media].known) {
                facts[clip->media].channels = track->channels;
            }
        }
    }
}

struct pulse_media_facts *cli_sources_facts(struct lh_arena *arena, const struct cli_sources *sources,
                                            const struct pulse_project *project)
{
    struct pulse_media_facts *facts = lh_arena_array(arena, sources->count, sizeof *facts);
    for (size_t i = 0; facts != NULL && i < sources->count; i++) {
        const struct engine_media_facts *known = &sources->items[i].facts;
        if (sources->items[i].known) {
            facts[i] = (struct pulse_media_facts){
                .frames = known->frames,
                .rate = known->rate,
                .channels = known->channels,
                .lossy = known->access == ENGINE_ACCESS_LINEAR,
            };
        } else {
            facts[i] = (struct pulse_media_facts){
                .frames = (uint64_t)STAND_IN_SECONDS * project->sample_rate,
                .rate = project->sample_rate,
                .channels = 1,
            };
        }
    }
    if (facts != NULL) {
        fit_stand_ins(sources, project, facts);
    }
    return facts;
}

bool cli_sources_contain(const struct cli_sources *sources, const char *path)
{
    struct stat target, source;
    if (stat(path, &target) != 0) {
        return false;
    }
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->items[i].fd >= 0 && fstat(sources->items[i].fd, &source) == 0 && source.st_dev == target.st_dev &&
            source.st_ino == target.st_ino) {
            return true;
        }
    }
    return false;
}

void cli_sources_close(struct cli_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->items[i].fd >= 0) {
            close(sources->items[i].fd);
            sources->items[i].fd = -1;
        }
    }
}
