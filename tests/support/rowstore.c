/* SPDX-License-Identifier: MIT */
/* Rows in tables, and the rules of their histories. */
#include "tests/support/rowstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *copy(struct rowstore *store, const void *data, size_t size)
{
    void *memory = lh_arena_alloc(&store->arena, size);
    if (memory == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(memory, data, size);
    }
    return memory;
}

static void append(struct rowstore_list *list, void *item)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 32 : list->capacity * 2;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        if (list->items == NULL) {
            abort();
        }
    }
    list->items[list->count++] = item;
}

static void *add(struct rowstore *store, struct rowstore_list *list, struct pulse_table *table, uint32_t hash,
                 size_t size)
{
    void *item = lh_arena_alloc(&store->arena, size);
    if (item == NULL || !pulse_table_add(table, hash, item)) {
        abort();
    }
    append(list, item);
    return item;
}

void rowstore_fini(struct rowstore *store)
{
    struct rowstore_list *lists[] = {&store->jobs, &store->shards, &store->outputs, &store->needs};
    struct pulse_table *tables[] = {&store->jobs_by_id, &store->shards_by_id, &store->outputs_by_key,
                                    &store->needs_by_id};
    for (size_t i = 0; i < 4; i++) {
        free(lists[i]->items);
        pulse_table_fini(tables[i]);
    }
    lh_arena_fini(&store->arena);
    *store = (struct rowstore){0};
}

static void broken(struct rowstore *store, const char *kind, uint64_t id, const char *what)
{
    if (store->broken[0] == '\0') {
        snprintf(store->broken, sizeof store->broken, "%s %llu: %s", kind, (unsigned long long)id, what);
    }
}

/* ---- Finding ---- */

static bool match_job(const void *item, const void *key)
{
    return ((const struct rowstore_job *)item)->row.id == *(const uint64_t *)key;
}

static bool match_shard(const void *item, const void *key)
{
    return ((const struct rowstore_shard *)item)->row.id == *(const uint64_t *)key;
}

static bool match_needs(const void *item, const void *key)
{
    return lh_digest_equal(&((const struct pulse_needs_row *)item)->id, key);
}

static bool match_output(const void *item, const void *key)
{
    const struct pulse_output_row *row = &((const struct rowstore_output *)item)->row, *wanted = key;
    return row->tenant == wanted->tenant && lh_digest_equal(&row->key, &wanted->key);
}

static uint32_t hash_output(uint64_t tenant, const struct lh_digest *key)
{
    return pulse_hash_bytes((uint32_t)tenant, key, sizeof *key);
}

static struct rowstore_output *find_output(const struct rowstore *store, uint64_t tenant, const struct lh_digest *key)
{
    struct pulse_output_row wanted = {.tenant = tenant, .key = *key};
    return pulse_table_find(&store->outputs_by_key, hash_output(tenant, key), match_output, &wanted);
}

const struct rowstore_job *rowstore_job(const struct rowstore *store, uint64_t id)
{
    return pulse_table_find(&store->jobs_by_id, pulse_hash_u64(id), match_job, &id);
}

const struct rowstore_shard *rowstore_shard(const struct rowstore *store, uint64_t id)
{
    return pulse_table_find(&store->shards_by_id, pulse_hash_u64(id), match_shard, &id);
}

const struct pulse_output_row *rowstore_output(const struct rowstore *store, uint64_t tenant,
                                               const struct lh_digest *key)
{
    const struct rowstore_output *output = find_output(store, tenant, key);
    return output != NULL && output->there ? &output->row : NULL;
}

/* ---- Changes ---- */

static void take_job(struct rowstore *store, const struct pulse_job_row *row)
{
    struct rowstore_job *job = pulse_table_find(&store->jobs_by_id, pulse_hash_u64(row->id), match_job, &row->id);
    if (job == NULL) {
        job = add(store, &store->jobs, &store->jobs_by_id, pulse_hash_u64(row->id), sizeof *job);
    } else if (pulse_job_is_final(job->row.state)) {
        broken(store, "job", row->id, "it had ended, and changed");
    }
    job->row = *row;
    job->row.error = copy(store, row->error, strlen(row->error) + 1);
}

