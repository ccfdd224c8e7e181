/* SPDX-License-Identifier: MIT */
/* The conversation with Pulse, as proto/README.md has it from a worker's side. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "engine/node/node_parts.h"
#include "proto/link/endpoint.h"

#define NS_PER_MS UINT64_C(1000000)
#define GREET_AGAIN_NS (10 * LH_CLOCK_SECOND_NS) /* without a Welcome */
#define PROGRESS_NS (LH_CLOCK_SECOND_NS / 2)
#define FAILED_BEATS 3  /* after that a Failed that nobody acknowledged has been heard or was not wanted */
#define UNHEARD_BEATS 1 /* a result is told again when nothing was said of it for so long */
#define RETRY_MS 1000   /* of a result that Pulse could not take just now */
#define RETRY_MOST_MS 30000

static const char *verdict_text(Wire__Ack__Verdict verdict)
{
    switch (verdict) {
    case WIRE__ACK__VERDICT__COMMITTED:
        return "committed";
    case WIRE__ACK__VERDICT__IDENTICAL:
        return "identical";
    case WIRE__ACK__VERDICT__STALE:
        return "stale";
    case WIRE__ACK__VERDICT__CONFLICT:
        return "conflict";
    case _WIRE__ACK__VERDICT_IS_INT_SIZE:
        break;
    }
    return "unknown";
}

static const char *kind_text(Wire__Failed__Kind kind)
{
    switch (kind) {
    case WIRE__FAILED__KIND__LOST:
        return "lost";
    case WIRE__FAILED__KIND__FAILED:
        return "failed";
    case WIRE__FAILED__KIND__INPUT_MISSING:
        return "input missing";
    case WIRE__FAILED__KIND__REFUSED:
        return "refused";
    case WIRE__FAILED__KIND__CANCELLED:
        return "cancelled";
    case _WIRE__FAILED__KIND_IS_INT_SIZE:
        break;
    }
    return "unknown";
}

void engine_session_greet(struct engine_node *node)
{
    if (!node->joined || node->stock == NULL) {
        return;
    }
    node->state = ENGINE_NODE_GREETING;
    node->granted = 0;
    node->taken = 0;
    node->told_drain = false;
    node->greet_again_ns = lh_clock_monotonic_ns() + GREET_AGAIN_NS;
    engine_say_hello(node);
}

void engine_session_drain(struct engine_node *node)
{
    if (node->state != ENGINE_NODE_AT_WORK || node->told_drain) {
        return;
    }
    Wire__Drain drain = WIRE__DRAIN__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, DRAIN, drain, &drain);
    node->told_drain = engine_say(node, &envelope, 0, NULL) != 0;
}

void engine_session_bye(struct engine_node *node)
{
    if (node->state != ENGINE_NODE_AT_WORK) {
        return;
    }
    Wire__Bye bye = WIRE__BYE__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, BYE, bye, &bye);
    (void)engine_say(node, &envelope, 0, NULL);
}

/* ---- Welcome */

/* A Pulse that went and came back has fresh leases for what we hold: work goes on, and results that nobody acknowledged
   are told again. What is not ours any more Pulse withdraws when the beat lists it. */
static void tell_again(struct engine_node *node)
{
    for (struct engine_attempt *at = node->attempts; at != NULL; at = at->next) {
        if (at->finished) {
            engine_say_outcome(node, at);
        }
    }
}

static void point(struct engine_node *node, const Wire__Welcome *welcome, bool *local)
{
    struct lh_error error = LH_ERROR_INIT;
    char endpoint[WIRE_ENDPOINT_SIZE];
    struct engine_depot_view view = {.endpoint = welcome->bulk_endpoint != NULL ? endpoint : NULL};
    if (welcome->host != NULL && strcmp(welcome->host->token_file, LH_BLOBS_TOKEN_FILE) == 0 &&
        welcome->host->token.len == LH_BLOBS_TOKEN_SIZE) {
        view.folder = welcome->host->folder;
        view.token = welcome->host->token.data;
    }
    if ((view.endpoint != NULL &&
         wire_endpoint_meant(welcome->bulk_endpoint, node->settings->endpoint, endpoint, &error) != LH_OK) ||
        engine_depot_point(node->depot, &view, local, &error) != LH_OK) {
        LH_LOG(LH_LOG_ERROR, "Pulse's media cannot be reached", LH_LOG_TEXT("message", error.message));
    }
}

