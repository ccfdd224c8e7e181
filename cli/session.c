/* SPDX-License-Identifier: MIT */
/* The steps from a project to its files. */
#include "cli/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/perform.h"
#include "cli/report.h"
#include "cli/reuse.h"
#include "cli/summary.h"
#include "cli/talk.h"
#include "common/base/clock.h"
#include "graph/container.h"

enum lh_status cli_faults_status(const struct lh_faults *faults)
{
    enum lh_status worst = LH_OK;
    for (size_t i = 0; i < faults->stored; i++) {
        enum cli_exit exit_status = cli_exit_of(faults->items[i].code);
        if (exit_status == CLI_EXIT_USAGE) {
            return faults->items[i].code;
        }
        if (worst == LH_OK || exit_status == CLI_EXIT_INVALID) {
            worst = faults->items[i].code;
        }
    }
    return worst == LH_OK && faults->count > 0 ? LH_ERR_INVALID : worst;
}

void cli_session_fail(struct cli_session *session, enum lh_status status)
{
    if (session->status == LH_OK) {
        session->status = status;
        session->error.code = status;
    }
}

bool cli_session_stopped(struct cli_session *session)
{
    if (cli_interrupted()) {
        session->status = LH_ERR_CANCELLED; /* whatever it was that broke on the way out */
    }
    return session->status != LH_OK;
}

/* A project may have more media than the usual soft limit of descriptors. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* if it stays as it was, opening says so */
    }
}

static double seconds_since(uint64_t begun_ns)
{
    return (double)(lh_clock_monotonic_ns() - begun_ns) / (double)LH_CLOCK_SECOND_NS;
}

/* Asked while the instance starts or looks into media. */
static bool go_on(void *context)
{
    (void)context;
    return !cli_interrupted();
}

/* What the instance may read has to be known before the project is: the folders of plugins, and the project's. */
static enum lh_status find_catalogue(struct cli_session *session)
{
    const char *project = session->request.project;
    char *real = project != NULL ? realpath(project, NULL) : NULL; /* not there: loading will tell */
    const char *folder = real != NULL ? cli_folder_of(&session->arena, real) : NULL;
    enum lh_status status = real != NULL && folder == NULL
                                ? lh_error_no_memory(&session->error)
                                : cli_catalogue_init(&session->arena, folder, &session->catalogue, &session->error);
    free(real);
    return status;
}

void cli_session_begin(struct cli_session *session, const struct cli_request *request)
{
    *session = (struct cli_session){
        .request = *request,
        .begun_ns = lh_clock_monotonic_ns(),
        .error = LH_ERROR_INIT,
        .outputs = CLI_OUTPUTS_NONE,
        .report = CLI_ASIDE_NONE,
        .libraries = "",
        .cpu_class = "",
    };
    lh_arena_init(&session->arena);
    lh_faults_init(&session->faults, &session->arena);
    raise_descriptor_limit();
    cli_interrupt_install(cli_aside_abandon_all);
    enum lh_status status = find_catalogue(session);
    session->catalogue.options.no_jail = request->no_jail;
    if (status == LH_OK) {
        status = engine_instance_spawn(&session->catalogue.options, &session->instance, &session->error);
    }
    cli_session_fail(session, status);
    if (session->instance != NULL) {
        engine_instance_watch(session->instance, go_on, NULL);
    }
}

enum lh_status cli_load_status(struct lh_faults *faults, enum lh_status status)
{
    enum lh_status worst = cli_faults_status(faults);
    if (status == LH_ERR_NO_MEMORY) {
        return status;
    }
    if (worst == LH_OK) {
        lh_faults_add(faults, LH_ERR_INVALID, "", "cannot be read: %s", lh_status_text(status));
        return LH_ERR_INVALID;
    }
    /* The project file itself: no medium has been looked for yet. */
    return worst == LH_ERR_MISSING || worst == LH_ERR_IO || worst == LH_ERR_FORMAT ? LH_ERR_INVALID : worst;
}

void cli_session_load(struct cli_session *session, const struct pulse_override *overrides, size_t count)
{
    if (cli_session_stopped(session)) {
        return;
    }
    uint64_t begun_ns = lh_clock_monotonic_ns();
    enum lh_status status =
        pulse_project_load(session->request.project, overrides, count, &session->faults, &session->project);
    session->load_seconds = seconds_since(begun_ns);
    if (status != LH_OK) {
        cli_session_fail(session, cli_load_status(&session->faults, status));
    }
}

