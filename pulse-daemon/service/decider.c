/* SPDX-License-Identifier: MIT */
/* The decider's thread: leading, out of reach of the store, and back. */
#include "pulse-daemon/service/decider.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "pulse-daemon/service/batch.h"
#include "pulse-daemon/store/access.h"

#define MS_NS (LH_CLOCK_SECOND_NS / 1000)
#define INBOX_MAX 16384
#define SHARDS_MAX 256                     /* of plans that are admitted with other events; a plan of more is large */
#define TURN_MAX_MS 1000                   /* asleep at most */
#define RELOAD_NS (LH_CLOCK_SECOND_NS / 4) /* between two tries to get the store back */

struct pulse_decider {
    struct pulse_decider_options options;
    struct pulse_bench bench;
    struct pulse_mailbox inbox;
    pthread_t thread;
    bool leading;
    uint64_t epoch, next_try_ns;
    pthread_mutex_t lock; /* of `figures` */
    struct pulse_decider_figures figures;
};

/* ---- reading the store ---- */

struct loading {
    struct pulse_farm *farm;
    size_t rows, odd;
};

static enum lh_status take_row(void *context, const struct pulse_change *row)
{
    struct loading *loading = context;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = pulse_farm_load(loading->farm, row, &error);
    loading->rows++;
    if (status == LH_ERR_FORMAT) { /* the rest can go on without it */
        loading->odd++;
        LH_LOG(LH_LOG_ERROR, "row left out", LH_LOG_TEXT("where", error.where), LH_LOG_TEXT("why", error.message));
        status = LH_OK;
    }
    return status;
}

/* The core forgets them with its rows, and before it has these there is nothing to commit. Not by way of the inbox: a
   change that stands there already is the newer one. */
static enum lh_status take_weight(void *context, const struct pulse_tenant_row *row)
{
    struct pulse_decider *decider = context;
    const struct pulse_farm_event event = {.kind = PULSE_FARM_TENANT, .tenant = row->id, .weight = row->weight};
    struct pulse_farm_outcome outcome;
    return pulse_farm_step(decider->bench.farm, lh_clock_monotonic_ns(), &event, 1, &outcome);
}

static enum lh_status load(struct pulse_decider *decider, struct lh_error *error)
{
    struct pulse_bench *bench = &decider->bench;
    struct loading loading = {.farm = bench->farm};
    struct pulse_store_numbers numbers = {0};
    uint64_t begun_ns = lh_clock_monotonic_ns();
    pulse_farm_forget(bench->farm);
    size_t healed = 0;
    enum lh_status status = pulse_store_tenants(bench->store, take_weight, decider, error);
    status = status == LH_OK ? pulse_store_load(bench->store, take_row, &loading, &numbers, error) : status;
    if (status == LH_OK && pulse_farm_load_end(bench->farm, numbers.shard, lh_clock_monotonic_ns(), &healed) != LH_OK) {
        status = lh_error_no_memory(error);
    }
    if (status != LH_OK) {
        pulse_farm_forget(bench->farm);
        return status;
    }
    bench->next_job = numbers.job + 1;
    bench->figures.last_event = numbers.event;
    LH_LOG(LH_LOG_INFO, "store loaded", LH_LOG_NUMBER("rows", loading.rows), LH_LOG_NUMBER("odd", loading.odd),
           LH_LOG_NUMBER("healed", healed), LH_LOG_NUMBER("ms", (lh_clock_monotonic_ns() - begun_ns) / MS_NS));
    return LH_OK;
}

static int64_t unix_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + (int64_t)((uint64_t)now.tv_nsec / MS_NS);
}

/* At the start: whoever led before leads no more. */
static enum lh_status take_lead(struct pulse_decider *decider, struct lh_error *error)
{
    struct pulse_store *store = decider->bench.store;
    enum lh_status status = pulse_store_migrate(store, unix_ms(), error);
    status =
        status == LH_OK ? pulse_store_lead(store, decider->options.holder, unix_ms(), &decider->epoch, error) : status;
    return status == LH_OK ? load(decider, error) : status;
}

