/* SPDX-License-Identifier: MIT */
/* JSON for people. Reports come from workers: they are parsed before they become part of anything. */
#include "pulse-daemon/farm/say.h"

#include <string.h>

#include "common/json/json.h"
#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/need.h"

#define REPORT_MAX (64u << 10) /* a longer one is cut: it is told to every job that waits */
#define PLUGINS_TOLD 16
#define NS_PER_MS 1000000

struct text {
    struct lh_writer writer;
    struct lh_json_emitter json;
};

static void begin(struct text *text, const char *type)
{
    lh_writer_init(&text->writer);
    lh_json_emit_init(&text->json, &text->writer, true);
    lh_json_emit_object(&text->json);
    if (type != NULL) {
        lh_json_emit_name(&text->json, "type");
        lh_json_emit_text(&text->json, type);
    }
}

static void add_text(struct text *text, const char *name, const char *value)
{
    lh_json_emit_name(&text->json, name);
    lh_json_emit_text(&text->json, value);
}

static void add_number(struct text *text, const char *name, uint64_t value)
{
    lh_json_emit_name(&text->json, name);
    lh_json_emit_integer(&text->json, (int64_t)value);
}

static void add_digest(struct text *text, const char *name, const struct lh_digest *digest)
{
    char digits[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(digest, digits);
    if (name != NULL) {
        lh_json_emit_name(&text->json, name);
    }
    lh_json_emit_text(&text->json, digits);
}

/* The text in the arena; NULL: no memory. */
static const char *end(struct pulse_farm *farm, struct text *text)
{
    lh_json_emit_object_end(&text->json);
    const char *copy = NULL;
    if (lh_writer_status(&text->writer) == LH_OK) {
        size_t size = text->writer.size;
        while (size > 0 && text->writer.data[size - 1] == '\n') {
            size--;
        }
        copy = lh_arena_strndup(&farm->arena, (const char *)text->writer.data, size);
    }
    lh_writer_fini(&text->writer);
    farm->no_memory = farm->no_memory || copy == NULL;
    return copy;
}

/* NULL when it is no JSON object. */
static const struct lh_json *parse(struct pulse_farm *farm, const char *report)
{
    const struct lh_json *json = NULL;
    size_t length = strlen(report);
    enum lh_status status =
        length > REPORT_MAX ? LH_ERR_LIMIT : lh_json_parse(&farm->arena, report, length, &json, NULL);
    farm->no_memory = farm->no_memory || status == LH_ERR_NO_MEMORY;
    return status == LH_OK && json->kind == LH_JSON_OBJECT ? json : NULL;
}

static void add_report(struct pulse_farm *farm, struct text *text, const char *name, const char *report)
{
    const struct lh_json *json = parse(farm, report);
    lh_json_emit_name(&text->json, name);
    if (json != NULL) {
        lh_json_emit_value(&text->json, json);
        return;
    }
    const char *cut = lh_arena_strndup(&farm->arena, report, strnlen(report, REPORT_MAX));
    farm->no_memory = farm->no_memory || cut == NULL;
    lh_json_emit_text(&text->json, cut == NULL ? "" : cut);
}

static const char *member(const struct lh_json *object, const char *name, const char *otherwise)
{
    const struct lh_json *value = object == NULL ? NULL : lh_json_member(object, name);
    return value != NULL && value->kind == LH_JSON_STRING ? value->value.string.text : otherwise;
}

static void add_attempt(struct text *text, const struct pulse_farm_mishap *mishap)
{
    add_number(text, "shard", mishap->shard->id);
    add_text(text, "worker", mishap->worker->name);
    add_number(text, "attempt", mishap->attempt);
}

const char *pulse_farm_say_error(struct pulse_farm *farm, const char *message, const struct pulse_farm_mishap *mishap)
{
    struct text text;
    const struct lh_json *report = parse(farm, mishap->report);
    begin(&text, NULL);
    add_text(&text, "message", member(report, "message", message));
    add_text(&text, "where", member(report, "where", ""));
    if (mishap->shard != NULL) {
        add_text(&text, "verdict", message);
        add_attempt(&text, mishap);
    }
    if (mishap->report[0] != '\0') {
        add_report(farm, &text, "report", mishap->report);
    }
    return end(farm, &text);
}

void pulse_farm_say_state(struct pulse_farm *farm, const struct pulse_farm_job *job)
{
    struct text text;
    begin(&text, "job.state");
    add_text(&text, "state", pulse_job_state_name(job->state));
    if (job->error != NULL) {
        add_report(farm, &text, "error", job->error);
    }
    pulse_farm_emit_event(farm, job, end(farm, &text));
}

void pulse_farm_say_replanned(struct pulse_farm *farm, const struct pulse_farm_job *job)
{
    struct text text;
    begin(&text, "job.replanned");
    pulse_farm_emit_event(farm, job, end(farm, &text));
}

static void tell_waiters(struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard, const char *json)
{
    struct pulse_farm_shard_entry *const one = pulse_farm_find_shard(farm, shard->id);
    pulse_farm_waiters(farm, &one, 1);
    for (size_t i = 0; i < farm->found.count; i++) {
        pulse_farm_emit_event(farm, farm->found.items[i], json);
    }
}

void pulse_farm_say_failed(struct pulse_farm *farm, const struct pulse_farm_mishap *mishap, uint64_t retry_ns)
{
    struct text text;
    begin(&text, "shard.failed");
    add_attempt(&text, mishap);
    add_report(farm, &text, "report", mishap->report);
    add_number(&text, "retryInMs", retry_ns / NS_PER_MS);
    tell_waiters(farm, mishap->shard, end(farm, &text));
}

void pulse_farm_say_lost(struct pulse_farm *farm, const struct pulse_farm_mishap *mishap)
{
    struct text text;
    begin(&text, "shard.lost");
    add_attempt(&text, mishap);
    add_report(farm, &text, "reason", mishap->report);
    tell_waiters(farm, mishap->shard, end(farm, &text));
}

static void add_needs(struct text *text, const struct pulse_farm_needs *needs)
{
    lh_json_emit_object(&text->json);
    add_text(text, "engine", needs->engine);
    add_text(text, "cpuClass", needs->cpu_class);
    lh_json_emit_name(&text->json, "tags");
    lh_json_emit_array(&text->json);
    for (size_t i = 0; i < needs->tag_count; i++) {
        lh_json_emit_text(&text->json, needs->tags[i]);
    }
    lh_json_emit_array_end(&text->json);
    lh_json_emit_name(&text->json, "plugins");
    lh_json_emit_array(&text->json);
    for (size_t i = 0; i < needs->plugin_count && i < PLUGINS_TOLD; i++) {
        add_digest(text, NULL, &needs->plugins[i]);
    }
    lh_json_emit_array_end(&text->json);
    add_number(text, "pluginCount", needs->plugin_count);
    lh_json_emit_object_end(&text->json);
}

void pulse_farm_say_waiting(struct pulse_farm *farm, const struct pulse_farm_job *job,
                            const struct pulse_farm_needs *const *needs, size_t count)
{
    struct text text;
    begin(&text, "job.waiting");
    lh_json_emit_name(&text.json, "for");
    lh_json_emit_array(&text.json);
    for (size_t i = 0; i < count; i++) {
        add_needs(&text, needs[i]);
    }
    lh_json_emit_array_end(&text.json);
    pulse_farm_emit_event(farm, job, end(farm, &text));
}

void pulse_farm_say_digests(struct pulse_farm *farm, const struct pulse_farm_output *output, uint64_t shard,
                            const char *worker, const struct lh_digest *refused)
{
    struct text text;
    begin(&text, "alarm.digests");
    add_number(&text, "tenant", output->tenant->id);
    add_digest(&text, "key", &output->key);
    add_number(&text, "shard", shard);
    add_text(&text, "worker", worker);
    add_digest(&text, "kept", &output->digest);
    add_digest(&text, "refused", refused);
    pulse_farm_emit_event(farm, NULL, end(farm, &text));
}

void pulse_farm_say_worker(struct pulse_farm *farm, const char *type, const struct pulse_farm_worker *worker)
{
    struct text text;
    begin(&text, type);
    add_text(&text, "worker", worker->name);
    pulse_farm_emit_event(farm, NULL, end(farm, &text));
}
