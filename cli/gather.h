/* SPDX-License-Identifier: MIT */
/* The files that a project needs, for a farm that does not see them: media, MIDI files and states, opened and hashed.
   What the project knows by its digest alone is left to the farm's media store. */
#ifndef CLI_GATHER_H
#define CLI_GATHER_H

#include "cli/cache.h"
#include "pulse-daemon/compile/compile.h"

struct cli_gathered {
    struct cli_sources files; /* `path` as the project names it; each path once, ascending */
    uint64_t *sizes;          /* by files */
    uint64_t hashed_bytes;    /* of those whose digest was not known */
};

/* Opens what these options need; a file that is not there is a fault (LH_ERR_MISSING at its JSON Pointer), and all are
   tried. Without faults the files are hashed: LH_ERR_IO. */
LH_NODISCARD enum lh_status cli_gather(struct lh_arena *arena, const struct pulse_project *project,
                                       const struct pulse_compile_options *options, struct lh_faults *faults,
                                       struct cli_gathered *gathered, struct lh_error *error);
void cli_gathered_close(struct cli_gathered *gathered);

#endif
