/* SPDX-License-Identifier: MIT */
/* loophole up: a whole farm on this machine. Starts Pulse and its worker nodes, looks after them, ends them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/farm.h"
#include "cli/home.h"
#include "cli/interrupt.h"
#include "cli/supervise.h"
#include "cli/talk.h"
#include "common/base/clock.h"
#include "common/base/program.h"

#define WORKERS_MAX (CLI_CHILDREN_MAX - 1)
#define READY_NS (60 * LH_CLOCK_SECOND_NS) /* a large store takes a while to be read */
#define DRAIN_NS (10 * LH_CLOCK_SECOND_NS) /* for shards under way; what is cut off is done again by the next farm */
#define END_NS (5 * LH_CLOCK_SECOND_NS)    /* for Pulse, which has nothing to wait for */
#define TURN_MS 250
#define ASK_MS 2000
#define ARGUMENTS_MAX 32
#define MIB_MAX (1 << 30)
#define LIMIT_MAX_S 604800 /* a week */

static const struct lh_option rows[] = {
    CLI_ROW_DATA,
    {.name = "workers",
     .type = LH_OPTION_INTEGER,
     .placeholder = "N",
     .minimum = 0,
     .maximum = WORKERS_MAX,
     .standard = "1",
     .help = "Worker nodes on this machine, which share its processors"},
    {.name = "store",
     .type = LH_OPTION_TEXT,
     .placeholder = "URL",
     .variable = "LOOPHOLE_STORE",
     .help = "Where jobs are kept: postgresql://... Standard: a file in the data folder"},
    {.name = "listen",
     .type = LH_OPTION_TEXT,
     .placeholder = "ENDPOINT",
     .variable = "LOOPHOLE_LISTEN",
     .help = "Let other machines take part, those that 'loophole enroll' let in: tcp://ADDRESS:PORT for their worker "
             "nodes, the next port for clients, the one after it for files. 0.0.0.0 is any address"},
    {.name = "quota",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MIB",
     .minimum = 0,
     .maximum = MIB_MAX,
     .help = "Most that the media folder may hold, in MiB. Standard: whatever fits"},
    {.name = "keep-free",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MIB",
     .minimum = 0,
     .maximum = MIB_MAX,
     .help = "MiB of its file system that stay free. Standard: 256"},
    {.name = "lease-ms",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MS",
     .minimum = 100,
     .maximum = 600000,
     .help = "How long a worker that says nothing keeps its shards. Standard: 15000"},
    {.name = "beat-ms",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MS",
     .minimum = 20,
     .maximum = 200000,
     .help = "How often a worker says that it is there. Standard: 5000"},
    {.name = "no-progress-s",
     .type = LH_OPTION_INTEGER,
     .placeholder = "S",
     .minimum = 1,
     .maximum = LIMIT_MAX_S,
     .help = "An attempt at a shard that does not get on for so long has failed. Standard: 120"},
    {.name = "hard-s",
     .type = LH_OPTION_INTEGER,
     .placeholder = "S",
     .minimum = 1,
     .maximum = LIMIT_MAX_S,
     .help = "An attempt that takes longer than this and 64 times what it should has failed. Standard: 3600"},
    {.name = "memory-max",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MIB",
     .minimum = 0,
     .maximum = MIB_MAX,
     .help =
         "Most address space of an attempt, in MiB. Standard: three quarters of the machine's memory, at least 4096"},
};

static const struct lh_option_table table = {
    .usage = "up [options]",
    .summary =
        "Starts a render farm on this machine and looks after it until Ctrl-C: Pulse, which knows the jobs, and\n"
        "worker nodes. A second Ctrl-C does not wait for what is being rendered.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 0,
    .operands_max = 0,
};

struct up {
    struct lh_arena arena;
    struct cli_home home;
    int lock;
    char pulse[PATH_MAX], node[PATH_MAX];
    struct cli_child children[CLI_CHILDREN_MAX]; /* Pulse first */
    size_t count;
    struct cli_farm *farm;
    char token[CLI_TOKEN_SIZE];
};

/* For the handler of the second signal. */
static struct up *running;

