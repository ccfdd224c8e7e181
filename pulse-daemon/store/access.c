/* SPDX-License-Identifier: MIT */
/* Tenants, tokens, peers. */
#include "pulse-daemon/store/access.h"

#include <string.h>

#include "pulse-daemon/store/parts.h"

/* ---- Tenants ---- */

static const struct pulse_sql_statement find_tenant = {
    .text = "SELECT coalesce((SELECT id FROM tenants WHERE name = ?1), (SELECT max(id) + 1 FROM tenants), 1)",
    .takes = "t",
    .gives = "i",
};
static const struct pulse_sql_statement put_tenant = {
    .text = "INSERT INTO tenants (id, name, quota_bytes, tags, weight) VALUES (?1, ?2, ?3, ?4, ?5)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, quota_bytes = excluded.quota_bytes,"
            " tags = excluded.tags, weight = excluded.weight",
    .takes = "ititi",
    .gives = "",
};
static const struct pulse_sql_statement get_tenant = {
    .text = "SELECT id, name, quota_bytes, tags, weight FROM tenants WHERE id = ?1 OR (?1 = 0 AND name = ?2)",
    .takes = "it",
    .gives = "ititi",
};
static const struct pulse_sql_statement list_tenants = {
    .text = "SELECT id, name, quota_bytes, tags, weight FROM tenants ORDER BY id",
    .takes = "",
    .gives = "ititi",
};

enum lh_status pulse_store_tenant_put(struct pulse_store *store, const struct pulse_tenant_row *row, uint64_t *id,
                                      struct lh_error *error)
{
    struct pulse_sql_value values[] = {pulse_sql_count(row->id), pulse_sql_text(row->name),
                                       pulse_sql_count(row->quota_bytes), pulse_sql_text(row->tags),
                                       pulse_sql_integer(row->weight != 0 ? row->weight : 1)};
    int64_t number = (int64_t)row->id;
    enum lh_status status = LH_OK;
    if (row->id == 0) {
        status = pulse_store_integer(store, &find_tenant, &values[1], 0, &number, error);
        values[0] = pulse_sql_integer(number);
    }
    if (status == LH_OK) {
        status = pulse_store_write(store, &put_tenant, values, NULL, error);
    }
    if (status == LH_OK) {
        *id = (uint64_t)number;
    }
    return status;
}

struct tenant_reading {
    struct lh_error *error;
    pulse_store_take_tenant *take;
    void *context;
};

static enum lh_status give_tenant(void *context, const struct pulse_sql_value *values)
{
    struct tenant_reading *reading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_tenant_row row = {.id = pulse_column_count(&columns, 0)};
    row.name = pulse_column_text(&columns, 1);
    row.quota_bytes = pulse_column_count(&columns, 2);
    row.tags = pulse_column_text(&columns, 3);
    row.weight = (uint32_t)pulse_column_integer(&columns, 4, 1, PULSE_TENANT_WEIGHT_MAX);
    enum lh_status status = pulse_columns_end(&columns, "tenants", reading->error);
    return status == LH_OK ? reading->take(reading->context, &row) : status;
}

/* The one that was looked for. */
struct tenant_copy {
    struct lh_arena *arena;
    struct pulse_tenant_row row;
    bool found;
};

static enum lh_status keep_tenant(void *context, const struct pulse_tenant_row *row)
{
    struct tenant_copy *copy = context;
    copy->row = *row;
    copy->row.name = lh_arena_strdup(copy->arena, row->name);
    copy->row.tags = lh_arena_strdup(copy->arena, row->tags);
    copy->found = true;
    return copy->row.name != NULL && copy->row.tags != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

enum lh_status pulse_store_tenant(struct pulse_store *store, uint64_t id, const char *name, struct lh_arena *arena,
                                  struct pulse_tenant_row *row, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(id), pulse_sql_text(id == 0 ? name : "")};
    struct tenant_copy copy = {.arena = arena};
    struct tenant_reading reading = {error, keep_tenant, &copy};
    enum lh_status status = pulse_store_query(store, &get_tenant, values, 1, give_tenant, &reading, error);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    if (status == LH_OK && !copy.found) {
        status = lh_error_set(error, LH_ERR_MISSING, NULL, "there is no such tenant");
    }
    if (status == LH_OK) {
        *row = copy.row;
    }
    return status;
}

