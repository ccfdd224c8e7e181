/* SPDX-License-Identifier: MIT */
/* The seed of the smoke run of probes' facts: a MIDI file's. */
#include "graph/facts.h"
#include "tests/fuzz/fuzz.h"

uint8_t *fuzz_seed(size_t *size)
{
    static const struct graph_midi_note notes[] = {
        {.at = 0, .track = 1, .size = 3, .bytes = {0x90, 60, 100}},
        {.at = 0.5, .track = 2, .size = 2, .bytes = {0xC0, 7}},
        {.at = 1, .track = 1, .size = 3, .bytes = {0x80, 60, 0}},
    };
    static const struct graph_file_facts facts = {
        .message = "", .format = "", .is_midi = true, .tracks = 2, .length = 4, .notes = notes, .note_count = 3};
    struct lh_writer writer;
    lh_writer_init(&writer);
    graph_facts_write(&writer, &facts);
    *size = writer.size;
    return writer.data;
}
