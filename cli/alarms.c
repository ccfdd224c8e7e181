/* SPDX-License-Identifier: MIT */
/* loophole alarms: what went wrong in a farm and shows in no job. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/farm_list.h"
#include "cli/talk.h"
#include "common/json/json.h"

#define TEXT_SIZE 512
#define COUNT_MAX 10000

static const struct lh_option rows[] = {
    CLI_ROWS_FARM,
    {.name = "count",
     .letter = 'n',
     .type = LH_OPTION_INTEGER,
     .placeholder = "N",
     .minimum = 1,
     .maximum = COUNT_MAX,
     .standard = "100",
     .help = "How many at most"},
};

static const struct lh_option_table table = {
    .usage = "alarms [options]",
    .summary =
        "Lists what went wrong in a farm and shows in no job, newest first: outputs that two workers made differently\n"
        "though they must be the same, and workers that get nothing for a while because shards failed on them alone.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

/* What its type means; NULL: one that a newer farm knows. */
static const char *meaning_of(const char *type)
{
    static const char *const meanings[][2] = {
        {"alarm.digests", "two results for one output"},
        {"alarm.quarantine", "worker in quarantine"},
        {"alarm.forgiven", "worker out of quarantine"},
    };
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (strcmp(meanings[i][0], type) == 0) {
            return meanings[i][1];
        }
    }
    return NULL;
}

static void print_fact(const struct lh_json *fact)
{
    char text[TEXT_SIZE];
    if (fact->kind == LH_JSON_STRING && strcmp(fact->name, "type") != 0) {
        cli_talk_clean(fact->value.string.text, text, sizeof text);
        printf("  %s=%s", fact->name, text);
    } else if (fact->kind == LH_JSON_INTEGER) {
        printf("  %s=%lld", fact->name, (long long)fact->value.integer);
    }
}

static void print_alarm(struct lh_arena *arena, const Wire__Alarm *alarm)
{
    const struct lh_json *body = NULL;
    char came[TEXT_SIZE], type[TEXT_SIZE] = "";
    cli_farm_moment(alarm->at_ms, came, sizeof came);
    if (lh_json_parse(arena, (const char *)alarm->body.data, alarm->body.len, &body, NULL) != LH_OK) {
        body = NULL;
    }
    const struct lh_json *kind = lh_json_member(body, "type");
    if (kind != NULL && kind->kind == LH_JSON_STRING) {
        cli_talk_clean(kind->value.string.text, type, sizeof type);
    }
    printf("%s  %s", came, meaning_of(type) != NULL ? meaning_of(type) : type);
    for (size_t i = 0; body != NULL && body->kind == LH_JSON_OBJECT && i < body->value.list.count; i++) {
        print_fact(body->value.list.items[i]);
    }
    putchar('\n');
}

static enum lh_status list_alarms(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                  struct lh_error *error)
{
    const Wire__Alarms *alarms;
    enum lh_status status =
        cli_farm_alarms(farm, arena, (uint32_t)lh_options_integer(options, "count"), &alarms, error);
    for (size_t i = 0; status == LH_OK && i < alarms->n_alarms; i++) {
        print_alarm(arena, alarms->alarms[i]);
    }
    return status;
}

static int run(const struct lh_options *options)
{
    return cli_farm_run("alarms", options, list_alarms);
}

const struct cli_command cli_command_alarms = {
    .name = "alarms", .summary = "List what went wrong in a farm", .options = &table, .run = run};
