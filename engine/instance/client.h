/* SPDX-License-Identifier: MIT */
/* The parent's side of a signal instance: a child process (the program loophole-signal) that decodes, renders and
   encodes. It gets the encoded render graph and open descriptors, and gives results through descriptors; it opens no
   path. The conversation is in engine/instance/protocol.h. The parent supervises: a crash, a hang-up or a cancelled
   render is told as a status, never as a dead parent. One thread, which must live as long as the instance: the kernel
   kills the child when the thread that started it ends. After LH_ERR_CRASHED or LH_ERR_CANCELLED of a child that had to
   be killed, every further call is LH_ERR_CRASHED. */
#ifndef ENGINE_INSTANCE_CLIENT_H
#define ENGINE_INSTANCE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/io/media.h"
#include "engine/run/render.h"

struct engine_instance;

/* Starts the child. `program` is the path of loophole-signal (NULL: found as engine/instance/locate.h says). Returns at
   once: the child loads while the caller goes on. Raises this process' limit of open files to what is allowed. */
LH_NODISCARD enum lh_status engine_instance_spawn(const char *program, struct engine_instance **instance,
                                                  struct lh_error *error);
/* While the child is waited for outside of a render (its start, a probe), `go_on` is called about 20 times a second and
   after every signal that this thread handled. False ends the child: the call returns LH_ERR_CANCELLED. NULL: never. */
void engine_instance_watch(struct engine_instance *instance, bool (*go_on)(void *context), void *context);
/* Ends the child (kill and reap). Accepts NULL. */
void engine_instance_free(struct engine_instance *instance);

/* What one medium turned out to be: facts, or an error. */
struct engine_probe {
    enum lh_status status;
    struct engine_media_facts facts;
    struct lh_error error;
};
/* `fds` stay the caller's. */
LH_NODISCARD enum lh_status engine_instance_probe(struct engine_instance *instance, const int *fds, size_t count,
                                                  struct engine_probe *probes, struct lh_error *error);

struct engine_instance_render {
    const struct graph *graph;
    const int *media_fds;     /* graph->media_count */
    const int *conformed_fds; /* as in struct engine_render_job */
    const int *output_fds;    /* graph->deliverable_count, -1: measure only */
    int scratch_fd;
    uint32_t threads, block; /* as in struct engine_render_job */
    bool report;             /* the same */
    const char *kernels;     /* name of a set of kernels; NULL: LOOPHOLE_KERNELS, or the fastest */
    /* Called about 20 times a second, and once when the first block is done, from the calling thread. False cancels. */
    bool (*on_progress)(void *context, const struct engine_progress *progress);
    void *context;
};
/* result->delivered is the caller's, with room for all deliverables. LH_ERR_CRASHED: the child died; the error says by
   what signal or exit status. LH_ERR_CANCELLED: on_progress said so; a child that does not end within a second is
   killed. */
LH_NODISCARD enum lh_status engine_instance_render(struct engine_instance *instance,
                                                   const struct engine_instance_render *render,
                                                   struct engine_render_result *result, struct lh_error *error);
/* Versions and CPU class as the child reports them; valid after the first probe or render. */
const char *engine_instance_libraries(const struct engine_instance *instance);
const char *engine_instance_cpu_class(const struct engine_instance *instance);

#endif
