/* SPDX-License-Identifier: MIT */
/* One reserved span for all buffers of an instance; what is no buffer stays forbidden. */
#include "engine/host/buffers.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t pages_for(size_t size, size_t page)
{
    return (size + page - 1) / page * page;
}

enum lh_status engine_buffers_new(const size_t *sizes, size_t count, struct engine_buffers *buffers, void **places,
                                  struct lh_error *error)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t total = page;
    for (size_t i = 0; i < count; i++) {
        if (sizes[i] > SIZE_MAX / 4 || total > SIZE_MAX / 4) {
            return lh_error_no_memory(error);
        }
        total += sizes[i] > 0 ? pages_for(sizes[i], page) + page : 0;
    }
    uint8_t *base = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return lh_error_no_memory(error);
    }
    uint8_t *next = base + page;
    for (size_t i = 0; i < count; i++) {
        size_t room = pages_for(sizes[i], page);
        if (room > 0 && mprotect(next, room, PROT_READ | PROT_WRITE) != 0) {
            munmap(base, total);
            return lh_error_no_memory(error);
        }
        places[i] = room > 0 ? next + room - sizes[i] : NULL;
        next += room > 0 ? room + page : 0;
    }
    *buffers = (struct engine_buffers){.base = base, .size = total};
    return LH_OK;
}

void engine_buffers_free(struct engine_buffers *buffers)
{
    if (buffers != NULL && buffers->base != NULL) {
        munmap(buffers->base, buffers->size);
        *buffers = (struct engine_buffers){.base = NULL};
    }
}