enum lh_status pulse_store_tenants(struct pulse_store *store, pulse_store_take_tenant *take, void *context,
                                   struct lh_error *error)
{
    struct tenant_reading reading = {error, take, context};
    return pulse_store_query(store, &list_tenants, NULL, 1, give_tenant, &reading, error);
}

/* ---- Tokens ---- */

static const struct pulse_sql_statement put_token = {
    .text = "INSERT INTO tokens (digest, tenant, role, name, created_ms, expires_ms, revoked_ms)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0) ON CONFLICT (digest) DO UPDATE SET tenant = excluded.tenant,"
            " role = excluded.role, name = excluded.name, expires_ms = excluded.expires_ms, revoked_ms = 0",
    .takes = "biitii",
    .gives = "",
};
static const struct pulse_sql_statement revoke_token = {
    .text = "UPDATE tokens SET revoked_ms = ?3 WHERE tenant = ?1 AND digest = ?2 RETURNING role",
    .takes = "ibi",
    .gives = "i",
};
static const struct pulse_sql_statement find_token = {
    .text = "SELECT digest, tenant, role, name, created_ms, expires_ms, revoked_ms FROM tokens WHERE digest = ?1",
    .takes = "b",
    .gives = "biitiii",
};
static const struct pulse_sql_statement list_tokens = {
    .text = "SELECT digest, tenant, role, name, created_ms, expires_ms, revoked_ms FROM tokens WHERE tenant = ?1"
            " ORDER BY created_ms, digest",
    .takes = "i",
    .gives = "biitiii",
};

enum lh_status pulse_store_token_put(struct pulse_store *store, const struct pulse_token_row *row,
                                     struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_digest(&row->digest),   pulse_sql_count(row->tenant),
                                             pulse_sql_integer(row->role),     pulse_sql_text(row->name),
                                             pulse_sql_integer(store->now_ms), pulse_sql_integer(row->expires_ms)};
    return pulse_store_write(store, &put_token, values, NULL, error);
}

static enum lh_status no_token(struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_MISSING, NULL, "there is no such token");
}

enum lh_status pulse_store_token_revoke(struct pulse_store *store, uint64_t tenant, const struct lh_digest *digest,
                                        struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_digest(digest),
                                             pulse_sql_integer(store->now_ms)};
    size_t changed = 0;
    enum lh_status status = pulse_store_write(store, &revoke_token, values, &changed, error);
    return status == LH_OK && changed == 0 ? no_token(error) : status;
}

struct token_reading {
    struct lh_error *error;
    struct lh_arena *arena;
    pulse_store_take_token *take;
    void *context;
    struct pulse_token_row row;
    bool found;
};

static enum lh_status give_token(void *context, const struct pulse_sql_value *values)
{
    struct token_reading *reading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_token_row *row = &reading->row;
    pulse_column_digest(&columns, 0, &row->digest);
    row->tenant = pulse_column_count(&columns, 1);
    row->role = (enum pulse_role)pulse_column_integer(&columns, 2, PULSE_ROLE_VIEWER, PULSE_ROLE_ADMIN);
    row->name = pulse_column_text(&columns, 3);
    row->created_ms = pulse_column_integer(&columns, 4, INT64_MIN, INT64_MAX);
    row->expires_ms = pulse_column_integer(&columns, 5, INT64_MIN, INT64_MAX);
    row->revoked_ms = pulse_column_integer(&columns, 6, INT64_MIN, INT64_MAX);
    enum lh_status status = pulse_columns_end(&columns, "tokens", reading->error);
    if (status != LH_OK || reading->take != NULL) {
        return status != LH_OK ? status : reading->take(reading->context, row);
    }
    reading->found = true;
    row->name = lh_arena_strdup(reading->arena, row->name);
    return row->name != NULL ? LH_OK : lh_error_no_memory(reading->error);
}

enum lh_status pulse_store_token(struct pulse_store *store, const struct lh_digest *digest, struct lh_arena *arena,
                                 struct pulse_token_row *row, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_digest(digest)};
    struct token_reading reading = {.error = error, .arena = arena};
    enum lh_status status = pulse_store_query(store, &find_token, values, 1, give_token, &reading, error);
    if (status == LH_OK && !reading.found) {
        status = no_token(error);
    }
    if (status == LH_OK) {
        *row = reading.row;
    }
    return status;
}

