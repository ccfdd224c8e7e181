/* SPDX-License-Identifier: MIT */
/* Reads MIDI files with libsmf as well: the same messages at the same ticks. Files are the arguments, or those of the
   folder that is the only argument. */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <smf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/io/midi.h"

#define PATH_SIZE 4096
#define EXIT_SKIPPED 77

static bool is_channel_message(const smf_event_t *event)
{
    return event->midi_buffer_length > 0 && event->midi_buffer[0] >= 0x80 && event->midi_buffer[0] < 0xF0;
}

/* The next channel message of the peer, which merges tracks as we do: by time, then by number of the track. */
static const smf_event_t *next_of(smf_t *smf)
{
    const smf_event_t *event;
    do {
        event = smf_get_next_event(smf);
    } while (event != NULL && !is_channel_message(event));
    return event;
}

static bool agree(const char *path, const struct engine_midi *midi, smf_t *smf)
{
    for (size_t i = 0; i < midi->event_count; i++) {
        const struct engine_midi_event *ours = &midi->events[i];
        const smf_event_t *theirs = next_of(smf);
        if (theirs == NULL || (uint32_t)theirs->track_number != ours->track ||
            fabs((double)theirs->time_pulses / smf->ppqn - ours->at) > 1e-9 ||
            (uint32_t)theirs->midi_buffer_length != ours->size ||
            memcmp(theirs->midi_buffer, ours->bytes, ours->size) != 0) {
            printf("not ok - %s: event %zu differs\n", path, i);
            return false;
        }
    }
    if (next_of(smf) != NULL) {
        printf("not ok - %s: libsmf finds more than %zu events\n", path, midi->event_count);
        return false;
    }
    printf("ok - %s: %zu events\n", path, midi->event_count);
    return true;
}

static bool check(const char *path)
{
    struct engine_midi midi;
    struct lh_error error = LH_ERROR_INIT;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum lh_status status = engine_midi_read(fd, &midi, &error);
    close(fd);
    smf_t *smf = smf_load(path);
    if (status != LH_OK || smf == NULL) {
        printf("not ok - %s: %s\n", path, status != LH_OK ? error.message : "libsmf cannot read it");
        if (status == LH_OK) {
            engine_midi_fini(&midi);
        }
        return false;
    }
    bool same = agree(path, &midi, smf);
    smf_delete(smf);
    engine_midi_fini(&midi);
    return same;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    bool good = true;
    unsigned count = 0;
    if (folder == NULL && argc == 2 && access(argv[1], F_OK) != 0) {
        printf("1..0 # SKIP there is no folder %s\n", argv[1]);
        return EXIT_SKIPPED;
    }
    for (int i = 1; folder == NULL && i < argc; i++, count++) {
        good = check(argv[i]) && good;
    }
    for (const struct dirent *entry = NULL; folder != NULL && (entry = readdir(folder)) != NULL;) {
        const char *ending = strrchr(entry->d_name, '.');
        char path[PATH_SIZE];
        if (ending != NULL && strcmp(ending, ".mid") == 0) {
            snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
            good = check(path) && good;
            count++;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    printf("1..%u\n", count);
    return good ? 0 : 1;
}
