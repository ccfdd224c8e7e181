/* SPDX-License-Identifier: MIT */
/* What workers say of their attempts. */
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "pulse-daemon/service/errors.h"
#include "pulse-daemon/service/learning.h"
#include "pulse-daemon/service/workers_parts.h"

#define INCOMING "incoming/"

/* ---- beats ---- */

/* What it had before this session is not given back by credits of this one. */
static void note_carried(struct pulse_workers *workers, struct pulse_session *session, const Wire__Beat *beat)
{
    for (size_t i = 0; i < beat->n_held; i++) {
        const Wire__Held *held = beat->held[i];
        if (held->finished || pulse_session_claim(session, held->shard, held->attempt) != NULL) {
            continue;
        }
        struct pulse_claim *claim = pulse_claim_new();
        if (claim != NULL) {
            claim->shard = held->shard;
            claim->attempt = held->attempt;
            pulse_session_add_claim(session, claim);
            session->carried++;
        }
    }
    session->beaten = true;
    pulse_workers_tell_credits(workers, session);
}

static struct pulse_farm_held held_of(const Wire__Held *held)
{
    double done = held->total > 0 ? (double)held->done / (double)held->total : 0;
    return (struct pulse_farm_held){
        .shard = held->shard,
        .attempt = held->attempt,
        .running = !held->finished,
        .progress = held->done + held->moved,
        .done = held->finished ? 1.0f : (float)done,
    };
}

static void tell_held(struct pulse_workers *workers, struct pulse_session *session, enum pulse_farm_event_kind kind,
                      Wire__Held *const *from, size_t count)
{
    struct pulse_task *task = pulse_workers_event(session, kind);
    struct pulse_farm_held *held = task != NULL ? lh_arena_array(&task->arena, count, sizeof *held) : NULL;
    if (held == NULL) {
        pulse_task_free(task);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        held[i] = held_of(from[i]);
    }
    task->event.held = held;
    task->event.held_count = count;
    pulse_decider_ask(workers->options.decider, task, kind == PULSE_FARM_BEAT);
}

void pulse_workers_beat(struct pulse_workers *workers, struct pulse_session *session, const Wire__Beat *beat)
{
    if (!session->beaten) {
        note_carried(workers, session, beat);
    }
    tell_held(workers, session, PULSE_FARM_BEAT, beat->held, beat->n_held);
}

/* For whoever looks on: beats are too rare for eyes. */
void pulse_workers_progress(struct pulse_workers *workers, struct pulse_session *session,
                            const Wire__Progress *progress)
{
    if (atomic_load_explicit(&workers->watched, memory_order_relaxed)) {
        tell_held(workers, session, PULSE_FARM_PROGRESS, (Wire__Held *const *)&progress->held, 1);
    }
}

/* ---- results ---- */

/* The first word on an attempt frees what it held. */
static struct pulse_claim *end_claim(struct pulse_workers *workers, struct pulse_session *session, uint64_t shard,
                                     uint32_t attempt)
{
    struct pulse_claim *claim = pulse_session_claim(session, shard, attempt);
    if (claim != NULL && !claim->ended) {
        claim->ended = true;
        session->ended++;
        pulse_workers_tell_credits(workers, session);
    }
    return claim;
}

static bool copy_digest(const ProtobufCBinaryData *bytes, struct lh_digest *digest)
{
    bool fits = bytes->len == sizeof digest->bytes;
    if (fits) {
        memcpy(digest->bytes, bytes->data, sizeof digest->bytes);
    }
    return fits;
}

/* How it is to be kept, and what it tells of. Of an attempt that an earlier process of ours handed out nothing is
   known: as a deliverable. */
static void fill_kind(struct pulse_arrival_output *output, const struct pulse_claim *claim)
{
    output->kind = LH_BLOBS_KEPT;
    for (size_t i = 0; claim != NULL && i < claim->output_count; i++) {
        if (lh_digest_equal(&claim->outputs[i].key, &output->key)) {
            output->kind = claim->outputs[i].kind == PULSE_OUTPUT_FILE ? LH_BLOBS_KEPT : LH_BLOBS_CACHED;
            output->is_facts = claim->probed != NULL;
            output->probed = output->is_facts ? claim->probed[i] : output->probed;
            return;
        }
    }
}