/* ---- the loop ---- */

static void publish_figures(struct pulse_decider *decider)
{
    pthread_mutex_lock(&decider->lock);
    decider->figures = decider->bench.figures;
    decider->figures.leading = decider->leading;
    pthread_mutex_unlock(&decider->lock);
}

static bool can_be_waited_out(enum lh_status status)
{
    return status == LH_ERR_UNAVAILABLE || status == LH_ERR_IO || status == LH_ERR_NO_MEMORY;
}

/* The state in memory is not the store's any more. */
static void lose_store(struct pulse_decider *decider, enum lh_status status, const struct lh_error *error)
{
    pulse_farm_forget(decider->bench.farm);
    decider->leading = false;
    decider->next_try_ns = lh_clock_monotonic_ns() + RELOAD_NS;
    LH_LOG(LH_LOG_ERROR, "store out of reach", LH_LOG_TEXT("code", lh_status_text(status)),
           LH_LOG_TEXT("why", error->message));
    if (!can_be_waited_out(status)) {
        pulse_mailbox_close(&decider->inbox);
        decider->options.on_end(decider->options.context, status, error);
    }
}

static void regain_store(struct pulse_decider *decider)
{
    struct lh_error error = LH_ERROR_INIT;
    struct pulse_orders *look = pulse_orders_new();
    enum lh_status status = look != NULL ? load(decider, &error) : lh_error_no_memory(&error);
    if (status == LH_OK) {
        decider->leading = true;
        LH_LOG(LH_LOG_INFO, "store is back", LH_LOG_NUMBER("epoch", decider->epoch));
        /* The last commit may have taken place, and nobody was told. */
        if (pulse_mailbox_put(decider->bench.clients, &look->mail, true)) {
            look = NULL;
        }
    } else if (!can_be_waited_out(status)) {
        lose_store(decider, status, &error);
    } else {
        decider->next_try_ns = lh_clock_monotonic_ns() + RELOAD_NS;
    }
    pulse_orders_free(look);
}

/* While the store is out of reach: who works is still noted, for workers do not say it twice; the core knows no rows
   then and has nothing to commit. */
static void note_workers(struct pulse_decider *decider, struct pulse_task **tasks, size_t count)
{
    static const struct lh_error later = {
        .code = LH_ERR_UNAVAILABLE, .message = "the store is out of reach: ask again later", .where = ""};
    for (size_t i = 0; i < count; i++) {
        struct pulse_task *task = tasks[i];
        enum pulse_farm_event_kind kind = task->event.kind;
        struct pulse_farm_outcome outcome;
        bool noted = kind == PULSE_FARM_WELCOME || kind == PULSE_FARM_CREDITS || kind == PULSE_FARM_GONE ||
                     kind == PULSE_FARM_DRAIN;
        noted =
            noted && pulse_farm_step(decider->bench.farm, lh_clock_monotonic_ns(), &task->event, 1, &outcome) == LH_OK;
        pulse_task_finish(task, noted ? LH_OK : LH_ERR_UNAVAILABLE, noted ? NULL : &later);
    }
}

/* Events that stand at the front of the inbox; `held` is the task that came after them. */
struct gathered {
    struct pulse_task *tasks[PULSE_BATCH_MAX];
    size_t count;
    size_t shards; /* of their plans */
    struct pulse_task *held;
    struct pulse_mail *large, **last_large; /* plans that wait for a batch of their own, the first that came first */
};

/* What nobody waits for any more is not begun. */
static bool is_late(struct pulse_task *task)
{
    static const struct lh_error late = {
        .code = LH_ERR_UNAVAILABLE, .message = "its time was over before it was its turn", .where = ""};
    if (task->due_ns == 0 || lh_clock_monotonic_ns() < task->due_ns) {
        return false;
    }
    task->late = true;
    pulse_task_finish(task, LH_ERR_UNAVAILABLE, &late);
    return true;
}

