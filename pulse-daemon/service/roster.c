/* SPDX-License-Identifier: MIT */
/* Workers and inventories in two small lists under one lock. */
#include "pulse-daemon/service/roster.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/near.h"
#include "pulse-daemon/farm/rows.h"
#include "pulse-daemon/service/tags.h"

struct worker {
    char name[PULSE_NAME_SIZE];
    uint64_t session;
    char *engine, *cpu_class, *tags; /* owned; tags with a space between */
    uint32_t slots;
    struct pulse_inventory *inventory;
    const struct pulse_plugin_entry *entry; /* while a plugin is looked for */
};

struct pulse_roster {
    pthread_mutex_t lock;
    struct worker *workers;
    size_t worker_count, worker_capacity;
    struct pulse_inventory **inventories;
    size_t inventory_count, inventory_capacity;
};

enum lh_status pulse_roster_new(struct pulse_roster **roster)
{
    struct pulse_roster *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    pthread_mutex_init(&made->lock, NULL);
    *roster = made;
    return LH_OK;
}

/* ---- inventories ---- */

static void free_inventory(struct pulse_inventory *inventory)
{
    lh_arena_fini(&inventory->arena);
    free(inventory);
}

static int by_uri(const void *a, const void *b)
{
    const struct pulse_plugin_entry *left = a, *right = b;
    return strcmp(left->uri, right->uri);
}

static struct pulse_inventory *find_inventory(struct pulse_roster *roster, const struct lh_digest *id)
{
    for (size_t i = 0; i < roster->inventory_count; i++) {
        if (lh_digest_equal(&roster->inventories[i]->id, id)) {
            return roster->inventories[i];
        }
    }
    return NULL;
}

struct pulse_inventory *pulse_roster_inventory(struct pulse_roster *roster, const struct lh_digest *id)
{
    pthread_mutex_lock(&roster->lock);
    struct pulse_inventory *found = find_inventory(roster, id);
    if (found != NULL) {
        found->references++;
    }
    pthread_mutex_unlock(&roster->lock);
    return found;
}

struct pulse_inventory *pulse_roster_keep(struct pulse_roster *roster, struct pulse_inventory *inventory)
{
    if (inventory->count > 0) {
        qsort(inventory->entries, inventory->count, sizeof *inventory->entries, by_uri);
    }
    inventory->references = 1;
    pthread_mutex_lock(&roster->lock);
    struct pulse_inventory *kept = find_inventory(roster, &inventory->id);
    if (kept == NULL && roster->inventory_count == roster->inventory_capacity) {
        size_t capacity = roster->inventory_capacity * 2 + 8;
        struct pulse_inventory **grown = realloc(roster->inventories, capacity * sizeof *grown);
        if (grown != NULL) {
            roster->inventories = grown;
            roster->inventory_capacity = capacity;
        }
    }
    if (kept != NULL) {
        kept->references++;
    } else if (roster->inventory_count < roster->inventory_capacity) {
        roster->inventories[roster->inventory_count++] = inventory;
        kept = inventory;
    }
    pthread_mutex_unlock(&roster->lock);
    if (kept != inventory) {
        free_inventory(inventory); /* there was one, or there is no memory: then NULL is returned */
    }
    return kept;
}

/* With the lock held. */
static void drop(struct pulse_roster *roster, struct pulse_inventory *inventory)
{
    if (inventory == NULL || --inventory->references > 0) {
        return;
    }
    for (size_t i = 0; i < roster->inventory_count; i++) {
        if (roster->inventories[i] == inventory) {
            roster->inventories[i] = roster->inventories[--roster->inventory_count];
            break;
        }
    }
    free_inventory(inventory);
}

void pulse_roster_drop(struct pulse_roster *roster, struct pulse_inventory *inventory)
{
    pthread_mutex_lock(&roster->lock);
    drop(roster, inventory);
    pthread_mutex_unlock(&roster->lock);
}

static const struct pulse_plugin_entry *find_plugin(const struct pulse_inventory *inventory, const char *uri)
{
    struct pulse_plugin_entry wanted = {.uri = uri};
    return inventory != NULL && inventory->count > 0
               ? bsearch(&wanted, inventory->entries, inventory->count, sizeof wanted, by_uri)
               : NULL;
}

/* ---- workers ---- */

static void end_worker(struct pulse_roster *roster, struct worker *worker)
{
    free(worker->engine);
    free(worker->cpu_class);
    free(worker->tags);
    drop(roster, worker->inventory);
}

void pulse_roster_free(struct pulse_roster *roster)
{
    if (roster == NULL) {
        return;
    }
    for (size_t i = 0; i < roster->worker_count; i++) {
        end_worker(roster, &roster->workers[i]);
    }
    while (roster->inventory_count > 0) { /* sessions that never joined have dropped theirs */
        free_inventory(roster->inventories[--roster->inventory_count]);
    }
    free(roster->workers);
    free(roster->inventories);
    pthread_mutex_destroy(&roster->lock);
    free(roster);
}

