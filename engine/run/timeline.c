/* SPDX-License-Identifier: MIT */
/* Cuts and values of parameters, events that were chased and released, positions. */
#include "engine/run/timeline.h"

#include <stdlib.h>

#define CHANNELS 16u
#define KEYS 128u
#define REGISTERED_MAX 96u /* with all controllers of all channels these fit into an event port of 64 KiB */
#define NO_EVENT UINT32_MAX
#define NO_VALUE 0xFFu

enum {
    NOTE_OFF = 0x80,
    NOTE_ON = 0x90,
    CONTROLLER = 0xB0,
    PROGRAM = 0xC0,
    PRESSURE = 0xD0,
    BEND = 0xE0,
    BANK = 0,
    DATA = 6,
    BANK_FINE = 32,
    DATA_FINE = 38,
    SUSTAIN = 64,
    SOSTENUTO = 66,
    HOLD = 69,
    INCREMENT = 96,
    DECREMENT = 97,
    UNREGISTERED_FINE = 98,
    UNREGISTERED = 99,
    REGISTERED = 101,
    RESET_CONTROLLERS = 121,
};

static int64_t cell_of(int64_t frame)
{
    return frame / ENGINE_RAMP_FRAMES * ENGINE_RAMP_FRAMES;
}

/* ---- parameters ---- */

static int64_t cut_motion(const struct graph *graph, struct engine_motion *motion, int64_t from, int64_t to)
{
    const struct graph_curve *curve = &graph->curves[motion->curve];
    const struct graph_point *points = graph->points + curve->first;
    int64_t cell = cell_of(from);
    while (motion->cursor + 1 < curve->count && points[motion->cursor + 1].frame <= cell) {
        motion->cursor++;
    }
    for (uint32_t i = motion->cursor; i + 1 < curve->count && points[i].frame < to; i++) {
        const struct graph_point *a = &points[i];
        const struct graph_point *b = &points[i + 1];
        if (a->frame == b->frame) {
            to = a->frame > from ? a->frame : to;
        } else if (a->value != b->value) {
            int64_t moving = a->frame > from ? a->frame : from;
            int64_t next = cell_of(moving) + ENGINE_RAMP_FRAMES;
            to = next < to && next - ENGINE_RAMP_FRAMES < b->frame ? next : to;
        }
    }
    return to;
}

/* The entry that holds at a frame, from one that held before. */
static uint32_t tempo_at(const struct graph *graph, uint32_t entry, int64_t frame)
{
    while (entry + 1 < graph->tempo_count && graph->tempo[entry + 1].frame <= frame) {
        entry++;
    }
    return entry;
}

/* The musical time is told for the first frame of a run. */
static int64_t cut_tempo(const struct engine_timeline *timeline, int64_t from, int64_t to)
{
    const struct graph *graph = timeline->graph;
    uint32_t next = tempo_at(graph, timeline->tempo == GRAPH_NONE ? 0 : timeline->tempo, from) + 1;
    return next < graph->tempo_count && graph->tempo[next].frame < to ? graph->tempo[next].frame : to;
}

int64_t engine_timeline_cut(struct engine_timeline *timeline, int64_t from, int64_t to)
{
    to = cut_tempo(timeline, from, to);
    for (uint32_t i = 0; i < timeline->motion_count; i++) {
        to = cut_motion(timeline->graph, &timeline->motions[i], from, to);
    }
    return to;
}

static enum lh_status find_motions(struct engine_timeline *timeline, const struct graph_insert *insert)
{
    const struct graph *graph = timeline->graph;
    timeline->motions = calloc((size_t)insert->parameter_count + 1, sizeof *timeline->motions);
    if (timeline->motions == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t p = 0; p < insert->parameter_count; p++) {
        uint32_t curve = graph->parameters[insert->parameter_first + p].curve;
        float value;
        if (!graph_curve_is_constant(graph, curve, &value)) {
            timeline->motions[timeline->motion_count++] = (struct engine_motion){.parameter = p, .curve = curve};
        }
    }
    return LH_OK;
}

/* ---- events ---- */

