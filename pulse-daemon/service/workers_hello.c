/* SPDX-License-Identifier: MIT */
/* How a worker is met: who it is, which plugins it has, and that the core learns of it. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "inventory/evidence.h"
#include "pulse-daemon/service/workers_parts.h"

#define SESSION_BYTES 16
#define INVENTORY_MAX (256u << 20) /* bytes of all chunks */
#define TAKEN_BEATS 2u /* who has been silent for longer may be dead, and what asks for its name its successor */
#define MS_NS (LH_CLOCK_SECOND_NS / 1000)

/* ---- into the core ---- */

static const char **copy_texts(struct lh_arena *arena, const char *const *texts, size_t count)
{
    const char **copies = lh_arena_array(arena, count, sizeof *copies);
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = lh_arena_strdup(arena, texts[i]);
        if (copies[i] == NULL) {
            return NULL;
        }
    }
    return copies;
}

static bool fill_traits(struct lh_arena *arena, const struct pulse_session *session, struct pulse_farm_traits *traits)
{
    const struct pulse_inventory *inventory = session->inventory;
    struct lh_digest *plugins = lh_arena_array(arena, inventory->count, sizeof *plugins);
    traits->engine = lh_arena_strdup(arena, session->engine);
    traits->cpu_class = lh_arena_strdup(arena, session->cpu_class);
    traits->tags = copy_texts(arena, session->tags, session->tag_count);
    traits->tag_count = session->tag_count;
    for (size_t i = 0; plugins != NULL && i < inventory->count; i++) {
        plugins[i] = inventory->entries[i].digest;
    }
    traits->plugins = plugins;
    traits->plugin_count = inventory->count;
    return traits->engine != NULL && traits->cpu_class != NULL && traits->tags != NULL && plugins != NULL;
}

/* With an inventory it is one of the crew. */
void pulse_workers_join(struct pulse_workers *workers, struct pulse_session *session)
{
    if (session->inventory == NULL) {
        return; /* it is on its way */
    }
    struct pulse_worker_traits traits = {
        .name = session->name,
        .engine = session->engine,
        .cpu_class = session->cpu_class,
        .tags = session->tags,
        .tag_count = session->tag_count,
        .session = session->number,
        .slots = session->slots,
    };
    struct pulse_task *task = pulse_workers_event(session, PULSE_FARM_WELCOME);
    if (task == NULL || pulse_roster_join(workers->options.roster, &traits, session->inventory) != LH_OK ||
        !fill_traits(&task->arena, session, &task->event.traits)) {
        pulse_task_free(task);
        wire_link_drop(workers->link, session->socket, session->peer); /* no memory: it comes again */
        return;
    }
    task->event.slots = session->slots;
    task->event.credits = session->credits;
    session->state = PULSE_SESSION_WELCOME;
    pulse_decider_ask(workers->options.decider, task, true);
    LH_LOG(LH_LOG_INFO, "worker joins", LH_LOG_TEXT("worker", session->name), LH_LOG_TEXT("host", session->host),
           LH_LOG_NUMBER("slots", session->slots), LH_LOG_NUMBER("plugins", session->inventory->count));
}

/* ---- hello ---- */

static uint64_t number_of(const ProtobufCBinaryData *session)
{
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof number && i < session->len; i++) {
        number |= (uint64_t)session->data[i] << (8 * i);
    }
    return number != 0 ? number : 1;
}

static bool copy_hello(struct pulse_session *session, const Wire__Hello *hello)
{
    lh_arena_fini(&session->arena);
    session->engine = lh_arena_strdup(&session->arena, hello->engine);
    session->cpu_class = lh_arena_strdup(&session->arena, hello->cpu_class);
    session->software = lh_arena_strdup(&session->arena, hello->software);
    session->host = lh_arena_strdup(&session->arena, hello->host);
    session->tags = copy_texts(&session->arena, (const char *const *)hello->tags, hello->n_tags);
    session->tag_count = hello->n_tags;
    session->slots = hello->slots;
    bool good = session->engine != NULL && session->cpu_class != NULL && session->software != NULL &&
                session->host != NULL && session->tags != NULL;
    if (!good) {
        session->engine = session->cpu_class = session->software = session->host = "";
        session->tag_count = 0;
    }
    return good;
}