void cli_session_parse(struct cli_session *session, const char *text, size_t length)
{
    if (cli_session_stopped(session)) {
        return;
    }
    uint64_t begun_ns = lh_clock_monotonic_ns();
    enum lh_status status = pulse_project_parse(text, length, NULL, NULL, 0, &session->faults, &session->project);
    session->load_seconds = seconds_since(begun_ns);
    if (status != LH_OK) {
        cli_session_fail(session, cli_load_status(&session->faults, status));
    }
}

static void probe(struct cli_session *session)
{
    if (cli_session_stopped(session)) {
        return;
    }
    cli_session_fail(session,
                     cli_sources_probe(session->instance, &session->faults, &session->sources, &session->error));
    if (session->status == LH_OK) {
        const char *libraries = lh_arena_strdup(&session->arena, engine_instance_libraries(session->instance));
        const char *cpu_class = lh_arena_strdup(&session->arena, engine_instance_cpu_class(session->instance));
        if (libraries == NULL || cpu_class == NULL) {
            cli_session_fail(session, lh_error_no_memory(&session->error));
            return;
        }
        session->libraries = libraries;
        session->cpu_class = cpu_class;
    }
}

/* What the project needs, unless it was asked before. */
static bool find_needs(struct cli_session *session)
{
    if (session->needs.media == NULL &&
        pulse_compile_needs(&session->arena, session->project, &session->request.compile, &session->needs) != LH_OK) {
        cli_session_fail(session, lh_error_no_memory(&session->error));
    }
    return session->status == LH_OK;
}

void cli_session_open_media(struct cli_session *session)
{
    if (cli_session_stopped(session)) {
        return;
    }
    if (!find_needs(session)) {
        return;
    }
    cli_session_fail(session, cli_sources_open_project(&session->arena, session->project, &session->needs,
                                                       &session->faults, &session->sources, &session->error));
    probe(session);
}

void cli_session_open_files(struct cli_session *session, const char *const *paths, size_t count)
{
    if (cli_session_stopped(session)) {
        return;
    }
    cli_session_fail(session, cli_sources_open_files(&session->arena, paths, count, &session->faults, &session->sources,
                                                     &session->error));
    probe(session);
}

/* What a container cannot hold is told before anything is rendered, for every deliverable. */
static void check_containers(struct cli_session *session)
{
    const struct graph *graph = session->compiled->graph;
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        const struct graph_deliverable *deliverable = &graph->deliverables[i];
        struct lh_error fault = LH_ERROR_INIT;
        enum lh_status status = graph_container_check(deliverable, graph->nodes[deliverable->node].channels, &fault);
        if (status == LH_OK) {
            continue;
        }
        const struct pulse_deliverable *asked =
            &session->project->deliverables[session->compiled->outputs[i].deliverable];
        char where[LH_ERROR_WHERE_SIZE] = "";
        if (asked->json != NULL) {
            lh_json_pointer(asked->json, where, sizeof where);
        }
        lh_faults_add(&session->faults, status, where, "%s", fault.message);
    }
}

void cli_session_compile(struct cli_session *session)
{
    if (cli_session_stopped(session)) {
        return;
    }
    session->facts.media = cli_sources_facts(&session->arena, &session->sources, session->project);
    if (session->facts.media == NULL || !find_needs(session)) {
        cli_session_fail(session, lh_error_no_memory(&session->error));
        return;
    }
    uint64_t begun_ns = lh_clock_monotonic_ns();
    enum lh_status status = pulse_compile(session->project, &session->needs, &session->facts, &session->request.compile,
                                          &session->faults, &session->compiled);
    session->compile_seconds = seconds_since(begun_ns);
    if (status == LH_OK) {
        check_containers(session);
    }
    enum lh_status worst = cli_faults_status(&session->faults);
    cli_session_fail(session, worst != LH_OK ? worst : status);
    uint32_t quantum = session->project->quantum, block = session->request.block;
    if (session->status == LH_OK && block % quantum != 0) {
        cli_session_fail(session,
                         lh_error_set(&session->error, LH_ERR_USAGE, "--block",
                                      "%u frames are not a multiple of the project's quantum, %u", block, quantum));
    }
}

/* The report is opened before the render, so that a folder that cannot be written to is told now. */
static enum lh_status open_report(struct cli_session *session)
{
    const char *path = session->request.report_path;
    if (path == NULL || strcmp(path, "-") == 0) {
        return LH_OK;
    }
    enum lh_status status = cli_report_check(session, &session->error);
    if (status == LH_OK) {
        status = cli_aside_open(&session->arena, path, &session->report, &session->error);
    }
    if (status != LH_OK) {
        session->request.report_path = NULL; /* told once: the end need not try again */
    }
    return status;
}