static struct worker *find_worker(struct pulse_roster *roster, const char *name)
{
    for (size_t i = 0; i < roster->worker_count; i++) {
        if (strcmp(roster->workers[i].name, name) == 0) {
            return &roster->workers[i];
        }
    }
    return NULL;
}

static struct worker *make_worker(struct pulse_roster *roster)
{
    if (roster->worker_count == roster->worker_capacity) {
        size_t capacity = roster->worker_capacity * 2 + 8;
        struct worker *grown = realloc(roster->workers, capacity * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        roster->workers = grown;
        roster->worker_capacity = capacity;
    }
    struct worker *made = &roster->workers[roster->worker_count++];
    *made = (struct worker){0};
    return made;
}

static char *join_tags(const struct pulse_worker_traits *traits)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    const char *text = pulse_tags_join(&arena, traits->tags, traits->tag_count);
    char *copy = text != NULL ? strdup(text) : NULL;
    lh_arena_fini(&arena);
    return copy;
}

enum lh_status pulse_roster_join(struct pulse_roster *roster, const struct pulse_worker_traits *traits,
                                 struct pulse_inventory *inventory)
{
    struct worker joined = {
        .session = traits->session,
        .engine = strdup(traits->engine),
        .cpu_class = strdup(traits->cpu_class),
        .tags = join_tags(traits),
        .slots = traits->slots,
        .inventory = inventory,
    };
    memccpy(joined.name, traits->name, '\0', sizeof joined.name - 1);
    pthread_mutex_lock(&roster->lock);
    struct worker *place = NULL;
    if (joined.engine != NULL && joined.cpu_class != NULL && joined.tags != NULL) {
        place = find_worker(roster, traits->name);
        if (place != NULL) {
            end_worker(roster, place);
        } else {
            place = make_worker(roster);
        }
    }
    if (place != NULL) {
        inventory->references++;
        *place = joined;
    }
    pthread_mutex_unlock(&roster->lock);
    if (place == NULL) {
        free(joined.engine);
        free(joined.cpu_class);
        free(joined.tags);
        return LH_ERR_NO_MEMORY;
    }
    return LH_OK;
}

void pulse_roster_leave(struct pulse_roster *roster, const char *name, uint64_t session)
{
    pthread_mutex_lock(&roster->lock);
    struct worker *worker = find_worker(roster, name);
    if (worker != NULL && worker->session == session) {
        end_worker(roster, worker);
        *worker = roster->workers[--roster->worker_count];
    }
    pthread_mutex_unlock(&roster->lock);
}

/* ---- looking ---- */

/* Workers to look at. */
struct sieve {
    const char *engine, *cpu_class; /* NULL: any */
    const char *const *tags;        /* all of them */
    size_t tag_count;
};

static bool passes(const struct worker *worker, const struct sieve *sieve)
{
    bool good = (sieve->engine == NULL || strcmp(worker->engine, sieve->engine) == 0) &&
                (sieve->cpu_class == NULL || strcmp(worker->cpu_class, sieve->cpu_class) == 0);
    for (size_t i = 0; good && i < sieve->tag_count; i++) {
        good = pulse_tags_has(worker->tags, sieve->tags[i]);
    }
    return good;
}

static uint32_t count_slots(const struct pulse_roster *roster, const struct sieve *sieve)
{
    uint32_t slots = 0;
    for (size_t i = 0; i < roster->worker_count; i++) {
        slots += passes(&roster->workers[i], sieve) ? roster->workers[i].slots : 0;
    }
    return slots;
}

/* Between equals the name decides, so that two plans made one after the other agree. */
static const char *best_engine(const struct pulse_roster *roster, const struct sieve *sieve)
{
    const char *best = NULL;
    uint32_t most = 0;
    for (size_t i = 0; i < roster->worker_count; i++) {
        struct sieve alike = *sieve;
        alike.engine = roster->workers[i].engine;
        if ((best != NULL && strcmp(alike.engine, best) == 0) || !passes(&roster->workers[i], &alike)) {
            continue; /* most workers are like the first */
        }
        uint32_t slots = count_slots(roster, &alike);
        if (best == NULL || slots > most || (slots == most && strcmp(alike.engine, best) > 0)) {
            best = alike.engine;
            most = slots;
        }
    }
    return best;
}

static const char *best_class(const struct pulse_roster *roster, const struct sieve *sieve)
{
    const char *best = NULL;
    uint32_t most = 0;
    for (size_t i = 0; i < roster->worker_count; i++) {
        struct sieve alike = *sieve;
        alike.cpu_class = roster->workers[i].cpu_class;
        if ((best != NULL && strcmp(alike.cpu_class, best) == 0) || !passes(&roster->workers[i], &alike)) {
            continue;
        }
        uint32_t slots = count_slots(roster, &alike);
        if (best == NULL || slots > most || (slots == most && strcmp(alike.cpu_class, best) > 0)) {
            best = alike.cpu_class;
            most = slots;
        }
    }
    return best;
}

