/* SPDX-License-Identifier: MIT */
/* Records of probes as JSON files. */
#include "inventory/evidence.h"

#include <math.h>
#include <string.h>

#include "common/base/bytes.h"
#include "inventory/keep.h"

#define RECORD_FORMAT 1
#define RECORD_SIZE_MAX (1u << 20)
#define FEATURES_MAX 64
#define NAME_SIZE (64 + sizeof ".json")
#define FRAMES_MAX (1 << 30)

static const char *const status_texts[INVENTORY_EVIDENCE_STATUS_COUNT] = {"repeatable", "not repeatable", "faulty",
                                                                          "refused"};
const char *const inventory_block_names[INVENTORY_BLOCK_COUNT] = {"64", "512", "1024", "8192", "ragged"};

const char *inventory_evidence_status_text(enum inventory_evidence_status status)
{
    return status_texts[status];
}

bool inventory_evidence_is_repeatable(const struct inventory_evidence *evidence, uint32_t sound_version)
{
    return evidence->across_runs == INVENTORY_YES && evidence->beside == INVENTORY_YES &&
           evidence->sound_version == sound_version;
}

enum inventory_verdict inventory_evidence_block_invariant(const struct inventory_evidence *evidence)
{
    enum inventory_verdict all = INVENTORY_YES;
    for (int i = 0; i < INVENTORY_BLOCK_COUNT; i++) {
        if (evidence->blocks[i] == INVENTORY_NO) {
            return INVENTORY_NO;
        }
        all = evidence->blocks[i] == INVENTORY_UNKNOWN ? INVENTORY_UNKNOWN : all;
    }
    return all;
}

/* ---- writing ---- */

void inventory_verdict_emit(struct lh_json_emitter *emitter, const char *name, enum inventory_verdict verdict)
{
    lh_json_emit_name(emitter, name);
    if (verdict == INVENTORY_UNKNOWN) {
        lh_json_emit_null(emitter);
    } else {
        lh_json_emit_bool(emitter, verdict == INVENTORY_YES);
    }
}

static void emit_measures(struct lh_json_emitter *emitter, const struct inventory_evidence *evidence)
{
    lh_json_emit_name(emitter, "latencyFrames");
    if (evidence->has_latency) {
        lh_json_emit_integer(emitter, evidence->latency_frames);
    } else {
        lh_json_emit_null(emitter);
    }
    lh_json_put_bool(emitter, "latencyChanges", evidence->latency_changes);
    lh_json_put_real(emitter, "tailSeconds", evidence->has_tail ? evidence->tail_seconds : NAN);
    lh_json_put_real(emitter, "nsPerFrame", evidence->ns_per_frame > 0 ? evidence->ns_per_frame : NAN);
}

void inventory_evidence_emit(struct lh_json_emitter *emitter, const struct inventory_evidence *evidence)
{
    char digest[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(&evidence->digest, digest);
    lh_json_put_text(emitter, "uri", evidence->uri);
    lh_json_put_text(emitter, "version", evidence->version);
    lh_json_put_text(emitter, "digest", digest);
    lh_json_put_text(emitter, "status", status_texts[evidence->status]);
    bool proven = inventory_evidence_is_repeatable(evidence, evidence->sound_version);
    bool known = evidence->across_runs != INVENTORY_UNKNOWN && evidence->beside != INVENTORY_UNKNOWN;
    inventory_verdict_emit(emitter, "repeatable", proven ? INVENTORY_YES : known ? INVENTORY_NO : INVENTORY_UNKNOWN);
    inventory_verdict_emit(emitter, "repeatableAcrossRuns", evidence->across_runs);
    inventory_verdict_emit(emitter, "repeatableBeside", evidence->beside);
    inventory_verdict_emit(emitter, "drawsRandomNumbers", evidence->draws_random);
    inventory_verdict_emit(emitter, "blockInvariant", inventory_evidence_block_invariant(evidence));
    lh_json_emit_name(emitter, "blocks");
    lh_json_emit_object(emitter);
    for (int i = 0; i < INVENTORY_BLOCK_COUNT; i++) {
        inventory_verdict_emit(emitter, inventory_block_names[i], evidence->blocks[i]);
    }
    lh_json_emit_object_end(emitter);
    inventory_verdict_emit(emitter, "sameWithoutAvx", evidence->without_avx);
    inventory_verdict_emit(emitter, "audible", evidence->audible);
    inventory_verdict_emit(emitter, "soundsByItself", evidence->self_sounding);
    emit_measures(emitter, evidence);
    lh_json_put_text(emitter, "failed", evidence->failed);
    lh_json_put_text(emitter, "message", evidence->message);
    lh_json_emit_name(emitter, "features");
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < evidence->feature_count; i++) {
        lh_json_emit_text(emitter, evidence->features[i]);
    }
    lh_json_emit_array_end(emitter);
    lh_json_put_integer(emitter, "soundVersion", evidence->sound_version);
    lh_json_put_text(emitter, "cpuClass", evidence->cpu_class);
}