static void kill_all(void)
{
    if (running != NULL) {
        cli_children_signal(running->children, running->count, SIGKILL);
    }
}

/* ---- starting ---- */

static enum lh_status locate(struct up *up, struct lh_error *error)
{
    static const struct lh_program node = {
        .name = "loophole-node", .variable = "LOOPHOLE_NODE", .build_folder = "engine/node"};
    enum lh_status status = cli_locate_pulse(up->pulse, sizeof up->pulse, error);
    return status == LH_OK ? lh_program_locate(&node, up->node, sizeof up->node, error) : status;
}

/* One `up` for a folder: two would start each other's programs again. */
static enum lh_status take_lock(struct up *up, struct lh_error *error)
{
    char *run = cli_home_path(&up->arena, &up->home, "run"),
         *path = cli_home_path(&up->arena, &up->home, "run/up.lock");
    if (run == NULL || path == NULL) {
        return lh_error_no_memory(error);
    }
    if (mkdir(run, 0700) != 0 && errno != EEXIST) {
        return lh_error_set(error, LH_ERR_IO, run, "the folder cannot be made: %s", strerror(errno));
    }
    up->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (up->lock < 0) {
        return lh_error_set(error, LH_ERR_IO, path, "cannot be opened: %s", strerror(errno));
    }
    if (flock(up->lock, LOCK_EX | LOCK_NB) != 0) {
        return lh_error_set(error, LH_ERR_USAGE, "--data", "another 'loophole up' looks after %s", up->home.folder);
    }
    return LH_OK;
}

static void add(struct up *up, const char *name, const char *const *arguments, size_t count, struct lh_error *error,
                enum lh_status *status)
{
    const char **kept = lh_arena_array(&up->arena, count + 1, sizeof *kept);
    if (kept == NULL || name == NULL) {
        *status = lh_error_no_memory(error);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        kept[i] = arguments[i];
    }
    up->children[up->count++] = (struct cli_child){.name = name, .arguments = (char *const *)(uintptr_t)kept};
}

/* Those of the options that were given, as the program that is started has them, too. */
static size_t hand_on(const struct lh_options *options, const char *const *switches, const char **arguments)
{
    size_t count = 0;
    for (; *switches != NULL; switches++) {
        const char *text = lh_options_text(options, *switches + strlen("--"));
        if (text != NULL) {
            arguments[count++] = *switches;
            arguments[count++] = text;
        }
    }
    return count;
}

static enum lh_status compose_pulse(struct up *up, const struct lh_options *options, struct lh_error *error)
{
    static const char *const switches[] = {"--store",   "--listen",        "--quota",  "--keep-free",  "--lease-ms",
                                           "--beat-ms", "--no-progress-s", "--hard-s", "--memory-max", NULL};
    const char *arguments[ARGUMENTS_MAX] = {up->pulse, "--data", up->home.folder};
    size_t count = 3;
    count += hand_on(options, switches, arguments + count);
    enum lh_status status = LH_OK;
    add(up, "pulse", arguments, count, error, &status);
    return status;
}

/* Of Pulse's limits and a node's own the stricter count, so that what is to allow more has to reach both. Pulse's
   --hard-s grows with a shard, a node's does not and is long enough. */
static enum lh_status compose_workers(struct up *up, const struct lh_options *options, struct lh_error *error)
{
    static const char *const switches[] = {"--no-progress-s", "--memory-max", NULL};
    size_t workers = (size_t)lh_options_integer(options, "workers");
    const char *endpoint = cli_home_endpoint(&up->arena, &up->home, "workers");
    enum lh_status status = endpoint != NULL ? LH_OK : lh_error_no_memory(error);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long share = processors / (long)(workers > 0 ? workers : 1);
    for (size_t i = 1; status == LH_OK && i <= workers; i++) {
        char name[32], data[48], slot_text[24];
        snprintf(name, sizeof name, "worker-%zu", i);
        snprintf(data, sizeof data, "workers/%zu", i);
        snprintf(slot_text, sizeof slot_text, "%ld", share > 0 ? share : 1);
        const char *kept = lh_arena_strdup(&up->arena, name), *folder = cli_home_path(&up->arena, &up->home, data);
        const char *slots = lh_arena_strdup(&up->arena, slot_text);
        if (kept == NULL || folder == NULL || slots == NULL) {
            return lh_error_no_memory(error);
        }
        const char *arguments[ARGUMENTS_MAX] = {up->node,  "--connect", endpoint,  "--name", kept,
                                                "--cache", folder,      "--slots", slots};
        size_t count = 9;
        count += hand_on(options, switches, arguments + count);
        add(up, kept, arguments, count, error, &status);
    }
    return status;
}

