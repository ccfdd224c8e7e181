/* SPDX-License-Identifier: MIT */
/* Lanes in shares in levels. Each of them is there only while something is ready in it. */
#include "pulse-daemon/farm/queue.h"

#include <string.h>

#include "pulse-daemon/farm/match.h"

#define CHARGE_SCALE 1000 /* weights go up to that */

/* ---- Orders ---- */

static bool shard_before(const void *a, const void *b)
{
    const struct pulse_farm_shard_entry *x = a, *y = b;
    if (x->urgency != y->urgency) {
        return x->urgency < y->urgency;
    }
    return x->tail_ms != y->tail_ms ? x->tail_ms > y->tail_ms : x->id < y->id;
}

static uint32_t *shard_place(void *item)
{
    return &((struct pulse_farm_shard_entry *)item)->place;
}

static const struct pulse_heap_order shard_order = {shard_before, shard_place};

static bool lane_before(const void *a, const void *b)
{
    return shard_before(pulse_heap_first(&((const struct pulse_farm_lane *)a)->shards),
                        pulse_heap_first(&((const struct pulse_farm_lane *)b)->shards));
}

static uint32_t *lane_place(void *item)
{
    return &((struct pulse_farm_lane *)item)->place;
}

static const struct pulse_heap_order lane_order = {lane_before, lane_place};

static bool job_before(const void *a, const void *b)
{
    const struct pulse_farm_job *x = a, *y = b;
    return x->since_ns != y->since_ns ? x->since_ns < y->since_ns : x->id < y->id;
}

static uint32_t *job_place(void *item)
{
    return &((struct pulse_farm_job *)item)->place;
}

const struct pulse_heap_order pulse_farm_job_order = {job_before, job_place};

/* ---- Levels and shares ---- */

static struct pulse_farm_level *level_of(struct pulse_farm *farm, struct pulse_farm_group *group, int32_t priority)
{
    struct pulse_farm_level **at = &group->levels;
    while (*at != NULL && (*at)->priority > priority) {
        at = &(*at)->next;
    }
    if (*at != NULL && (*at)->priority == priority) {
        return *at;
    }
    struct pulse_farm_level *level = pulse_farm_take(farm, sizeof *level);
    if (level != NULL) {
        *level = (struct pulse_farm_level){.next = *at, .priority = priority, .unserved_ns = farm->now_ns};
        *at = level;
    }
    return level;
}

static struct pulse_farm_share *share_of(struct pulse_farm *farm, struct pulse_farm_level *level,
                                         struct pulse_farm_tenant *tenant)
{
    for (struct pulse_farm_share *share = level->shares; share != NULL; share = share->next) {
        if (share->tenant == tenant) {
            return share;
        }
    }
    struct pulse_farm_share *share = pulse_farm_take(farm, sizeof *share);
    if (share != NULL) {
        *share = (struct pulse_farm_share){.next = level->shares, .level = level, .tenant = tenant};
        share->lanes.order = &lane_order;
        if (share->next != NULL) {
            share->next->previous = share;
        }
        level->shares = share;
        tenant->shares++;
    }
    return share;
}

static void free_share(struct pulse_farm *farm, struct pulse_farm_share *share)
{
    if (share->previous != NULL) {
        share->previous->next = share->next;
    } else {
        share->level->shares = share->next;
    }
    if (share->next != NULL) {
        share->next->previous = share->previous;
    }
    struct pulse_farm_tenant *tenant = share->tenant;
    pulse_heap_fini(&share->lanes);
    pulse_farm_give(farm, share, sizeof *share);
    tenant->shares--;
    pulse_farm_drop_tenant(farm, tenant);
}

/* Forgets the shares that nothing is lost with, and the level when nothing is ready in it. */
static void tidy_level(struct pulse_farm *farm, struct pulse_farm_group *group, struct pulse_farm_level *level)
{
    for (struct pulse_farm_share *share = level->shares, *next; share != NULL; share = next) {
        next = share->next;
        if (share->queued == 0 && (level->queued == 0 || share->time <= level->clock)) {
            free_share(farm, share);
        }
    }
    if (level->queued == 0) {
        struct pulse_farm_level **at = &group->levels;
        while (*at != level) {
            at = &(*at)->next;
        }
        *at = level->next;
        pulse_farm_give(farm, level, sizeof *level);
    }
}

static void count_in(struct pulse_farm_share *share, size_t shards)
{
    if (share->queued == 0 && share->time < share->level->clock) {
        share->time = share->level->clock; /* who had nothing to do has saved nothing up */
    }
    share->queued += shards;
    share->level->queued += shards;
}

/* ---- Lanes ---- */

struct lane_key {
    const struct pulse_farm_needs *needs;
    const struct pulse_farm_tenant *tenant;
    int32_t priority;
    const struct pulse_farm_worker *avoid;
};

static bool match_lane(const void *item, const void *key)
{
    const struct pulse_farm_lane *lane = item;
    const struct lane_key *wanted = key;
    return lane->needs == wanted->needs && lane->tenant == wanted->tenant && lane->priority == wanted->priority &&
           lane->avoid == wanted->avoid;
}