static void hear_welcome(struct engine_node *node, const Wire__Welcome *welcome)
{
    if (node->state != ENGINE_NODE_GREETING) {
        return;
    }
    bool local = false;
    node->state = ENGINE_NODE_AT_WORK;
    node->beat_ms = welcome->beat_ms;
    point(node, welcome, &local);
    LH_LOG(LH_LOG_INFO, "welcomed", LH_LOG_NUMBER("beat_ms", welcome->beat_ms),
           LH_LOG_NUMBER("lease_ms", welcome->lease_ms), LH_LOG_NUMBER("epoch", welcome->epoch),
           LH_LOG_TEXT("media", local ? "here" : "remote"));
    if (welcome->inventory_wanted) {
        engine_say_inventory(node);
    }
    tell_again(node);
    engine_say_beat(node);
    node->next_beat_ns = lh_clock_monotonic_ns() + node->beat_ms * NS_PER_MS;
    if (node->end != ENGINE_NODE_STAYS) {
        engine_session_drain(node);
    }
    engine_say_credit(node);
}

/* ---- assignments */

/* Another attempt at the same shard is out of date. */
static void outdate(struct engine_node *node, uint64_t shard)
{
    for (struct engine_attempt *at = node->attempts, *next; at != NULL; at = next) {
        next = at->next;
        if (at->shard == shard && at->finished) {
            engine_node_drop(node, at, false);
        } else if (at->shard == shard) {
            engine_node_stop(at, ENGINE_STOP_CANCELLED);
        }
    }
}

static void hear_assign(struct engine_node *node, struct lh_arena *arena, const Wire__Envelope *envelope)
{
    const Wire__Assign *assign = envelope->assign;
    node->taken++;
    if (node->state != ENGINE_NODE_AT_WORK || engine_node_find(node, assign->shard, assign->attempt) != NULL) {
        return; /* said twice, or by a Pulse that has not welcomed us */
    }
    outdate(node, assign->shard);
    if (node->end != ENGINE_NODE_STAYS || node->free_count == 0) {
        engine_say_failed(node, assign->shard, assign->attempt, WIRE__FAILED__KIND__REFUSED,
                          node->end != ENGINE_NODE_STAYS ? "this node ends" : "this node has no free slot");
        return;
    }
    struct engine_attempt *attempt = engine_attempt_new(arena, assign, envelope->trace);
    if (attempt == NULL) {
        engine_say_failed(node, assign->shard, assign->attempt, WIRE__FAILED__KIND__REFUSED, "memory is out");
        return;
    }
    attempt->next = node->attempts;
    node->attempts = attempt;
    LH_LOG(LH_LOG_DEBUG, "attempt begins", LH_LOG_NUMBER("shard", attempt->shard),
           LH_LOG_NUMBER("attempt", attempt->number), LH_LOG_NUMBER("tenant", attempt->tenant),
           LH_LOG_TEXT("trace", attempt->trace));
    engine_node_start(node, attempt);
}

static void hear_cancel(struct engine_node *node, const Wire__Cancel *cancel)
{
    struct engine_attempt *attempt = engine_node_find(node, cancel->shard, cancel->attempt);
    if (attempt == NULL) {
        engine_say_failed(node, cancel->shard, cancel->attempt, WIRE__FAILED__KIND__CANCELLED, "it is not held");
    } else if (attempt->finished) {
        engine_node_drop(node, attempt, false);
        engine_say_failed(node, cancel->shard, cancel->attempt, WIRE__FAILED__KIND__CANCELLED, "it was finished");
    } else {
        engine_node_stop(attempt, ENGINE_STOP_CANCELLED);
    }
}

static void hear_ack(struct engine_node *node, const Wire__Ack *ack)
{
    struct engine_attempt *attempt = engine_node_find(node, ack->shard, ack->attempt);
    if (attempt == NULL || !attempt->finished) {
        return;
    }
    bool adopted = ack->verdict == WIRE__ACK__VERDICT__COMMITTED;
    LH_LOG(ack->verdict == WIRE__ACK__VERDICT__CONFLICT ? LH_LOG_WARNING : LH_LOG_DEBUG, "result acknowledged",
           LH_LOG_NUMBER("shard", ack->shard), LH_LOG_NUMBER("attempt", ack->attempt),
           LH_LOG_TEXT("verdict", verdict_text(ack->verdict)), LH_LOG_TEXT("trace", attempt->trace));
    engine_node_drop(node, attempt, adopted);
    engine_say_credit(node);
}

/* ---- errors */

/* Pulse could not take a result: later, if that may help, else it is lost. */
static void hear_refusal(struct engine_node *node, struct engine_attempt *attempt, const Wire__Error *refusal)
{
    uint32_t retry_ms = refusal->has_retry_after_ms ? refusal->retry_after_ms : RETRY_MS;
    retry_ms = retry_ms < RETRY_MOST_MS ? retry_ms : RETRY_MOST_MS;
    if (wire_error_status(refusal->code) == LH_ERR_UNAVAILABLE) {
        attempt->said = 0;
        attempt->retry_ns = lh_clock_monotonic_ns() + retry_ms * NS_PER_MS;
        return;
    }
    uint64_t shard = attempt->shard;
    uint32_t number = attempt->number;
    bool complete = attempt->outcome.complete;
    engine_node_drop(node, attempt, false);
    if (complete) {
        engine_say_failed(node, shard, number, WIRE__FAILED__KIND__LOST, "Pulse could not take its result");
    }
}

