/* SPDX-License-Identifier: MIT */
/* LV2's worker without a thread: a job is done inside schedule_work(), its responses wait for the end of the run that
   asked. So a render is a function of its input, however long a job takes. */
#ifndef ENGINE_HOST_LV2_WORKER_H
#define ENGINE_HOST_LV2_WORKER_H

#include <lv2/worker/worker.h>
#include <stdbool.h>

#include "common/base/status.h"

#define ENGINE_LV2_RESPONSE_BYTES 65536u /* that may wait */
#define ENGINE_LV2_WORK_DEPTH 16u        /* jobs that schedule jobs */

struct engine_lv2_worker {
    const LV2_Worker_Interface *interface; /* NULL until the instance is made, or when it has none */
    LV2_Handle handle;
    uint8_t *responses; /* sizes and bodies, each padded to 8 bytes */
    size_t used;
    uint32_t depth;
    bool worked; /* some job was done since this was cleared */
};

/* `needed`: the plugin has a worker. */
LH_NODISCARD enum lh_status engine_lv2_worker_init(struct engine_lv2_worker *worker, bool needed,
                                                   struct lh_error *error);
void engine_lv2_worker_fini(struct engine_lv2_worker *worker);
/* The feature; its handle is the worker. */
LV2_Worker_Status engine_lv2_worker_schedule(LV2_Worker_Schedule_Handle handle, uint32_t size, const void *data);
/* At the end of a run: the responses that wait. Those to jobs of this delivery wait for the next. */
void engine_lv2_worker_deliver(struct engine_lv2_worker *worker);

#endif
