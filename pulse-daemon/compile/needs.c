/* SPDX-License-Identifier: MIT */
/* What a compilation has to be told: which files and plugins the chosen deliverables come to. */
#include "pulse-daemon/compile/compile.h"

#include <string.h>

#include "pulse-daemon/compile/routing.h"
#include "pulse-daemon/project/names.h"

#define MENTIONS_FIRST 16u

/* Something that a project names, and where. */
struct mention {
    const char *text;
    const struct lh_json *json;
};

/* A growing list in the arena: what is left behind is at most as long again. */
struct mentions {
    struct lh_arena *arena;
    struct mention *items;
    size_t count, capacity;
    bool out_of_memory;
};

static void add_mention(struct mentions *mentions, const char *text, const struct lh_json *json)
{
    if (mentions->count == mentions->capacity) {
        size_t capacity = mentions->capacity == 0 ? MENTIONS_FIRST : 2 * mentions->capacity;
        struct mention *items = lh_arena_array(mentions->arena, capacity, sizeof *items);
        if (items == NULL) {
            mentions->out_of_memory = true;
            return;
        }
        if (mentions->count > 0) {
            memcpy(items, mentions->items, mentions->count * sizeof *items);
        }
        mentions->items = items;
        mentions->capacity = capacity;
    }
    mentions->items[mentions->count++] = (struct mention){text, json};
}

/* Leaves the first mention of each text, and all without one. LH_ERR_NO_MEMORY. */
static enum lh_status keep_first(struct mentions *mentions)
{
    const char **texts = lh_arena_array(mentions->arena, mentions->count, sizeof *texts);
    struct pulse_names names;
    for (size_t i = 0; texts != NULL && i < mentions->count; i++) {
        texts[i] = mentions->items[i].text;
    }
    if (mentions->out_of_memory || texts == NULL ||
        !pulse_names_build(&names, mentions->arena, texts, mentions->count)) {
        return LH_ERR_NO_MEMORY;
    }
    size_t kept = 0;
    for (size_t i = 0; i < mentions->count; i++) {
        if (texts[i] == NULL || pulse_names_find(&names, texts[i]) == i) {
            mentions->items[kept++] = mentions->items[i];
        }
    }
    mentions->count = kept;
    return LH_OK;
}

