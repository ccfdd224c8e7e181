/* SPDX-License-Identifier: MIT */
/* The agent's thread: what comes from the link, from slots, from the scout and from signals, one after the other. */
#include "engine/node/node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "engine/node/node_parts.h"

#define NS_PER_MS UINT64_C(1000000)
#define AWAY_NS (5 * LH_CLOCK_SECOND_NS)     /* Pulse that does not answer for so long at first is told of */
#define TURN_MS 1000                         /* the longest sleep: room on the disk is looked for between two */
#define LINGER_MS 2000                       /* for the last messages */
#define KEPT_MAX 64                          /* results that wait for Pulse; with more no work is taken */
#define PARTING_NS (15 * LH_CLOCK_SECOND_NS) /* for Pulse to acknowledge the last results */

/* ---- attempts */

struct engine_attempt *engine_node_find(struct engine_node *node, uint64_t shard, uint32_t number)
{
    for (struct engine_attempt *at = node->attempts; at != NULL; at = at->next) {
        if (at->shard == shard && at->number == number) {
            return at;
        }
    }
    return NULL;
}

void engine_node_drop(struct engine_node *node, struct engine_attempt *attempt, bool adopted)
{
    for (struct engine_attempt **at = &node->attempts; *at != NULL; at = &(*at)->next) {
        if (*at == attempt) {
            *at = attempt->next;
            break;
        }
    }
    engine_attempt_free(attempt, adopted);
}

void engine_node_stop(struct engine_attempt *attempt, enum engine_stop stop)
{
    int not_yet = ENGINE_STOP_NOT;
    atomic_compare_exchange_strong(&attempt->stop, &not_yet, stop);
}

void engine_node_start(struct engine_node *node, struct engine_attempt *attempt)
{
    struct engine_slot *slot = node->free[--node->free_count];
    engine_slot_give(slot, attempt, engine_stock_ref(node->stock));
}

uint64_t engine_node_grant(const struct engine_node *node)
{
    size_t kept = 0;
    for (const struct engine_attempt *at = node->attempts; at != NULL; at = at->next) {
        kept += at->finished ? 1 : 0;
    }
    bool takes =
        node->state == ENGINE_NODE_AT_WORK && node->end == ENGINE_NODE_STAYS && node->has_room && kept <= KEPT_MAX;
    return takes ? node->taken + node->free_count : node->granted;
}

void engine_node_end(struct engine_node *node, enum engine_node_end end, const char *why)
{
    if (end <= node->end) {
        return;
    }
    node->end = end;
    LH_LOG(LH_LOG_INFO, end == ENGINE_NODE_DRAINS ? "no more work is taken" : "work is handed back",
           LH_LOG_TEXT("why", why));
    for (struct engine_attempt *at = node->attempts; at != NULL && end == ENGINE_NODE_HANDS_BACK; at = at->next) {
        if (!at->finished) {
            engine_node_stop(at, ENGINE_STOP_HANDED_BACK);
        }
    }
    engine_session_drain(node);
}

/* ---- what other threads bring */