/* Whether another process of that name is at work. A newer one that took its place would be thrown out by it in turn.
 */
static bool is_taken(const struct pulse_workers *workers, const struct pulse_session *session, const Wire__Hello *hello)
{
    const struct pulse_session *other = pulse_sessions_by_name(&workers->sessions, hello->name);
    return other != NULL && other != session && other->number != number_of(&hello->session) &&
           lh_clock_monotonic_ns() - other->heard_ns < TAKEN_BEATS * workers->options.beat_ms * MS_NS;
}

/* One session for a name: the newest. An older process of that name is told to the core by the new session's number. */
static void replace(struct pulse_workers *workers, struct pulse_session *session, const char *name)
{
    struct pulse_session *other = pulse_sessions_by_name(&workers->sessions, name);
    if (other != NULL && other != session) {
        struct pulse_line line = pulse_workers_line(workers, other);
        if (other->number != session->number) {
            LH_LOG(LH_LOG_WARNING, "worker replaced", LH_LOG_TEXT("worker", name));
        }
        pulse_line_refuse(&line, 0, WIRE__ERROR_CODE__ERROR_CONFLICT, "another worker has this name now", NULL, 0);
        other->replaced = true;
        wire_link_drop(workers->link, other->socket, other->peer);
    }
    pulse_sessions_name(&workers->sessions, session, name);
}

static void welcome(struct pulse_workers *workers, struct pulse_session *session, uint64_t question)
{
    uint8_t token[LH_BLOBS_TOKEN_SIZE];
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Welcome message = WIRE__WELCOME__INIT;
    Wire__HostMedia host = WIRE__HOST_MEDIA__INIT;
    struct pulse_line line = pulse_workers_line(workers, session);
    bool local = pulse_session_is_local(session);
    message.lease_ms = workers->options.lease_ms;
    message.beat_ms = workers->options.beat_ms;
    message.inventory_wanted = session->inventory == NULL;
    message.bulk_endpoint = wire_text(local ? workers->options.bulk_local : workers->options.bulk_remote);
    message.has_epoch = true;
    message.epoch = pulse_decider_epoch(workers->options.decider);
    if (local) {
        lh_blobs_token(workers->options.blobs, token);
        host.folder = wire_text(workers->options.media_folder);
        host.token_file = wire_text(LH_BLOBS_TOKEN_FILE);
        host.token = wire_bytes(token, LH_BLOBS_TOKEN_SIZE);
        message.host = &host;
    }
    WIRE_BODY(&envelope, WELCOME, welcome, &message);
    pulse_line_answer(&line, question, &envelope);
}