static uint32_t hash_lane(const struct lane_key *key)
{
    uint64_t numbers[] = {key->needs->order, key->tenant->id, (uint64_t)key->priority,
                          key->avoid == NULL ? 0 : key->avoid->order};
    return pulse_hash_bytes(0, numbers, sizeof numbers);
}

static struct lane_key key_of(const struct pulse_farm_lane *lane)
{
    return (struct lane_key){lane->needs, lane->tenant, lane->priority, lane->avoid};
}

/* Links the lane, which has shards, into the queue of its needs' group. */
static void attach(struct pulse_farm *farm, struct pulse_farm_lane *lane)
{
    struct pulse_farm_level *level = level_of(farm, lane->needs->group, lane->priority);
    struct pulse_farm_share *share = level == NULL ? NULL : share_of(farm, level, lane->tenant);
    lane->share = share;
    lane->place = PULSE_HEAP_NONE;
    if (share == NULL) {
        if (level != NULL) {
            tidy_level(farm, lane->needs->group, level);
        }
        return;
    }
    count_in(share, lane->shards.count);
    if (lane->avoid == NULL) {
        pulse_farm_push(farm, &share->lanes, lane);
        return;
    }
    lane->previous_tainted = NULL;
    lane->next_tainted = share->tainted;
    if (share->tainted != NULL) {
        share->tainted->previous_tainted = lane;
    }
    share->tainted = lane;
    share->passed_over = true;
    farm->tainted++;
}

static void detach(struct pulse_farm *farm, struct pulse_farm_lane *lane)
{
    struct pulse_farm_share *share = lane->share;
    if (share == NULL) {
        return;
    }
    share->queued -= lane->shards.count;
    share->level->queued -= lane->shards.count;
    if (lane->avoid == NULL && lane->place != PULSE_HEAP_NONE) {
        pulse_heap_remove(&share->lanes, lane);
    } else if (lane->avoid != NULL) {
        if (lane->previous_tainted != NULL) {
            lane->previous_tainted->next_tainted = lane->next_tainted;
        } else {
            share->tainted = lane->next_tainted;
        }
        if (lane->next_tainted != NULL) {
            lane->next_tainted->previous_tainted = lane->previous_tainted;
        }
        farm->tainted--;
    }
    lane->share = NULL;
    tidy_level(farm, lane->needs->group, share->level);
}

static void free_lane(struct pulse_farm *farm, struct pulse_farm_lane *lane)
{
    struct lane_key key = key_of(lane);
    pulse_table_remove(&farm->lanes, hash_lane(&key), lane);
    if (lane->previous != NULL) {
        lane->previous->next = lane->next;
    } else {
        lane->needs->lanes = lane->next;
    }
    if (lane->next != NULL) {
        lane->next->previous = lane->previous;
    }
    pulse_heap_fini(&lane->shards);
    pulse_farm_give(farm, lane, sizeof *lane);
}

/* The lane of that key; a new one is not attached yet. */
static struct pulse_farm_lane *lane_of(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    struct lane_key key = {shard->needs, shard->tenant, pulse_farm_priority(shard->urgency), shard->avoid};
    struct pulse_farm_lane *lane = pulse_table_find(&farm->lanes, hash_lane(&key), match_lane, &key);
    if (lane != NULL || (lane = pulse_farm_take(farm, sizeof *lane)) == NULL) {
        return lane;
    }
    *lane = (struct pulse_farm_lane){
        .needs = shard->needs,
        .tenant = shard->tenant,
        .priority = key.priority,
        .avoid = shard->avoid,
        .next = shard->needs->lanes,
        .place = PULSE_HEAP_NONE,
        .shards = {.order = &shard_order},
    };
    if (!pulse_table_add(&farm->lanes, hash_lane(&key), lane)) {
        farm->no_memory = true;
        pulse_farm_give(farm, lane, sizeof *lane);
        return NULL;
    }
    if (lane->next != NULL) {
        lane->next->previous = lane;
    }
    shard->needs->lanes = lane;
    return lane;
}

void pulse_farm_queue_put(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    struct pulse_farm_lane *lane = lane_of(farm, shard);
    if (lane == NULL) {
        return;
    }
    if (!pulse_farm_push(farm, &lane->shards, shard)) {
        if (lane->shards.count == 0) {
            free_lane(farm, lane);
        }
        return;
    }
    shard->lane = lane;
    shard->needs->queued++;
    if (lane->share == NULL) {
        attach(farm, lane);
        return;
    }
    count_in(lane->share, 1);
    if (lane->place != PULSE_HEAP_NONE) {
        pulse_heap_moved(&lane->share->lanes, lane);
    }
}