static void hear_error(struct engine_node *node, const Wire__Envelope *envelope)
{
    const Wire__Error *told = envelope->error;
    LH_LOG(LH_LOG_WARNING, "Pulse reports an error", LH_LOG_TEXT("message", told->message),
           LH_LOG_TEXT("where", told->where), LH_LOG_NUMBER("code", (uint64_t)told->code),
           LH_LOG_NUMBER("correlation", envelope->correlation));
    for (struct engine_attempt *at = node->attempts; at != NULL && envelope->has_correlation; at = at->next) {
        if (at->finished && at->said == envelope->correlation) {
            hear_refusal(node, at, told);
            return;
        }
    }
    if (node->state == ENGINE_NODE_GREETING) {
        uint32_t retry_ms = told->has_retry_after_ms ? told->retry_after_ms : RETRY_MS;
        node->greet_again_ns = lh_clock_monotonic_ns() + (uint64_t)retry_ms * NS_PER_MS;
    }
}

/* ---- events */

static void hear(struct engine_node *node, struct lh_arena *arena, const Wire__Envelope *envelope)
{
    /* Only what Pulse says to a worker is listed: what else it may say is not for us. */
    if (envelope->body_case == WIRE__ENVELOPE__BODY_WELCOME) {
        hear_welcome(node, envelope->welcome);
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_ASSIGN) {
        hear_assign(node, arena, envelope);
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_CANCEL) {
        hear_cancel(node, envelope->cancel);
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_ACK) {
        hear_ack(node, envelope->ack);
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_DRAIN_REQUEST) {
        engine_node_end(node, ENGINE_NODE_DRAINS, "Pulse asks for it");
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_ERROR) {
        hear_error(node, envelope);
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_SHUTDOWN) {
        lh_log_write(LH_LOG_INFO, "Pulse goes; what is held is kept", NULL, 0);
    } else {
        LH_LOG(LH_LOG_DEBUG, "a message that means nothing here",
               LH_LOG_TEXT("body", wire_body_name(envelope->body_case)));
    }
}

static void hear_bytes(struct engine_node *node, const struct wire_event *event)
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    const Wire__Envelope *envelope = NULL;
    lh_arena_init(&arena);
    enum lh_status status = wire_envelope_unpack(event->envelope, event->envelope_size, &arena, &envelope, &error);
    if (status == LH_OK && wire_version_common(envelope->version_min, envelope->version_max) == 0) {
        status = lh_error_set(&error, LH_ERR_UNSUPPORTED, NULL, "Pulse speaks versions %u to %u, this node %d to %d",
                              envelope->version_min, envelope->version_max, WIRE_VERSION_MIN, WIRE_VERSION_MAX);
    }
    if (status == LH_OK) {
        hear(node, &arena, envelope);
    } else {
        LH_LOG(LH_LOG_ERROR, "Pulse said what makes no sense", LH_LOG_TEXT("message", error.message),
               LH_LOG_TEXT("where", error.where));
    }
    lh_arena_fini(&arena);
}

static void go_away(struct engine_node *node, enum wire_gone gone)
{
    if (node->joined || gone == WIRE_GONE_REFUSED) {
        bool refused = gone == WIRE_GONE_REFUSED;
        LH_LOG(LH_LOG_WARNING, refused ? "Pulse does not let this node in" : "Pulse is gone",
               LH_LOG_TEXT("endpoint", node->settings->endpoint),
               LH_LOG_TEXT("why", refused ? "its key is not enrolled, or Pulse has another than --server-key" : NULL));
        node->tell_away_ns = UINT64_MAX;
    }
    node->joined = false;
    node->state = ENGINE_NODE_AWAY;
    for (struct engine_attempt *at = node->attempts; at != NULL; at = at->next) {
        at->said = 0;
        at->retry_ns = 0;
    }
}

void engine_session_event(struct engine_node *node, struct wire_event *event)
{
    switch (event->kind) {
    case WIRE_JOINED:
        node->joined = true;
        node->tell_away_ns = UINT64_MAX;
        node->said = 0;
        engine_session_greet(node);
        break;
    case WIRE_MESSAGE:
        if (node->joined) {
            hear_bytes(node, event);
        }
        break;
    case WIRE_GONE:
        go_away(node, event->gone);
        break;
    }
    wire_event_free(event);
}

