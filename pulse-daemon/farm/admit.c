/* SPDX-License-Identifier: MIT */
/* The walk over a plan, and the shards that come of it. */
#include "pulse-daemon/farm/admit.h"

#include <stdio.h>
#include <string.h>

#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/job.h"
#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/need.h"
#include "pulse-daemon/farm/say.h"
#include "pulse-daemon/farm/task.h"

#define MESSAGE_SIZE 256

struct admission {
    struct pulse_farm *farm;
    struct pulse_farm_job *job;
    const struct pulse_farm_plan *plan;
    struct pulse_table makers; /* of struct made, by key */
    struct made *made;
    bool *taken; /* by shard of the plan */
    size_t *stack;
    size_t depth;
    char fault[MESSAGE_SIZE]; /* why the plan cannot be; "" as long as it can */
};

/* Which shard of the plan makes an output. */
struct made {
    const struct lh_digest *key;
    size_t shard;
};

static bool match_made(const void *item, const void *key)
{
    return lh_digest_equal(((const struct made *)item)->key, key);
}

static uint32_t hash_key(const struct lh_digest *key)
{
    return pulse_hash_bytes(0, key->bytes, sizeof(uint64_t));
}

void pulse_farm_take_known(struct pulse_farm *farm, const struct pulse_output_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct pulse_farm_tenant *tenant =
            rows[i].state == PULSE_OUTPUT_PRESENT ? pulse_farm_tenant(farm, rows[i].tenant) : NULL;
        if (tenant == NULL || pulse_farm_find_output(farm, tenant, &rows[i].key) != NULL) {
            continue; /* what is held is known better; a promise that is not held is nobody's */
        }
        struct pulse_farm_output *output = pulse_farm_output(farm, tenant, &rows[i].key);
        if (output == NULL) {
            return;
        }
        output->state = PULSE_FARM_PRESENT;
        output->kind = (uint8_t)rows[i].kind;
        output->unproven = rows[i].unproven;
        output->shard = rows[i].shard;
        output->digest = rows[i].digest;
        output->size = rows[i].size;
    }
}

/* ---- Checks ---- */

static bool refuse(struct admission *a, size_t shard, const char *what)
{
    snprintf(a->fault, sizeof a->fault, "shard %zu of the plan %s", shard, what);
    return false;
}

static bool needs_ok(const struct pulse_needs_row *needs)
{
    return needs != NULL && needs->engine != NULL && needs->cpu_class != NULL;
}

/* Who makes what. What two shards make, the first one makes. */
static bool index_makers(struct admission *a)
{
    size_t count = 0;
    for (size_t i = 0; i < a->plan->shard_count; i++) {
        const struct pulse_farm_shard *shard = &a->plan->shards[i];
        if (shard->output_count == 0 || shard->output_count > PULSE_SHARD_EDGES_MAX ||
            shard->input_count > PULSE_SHARD_EDGES_MAX || shard->spec_size > PULSE_SHARD_SPEC_MAX) {
            return refuse(a, i, "is past the limits");
        }
        if (!needs_ok(shard->needs)) {
            return refuse(a, i, "does not say what it needs");
        }
        count += shard->output_count;
    }
    a->made = pulse_farm_scratch(a->farm, count, sizeof *a->made);
    if (a->made == NULL) {
        return false;
    }
    struct made *made = a->made;
    for (size_t i = 0; i < a->plan->shard_count; i++) {
        const struct pulse_farm_shard *shard = &a->plan->shards[i];
        for (size_t k = 0; k < shard->output_count; k++) {
            const struct lh_digest *key = &shard->outputs[k].key;
            const struct made *other = pulse_table_find(&a->makers, hash_key(key), match_made, key);
            if (other != NULL && other->shard == i) {
                return refuse(a, i, "makes one output twice");
            }
            if (other == NULL) {
                *made = (struct made){key, i};
                if (!pulse_table_add(&a->makers, hash_key(key), made++)) {
                    a->farm->no_memory = true;
                    return false;
                }
            }
        }
    }
    return true;
}

