/* SPDX-License-Identifier: MIT */
/* loophole peers list | revoke, loophole tokens list | create | revoke: who may do what with a farm. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/farm_list.h"
#include "cli/job.h"
#include "cli/talk.h"
#include "cli/tenants.h"

#define TEXT_SIZE 256
#define DAY_S 86400u
#define DAYS_MAX 36500

static const struct lh_option rows[] = {CLI_ROWS_FARM};

static enum lh_status ask(struct cli_farm *farm, struct lh_arena *arena, const Wire__Envelope *question,
                          Wire__Envelope__BodyCase expected, const Wire__Envelope **answer, struct lh_error *error)
{
    return cli_farm_ask(farm, arena, question, expected, CLI_FARM_ASK_MS, answer, error);
}

/* ---- peers ---- */

static enum lh_status read_peers(struct cli_farm *farm, struct lh_arena *arena, const Wire__Peers **peers,
                                 struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__PeerList body = WIRE__PEER_LIST__INIT;
    const Wire__Envelope *answer;
    WIRE_BODY(&question, PEER_LIST, peer_list, &body);
    enum lh_status status = ask(farm, arena, &question, WIRE__ENVELOPE__BODY_PEERS, &answer, error);
    if (status == LH_OK) {
        *peers = answer->peers;
    }
    return status;
}

static enum lh_status list_peers(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                 struct lh_error *error)
{
    const Wire__Peers *peers;
    (void)options;
    enum lh_status status = read_peers(farm, arena, &peers, error);
    for (size_t i = 0; status == LH_OK && i < peers->n_peers; i++) {
        const Wire__PeerInfo *peer = peers->peers[i];
        char name[TEXT_SIZE];
        cli_talk_clean(peer->name, name, sizeof name);
        printf("%-16s %-7s %s%s", name, peer->role, peer->public_key, peer->revoked ? "  revoked" : "");
        cli_farm_print_tags(peer->tags, peer->n_tags);
        putchar('\n');
    }
    return status;
}

static int run_peers_list(const struct lh_options *options)
{
    return cli_farm_run("peers list", options, list_peers);
}

