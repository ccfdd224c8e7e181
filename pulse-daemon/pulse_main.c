/* SPDX-License-Identifier: MIT */
/* The program loophole-pulse: what knows jobs and decides what runs where. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/options.h"
#include "pulse-daemon/service/service.h"

#define MIB (UINT64_C(1) << 20)
#define MIB_MAX (1 << 30)
#define LIMIT_MAX_S 604800 /* a week */
#define EXIT_USAGE 2

static const char *const log_names[] = {"error", "warning", "info", "debug", NULL};

static const struct lh_option rows[] = {
    {.name = "data",
     .type = LH_OPTION_TEXT,
     .placeholder = "DIR",
     .variable = "LOOPHOLE_DATA",
     .help = "Folder for everything that is kept; made if it is not there"},
    {.name = "store",
     .type = LH_OPTION_TEXT,
     .placeholder = "URL",
     .variable = "LOOPHOLE_STORE",
     .help = "Where jobs are kept: postgresql://... or sqlite:PATH. Standard: pulse.db in the data folder"},
    {.name = "listen",
     .type = LH_OPTION_TEXT,
     .placeholder = "ENDPOINT",
     .variable = "LOOPHOLE_LISTEN",
     .help = "Serve other machines, too, those that were enrolled: tcp://ADDRESS:PORT for their worker nodes, the next "
             "port for clients, the one after it for files. 0.0.0.0 is any address. Standard: this machine alone"},
    {.name = "listen-workers",
     .type = LH_OPTION_TEXT,
     .placeholder = "ENDPOINT",
     .help = "Another place for their worker nodes"},
    {.name = "listen-clients",
     .type = LH_OPTION_TEXT,
     .placeholder = "ENDPOINT",
     .help = "Another place for their clients"},
    {.name = "listen-bulk", .type = LH_OPTION_TEXT, .placeholder = "ENDPOINT", .help = "Another place for files"},
    {.name = "lease-ms",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MS",
     .minimum = 100,
     .maximum = 600000,
     .standard = "15000",
     .help = "How long a worker that says nothing keeps its shards"},
    {.name = "beat-ms",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MS",
     .minimum = 20,
     .maximum = 200000,
     .standard = "5000",
     .help = "How often a worker says that it is there; a third of the lease or less"},
    {.name = "no-progress-s",
     .type = LH_OPTION_INTEGER,
     .placeholder = "S",
     .minimum = 1,
     .maximum = LIMIT_MAX_S,
     .standard = "120",
     .help = "An attempt at a shard that does not get on for so long has failed"},
    {.name = "hard-s",
     .type = LH_OPTION_INTEGER,
     .placeholder = "S",
     .minimum = 1,
     .maximum = LIMIT_MAX_S,
     .standard = "3600",
     .help = "An attempt that takes longer than this and 64 times what it should has failed"},
    {.name = "memory-max",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MIB",
     .minimum = 0,
     .maximum = MIB_MAX,
     .standard = "0",
     .help = "Most address space of an attempt, in MiB; 0: as its worker node thinks right"},
    {.name = "quota",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MIB",
     .minimum = 0,
     .maximum = MIB_MAX,
     .standard = "0",
     .help = "Most that the media folder may hold, in MiB; 0: whatever fits"},
    {.name = "keep-free",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MIB",
     .minimum = 0,
     .maximum = MIB_MAX,
     .standard = "256",
     .help = "MiB of its file system that stay free"},
    {.name = "check",
     .type = LH_OPTION_FLAG,
     .help =
         "Serve nobody; look for what is inconsistent in the data folder, print it, exit with 1 if there is anything"},
    {.name = "log",
     .type = LH_OPTION_TEXT,
     .placeholder = "LEVEL",
     .variable = "LOOPHOLE_LOG",
     .choices = log_names,
     .standard = "info",
     .help = "What is told on standard error: error, warning, info or debug"},
};

static const struct lh_option_table table = {
    .usage = "--data DIR [options]",
    .summary =
        "Plans jobs, hands their shards to worker nodes and keeps what they make. Usually 'loophole up' starts it.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 0,
    .operands_max = 0,
};

static void on_end(void *context)
{
    (void)context;
    kill(getpid(), SIGTERM); /* the main thread waits for it */
}

static int complain(const struct lh_error *error)
{
    fprintf(stderr, "loophole-pulse: %s%s%s\n", error->where, error->where[0] != '\0' ? ": " : "",
            error->message[0] != '\0' ? error->message : lh_status_text(error->code));
    return error->code == LH_ERR_USAGE ? EXIT_USAGE : 1;
}

