/* SPDX-License-Identifier: MIT */
/* What is to be rendered: for each tenant a web of nodes that its jobs share, and what their bytes must be. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define ENGINE "1 sim"

/* ---- Digests that are cheap and tell things apart ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = (a ^ b * UINT64_C(0xff51afd7ed558ccd)) + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static struct lh_digest digest_of(uint64_t a, uint64_t b)
{
    struct lh_digest digest;
    for (size_t i = 0; i < LH_DIGEST_SIZE / sizeof(uint64_t); i++) {
        uint64_t word = mix(mix(a, b), i);
        memcpy(digest.bytes + i * sizeof word, &word, sizeof word);
    }
    return digest;
}

static uint64_t word_of(const struct lh_digest *digest)
{
    uint64_t word;
    memcpy(&word, digest->bytes, sizeof word);
    return word;
}

struct lh_digest sim_content(const struct lh_digest *key, const struct pulse_output_row *inputs, size_t count,
                             uint64_t salt)
{
    uint64_t sum = salt;
    for (size_t i = 0; i < count; i++) {
        sum = mix(sum, word_of(&inputs[i].digest));
    }
    return digest_of(word_of(key) ^ UINT64_C(0x5eed), sum);
}

/* ---- Keys and blobs ---- */

static bool match_key(const void *item, const void *key)
{
    return lh_digest_equal(&((const struct sim_key *)item)->key, key);
}

static bool match_digest(const void *item, const void *key)
{
    return lh_digest_equal(item, key);
}

static uint32_t hash(const struct lh_digest *digest)
{
    return (uint32_t)word_of(digest);
}

struct lh_digest sim_key_of(struct sim *sim, uint64_t tenant, uint32_t node, uint64_t job)
{
    uint64_t scope = sim->tenants[tenant - 1].nodes[node].tainted ? job : 0;
    struct lh_digest key = digest_of(tenant << 32 | node, scope);
    if (pulse_table_find(&sim->keys, hash(&key), match_key, &key) == NULL) {
        struct sim_key *item = sim_alloc(sim, 1, sizeof *item);
        *item = (struct sim_key){key, tenant, scope, node};
        if (!pulse_table_add(&sim->keys, hash(&key), item)) {
            abort();
        }
    }
    return key;
}

const struct sim_key *sim_key_find(const struct sim *sim, const struct lh_digest *key)
{
    return pulse_table_find(&sim->keys, hash(key), match_key, key);
}

const struct sim_node *sim_node_of(const struct sim *sim, const struct sim_key *key)
{
    return &sim->tenants[key->tenant - 1].nodes[key->node];
}

bool sim_blob_there(const struct sim *sim, const struct lh_digest *digest)
{
    return pulse_table_find(&sim->blobs, hash(digest), match_digest, digest) != NULL;
}

void sim_blob_put(struct sim *sim, const struct lh_digest *digest)
{
    if (!sim_blob_there(sim, digest) &&
        !pulse_table_add(&sim->blobs, hash(digest), sim_copy(sim, digest, 1, sizeof *digest))) {
        abort();
    }
}

void sim_blob_drop(struct sim *sim, const struct lh_digest *digest)
{
    void *item = pulse_table_find(&sim->blobs, hash(digest), match_digest, digest);
    if (item != NULL) {
        pulse_table_remove(&sim->blobs, hash(digest), item);
    }
}

static const struct pulse_output_row *input_of(const struct pulse_farm_action *work, const struct lh_digest *key)
{
    for (size_t i = 0; i < work->input_count; i++) {
        if (lh_digest_equal(&work->inputs[i].key, key)) {
            return &work->inputs[i];
        }
    }
    return NULL;
}

struct lh_digest sim_made(struct sim *sim, const struct lh_digest *key, const struct pulse_farm_action *work)
{
    const struct sim_key *found = sim_key_find(sim, key);
    const struct sim_node *node = sim_node_of(sim, found);
    struct pulse_output_row inputs[3];
    for (size_t i = 0; i < node->input_count; i++) {
        struct lh_digest input = sim_key_of(sim, found->tenant, node->inputs[i], found->scope);
        const struct pulse_output_row *given = input_of(work, &input);
        inputs[i].digest = given != NULL ? given->digest : sim_made(sim, &input, work);
    }
    return sim_content(key, inputs, node->input_count, node->unproven ? sim_random(sim) : 0);
}

