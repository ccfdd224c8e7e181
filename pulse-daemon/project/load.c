/* SPDX-License-Identifier: MIT */
/* Reading a project: bytes, JSON, overrides, shape, model. */
#include "pulse-daemon/project/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pulse-daemon/project/format.h"
#include "pulse-daemon/project/override.h"
#include "pulse-daemon/project/read.h"

#define READ_SIZE (1u << 16)
#define NAME_DEFAULT "untitled"

static enum lh_status fail(struct lh_faults *faults, enum lh_status code, const struct lh_error *error)
{
    if (code == LH_ERR_NO_MEMORY) {
        return code;
    }
    if (*error->where != '\0') {
        lh_faults_add(faults, LH_ERR_INVALID, "", "%s: %s", error->where, error->message);
    } else {
        lh_faults_add(faults, LH_ERR_INVALID, "", "%s", error->message);
    }
    return faults->out_of_memory ? LH_ERR_NO_MEMORY : LH_ERR_INVALID;
}

/* An override that cannot be applied is a fault of its own; the others still are. */
static enum lh_status apply_overrides(struct lh_arena *arena, const struct pulse_override *overrides, size_t count,
                                      struct lh_faults *faults, const struct lh_json **root)
{
    bool refused = false;
    for (size_t i = 0; i < count; i++) {
        struct lh_error error = LH_ERROR_INIT;
        const char *pointer = NULL;
        enum lh_status status = pulse_override_pointer(arena, *root, overrides[i].pointer, &pointer, &error);
        if (status == LH_OK) {
            status = lh_json_set(arena, *root, pointer, overrides[i].value, root, &error);
        }
        if (status == LH_ERR_NO_MEMORY) {
            return status;
        }
        if (status != LH_OK) {
            lh_faults_add(faults, LH_ERR_USAGE, overrides[i].pointer, "cannot be set: %s", error.message);
            refused = true;
        }
    }
    return refused ? LH_ERR_USAGE : LH_OK;
}

static void read_settings(struct pulse_reading *reading, const struct lh_json *root)
{
    struct pulse_project *project = reading->project;
    project->name = pulse_text(root, "name", NAME_DEFAULT);
    project->sample_rate = pulse_whole(root, "sampleRate", PULSE_RATE_DEFAULT);
    project->quantum = pulse_whole(root, "quantum", PULSE_QUANTUM_DEFAULT);
    project->pan_law = (enum pulse_pan_law)pulse_choice(root, "panLaw", pulse_pan_law_names, 3, 0);
    project->resampler = (enum pulse_resampler)pulse_choice(root, "resampler", pulse_resampler_names, 2, 0);
    project->json = root;
    uint32_t quantum = project->quantum;
    if (quantum >= PULSE_QUANTUM_MIN && quantum <= PULSE_QUANTUM_MAX && (quantum & (quantum - 1)) != 0) {
        pulse_report_at(&reading->report, lh_json_member(root, "quantum"),
                        "the quantum has to be a power of two from 64 to 8192, not %u", quantum);
    }
}

static enum lh_status read_project(struct pulse_project *project, const struct lh_json *root, struct lh_faults *faults)
{
    struct pulse_reading reading = {.arena = &project->arena, .project = project};
    pulse_report_init(&reading.report, &project->arena);
    pulse_shape_check(&reading.report, &pulse_project_shape, root);
    if (root->kind == LH_JSON_OBJECT) {
        read_settings(&reading, root);
        pulse_read_timeline(&reading, root);
        pulse_read_media(&reading, root);
        pulse_read_tracks(&reading, root);
        pulse_check_routes(&reading);
        pulse_read_deliverables(&reading, root);
    }
    return pulse_report_deliver(&reading.report, faults);
}

static enum lh_status fill(struct pulse_project *project, const char *text, size_t length, const char *folder,
                           const struct pulse_override *overrides, size_t override_count, struct lh_faults *faults)
{
    const struct lh_json *root = NULL;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = lh_json_parse(&project->arena, text, length, &root, &error);
    if (status != LH_OK) {
        return fail(faults, status, &error);
    }
    if (folder != NULL) {
        project->folder = lh_arena_strdup(&project->arena, folder);
        if (project->folder == NULL) {
            return LH_ERR_NO_MEMORY;
        }
    }
    enum lh_status set = apply_overrides(&project->arena, overrides, override_count, faults, &root);
    if (set == LH_ERR_NO_MEMORY) {
        return set;
    }
    status = read_project(project, root, faults);
    if (faults->out_of_memory) {
        return LH_ERR_NO_MEMORY;
    }
    return status != LH_OK ? status : set;
}

enum lh_status pulse_project_parse(const char *text, size_t length, const char *folder,
                                   const struct pulse_override *overrides, size_t override_count,
                                   struct lh_faults *faults, struct pulse_project **project)
{
    struct pulse_project *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    lh_arena_init(&made->arena);
    enum lh_status status = fill(made, text, length, folder, overrides, override_count, faults);
    if (status != LH_OK) {
        pulse_project_free(made);
        return status;
    }
    *project = made;
    return LH_OK;
}

void pulse_project_free(struct pulse_project *project)
{
    if (project != NULL) {
        lh_arena_fini(&project->arena);
        free(project);
    }
}

/* The whole of an open file, at most one byte more than a document may have: the JSON reader refuses it then. A pipe
   will do: its length is not asked for. */
static enum lh_status read_all(int fd, struct lh_writer *bytes)
{
    uint8_t *buffer = malloc(READ_SIZE);
    if (buffer == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    enum lh_status status = LH_OK;
    while (bytes->size <= LH_JSON_TEXT_MAX) {
        ssize_t got = read(fd, buffer, READ_SIZE);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            status = got < 0 ? LH_ERR_IO : LH_OK;
            break;
        }
        lh_writer_bytes(bytes, buffer, (size_t)got);
        if (bytes->failed) {
            status = LH_ERR_NO_MEMORY;
            break;
        }
    }
    free(buffer);
    return status;
}

static enum lh_status read_file(const char *path, struct lh_faults *faults, struct lh_writer *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        enum lh_status code = errno == ENOMEM ? LH_ERR_NO_MEMORY : LH_ERR_MISSING;
        lh_faults_add(faults, code, "", "cannot open the project file \"%s\": %s", path, strerror(errno));
        return code;
    }
    enum lh_status status = read_all(fd, bytes);
    if (status == LH_ERR_IO) {
        status = errno == EISDIR ? LH_ERR_MISSING : LH_ERR_IO;
        lh_faults_add(faults, status, "", "cannot read the project file \"%s\": %s", path, strerror(errno));
    }
    close(fd);
    return status;
}

/* The folder that a file is in: "." for a bare name. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return strdup(".");
    }
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

enum lh_status pulse_project_load(const char *path, const struct pulse_override *overrides, size_t override_count,
                                  struct lh_faults *faults, struct pulse_project **project)
{
    struct lh_writer bytes;
    lh_writer_init(&bytes);
    enum lh_status status = read_file(path, faults, &bytes);
    char *folder = NULL;
    if (status != LH_OK) {
        goto done;
    }
    folder = folder_of(path);
    if (folder == NULL) {
        status = LH_ERR_NO_MEMORY;
        goto done;
    }
    const char *text = bytes.data == NULL ? "" : (const char *)bytes.data;
    status = pulse_project_parse(text, bytes.size, folder, overrides, override_count, faults, project);
done:
    free(folder);
    lh_writer_fini(&bytes);
    return status;
}
