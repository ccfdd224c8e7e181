/* SPDX-License-Identifier: MIT */
/* Tags between lists and texts. */
#include "pulse-daemon/service/tags.h"

#include <stdlib.h>
#include <string.h>

bool pulse_tags_has(const char *text, const char *tag)
{
    size_t length = strlen(tag);
    for (const char *at = text; *at != '\0'; at += strspn(at, " ")) {
        size_t found = strcspn(at, " ");
        if (found == length && strncmp(at, tag, length) == 0) {
            return true;
        }
        at += found;
    }
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t sort(const char **tags, size_t count)
{
    size_t kept = 0;
    if (count > 0) {
        qsort(tags, count, sizeof *tags, by_text);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(tags[kept - 1], tags[i]) != 0) {
            tags[kept++] = tags[i];
        }
    }
    return kept;
}

const char *pulse_tags_join(struct lh_arena *arena, const char *const *tags, size_t count)
{
    const char **sorted = lh_arena_array(arena, count, sizeof *sorted);
    size_t size = 1;
    for (size_t i = 0; sorted != NULL && i < count; i++) {
        sorted[i] = tags[i];
        size += strlen(tags[i]) + 1;
    }
    char *text = sorted != NULL ? lh_arena_alloc(arena, size) : NULL, *at = text;
    if (text == NULL) {
        return NULL;
    }
    count = sort(sorted, count);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(sorted[i]);
        if (i > 0) {
            *at++ = ' ';
        }
        memcpy(at, sorted[i], length);
        at += length;
    }
    *at = '\0';
    return text;
}

bool pulse_tags_unite(struct lh_arena *arena, const char *text, const char *const *more, size_t more_count,
                      const char *const **tags, size_t *count)
{
    size_t most = strlen(text) / 2 + 1 + more_count, found = 0;
    char *words = lh_arena_strdup(arena, text), *rest = NULL;
    const char **all = lh_arena_array(arena, most, sizeof *all);
    if (words == NULL || all == NULL) {
        return false;
    }
    for (const char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        all[found++] = word;
    }
    for (size_t i = 0; i < more_count; i++) {
        all[found] = lh_arena_strdup(arena, more[i]);
        if (all[found++] == NULL) {
            return false;
        }
    }
    *count = sort(all, found);
    *tags = all;
    return true;
}

bool pulse_tags_split(struct lh_arena *arena, const char *text, const char *const **tags, size_t *count)
{
    return pulse_tags_unite(arena, text, NULL, 0, tags, count);
}
