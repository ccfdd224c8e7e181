/* SPDX-License-Identifier: MIT */
/* Collecting faults, and the nearest name for "did you mean". */
#include "common/base/faults.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

void lh_faults_init(struct lh_faults *faults, struct lh_arena *arena)
{
    *faults = (struct lh_faults){.arena = arena};
}

static bool grow(struct lh_faults *faults)
{
    if (faults->stored < faults->capacity) {
        return true;
    }
    size_t capacity = faults->capacity == 0 ? 16 : faults->capacity * 2;
    struct lh_fault *items = lh_arena_array(faults->arena, capacity, sizeof *items);
    if (items == NULL) {
        return false;
    }
    if (faults->stored > 0) {
        memcpy(items, faults->items, faults->stored * sizeof *items);
    }
    faults->items = items;
    faults->capacity = capacity;
    return true;
}

void lh_faults_add(struct lh_faults *faults, enum lh_status code, const char *where, const char *format, ...)
{
    faults->count++;
    if (faults->stored >= LH_FAULTS_MAX) {
        return;
    }
    struct lh_error error; /* only for its text, cut at a character */
    va_list arguments;
    va_start(arguments, format);
    lh_error_set_list(&error, code, NULL, format, arguments);
    va_end(arguments);
    char *message = lh_arena_strdup(faults->arena, error.message);
    char *place = lh_arena_strdup(faults->arena, where);
    if (message == NULL || place == NULL || !grow(faults)) {
        faults->out_of_memory = true;
        return;
    }
    faults->items[faults->stored++] = (struct lh_fault){.code = code, .where = place, .message = message};
}

#define NAME_MAX_LENGTH 64u
#define EDIT_COST 128u /* more than all of a name's letters in the wrong case, which cost 1 each */

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static size_t exchange_cost(char a, char b)
{
    return a == b ? 0 : lower(a) == lower(b) ? 1 : EDIT_COST;
}

/* Levenshtein distance with adjacent transpositions; names longer than NAME_MAX_LENGTH never match. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][NAME_MAX_LENGTH + 1];
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j * EDIT_COST;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        now[0] = i * EDIT_COST;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = above[j - 1] + exchange_cost(a[i - 1], b[j - 1]);
            best = above[j] + EDIT_COST < best ? above[j] + EDIT_COST : best;
            best = now[j - 1] + EDIT_COST < best ? now[j - 1] + EDIT_COST : best;
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) &&
                two_above[j - 2] + EDIT_COST < best) {
                best = two_above[j - 2] + EDIT_COST;
            }
            now[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

const char *lh_nearest_name(const char *text, const char *const *names, size_t count)
{
    size_t length = strlen(text);
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    if (length == 0 || length > NAME_MAX_LENGTH) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(names[i]);
        if (other == 0 || other > NAME_MAX_LENGTH) {
            continue;
        }
        size_t distance = edit_distance(text, length, names[i], other);
        size_t longest = length > other ? length : other;
        if (distance < best && distance / EDIT_COST <= longest / 3) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