static const struct lh_option_table peers_list_table = {
    .usage = "peers list [options]",
    .summary = "Lists the machines that were let in: name, role, public key, tags that it may claim.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

static const struct cli_command peers_list = {.name = "list",
                                              .summary = "List the machines that were let in",
                                              .options = &peers_list_table,
                                              .run = run_peers_list};

/* Every key of that name, or that key. */
static enum lh_status revoke_peer(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                  struct lh_error *error)
{
    const char *which = options->operands[0];
    const Wire__Peers *peers;
    size_t found = 0;
    enum lh_status status = read_peers(farm, arena, &peers, error);
    for (size_t i = 0; status == LH_OK && i < peers->n_peers; i++) {
        const Wire__PeerInfo *peer = peers->peers[i];
        if (strcmp(peer->name, which) != 0 && strcmp(peer->public_key, which) != 0) {
            continue;
        }
        Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
        Wire__PeerRevoke body = WIRE__PEER_REVOKE__INIT;
        const Wire__Envelope *answer;
        body.public_key = peer->public_key;
        WIRE_BODY(&question, PEER_REVOKE, peer_revoke, &body);
        found++;
        status = peer->revoked ? LH_OK : ask(farm, arena, &question, WIRE__ENVELOPE__BODY_DONE, &answer, error);
    }
    return status == LH_OK && found == 0
               ? lh_error_set(error, LH_ERR_MISSING, which, "no machine of this name or key was let in")
               : status;
}

static int run_peers_revoke(const struct lh_options *options)
{
    return cli_farm_run("peers revoke", options, revoke_peer);
}

static const struct lh_option_table peers_revoke_table = {
    .usage = "peers revoke PEER [options]",
    .summary =
        "Shuts a machine out, by its name or its public key. Its connections end at once; what it was rendering\n"
        "is given to others when its lease is over.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "PEER",
};

static const struct cli_command peers_revoke = {
    .name = "revoke", .summary = "Shut a machine out", .options = &peers_revoke_table, .run = run_peers_revoke};

static const struct cli_command *const peers_parts[] = {&peers_list, &peers_revoke, NULL};

const struct cli_command cli_command_peers = {
    .name = "peers", .summary = "List the machines that may connect to a farm, shut them out", .parts = peers_parts};

/* ---- tokens ---- */

static const struct lh_option token_rows[] = {CLI_ROWS_FARM, CLI_ROW_TENANT};

static enum lh_status list_tokens(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                  struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__TokenList body = WIRE__TOKEN_LIST__INIT;
    const Wire__Envelope *answer;
    enum lh_status status = cli_tenant_find(farm, arena, options, &body.tenant, error);
    body.has_tenant = body.tenant != 0;
    WIRE_BODY(&question, TOKEN_LIST, token_list, &body);
    status = status != LH_OK ? status : ask(farm, arena, &question, WIRE__ENVELOPE__BODY_TOKENS, &answer, error);
    for (size_t i = 0; status == LH_OK && i < answer->tokens->n_tokens; i++) {
        const Wire__TokenInfo *token = answer->tokens->tokens[i];
        char name[TEXT_SIZE], end[TEXT_SIZE];
        cli_talk_clean(token->name, name, sizeof name);
        printf("%-20llu %-8s %s", (unsigned long long)token->id, token->role, name);
        if (token->has_expires_ms && token->expires_ms != 0) {
            cli_farm_moment(token->expires_ms, end, sizeof end);
            printf("  until %s", end);
        }
        printf("%s\n", token->revoked ? "  revoked" : "");
    }
    return status;
}

static int run_tokens_list(const struct lh_options *options)
{
    return cli_farm_run("tokens list", options, list_tokens);
}

static const struct lh_option_table tokens_list_table = {
    .usage = "tokens list [options]",
    .summary = "Lists the tokens of a farm: number, role, name.",
    .rows = token_rows,
    .count = sizeof token_rows / sizeof token_rows[0],
};

static const struct cli_command tokens_list = {
    .name = "list", .summary = "List the tokens", .options = &tokens_list_table, .run = run_tokens_list};

/* Of the tenant that is named, or of who makes it. */
static enum lh_status find_tenant(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                  uint64_t *tenant, struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__Ping ping = WIRE__PING__INIT;
    const Wire__Envelope *answer;
    enum lh_status status = cli_tenant_find(farm, arena, options, tenant, error);
    if (status != LH_OK || *tenant != 0) {
        return status;
    }
    WIRE_BODY(&question, PING, ping, &ping);
    status = ask(farm, arena, &question, WIRE__ENVELOPE__BODY_PONG, &answer, error);
    if (status == LH_OK) {
        *tenant = answer->pong->tenant;
    }
    return status;
}

static enum lh_status create_token(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                   struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__TokenCreate body = WIRE__TOKEN_CREATE__INIT;
    const Wire__Envelope *answer;
    enum lh_status status = find_tenant(farm, arena, options, &body.tenant, error);
    if (status == LH_OK) {
        body.name = wire_text(options->operands[0]);
        body.role = wire_text(lh_options_text(options, "role"));
        body.has_expires_s = lh_options_text(options, "days") != NULL;
        body.expires_s = body.has_expires_s ? (uint32_t)lh_options_integer(options, "days") * DAY_S : 0;
        WIRE_BODY(&question, TOKEN_CREATE, token_create, &body);
        status = ask(farm, arena, &question, WIRE__ENVELOPE__BODY_TOKEN_CREATED, &answer, error);
    }
    if (status == LH_OK) {
        printf("%s\n", answer->token_created->secret);
    }
    return status;
}

static int run_tokens_create(const struct lh_options *options)
{
    return cli_farm_run("tokens create", options, create_token);
}

static const char *const role_names[] = {"viewer", "editor", "operator", "admin", NULL};

static const struct lh_option create_rows[] = {
    CLI_ROWS_FARM,
    CLI_ROW_TENANT,
    {.name = "role",
     .type = LH_OPTION_TEXT,
     .placeholder = "ROLE",
     .choices = role_names,
     .standard = "editor",
     .help =
         "What it allows: viewer looks and fetches, editor submits and cancels, operator drains and examines, admin "
         "lets in and shuts out. The last two are for the whole farm"},
    {.name = "days",
     .type = LH_OPTION_INTEGER,
     .placeholder = "N",
     .minimum = 1,
     .maximum = DAYS_MAX,
     .help = "How long it is valid. Standard: until it is revoked"},
};

static const struct lh_option_table tokens_create_table = {
    .usage = "tokens create NAME [options]",
    .summary = "Makes a token for somebody who is to use a farm, and prints it: this once, the farm does not keep it.",
    .rows = create_rows,
    .count = sizeof create_rows / sizeof create_rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "NAME",
};

static const struct cli_command tokens_create = {
    .name = "create", .summary = "Make a token", .options = &tokens_create_table, .run = run_tokens_create};

static enum lh_status revoke_token(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                   struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__TokenRevoke body = WIRE__TOKEN_REVOKE__INIT;
    const Wire__Envelope *answer;
    enum lh_status status = cli_job_parse(options->operands[0], &body.id, error);
    if (status != LH_OK) {
        return lh_error_set(error, status, NULL, "%s is no token's number: 'loophole tokens list' tells them",
                            options->operands[0]);
    }
    status = cli_tenant_find(farm, arena, options, &body.tenant, error);
    body.has_tenant = body.tenant != 0;
    WIRE_BODY(&question, TOKEN_REVOKE, token_revoke, &body);
    return status == LH_OK ? ask(farm, arena, &question, WIRE__ENVELOPE__BODY_DONE, &answer, error) : status;
}

static int run_tokens_revoke(const struct lh_options *options)
{
    return cli_farm_run("tokens revoke", options, revoke_token);
}

static const struct lh_option_table tokens_revoke_table = {
    .usage = "tokens revoke NUMBER [options]",
    .summary = "Makes a token void, by the number that 'loophole tokens list' tells.",
    .rows = token_rows,
    .count = sizeof token_rows / sizeof token_rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "NUMBER",
};

static const struct cli_command tokens_revoke = {
    .name = "revoke", .summary = "Make a token void", .options = &tokens_revoke_table, .run = run_tokens_revoke};

static const struct cli_command *const tokens_parts[] = {&tokens_list, &tokens_create, &tokens_revoke, NULL};

const struct cli_command cli_command_tokens = {
    .name = "tokens", .summary = "List, make and void the tokens of a farm's users", .parts = tokens_parts};
