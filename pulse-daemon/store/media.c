/* SPDX-License-Identifier: MIT */
/* Media rows, references to blobs, what a tenant holds. */
#include "pulse-daemon/store/media.h"

#include <inttypes.h>
#include <string.h>

#include "pulse-daemon/store/parts.h"

static const struct pulse_sql_statement put_medium = {
    .text = "INSERT INTO media (tenant, digest, size, uploaded_ms, pinned_until_ms)"
            " SELECT c1, c2, c3, c4, c5 FROM {rows} WHERE true ON CONFLICT (tenant, digest) DO UPDATE SET"
            " pinned_until_ms = {max|greatest}(media.pinned_until_ms, excluded.pinned_until_ms)",
    .takes = "ibiii",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement pin_media = {
    .text = "UPDATE media SET pinned_until_ms = c3 FROM {rows} WHERE tenant = c1 AND digest = c2"
            " AND pinned_until_ms < c3",
    .takes = "ibi",
    .gives = "",
    .rows = true,
};
static const struct pulse_sql_statement find_media = {
    .text = "SELECT c1, m.tenant, m.digest, m.size, m.uploaded_ms, m.pinned_until_ms FROM {rows}"
            " JOIN media m ON m.tenant = c2 AND m.digest = c3",
    .takes = "iib",
    .gives = "iibiii",
    .rows = true,
};

enum lh_status pulse_store_media_put(struct pulse_store *store, const struct pulse_media_row *media, size_t count,
                                     struct lh_error *error)
{
    struct pulse_rows rows;
    enum lh_status status = LH_OK;
    /* One at a time: the same digest may come twice, and PostgreSQL takes a row but once in a statement. */
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        const struct pulse_media_row *row = &media[i];
        pulse_rows_init(&rows, store, &put_medium, NULL, NULL, error);
        pulse_rows_add(&rows,
                       (const struct pulse_sql_value[]){pulse_sql_count(row->tenant), pulse_sql_digest(&row->digest),
                                                        pulse_sql_count(row->size), pulse_sql_integer(store->now_ms),
                                                        pulse_sql_integer(row->pinned_until_ms)});
        status = pulse_rows_end(&rows);
    }
    return status == LH_OK ? pulse_store_settle(store, error) : status;
}

enum lh_status pulse_store_media_pin(struct pulse_store *store, uint64_t tenant, const struct lh_digest *digests,
                                     size_t count, int64_t pinned_until_ms, struct lh_error *error)
{
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &pin_media, NULL, NULL, error);
    for (size_t i = 0; i < count; i++) {
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(tenant), pulse_sql_digest(&digests[i]),
                                                               pulse_sql_integer(pinned_until_ms)});
    }
    enum lh_status status = pulse_rows_end(&rows);
    return status == LH_OK ? pulse_store_settle(store, error) : status;
}

struct media_reading {
    struct lh_error *error;
    pulse_store_take_medium *take;
    void *context;
};

static enum lh_status give_medium(void *context, const struct pulse_sql_value *values)
{
    struct media_reading *reading = context;
    struct pulse_columns columns = {values, true};
    size_t index = (size_t)pulse_column_count(&columns, 0);
    struct pulse_media_row row = {.tenant = pulse_column_count(&columns, 1)};
    pulse_column_digest(&columns, 2, &row.digest);
    row.size = pulse_column_count(&columns, 3);
    row.uploaded_ms = pulse_column_integer(&columns, 4, INT64_MIN, INT64_MAX);
    row.pinned_until_ms = pulse_column_integer(&columns, 5, INT64_MIN, INT64_MAX);
    enum lh_status status = pulse_columns_end(&columns, "media", reading->error);
    return status == LH_OK ? reading->take(reading->context, index, &row) : status;
}

enum lh_status pulse_store_media(struct pulse_store *store, uint64_t tenant, const struct lh_digest *digests,
                                 size_t count, pulse_store_take_medium *take, void *context, struct lh_error *error)
{
    struct media_reading reading = {error, take, context};
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &find_media, give_medium, &reading, error);
    for (size_t i = 0; i < count; i++) {
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(i), pulse_sql_count(tenant),
                                                               pulse_sql_digest(&digests[i])});
    }
    return pulse_rows_end(&rows);
}

/* ---- The collector's questions ---- */