/* What a channel was last told. */
struct chased {
    bool controllers[KEYS];
    bool program, pressure, bend;
};

static bool is_data_entry(uint8_t number)
{
    return number == DATA || number == DATA_FINE;
}

static bool is_selection(uint8_t number)
{
    return number >= UNREGISTERED_FINE && number <= REGISTERED;
}

/* Whether an event sets something that outlives it and that no later one has set: asked from the last to the first.
   Registered parameters are not asked for here. */
static bool is_chased(struct chased *channels, const struct graph_event *event)
{
    struct chased *channel = &channels[event->bytes[0] & 0x0F];
    uint8_t number = event->bytes[1] & 0x7F;
    bool *seen;
    switch (event->bytes[0] & 0xF0) {
    case CONTROLLER:
        if ((number >= 120 && number != RESET_CONTROLLERS) || is_data_entry(number) || is_selection(number) ||
            number == INCREMENT || number == DECREMENT) {
            return false;
        }
        seen = &channel->controllers[number];
        break;
    case PROGRAM:
        seen = &channel->program;
        break;
    case PRESSURE:
        seen = &channel->pressure;
        break;
    case BEND:
        seen = &channel->bend;
        break;
    default:
        return false;
    }
    bool wanted = !*seen;
    *seen = true;
    if (wanted && seen == &channel->program) {
        /* A program takes the bank that was selected before it; one selected since is for the next. */
        channel->controllers[BANK] = channel->controllers[BANK_FINE] = false;
    }
    return wanted;
}

/* The controllers that select a registered (or unregistered) parameter: events by index, NO_EVENT: none. */
struct selection {
    uint32_t coarse, fine;
};

/* A parameter that data were entered for. */
struct registered {
    uint8_t channel, unregistered, coarse, fine;
    struct {
        uint32_t event;
        struct selection selection;
    } data[2]; /* DATA and DATA_FINE */
    uint32_t last;
};

/* What registered parameters were set to. A bounded number: the first chunk must fit into a port. */
struct registry {
    struct registered parameters[REGISTERED_MAX];
    uint32_t count;
    struct selection selected[CHANNELS][2]; /* [1]: unregistered */
    uint8_t unregistered[CHANNELS];         /* which of the two was selected last */
};

static uint8_t value_of(const struct graph_event *events, uint32_t event)
{
    return event == NO_EVENT ? NO_VALUE : events[event].bytes[2];
}

/* The entry of the parameter, or a free one, or that which was set longest ago. */
static struct registered *find_registered(struct registry *registry, const struct registered *wanted)
{
    struct registered *oldest = &registry->parameters[0];
    for (uint32_t i = 0; i < registry->count; i++) {
        struct registered *entry = &registry->parameters[i];
        if (entry->channel == wanted->channel && entry->unregistered == wanted->unregistered &&
            entry->coarse == wanted->coarse && entry->fine == wanted->fine) {
            return entry;
        }
        oldest = entry->last < oldest->last ? entry : oldest;
    }
    oldest = registry->count < REGISTERED_MAX ? &registry->parameters[registry->count++] : oldest;
    *oldest = *wanted;
    return oldest;
}

static void enter_data(struct registry *registry, const struct graph_event *events, uint32_t index)
{
    uint8_t channel = events[index].bytes[0] & 0x0F;
    uint8_t unregistered = registry->unregistered[channel];
    struct selection selection = registry->selected[channel][unregistered];
    struct registered wanted = {.channel = channel,
                                .unregistered = unregistered,
                                .coarse = value_of(events, selection.coarse),
                                .fine = value_of(events, selection.fine),
                                .data = {{.event = NO_EVENT}, {.event = NO_EVENT}}};
    bool none =
        (selection.coarse == NO_EVENT && selection.fine == NO_EVENT) || (wanted.coarse == 127 && wanted.fine == 127);
    if (!none) {
        struct registered *entry = find_registered(registry, &wanted);
        bool fine = events[index].bytes[1] == DATA_FINE;
        entry->data[fine].event = entry->last = index;
        entry->data[fine].selection = selection;
    }
}