bool sim_is_bad(struct sim *sim, const struct lh_digest *key, const struct pulse_farm_action *work)
{
    const struct sim_key *found = sim_key_find(sim, key);
    const struct sim_node *node = sim_node_of(sim, found);
    bool bad = node->bad;
    for (size_t i = 0; !bad && i < node->input_count; i++) {
        struct lh_digest input = sim_key_of(sim, found->tenant, node->inputs[i], found->scope);
        bad = input_of(work, &input) == NULL && sim_is_bad(sim, &input, work);
    }
    return bad;
}

bool sim_expected(struct sim *sim, const struct lh_digest *key, struct lh_digest *digest)
{
    const struct sim_key *found = sim_key_find(sim, key);
    const struct sim_node *node = found == NULL ? NULL : sim_node_of(sim, found);
    if (node == NULL || node->tainted) {
        return false;
    }
    struct pulse_output_row inputs[3];
    for (size_t i = 0; i < node->input_count; i++) {
        struct lh_digest input = sim_key_of(sim, found->tenant, node->inputs[i], 0);
        if (!sim_expected(sim, &input, &inputs[i].digest)) {
            return false;
        }
    }
    *digest = sim_content(key, inputs, node->input_count, 0);
    return true;
}

/* ---- Making ---- */

static void make_node(struct sim *sim, struct sim_tenant *tenant, uint32_t at)
{
    struct sim_node *node = &tenant->nodes[at];
    node->cost_ms = (uint32_t)(sim_chance(sim, 150) ? sim_between(sim, 5000, 40000) : sim_between(sim, 20, 4000));
    for (uint64_t left = at < 3 ? 0 : sim_between(sim, 0, 3); left > 0; left--) {
        uint32_t input = (uint32_t)sim_between(sim, 0, at - 1);
        bool twice = false;
        for (size_t i = 0; i < node->input_count; i++) {
            twice = twice || node->inputs[i] == input;
        }
        if (!twice) {
            node->inputs[node->input_count++] = input;
        }
    }
    node->unproven = sim_chance(sim, 50);
    node->bad = (sim->faults & SIM_BAD_SHARD) != 0 && sim_chance(sim, 30);
    node->tag = sim_chance(sim, 150) ? "gpu" : NULL;
    if ((sim->faults & SIM_RARE) != 0 && sim_chance(sim, 60)) {
        node->tag = "rare";
    }
    node->tainted = node->unproven;
    for (size_t i = 0; i < node->input_count; i++) {
        node->tainted = node->tainted || tenant->nodes[node->inputs[i]].tainted;
    }
}

static void make_jobs(struct sim *sim)
{
    static const int32_t priorities[] = {0, 0, 0, 10, -10, 100, -100};
    sim->job_count = sim_between(sim, 1, SIM_JOBS_MOST);
    for (size_t i = 0; i < sim->job_count; i++) {
        struct sim_job *job = &sim->jobs[i];
        job->id = i + 1;
        job->tenant = sim_between(sim, 1, sim->tenant_count);
        job->priority = priorities[sim_between(sim, 0, 6)];
        job->merges = sim_chance(sim, 300);
        job->fickle = sim_chance(sim, 300);
        job->facts = sim_chance(sim, 200);
        job->garbled = job->facts && (sim->faults & SIM_GARBLED) != 0 && sim_chance(sim, 300);
        job->unplannable = sim_chance(sim, 30);
        size_t count = sim->tenants[job->tenant - 1].count;
        job->want_count = sim_between(sim, 1, 3);
        for (size_t k = 0; k < job->want_count; k++) {
            job->wants[k] = (uint32_t)sim_between(sim, sim_chance(sim, 700) ? count / 2 : 0, count - 1);
        }
    }
}

