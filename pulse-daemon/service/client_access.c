/* SPDX-License-Identifier: MIT */
/* Questions of who may what: tokens of clients, keys of peers. For administrators, who are the farm's: they may name
   any tenant. */
#include <string.h>

#include "common/base/log.h"
#include "pulse-daemon/service/clients_parts.h"
#include "pulse-daemon/service/tags.h"

#define LIST_MAX 10000u

/* ---- tokens ---- */

struct token_work {
    struct pulse_token_row row;
    char token[PULSE_TOKEN_SIZE];
};

/* A token is named by the first bytes of its digest: enough to tell those of one tenant apart. */
static uint64_t token_id(const struct lh_digest *digest)
{
    uint64_t id = 0;
    for (size_t i = 0; i < sizeof id; i++) {
        id |= (uint64_t)digest->bytes[i] << (8 * i);
    }
    return id & (UINT64_MAX >> 1); /* the store's numbers end there */
}

static void fill_token(const struct pulse_token_row *row, Wire__TokenInfo *info)
{
    wire__token_info__init(info);
    info->id = token_id(&row->digest);
    info->name = wire_text(row->name);
    info->tenant = row->tenant;
    info->role = wire_text(pulse_role_name(row->role));
    info->has_created_ms = row->created_ms != 0;
    info->created_ms = (uint64_t)row->created_ms;
    info->has_expires_ms = row->expires_ms != 0;
    info->expires_ms = (uint64_t)row->expires_ms;
    info->has_revoked = true;
    info->revoked = row->revoked_ms != 0;
}

static enum lh_status write_token(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    const struct token_work *work = task->payload;
    return pulse_store_token_put(writing->store, &work->row, error);
}

static void made_token(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    if (pulse_question_failed(question, task)) {
        return;
    }
    const struct token_work *work = task->payload;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__TokenCreated answer = WIRE__TOKEN_CREATED__INIT;
    Wire__TokenInfo info;
    LH_LOG(LH_LOG_INFO, "token made", LH_LOG_TEXT("name", work->row.name), LH_LOG_NUMBER("tenant", work->row.tenant));
    fill_token(&work->row, &info);
    answer.token = &info;
    answer.secret = wire_text(work->token);
    WIRE_BODY(&envelope, TOKEN_CREATED, token_created, &answer);
    pulse_question_answer(question, &envelope);
    pulse_task_free(task);
}

void pulse_ask_token_create(struct pulse_question *question)
{
    const Wire__TokenCreate *asked = question->envelope->token_create;
    struct lh_error error = LH_ERROR_INIT;
    struct token_work work = {.row = {.tenant = asked->tenant, .name = asked->name}};
    struct pulse_tenant_row tenant;
    struct pulse_store *store = pulse_question_store(question);
    if (store == NULL) {
        return;
    }
    enum lh_status status = pulse_store_tenant(store, asked->tenant, NULL, &question->arena, &tenant, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    if (!pulse_role_parse(asked->role, &work.row.role)) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_INVALID,
                              "a role is one of viewer, editor, operator, admin", "role");
        return;
    }
    if (pulse_token_make(work.token, &error) != LH_OK || pulse_token_digest(work.token, &work.row.digest) != LH_OK) {
        error.code = error.code != LH_OK ? error.code : LH_ERR_NO_MEMORY;
        pulse_question_fail(question, &error);
        return;
    }
    work.row.expires_ms = asked->has_expires_s ? pulse_clients_now_ms() + (int64_t)asked->expires_s * 1000 : 0;
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_WRITE, made_token);
    struct token_work *payload = task != NULL ? pulse_question_payload(question, task, sizeof *payload) : NULL;
    if (payload != NULL) {
        *payload = work;
        task->write = write_token;
        pulse_question_ask(question, task);
    }
}

struct token_list {
    struct lh_arena *arena;
    struct pulse_token_row *rows;
    size_t count;
};