/* "incoming/NAME" of the media folder: only a worker of this host has such. */
static const char *incoming_name(bool local, const Wire__Blob *blob)
{
    const char *path = blob->location != NULL && local ? blob->location->path : NULL;
    bool inside =
        path != NULL && strncmp(path, INCOMING, strlen(INCOMING)) == 0 && strchr(path + strlen(INCOMING), '/') == NULL;
    return inside ? path + strlen(INCOMING) : NULL;
}

/* The latency that a shard without frames was made to find out: it is told beside the output whose key asked. */
static bool fill_latency(struct pulse_arrival *arrival, const Wire__Complete *complete, size_t index)
{
    struct pulse_arrival_output *output = &arrival->outputs[index];
    if (output->size != 0 || output->facts_size != 0 || complete->n_inserts != complete->n_outputs) {
        return true;
    }
    uint8_t *facts = lh_arena_alloc(&arrival->arena, sizeof(uint32_t));
    if (facts == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof(uint32_t); i++) {
        facts[i] = (uint8_t)(complete->inserts[index]->latency >> (8 * i));
    }
    output->facts = facts;
    output->facts_size = sizeof(uint32_t);
    return true;
}

static bool fill_output(bool local, struct pulse_arrival *arrival, const struct pulse_claim *claim,
                        const Wire__ShardOutput *from, struct pulse_arrival_output *to)
{
    const char *name = incoming_name(local, from->blob);
    if (!copy_digest(&from->key, &to->key) || !copy_digest(&from->blob->digest, &to->digest)) {
        return false;
    }
    to->size = from->blob->size;
    fill_kind(to, claim);
    to->facts_size = from->has_facts ? from->facts.len : 0;
    void *facts = lh_arena_alloc(&arrival->arena, to->facts_size);
    if (facts != NULL && to->facts_size > 0) {
        memcpy(facts, from->facts.data, to->facts_size);
    }
    to->facts = facts;
    to->incoming = name != NULL ? lh_arena_strdup(&arrival->arena, name) : NULL;
    return facts != NULL && (name == NULL || to->incoming != NULL);
}

/* The core takes results in the order of the shard's outputs, whatever order they came in. */
static size_t place_of(const struct pulse_claim *claim, const Wire__Complete *complete, size_t index)
{
    size_t count = claim != NULL ? claim->output_count : 0;
    for (size_t i = 0; i < count && count == complete->n_outputs; i++) {
        struct lh_digest key;
        if (copy_digest(&complete->outputs[index]->key, &key) && lh_digest_equal(&key, &claim->outputs[i].key)) {
            return i;
        }
    }
    return index;
}

/* Each attempt once, however often its result comes; and no more than the planner keeps up with. */
static void teach(struct pulse_workers *workers, const struct pulse_session *session, const Wire__Complete *complete)
{
    const struct pulse_claim *claim = pulse_session_claim(session, complete->shard, complete->attempt);
    struct pulse_mailbox *box = workers->options.lessons;
    if (claim == NULL || claim->ended || pulse_mailbox_count(box) >= PULSE_LESSONS_MOST) {
        return;
    }
    struct pulse_lesson *lesson = pulse_lesson_new(claim->tenant, complete);
    if (lesson != NULL) {
        (void)pulse_mailbox_put(box, &lesson->mail, true);
    }
}

void pulse_workers_complete(struct pulse_workers *workers, struct pulse_session *session,
                            const Wire__Complete *complete)
{
    teach(workers, session, complete);
    const struct pulse_claim *claim = end_claim(workers, session, complete->shard, complete->attempt);
    struct pulse_arrival *arrival = pulse_arrival_new();
    if (arrival == NULL) {
        return; /* it is said again until it is acknowledged */
    }
    arrival->worker = lh_arena_strdup(&arrival->arena, session->name);
    arrival->session = session->number;
    arrival->shard = complete->shard;
    arrival->attempt = complete->attempt;
    arrival->tenant = claim != NULL ? claim->tenant : 0;
    arrival->outputs = lh_arena_array(&arrival->arena, complete->n_outputs, sizeof *arrival->outputs);
    arrival->output_count = complete->n_outputs;
    bool good = arrival->worker != NULL && arrival->outputs != NULL;
    for (size_t i = 0; good && i < complete->n_outputs; i++) {
        good = fill_output(pulse_session_is_local(session), arrival, claim, complete->outputs[i],
                           &arrival->outputs[place_of(claim, complete, i)]);
    }
    for (size_t i = 0; good && i < complete->n_outputs; i++) {
        good = fill_latency(arrival, complete, i);
    }
    if (!good) {
        pulse_arrival_free(arrival);
        return;
    }
    pulse_intake_put(workers->options.intake, arrival);
}

