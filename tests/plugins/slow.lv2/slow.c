/* SPDX-License-Identifier: MIT */
/* urn:loophole:test:slow, for farms that are disturbed in mid-render: a one-pole low pass, whose every sample hangs on
   all before it, that sleeps `pause` microseconds in each block. It takes a known time and next to no processor. */
#include <lv2/core/lv2.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { IN, OUT, SMOOTH, PAUSE, PORTS };

struct slow {
    float *port[PORTS];
    float last;
};

static LV2_Handle instantiate(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                              const LV2_Feature *const *features)
{
    (void)descriptor;
    (void)rate;
    (void)bundle;
    (void)features;
    return calloc(1, sizeof(struct slow));
}

static void connect_port(LV2_Handle handle, uint32_t port, void *data)
{
    struct slow *self = handle;
    if (port < PORTS) {
        self->port[port] = data;
    }
}

static void activate(LV2_Handle handle)
{
    struct slow *self = handle;
    self->last = 0;
}

static void run(LV2_Handle handle, uint32_t frames)
{
    struct slow *self = handle;
    const float smooth = *self->port[SMOOTH];
    for (uint32_t i = 0; i < frames; i++) {
        self->last = self->port[IN][i] * (1.0f - smooth) + self->last * smooth;
        self->port[OUT][i] = self->last;
    }
    long microseconds = (long)*self->port[PAUSE];
    if (microseconds > 0 && frames > 0) {
        nanosleep(&(struct timespec){.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000}, NULL);
    }
}

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    static const LV2_Descriptor descriptor = {
        "urn:loophole:test:slow", instantiate, connect_port, activate, run, NULL, free, NULL};
    return index == 0 ? &descriptor : NULL;
}
