/* SPDX-License-Identifier: MIT */
/* Alarms as lines of the log. */
#include "pulse-daemon/service/alarms.h"

#include <string.h>

#include "common/base/log.h"
#include "common/json/json.h"

#define FACTS_MAX 12

static void log_alarm(const char *text)
{
    struct lh_arena arena;
    const struct lh_json *read = NULL;
    struct lh_log_field fields[FACTS_MAX];
    size_t count = 0;
    lh_arena_init(&arena);
    bool good = lh_json_parse(&arena, text, strlen(text), &read, NULL) == LH_OK && read->kind == LH_JSON_OBJECT;
    for (size_t i = 0; good && i < read->value.list.count && count < FACTS_MAX; i++) {
        const struct lh_json *fact = read->value.list.items[i];
        if (fact->kind == LH_JSON_STRING) {
            fields[count++] = LH_LOG_TEXT(fact->name, fact->value.string.text);
        } else if (fact->kind == LH_JSON_INTEGER) {
            fields[count++] = LH_LOG_INTEGER(fact->name, fact->value.integer);
        }
    }
    if (count == 0) {
        fields[count++] = LH_LOG_TEXT("facts", text);
    }
    lh_log_write(LH_LOG_WARNING, "alarm", fields, count);
    lh_arena_fini(&arena);
}

void pulse_alarms_log(const struct pulse_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (changes[i].kind == PULSE_CHANGE_ALARM) {
            log_alarm(changes[i].event);
        }
    }
}