static const struct pulse_sql_statement find_referenced = {
    .text = "SELECT c1 FROM {rows} WHERE EXISTS (SELECT 1 FROM media m WHERE m.digest = c2)"
            " OR EXISTS (SELECT 1 FROM outputs o WHERE o.digest = c2)"
            " OR EXISTS (SELECT 1 FROM artifacts a WHERE a.digest = c2)",
    .takes = "ib",
    .gives = "i",
    .rows = true,
};

struct marking {
    bool *marks;
    size_t count;
};

static enum lh_status mark(void *context, const struct pulse_sql_value *columns)
{
    struct marking *marking = context;
    if (columns[0].integer >= 0 && (uint64_t)columns[0].integer < marking->count) {
        marking->marks[columns[0].integer] = true;
    }
    return LH_OK;
}

enum lh_status pulse_store_referenced(struct pulse_store *store, const struct lh_digest *digests, size_t count,
                                      bool *referenced, struct lh_error *error)
{
    struct marking marking = {referenced, count};
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &find_referenced, mark, &marking, error);
    for (size_t i = 0; i < count; i++) {
        referenced[i] = false;
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(i), pulse_sql_digest(&digests[i])});
    }
    enum lh_status status = pulse_rows_end(&rows);
    /* Who does not look at the status must not delete. */
    for (size_t i = 0; status != LH_OK && i < count; i++) {
        referenced[i] = true;
    }
    return status;
}

static const struct pulse_sql_statement find_held = {
    .text = "SELECT c1 FROM {rows} WHERE EXISTS (SELECT 1 FROM media m WHERE m.tenant = c2 AND m.digest = c3)"
            " OR EXISTS (SELECT 1 FROM artifacts a WHERE a.tenant = c2 AND a.digest = c3)",
    .takes = "iib",
    .gives = "i",
    .rows = true,
};

enum lh_status pulse_store_holds(struct pulse_store *store, uint64_t tenant, const struct lh_digest *digest, bool *held,
                                 struct lh_error *error)
{
    bool found = false;
    struct marking marking = {&found, 1};
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &find_held, mark, &marking, error);
    pulse_rows_add(
        &rows, (const struct pulse_sql_value[]){pulse_sql_count(0), pulse_sql_count(tenant), pulse_sql_digest(digest)});
    enum lh_status status = pulse_rows_end(&rows);
    if (status == LH_OK) {
        *held = found;
    }
    return status;
}

static const struct pulse_sql_statement find_blobs = {
    .text = "SELECT digest, max(size) FROM (SELECT digest, size FROM media WHERE digest > ?1"
            " UNION ALL SELECT digest, size FROM outputs WHERE state = 1 AND digest > ?1"
            " UNION ALL SELECT digest, size FROM artifacts WHERE digest > ?1) AS b"
            " GROUP BY digest ORDER BY digest LIMIT ?2",
    .takes = "bi",
    .gives = "bi",
};

struct blob_reading {
    pulse_store_take_blob *take;
    void *context;
    struct lh_error *error;
};

static enum lh_status give_blob(void *context, const struct pulse_sql_value *values)
{
    struct blob_reading *reading = context;
    struct pulse_columns columns = {values, true};
    struct lh_digest digest;
    pulse_column_digest(&columns, 0, &digest);
    uint64_t size = pulse_column_count(&columns, 1);
    enum lh_status status = pulse_columns_end(&columns, "blobs", reading->error);
    return status == LH_OK ? reading->take(reading->context, &digest, size) : status;
}

enum lh_status pulse_store_blobs(struct pulse_store *store, const struct lh_digest *after, size_t limit,
                                 pulse_store_take_blob *take, void *context, struct lh_error *error)
{
    struct blob_reading reading = {take, context, error};
    const struct pulse_sql_value values[] = {after != NULL ? pulse_sql_digest(after) : pulse_sql_blob("", 0),
                                             pulse_sql_count(limit)};
    return pulse_store_query(store, &find_blobs, values, 1, give_blob, &reading, error);
}

static const struct pulse_sql_statement forget_media = {
    .text = "DELETE FROM media WHERE (tenant, digest) IN (SELECT m.tenant, m.digest FROM media m"
            " WHERE m.pinned_until_ms < ?1 AND NOT EXISTS (SELECT 1 FROM manifest_files f"
            " WHERE f.tenant = m.tenant AND f.digest = m.digest) LIMIT ?2) RETURNING tenant",
    .takes = "ii",
    .gives = "i",
};

