/* SPDX-License-Identifier: MIT */
/* Buffers that end exactly where memory that nobody may touch begins, and a small random generator. For tests of
 * kernels. */
#ifndef TESTS_ENGINE_DSP_GUARDED_H
#define TESTS_ENGINE_DSP_GUARDED_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
    uint8_t *pages; /* a guard page, `usable` bytes, a guard page */
    size_t usable, page;
};

static inline struct guarded guarded_new(size_t usable)
{
    struct guarded made;
    made.page = (size_t)sysconf(_SC_PAGESIZE);
    made.usable = (usable + made.page - 1) / made.page * made.page;
    made.pages = mmap(NULL, made.usable + 2 * made.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made.pages == MAP_FAILED || mprotect(made.pages + made.page, made.usable, PROT_READ | PROT_WRITE) != 0) {
        abort();
    }
    return made;
}

static inline void guarded_free(struct guarded *guarded)
{
    munmap(guarded->pages, guarded->usable + 2 * guarded->page);
}

/* The last `size` bytes before the guard page behind ... */
static inline void *guarded_last(const struct guarded *guarded, size_t size)
{
    return guarded->pages + guarded->page + guarded->usable - size;
}

/* ... and the first after the guard page before. */
static inline void *guarded_first(const struct guarded *guarded)
{
    return guarded->pages + guarded->page;
}

/* xorshift64*: repeatable, so that a failure can be found again. */
static inline uint64_t random_bits(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint32_t random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)((random_bits(state) >> 32) * limit >> 32);
}

/* In [-1, 1). */
static inline float random_sample(uint64_t *state)
{
    return (float)((int32_t)(random_bits(state) >> 40) - (1 << 23)) * 0x1p-23f;
}

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_from(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
