/* SPDX-License-Identifier: MIT */
/* Costs. */
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
