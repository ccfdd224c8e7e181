/* SPDX-License-Identifier: MIT */
/* Jobs now, responses later. */
#include "engine/host/lv2_worker.h"

#include <stdlib.h>
#include <string.h>

#include "engine/host/watch.h"

#define HEAD_BYTES 8u /* of a response: its size, padded */

enum lh_status engine_lv2_worker_init(struct engine_lv2_worker *worker, bool needed, struct lh_error *error)
{
    *worker = (struct engine_lv2_worker){.interface = NULL};
    if (needed) {
        worker->responses = malloc(ENGINE_LV2_RESPONSE_BYTES);
        if (worker->responses == NULL) {
            return lh_error_no_memory(error);
        }
    }
    return LH_OK;
}

void engine_lv2_worker_fini(struct engine_lv2_worker *worker)
{
    free(worker->responses);
    worker->responses = NULL;
}

static LV2_Worker_Status respond(LV2_Worker_Respond_Handle handle, uint32_t size, const void *data)
{
    struct engine_lv2_worker *worker = handle;
    size_t padded = ((size_t)size + 7) / 8 * 8;
    if (worker->responses == NULL || HEAD_BYTES + padded > ENGINE_LV2_RESPONSE_BYTES - worker->used) {
        return LV2_WORKER_ERR_NO_SPACE;
    }
    uint8_t *place = worker->responses + worker->used;
    memcpy(place, &size, sizeof size);
    if (size > 0) {
        memcpy(place + HEAD_BYTES, data, size);
    }
    worker->used += HEAD_BYTES + padded;
    return LV2_WORKER_SUCCESS;
}

LV2_Worker_Status engine_lv2_worker_schedule(LV2_Worker_Schedule_Handle handle, uint32_t size, const void *data)
{
    struct engine_lv2_worker *worker = handle;
    if (worker->interface == NULL || worker->interface->work == NULL) {
        return LV2_WORKER_ERR_UNKNOWN;
    }
    if (worker->depth >= ENGINE_LV2_WORK_DEPTH) {
        return LV2_WORKER_ERR_NO_SPACE;
    }
    struct engine_watch_slot *slot = engine_watch_current;
    uint32_t phase = slot != NULL ? atomic_load_explicit(&slot->phase, memory_order_relaxed) : 0;
    if (slot != NULL) {
        atomic_store_explicit(&slot->phase, (uint32_t)ENGINE_WATCH_WORK, memory_order_relaxed);
    }
    worker->depth++;
    worker->worked = true;
    worker->interface->work(worker->handle, respond, worker, size, data);
    worker->depth--;
    if (slot != NULL) {
        atomic_store_explicit(&slot->phase, phase, memory_order_relaxed);
    }
    return LV2_WORKER_SUCCESS;
}

void engine_lv2_worker_deliver(struct engine_lv2_worker *worker)
{
    if (worker->interface == NULL) {
        return;
    }
    size_t end = worker->used;
    for (size_t at = 0; at < end;) {
        uint32_t size;
        memcpy(&size, worker->responses + at, sizeof size);
        if (worker->interface->work_response != NULL) {
            worker->interface->work_response(worker->handle, size, worker->responses + at + HEAD_BYTES);
        }
        at += HEAD_BYTES + ((size_t)size + 7) / 8 * 8;
    }
    if (end > 0) {
        memmove(worker->responses, worker->responses + end, worker->used - end);
        worker->used -= end;
    }
    if (worker->interface->end_run != NULL) {
        worker->interface->end_run(worker->handle);
    }
}