static void make_workers(struct sim *sim)
{
    sim->worker_count = sim_between(sim, 2, SIM_WORKERS_MOST);
    for (size_t i = 0; i < sim->worker_count; i++) {
        struct sim_worker *worker = &sim->workers[i];
        snprintf(worker->name, sizeof worker->name, "w%u", (unsigned)i % 100);
        worker->index = (uint32_t)i;
        worker->slots = (uint32_t)sim_between(sim, 1, 4);
        worker->extra = sim_chance(sim, 300) ? 1 : 0;
        worker->tag = i == 0 || sim_chance(sim, 400) ? "gpu" : NULL;
        worker->bad = (sim->faults & SIM_BAD_MACHINE) != 0 && i == 1;
    }
    if ((sim->faults & SIM_RARE) != 0) {
        struct sim_worker *rare = &sim->workers[sim->worker_count - 1];
        rare->tag = "rare";
        rare->bad = false;
        rare->absent = true; /* until all is calm */
    }
}

void sim_world_make(struct sim *sim)
{
    sim->tenant_count = sim_between(sim, 1, SIM_TENANTS_MOST);
    for (size_t i = 0; i < sim->tenant_count; i++) {
        sim->tenants[i].count = sim_between(sim, 6, SIM_NODES_MOST);
        for (uint32_t k = 0; k < sim->tenants[i].count; k++) {
            make_node(sim, &sim->tenants[i], k);
        }
    }
    make_jobs(sim);
    make_workers(sim);
}

/* ---- Plans ---- */

/* What the job's wants hang on, by node. */
static void close_over(const struct sim *sim, const struct sim_job *job, bool *in)
{
    const struct sim_tenant *tenant = &sim->tenants[job->tenant - 1];
    for (size_t i = 0; i < job->want_count; i++) {
        in[job->wants[i]] = true;
    }
    for (size_t i = tenant->count; i-- > 0;) {
        for (size_t k = 0; in[i] && k < tenant->nodes[i].input_count; k++) {
            in[tenant->nodes[i].inputs[k]] = true;
        }
    }
}

bool sim_is_doomed(const struct sim *sim, const struct sim_job *job)
{
    bool in[SIM_NODES_MOST] = {false}, bad = job->unplannable || job->garbled;
    close_over(sim, job, in);
    for (size_t i = 0; i < sim->tenants[job->tenant - 1].count; i++) {
        bad = bad || (in[i] && sim->tenants[job->tenant - 1].nodes[i].bad);
    }
    return bad;
}

static const struct pulse_needs_row *needs_of(struct sim *sim, const char *tag)
{
    struct pulse_needs_row *needs = sim_alloc(sim, 1, sizeof *needs);
    *needs = (struct pulse_needs_row){.engine = ENGINE, .cpu_class = ""};
    needs->id = digest_of(UINT64_C(0x4eed), tag == NULL ? 0 : (uint64_t)tag[0]);
    if (tag != NULL) {
        needs->tags = sim_copy(sim, &tag, 1, sizeof tag);
        needs->tag_count = 1;
    }
    return needs;
}

struct planning {
    const struct sim_job *job;
    const struct sim_tenant *tenant;
    struct pulse_farm_shard *shards;
    size_t count;
    struct pulse_farm_promise *outputs; /* of the last shard, room for two */
    uint32_t last;                      /* the last node of it */
    bool merges;
    bool inner[SIM_NODES_MOST]; /* is not stored: the shard of the only node that needs it makes it on the way */
};

/* Where a job is cut that is not always cut alike. */
static void choose_cuts(struct sim *sim, struct planning *p, const bool *in)
{
    uint32_t users[SIM_NODES_MOST] = {0}, user[SIM_NODES_MOST] = {0};
    p->merges = sim_chance(sim, 500);
    for (uint32_t i = 0; i < p->tenant->count; i++) {
        for (size_t k = 0; in[i] && k < p->tenant->nodes[i].input_count; k++) {
            users[p->tenant->nodes[i].inputs[k]]++;
            user[p->tenant->nodes[i].inputs[k]] = i;
        }
    }
    for (size_t i = 0; i < p->job->want_count; i++) {
        users[p->job->wants[i]] = 0;
    }
    for (uint32_t i = 0; i < p->tenant->count; i++) {
        p->inner[i] = users[i] == 1 && p->tenant->nodes[user[i]].tag == p->tenant->nodes[i].tag && sim_chance(sim, 500);
    }
}

