/* SPDX-License-Identifier: MIT */
/* The set that runs everywhere and defines the bits: the loops as the compiler lays them out for the base CPU. */
#include "engine/dsp/kernels_loops.h"
#include "engine/dsp/kernels_sets.h"

static const struct engine_kernels table = {
    .name = "c",
    .decode =
        {
            [ENGINE_SAMPLE_U8] = decode_u8,
            [ENGINE_SAMPLE_S8] = decode_s8,
            [ENGINE_SAMPLE_S16_LE] = decode_s16_le,
            [ENGINE_SAMPLE_S16_BE] = decode_s16_be,
            [ENGINE_SAMPLE_S24_LE] = decode_s24_le,
            [ENGINE_SAMPLE_S24_BE] = decode_s24_be,
            [ENGINE_SAMPLE_S32_LE] = decode_s32_le,
            [ENGINE_SAMPLE_S32_BE] = decode_s32_be,
            [ENGINE_SAMPLE_F32_LE] = decode_f32_le,
            [ENGINE_SAMPLE_F32_BE] = decode_f32_be,
            [ENGINE_SAMPLE_F64_LE] = decode_f64_le,
            [ENGINE_SAMPLE_F64_BE] = decode_f64_be,
        },
    .gain = gain,
    .multiply = multiply,
    .accumulate = accumulate,
    .accumulate_gain = accumulate_gain,
    .accumulate_pan = accumulate_pan,
    .accumulate_s16 = accumulate_s16,
    .accumulate_s24 = accumulate_s24,
    .add = add,
    .complete = complete,
    .peak = peak,
    .true_peak = true_peak,
    .quantise = quantise,
    .pack_s16 = pack_s16,
    .pack_s24 = pack_s24,
};

const struct engine_kernels *engine_kernels_c(void)
{
    return &table;
}
