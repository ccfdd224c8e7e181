/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: how the reader and lh_json_set() build trees. Not for other folders. */
#ifndef LH_JSON_BUILD_H
#define LH_JSON_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/json/json.h"

/* Completes an object whose items stand: orders its members by name when it has enough of them to be worth it, so that
   lh_json_member() need not walk them all. False when memory is out. */
bool lh_json_index_members(struct lh_arena *arena, struct lh_json *object);

/* lh_json_parse() that also tells, on failure, whether the text is no JSON at all (a syntax error) rather than JSON
   that breaks one of our limits. */
LH_NODISCARD enum lh_status lh_json_parse_or_tell(struct lh_arena *arena, const char *text, size_t length,
                                                  struct lh_json **root, bool *not_json, struct lh_error *error);

#endif
