/* SPDX-License-Identifier: MIT */
/* --set POINTER=VALUE on a document. Internal to this folder. */
#ifndef PULSE_PROJECT_OVERRIDE_H
#define PULSE_PROJECT_OVERRIDE_H

#include "common/json/json.h"

/* The JSON Pointer with ids turned into indices: elements of an array may be named by their "id", "name", "to" or
   "parameter" as well as by index ("/tracks/kick/gainDb"). A number within the array is an index. An element that is
   not there: LH_ERR_INVALID with the nearest name; whatever else is wrong is left for lh_json_set() to refuse. */
LH_NODISCARD enum lh_status pulse_override_pointer(struct lh_arena *arena, const struct lh_json *root,
                                                   const char *pointer, const char **translated,
                                                   struct lh_error *error);

#endif