static enum lh_status give_files(struct lh_arena *arena, struct mentions *mentions,
                                 const struct pulse_file_need **files, size_t *count)
{
    enum lh_status status = keep_first(mentions);
    if (status != LH_OK) {
        return status;
    }
    struct pulse_file_need *made = lh_arena_array(arena, mentions->count, sizeof *made);
    for (size_t i = 0; made != NULL && i < mentions->count; i++) {
        made[i] = (struct pulse_file_need){.file = mentions->items[i].text, .json = mentions->items[i].json};
    }
    *files = made;
    *count = mentions->count;
    return made != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum lh_status give_texts(struct lh_arena *arena, struct mentions *mentions, const char *const **texts,
                                 size_t *count)
{
    enum lh_status status = keep_first(mentions);
    if (status != LH_OK) {
        return status;
    }
    const char **made = lh_arena_array(arena, mentions->count, sizeof *made);
    for (size_t i = 0; made != NULL && i < mentions->count; i++) {
        made[i] = mentions->items[i].text;
    }
    *texts = made;
    *count = mentions->count;
    return made != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

/* Everything that is asked for, in the making. */
struct asking {
    const struct pulse_routing *routing;
    bool *delivered;  /* of every track: as it is, heard or not */
    bool default_end; /* some deliverable ends where the project does */
    struct mentions plugins, midi, states;
};

/* Heard clips, all clips where the layout follows from the media, and lengths where the project's end is asked for. */
static bool needs_clip(const struct asking *asking, size_t track, const struct pulse_clip *clip)
{
    const struct pulse_routing *routing = asking->routing;
    if (clip->kind == PULSE_CLIP_NOTES) {
        return false;
    }
    if (asking->default_end && clip->duration.unit == PULSE_UNIT_NONE) {
        return true;
    }
    if (clip->kind == PULSE_CLIP_AUDIO && routing->project->tracks[track].channels == 0 &&
        (routing->needed[track] || asking->delivered[track])) {
        return true;
    }
    return routing->needed[track] && pulse_clip_is_heard(clip);
}

static void ask_for_node(void *context, const struct pulse_node *node)
{
    struct asking *asking = context;
    if (!node->enabled) {
        return;
    }
    add_mention(&asking->plugins, node->plugin, lh_json_member(node->json, "plugin"));
    if (node->state != NULL) {
        add_mention(&asking->states, node->state_file, node->state);
    }
}

static void ask_deliverables(struct asking *asking)
{
    const struct pulse_project *project = asking->routing->project;
    for (size_t i = 0; i < project->deliverable_count; i++) {
        const struct pulse_deliverable *item = &project->deliverables[i];
        bool chosen = asking->routing->choices[i] != PULSE_NOT_CHOSEN;
        asking->default_end = asking->default_end || (chosen && item->range.end.unit == PULSE_UNIT_NONE);
        for (size_t k = 0; chosen && k < item->source_count; k++) {
            asking->delivered[item->sources[k]] = true;
        }
    }
}

static void ask_tracks(struct asking *asking, bool *media)
{
    const struct pulse_project *project = asking->routing->project;
    for (size_t i = 0; i < project->track_count; i++) {
        const struct pulse_track *track = &project->tracks[i];
        for (size_t k = 0; k < track->clip_count; k++) {
            const struct pulse_clip *clip = &track->clips[k];
            if (needs_clip(asking, i, clip) && clip->kind == PULSE_CLIP_AUDIO) {
                media[clip->media] = true;
            } else if (needs_clip(asking, i, clip)) {
                add_mention(&asking->midi, clip->midi, lh_json_member(clip->json, "midi"));
            }
        }
        bool heard = asking->routing->needed[i] || asking->routing->passes[i];
        for (size_t k = 0; heard && k < track->node_count; k++) {
            if (track->nodes[k].enabled) {
                pulse_visit_node(&track->nodes[k], ask_for_node, asking);
            }
        }
    }
}

static enum lh_status ask(struct lh_arena *arena, struct lh_arena *scratch, const struct pulse_routing *routing,
                          struct pulse_needs *needs)
{
    struct asking asking = {.routing = routing,
                            .delivered =
                                lh_arena_array(scratch, routing->project->track_count, sizeof *asking.delivered),
                            .plugins = {.arena = scratch},
                            .midi = {.arena = scratch},
                            .states = {.arena = scratch}};
    if (asking.delivered == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    ask_deliverables(&asking);
    ask_tracks(&asking, needs->media);
    enum lh_status status = give_texts(arena, &asking.plugins, &needs->plugins, &needs->plugin_count);
    status = status == LH_OK ? give_files(arena, &asking.midi, &needs->midi, &needs->midi_count) : status;
    return status == LH_OK ? give_files(arena, &asking.states, &needs->states, &needs->state_count) : status;
}

enum lh_status pulse_compile_needs(struct lh_arena *arena, const struct pulse_project *project,
                                   const struct pulse_compile_options *options, struct pulse_needs *needs)
{
    struct lh_arena scratch;
    struct pulse_routing routing;
    lh_arena_init(&scratch);
    struct pulse_needs made = {.media = lh_arena_array(arena, project->media_count, sizeof *made.media)};
    enum lh_status status = LH_ERR_NO_MEMORY;
    if (made.media != NULL) {
        status = pulse_routing_init(&routing, &scratch, project, options, NULL);
    }
    if (status == LH_OK) {
        status = ask(arena, &scratch, &routing, &made);
    }
    lh_arena_fini(&scratch);
    if (status == LH_ERR_NO_MEMORY) {
        return status;
    }
    *needs = made; /* sound that goes round in a circle needs nothing: compiling will tell */
    return LH_OK;
}

enum lh_status pulse_compile_choice(const struct pulse_project *project, const struct pulse_compile_options *options,
                                    struct lh_faults *faults)
{
    struct lh_arena scratch;
    struct pulse_routing routing;
    size_t before = faults->count;
    lh_arena_init(&scratch);
    enum lh_status status = pulse_routing_init(&routing, &scratch, project, options, faults);
    lh_arena_fini(&scratch);
    return status == LH_ERR_NO_MEMORY ? status : faults->count > before ? LH_ERR_USAGE : LH_OK;
}
