/* SPDX-License-Identifier: MIT */
/* Making and ending the parts. */
#include "pulse-daemon/service/service.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "proto/envelope.h"
#include "pulse-daemon/media/collect.h"
#include "pulse-daemon/service/bulk.h"
#include "pulse-daemon/service/checkup.h"
#include "pulse-daemon/service/clients.h"
#include "pulse-daemon/service/decider.h"
#include "pulse-daemon/service/folder.h"
#include "pulse-daemon/service/intake.h"
#include "pulse-daemon/service/keeper.h"
#include "pulse-daemon/service/listen.h"
#include "pulse-daemon/service/peers.h"
#include "pulse-daemon/service/planning.h"
#include "pulse-daemon/service/roster.h"
#include "pulse-daemon/service/workers.h"
#include "pulse-daemon/store/access.h"

#define LOCAL_TENANT "local"
#define BOXES 3
#define HOLDER_SIZE 320
#define MS_NS UINT64_C(1000000)

struct pulse_service {
    struct pulse_service_options options;
    struct lh_arena arena;
    struct pulse_folder folder;
    struct lh_blobs *blobs;
    struct pulse_roster *roster;
    struct pulse_peers *peers;
    struct pulse_mailbox boxes[BOXES]; /* of workers, planner and clients */
    size_t box_count;
    struct pulse_decider *decider;
    struct pulse_intake *results, *uploads;
    struct pulse_workers *workers;
    struct pulse_planning *planning;
    struct pulse_clients *clients;
    struct pulse_bulk *bulk;
    struct pulse_keeper *keeper;
    struct wire_keys keys;
    struct pulse_place worker_place, client_place, bulk_place;
    char bulk_bound[WIRE_ENDPOINT_SIZE]; /* on the network; "": nowhere */
    char told_workers[WIRE_ENDPOINT_SIZE], told_clients[WIRE_ENDPOINT_SIZE];
    pthread_mutex_t lock; /* of the verdict */
    enum lh_status verdict;
    struct lh_error why;
};

/* ---- before the decider ---- */

/* The endpoints on the network. */
static enum lh_status choose_remote(struct pulse_service *service, struct lh_error *error)
{
    struct pulse_service_options *options = &service->options;
    enum lh_status status = options->listen == NULL
                                ? LH_OK
                                : pulse_listen_spread(&service->arena, options->listen, &options->workers,
                                                      &options->clients, &options->bulk, error);
    bool any = options->workers != NULL || options->clients != NULL || options->bulk != NULL;
    if (status == LH_OK && any && options->bulk == NULL) {
        status = lh_error_set(error, LH_ERR_USAGE, "--listen-bulk",
                              "who connects from elsewhere needs an endpoint for files, too");
    }
    if (status == LH_OK && any) {
        char path[4096];
        snprintf(path, sizeof path, "%s/pulse.curve", service->folder.keys);
        status = wire_keys_ensure(path, &service->keys, error);
    }
    return status;
}

static enum lh_status choose_places(struct pulse_service *service, struct lh_error *error)
{
    const struct pulse_service_options *options = &service->options;
    enum lh_status status = choose_remote(service, error);
    const struct {
        struct pulse_place *place;
        const char *name, *remote;
    } all[] = {
        {&service->worker_place, "workers", options->workers},
        {&service->client_place, "clients", options->clients},
        {&service->bulk_place, "bulk", options->bulk},
    };
    for (size_t i = 0; status == LH_OK && i < sizeof all / sizeof *all; i++) {
        *all[i].place = (struct pulse_place){
            .local = pulse_folder_endpoint(&service->arena, &service->folder, all[i].name),
            .remote = all[i].remote,
            .keys = &service->keys,
        };
        status = all[i].place->local != NULL ? LH_OK : lh_error_no_memory(error);
    }
    return status;
}

