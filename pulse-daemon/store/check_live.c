/* SPDX-License-Identifier: MIT */
/* The living part of a store as one graph: jobs want outputs, shards promise some and need others. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/check.h"
#include "pulse-daemon/store/load.h"

struct output {
    uint64_t tenant;
    struct lh_digest key;
    enum pulse_output_state state;
    uint64_t shard;
};

struct shard {
    uint64_t tenant, id;
    enum pulse_shard_state state;
    const struct lh_digest *inputs, *outputs;
    size_t input_count, output_count;
    bool wanted;
};

struct want {
    uint64_t tenant, job;
    struct lh_digest key;
};

struct job {
    uint64_t tenant, id;
    enum pulse_job_state state;
};

struct list {
    void *items;
    size_t count, capacity;
};

struct live {
    struct pulse_checking *checking;
    struct lh_arena arena; /* edges */
    struct list outputs, shards, wants, jobs;
};

static void *append(struct list *list, size_t size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 256;
        void *grown = realloc(list->items, capacity * size);
        if (grown == NULL) {
            return NULL;
        }
        list->items = grown;
        list->capacity = capacity;
    }
    return (char *)list->items + size * list->count++;
}

/* ---- Loading ---- */

static bool keep_output(struct live *live, const struct pulse_output_row *row)
{
    struct output *output = append(&live->outputs, sizeof *output);
    if (output != NULL) {
        *output = (struct output){row->tenant, row->key, row->state, row->shard};
    }
    return output != NULL;
}

static const struct lh_digest *keep_keys(struct live *live, const struct lh_digest *keys, size_t count)
{
    struct lh_digest *copy = lh_arena_array(&live->arena, count, sizeof *copy);
    if (copy != NULL && count > 0) {
        memcpy(copy, keys, count * sizeof *copy);
    }
    return copy;
}

static bool keep_edges(struct live *live, const struct pulse_change *change)
{
    struct shard *shard = append(&live->shards, sizeof *shard);
    if (shard == NULL) {
        return false;
    }
    *shard = (struct shard){
        .tenant = change->shard.tenant,
        .id = change->shard.id,
        .state = change->shard.state,
        .inputs = keep_keys(live, change->inputs, change->input_count),
        .outputs = keep_keys(live, change->outputs, change->output_count),
        .input_count = change->input_count,
        .output_count = change->output_count,
    };
    return shard->inputs != NULL && shard->outputs != NULL;
}

static enum lh_status keep(void *context, const struct pulse_change *change)
{
    struct live *live = context;
    bool kept = true;
    if (change->kind == PULSE_CHANGE_OUTPUT) {
        kept = keep_output(live, &change->output);
    } else if (change->kind == PULSE_CHANGE_SPEC) {
        kept = keep_edges(live, change);
    } else if (change->kind == PULSE_CHANGE_JOB) {
        struct job *job = append(&live->jobs, sizeof *job);
        kept = job != NULL;
        if (kept) {
            *job = (struct job){change->job.tenant, change->job.id, change->job.state};
        }
    } else if (change->kind == PULSE_CHANGE_WANT) {
        struct want *want = append(&live->wants, sizeof *want);
        kept = want != NULL;
        if (kept) {
            *want = (struct want){change->output.tenant, change->job.id, change->output.key};
        }
    }
    return kept ? LH_OK : LH_ERR_NO_MEMORY;
}

/* ---- Looking up ---- */

static int compare_outputs(const void *a, const void *b)
{
    const struct output *first = a, *second = b;
    if (first->tenant != second->tenant) {
        return first->tenant < second->tenant ? -1 : 1;
    }
    return memcmp(first->key.bytes, second->key.bytes, LH_DIGEST_SIZE);
}

static int compare_shards(const void *a, const void *b)
{
    const struct shard *first = a, *second = b;
    if (first->tenant != second->tenant) {
        return first->tenant < second->tenant ? -1 : 1;
    }
    return first->id < second->id ? -1 : first->id > second->id;
}

static void sort(struct list *list, size_t size, int (*compare)(const void *a, const void *b))
{
    if (list->count > 0) {
        qsort(list->items, list->count, size, compare);
    }
}

static const struct output *find_output(const struct live *live, uint64_t tenant, const struct lh_digest *key)
{
    struct output wanted = {.tenant = tenant, .key = *key};
    return live->outputs.count == 0
               ? NULL
               : bsearch(&wanted, live->outputs.items, live->outputs.count, sizeof wanted, compare_outputs);
}

static struct shard *find_shard(const struct live *live, uint64_t tenant, uint64_t id)
{
    struct shard wanted = {.tenant = tenant, .id = id};
    return live->shards.count == 0
               ? NULL
               : bsearch(&wanted, live->shards.items, live->shards.count, sizeof wanted, compare_shards);
}

/* ---- Rules ---- */

static void report_shard(struct live *live, const struct shard *shard, const char *fault)
{
    pulse_check_report(live->checking, fault, "shard %" PRIu64 " of tenant %" PRIu64, shard->id, shard->tenant);
}

static void check_inputs(struct live *live, const struct shard *shard)
{
    size_t present = 0, absent = 0;
    for (size_t i = 0; i < shard->input_count; i++) {
        const struct output *output = find_output(live, shard->tenant, &shard->inputs[i]);
        present += output != NULL && output->state == PULSE_OUTPUT_PRESENT;
        absent += output == NULL;
    }
    if (absent > 0 && shard->state != PULSE_SHARD_CLAIMED) {
        report_shard(live, shard, "an input of it is neither present nor promised");
    } else if (shard->state == PULSE_SHARD_READY && present < shard->input_count) {
        report_shard(live, shard, "it is ready though an input of it is not present");
    } else if (shard->state == PULSE_SHARD_WAITING && present == shard->input_count) {
        report_shard(live, shard, "it waits though all its inputs are present");
    }
}

