/* SPDX-License-Identifier: MIT */
/* Looking at projects and revisions. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/parts.h"
#include "pulse-daemon/store/projects.h"

#define PROJECT_COLUMNS "tenant, id, name, head, tip, newest, created_ms, changed_ms"

static const struct pulse_sql_statement find_project = {
    .text = "SELECT " PROJECT_COLUMNS " FROM projects WHERE tenant = ?1 AND id = ?2",
    .takes = "ii",
    .gives = "iitiiiii",
};
static const struct pulse_sql_statement list_projects = {
    .text = "SELECT " PROJECT_COLUMNS " FROM projects WHERE tenant = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
    .takes = "iii",
    .gives = "iitiiiii",
};
static const struct pulse_sql_statement find_revision = {
    .text = "SELECT parent, author, message, created_ms, document, manifest FROM revisions"
            " WHERE tenant = ?1 AND project = ?2 AND number = ?3",
    .takes = "iii",
    .gives = "ittibb",
};
static const struct pulse_sql_statement list_files = {
    .text = "SELECT path, digest, size FROM manifest_files WHERE tenant = ?1 AND manifest = ?2 ORDER BY path",
    .takes = "ib",
    .gives = "tbi",
    .stream = true,
};
static const struct pulse_sql_statement list_parents = {
    .text = "SELECT number, coalesce(parent, 0) FROM revisions WHERE tenant = ?1 AND project = ?2 ORDER BY number",
    .takes = "ii",
    .gives = "ii",
    .stream = true,
};

/* What is being read: one thing of those below, or any number. */
struct reading {
    struct lh_arena *arena;
    struct lh_error *error;
    pulse_store_take_project *take;
    void *context;
    struct pulse_project_row project;
    struct pulse_revision_row revision;
    struct lh_digest manifest;
    uint64_t *parents;
    struct pulse_manifest_file *files;
    size_t count, capacity;
};

/* Room for one more of `size` bytes in a list that grows. */
static bool grow(void **list, size_t size, size_t count, size_t *capacity)
{
    if (count < *capacity) {
        return true;
    }
    size_t wanted = *capacity > 0 ? 2 * *capacity : 64;
    void *grown = realloc(*list, wanted * size);
    if (grown != NULL) {
        *list = grown;
        *capacity = wanted;
    }
    return grown != NULL;
}

static enum lh_status read_project(const struct pulse_sql_value *values, struct pulse_project_row *row,
                                   struct lh_error *error)
{
    struct pulse_columns columns = {values, true};
    row->tenant = pulse_column_count(&columns, 0);
    row->id = pulse_column_count(&columns, 1);
    row->name = pulse_column_text(&columns, 2);
    row->head = pulse_column_count(&columns, 3);
    row->tip = pulse_column_count(&columns, 4);
    row->newest = pulse_column_count(&columns, 5);
    row->created_ms = pulse_column_integer(&columns, 6, INT64_MIN, INT64_MAX);
    row->changed_ms = pulse_column_integer(&columns, 7, INT64_MIN, INT64_MAX);
    return pulse_columns_end(&columns, "projects", error);
}

static enum lh_status keep_project(void *context, const struct pulse_sql_value *values)
{
    struct reading *reading = context;
    enum lh_status status = read_project(values, &reading->project, reading->error);
    if (status == LH_OK) {
        reading->project.name = lh_arena_strdup(reading->arena, reading->project.name);
        reading->count = 1;
        status = reading->project.name != NULL ? LH_OK : lh_error_no_memory(reading->error);
    }
    return status;
}

static enum lh_status missing(struct lh_error *error, const char *what, uint64_t number)
{
    return lh_error_set(error, LH_ERR_MISSING, NULL, "there is no %s %" PRIu64, what, number);
}

enum lh_status pulse_store_project(struct pulse_store *store, uint64_t tenant, uint64_t project, struct lh_arena *arena,
                                   struct pulse_project_row *row, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(project)};
    struct reading reading = {.arena = arena, .error = error};
    enum lh_status status = pulse_store_query(store, &find_project, values, 1, keep_project, &reading, error);
    if (status == LH_OK && reading.count == 0) {
        status = missing(error, "project", project);
    }
    if (status == LH_OK) {
        *row = reading.project;
    }
    return status;
}

static enum lh_status give_project(void *context, const struct pulse_sql_value *values)
{
    struct reading *reading = context;
    enum lh_status status = read_project(values, &reading->project, reading->error);
    return status == LH_OK ? reading->take(reading->context, &reading->project) : status;
}

enum lh_status pulse_store_projects(struct pulse_store *store, uint64_t tenant, uint64_t before, size_t limit,
                                    pulse_store_take_project *take, void *context, struct lh_error *error)
{
    struct reading reading = {.error = error, .take = take, .context = context};
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant),
                                             before > 0 ? pulse_sql_count(before) : pulse_sql_integer(INT64_MAX),
                                             pulse_sql_count(limit)};
    return pulse_store_query(store, &list_projects, values, 1, give_project, &reading, error);
}

