/* SPDX-License-Identifier: MIT */
/* The house-keeper's thread and the pieces of work that it asks for. */
#include "pulse-daemon/service/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "pulse-daemon/media/collect.h"
#include "pulse-daemon/service/quota.h"
#include "pulse-daemon/store/access.h"

#define MS_NS (LH_CLOCK_SECOND_NS / 1000)
#define TURN_MS 5000
#define ROUND_S 600
#define RETAIN_DAYS 30
#define SCRUB_BYTES (UINT64_C(1) << 20)
#define ROOM_BYTES (UINT64_C(64) << 20) /* is made before it is asked for */
#define PRUNE_ROWS 256
#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define SECOND_MS 1000

struct pulse_keeper {
    struct pulse_keeper_options options;
    struct pulse_mailbox box;
    struct pulse_sweep sweep; /* the decider's while a task is under way */
    struct lh_blobs_scrub *scrub;
    uint64_t round_ns, turn_ns, trim_ns, prune_ns, scrub_ns; /* when the next is due */
    size_t asked;
    bool stopping;
    struct pulse_mail quit;
    pthread_t thread;
    pthread_mutex_t lock;
    struct pulse_keeper_figures figures;
};

/* ---- on the decider's thread ---- */

static void note(struct pulse_keeper *keeper, const struct pulse_collected *collected, bool evicted)
{
    pthread_mutex_lock(&keeper->lock);
    if (evicted) {
        keeper->figures.evicted_blobs += collected->blobs;
        keeper->figures.evicted_bytes += collected->bytes;
    } else {
        keeper->figures.swept_blobs += collected->blobs;
        keeper->figures.swept_bytes += collected->bytes;
    }
    keeper->figures.forgotten_rows += evicted ? 0 : collected->rows;
    pthread_mutex_unlock(&keeper->lock);
}

/* What a piece of work leaves behind: whether there is more of it. */
struct outcome {
    bool more;
};

static enum lh_status sweep(struct pulse_task *task, const struct pulse_upkeep *upkeep, struct lh_error *error)
{
    struct pulse_keeper *keeper = task->owner;
    struct pulse_collected collected = {0};
    enum lh_status status = pulse_media_sweep(keeper->options.blobs, upkeep->store, &keeper->sweep, upkeep->now_ms,
                                              PULSE_SWEEP_UNUSED_MS, &collected, error);
    ((struct outcome *)task->payload)->more = status == LH_OK && collected.more;
    note(keeper, &collected, false);
    return status;
}

static bool is_held(void *context, uint64_t tenant, const struct lh_digest *key)
{
    return pulse_farm_holds(context, tenant, key);
}

struct tenants {
    uint64_t ids[PULSE_TENANTS_MAX];
    size_t count;
};

static enum lh_status take_tenant(void *context, const struct pulse_tenant_row *row)
{
    struct tenants *tenants = context;
    if (tenants->count < PULSE_TENANTS_MAX) {
        tenants->ids[tenants->count++] = row->id;
    }
    return LH_OK;
}

static enum lh_status take_limited(void *context, const struct pulse_tenant_row *row)
{
    return row->quota_bytes > 0 ? take_tenant(context, row) : LH_OK;
}

static enum lh_status evict(struct pulse_task *task, const struct pulse_upkeep *upkeep, struct lh_error *error)
{
    struct pulse_keeper *keeper = task->owner;
    struct tenants tenants = {.count = 0};
    enum lh_status status = pulse_store_tenants(upkeep->store, take_tenant, &tenants, error);
    for (size_t i = 0; status == LH_OK && i < tenants.count; i++) {
        struct pulse_collected collected = {0};
        struct pulse_eviction eviction = {
            .tenant = tenants.ids[i],
            .bytes = lh_blobs_excess(keeper->options.blobs, ROOM_BYTES),
            .now_ms = upkeep->now_ms,
            .is_held = is_held,
            .context = upkeep->farm,
        };
        if (eviction.bytes == 0) {
            break;
        }
        status = pulse_media_evict(keeper->options.blobs, upkeep->store, &eviction, &collected, error);
        note(keeper, &collected, true);
        if (collected.blobs > 0) {
            LH_LOG(LH_LOG_INFO, "outputs let go", LH_LOG_NUMBER("tenant", tenants.ids[i]),
                   LH_LOG_NUMBER("blobs", collected.blobs), LH_LOG_NUMBER("bytes", collected.bytes));
        }
    }
    return status;
}

