/* SPDX-License-Identifier: MIT */
/* Shapes: what a JSON value of the format may look like, as data. One description serves three uses: checking a
   document (types, ranges, unknown and missing members), writing it back in canonical order, and naming what is known
   here when something is not. What a shape cannot say (references, cycles, who may have what) is checked by the
   readers. Internal to this folder. */
#ifndef PULSE_PROJECT_SHAPE_H
#define PULSE_PROJECT_SHAPE_H

#include "common/json/json.h"
#include "pulse-daemon/project/report.h"

enum pulse_shape_kind {
    PULSE_SHAPE_BOOL,
    PULSE_SHAPE_NUMBER, /* minimum..maximum */
    PULSE_SHAPE_WHOLE,  /* a whole number minimum..maximum; 48000.0 is one too */
    PULSE_SHAPE_TEXT,   /* minimum..maximum characters, and no fault() */
    PULSE_SHAPE_CHOICE, /* one of `names` */
    PULSE_SHAPE_OBJECT, /* `members` */
    PULSE_SHAPE_LIST,   /* at most `maximum` of `item` */
    PULSE_SHAPE_MAP,    /* at most `maximum` of `item`, each under a name of the shape `key` */
    PULSE_SHAPE_EITHER, /* the one of `alternatives` that fits the value's JSON type */
    PULSE_SHAPE_ANY,    /* any object, kept as it is */
};

enum pulse_need {
    PULSE_OPTIONAL = 0,
    PULSE_REQUIRED,
    PULSE_ONE_OF, /* exactly one of the object's members marked so is given */
};

struct pulse_member {
    const char *name;
    const struct pulse_shape *shape;
    enum pulse_need need;
};

struct pulse_shape {
    enum pulse_shape_kind kind;
    const char *noun; /* what it is, for messages: "a track", "a level in dB" */
    double minimum, maximum;
    const char *(*fault)(const char *text); /* TEXT: NULL, or what is wrong: "must not be absolute" */
    const char *wanted;                     /* for messages: "an id or an object"; EITHER has to have it */
    const char *const *names;
    size_t name_count;
    const struct pulse_member *members; /* in canonical order */
    size_t member_count;
    const struct pulse_shape *item, *key;
    const struct pulse_shape *const *alternatives; /* ends with NULL */
};

/* Reports everything about `value` that breaks the shape. */
void pulse_shape_check(struct pulse_report *report, const struct pulse_shape *shape, const struct lh_json *value);
/* Writes a value that was found to have the shape: members in the shape's order, numbers in their shortest form. */
void pulse_shape_emit(struct lh_json_emitter *emitter, const struct pulse_shape *shape, const struct lh_json *value);

#endif
