/* SPDX-License-Identifier: MIT */
/* Which bundles have to be asked, and what becomes of the answers. */
#include "inventory/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/index_file.h"
#include "inventory/keep.h"

#define ABSENT_MAX 4096 /* URIs that are remembered as not there */
#define NAME_SIZE 64
#define NAME_DIGITS 16 /* of the search path's digest in the file's name */

struct inventory_index {
    struct lh_arena *arena;
    const char *folder; /* NULL: nothing is kept */
    char name[NAME_SIZE];
    const struct inventory_bundles *bundles;
    const struct inventory_describer *describer;
    struct inventory_index_content content; /* entries and absent URIs of the bundles as they are now */
    struct inventory_index_bundle *scanned; /* one for each bundle */
    bool *unknown;                          /* the same: new or changed since the last scan of all */
    bool behind;                            /* that scan was complete, but some are unknown or gone since */
    const char **lost;                      /* URIs that it had found in bundles that are gone or have changed */
    size_t lost_count;
    bool lost_others; /* a bundle without plugins is gone or has changed: other bundles may have lost their presets */
    bool learned;     /* there is something to write */
    const char *notes;
};

static enum lh_status name_file(struct inventory_index *index)
{
    struct lh_digest digest;
    char text[LH_DIGEST_TEXT_SIZE];
    const char *path = index->bundles->search_path;
    enum lh_status status = lh_digest_bytes(path, strlen(path), &digest);
    if (status == LH_OK) {
        lh_digest_text(&digest, text);
        snprintf(index->name, sizeof index->name, "plugins-%.*s.index", NAME_DIGITS, strchr(text, ':') + 1);
    }
    return status;
}

static struct inventory_index_stamp stamp_of(const struct inventory_index *index)
{
    return (struct inventory_index_stamp){.describer = index->describer->version,
                                          .search_path = index->bundles->search_path};
}

