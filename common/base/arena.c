/* SPDX-License-Identifier: MIT */
/* The bump allocator: chunks double up to 1 MiB, a large request gets a chunk of its own. */
#include "common/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST 4096u
#define CHUNK_LAST (1u << 20)
#define ALIGNMENT 16u

struct lh_arena_chunk {
    struct lh_arena_chunk *next;
    size_t size; /* of data */
    size_t used;
    alignas(ALIGNMENT) unsigned char data[];
};

void lh_arena_init(struct lh_arena *arena)
{
    arena->chunks = NULL;
    arena->used = 0;
}

void lh_arena_fini(struct lh_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    struct lh_arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct lh_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    lh_arena_init(arena);
}

static struct lh_arena_chunk *add_chunk(struct lh_arena *arena, size_t need)
{
    size_t size = arena->chunks == NULL ? CHUNK_FIRST : arena->chunks->size * 2;
    if (size > CHUNK_LAST) {
        size = CHUNK_LAST;
    }
    if (size < need) {
        size = need;
    }
    if (size > SIZE_MAX - sizeof(struct lh_arena_chunk)) {
        return NULL;
    }
    struct lh_arena_chunk *chunk = calloc(1, sizeof *chunk + size);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *lh_arena_alloc(struct lh_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT) {
        return NULL;
    }
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct lh_arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - chunk->used < rounded) {
        chunk = add_chunk(arena, rounded);
        if (chunk == NULL) {
            return NULL;
        }
    }
    void *memory = chunk->data + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return memory;
}

void *lh_arena_array(struct lh_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return lh_arena_alloc(arena, count * size);
}

char *lh_arena_strndup(struct lh_arena *arena, const char *text, size_t length)
{
    if (length == SIZE_MAX) {
        return NULL;
    }
    char *copy = lh_arena_alloc(arena, length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *lh_arena_strdup(struct lh_arena *arena, const char *text)
{
    return lh_arena_strndup(arena, text, strlen(text));
}
