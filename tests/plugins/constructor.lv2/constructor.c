/* SPDX-License-Identifier: MIT */
/* A bundle whose binary crashes while it is being loaded: urn:loophole:hostile:constructor. */
#include "tests/plugins/harmless.h"

static char *volatile nowhere;

__attribute__((constructor, no_sanitize("address", "undefined", "thread"))) static void crash(void)
{
    *nowhere = 1;
}

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    static const LV2_Descriptor descriptor = HARMLESS("urn:loophole:hostile:constructor");
    return index == 0 ? &descriptor : NULL;
}