static enum lh_status take_token(void *context, const struct pulse_token_row *row)
{
    struct token_list *list = context;
    if (list->count == LIST_MAX) {
        return LH_OK;
    }
    struct pulse_token_row *copy = &list->rows[list->count++];
    *copy = *row;
    copy->name = lh_arena_strdup(list->arena, row->name);
    return copy->name != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

/* A tenant's; false: the question has ended. */
static bool list_tokens(struct pulse_question *question, uint64_t tenant, struct token_list *list)
{
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    if (store == NULL) {
        return false;
    }
    list->arena = &question->arena;
    list->rows = lh_arena_array(&question->arena, LIST_MAX, sizeof *list->rows);
    enum lh_status status =
        list->rows == NULL ? lh_error_no_memory(&error) : pulse_store_tokens(store, tenant, take_token, list, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
    }
    return status == LH_OK;
}

void pulse_ask_tokens(struct pulse_question *question)
{
    const Wire__TokenList *asked = question->envelope->token_list;
    struct token_list list = {.count = 0};
    if (!list_tokens(question, asked->has_tenant ? asked->tenant : question->caller.tenant, &list)) {
        return;
    }
    Wire__TokenInfo *infos = lh_arena_array(&question->arena, list.count, sizeof *infos);
    Wire__TokenInfo **items = lh_arena_array(&question->arena, list.count, sizeof *items);
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Tokens answer = WIRE__TOKENS__INIT;
    for (size_t i = 0; infos != NULL && items != NULL && i < list.count; i++) {
        fill_token(&list.rows[i], &infos[i]);
        items[i] = &infos[i];
        answer.n_tokens = i + 1;
    }
    answer.tokens = items;
    WIRE_BODY(&envelope, TOKENS, tokens, &answer);
    pulse_question_answer(question, &envelope);
}

static enum lh_status write_token_revoke(struct pulse_task *task, const struct pulse_writing *writing,
                                         struct lh_error *error)
{
    const struct pulse_token_row *row = task->payload;
    return pulse_store_token_revoke(writing->store, row->tenant, &row->digest, error);
}

/* Who watches was asked for a token once: those of the tenant that it was for connect and ask again. */
static void end_watches(const struct pulse_question *question, uint64_t tenant)
{
    struct pulse_clients *clients = question->clients;
    for (const struct pulse_client *client = clients->list; client != NULL; client = client->next) {
        if (client->watch.active && client->watch.tenant == tenant && client->peer != question->peer) {
            wire_link_drop(clients->link, client->socket, client->peer);
        }
    }
}

static void revoked_token(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    const struct pulse_token_row *row = task->payload;
    if (!pulse_question_failed(question, task)) {
        pulse_access_forget(&question->clients->access);
        end_watches(question, row->tenant);
        pulse_task_free(task);
        pulse_question_done(question);
    }
}

void pulse_ask_token_revoke(struct pulse_question *question)
{
    const Wire__TokenRevoke *asked = question->envelope->token_revoke;
    struct token_list list = {.count = 0};
    size_t at = 0;
    if (!list_tokens(question, asked->has_tenant ? asked->tenant : question->caller.tenant, &list)) {
        return;
    }
    while (at < list.count && token_id(&list.rows[at].digest) != asked->id) {
        at++;
    }
    if (at == list.count) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_NOT_FOUND, "there is no such token", "id");
        return;
    }
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_WRITE, revoked_token);
    struct pulse_token_row *row = task != NULL ? pulse_question_payload(question, task, sizeof *row) : NULL;
    if (row != NULL) {
        *row = list.rows[at];
        task->write = write_token_revoke;
        pulse_question_ask(question, task);
    }
}

/* ---- peers ---- */

static enum lh_status write_peer(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    return pulse_store_peer_put(writing->store, task->payload, error);
}

static enum lh_status write_peer_revoke(struct pulse_task *task, const struct pulse_writing *writing,
                                        struct lh_error *error)
{
    const struct pulse_peer_row *row = task->payload;
    return pulse_store_peer_revoke(writing->store, row->key, error);
}

enum lh_status pulse_clients_let_in(struct pulse_clients *clients, struct pulse_store *store, struct lh_error *error)
{
    struct pulse_peers *peers = clients->options.peers;
    struct lh_arena arena;
    const char *const *workers, *const *askers;
    size_t worker_count, asker_count;
    lh_arena_init(&arena);
    enum lh_status status = pulse_peers_load(peers, store, error);
    if (status == LH_OK && (pulse_peers_keys(peers, PULSE_PEER_WORKER, &arena, &workers, &worker_count) != LH_OK ||
                            pulse_peers_keys(peers, PULSE_PEER_CLIENT, &arena, &askers, &asker_count) != LH_OK)) {
        status = lh_error_no_memory(error);
    }
    const char **all = status == LH_OK ? lh_arena_array(&arena, worker_count + asker_count, sizeof *all) : NULL;
    if (all != NULL) {
        memcpy(all, workers, worker_count * sizeof *all);
        memcpy(all + worker_count, askers, asker_count * sizeof *all);
        status = pulse_workers_allow(clients->options.workers, workers, worker_count);
        status = status == LH_OK ? pulse_clients_allow(clients, askers, asker_count) : status;
        status = status == LH_OK && clients->options.bulk != NULL
                     ? wire_link_allow(pulse_bulk_link(clients->options.bulk), all, worker_count + asker_count)
                     : status;
    }
    if (status == LH_ERR_NO_MEMORY || (status == LH_OK && all == NULL)) {
        status = lh_error_no_memory(error);
    }
    lh_arena_fini(&arena);
    return status;
}