void pulse_farm_queue_take(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    struct pulse_farm_lane *lane = shard->lane;
    if (lane == NULL) {
        return;
    }
    shard->lane = NULL;
    shard->needs->queued--;
    if (lane->shards.count == 1) {
        detach(farm, lane); /* while it still counts its last shard, and has a first one to be compared by */
        pulse_heap_remove(&lane->shards, shard);
        free_lane(farm, lane);
        return;
    }
    pulse_heap_remove(&lane->shards, shard);
    if (lane->share != NULL) {
        lane->share->queued--;
        lane->share->level->queued--;
        if (lane->place != PULSE_HEAP_NONE) {
            pulse_heap_moved(&lane->share->lanes, lane);
        }
    }
}

void pulse_farm_queue_leave(struct pulse_farm *farm, struct pulse_farm_needs *needs)
{
    for (struct pulse_farm_lane *lane = needs->lanes; lane != NULL; lane = lane->next) {
        detach(farm, lane);
    }
}

void pulse_farm_queue_join(struct pulse_farm *farm, struct pulse_farm_needs *needs)
{
    for (struct pulse_farm_lane *lane = needs->lanes; lane != NULL; lane = lane->next) {
        attach(farm, lane);
    }
}

/* ---- Who is next ---- */

struct candidate {
    const struct pulse_farm_group *group;
    const struct pulse_farm_level *level;
    struct pulse_farm_shard_entry *shard;
    int64_t height;
};

/* The tenant's first shard that the worker may have: one that failed there it gets only when nobody else can. */
static struct pulse_farm_shard_entry *first_of(const struct pulse_farm *farm, const struct pulse_farm_group *group,
                                               const struct pulse_farm_share *share,
                                               const struct pulse_farm_worker *worker)
{
    struct pulse_farm_lane *clean = pulse_heap_first(&share->lanes);
    struct pulse_farm_shard_entry *best = clean == NULL ? NULL : pulse_heap_first(&clean->shards);
    for (struct pulse_farm_lane *lane = share->tainted; lane != NULL; lane = lane->next_tainted) {
        struct pulse_farm_shard_entry *shard = pulse_heap_first(&lane->shards);
        if ((best == NULL || shard_before(shard, best)) &&
            (lane->avoid != worker || pulse_farm_group_active(farm, group) <= 1)) {
            best = shard;
        }
    }
    return best;
}

/* The first shard of the tenant that was given the least. */
static struct pulse_farm_shard_entry *first_at(const struct pulse_farm *farm, const struct candidate *at,
                                               const struct pulse_farm_worker *worker)
{
    const struct pulse_farm_share *best = NULL;
    struct pulse_farm_shard_entry *first = NULL;
    for (const struct pulse_farm_share *share = at->level->shares; share != NULL; share = share->next) {
        struct pulse_farm_shard_entry *shard = share->queued == 0 || (best != NULL && share->time > best->time)
                                                   ? NULL
                                                   : first_of(farm, at->group, share, worker);
        if (shard != NULL && (best == NULL || share->time < best->time || shard_before(shard, first))) {
            best = share;
            first = shard;
        }
    }
    return first;
}

/* Higher goes first; of the same height what fewer workers could do. */
static bool better(const struct pulse_farm *farm, const struct candidate *a, const struct candidate *b)
{
    if (b->shard == NULL || a->height != b->height) {
        return b->shard == NULL || a->height > b->height;
    }
    if (a->level->priority != b->level->priority) {
        return a->level->priority > b->level->priority;
    }
    size_t few_a = pulse_farm_group_active(farm, a->group), few_b = pulse_farm_group_active(farm, b->group);
    return few_a != few_b ? few_a < few_b : shard_before(a->shard, b->shard);
}

struct pulse_farm_shard_entry *pulse_farm_queue_next(const struct pulse_farm *farm,
                                                     const struct pulse_farm_worker *worker)
{
    struct candidate best = {.shard = NULL};
    for (const struct pulse_farm_group *group = farm->group_list; group != NULL; group = group->next) {
        if (group->levels == NULL || !pulse_farm_group_has(group, worker->class)) {
            continue;
        }
        for (const struct pulse_farm_level *level = group->levels; level != NULL; level = level->next) {
            struct candidate c = {.group = group, .level = level};
            c.height = level->priority + (int64_t)((farm->now_ns - level->unserved_ns) / farm->options.aging_ns);
            if (best.shard != NULL && c.height < best.height) {
                continue;
            }
            c.shard = first_at(farm, &c, worker);
            if (c.shard != NULL && better(farm, &c, &best)) {
                best = c;
            }
        }
    }
    return best.shard;
}

void pulse_farm_queue_charge(struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard)
{
    struct pulse_farm_share *share = shard->lane->share;
    struct pulse_farm_level *level = share->level;
    uint64_t charge = (uint64_t)(shard->cost_ms == 0 ? 1 : shard->cost_ms) * CHARGE_SCALE / share->tenant->weight;
    level->clock = share->time > level->clock ? share->time : level->clock;
    level->charge_most = charge > level->charge_most ? charge : level->charge_most;
    level->unserved_ns = farm->now_ns;
    share->time += charge;
}
