/* SPDX-License-Identifier: MIT */
/* The files of a project: which bytes they are, and what is known of them. What was never looked into becomes a plan of
   probes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "pulse-daemon/service/file_facts.h"
#include "pulse-daemon/service/plan_job.h"
#include "pulse-daemon/store/media.h"

#define STAND_IN_SECONDS 3600u

/* ---- which bytes ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct pulse_manifest_file *)a)->path, ((const struct pulse_manifest_file *)b)->path);
}

/* A file by its path, as the revision's manifest says. */
static void find_file(struct pulse_job_plan *plan, const char *path, struct pulse_needed_file *file)
{
    struct pulse_manifest_file wanted = {.path = path};
    const struct pulse_manifest_file *found =
        plan->revision.file_count > 0
            ? bsearch(&wanted, plan->revision.files, plan->revision.file_count, sizeof wanted, by_path)
            : NULL;
    if (found == NULL) {
        lh_faults_add(&plan->faults, LH_ERR_MISSING, file->where, "%s was not uploaded with the project", path);
        return;
    }
    file->digest = found->digest;
    file->size = found->size;
    file->there = true;
}

static const char *pointer_of(struct lh_arena *arena, const struct lh_json *json)
{
    char pointer[LH_ERROR_WHERE_SIZE] = "";
    if (json != NULL) {
        lh_json_pointer(json, pointer, sizeof pointer);
    }
    return lh_arena_strdup(arena, pointer);
}

static enum lh_status list_media(struct pulse_job_plan *plan)
{
    plan->media = lh_arena_array(&plan->arena, plan->project->media_count, sizeof *plan->media);
    for (size_t i = 0; plan->media != NULL && i < plan->project->media_count; i++) {
        const struct pulse_media *medium = &plan->project->media[i];
        char where[sizeof "/media/" + PULSE_ID_MAX];
        if (!plan->needs.media[i]) {
            continue;
        }
        snprintf(where, sizeof where, "/media/%s", medium->id);
        plan->media[i].where = lh_arena_strdup(&plan->arena, where);
        if (plan->media[i].where == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        if (medium->has_digest) {
            plan->media[i].digest = medium->digest;
            plan->media[i].there = true;
        } else {
            find_file(plan, medium->file, &plan->media[i]);
        }
    }
    return plan->media != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum lh_status list_needs(struct pulse_job_plan *plan, const struct pulse_file_need *needs, size_t count,
                                 struct pulse_needed_file **files)
{
    struct pulse_needed_file *made = lh_arena_array(&plan->arena, count, sizeof *made);
    for (size_t i = 0; made != NULL && i < count; i++) {
        made[i].where = pointer_of(&plan->arena, needs[i].json);
        if (made[i].where == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        const struct lh_json *digest = needs[i].file == NULL ? lh_json_member(needs[i].json, "digest") : NULL;
        if (needs[i].file != NULL) {
            find_file(plan, needs[i].file, &made[i]);
        } else if (digest != NULL && digest->kind == LH_JSON_STRING &&
                   lh_digest_parse(digest->value.string.text, &made[i].digest)) {
            made[i].there = true;
        }
    }
    *files = made;
    return made != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

/* All of them in one list; those that are not there are left out. */
struct listed {
    struct pulse_needed_file **items;
    size_t count;
};

static void list(struct listed *listed, struct pulse_needed_file *files, size_t count, bool is_midi, bool is_state)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i].there) {
            files[i].is_midi = is_midi;
            files[i].is_state = is_state;
            listed->items[listed->count++] = &files[i];
        }
    }
}