/* Tenants that keep more than they may let go of outputs. */
static enum lh_status trim(struct pulse_task *task, const struct pulse_upkeep *upkeep, struct lh_error *error)
{
    struct pulse_keeper *keeper = task->owner;
    struct outcome *outcome = task->payload;
    struct tenants tenants = {.count = 0};
    enum lh_status status = pulse_store_tenants(upkeep->store, take_limited, &tenants, error);
    for (size_t i = 0; status == LH_OK && i < tenants.count; i++) {
        struct pulse_collected collected = {0};
        struct pulse_eviction eviction = {
            .tenant = tenants.ids[i], .now_ms = upkeep->now_ms, .is_held = is_held, .context = upkeep->farm};
        status = pulse_quota_excess(upkeep->store, tenants.ids[i], &eviction.bytes, error);
        if (status != LH_OK || eviction.bytes == 0) {
            continue;
        }
        status = pulse_media_evict(keeper->options.blobs, upkeep->store, &eviction, &collected, error);
        note(keeper, &collected, true);
        outcome->more = outcome->more || collected.more;
        LH_LOG(LH_LOG_INFO, "outputs let go for the quota", LH_LOG_NUMBER("tenant", tenants.ids[i]),
               LH_LOG_NUMBER("excess", eviction.bytes), LH_LOG_NUMBER("outputs", collected.rows),
               LH_LOG_NUMBER("bytes", collected.bytes));
    }
    return status;
}

static enum lh_status prune(struct pulse_task *task, const struct pulse_upkeep *upkeep, struct lh_error *error)
{
    struct pulse_keeper *keeper = task->owner;
    uint32_t days = keeper->options.retain_days;
    struct pulse_retention retention = {
        .jobs_before_ms = upkeep->now_ms - days * DAY_MS,
        .events_before_ms = upkeep->now_ms - days * DAY_MS,
        .limit = PRUNE_ROWS,
    };
    size_t removed = 0;
    enum lh_status status = pulse_store_begin(upkeep->store, upkeep->now_ms, error);
    status = status == LH_OK ? pulse_store_prune(upkeep->store, &retention, &removed, error) : status;
    status = status == LH_OK ? pulse_store_commit(upkeep->store, error) : status;
    pulse_store_rollback(upkeep->store);
    ((struct outcome *)task->payload)->more = status == LH_OK && removed > 0;
    struct pulse_collected collected = {.rows = status == LH_OK ? removed : 0};
    note(keeper, &collected, false);
    return status;
}

/* ---- on its own ---- */

/* Asks for one piece; the next one is due when it has come home. */
static void ask(struct pulse_keeper *keeper,
                enum lh_status (*work)(struct pulse_task *task, const struct pulse_upkeep *upkeep,
                                       struct lh_error *error),
                void (*resume)(struct pulse_task *task))
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_UPKEEP);
    if (task != NULL && (task->payload = lh_arena_alloc(&task->arena, sizeof(struct outcome))) == NULL) {
        pulse_task_free(task);
        task = NULL;
    }
    if (task != NULL) {
        task->upkeep = work;
        task->owner = keeper;
        task->home = &keeper->box;
        task->resume = resume;
        keeper->asked++;
        pulse_decider_ask(keeper->options.decider, task, false);
    }
}

static void swept(struct pulse_task *task)
{
    struct pulse_keeper *keeper = task->owner;
    const struct outcome *outcome = task->payload;
    bool more = task->status == LH_OK && outcome->more;
    keeper->round_ns =
        lh_clock_monotonic_ns() + (more ? SECOND_MS * MS_NS : keeper->options.round_s * LH_CLOCK_SECOND_NS);
    pulse_task_free(task);
}

static void pruned(struct pulse_task *task)
{
    struct pulse_keeper *keeper = task->owner;
    const struct outcome *outcome = task->payload;
    bool more = task->status == LH_OK && outcome->more;
    keeper->prune_ns =
        lh_clock_monotonic_ns() + (more ? SECOND_MS * MS_NS : keeper->options.round_s * LH_CLOCK_SECOND_NS);
    pulse_task_free(task);
}

static void trimmed(struct pulse_task *task)
{
    struct pulse_keeper *keeper = task->owner;
    const struct outcome *outcome = task->payload;
    bool more = task->status == LH_OK && outcome->more;
    keeper->trim_ns = lh_clock_monotonic_ns() + (more ? SECOND_MS : keeper->options.turn_ms) * MS_NS;
    pulse_task_free(task);
}

static void evicted(struct pulse_task *task)
{
    pulse_task_free(task);
}

