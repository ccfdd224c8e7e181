/* SPDX-License-Identifier: MIT */
/* Solo, mute, order and need. */
#include "pulse-daemon/compile/routing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LISTED_MAX 8u  /* names in a message */
#define LIST_SIZE 384u /* bytes of them */
#define LIST_END 32u   /* bytes kept free for how many more there are */

const struct pulse_automation *pulse_automation_of(const struct pulse_track *track, enum pulse_target target,
                                                   size_t index)
{
    for (size_t i = 0; i < track->automation_count; i++) {
        const struct pulse_automation *automation = &track->automation[i];
        if (automation->target == target && automation->point_count > 0 &&
            (target != PULSE_TARGET_SEND_GAIN || automation->index == index)) {
            return automation;
        }
    }
    return NULL;
}

static bool is_closed(double db)
{
    return isinf(db) && db < 0.0;
}

bool pulse_clip_is_heard(const struct pulse_clip *clip)
{
    return !clip->mute && !is_closed(clip->gain_db);
}

bool pulse_output_is_live(const struct pulse_routing *routing, size_t track)
{
    size_t to = routing->project->tracks[track].output;
    return to != PULSE_NONE && routing->opens[track] && routing->sounds[to];
}

bool pulse_send_is_live(const struct pulse_routing *routing, size_t track, size_t send)
{
    const struct pulse_track *source = &routing->project->tracks[track];
    const struct pulse_send *item = &source->sends[send];
    if (item->to == PULSE_NONE || item->mute || !routing->sounds[item->to]) {
        return false;
    }
    if (is_closed(item->gain_db) && pulse_automation_of(source, PULSE_TARGET_SEND_GAIN, send) == NULL) {
        return false;
    }
    return item->tap == PULSE_TAP_PRE ? routing->sounds[track] : routing->opens[track];
}

/* Solo in place: kept are the soloed, what is downstream and what is upstream of each, and returns. A walk along
   outputs ends at the master; `track_count` steps bound it. */
static void keep_soloed(const struct pulse_project *project, bool *kept)
{
    for (size_t i = 0; i < project->track_count; i++) {
        kept[i] = kept[i] || project->tracks[i].type == PULSE_TRACK_RETURN;
        size_t at = i;
        for (size_t steps = 0; at != PULSE_NONE && steps <= project->track_count; steps++) {
            kept[i] = kept[i] || project->tracks[at].solo;  /* upstream of a soloed one, or soloed */
            kept[at] = kept[at] || project->tracks[i].solo; /* downstream of a soloed one */
            at = project->tracks[at].output;
        }
    }
}

static void find_sounding(struct pulse_routing *routing, bool *kept)
{
    const struct pulse_project *project = routing->project;
    bool any_solo = false;
    for (size_t i = 0; i < project->track_count; i++) {
        any_solo = any_solo || project->tracks[i].solo;
    }
    if (any_solo) {
        keep_soloed(project, kept);
    }
    for (size_t i = 0; i < project->track_count; i++) {
        const struct pulse_track *track = &project->tracks[i];
        bool muted = track->mute && pulse_automation_of(track, PULSE_TARGET_MUTE, 0) == NULL;
        routing->sounds[i] = !muted && (!any_solo || kept[i]);
        bool closed = is_closed(track->gain_db) && pulse_automation_of(track, PULSE_TARGET_GAIN, 0) == NULL;
        routing->opens[i] = routing->sounds[i] && !closed;
    }
}

bool pulse_tap_is_live(const struct pulse_routing *routing, size_t track, enum pulse_tap tap)
{
    return tap == PULSE_TAP_PRE ? routing->sounds[track] : routing->opens[track];
}

void pulse_visit_node(const struct pulse_node *node, pulse_node_visitor *visit, void *context)
{
    visit(context, node);
    for (size_t i = 0; i < node->stand_in_count; i++) {
        visit(context, &node->stand_ins[i]);
    }
}

/* Track `to` has a node, or a stand-in, that the track at whose list this stands keys. */
struct key {
    size_t to;
    size_t next; /* in keys, or PULSE_NONE */
};

/* The order of the tracks in the making; `waiting` counts inputs not yet taken. */
struct sorting {
    const struct pulse_project *project;
    size_t *waiting;
    size_t *first; /* of every track: into keys, or PULSE_NONE */
    struct key *keys;
    size_t key_count;
    size_t track; /* being visited */
};

static void count_key(void *context, const struct pulse_node *node)
{
    struct sorting *sorting = context;
    sorting->key_count += node->sidechain_from != PULSE_NONE ? 1 : 0;
}

static void add_key(void *context, const struct pulse_node *node)
{
    struct sorting *sorting = context;
    size_t from = node->sidechain_from;
    if (from == PULSE_NONE) {
        return;
    }
    sorting->keys[sorting->key_count] = (struct key){.to = sorting->track, .next = sorting->first[from]};
    sorting->first[from] = sorting->key_count++;
    sorting->waiting[sorting->track]++;
}

