/* SPDX-License-Identifier: MIT */
/* Projects, revisions, manifests. */
#include "pulse-daemon/store/projects.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/parts.h"

/* ---- Manifests ---- */

static const struct pulse_sql_statement put_manifest = {
    .text = "INSERT INTO manifests (tenant, digest) VALUES (?1, ?2) ON CONFLICT (tenant, digest) DO NOTHING",
    .takes = "ib",
    .gives = "",
};
static const struct pulse_sql_statement put_file = {
    .text = "INSERT INTO manifest_files (tenant, manifest, path, digest, size) SELECT c1, c2, c3, c4, c5 FROM {rows}"
            " WHERE true ON CONFLICT (tenant, manifest, path) DO NOTHING",
    .takes = "ibtbi",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement count_media = {
    .text = "SELECT c1 FROM {rows} JOIN media m ON m.tenant = c2 AND m.digest = c3 AND m.size = c4",
    .takes = "iibi",
    .gives = "i",
    .rows = true,
};

static int compare_files(const void *a, const void *b)
{
    const struct pulse_manifest_file *const *first = a, *const *second = b;
    return strcmp((*first)->path, (*second)->path);
}

/* The digest of a set of files; `sorted` by path. */
static enum lh_status digest_of(const struct pulse_manifest_file *const *sorted, size_t count, struct lh_digest *digest,
                                struct lh_error *error)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    for (size_t i = 0; i < count; i++) {
        lh_writer_text(&writer, sorted[i]->path);
        lh_writer_bytes(&writer, sorted[i]->digest.bytes, sizeof sorted[i]->digest.bytes);
        lh_writer_u64(&writer, sorted[i]->size);
    }
    enum lh_status status = lh_writer_status(&writer);
    status = status == LH_OK ? lh_digest_bytes(writer.data, writer.size, digest) : status;
    lh_writer_fini(&writer);
    return status == LH_OK ? LH_OK : lh_error_no_memory(error);
}

static enum lh_status mark_known(void *context, const struct pulse_sql_value *columns)
{
    ((bool *)context)[columns[0].integer] = true;
    return LH_OK;
}

/* Whether the tenant has uploaded every one of them. */
static enum lh_status check_files(struct pulse_store *store, uint64_t tenant,
                                  const struct pulse_manifest_file *const *files, size_t count, struct lh_error *error)
{
    struct pulse_rows rows;
    bool *known = calloc(count + 1, sizeof *known);
    if (known == NULL) {
        return lh_error_no_memory(error);
    }
    pulse_rows_init(&rows, store, &count_media, mark_known, known, error);
    for (size_t i = 0; i < count; i++) {
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(i), pulse_sql_count(tenant),
                                                               pulse_sql_digest(&files[i]->digest),
                                                               pulse_sql_count(files[i]->size)});
    }
    enum lh_status status = pulse_rows_end(&rows);
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        if (!known[i]) {
            status = lh_error_set(error, LH_ERR_INVALID, files[i]->path, "these bytes have not been uploaded");
        }
    }
    free(known);
    return status;
}

static enum lh_status sort_files(const struct pulse_revision_row *revision, const struct pulse_manifest_file **sorted,
                                 struct lh_error *error)
{
    for (size_t i = 0; i < revision->file_count; i++) {
        sorted[i] = &revision->files[i];
        if (strlen(sorted[i]->path) > PULSE_STORE_PATH_MAX) {
            return lh_error_set(error, LH_ERR_LIMIT, NULL, "a path of more than %d bytes", PULSE_STORE_PATH_MAX);
        }
    }
    if (revision->file_count > 0) {
        qsort(sorted, revision->file_count, sizeof(const struct pulse_manifest_file *), compare_files);
    }
    for (size_t i = 1; i < revision->file_count; i++) {
        if (strcmp(sorted[i - 1]->path, sorted[i]->path) == 0) {
            return lh_error_set(error, LH_ERR_INVALID, sorted[i]->path, "a file is named twice");
        }
    }
    return LH_OK;
}

