/* SPDX-License-Identifier: MIT */
/* PostgreSQL's binary forms of our values: what goes into a statement, one value or an array a column, and what comes
   out. Big-endian, as the protocol has it. Knows no library. */
#ifndef PULSE_STORE_POSTGRES_VALUES_H
#define PULSE_STORE_POSTGRES_VALUES_H

#include "pulse-daemon/store/sql.h"

struct pulse_postgres_values {
    struct lh_writer columns[PULSE_SQL_COLUMNS_MAX]; /* kept between statements */
};

void pulse_postgres_values_init(struct pulse_postgres_values *values);
void pulse_postgres_values_fini(struct pulse_postgres_values *values);

/* The types' numbers (OIDs, fixed for ever) of a statement's parameters. Returns how many. */
int pulse_postgres_types(const struct pulse_sql_statement *statement, unsigned types[PULSE_SQL_COLUMNS_MAX]);

/* As libpq takes them; views of `values` and of what was encoded. */
struct pulse_postgres_parameters {
    int count;
    const char *values[PULSE_SQL_COLUMNS_MAX];
    int lengths[PULSE_SQL_COLUMNS_MAX];
    int formats[PULSE_SQL_COLUMNS_MAX];
};
/* LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_postgres_encode(struct pulse_postgres_values *values,
                                                  const struct pulse_sql_statement *statement,
                                                  const struct pulse_sql_value *rows, size_t count,
                                                  struct pulse_postgres_parameters *parameters);
/* One value of a result; a view. False: not of that type. */
bool pulse_postgres_decode(char type, const char *data, size_t size, struct pulse_sql_value *value);

#endif
