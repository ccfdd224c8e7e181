/* SPDX-License-Identifier: MIT */
/* What a project names beside its media: MIDI files and states of plugins, which are read here or by the instance, and
   plugins, which the catalogue knows. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/session.h"
#include "common/base/file.h"
#include "pulse-daemon/project/files.h"

static void add_fault(struct cli_session *session, const struct pulse_file_need *need, enum lh_status status,
                      const char *message)
{
    char where[LH_ERROR_WHERE_SIZE] = "";
    lh_json_pointer(need->json, where, sizeof where);
    lh_faults_add(&session->faults, status == LH_ERR_INVALID ? LH_ERR_INVALID : LH_ERR_MISSING, where, "%s", message);
}

/* -1 in *fd when it is not there, which is a fault then. */
static enum lh_status open_need(struct cli_session *session, const struct pulse_file_need *need, int *fd)
{
    struct lh_error fault = LH_ERROR_INIT;
    *fd = -1;
    if (need->file == NULL) {
        add_fault(session, need, LH_ERR_MISSING,
                  "this file is known by its digest only, which needs the media store of a farm: give a \"file\" to "
                  "render here");
        return LH_OK;
    }
    enum lh_status status = pulse_file_open(session->project, need->file, fd, &fault);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(&session->error);
    }
    if (status != LH_OK) {
        *fd = -1;
        add_fault(session, need, status, fault.message);
    }
    return LH_OK;
}

/* ---- MIDI ---- */

static enum lh_status take_midi(struct cli_session *session, const struct engine_midi *midi,
                                struct pulse_midi_facts *facts)
{
    struct pulse_midi_event *events = lh_arena_array(&session->arena, midi->event_count, sizeof *events);
    if (events == NULL) {
        return lh_error_no_memory(&session->error);
    }
    for (size_t i = 0; i < midi->event_count; i++) {
        const struct engine_midi_event *event = &midi->events[i];
        events[i] = (struct pulse_midi_event){.at = event->at, .track = event->track, .size = event->size};
        memcpy(events[i].bytes, event->bytes, sizeof events[i].bytes);
    }
    *facts = (struct pulse_midi_facts){
        .known = true,
        .seconds = midi->seconds,
        .tracks = midi->tracks,
        .events = events,
        .event_count = midi->event_count,
        .length = midi->length,
    };
    return LH_OK;
}

/* `fds` has one for each that is needed, -1 for those that are not there; `probes` has room for all. */
static enum lh_status ask_midi(struct cli_session *session, const int *fds, int *open_fds,
                               struct engine_midi_probe *probes, struct pulse_midi_facts *facts)
{
    size_t count = session->needs.midi_count, open_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            open_fds[open_count++] = fds[i];
        }
    }
    if (open_count == 0) {
        return LH_OK;
    }
    enum lh_status status = engine_instance_read_midi(session->instance, open_fds, open_count, probes, &session->error);
    if (status != LH_OK) {
        return status;
    }
    struct engine_midi_probe *probe = probes;
    for (size_t i = 0; i < count; i++) {
        if (fds[i] < 0) {
            continue;
        }
        if (probe->status != LH_OK) {
            const char *message =
                probe->error.message[0] != '\0' ? probe->error.message : lh_status_text(probe->status);
            add_fault(session, &session->needs.midi[i], LH_ERR_MISSING, message);
        } else {
            status = status == LH_OK ? take_midi(session, &probe->midi, &facts[i]) : status;
            engine_midi_fini(&probe->midi);
        }
        probe++;
    }
    return status;
}

