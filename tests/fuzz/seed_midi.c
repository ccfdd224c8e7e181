/* SPDX-License-Identifier: MIT */
/* The seed of the MIDI reader's smoke run: two tracks with everything that a file may hold. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static const uint8_t song[] = {
    'M',  'T',  'h',  'd', 0,    0,    0,    6,  0,    1,    0,    2,    0,   96, /* format 1, two tracks, 96 ticks a
                                                                                     quarter note */
    'M',  'T',  'r',  'k', 0,    0,    0,    19,                                  /* tempo and name */
    0,    0xFF, 0x51, 3,   7,    0xA1, 0x20, 0,  0xFF, 3,    4,    'S',  'o', 'n', 'g',  0,  0xFF, 0x2F, 0, /**/
    'X',  'T',  'r',  'a', 0,    0,    0,    2,  1,    2, /* a chunk of someone's own */
    'M',  'T',  'r',  'k', 0,    0,    0,    47,          /**/
    0,    0xC0, 5,    0,   0xB0, 7,    100,  0,  0x90, 60,   100,  0x60, 60,  0,   0,    64, 90, /* running status */
    0x81, 0x40, 0x80, 64,  0,    0,    0xE0, 0,  64,   0,    0xF0, 3,    1,   2,   0xF7, 0,  0xD0, 4, /**/
    0,    0xA0, 64,   3,   0x60, 0xB0, 64,   0,  0,    0xFF, 0x2F, 0,
};

uint8_t *fuzz_seed(size_t *size)
{
    uint8_t *seed = malloc(sizeof song);
    *size = seed == NULL ? 0 : sizeof song;
    if (seed != NULL) {
        memcpy(seed, song, sizeof song);
    }
    return seed;
}