/* The links let in whom the store names from now on, and nobody else. */
static void peers_changed(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct pulse_store *store;
    struct lh_error error = LH_ERROR_INIT;
    if (pulse_question_failed(question, task)) {
        return;
    }
    pulse_task_free(task);
    store = pulse_question_store(question);
    if (store == NULL) {
        return;
    }
    enum lh_status status = pulse_clients_let_in(question->clients, store, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
    } else {
        pulse_question_done(question);
    }
}

static void ask_peer(struct pulse_question *question, const char *key, struct pulse_peer_row *row,
                     enum lh_status (*write)(struct pulse_task *task, const struct pulse_writing *writing,
                                             struct lh_error *error))
{
    if (!pulse_key_bytes(key, row->key)) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_MALFORMED, "that is no public key", "public_key");
        return;
    }
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_WRITE, peers_changed);
    struct pulse_peer_row *payload = task != NULL ? pulse_question_payload(question, task, sizeof *payload) : NULL;
    if (payload != NULL) {
        *payload = *row;
        task->write = write;
        pulse_question_ask(question, task);
    }
}

void pulse_ask_enroll(struct pulse_question *question)
{
    const Wire__PeerEnroll *asked = question->envelope->peer_enroll;
    struct lh_error error = LH_ERROR_INIT;
    bool worker = strcmp(asked->role, "worker") == 0;
    struct pulse_peer_row row = {
        .name = asked->name,
        .role = worker ? PULSE_PEER_WORKER : PULSE_PEER_CLIENT,
        .tags = pulse_tags_join(&question->arena, (const char *const *)asked->tags, asked->n_tags),
    };
    if (!worker && strcmp(asked->role, "client") != 0) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_INVALID, "a role is worker or client", "role");
    } else if (row.tags == NULL) {
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
    } else {
        ask_peer(question, asked->public_key, &row, write_peer);
    }
}

void pulse_ask_peer_revoke(struct pulse_question *question)
{
    struct pulse_peer_row row = {.name = "", .tags = ""};
    ask_peer(question, question->envelope->peer_revoke->public_key, &row, write_peer_revoke);
}

struct peer_list {
    struct lh_arena *arena;
    Wire__PeerInfo **items;
    size_t count;
};

static enum lh_status take_peer(void *context, const struct pulse_peer_row *row)
{
    struct peer_list *list = context;
    if (list->count == LIST_MAX) {
        return LH_OK;
    }
    struct {
        Wire__PeerInfo info;
        char key[WIRE_KEY_SIZE];
    } *made = lh_arena_alloc(list->arena, sizeof *made);
    const char *name = made != NULL ? lh_arena_strdup(list->arena, row->name) : NULL;
    if (name == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    const char *const *tags;
    wire__peer_info__init(&made->info);
    if (!pulse_tags_split(list->arena, row->tags, &tags, &made->info.n_tags)) {
        return LH_ERR_NO_MEMORY;
    }
    made->info.tags = (char **)(uintptr_t)tags; /* the wire's texts are not const; nobody writes to them */
    pulse_key_text(row->key, made->key);
    made->info.public_key = made->key;
    made->info.name = wire_text(name);
    made->info.role = wire_text(row->role == PULSE_PEER_WORKER ? "worker" : "client");
    made->info.has_revoked = true;
    made->info.revoked = row->revoked_ms != 0;
    made->info.has_enrolled_ms = true;
    made->info.enrolled_ms = (uint64_t)row->enrolled_ms;
    list->items[list->count++] = &made->info;
    return LH_OK;
}

void pulse_ask_peers(struct pulse_question *question)
{
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    struct peer_list list = {.arena = &question->arena};
    if (store == NULL) {
        return;
    }
    list.items = lh_arena_array(&question->arena, LIST_MAX, sizeof *list.items);
    enum lh_status status =
        list.items == NULL ? lh_error_no_memory(&error) : pulse_store_peers(store, take_peer, &list, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Peers answer = WIRE__PEERS__INIT;
    answer.peers = list.items;
    answer.n_peers = list.count;
    WIRE_BODY(&envelope, PEERS, peers, &answer);
    pulse_question_answer(question, &envelope);
}
