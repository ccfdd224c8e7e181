/* SPDX-License-Identifier: MIT */
/* Tags as the store keeps them: ascending, each once, with a space between; "" for none. */
#ifndef PULSE_SERVICE_TAGS_H
#define PULSE_SERVICE_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

bool pulse_tags_has(const char *text, const char *tag);
/* In the arena; NULL: no memory. `tags` in any order, each as often as it likes. */
const char *pulse_tags_join(struct lh_arena *arena, const char *const *tags, size_t count);
/* An array in the arena. False: no memory. */
bool pulse_tags_split(struct lh_arena *arena, const char *text, const char *const **tags, size_t *count);
/* Each tag of both, ascending; the texts are copied. False: no memory. */
bool pulse_tags_unite(struct lh_arena *arena, const char *text, const char *const *more, size_t more_count,
                      const char *const **tags, size_t *count);

#endif
