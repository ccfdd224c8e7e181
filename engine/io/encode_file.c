/* SPDX-License-Identifier: MIT */
/* What the project says about a file, in the file's own frames: markers, loop, tags; and what gets lost in a container.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/io/encode_backend.h"

int64_t engine_file_frame(const struct engine_file *file, int64_t timeline_frame)
{
    if (timeline_frame < file->deliverable->start) {
        return -1;
    }
    uint64_t frames = (uint64_t)(timeline_frame - file->deliverable->start);
    return (int64_t)graph_converted_length(frames, file->graph->sample_rate, file->deliverable->rate);
}

bool engine_file_marker(const struct engine_file *file, uint64_t frames, uint32_t i, uint32_t *position,
                        const char **name)
{
    const struct graph_marker *marker = &file->graph->markers[i];
    int64_t frame = engine_file_frame(file, marker->frame);
    if (frame < 0 || (uint64_t)frame >= frames || frame > UINT32_MAX) {
        return false;
    }
    *position = (uint32_t)frame;
    *name = marker->name;
    return true;
}

bool engine_file_loop(const struct engine_file *file, uint64_t frames, uint32_t *start, uint32_t *end)
{
    if (!file->deliverable->has_loop) {
        return false;
    }
    int64_t first = engine_file_frame(file, file->deliverable->loop_start);
    int64_t last = engine_file_frame(file, file->deliverable->loop_end);
    if (first < 0 || last <= first || (uint64_t)last > frames || last > UINT32_MAX) {
        return false;
    }
    *start = (uint32_t)first;
    *end = (uint32_t)last;
    return true;
}

const struct graph_tag *engine_file_tags(const struct engine_file *file)
{
    return file->deliverable->tag_count > 0 ? &file->graph->tags[file->deliverable->tag_first] : NULL;
}

const char *engine_file_tag(const struct engine_file *file, const char *name)
{
    const struct graph_tag *tags = engine_file_tags(file);
    for (uint32_t i = 0; i < file->deliverable->tag_count; i++) {
        if (strcasecmp(tags[i].name, name) == 0) {
            return tags[i].value;
        }
    }
    return NULL;
}

size_t engine_text_prefix(const char *text, size_t limit)
{
    size_t length = strnlen(text, limit + 1);
    if (length <= limit) {
        return length;
    }
    length = limit;
    while (length > 0 && ((unsigned char)text[length] & 0xC0u) == 0x80u) {
        length--;
    }
    return length;
}

/* A list of sentences in a text of fixed size; what does not fit is cut between characters. */
static void LH_PRINTF(3, 4) add_note(char *notes, size_t size, const char *format, ...)
{
    char sentence[ENGINE_NOTES_SIZE] = "";
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    size_t used = strlen(notes);
    const char *separator = used > 0 ? "; " : "";
    size_t room = size - used - 1;
    if (room < strlen(separator)) {
        return;
    }
    memcpy(notes + used, separator, strlen(separator));
    used += strlen(separator);
    size_t length = engine_text_prefix(sentence, size - used - 1);
    memcpy(notes + used, sentence, length);
    notes[used + length] = '\0';
}

static bool has_markers(const struct engine_file *file, uint64_t frames, bool *too_far)
{
    bool any = false;
    for (uint32_t i = 0; i < file->graph->marker_count; i++) {
        int64_t frame = engine_file_frame(file, file->graph->markers[i].frame);
        any = any || (frame >= 0 && (uint64_t)frame < frames);
        *too_far = *too_far || (frame > UINT32_MAX && (uint64_t)frame < frames);
    }
    return any;
}

void engine_file_notes(const struct engine_file *file, const struct engine_backend *backend, uint64_t frames,
                       char *notes, size_t size)
{
    notes[0] = '\0';
    bool too_far = false;
    bool markers = has_markers(file, frames, &too_far);
    uint32_t start, end;
    if (file->deliverable->has_loop && !engine_file_loop(file, frames, &start, &end)) {
        add_note(notes, size, "the loop lies outside the file and is not written");
    } else if (file->deliverable->has_loop && !backend->holds_loop) {
        add_note(notes, size, "%s holds no loop points", backend->name);
    }
    if (markers && !backend->holds_markers) {
        add_note(notes, size, "%s holds no markers", backend->name);
    } else if (too_far) {
        add_note(notes, size, "%s holds no markers past frame 4294967295", backend->name);
    }
    if (backend->holds_tag == NULL) {
        return;
    }
    const struct graph_tag *tags = engine_file_tags(file);
    for (uint32_t i = 0; i < file->deliverable->tag_count; i++) {
        if (!backend->holds_tag(tags[i].name)) {
            add_note(notes, size, "%s holds no tag '%s'", backend->name, tags[i].name);
        }
    }
}

bool engine_vorbis_tag(const char *name)
{
    for (size_t i = 0; name[i] != '\0'; i++) {
        if (name[i] < 0x20 || name[i] > 0x7D || name[i] == '=') {
            return false;
        }
    }
    return name[0] != '\0';
}

const uint8_t *engine_vorbis_order(uint32_t channels)
{
    /* Vorbis I, section 4.3.9 (Opus' mapping family 1 is the same), against WAV's order of speakers. */
    static const uint8_t order[8][8] = {
        {0},
        {0, 1},
        {0, 2, 1},
        {0, 1, 2, 3},
        {0, 2, 1, 3, 4},
        {0, 2, 1, 4, 5, 3},
        {0, 2, 1, 5, 6, 4, 3},
        {0, 2, 1, 6, 7, 4, 5, 3},
    };
    return order[channels - 1];
}