enum lh_status pulse_roster_crew(struct pulse_roster *roster, struct lh_arena *arena, const char *const *tags,
                                 size_t tag_count, struct pulse_crew *crew)
{
    struct sieve sieve = {.tags = tags, .tag_count = tag_count};
    struct pulse_crew found = {0};
    pthread_mutex_lock(&roster->lock);
    sieve.engine = best_engine(roster, &sieve);
    if (sieve.engine == NULL) {
        sieve.tag_count = 0;
        sieve.engine = best_engine(roster, &sieve);
    }
    bool any = sieve.engine != NULL;
    if (any) {
        found.engine = lh_arena_strdup(arena, sieve.engine);
        found.cpu_class = lh_arena_strdup(arena, best_class(roster, &sieve));
        found.slots = count_slots(roster, &sieve);
        found.tags = tags;
        found.tag_count = sieve.tag_count;
    }
    pthread_mutex_unlock(&roster->lock);
    if (!any) {
        return LH_ERR_MISSING;
    }
    if (found.engine == NULL || found.cpu_class == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    char *rest;
    found.sound_version = (uint32_t)strtoul(found.engine, &rest, 10);
    found.libraries = *rest == ' ' ? rest + 1 : rest;
    *crew = found;
    return LH_OK;
}

/* A copy by way of its record, for the facts have tables of their own. NULL when memory is out. */
static const struct graph_plugin_facts *copy_facts(struct lh_arena *arena, const struct graph_plugin_facts *facts)
{
    struct graph_plugin_facts *copy = lh_arena_alloc(arena, sizeof *copy);
    struct lh_writer writer;
    struct lh_reader reader;
    lh_writer_init(&writer);
    graph_plugin_facts_write(&writer, facts);
    lh_reader_init(&reader, writer.data, writer.size);
    bool good =
        copy != NULL && lh_writer_status(&writer) == LH_OK && graph_plugin_facts_read(&reader, arena, copy) == LH_OK;
    lh_writer_fini(&writer);
    return good ? copy : NULL;
}

/* Takes out of the look all workers who have the same binary as this one: their slots, and one that knows its facts. */
static uint32_t take_binary(const struct pulse_roster *roster, size_t first, const struct pulse_plugin_entry **entry)
{
    uint32_t slots = 0;
    const struct lh_digest *digest = &roster->workers[first].entry->digest;
    *entry = NULL;
    for (size_t i = first; i < roster->worker_count; i++) {
        struct worker *worker = &roster->workers[i];
        if (worker->entry != NULL && lh_digest_equal(&worker->entry->digest, digest)) {
            slots += worker->slots;
            *entry = *entry == NULL && worker->entry->facts != NULL ? worker->entry : *entry;
            worker->entry = NULL;
        }
    }
    return slots;
}

bool pulse_roster_plugin(struct pulse_roster *roster, struct lh_arena *arena, const struct pulse_crew *crew,
                         const char *uri, struct pulse_found_plugin *found)
{
    const struct pulse_plugin_entry *best = NULL, *entry;
    const struct sieve sieve = {.engine = crew->engine, .tags = crew->tags, .tag_count = crew->tag_count};
    uint32_t most = 0;
    pthread_mutex_lock(&roster->lock);
    for (size_t i = 0; i < roster->worker_count; i++) {
        struct worker *worker = &roster->workers[i];
        worker->entry = passes(worker, &sieve) ? find_plugin(worker->inventory, uri) : NULL;
    }
    for (size_t i = 0; i < roster->worker_count; i++) {
        uint32_t slots = roster->workers[i].entry != NULL ? take_binary(roster, i, &entry) : 0;
        if (slots > 0 && entry != NULL &&
            (best == NULL || slots > most ||
             (slots == most && memcmp(&entry->digest, &best->digest, sizeof entry->digest) > 0))) {
            best = entry;
            most = slots;
        }
    }
    if (best != NULL) {
        found->facts = copy_facts(arena, best->facts);
        found->repeatable = best->repeatable == crew->sound_version;
    }
    pthread_mutex_unlock(&roster->lock);
    return best != NULL;
}

void pulse_roster_near(struct pulse_roster *roster, struct lh_arena *arena, const char *uri, const char *near[3])
{
    struct inventory_near nearest;
    inventory_near_begin(&nearest, uri);
    pthread_mutex_lock(&roster->lock);
    for (size_t i = 0; i < roster->inventory_count; i++) {
        const struct pulse_inventory *inventory = roster->inventories[i];
        for (size_t k = 0; k < inventory->count; k++) {
            const struct pulse_plugin_entry *entry = &inventory->entries[k];
            bool told = nearest.uris[0] != NULL && strcmp(nearest.uris[0], entry->uri) == 0;
            if (!told) { /* several inventories have mostly the same */
                inventory_near_look(&nearest, entry->uri, entry->facts != NULL ? entry->facts->name : "");
            }
        }
    }
    for (size_t i = 0; i < INVENTORY_NEAR_MAX; i++) {
        near[i] = nearest.uris[i] != NULL ? lh_arena_strdup(arena, nearest.uris[i]) : NULL;
    }
    pthread_mutex_unlock(&roster->lock);
}
