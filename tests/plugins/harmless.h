/* SPDX-License-Identifier: MIT */
/* A plugin that does nothing, for bundles whose harm is elsewhere: in their data, or in loading them. */
#ifndef TESTS_PLUGINS_HARMLESS_H
#define TESTS_PLUGINS_HARMLESS_H

#include <lv2/core/lv2.h>
#include <stdlib.h>

static inline LV2_Handle harmless_instantiate(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                                              const LV2_Feature *const *features)
{
    (void)descriptor;
    (void)rate;
    (void)bundle;
    (void)features;
    return malloc(1);
}

static inline void harmless_connect(LV2_Handle handle, uint32_t port, void *data)
{
    (void)handle;
    (void)port;
    (void)data;
}

static inline void harmless_run(LV2_Handle handle, uint32_t frames)
{
    (void)handle;
    (void)frames;
}

/* clang-format off */
#define HARMLESS(uri) { uri, harmless_instantiate, harmless_connect, NULL, harmless_run, NULL, free, NULL }
/* clang-format on */

#endif
