/* SPDX-License-Identifier: MIT */
/* Messages from what the agent knows. What cannot be sent now is said again: by the next beat, or after the next
   Welcome. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "engine/node/node_parts.h"

#define CHUNK_BYTES ((size_t)1 << 20)
#define CHUNK_PLUGINS 1024
#define SOFTWARE "loophole-node " LOOPHOLE_VERSION
#define NS_PER_S 1e9

uint64_t engine_say(struct engine_node *node, Wire__Envelope *envelope, uint64_t correlation, const char *trace)
{
    uint8_t *data = NULL;
    size_t size = 0;
    struct lh_error error = LH_ERROR_INIT;
    envelope->id = node->said + 1;
    envelope->has_correlation = correlation != 0;
    envelope->correlation = correlation;
    envelope->trace = trace != NULL && *trace != '\0' ? wire_text(trace) : NULL;
    enum lh_status status = wire_envelope_pack(envelope, &data, &size, &error);
    if (status == LH_OK) {
        struct wire_buffer buffer = {.data = data, .size = size};
        status = wire_link_send(node->link, node->socket, 0, &buffer, NULL);
    }
    if (status != LH_OK) {
        LH_LOG(LH_LOG_ERROR, "a message cannot be sent", LH_LOG_TEXT("body", wire_body_name(envelope->body_case)),
               LH_LOG_TEXT("status", lh_status_text(status)), LH_LOG_TEXT("message", error.message),
               LH_LOG_TEXT("where", error.where));
        return 0;
    }
    return ++node->said;
}

static ProtobufCBinaryData bytes_of(const struct lh_digest *digest)
{
    return wire_bytes(digest->bytes, sizeof digest->bytes);
}

void engine_say_hello(struct engine_node *node)
{
    const struct engine_node_settings *settings = node->settings;
    char *tags[ENGINE_NODE_TAGS_MAX];
    Wire__Hello hello = WIRE__HELLO__INIT;
    hello.name = wire_text(settings->name);
    hello.session = wire_bytes(node->session, sizeof node->session);
    hello.host = node->host;
    hello.slots = settings->slots;
    hello.engine = wire_text(node->stock->engine);
    hello.cpu_class = wire_text(node->stock->cpu_class);
    hello.software = wire_text(SOFTWARE);
    hello.inventory = bytes_of(&node->stock->digest);
    hello.n_tags = settings->tag_count;
    hello.tags = tags;
    for (size_t i = 0; i < settings->tag_count; i++) {
        tags[i] = wire_text(settings->tags[i]);
    }
    hello.has_threads = true;
    hello.threads = settings->slots * settings->threads;
    hello.jail = wire_text(node->stock->jail);
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, HELLO, hello, &hello);
    (void)engine_say(node, &envelope, 0, NULL);
}

static void fill_plugin(Wire__Plugin *message, const struct engine_stock_plugin *plugin)
{
    *message = (Wire__Plugin)WIRE__PLUGIN__INIT;
    message->uri = wire_text(plugin->uri);
    message->digest = bytes_of(&plugin->digest);
    message->has_facts = true;
    message->facts = wire_bytes(plugin->facts, plugin->facts_size);
    message->has_evidence = plugin->evidence_size > 0;
    message->evidence = wire_bytes(plugin->evidence, plugin->evidence_size);
}

/* In chunks that keep a message small: beats must get through between them. */
void engine_say_inventory(struct engine_node *node)
{
    const struct engine_stock *stock = node->stock;
    static Wire__Plugin plugins[CHUNK_PLUGINS];
    static Wire__Plugin *pointers[CHUNK_PLUGINS];
    size_t next = 0;
    uint32_t index = 0;
    do {
        size_t count = 0;
        for (size_t bytes = 0; next < stock->plugin_count && count < CHUNK_PLUGINS && bytes < CHUNK_BYTES; next++) {
            fill_plugin(&plugins[count], &stock->plugins[next]);
            pointers[count] = &plugins[count];
            count++;
            bytes += stock->plugins[next].facts_size + stock->plugins[next].evidence_size;
        }
        Wire__Inventory inventory = WIRE__INVENTORY__INIT;
        inventory.inventory = bytes_of(&stock->digest);
        inventory.index = index++;
        inventory.last = next == stock->plugin_count;
        inventory.n_plugins = count;
        inventory.plugins = pointers;
        Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
        WIRE_BODY(&envelope, INVENTORY, inventory, &inventory);
        if (engine_say(node, &envelope, 0, NULL) == 0) {
            return;
        }
    } while (next < stock->plugin_count);
}