/* ---- reading ---- */

/* A record's members; `sound` falls with the first that makes no sense. */
struct record {
    const struct lh_json *root;
    bool sound;
};

static const struct lh_json *member(struct record *record, const char *name, enum lh_json_kind kind)
{
    const struct lh_json *value = lh_json_member(record->root, name);
    if (value == NULL || value->kind != kind) {
        record->sound = false;
        return NULL;
    }
    return value;
}

static const char *read_text(struct record *record, const char *name)
{
    const struct lh_json *value = member(record, name, LH_JSON_STRING);
    return value != NULL ? value->value.string.text : "";
}

static const char *read_optional_text(struct record *record, const char *name)
{
    const struct lh_json *value = lh_json_member(record->root, name);
    return value != NULL && value->kind != LH_JSON_NULL ? read_text(record, name) : NULL;
}

static enum inventory_verdict verdict_of(const struct lh_json *value)
{
    return value == NULL                  ? INVENTORY_UNKNOWN
           : value->kind == LH_JSON_TRUE  ? INVENTORY_YES
           : value->kind == LH_JSON_FALSE ? INVENTORY_NO
                                          : INVENTORY_UNKNOWN;
}

static enum inventory_verdict read_verdict(const struct record *record, const char *name)
{
    return verdict_of(lh_json_member(record->root, name));
}

/* A number from 0 on; null or nothing is not there. */
static bool read_number(struct record *record, const char *name, double most, double *number)
{
    const struct lh_json *value = lh_json_member(record->root, name);
    if (value == NULL || value->kind == LH_JSON_NULL) {
        return false;
    }
    *number = lh_json_number(value);
    if (!lh_json_is_number(value) || !(*number >= 0 && *number <= most)) {
        record->sound = false;
        *number = 0;
    }
    return true;
}

static uint32_t read_integer(struct record *record, const char *name, bool *there)
{
    double number = 0;
    *there = read_number(record, name, FRAMES_MAX, &number);
    return (uint32_t)number;
}

static enum inventory_evidence_status read_status(struct record *record)
{
    const char *text = read_text(record, "status");
    for (int i = 0; i < INVENTORY_EVIDENCE_STATUS_COUNT; i++) {
        if (strcmp(text, status_texts[i]) == 0) {
            return (enum inventory_evidence_status)i;
        }
    }
    record->sound = false;
    return INVENTORY_EVIDENCE_REFUSED;
}

static enum lh_status read_features(struct lh_arena *arena, struct record *record, struct inventory_evidence *evidence)
{
    const struct lh_json *list = member(record, "features", LH_JSON_ARRAY);
    size_t count = list != NULL ? list->value.list.count : 0;
    const char **features = count <= FEATURES_MAX ? lh_arena_array(arena, count, sizeof *features) : NULL;
    if (features == NULL) {
        record->sound = record->sound && count <= FEATURES_MAX;
        return count <= FEATURES_MAX ? LH_ERR_NO_MEMORY : LH_OK;
    }
    for (size_t i = 0; i < count; i++) {
        const struct lh_json *item = list->value.list.items[i];
        record->sound = record->sound && item->kind == LH_JSON_STRING;
        features[i] = item->kind == LH_JSON_STRING ? item->value.string.text : "";
    }
    evidence->features = features;
    evidence->feature_count = count;
    return LH_OK;
}

enum lh_status inventory_evidence_parse(struct lh_arena *arena, const char *text, size_t length,
                                        struct inventory_evidence *evidence)
{
    struct record record = {.sound = true};
    enum lh_status status = lh_json_parse(arena, text, length, &record.root, NULL);
    if (status != LH_OK) {
        return status == LH_ERR_NO_MEMORY ? status : LH_ERR_FORMAT;
    }
    bool there = false;
    if (read_integer(&record, "loopholeEvidence", &there) != RECORD_FORMAT) {
        return LH_ERR_FORMAT;
    }
    struct inventory_evidence read = {
        .uri = read_text(&record, "uri"),
        .version = read_text(&record, "version"),
        .sound_version = read_integer(&record, "soundVersion", &there),
        .cpu_class = read_text(&record, "cpuClass"),
        .status = read_status(&record),
        .across_runs = read_verdict(&record, "repeatableAcrossRuns"),
        .beside = read_verdict(&record, "repeatableBeside"),
        .draws_random = read_verdict(&record, "drawsRandomNumbers"),
        .without_avx = read_verdict(&record, "sameWithoutAvx"),
        .audible = read_verdict(&record, "audible"),
        .self_sounding = read_verdict(&record, "soundsByItself"),
        .latency_changes = read_verdict(&record, "latencyChanges") == INVENTORY_YES,
        .failed = read_optional_text(&record, "failed"),
        .message = read_optional_text(&record, "message"),
    };
    const struct lh_json *blocks = member(&record, "blocks", LH_JSON_OBJECT);
    for (int i = 0; blocks != NULL && i < INVENTORY_BLOCK_COUNT; i++) {
        read.blocks[i] = verdict_of(lh_json_member(blocks, inventory_block_names[i]));
    }
    read.latency_frames = read_integer(&record, "latencyFrames", &read.has_latency);
    read.has_tail = read_number(&record, "tailSeconds", FRAMES_MAX, &read.tail_seconds);
    (void)read_number(&record, "nsPerFrame", FRAMES_MAX, &read.ns_per_frame);
    status = read_features(arena, &record, &read);
    if (status != LH_OK) {
        return status;
    }
    if (!lh_digest_parse(read_text(&record, "digest"), &read.digest) || !record.sound) {
        return LH_ERR_FORMAT;
    }
    *evidence = read;
    return LH_OK;
}