static enum lh_status keep_revision(void *context, const struct pulse_sql_value *values)
{
    struct reading *reading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_revision_row *row = &reading->revision;
    row->parent = values[0].kind == PULSE_SQL_NULL ? 0 : pulse_column_count(&columns, 0);
    row->author = lh_arena_strdup(reading->arena, pulse_column_text(&columns, 1));
    row->message = lh_arena_strdup(reading->arena, pulse_column_text(&columns, 2));
    row->created_ms = pulse_column_integer(&columns, 3, INT64_MIN, INT64_MAX);
    const void *document = pulse_column_blob(&columns, 4, &row->document_size);
    void *copy = lh_arena_alloc(reading->arena, row->document_size + 1); /* with a NUL behind it */
    pulse_column_digest(&columns, 5, &reading->manifest);
    columns.sound = columns.sound && document != NULL;
    if (columns.sound && (copy == NULL || row->author == NULL || row->message == NULL)) {
        return lh_error_no_memory(reading->error);
    }
    if (columns.sound) {
        memcpy(copy, document, row->document_size);
        row->document = copy;
        reading->count = 1;
    }
    return pulse_columns_end(&columns, "revisions", reading->error);
}

static enum lh_status keep_file(void *context, const struct pulse_sql_value *values)
{
    struct reading *reading = context;
    struct pulse_columns columns = {values, true};
    void *list = reading->files;
    if (!grow(&list, sizeof *reading->files, reading->count, &reading->capacity)) {
        return lh_error_no_memory(reading->error);
    }
    reading->files = list;
    struct pulse_manifest_file *file = &reading->files[reading->count++];
    file->path = lh_arena_strdup(reading->arena, pulse_column_text(&columns, 0));
    pulse_column_digest(&columns, 1, &file->digest);
    file->size = pulse_column_count(&columns, 2);
    return file->path == NULL ? lh_error_no_memory(reading->error)
                              : pulse_columns_end(&columns, "manifest_files", reading->error);
}

enum lh_status pulse_store_revision(struct pulse_store *store, uint64_t tenant, uint64_t project, uint64_t number,
                                    struct lh_arena *arena, struct pulse_revision_row *row, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(project),
                                             pulse_sql_count(number)};
    struct reading reading = {.arena = arena, .error = error};
    enum lh_status status = pulse_store_query(store, &find_revision, values, 1, keep_revision, &reading, error);
    if (status == LH_OK && reading.count == 0) {
        status = missing(error, "revision", number);
    }
    if (status == LH_OK) {
        const struct pulse_sql_value keys[] = {pulse_sql_count(tenant), pulse_sql_digest(&reading.manifest)};
        reading.count = 0;
        status = pulse_store_query(store, &list_files, keys, 1, keep_file, &reading, error);
    }
    if (status == LH_OK) {
        struct pulse_manifest_file *files = lh_arena_array(arena, reading.count, sizeof *files);
        if (files == NULL) {
            status = lh_error_no_memory(error);
        } else {
            if (reading.count > 0) {
                memcpy(files, reading.files, reading.count * sizeof *files);
            }
            reading.revision.files = files;
        }
    }
    if (status == LH_OK) {
        *row = reading.revision;
        row->tenant = tenant;
        row->project = project;
        row->number = number;
        row->file_count = reading.count;
    }
    free(reading.files);
    return status;
}

static enum lh_status keep_parent(void *context, const struct pulse_sql_value *values)
{
    struct reading *reading = context;
    struct pulse_columns columns = {values, true};
    void *list = reading->parents;
    if (!grow(&list, sizeof *reading->parents, reading->count, &reading->capacity)) {
        return lh_error_no_memory(reading->error);
    }
    reading->parents = list;
    columns.sound = pulse_column_count(&columns, 0) == reading->count + 1; /* numbers have no gaps */
    reading->parents[reading->count++] = pulse_column_count(&columns, 1);
    return pulse_columns_end(&columns, "revisions", reading->error);
}

enum lh_status pulse_store_parents(struct pulse_store *store, uint64_t tenant, uint64_t project, struct lh_arena *arena,
                                   const uint64_t **parents, size_t *count, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(project)};
    struct reading reading = {.arena = arena, .error = error};
    uint64_t *copy = NULL;
    enum lh_status status = pulse_store_query(store, &list_parents, values, 1, keep_parent, &reading, error);
    if (status == LH_OK && reading.count == 0) {
        status = missing(error, "project", project);
    }
    if (status == LH_OK) {
        copy = lh_arena_array(arena, reading.count, sizeof *copy);
        status = copy != NULL ? LH_OK : lh_error_no_memory(error);
    }
    if (status == LH_OK) {
        memcpy(copy, reading.parents, reading.count * sizeof *copy);
        *parents = copy;
        *count = reading.count;
    }
    free(reading.parents);
    return status;
}
