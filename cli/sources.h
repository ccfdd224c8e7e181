/* SPDX-License-Identifier: MIT */
/* The media of a render: opened here, looked into only by the signal instance. */
#ifndef CLI_SOURCES_H
#define CLI_SOURCES_H

#include "common/base/faults.h"
#include "engine/instance/client.h"
#include "pulse-daemon/compile/compile.h"
#include "pulse-daemon/project/model.h"

struct cli_source {
    int fd;            /* -1: not needed, or not there */
    const char *where; /* for faults: "/media/kick", or a stem's path */
    const char *path;  /* as named, for reports; NULL: by digest alone */
    bool known;        /* facts hold */
    struct engine_media_facts facts;
    struct lh_digest digest; /* when has_digest */
    bool has_digest;
    struct lh_digest identity; /* of the file when the digest was taken, by the cache */
};

/* In the order of the project's media. */
struct cli_sources {
    struct cli_source *items;
    size_t count;
};

/* Every medium that the options need. One that cannot be opened is a fault (LH_ERR_MISSING); all are tried. */
LH_NODISCARD enum lh_status cli_sources_open_project(struct lh_arena *arena, const struct pulse_project *project,
                                                     const struct pulse_needs *needs, struct lh_faults *faults,
                                                     struct cli_sources *sources, struct lh_error *error);
/* Files by their paths. */
LH_NODISCARD enum lh_status cli_sources_open_files(struct lh_arena *arena, const char *const *paths, size_t count,
                                                   struct lh_faults *faults, struct cli_sources *sources,
                                                   struct lh_error *error);
/* Asks the instance what the open ones are. What it cannot read is a fault (LH_ERR_MISSING). */
LH_NODISCARD enum lh_status cli_sources_probe(struct engine_instance *instance, struct lh_faults *faults,
                                              struct cli_sources *sources, struct lh_error *error);
/* SHA-256 of the open ones. */
LH_NODISCARD enum lh_status cli_sources_hash(struct cli_sources *sources, struct lh_error *error);
/* What the compiler has to know, in the arena; NULL when memory is out. A medium without facts counts as an hour
   that fits its track, so that compiling can go on to find the other faults. `project` has the same media. */
struct pulse_media_facts *cli_sources_facts(struct lh_arena *arena, const struct cli_sources *sources,
                                            const struct pulse_project *project);
/* `path` is one of the open files: writing to it would destroy what is read. */
bool cli_sources_contain(const struct cli_sources *sources, const char *path);
void cli_sources_close(struct cli_sources *sources);

#endif