/* ---- files ---- */

/* "<hex>.json" for the three that a record is found by. LH_ERR_NO_MEMORY. */
static enum lh_status name_record(const char *uri, const char *version, const struct lh_digest *digest, char *name)
{
    const char *const texts[] = {uri, "\n", version, "\n"};
    char text[LH_DIGEST_TEXT_SIZE];
    struct lh_hasher *hasher = NULL;
    struct lh_digest key;
    if (lh_hasher_new(&hasher) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lh_hasher_update(hasher, texts[i], strlen(texts[i]));
    }
    lh_digest_text(digest, text);
    lh_hasher_update(hasher, text, strlen(text));
    lh_hasher_update(hasher, "\n", 1);
    lh_hasher_finish(hasher, &key);
    lh_hasher_free(hasher);
    lh_digest_text(&key, text);
    strcpy(name, strchr(text, ':') + 1);
    strcat(name, ".json");
    return LH_OK;
}

/* A record in this folder that is what its name says; else *evidence stays as it is. */
static enum lh_status look_in(struct lh_arena *arena, const char *folder, const char *name, const char *uri,
                              const char *version, const struct lh_digest *digest,
                              const struct inventory_evidence **evidence)
{
    const char *path = inventory_keep_path(arena, folder, name);
    struct inventory_evidence *read = lh_arena_alloc(arena, sizeof *read);
    if (path == NULL || read == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    uint8_t *data = NULL;
    size_t size = 0;
    enum lh_status status = inventory_keep_read(arena, path, RECORD_SIZE_MAX, &data, &size);
    status = status == LH_OK ? inventory_evidence_parse(arena, (const char *)data, size, read) : status;
    if (status == LH_OK && strcmp(read->uri, uri) == 0 && strcmp(read->version, version) == 0 &&
        lh_digest_equal(&read->digest, digest)) {
        *evidence = read;
    }
    return status == LH_ERR_NO_MEMORY ? status : LH_OK;
}

enum lh_status inventory_evidence_find(struct lh_arena *arena, const struct inventory_places *places, const char *uri,
                                       const char *version, const struct lh_digest *digest,
                                       const struct inventory_evidence **evidence)
{
    char name[NAME_SIZE];
    const struct inventory_evidence *found = NULL;
    enum lh_status status = name_record(uri, version, digest, name);
    if (status == LH_OK && places->evidence != NULL) {
        status = look_in(arena, places->evidence, name, uri, version, digest, &found);
    }
    for (size_t i = 0; status == LH_OK && found == NULL && i < places->system_evidence_count; i++) {
        status = look_in(arena, places->system_evidence[i], name, uri, version, digest, &found);
    }
    if (status == LH_OK) {
        *evidence = found;
    }
    return status;
}

void inventory_evidence_write(struct lh_writer *writer, const struct inventory_evidence *evidence)
{
    struct lh_json_emitter emitter;
    lh_json_emit_init(&emitter, writer, false);
    lh_json_emit_object(&emitter);
    lh_json_put_integer(&emitter, "loopholeEvidence", RECORD_FORMAT);
    inventory_evidence_emit(&emitter, evidence);
    lh_json_emit_object_end(&emitter);
}

enum lh_status inventory_evidence_save(const struct inventory_places *places, const struct inventory_evidence *evidence,
                                       struct lh_error *error)
{
    if (places->evidence == NULL) {
        return lh_error_set(error, LH_ERR_IO, NULL,
                            "there is no folder for records: neither XDG_DATA_HOME nor HOME is set");
    }
    char name[NAME_SIZE];
    if (name_record(evidence->uri, evidence->version, &evidence->digest, name) != LH_OK) {
        return lh_error_no_memory(error);
    }
    struct lh_arena scratch;
    struct lh_writer writer;
    lh_arena_init(&scratch);
    lh_writer_init(&writer);
    inventory_evidence_write(&writer, evidence);
    enum lh_status status = lh_writer_status(&writer) == LH_OK ? inventory_keep_write(&scratch, places->evidence, name,
                                                                                      writer.data, writer.size, error)
                                                               : lh_error_no_memory(error);
    lh_writer_fini(&writer);
    lh_arena_fini(&scratch);
    return status;
}
