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

#include "engine/host/trial.h"
#include "engine/io/media.h"
#include "engine/io/midi.h"
#include "engine/run/render.h"

struct engine_instance;

/* How a child is started. Zeroed: as a render wants it. */
struct engine_instance_options {
    const char *program; /* path of loophole-signal; NULL: found as engine/instance/locate.h says */
    bool no_jail;        /* for debugging: the child may do what its user may */
    /* Folders and files that it may read beside the system's libraries and shared data: LV2 bundles, the project's
       folder when states refer to files there. */
    const char *const *readable;
    size_t readable_count;
    const char *const *environment; /* "NAME=VALUE", beside what it always gets */
    size_t environment_count;
    uint64_t memory_bytes; /* of address space; 0: three quarters of the machine's memory, at least 4 GiB */
    uint32_t
        hang_ms; /* a plugin's call that takes longer is a hang: the child is killed; 0: $LOOPHOLE_HANG_MS or 30 000 */
};

/* Starts the child (`options` NULL: all zero). Returns at once: the child loads while the caller goes on. Raises this
   process' limit of open files to what is allowed. What plugins write goes to a folder of the instance's own, beneath
   $TMPDIR, which goes with it. */
LH_NODISCARD enum lh_status engine_instance_spawn(const struct engine_instance_options *options,
                                                  struct engine_instance **instance, struct lh_error *error);
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

/* Reads the data of plugins in these bundles, without running any of their code: all of them, or (uri_count > 0) those
   that are asked for. `facts` holds those that were found, in the order of the bundles or of the URIs; in the arena.
   A plugin whose data make no sense is left out, and told of in `notes` (lines of text, in the arena). */
LH_NODISCARD enum lh_status engine_instance_describe(struct engine_instance *instance, struct lh_arena *arena,
                                                     const char *const *bundles, size_t bundle_count,
                                                     const char *const *uris, size_t uri_count,
                                                     struct graph_plugin_facts **facts, size_t *fact_count,
                                                     const char **notes, struct lh_error *error);

/* What each MIDI file plays; `midi` has `count` entries, each the caller's to end with engine_midi_fini() when its
   status is LH_OK. `fds` stay the caller's. */
struct engine_midi_probe {
    enum lh_status status;
    struct engine_midi midi;
    struct lh_error error;
};
LH_NODISCARD enum lh_status engine_instance_read_midi(struct engine_instance *instance, const int *fds, size_t count,
                                                      struct engine_midi_probe *midi, struct lh_error *error);

/* One trial of a plugin (engine/host/trial.h), in this child. LH_ERR_CRASHED: it ended the child, or hung; the error
   says how. */
LH_NODISCARD enum lh_status engine_instance_try(struct engine_instance *instance, const struct engine_trial *trial,
                                                struct engine_trial_result *result, struct lh_error *error);

struct engine_instance_render {
    const struct graph *graph;
    const int *media_fds;     /* graph->media_count */
    const int *conformed_fds; /* as in struct engine_render_job */
    const int *stored_fds;    /* the same */
    const int *output_fds;    /* graph->deliverable_count, -1: measure only */
    int scratch_fd;
    uint32_t threads, block; /* as in struct engine_render_job */
    bool report;             /* the same */
    const char *kernels;     /* name of a set of kernels; NULL: LOOPHOLE_KERNELS, or the fastest */
    /* Called about 20 times a second, once when the first block is done and once after the last one, from the calling
       thread. False cancels, unless it is done. */
    bool (*on_progress)(void *context, const struct engine_progress *progress);
    void *context;
    bool abrupt; /* when cancelled the child is killed at once, which is then of no further use, not given a second */
};
/* result->delivered and result->inserted are the caller's, with room for all. LH_ERR_CRASHED: the child died, or a
   plugin hung and it was killed; the error says by what signal or exit status and, when a plugin's code was running,
   names node, plugin and frame. LH_ERR_CANCELLED: on_progress said so; a child that does not end within a second is
   killed. */
LH_NODISCARD enum lh_status engine_instance_render(struct engine_instance *instance,
                                                   const struct engine_instance_render *render,
                                                   struct engine_render_result *result, struct lh_error *error);
/* After LH_ERR_CRASHED: whether somebody else ended the child by a signal that asks no program (SIGKILL, perhaps for
   want of memory) or that programs end by (SIGTERM), so that what it did is not to blame. */
bool engine_instance_was_killed(const struct engine_instance *instance);
/* Versions, CPU class and what holds of the jail ("off"; "seccomp, landlock 7") as the child reports them; valid after
   the first question. */
const char *engine_instance_libraries(const struct engine_instance *instance);
const char *engine_instance_cpu_class(const struct engine_instance *instance);
const char *engine_instance_jail(const struct engine_instance *instance);

#endif
