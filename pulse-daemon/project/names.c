/* SPDX-License-Identifier: MIT */
/* The sorted index of names. */
#include "pulse-daemon/project/names.h"

#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/project/model.h"

static int compare_names(const void *left, const void *right)
{
    const struct pulse_name *a = left;
    const struct pulse_name *b = right;
    int order = strcmp(a->text, b->text);
    if (order != 0) {
        return order;
    }
    return a->index < b->index ? -1 : a->index > b->index ? 1 : 0;
}

bool pulse_names_build(struct pulse_names *names, struct lh_arena *arena, const char *const *texts, size_t count)
{
    const char **list = lh_arena_array(arena, count, sizeof *list);
    struct pulse_name *sorted = lh_arena_array(arena, count, sizeof *sorted);
    if (list == NULL || sorted == NULL) {
        return false;
    }
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        if (texts[i] != NULL) {
            list[known] = texts[i];
            sorted[known++] = (struct pulse_name){.text = texts[i], .index = i};
        }
    }
    if (known > 1) {
        qsort(sorted, known, sizeof *sorted, compare_names);
    }
    *names = (struct pulse_names){.list = list, .sorted = sorted, .count = known};
    return true;
}

size_t pulse_names_find(const struct pulse_names *names, const char *text)
{
    size_t low = 0;
    size_t high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names->sorted[middle].text, text) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < names->count && strcmp(names->sorted[low].text, text) == 0;
    return found ? names->sorted[low].index : PULSE_NONE;
}
