/* SPDX-License-Identifier: MIT */
/* What all hostile plugins share: they pass sound through until their moment has come. */
#include "tests/plugins/hostile.lv2/hostile.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DEEDS_MAX 128

char *volatile hostile_nowhere;
volatile int hostile_nought;

static const struct hostile_deed *deeds[DEEDS_MAX];
static LV2_Descriptor descriptors[DEEDS_MAX];
static uint32_t count;

void hostile_tell(struct hostile *self, bool could)
{
    self->why = could ? 0 : (float)errno / 256;
    self->could = could ? 1 : 0;
    self->tells = true;
}

static void commit(struct hostile *self, enum hostile_moment moment)
{
    if (self->deed->moment == moment)
        self->deed->commit(self);
}

static LV2_Handle instantiate(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                              const LV2_Feature *const *features)
{
    (void)rate;
    struct hostile *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->deed = deeds[descriptor - descriptors];
    self->bundle = strdup(bundle);
    self->features = features;
    for (const LV2_Feature *const *feature = features; *feature != NULL; feature++)
        if (strcmp((*feature)->URI, LV2_URID__map) == 0)
            self->map = (*feature)->data;
    commit(self, HOSTILE_INSTANTIATE);
    return self;
}

static void connect_port(LV2_Handle handle, uint32_t port, void *data)
{
    struct hostile *self = handle;
    if (port < HOSTILE_PORTS)
        self->port[port] = data;
}

static void activate(LV2_Handle handle)
{
    commit(handle, HOSTILE_ACTIVATE);
}

static void run(LV2_Handle handle, uint32_t frames)
{
    struct hostile *self = handle;
    float after = *hostile_port(self, HOSTILE_AFTER);
    self->length = frames;
    memmove(self->port[HOSTILE_OUT_L], self->port[HOSTILE_IN_L], frames * sizeof(float));
    memmove(self->port[HOSTILE_OUT_R], self->port[HOSTILE_IN_R], frames * sizeof(float));
    if ((double)(self->frames + frames) > (double)after) {
        if (!self->done)
            commit(self, HOSTILE_ONCE);
        commit(self, HOSTILE_AGAIN);
        self->done = true;
    }
    for (uint32_t i = 0; i < frames && self->tells; i++) {
        hostile_port(self, HOSTILE_OUT_L)[i] = self->could;
        hostile_port(self, HOSTILE_OUT_R)[i] = self->why;
    }
    self->frames += frames;
}

static void deactivate(LV2_Handle handle)
{
    commit(handle, HOSTILE_DEACTIVATE);
}

static void cleanup(LV2_Handle handle)
{
    struct hostile *self = handle;
    commit(self, HOSTILE_CLEANUP);
    free((void *)(uintptr_t)self->bundle);
    free(self);
}

static void collect(void)
{
    static const struct hostile_deed *const tables[] = {hostile_crashes, hostile_hangs,   hostile_hogs,  hostile_sounds,
                                                        hostile_memory,  hostile_escapes, hostile_tricks};
    for (size_t table = 0; table < sizeof(tables) / sizeof(*tables); table++)
        for (const struct hostile_deed *deed = tables[table]; deed->uri != NULL && count < DEEDS_MAX; deed++) {
            deeds[count] = deed;
            descriptors[count++] =
                (LV2_Descriptor){deed->uri, instantiate, connect_port, activate, run, deactivate, cleanup, NULL};
        }
}

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, collect);
    return index < count ? &descriptors[index] : NULL;
}
