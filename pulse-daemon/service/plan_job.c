/* SPDX-License-Identifier: MIT */
/* The steps from a job to its plan. */
#include "pulse-daemon/service/plan_job.h"

#include <stdio.h>
#include <string.h>

#include "graph/container.h"
#include "pulse-daemon/service/tags.h"
#include "pulse-daemon/store/access.h"

void pulse_job_plan_init(struct pulse_job_plan *plan, uint64_t tenant, uint64_t job)
{
    *plan = (struct pulse_job_plan){.tenant = tenant, .job = job};
    lh_arena_init(&plan->arena);
    lh_faults_init(&plan->faults, &plan->arena);
}

void pulse_job_plan_fini(struct pulse_job_plan *plan)
{
    pulse_plan_free(plan->plan);
    pulse_project_free(plan->project);
    lh_arena_fini(&plan->arena);
}

/* A tenant may be pinned to some workers; what the request asks for beside that only narrows. */
static enum lh_status read_tags(struct pulse_planner *planner, struct pulse_job_plan *plan, struct lh_error *error)
{
    struct pulse_tenant_row tenant;
    enum lh_status status = pulse_store_tenant(planner->store, plan->tenant, NULL, &plan->arena, &tenant, error);
    if (status == LH_OK && !pulse_tags_unite(&plan->arena, tenant.tags, plan->request.tags, plan->request.tag_count,
                                             &plan->tags, &plan->tag_count)) {
        status = lh_error_no_memory(error);
    }
    return status;
}

/* What the job asks for. */
static enum lh_status read_request(struct pulse_planner *planner, struct pulse_job_plan *plan, struct lh_error *error)
{
    enum lh_status status =
        pulse_store_job(planner->store, plan->tenant, plan->job, &plan->arena, &plan->record, error);
    status = status == LH_OK ? pulse_request_read(&plan->arena, plan->record.request.options, &plan->request, error)
                             : status;
    status = status == LH_OK ? read_tags(planner, plan, error) : status;
    status = status == LH_OK ? pulse_store_revision(planner->store, plan->tenant, plan->record.request.project,
                                                    plan->record.request.revision, &plan->arena, &plan->revision, error)
                             : status;
    plan->options = (struct pulse_compile_options){.only = plan->request.only, .only_count = plan->request.only_count};
    return status;
}

/* It was checked when it came; a newer Pulse may know more rules. */
static enum lh_status read_project(struct pulse_job_plan *plan)
{
    enum lh_status status = pulse_project_parse(plan->revision.document, plan->revision.document_size, NULL, NULL, 0,
                                                &plan->faults, &plan->project);
    if (status != LH_OK) {
        return status == LH_ERR_NO_MEMORY ? status : LH_OK;
    }
    return pulse_compile_needs(&plan->arena, plan->project, &plan->options, &plan->needs);
}

