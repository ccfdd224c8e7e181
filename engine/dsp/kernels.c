/* SPDX-License-Identifier: MIT */
/* Which set of kernels runs on this CPU, and what is known of the sample formats. */
#include "engine/dsp/kernels.h"

#include <stdatomic.h>
#include <string.h>

#include "engine/dsp/kernels_sets.h"

static const struct {
    size_t size;
    bool on_grid;
} formats[ENGINE_SAMPLE_FORMAT_COUNT] = {
    [ENGINE_SAMPLE_U8] = {1, true},      [ENGINE_SAMPLE_S8] = {1, true},      [ENGINE_SAMPLE_S16_LE] = {2, true},
    [ENGINE_SAMPLE_S16_BE] = {2, true},  [ENGINE_SAMPLE_S24_LE] = {3, true},  [ENGINE_SAMPLE_S24_BE] = {3, true},
    [ENGINE_SAMPLE_S32_LE] = {4, false}, [ENGINE_SAMPLE_S32_BE] = {4, false}, [ENGINE_SAMPLE_F32_LE] = {4, false},
    [ENGINE_SAMPLE_F32_BE] = {4, false}, [ENGINE_SAMPLE_F64_LE] = {8, false}, [ENGINE_SAMPLE_F64_BE] = {8, false},
};

size_t engine_sample_size(enum engine_sample_format format)
{
    return formats[format].size;
}

bool engine_sample_is_on_grid(enum engine_sample_format format)
{
    return formats[format].on_grid;
}

/* The AVX2 sibling where the build has it and the CPU can run it, else NULL. */
static const struct engine_kernels *avx2_if_usable(void)
{
#ifdef ENGINE_HAVE_AVX2
    if (__builtin_cpu_supports("avx2")) {
        return engine_kernels_avx2();
    }
#endif
    return NULL;
}

const struct engine_kernels *engine_kernels_best(void)
{
    const struct engine_kernels *avx2 = avx2_if_usable();
    return avx2 != NULL ? avx2 : engine_kernels_c();
}

const struct engine_kernels *engine_kernels_named(const char *name)
{
    const struct engine_kernels *sets[] = {engine_kernels_c(), avx2_if_usable()};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (sets[i] != NULL && strcmp(sets[i]->name, name) == 0) {
            return sets[i];
        }
    }
    return NULL;
}

/* The sets are immutable, so the pointer is all that is shared. */
static const struct engine_kernels *_Atomic selected;

void engine_kernels_select(const struct engine_kernels *kernels)
{
    atomic_store_explicit(&selected, kernels, memory_order_relaxed);
}

const struct engine_kernels *engine_kernels_current(void)
{
    const struct engine_kernels *kernels = atomic_load_explicit(&selected, memory_order_relaxed);
    return kernels != NULL ? kernels : engine_kernels_best();
}
