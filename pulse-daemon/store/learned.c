/* SPDX-License-Identifier: MIT */
/* Costs, latencies, inventories. */
#include "pulse-daemon/store/learned.h"

#include "pulse-daemon/store/parts.h"

static const struct pulse_sql_statement put_cost = {
    .text = "INSERT INTO costs (name, value, weight) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET"
            " value = excluded.value, weight = excluded.weight",
    .takes = "trr",
    .gives = "",
};
static const struct pulse_sql_statement list_costs = {
    .text = "SELECT name, value, weight FROM costs ORDER BY name",
    .takes = "",
    .gives = "trr",
};

enum lh_status pulse_store_costs_put(struct pulse_store *store, const struct pulse_cost_row *costs, size_t count,
                                     struct lh_error *error)
{
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        const struct pulse_sql_value values[] = {pulse_sql_text(costs[i].name), pulse_sql_real(costs[i].value),
                                                 pulse_sql_real(costs[i].weight)};
        status = pulse_store_send(store, &put_cost, values, 1, error);
    }
    return status == LH_OK ? pulse_store_settle(store, error) : status;
}

struct cost_reading {
    struct lh_error *error;
    pulse_store_take_cost *take;
    void *context;
};

static enum lh_status give_cost(void *context, const struct pulse_sql_value *values)
{
    struct cost_reading *reading = context;
    struct pulse_columns columns = {values, true};
    struct pulse_cost_row row = {.name = pulse_column_text(&columns, 0)};
    row.value = pulse_column_real(&columns, 1);
    row.weight = pulse_column_real(&columns, 2);
    enum lh_status status = pulse_columns_end(&columns, "costs", reading->error);
    return status == LH_OK ? reading->take(reading->context, &row) : status;
}

enum lh_status pulse_store_costs(struct pulse_store *store, pulse_store_take_cost *take, void *context,
                                 struct lh_error *error)
{
    struct cost_reading reading = {error, take, context};
    return pulse_store_query(store, &list_costs, NULL, 1, give_cost, &reading, error);
}

static const struct pulse_sql_statement put_insert_facts = {
    .text = "INSERT INTO insert_facts (tenant, key, latency_frames) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (tenant, key) DO UPDATE SET latency_frames = excluded.latency_frames",
    .takes = "ibi",
    .gives = "",
};
static const struct pulse_sql_statement find_insert_facts = {
    .text = "SELECT c1, f.latency_frames FROM {rows} JOIN insert_facts f ON f.tenant = c2 AND f.key = c3",
    .takes = "iib",
    .gives = "ii",
    .rows = true,
};

enum lh_status pulse_store_insert_facts_put(struct pulse_store *store, uint64_t tenant,
                                            const struct pulse_insert_facts_row *facts, size_t count,
                                            struct lh_error *error)
{
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        const struct pulse_sql_value values[] = {pulse_sql_count(tenant), pulse_sql_digest(&facts[i].key),
                                                 pulse_sql_integer(facts[i].latency_frames)};
        status = pulse_store_send(store, &put_insert_facts, values, 1, error);
    }
    return status == LH_OK ? pulse_store_settle(store, error) : status;
}

struct facts_reading {
    struct lh_error *error;
    pulse_store_take_insert_facts *take;
    void *context;
};

static enum lh_status give_facts(void *context, const struct pulse_sql_value *values)
{
    struct facts_reading *reading = context;
    struct pulse_columns columns = {values, true};
    size_t index = (size_t)pulse_column_count(&columns, 0);
    uint32_t latency = (uint32_t)pulse_column_integer(&columns, 1, 0, UINT32_MAX);
    enum lh_status status = pulse_columns_end(&columns, "insert_facts", reading->error);
    return status == LH_OK ? reading->take(reading->context, index, latency) : status;
}

enum lh_status pulse_store_insert_facts(struct pulse_store *store, uint64_t tenant, const struct lh_digest *keys,
                                        size_t count, pulse_store_take_insert_facts *take, void *context,
                                        struct lh_error *error)
{
    struct facts_reading reading = {error, take, context};
    struct pulse_rows rows;
    pulse_rows_init(&rows, store, &find_insert_facts, give_facts, &reading, error);
    for (size_t i = 0; i < count; i++) {
        pulse_rows_add(&rows, (const struct pulse_sql_value[]){pulse_sql_count(i), pulse_sql_count(tenant),
                                                               pulse_sql_digest(&keys[i])});
    }
    return pulse_rows_end(&rows);
}

static const struct pulse_sql_statement put_inventory = {
    .text = "INSERT INTO inventories (digest, body, seen_ms) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (digest) DO UPDATE SET seen_ms = excluded.seen_ms",
    .takes = "bbi",
    .gives = "",
};
static const struct pulse_sql_statement find_inventory = {
    .text = "SELECT body FROM inventories WHERE digest = ?1",
    .takes = "b",
    .gives = "b",
};

enum lh_status pulse_store_inventory_put(struct pulse_store *store, const struct lh_digest *digest, const void *data,
                                         size_t size, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_digest(digest), pulse_sql_blob(data, size),
                                             pulse_sql_integer(store->now_ms)};
    return pulse_store_write(store, &put_inventory, values, NULL, error);
}

enum lh_status pulse_store_inventory(struct pulse_store *store, const struct lh_digest *digest, struct lh_arena *arena,
                                     const void **data, size_t *size, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_digest(digest)};
    return pulse_store_blob(store, &find_inventory, values, "such inventory", arena, data, size, error);
}