static enum lh_status read_midi(struct cli_session *session)
{
    size_t count = session->needs.midi_count;
    struct pulse_midi_facts *facts = lh_arena_array(&session->arena, count, sizeof *facts);
    int *fds = lh_arena_array(&session->arena, count, sizeof *fds);
    int *open_fds = lh_arena_array(&session->arena, count, sizeof *open_fds);
    struct engine_midi_probe *probes = calloc(count + 1, sizeof *probes);
    if (facts == NULL || fds == NULL || open_fds == NULL || probes == NULL) {
        free(probes);
        return lh_error_no_memory(&session->error);
    }
    size_t opened = 0;
    enum lh_status status = LH_OK;
    for (; status == LH_OK && opened < count; opened++) {
        status = open_need(session, &session->needs.midi[opened], &fds[opened]);
    }
    status = status == LH_OK ? ask_midi(session, fds, open_fds, probes, facts) : status;
    for (size_t i = 0; i < opened; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(probes);
    session->facts.midi = facts;
    return status;
}

/* ---- states ---- */

/* The folder of a file of the project, absolute, "/" at its end: what relative paths in the file start from. */
static const char *folder_of_state(struct cli_session *session, const char *file)
{
    char real[PATH_MAX], path[2 * PATH_MAX];
    const char *folder = cli_folder_of(&session->arena, file);
    if (folder == NULL) {
        return NULL;
    }
    snprintf(path, sizeof path, "%s/%s", session->project->folder, folder);
    const char *found = realpath(path, real) != NULL ? real : path;
    size_t size = strlen(found) + sizeof "/";
    char *ended = lh_arena_alloc(&session->arena, size);
    if (ended != NULL) {
        snprintf(ended, size, "%s%s", found, strcmp(found, "/") == 0 ? "" : "/");
    }
    return ended;
}

static enum lh_status read_state(struct cli_session *session, const struct pulse_file_need *need, int fd,
                                 struct pulse_state_facts *facts)
{
    struct stat info;
    uint64_t size = fstat(fd, &info) == 0 && info.st_size >= 0 ? (uint64_t)info.st_size : 0;
    if (size > GRAPH_STATE_MAX) {
        add_fault(session, need, LH_ERR_MISSING, "this state is larger than 16 MiB");
        return LH_OK;
    }
    char *text = lh_arena_alloc(&session->arena, (size_t)size + 1);
    const char *folder = folder_of_state(session, need->file);
    if (text == NULL || folder == NULL) {
        return lh_error_no_memory(&session->error);
    }
    int code = lh_file_read_at(fd, text, (size_t)size, 0);
    if (code != 0) {
        add_fault(session, need, LH_ERR_MISSING, strerror(code));
    } else if (memchr(text, '\0', (size_t)size) != NULL) {
        add_fault(session, need, LH_ERR_MISSING, "this is no state: the text has a zero byte in it");
    } else {
        *facts = (struct pulse_state_facts){.text = text, .folder = folder};
    }
    return LH_OK;
}

static enum lh_status read_states(struct cli_session *session)
{
    size_t count = session->needs.state_count;
    struct pulse_state_facts *facts = lh_arena_array(&session->arena, count, sizeof *facts);
    if (facts == NULL) {
        return lh_error_no_memory(&session->error);
    }
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        int fd = -1;
        status = open_need(session, &session->needs.states[i], &fd);
        if (status == LH_OK && fd >= 0) {
            status = read_state(session, &session->needs.states[i], fd, &facts[i]);
            close(fd);
        }
    }
    session->facts.states = facts;
    return status;
}

/* ---- plugins ---- */

static enum lh_status take_installed(struct cli_session *session, size_t need, size_t entry,
                                     struct pulse_plugin_facts *facts)
{
    struct graph_plugin_facts *installed = lh_arena_alloc(&session->arena, sizeof *installed);
    if (installed == NULL) {
        return lh_error_no_memory(&session->error);
    }
    enum lh_status status = inventory_index_read(session->catalogue.index, entry, installed, &session->error);
    status = status == LH_OK
                 ? engine_catalogue_evidence(&session->catalogue, installed, &session->evidence[need], &session->error)
                 : status;
    const struct inventory_evidence *evidence = session->evidence[need];
    facts->installed = installed;
    facts->repeatable = evidence != NULL && inventory_evidence_is_repeatable(evidence, ENGINE_SOUND_VERSION);
    return status;
}

/* Like what is the missing one called? For that all others have to be known. */
static enum lh_status find_near(struct cli_session *session, const char *uri, struct pulse_plugin_facts *facts)
{
    enum lh_status status = engine_catalogue_complete(&session->catalogue, &session->error);
    if (status == LH_OK) {
        inventory_index_near(session->catalogue.index, uri, facts->near);
    }
    return status;
}

static enum lh_status find_plugins(struct cli_session *session)
{
    const struct pulse_needs *needs = &session->needs;
    struct pulse_plugin_facts *facts = lh_arena_array(&session->arena, needs->plugin_count, sizeof *facts);
    session->evidence = lh_arena_array(&session->arena, needs->plugin_count, sizeof *session->evidence);
    if (facts == NULL || session->evidence == NULL) {
        return lh_error_no_memory(&session->error);
    }
    session->facts.plugins = facts;
    if (needs->plugin_count == 0) {
        return LH_OK;
    }
    struct engine_catalogue *catalogue = &session->catalogue;
    enum lh_status status = engine_catalogue_open(catalogue, session->instance, &session->error);
    status = status == LH_OK
                 ? inventory_index_ask(catalogue->index, needs->plugins, needs->plugin_count, &session->error)
                 : status;
    for (size_t i = 0; status == LH_OK && i < needs->plugin_count; i++) {
        size_t entry = inventory_index_find(catalogue->index, needs->plugins[i]);
        status = entry != INVENTORY_INDEX_NONE ? take_installed(session, i, entry, &facts[i])
                                               : find_near(session, needs->plugins[i], &facts[i]);
    }
    if (status == LH_OK && inventory_index_save(catalogue->index, NULL) == LH_ERR_NO_MEMORY) {
        status = lh_error_no_memory(&session->error); /* where it cannot be kept it is asked for again */
    }
    return status;
}

void cli_session_open_needs(struct cli_session *session)
{
    if (cli_session_stopped(session)) {
        return;
    }
    enum lh_status status = find_plugins(session);
    status = status == LH_OK ? read_midi(session) : status;
    status = status == LH_OK ? read_states(session) : status;
    cli_session_fail(session, status);
}
