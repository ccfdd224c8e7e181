/* SPDX-License-Identifier: MIT */
/* What the decider decided, to the workers. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "graph/shard.h"
#include "pulse-daemon/service/workers_parts.h"

#define RETRY_NS (LH_CLOCK_SECOND_NS / 5)

/* ---- an assignment ---- */

/* A probe's outputs stand as its inputs do, in its spec as in the core. */
static bool note_probed(struct pulse_claim *claim, const struct graph_shard *shard, size_t count)
{
    if (shard->kind != GRAPH_SHARD_PROBE || shard->input_count != count) {
        return true;
    }
    struct pulse_probed *probed = lh_arena_array(&claim->arena, count, sizeof *probed);
    for (size_t i = 0; probed != NULL && i < count; i++) {
        probed[i] = (struct pulse_probed){shard->inputs[i].key, shard->inputs[i].kind == GRAPH_SHARD_MIDI};
    }
    claim->probed = probed;
    return probed != NULL;
}

/* A claim with copies of what will be wanted when its result comes. */
static struct pulse_claim *make_claim(struct pulse_workers *workers, const struct pulse_farm_action *action,
                                      const struct graph_shard *shard, const char *trace)
{
    struct pulse_claim *claim = pulse_claim_new();
    if (claim == NULL) {
        return NULL;
    }
    struct pulse_output_row *inputs = lh_arena_array(&claim->arena, action->input_count, sizeof *inputs);
    struct pulse_farm_promise *outputs = lh_arena_array(&claim->arena, action->output_count, sizeof *outputs);
    claim->trace = lh_arena_strdup(&claim->arena, trace);
    if (inputs == NULL || outputs == NULL || claim->trace == NULL || !note_probed(claim, shard, action->output_count)) {
        pulse_claim_free(claim, workers->options.blobs);
        return NULL;
    }
    if (action->input_count > 0) {
        memcpy(inputs, action->inputs, action->input_count * sizeof *inputs);
    }
    if (action->output_count > 0) {
        memcpy(outputs, action->outputs, action->output_count * sizeof *outputs);
    }
    claim->shard = action->shard;
    claim->attempt = action->attempt;
    claim->tenant = action->tenant;
    claim->kind = action->shard_kind;
    claim->inputs = inputs;
    claim->input_count = action->input_count;
    claim->outputs = outputs;
    claim->output_count = action->output_count;
    return claim;
}

/* Where an input's bytes are: an output that another shard made, or a medium as it was uploaded. False: nowhere. */
static bool locate(struct pulse_workers *workers, const struct pulse_farm_action *action,
                   const struct graph_shard_input *input, struct lh_blob *blob)
{
    for (size_t i = 0; i < action->input_count; i++) {
        if (lh_digest_equal(&action->inputs[i].key, &input->key)) {
            *blob = (struct lh_blob){.digest = action->inputs[i].digest, .size = action->inputs[i].size};
            return true;
        }
    }
    return lh_blobs_has(workers->options.blobs, &input->key, blob);
}

static enum lh_status fill_inputs(struct pulse_workers *workers, const struct pulse_farm_action *action,
                                  const struct graph_shard *shard, Wire__Assign *assign, struct lh_error *error)
{
    struct lh_arena *arena = &workers->scratch;
    size_t count = shard->input_count;
    struct {
        Wire__ShardInput input;
        Wire__Blob blob;
        Wire__Location location;
        struct lh_digest digest;
    } *made = lh_arena_array(arena, count, sizeof *made);
    Wire__ShardInput **inputs = lh_arena_array(arena, count, sizeof *inputs);
    if (made == NULL || inputs == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        struct lh_blob blob;
        if (!locate(workers, action, &shard->inputs[i], &blob)) {
            char text[LH_DIGEST_TEXT_SIZE];
            lh_digest_text(&shard->inputs[i].key, text);
            return lh_error_set(error, LH_ERR_MISSING, text, "an input of shard %llu is not in the media store",
                                (unsigned long long)action->shard);
        }
        made[i].digest = blob.digest;
        wire__shard_input__init(&made[i].input);
        wire__blob__init(&made[i].blob);
        wire__location__init(&made[i].location);
        made[i].location.has_bulk = true;
        made[i].location.bulk = true;
        made[i].blob.digest = wire_bytes(made[i].digest.bytes, sizeof made[i].digest.bytes);
        made[i].blob.size = blob.size;
        made[i].blob.location = &made[i].location;
        made[i].input.key = wire_bytes(shard->inputs[i].key.bytes, sizeof shard->inputs[i].key.bytes);
        made[i].input.blob = &made[i].blob;
        inputs[i] = &made[i].input;
    }
    assign->inputs = inputs;
    assign->n_inputs = count;
    return LH_OK;
}

static enum lh_status fill_outputs(struct pulse_workers *workers, const struct pulse_farm_action *action,
                                   Wire__Assign *assign, struct lh_error *error)
{
    ProtobufCBinaryData *keys = lh_arena_array(&workers->scratch, action->output_count, sizeof *keys);
    if (keys == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < action->output_count; i++) {
        keys[i] = wire_bytes(action->outputs[i].key.bytes, sizeof action->outputs[i].key.bytes);
    }
    assign->outputs = keys;
    assign->n_outputs = action->output_count;
    return LH_OK;
}

