/* SPDX-License-Identifier: MIT */
/* Finding plugins in an index by what people write: a URI, a name, a piece of either, or something like it. Upper and
   lower case count as one. */
#ifndef INVENTORY_NEAR_H
#define INVENTORY_NEAR_H

#include <stdbool.h>

#include "inventory/index.h"

#define INVENTORY_NEAR_MAX 3

/* Entries that `text` means, into `entries`, which has room for `most`; returns how many there are, it may be more. The
   first of these that finds any decides: the URI, with or without "lv2:"; the name; a piece of a URI or name. */
size_t inventory_index_match(const struct inventory_index *index, const char *text, size_t *entries, size_t most);

/* URIs of plugins whose URI, its last part, or whose name comes near to `text`, nearest first; NULL behind the last. */
void inventory_index_near(const struct inventory_index *index, const char *text, const char *near[INVENTORY_NEAR_MAX]);

/* The same among plugins that are in no index: begun with what is meant, shown one after the other, looked at in
   `uris`, which are those that were shown. */
struct inventory_near {
    const char *text;
    double scores[INVENTORY_NEAR_MAX];
    const char *uris[INVENTORY_NEAR_MAX];
};
void inventory_near_begin(struct inventory_near *near, const char *text);
void inventory_near_look(struct inventory_near *near, const char *uri, const char *name);

/* `piece` is somewhere in `text`. */
bool inventory_text_holds(const char *text, const char *piece);

#endif
