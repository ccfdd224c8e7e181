/* SPDX-License-Identifier: MIT */
/* Forgetting what is over. The row with the highest number of its kind always stays: numbers are given by looking at
   it, and none may be given twice. */
#include "pulse-daemon/store/parts.h"

static const struct pulse_sql_statement prune_events = {
    .text = "DELETE FROM events WHERE number IN (SELECT number FROM events WHERE created_ms < ?1"
            " AND number < (SELECT max(number) FROM events) ORDER BY number LIMIT ?2) RETURNING number",
    .takes = "ii",
    .gives = "i",
};
static const struct pulse_sql_statement prune_jobs = {
    .text = "DELETE FROM jobs WHERE (tenant, id) IN (SELECT j.tenant, j.id FROM jobs j WHERE j.finished_ms < ?1"
            " AND j.id < (SELECT max(id) FROM jobs) AND NOT EXISTS (SELECT 1 FROM events e"
            " WHERE e.number = (SELECT max(number) FROM events) AND e.tenant = j.tenant AND e.job = j.id)"
            " ORDER BY j.id LIMIT ?2) RETURNING id",
    .takes = "ii",
    .gives = "i",
};
static const struct pulse_sql_statement prune_shards = {
    .text = "DELETE FROM shards WHERE (tenant, id) IN (SELECT s.tenant, s.id FROM shards s WHERE s.finished_ms < ?1"
            " AND s.id < (SELECT max(id) FROM shards) LIMIT ?2) RETURNING id",
    .takes = "ii",
    .gives = "i",
};

enum lh_status pulse_store_prune(struct pulse_store *store, const struct pulse_retention *retention, size_t *removed,
                                 struct lh_error *error)
{
    const struct {
        const struct pulse_sql_statement *statement;
        int64_t before_ms;
    } steps[] = {
        {&prune_jobs, retention->jobs_before_ms},
        {&prune_shards, retention->jobs_before_ms},
        {&prune_events, retention->events_before_ms},
    };
    size_t sum = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const struct pulse_sql_value values[] = {pulse_sql_integer(steps[i].before_ms),
                                                 pulse_sql_count(retention->limit)};
        size_t count = 0;
        enum lh_status status = pulse_store_write(store, steps[i].statement, values, &count, error);
        if (status != LH_OK) {
            return status;
        }
        sum += count;
    }
    *removed = sum;
    return LH_OK;
}