static void take_want(struct rowstore *store, const struct pulse_change *change)
{
    struct rowstore_job *job =
        pulse_table_find(&store->jobs_by_id, pulse_hash_u64(change->job.id), match_job, &change->job.id);
    if (job == NULL || change->output.tenant != job->row.tenant) {
        broken(store, "job", change->job.id, "it wants, but is not there");
        return;
    }
    size_t at = 0;
    while (at < job->want_count && !lh_digest_equal(&job->wants[at], &change->output.key)) {
        at++;
    }
    if (change->kind == PULSE_CHANGE_UNWANT) {
        if (at == job->want_count) {
            broken(store, "job", change->job.id, "it does not want what it wants no more");
        } else {
            job->wants[at] = job->wants[--job->want_count];
        }
        return;
    }
    if (at == job->want_room) {
        size_t room = job->want_room == 0 ? 4 : job->want_room * 2;
        struct lh_digest *wants = lh_arena_array(&store->arena, room, sizeof *wants);
        if (wants == NULL) {
            abort();
        }
        memcpy(wants, job->wants == NULL ? wants : job->wants, job->want_count * sizeof *wants);
        job->wants = wants;
        job->want_room = room;
    }
    if (at == job->want_count) {
        job->wants[job->want_count++] = change->output.key;
    }
}

static void take_shard(struct rowstore *store, const struct pulse_shard_row *row)
{
    struct rowstore_shard *shard =
        pulse_table_find(&store->shards_by_id, pulse_hash_u64(row->id), match_shard, &row->id);
    if (shard == NULL) {
        if (row->id <= store->last_shard) {
            broken(store, "shard", row->id, "its id was given before");
        }
        shard = add(store, &store->shards, &store->shards_by_id, pulse_hash_u64(row->id), sizeof *shard);
        store->last_shard = row->id;
    } else if (pulse_shard_is_final(shard->row.state)) {
        broken(store, "shard", row->id, "it had ended, and changed");
    } else if (row->attempt < shard->row.attempt) {
        broken(store, "shard", row->id, "its attempts went back");
    } else if (row->state == PULSE_SHARD_CLAIMED && shard->row.state == PULSE_SHARD_CLAIMED &&
               row->attempt == shard->row.attempt && strcmp(row->owner, shard->row.owner) != 0) {
        broken(store, "shard", row->id, "one attempt has two owners");
    }
    if ((row->state == PULSE_SHARD_CLAIMED) != (row->owner[0] != '\0')) {
        broken(store, "shard", row->id, "it has an owner and is not claimed, or none and is");
    }
    shard->row = *row;
}

static void take_spec(struct rowstore *store, const struct pulse_change *change)
{
    struct rowstore_shard *shard =
        pulse_table_find(&store->shards_by_id, pulse_hash_u64(change->shard.id), match_shard, &change->shard.id);
    if (shard == NULL || shard->has_edges) {
        broken(store, "shard", change->shard.id, "its edges come before it, or twice");
        return;
    }
    shard->has_edges = true;
    shard->inputs = copy(store, change->inputs, change->input_count * sizeof *change->inputs);
    shard->outputs = copy(store, change->outputs, change->output_count * sizeof *change->outputs);
    shard->input_count = change->input_count;
    shard->output_count = change->output_count;
    shard->spec = copy(store, change->spec, change->spec_size);
    shard->spec_size = change->spec_size;
}

static void take_output(struct rowstore *store, const struct pulse_output_row *row)
{
    struct rowstore_output *output = find_output(store, row->tenant, &row->key);
    if (output == NULL) {
        output =
            add(store, &store->outputs, &store->outputs_by_key, hash_output(row->tenant, &row->key), sizeof *output);
    } else if (output->there && output->row.state == PULSE_OUTPUT_PRESENT) {
        broken(store, "output of shard", row->shard, "it was present, and is committed again");
    }
    output->makings += row->state == PULSE_OUTPUT_PRESENT;
    output->there = true;
    output->row = *row;
    output->row.facts = row->facts == NULL ? NULL : copy(store, row->facts, row->facts_size);
}

static void take_needs(struct rowstore *store, const struct pulse_needs_row *row)
{
    uint32_t hash = pulse_hash_bytes(0, &row->id, sizeof row->id);
    if (pulse_table_find(&store->needs_by_id, hash, match_needs, &row->id) != NULL) {
        return;
    }
    struct pulse_needs_row *needs = add(store, &store->needs, &store->needs_by_id, hash, sizeof *needs);
    *needs = *row;
    needs->engine = copy(store, row->engine, strlen(row->engine) + 1);
    needs->cpu_class = copy(store, row->cpu_class, strlen(row->cpu_class) + 1);
    const char **tags = copy(store, row->tags, row->tag_count * sizeof *tags);
    for (size_t i = 0; i < row->tag_count; i++) {
        tags[i] = copy(store, row->tags[i], strlen(row->tags[i]) + 1);
    }
    needs->tags = tags;
    needs->plugins = copy(store, row->plugins, row->plugin_count * sizeof *row->plugins);
}