/* Of files whose writer is gone, so that what is told is what is there. */
static enum lh_status hash_files(struct cli_session *session)
{
    if (session->request.report_path == NULL) {
        return LH_OK; /* nobody would see it */
    }
    session->file_digests = lh_arena_array(&session->arena, session->outputs.count, sizeof *session->file_digests);
    if (session->file_digests == NULL) {
        return lh_error_no_memory(&session->error);
    }
    for (size_t i = 0; i < session->outputs.count; i++) {
        cli_aside_flush(&session->outputs.files[i]); /* the disk works meanwhile */
    }
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < session->outputs.count; i++) {
        if (session->outputs.files[i].fd >= 0) {
            status = lh_digest_file(session->outputs.files[i].fd, &session->file_digests[i], &session->error);
        }
    }
    return status;
}

/* What --digests asks for; after the render, which does not need it. */
static enum lh_status hash_sources(struct cli_session *session)
{
    if (!session->request.digests || session->render_keys != NULL) {
        return LH_OK;
    }
    enum lh_status status = cli_sources_hash(&session->sources, &session->error);
    return status == LH_OK ? cli_reuse_keys(session, &session->error) : status;
}

/* A cache that cannot take any more does not spoil a render that is done. */
static void keep(struct cli_session *session)
{
    struct lh_error error = LH_ERROR_INIT;
    if (cli_reuse_end(session, &error) != LH_OK) {
        cli_tell_error(session->request.progress, session->request.command, &error);
    }
}

void cli_session_render(struct cli_session *session)
{
    if (cli_session_stopped(session)) {
        return;
    }
    enum lh_status status = cli_outputs_open(&session->arena, session->request.folder, session->request.single,
                                             session->compiled, &session->sources, &session->outputs, &session->error);
    status = status == LH_OK ? open_report(session) : status;
    status = status == LH_OK ? cli_perform(session) : status;
    engine_instance_free(session->instance);
    session->instance = NULL;
    status = status == LH_OK ? hash_files(session) : status;
    status = status == LH_OK ? hash_sources(session) : status;
    cli_session_fail(session, status);
    if (cli_session_stopped(session)) {
        return;
    }
    keep(session);
    status = cli_outputs_publish(&session->arena, &session->outputs, &session->error);
    session->published = status == LH_OK; /* from here on a signal comes too late */
    session->wall_seconds = seconds_since(session->begun_ns);
    cli_session_fail(session, status);
}

/* A wrong project made in memory is a wrong command line: its texts came from there. */
static int exit_of(const struct cli_session *session)
{
    if (session->status == LH_ERR_CANCELLED) {
        return cli_interrupt_exit();
    }
    int exit_status = (int)cli_exit_of(session->status);
    return exit_status == CLI_EXIT_INVALID && session->request.project == NULL ? CLI_EXIT_USAGE : exit_status;
}

static void talk(const struct cli_session *session)
{
    if (session->status == LH_ERR_CANCELLED) {
        return;
    }
    if (session->faults.count > 0) {
        cli_tell_faults(session->request.progress,
                        session->request.project != NULL ? session->request.project : "loophole", &session->faults);
    }
    if (session->status != LH_OK && (session->faults.count == 0 || session->error.message[0] != '\0')) {
        cli_tell_error(session->request.progress, session->request.command, &session->error);
    }
    if (session->published && session->request.progress != CLI_PROGRESS_NONE &&
        session->request.progress != CLI_PROGRESS_JSON) {
        cli_summary_print(session);
    }
}

int cli_session_end(struct cli_session *session)
{
    if (!session->published) {
        (void)cli_session_stopped(session);
    }
    int exit_status = exit_of(session);
    if (session->rendering) {
        cli_progress_clear(&session->progress);
    }
    talk(session);
    if (session->request.report_path != NULL && session->status != LH_ERR_CANCELLED) {
        struct lh_error error = LH_ERROR_INIT;
        if (cli_report_write(session, exit_status, &error) != LH_OK) {
            cli_tell_error(session->request.progress, session->request.command, &error);
            exit_status = exit_status == CLI_EXIT_DONE ? CLI_EXIT_FAILED : exit_status;
        }
    }
    cli_progress_end(session->request.progress, session->begun_ns, exit_status);
    engine_catalogue_close(&session->catalogue);
    engine_instance_free(session->instance);
    cli_outputs_discard(&session->outputs);
    cli_aside_discard(&session->report);
    cli_reuse_close(session);
    cli_sources_close(&session->sources);
    cli_remainder_close(&session->remainder);
    pulse_compiled_free(session->compiled);
    pulse_project_free(session->project);
    lh_arena_fini(&session->arena);
    return exit_status;
}
