/* SPDX-License-Identifier: MIT */
/* What must hold between rows, each rule a query for what breaks it. What must hold within a row the tables refuse to
   be without; whether references and those rules are kept, the database is asked too. */
#include "pulse-daemon/store/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "pulse-daemon/store/parts.h"

/* A query gives tenant and number of each row that breaks the rule, or (blob) a digest. */
struct rule {
    struct pulse_sql_statement statement;
    const char *where; /* "shard": what the number counts */
    const char *fault;
};

#define OF_NUMBERS .takes = "", .gives = "ii"
#define OF_DIGESTS .takes = "", .gives = "b"

static const struct rule rules[] = {
    {{.text = "SELECT CAST(0 AS {int}), count(*) FROM leader HAVING count(*) <> 1", OF_NUMBERS},
     "leader row",
     "there has to be exactly one row that says who leads"},
    {{.text = "SELECT min(tenant), id FROM shards GROUP BY id HAVING count(*) > 1", OF_NUMBERS},
     "shard",
     "two tenants have a shard of this number"},
    {{.text = "SELECT s.tenant, s.id FROM shards s WHERE s.state < 3 AND NOT EXISTS"
              " (SELECT 1 FROM specs e WHERE e.tenant = s.tenant AND e.shard = s.id)",
      OF_NUMBERS},
     "shard",
     "it is alive and nothing says what it has to do"},
    {{.text = "SELECT e.tenant, e.shard FROM specs e WHERE length(e.outputs) = 0", OF_NUMBERS},
     "shard",
     "it makes no output"},
    {{.text = "SELECT o.tenant, o.shard FROM outputs o WHERE o.state = 0 AND NOT EXISTS"
              " (SELECT 1 FROM shards s WHERE s.tenant = o.tenant AND s.id = o.shard AND s.state < 3)",
      OF_NUMBERS},
     "shard",
     "an output is promised by it, but it is not alive"},
    {{.text = "SELECT j.tenant, j.id FROM jobs j WHERE NOT EXISTS"
              " (SELECT 1 FROM requests r WHERE r.tenant = j.tenant AND r.job = j.id)",
      OF_NUMBERS},
     "job",
     "nothing says what was asked for"},
    {{.text = "SELECT j.tenant, j.id FROM jobs j WHERE j.state = 2 AND NOT EXISTS"
              " (SELECT 1 FROM wants w WHERE w.tenant = j.tenant AND w.job = j.id)",
      OF_NUMBERS},
     "job",
     "it is running and waits for nothing"},
    {{.text = "SELECT a.tenant, a.job FROM artifacts a JOIN jobs j ON j.tenant = a.tenant AND j.id = a.job"
              " WHERE j.state <> 3",
      OF_NUMBERS},
     "job",
     "it has an artifact though it has not succeeded"},
    {{.text = "SELECT p.tenant, p.id FROM projects p WHERE p.newest <>"
              " (SELECT count(*) FROM revisions r WHERE r.tenant = p.tenant AND r.project = p.id"
              " AND r.number <= p.newest)",
      OF_NUMBERS},
     "project",
     "its revisions are not numbered from 1 to the newest"},
    {{.text = "WITH RECURSIVE line (tenant, project, number) AS (SELECT r.tenant, r.project, r.number"
              " FROM projects p JOIN revisions r ON r.tenant = p.tenant AND r.project = p.id AND r.number = p.tip UNION"
              " SELECT r.tenant, r.project, r.parent FROM line l JOIN revisions r ON r.tenant = l.tenant"
              " AND r.project = l.project AND r.number = l.number WHERE r.parent IS NOT NULL)"
              " SELECT p.tenant, p.id FROM projects p WHERE NOT EXISTS (SELECT 1 FROM line l"
              " WHERE l.tenant = p.tenant AND l.project = p.id AND l.number = p.head)",
      OF_NUMBERS},
     "project",
     "its head is not on the way to its tip"},
    {{.text = "SELECT digest FROM (SELECT digest, size FROM media UNION SELECT digest, size FROM manifest_files"
              " UNION SELECT digest, size FROM artifacts UNION SELECT digest, size FROM outputs"
              " WHERE digest IS NOT NULL) AS blobs GROUP BY digest HAVING count(*) > 1",
      OF_DIGESTS},
     "blob",
     "two rows say different sizes of the same bytes"},
};

void pulse_check_report(struct pulse_checking *checking, const char *fault, const char *where, ...)
{
    char text[LH_ERROR_WHERE_SIZE];
    va_list arguments;
    va_start(arguments, where);
    vsnprintf(text, sizeof text, where, arguments);
    va_end(arguments);
    checking->found++;
    checking->report(checking->context, text, fault);
}

struct breaking {
    struct pulse_checking *checking;
    const struct rule *rule;
};

static enum lh_status take_breaking(void *context, const struct pulse_sql_value *values)
{
    const struct breaking *breaking = context;
    struct pulse_columns columns = {values, true};
    if (breaking->rule->statement.gives[0] == 'b') {
        struct lh_digest digest = {{0}};
        char text[LH_DIGEST_TEXT_SIZE];
        pulse_column_digest(&columns, 0, &digest);
        lh_digest_text(&digest, text);
        pulse_check_report(breaking->checking, breaking->rule->fault, "%s %s", breaking->rule->where, text);
    } else {
        uint64_t tenant = pulse_column_count(&columns, 0);
        uint64_t number = pulse_column_count(&columns, 1);
        pulse_check_report(breaking->checking, breaking->rule->fault, "%s %" PRIu64 " of tenant %" PRIu64,
                           breaking->rule->where, number, tenant);
    }
    return LH_OK;
}

static void take_text(void *context, const char *text)
{
    pulse_check_report(context, text, "the database itself");
}

enum lh_status pulse_store_check(struct pulse_store *store, pulse_store_report *report, void *context, size_t *found,
                                 struct lh_error *error)
{
    struct pulse_checking checking = {.report = report, .context = context};
    enum lh_status status = pulse_store_snapshot(store, error);
    if (status != LH_OK) {
        return status;
    }
    store->sql->driver->patient(store->sql, true);
    status = store->sql->driver->examine(store->sql, take_text, &checking, error);
    for (size_t i = 0; status == LH_OK && i < sizeof rules / sizeof *rules; i++) {
        struct breaking breaking = {&checking, &rules[i]};
        status = pulse_store_query(store, &rules[i].statement, NULL, 1, take_breaking, &breaking, error);
    }
    if (status == LH_OK) {
        struct lh_error unsound = LH_ERROR_INIT;
        status = pulse_check_live(store, &checking, &unsound);
        if (status == LH_ERR_FORMAT) {
            pulse_check_report(&checking, unsound.message, "what is alive");
            status = LH_OK;
        } else if (status != LH_OK && error != NULL) {
            *error = unsound;
        }
    }
    store->sql->driver->patient(store->sql, false);
    pulse_store_snapshot_end(store);
    if (status == LH_OK) {
        *found = checking.found;
    }
    return status;
}