static void deselect(struct registry *registry, uint8_t channel)
{
    const struct selection none = {.coarse = NO_EVENT, .fine = NO_EVENT};
    registry->selected[channel][0] = registry->selected[channel][1] = none;
}

static void follow_registered(struct registry *registry, const struct graph_event *events, uint32_t index)
{
    const struct graph_event *event = &events[index];
    uint8_t channel = event->bytes[0] & 0x0F;
    uint8_t number = event->bytes[1];
    if ((event->bytes[0] & 0xF0) != CONTROLLER) {
        return;
    }
    if (is_data_entry(number)) {
        enter_data(registry, events, index);
    } else if (is_selection(number)) {
        registry->unregistered[channel] = number <= UNREGISTERED;
        struct selection *selection = &registry->selected[channel][number <= UNREGISTERED];
        *(number == REGISTERED || number == UNREGISTERED ? &selection->coarse : &selection->fine) = index;
    } else if (number == RESET_CONTROLLERS) {
        deselect(registry, channel);
    }
}

static void keep_selection(bool *kept, struct selection selection)
{
    if (selection.coarse != NO_EVENT) {
        kept[selection.coarse] = true;
    }
    if (selection.fine != NO_EVENT) {
        kept[selection.fine] = true;
    }
}

/* Of each parameter the last data with what selects it; at last what is selected. All in their order, so that whatever
   is kept in between was selected by events that are kept too. */
static void keep_registered(bool *kept, const struct graph_event *events, uint32_t count)
{
    struct registry registry = {.count = 0};
    for (uint8_t c = 0; c < CHANNELS; c++) {
        deselect(&registry, c);
    }
    for (uint32_t i = 0; i < count; i++) {
        follow_registered(&registry, events, i);
    }
    for (uint32_t p = 0; p < registry.count; p++) {
        for (int d = 0; d < 2; d++) {
            if (registry.parameters[p].data[d].event != NO_EVENT) {
                kept[registry.parameters[p].data[d].event] = true;
                keep_selection(kept, registry.parameters[p].data[d].selection);
            }
        }
    }
    for (uint8_t c = 0; c < CHANNELS; c++) {
        keep_selection(kept, registry.selected[c][registry.unregistered[c]]);
    }
}

/* Those of the first `count` events that still matter, moved to `begin`, in their order: a bank belongs to the program
   after it and a reset undoes what was before it. */
