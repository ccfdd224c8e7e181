/* SPDX-License-Identifier: MIT */
/* The table has an entry where a tempo or a time signature begins, and along ramps every so many frames. It depends on
   the project alone, not on what is delivered of it, as do the keys of what plugins render. */
#include "pulse-daemon/compile/musical_time.h"

#include <math.h>
#include <stdio.h>

#include "pulse-daemon/compile/inserts.h"

#define SECONDS_PER_MINUTE 60.0
#define QUARTERS_PER_WHOLE 4.0
#define SUFFIX_SIZE 64
#define BAR_TOLERANCE 1e-9 /* bars: rounding of beats must not tear a bar line off its bar */

/* A time signature from where it begins. */
struct metre {
    int64_t frame;
    double beats; /* there; a new signature begins a new bar */
    int64_t bar;
    double length; /* of a bar, quarter notes */
    uint32_t numerator, denominator;
};

struct table {
    struct pulse_compiling *c;
    struct metre *metres;
    size_t metre_count;
    struct graph_tempo *entries;
    size_t count, capacity;
};

static bool uses_plugins(const struct pulse_compiling *c)
{
    for (size_t i = 0; i < c->project->track_count; i++) {
        for (size_t k = 0; k < c->inserts[i].count; k++) {
            if (!c->inserts[i].items[k].bypassed) {
                return true;
            }
        }
    }
    return false;
}