/* A piece of what is kept is read again. */
static void scrub(struct pulse_keeper *keeper)
{
    struct lh_blobs_scrubbed scrubbed = {0};
    struct lh_error error = LH_ERROR_INIT;
    if (keeper->scrub == NULL && lh_blobs_scrub_new(keeper->options.blobs, &keeper->scrub) != LH_OK) {
        return;
    }
    if (lh_blobs_scrub_step(keeper->scrub, keeper->options.scrub_bytes, &scrubbed, &error) != LH_OK) {
        LH_LOG(LH_LOG_ERROR, "scrub failed", LH_LOG_TEXT("where", error.where), LH_LOG_TEXT("why", error.message));
    }
    if (scrubbed.damaged) {
        char text[LH_DIGEST_TEXT_SIZE];
        lh_digest_text(&scrubbed.digest, text);
        LH_LOG(LH_LOG_ERROR, "blob damaged", LH_LOG_TEXT("digest", text));
    }
    pthread_mutex_lock(&keeper->lock);
    keeper->figures.scrubbed_bytes += scrubbed.bytes;
    keeper->figures.damaged += scrubbed.damaged ? 1 : 0;
    pthread_mutex_unlock(&keeper->lock);
}

/* What is due; each is put off until it has come home. */
static void do_what_is_due(struct pulse_keeper *keeper)
{
    uint64_t now_ns = lh_clock_monotonic_ns(), far_ns = now_ns + UINT64_C(3600) * LH_CLOCK_SECOND_NS;
    if (now_ns >= keeper->turn_ns) {
        keeper->turn_ns = now_ns + keeper->options.turn_ms * MS_NS;
        lh_blobs_empty_trash(keeper->options.blobs);
        lh_blobs_drop_strays(keeper->options.blobs);
        if (lh_blobs_excess(keeper->options.blobs, ROOM_BYTES) > 0) {
            ask(keeper, evict, evicted);
        }
    }
    if (now_ns >= keeper->round_ns) {
        keeper->round_ns = far_ns;
        ask(keeper, sweep, swept);
    }
    if (now_ns >= keeper->trim_ns) {
        keeper->trim_ns = far_ns;
        ask(keeper, trim, trimmed);
    }
    if (now_ns >= keeper->prune_ns) {
        keeper->prune_ns = far_ns;
        ask(keeper, prune, pruned);
    }
    if (now_ns >= keeper->scrub_ns) {
        keeper->scrub_ns = now_ns + LH_CLOCK_SECOND_NS;
        scrub(keeper);
    }
}

static void *run(void *context)
{
    struct pulse_keeper *keeper = context;
    while (!keeper->stopping || keeper->asked > 0) {
        struct pulse_mail *mail = pulse_mailbox_take(&keeper->box);
        if (mail == &keeper->quit) {
            keeper->stopping = true;
        } else if (mail != NULL) {
            struct pulse_task *task = (struct pulse_task *)mail;
            keeper->asked--;
            task->resume(task);
        } else {
            if (!keeper->stopping) {
                do_what_is_due(keeper);
            }
            pulse_mailbox_wait(&keeper->box, -1, SECOND_MS);
        }
    }
    return NULL;
}

/* ---- life ---- */

static uint32_t or_standard(uint32_t value, uint32_t standard)
{
    return value != 0 ? value : standard;
}

enum lh_status pulse_keeper_new(const struct pulse_keeper_options *options, struct pulse_keeper **keeper,
                                struct lh_error *error)
{
    struct pulse_keeper *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->options = *options;
    made->options.turn_ms = or_standard(options->turn_ms, TURN_MS);
    made->options.round_s = or_standard(options->round_s, ROUND_S);
    made->options.retain_days = or_standard(options->retain_days, RETAIN_DAYS);
    made->options.scrub_bytes = options->scrub_bytes != 0 ? options->scrub_bytes : SCRUB_BYTES;
    uint64_t now_ns = lh_clock_monotonic_ns();
    made->turn_ns = made->round_ns = made->trim_ns = made->prune_ns = made->scrub_ns = now_ns + LH_CLOCK_SECOND_NS;
    enum lh_status status = pulse_mailbox_init(&made->box, SIZE_MAX, error);
    if (status != LH_OK) {
        free(made);
        return status;
    }
    pthread_mutex_init(&made->lock, NULL);
    int code = pthread_create(&made->thread, NULL, run, made);
    if (code != 0) {
        pthread_mutex_destroy(&made->lock);
        pulse_mailbox_fini(&made->box);
        free(made);
        return lh_error_set(error, LH_ERR_IO, NULL, "no thread: %s", strerror(code));
    }
    *keeper = made;
    return LH_OK;
}

void pulse_keeper_free(struct pulse_keeper *keeper)
{
    if (keeper != NULL) {
        (void)pulse_mailbox_put(&keeper->box, &keeper->quit, true);
        pthread_join(keeper->thread, NULL);
        lh_blobs_scrub_free(keeper->scrub);
        pulse_mailbox_fini(&keeper->box);
        pthread_mutex_destroy(&keeper->lock);
        free(keeper);
    }
}

void pulse_keeper_figures(struct pulse_keeper *keeper, struct pulse_keeper_figures *figures)
{
    pthread_mutex_lock(&keeper->lock);
    *figures = keeper->figures;
    pthread_mutex_unlock(&keeper->lock);
}