/* By which the core goes, too. The worker may have stricter ones. */
static void fill_limits(const struct pulse_workers *workers, const struct pulse_farm_action *action,
                        Wire__Limits *limits)
{
    limits->has_no_progress_ms = limits->has_hard_ms = true;
    limits->no_progress_ms = action->no_progress_ms;
    limits->hard_ms = action->hard_ms;
    limits->has_memory = workers->options.memory_bytes > 0;
    limits->memory = workers->options.memory_bytes;
}

static enum lh_status keep_spec(void *context, size_t index, const struct pulse_spec *spec)
{
    struct pulse_specs *specs = context;
    void *copy = lh_arena_alloc(&specs->arena, spec->size);
    const char *trace = lh_arena_strdup(&specs->arena, spec->trace);
    if (copy == NULL || trace == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    if (spec->size > 0) {
        memcpy(copy, spec->data, spec->size);
    }
    specs->items[index] = (struct pulse_spec){copy, spec->size, trace};
    return LH_OK;
}

static void forget_specs(struct pulse_specs *specs)
{
    lh_arena_fini(&specs->arena);
    specs->count = 0;
}

/* Those of the next actions, whatever these are: what has none is not found. */
static enum lh_status read_specs(struct pulse_workers *workers, struct lh_error *error)
{
    const struct pulse_orders *orders = (const struct pulse_orders *)workers->pending;
    struct pulse_specs *specs = &workers->specs;
    struct pulse_shard_name names[PULSE_SPECS_MAX];
    forget_specs(specs);
    specs->first = workers->pending_at;
    size_t left = orders->action_count - specs->first, count = left < PULSE_SPECS_MAX ? left : PULSE_SPECS_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct pulse_farm_action *action = &orders->actions[specs->first + i];
        bool assigns = action->kind == PULSE_FARM_ASSIGN;
        names[i] = (struct pulse_shard_name){assigns ? action->tenant : 0, assigns ? action->shard : 0};
        specs->items[i].data = NULL;
    }
    enum lh_status status = workers->store == NULL
                                ? pulse_store_open(workers->options.store, PULSE_STORE_READ, &workers->store, error)
                                : LH_OK;
    status = status == LH_OK ? pulse_store_specs(workers->store, names, count, keep_spec, specs, error) : status;
    specs->count = status == LH_OK ? count : 0;
    return status;
}

/* Of the action that is being carried out. */
static enum lh_status find_spec(struct pulse_workers *workers, const struct pulse_farm_action *action,
                                struct pulse_spec *spec, struct lh_error *error)
{
    struct pulse_specs *specs = &workers->specs;
    bool there = workers->pending_at >= specs->first && workers->pending_at - specs->first < specs->count;
    enum lh_status status = there ? LH_OK : read_specs(workers, error);
    if (status != LH_OK) {
        return status;
    }
    size_t index = workers->pending_at - specs->first;
    if (specs->items[index].data == NULL) {
        return lh_error_set(error, LH_ERR_MISSING, NULL, "shard %llu has no spec", (unsigned long long)action->shard);
    }
    *spec = specs->items[index];
    return LH_OK;
}

/* An attempt that cannot even be sent has not failed by itself, and is not to be forgotten: it goes back. */
static void give_back(struct pulse_workers *workers, struct pulse_session *session,
                      const struct pulse_farm_action *action, const struct lh_error *error)
{
    struct pulse_task *task = pulse_workers_event(session, PULSE_FARM_FAILED);
    LH_LOG(LH_LOG_ERROR, "not assigned", LH_LOG_NUMBER("shard", action->shard), LH_LOG_TEXT("worker", session->name),
           LH_LOG_TEXT("where", error->where), LH_LOG_TEXT("why", error->message));
    if (task != NULL) {
        task->event.shard = action->shard;
        task->event.attempt = action->attempt;
        task->event.text = "{\"message\": \"the shard could not be handed out\", \"where\": \"\"}";
        pulse_decider_ask(workers->options.decider, task, true);
    }
}