static int help(void)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_options_help(&table, "loophole-pulse", &writer);
    bool good = lh_writer_status(&writer) == LH_OK && fwrite(writer.data, 1, writer.size, stdout) == writer.size &&
                fflush(stdout) == 0;
    lh_writer_fini(&writer);
    return good ? 0 : 1;
}

/* Signals that end it are waited for; every thread inherits that they are blocked. */
static void block_signals(sigset_t *set)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        sigaddset(set, ours[i]);
    }
    sigprocmask(SIG_BLOCK, set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

/* Each worker and client is a connection. Nobody here uses select(). */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* if it stays as it was, whoever comes last is not let in */
    }
}

/* Every document, plan and batch has some megabytes for a moment. Given back to the system each time, they are cleared
   and mapped anew for the next: that took a tenth of Pulse's time. A bounded heap is kept instead. */
static void keep_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 4 << 20); /* above an arena's chunk */
    (void)mallopt(M_TRIM_THRESHOLD, 16 << 20);
    (void)mallopt(M_TOP_PAD, 1 << 18);
}

static int check(const struct pulse_service_options *options)
{
    struct lh_error error = LH_ERROR_INIT;
    size_t found = 0;
    if (pulse_service_check(options, &found, &error) != LH_OK || fflush(stdout) != 0) {
        return complain(&error);
    }
    return found == 0 ? 0 : 1;
}

static int serve(const struct lh_options *options)
{
    struct pulse_service_options service_options = {
        .data = lh_options_text(options, "data"),
        .store = lh_options_text(options, "store"),
        .software = "loophole-pulse " LOOPHOLE_VERSION,
        .listen = lh_options_text(options, "listen"),
        .workers = lh_options_text(options, "listen-workers"),
        .clients = lh_options_text(options, "listen-clients"),
        .bulk = lh_options_text(options, "listen-bulk"),
        .lease_ms = (uint32_t)lh_options_integer(options, "lease-ms"),
        .beat_ms = (uint32_t)lh_options_integer(options, "beat-ms"),
        .no_progress_ms = (uint32_t)lh_options_integer(options, "no-progress-s") * 1000,
        .hard_ms = (uint32_t)lh_options_integer(options, "hard-s") * 1000,
        .memory_bytes = (uint64_t)lh_options_integer(options, "memory-max") * MIB,
        .quota_bytes = (uint64_t)lh_options_integer(options, "quota") * MIB,
        .floor_bytes = (uint64_t)lh_options_integer(options, "keep-free") * MIB,
        .on_end = on_end,
    };
    struct lh_error error = LH_ERROR_INIT;
    struct pulse_service *service;
    enum lh_log_level level = LH_LOG_INFO;
    sigset_t set;
    int number = 0;
    if (service_options.data == NULL) {
        (void)lh_error_set(&error, LH_ERR_USAGE, "--data", "name a data folder");
        return complain(&error);
    }
    if (service_options.beat_ms > service_options.lease_ms / 3) {
        (void)lh_error_set(&error, LH_ERR_USAGE, "--beat-ms", "a third of the lease or less");
        return complain(&error);
    }
    if (lh_options_flag(options, "check")) {
        return check(&service_options);
    }
    (void)lh_log_level_parse(lh_options_text(options, "log"), &level);
    lh_log_open("loophole-pulse", level, STDERR_FILENO);
    block_signals(&set);
    raise_descriptors();
    keep_memory();
    if (pulse_service_new(&service_options, &service, &error) != LH_OK) {
        return complain(&error);
    }
    while (sigwait(&set, &number) != 0) {
    }
    LH_LOG(LH_LOG_INFO, "ending", LH_LOG_INTEGER("signal", number));
    enum lh_status verdict = pulse_service_verdict(service, &error);
    pulse_service_free(service);
    LH_LOG(LH_LOG_INFO, "ended", LH_LOG_INTEGER("pid", getpid()));
    return verdict == LH_OK ? 0 : complain(&error);
}

int main(int argc, char **argv)
{
    struct lh_arena arena;
    struct lh_options options;
    struct lh_error error = LH_ERROR_INIT;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return puts("loophole-pulse " LOOPHOLE_VERSION) >= 0 && fflush(stdout) == 0 ? 0 : 1;
    }
    lh_arena_init(&arena);
    int exit_status;
    if (lh_options_parse(&arena, &table, argc - 1, argv + 1, &options, &error) != LH_OK) {
        exit_status = complain(&error);
    } else {
        exit_status = options.help ? help() : serve(&options);
    }
    lh_arena_fini(&arena);
    return exit_status;
}