static enum lh_status prepare(struct up *up, const struct lh_options *options, struct lh_error *error)
{
    enum lh_status status = cli_home_find(&up->arena, options, &up->home, error);
    status = status == LH_OK ? cli_home_make(&up->home, error) : status;
    status = status == LH_OK ? take_lock(up, error) : status;
    status = status == LH_OK ? locate(up, error) : status;
    status = status == LH_OK ? compose_pulse(up, options, error) : status;
    return status == LH_OK ? compose_workers(up, options, error) : status;
}

/* ---- watching ---- */

static void tell(const char *name, const char *text)
{
    fprintf(stderr, "loophole up: %s %s\n", name, text);
}

/* Starts again what has ended. */
static void look_after(struct up *up)
{
    for (size_t i = 0; i < up->count; i++) {
        struct cli_child *child = &up->children[i];
        if (cli_child_ended(child)) {
            char ending[96];
            cli_child_ending(child, ending, sizeof ending);
            tell(child->name, ending);
        }
        struct lh_error error = LH_ERROR_INIT;
        if (child->pid == 0 && lh_clock_monotonic_ns() >= child->start_at_ns &&
            cli_child_start(child, &error) != LH_OK) {
            child->start_at_ns = lh_clock_monotonic_ns() + LH_CLOCK_SECOND_NS;
            cli_talk_error("up", &error);
        }
    }
}

/* Until something may have happened: a child has ended, a signal came, or the turn is over. */
static void wait_a_turn(long milliseconds)
{
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    struct timespec turn = {.tv_nsec = milliseconds * 1000000L};
    (void)sigtimedwait(&children, NULL, &turn);
}

/* ---- until it is ready ---- */

static enum lh_status ping(struct up *up, struct lh_error *error)
{
    struct lh_arena arena;
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__Ping ping = WIRE__PING__INIT;
    const Wire__Envelope *answer;
    lh_arena_init(&arena);
    WIRE_BODY(&question, PING, ping, &ping);
    enum lh_status status =
        cli_farm_ask(up->farm, &arena, &question, WIRE__ENVELOPE__BODY_PONG, TURN_MS, &answer, error);
    lh_arena_fini(&arena);
    return status;
}

static enum lh_status count_workers(struct up *up, size_t *connected, struct lh_error *error)
{
    struct lh_arena arena;
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__WorkerList list = WIRE__WORKER_LIST__INIT;
    const Wire__Envelope *answer;
    lh_arena_init(&arena);
    WIRE_BODY(&question, WORKER_LIST, worker_list, &list);
    enum lh_status status =
        cli_farm_ask(up->farm, &arena, &question, WIRE__ENVELOPE__BODY_WORKERS, ASK_MS, &answer, error);
    for (size_t i = 0; status == LH_OK && i < answer->workers->n_workers; i++) {
        *connected += answer->workers->workers[i]->connected ? 1 : 0;
    }
    lh_arena_fini(&arena);
    return status;
}

/* Pulse answers, and its token is there. */
static bool pulse_answers(struct up *up)
{
    struct lh_error ignored = LH_ERROR_INIT;
    if (cli_home_token(&up->home, up->token, &ignored) != LH_OK) {
        return false;
    }
    struct cli_farm_place place = {
        .endpoint = cli_home_endpoint(&up->arena, &up->home, "clients"),
        .token = up->token,
    };
    if (place.endpoint == NULL || (up->farm == NULL && cli_farm_open(&place, &up->farm, &ignored) != LH_OK)) {
        return false;
    }
    return ping(up, &ignored) == LH_OK;
}

