/* SPDX-License-Identifier: MIT */
/* Reads the environment. */
#include "inventory/places.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PATH "~/.lv2:/usr/local/lib/lv2:/usr/lib/x86_64-linux-gnu/lv2:/usr/lib/lv2"
#define DEFAULT_DATA_FOLDERS "/usr/local/share:/usr/share"

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *absolute(const char *name)
{
    const char *value = variable(name);
    return value != NULL && value[0] == '/' ? value : NULL;
}

static char *join(struct lh_arena *arena, const char *first, size_t length, const char *second)
{
    size_t rest = strlen(second) + 1;
    char *text = lh_arena_alloc(arena, length + rest);
    if (text != NULL) {
        memcpy(text, first, length);
        memcpy(text + length, second, rest);
    }
    return text;
}

/* A folder of ours beneath what `name` says, or beneath `standard` in the home folder; NULL in *folder: there is none.
   False when memory is out. */
static bool own_folder(struct lh_arena *arena, const char *name, const char *standard, const char *ours,
                       const char **folder)
{
    const char *base = absolute(name), *home = absolute("HOME");
    *folder = NULL;
    if (base == NULL && home == NULL) {
        return true;
    }
    if (base == NULL) {
        base = join(arena, home, strlen(home), standard);
    }
    *folder = base != NULL ? join(arena, base, strlen(base), ours) : NULL;
    return *folder != NULL;
}

/* Every part that begins with "~/" begins with the home folder instead; without one it stays and is not found. */
static const char *expand(struct lh_arena *arena, const char *path)
{
    const char *home = absolute("HOME");
    size_t length = home != NULL ? strlen(home) : 0, size = strlen(path) + 1;
    for (const char *at = path; *at != '\0'; at++) {
        size += *at == '~' ? length : 0;
    }
    char *expanded = lh_arena_alloc(arena, size), *to = expanded;
    for (const char *at = path; expanded != NULL && *at != '\0'; at++) {
        bool begins = at == path || at[-1] == ':';
        bool ends = at[0] == '~' && (at[1] == '/' || at[1] == ':' || at[1] == '\0');
        if (home != NULL && begins && ends) {
            memcpy(to, home, length);
            to += length;
        } else {
            *to++ = *at;
        }
    }
    return expanded;
}

static enum lh_status system_folders(struct lh_arena *arena, struct inventory_places *places)
{
    const char *list = variable("XDG_DATA_DIRS");
    list = list != NULL ? list : DEFAULT_DATA_FOLDERS;
    size_t most = 1;
    for (const char *at = list; *at != '\0'; at++) {
        most += *at == ':';
    }
    const char **folders = lh_arena_array(arena, most, sizeof *folders);
    if (folders == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    places->system_evidence = folders;
    for (const char *at = list; *at != '\0'; at += at[0] == ':') {
        size_t length = strcspn(at, ":");
        if (at[0] == '/') {
            const char *folder = join(arena, at, length, "/loophole/evidence");
            if (folder == NULL) {
                return LH_ERR_NO_MEMORY;
            }
            folders[places->system_evidence_count++] = folder;
        }
        at += length;
    }
    return LH_OK;
}

enum lh_status inventory_places_find(struct lh_arena *arena, struct inventory_places *places, struct lh_error *error)
{
    struct inventory_places found = {.search_path = variable("LV2_PATH")};
    found.search_path = expand(arena, found.search_path != NULL ? found.search_path : DEFAULT_PATH);
    if (found.search_path == NULL || !own_folder(arena, "XDG_CACHE_HOME", "/.cache", "/loophole", &found.cache) ||
        !own_folder(arena, "XDG_DATA_HOME", "/.local/share", "/loophole/evidence", &found.evidence) ||
        system_folders(arena, &found) != LH_OK) {
        return lh_error_no_memory(error);
    }
    *places = found;
    return LH_OK;
}
