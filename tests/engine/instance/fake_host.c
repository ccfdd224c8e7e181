/* SPDX-License-Identifier: MIT */
/* A double of the plugins' host and of the reader of MIDI files. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/host/trial.h"
#include "engine/io/midi.h"
#include "tests/engine/instance/fake_engine.h"

struct engine_host {
    char bundle[256];
    size_t bundles;
};

static const char *const known[] = {FAKE_URI "eq", FAKE_ODD, FAKE_URI "reverb"};

enum lh_status engine_host_new(const char *const *bundles, size_t count, const char *const *specs,
                               struct engine_host **host, struct lh_error *error)
{
    (void)specs;
    if (count == 0) {
        return lh_error_set(error, LH_ERR_MISSING, NULL, "no bundle");
    }
    *host = calloc(1, sizeof **host);
    if (*host == NULL) {
        return lh_error_no_memory(error);
    }
    strncpy((*host)->bundle, bundles[0], sizeof(*host)->bundle - 1);
    (*host)->bundles = count;
    return LH_OK;
}

void engine_host_free(struct engine_host *host)
{
    free(host);
}

size_t engine_host_count(const struct engine_host *host)
{
    return host->bundles > 0 ? sizeof known / sizeof *known : 0;
}

const char *engine_host_uri(const struct engine_host *host, size_t index)
{
    (void)host;
    return known[index];
}

enum lh_status engine_host_describe(struct engine_host *host, const char *uri, struct lh_arena *arena,
                                    struct graph_plugin_facts *facts, struct lh_error *error)
{
    bool found = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        found = found || strcmp(known[i], uri) == 0;
    }
    if (!found) {
        return lh_error_set(error, LH_ERR_MISSING, uri, "not in these bundles");
    }
    if (strcmp(uri, FAKE_ODD) == 0) {
        return lh_error_set(error, LH_ERR_FORMAT, uri, "its data\x1B[2J make no sense");
    }
    static const struct graph_port ports[] = {
        {.kind = GRAPH_PORT_AUDIO, .input = true, .symbol = "in", .name = "In", .unit = "", .role = ""},
        {.kind = GRAPH_PORT_CONTROL,
         .input = true,
         .symbol = "gain",
         .name = "Gain",
         .unit = "dB",
         .role = "",
         .minimum = -60.0f,
         .maximum = 12.0f,
         .standard = 0.0f},
    };
    *facts = (struct graph_plugin_facts){
        .uri = lh_arena_strdup(arena, uri),
        .name = "Fake \x1B[31mplugin",
        .author = "",
        .licence = "",
        .category = "",
        .version = "1.2",
        .bundle = lh_arena_strdup(arena, host->bundle),
        .binary = "/nowhere/fake.so",
        .refused = "",
        .ports = ports,
        .port_count = 2,
    };
    return LH_OK;
}

/* By the plugin's name; anything else works. */
enum lh_status engine_trial_run(struct engine_host *host, const struct engine_trial *trial, uint64_t (*clock)(void),
                                struct engine_watch_slot *slot, struct engine_trial_result *result,
                                struct lh_error *error)
{
    const char *name = trial->uri + strlen(FAKE_URI);
    if (strcmp(name, "missing") == 0) {
        return lh_error_set(error, LH_ERR_MISSING, trial->uri, "there is no such plugin in %s", host->bundle);
    }
    engine_watch_enter(slot, ENGINE_WATCH_RUN, GRAPH_NONE, 512);
    if (strcmp(name, "segv") == 0) {
        signal(SIGSEGV, SIG_DFL); /* also where a sanitizer would catch it */
        raise(SIGSEGV);
    }
    while (strcmp(name, "hang") == 0) {
        pause();
    }
    engine_watch_leave();
    result->status = trial->silence ? LH_ERR_FAULT : LH_OK;
    strcpy(result->message, trial->silence ? "gives NaN" : "");
    memset(result->samples.bytes, (int)trial->block, sizeof result->samples.bytes);
    result->latency = trial->quantum;
    result->audible = true;
    result->tail_frames = (int64_t)trial->frames;
    result->peak = 0.5f;
    result->ns_per_frame = clock() > 0 ? 2.5 : 0.0;
    return LH_OK;
}

/* The file's size decides: empty is no MIDI file, else it is the number of events. */
enum lh_status engine_midi_read(int fd, struct engine_midi *midi, struct lh_error *error)
{
    struct stat file;
    if (fstat(fd, &file) != 0 || file.st_size == 0) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "this is no MIDI file");
    }
    size_t count = (size_t)file.st_size;
    struct engine_midi_event *events = calloc(count, sizeof *events);
    if (events == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        events[i] = (struct engine_midi_event){.at = (double)i * 0.25,
                                               .track = 1 + (uint32_t)(i % 2),
                                               .size = 3,
                                               .bytes = {0x90, (uint8_t)(i & 0x7F), 100}};
    }
    *midi = (struct engine_midi){.tracks = 2, .events = events, .event_count = count, .length = (double)count};
    return LH_OK;
}
