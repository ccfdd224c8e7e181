/* SPDX-License-Identifier: MIT */
/* Classes, needs and the groups between them. */
#include "pulse-daemon/farm/match.h"

#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/farm/crew.h"
#include "pulse-daemon/farm/queue.h"

#define WORD_BITS 64

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct lh_digest));
}

/* A sorted copy of a set of texts; NULL: no memory. */
static const char *const *copy_texts(struct lh_arena *arena, const char *const *texts, size_t count)
{
    const char **copy = lh_arena_array(arena, count, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = lh_arena_strdup(arena, texts[i]);
        if (copy[i] == NULL) {
            return NULL;
        }
    }
    if (copy != NULL && count > 1) {
        qsort(copy, count, sizeof *copy, compare_texts);
    }
    return copy;
}

static const struct lh_digest *copy_digests(struct lh_arena *arena, const struct lh_digest *digests, size_t count)
{
    struct lh_digest *copy = lh_arena_array(arena, count, sizeof *copy);
    if (copy != NULL && count > 0) {
        memcpy(copy, digests, count * sizeof *copy);
        qsort(copy, count, sizeof *copy, compare_digests);
    }
    return copy;
}

static bool meets(const struct pulse_farm_class *class, const struct pulse_farm_needs *needs)
{
    if (strcmp(class->engine, needs->engine) != 0 ||
        (needs->cpu_class[0] != '\0' && strcmp(class->cpu_class, needs->cpu_class) != 0)) {
        return false;
    }
    for (size_t i = 0; i < needs->tag_count; i++) {
        if (bsearch(&needs->tags[i], class->tags, class->tag_count, sizeof *class->tags, compare_texts) == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < needs->plugin_count; i++) {
        if (bsearch(&needs->plugins[i], class->plugins, class->plugin_count, sizeof *class->plugins, compare_digests) ==
            NULL) {
            return false;
        }
    }
    return true;
}

/* ---- Groups ---- */

static bool has_bit(const uint64_t *set, size_t bit)
{
    return (set[bit / WORD_BITS] >> bit % WORD_BITS & 1) != 0;
}

/* By the bits that are set, so that a longer set of the same is the same. */
static uint32_t hash_set(const uint64_t *set, size_t words)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < words; i++) {
        if (set[i] != 0) {
            hash ^= pulse_hash_u64(set[i] * UINT64_C(0x9e3779b97f4a7c15) + i);
        }
    }
    return hash;
}

struct set_key {
    const uint64_t *set;
    size_t words;
};

static bool match_group(const void *item, const void *key)
{
    const struct set_key *wanted = key;
    return memcmp(((const struct pulse_farm_group *)item)->classes, wanted->set, wanted->words * sizeof(uint64_t)) == 0;
}

void pulse_farm_group_free(struct pulse_farm *farm, struct pulse_farm_group *group)
{
    pulse_table_remove(&farm->groups, hash_set(group->classes, farm->class_words), group);
    if (group->previous != NULL) {
        group->previous->next = group->next;
    } else {
        farm->group_list = group->next;
    }
    if (group->next != NULL) {
        group->next->previous = group->previous;
    }
    pulse_farm_give(farm, group->classes, farm->class_words * sizeof *group->classes);
    pulse_farm_give(farm, group, sizeof *group);
}

static struct pulse_farm_group *group_of(struct pulse_farm *farm, const uint64_t *set)
{
    struct set_key key = {set, farm->class_words};
    uint32_t hash = hash_set(set, farm->class_words);
    struct pulse_farm_group *group = pulse_table_find(&farm->groups, hash, match_group, &key);
    if (group != NULL) {
        return group;
    }
    size_t size = farm->class_words * sizeof *set;
    group = pulse_farm_take(farm, sizeof *group);
    uint64_t *classes = group == NULL ? NULL : pulse_farm_take(farm, size);
    if (classes == NULL || !pulse_table_add(&farm->groups, hash, group)) {
        farm->no_memory = true;
        pulse_farm_give(farm, classes, size);
        pulse_farm_give(farm, group, sizeof *group);
        return NULL;
    }
    memcpy(classes, set, size);
    group->classes = classes;
    group->next = farm->group_list;
    if (group->next != NULL) {
        group->next->previous = group;
    }
    farm->group_list = group;
    return group;
}

/* Puts the needs into the group of that set, and what is queued for them into its queue. */
static void regroup(struct pulse_farm *farm, struct pulse_farm_needs *needs, const uint64_t *set)
{
    struct pulse_farm_group *group = group_of(farm, set), *old = needs->group;
    if (group == NULL || group == old) {
        return;
    }
    pulse_farm_queue_leave(farm, needs);
    group->needs++;
    needs->group = group;
    pulse_farm_queue_join(farm, needs);
    if (old != NULL && --old->needs == 0) {
        pulse_farm_group_free(farm, old);
    }
}