static struct pulse_task *next_task(struct pulse_decider *decider, struct gathered *gathered)
{
    struct pulse_task *task = gathered->held;
    gathered->held = NULL;
    while (task == NULL && (task = (struct pulse_task *)pulse_mailbox_take(&decider->inbox)) != NULL) {
        task = is_late(task) ? NULL : task;
    }
    return task;
}

static void put_by(struct gathered *gathered, struct pulse_task *task)
{
    task->mail.next = NULL;
    *gathered->last_large = &task->mail;
    gathered->last_large = &task->mail.next;
}

/* All that is there but large plans, which are put by: whoever came after them need not wait for them. */
static void gather_events(struct pulse_decider *decider, struct gathered *gathered)
{
    gathered->count = gathered->shards = 0;
    while (gathered->count < PULSE_BATCH_MAX) {
        struct pulse_task *task = next_task(decider, gathered);
        size_t shards = task != NULL && task->kind == PULSE_TASK_EVENT ? task->event.plan.shard_count : 0;
        if (shards > SHARDS_MAX) {
            put_by(gathered, task);
            continue;
        }
        if (task == NULL || task->kind != PULSE_TASK_EVENT || gathered->shards + shards > SHARDS_MAX) {
            gathered->held = task;
            return;
        }
        gathered->tasks[gathered->count++] = task;
        gathered->shards += shards;
    }
}

/* A large plan is a batch of its own: results that came before it are not to wait until it is admitted, nor those that
   come meanwhile for a second one. */
static bool gather_large(struct gathered *gathered)
{
    struct pulse_mail *mail = gathered->large;
    if (mail == NULL) {
        return false;
    }
    gathered->large = mail->next;
    if (gathered->large == NULL) {
        gathered->last_large = &gathered->large;
    }
    mail->next = NULL;
    gathered->tasks[0] = (struct pulse_task *)mail;
    gathered->count = 1;
    return true;
}

/* What is no event. */
static void serve(struct pulse_decider *decider, struct pulse_task *task)
{
    struct lh_error error = LH_ERROR_INIT;
    if (task->kind == PULSE_TASK_LOOK) {
        task->look(task, decider->bench.farm);
        pulse_task_finish(task, LH_OK, NULL);
    } else if (!decider->leading) {
        note_workers(decider, &task, 1);
    } else {
        enum lh_status status = task->kind == PULSE_TASK_UPKEEP ? pulse_batch_upkeep(&decider->bench, task, &error)
                                                                : pulse_batch_write(&decider->bench, task, &error);
        if (status != LH_OK) {
            lose_store(decider, status, &error);
        }
    }
}

static void decide(struct pulse_decider *decider, struct gathered *gathered)
{
    struct lh_error error = LH_ERROR_INIT;
    if (!decider->leading) {
        note_workers(decider, gathered->tasks, gathered->count);
        return;
    }
    bool due = lh_clock_monotonic_ns() >= pulse_farm_wake_ns(decider->bench.farm);
    if (gathered->count == 0 && !due) {
        return;
    }
    enum lh_status status = pulse_batch_decide(&decider->bench, gathered->tasks, gathered->count, &error);
    if (status != LH_OK) {
        lose_store(decider, status, &error);
    }
}

static int sleep_ms(const struct pulse_decider *decider)
{
    uint64_t now_ns = lh_clock_monotonic_ns();
    uint64_t until_ns = decider->leading ? pulse_farm_wake_ns(decider->bench.farm) : decider->next_try_ns;
    uint64_t ms = until_ns > now_ns ? (until_ns - now_ns + MS_NS - 1) / MS_NS : 0;
    return ms < TURN_MAX_MS ? (int)ms : TURN_MAX_MS;
}