static void fill_held(Wire__Held *held, const struct engine_attempt *attempt)
{
    *held = (Wire__Held)WIRE__HELD__INIT;
    uint64_t total = atomic_load_explicit(&attempt->total, memory_order_relaxed);
    held->shard = attempt->shard;
    held->attempt = attempt->number;
    held->has_done = true;
    held->done = atomic_load_explicit(&attempt->done, memory_order_relaxed);
    held->has_total = total > 0;
    held->total = total;
    held->has_moved = true;
    held->moved = atomic_load_explicit(&attempt->moved, memory_order_relaxed);
    held->has_finished = attempt->finished;
    held->finished = attempt->finished;
}

/* A failure that was told is not held any more: if it did not arrive, Pulse misses it in the beats. */
static bool is_listed(const struct engine_attempt *attempt)
{
    return !attempt->finished || attempt->outcome.complete || attempt->said == 0;
}

void engine_say_beat(struct engine_node *node)
{
    size_t count = 0;
    for (const struct engine_attempt *at = node->attempts; at != NULL; at = at->next) {
        count++;
    }
    Wire__Held *held = calloc(count + 1, sizeof *held);
    Wire__Held **pointers = calloc(count + 1, sizeof *pointers);
    if (held != NULL && pointers != NULL) {
        size_t filled = 0;
        for (const struct engine_attempt *at = node->attempts; at != NULL; at = at->next) {
            if (is_listed(at)) {
                fill_held(&held[filled], at);
                pointers[filled] = &held[filled];
                filled++;
            }
        }
        Wire__Beat beat = WIRE__BEAT__INIT;
        beat.sequence = ++node->beats;
        beat.n_held = filled;
        beat.held = pointers;
        Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
        WIRE_BODY(&envelope, BEAT, beat, &beat);
        (void)engine_say(node, &envelope, 0, NULL);
    }
    free(held);
    free(pointers);
}

void engine_say_progress(struct engine_node *node, struct engine_attempt *attempt)
{
    Wire__Held held;
    fill_held(&held, attempt);
    attempt->told_done = held.done;
    Wire__Progress progress = WIRE__PROGRESS__INIT;
    progress.held = &held;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, PROGRESS, progress, &progress);
    (void)engine_say(node, &envelope, 0, attempt->trace);
}

void engine_say_credit(struct engine_node *node)
{
    uint64_t granted = engine_node_grant(node);
    if (granted <= node->granted) {
        return;
    }
    Wire__Credit credit = WIRE__CREDIT__INIT;
    credit.granted = granted;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, CREDIT, credit, &credit);
    if (engine_say(node, &envelope, 0, NULL) != 0) {
        node->granted = granted;
    }
}

/* ---- outcomes */

static uint64_t nanoseconds(double seconds)
{
    return seconds > 0 ? (uint64_t)(seconds * NS_PER_S) : 0;
}

static void fill_times(Wire__ShardTimes *times, const struct engine_spent *spent)
{
    *times = (Wire__ShardTimes)WIRE__SHARD_TIMES__INIT;
#define TIME(field, value) (times->has_##field = true, times->field = (value))
    TIME(wall_ns, spent->wall_ns);
    TIME(fetch_ns, spent->fetch_ns);
    TIME(hash_ns, spent->hash_ns);
    TIME(conform_ns, nanoseconds(spent->times.conform));
    TIME(mix_ns, nanoseconds(spent->times.mix));
    TIME(plugins_ns, nanoseconds(spent->times.plugins));
    TIME(meter_ns, nanoseconds(spent->times.meter));
    TIME(encode_ns, nanoseconds(spent->times.encode));
    TIME(frames, spent->frames);
#undef TIME
}

/* Messages of a Complete, one of each for every output. */
struct parcel {
    Wire__ShardOutput output;
    Wire__Blob blob;
    Wire__Location location;
    char path[sizeof "incoming/" + LH_BLOBS_NAME_SIZE];
};

static void fill_parcel(struct parcel *parcel, const struct engine_made *made)
{
    parcel->output = (Wire__ShardOutput)WIRE__SHARD_OUTPUT__INIT;
    parcel->blob = (Wire__Blob)WIRE__BLOB__INIT;
    parcel->location = (Wire__Location)WIRE__LOCATION__INIT;
    if (made->crate.local) {
        strcpy(parcel->path, "incoming/");
        strcat(parcel->path, made->crate.name);
        parcel->location.path = parcel->path;
    } else {
        parcel->location.has_bulk = true;
        parcel->location.bulk = true;
    }
    parcel->blob.digest = bytes_of(&made->digest);
    parcel->blob.size = made->size;
    parcel->blob.location = &parcel->location;
    parcel->output.key = bytes_of(&made->key);
    parcel->output.blob = &parcel->blob;
    parcel->output.has_facts = made->facts != NULL;
    parcel->output.facts = wire_bytes(made->facts, made->facts_size);
}

