/* SPDX-License-Identifier: MIT */
/* From JSON to the model. The shapes have been checked before, so the getters here are silent: a member that is missing
   or broken gives its default, and reading goes on to find what only the readers can see. A project with any finding
   is thrown away. Internal to this folder. */
#ifndef PULSE_PROJECT_READ_H
#define PULSE_PROJECT_READ_H

#include "pulse-daemon/project/load.h"
#include "pulse-daemon/project/model.h"
#include "pulse-daemon/project/names.h"
#include "pulse-daemon/project/report.h"

struct pulse_reading {
    struct pulse_report report; /* its out_of_memory stands for every allocation of the reading */
    struct lh_arena *arena;     /* the project's */
    struct pulse_project *project;
    struct pulse_names media, tracks, deliverables;
};

/* The parts, in this order: later ones look up what earlier ones named. */
void pulse_read_timeline(struct pulse_reading *reading, const struct lh_json *root);
void pulse_read_media(struct pulse_reading *reading, const struct lh_json *root);
void pulse_read_tracks(struct pulse_reading *reading, const struct lh_json *root);
void pulse_read_clips(struct pulse_reading *reading, struct pulse_track *track, const struct lh_json *list);
void pulse_read_nodes(struct pulse_reading *reading, struct pulse_track *track, const struct lh_json *list);
void pulse_read_automation(struct pulse_reading *reading, struct pulse_track *track, const struct lh_json *list);
void pulse_read_deliverables(struct pulse_reading *reading, const struct lh_json *root);
/* Reports the cycles that outputs, sends and side chains make, each with the names along it. */
void pulse_check_routes(struct pulse_reading *reading);

/* Zeroed elements in the project's arena; NULL when memory is out, which is remembered. */
void *pulse_read_array(struct pulse_reading *reading, size_t count, size_t size);
/* Indexes names; false when memory is out, which is remembered. */
bool pulse_read_names(struct pulse_reading *reading, const char *const *texts, size_t count, struct pulse_names *names);
/* The items of an array or object, whichever `kind` says; none of anything else. Of a list that is past its limit,
   which its shape has reported, the first `limit` ones. */
size_t pulse_items(const struct lh_json *value, enum lh_json_kind kind, size_t limit, struct lh_json *const **items);
/* The names in a list are not all known: it is of another kind, or past its limit. */
bool pulse_is_cut(const struct lh_json *list, enum lh_json_kind kind, size_t limit);
const char *pulse_text(const struct lh_json *object, const char *name, const char *otherwise);
bool pulse_flag(const struct lh_json *object, const char *name);
double pulse_number(const struct lh_json *object, const char *name, double otherwise);
/* Clamped to 0..UINT32_MAX. */
uint32_t pulse_whole(const struct lh_json *object, const char *name, uint32_t otherwise);
/* The position of the member's text among `names`. */
size_t pulse_choice(const struct lh_json *object, const char *name, const char *const *names, size_t count,
                    size_t otherwise);
/* dB, -inf for "-inf", 0 when not given. */
double pulse_level_db(const struct lh_json *object, const char *name);
/* unit NONE when not given. */
struct pulse_time pulse_time_of(const struct lh_json *object, const char *name);
/* Both are in one unit and `a` does not come before `b`: only then is the order known without the tempo map. */
bool pulse_time_reaches(struct pulse_time a, struct pulse_time b);
/* The track that a reference names, PULSE_NONE (reported with the nearest name) when there is none. */
size_t pulse_track_named(struct pulse_reading *reading, const struct lh_json *reference);

#endif