bool pulse_farm_group_has(const struct pulse_farm_group *group, const struct pulse_farm_class *class)
{
    return has_bit(group->classes, class->index);
}

size_t pulse_farm_group_active(const struct pulse_farm *farm, const struct pulse_farm_group *group)
{
    size_t active = 0;
    for (size_t i = 0; i < farm->class_count; i++) {
        if (farm->class_by_index[i] != NULL && has_bit(group->classes, i)) {
            active += farm->class_by_index[i]->active;
        }
    }
    return active;
}

/* ---- Needs ---- */

static bool match_needs(const void *item, const void *key)
{
    return lh_digest_equal(&((const struct pulse_farm_needs *)item)->id, key);
}

struct pulse_farm_needs *pulse_farm_find_needs(const struct pulse_farm *farm, const struct lh_digest *id)
{
    return pulse_table_find(&farm->needs, pulse_hash_bytes(0, id, sizeof *id), match_needs, id);
}

void pulse_farm_needs_free(struct pulse_farm *farm, struct pulse_farm_needs *needs)
{
    pulse_table_remove(&farm->needs, pulse_hash_bytes(0, &needs->id, sizeof needs->id), needs);
    if (needs->group != NULL && --needs->group->needs == 0) {
        pulse_farm_group_free(farm, needs->group);
    }
    farm->bytes -= needs->arena.used;
    lh_arena_fini(&needs->arena);
    pulse_farm_give(farm, needs, sizeof *needs);
}

