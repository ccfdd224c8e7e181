/* SPDX-License-Identifier: MIT */
/* The conversation with a signal instance: what the messages of engine/instance/channel.h mean and hold.

   The parent asks, the child answers; one question at a time. All bodies are little-endian (common/base/bytes.h).

       kind       from     descriptors                            body
       HELLO      child    none                                   u32 version, texts libraries, CPU class, jail
       PROBE      parent   media                                  none
       FACTS      child    none                                   for each medium, in order: its facts or an error
       MIDI       parent   MIDI files                             none
       SCORES     child    none                                   for each file, in order: what it plays or an error
       DESCRIBE   parent   none                                   bundles, and the plugins that are asked for
       DESCRIBED  child    none                                   the plugins' facts and notes, or an error
       TRIAL      parent   page                                   the plugin and how it is tried
       TRIED      child    none                                   what came of it, or an error
       RENDER     parent   page, scratch, media, wanted outputs,  threads, block, options, which outputs are wanted,
                           conformed media, stored frames         and the encoded graph (graph/encode.h)
       RESULT     child    none                                   what was delivered, or an error

       the parent's side                              the child's side
       state      event                 next          state      event                 next
       starting   HELLO                 idle          starting   sends HELLO           idle
       idle       sends a question      asking        idle       a question            answering
       asking     its answer            idle          answering  sends the answer      idle
       any        anything else, or     ended         any        anything else, or     exits
                  the child is gone                              the parent is gone

   Questions are PROBE, MIDI, DESCRIBE, TRIAL and RENDER; the answer to each stands below it. Plugins' code runs only
   for TRIAL and RENDER, whose page (engine/instance/page.h) tells which. In a jail (engine/instance/jail.h) the child
   sees of plugins what its parent started it with.

   A question whose body is malformed is answered with an error and changes nothing. Both sides keep to limits for every
   field; texts that come from the child lose their control characters, since they end up on a terminal. */
#ifndef ENGINE_INSTANCE_PROTOCOL_H
#define ENGINE_INSTANCE_PROTOCOL_H

#include "common/base/bytes.h"
#include "engine/instance/client.h"
#include "engine/instance/jail.h"

#define ENGINE_PROTOCOL_VERSION 5
#define ENGINE_LIBRARIES_SIZE 512
#define ENGINE_CPU_CLASS_SIZE 32
#define ENGINE_KERNELS_SIZE 16
#define ENGINE_THREADS_MAX 256
#define ENGINE_PLUGINS_MAX (1u << 16) /* bundles or plugins of one question */

enum engine_message_kind {
    ENGINE_MESSAGE_HELLO = 1,
    ENGINE_MESSAGE_PROBE,
    ENGINE_MESSAGE_FACTS,
    ENGINE_MESSAGE_RENDER,
    ENGINE_MESSAGE_RESULT,
    ENGINE_MESSAGE_MIDI,
    ENGINE_MESSAGE_SCORES,
    ENGINE_MESSAGE_DESCRIBE,
    ENGINE_MESSAGE_DESCRIBED,
    ENGINE_MESSAGE_TRIAL,
    ENGINE_MESSAGE_TRIED,
};

struct engine_hello {
    uint32_t version;
    char libraries[ENGINE_LIBRARIES_SIZE];
    char cpu_class[ENGINE_CPU_CLASS_SIZE];
    char jail[ENGINE_JAIL_NOTE_SIZE];
};

void engine_hello_write(struct lh_writer *writer, const struct engine_hello *hello);
/* All readers: LH_ERR_FORMAT for anything that the writer cannot have written; the output is untouched then. Of a hello
   of another version, its version is read alone. */
LH_NODISCARD enum lh_status engine_hello_read(const void *data, size_t size, struct engine_hello *hello);

/* `count` probes. Their errors' codes follow their status. */
void engine_facts_write(struct lh_writer *writer, const struct engine_probe *probes, size_t count);
LH_NODISCARD enum lh_status engine_facts_read(const void *data, size_t size, struct engine_probe *probes, size_t count);