static void wake(struct engine_inbox *inbox)
{
    uint64_t one = 1;
    while (write(inbox->wake, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static void on_done(void *context, struct engine_slot *slot, struct engine_attempt *attempt, bool changed)
{
    struct engine_inbox *inbox = &((struct engine_node *)context)->inbox;
    pthread_mutex_lock(&inbox->lock);
    attempt->done_next = inbox->done;
    inbox->done = attempt;
    inbox->free[inbox->free_count++] = slot;
    inbox->changed = inbox->changed || changed;
    pthread_mutex_unlock(&inbox->lock);
    wake(inbox);
}

static void on_stock(void *context, struct engine_stock *stock)
{
    struct engine_inbox *inbox = &((struct engine_node *)context)->inbox;
    pthread_mutex_lock(&inbox->lock);
    struct engine_stock *before = inbox->stock;
    inbox->stock = stock;
    pthread_mutex_unlock(&inbox->lock);
    engine_stock_unref(before);
    wake(inbox);
}

/* A new engine is a new worker in Pulse's eyes, so it is greeted again; new plugins are told of. */
static void take_stock(struct engine_node *node, struct engine_stock *stock)
{
    bool same_engine = node->stock != NULL && strcmp(node->stock->engine, stock->engine) == 0 &&
                       strcmp(node->stock->cpu_class, stock->cpu_class) == 0;
    engine_stock_unref(node->stock);
    node->stock = stock;
    if (node->state == ENGINE_NODE_AT_WORK && same_engine) {
        engine_say_inventory(node);
    } else {
        engine_session_greet(node);
    }
}

static void empty_inbox(struct engine_node *node)
{
    struct engine_inbox *inbox = &node->inbox;
    uint64_t count;
    (void)!read(inbox->wake, &count, sizeof count);
    pthread_mutex_lock(&inbox->lock);
    struct engine_attempt *done = inbox->done;
    struct engine_stock *stock = inbox->stock;
    bool changed = inbox->changed;
    for (size_t i = 0; i < inbox->free_count; i++) {
        node->free[node->free_count++] = inbox->free[i];
    }
    inbox->free_count = 0;
    inbox->done = NULL;
    inbox->stock = NULL;
    inbox->changed = false;
    pthread_mutex_unlock(&inbox->lock);
    if (changed) {
        engine_scout_wake(node->scout);
    }
    if (stock != NULL) {
        take_stock(node, stock);
    }
    for (struct engine_attempt *next; done != NULL; done = next) {
        next = done->done_next;
        engine_session_finished(node, done);
    }
}

/* ---- life */

/* Tells apart what one machine said before and after it was started anew. */
static void find_host(struct engine_node *node)
{
    static const char *const files[] = {"/etc/machine-id", "/proc/sys/kernel/random/boot_id"};
    size_t used = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char text[65] = "";
        int fd = open(files[i], O_RDONLY | O_CLOEXEC);
        size_t got = 0;
        if (fd >= 0) {
            (void)lh_file_read_some_at(fd, text, sizeof text - 1, 0, &got);
            close(fd);
        }
        text[strcspn(text, " \r\n\t")] = '\0';
        used += (size_t)snprintf(node->host + used, sizeof node->host - used, "%s%s", i > 0 ? "/" : "", text);
    }
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* if it stays as it was, opening says so */
    }
}

static enum lh_status find_keys(struct engine_node *node, struct lh_error *error)
{
    const struct engine_node_settings *settings = node->settings;
    if (settings->keys == NULL) {
        return LH_OK;
    }
    enum lh_status status = wire_keys_ensure(settings->keys, &node->keys, error);
    if (status == LH_OK && settings->server_key != NULL) {
        snprintf(node->server_key, sizeof node->server_key, "%s", settings->server_key);
        size_t got = 0;
        int fd = wire_key_valid(settings->server_key) ? -1 : open(settings->server_key, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            (void)lh_file_read_some_at(fd, node->server_key, sizeof node->server_key - 1, 0, &got);
            node->server_key[got] = '\0';
            close(fd);
        }
        if (!wire_key_valid(node->server_key)) {
            status = lh_error_set(error, LH_ERR_USAGE, "--server-key", "this is no key, nor a file that holds one");
        }
    }
    return status;
}

static enum lh_status open_link(struct engine_node *node, struct lh_error *error)
{
    enum lh_status status = wire_link_new(NULL, &node->link, error);
    if (status != LH_OK) {
        return status;
    }
    struct wire_socket_options options = {
        .kind = WIRE_DEALER,
        .endpoint = node->settings->endpoint,
        .keys = node->settings->keys != NULL ? &node->keys : NULL,
        .server_key = node->settings->keys != NULL ? node->server_key : NULL,
        .message_max = WIRE_MESSAGE_MAX,
    };
    return wire_link_open(node->link, &options, &node->socket, error);
}

static enum lh_status open_slots(struct engine_node *node, struct lh_error *error)
{
    size_t count = node->settings->slots;
    node->slots = calloc(count, sizeof(struct engine_slot *));
    node->free = calloc(count, sizeof(struct engine_slot *));
    node->inbox.free = calloc(count, sizeof(struct engine_slot *));
    if (node->slots == NULL || node->free == NULL || node->inbox.free == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        enum lh_status status = engine_slot_new(node->settings, node->depot, on_done, node, &node->slots[i], error);
        if (status != LH_OK) {
            return status;
        }
        node->free[node->free_count++] = node->slots[i];
        node->slot_count++;
    }
    return LH_OK;
}

static enum lh_status open_node(struct engine_node *node, struct lh_error *error)
{
    if (node->inbox.wake < 0 || getrandom(node->session, sizeof node->session, 0) != (ssize_t)sizeof node->session) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the system gives no descriptor or no random numbers");
    }
    raise_descriptor_limit();
    find_host(node);
    bool curve = node->settings->keys != NULL;
    enum lh_status status = find_keys(node, error);
    status = status == LH_OK ? engine_depot_new(node->settings, curve ? &node->keys : NULL,
                                                curve ? node->server_key : NULL, &node->depot, error)
                             : status;
    status = status == LH_OK ? engine_scout_new(node->settings, on_stock, node, &node->scout, error) : status;
    status = status == LH_OK ? open_slots(node, error) : status;
    return status == LH_OK ? open_link(node, error) : status;
}

