/* SPDX-License-Identifier: MIT */
/* Compares, and says where the first difference is. */
#include "tests/pulse-daemon/compile/events.h"

#include <check.h>

void expect_events(const struct compiling *t, const char *label, const struct heard *expected, uint32_t count)
{
    const struct graph_insert *insert = insert_of(t, label);
    for (uint32_t i = 0; i < insert->event_count && i < count; i++) {
        const struct graph_event *event = &t->compiled->graph->events[insert->event_first + i];
        const struct heard *heard = &expected[i];
        ck_assert_msg(event->frame == heard->frame && event->bytes[0] == heard->status &&
                          event->bytes[1] == heard->first && event->bytes[2] == heard->second,
                      "event %u is %lld: %02x %u %u, not %lld: %02x %u %u", i, (long long)event->frame, event->bytes[0],
                      event->bytes[1], event->bytes[2], (long long)heard->frame, heard->status, heard->first,
                      heard->second);
    }
    ck_assert_uint_eq(insert->event_count, count);
}
