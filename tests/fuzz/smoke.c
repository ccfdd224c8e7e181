/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target on every short truncation and on a fixed sequence of random changes of its seed: the same inputs
   every time, so that a failure repeats. `ROUNDS` as the first argument runs longer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define ROUNDS 20000
#define GROWTH_MAX 64
#define TRUNCATIONS 2000

/* xorshift64*: libc's rand() may differ between systems. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static size_t place(uint64_t *state, size_t size)
{
    return size == 0 ? 0 : (size_t)(next(state) % size);
}

/* Changes `data` (room for GROWTH_MAX more) a few times; returns the new size. */
static size_t mutate(uint8_t *data, size_t size, uint64_t *state)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, '"', '{', '[', '-', '9'};
    size_t limit = size + GROWTH_MAX;
    for (uint64_t changes = 1 + next(state) % 4; changes > 0 && size > 0; changes--) {
        size_t at = place(state, size);
        size_t span = 1 + place(state, 8);
        switch (next(state) % 6) {
        case 0:
            data[at] ^= (uint8_t)(1u << next(state) % 8);
            break;
        case 1:
            data[at] = telling[place(state, sizeof telling)];
            break;
        case 2:
            memset(data + at, telling[place(state, sizeof telling)], span < size - at ? span : size - at);
            break;
        case 3: /* cut out */
            span = span < size - at ? span : size - at;
            memmove(data + at, data + at + span, size - at - span);
            size -= span;
            break;
        case 4: /* repeat */
            span = span < size - at ? span : size - at;
            if (size + span <= limit) {
                memmove(data + at + span, data + at, size - at);
                size += span;
            }
            break;
        default: /* copy from elsewhere */
            span = span < size - at ? span : size - at;
            memmove(data + at, data + place(state, size - span + 1), span);
            break;
        }
    }
    return size;
}

/* Exactly `size` bytes on the heap, so that a sanitizer sees a read past the end. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL) {
        abort();
    }
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
    size_t size;
    uint8_t *seed = fuzz_seed(&size);
    uint8_t *data = malloc(size + GROWTH_MAX);
    if (seed == NULL || data == NULL) {
        return EXIT_FAILURE;
    }
    run(seed, size);
    for (size_t i = 0; i < TRUNCATIONS && i < size; i++) {
        run(seed, size > TRUNCATIONS ? i * (size / TRUNCATIONS) : i);
    }
    uint64_t state = 1;
    for (long i = 0; i < rounds; i++) {
        memcpy(data, seed, size);
        run(data, mutate(data, size, &state));
    }
    printf("%ld inputs from a seed of %zu bytes\n", rounds, size);
    free(seed);
    free(data);
    return EXIT_SUCCESS;
}