static void close_node(struct engine_node *node)
{
    engine_scout_free(node->scout);
    for (size_t i = 0; i < node->slot_count; i++) {
        engine_slot_free(node->slots[i]);
    }
    wire_link_free(node->link, LINGER_MS);
    while (node->attempts != NULL) {
        engine_node_drop(node, node->attempts, false);
    }
    engine_depot_free(node->depot);
    engine_stock_unref(node->stock);
    engine_stock_unref(node->inbox.stock);
    free(node->slots);
    free(node->free);
    free(node->inbox.free);
    if (node->inbox.wake >= 0) {
        close(node->inbox.wake);
    }
    pthread_mutex_destroy(&node->inbox.lock);
}

/* ---- the loop */

/* Whether the node may go: it ends, nothing is at work, and every result was acknowledged, or Pulse does not come. */
static bool is_over(struct engine_node *node, uint64_t now_ns)
{
    if (node->end == ENGINE_NODE_STAYS || node->free_count < node->slot_count) {
        node->idle_since_ns = 0;
        return false;
    }
    node->idle_since_ns = node->idle_since_ns == 0 ? now_ns : node->idle_since_ns;
    size_t results = 0;
    for (const struct engine_attempt *at = node->attempts; at != NULL; at = at->next) {
        results += at->outcome.complete || at->said == 0 ? 1 : 0;
    }
    if (results > 0 && now_ns - node->idle_since_ns <= PARTING_NS) {
        return false;
    }
    node->lost_results = results > 0;
    return true;
}

static void look_for_room(struct engine_node *node)
{
    bool room = engine_depot_has_room(node->depot);
    if (room != node->has_room) {
        lh_log_write(room ? LH_LOG_INFO : LH_LOG_WARNING,
                     room ? "there is room on the disk again" : "the disk is nearly full: no work is taken", NULL, 0);
        node->has_room = room;
        engine_say_credit(node);
    }
}

static int sleep_ms(const struct engine_node *node, uint64_t now_ns)
{
    uint64_t wake_ns = engine_session_wake_ns(node);
    uint64_t most_ns = wake_ns > now_ns ? wake_ns - now_ns : 0;
    return most_ns < TURN_MS * NS_PER_MS ? (int)((most_ns + NS_PER_MS - 1) / NS_PER_MS) : TURN_MS;
}

static void take_signals(struct engine_node *node, int signals)
{
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
        engine_node_end(node, node->end == ENGINE_NODE_STAYS ? ENGINE_NODE_DRAINS : ENGINE_NODE_HANDS_BACK,
                        strsignal((int)info.ssi_signo));
    }
}

static void run(struct engine_node *node, int signals)
{
    struct pollfd fds[] = {
        {.fd = wire_link_fd(node->link), .events = POLLIN},
        {.fd = node->inbox.wake, .events = POLLIN},
        {.fd = signals, .events = POLLIN},
    };
    uint64_t now = lh_clock_monotonic_ns();
    uint64_t room_ns = 0;
    node->tell_away_ns = now + AWAY_NS;
    while (!is_over(node, now)) {
        (void)poll(fds, sizeof fds / sizeof *fds, sleep_ms(node, now));
        take_signals(node, signals);
        empty_inbox(node);
        for (struct wire_event *event; (event = wire_link_next(node->link)) != NULL;) {
            engine_session_event(node, event);
        }
        now = lh_clock_monotonic_ns();
        if (now >= room_ns) {
            look_for_room(node);
            room_ns = now + TURN_MS * NS_PER_MS;
        }
        engine_session_tick(node, now);
    }
    engine_session_bye(node);
}

static int open_signals(sigset_t *before)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, before);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum lh_status engine_node_run(const struct engine_node_settings *settings, struct lh_error *error)
{
    sigset_t before;
    int signals = open_signals(&before);
    struct engine_node node = {.settings = settings, .has_room = true};
    pthread_mutex_init(&node.inbox.lock, NULL);
    node.inbox.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum lh_status status = signals >= 0
                                ? open_node(&node, error)
                                : lh_error_set(error, LH_ERR_IO, NULL, "signals cannot be taken: %s", strerror(errno));
    if (status == LH_OK) {
        LH_LOG(LH_LOG_INFO, "node begins", LH_LOG_TEXT("name", settings->name), LH_LOG_NUMBER("slots", settings->slots),
               LH_LOG_NUMBER("threads", settings->threads), LH_LOG_TEXT("endpoint", settings->endpoint));
        run(&node, signals);
        if (node.lost_results) {
            status = lh_error_set(error, LH_ERR_UNAVAILABLE, NULL, "Pulse did not acknowledge all results");
        }
    }
    close_node(&node);
    if (signals >= 0) {
        close(signals);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}
