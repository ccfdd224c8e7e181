/* SPDX-License-Identifier: MIT */
/* malloc() and its kin, in front of the C library's: what a plugin is given is zeroed. Some plugins read memory that
   they never wrote; what they found there would differ between renders. Outside of plugins everything is as ever. Left
   out where a sanitizer has an allocator of its own. */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/host/watch.h"

/* The C library's own, under the names that it keeps for those who stand in front of it. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static void *zeroed(void *memory, size_t size)
{
    if (memory != NULL && engine_watch_current != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

void *malloc(size_t size)
{
    return engine_watch_current != NULL ? __libc_calloc(1, size) : __libc_malloc(size);
}

void *realloc(void *memory, size_t size)
{
    if (engine_watch_current == NULL) {
        return __libc_realloc(memory, size);
    }
    if (memory == NULL) {
        return malloc(size);
    }
    size_t before = malloc_usable_size(memory);
    char *grown = __libc_realloc(memory, size);
    size_t after = grown != NULL ? malloc_usable_size(grown) : 0;
    if (after > before) {
        memset(grown + before, 0, after - before);
    }
    return grown;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return zeroed(__libc_memalign(alignment, size), size);
}

void *memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    void *made = aligned_alloc(alignment, size);
    if (made == NULL) {
        return ENOMEM;
    }
    *memory = made;
    return 0;
}
