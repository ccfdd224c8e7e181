/* SPDX-License-Identifier: MIT */
/* The steps from a job to its plan. */
#include "pulse-daemon/service/plan_job.h"

#include <stdio.h>
#include <string.h>

void pulse_job_plan_init(struct pulse_job_plan *plan, uint64_t tenant, uint64_t job)
{
    *plan = (struct pulse_job_plan){.tenant = tenant, .job = job};
    lh_arena_init(&plan->arena);
    lh_faults_init(&plan->faults, &plan->arena);
}

void pulse_job_plan_fini(struct pulse_job_plan *plan)
{
    pulse_plan_free(plan->plan);
    pulse_compiled_free(plan->compiled);
    pulse_project_free(plan->project);
    lh_arena_fini(&plan->arena);
}

/* What the job asks for. */
static enum lh_status read_request(struct pulse_planner *planner, struct pulse_job_plan *plan, struct lh_error *error)
{
    enum lh_status status =
        pulse_store_job(planner->store, plan->tenant, plan->job, &plan->arena, &plan->record, error);
    status = status == LH_OK ? pulse_request_read(&plan->arena, plan->record.request.options, &plan->request, error)
                             : status;
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

static enum lh_status compile(struct pulse_job_plan *plan)
{
    enum lh_status status =
        pulse_compile(plan->project, &plan->needs, &plan->facts, &plan->options, &plan->faults, &plan->compiled);
    return status == LH_ERR_NO_MEMORY || plan->faults.out_of_memory ? LH_ERR_NO_MEMORY : LH_OK;
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
    status = pulse_roster_crew(planner->roster, &plan->arena, &plan->crew);
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
    if (compile(plan) != LH_OK) {
        return lh_error_no_memory(error);
    }
    if (plan->faults.count > 0) {
        return LH_OK;
    }
    *outcome = PULSE_PLANNED_READY;
    return pulse_job_plan_cut(planner, plan, error);
}