enum lh_status pulse_store_tokens(struct pulse_store *store, uint64_t tenant, pulse_store_take_token *take,
                                  void *context, struct lh_error *error)
{
    struct token_reading reading = {.error = error, .take = take, .context = context};
    const struct pulse_sql_value values[] = {pulse_sql_count(tenant)};
    return pulse_store_query(store, &list_tokens, values, 1, give_token, &reading, error);
}

/* ---- Peers ---- */

static const struct pulse_sql_statement find_namesake = {
    .text = "SELECT CAST(1 AS {int}) FROM peers WHERE name = ?1 AND key <> ?2 AND revoked_ms = 0",
    .takes = "tb",
    .gives = "i",
};
static const struct pulse_sql_statement put_peer = {
    .text = "INSERT INTO peers (key, name, role, tags, enrolled_ms, revoked_ms) VALUES (?1, ?2, ?3, ?4, ?5, 0)"
            " ON CONFLICT (key) DO UPDATE SET name = excluded.name, role = excluded.role, tags = excluded.tags,"
            " revoked_ms = 0",
    .takes = "btiti",
    .gives = "",
};
static const struct pulse_sql_statement revoke_peer = {
    .text = "UPDATE peers SET revoked_ms = ?2 WHERE key = ?1 RETURNING role",
    .takes = "bi",
    .gives = "i",
};
static const struct pulse_sql_statement list_peers = {
    .text = "SELECT key, name, role, tags, enrolled_ms, revoked_ms FROM peers ORDER BY name, enrolled_ms",
    .takes = "",
    .gives = "btitii",
};

enum lh_status pulse_store_peer_put(struct pulse_store *store, const struct pulse_peer_row *row, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_blob(row->key, sizeof row->key), pulse_sql_text(row->name),
                                             pulse_sql_integer(row->role), pulse_sql_text(row->tags),
                                             pulse_sql_integer(store->now_ms)};
    const struct pulse_sql_value named[] = {values[1], values[0]};
    int64_t other = 0;
    enum lh_status status = pulse_store_integer(store, &find_namesake, named, 0, &other, error);
    if (status == LH_OK && other != 0) {
        return lh_error_set(error, LH_ERR_CONFLICT, row->name, "another peer has this name");
    }
    return status == LH_OK ? pulse_store_write(store, &put_peer, values, NULL, error) : status;
}

enum lh_status pulse_store_peer_revoke(struct pulse_store *store, const uint8_t key[PULSE_PEER_KEY_SIZE],
                                       struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_blob(key, PULSE_PEER_KEY_SIZE),
                                             pulse_sql_integer(store->now_ms)};
    size_t changed = 0;
    enum lh_status status = pulse_store_write(store, &revoke_peer, values, &changed, error);
    return status == LH_OK && changed == 0 ? lh_error_set(error, LH_ERR_MISSING, NULL, "there is no such peer")
                                           : status;
}

struct peer_reading {
    struct lh_error *error;
    pulse_store_take_peer *take;
    void *context;
};

static enum lh_status give_peer(void *context, const struct pulse_sql_value *values)
{
    struct peer_reading *reading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_peer_row row = {.name = pulse_column_text(&columns, 1)};
    size_t size = 0;
    const void *key = pulse_column_blob(&columns, 0, &size);
    columns.sound = columns.sound && size == sizeof row.key;
    if (columns.sound) {
        memcpy(row.key, key, sizeof row.key);
    }
    row.role = (enum pulse_peer_role)pulse_column_integer(&columns, 2, PULSE_PEER_WORKER, PULSE_PEER_CLIENT);
    row.tags = pulse_column_text(&columns, 3);
    row.enrolled_ms = pulse_column_integer(&columns, 4, INT64_MIN, INT64_MAX);
    row.revoked_ms = pulse_column_integer(&columns, 5, INT64_MIN, INT64_MAX);
    enum lh_status status = pulse_columns_end(&columns, "peers", reading->error);
    return status == LH_OK ? reading->take(reading->context, &row) : status;
}

enum lh_status pulse_store_peers(struct pulse_store *store, pulse_store_take_peer *take, void *context,
                                 struct lh_error *error)
{
    struct peer_reading reading = {error, take, context};
    return pulse_store_query(store, &list_peers, NULL, 1, give_peer, &reading, error);
}
