/* SPDX-License-Identifier: MIT */
/* What a compilation has to be told: which files and plugins the chosen deliverables come to. */
#include "pulse-daemon/compile/compile.h"

#include "pulse-daemon/compile/routing.h"

/* Heard clips, all clips where the layout follows from the media, and lengths where the project's end is asked for. */
static bool needs_clip(const struct pulse_routing *routing, size_t track, const struct pulse_clip *clip,
                       bool default_end, const bool *delivered)
{
    const struct pulse_track *item = &routing->project->tracks[track];
    if (clip->kind != PULSE_CLIP_AUDIO) {
        return false;
    }
    if (default_end && clip->duration.unit == PULSE_UNIT_NONE) {
        return true;
    }
    if (item->channels == 0 && (routing->needed[track] || delivered[track])) {
        return true;
    }
    return routing->needed[track] && pulse_clip_is_heard(clip);
}

static void find_media(const struct pulse_routing *routing, bool *delivered, bool *needed)
{
    const struct pulse_project *project = routing->project;
    bool default_end = false;
    for (size_t i = 0; i < project->deliverable_count; i++) {
        const struct pulse_deliverable *item = &project->deliverables[i];
        bool chosen = routing->choices[i] != PULSE_NOT_CHOSEN;
        default_end = default_end || (chosen && item->range.end.unit == PULSE_UNIT_NONE);
        for (size_t k = 0; chosen && k < item->source_count; k++) {
            delivered[item->sources[k]] = true;
        }
    }
    for (size_t i = 0; i < project->track_count; i++) {
        const struct pulse_track *track = &project->tracks[i];
        for (size_t k = 0; k < track->clip_count; k++) {
            if (needs_clip(routing, i, &track->clips[k], default_end, delivered)) {
                needed[track->clips[k].media] = true;
            }
        }
    }
}

enum lh_status pulse_compile_needs(struct lh_arena *arena, const struct pulse_project *project,
                                   const struct pulse_compile_options *options, struct pulse_needs *needs)
{
    struct lh_arena scratch;
    struct pulse_routing routing;
    lh_arena_init(&scratch);
    struct pulse_needs made = {.media = lh_arena_array(arena, project->media_count, sizeof *made.media)};
    bool *delivered = lh_arena_array(&scratch, project->track_count, sizeof *delivered);
    enum lh_status status = LH_ERR_NO_MEMORY;
    if (made.media != NULL && delivered != NULL) {
        status = pulse_routing_init(&routing, &scratch, project, options, NULL);
    }
    if (status == LH_OK) {
        find_media(&routing, delivered, made.media);
    }
    lh_arena_fini(&scratch);
    if (status == LH_ERR_NO_MEMORY) {
        return status;
    }
    *needs = made; /* sound that goes round in a circle needs nothing: compiling will tell */
    return LH_OK;
}
