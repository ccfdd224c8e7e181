/* SPDX-License-Identifier: MIT */
/* Friendly plugins that weigh and route: gains, layouts, side chains, CV, denormals. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/plugins/friendly.lv2/friendly.h"

static void gain(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    float factor = friendly_value(self, 2);
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 1)[i] = friendly_in(self, 0)[i] * factor;
}

static void gain2(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    float factor = friendly_value(self, 4);
    for (uint32_t i = 0; i < frames; i++) {
        float left = friendly_in(self, 0)[i], right = friendly_in(self, 1)[i];
        friendly_out(self, 2)[i] = left * factor;
        friendly_out(self, 3)[i] = right * factor;
    }
}

static void one_to_two(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++) {
        float x = friendly_in(self, 0)[i];
        friendly_out(self, 1)[i] = x;
        friendly_out(self, 2)[i] = -x;
    }
}

static void two_to_one(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 2)[i] = 0.75F * friendly_in(self, 0)[i] + 0.25F * friendly_in(self, 1)[i];
}

static void four_out(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t port = 0; port < 4; port++)
        for (uint32_t i = 0; i < frames; i++)
            friendly_out(self, port)[i] = (float)(port + 1) / 8;
}

static void eight_in(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++) {
        float sum = 0;
        for (uint32_t port = 0; port < 8; port++)
            sum += ldexpf(friendly_in(self, port)[i], -(int)(port + 1));
        friendly_out(self, 8)[i] = sum;
    }
}

static void analyser(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    float peak = 0;
    for (uint32_t i = 0; i < frames; i++)
        peak = fmaxf(peak, fabsf(friendly_in(self, 0)[i]));
    *friendly_out(self, 1) = peak;
}

static void sidechain_multiply(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 2)[i] = friendly_in(self, 0)[i] * friendly_in(self, 1)[i];
}

static void sidechain_stereo(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = 0; i < frames; i++)
            friendly_out(self, 4 + side)[i] = friendly_in(self, side)[i] * friendly_in(self, 2 + side)[i];
}

static void optional(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    const float *extra = friendly_in(self, 1);
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 2)[i] = friendly_in(self, 0)[i] + (extra == NULL ? 0 : extra[i]);
    if (friendly_out(self, 3) != NULL)
        *friendly_out(self, 3) = 1;
}

static void cv_in(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 2)[i] = friendly_in(self, 0)[i] + friendly_in(self, 1)[i];
}

static void cv_out(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++) {
        float x = friendly_in(self, 0)[i];
        friendly_out(self, 1)[i] = x;
        friendly_out(self, 2)[i] = x * 0.5F;
    }
}

static void denormal_maker(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++) {
        float x = friendly_in(self, 0)[i];
        self->value[0] = x != 0 ? x : self->value[0] * 0.5F;
        friendly_out(self, 1)[i] = x * 0.5F + self->value[0] * 0x1p-10F;
    }
}

static void denormal_teller(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++) {
        volatile float small = 0x1p-100F;
        volatile float smaller = small * 0x1p-40F;
        friendly_out(self, 1)[i] = smaller * 0x1p+100F != 0 ? 1 : 0;
    }
}

const LV2_Descriptor friendly_levels[] = {
    FRIENDLY("gain", gain),
    FRIENDLY("gain2", gain2),
    FRIENDLY("one-to-two", one_to_two),
    FRIENDLY("two-to-one", two_to_one),
    FRIENDLY("four-out", four_out),
    FRIENDLY("eight-in", eight_in),
    FRIENDLY("analyser", analyser),
    FRIENDLY("sidechain-multiply", sidechain_multiply),
    FRIENDLY("sidechain-stereo", sidechain_stereo),
    FRIENDLY("optional", optional),
    FRIENDLY("cv-in", cv_in),
    FRIENDLY("cv-out", cv_out),
    FRIENDLY("denormal-maker", denormal_maker),
    FRIENDLY("denormal-teller", denormal_teller),
    {0},
};
