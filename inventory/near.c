/* SPDX-License-Identifier: MIT */
/* Matching names and URIs. */
#include "inventory/near.h"

#include <string.h>

#define KIND "lv2:"
#define TEXT_MAX 256 /* letters that are compared; what is longer is cut */
#define FARTHEST 0.4 /* of the letters of what tells one plugin from another */
#define LESS 0.01    /* added where two are alike in part only */
#define SCORE_NONE 1000.0

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static bool same(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

bool inventory_text_holds(const char *text, const char *piece)
{
    size_t length = strlen(piece);
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < length && lower(text[i]) == lower(piece[i])) {
            i++;
        }
        if (i == length) {
            return true;
        }
    }
    return false;
}

static const char *without_kind(const char *uri)
{
    return strncmp(uri, KIND, strlen(KIND)) == 0 ? uri + strlen(KIND) : uri;
}

/* What tells it from others of its maker: behind the last of "/", "#" and ":", which does not end it. */
static const char *last_part(const char *uri)
{
    const char *part = uri;
    for (const char *at = uri; *at != '\0'; at++) {
        if ((*at == '/' || *at == '#' || *at == ':') && at[1] != '\0') {
            part = at + 1;
        }
    }
    return part;
}

static bool is_uri(const struct inventory_index *index, size_t entry, const char *text)
{
    return strcmp(without_kind(inventory_index_uri(index, entry)), without_kind(text)) == 0;
}

static bool is_name(const struct inventory_index *index, size_t entry, const char *text)
{
    return same(inventory_index_name(index, entry), text);
}

static bool is_piece(const struct inventory_index *index, size_t entry, const char *text)
{
    return inventory_text_holds(inventory_index_uri(index, entry), text) ||
           inventory_text_holds(inventory_index_name(index, entry), text);
}

size_t inventory_index_match(const struct inventory_index *index, const char *text, size_t *entries, size_t most)
{
    static bool (*const ways[])(const struct inventory_index *, size_t, const char *) = {is_uri, is_name, is_piece};
    for (size_t way = 0; text[0] != '\0' && way < sizeof ways / sizeof *ways; way++) {
        size_t count = 0;
        for (size_t i = 0; i < inventory_index_count(index); i++) {
            if (ways[way](index, i, text)) {
                if (count < most) {
                    entries[count] = i;
                }
                count++;
            }
        }
        if (count > 0) {
            return count;
        }
    }
    return 0;
}

static size_t length_of(const char *text)
{
    return strnlen(text, TEXT_MAX);
}

/* Levenshtein's, with neighbours that changed places: letters to add, take away, exchange or swap. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][TEXT_MAX + 1], a_length = length_of(a), b_length = length_of(b);
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = above[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) &&
                two_above[j - 2] + 1 < best) {
                best = two_above[j - 2] + 1;
            }
            now[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

static double ratio(size_t letters, const char *a, const char *b)
{
    size_t longest = length_of(a) > length_of(b) ? length_of(a) : length_of(b);
    return longest == 0 ? SCORE_NONE : (double)letters / (double)longest;
}

/* 0: the same; past FARTHEST it is something else. */
static double score(const char *full_uri, const char *name, const char *text)
{
    const char *uri = without_kind(full_uri);
    const char *tail = last_part(uri), *asked = last_part(text);
    /* Two URIs of one maker are alike in most letters: those that differ count against the part that should. */
    double whole = ratio(distance(uri, text), tail, asked);
    double part = ratio(distance(tail, asked), tail, asked);
    double named = ratio(distance(name, asked), name, asked);
    double best = part < named ? part : named;
    /* A last part or a name alone says less than all of a URI. */
    return whole <= best ? whole : best + LESS;
}

void inventory_near_begin(struct inventory_near *near, const char *text)
{
    near->text = without_kind(text);
    for (size_t i = 0; i < INVENTORY_NEAR_MAX; i++) {
        near->scores[i] = FARTHEST;
        near->uris[i] = NULL;
    }
}

void inventory_near_look(struct inventory_near *near, const char *uri, const char *name)
{
    double found = score(uri, name, near->text);
    for (size_t k = 0; k < INVENTORY_NEAR_MAX; k++) {
        if (found < near->scores[k]) { /* those behind it move on by one */
            double score_before = near->scores[k];
            const char *uri_before = near->uris[k];
            near->scores[k] = found;
            near->uris[k] = uri;
            found = score_before;
            uri = uri_before;
        }
    }
}

void inventory_index_near(const struct inventory_index *index, const char *text, const char *near[INVENTORY_NEAR_MAX])
{
    struct inventory_near nearest;
    inventory_near_begin(&nearest, text);
    for (size_t i = 0; i < inventory_index_count(index); i++) {
        inventory_near_look(&nearest, inventory_index_uri(index, i), inventory_index_name(index, i));
    }
    for (size_t i = 0; i < INVENTORY_NEAR_MAX; i++) {
        near[i] = nearest.uris[i];
    }
}
