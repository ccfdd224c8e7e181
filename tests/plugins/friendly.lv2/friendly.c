/* SPDX-License-Identifier: MIT */
/* What all friendly plugins share: instances, ports, features, the list of them. */
#include "tests/plugins/friendly.lv2/friendly.h"

#include <stdlib.h>
#include <string.h>

static void read_features(struct friendly *self, const LV2_Feature *const *features)
{
    for (; *features != NULL; features++) {
        if (strcmp((*features)->URI, LV2_URID__map) == 0)
            self->map = (*features)->data;
        else if (strcmp((*features)->URI, LV2_OPTIONS__options) == 0)
            self->options = (*features)->data;
        else if (strcmp((*features)->URI, LV2_WORKER__schedule) == 0)
            self->schedule = (*features)->data;
        else if (strcmp((*features)->URI, LV2_CORE__isLive) == 0)
            self->live = true;
    }
}

LV2_Handle friendly_instantiate(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                                const LV2_Feature *const *features)
{
    (void)descriptor;
    (void)bundle;
    struct friendly *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->rate = rate;
    read_features(self, features);
    return self;
}

void friendly_connect(LV2_Handle handle, uint32_t port, void *data)
{
    struct friendly *self = handle;
    if (port < FRIENDLY_PORTS)
        self->port[port] = data;
}

void friendly_activate(LV2_Handle handle)
{
    struct friendly *self = handle;
    self->frames = 0;
    self->count = 0;
    memset(self->value, 0, sizeof(self->value));
    memset(self->velocity, 0, sizeof(self->velocity));
    for (size_t channel = 0; channel < 2; channel++)
        if (self->ring[channel] != NULL)
            memset(self->ring[channel], 0, FRIENDLY_RING * sizeof(float));
}

void friendly_cleanup(LV2_Handle handle)
{
    struct friendly *self = handle;
    free(self->ring[0]);
    free(self->ring[1]);
    free(self);
}

LV2_URID friendly_urid(const struct friendly *self, const char *uri)
{
    return self->map == NULL ? 0 : self->map->map(self->map->handle, uri);
}

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    static const LV2_Descriptor *const tables[] = {friendly_levels, friendly_times, friendly_values, friendly_notes,
                                                   friendly_states};
    for (size_t table = 0; table < sizeof(tables) / sizeof(*tables); table++)
        for (const LV2_Descriptor *descriptor = tables[table]; descriptor->URI != NULL; descriptor++)
            if (index-- == 0)
                return descriptor;
    return NULL;
}