/* Side chains, those of stand-ins and disabled nodes too: the loader has refused circles through any of them. */
static enum lh_status add_keys(struct sorting *sorting, struct lh_arena *arena)
{
    const struct pulse_project *project = sorting->project;
    for (size_t i = 0; i < project->track_count; i++) {
        sorting->first[i] = PULSE_NONE;
        for (size_t k = 0; k < project->tracks[i].node_count; k++) {
            pulse_visit_node(&project->tracks[i].nodes[k], count_key, sorting);
        }
    }
    sorting->keys = lh_arena_array(arena, sorting->key_count, sizeof *sorting->keys);
    sorting->key_count = 0;
    for (size_t i = 0; sorting->keys != NULL && i < project->track_count; i++) {
        sorting->track = i;
        for (size_t k = 0; k < project->tracks[i].node_count; k++) {
            pulse_visit_node(&project->tracks[i].nodes[k], add_key, sorting);
        }
    }
    return sorting->keys != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static void add_routes(struct sorting *sorting)
{
    for (size_t i = 0; i < sorting->project->track_count; i++) {
        const struct pulse_track *track = &sorting->project->tracks[i];
        if (track->output != PULSE_NONE) {
            sorting->waiting[track->output]++;
        }
        for (size_t k = 0; k < track->send_count; k++) {
            if (track->sends[k].to != PULSE_NONE) {
                sorting->waiting[track->sends[k].to]++;
            }
        }
    }
}

/* Takes tracks whose inputs are all known (A. B. Kahn). */
static enum lh_status sort_tracks(struct pulse_routing *routing, struct lh_arena *arena)
{
    size_t count = routing->project->track_count, taken = 0, found = 0;
    struct sorting sorting = {.project = routing->project,
                              .waiting = lh_arena_array(arena, count, sizeof *sorting.waiting),
                              .first = lh_arena_array(arena, count, sizeof *sorting.first)};
    if (sorting.waiting == NULL || sorting.first == NULL || add_keys(&sorting, arena) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    add_routes(&sorting);
    for (size_t i = 0; i < count; i++) {
        if (sorting.waiting[i] == 0) {
            routing->order[found++] = i;
        }
    }
    while (taken < found) {
        size_t at = routing->order[taken++];
        const struct pulse_track *track = &routing->project->tracks[at];
        if (track->output != PULSE_NONE && --sorting.waiting[track->output] == 0) {
            routing->order[found++] = track->output;
        }
        for (size_t k = 0; k < track->send_count; k++) {
            size_t to = track->sends[k].to;
            if (to != PULSE_NONE && --sorting.waiting[to] == 0) {
                routing->order[found++] = to;
            }
        }
        for (size_t k = sorting.first[at]; k != PULSE_NONE; k = sorting.keys[k].next) {
            if (--sorting.waiting[sorting.keys[k].to] == 0) {
                routing->order[found++] = sorting.keys[k].to;
            }
        }
    }
    return found == count ? LH_OK : LH_ERR_INVALID;
}

/* '"mix", "web" and 3 more': as many as a reader wants to see and a message holds. */
static void list_names(const char *const *names, size_t count, char list[LIST_SIZE])
{
    size_t used = 0, listed = 0;
    for (; listed < count && listed < LISTED_MAX; listed++) {
        const char *separator = listed > 0 ? ", " : "";
        size_t length = strlen(separator) + strlen(names[listed]) + strlen("\"\"");
        if (used + length + LIST_END > LIST_SIZE) {
            break;
        }
        used += (size_t)snprintf(list + used, LIST_SIZE - used, "%s\"%s\"", separator, names[listed]);
    }
    if (listed < count) {
        snprintf(list + used, LIST_SIZE - used, listed > 0 ? " and %zu more" : "%zu of a longer name", count - listed);
    } else if (count == 0) {
        snprintf(list, LIST_SIZE, "none");
    }
}

static void choose_name(struct pulse_routing *routing, const char *name, const char *const *names,
                        struct lh_faults *faults)
{
    const struct pulse_project *project = routing->project;
    for (size_t i = 0; i < project->deliverable_count; i++) {
        if (strcmp(project->deliverables[i].name, name) == 0) {
            routing->choices[i] = PULSE_CHOSEN;
            return;
        }
    }
    if (faults != NULL) {
        const char *nearest = lh_nearest_name(name, names, project->deliverable_count);
        char list[LIST_SIZE];
        list_names(names, project->deliverable_count, list);
        lh_faults_add(faults, LH_ERR_USAGE, "", "there is no deliverable \"%s\"; %s%s%s", name,
                      nearest != NULL ? "did you mean \"" : "the project has ", nearest != NULL ? nearest : list,
                      nearest != NULL ? "\"?" : "");
    }
}

static void choose(struct pulse_routing *routing, const struct pulse_compile_options *options, const char **names,
                   struct lh_faults *faults)
{
    const struct pulse_project *project = routing->project;
    bool all = options == NULL || options->only_count == 0;
    for (size_t i = 0; i < project->deliverable_count; i++) {
        names[i] = project->deliverables[i].name;
        routing->choices[i] = all ? PULSE_CHOSEN : PULSE_NOT_CHOSEN;
    }
    for (size_t i = 0; !all && i < options->only_count; i++) {
        choose_name(routing, options->only[i], names, faults);
    }
    for (size_t i = 0; i < project->deliverable_count; i++) {
        size_t from = project->deliverables[i].gain_from;
        if (routing->choices[i] == PULSE_CHOSEN && from != PULSE_NONE && routing->choices[from] == PULSE_NOT_CHOSEN) {
            routing->choices[from] = PULSE_CHOSEN_FOR_GAIN;
        }
    }
}

static void mark_sources(struct pulse_routing *routing)
{
    const struct pulse_project *project = routing->project;
    for (size_t i = 0; i < project->deliverable_count; i++) {
        const struct pulse_deliverable *deliverable = &project->deliverables[i];
        for (size_t k = 0; routing->choices[i] != PULSE_NOT_CHOSEN && k < deliverable->source_count; k++) {
            size_t source = deliverable->sources[k];
            bool contribution = deliverable->tap == PULSE_TAP_CONTRIBUTION;
            /* A contribution may live by a send before a fader that is closed. */
            bool heard = deliverable->tap == PULSE_TAP_POST ? routing->opens[source] : routing->sounds[source];
            routing->needed[source] = routing->needed[source] || heard;
            routing->passes[source] = routing->passes[source] || (contribution && heard);
        }
    }
}

/* `passes` flows downstream along live routes. */
static void spread_shares(struct pulse_routing *routing)
{
    const struct pulse_project *project = routing->project;
    for (size_t i = 0; i < project->track_count; i++) {
        size_t at = routing->order[i];
        const struct pulse_track *track = &project->tracks[at];
        if (!routing->passes[at]) {
            continue;
        }
        if (pulse_output_is_live(routing, at)) {
            routing->passes[track->output] = true;
        }
        for (size_t k = 0; k < track->send_count; k++) {
            if (pulse_send_is_live(routing, at, k)) {
                routing->passes[track->sends[k].to] = true;
            }
        }
    }
}

/* A side chain that may be heard, whichever stand-in is used. */
static void need_key(void *context, const struct pulse_node *node)
{
    struct pulse_routing *routing = context;
    size_t from = node->sidechain_from;
    if (node->enabled && from != PULSE_NONE && pulse_tap_is_live(routing, from, node->sidechain_tap)) {
        routing->needed[from] = true;
    }
}

/* `needed` flows upstream along live routes, and along side chains, whose whole signal keys a share, too. */
static void spread_need(struct pulse_routing *routing)
{
    const struct pulse_project *project = routing->project;
    for (size_t i = project->track_count; i-- > 0;) {
        size_t at = routing->order[i];
        const struct pulse_track *track = &project->tracks[at];
        bool needed = routing->needed[at];
        needed = needed || (pulse_output_is_live(routing, at) && routing->needed[track->output]);
        for (size_t k = 0; !needed && k < track->send_count; k++) {
            needed = pulse_send_is_live(routing, at, k) && routing->needed[track->sends[k].to];
        }
        routing->needed[at] = needed;
        for (size_t k = 0; (needed || routing->passes[at]) && k < track->node_count; k++) {
            if (track->nodes[k].enabled) {
                pulse_visit_node(&track->nodes[k], need_key, routing);
            }
        }
    }
}

enum lh_status pulse_routing_init(struct pulse_routing *routing, struct lh_arena *arena,
                                  const struct pulse_project *project, const struct pulse_compile_options *options,
                                  struct lh_faults *faults)
{
    size_t count = project->track_count;
    struct pulse_routing made = {
        .project = project,
        .choices = lh_arena_array(arena, project->deliverable_count, sizeof *made.choices),
        .sounds = lh_arena_array(arena, count, sizeof *made.sounds),
        .opens = lh_arena_array(arena, count, sizeof *made.opens),
        .order = lh_arena_array(arena, count, sizeof *made.order),
        .needed = lh_arena_array(arena, count, sizeof *made.needed),
        .passes = lh_arena_array(arena, count, sizeof *made.passes),
    };
    bool *kept = lh_arena_array(arena, count, sizeof *kept);
    const char **names = lh_arena_array(arena, project->deliverable_count, sizeof *names);
    if (made.choices == NULL || made.sounds == NULL || made.opens == NULL || made.order == NULL ||
        made.needed == NULL || made.passes == NULL || kept == NULL || names == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    choose(&made, options, names, faults);
    find_sounding(&made, kept);
    enum lh_status status = sort_tracks(&made, arena);
    if (status != LH_OK) {
        return status;
    }
    mark_sources(&made);
    spread_shares(&made);
    spread_need(&made);
    *routing = made;
    return LH_OK;
}