/* ---- what is due */

void engine_session_finished(struct engine_node *node, struct engine_attempt *attempt)
{
    const struct engine_outcome *outcome = &attempt->outcome;
    const struct engine_spent *spent = &outcome->spent;
    attempt->finished = true;
    LH_LOG(outcome->complete || outcome->kind == WIRE__FAILED__KIND__CANCELLED ? LH_LOG_INFO : LH_LOG_WARNING,
           "attempt ends", LH_LOG_TEXT("node", node->settings->name), LH_LOG_NUMBER("shard", attempt->shard),
           LH_LOG_NUMBER("attempt", attempt->number), LH_LOG_NUMBER("tenant", attempt->tenant),
           LH_LOG_TEXT("outcome", outcome->complete ? "complete" : kind_text(outcome->kind)),
           LH_LOG_NUMBER("ms", spent->wall_ns / NS_PER_MS), LH_LOG_NUMBER("frames", spent->frames),
           LH_LOG_NUMBER("first_block_us", spent->first_block_ns > attempt->received_ns
                                               ? (spent->first_block_ns - attempt->received_ns) / 1000
                                               : 0),
           LH_LOG_NUMBER("fetched", spent->fetched_bytes),
           LH_LOG_TEXT("message", outcome->complete ? NULL : outcome->error.message),
           LH_LOG_TEXT("where", outcome->complete ? NULL : outcome->error.where), LH_LOG_TEXT("trace", attempt->trace));
    if (node->state == ENGINE_NODE_AT_WORK) {
        engine_say_outcome(node, attempt);
    }
    if (!outcome->complete && outcome->kind == WIRE__FAILED__KIND__CANCELLED) {
        engine_node_drop(node, attempt, false); /* as asked: there is nothing to be kept */
    }
    engine_say_credit(node);
}

/* A Failed is kept for a while, in case the connection broke under it; it is not acknowledged like a result. */
static bool is_stale_failure(const struct engine_node *node, const struct engine_attempt *attempt, uint64_t now_ns)
{
    return attempt->finished && !attempt->outcome.complete && attempt->said != 0 &&
           now_ns - attempt->said_ns > FAILED_BEATS * node->beat_ms * NS_PER_MS;
}

/* Whether it is time to tell of a result, for the first time or again: Pulse forgets those that come while its store is
   out of reach, and whoever was told twice finds them identical. */
static bool is_to_be_told(const struct engine_node *node, const struct engine_attempt *attempt, uint64_t now_ns)
{
    if (attempt->finished && attempt->said == 0) {
        return now_ns >= attempt->retry_ns;
    }
    return attempt->finished && attempt->outcome.complete &&
           now_ns - attempt->said_ns > UNHEARD_BEATS * node->beat_ms * NS_PER_MS;
}

static void look_at_attempts(struct engine_node *node, uint64_t now_ns)
{
    for (struct engine_attempt *at = node->attempts, *next; at != NULL; at = next) {
        next = at->next;
        if (is_stale_failure(node, at, now_ns)) {
            engine_node_drop(node, at, false);
        } else if (is_to_be_told(node, at, now_ns)) {
            engine_say_outcome(node, at);
        } else if (!at->finished && atomic_load_explicit(&at->done, memory_order_relaxed) != at->told_done) {
            engine_say_progress(node, at);
        }
    }
}

void engine_session_tick(struct engine_node *node, uint64_t now_ns)
{
    if (!node->joined && now_ns >= node->tell_away_ns) {
        LH_LOG(LH_LOG_WARNING, "Pulse does not answer", LH_LOG_TEXT("endpoint", node->settings->endpoint));
        node->tell_away_ns = UINT64_MAX;
    }
    if (node->state == ENGINE_NODE_GREETING && now_ns >= node->greet_again_ns) {
        engine_session_greet(node);
    }
    if (node->state != ENGINE_NODE_AT_WORK) {
        return;
    }
    if (now_ns >= node->next_look_ns) {
        look_at_attempts(node, now_ns);
        node->next_look_ns = now_ns + PROGRESS_NS;
    }
    if (now_ns >= node->next_beat_ns) {
        engine_say_beat(node);
        node->next_beat_ns = now_ns + node->beat_ms * NS_PER_MS;
        engine_say_credit(node);
    }
}

uint64_t engine_session_wake_ns(const struct engine_node *node)
{
    if (node->state == ENGINE_NODE_GREETING) {
        return node->greet_again_ns;
    }
    if (node->state != ENGINE_NODE_AT_WORK) {
        return UINT64_MAX;
    }
    bool looks = node->attempts != NULL && node->next_look_ns < node->next_beat_ns;
    return looks ? node->next_look_ns : node->next_beat_ns;
}