static void take(struct rowstore *store, const struct pulse_change *change)
{
    struct rowstore_output *output;
    switch (change->kind) {
    case PULSE_CHANGE_JOB:
        take_job(store, &change->job);
        break;
    case PULSE_CHANGE_WANT:
    case PULSE_CHANGE_UNWANT:
        take_want(store, change);
        break;
    case PULSE_CHANGE_NEEDS:
        take_needs(store, &change->needs);
        break;
    case PULSE_CHANGE_SHARD:
        take_shard(store, &change->shard);
        break;
    case PULSE_CHANGE_SPEC:
        take_spec(store, change);
        break;
    case PULSE_CHANGE_OUTPUT:
        take_output(store, &change->output);
        break;
    case PULSE_CHANGE_ABSENT:
        output = find_output(store, change->output.tenant, &change->output.key);
        if (output != NULL) {
            output->there = false;
        }
        break;
    case PULSE_CHANGE_EVENT:
        store->events++;
        store->last_event = copy(store, change->event, strlen(change->event) + 1);
        break;
    case PULSE_CHANGE_ALARM:
        store->alarms++;
        store->last_alarm = copy(store, change->event, strlen(change->event) + 1);
        break;
    }
}

bool rowstore_commit(struct rowstore *store, uint64_t epoch, const struct pulse_change *changes, size_t count)
{
    if (epoch < store->epoch) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        take(store, &changes[i]);
    }
    return true;
}

/* ---- Loading ---- */

static void give(struct pulse_farm *farm, const struct pulse_change *row)
{
    struct lh_error error = LH_ERROR_INIT;
    if (pulse_farm_load(farm, row, &error) != LH_OK) {
        fprintf(stderr, "a row was refused: %s: %s\n", error.where, error.message);
        abort();
    }
}

size_t rowstore_load(const struct rowstore *store, struct pulse_farm *farm, uint64_t now_ns)
{
    for (size_t i = 0; i < store->needs.count; i++) {
        give(farm, &(struct pulse_change){.kind = PULSE_CHANGE_NEEDS,
                                          .needs = *(const struct pulse_needs_row *)store->needs.items[i]});
    }
    for (size_t i = 0; i < store->jobs.count; i++) {
        const struct rowstore_job *job = store->jobs.items[i];
        if (!pulse_job_is_final(job->row.state)) {
            give(farm, &(struct pulse_change){.kind = PULSE_CHANGE_JOB, .job = job->row});
        }
    }
    for (size_t i = 0; i < store->outputs.count; i++) {
        const struct rowstore_output *output = store->outputs.items[i];
        if (output->there) {
            give(farm, &(struct pulse_change){.kind = PULSE_CHANGE_OUTPUT, .output = output->row});
        }
    }
    for (size_t i = 0; i < store->shards.count; i++) {
        const struct rowstore_shard *shard = store->shards.items[i];
        if (!pulse_shard_is_final(shard->row.state)) {
            give(farm, &(struct pulse_change){.kind = PULSE_CHANGE_SHARD, .shard = shard->row});
            give(farm, &(struct pulse_change){.kind = PULSE_CHANGE_SPEC,
                                              .shard = shard->row,
                                              .inputs = shard->inputs,
                                              .input_count = shard->input_count,
                                              .outputs = shard->outputs,
                                              .output_count = shard->output_count});
        }
    }
    for (size_t i = 0; i < store->jobs.count; i++) {
        const struct rowstore_job *job = store->jobs.items[i];
        for (size_t k = 0; k < job->want_count && !pulse_job_is_final(job->row.state); k++) {
            give(farm, &(struct pulse_change){.kind = PULSE_CHANGE_WANT,
                                              .job = job->row,
                                              .output = {.tenant = job->row.tenant, .key = job->wants[k]}});
        }
    }
    size_t healed = 0;
    if (pulse_farm_load_end(farm, store->last_shard, now_ns, &healed) != LH_OK) {
        abort();
    }
    return healed;
}