static void check_outputs(struct live *live, const struct shard *shard)
{
    size_t promised = 0;
    for (size_t i = 0; i < shard->output_count; i++) {
        const struct output *output = find_output(live, shard->tenant, &shard->outputs[i]);
        promised += output != NULL && output->state == PULSE_OUTPUT_PROMISED && output->shard == shard->id;
    }
    if (promised == 0) {
        report_shard(live, shard, "it is alive and promises nothing");
    }
}

static void check_promise(struct live *live, const struct output *output)
{
    const struct shard *shard = find_shard(live, output->tenant, output->shard);
    bool listed = false;
    if (output->state != PULSE_OUTPUT_PROMISED || shard == NULL) {
        return; /* whether the shard of a promise is alive is asked by query */
    }
    for (size_t i = 0; !listed && i < shard->output_count; i++) {
        listed = lh_digest_equal(&shard->outputs[i], &output->key);
    }
    if (!listed) {
        report_shard(live, shard, "an output is promised by it that it does not make");
    }
}

/* `wants` of one job stand together. */
static void check_job(struct live *live, const struct job *job, const struct want *wants, size_t count)
{
    size_t present = 0, absent = 0;
    for (size_t i = 0; i < count; i++) {
        const struct output *output = find_output(live, job->tenant, &wants[i].key);
        present += output != NULL && output->state == PULSE_OUTPUT_PRESENT;
        absent += output == NULL;
    }
    if (job->state != PULSE_JOB_RUNNING || count == 0) {
        return; /* one that waits for nothing is found by query */
    }
    if (absent > 0) {
        pulse_check_report(live->checking, "it is running, and nobody makes what it waits for",
                           "job %" PRIu64 " of tenant %" PRIu64, job->id, job->tenant);
    } else if (present == count) {
        pulse_check_report(live->checking, "it is running though all that it waits for is present",
                           "job %" PRIu64 " of tenant %" PRIu64, job->id, job->tenant);
    }
}

/* Marks the shards that make what is wanted, and those that make what these need. */
static enum lh_status mark_wanted(struct live *live)
{
    struct list queue = {NULL, 0, 0};
    enum lh_status status = LH_OK;
    const struct want *wants = live->wants.items;
    for (size_t next = 0, i = 0; status == LH_OK && (i < live->wants.count || next < queue.count);) {
        const struct output *output = NULL;
        if (i < live->wants.count) {
            output = find_output(live, wants[i].tenant, &wants[i].key);
            i++;
        } else {
            const struct want *want = (const struct want *)queue.items + next++;
            output = find_output(live, want->tenant, &want->key);
        }
        struct shard *shard = output != NULL && output->state == PULSE_OUTPUT_PROMISED
                                  ? find_shard(live, output->tenant, output->shard)
                                  : NULL;
        for (size_t edge = 0; shard != NULL && !shard->wanted && edge < shard->input_count; edge++) {
            struct want *want = append(&queue, sizeof *want);
            if (want == NULL) {
                status = LH_ERR_NO_MEMORY;
                break;
            }
            *want = (struct want){.tenant = shard->tenant, .key = shard->inputs[edge]};
        }
        if (shard != NULL) {
            shard->wanted = true;
        }
    }
    free(queue.items);
    return status;
}

static int compare_wants(const void *a, const void *b)
{
    const struct want *first = a, *second = b;
    return first->job < second->job ? -1 : first->job > second->job;
}

static int compare_jobs(const void *a, const void *b)
{
    const struct job *first = a, *second = b;
    return first->id < second->id ? -1 : first->id > second->id;
}

static void check_all(struct live *live)
{
    const struct job *jobs = live->jobs.items;
    const struct shard *shards = live->shards.items;
    const struct output *outputs = live->outputs.items;
    const struct want *wants = live->wants.items;
    for (size_t i = 0, at = 0; i < live->jobs.count; i++) {
        size_t first = at;
        while (at < live->wants.count && wants[at].job <= jobs[i].id) {
            at++;
        }
        check_job(live, &jobs[i], wants != NULL ? &wants[first] : NULL, at - first);
    }
    for (size_t i = 0; i < live->shards.count; i++) {
        check_inputs(live, &shards[i]);
        check_outputs(live, &shards[i]);
        if (!shards[i].wanted) {
            report_shard(live, &shards[i], "it is alive and nobody waits for it");
        }
    }
    for (size_t i = 0; i < live->outputs.count; i++) {
        check_promise(live, &outputs[i]);
    }
}

enum lh_status pulse_check_live(struct pulse_store *store, struct pulse_checking *checking, struct lh_error *error)
{
    struct live live = {.checking = checking};
    lh_arena_init(&live.arena);
    enum lh_status status = pulse_store_load_in_snapshot(store, keep, &live, error);
    if (status == LH_OK) {
        sort(&live.outputs, sizeof(struct output), compare_outputs);
        sort(&live.shards, sizeof(struct shard), compare_shards);
        sort(&live.wants, sizeof(struct want), compare_wants);
        sort(&live.jobs, sizeof(struct job), compare_jobs);
        status = mark_wanted(&live);
    }
    if (status == LH_OK) {
        check_all(&live);
    }
    if (status == LH_ERR_NO_MEMORY) {
        lh_error_no_memory(error);
    }
    free(live.outputs.items);
    free(live.shards.items);
    free(live.wants.items);
    free(live.jobs.items);
    lh_arena_fini(&live.arena);
    return status;
}