static enum lh_status list_all(struct pulse_job_plan *plan, struct listed *listed)
{
    const struct pulse_needs *needs = &plan->needs;
    if (list_media(plan) != LH_OK || list_needs(plan, needs->midi, needs->midi_count, &plan->midi) != LH_OK ||
        list_needs(plan, needs->states, needs->state_count, &plan->states) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    size_t most = plan->project->media_count + needs->midi_count + needs->state_count;
    listed->items = lh_arena_array(&plan->arena, most, sizeof(struct pulse_needed_file *));
    if (listed->items == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    list(listed, plan->media, plan->project->media_count, false, false);
    list(listed, plan->midi, needs->midi_count, true, false);
    list(listed, plan->states, needs->state_count, false, true);
    return LH_OK;
}

/* ---- does this tenant have them ---- */

static enum lh_status take_medium(void *context, size_t index, const struct pulse_media_row *row)
{
    struct listed *listed = context;
    listed->items[index]->size = row->size;
    listed->items[index]->there = true;
    return LH_OK;
}

static enum lh_status check_uploads(struct pulse_planner *planner, struct pulse_job_plan *plan, struct listed *listed,
                                    struct lh_error *error)
{
    struct lh_digest *digests = lh_arena_array(&plan->arena, listed->count, sizeof *digests);
    if (digests == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < listed->count; i++) {
        digests[i] = listed->items[i]->digest;
        listed->items[i]->there = false;
    }
    enum lh_status status = listed->count > 0 ? pulse_store_media(planner->store, plan->tenant, digests, listed->count,
                                                                  take_medium, listed, error)
                                              : LH_OK;
    size_t kept = 0;
    for (size_t i = 0; status == LH_OK && i < listed->count; i++) {
        struct pulse_needed_file *file = listed->items[i];
        struct lh_blob blob;
        if (file->there && lh_blobs_has(planner->blobs, &file->digest, &blob)) {
            listed->items[kept++] = file;
            continue;
        }
        char text[LH_DIGEST_TEXT_SIZE];
        lh_digest_text(&file->digest, text);
        file->there = false;
        lh_faults_add(&plan->faults, LH_ERR_MISSING, file->where, "%s is not in the farm's media store: upload it",
                      text);
    }
    listed->count = status == LH_OK ? kept : listed->count;
    return status;
}

/* ---- what is known of them ---- */

struct looked_up {
    struct pulse_planner *planner;
    struct pulse_job_plan *plan;
    struct pulse_needed_file **files;
    struct lh_error *error;
};

/* An output whose blob is gone or makes no sense is not there: the core is told, and the file is looked into again. */
static void tell_missing(struct looked_up *looked_up, const struct lh_digest *key)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    if (task != NULL) {
        task->event =
            (struct pulse_farm_event){.kind = PULSE_FARM_MISSING, .tenant = looked_up->plan->tenant, .key = *key};
        pulse_decider_ask(looked_up->planner->decider, task, true);
    }
}

static enum lh_status take_facts(void *context, size_t index, const struct pulse_output_row *output)
{
    struct looked_up *looked_up = context;
    struct pulse_needed_file *file = looked_up->files[index];
    struct lh_arena *arena = &looked_up->plan->arena;
    struct lh_error error = LH_ERROR_INIT;
    if (output->state != PULSE_OUTPUT_PRESENT) {
        return LH_OK;
    }
    enum lh_status status =
        pulse_file_facts(looked_up->planner->blobs, &output->digest, file->is_midi, arena, &file->facts, &error);
    if (status == LH_ERR_NO_MEMORY) {
        return status;
    }
    if (status != LH_OK) {
        LH_LOG(LH_LOG_WARNING, "facts not there", LH_LOG_NUMBER("job", looked_up->plan->job),
               LH_LOG_TEXT("where", file->where), LH_LOG_NUMBER("shard", output->shard),
               LH_LOG_TEXT("why", error.message));
        pulse_facts_doubt(looked_up->planner->blobs, &output->digest);
        tell_missing(looked_up, &file->key);
    }
    file->known = status == LH_OK;
    return LH_OK;
}

static enum lh_status look_up(struct pulse_planner *planner, struct pulse_job_plan *plan, const struct listed *listed,
                              struct lh_error *error)
{
    struct lh_digest *keys = lh_arena_array(&plan->arena, listed->count, sizeof *keys);
    struct looked_up looked_up = {.planner = planner, .plan = plan};
    looked_up.files = lh_arena_array(&plan->arena, listed->count, sizeof(struct pulse_needed_file *));
    size_t count = 0;
    if (keys == NULL || looked_up.files == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < listed->count; i++) {
        struct pulse_needed_file *file = listed->items[i];
        if (file->is_state) {
            continue;
        }
        if (graph_key_facts(&file->digest, file->is_midi, &plan->context, &file->key) != LH_OK) {
            return lh_error_no_memory(error);
        }
        keys[count] = file->key;
        looked_up.files[count++] = file;
    }
    return count > 0 ? pulse_store_outputs(planner->store, plan->tenant, keys, count, take_facts, &looked_up, error)
                     : LH_OK;
}

static int by_digest(const void *a, const void *b)
{
    const struct pulse_unknown_file *left = a, *right = b;
    int order = memcmp(&left->digest, &right->digest, sizeof left->digest);
    return order != 0 ? order : (int)left->is_midi - (int)right->is_midi;
}

/* One probe a file, whatever names it how often. */
static enum lh_status plan_probes(struct pulse_job_plan *plan, const struct listed *listed, bool *unknown,
                                  struct lh_error *error)
{
    struct pulse_unknown_file *files = lh_arena_array(&plan->arena, listed->count, sizeof *files);
    size_t count = 0, kept = 0;
    if (files == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < listed->count; i++) {
        const struct pulse_needed_file *file = listed->items[i];
        if (!file->known && !file->is_state) {
            files[count++] =
                (struct pulse_unknown_file){.digest = file->digest, .size = file->size, .is_midi = file->is_midi};
        }
    }
    *unknown = count > 0;
    if (count == 0) {
        return LH_OK;
    }
    qsort(files, count, sizeof *files, by_digest);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || by_digest(&files[kept - 1], &files[i]) != 0) {
            files[kept++] = files[i];
        }
    }
    plan->again = true;
    return pulse_plan_probes(files, kept, &plan->context, &plan->plan, error);
}

