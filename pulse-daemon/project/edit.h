/* SPDX-License-Identifier: MIT */
/* A transaction of edits on a project's document: all of them or none. What comes out is a project of its own, checked
   as if it had been loaded; every fault is told at once. Any thread. */
#ifndef PULSE_PROJECT_EDIT_H
#define PULSE_PROJECT_EDIT_H

#include "common/json/json.h"
#include "pulse-daemon/project/load.h"

#define PULSE_EDITS_MAX 10000 /* of one transaction */

enum pulse_edit_kind {
    PULSE_EDIT_SET = 0, /* the value at `at` is replaced, or the member added */
    PULSE_EDIT_INSERT,  /* into an array before the element at `at` ("-" or its count: at the end); a new member */
    PULSE_EDIT_REMOVE,  /* the value at `at` goes */
    PULSE_EDIT_MOVE,    /* the value at `from` goes and is inserted at `at`, a pointer into what is then left */
};

/* Pointers are JSON Pointers (RFC 6901) in which an element of an array may be named by its "id", "name", "to" or
   "parameter" as well as by its index: "/tracks/kick/gainDb". Each edit sees what those before it made. */
struct pulse_edit {
    enum pulse_edit_kind kind;
    const char *at;
    const char *from;            /* MOVE */
    const struct lh_json *value; /* SET, INSERT */
    const char *before;          /* SET, INSERT, MOVE of a new member: the member that it stands before; NULL: last */
};

/* From the form that clients send: [{"op": "set", "at": "/tracks/kick/gainDb", "value": -3}, {"op": "move", "from":
   "/tracks/3", "at": "/tracks/0"}, ...]. Texts and values are views of `list`. Faults say where in the list. */
LH_NODISCARD enum lh_status pulse_edits_read(struct lh_arena *arena, const struct lh_json *list,
                                             struct lh_faults *faults, const struct pulse_edit **edits, size_t *count);
/* To the same form: an array. */
void pulse_edits_write(const struct pulse_edit *edits, size_t count, struct lh_json_emitter *emitter);

struct pulse_edited {
    struct pulse_project *project;    /* pulse_project_free() */
    const struct pulse_edit *inverse; /* what takes it back to the same bytes, by indices; lives in the project */
    size_t inverse_count;
};

/* `project` stays as it is. A pointer that leads nowhere: LH_ERR_USAGE at "/edits/3/at"; a document that breaks the
   format afterwards: LH_ERR_INVALID with pointers into the document, as pulse_project_parse() tells them. */
LH_NODISCARD enum lh_status pulse_project_edit(const struct pulse_project *project, const struct pulse_edit *edits,
                                               size_t count, struct lh_faults *faults, struct pulse_edited *edited);

#endif
