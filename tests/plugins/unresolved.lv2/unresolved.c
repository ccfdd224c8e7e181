/* SPDX-License-Identifier: MIT */
/* A bundle whose binary needs a function that nobody has: urn:loophole:hostile:unresolved. */
#include "tests/plugins/harmless.h"

void loophole_hostile_nowhere(void);
void unresolved_call(void);

LV2_SYMBOL_EXPORT void unresolved_call(void)
{
    loophole_hostile_nowhere();
}

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    static const LV2_Descriptor descriptor = HARMLESS("urn:loophole:hostile:unresolved");
    return index == 0 ? &descriptor : NULL;
}
