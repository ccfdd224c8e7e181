/* SPDX-License-Identifier: MIT */
/* Making, finding and freeing what the core holds; nothing here decides anything. */
#include "pulse-daemon/farm/state.h"

#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/queue.h"

#define LIST_FIRST 16

void *pulse_farm_take(struct pulse_farm *farm, size_t size)
{
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL) {
        farm->no_memory = true;
        return NULL;
    }
    farm->bytes += size;
    return memory;
}

void pulse_farm_give(struct pulse_farm *farm, void *memory, size_t size)
{
    if (memory != NULL) {
        farm->bytes -= size;
        free(memory);
    }
}

void *pulse_farm_scratch(struct pulse_farm *farm, size_t count, size_t size)
{
    void *memory = lh_arena_array(&farm->arena, count, size);
    farm->no_memory = farm->no_memory || memory == NULL;
    return memory;
}

bool pulse_farm_append(struct pulse_farm *farm, struct pulse_farm_list *list, void *item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? LIST_FIRST : list->capacity * 2;
        void **items = realloc(list->items, capacity * sizeof *items);
        if (items == NULL) {
            farm->no_memory = true;
            return false;
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    return true;
}

bool pulse_farm_push(struct pulse_farm *farm, struct pulse_heap *heap, void *item)
{
    bool pushed = pulse_heap_push(heap, item);
    farm->no_memory = farm->no_memory || !pushed;
    return pushed;
}

/* ---- Time ---- */

void pulse_farm_take_time(struct pulse_farm *farm, uint64_t now_ns)
{
    uint64_t most = farm->options.lease_ns / 3;
    if (farm->has_time && now_ns > farm->raw_ns) {
        uint64_t passed = now_ns - farm->raw_ns;
        farm->now_ns += passed < most ? passed : most;
    }
    if (!farm->has_time || now_ns > farm->raw_ns) {
        farm->raw_ns = now_ns;
    }
    farm->has_time = true;
}

static bool timer_before(const void *a, const void *b)
{
    const struct pulse_farm_timer *x = a, *y = b;
    return x->due_ns != y->due_ns ? x->due_ns < y->due_ns : x->order < y->order;
}

static uint32_t *timer_place(void *item)
{
    return &((struct pulse_farm_timer *)item)->place;
}

const struct pulse_heap_order pulse_farm_timer_order = {timer_before, timer_place};

void pulse_farm_timer_set(struct pulse_farm *farm, struct pulse_farm_timer *timer, uint64_t due_ns)
{
    pulse_farm_timer_clear(farm, timer);
    timer->due_ns = due_ns;
    timer->order = ++farm->order;
    pulse_farm_push(farm, &farm->timers, timer);
}

void pulse_farm_timer_clear(struct pulse_farm *farm, struct pulse_farm_timer *timer)
{
    if (timer->place != PULSE_HEAP_NONE) {
        pulse_heap_remove(&farm->timers, timer);
    }
}

/* ---- Tenants ---- */

static bool match_tenant(const void *item, const void *key)
{
    return ((const struct pulse_farm_tenant *)item)->id == *(const uint64_t *)key;
}

struct pulse_farm_tenant *pulse_farm_find_tenant(const struct pulse_farm *farm, uint64_t id)
{
    return pulse_table_find(&farm->tenants, pulse_hash_u64(id), match_tenant, &id);
}

struct pulse_farm_tenant *pulse_farm_tenant(struct pulse_farm *farm, uint64_t id)
{
    struct pulse_farm_tenant *tenant = pulse_farm_find_tenant(farm, id);
    if (tenant != NULL || (tenant = pulse_farm_take(farm, sizeof *tenant)) == NULL) {
        return tenant;
    }
    tenant->id = id;
    tenant->weight = 1;
    tenant->queued.order = &pulse_farm_job_order;
    if (!pulse_table_add(&farm->tenants, pulse_hash_u64(id), tenant)) {
        farm->no_memory = true;
        pulse_farm_give(farm, tenant, sizeof *tenant);
        return NULL;
    }
    return tenant;
}

void pulse_farm_drop_tenant(struct pulse_farm *farm, struct pulse_farm_tenant *tenant)
{
    if (tenant->jobs + tenant->shards + tenant->outputs + tenant->shares == 0 && tenant->weight == 1) {
        pulse_table_remove(&farm->tenants, pulse_hash_u64(tenant->id), tenant);
        pulse_heap_fini(&tenant->queued);
        pulse_farm_give(farm, tenant, sizeof *tenant);
    }
}

/* ---- Outputs ---- */

struct output_key {
    const struct pulse_farm_tenant *tenant;
    const struct lh_digest *key;
};

static bool match_output(const void *item, const void *key)
{
    const struct pulse_farm_output *output = item;
    const struct output_key *wanted = key;
    return output->tenant == wanted->tenant && lh_digest_equal(&output->key, wanted->key);
}

static uint32_t hash_output(uint64_t tenant, const struct lh_digest *key)
{
    uint64_t head = 0; /* a digest is as good as a hash already */
    memcpy(&head, key->bytes, sizeof head);
    return pulse_hash_u64(head ^ tenant);
}

struct pulse_farm_output *pulse_farm_find_output(const struct pulse_farm *farm, const struct pulse_farm_tenant *tenant,
                                                 const struct lh_digest *key)
{
    if (tenant == NULL) {
        return NULL;
    }
    struct output_key wanted = {tenant, key};
    return pulse_table_find(&farm->outputs, hash_output(tenant->id, key), match_output, &wanted);
}

struct pulse_farm_output *pulse_farm_output(struct pulse_farm *farm, struct pulse_farm_tenant *tenant,
                                            const struct lh_digest *key)
{
    struct pulse_farm_output *output = pulse_farm_find_output(farm, tenant, key);
    if (output != NULL || (output = pulse_farm_take(farm, sizeof *output)) == NULL) {
        return output;
    }
    output->tenant = tenant;
    output->key = *key;
    output->loose = true; /* until something refers to it */
    if (!pulse_farm_append(farm, &farm->outputs_loose, output)) {
        pulse_farm_give(farm, output, sizeof *output);
        return NULL;
    }
    if (!pulse_table_add(&farm->outputs, hash_output(tenant->id, key), output)) {
        farm->no_memory = true;
        farm->outputs_loose.count--;
        pulse_farm_give(farm, output, sizeof *output);
        return NULL;
    }
    tenant->outputs++;
    return output;
}

void pulse_farm_free_output(struct pulse_farm *farm, struct pulse_farm_output *output)
{
    struct pulse_farm_tenant *tenant = output->tenant;
    pulse_table_remove(&farm->outputs, hash_output(tenant->id, &output->key), output);
    pulse_farm_give(farm, output, sizeof *output);
    tenant->outputs--;
    pulse_farm_drop_tenant(farm, tenant);
}

/* ---- Jobs ---- */

static bool match_job(const void *item, const void *key)
{
    return ((const struct pulse_farm_job *)item)->id == *(const uint64_t *)key;
}

struct pulse_farm_job *pulse_farm_find_job(const struct pulse_farm *farm, uint64_t id)
{
    return pulse_table_find(&farm->jobs, pulse_hash_u64(id), match_job, &id);
}

struct pulse_farm_job *pulse_farm_new_job(struct pulse_farm *farm, const struct pulse_job_row *row)
{
    struct pulse_farm_tenant *tenant = pulse_farm_tenant(farm, row->tenant);
    struct pulse_farm_job *job = tenant == NULL ? NULL : pulse_farm_take(farm, sizeof *job);
    if (job == NULL) {
        return NULL;
    }
    *job = (struct pulse_farm_job){
        .id = row->id,
        .urgency = (uint64_t)(PULSE_PRIORITY_MAX - row->priority) << 56 | row->id,
        .tenant = tenant,
        .priority = row->priority,
        .state = row->state,
        .place = PULSE_HEAP_NONE,
    };
    if (!pulse_table_add(&farm->jobs, pulse_hash_u64(job->id), job)) {
        farm->no_memory = true;
        pulse_farm_give(farm, job, sizeof *job);
        return NULL;
    }
    tenant->jobs++;
    return job;
}

void pulse_farm_free_job(struct pulse_farm *farm, struct pulse_farm_job *job)
{
    struct pulse_farm_tenant *tenant = job->tenant;
    pulse_table_remove(&farm->jobs, pulse_hash_u64(job->id), job);
    pulse_farm_give(farm, job, sizeof *job);
    tenant->jobs--;
    pulse_farm_drop_tenant(farm, tenant);
}

/* ---- Shards ---- */

static bool match_shard(const void *item, const void *key)
{
    return ((const struct pulse_farm_shard_entry *)item)->id == *(const uint64_t *)key;
}

struct pulse_farm_shard_entry *pulse_farm_find_shard(const struct pulse_farm *farm, uint64_t id)
{
    return pulse_table_find(&farm->shards, pulse_hash_u64(id), match_shard, &id);
}

/* Edges and outputs stand behind the shard, in one piece of memory. */
static size_t shard_size(size_t inputs, size_t outputs)
{
    return sizeof(struct pulse_farm_shard_entry) + inputs * sizeof(struct pulse_farm_edge) +
           outputs * sizeof(struct pulse_farm_output *);
}

struct pulse_farm_shard_entry *pulse_farm_new_shard(struct pulse_farm *farm, uint64_t id,
                                                    struct pulse_farm_tenant *tenant, struct pulse_farm_needs *needs,
                                                    size_t input_count, size_t output_count)
{
    struct pulse_farm_shard_entry *shard = pulse_farm_take(farm, shard_size(input_count, output_count));
    if (shard == NULL) {
        return NULL;
    }
    shard->id = id;
    shard->urgency = PULSE_FARM_URGENCY_NONE;
    shard->tenant = tenant;
    shard->needs = needs;
    shard->place = shard->settle_place = shard->timer.place = PULSE_HEAP_NONE;
    shard->inputs = (struct pulse_farm_edge *)(shard + 1);
    shard->outputs = (struct pulse_farm_output **)(shard->inputs + input_count);
    shard->input_count = (uint32_t)input_count;
    shard->output_count = (uint32_t)output_count;
    if (!pulse_table_add(&farm->shards, pulse_hash_u64(id), shard)) {
        farm->no_memory = true;
        pulse_farm_give(farm, shard, shard_size(input_count, output_count));
        return NULL;
    }
    tenant->shards++;
    needs->shards++;
    farm->states[shard->state]++;
    return shard;
}

void pulse_farm_free_shard(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    struct pulse_farm_tenant *tenant = shard->tenant;
    struct pulse_farm_needs *needs = shard->needs;
    pulse_table_remove(&farm->shards, pulse_hash_u64(shard->id), shard);
    pulse_farm_give(farm, shard, shard_size(shard->input_count, shard->output_count));
    tenant->shards--;
    pulse_farm_drop_tenant(farm, tenant);
    if (--needs->shards == 0) {
        pulse_farm_needs_free(farm, needs);
    }
}
