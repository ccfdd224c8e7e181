/* SPDX-License-Identifier: MIT */
/* The parent's side of a signal instance: a child process (the program loophole-signal) that decodes, renders and encodes.
   It gets the encoded render graph and open descriptors, and gives results through descriptors; it opens no path. The
   conversation is in engine/instance/protocol.h. The parent supervises: a crash, a hang-up or a cancelled render is told
   as a status, never as a dead parent. One thread. */
#ifndef ENGINE_INSTANCE_CLIENT_H
#define ENGINE_INSTANCE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/io/media.h"
#include "engine/run/render.h"

struct engine_instance;

/* Starts the child. `program` is the path of loophole-signal (NULL: beside this program, or LOOPHOLE_SIGNAL). Returns at
   once: the child loads while the caller goes on. */
LH_NODISCARD enum lh_status engine_instance_spawn(const char *program, struct engine_instance **instance, struct lh_error *error);
/* Ends the child (kill and reap). Accepts NULL. */
void engine_instance_free(struct engine_instance *instance);

/* What one medium turned out to be: facts, or an error. */
struct engine_probe {
    enum lh_status status;
    struct engine_media_facts facts;
    struct lh_error error;
};
/* `fds` stay the caller's. */
LH_NODISCARD enum lh_status engine_instance_probe(struct engine_instance *instance, const int *fds, size_t count, struct engine_probe *probes,
                                                  struct lh_error *error);

struct engine_instance_render {
    const struct graph *graph;
    const int *media_fds;  /* graph->media_count */
    const int *output_fds; /* graph->deliverable_count, -1: measure only */
    int scratch_fd;
    uint32_t threads, block; /* as in struct engine_render_job */
    /* Called about 20 times a second, and once when the first block is done, from the calling thread. False cancels. */
    bool (*on_progress)(void *context, const struct engine_progress *progress);
    void *context;
};
/* LH_ERR_CRASHED: the child died; the error says by what signal or status, and the node and frame it was in when known. */
LH_NODISCARD enum lh_status engine_instance_render(struct engine_instance *instance, const struct engine_instance_render *render,
                                                   struct engine_render_result *result, struct lh_error *error);
/* Versions and CPU class as the child reports them; valid after the first probe or render. */
const char *engine_instance_libraries(const struct engine_instance *instance);
const char *engine_instance_cpu_class(const struct engine_instance *instance);

#endif
