/* SPDX-License-Identifier: MIT */
/* Friendly plugins that have to do with time: latency, where runs are cut, tails. */
#include <stdlib.h>

#include "tests/plugins/friendly.lv2/friendly.h"

static LV2_Handle instantiate_delay(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                                    const LV2_Feature *const *features)
{
    struct friendly *self = friendly_instantiate(descriptor, rate, bundle, features);
    if (self == NULL)
        return NULL;
    self->ring[0] = calloc(FRIENDLY_RING, sizeof(float));
    self->ring[1] = calloc(FRIENDLY_RING, sizeof(float));
    if (self->ring[0] == NULL || self->ring[1] == NULL) {
        friendly_cleanup(self);
        return NULL;
    }
    return self;
}

static uint32_t clamped(float frames)
{
    return frames >= 65536 ? 65536 : frames > 0 ? (uint32_t)frames : 0;
}

static void delay(struct friendly *self, uint32_t in, uint32_t out, uint32_t channel, uint32_t length, uint32_t frames)
{
    float *ring = self->ring[channel];
    for (uint32_t i = 0; i < frames; i++) {
        uint64_t at = self->frames + i;
        ring[at % FRIENDLY_RING] = friendly_in(self, in)[i];
        friendly_out(self, out)[i] = ring[(at - length) % FRIENDLY_RING];
    }
}

static void latent(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    uint32_t length = clamped(friendly_value(self, 2));
    delay(self, 0, 1, 0, length, frames);
    self->frames += frames;
    *friendly_out(self, 3) = (float)length;
}

static void latent2(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    uint32_t length = clamped(friendly_value(self, 4));
    delay(self, 0, 2, 0, length, frames);
    delay(self, 1, 3, 1, length, frames);
    self->frames += frames;
    *friendly_out(self, 5) = (float)length;
}

static void late(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    delay(self, 0, 1, 0, clamped(friendly_value(self, 2)), frames);
    self->frames += frames;
    *friendly_out(self, 5) = friendly_value(self, (float)self->frames > friendly_value(self, 4) ? 3 : 2);
}

static void offset_teller(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 1)[i] = i == 0 ? (float)frames / 8192 : 0;
}

static void stepped(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    float from = self->value[0], to = from + (friendly_value(self, 2) - from) * 0.5F;
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 1)[i] = friendly_in(self, 0)[i] * (from + (to - from) * ((float)i / (float)frames));
    self->value[0] = to;
}

static void tail(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    float feedback = friendly_value(self, 2);
    uint32_t length = clamped(friendly_value(self, 3));
    for (uint32_t i = 0; i < frames; i++) {
        uint64_t at = self->frames + i;
        float y = friendly_in(self, 0)[i] + feedback * self->ring[0][(at - length) % FRIENDLY_RING];
        self->ring[0][at % FRIENDLY_RING] = y;
        friendly_out(self, 1)[i] = y;
    }
    self->frames += frames;
}

const LV2_Descriptor friendly_times[] = {
    FRIENDLY_WITH("latent", instantiate_delay, friendly_activate, latent, NULL),
    FRIENDLY_WITH("latent2", instantiate_delay, friendly_activate, latent2, NULL),
    FRIENDLY_WITH("late", instantiate_delay, friendly_activate, late, NULL),
    FRIENDLY("offset-teller", offset_teller),
    FRIENDLY("stepped", stepped),
    FRIENDLY_WITH("tail", instantiate_delay, friendly_activate, tail, NULL),
    {0},
};