/* A Pulse that ends before it was ready would end again: the reason is on standard error. */
static enum lh_status await_pulse(struct up *up, struct lh_error *error)
{
    struct cli_child *pulse = &up->children[0];
    enum lh_status status = cli_child_start(pulse, error);
    uint64_t deadline_ns = lh_clock_monotonic_ns() + READY_NS;
    while (status == LH_OK && !pulse_answers(up)) {
        if (cli_interrupted()) {
            status = LH_ERR_CANCELLED;
        } else if (cli_child_ended(pulse)) {
            char ending[96];
            cli_child_ending(pulse, ending, sizeof ending);
            status = lh_error_set(error, LH_ERR_CRASHED, "loophole-pulse", "%s before it was ready", ending);
        } else if (lh_clock_monotonic_ns() > deadline_ns) {
            status = lh_error_set(error, LH_ERR_UNAVAILABLE, "loophole-pulse", "is not ready after a minute");
        } else {
            wait_a_turn(10);
        }
    }
    return status;
}

static enum lh_status await_workers(struct up *up, struct lh_error *error)
{
    uint64_t deadline_ns = lh_clock_monotonic_ns() + READY_NS;
    for (;;) {
        size_t connected = 0;
        look_after(up);
        if (cli_interrupted()) {
            return LH_ERR_CANCELLED;
        }
        if (count_workers(up, &connected, error) == LH_OK && connected + 1 >= up->count) {
            return LH_OK;
        }
        if (lh_clock_monotonic_ns() > deadline_ns) {
            return lh_error_set(error, LH_ERR_UNAVAILABLE, NULL, "%zu of %zu workers are not ready after a minute",
                                up->count - 1 - connected, up->count - 1);
        }
        wait_a_turn(20);
    }
}

/* ---- the whole ---- */

/* Workers first: what they finish while they drain is still taken. */
static void end(struct up *up)
{
    if (up->count == 0) {
        return;
    }
    cli_farm_close(up->farm);
    up->farm = NULL;
    cli_children_signal(up->children + 1, up->count - 1, SIGTERM);
    cli_children_end(up->children + 1, up->count - 1, lh_clock_monotonic_ns() + DRAIN_NS);
    cli_children_signal(up->children, 1, SIGTERM);
    cli_children_end(up->children, 1, lh_clock_monotonic_ns() + END_NS);
}

static enum lh_status serve(struct up *up, const char *listen, struct lh_error *error)
{
    enum lh_status status = await_pulse(up, error);
    status = status == LH_OK ? await_workers(up, error) : status;
    if (status != LH_OK) {
        return status;
    }
    fprintf(stderr,
            "loophole up: ready, %zu worker%s\n  data    %s\n  clients ipc://%s/run/clients.ipc\n  token   %s\n",
            up->count - 1, up->count == 2 ? "" : "s", up->home.folder, up->home.folder, up->token);
    if (listen != NULL) {
        fprintf(stderr, "  others  %s for worker nodes, the next two ports for clients and files\n", listen);
    }
    while (!cli_interrupted()) {
        wait_a_turn(TURN_MS);
        look_after(up);
    }
    return LH_OK; /* which is how it is meant to end */
}

static int run(const struct lh_options *options)
{
    static struct up up; /* large, and looked at by a handler */
    struct lh_error error = LH_ERROR_INIT;
    lh_arena_init(&up.arena);
    up.lock = -1;
    cli_interrupt_install(kill_all);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL); /* taken by sigtimedwait() */
    enum lh_status status = prepare(&up, options, &error);
    running = &up;
    status = status == LH_OK ? serve(&up, lh_options_text(options, "listen"), &error) : status;
    if (status != LH_OK && status != LH_ERR_CANCELLED) {
        cli_talk_error("up", &error);
    }
    end(&up);
    running = NULL;
    if (up.lock >= 0) {
        close(up.lock);
    }
    lh_arena_fini(&up.arena);
    return status == LH_ERR_CANCELLED ? cli_interrupt_exit() : (int)cli_exit_of(status);
}

const struct cli_command cli_command_up = {
    .name = "up",
    .summary = "Start a render farm on this machine",
    .options = &table,
    .run = run,
};