/* The file's content, or none. */
static enum lh_status read_file(const struct inventory_index *index, struct inventory_index_content *content)
{
    if (index->folder == NULL) {
        return LH_OK;
    }
    uint8_t *data = NULL;
    size_t size = 0;
    const char *path = inventory_keep_path(index->arena, index->folder, index->name);
    if (path == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    struct inventory_index_stamp stamp = stamp_of(index);
    enum lh_status status = inventory_keep_read(index->arena, path, INVENTORY_INDEX_BYTES_MAX, &data, &size);
    status = status == LH_OK ? inventory_index_content_read(index->arena, data, size, &stamp, content) : status;
    return status == LH_ERR_NO_MEMORY ? status : LH_OK; /* what cannot be used is not there */
}

/* The bundle with this folder. Lists are mostly in the same order: on from *at. */
static size_t find_bundle(const struct inventory_index *index, const char *folder, size_t *at)
{
    size_t count = index->bundles->count;
    for (size_t looked = 0; looked < count; looked++) {
        size_t i = (*at + looked) % count;
        if (strcmp(index->bundles->items[i].folder, folder) == 0) {
            *at = i + 1;
            return i;
        }
    }
    return INVENTORY_INDEX_NONE;
}

static bool outside_changed(const struct inventory_index_entry *entry)
{
    struct lh_digest now;
    return entry->outside[0] != '\0' &&
           !(inventory_file_identity(entry->outside, &now) && lh_digest_equal(&now, &entry->outside_identity));
}

/* For each bundle of the file the same one now, INVENTORY_INDEX_NONE when it is gone or has changed. */
static void match_bundles(struct inventory_index *index, const struct inventory_index_content *content, size_t *now)
{
    size_t at = 0;
    for (size_t i = 0; i < content->bundle_count; i++) {
        now[i] = find_bundle(index, content->bundles[i].folder, &at);
        if (now[i] != INVENTORY_INDEX_NONE &&
            !lh_digest_equal(&index->bundles->items[now[i]].identity, &content->bundles[i].identity)) {
            now[i] = INVENTORY_INDEX_NONE;
        }
    }
    for (size_t i = 0; i < content->entry_count; i++) {
        if (outside_changed(&content->entries[i])) {
            now[content->entries[i].bundle] = INVENTORY_INDEX_NONE;
        }
    }
}

/* Takes from the file what still holds. */
static enum lh_status take(struct inventory_index *index, struct inventory_index_content *content)
{
    size_t *now = lh_arena_array(index->arena, content->bundle_count, sizeof *now);
    const char **lost = lh_arena_array(index->arena, content->entry_count, sizeof *lost);
    if (now == NULL || lost == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    match_bundles(index, content, now);
    size_t matched = 0, kept = 0;
    for (size_t i = 0; i < content->bundle_count; i++) {
        if (now[i] != INVENTORY_INDEX_NONE) {
            index->unknown[now[i]] = false;
            index->scanned[now[i]].holds_plugins = content->bundles[i].holds_plugins;
            matched++;
        } else {
            index->lost_others = index->lost_others || !content->bundles[i].holds_plugins;
        }
    }
    bool same = matched == content->bundle_count && matched == index->bundles->count &&
                lh_digest_equal(&content->state, &index->bundles->state);
    if (!same && (!content->complete || matched == 0)) {
        return LH_OK; /* what was asked for once says nothing of others */
    }
    for (size_t i = 0; i < content->entry_count; i++) {
        struct inventory_index_entry entry = content->entries[i];
        entry.bundle = now[entry.bundle];
        if (entry.bundle == INVENTORY_INDEX_NONE) {
            lost[index->lost_count++] = entry.uri;
        } else {
            content->entries[kept++] = entry;
        }
    }
    index->content = *content;
    index->content.entry_count = kept;
    index->content.complete = same && content->complete;
    index->behind = !same;
    index->lost = lost;
    return LH_OK;
}

enum lh_status inventory_index_open(struct lh_arena *arena, const char *folder, const struct inventory_bundles *bundles,
                                    const struct inventory_describer *describer, struct inventory_index **index,
                                    struct lh_error *error)
{
    struct inventory_index *made = lh_arena_alloc(arena, sizeof *made);
    struct inventory_index_bundle *scanned = lh_arena_array(arena, bundles->count, sizeof *scanned);
    bool *unknown = lh_arena_array(arena, bundles->count, sizeof *unknown);
    if (made == NULL || scanned == NULL || unknown == NULL) {
        return lh_error_no_memory(error);
    }
    *made = (struct inventory_index){.arena = arena,
                                     .folder = folder,
                                     .bundles = bundles,
                                     .describer = describer,
                                     .scanned = scanned,
                                     .unknown = unknown,
                                     .notes = ""};
    for (size_t i = 0; i < bundles->count; i++) {
        scanned[i] = (struct inventory_index_bundle){bundles->items[i].folder, bundles->items[i].identity, false};
        unknown[i] = true;
    }
    struct inventory_index_content content = {.complete = false};
    enum lh_status status = name_file(made);
    status = status == LH_OK ? read_file(made, &content) : status;
    status = status == LH_OK ? take(made, &content) : status;
    if (status != LH_OK) {
        return lh_error_no_memory(error);
    }
    *index = made;
    return LH_OK;
}

static bool binary_is_inside(const struct graph_plugin_facts *facts)
{
    size_t folder = strlen(facts->bundle), length = strlen(facts->binary);
    return length > folder + 3 && strncmp(facts->binary, facts->bundle, folder) == 0 &&
           strchr(facts->binary + folder, '/') == NULL && strcmp(facts->binary + length - 3, ".so") == 0;
}

static enum lh_status make_entry(struct inventory_index *index, const struct graph_plugin_facts *facts, size_t bundle,
                                 struct inventory_index_entry *entry)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    graph_plugin_facts_write(&writer, facts);
    uint8_t *record = lh_writer_status(&writer) == LH_OK ? lh_arena_alloc(index->arena, writer.size) : NULL;
    *entry = (struct inventory_index_entry){
        .uri = lh_arena_strdup(index->arena, facts->uri),
        .name = lh_arena_strdup(index->arena, facts->name),
        .bundle = bundle,
        .outside = binary_is_inside(facts) ? "" : lh_arena_strdup(index->arena, facts->binary),
        .record = record,
        .record_size = writer.size,
    };
    bool whole = record != NULL && entry->uri != NULL && entry->name != NULL && entry->outside != NULL;
    if (whole) {
        memcpy(record, writer.data, writer.size);
        if (entry->outside[0] != '\0') { /* a binary that is not there has no identity: it is asked for each time */
            (void)inventory_file_identity(entry->outside, &entry->outside_identity);
        }
    }
    lh_writer_fini(&writer);
    return whole ? LH_OK : LH_ERR_NO_MEMORY;
}

static int compare_entries(const void *a, const void *b)
{
    const struct inventory_index_entry *first = a, *second = b;
    int order = strcmp(first->uri, second->uri);
    return order != 0 ? order : (first->bundle > second->bundle) - (first->bundle < second->bundle);
}

/* Adds what was told. Of plugins with the same URI the one that comes first on the search path counts. */
static enum lh_status merge(struct inventory_index *index, const struct graph_plugin_facts *facts, size_t count)
{
    size_t most = index->content.entry_count + count;
    struct inventory_index_entry *entries =
        most <= INVENTORY_INDEX_PLUGINS_MAX ? lh_arena_array(index->arena, most, sizeof *entries) : NULL;
    if (entries == NULL) {
        return most <= INVENTORY_INDEX_PLUGINS_MAX ? LH_ERR_NO_MEMORY : LH_ERR_LIMIT;
    }
    size_t used = index->content.entry_count, at = 0, kept = 0;
    if (used > 0) {
        memcpy(entries, index->content.entries, used * sizeof *entries);
    }
    for (size_t i = 0; i < count; i++) {
        size_t bundle = find_bundle(index, facts[i].bundle, &at);
        if (bundle == INVENTORY_INDEX_NONE) {
            continue; /* not of the bundles that were asked about */
        }
        enum lh_status status = make_entry(index, &facts[i], bundle, &entries[used]);
        if (status != LH_OK) {
            return status;
        }
        used++;
    }
    if (used > 1) {
        qsort(entries, used, sizeof *entries, compare_entries);
    }
    for (size_t i = 0; i < used; i++) {
        if (kept == 0 || strcmp(entries[kept - 1].uri, entries[i].uri) != 0) {
            entries[kept++] = entries[i];
        }
        index->scanned[entries[i].bundle].holds_plugins = true;
    }
    index->content.entries = entries;
    index->content.entry_count = kept;
    index->learned = true;
    return LH_OK;
}

static enum lh_status index_failed(enum lh_status status, struct lh_error *error)
{
    return status == LH_ERR_LIMIT
               ? lh_error_set(error, status, NULL, "more than %d plugins are installed", INVENTORY_INDEX_PLUGINS_MAX)
               : lh_error_no_memory(error);
}

/* Asks about the bundles that `asked` picks (NULL: all), and takes the answer in. */
static enum lh_status describe(struct inventory_index *index, bool (*asked)(const struct inventory_index *, size_t),
                               const char *const *uris, size_t uri_count, struct lh_error *error)
{
    struct lh_arena scratch;
    lh_arena_init(&scratch);
    const char **bundles = lh_arena_array(&scratch, index->bundles->count, sizeof *bundles);
    size_t count = 0;
    for (size_t i = 0; bundles != NULL && i < index->bundles->count; i++) {
        if (asked == NULL || asked(index, i)) {
            bundles[count++] = index->bundles->items[i].folder;
        }
    }
    struct graph_plugin_facts *facts = NULL;
    size_t fact_count = 0;
    const char *notes = "";
    enum lh_status status = bundles != NULL ? LH_OK : lh_error_no_memory(error);
    if (status == LH_OK && count > 0) {
        status = index->describer->describe(index->describer->context, &scratch, bundles, count, uris, uri_count,
                                            &facts, &fact_count, &notes, error);
    }
    if (status == LH_OK) {
        const char *kept = lh_arena_strdup(index->arena, notes != NULL ? notes : "");
        enum lh_status merged = kept != NULL ? merge(index, facts, fact_count) : LH_ERR_NO_MEMORY;
        index->notes = kept != NULL ? kept : "";
        status = merged == LH_OK ? LH_OK : index_failed(merged, error);
    }
    lh_arena_fini(&scratch);
    return status;
}

static void settle(struct inventory_index *index)
{
    index->content.state = index->bundles->state;
    index->content.complete = true;
    index->content.absent_count = 0;
    index->behind = false;
    index->learned = true;
}

static enum lh_status scan_all(struct inventory_index *index, struct lh_error *error)
{
    index->content = (struct inventory_index_content){.complete = false};
    index->behind = false;
    for (size_t i = 0; i < index->bundles->count; i++) {
        index->scanned[i].holds_plugins = false;
    }
    enum lh_status status = describe(index, NULL, NULL, 0, error);
    if (status == LH_OK) {
        settle(index);
    }
    return status;
}

/* Those without plugins hold presets, it may be for the unknown ones. */
static bool is_asked_again(const struct inventory_index *index, size_t bundle)
{
    return index->unknown[bundle] || !index->scanned[bundle].holds_plugins;
}

/* Whether asking the unknown bundles alone told the whole truth: none of them holds only what belongs to plugins of
   other bundles, and no plugin is gone that may have hidden another one with its URI. */
static bool caught_up(const struct inventory_index *index)
{
    for (size_t i = 0; i < index->bundles->count; i++) {
        if (index->unknown[i] && !index->scanned[i].holds_plugins) {
            return false;
        }
    }
    for (size_t i = 0; i < index->lost_count; i++) {
        if (inventory_index_find(index, index->lost[i]) == INVENTORY_INDEX_NONE) {
            return false;
        }
    }
    return !index->lost_others;
}

enum lh_status inventory_index_complete(struct inventory_index *index, struct lh_error *error)
{
    if (index->content.complete) {
        return LH_OK;
    }
    if (!index->behind) {
        return scan_all(index, error);
    }
    enum lh_status status = describe(index, is_asked_again, NULL, 0, error);
    if (status != LH_OK) {
        return status;
    }
    if (!caught_up(index)) {
        return scan_all(index, error);
    }
    settle(index);
    return LH_OK;
}

static bool is_absent(const struct inventory_index *index, const char *uri)
{
    for (size_t i = 0; i < index->content.absent_count; i++) {
        if (strcmp(index->content.absent[i], uri) == 0) {
            return true;
        }
    }
    return false;
}

/* Those of `uris` that nothing is known of, each once, NULL when memory is out. */
static const char **unknown_uris(struct inventory_index *index, const char *const *uris, size_t count, size_t *unknown)
{
    const char **found = lh_arena_array(index->arena, count, sizeof *found);
    for (size_t i = 0; found != NULL && i < count; i++) {
        if (inventory_index_find(index, uris[i]) == INVENTORY_INDEX_NONE && !is_absent(index, uris[i])) {
            found[(*unknown)++] = uris[i];
        }
    }
    return found;
}

static enum lh_status note_absent(struct inventory_index *index, const char *const *uris, size_t count)
{
    const char **absent = lh_arena_array(index->arena, index->content.absent_count + count, sizeof *absent);
    if (absent == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    size_t used = index->content.absent_count;
    if (used > 0) {
        memcpy(absent, index->content.absent, used * sizeof *absent);
    }
    for (size_t i = 0; i < count && used < ABSENT_MAX; i++) {
        if (inventory_index_find(index, uris[i]) == INVENTORY_INDEX_NONE) {
            absent[used] = lh_arena_strdup(index->arena, uris[i]);
            if (absent[used++] == NULL) {
                return LH_ERR_NO_MEMORY;
            }
        }
    }
    index->content.absent = absent;
    index->content.absent_count = used;
    index->content.state = index->bundles->state;
    return LH_OK;
}

enum lh_status inventory_index_ask(struct inventory_index *index, const char *const *uris, size_t count,
                                   struct lh_error *error)
{
    if (index->behind) {
        return inventory_index_complete(index, error);
    }
    size_t unknown = 0;
    const char **asked = unknown_uris(index, uris, count, &unknown);
    if (asked == NULL) {
        return lh_error_no_memory(error);
    }
    if (unknown == 0 || index->content.complete) {
        return LH_OK;
    }
    enum lh_status status = describe(index, NULL, asked, unknown, error);
    if (status == LH_OK && note_absent(index, asked, unknown) != LH_OK) {
        status = lh_error_no_memory(error);
    }
    return status;
}

bool inventory_index_is_complete(const struct inventory_index *index)
{
    return index->content.complete;
}

size_t inventory_index_count(const struct inventory_index *index)
{
    return index->content.entry_count;
}

const char *inventory_index_uri(const struct inventory_index *index, size_t entry)
{
    return index->content.entries[entry].uri;
}

const char *inventory_index_name(const struct inventory_index *index, size_t entry)
{
    return index->content.entries[entry].name;
}

size_t inventory_index_find(const struct inventory_index *index, const char *uri)
{
    size_t low = 0, high = index->content.entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(index->content.entries[middle].uri, uri);
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return INVENTORY_INDEX_NONE;
}

enum lh_status inventory_index_read(struct inventory_index *index, size_t entry, struct graph_plugin_facts *facts,
                                    struct lh_error *error)
{
    const struct inventory_index_entry *found = &index->content.entries[entry];
    struct lh_reader reader;
    lh_reader_init(&reader, found->record, found->record_size);
    enum lh_status status = graph_plugin_facts_read(&reader, index->arena, facts);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    return status == LH_OK
               ? LH_OK
               : lh_error_set(error, LH_ERR_FORMAT, index->name, "the record of %s makes no sense", found->uri);
}

const char *inventory_index_notes(const struct inventory_index *index)
{
    return index->notes;
}

enum lh_status inventory_index_save(struct inventory_index *index, struct lh_error *error)
{
    if (index->folder == NULL || !index->learned) {
        return LH_OK;
    }
    struct lh_writer writer;
    struct inventory_index_stamp stamp = stamp_of(index);
    struct inventory_index_content content = index->content;
    content.bundles = index->scanned;
    content.bundle_count = index->bundles->count;
    lh_writer_init(&writer);
    inventory_index_content_write(&writer, &stamp, &content);
    enum lh_status status =
        lh_writer_status(&writer) == LH_OK
            ? inventory_keep_write(index->arena, index->folder, index->name, writer.data, writer.size, error)
            : lh_error_no_memory(error);
    lh_writer_fini(&writer);
    index->learned = index->learned && status != LH_OK;
    return status;
}