static void fill_insert(Wire__ShardInsert *insert, const struct engine_inserted *inserted)
{
    *insert = (Wire__ShardInsert)WIRE__SHARD_INSERT__INIT;
    insert->node = inserted->node;
    insert->latency = inserted->latency;
    insert->has_latency_changed = true;
    insert->latency_changed = inserted->latency_changed;
    insert->has_copies = true;
    insert->copies = inserted->copies;
    insert->has_nanoseconds = true;
    insert->nanoseconds = (uint64_t)(inserted->seconds * 1e9);
}

static void say_complete(struct engine_node *node, struct engine_attempt *attempt)
{
    const struct engine_outcome *outcome = &attempt->outcome;
    struct parcel *parcels = calloc(outcome->made_count + 1, sizeof *parcels);
    Wire__ShardOutput **outputs = calloc(outcome->made_count + 1, sizeof(Wire__ShardOutput *));
    Wire__ShardInsert *inserts = calloc(outcome->inserted_count + 1, sizeof *inserts);
    Wire__ShardInsert **pointers = calloc(outcome->inserted_count + 1, sizeof(Wire__ShardInsert *));
    if (parcels != NULL && outputs != NULL && inserts != NULL && pointers != NULL) {
        Wire__ShardTimes times;
        Wire__Complete complete = WIRE__COMPLETE__INIT;
        complete.shard = attempt->shard;
        complete.attempt = attempt->number;
        for (size_t i = 0; i < outcome->made_count; i++) {
            fill_parcel(&parcels[i], &outcome->made[i]);
            outputs[i] = &parcels[i].output;
        }
        for (size_t i = 0; i < outcome->inserted_count; i++) {
            fill_insert(&inserts[i], &outcome->inserted[i]);
            pointers[i] = &inserts[i];
        }
        fill_times(&times, &outcome->spent);
        complete.n_outputs = outcome->made_count;
        complete.outputs = outputs;
        complete.n_inserts = outcome->inserted_count;
        complete.inserts = pointers;
        complete.times = &times;
        Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
        WIRE_BODY(&envelope, COMPLETE, complete, &complete);
        attempt->said = engine_say(node, &envelope, 0, attempt->trace);
    }
    free(parcels);
    free(outputs);
    free(inserts);
    free(pointers);
}

static void say_failed(struct engine_node *node, struct engine_attempt *attempt)
{
    const struct engine_outcome *outcome = &attempt->outcome;
    ProtobufCBinaryData *missing = calloc(outcome->missing_count + 1, sizeof *missing);
    if (missing != NULL) {
        Wire__ShardTimes times;
        Wire__Failed failed = WIRE__FAILED__INIT;
        failed.shard = attempt->shard;
        failed.attempt = attempt->number;
        failed.kind = outcome->kind;
        failed.status = (uint32_t)outcome->error.code;
        failed.message = wire_text(outcome->error.message);
        failed.where = outcome->error.where[0] != '\0' ? wire_text(outcome->error.where) : NULL;
        failed.has_report = *outcome->report != '\0';
        failed.report = wire_bytes(outcome->report, strlen(outcome->report));
        if (outcome->kind == WIRE__FAILED__KIND__INPUT_MISSING) {
            for (size_t i = 0; i < outcome->missing_count; i++) {
                missing[i] = bytes_of(&outcome->missing[i]);
            }
            failed.n_missing = outcome->missing_count;
            failed.missing = missing;
        }
        fill_times(&times, &outcome->spent);
        failed.times = &times;
        Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
        WIRE_BODY(&envelope, FAILED, failed, &failed);
        attempt->said = engine_say(node, &envelope, 0, attempt->trace);
    }
    free(missing);
}

void engine_say_outcome(struct engine_node *node, struct engine_attempt *attempt)
{
    if (attempt->outcome.complete) {
        say_complete(node, attempt);
    } else {
        say_failed(node, attempt);
    }
    attempt->said_ns = lh_clock_monotonic_ns();
}

void engine_say_failed(struct engine_node *node, uint64_t shard, uint32_t number, Wire__Failed__Kind kind,
                       const char *message)
{
    Wire__Failed failed = WIRE__FAILED__INIT;
    failed.shard = shard;
    failed.attempt = number;
    failed.kind = kind;
    failed.status = (uint32_t)(kind == WIRE__FAILED__KIND__REFUSED ? LH_ERR_UNAVAILABLE : LH_ERR_CANCELLED);
    failed.message = wire_text(message);
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, FAILED, failed, &failed);
    (void)engine_say(node, &envelope, 0, NULL);
}
