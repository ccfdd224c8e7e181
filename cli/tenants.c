/* SPDX-License-Identifier: MIT */
/* loophole tenants list | add | change: who shares a farm, and how much of it each may have. */
#include "cli/tenants.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/farm_list.h"
#include "cli/talk.h"

#define TEXT_SIZE 256
#define BYTES_MAX 9007199254740992.0 /* 2^53: options are exact up to there */
#define WEIGHT_MAX 1000

static const struct lh_option rows[] = {CLI_ROWS_FARM};

#define ROWS_SETTINGS                                                                                                  \
    {.name = "quota",                                                                                                  \
     .type = LH_OPTION_INTEGER,                                                                                        \
     .placeholder = "BYTES",                                                                                           \
     .minimum = 0,                                                                                                     \
     .maximum = BYTES_MAX,                                                                                             \
     .help = "How much may be kept for it: uploads, finished files, and what is kept to be used again. 0: no limit"},  \
        {.name = "weight",                                                                                             \
         .type = LH_OPTION_INTEGER,                                                                                    \
         .placeholder = "N",                                                                                           \
         .minimum = 1,                                                                                                 \
         .maximum = WEIGHT_MAX,                                                                                        \
         .help = "Its share of the workers among tenants whose jobs have one priority; a new tenant has 1"},           \
    {                                                                                                                  \
        .name = "tag", .type = LH_OPTION_TEXT, .placeholder = "TAG", .repeatable = true,                               \
        .help = "A tag that workers must have to work for it"                                                          \
    }

static enum lh_status read_tenants(struct cli_farm *farm, struct lh_arena *arena, const Wire__Tenants **tenants,
                                   struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__TenantList body = WIRE__TENANT_LIST__INIT;
    const Wire__Envelope *answer;
    WIRE_BODY(&question, TENANT_LIST, tenant_list, &body);
    enum lh_status status =
        cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_TENANTS, CLI_FARM_ASK_MS, &answer, error);
    if (status == LH_OK) {
        *tenants = answer->tenants;
    }
    return status;
}

enum lh_status cli_tenant_find(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                               uint64_t *tenant, struct lh_error *error)
{
    const char *name = lh_options_text(options, "tenant");
    const Wire__Tenants *tenants;
    uint64_t found = 0;
    enum lh_status status = name != NULL ? read_tenants(farm, arena, &tenants, error) : LH_OK;
    for (size_t i = 0; status == LH_OK && name != NULL && i < tenants->n_tenants; i++) {
        found = strcmp(tenants->tenants[i]->name, name) == 0 ? tenants->tenants[i]->id : found;
    }
    if (status == LH_OK && name != NULL && found == 0) {
        status = lh_error_set(error, LH_ERR_MISSING, name, "there is no such tenant");
    }
    if (status == LH_OK) {
        *tenant = found;
    }
    return status;
}

/* ---- list ---- */

static enum lh_status list_tenants(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                   struct lh_error *error)
{
    const Wire__Tenants *tenants;
    (void)options;
    enum lh_status status = read_tenants(farm, arena, &tenants, error);
    for (size_t i = 0; status == LH_OK && i < tenants->n_tenants; i++) {
        const Wire__Tenant *tenant = tenants->tenants[i];
        char text[TEXT_SIZE];
        cli_talk_clean(tenant->name, text, sizeof text);
        printf("%-16s weight %-4u uploads %llu  files %llu  outputs %llu", text, tenant->weight,
               (unsigned long long)tenant->media_bytes, (unsigned long long)tenant->file_bytes,
               (unsigned long long)tenant->output_bytes);
        if (tenant->quota_bytes > 0) {
            printf("  of %llu", (unsigned long long)tenant->quota_bytes);
        }
        cli_farm_print_tags(tenant->tags, tenant->n_tags);
        putchar('\n');
    }
    return status;
}

static int run_list(const struct lh_options *options)
{
    return cli_farm_run("tenants list", options, list_tenants);
}

