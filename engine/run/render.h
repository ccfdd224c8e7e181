/* SPDX-License-Identifier: MIT */
/* The anticipative render: one graph, all its deliverables, no deadline. Conforms media, then runs each range once over
   a pool of threads, block by block, and encodes as it goes. Deliverables that wait for a measurement (loudness, a tail
   that ends by itself) are spilled to the scratch file and written at the end.
   The bits do not depend on threads or block (docs/sound.md). */
#ifndef ENGINE_RUN_RENDER_H
#define ENGINE_RUN_RENDER_H

#include <stdatomic.h>

#include "engine/dsp/kernels.h"
#include "engine/host/host.h"
#include "engine/io/encode.h"
#include "engine/io/meter.h"
#include "graph/graph.h"

/* Raised by one when native nodes change what they sound like: enters every render key. */
#define ENGINE_SOUND_VERSION 1

#define ENGINE_BLOCK_MAX (1 << 20) /* frames */

/* What the outside may look at while a render runs; lives in shared memory. Relaxed atomics: hints, not results. */
struct engine_progress {
    _Atomic uint64_t done;           /* units of work done ... */
    _Atomic uint64_t total;          /* ... of this many, 0 until known */
    _Atomic uint64_t frames;         /* rendered frames, for x-realtime */
    _Atomic uint64_t first_block_ns; /* CLOCK_MONOTONIC when the first block of sound was complete; 0 before */
    _Atomic int cancel;              /* the outside sets it: the render ends soon with LH_ERR_CANCELLED */
};

/* A clock, injected: nanoseconds, monotonic. */
typedef uint64_t engine_clock(void);

struct engine_render_job {
    const struct graph *graph;
    const int *media_fds; /* graph->media_count, readable; not looked at when every range is empty (see below) */
    /* NULL, or graph->media_count: a file of exactly what conforming this medium would give (engine/run/conformed.h),
       which is used instead; -1: there is none. NULL also says that nobody will look at conformed media afterwards:
       then they end with the last frame that is played. */
    const int *conformed_fds;
    const int *stored_fds; /* graph->stored_count, readable files of exactly the frames; NULL: it has none */
    const int
        *output_fds;  /* graph->deliverable_count, writable; -1: measure only (a deliverable needed for its gain) */
    int scratch_fd;   /* readable and writable, empty; used at absolute offsets */
    uint32_t threads; /* 1..256 */
    uint32_t block;   /* frames, a multiple of the quantum, at most ENGINE_BLOCK_MAX; 0: chosen by the planner */
    struct engine_progress *progress; /* never NULL */
    engine_clock *clock;
    engine_clock *cpu_clock; /* of what this process has computed, all threads; NULL: waiting for a processor counts */
    bool report;             /* measure and digest every deliverable; false: only what a loudness target needs */
    /* Selected for the whole process from here on; NULL: the fastest of this CPU. The bits are the same. */
    const struct engine_kernels *kernels;
    struct engine_host *host;   /* knows the graph's plugins; NULL when it has none */
    struct engine_watch *watch; /* who is inside which plugin; may be NULL */
    const char *scratch_folder; /* that plugins may write files to; NULL: none */
};

/* What came of one deliverable. */
struct engine_delivered {
    struct engine_encoded file;
    bool has_loudness;               /* measured and reached are filled */
    struct engine_loudness measured; /* before a loudness gain */
    struct engine_loudness reached;  /* as delivered, before dither; without a report: computed from the gain */
    double gain_db;                  /* loudness gain applied, 0 when none */
    int64_t tail_frames;             /* project frames past the range's end that were delivered */
};

/* What came of one PLUGIN node. */
struct engine_inserted {
    uint32_t node;        /* of the graph */
    uint32_t latency;     /* frames, as latched before the render and removed */
    uint32_t copies;      /* instances that share the node's channels */
    bool latency_changed; /* it reported another one while it ran: the sound may be shifted from there on */
    double seconds;       /* that its task took, its native inputs included; see struct engine_times */
};

/* Where the time went: seconds that tasks of each kind took by the job's clock, summed over the threads. With a
   cpu_clock, all but `wall` are scaled down by one factor until they are no more than was computed: on a busy machine
   everybody waits alike, and what work costs must not depend on who else is there. */
struct engine_times {
    double conform, mix, plugins, meter, encode, wall;
};

struct engine_render_result {
    struct engine_delivered *delivered; /* graph->deliverable_count, caller's */
    struct engine_times times;
    uint32_t block, blocks_in_flight; /* as chosen */
    uint64_t conformed_media;
    struct engine_inserted *inserted; /* graph->insert_count, caller's; by insert */
};

/* A graph whose deliverables have empty ranges and no tails is a question: every plugin is made, its latency measured
 and told, and nothing is played or converted (unless conformed_fds asks for the latter). LH_ERR_FAULT: a named node
 fault ("track kick, clips, frame 4711: the sample is not a number"). Nothing outlives the
 * call. */
LH_NODISCARD enum lh_status engine_render(const struct engine_render_job *job, struct engine_render_result *result,
                                          struct lh_error *error);

#endif