/* LH_ERR_UNAVAILABLE, LH_ERR_NO_MEMORY: not now. */
static enum lh_status assign(struct pulse_workers *workers, struct pulse_session *session,
                             const struct pulse_farm_action *action)
{
    struct pulse_spec spec = {.data = NULL};
    struct graph_shard shard;
    struct lh_error error = LH_ERROR_INIT;
    Wire__Assign message = WIRE__ASSIGN__INIT;
    lh_arena_fini(&workers->scratch);
    enum lh_status status = find_spec(workers, action, &spec, &error);
    status = status == LH_OK ? graph_shard_edges(spec.data, spec.size, &workers->scratch, &shard, &error) : status;
    status = status == LH_OK ? fill_inputs(workers, action, &shard, &message, &error) : status;
    status = status == LH_OK ? fill_outputs(workers, action, &message, &error) : status;
    struct pulse_claim *claim = status == LH_OK ? make_claim(workers, action, &shard, spec.trace) : NULL;
    if (status == LH_OK && claim == NULL) {
        status = LH_ERR_NO_MEMORY;
    }
    if (status == LH_ERR_UNAVAILABLE || status == LH_ERR_NO_MEMORY) {
        return status;
    }
    if (status != LH_OK) {
        give_back(workers, session, action, &error);
        return LH_OK;
    }
    message.shard = action->shard;
    message.attempt = action->attempt;
    message.tenant = action->tenant;
    message.kind = (Wire__ShardKind)action->shard_kind;
    message.spec = wire_bytes(spec.data, spec.size);
    Wire__Limits limits = WIRE__LIMITS__INIT;
    fill_limits(workers, action, &limits);
    message.limits = &limits;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    struct pulse_line line = pulse_workers_line(workers, session);
    envelope.trace = spec.trace[0] != '\0' ? wire_text(spec.trace) : NULL;
    WIRE_BODY(&envelope, ASSIGN, assign, &message);
    status = pulse_line_say(&line, &envelope);
    if (status != LH_OK) {
        pulse_claim_free(claim, workers->options.blobs);
        give_back(workers, session, action, &error);
        return LH_OK;
    }
    workers->figures.assigned++;
    pulse_session_add_claim(session, claim);
    return LH_OK;
}

/* ---- the others ---- */

static void withdraw(struct pulse_workers *workers, struct pulse_session *session,
                     const struct pulse_farm_action *action)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Cancel message = WIRE__CANCEL__INIT;
    struct pulse_line line = pulse_workers_line(workers, session);
    message.shard = action->shard;
    message.attempt = action->attempt;
    WIRE_BODY(&envelope, CANCEL, cancel, &message);
    pulse_line_say(&line, &envelope);
}

static Wire__Ack__Verdict verdict_of(enum pulse_farm_verdict verdict)
{
    switch (verdict) {
    case PULSE_FARM_COMMITTED:
        return WIRE__ACK__VERDICT__COMMITTED;
    case PULSE_FARM_IDENTICAL:
        return WIRE__ACK__VERDICT__IDENTICAL;
    case PULSE_FARM_DIFFERENT:
        return WIRE__ACK__VERDICT__CONFLICT;
    case PULSE_FARM_STALE:
    case PULSE_FARM_MALFORMED:
        return WIRE__ACK__VERDICT__STALE;
    }
    return WIRE__ACK__VERDICT__STALE;
}

static void acknowledge(struct pulse_workers *workers, struct pulse_session *session,
                        const struct pulse_farm_action *action)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Ack message = WIRE__ACK__INIT;
    struct pulse_line line = pulse_workers_line(workers, session);
    message.shard = action->shard;
    message.attempt = action->attempt;
    message.verdict = verdict_of(action->verdict);
    WIRE_BODY(&envelope, ACK, ack, &message);
    pulse_line_say(&line, &envelope);
    struct pulse_claim *claim = pulse_session_take_claim(session, action->shard, action->attempt);
    pulse_claim_free(claim, workers->options.blobs);
}

static enum lh_status carry_out(struct pulse_workers *workers, const struct pulse_farm_action *action)
{
    struct pulse_session *session = pulse_sessions_by_name(&workers->sessions, action->worker);
    if (session == NULL || (action->session != 0 && session->number != action->session)) {
        return LH_OK; /* it has gone, which the core learns, too */
    }
    switch (action->kind) {
    case PULSE_FARM_ASSIGN:
        return assign(workers, session, action);
    case PULSE_FARM_WITHDRAW:
        withdraw(workers, session, action);
        break;
    case PULSE_FARM_ACKNOWLEDGE:
        acknowledge(workers, session, action);
        break;
    case PULSE_FARM_DRAINED:
        LH_LOG(LH_LOG_INFO, "worker drained", LH_LOG_TEXT("worker", action->worker));
        break;
    case PULSE_FARM_GREET:
        pulse_workers_join(workers, session);
        break;
    case PULSE_FARM_PLAN:
    case PULSE_FARM_REPLY:
        break;
    }
    return LH_OK;
}

void pulse_workers_carry_out(struct pulse_workers *workers)
{
    while (workers->pending != NULL) {
        struct pulse_orders *orders = (struct pulse_orders *)workers->pending;
        while (workers->pending_at < orders->action_count) {
            if (carry_out(workers, &orders->actions[workers->pending_at]) != LH_OK) {
                pulse_store_close(workers->store);
                workers->store = NULL;
                workers->retry_ns = lh_clock_monotonic_ns() + RETRY_NS;
                return;
            }
            workers->pending_at++;
        }
        forget_specs(&workers->specs);
        workers->pending = orders->mail.next;
        workers->pending_at = 0;
        if (workers->pending == NULL) {
            workers->pending_last = &workers->pending;
        }
        pulse_orders_free(orders);
    }
}

void pulse_workers_take_orders(struct pulse_workers *workers, struct pulse_orders *orders)
{
    bool first = workers->pending == NULL;
    orders->mail.next = NULL;
    *workers->pending_last = &orders->mail;
    workers->pending_last = &orders->mail.next;
    if (first) {
        pulse_workers_carry_out(workers);
    }
}
