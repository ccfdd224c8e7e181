/* SPDX-License-Identifier: MIT */
/* What a probe shard says of one file, as values and as canonical bytes: the blob of a FACTS output. A file that cannot
   be read is a fact too: trying again would not help. Any thread. */
#ifndef GRAPH_FACTS_H
#define GRAPH_FACTS_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "graph/keys.h"

#define GRAPH_FACTS_TEXT_MAX 512
#define GRAPH_FACTS_EVENTS_MAX (1u << 22)

struct graph_midi_note { /* one channel message of a MIDI file, in the file's own time */
    double at;           /* quarter notes, or seconds, from the file's start; never decreases */
    uint32_t track;      /* 1 = the file's first */
    uint32_t size;       /* 1..3 */
    uint8_t bytes[4];    /* unused ones are 0 */
};

struct graph_file_facts {
    enum lh_status status; /* LH_OK, or why it cannot be read: LH_ERR_FORMAT, LH_ERR_LIMIT, LH_ERR_UNSUPPORTED */
    const char *message;   /* of that; "" */
    bool is_midi;
    /* a medium */
    uint64_t frames;
    uint32_t rate, channels;
    bool lossy;         /* not exact to seek in: conformed even at the project's rate */
    uint32_t bits;      /* of a sample as stored; 0 for lossy */
    const char *format; /* "WAV, 24 bit", for reports; "" */
    /* MIDI */
    bool seconds;
    uint32_t tracks;
    double length;
    const struct graph_midi_note *notes;
    size_t note_count;
};

/* The key of the output that holds them: the file's digest, which of the two, and the versions of the libraries. */
LH_NODISCARD enum lh_status graph_key_facts(const struct lh_digest *file, bool is_midi,
                                            const struct graph_key_context *context, struct lh_digest *key);
void graph_facts_write(struct lh_writer *writer, const struct graph_file_facts *facts);
/* Texts and notes are copied to the arena. LH_ERR_FORMAT on anything that graph_facts_write() would not have written;
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status graph_facts_read(const void *data, size_t size, struct lh_arena *arena,
                                             struct graph_file_facts *facts);

#endif
