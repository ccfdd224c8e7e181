/* SPDX-License-Identifier: MIT */
/* Opens and hashes the files of a project. */
#include "cli/gather.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pulse-daemon/project/files.h"

/* Where it is named, for faults; NULL when memory is out. */
static const char *media_pointer(struct lh_arena *arena, const char *id)
{
    char pointer[sizeof "/media/" + PULSE_ID_MAX];
    snprintf(pointer, sizeof pointer, "/media/%s", id);
    return lh_arena_strdup(arena, pointer);
}

static const char *need_pointer(struct lh_arena *arena, const struct pulse_file_need *need)
{
    char pointer[LH_ERROR_WHERE_SIZE] = "";
    if (need->json != NULL) {
        lh_json_pointer(need->json, pointer, sizeof pointer);
    }
    return lh_arena_strdup(arena, pointer);
}

static int by_path(const void *a, const void *b)
{
    const struct cli_source *left = a, *right = b;
    return strcmp(left->path, right->path);
}

/* Every file that is needed, by path and place; none is open yet. */
static enum lh_status list(struct lh_arena *arena, const struct pulse_project *project, const struct pulse_needs *needs,
                           struct cli_sources *files)
{
    size_t most = project->media_count + needs->midi_count + needs->state_count, count = 0;
    struct cli_source *items = lh_arena_array(arena, most, sizeof *items);
    if (items == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < project->media_count; i++) {
        if (needs->media[i] && project->media[i].file != NULL) {
            items[count++] = (struct cli_source){
                .fd = -1, .path = project->media[i].file, .where = media_pointer(arena, project->media[i].id)};
        }
    }
    for (size_t i = 0; i < needs->midi_count + needs->state_count; i++) {
        const struct pulse_file_need *need =
            i < needs->midi_count ? &needs->midi[i] : &needs->states[i - needs->midi_count];
        if (need->file != NULL) {
            items[count++] = (struct cli_source){.fd = -1, .path = need->file, .where = need_pointer(arena, need)};
        }
    }
    qsort(items, count, sizeof *items, by_path);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].where == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        if (kept == 0 || strcmp(items[kept - 1].path, items[i].path) != 0) {
            items[kept++] = items[i];
        }
    }
    *files = (struct cli_sources){.items = items, .count = kept};
    return LH_OK;
}

static enum lh_status open_one(const struct pulse_project *project, struct cli_source *source, uint64_t *size,
                               struct lh_faults *faults, struct lh_error *error)
{
    struct lh_error fault = LH_ERROR_INIT;
    struct stat info;
    enum lh_status status = pulse_file_open(project, source->path, &source->fd, &fault);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    if (status == LH_OK && fstat(source->fd, &info) != 0) {
        status = lh_error_set(&fault, LH_ERR_IO, NULL, "cannot be read: %s", strerror(errno));
    }
    if (status != LH_OK) {
        lh_faults_add(faults, status == LH_ERR_INVALID ? LH_ERR_INVALID : LH_ERR_MISSING, source->where, "%s",
                      fault.message);
    } else {
        *size = (uint64_t)info.st_size;
    }
    return LH_OK;
}

/* The index of digests is the cache's; where none can be kept, everything is hashed each time. */
static enum lh_status hash(struct lh_arena *arena, struct cli_gathered *gathered, struct lh_error *error)
{
    struct cli_cache cache;
    struct lh_error ignored = LH_ERROR_INIT;
    const char *folder = cli_cache_standard(arena);
    if (folder == NULL || cli_cache_open(arena, folder, &cache, &ignored) != LH_OK) {
        return cli_sources_hash(&gathered->files, error);
    }
    enum lh_status status = cli_cache_digest(arena, &cache, &gathered->files, error);
    gathered->hashed_bytes = cache.hashed_bytes;
    return status;
}

enum lh_status cli_gather(struct lh_arena *arena, const struct pulse_project *project,
                          const struct pulse_compile_options *options, struct lh_faults *faults,
                          struct cli_gathered *gathered, struct lh_error *error)
{
    struct pulse_needs needs;
    struct cli_gathered made = {0};
    enum lh_status status = pulse_compile_choice(project, options, faults);
    if (status == LH_ERR_USAGE) {
        return status;
    }
    if (status != LH_OK || pulse_compile_needs(arena, project, options, &needs) != LH_OK ||
        list(arena, project, &needs, &made.files) != LH_OK ||
        (made.sizes = lh_arena_array(arena, made.files.count, sizeof *made.sizes)) == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; status == LH_OK && i < made.files.count; i++) {
        status = open_one(project, &made.files.items[i], &made.sizes[i], faults, error);
    }
    if (status == LH_OK && faults->count == 0) {
        status = hash(arena, &made, error);
    }
    if (status != LH_OK) {
        cli_gathered_close(&made);
        return status;
    }
    *gathered = made;
    return LH_OK;
}

void cli_gathered_close(struct cli_gathered *gathered)
{
    cli_sources_close(&gathered->files);
}
