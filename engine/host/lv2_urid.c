/* SPDX-License-Identifier: MIT */
/* An open hash of URIs; the texts never move, as plugins keep what unmap() gave them. */
#include "engine/host/lv2_urid.h"

#include <lv2/atom/atom.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/log/log.h>
#include <lv2/midi/midi.h>
#include <lv2/parameters/parameters.h>
#include <lv2/patch/patch.h>
#include <lv2/time/time.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"

#define FIRST_SLOTS 1024u         /* a power of two */
#define URIDS_MOST (1u << 20)     /* a plugin that asks for more has gone mad */
#define URI_BYTES_MOST (1u << 16) /* of one */

struct engine_lv2_urids {
    pthread_mutex_t mutex;
    struct lh_arena arena;
    const char **uris; /* [number - 1] */
    uint32_t count, capacity;
    uint32_t *slots; /* numbers, 0: free */
    uint32_t slot_count;
    LV2_URID_Map map;
    LV2_URID_Unmap unmap;
    struct engine_lv2_vocabulary vocabulary;
};

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    }
    return hash;
}

/* The slot that holds `uri`, or the free one where it belongs. */
static uint32_t *find_slot(const struct engine_lv2_urids *urids, const char *uri)
{
    uint32_t at = hash_of(uri) & (urids->slot_count - 1);
    while (urids->slots[at] != 0 && strcmp(urids->uris[urids->slots[at] - 1], uri) != 0) {
        at = (at + 1) & (urids->slot_count - 1);
    }
    return &urids->slots[at];
}

/* Room for one more with at most half of the slots taken. */
static bool grow(struct engine_lv2_urids *urids)
{
    if (urids->count < urids->capacity) {
        return true;
    }
    uint32_t capacity = urids->capacity == 0 ? FIRST_SLOTS / 2 : urids->capacity * 2;
    const char **uris = realloc(urids->uris, capacity * sizeof *uris);
    if (uris == NULL) {
        return false;
    }
    urids->uris = uris;
    uint32_t *slots = calloc((size_t)capacity * 2, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    free(urids->slots);
    urids->slots = slots;
    urids->slot_count = capacity * 2;
    urids->capacity = capacity;
    for (uint32_t i = 0; i < urids->count; i++) {
        *find_slot(urids, urids->uris[i]) = i + 1;
    }
    return true;
}

static LV2_URID add(struct engine_lv2_urids *urids, const char *uri)
{
    if (strlen(uri) > URI_BYTES_MOST || urids->count >= URIDS_MOST || !grow(urids)) {
        return 0;
    }
    const char *copy = lh_arena_strdup(&urids->arena, uri);
    if (copy == NULL) {
        return 0;
    }
    uint32_t *slot = find_slot(urids, uri);
    urids->uris[urids->count] = copy;
    *slot = ++urids->count;
    return *slot;
}

static LV2_URID map_uri(LV2_URID_Map_Handle handle, const char *uri)
{
    struct engine_lv2_urids *urids = handle;
    if (uri == NULL) {
        return 0;
    }
    pthread_mutex_lock(&urids->mutex);
    LV2_URID number = urids->slot_count > 0 ? *find_slot(urids, uri) : 0;
    if (number == 0) {
        number = add(urids, uri);
    }
    pthread_mutex_unlock(&urids->mutex);
    return number;
}

static const char *unmap_number(LV2_URID_Unmap_Handle handle, LV2_URID number)
{
    struct engine_lv2_urids *urids = handle;
    pthread_mutex_lock(&urids->mutex);
    const char *uri = number > 0 && number <= urids->count ? urids->uris[number - 1] : NULL;
    pthread_mutex_unlock(&urids->mutex);
    return uri;
}

static bool fill_vocabulary(struct engine_lv2_urids *urids)
{
    struct engine_lv2_vocabulary *v = &urids->vocabulary;
    const struct {
        LV2_URID *number;
        const char *uri;
    } words[] = {
        {&v->atom_bool, LV2_ATOM__Bool},
        {&v->atom_chunk, LV2_ATOM__Chunk},
        {&v->atom_double, LV2_ATOM__Double},
        {&v->atom_event_transfer, LV2_ATOM__eventTransfer},
        {&v->atom_float, LV2_ATOM__Float},
        {&v->atom_int, LV2_ATOM__Int},
        {&v->atom_long, LV2_ATOM__Long},
        {&v->atom_object, LV2_ATOM__Object},
        {&v->atom_path, LV2_ATOM__Path},
        {&v->atom_sequence, LV2_ATOM__Sequence},
        {&v->atom_string, LV2_ATOM__String},
        {&v->atom_urid, LV2_ATOM__URID},
        {&v->bufsz_maximum, LV2_BUF_SIZE__maxBlockLength},
        {&v->bufsz_minimum, LV2_BUF_SIZE__minBlockLength},
        {&v->bufsz_nominal, LV2_BUF_SIZE__nominalBlockLength},
        {&v->bufsz_sequence, LV2_BUF_SIZE__sequenceSize},
        {&v->log_error, LV2_LOG__Error},
        {&v->log_warning, LV2_LOG__Warning},
        {&v->midi_event, LV2_MIDI__MidiEvent},
        {&v->param_sample_rate, LV2_PARAMETERS__sampleRate},
        {&v->patch_property, LV2_PATCH__property},
        {&v->patch_set, LV2_PATCH__Set},
        {&v->patch_value, LV2_PATCH__value},
        {&v->time_bar, LV2_TIME__bar},
        {&v->time_bar_beat, LV2_TIME__barBeat},
        {&v->time_beat, LV2_TIME__beat},
        {&v->time_beat_unit, LV2_TIME__beatUnit},
        {&v->time_beats_per_bar, LV2_TIME__beatsPerBar},
        {&v->time_beats_per_minute, LV2_TIME__beatsPerMinute},
        {&v->time_frame, LV2_TIME__frame},
        {&v->time_frames_per_second, LV2_TIME__framesPerSecond},
        {&v->time_position, LV2_TIME__Position},
        {&v->time_speed, LV2_TIME__speed},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *words[i].number = map_uri(urids, words[i].uri);
        if (*words[i].number == 0) {
            return false;
        }
    }
    return true;
}

enum lh_status engine_lv2_urids_new(struct engine_lv2_urids **urids, struct lh_error *error)
{
    struct engine_lv2_urids *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    lh_arena_init(&made->arena);
    pthread_mutex_init(&made->mutex, NULL);
    made->map = (LV2_URID_Map){.handle = made, .map = map_uri};
    made->unmap = (LV2_URID_Unmap){.handle = made, .unmap = unmap_number};
    if (!fill_vocabulary(made)) {
        engine_lv2_urids_free(made);
        return lh_error_no_memory(error);
    }
    *urids = made;
    return LH_OK;
}

void engine_lv2_urids_free(struct engine_lv2_urids *urids)
{
    if (urids != NULL) {
        pthread_mutex_destroy(&urids->mutex);
        lh_arena_fini(&urids->arena);
        free(urids->uris);
        free(urids->slots);
        free(urids);
    }
}

LV2_URID_Map *engine_lv2_urids_map(struct engine_lv2_urids *urids)
{
    return &urids->map;
}

LV2_URID_Unmap *engine_lv2_urids_unmap(struct engine_lv2_urids *urids)
{
    return &urids->unmap;
}

const struct engine_lv2_vocabulary *engine_lv2_urids_vocabulary(const struct engine_lv2_urids *urids)
{
    return &urids->vocabulary;
}

LV2_URID engine_lv2_urids_number(struct engine_lv2_urids *urids, const char *uri)
{
    return map_uri(urids, uri);
}
