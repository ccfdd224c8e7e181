/* SPDX-License-Identifier: MIT */
/* The floating environment of an engine thread: flush-to-zero and denormals-are-zero, so that a decaying tail costs no
   more than a loud one and every thread computes the same bits. Entered by each thread that
   renders (engine/run/pool.c). */
#ifndef ENGINE_DSP_FPENV_H
#define ENGINE_DSP_FPENV_H

#include <stdint.h>

#if defined(__x86_64__) || defined(__SSE2__)
#include <xmmintrin.h>
#define ENGINE_FPENV_HAS_FLUSH 1
#elif defined(__aarch64__)
#define ENGINE_FPENV_HAS_FLUSH 1
#else
#define ENGINE_FPENV_HAS_FLUSH 0
#endif

/* A thread's control register as it was. Plain data. */
struct engine_fpenv {
    uint64_t control;
};

static inline struct engine_fpenv engine_fpenv_save(void)
{
#if defined(__x86_64__) || defined(__SSE2__)
    return (struct engine_fpenv){.control = _mm_getcsr()};
#elif defined(__aarch64__)
    uint64_t control;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(control));
    return (struct engine_fpenv){.control = control};
#else
    return (struct engine_fpenv){.control = 0};
#endif
}

/* Back to what engine_fpenv_save() saw, on the same thread. */
static inline void engine_fpenv_restore(struct engine_fpenv saved)
{
#if defined(__x86_64__) || defined(__SSE2__)
    _mm_setcsr((unsigned)saved.control);
#elif defined(__aarch64__)
    __asm__ __volatile__("msr fpcr, %0" : : "r"(saved.control));
#else
    (void)saved;
#endif
}

/* Sets the engine's environment for this thread: round to nearest, no traps, denormals flushed where the CPU can.
   Returns what was set before, for engine_fpenv_restore(). */
static inline struct engine_fpenv engine_fpenv_enter(void)
{
    struct engine_fpenv saved = engine_fpenv_save();
#if defined(__x86_64__) || defined(__SSE2__)
    const unsigned all_masked = 0x1f80u, flush_to_zero = 0x8000u, denormals_are_zero = 0x0040u;
    _mm_setcsr(all_masked | flush_to_zero | denormals_are_zero);
#elif defined(__aarch64__)
    const uint64_t flush_to_zero = UINT64_C(1) << 24;
    engine_fpenv_restore((struct engine_fpenv){.control = flush_to_zero});
#endif
    return saved;
}

#endif
