/* SPDX-License-Identifier: MIT */
/* What a daemon tells its operator: one line an event, of names and values, each line in one piece by one write.

       2026-03-01T12:00:00.042Z info loophole-node "attempt ends" shard=12 attempt=1 verdict=committed ms=340

   Values that are words stand as they are, others between quotation marks with JSON's escapes; control characters never
   reach the terminal. A line that grows past LH_LOG_LINE_MAX ends with "...". Nothing is allocated and nothing fails:
   who cannot be told is not told. Any thread. */
#ifndef LH_BASE_LOG_H
#define LH_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LH_LOG_LINE_MAX 4096

enum lh_log_level { LH_LOG_ERROR = 0, LH_LOG_WARNING, LH_LOG_INFO, LH_LOG_DEBUG };

struct lh_log_field {
    const char *name;
    enum lh_log_type { LH_LOG_TEXT_VALUE = 0, LH_LOG_UNSIGNED_VALUE, LH_LOG_SIGNED_VALUE } type;
    const char *text; /* NULL or "": the field is left out */
    uint64_t number;
    int64_t integer;
};
#define LH_LOG_TEXT(field, value) ((struct lh_log_field){.name = (field), .type = LH_LOG_TEXT_VALUE, .text = (value)})
#define LH_LOG_NUMBER(field, value)                                                                                    \
    ((struct lh_log_field){.name = (field), .type = LH_LOG_UNSIGNED_VALUE, .number = (value)})
#define LH_LOG_INTEGER(field, value)                                                                                   \
    ((struct lh_log_field){.name = (field), .type = LH_LOG_SIGNED_VALUE, .integer = (value)})

/* Who speaks, from which level on, to which descriptor. Before: INFO, to standard error, with no name. For main(),
   before there are threads; `program` must live on. */
void lh_log_open(const char *program, enum lh_log_level level, int fd);
/* "error", "warning", "info", "debug". */
bool lh_log_level_parse(const char *text, enum lh_log_level *level);
const char *lh_log_level_text(enum lh_log_level level);

/* One line: what happened in a few words that never change, and to what. */
void lh_log_write(enum lh_log_level level, const char *what, const struct lh_log_field *fields, size_t count);
/* LH_LOG(LH_LOG_INFO, "attempt ends", LH_LOG_NUMBER("shard", id), LH_LOG_TEXT("verdict", text)); */
#define LH_LOG(level, what, ...)                                                                                       \
    lh_log_write((level), (what), (const struct lh_log_field[]){__VA_ARGS__},                                          \
                 sizeof((const struct lh_log_field[]){__VA_ARGS__}) / sizeof(struct lh_log_field))

#endif