static const struct lh_option_table list_table = {
    .usage = "tenants list [options]",
    .summary =
        "Lists the tenants of a farm: name, weight, how many bytes are kept for each and how many may be, and the\n"
        "tags of the workers that work for it.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

static const struct cli_command tenants_list = {
    .name = "list", .summary = "List the tenants", .options = &list_table, .run = run_list};

/* ---- add, change ---- */

static enum lh_status add_tenant(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                 struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__TenantCreate body = WIRE__TENANT_CREATE__INIT;
    const Wire__Envelope *answer;
    body.name = wire_text(options->operands[0]);
    body.has_quota_bytes = lh_options_given(options, "quota");
    body.quota_bytes = (uint64_t)lh_options_integer(options, "quota");
    body.has_weight = lh_options_given(options, "weight");
    body.weight = (uint32_t)lh_options_integer(options, "weight");
    body.tags = cli_farm_tags(arena, options, &body.n_tags);
    if (body.tags == NULL) {
        return lh_error_no_memory(error);
    }
    WIRE_BODY(&question, TENANT_CREATE, tenant_create, &body);
    return cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_TENANT, CLI_FARM_ASK_MS, &answer, error);
}

static int run_add(const struct lh_options *options)
{
    return cli_farm_run("tenants add", options, add_tenant);
}

static const struct lh_option add_rows[] = {CLI_ROWS_FARM, ROWS_SETTINGS};

static const struct lh_option_table add_table = {
    .usage = "tenants add NAME [options]",
    .summary = "Makes a tenant. It has projects, media, jobs and tokens of its own and sees nothing of the others.\n"
               "'loophole tokens create --tenant NAME' makes a token for its people.",
    .rows = add_rows,
    .count = sizeof add_rows / sizeof add_rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "NAME",
};

static const struct cli_command tenants_add = {
    .name = "add", .summary = "Make a tenant", .options = &add_table, .run = run_add};

static enum lh_status change_tenant(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                    struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__TenantChange body = WIRE__TENANT_CHANGE__INIT;
    const Wire__Envelope *answer;
    bool any_worker = lh_options_flag(options, "any-worker");
    body.name = wire_text(options->operands[0]);
    body.has_quota_bytes = lh_options_given(options, "quota");
    body.quota_bytes = (uint64_t)lh_options_integer(options, "quota");
    body.has_weight = lh_options_given(options, "weight");
    body.weight = (uint32_t)lh_options_integer(options, "weight");
    body.tags = cli_farm_tags(arena, options, &body.n_tags);
    body.has_set_tags = body.set_tags = any_worker || body.n_tags > 0;
    if (body.tags == NULL) {
        return lh_error_no_memory(error);
    }
    if (any_worker && body.n_tags > 0) {
        return lh_error_set(error, LH_ERR_USAGE, "--any-worker",
                            "it is either any worker, or those that have the tags");
    }
    if (!body.has_quota_bytes && !body.has_weight && !body.has_set_tags) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "say what to change: --quota, --weight, --tag or --any-worker");
    }
    WIRE_BODY(&question, TENANT_CHANGE, tenant_change, &body);
    return cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_TENANT, CLI_FARM_ASK_MS, &answer, error);
}

static int run_change(const struct lh_options *options)
{
    return cli_farm_run("tenants change", options, change_tenant);
}

static const struct lh_option change_rows[] = {
    CLI_ROWS_FARM,
    ROWS_SETTINGS,
    {.name = "any-worker", .type = LH_OPTION_FLAG, .help = "Every worker may work for it: it loses its tags"},
};

static const struct lh_option_table change_table = {
    .usage = "tenants change NAME [options]",
    .summary = "Changes what a tenant may have. What is not named stays; tags replace those it had, for jobs that are\n"
               "planned from then on.",
    .rows = change_rows,
    .count = sizeof change_rows / sizeof change_rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "NAME",
};

static const struct cli_command tenants_change = {
    .name = "change", .summary = "Change what a tenant may have", .options = &change_table, .run = run_change};

static const struct cli_command *const parts[] = {&tenants_list, &tenants_add, &tenants_change, NULL};

const struct cli_command cli_command_tenants = {
    .name = "tenants", .summary = "List, make and change the tenants of a farm", .parts = parts};
