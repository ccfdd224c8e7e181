/* SPDX-License-Identifier: MIT */
/* A task's beginning and end. */
#include "pulse-daemon/service/task.h"

#include <stdlib.h>

struct pulse_task *pulse_task_new(enum pulse_task_kind kind)
{
    struct pulse_task *task = calloc(1, sizeof *task);
    if (task != NULL) {
        task->kind = kind;
        lh_arena_init(&task->arena);
    }
    return task;
}

void pulse_task_free(struct pulse_task *task)
{
    if (task != NULL) {
        lh_arena_fini(&task->arena);
        free(task);
    }
}
