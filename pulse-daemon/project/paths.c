/* SPDX-License-Identifier: MIT */
/* The lexical half of confinement; links are the other half and are looked at when a file is opened (files.c). */
#include "pulse-daemon/project/paths.h"

#include <string.h>

#define PART_MAX 255u /* bytes of one name in a folder, on every file system that matters */

/* The next part of a path, without its slashes; length 0 at the end. */
static const char *next_part(const char *path, size_t *length)
{
    path += strspn(path, "/");
    *length = strcspn(path, "/");
    return path;
}

static const char *part_fault(const char *part, size_t length)
{
    if (length == 2 && memcmp(part, "..", 2) == 0) {
        return "must not lead out of the project's folder with \"..\"";
    }
    if (length > PART_MAX) {
        return "has a part longer than 255 bytes";
    }
    for (size_t i = 0; i < length; i++) {
        if (part[i] == '\\') {
            return "has a backslash; separate folders with \"/\"";
        }
        if ((unsigned char)part[i] < 0x20 || part[i] == 0x7f) {
            return "has a control character";
        }
    }
    return NULL;
}

const char *pulse_path_fault(const char *path)
{
    if (path[0] == '/') {
        return "must not be absolute; paths are relative to the project file";
    }
    if (strlen(path) > PULSE_PATH_MAX) {
        return "is longer than 1024 bytes";
    }
    size_t length = 0;
    size_t named = 0;
    const char *last = path;
    for (const char *part = next_part(path, &length); length > 0; part = next_part(part + length, &length)) {
        const char *fault = part_fault(part, length);
        if (fault != NULL) {
            return fault;
        }
        named += length == 1 && part[0] == '.' ? 0 : 1;
        last = part;
    }
    size_t size = strlen(path);
    if (named == 0 || path[size - 1] == '/' || strcmp(last, ".") == 0) {
        return "names no file";
    }
    return NULL;
}

const char *pulse_path_normalise(struct lh_arena *arena, const char *path)
{
    char *normal = lh_arena_alloc(arena, strlen(path) + 1);
    if (normal == NULL) {
        return NULL;
    }
    char *out = normal;
    size_t length = 0;
    for (const char *part = next_part(path, &length); length > 0; part = next_part(part + length, &length)) {
        if (length == 1 && part[0] == '.') {
            continue;
        }
        if (out != normal) {
            *out++ = '/';
        }
        memcpy(out, part, length);
        out += length;
    }
    *out = '\0';
    return normal;
}