static enum lh_status open_folders(struct pulse_service *service, struct lh_error *error)
{
    const struct pulse_service_options *options = &service->options;
    struct lh_blobs_options blobs = {.quota_bytes = options->quota_bytes,
                                     .floor_bytes = options->floor_bytes,
                                     .handed_over_max_ms = PULSE_SWEEP_UNUSED_MS};
    enum lh_status status = pulse_folder_open(&service->arena, options->data, options->store, &service->folder, error);
    status = status == LH_OK ? choose_places(service, error) : status;
    status = status == LH_OK ? lh_blobs_open(service->folder.media, &blobs, &service->blobs, error) : status;
    if (status == LH_OK && (pulse_roster_new(&service->roster) != LH_OK || pulse_peers_new(&service->peers) != LH_OK)) {
        status = lh_error_no_memory(error);
    }
    while (status == LH_OK && service->box_count < BOXES) {
        status = pulse_mailbox_init(&service->boxes[service->box_count], SIZE_MAX, error);
        service->box_count += status == LH_OK ? 1 : 0;
    }
    return status;
}

/* ---- the decider, and what it needs at its start ---- */

static void on_end(void *context, enum lh_status status, const struct lh_error *error)
{
    struct pulse_service *service = context;
    pthread_mutex_lock(&service->lock);
    service->verdict = status;
    service->why = *error;
    pthread_mutex_unlock(&service->lock);
    service->options.on_end(service->options.context);
}

static enum lh_status start_decider(struct pulse_service *service, struct lh_error *error)
{
    char host[256] = "", holder[HOLDER_SIZE];
    (void)gethostname(host, sizeof host - 1);
    snprintf(holder, sizeof holder, "%s, process %ld", host, (long)getpid());
    struct pulse_decider_options options = {
        .store = service->folder.store_url,
        .holder = holder,
        .blobs = service->blobs,
        .farm = {.lease_ns = service->options.lease_ms * MS_NS,
                 .stall_ns = service->options.no_progress_ms * MS_NS,
                 .hard_ns = service->options.hard_ms * MS_NS},
        .workers = &service->boxes[0],
        .planner = &service->boxes[1],
        .clients = &service->boxes[2],
        .on_end = on_end,
        .context = service,
    };
    return pulse_decider_new(&options, &service->decider, error);
}

/* A task whose end is waited for. */
static enum lh_status do_now(struct pulse_service *service, struct pulse_task *task, struct lh_error *error)
{
    struct pulse_mailbox box;
    enum lh_status status = pulse_mailbox_init(&box, 1, error);
    if (status != LH_OK) {
        pulse_task_free(task);
        return status;
    }
    struct pulse_mail *home = NULL;
    task->home = &box;
    pulse_decider_ask(service->decider, task, true);
    while ((home = pulse_mailbox_take(&box)) == NULL) {
        pulse_mailbox_wait(&box, -1, -1);
    }
    status = task->status;
    if (status != LH_OK) {
        *error = task->error;
    }
    pulse_task_free(task);
    pulse_mailbox_fini(&box);
    return status;
}

/* Whoever may read the data folder may do everything with this farm. */
static enum lh_status write_local(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    const struct pulse_service *service = task->owner;
    const struct pulse_tenant_row fresh = {.name = LOCAL_TENANT, .tags = ""};
    struct pulse_tenant_row found = {.id = 0};
    struct pulse_token_row row = {.role = PULSE_ROLE_ADMIN, .name = "data folder"};
    if (pulse_token_digest(service->folder.token, &row.digest) != LH_OK) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = pulse_store_tenant(writing->store, 0, LOCAL_TENANT, &task->arena, &found, error);
    row.tenant = found.id;
    if (status == LH_ERR_MISSING) { /* whatever it was changed to since it was made stays */
        status = pulse_store_tenant_put(writing->store, &fresh, &row.tenant, error);
    }
    return status == LH_OK ? pulse_store_token_put(writing->store, &row, error) : status;
}

static enum lh_status make_local(struct pulse_service *service, struct lh_error *error)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_WRITE);
    if (task == NULL) {
        return lh_error_no_memory(error);
    }
    task->write = write_local;
    task->owner = service;
    return do_now(service, task, error);
}

/* ---- the others ---- */

static bool admits(void *context, const char *key, const char *name, const char *const *tags, size_t count,
                   char why[LH_ERROR_MESSAGE_SIZE])
{
    return pulse_peers_admit_worker(context, key, name, tags, count, why);
}

static enum lh_status start_intakes(struct pulse_service *service, struct lh_error *error)
{
    struct pulse_intake_options options = {.blobs = service->blobs, .decider = service->decider};
    enum lh_status status = pulse_intake_new(&options, &service->results, error);
    return status == LH_OK ? pulse_intake_new(&options, &service->uploads, error) : status;
}

