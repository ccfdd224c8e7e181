/* SPDX-License-Identifier: MIT */
/* Plugins whose data lie (tables.py says how). Their code does nothing, but for those that have none. */
#include <string.h>

#include "tests/plugins/harmless.h"

static LV2_Handle refuse(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                         const LV2_Feature *const *features)
{
    (void)descriptor;
    (void)rate;
    (void)bundle;
    (void)features;
    return NULL;
}

#define LIAR "urn:loophole:hostile:liar-"

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    static const LV2_Descriptor descriptors[] = {
        HARMLESS(LIAR "index-gap"),
        HARMLESS(LIAR "index-twice"),
        HARMLESS(LIAR "index-huge"),
        HARMLESS(LIAR "index-negative"),
        HARMLESS(LIAR "symbol-twice"),
        HARMLESS(LIAR "symbol-none"),
        HARMLESS(LIAR "symbol-bad"),
        HARMLESS(LIAR "range-nan"),
        HARMLESS(LIAR "range-infinite"),
        HARMLESS(LIAR "range-upside-down"),
        HARMLESS(LIAR "range-text"),
        HARMLESS(LIAR "range-none"),
        HARMLESS(LIAR "default-outside"),
        HARMLESS(LIAR "no-direction"),
        HARMLESS(LIAR "no-kind"),
        HARMLESS(LIAR "no-ports"),
        HARMLESS(LIAR "no-data"),
        HARMLESS(LIAR "many-ports"),
        HARMLESS(LIAR "long-name"),
        HARMLESS(LIAR "size-huge"),
        {.URI = LIAR "refuses",
         .instantiate = refuse,
         .connect_port = harmless_connect,
         .run = harmless_run,
         .cleanup = free},
        {.URI = LIAR "no-functions"},
    };
    return index < sizeof(descriptors) / sizeof(*descriptors) ? &descriptors[index] : NULL;
}