void pulse_workers_hello(struct pulse_workers *workers, struct pulse_session *session, const Wire__Envelope *envelope)
{
    const Wire__Hello *hello = envelope->hello;
    struct pulse_line line = pulse_workers_line(workers, session);
    const char *const *tags = (const char *const *)hello->tags;
    char why[LH_ERROR_MESSAGE_SIZE];
    if (wire_version_common(envelope->version_min, envelope->version_max) == 0) {
        workers->figures.refused++;
        pulse_line_refuse(&line, envelope->id, WIRE__ERROR_CODE__ERROR_VERSION, "no version in common", NULL, 0);
        return;
    }
    if (!pulse_farm_name_ok(hello->name) || hello->session.len != SESSION_BYTES) {
        workers->figures.refused++;
        pulse_line_refuse(&line, envelope->id, WIRE__ERROR_CODE__ERROR_MALFORMED, "no name for a worker", "name", 0);
        return;
    }
    if (!pulse_session_is_local(session) &&
        !workers->options.admits(workers->options.context, session->key, hello->name, tags, hello->n_tags, why)) {
        workers->figures.refused++;
        LH_LOG(LH_LOG_WARNING, "worker refused", LH_LOG_TEXT("worker", hello->name), LH_LOG_TEXT("key", session->key),
               LH_LOG_TEXT("why", why));
        pulse_line_refuse(&line, envelope->id, WIRE__ERROR_CODE__ERROR_FORBIDDEN, why, NULL, 0);
        return;
    }
    if (is_taken(workers, session, hello)) {
        workers->figures.refused++;
        LH_LOG(LH_LOG_WARNING, "worker refused", LH_LOG_TEXT("worker", hello->name), LH_LOG_TEXT("host", hello->host),
               LH_LOG_TEXT("why", "another node of this name is at work"));
        pulse_line_refuse(&line, envelope->id, WIRE__ERROR_CODE__ERROR_CONFLICT,
                          "another node of this name is at work: give each its own --name", "name",
                          workers->options.beat_ms);
        return;
    }
    if (!copy_hello(session, hello)) {
        pulse_line_refuse(&line, envelope->id, WIRE__ERROR_CODE__ERROR_BUSY, "no memory", NULL, PULSE_RETRY_MS);
        return;
    }
    session->number = number_of(&hello->session);
    session->granted = session->ended = session->carried = 0;
    session->credits = 0;
    session->beaten = false;
    session->replaced = false;
    session->state = PULSE_SESSION_INVENTORY;
    replace(workers, session, hello->name);
    memcpy(session->inventory_id.bytes, hello->inventory.data, sizeof session->inventory_id.bytes);
    pulse_roster_drop(workers->options.roster, session->inventory);
    session->inventory = pulse_roster_inventory(workers->options.roster, &session->inventory_id);
    session->next_chunk = 0;
    welcome(workers, session, envelope->id);
    if (session->inventory != NULL) {
        pulse_workers_join(workers, session);
    }
}

/* ---- the inventory ---- */

static void write_bytes(struct lh_writer *writer, const ProtobufCBinaryData *bytes)
{
    lh_writer_u32(writer, (uint32_t)bytes->len);
    lh_writer_bytes(writer, bytes->data, bytes->len);
}

static void write_plugin(struct lh_writer *writer, const Wire__Plugin *plugin)
{
    lh_writer_text(writer, plugin->uri);
    lh_writer_bytes(writer, plugin->digest.data, plugin->digest.len);
    write_bytes(writer, &plugin->facts);
    write_bytes(writer, &plugin->evidence);
}

/* The sound version that a probe's record proves it for; a record that makes no sense proves nothing. */
static uint32_t proven_for(const void *record, size_t size)
{
    struct lh_arena arena;
    struct inventory_evidence evidence;
    uint32_t version = 0;
    lh_arena_init(&arena);
    if (size > 0 && inventory_evidence_parse(&arena, record, size, &evidence) == LH_OK &&
        inventory_evidence_is_repeatable(&evidence, evidence.sound_version)) {
        version = evidence.sound_version;
    }
    lh_arena_fini(&arena);
    return version;
}

static bool read_plugin(struct lh_reader *reader, struct lh_arena *arena, struct pulse_plugin_entry *entry)
{
    size_t length;
    const char *uri = lh_reader_text(reader, GRAPH_TEXT_MAX, &length);
    const uint8_t *digest = lh_reader_view(reader, sizeof entry->digest.bytes);
    size_t facts_size = lh_reader_u32(reader);
    const uint8_t *facts = lh_reader_view(reader, facts_size);
    size_t evidence_size = lh_reader_u32(reader);
    const uint8_t *evidence = lh_reader_view(reader, evidence_size);
    if (!lh_reader_ok(reader)) {
        return false;
    }
    entry->uri = lh_arena_strndup(arena, uri, length);
    memcpy(entry->digest.bytes, digest, sizeof entry->digest.bytes);
    entry->repeatable = proven_for(evidence, evidence_size);
    if (facts_size > 0) {
        struct graph_plugin_facts *read = lh_arena_alloc(arena, sizeof *read);
        struct lh_reader inner;
        lh_reader_init(&inner, facts, facts_size);
        if (read == NULL || graph_plugin_facts_read(&inner, arena, read) != LH_OK) {
            return false;
        }
        entry->facts = read;
    }
    return entry->uri != NULL;
}

