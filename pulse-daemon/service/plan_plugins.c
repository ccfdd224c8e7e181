/* SPDX-License-Identifier: MIT */
/* The plugins of a project as the workers have them. */
#include "pulse-daemon/service/plan_job.h"

enum lh_status pulse_job_plan_plugins(struct pulse_planner *planner, struct pulse_job_plan *plan, bool *later,
                                      struct lh_error *error)
{
    const struct pulse_needs *needs = &plan->needs;
    struct pulse_plugin_facts *facts = lh_arena_array(&plan->arena, needs->plugin_count, sizeof *facts);
    *later = false;
    if (facts == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < needs->plugin_count; i++) {
        struct pulse_found_plugin found = {0};
        if (pulse_roster_plugin(planner->roster, &plan->arena, &plan->crew, needs->plugins[i], &found)) {
            if (found.facts == NULL) {
                return lh_error_no_memory(error);
            }
            facts[i] = (struct pulse_plugin_facts){.installed = found.facts, .repeatable = found.repeatable};
            continue;
        }
        if (!planner->settled) {
            *later = true; /* who has it may be on the way back */
            return LH_OK;
        }
        pulse_roster_near(planner->roster, &plan->arena, needs->plugins[i], facts[i].near);
    }
    plan->facts.plugins = facts;
    return LH_OK;
}