/* Signatures at one frame: the last wins. One past all time is never reached. */
static enum lh_status read_metres(struct table *table)
{
    struct pulse_compiling *c = table->c;
    const struct pulse_project *project = c->project;
    table->metres = lh_arena_array(&c->arena, project->signature_count + 1, sizeof *table->metres);
    if (table->metres == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    struct metre metre = {.length = QUARTERS_PER_WHOLE, .numerator = 4, .denominator = 4};
    table->metres[table->metre_count++] = metre;
    for (size_t i = 0; i < project->signature_count; i++) {
        const struct pulse_time_signature *signature = &project->signatures[i];
        struct metre *last = &table->metres[table->metre_count - 1];
        if (!pulse_tempo_frame(&c->tempo, signature->at, &metre.frame)) {
            break;
        }
        if (metre.frame < last->frame) {
            char suffix[SUFFIX_SIZE];
            snprintf(suffix, sizeof suffix, "/timeSignatures/%zu/at", i);
            pulse_fault(c, c->project->json, suffix, LH_ERR_INVALID, "the time signature comes before the last one");
            break;
        }
        metre.beats = pulse_tempo_beat(&c->tempo, signature->at);
        metre.bar = last->bar + (int64_t)ceil((metre.beats - last->beats) / last->length - BAR_TOLERANCE);
        metre.numerator = signature->numerator;
        metre.denominator = signature->denominator;
        metre.length = QUARTERS_PER_WHOLE * metre.numerator / metre.denominator;
        if (metre.frame == last->frame) {
            metre.bar = last->bar;
            *last = metre;
        } else {
            table->metres[table->metre_count++] = metre;
        }
    }
    return LH_OK;
}

static double beats_at(const struct pulse_tempo_map *map, int64_t frame)
{
    return pulse_tempo_beats(map, (double)frame / map->rate);
}

static enum lh_status add_entry(struct table *table, int64_t frame, double beats, double bpm, const struct metre *metre)
{
    struct pulse_compiling *c = table->c;
    if (table->count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
        if (capacity > PULSE_TEMPO_ENTRIES_MAX) {
            return LH_ERR_LIMIT;
        }
        struct graph_tempo *entries = lh_arena_array(&c->arena, capacity, sizeof *entries);
        if (entries == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        for (size_t i = 0; i < table->count; i++) {
            entries[i] = table->entries[i];
        }
        table->entries = entries;
        table->capacity = capacity;
    }
    double bars = floor((beats - metre->beats) / metre->length + BAR_TOLERANCE);
    bars = bars > 0.0 ? bars : 0.0;
    double in_bar = (beats - metre->beats - bars * metre->length) * metre->denominator / QUARTERS_PER_WHOLE;
    table->entries[table->count++] = (struct graph_tempo){.frame = frame,
                                                          .beats = beats,
                                                          .bpm = bpm,
                                                          .bar = metre->bar + (int64_t)bars,
                                                          .bar_beat = fmin(fmax(in_bar, 0.0), metre->numerator),
                                                          .numerator = metre->numerator,
                                                          .denominator = metre->denominator};
    return LH_OK;
}

/* Where a stretch of the tempo map begins. */
static int64_t stretch_frame(const struct pulse_tempo_map *map, size_t index)
{
    double frame = rint(map->stretches[index].seconds * map->rate);
    return frame < (double)GRAPH_FRAMES_MAX ? (int64_t)frame : GRAPH_FRAMES_MAX;
}

/* From `start` to `end`, in one stretch and one signature. Along a ramp each entry has the tempo that leads from its
   beat to the next one's. */
static enum lh_status add_piece(struct table *table, const struct pulse_tempo_stretch *stretch,
                                const struct metre *metre, int64_t start, int64_t end)
{
    const struct pulse_tempo_map *map = &table->c->tempo;
    if (stretch->slope == 0.0) {
        return add_entry(table, start, beats_at(map, start), stretch->bpm, metre);
    }
    if ((end - start) / PULSE_TEMPO_CELL_FRAMES > (int64_t)(PULSE_TEMPO_ENTRIES_MAX - table->count)) {
        return LH_ERR_LIMIT; /* told at once, not after a million of them */
    }
    enum lh_status status = LH_OK;
    double next_beats = beats_at(map, start);
    for (int64_t at = start; status == LH_OK && at < end; at += PULSE_TEMPO_CELL_FRAMES) {
        int64_t next = end - at > PULSE_TEMPO_CELL_FRAMES ? at + PULSE_TEMPO_CELL_FRAMES : end;
        double beats = next_beats;
        next_beats = beats_at(map, next);
        double bpm = (next_beats - beats) * map->rate * SECONDS_PER_MINUTE / (double)(next - at);
        status = add_entry(table, at, beats, bpm, metre);
    }
    return status;
}

/* Cuts time at the beginnings of stretches and signatures. */
static enum lh_status add_pieces(struct table *table)
{
    const struct pulse_tempo_map *map = &table->c->tempo;
    size_t stretch = 0, metre = 0;
    enum lh_status status = LH_OK;
    for (int64_t at = 0; status == LH_OK && at < GRAPH_FRAMES_MAX;) {
        while (stretch + 1 < map->count && stretch_frame(map, stretch + 1) <= at) {
            stretch++;
        }
        while (metre + 1 < table->metre_count && table->metres[metre + 1].frame <= at) {
            metre++;
        }
        int64_t end = GRAPH_FRAMES_MAX;
        if (stretch + 1 < map->count) {
            end = stretch_frame(map, stretch + 1);
        }
        if (metre + 1 < table->metre_count && table->metres[metre + 1].frame < end) {
            end = table->metres[metre + 1].frame;
        }
        status = add_piece(table, &map->stretches[stretch], &table->metres[metre], at, end);
        at = end;
    }
    return status;
}

enum lh_status pulse_musical_time_compile(struct pulse_compiling *c)
{
    struct table table = {.c = c};
    if (!uses_plugins(c)) {
        return LH_OK;
    }
    enum lh_status status = read_metres(&table);
    status = status == LH_OK ? add_pieces(&table) : status;
    if (status == LH_ERR_LIMIT) {
        pulse_fault(c, c->project->json, "/tempo", LH_ERR_LIMIT,
                    "the tempo ramps for more than %.1f hours, which is more than plugins can be told: shorten the "
                    "ramps",
                    (double)PULSE_TEMPO_ENTRIES_MAX * PULSE_TEMPO_CELL_FRAMES / c->tempo.rate / 3600.0);
        return LH_OK;
    }
    return status == LH_OK ? graph_builder_set_tempo(c->builder, table.entries, table.count) : status;
}
