/* SPDX-License-Identifier: MIT */
/* Where undo and redo lead. */
#include "pulse-daemon/project/history.h"

static uint64_t parent_of(const struct pulse_history *history, uint64_t revision)
{
    return history->parents[revision - 1];
}

/* The revision on the way from `tip` back that was made from `head`; NONE when head is tip or not on the way. */
static uint64_t child_towards_tip(const struct pulse_history *history)
{
    uint64_t child = history->tip;
    while (child > history->head && parent_of(history, child) != history->head) {
        child = parent_of(history, child);
    }
    return child > history->head ? child : PULSE_REVISION_NONE;
}

bool pulse_history_is_sound(const struct pulse_history *history)
{
    if (history->newest == 0 || history->head == 0 || history->head > history->tip || history->tip > history->newest ||
        history->parents[0] != PULSE_REVISION_NONE) {
        return false;
    }
    for (uint64_t revision = 2; revision <= history->newest; revision++) {
        uint64_t parent = parent_of(history, revision);
        if (parent == PULSE_REVISION_NONE || parent >= revision) {
            return false; /* so every way back gets shorter, and ends at 1 */
        }
    }
    return history->head == history->tip || child_towards_tip(history) != PULSE_REVISION_NONE;
}

uint64_t pulse_history_undo(const struct pulse_history *history)
{
    return parent_of(history, history->head);
}

uint64_t pulse_history_redo(const struct pulse_history *history)
{
    return child_towards_tip(history);
}