static void *run(void *context)
{
    struct pulse_decider *decider = context;
    struct gathered gathered = {.last_large = &gathered.large};
    bool first = true;
    for (;;) {
        bool idle = !first && gathered.held == NULL && gathered.large == NULL;
        if (idle && pulse_mailbox_count(&decider->inbox) == 0) {
            if (pulse_mailbox_closed(&decider->inbox)) {
                return NULL;
            }
            pulse_mailbox_wait(&decider->inbox, -1, sleep_ms(decider));
        }
        first = false; /* what loading healed is told by the first step */
        if (!decider->leading && lh_clock_monotonic_ns() >= decider->next_try_ns &&
            !pulse_mailbox_closed(&decider->inbox)) {
            regain_store(decider);
        }
        gather_events(decider, &gathered);
        decide(decider, &gathered);
        if (gathered.held != NULL && gathered.held->kind != PULSE_TASK_EVENT) {
            struct pulse_task *task = gathered.held;
            gathered.held = NULL;
            serve(decider, task);
        }
        if (gather_large(&gathered)) { /* one a turn: then those who came meanwhile */
            decide(decider, &gathered);
        }
        publish_figures(decider);
    }
}

/* ---- life ---- */

static enum lh_status begin(struct pulse_decider *decider, struct lh_error *error)
{
    const struct pulse_decider_options *options = &decider->options;
    enum lh_status status = pulse_mailbox_init(&decider->inbox, INBOX_MAX, error);
    if (status != LH_OK) {
        return status;
    }
    status = pulse_store_open(options->store, PULSE_STORE_WRITE, &decider->bench.store, error);
    if (status == LH_OK && pulse_farm_new(&options->farm, &decider->bench.farm) != LH_OK) {
        status = lh_error_no_memory(error);
    }
    status = status == LH_OK ? take_lead(decider, error) : status;
    if (status == LH_OK) {
        decider->leading = true;
        publish_figures(decider);
        int code = pthread_create(&decider->thread, NULL, run, decider);
        status = code == 0 ? LH_OK : lh_error_set(error, LH_ERR_IO, NULL, "no thread: %s", strerror(code));
    }
    if (status != LH_OK) {
        pulse_farm_free(decider->bench.farm);
        pulse_store_close(decider->bench.store);
        pulse_mailbox_fini(&decider->inbox);
    }
    return status;
}

enum lh_status pulse_decider_new(const struct pulse_decider_options *options, struct pulse_decider **decider,
                                 struct lh_error *error)
{
    struct pulse_decider *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->options = *options;
    made->bench.blobs = options->blobs;
    made->bench.workers = options->workers;
    made->bench.planner = options->planner;
    made->bench.clients = options->clients;
    pthread_mutex_init(&made->lock, NULL);
    enum lh_status status = begin(made, error);
    if (status != LH_OK) {
        pthread_mutex_destroy(&made->lock);
        free(made);
        return status;
    }
    *decider = made;
    return LH_OK;
}

void pulse_decider_free(struct pulse_decider *decider)
{
    if (decider == NULL) {
        return;
    }
    pulse_mailbox_close(&decider->inbox);
    pthread_join(decider->thread, NULL);
    pulse_mailbox_fini(&decider->inbox);
    pulse_farm_free(decider->bench.farm);
    pulse_store_close(decider->bench.store);
    pthread_mutex_destroy(&decider->lock);
    free(decider);
}

void pulse_decider_ask(struct pulse_decider *decider, struct pulse_task *task, bool patient)
{
    if (!pulse_mailbox_put(&decider->inbox, &task->mail, patient)) {
        static const struct lh_error busy = {
            .code = LH_ERR_UNAVAILABLE, .message = "too much is asked at once: ask again later", .where = ""};
        pulse_task_finish(task, LH_ERR_UNAVAILABLE, &busy);
    }
}

uint64_t pulse_decider_epoch(const struct pulse_decider *decider)
{
    return decider->epoch; /* does not change */
}

uint64_t pulse_decider_last_event(struct pulse_decider *decider)
{
    struct pulse_decider_figures figures;
    pulse_decider_figures(decider, &figures);
    return figures.last_event;
}

void pulse_decider_figures(struct pulse_decider *decider, struct pulse_decider_figures *figures)
{
    pthread_mutex_lock(&decider->lock);
    *figures = decider->figures;
    pthread_mutex_unlock(&decider->lock);
}