/* What decides over bits beside the graph. A job that is to be rendered afresh has keys that nobody else has. */
static enum lh_status set_context(struct pulse_job_plan *plan)
{
    char job[32];
    snprintf(job, sizeof job, "%llu", (unsigned long long)plan->job);
    const char *libraries = plan->crew.libraries;
    if (plan->request.fresh) {
        size_t size = strlen(libraries) + sizeof " for job  alone" + sizeof job;
        char *text = lh_arena_alloc(&plan->arena, size);
        if (text == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        snprintf(text, size, "%s for job %s alone", libraries, job);
        libraries = text;
    }
    plan->context = (struct graph_key_context){
        .sound_version = plan->crew.sound_version,
        .libraries = libraries,
        .cpu_class = plan->crew.cpu_class,
        .job = lh_arena_strdup(&plan->arena, job),
    };
    return plan->context.job != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static void write_file(struct lh_writer *writer, const struct pulse_needed_file *file)
{
    lh_writer_u8(writer, file->there);
    lh_writer_bytes(writer, file->digest.bytes, sizeof file->digest.bytes);
    lh_writer_bytes(writer, file->key.bytes, sizeof file->key.bytes); /* of its facts: says who read it */
}

/* All that compiling looks at. What the libraries are and which CPU it is decides over keys, not over the graph. */
static enum lh_status digest_of_compile(const struct pulse_job_plan *plan, struct lh_digest *digest)
{
    const struct pulse_needs *needs = &plan->needs;
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_bytes(&writer, plan->revision.document, plan->revision.document_size);
    for (size_t i = 0; i < plan->options.only_count; i++) {
        lh_writer_text(&writer, plan->options.only[i]);
    }
    for (size_t i = 0; i < plan->project->media_count; i++) {
        write_file(&writer, &plan->media[i]);
    }
    for (size_t i = 0; i < needs->midi_count; i++) {
        write_file(&writer, &plan->midi[i]);
    }
    for (size_t i = 0; i < needs->state_count; i++) {
        write_file(&writer, &plan->states[i]);
    }
    for (size_t i = 0; i < needs->plugin_count; i++) {
        const struct pulse_plugin_facts *facts = &plan->facts.plugins[i];
        lh_writer_u8(&writer, (uint8_t)((facts->installed != NULL ? 2 : 0) | (facts->repeatable ? 1 : 0)));
        if (facts->installed != NULL) {
            graph_plugin_facts_write(&writer, facts->installed);
        }
    }
    enum lh_status status = lh_writer_status(&writer);
    status = status == LH_OK ? lh_digest_bytes(writer.data, writer.size, digest) : status;
    lh_writer_fini(&writer);
    return status;
}

/* A container that cannot hold what it is to hold is a fault of the project. */
static void check_containers(struct pulse_job_plan *plan, const struct pulse_compiled *compiled)
{
    const struct graph *graph = compiled->graph;
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        const struct graph_deliverable *deliverable = &graph->deliverables[i];
        struct lh_error fault = LH_ERROR_INIT;
        enum lh_status status = graph_container_check(deliverable, graph->nodes[deliverable->node].channels, &fault);
        if (status != LH_OK) {
            const struct pulse_deliverable *asked = &plan->project->deliverables[compiled->outputs[i].deliverable];
            char where[LH_ERROR_WHERE_SIZE] = "";
            if (asked->json != NULL) {
                lh_json_pointer(asked->json, where, sizeof where);
            }
            lh_faults_add(&plan->faults, status, where, "%s", fault.message);
        }
    }
}

static enum lh_status compile(struct pulse_planner *planner, struct pulse_job_plan *plan)
{
    struct lh_digest key;
    struct pulse_compiled *compiled = NULL;
    if (digest_of_compile(plan, &key) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    if (plan->faults.count == 0) { /* a medium that cannot be read is a fault that the key does not know of */
        plan->compiled = pulse_plan_cache_find(&planner->compiled, &key);
    }
    if (plan->compiled != NULL) {
        return LH_OK;
    }
    enum lh_status status =
        pulse_compile(plan->project, &plan->needs, &plan->facts, &plan->options, &plan->faults, &compiled);
    if (status == LH_OK) {
        check_containers(plan, compiled);
    }
    if (status != LH_OK || plan->faults.count > 0 || plan->faults.out_of_memory) {
        if (status == LH_OK) {
            pulse_compiled_free(compiled);
        }
        return status == LH_ERR_NO_MEMORY || plan->faults.out_of_memory ? LH_ERR_NO_MEMORY : LH_OK;
    }
    pulse_plan_cache_keep(&planner->compiled, &key, compiled);
    plan->compiled = compiled;
    return LH_OK;
}

enum lh_status pulse_job_plan_make(struct pulse_planner *planner, struct pulse_job_plan *plan,
                                   enum pulse_planned *outcome, struct lh_error *error)
{
    bool unknown = false, later = false;
    *outcome = PULSE_PLANNED_FAULTY;
    enum lh_status status = read_request(planner, plan, error);
    if (status == LH_OK && read_project(plan) != LH_OK) {
        return lh_error_no_memory(error);
    }
    if (status != LH_OK || plan->faults.count > 0) {
        return status;
    }
    status = pulse_roster_crew(planner->roster, &plan->arena, plan->tags, plan->tag_count, &plan->crew);
    if (status == LH_ERR_MISSING) {
        *outcome = PULSE_PLANNED_LATER;
        return LH_OK;
    }
    if (status != LH_OK || set_context(plan) != LH_OK) {
        return lh_error_no_memory(error);
    }
    status = pulse_job_plan_facts(planner, plan, &unknown, error);
    if (status != LH_OK || unknown) {
        *outcome = PULSE_PLANNED_READY;
        return status;
    }
    status = pulse_job_plan_plugins(planner, plan, &later, error);
    if (status != LH_OK || later) {
        *outcome = PULSE_PLANNED_LATER;
        return status;
    }
    if (compile(planner, plan) != LH_OK) {
        return lh_error_no_memory(error);
    }
    if (plan->faults.count > 0) {
        return LH_OK;
    }
    *outcome = PULSE_PLANNED_READY;
    return pulse_job_plan_cut(planner, plan, error);
}
