/* SPDX-License-Identifier: MIT */
/* The C library's random numbers, from a state of our choice. The generators are the ones that POSIX and BSD describe
   (the additive feedback generator of degree 31, the 48-bit congruential one), so that seeded plugins sound as they do
   elsewhere. */
#include "engine/host/pinned.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define SEPARATION 3u
#define DISCARDED 310 /* outputs that random() drops after seeding */
#define LINEAR_MULTIPLIER UINT64_C(0x5DEECE66D)
#define LINEAR_ADDEND UINT64_C(0xB)
#define LINEAR_MASK ((UINT64_C(1) << 48) - 1)
#define PINNED_SEED 1u /* stands for the clock's */

static _Thread_local struct engine_pinned *current;
static struct engine_pinned process_state;
static bool process_ready;
static atomic_flag process_lock = ATOMIC_FLAG_INIT;

static uint32_t additive_next(struct engine_pinned *state)
{
    uint32_t front = state->front;
    uint32_t back = front < SEPARATION ? front + ENGINE_PINNED_DEGREE - SEPARATION : front - SEPARATION;
    uint32_t sum = (uint32_t)state->additive[front] + (uint32_t)state->additive[back];
    state->additive[front] = (int32_t)sum;
    state->front = front + 1 == ENGINE_PINNED_DEGREE ? 0 : front + 1;
    return sum >> 1;
}

static void additive_seed(struct engine_pinned *state, uint32_t seed)
{
    int64_t word = seed == 0 ? 1 : (int32_t)seed;
    state->additive[0] = (int32_t)word;
    for (int i = 1; i < ENGINE_PINNED_DEGREE; i++) {
        word = word * 16807 % 2147483647;
        word += word < 0 ? 2147483647 : 0;
        state->additive[i] = (int32_t)word;
    }
    state->front = SEPARATION;
    for (int i = 0; i < DISCARDED; i++) {
        additive_next(state);
    }
}

void engine_pinned_init(struct engine_pinned *pinned)
{
    additive_seed(pinned, 1);
    pinned->linear = 0;
    pinned->multiplier = LINEAR_MULTIPLIER;
    pinned->addend = LINEAR_ADDEND;
}

struct engine_pinned *engine_pinned_swap(struct engine_pinned *pinned)
{
    struct engine_pinned *before = current;
    current = pinned;
    return before;
}

/* The state to draw from: the entered instance's, or the process', locked. */
static struct engine_pinned *take(void)
{
    if (current != NULL) {
        return current;
    }
    while (atomic_flag_test_and_set_explicit(&process_lock, memory_order_acquire)) {
    }
    if (!process_ready) {
        engine_pinned_init(&process_state);
        process_ready = true;
    }
    return &process_state;
}

static void give(const struct engine_pinned *state)
{
    if (state == &process_state) {
        atomic_flag_clear_explicit(&process_lock, memory_order_release);
    }
}

static uint64_t seed_for(const struct engine_pinned *state, uint64_t seed)
{
    return state == &process_state || seed < ENGINE_PINNED_SEED_CHOSEN ? seed : PINNED_SEED;
}

long random(void)
{
    struct engine_pinned *state = take();
    uint32_t value = additive_next(state);
    give(state);
    return (long)value;
}

int rand(void)
{
    return (int)random();
}

void srandom(unsigned seed)
{
    struct engine_pinned *state = take();
    additive_seed(state, (uint32_t)seed_for(state, seed));
    give(state);
}

void srand(unsigned seed)
{
    srandom(seed);
}

static uint64_t linear_next(void)
{
    struct engine_pinned *state = take();
    state->linear = (state->linear * state->multiplier + state->addend) & LINEAR_MASK;
    uint64_t value = state->linear;
    give(state);
    return value;
}

double drand48(void)
{
    return (double)linear_next() * 0x1p-48;
}

long lrand48(void)
{
    return (long)(linear_next() >> 17);
}

long mrand48(void)
{
    return (int32_t)(uint32_t)(linear_next() >> 16);
}

void srand48(long seed)
{
    struct engine_pinned *state = take();
    state->linear = (seed_for(state, (uint32_t)seed) << 16 | 0x330E) & LINEAR_MASK;
    state->multiplier = LINEAR_MULTIPLIER;
    state->addend = LINEAR_ADDEND;
    give(state);
}

static uint64_t from_words(const unsigned short words[3])
{
    return (uint64_t)words[0] | (uint64_t)words[1] << 16 | (uint64_t)words[2] << 32;
}

unsigned short *seed48(unsigned short words[3])
{
    static _Thread_local unsigned short before[3];
    struct engine_pinned *state = take();
    uint64_t old = state->linear;
    state->linear = from_words(words);
    state->multiplier = LINEAR_MULTIPLIER;
    state->addend = LINEAR_ADDEND;
    give(state);
    for (int i = 0; i < 3; i++) {
        before[i] = (unsigned short)(old >> (16 * i));
    }
    return before;
}

void lcong48(unsigned short parameters[7])
{
    struct engine_pinned *state = take();
    state->linear = from_words(parameters);
    state->multiplier = from_words(parameters + 3);
    state->addend = parameters[6];
    give(state);
}
