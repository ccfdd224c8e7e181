/* SPDX-License-Identifier: MIT */
/* loophole plugins probe [ID...] */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/event.h"
#include "cli/interrupt.h"
#include "cli/plugins.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/talk.h"
#include "cli/trials.h"
#include "common/base/clock.h"

#define IDS_MAX 4096
#define JOBS_MAX 64
#define JOBS_STANDARD "2"
#define NAME_WIDTH 40
#define TEXT_SIZE 512

static const struct lh_option rows[] = {
    {.name = "jobs",
     .type = LH_OPTION_INTEGER,
     .placeholder = "N",
     .minimum = 1,
     .maximum = JOBS_MAX,
     .standard = JOBS_STANDARD,
     .help = "Plugins that are tried at a time, each in a process of its own"},
    {.name = "again", .type = LH_OPTION_FLAG, .help = "Try also those whose very binary has been tried before"},
    {.name = "json", .type = LH_OPTION_FLAG, .help = "Print an array of the verdicts on standard output at the end"},
    CLI_ROW_PROGRESS,
    CLI_ROW_JAIL,
};

static const struct lh_option_table table = {
    .usage = "plugins probe [ID...] [options]",
    .summary =
        "Tries plugins, all of them or those that the IDs mean, and keeps what they turn out to be: whether they\n"
        "give the same sound in every process, with other plugins beside them and in runs of any length.\n"
        "A plugin that crashes, hangs or gives what is no number has a verdict like any other.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_max = IDS_MAX,
    .operand = "ID",
};

/* What the workers share; all but the constant first part under the lock. */
struct probing {
    struct engine_catalogue *catalogue;
    enum cli_progress_mode mode;
    struct cli_plugin *plugins;
    size_t count;
    const bool *tried; /* by plugin: it need not be */
    size_t to_try;
    pthread_mutex_t lock;
    size_t next, done;
    enum lh_status status; /* of what made the probing fail */
    struct lh_error error;
    struct worker *workers; /* they keep the evidence that they found */
    size_t worker_count;
};

struct worker {
    struct probing *probing;
    struct lh_arena arena;
    pthread_t thread;
    bool started;
};

static void tell(const struct probing *probing, const struct cli_plugin *plugin, double seconds)
{
    if (probing->mode == CLI_PROGRESS_JSON) {
        struct cli_event event;
        cli_event_begin(&event, "probed");
        lh_json_emit_name(&event.emitter, "uri");
        lh_json_emit_text(&event.emitter, plugin->facts.uri);
        lh_json_emit_name(&event.emitter, "status");
        lh_json_emit_text(&event.emitter, cli_plugin_status(plugin));
        lh_json_emit_name(&event.emitter, "done");
        lh_json_emit_integer(&event.emitter, (int64_t)probing->done);
        lh_json_emit_name(&event.emitter, "total");
        lh_json_emit_integer(&event.emitter, (int64_t)probing->to_try);
        cli_event_end(&event);
    } else if (probing->mode == CLI_PROGRESS_PLAIN ||
               (probing->mode == CLI_PROGRESS_AUTO && isatty(STDERR_FILENO) == 1)) {
        char name[TEXT_SIZE];
        cli_talk_clean(plugin->facts.name, name, sizeof name);
        fprintf(stderr, "%zu/%zu  %-14s  %s, %.1f s\n", probing->done, probing->to_try, cli_plugin_status(plugin), name,
                seconds);
    }
}

/* The next plugin to try, NULL when there is none or there is no point in going on. */
static struct cli_plugin *take_next(struct probing *probing)
{
    struct cli_plugin *plugin = NULL;
    pthread_mutex_lock(&probing->lock);
    while (probing->next < probing->count && probing->tried[probing->next]) {
        probing->next++;
    }
    if (probing->next < probing->count && probing->status == LH_OK && !cli_interrupted()) {
        plugin = &probing->plugins[probing->next++];
    }
    pthread_mutex_unlock(&probing->lock);
    return plugin;
}