enum lh_status pulse_store_media_forget(struct pulse_store *store, size_t limit, size_t *removed,
                                        struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_integer(store->now_ms), pulse_sql_count(limit)};
    return pulse_store_write(store, &forget_media, values, removed, error);
}

/* The sums of big integers are of another type in PostgreSQL. */
#define SUM(what) "CAST(coalesce(sum(" what "), 0) AS {int})"
#define KEPT                                                                                                           \
    "SELECT quota_bytes, (SELECT count(*) FROM media m WHERE m.tenant = ?1),"                                          \
    " (SELECT " SUM("m.size") " FROM media m WHERE m.tenant = ?1),"                                                    \
                              " (SELECT count(*) FROM artifacts a WHERE a.tenant = ?1),"                               \
                              " (SELECT " SUM("a.size") " FROM (SELECT DISTINCT digest, size FROM artifacts WHERE "    \
                                                        "artifacts.tenant = ?1) AS a)"

static const struct pulse_sql_statement find_kept = {
    .text = KEPT ", CAST(0 AS {int}), CAST(0 AS {int}), CAST(0 AS {int}), CAST(0 AS {int}) FROM tenants WHERE id = ?1",
    .takes = "i",
    .gives = "iiiiiiiii",
};
static const struct pulse_sql_statement find_usage = {
    .text = KEPT
    ", (SELECT count(*) FROM outputs o WHERE o.tenant = ?1 AND o.state = 1),"
    " (SELECT " SUM("o.size") " FROM (SELECT DISTINCT p.digest, p.size FROM outputs p WHERE p.tenant = ?1"
                              " AND p.state = 1 AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.digest = p.digest"
                              " AND a.tenant = ?1)) AS o),"
                              " (SELECT count(*) FROM outputs o WHERE o.tenant = ?1 AND o.state = 0),"
                              " (SELECT " SUM("o.size") " FROM outputs o WHERE o.tenant = ?1 AND o.state = 0)"
                                                        " FROM tenants WHERE id = ?1",
    .takes = "i",
    .gives = "iiiiiiiii",
};

struct usage_reading {
    struct pulse_usage usage;
    struct lh_error *error;
    bool found;
};

static enum lh_status keep_usage(void *context, const struct pulse_sql_value *values)
{
    struct usage_reading *reading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_usage *usage = &reading->usage;
    usage->quota_bytes = pulse_column_count(&columns, 0);
    usage->media_count = pulse_column_count(&columns, 1);
    usage->media_bytes = pulse_column_count(&columns, 2);
    usage->file_count = pulse_column_count(&columns, 3);
    usage->file_bytes = pulse_column_count(&columns, 4);
    usage->output_count = pulse_column_count(&columns, 5);
    usage->output_bytes = pulse_column_count(&columns, 6);
    usage->promised_count = pulse_column_count(&columns, 7);
    usage->promised_bytes = pulse_column_count(&columns, 8);
    reading->found = true;
    return pulse_columns_end(&columns, "tenants", reading->error);
}

static enum lh_status read_usage(struct pulse_store *store, const struct pulse_sql_statement *statement,
                                 uint64_t tenant, struct pulse_usage *usage, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant)};
    struct usage_reading reading = {.error = error};
    enum lh_status status = pulse_store_query(store, statement, values, 1, keep_usage, &reading, error);
    if (status == LH_OK && !reading.found) {
        status = lh_error_set(error, LH_ERR_MISSING, NULL, "there is no tenant %" PRIu64, tenant);
    }
    if (status == LH_OK) {
        *usage = reading.usage;
    }
    return status;
}

enum lh_status pulse_store_usage(struct pulse_store *store, uint64_t tenant, struct pulse_usage *usage,
                                 struct lh_error *error)
{
    return read_usage(store, &find_usage, tenant, usage, error);
}

enum lh_status pulse_store_usage_kept(struct pulse_store *store, uint64_t tenant, struct pulse_usage *usage,
                                      struct lh_error *error)
{
    return read_usage(store, &find_kept, tenant, usage, error);
}