/* What the node's shard needs and costs, through what is inside of it. */
static void look_inside(struct sim *sim, const struct planning *p, uint32_t at, struct pulse_farm_shard *shard,
                        struct lh_digest *inputs)
{
    const struct sim_node *node = &p->tenant->nodes[at];
    shard->cost_ms += node->cost_ms;
    for (size_t i = 0; i < node->input_count; i++) {
        struct lh_digest key = sim_key_of(sim, p->job->tenant, node->inputs[i], p->job->id);
        bool twice = false;
        for (size_t k = 0; k < shard->input_count; k++) {
            twice = twice || lh_digest_equal(&inputs[k], &key);
        }
        if (p->inner[node->inputs[i]]) {
            look_inside(sim, p, node->inputs[i], shard, inputs);
        } else if (!twice) {
            inputs[shard->input_count++] = key;
        }
    }
}

/* A shard for the node; or, where the job cuts otherwise, a source joins the shard of the source before it. */
static void plan_node(struct sim *sim, struct planning *p, uint32_t at)
{
    const struct sim_node *node = &p->tenant->nodes[at], *last = &p->tenant->nodes[p->last];
    struct pulse_farm_promise output = {
        .key = sim_key_of(sim, p->job->tenant, at, p->job->id), .kind = PULSE_OUTPUT_STORED, .unproven = node->tainted};
    struct pulse_farm_shard *before = p->count == 0 ? NULL : &p->shards[p->count - 1];
    if (p->merges && before != NULL && before->output_count == 1 && node->input_count + last->input_count == 0 &&
        node->tag == last->tag) {
        p->outputs[before->output_count++] = output;
        before->cost_ms += node->cost_ms;
        p->last = at;
        return;
    }
    struct lh_digest *inputs = sim_alloc(sim, SIM_NODES_MOST, sizeof *inputs);
    p->outputs = sim_alloc(sim, 2, sizeof *p->outputs);
    p->outputs[0] = output;
    p->shards[p->count++] = (struct pulse_farm_shard){.kind = PULSE_SHARD_RENDER,
                                                      .needs = needs_of(sim, node->tag),
                                                      .inputs = inputs,
                                                      .outputs = p->outputs,
                                                      .output_count = 1,
                                                      .spec = "spec",
                                                      .spec_size = 4};
    look_inside(sim, p, at, &p->shards[p->count - 1], inputs);
    p->last = at;
}

/* Facts of a job are the sources of what it wants: it cannot be planned while one of them is absent. */
static bool lacks_facts(struct sim *sim, const struct sim_job *job, const bool *in)
{
    const struct sim_tenant *tenant = &sim->tenants[job->tenant - 1];
    for (uint32_t i = 0; job->facts && i < tenant->count; i++) {
        struct lh_digest key = sim_key_of(sim, job->tenant, i, job->id);
        const struct pulse_output_row *row = rowstore_output(&sim->store, job->tenant, &key);
        if (in[i] && tenant->nodes[i].input_count == 0 &&
            (job->garbled || row == NULL || row->state != PULSE_OUTPUT_PRESENT)) {
            return true;
        }
    }
    return false;
}

struct pulse_farm_event sim_plan(struct sim *sim, const struct sim_job *job)
{
    const struct sim_tenant *tenant = &sim->tenants[job->tenant - 1];
    bool in[SIM_NODES_MOST] = {false};
    close_over(sim, job, in);
    bool again = lacks_facts(sim, job, in);
    struct planning p = {job, tenant, sim_alloc(sim, tenant->count, sizeof *p.shards), .merges = job->merges};
    if (job->fickle && !again) {
        choose_cuts(sim, &p, in);
    }
    struct lh_digest *wants = sim_alloc(sim, tenant->count + job->want_count, sizeof *wants);
    size_t want_count = 0;
    for (uint32_t i = 0; i < tenant->count; i++) {
        if (in[i] && !p.inner[i] && (!again || tenant->nodes[i].input_count == 0)) {
            plan_node(sim, &p, i);
            if (again) {
                wants[want_count++] = sim_key_of(sim, job->tenant, i, job->id);
            }
        }
    }
    for (size_t i = 0; !again && i < job->want_count; i++) {
        wants[want_count++] = sim_key_of(sim, job->tenant, job->wants[i], job->id);
    }
    return (struct pulse_farm_event){.kind = PULSE_FARM_PLANNED,
                                     .tenant = job->tenant,
                                     .plan = {.job = job->id,
                                              .again = again,
                                              .shards = p.shards,
                                              .shard_count = p.count,
                                              .wants = wants,
                                              .want_count = want_count}};
}
