/* SPDX-License-Identifier: MIT */
/* A bump allocator: one for each request, load or compile; everything in it is freed at once.
   Not thread-safe: an arena belongs to one thread at a time. */
#ifndef LH_BASE_ARENA_H
#define LH_BASE_ARENA_H

#include <stddef.h>

struct lh_arena_chunk;

struct lh_arena {
    struct lh_arena_chunk *chunks; /* newest first */
    size_t used;                   /* bytes handed out, for limits and tests */
};

void lh_arena_init(struct lh_arena *arena);
/* Frees every chunk; the arena may be used again. Accepts NULL. */
void lh_arena_fini(struct lh_arena *arena);

/* `size` zeroed bytes, aligned to 16; NULL when memory is out. A size of 0 gives a valid pointer. */
void *lh_arena_alloc(struct lh_arena *arena, size_t size);
/* The same for `count` elements of `size` bytes; NULL also when the product overflows. */
void *lh_arena_array(struct lh_arena *arena, size_t count, size_t size);
/* A NUL-terminated copy; NULL when memory is out. */
char *lh_arena_strdup(struct lh_arena *arena, const char *text);
char *lh_arena_strndup(struct lh_arena *arena, const char *text, size_t length);

#endif