/* NULL: they make no sense, or memory is out. */
static struct pulse_inventory *read_inventory(const struct lh_writer *chunks, size_t count, const struct lh_digest *id)
{
    struct pulse_inventory *inventory = calloc(1, sizeof *inventory);
    if (inventory == NULL) {
        return NULL;
    }
    struct lh_reader reader;
    lh_reader_init(&reader, chunks->data, chunks->size);
    lh_arena_init(&inventory->arena);
    inventory->id = *id;
    inventory->entries = lh_arena_array(&inventory->arena, count, sizeof *inventory->entries);
    bool good = inventory->entries != NULL;
    while (good && inventory->count < count) {
        good = read_plugin(&reader, &inventory->arena, &inventory->entries[inventory->count++]);
    }
    if (!good) {
        lh_arena_fini(&inventory->arena);
        free(inventory);
        return NULL;
    }
    return inventory;
}

static void finish_inventory(struct pulse_workers *workers, struct pulse_session *session, uint64_t question)
{
    struct pulse_line line = pulse_workers_line(workers, session);
    struct lh_digest digest;
    struct pulse_inventory *inventory = NULL;
    if (lh_writer_status(&session->chunks) == LH_OK &&
        lh_digest_bytes(session->chunks.data, session->chunks.size, &digest) == LH_OK &&
        lh_digest_equal(&digest, &session->inventory_id)) {
        inventory = read_inventory(&session->chunks, session->chunk_plugins, &digest);
    }
    lh_writer_fini(&session->chunks);
    lh_writer_init(&session->chunks);
    if (inventory != NULL) {
        inventory = pulse_roster_keep(workers->options.roster, inventory);
    }
    if (inventory == NULL) {
        workers->figures.malformed++;
        LH_LOG(LH_LOG_WARNING, "inventory refused", LH_LOG_TEXT("worker", session->name));
        pulse_line_refuse(&line, question, WIRE__ERROR_CODE__ERROR_DIGEST, "the inventory is not what was announced",
                          "inventory", 0);
        return;
    }
    pulse_roster_drop(workers->options.roster, session->inventory);
    session->inventory = inventory;
    pulse_workers_join(workers, session);
}

void pulse_workers_inventory(struct pulse_workers *workers, struct pulse_session *session,
                             const Wire__Envelope *envelope)
{
    const Wire__Inventory *chunk = envelope->inventory;
    if (session->name[0] == '\0') {
        return; /* it has not said hello */
    }
    if (chunk->index == 0) {
        lh_writer_fini(&session->chunks);
        lh_writer_init(&session->chunks);
        session->next_chunk = 0;
        session->chunk_plugins = 0;
        memcpy(session->inventory_id.bytes, chunk->inventory.data, sizeof session->inventory_id.bytes);
    }
    if (chunk->index != session->next_chunk || session->chunks.size > INVENTORY_MAX) {
        struct pulse_line line = pulse_workers_line(workers, session);
        workers->figures.malformed++;
        pulse_line_refuse(&line, envelope->id, WIRE__ERROR_CODE__ERROR_MALFORMED,
                          "a chunk of the inventory is missing, or it is too large", "index", 0);
        return;
    }
    for (size_t i = 0; i < chunk->n_plugins; i++) {
        write_plugin(&session->chunks, chunk->plugins[i]);
    }
    session->chunk_plugins += chunk->n_plugins;
    session->next_chunk++;
    if (chunk->last) {
        finish_inventory(workers, session, envelope->id);
    }
}