static enum lh_status start_workers(struct pulse_service *service, struct lh_error *error)
{
    struct pulse_workers_options options = {
        .place = service->worker_place,
        .bulk_local = service->bulk_place.local,
        .bulk_remote = service->told_workers,
        .media_folder = service->folder.media,
        .store = service->folder.store_url,
        .blobs = service->blobs,
        .decider = service->decider,
        .roster = service->roster,
        .intake = service->results,
        .box = &service->boxes[0],
        .lessons = &service->boxes[1],
        .lease_ms = service->options.lease_ms,
        .beat_ms = service->options.beat_ms,
        .memory_bytes = service->options.memory_bytes,
        .admits = admits,
        .context = service->peers,
    };
    return pulse_workers_new(&options, &service->workers, error);
}

static enum lh_status start_planning(struct pulse_service *service, struct lh_error *error)
{
    struct pulse_planning_options options = {
        .store = service->folder.store_url,
        .blobs = service->blobs,
        .decider = service->decider,
        .roster = service->roster,
        .box = &service->boxes[1],
        .settle_ms = service->options.beat_ms,
    };
    return pulse_planning_new(&options, &service->planning, error);
}

static enum lh_status start_clients(struct pulse_service *service, struct lh_error *error)
{
    struct pulse_clients_options options = {
        .place = service->client_place,
        .bulk_local = service->bulk_place.local,
        .bulk_remote = service->told_clients,
        .media_folder = service->folder.media,
        .store = service->folder.store_url,
        .software = service->options.software,
        .blobs = service->blobs,
        .decider = service->decider,
        .roster = service->roster,
        .workers = service->workers,
        .peers = service->peers,
        .intake = service->uploads,
        .keeper = service->keeper,
        .box = &service->boxes[2],
        .bulk = service->bulk,
    };
    return pulse_clients_new(&options, &service->clients, error);
}

/* Whoever was enrolled before. Until here the network is told of nobody, and tries again. */
static enum lh_status let_in(struct pulse_service *service, struct lh_error *error)
{
    struct pulse_store *store = NULL;
    enum lh_status status = pulse_store_open(service->folder.store_url, PULSE_STORE_READ, &store, error);
    status = status == LH_OK ? pulse_clients_let_in(service->clients, store, error) : status;
    pulse_store_close(store);
    return status;
}

/* What it asks goes by way of the clients' mailbox, which is there before they are. */
static enum lh_status start_bulk(struct pulse_service *service, struct lh_error *error)
{
    struct pulse_bulk_options options = {
        .blobs = service->blobs, .user = &service->boxes[2], .ask = pulse_clients_bulk_ask};
    enum lh_status status = pulse_bulk_new(&options, &service->bulk, error);
    status = status == LH_OK ? pulse_listen_open(pulse_bulk_link(service->bulk), &service->bulk_place,
                                                 WIRE_CHUNK_SIZE + 4096, service->bulk_bound, error)
                             : status;
    if (status == LH_OK) {
        pulse_listen_told(&service->bulk_place, service->bulk_bound, &service->worker_place, service->told_workers);
        pulse_listen_told(&service->bulk_place, service->bulk_bound, &service->client_place, service->told_clients);
    }
    return status;
}

static enum lh_status start_keeper(struct pulse_service *service, struct lh_error *error)
{
    struct pulse_keeper_options options = {.blobs = service->blobs, .decider = service->decider};
    return pulse_keeper_new(&options, &service->keeper, error);
}

