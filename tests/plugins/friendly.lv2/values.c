/* SPDX-License-Identifier: MIT */
/* Friendly plugins that tell what they were told: parameters, options, features; and those that are never the same. */
#include <lv2/atom/atom.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/parameters/parameters.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/plugins/friendly.lv2/friendly.h"

static void hold(const struct friendly *self, uint32_t port, float value, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, port)[i] = value;
}

static void parameter_teller(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    hold(self, 1, friendly_value(self, 2), frames);
}

static void scaled_range(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    hold(self, 1, (float)((double)friendly_value(self, 2) / self->rate), frames);
}

static void typed(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    hold(self, 2, friendly_value(self, 4) + 1000 * friendly_value(self, 5), frames);
    hold(self, 3, friendly_value(self, 6), frames);
}

static void enabled_teller(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    hold(self, 2, friendly_value(self, 4), frames);
    hold(self, 3, friendly_value(self, 5), frames);
}

static double option(const struct friendly *self, const char *uri)
{
    LV2_URID key = friendly_urid(self, uri);
    for (const LV2_Options_Option *at = self->options; at != NULL && at->key != 0; at++) {
        if (at->key != key)
            continue;
        if (at->type == friendly_urid(self, LV2_ATOM__Int) && at->size == sizeof(int32_t))
            return *(const int32_t *)at->value;
        if (at->type == friendly_urid(self, LV2_ATOM__Float) && at->size == sizeof(float))
            return (double)*(const float *)at->value;
    }
    return 0;
}

static LV2_Handle instantiate_options(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                                      const LV2_Feature *const *features)
{
    struct friendly *self = friendly_instantiate(descriptor, rate, bundle, features);
    if (self == NULL)
        return NULL;
    self->taps[0] = (float)(option(self, LV2_BUF_SIZE__minBlockLength) / 8192);
    self->taps[1] = (float)(option(self, LV2_BUF_SIZE__nominalBlockLength) / 8192);
    self->taps[2] = (float)(option(self, LV2_BUF_SIZE__maxBlockLength) / 8192);
    self->taps[3] = (float)(option(self, LV2_BUF_SIZE__sequenceSize) / 65536);
    self->factor = (float)(option(self, LV2_PARAMETERS__sampleRate) / 96000);
    return self;
}

static void options_teller(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < 4; i++)
        hold(self, 1 + i, self->taps[i], frames);
    hold(self, 5, self->factor, frames);
}

static _Atomic uint32_t activations;

static void activate_counted(LV2_Handle handle)
{
    struct friendly *self = handle;
    friendly_activate(self);
    self->count = atomic_fetch_add(&activations, 1) + 1;
}

static void counter(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    hold(self, 1, (float)self->count / 1024, frames);
}

static void noise_rand(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 1)[i] = friendly_in(self, 0)[i] + (float)rand() / (float)RAND_MAX * 0.5F - 0.25F;
}

static LV2_Handle instantiate_time(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                                   const LV2_Feature *const *features)
{
    srand((unsigned)time(NULL));
    return friendly_instantiate(descriptor, rate, bundle, features);
}

static LV2_Handle instantiate_clock(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                                    const LV2_Feature *const *features)
{
    struct friendly *self = friendly_instantiate(descriptor, rate, bundle, features);
    struct timespec now;
    if (self != NULL && clock_gettime(CLOCK_REALTIME, &now) == 0)
        self->random = (uint64_t)now.tv_nsec + (uint64_t)now.tv_sec * 1000000000U;
    return self;
}

/* Knuth's MMIX multiplier; the top bits are noise enough. */
static void noise_clock(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++) {
        self->random = self->random * 6364136223846793005U + 1442695040888963407U;
        friendly_out(self, 1)[i] = friendly_in(self, 0)[i] + (float)(self->random >> 40) * 0x1p-25F - 0.25F;
    }
}

static void is_live(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    hold(self, 1, self->live ? 1 : 0, frames);
}

static void pass(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    if (friendly_out(self, 1) != friendly_in(self, 0))
        memcpy(friendly_out(self, 1), friendly_in(self, 0), frames * sizeof(float));
}

const LV2_Descriptor friendly_values[] = {
    FRIENDLY("parameter-teller", parameter_teller),
    FRIENDLY("scaled-range", scaled_range),
    FRIENDLY("typed", typed),
    FRIENDLY("enabled-teller", enabled_teller),
    FRIENDLY_WITH("options-teller", instantiate_options, friendly_activate, options_teller, NULL),
    FRIENDLY_WITH("counter", friendly_instantiate, activate_counted, counter, NULL),
    FRIENDLY("noise-rand", noise_rand),
    FRIENDLY_WITH("noise-time", instantiate_time, friendly_activate, noise_rand, NULL),
    FRIENDLY_WITH("noise-clock", instantiate_clock, friendly_activate, noise_clock, NULL),
    FRIENDLY("is-live", is_live),
    FRIENDLY("requires-unknown", pass),
    FRIENDLY("requires-live", pass),
    FRIENDLY("needs-fixed-block", pass),
    FRIENDLY("needs-power-of-two", pass),
    {0},
};