static enum lh_status manifest_put(struct pulse_store *store, uint64_t tenant,
                                   const struct pulse_revision_row *revision, struct lh_digest *manifest,
                                   struct lh_error *error)
{
    if (revision->file_count > PULSE_STORE_FILES_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL, "a revision of more than %d files", PULSE_STORE_FILES_MAX);
    }
    const struct pulse_manifest_file **sorted = malloc((revision->file_count + 1) * sizeof *sorted);
    enum lh_status status = sorted != NULL ? sort_files(revision, sorted, error) : lh_error_no_memory(error);
    if (status == LH_OK) {
        status = check_files(store, tenant, sorted, revision->file_count, error);
    }
    if (status == LH_OK) {
        status = digest_of(sorted, revision->file_count, manifest, error);
    }
    if (status == LH_OK) {
        const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_digest(manifest)};
        status = pulse_store_send(store, &put_manifest, values, 1, error);
    }
    if (status == LH_OK) {
        struct pulse_rows rows;
        pulse_rows_init(&rows, store, &put_file, NULL, NULL, error);
        for (size_t i = 0; i < revision->file_count; i++) {
            pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(tenant), pulse_sql_digest(manifest),
                                                                   pulse_sql_text(sorted[i]->path),
                                                                   pulse_sql_digest(&sorted[i]->digest),
                                                                   pulse_sql_count(sorted[i]->size)});
        }
        status = pulse_rows_end(&rows);
    }
    free(sorted);
    return status;
}

/* ---- Writing ---- */

static const struct pulse_sql_statement next_project = {
    .text = "SELECT coalesce(max(id), 0) + 1 FROM projects",
    .takes = "",
    .gives = "i",
};
static const struct pulse_sql_statement put_project = {
    .text = "INSERT INTO projects (tenant, id, name, head, tip, newest, created_ms, changed_ms)"
            " VALUES (?1, ?2, ?3, 1, 1, 1, ?4, ?4)",
    .takes = "iiti",
    .gives = "",
};
static const struct pulse_sql_statement put_revision = {
    .text = "INSERT INTO revisions (tenant, project, number, parent, author, message, created_ms, document, manifest)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    .takes = "iiiittibb",
    .gives = "",
};
static const struct pulse_sql_statement advance = {
    .text = "UPDATE projects SET head = newest + 1, tip = newest + 1, newest = newest + 1, changed_ms = ?4"
            " WHERE tenant = ?1 AND id = ?2 AND head = ?3 RETURNING newest",
    .takes = "iiii",
    .gives = "i",
};
static const struct pulse_sql_statement move = {
    .text = "UPDATE projects SET head = ?4, tip = ?5, changed_ms = ?6"
            " WHERE tenant = ?1 AND id = ?2 AND head = ?3 RETURNING newest",
    .takes = "iiiiii",
    .gives = "i",
};
static const struct pulse_sql_statement head_of = {
    .text = "SELECT head FROM projects WHERE tenant = ?1 AND id = ?2",
    .takes = "ii",
    .gives = "i",
};

static enum lh_status send_revision(struct pulse_store *store, uint64_t tenant, uint64_t project, uint64_t number,
                                    const struct pulse_revision_row *revision, struct lh_error *error)
{
    struct lh_digest manifest;
    enum lh_status status = manifest_put(store, tenant, revision, &manifest, error);
    if (status != LH_OK) {
        store->failed = true; /* part of it may be written */
        return status;
    }
    const struct pulse_sql_value values[] = {
        pulse_sql_count(tenant),          pulse_sql_count(project),
        pulse_sql_count(number),          number > 1 ? pulse_sql_count(revision->parent) : pulse_sql_null(),
        pulse_sql_text(revision->author), pulse_sql_text(revision->message),
        pulse_sql_integer(store->now_ms), pulse_sql_blob(revision->document, revision->document_size),
        pulse_sql_digest(&manifest),
    };
    status = pulse_store_send(store, &put_revision, values, 1, error);
    return status == LH_OK ? pulse_store_settle(store, error) : status;
}

