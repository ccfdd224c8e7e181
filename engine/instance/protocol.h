/* SPDX-License-Identifier: MIT */
/* The conversation with a signal instance: what the messages of engine/instance/channel.h mean and hold.

   The parent asks, the child answers; one question at a time. All bodies are little-endian (common/base/bytes.h).

       kind     from     descriptors                              body
       HELLO    child    none                                     u32 version, text libraries, text CPU class
       PROBE    parent   media                                    none
       FACTS    child    none                                     for each medium, in order: its facts or an error
       RENDER   parent   progress page, scratch, media,           threads, block, options, which outputs are wanted,
                         wanted outputs                           and the encoded graph (graph/encode.h)
       RESULT   child    none                                     what was delivered, or an error

       the parent's side                              the child's side
       state      event                 next          state      event                 next
       starting   HELLO                 idle          starting   sends HELLO           idle
       idle       sends PROBE           probing       idle       PROBE                 probing
       probing    FACTS                 idle          probing    sends FACTS           idle
       idle       sends RENDER          rendering     idle       RENDER                rendering
       rendering  RESULT                idle          rendering  sends RESULT          idle
       any        anything else, or     ended         any        anything else, or     exits
                  the child is gone                              the parent is gone

   A question whose body is malformed is answered with an error and changes nothing. Both sides keep to limits for every
   field; texts that come from the child lose their control characters, since they end up on a terminal. */
#ifndef ENGINE_INSTANCE_PROTOCOL_H
#define ENGINE_INSTANCE_PROTOCOL_H

#include "common/base/bytes.h"
#include "engine/instance/client.h"

#define ENGINE_PROTOCOL_VERSION 3
#define ENGINE_LIBRARIES_SIZE 512
#define ENGINE_CPU_CLASS_SIZE 32
#define ENGINE_KERNELS_SIZE 16
#define ENGINE_THREADS_MAX 256

enum engine_message_kind {
    ENGINE_MESSAGE_HELLO = 1,
    ENGINE_MESSAGE_PROBE,
    ENGINE_MESSAGE_FACTS,
    ENGINE_MESSAGE_RENDER,
    ENGINE_MESSAGE_RESULT,
};

struct engine_hello {
    uint32_t version;
    char libraries[ENGINE_LIBRARIES_SIZE];
    char cpu_class[ENGINE_CPU_CLASS_SIZE];
};

void engine_hello_write(struct lh_writer *writer, const struct engine_hello *hello);
/* All readers: LH_ERR_FORMAT for anything that the writer cannot have written; the output is untouched then. */
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

/* `status` LH_OK: `count` deliveries in `result`; otherwise `error` alone. */
void engine_result_write(struct lh_writer *writer, enum lh_status status, const struct engine_render_result *result,
                         size_t count, const struct lh_error *error);
/* Exactly `count` deliveries into result->delivered, or what went wrong into *status and *failure. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_result_read(const void *data, size_t size, struct engine_render_result *result,
                                               size_t count, enum lh_status *status, struct lh_error *failure);

#endif
