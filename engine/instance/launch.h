/* SPDX-License-Identifier: MIT */
/* What a signal instance is started with: its arguments, and an environment in which nothing of the user's changes the
   sound. */
#ifndef ENGINE_INSTANCE_LAUNCH_H
#define ENGINE_INSTANCE_LAUNCH_H

#include "common/base/arena.h"
#include "engine/instance/client.h"

struct engine_launch {
    const char *program;
    char *const *arguments;   /* NULL at the end; the first is the program */
    char *const *environment; /* the same */
    uint64_t memory_bytes;    /* of address space; 0: not bounded */
    uint32_t hang_ms;
};

/* `scratch`: the instance's own folder, or "" when there is none. Texts are borrowed or in the arena. LH_ERR_NO_MEMORY.
 */
LH_NODISCARD enum lh_status engine_launch_compose(const struct engine_instance_options *options, const char *program,
                                                  const char *scratch, struct lh_arena *arena,
                                                  struct engine_launch *launch);

#endif