/* ---- The walk ---- */

/* Takes the maker of this output if it needs one; `before`: the shard of the plan that asks. */
static bool ask_for(struct admission *a, const struct lh_digest *key, size_t before)
{
    const struct pulse_farm_output *output = pulse_farm_find_output(a->farm, a->job->tenant, key);
    if (output != NULL && output->state != PULSE_FARM_ABSENT) {
        return true;
    }
    const struct made *made = pulse_table_find(&a->makers, hash_key(key), match_made, key);
    if (made == NULL || made->shard >= before) {
        char text[LH_DIGEST_TEXT_SIZE];
        lh_digest_text(key, text);
        snprintf(a->fault, sizeof a->fault, "nothing in the plan makes %s before it is needed", text);
        return false;
    }
    if (!a->taken[made->shard]) {
        a->taken[made->shard] = true;
        a->stack[a->depth++] = made->shard;
    }
    return true;
}

static bool walk(struct admission *a)
{
    a->taken = pulse_farm_scratch(a->farm, a->plan->shard_count, sizeof *a->taken);
    a->stack = pulse_farm_scratch(a->farm, a->plan->shard_count, sizeof *a->stack);
    if (a->taken == NULL || a->stack == NULL) {
        return false;
    }
    for (size_t i = 0; i < a->plan->want_count; i++) {
        if (!ask_for(a, &a->plan->wants[i], a->plan->shard_count)) {
            return false;
        }
    }
    while (a->depth > 0) {
        size_t at = a->stack[--a->depth];
        for (size_t i = 0; i < a->plan->shards[at].input_count; i++) {
            if (!ask_for(a, &a->plan->shards[at].inputs[i], at)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- Shards ---- */

/* The shard promises its outputs, but those that are present or that another has promised. */
static void promise(struct admission *a, struct pulse_farm_shard_entry *shard, const struct pulse_farm_shard *part)
{
    for (size_t i = 0; i < part->output_count; i++) {
        struct pulse_farm_output *output = pulse_farm_output(a->farm, a->job->tenant, &part->outputs[i].key);
        if (output == NULL) {
            return;
        }
        shard->outputs[i] = output;
        output->makers++;
        if (output->state == PULSE_FARM_ABSENT) {
            output->state = PULSE_FARM_PROMISED;
            output->kind = (uint8_t)part->outputs[i].kind;
            output->unproven = part->outputs[i].unproven;
            output->size = part->outputs[i].size;
            output->maker = shard;
            output->shard = shard->id;
            pulse_farm_output_changed(a->farm, output);
        }
    }
}

static struct pulse_farm_shard_entry *make(struct admission *a, const struct pulse_farm_shard *part)
{
    bool is_new = false;
    struct pulse_farm_needs *needs = pulse_farm_needs(a->farm, part->needs, &is_new);
    if (needs == NULL) {
        return NULL;
    }
    struct pulse_farm_shard_entry *shard = pulse_farm_new_shard(a->farm, a->farm->last_shard + 1, a->job->tenant, needs,
                                                                part->input_count, part->output_count);
    if (shard == NULL) {
        if (needs->shards == 0) {
            pulse_farm_needs_free(a->farm, needs);
        }
        return NULL;
    }
    a->farm->last_shard++;
    shard->kind = (uint8_t)part->kind;
    shard->cost_ms = part->cost_ms;
    shard->fresh = true;
    if (is_new) {
        pulse_farm_emit_needs(a->farm, part->needs);
    }
    pulse_farm_shard_changed(a->farm, shard);
    pulse_farm_emit_spec(a->farm, shard->id, a->job->tenant->id, part, a->plan->trace);
    for (size_t i = 0; i < part->input_count; i++) {
        struct pulse_farm_output *output = pulse_farm_output(a->farm, a->job->tenant, &part->inputs[i]);
        if (output == NULL) {
            return NULL;
        }
        pulse_farm_edge_link(shard, i, output);
    }
    promise(a, shard, part);
    pulse_farm_unsettle(a->farm, shard);
    return shard;
}

/* ---- Wants ---- */

/* The job waits for what the plan says, and no more for what an earlier one said. */
static void want(struct admission *a)
{
    uint32_t before = a->job->want_count;
    for (size_t i = 0; i < a->plan->want_count; i++) {
        struct pulse_farm_output *output = pulse_farm_output(a->farm, a->job->tenant, &a->plan->wants[i]);
        if (output == NULL || !pulse_farm_want_link(a->farm, a->job, output)) {
            return;
        }
        output->mark = a->farm->mark;
        pulse_farm_emit_want(a->farm, PULSE_CHANGE_WANT, a->job, &output->key);
    }
    for (size_t i = before; i-- > 0;) {
        const struct pulse_farm_output *output = a->job->wants[i]->output;
        if (output->mark != a->farm->mark) {
            pulse_farm_emit_want(a->farm, PULSE_CHANGE_UNWANT, a->job, &output->key);
            pulse_farm_want_unlink(a->farm, a->job, i);
        }
    }
}

static void enter(struct admission *a)
{
    struct pulse_farm *farm = a->farm;
    size_t made = 0;
    struct pulse_farm_shard_entry **shards = pulse_farm_scratch(farm, a->plan->shard_count, sizeof *shards);
    for (size_t i = 0; shards != NULL && i < a->plan->shard_count; i++) {
        if (a->taken[i] && (shards[made++] = make(a, &a->plan->shards[i])) == NULL) {
            return;
        }
    }
    farm->mark++;
    want(a);
    pulse_farm_settle(farm);
    if (shards == NULL || farm->no_memory) {
        return;
    }
    for (size_t i = 0; i < made; i++) {
        if (shards[i]->state == PULSE_SHARD_WAITING) {
            pulse_farm_task_place(farm, shards[i], 0);
        }
    }
    pulse_farm_job_measure(farm, a->job);
    pulse_farm_job_dequeue(farm, a->job);
    a->job->renewed = false;
    if (!a->plan->again) {
        pulse_farm_job_set_state(farm, a->job, PULSE_JOB_RUNNING);
    } else if (a->job->absent > 0) {
        a->job->phase = PULSE_FARM_FOR_FACTS;
        return;
    } else if (++a->job->replans > PULSE_FARM_REPLANS) {
        struct pulse_farm_mishap none = {.report = ""};
        pulse_farm_job_finish(farm, a->job, PULSE_JOB_FAILED,
                              pulse_farm_say_error(farm, "the plan asks again and again for what is there", &none));
        return;
    } else {
        pulse_farm_job_enqueue(farm, a->job);
        return;
    }
    if (a->job->absent == 0) {
        pulse_farm_job_satisfied(farm, a->job);
    }
}

void pulse_farm_admit(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct admission a = {.farm = farm, .plan = &event->plan, .job = pulse_farm_find_job(farm, event->plan.job)};
    if (a.job == NULL || a.job->phase != PULSE_FARM_WITH_PLANNER) {
        return; /* cancelled meanwhile, or told twice */
    }
    pulse_farm_take_known(farm, event->known, event->known_count);
    if (a.plan->shard_count > farm->options.shards_most || a.plan->want_count > PULSE_SHARD_EDGES_MAX) {
        snprintf(a.fault, sizeof a.fault, "the plan has %zu shards and %zu outputs: more than one job may have",
                 a.plan->shard_count, a.plan->want_count);
    } else if (index_makers(&a) && walk(&a)) {
        enter(&a);
    }
    if (a.fault[0] != '\0') {
        struct pulse_farm_mishap none = {.report = ""};
        pulse_farm_job_finish(farm, a.job, PULSE_JOB_FAILED, pulse_farm_say_error(farm, a.fault, &none));
    }
    pulse_table_fini(&a.makers);
}
