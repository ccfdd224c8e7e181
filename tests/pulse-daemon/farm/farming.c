/* SPDX-License-Identifier: MIT */
/* The environment of a farm under test. */
#include "tests/pulse-daemon/farm/farming.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MOST 1024
#define EPOCH 1

struct rowstore farming_store;
static struct pulse_farm *farm;
static struct pulse_farm_options options;
static struct pulse_farm_event events[EVENTS_MOST];
static size_t event_count;
static struct pulse_farm_outcome outcome;
static struct lh_arena arena;
static uint64_t now, tenant_now;

static void *keep(size_t count, size_t size)
{
    void *memory = lh_arena_array(&arena, count, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static void fresh_farm(void)
{
    ck_assert_int_eq(pulse_farm_new(&options, &farm), LH_OK);
}

void farming_begin(const struct pulse_farm_options *told)
{
    options = told == NULL ? (struct pulse_farm_options){.seed = 1} : *told;
    now = 5 * FARMING_S;
    tenant_now = 1;
    event_count = 0;
    outcome = (struct pulse_farm_outcome){0};
    lh_arena_init(&arena);
    fresh_farm();
    farming_store = (struct rowstore){0};
}

void farming_end(void)
{
    pulse_farm_free(farm);
    rowstore_fini(&farming_store);
    lh_arena_fini(&arena);
}

struct pulse_farm *farming_farm(void)
{
    return farm;
}

size_t farming_restart(void)
{
    pulse_farm_free(farm);
    fresh_farm();
    return rowstore_load(&farming_store, farm, now);
}

size_t farming_reload(void)
{
    pulse_farm_forget(farm);
    return rowstore_load(&farming_store, farm, now);
}

uint64_t farming_now(void)
{
    return now;
}

/* ---- Steps ---- */

void farming_add(const struct pulse_farm_event *event)
{
    ck_assert_uint_lt(event_count, EVENTS_MOST);
    events[event_count++] = *event;
}

/* What the farm does not hold is looked up, as the program around it does. */
static void look_up(struct pulse_farm_event *event, const struct lh_digest *key, uint64_t tenant)
{
    const struct pulse_output_row *row = rowstore_output(&farming_store, tenant, key);
    if (row == NULL || pulse_farm_holds(farm, tenant, key)) {
        return;
    }
    struct pulse_output_row *rows = keep(event->known_count + 1, sizeof *rows);
    if (event->known_count > 0) {
        memcpy(rows, event->known, event->known_count * sizeof *rows);
    }
    rows[event->known_count++] = *row;
    event->known = rows;
}

static void look_all_up(struct pulse_farm_event *event)
{
    uint64_t tenant = event->tenant;
    for (size_t i = 0; i < event->result_count; i++) {
        look_up(event, &event->results[i].key, tenant);
    }
    for (size_t i = 0; i < event->plan.want_count; i++) {
        look_up(event, &event->plan.wants[i], tenant);
    }
    for (size_t i = 0; i < event->plan.shard_count; i++) {
        const struct pulse_farm_shard *shard = &event->plan.shards[i];
        for (size_t k = 0; k < shard->input_count; k++) {
            look_up(event, &shard->inputs[k], tenant);
        }
        for (size_t k = 0; k < shard->output_count; k++) {
            look_up(event, &shard->outputs[k].key, tenant);
        }
    }
}

void farming_step(void)
{
    struct lh_error error = LH_ERROR_INIT;
    for (size_t i = 0; i < event_count; i++) {
        look_all_up(&events[i]);
    }
    ck_assert_int_eq(pulse_farm_step(farm, now, events, event_count, &outcome), LH_OK);
    event_count = 0;
    ck_assert(rowstore_commit(&farming_store, EPOCH, outcome.changes, outcome.change_count));
    ck_assert_msg(farming_store.broken[0] == '\0', "%s", farming_store.broken);
    ck_assert_msg(pulse_farm_check(farm, &error) == LH_OK, "%s: %s", error.where, error.message);
}

void farming_pass(uint64_t ns)
{
    now += ns;
    farming_step();
}

void farming_wait(uint64_t ns)
{
    for (uint64_t step; ns > 0; ns -= step) {
        step = ns < FARMING_S ? ns : FARMING_S;
        farming_pass(step);
    }
}

/* ---- Workers ---- */

void farming_welcome_as(const char *worker, uint64_t session, uint32_t slots, const char *const *tags, size_t tag_count)
{
    farming_add(&(struct pulse_farm_event){
        .kind = PULSE_FARM_WELCOME,
        .worker = worker,
        .session = session,
        .slots = slots,
        .credits = slots,
        .traits = {.engine = FARMING_ENGINE, .cpu_class = "v3", .tags = tags, .tag_count = tag_count}});
    farming_step();
}

void farming_welcome(const char *worker, uint64_t session, uint32_t slots)
{
    farming_welcome_as(worker, session, slots, NULL, 0);
}

void farming_gone(const char *worker, uint64_t session)
{
    farming_add(&(struct pulse_farm_event){.kind = PULSE_FARM_GONE, .worker = worker, .session = session});
    farming_step();
}

void farming_beat_of(const char *worker, uint64_t session, const struct pulse_farm_held *held, size_t count)
{
    farming_add(&(struct pulse_farm_event){
        .kind = PULSE_FARM_BEAT, .worker = worker, .session = session, .held = held, .held_count = count});
    farming_step();
}

void farming_beat(const char *worker, uint64_t session)
{
    struct pulse_farm_held *held = keep(farming_store.shards.count, sizeof *held);
    size_t count = 0;
    for (size_t i = 0; i < farming_store.shards.count; i++) {
        const struct rowstore_shard *shard = farming_store.shards.items[i];
        if (shard->row.state == PULSE_SHARD_CLAIMED && strcmp(shard->row.owner, worker) == 0) {
            held[count++] = (struct pulse_farm_held){
                .shard = shard->row.id, .attempt = shard->row.attempt, .running = true, .progress = now};
        }
    }
    farming_beat_of(worker, session, held, count);
}

void farming_drain(const char *worker, bool on)
{
    farming_add(&(struct pulse_farm_event){.kind = PULSE_FARM_DRAIN, .worker = worker, .flag = on});
    farming_step();
}

/* ---- Jobs ---- */

void farming_submit(uint64_t job, uint64_t tenant, int32_t priority)
{
    farming_add(&(struct pulse_farm_event){
        .kind = PULSE_FARM_SUBMIT, .token = job, .job = {.id = job, .tenant = tenant, .priority = priority}});
    farming_step();
}

void farming_cancel(uint64_t job, uint64_t tenant)
{
    farming_add(
        &(struct pulse_farm_event){.kind = PULSE_FARM_CANCEL, .token = job, .job = {.id = job, .tenant = tenant}});
    farming_step();
}

struct lh_digest farming_key(uint64_t tenant, char output)
{
    struct lh_digest key = {{0}};
    key.bytes[0] = (uint8_t)output;
    key.bytes[1] = (uint8_t)tenant;
    return key;
}

static const struct pulse_needs_row *needs_of(const char *tag)
{
    struct pulse_needs_row *needs = keep(1, sizeof *needs);
    *needs = (struct pulse_needs_row){.engine = FARMING_ENGINE, .cpu_class = ""};
    needs->id.bytes[0] = 1;
    if (tag[0] != '\0') {
        const char **tags = keep(1, sizeof *tags);
        tags[0] = tag;
        needs->tags = tags;
        needs->tag_count = 1;
        snprintf((char *)needs->id.bytes + 1, LH_DIGEST_SIZE - 1, "%s", tag);
    }
    return needs;
}

static const char *letters(const char *at, uint64_t tenant, struct lh_digest *keys, size_t *count)
{
    for (; isalpha((unsigned char)*at); at++) {
        keys[(*count)++] = farming_key(tenant, *at);
    }
    return at;
}

static const char *read_shard(const char *at, uint64_t tenant, struct pulse_farm_shard *shard)
{
    size_t room = strlen(at);
    struct lh_digest *inputs = keep(room, sizeof *inputs);
    struct pulse_farm_promise *outputs = keep(room, sizeof *outputs);
    char *tag = keep(room + 1, 1);
    *shard = (struct pulse_farm_shard){.kind = PULSE_SHARD_RENDER, .cost_ms = 100, .spec = "spec", .spec_size = 4};
    for (; isalpha((unsigned char)*at); at++) {
        outputs[shard->output_count++] = (struct pulse_farm_promise){
            .key = farming_key(tenant, *at), .kind = PULSE_OUTPUT_STORED, .unproven = isupper((unsigned char)*at) != 0};
    }
    if (*at == '<') {
        at = letters(at + 1, tenant, inputs, &shard->input_count);
    }
    if (*at == ':') {
        char *rest = NULL;
        shard->cost_ms = (uint32_t)strtoul(at + 1, &rest, 10);
        at = rest;
    }
    if (*at == '@') {
        size_t length = strcspn(at + 1, " ");
        memcpy(tag, at + 1, length);
        at += 1 + length;
    }
    shard->inputs = inputs;
    shard->outputs = outputs;
    shard->needs = needs_of(tag);
    return at;
}

static void plan(uint64_t job, const char *text, const char *wants, bool again)
{
    const struct rowstore_job *row = rowstore_job(&farming_store, job);
    ck_assert_ptr_nonnull(row);
    uint64_t tenant = row->row.tenant;
    struct pulse_farm_shard *shards = keep(strlen(text) + 1, sizeof *shards);
    struct lh_digest *keys = keep(strlen(wants) + 1, sizeof *keys);
    struct pulse_farm_event event = {.kind = PULSE_FARM_PLANNED,
                                     .tenant = tenant,
                                     .plan = {.job = job, .again = again, .shards = shards, .wants = keys}};
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        text = read_shard(text, tenant, &shards[event.plan.shard_count++]);
    }
    letters(wants, tenant, keys, &event.plan.want_count);
    farming_add(&event);
    farming_step();
}

void farming_plan(uint64_t job, const char *shards, const char *wants)
{
    plan(job, shards, wants, false);
}

void farming_plan_again(uint64_t job, const char *shards, const char *wants)
{
    plan(job, shards, wants, true);
}

/* ---- Results ---- */

void farming_tenant(uint64_t tenant)
{
    tenant_now = tenant;
}

const struct rowstore_shard *farming_shard(const char *name)
{
    const struct rowstore_shard *found = NULL;
    struct lh_digest key = farming_key(tenant_now, name[0]);
    for (size_t i = 0; i < farming_store.shards.count; i++) {
        const struct rowstore_shard *shard = farming_store.shards.items[i];
        for (size_t k = 0; k < shard->output_count; k++) {
            found = lh_digest_equal(&shard->outputs[k], &key) ? shard : found;
        }
    }
    ck_assert_msg(found != NULL, "no shard makes %s", name);
    return found;
}

const char *farming_owner(const char *shard)
{
    return farming_shard(shard)->row.owner;
}

enum pulse_shard_state farming_state(const char *shard)
{
    return farming_shard(shard)->row.state;
}

enum pulse_job_state farming_job(uint64_t job)
{
    const struct rowstore_job *row = rowstore_job(&farming_store, job);
    ck_assert_ptr_nonnull(row);
    return row->row.state;
}

bool farming_present(char output)
{
    struct lh_digest key = farming_key(tenant_now, output);
    const struct pulse_output_row *row = rowstore_output(&farming_store, tenant_now, &key);
    return row != NULL && row->state == PULSE_OUTPUT_PRESENT;
}

static struct pulse_farm_event about(enum pulse_farm_event_kind kind, const char *shard)
{
    const struct rowstore_shard *row = farming_shard(shard);
    char *owner = keep(PULSE_NAME_SIZE, 1);
    snprintf(owner, PULSE_NAME_SIZE, "%s", row->row.owner);
    return (struct pulse_farm_event){.kind = kind,
                                     .worker = owner,
                                     .shard = row->row.id,
                                     .attempt = row->row.attempt,
                                     .tenant = row->row.tenant,
                                     .text = ""};
}

void farming_complete_as(const char *shard, const char *worker, uint32_t attempt, unsigned variant)
{
    const struct rowstore_shard *row = farming_shard(shard);
    struct pulse_farm_event event = about(PULSE_FARM_COMPLETE, shard);
    struct pulse_farm_result *results = keep(row->output_count, sizeof *results);
    for (size_t i = 0; i < row->output_count; i++) {
        results[i].key = results[i].digest = row->outputs[i];
        results[i].digest.bytes[LH_DIGEST_SIZE - 1] = (uint8_t)variant;
        results[i].size = 100;
    }
    event.worker = worker;
    event.attempt = attempt;
    event.results = results;
    event.result_count = row->output_count;
    farming_add(&event);
    farming_step();
}

void farming_complete(const char *shard)
{
    const struct rowstore_shard *row = farming_shard(shard);
    char owner[PULSE_NAME_SIZE];
    snprintf(owner, sizeof owner, "%s", row->row.owner);
    ck_assert_msg(owner[0] != '\0', "nobody has %s", shard);
    farming_complete_as(shard, owner, row->row.attempt, 1);
}

static void mishap(enum pulse_farm_event_kind kind, const char *shard, const char *text, bool flag)
{
    struct pulse_farm_event event = about(kind, shard);
    ck_assert_msg(event.worker[0] != '\0', "nobody has %s", shard);
    event.text = text;
    event.flag = flag;
    farming_add(&event);
    farming_step();
}

void farming_fail(const char *shard, const char *report)
{
    mishap(PULSE_FARM_FAILED, shard, report, false);
}

void farming_trouble(const char *shard)
{
    mishap(PULSE_FARM_FAILED, shard, "the disk is full", true);
}

void farming_lose(const char *shard)
{
    mishap(PULSE_FARM_LOST, shard, "killed", false);
}

void farming_return(const char *shard)
{
    mishap(PULSE_FARM_RETURNED, shard, "", false);
}

void farming_missing(char output, uint64_t tenant, const char *shard)
{
    struct pulse_farm_event event = {.kind = PULSE_FARM_MISSING};
    if (shard != NULL) {
        event = about(PULSE_FARM_MISSING, shard);
    }
    event.tenant = tenant;
    event.key = farming_key(tenant, output);
    farming_add(&event);
    farming_step();
}

/* ---- What came of it ---- */

size_t farming_actions(enum pulse_farm_action_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < outcome.action_count; i++) {
        count += outcome.actions[i].kind == kind;
    }
    return count;
}

const struct pulse_farm_action *farming_action(enum pulse_farm_action_kind kind, size_t index)
{
    for (size_t i = 0; i < outcome.action_count; i++) {
        if (outcome.actions[i].kind == kind && index-- == 0) {
            return &outcome.actions[i];
        }
    }
    ck_abort_msg("there is no such action");
    return NULL;
}

size_t farming_changes(enum pulse_change_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < outcome.change_count; i++) {
        count += outcome.changes[i].kind == kind;
    }
    return count;
}

bool farming_told(uint64_t job, const char *text)
{
    for (size_t i = 0; i < outcome.change_count; i++) {
        const struct pulse_change *change = &outcome.changes[i];
        bool kind =
            job == 0 ? change->kind == PULSE_CHANGE_ALARM : change->kind == PULSE_CHANGE_EVENT && change->job.id == job;
        if (kind && strstr(change->event, text) != NULL) {
            return true;
        }
    }
    return false;
}
