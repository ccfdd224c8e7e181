/* SPDX-License-Identifier: MIT */
/* What plugins there are: the facts of every installed one, kept on disk between runs, so that asking for them takes
   milliseconds. Bundles that are new or have changed are noticed by their identities (inventory/bundles.h) and are
   asked for again; who asks is handed in, for only a signal instance looks into bundles.

   One file for each search path:

       u32 magic, u32 version, text describer, text search path, state, u8 complete
       u32 count of bundles:  text folder, identity, u8 holds plugins
       u32 count of plugins:  text URI, text name, u32 bundle, text binary outside the bundle ("": inside), its
                              identity, u32 size of its record; by URI
       u32 count of URIs that are known not to be there:  text
       the records, one after the other (graph_plugin_facts_write)
       SHA-256 of all before

   A file that is damaged, of another version or of another describer is as good as none. One thread. */
#ifndef INVENTORY_INDEX_H
#define INVENTORY_INDEX_H

#include <stdbool.h>

#include "graph/plugin.h"
#include "inventory/bundles.h"

#define INVENTORY_INDEX_NONE SIZE_MAX

/* Who reads the data of plugins. */
struct inventory_describer {
    /* As engine_instance_describe(): the plugins of all `bundles`, or (uri_count > 0) those that are asked for and
       found there. */
    enum lh_status (*describe)(void *context, struct lh_arena *arena, const char *const *bundles, size_t bundle_count,
                               const char *const *uris, size_t uri_count, struct graph_plugin_facts **facts,
                               size_t *fact_count, const char **notes, struct lh_error *error);
    void *context;
    const char *version; /* what it knows how to read may change with it */
};

struct inventory_index;

/* Reads what is kept in `folder` (NULL: nothing is kept) about these bundles, which must live as long. The index lives
   in the arena. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status inventory_index_open(struct lh_arena *arena, const char *folder,
                                                 const struct inventory_bundles *bundles,
                                                 const struct inventory_describer *describer,
                                                 struct inventory_index **index, struct lh_error *error);

/* After this every installed plugin is in the index. Asks for the bundles that are not known, at first for all. */
LH_NODISCARD enum lh_status inventory_index_complete(struct inventory_index *index, struct lh_error *error);
/* After this these are in the index if they are installed; URIs with their kind. Asks for no others when nothing is
   known yet: a first render need not wait for hundreds of plugins. */
LH_NODISCARD enum lh_status inventory_index_ask(struct inventory_index *index, const char *const *uris, size_t count,
                                                struct lh_error *error);
bool inventory_index_is_complete(const struct inventory_index *index);

/* Plugins known, by URI. */
size_t inventory_index_count(const struct inventory_index *index);
const char *inventory_index_uri(const struct inventory_index *index, size_t entry);
const char *inventory_index_name(const struct inventory_index *index, size_t entry);
/* INVENTORY_INDEX_NONE: not known. */
size_t inventory_index_find(const struct inventory_index *index, const char *uri);
/* All that is known of one; texts in the arena of the index. LH_ERR_NO_MEMORY, LH_ERR_FORMAT. */
LH_NODISCARD enum lh_status inventory_index_read(struct inventory_index *index, size_t entry,
                                                 struct graph_plugin_facts *facts, struct lh_error *error);
/* Lines on plugins whose data make no sense, from bundles that were looked into now; "" when there are none. */
const char *inventory_index_notes(const struct inventory_index *index);

/* Writes what was learned, if anything was. A caller may well go on when it fails. */
LH_NODISCARD enum lh_status inventory_index_save(struct inventory_index *index, struct lh_error *error);

#endif
