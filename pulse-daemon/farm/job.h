/* SPDX-License-Identifier: MIT */
/* The life of a job: queued, planned, running, and its end. */
#ifndef PULSE_FARM_JOB_H
#define PULSE_FARM_JOB_H

#include "pulse-daemon/farm/state.h"

void pulse_farm_job_submit(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_job_cancel(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_job_plan_failed(struct pulse_farm *farm, const struct pulse_farm_event *event);

/* It waits for the planner; `since` is its place among others of its tenant. */
void pulse_farm_job_enqueue(struct pulse_farm *farm, struct pulse_farm_job *job);
/* Out of the planner's queue, or out of the planner's hands. */
void pulse_farm_job_dequeue(struct pulse_farm *farm, struct pulse_farm_job *job);
/* Gives the planner what it has room for. */
void pulse_farm_jobs_plan(struct pulse_farm *farm);
/* What it waits for is gone: to be planned again, unless that happened too often. Until that plan comes it counts once.
 */
void pulse_farm_job_replan(struct pulse_farm *farm, struct pulse_farm_job *job);
/* All that it wants is present. */
void pulse_farm_job_satisfied(struct pulse_farm *farm, struct pulse_farm_job *job);
void pulse_farm_job_set_state(struct pulse_farm *farm, struct pulse_farm_job *job, enum pulse_job_state state);
/* How much it waits for, so that progress can be told of that. */
void pulse_farm_job_measure(struct pulse_farm *farm, struct pulse_farm_job *job);
/* The end: it waits for nothing any more. `error` in the arena; NULL unless FAILED. */
void pulse_farm_job_finish(struct pulse_farm *farm, struct pulse_farm_job *job, enum pulse_job_state state,
                           const char *error);

#endif
