/* SPDX-License-Identifier: MIT */
/* Jobs are done at once, their responses wait for the end of the run. */
#include "engine/host/lv2_worker.h"

#include <string.h>

#include "engine/host/watch.h"
#include "tests/support/testing.h"

struct plugin {
    struct engine_lv2_worker *worker;
    uint32_t jobs, responses, ends;
    uint32_t last_size;
    uint8_t last[64];
    uint32_t phase; /* of the watch page, seen in the job */
    bool again;     /* a response asks for another job, a job for a job */
    LV2_Worker_Status answer;
};

static LV2_Worker_Status work(LV2_Handle handle, LV2_Worker_Respond_Function respond, LV2_Worker_Respond_Handle to,
                              uint32_t size, const void *data)
{
    struct plugin *plugin = handle;
    plugin->jobs++;
    plugin->phase = engine_watch_current != NULL ? engine_watch_current->phase : 0;
    plugin->answer = respond(to, size, data);
    if (plugin->again) {
        engine_lv2_worker_schedule(plugin->worker, 0, NULL);
    }
    return LV2_WORKER_SUCCESS;
}

static LV2_Worker_Status work_response(LV2_Handle handle, uint32_t size, const void *body)
{
    struct plugin *plugin = handle;
    plugin->responses++;
    plugin->last_size = size;
    if (size <= sizeof plugin->last) {
        memcpy(plugin->last, body, size);
    }
    return LV2_WORKER_SUCCESS;
}

static LV2_Worker_Status end_run(LV2_Handle handle)
{
    ((struct plugin *)handle)->ends++;
    return LV2_WORKER_SUCCESS;
}

static const LV2_Worker_Interface interface = {work, work_response, end_run};

static void set_up(struct engine_lv2_worker *worker, struct plugin *plugin)
{
    ck_assert_int_eq(engine_lv2_worker_init(worker, true, NULL), LH_OK);
    *plugin = (struct plugin){.worker = worker};
    worker->interface = &interface;
    worker->handle = plugin;
}

START_TEST(responses_wait_for_the_end_of_the_run)
{
    struct engine_lv2_worker worker;
    struct plugin plugin;
    set_up(&worker, &plugin);
    struct engine_watch_slot slot = {.phase = 0};
    engine_watch_enter(&slot, ENGINE_WATCH_RUN, 1, 0);
    ck_assert_int_eq(engine_lv2_worker_schedule(&worker, 5, "five"), LV2_WORKER_SUCCESS);
    ck_assert_uint_eq(plugin.phase, ENGINE_WATCH_WORK);
    ck_assert_uint_eq(slot.phase, ENGINE_WATCH_RUN);
    engine_watch_leave();
    ck_assert_int_eq(engine_lv2_worker_schedule(&worker, 4, "six"), LV2_WORKER_SUCCESS);
    ck_assert_uint_eq(plugin.jobs, 2);
    ck_assert_uint_eq(plugin.responses, 0);
    engine_lv2_worker_deliver(&worker);
    ck_assert_uint_eq(plugin.responses, 2);
    ck_assert_uint_eq(plugin.last_size, 4);
    ck_assert_mem_eq(plugin.last, "six", 4);
    ck_assert_uint_eq(plugin.ends, 1);
    engine_lv2_worker_deliver(&worker);
    ck_assert_uint_eq(plugin.responses, 2);
    engine_lv2_worker_fini(&worker);
}
END_TEST

START_TEST(jobs_that_schedule_jobs_end)
{
    struct engine_lv2_worker worker;
    struct plugin plugin;
    set_up(&worker, &plugin);
    plugin.again = true;
    ck_assert_int_eq(engine_lv2_worker_schedule(&worker, 0, NULL), LV2_WORKER_SUCCESS);
    ck_assert_uint_eq(plugin.jobs, ENGINE_LV2_WORK_DEPTH);
    engine_lv2_worker_fini(&worker);
}
END_TEST

START_TEST(too_large_a_response_is_refused)
{
    static uint8_t large[ENGINE_LV2_RESPONSE_BYTES];
    struct engine_lv2_worker worker;
    struct plugin plugin;
    set_up(&worker, &plugin);
    engine_lv2_worker_schedule(&worker, sizeof large, large);
    ck_assert_int_eq(plugin.answer, LV2_WORKER_ERR_NO_SPACE);
    engine_lv2_worker_schedule(&worker, sizeof large - 8, large);
    ck_assert_int_eq(plugin.answer, LV2_WORKER_SUCCESS);
    engine_lv2_worker_schedule(&worker, 1, large);
    ck_assert_int_eq(plugin.answer, LV2_WORKER_ERR_NO_SPACE);
    engine_lv2_worker_deliver(&worker);
    ck_assert_uint_eq(plugin.responses, 1);
    engine_lv2_worker_fini(&worker);
}
END_TEST

START_TEST(without_an_interface_there_is_no_job)
{
    struct engine_lv2_worker worker;
    ck_assert_int_eq(engine_lv2_worker_init(&worker, false, NULL), LH_OK);
    ck_assert_int_eq(engine_lv2_worker_schedule(&worker, 0, NULL), LV2_WORKER_ERR_UNKNOWN);
    engine_lv2_worker_deliver(&worker);
    engine_lv2_worker_fini(&worker);
    testing_fail_allocation(1);
    ck_assert_int_eq(engine_lv2_worker_init(&worker, true, NULL), LH_ERR_NO_MEMORY);
    testing_fail_allocation_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/host/lv2_worker");
    TCase *tests = tcase_create("worker");
    tcase_add_test(tests, responses_wait_for_the_end_of_the_run);
    tcase_add_test(tests, jobs_that_schedule_jobs_end);
    tcase_add_test(tests, too_large_a_response_is_refused);
    tcase_add_test(tests, without_an_interface_there_is_no_job);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