/* ---- as the compiler wants it ---- */

/* What cannot be read counts as an hour that fits its track, so that the other faults are found as well. */
static void fit_stand_ins(const struct pulse_job_plan *plan, struct pulse_media_facts *facts)
{
    for (size_t i = 0; i < plan->project->track_count; i++) {
        const struct pulse_track *track = &plan->project->tracks[i];
        for (size_t k = 0; track->channels != 0 && k < track->clip_count; k++) {
            const struct pulse_clip *clip = &track->clips[k];
            const struct pulse_needed_file *file = clip->kind == PULSE_CLIP_AUDIO ? &plan->media[clip->media] : NULL;
            if (file != NULL && !(file->known && file->facts.status == LH_OK)) {
                facts[clip->media].channels = track->channels;
            }
        }
    }
}

static void add_read_fault(struct pulse_job_plan *plan, const struct pulse_needed_file *file, const char *path)
{
    const char *message = file->facts.message[0] != '\0' ? file->facts.message : lh_status_text(file->facts.status);
    if (path != NULL) {
        lh_faults_add(&plan->faults, LH_ERR_MISSING, file->where, "%s: %s", path, message);
    } else {
        lh_faults_add(&plan->faults, LH_ERR_MISSING, file->where, "%s", message);
    }
}

static enum lh_status fill_media(struct pulse_job_plan *plan)
{
    const struct pulse_project *project = plan->project;
    struct pulse_media_facts *facts = lh_arena_array(&plan->arena, project->media_count, sizeof *facts);
    for (size_t i = 0; facts != NULL && i < project->media_count; i++) {
        const struct pulse_needed_file *file = &plan->media[i];
        facts[i] = (struct pulse_media_facts){
            .frames = (uint64_t)STAND_IN_SECONDS * project->sample_rate, .rate = project->sample_rate, .channels = 1};
        if (file->known && file->facts.status == LH_OK) {
            facts[i] = (struct pulse_media_facts){.frames = file->facts.frames,
                                                  .rate = file->facts.rate,
                                                  .channels = file->facts.channels,
                                                  .lossy = file->facts.lossy};
        } else if (file->known) {
            add_read_fault(plan, file, project->media[i].file);
        }
    }
    if (facts != NULL) {
        fit_stand_ins(plan, facts);
    }
    plan->facts.media = facts;
    return facts != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum lh_status fill_one_midi(struct pulse_job_plan *plan, const struct graph_file_facts *from,
                                    struct pulse_midi_facts *to)
{
    struct pulse_midi_event *events = lh_arena_array(&plan->arena, from->note_count, sizeof *events);
    if (events == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < from->note_count; i++) {
        const struct graph_midi_note *note = &from->notes[i];
        events[i] = (struct pulse_midi_event){.at = note->at, .track = note->track, .size = note->size};
        memcpy(events[i].bytes, note->bytes, sizeof events[i].bytes);
    }
    *to = (struct pulse_midi_facts){
        .known = true,
        .seconds = from->seconds,
        .tracks = from->tracks,
        .events = events,
        .event_count = from->note_count,
        .length = from->length,
    };
    return LH_OK;
}

static enum lh_status fill_midi(struct pulse_job_plan *plan)
{
    struct pulse_midi_facts *facts = lh_arena_array(&plan->arena, plan->needs.midi_count, sizeof *facts);
    enum lh_status status = facts != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    for (size_t i = 0; status == LH_OK && i < plan->needs.midi_count; i++) {
        const struct pulse_needed_file *file = &plan->midi[i];
        if (file->known && file->facts.status == LH_OK) {
            status = fill_one_midi(plan, &file->facts, &facts[i]);
        } else if (file->known) {
            add_read_fault(plan, file, NULL);
        }
    }
    plan->facts.midi = facts;
    return status;
}

/* States are texts that the planner reads itself: they become part of the graph. */
static enum lh_status fill_states(struct pulse_planner *planner, struct pulse_job_plan *plan)
{
    struct pulse_state_facts *facts = lh_arena_array(&plan->arena, plan->needs.state_count, sizeof *facts);
    if (facts == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < plan->needs.state_count; i++) {
        const struct pulse_needed_file *file = &plan->states[i];
        struct lh_error error = LH_ERROR_INIT;
        char *text = NULL;
        size_t size = 0;
        enum lh_status status = file->there ? pulse_blob_bytes(planner->blobs, &file->digest, GRAPH_STATE_MAX,
                                                               &plan->arena, &text, &size, &error)
                                            : LH_ERR_MISSING;
        if (status == LH_ERR_NO_MEMORY) {
            return status;
        }
        if (status == LH_OK && memchr(text, '\0', size) != NULL) {
            status = lh_error_set(&error, LH_ERR_FORMAT, NULL, "this is no state: the text has a zero byte in it");
        }
        if (status == LH_OK) {
            facts[i] = (struct pulse_state_facts){.text = text, .folder = "/nowhere/"};
        } else if (file->there) {
            lh_faults_add(&plan->faults, LH_ERR_MISSING, file->where, "%s", error.message);
        }
    }
    plan->facts.states = facts;
    return LH_OK;
}

enum lh_status pulse_job_plan_facts(struct pulse_planner *planner, struct pulse_job_plan *plan, bool *unknown,
                                    struct lh_error *error)
{
    struct listed listed = {.count = 0};
    if (list_all(plan, &listed) != LH_OK) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = check_uploads(planner, plan, &listed, error);
    status = status == LH_OK ? look_up(planner, plan, &listed, error) : status;
    status = status == LH_OK ? plan_probes(plan, &listed, unknown, error) : status;
    if (status != LH_OK || *unknown) {
        return status;
    }
    if (fill_media(plan) != LH_OK || fill_midi(plan) != LH_OK || fill_states(planner, plan) != LH_OK) {
        return lh_error_no_memory(error);
    }
    return LH_OK;
}
