/* SPDX-License-Identifier: MIT */
/* One render from the command line to the files: what `render`, `mix` and `check` share. The steps are called in order;
   each one does nothing once an earlier one has failed or a signal came, so that a caller looks at the end only. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/aside.h"
#include "cli/cache.h"
#include "cli/catalogue.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/remainder.h"
#include "cli/sources.h"
#include "engine/instance/client.h"
#include "pulse-daemon/compile/compile.h"
#include "pulse-daemon/project/load.h"

/* What is asked for. Texts are borrowed. */
struct cli_request {
    const char *command;     /* for messages: "render" */
    const char *project;     /* path of the project file; NULL when it is made in memory */
    const char *folder;      /* where files go */
    const char *single;      /* instead: the one file's path, "-" for standard output; NULL */
    uint32_t threads, block; /* as in struct engine_instance_render */
    enum cli_progress_mode progress;
    const char *report_path; /* NULL: no report; "-": standard output */
    bool no_jail;            /* as in struct engine_instance_options */
    bool digests;            /* sources are hashed, render keys told */
    const char *cache;       /* folder; NULL: none */
    uint64_t cache_bytes;    /* the most that it may take; 0: any */
    struct pulse_compile_options compile;
};

/* What became of a plugin of the plan. */
struct cli_used {
    bool rendered; /* not bypassed, and not from the cache */
    struct engine_inserted inserted;
};

struct cli_session {
    struct cli_request request;
    uint64_t begun_ns;
    struct lh_arena arena;
    enum lh_status status; /* of the first step that failed */
    struct lh_error error; /* why, unless faults say it */
    struct lh_faults faults;
    struct engine_catalogue catalogue;
    struct engine_instance *instance;
    struct pulse_project *project;
    struct cli_sources sources;
    struct pulse_needs needs;                   /* media NULL: not asked yet */
    struct pulse_facts facts;                   /* as they were compiled against */
    const struct inventory_evidence **evidence; /* by needs.plugins; an entry is NULL when there is none */
    struct pulse_compiled *compiled;
    struct cli_outputs outputs;
    struct cli_aside report;
    struct cli_progress progress;
    bool rendering; /* progress is on show */
    bool published; /* the files are there */
    struct cli_cache cache;
    bool *reused;                   /* one a deliverable, true: from the cache; NULL without one */
    struct cli_remainder remainder; /* what the cache left to render */
    int *conformed; /* one a medium of what is rendered: its descriptor in the cache, -1: not there; NULL without one */
    struct lh_digest *conform_keys; /* the same: its key */
    size_t conformed_count;
    bool *unproven; /* one a deliverable, true: a plugin that is not proven repeatable takes part; NULL: not asked */
    struct engine_render_result result;       /* `delivered` has one a deliverable of `compiled`; no `inserted` */
    struct cli_used *used;                    /* by compiled->plugins; NULL before the render */
    double first_block_seconds, wall_seconds; /* from the program's start; 0: not known */
    double load_seconds, compile_seconds;     /* project file to model, model to graph */
    uint64_t frames;                          /* rendered, at the project's rate */
    const char *libraries, *cpu_class;        /* as the instance told; "" before */
    char job[LH_DIGEST_TEXT_SIZE];            /* what no other job has; "" before keys are asked for */
    struct lh_digest *render_keys;            /* one a deliverable, when digests or a cache are asked for */
    struct lh_digest *file_digests;           /* one a deliverable, when there is a report */
};

/* Installs signal handlers and starts the signal instance, which loads while the project is read. */
void cli_session_begin(struct cli_session *session, const struct cli_request *request);
void cli_session_load(struct cli_session *session, const struct pulse_override *overrides, size_t count);
void cli_session_parse(struct cli_session *session, const char *text, size_t length);
/* The media of the project, or these files; opened and probed. */
void cli_session_open_media(struct cli_session *session);
void cli_session_open_files(struct cli_session *session, const char *const *paths, size_t count);
/* The plugins that the project names are looked for; its MIDI files and states are opened and read. In cli/needs.c. */
void cli_session_open_needs(struct cli_session *session);
/* Compiles, and checks that every container can hold what it is to hold. */
void cli_session_compile(struct cli_session *session);
void cli_session_render(struct cli_session *session);
/* Tells what came of it, writes the report, frees everything. Gives the exit status. */
int cli_session_end(struct cli_session *session);

/* The status that faults amount to: a wrong command line before a wrong project before missing media. */
enum lh_status cli_faults_status(const struct lh_faults *faults);
/* The same when loading the project has failed: one whose file cannot be read at all is an invalid project, too. */
enum lh_status cli_load_status(struct lh_faults *faults, enum lh_status status);
/* A step failed, or a signal came: then the session's status is set. */
bool cli_session_stopped(struct cli_session *session);
void cli_session_fail(struct cli_session *session, enum lh_status status);

#endif