enum lh_status pulse_store_project_new(struct pulse_store *store, uint64_t tenant, const char *name,
                                       const struct pulse_revision_row *first, uint64_t *project,
                                       struct lh_error *error)
{
    int64_t id = 0;
    enum lh_status status = pulse_store_integer(store, &next_project, NULL, 1, &id, error);
    if (status == LH_OK) {
        const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_integer(id), pulse_sql_text(name),
                                                 pulse_sql_integer(store->now_ms)};
        status = pulse_store_send(store, &put_project, values, 1, error);
    }
    if (status == LH_OK) {
        status = send_revision(store, tenant, (uint64_t)id, 1, first, error);
    }
    if (status == LH_OK) {
        *project = (uint64_t)id;
    }
    return status;
}

/* Why nothing was changed: there is no such project, or its head is another. */
static enum lh_status explain(struct pulse_store *store, uint64_t tenant, uint64_t project, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(project)};
    int64_t head = 0;
    enum lh_status status = pulse_store_integer(store, &head_of, values, 0, &head, error);
    if (status != LH_OK) {
        return status;
    }
    return head == 0 ? lh_error_set(error, LH_ERR_MISSING, NULL, "there is no project %" PRIu64, project)
                     : lh_error_set(error, LH_ERR_CONFLICT, "/revision", "the project is at revision %lld now",
                                    (long long)head);
}

enum lh_status pulse_store_revision_add(struct pulse_store *store, const struct pulse_revision_row *revision,
                                        uint64_t *number, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {
        pulse_sql_count(revision->tenant),
        pulse_sql_count(revision->project),
        pulse_sql_count(revision->parent),
        pulse_sql_integer(store->now_ms),
    };
    int64_t given = 0;
    enum lh_status status = pulse_store_integer(store, &advance, values, 0, &given, error);
    if (status == LH_OK && given == 0) {
        return explain(store, revision->tenant, revision->project, error);
    }
    if (status == LH_OK) {
        status = send_revision(store, revision->tenant, revision->project, (uint64_t)given, revision, error);
    }
    if (status == LH_OK) {
        *number = (uint64_t)given;
    }
    return status;
}

enum lh_status pulse_store_project_move(struct pulse_store *store, uint64_t tenant, uint64_t project, uint64_t from,
                                        uint64_t head, uint64_t tip, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {
        pulse_sql_count(tenant), pulse_sql_count(project), pulse_sql_count(from),
        pulse_sql_count(head),   pulse_sql_count(tip),     pulse_sql_integer(store->now_ms),
    };
    size_t changed = 0;
    enum lh_status status = pulse_store_write(store, &move, values, &changed, error);
    return status == LH_OK && changed == 0 ? explain(store, tenant, project, error) : status;
}

static const struct pulse_sql_statement count_requests = {
    .text = "SELECT job FROM requests WHERE tenant = ?1 AND project = ?2 LIMIT 1",
    .takes = "ii",
    .gives = "i",
};
static const struct pulse_sql_statement delete_project = {
    .text = "DELETE FROM projects WHERE tenant = ?1 AND id = ?2 RETURNING id",
    .takes = "ii",
    .gives = "i",
};
static const struct pulse_sql_statement delete_manifests = {
    .text = "DELETE FROM manifests WHERE tenant = ?1 AND NOT EXISTS (SELECT 1 FROM revisions r"
            " WHERE r.tenant = manifests.tenant AND r.manifest = manifests.digest)",
    .takes = "i",
    .gives = "",
};

enum lh_status pulse_store_project_delete(struct pulse_store *store, uint64_t tenant, uint64_t project,
                                          struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_count(project)};
    int64_t job = 0;
    size_t deleted = 0;
    enum lh_status status = pulse_store_integer(store, &count_requests, values, 0, &job, error);
    if (status == LH_OK && job != 0) {
        return lh_error_set(error, LH_ERR_CONFLICT, NULL, "job %lld refers to the project", (long long)job);
    }
    if (status == LH_OK) {
        status = pulse_store_write(store, &delete_project, values, &deleted, error);
    }
    if (status == LH_OK && deleted == 0) {
        return lh_error_set(error, LH_ERR_MISSING, NULL, "there is no project %" PRIu64, project);
    }
    return status == LH_OK ? pulse_store_write(store, &delete_manifests, values, NULL, error) : status;
}