/* The set of classes that meet the needs, in the step's arena. */
static uint64_t *set_of(struct pulse_farm *farm, const struct pulse_farm_needs *needs)
{
    uint64_t *set = pulse_farm_scratch(farm, farm->class_words, sizeof *set);
    for (size_t i = 0; set != NULL && i < farm->class_count; i++) {
        if (farm->class_by_index[i] != NULL && meets(farm->class_by_index[i], needs)) {
            set[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
        }
    }
    return set;
}

struct pulse_farm_needs *pulse_farm_needs(struct pulse_farm *farm, const struct pulse_needs_row *row, bool *is_new)
{
    struct pulse_farm_needs *needs = pulse_farm_find_needs(farm, &row->id);
    *is_new = needs == NULL;
    if (needs != NULL || (needs = pulse_farm_take(farm, sizeof *needs)) == NULL) {
        return needs;
    }
    struct lh_arena *arena = &needs->arena;
    lh_arena_init(arena);
    needs->id = row->id;
    needs->engine = lh_arena_strdup(arena, row->engine);
    needs->cpu_class = lh_arena_strdup(arena, row->cpu_class);
    needs->tags = copy_texts(arena, row->tags, row->tag_count);
    needs->tag_count = row->tag_count;
    needs->plugins = copy_digests(arena, row->plugins, row->plugin_count);
    needs->plugin_count = row->plugin_count;
    needs->order = ++farm->order;
    farm->bytes += arena->used;
    if (needs->engine == NULL || needs->cpu_class == NULL || needs->tags == NULL || needs->plugins == NULL ||
        !pulse_table_add(&farm->needs, pulse_hash_bytes(0, &needs->id, sizeof needs->id), needs)) {
        farm->no_memory = true;
        farm->bytes -= arena->used;
        lh_arena_fini(arena);
        pulse_farm_give(farm, needs, sizeof *needs);
        return NULL;
    }
    uint64_t *set = set_of(farm, needs);
    if (set != NULL) {
        regroup(farm, needs, set);
    }
    if (needs->group == NULL) {
        pulse_farm_needs_free(farm, needs);
        return NULL;
    }
    return needs;
}

/* ---- Classes ---- */

static bool same_class(const void *item, const void *key)
{
    const struct pulse_farm_class *a = item, *b = key;
    if (strcmp(a->engine, b->engine) != 0 || strcmp(a->cpu_class, b->cpu_class) != 0 || a->tag_count != b->tag_count ||
        a->plugin_count != b->plugin_count) {
        return false;
    }
    for (size_t i = 0; i < a->tag_count; i++) {
        if (strcmp(a->tags[i], b->tags[i]) != 0) {
            return false;
        }
    }
    return a->plugin_count == 0 || memcmp(a->plugins, b->plugins, a->plugin_count * sizeof *a->plugins) == 0;
}

static bool describe_class(struct pulse_farm_class *class, const struct pulse_farm_traits *traits)
{
    struct lh_arena *arena = &class->arena;
    lh_arena_init(arena);
    class->engine = lh_arena_strdup(arena, traits->engine == NULL ? "" : traits->engine);
    class->cpu_class = lh_arena_strdup(arena, traits->cpu_class == NULL ? "" : traits->cpu_class);
    class->tags = copy_texts(arena, traits->tags, traits->tag_count);
    class->tag_count = traits->tag_count;
    class->plugins = copy_digests(arena, traits->plugins, traits->plugin_count);
    class->plugin_count = traits->plugin_count;
    if (class->engine == NULL || class->cpu_class == NULL || class->tags == NULL || class->plugins == NULL) {
        return false;
    }
    class->hash = pulse_hash_bytes(0, class->engine, strlen(class->engine) + 1);
    class->hash = pulse_hash_bytes(class->hash, class->cpu_class, strlen(class->cpu_class) + 1);
    for (size_t i = 0; i < class->tag_count; i++) {
        class->hash = pulse_hash_bytes(class->hash, class->tags[i], strlen(class->tags[i]) + 1);
    }
    class->hash = pulse_hash_bytes(class->hash, class->plugins, class->plugin_count * sizeof *class->plugins);
    return true;
}

/* Makes room for one more word in every set. */
static bool widen(struct pulse_farm *farm)
{
    size_t words = farm->class_words + 1, old = farm->class_words * sizeof(uint64_t);
    size_t slots = words * WORD_BITS;
    struct pulse_farm_class **classes = pulse_farm_take(farm, slots * sizeof(void *));
    size_t made = 0, count = farm->groups.count;
    uint64_t **sets = pulse_farm_scratch(farm, count, sizeof *sets);
    while (classes != NULL && sets != NULL && made < count &&
           (sets[made] = pulse_farm_take(farm, words * sizeof(uint64_t))) != NULL) {
        made++;
    }
    if (classes == NULL || sets == NULL || made < count) {
        for (size_t i = 0; i < made; i++) {
            pulse_farm_give(farm, sets[i], words * sizeof(uint64_t));
        }
        pulse_farm_give(farm, classes, slots * sizeof(void *));
        return false;
    }
    for (struct pulse_farm_group *group = farm->group_list; group != NULL; group = group->next) {
        uint64_t *wide = sets[--made];
        if (old > 0) {
            memcpy(wide, group->classes, old);
        }
        pulse_farm_give(farm, group->classes, old);
        group->classes = wide;
    }
    if (farm->class_count > 0) {
        memcpy(classes, farm->class_by_index, farm->class_count * sizeof(void *));
    }
    pulse_farm_give(farm, farm->class_by_index, farm->class_count * sizeof(void *));
    farm->class_by_index = classes;
    farm->class_count = slots;
    farm->class_words = words;
    return true;
}

/* A class came or is about to go: the needs that it meets change their group. */
static void reconsider(struct pulse_farm *farm, const struct pulse_farm_class *class, bool there)
{
    uint64_t bit = UINT64_C(1) << class->index % WORD_BITS;
    uint64_t *set = pulse_farm_scratch(farm, farm->class_words, sizeof *set);
    struct pulse_farm_needs *needs;
    for (size_t at = 0; set != NULL && (needs = pulse_table_next(&farm->needs, &at)) != NULL;) {
        if (meets(class, needs)) {
            memcpy(set, needs->group->classes, farm->class_words * sizeof *set);
            uint64_t *word = &set[class->index / WORD_BITS];
            *word = there ? *word | bit : *word & ~bit;
            regroup(farm, needs, set);
        }
    }
}

static void free_class(struct pulse_farm *farm, struct pulse_farm_class *class)
{
    pulse_heap_fini(&class->free);
    farm->bytes -= class->arena.used;
    lh_arena_fini(&class->arena);
    pulse_farm_give(farm, class, sizeof *class);
}

struct pulse_farm_class *pulse_farm_class_join(struct pulse_farm *farm, const struct pulse_farm_traits *traits)
{
    struct pulse_farm_class *class = pulse_farm_take(farm, sizeof *class), *same;
    if (class == NULL) {
        return NULL;
    }
    class->free.order = &pulse_farm_worker_order;
    bool described = describe_class(class, traits);
    farm->bytes += class->arena.used;
    if (!described) {
        farm->no_memory = true;
        free_class(farm, class);
        return NULL;
    }
    same = pulse_table_find(&farm->classes, class->hash, same_class, class);
    if (same != NULL) {
        free_class(farm, class);
        same->workers++;
        return same;
    }
    while (class->index < farm->class_count && farm->class_by_index[class->index] != NULL) {
        class->index++;
    }
    if ((class->index == farm->class_count && !widen(farm)) || !pulse_table_add(&farm->classes, class->hash, class)) {
        farm->no_memory = true;
        free_class(farm, class);
        return NULL;
    }
    farm->class_by_index[class->index] = class;
    class->workers = 1;
    reconsider(farm, class, true);
    return class;
}

void pulse_farm_class_leave(struct pulse_farm *farm, struct pulse_farm_class *class)
{
    if (--class->workers == 0) {
        reconsider(farm, class, false);
        pulse_table_remove(&farm->classes, class->hash, class);
        farm->class_by_index[class->index] = NULL;
        free_class(farm, class);
    }
}
