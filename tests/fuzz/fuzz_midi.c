/* SPDX-License-Identifier: MIT */
/* The MIDI reader on any bytes: it refuses with a reason, or gives channel messages in order of time. */
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/io/midi.h"
#include "tests/fuzz/fuzz.h"

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_event(const struct engine_midi *midi, size_t index)
{
    const struct engine_midi_event *event = &midi->events[index];
    require(isfinite(event->at) && event->at >= 0.0 && event->at <= midi->length);
    require(index == 0 || event->at >= midi->events[index - 1].at);
    require(event->track >= 1 && event->track <= midi->tracks);
    require(event->bytes[0] >= 0x80 && event->bytes[0] <= 0xEF && event->size >= 2 && event->size <= 3);
    for (uint32_t i = 1; i < sizeof event->bytes; i++) {
        require(event->bytes[i] <= (i < event->size ? 0x7F : 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("midi", MFD_CLOEXEC);
    require(fd >= 0 && (size == 0 || write(fd, data, size) == (ssize_t)size));
    struct engine_midi midi;
    struct lh_error error = LH_ERROR_INIT;
    if (engine_midi_read(fd, &midi, &error) == LH_OK) {
        for (size_t i = 0; i < midi.event_count; i++) {
            check_event(&midi, i);
        }
        engine_midi_fini(&midi);
    } else {
        require(error.message[0] != '\0');
    }
    close(fd);
    return 0;
}