static enum lh_status chase(struct engine_timeline *timeline, const struct graph_event *events, uint32_t count,
                            int64_t begin)
{
    bool *kept = calloc((size_t)count + 1, sizeof *kept);
    if (kept == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    keep_registered(kept, events, count);
    struct chased channels[CHANNELS] = {0};
    for (uint32_t i = count; i-- > 0;) {
        kept[i] = is_chased(channels, &events[i]) || kept[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        if (kept[i]) {
            timeline->events[timeline->event_count] = events[i];
            timeline->events[timeline->event_count++].frame = begin;
        }
    }
    free(kept);
    return LH_OK;
}

/* What holds a note: its key or a pedal. */
struct sounding {
    bool keys[KEYS];
    bool pedals[KEYS]; /* by controller */
};

static void follow(struct sounding *channels, const struct graph_event *event)
{
    struct sounding *channel = &channels[event->bytes[0] & 0x0F];
    uint8_t number = event->bytes[1] & 0x7F;
    switch (event->bytes[0] & 0xF0) {
    case NOTE_ON:
        channel->keys[number] = event->bytes[2] > 0;
        break;
    case NOTE_OFF:
        channel->keys[number] = false;
        break;
    case CONTROLLER:
        channel->pedals[number] = (number == SUSTAIN || number == SOSTENUTO || number == HOLD) && event->bytes[2] >= 64;
        break;
    default:
        break;
    }
}

static void release(struct engine_timeline *timeline, const struct sounding *channels, int64_t frame)
{
    for (uint8_t c = 0; c < CHANNELS; c++) {
        for (uint8_t n = 0; n < KEYS; n++) {
            if (channels[c].pedals[n]) {
                timeline->events[timeline->event_count++] =
                    (struct graph_event){.frame = frame, .size = 3, .bytes = {(uint8_t)(CONTROLLER | c), n, 0}};
            }
            if (channels[c].keys[n]) {
                timeline->events[timeline->event_count++] =
                    (struct graph_event){.frame = frame, .size = 3, .bytes = {(uint8_t)(NOTE_OFF | c), n, 64}};
            }
        }
    }
}

static enum lh_status gather_events(struct engine_timeline *timeline, const struct graph_insert *insert, int64_t begin,
                                    int64_t silence)
{
    if (insert->event_count == 0) {
        return LH_OK;
    }
    const struct graph_event *events = timeline->graph->events + insert->event_first;
    const size_t releases = CHANNELS * (KEYS + 3);
    timeline->events = malloc((insert->event_count + releases + 1) * sizeof *timeline->events);
    if (timeline->events == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    uint32_t before = 0;
    while (before < insert->event_count && events[before].frame < begin) {
        before++;
    }
    enum lh_status status = chase(timeline, events, before, begin);
    if (status != LH_OK) {
        return status;
    }
    struct sounding channels[CHANNELS] = {0};
    for (uint32_t i = 0; i < timeline->event_count; i++) {
        follow(channels, &timeline->events[i]);
    }
    for (uint32_t i = before; i < insert->event_count && events[i].frame < silence; i++) {
        timeline->events[timeline->event_count++] = events[i];
        follow(channels, &events[i]);
    }
    if (silence != INT64_MAX) {
        release(timeline, channels, silence);
    }
    return LH_OK;
}

void engine_timeline_events(struct engine_timeline *timeline, int64_t to, const struct graph_event **events,
                            uint32_t *count)
{
    uint32_t first = timeline->next_event;
    while (timeline->next_event < timeline->event_count && timeline->events[timeline->next_event].frame < to) {
        timeline->next_event++;
    }
    *count = timeline->next_event - first;
    *events = *count > 0 ? timeline->events + first : NULL;
}

/* ---- musical time ---- */

bool engine_timeline_position(struct engine_timeline *timeline, int64_t frame, struct engine_position *position)
{
    const struct graph *graph = timeline->graph;
    if (graph->tempo_count == 0) {
        return false;
    }
    uint32_t entry = tempo_at(graph, timeline->tempo == GRAPH_NONE ? 0 : timeline->tempo, frame);
    if (entry == timeline->tempo) {
        return false;
    }
    timeline->tempo = entry;
    const struct graph_tempo *tempo = &graph->tempo[entry];
    double beats = (double)(frame - tempo->frame) * tempo->bpm / (60.0 * graph->sample_rate);
    double bar_beat = tempo->bar_beat + beats * tempo->denominator / 4.0;
    double bars = bar_beat / tempo->numerator;
    bars = bars < 0x1p53 ? (double)(int64_t)bars : 0; /* whole ones that went by, of what any plugin can count */
    bar_beat -= bars * tempo->numerator;
    *position = (struct engine_position){.bpm = tempo->bpm,
                                         .beat = tempo->beats + beats,
                                         .bar = tempo->bar + (int64_t)bars,
                                         .bar_beat = bar_beat > 0 ? bar_beat : 0,
                                         .numerator = tempo->numerator,
                                         .denominator = tempo->denominator};
    return true;
}

/* ---- the whole ---- */

enum lh_status engine_timeline_init(struct engine_timeline *timeline, const struct graph *graph,
                                    const struct graph_insert *insert, int64_t begin, int64_t silence)
{
    *timeline = (struct engine_timeline){.graph = graph, .tempo = GRAPH_NONE};
    enum lh_status status = find_motions(timeline, insert);
    if (status == LH_OK) {
        status = gather_events(timeline, insert, begin, silence);
    }
    if (status != LH_OK) {
        engine_timeline_fini(timeline);
    }
    return status;
}

void engine_timeline_fini(struct engine_timeline *timeline)
{
    free(timeline->motions);
    free(timeline->events);
    timeline->motions = NULL;
    timeline->events = NULL;
}