/* What is asked for, apart from the descriptors. */
struct engine_request {
    uint32_t threads, block;
    bool report;
    bool keeps;                        /* conformed media are looked at afterwards */
    char kernels[ENGINE_KERNELS_SIZE]; /* "": the fastest */
    uint32_t media_count, output_count;
    uint32_t stored_count;    /* each has a descriptor */
    const uint8_t *conformed; /* media_count flags: 1 has a second descriptor, of its conformed samples; none without
                                 `keeps`. Borrowed. */
    const uint8_t *wanted;    /* output_count flags: 1 has a descriptor, 0 is only measured. Borrowed. */
    const uint8_t *graph;     /* encoded; borrowed */
    size_t graph_size;
};

/* The head of a RENDER body; the encoded graph is to be written right behind it. `graph` is not looked at. */
void engine_request_write(struct lh_writer *writer, const struct engine_request *request);
LH_NODISCARD enum lh_status engine_request_read(const void *data, size_t size, struct engine_request *request);

/* What came of one deliverable, as part of a body or of a file. The reader is failed by what cannot have been written,
   and nothing that it gave is then of use. */
void engine_delivered_write(struct lh_writer *writer, const struct engine_delivered *delivered);
void engine_delivered_read(struct lh_reader *reader, struct engine_delivered *delivered);

/* `status` LH_OK: the deliveries and inserts of `graph`, of which only the tables' sizes are looked at; otherwise
   `error` alone. */
void engine_result_write(struct lh_writer *writer, enum lh_status status, const struct engine_render_result *result,
                         const struct graph *graph, const struct lh_error *error);
/* Exactly the graph's deliveries and inserts into result->delivered and result->inserted (which may be NULL: nobody
   wants them), or what went wrong into *status and *failure. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_result_read(const void *data, size_t size, const struct graph *graph,
                                               struct engine_render_result *result, enum lh_status *status,
                                               struct lh_error *failure);

/* Which plugins are to be described: as in engine_instance_describe(). */
struct engine_describe {
    const char *const *bundles;
    size_t bundle_count;
    const char *const *uris;
    size_t uri_count;
};
void engine_describe_write(struct lh_writer *writer, const struct engine_describe *describe);
/* Into the arena. LH_ERR_NO_MEMORY, as all that take an arena. */
LH_NODISCARD enum lh_status engine_describe_read(const void *data, size_t size, struct lh_arena *arena,
                                                 struct engine_describe *describe);

/* What was found. */
struct engine_described {
    struct graph_plugin_facts *facts;
    size_t fact_count;
    const char *notes; /* lines, at most ENGINE_NOTES_BYTES_MAX; what is more is cut */
};
#define ENGINE_NOTES_BYTES_MAX (1u << 20)
void engine_described_write(struct lh_writer *writer, enum lh_status status, const struct engine_described *described,
                            const struct lh_error *error);
LH_NODISCARD enum lh_status engine_described_read(const void *data, size_t size, struct lh_arena *arena,
                                                  struct engine_described *described, enum lh_status *status,
                                                  struct lh_error *failure);

void engine_trial_write(struct lh_writer *writer, const struct engine_trial *trial);
LH_NODISCARD enum lh_status engine_trial_read(const void *data, size_t size, struct lh_arena *arena,
                                              struct engine_trial *trial);
void engine_tried_write(struct lh_writer *writer, enum lh_status status, const struct engine_trial_result *result,
                        const struct lh_error *error);
LH_NODISCARD enum lh_status engine_tried_read(const void *data, size_t size, struct engine_trial_result *result,
                                              enum lh_status *status, struct lh_error *failure);

/* `count` files. One whose events would not fit into the body any more is written as LH_ERR_LIMIT. What is read is the
   caller's to end. */
void engine_scores_write(struct lh_writer *writer, const struct engine_midi_probe *files, size_t count);
LH_NODISCARD enum lh_status engine_scores_read(const void *data, size_t size, struct engine_midi_probe *files,
                                               size_t count);

#endif