enum lh_status pulse_service_new(const struct pulse_service_options *options, struct pulse_service **service,
                                 struct lh_error *error)
{
    struct pulse_service *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->options = *options;
    made->folder.lock = -1;
    lh_arena_init(&made->arena);
    pthread_mutex_init(&made->lock, NULL);
    enum lh_status status = open_folders(made, error);
    status = status == LH_OK ? start_decider(made, error) : status;
    status = status == LH_OK ? make_local(made, error) : status;
    status = status == LH_OK ? start_intakes(made, error) : status;
    status = status == LH_OK ? start_bulk(made, error) : status;
    status = status == LH_OK ? start_planning(made, error) : status;
    status = status == LH_OK ? start_workers(made, error) : status;
    status = status == LH_OK ? start_keeper(made, error) : status;
    status = status == LH_OK ? start_clients(made, error) : status;
    status = status == LH_OK ? let_in(made, error) : status;
    if (status != LH_OK) {
        pulse_service_free(made);
        return status;
    }
    LH_LOG(LH_LOG_INFO, "serving", LH_LOG_TEXT("data", made->folder.path),
           LH_LOG_TEXT("workers", pulse_workers_endpoint(made->workers)),
           LH_LOG_TEXT("clients", pulse_clients_endpoint(made->clients)), LH_LOG_TEXT("bulk", made->bulk_bound),
           LH_LOG_NUMBER("epoch", pulse_decider_epoch(made->decider)));
    *service = made;
    return LH_OK;
}

static void empty(struct pulse_mailbox *box)
{
    struct pulse_mail *mail;
    while ((mail = pulse_mailbox_take(box)) != NULL) {
        if (mail->kind == PULSE_MAIL_ORDERS) {
            pulse_orders_free((struct pulse_orders *)mail);
        } else if (mail->kind == PULSE_MAIL_TASK) {
            pulse_task_free((struct pulse_task *)mail);
        } else {
            free(mail);
        }
    }
}

void pulse_service_free(struct pulse_service *service)
{
    if (service == NULL) {
        return;
    }
    pulse_clients_free(service->clients); /* asks all of the others */
    pulse_bulk_free(service->bulk);
    pulse_intake_free(service->uploads);
    pulse_keeper_free(service->keeper);
    pulse_planning_free(service->planning);
    pulse_workers_free(service->workers);
    pulse_intake_free(service->results);
    pulse_decider_free(service->decider);
    for (size_t i = 0; i < service->box_count; i++) {
        empty(&service->boxes[i]);
        pulse_mailbox_fini(&service->boxes[i]);
    }
    pulse_peers_free(service->peers);
    pulse_roster_free(service->roster);
    lh_blobs_close(service->blobs);
    pulse_folder_close(&service->folder);
    pthread_mutex_destroy(&service->lock);
    lh_arena_fini(&service->arena);
    free(service);
}

enum lh_status pulse_service_verdict(struct pulse_service *service, struct lh_error *error)
{
    pthread_mutex_lock(&service->lock);
    enum lh_status verdict = service->verdict;
    *error = service->why;
    pthread_mutex_unlock(&service->lock);
    return verdict;
}

/* ---- without serving ---- */

static void print_finding(void *context, const char *where, const char *what)
{
    (void)context;
    printf("%s: %s\n", where, what);
}

static enum lh_status check_all(struct pulse_store *store, struct lh_blobs *blobs, size_t *found,
                                struct lh_error *error)
{
    size_t rows = 0, core = 0, files = 0;
    enum lh_status status = pulse_checkup_store(store, print_finding, NULL, &rows, error);
    status = status == LH_OK ? pulse_checkup_core(store, print_finding, NULL, &core, error) : status;
    status = status == LH_OK ? pulse_checkup_blobs(store, blobs, print_finding, NULL, &files, error) : status;
    *found = rows + core + files;
    return status;
}

enum lh_status pulse_service_check(const struct pulse_service_options *options, size_t *found, struct lh_error *error)
{
    struct lh_arena arena;
    struct pulse_folder folder = {.lock = -1};
    struct lh_blobs_options blobs_options = {.handed_over_max_ms = PULSE_SWEEP_UNUSED_MS};
    struct lh_blobs *blobs = NULL;
    struct pulse_store *store = NULL;
    lh_arena_init(&arena);
    enum lh_status status = access(options->data, F_OK) == 0
                                ? pulse_folder_open(&arena, options->data, options->store, &folder, error)
                                : lh_error_set(error, LH_ERR_MISSING, options->data, "there is no such data folder");
    status = status == LH_OK ? lh_blobs_open(folder.media, &blobs_options, &blobs, error) : status;
    status = status == LH_OK ? pulse_store_open(folder.store_url, PULSE_STORE_READ, &store, error) : status;
    status = status == LH_OK ? check_all(store, blobs, found, error) : status;
    pulse_store_close(store);
    lh_blobs_close(blobs);
    pulse_folder_close(&folder);
    lh_arena_fini(&arena);
    return status;
}
