/* SPDX-License-Identifier: MIT */
/* What is wrong with a project, collected while it is read and told in the order of the document. Internal to this
   folder; callers of the loader see struct lh_faults. */
#ifndef PULSE_PROJECT_REPORT_H
#define PULSE_PROJECT_REPORT_H

#include "common/base/faults.h"
#include "common/json/json.h"

struct pulse_finding {
    const struct lh_json *at;
    size_t sequence; /* keeps the order of findings at one place */
    const char *message;
};

struct pulse_report {
    struct lh_arena *arena; /* borrowed: owns the findings until they are delivered */
    struct pulse_finding *items;
    size_t stored, capacity; /* at most LH_FAULTS_MAX are kept */
    size_t count;
    size_t comparisons; /* spent on "did you mean", bounded for the whole document */
    bool out_of_memory;
};

void pulse_report_init(struct pulse_report *report, struct lh_arena *arena);
/* A fault at a value; for a member that is missing, at the object that lacks it. */
void pulse_report_at(struct pulse_report *report, const struct lh_json *at, const char *format, ...) LH_PRINTF(3, 4);
/* Adds everything to `faults`, sorted by place, as LH_ERR_INVALID. Returns LH_OK when there was nothing to add. */
LH_NODISCARD enum lh_status pulse_report_deliver(struct pulse_report *report, struct lh_faults *faults);

/* `text` in double quotes, fit for a terminal: control bytes become '?', long texts are cut. Never NULL. */
const char *pulse_report_quote(struct pulse_report *report, const char *text);
/* "; did you mean \"x\"?" with the nearest of `names`, or "". Never NULL. */
const char *pulse_report_suggest(struct pulse_report *report, const char *text, const char *const *names, size_t count);

#endif