static void finish(struct probing *probing, struct cli_plugin *plugin, const struct inventory_evidence *evidence,
                   enum lh_status status, const struct lh_error *error, double seconds)
{
    pthread_mutex_lock(&probing->lock);
    if (status == LH_OK) {
        plugin->evidence = evidence;
        probing->done++;
        tell(probing, plugin, seconds);
    } else if (probing->status == LH_OK) {
        probing->status = status;
        probing->error = *error;
    }
    pthread_mutex_unlock(&probing->lock);
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct probing *probing = worker->probing;
    for (struct cli_plugin *plugin = take_next(probing); plugin != NULL; plugin = take_next(probing)) {
        uint64_t begun_ns = lh_clock_monotonic_ns();
        struct lh_error error = LH_ERROR_INIT;
        struct inventory_evidence *evidence = lh_arena_alloc(&worker->arena, sizeof *evidence);
        enum lh_status status = evidence == NULL ? lh_error_no_memory(&error)
                                                 : cli_trials_run(&worker->arena, &probing->catalogue->options,
                                                                  &plugin->facts, evidence, &error);
        status = status == LH_OK ? inventory_evidence_save(&probing->catalogue->places, evidence, &error) : status;
        finish(probing, plugin, evidence, status, &error,
               (double)(lh_clock_monotonic_ns() - begun_ns) / (double)LH_CLOCK_SECOND_NS);
    }
    return NULL;
}

