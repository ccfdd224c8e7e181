/* SPDX-License-Identifier: MIT */
/* Measures a file of raw interleaved floats, so that other people's meters can be asked the same (check_loudness.py).
   meter_tool IN CHANNELS RATE */
#include <stdio.h>
#include <stdlib.h>

#include "engine/io/meter.h"

#define TOOL_BLOCK 4096u

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;
    struct engine_meter *meter = NULL;
    static float block[16 * TOOL_BLOCK];
    if (file == NULL) {
        (void)fprintf(stderr, "usage: meter_tool IN CHANNELS RATE\n");
        return 2;
    }
    uint32_t channels = (uint32_t)atoi(argv[2]);
    enum lh_status status = engine_meter_new(channels, (uint32_t)atoi(argv[3]), &meter);
    size_t frames = 1;
    while (status == LH_OK && (frames = fread(block, sizeof *block * channels, TOOL_BLOCK, file)) > 0) {
        status = engine_meter_add(meter, block, frames);
    }
    (void)fclose(file);
    if (status == LH_OK) {
        struct engine_loudness loudness;
        engine_meter_get(meter, &loudness);
        (void)printf("{\"integrated\": %.4f, \"range\": %.4f, \"truePeak\": %.4f, \"samplePeak\": %.4f}\n",
                     loudness.integrated_lufs, loudness.range_lu, loudness.true_peak_dbtp, loudness.sample_peak_dbfs);
    } else {
        (void)fprintf(stderr, "%s\n", lh_status_text(status));
    }
    engine_meter_free(meter);
    return status == LH_OK ? 0 : 1;
}