/* ---- failures ---- */

/* The output whose blob the worker could not get, if it is one and the blob is gone indeed. */
static const struct pulse_output_row *find_lost(struct pulse_workers *workers, const struct pulse_claim *claim,
                                                const Wire__Failed *failed)
{
    for (size_t i = 0; claim != NULL && i < failed->n_missing; i++) {
        struct lh_digest key;
        if (!copy_digest(&failed->missing[i], &key)) {
            continue;
        }
        for (size_t k = 0; k < claim->input_count; k++) {
            struct lh_blob blob;
            int fd;
            if (!lh_digest_equal(&claim->inputs[k].key, &key)) {
                continue;
            }
            if (lh_blobs_read(workers->options.blobs, &claim->inputs[k].digest, &fd, &blob, NULL) != LH_OK) {
                return &claim->inputs[k];
            }
            close(fd);
        }
    }
    return NULL;
}

static enum pulse_farm_event_kind event_of(Wire__Failed__Kind kind)
{
    switch ((int)kind) {
    case WIRE__FAILED__KIND__LOST:
        return PULSE_FARM_LOST;
    case WIRE__FAILED__KIND__CANCELLED:
        return PULSE_FARM_RETURNED;
    default:
        return PULSE_FARM_FAILED;
    }
}

void pulse_workers_failed(struct pulse_workers *workers, struct pulse_session *session, const Wire__Failed *failed)
{
    struct pulse_claim *claim = end_claim(workers, session, failed->shard, failed->attempt);
    struct pulse_task *task = pulse_workers_event(session, event_of(failed->kind));
    if (task == NULL) {
        return;
    }
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status code =
        failed->status > LH_OK && failed->status <= LH_STATUS_LAST ? (enum lh_status)failed->status : LH_ERR_INTERNAL;
    (void)lh_error_set(&error, code, failed->where, "%s", failed->message);
    LH_LOG(failed->kind == WIRE__FAILED__KIND__CANCELLED ? LH_LOG_DEBUG : LH_LOG_WARNING, "attempt failed",
           LH_LOG_NUMBER("shard", failed->shard), LH_LOG_NUMBER("attempt", failed->attempt),
           LH_LOG_TEXT("worker", session->name), LH_LOG_TEXT("code", lh_status_text(code)),
           LH_LOG_TEXT("where", error.where), LH_LOG_TEXT("why", error.message),
           LH_LOG_TEXT("trace", claim != NULL ? claim->trace : NULL));
    task->event.shard = failed->shard;
    task->event.attempt = failed->attempt;
    task->event.flag = failed->kind == WIRE__FAILED__KIND__INPUT_MISSING || failed->kind == WIRE__FAILED__KIND__REFUSED;
    const struct pulse_output_row *lost =
        failed->kind == WIRE__FAILED__KIND__INPUT_MISSING ? find_lost(workers, claim, failed) : NULL;
    if (lost != NULL) {
        task->event.kind = PULSE_FARM_MISSING;
        task->event.tenant = lost->tenant;
        task->event.key = lost->key;
    }
    task->event.text = pulse_report_json(&task->arena, &error, failed->has_report ? failed->report.data : NULL,
                                         failed->has_report ? failed->report.len : 0);
    if (claim != NULL) {
        pulse_claim_free(pulse_session_take_claim(session, failed->shard, failed->attempt), workers->options.blobs);
    }
    if (task->event.text == NULL) {
        pulse_task_free(task);
        return; /* no memory: its lease runs out */
    }
    pulse_decider_ask(workers->options.decider, task, true);
}