/* Signals go to the main thread: a worker that handled one would only be late to look. */
static void run_workers(struct probing *probing)
{
    sigset_t before;
    cli_interrupt_hold(&before);
    for (size_t i = 0; i < probing->worker_count; i++) {
        struct worker *worker = &probing->workers[i];
        worker->started = pthread_create(&worker->thread, NULL, work, worker) == 0;
    }
    cli_interrupt_release(&before);
    if (!probing->workers[0].started) {
        work(&probing->workers[0]); /* the system allows no more threads: this one is there */
    }
    for (size_t i = 0; i < probing->worker_count; i++) {
        if (probing->workers[i].started) {
            pthread_join(probing->workers[i].thread, NULL);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const struct graph_plugin_facts *first = &((const struct cli_plugin *)a)->facts;
    const struct graph_plugin_facts *second = &((const struct cli_plugin *)b)->facts;
    int order = strcasecmp(first->name, second->name);
    return order != 0 ? order : strcmp(first->uri, second->uri);
}

/* Those that the IDs mean, each once; without any all of them. */
static enum lh_status choose(struct engine_catalogue *catalogue, const struct lh_options *options,
                             struct probing *probing, struct lh_error *error)
{
    size_t known = inventory_index_count(catalogue->index);
    bool *chosen = lh_arena_array(catalogue->arena, known, sizeof *chosen);
    struct cli_plugin *plugins = lh_arena_array(catalogue->arena, known, sizeof *plugins);
    if (chosen == NULL || plugins == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < options->operand_count; i++) {
        size_t entry = 0;
        enum lh_status status = cli_catalogue_choose(catalogue, options->operands[i], &entry, error);
        if (status != LH_OK) {
            return status;
        }
        chosen[entry] = true;
    }
    for (size_t i = 0; i < known; i++) {
        if (options->operand_count == 0 || chosen[i]) {
            enum lh_status status = cli_plugin_read(catalogue, i, &plugins[probing->count], error);
            if (status != LH_OK) {
                return status;
            }
            probing->count++;
        }
    }
    if (probing->count > 1) {
        qsort(plugins, probing->count, sizeof *plugins, compare);
    }
    probing->plugins = plugins;
    return LH_OK;
}

/* Those whose record holds for this binary and this engine are kept. */
static enum lh_status leave_out_known(struct probing *probing, bool again, struct lh_error *error)
{
    bool *tried = lh_arena_array(probing->catalogue->arena, probing->count, sizeof *tried);
    if (tried == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < probing->count; i++) {
        const struct inventory_evidence *evidence = probing->plugins[i].evidence;
        tried[i] = !again && evidence != NULL && evidence->sound_version == ENGINE_SOUND_VERSION;
        probing->to_try += tried[i] ? 0 : 1;
    }
    probing->tried = tried;
    return LH_OK;
}

static enum lh_status probe(struct probing *probing, size_t jobs, struct lh_error *error)
{
    probing->workers = lh_arena_array(probing->catalogue->arena, jobs, sizeof *probing->workers);
    if (probing->workers == NULL) {
        return lh_error_no_memory(error);
    }
    probing->worker_count = jobs;
    for (size_t i = 0; i < jobs; i++) {
        probing->workers[i].probing = probing;
        lh_arena_init(&probing->workers[i].arena);
    }
    run_workers(probing);
    if (probing->status != LH_OK) {
        *error = probing->error;
    }
    return cli_interrupted() ? LH_ERR_CANCELLED : probing->status;
}

static void print_line(const struct cli_plugin *plugin)
{
    char name[TEXT_SIZE], message[TEXT_SIZE] = "";
    const struct inventory_evidence *evidence = plugin->evidence;
    cli_talk_clean(plugin->facts.name, name, sizeof name);
    if (evidence != NULL && evidence->message != NULL) {
        cli_talk_clean(evidence->message, message, sizeof message);
    }
    printf("%-*s  %-14s", NAME_WIDTH, name, cli_plugin_status(plugin));
    if (evidence != NULL && message[0] != '\0') {
        printf("  %s%s%s", evidence->failed != NULL ? evidence->failed : "", evidence->failed != NULL ? ": " : "",
               message);
    } else if (evidence != NULL) {
        bool invariant = inventory_evidence_block_invariant(evidence) == INVENTORY_YES;
        printf("  %s, %.1f ns a frame", invariant ? "runs of any length" : "bound to the quantum",
               evidence->ns_per_frame);
    }
    putchar('\n');
}

static enum lh_status print_verdicts(const struct probing *probing, struct lh_error *error)
{
    size_t counts[INVENTORY_EVIDENCE_STATUS_COUNT] = {0};
    for (size_t i = 0; i < probing->count; i++) {
        print_line(&probing->plugins[i]);
        if (probing->plugins[i].evidence != NULL) {
            counts[probing->plugins[i].evidence->status]++;
        }
    }
    printf("%zu plugin%s:", probing->count, probing->count == 1 ? "" : "s");
    for (int i = 0; i < INVENTORY_EVIDENCE_STATUS_COUNT; i++) {
        printf("%s %zu %s", i > 0 ? "," : "", counts[i],
               inventory_evidence_status_text((enum inventory_evidence_status)i));
    }
    putchar('\n');
    return fflush(stdout) == 0 ? LH_OK : lh_error_set(error, LH_ERR_IO, "standard output", "cannot be written");
}

static enum lh_status print_json(const struct probing *probing, struct lh_error *error)
{
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, false);
    lh_json_emit_array(&emitter);
    for (size_t i = 0; i < probing->count; i++) {
        lh_json_emit_object(&emitter);
        cli_plugin_emit(&emitter, &probing->plugins[i]);
        lh_json_emit_object_end(&emitter);
    }
    lh_json_emit_array_end(&emitter);
    enum lh_status status =
        lh_writer_status(&writer) == LH_OK ? cli_report_print(&writer, error) : lh_error_no_memory(error);
    lh_writer_fini(&writer);
    return status;
}

static int run(const struct lh_options *options)
{
    struct lh_arena arena;
    struct engine_catalogue catalogue;
    struct lh_error error = LH_ERROR_INIT;
    lh_arena_init(&arena);
    cli_interrupt_install(NULL);
    struct probing probing = {
        .catalogue = &catalogue, .mode = cli_settings_progress(options), .lock = PTHREAD_MUTEX_INITIALIZER};
    enum lh_status status = cli_catalogue_init(&arena, NULL, &catalogue, &error);
    status = status == LH_OK ? engine_catalogue_open(&catalogue, NULL, &error) : status;
    status = status == LH_OK ? engine_catalogue_complete(&catalogue, &error) : status;
    engine_catalogue_close(&catalogue);
    status = status == LH_OK ? choose(&catalogue, options, &probing, &error) : status;
    status = status == LH_OK ? leave_out_known(&probing, lh_options_flag(options, "again"), &error) : status;
    if (status == LH_OK) {
        catalogue.options.no_jail = cli_settings_no_jail(options);
        status = probe(&probing, (size_t)lh_options_integer(options, "jobs"), &error);
    }
    if (status == LH_OK) {
        status = lh_options_flag(options, "json") ? print_json(&probing, &error) : print_verdicts(&probing, &error);
    }
    int exit_status = status == LH_OK ? CLI_EXIT_DONE : cli_plugins_failed("plugins probe", status, &error);
    for (size_t i = 0; i < probing.worker_count; i++) {
        lh_arena_fini(&probing.workers[i].arena);
    }
    lh_arena_fini(&arena);
    return exit_status;
}

const struct cli_command cli_command_plugins_probe = {
    .name = "probe",
    .summary = "Try plugins and keep what they turn out to be",
    .options = &table,
    .run = run,
};
