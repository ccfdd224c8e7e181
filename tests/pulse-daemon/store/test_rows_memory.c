/* SPDX-License-Identifier: MIT */
/* Memory that runs out at any moment: a status, no row of a batch that failed, a handle that works afterwards. */
#include <string.h>

#include "pulse-daemon/store/learned.h"
#include "pulse-daemon/store/media.h"
#include "pulse-daemon/store/projects.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

static enum lh_status take_change(void *context, const struct pulse_change *change)
{
    (void)context;
    (void)change;
    return LH_OK;
}

static void ignore_fault(void *context, const char *where, const char *fault)
{
    (void)context;
    (void)where;
    (void)fault;
}

/* What is written; made beforehand, since checks allocate too. */
struct life {
    struct lh_digest a, b;
    struct pulse_change changes[8];
    struct pulse_manifest_file file;
    struct pulse_revision_row revision;
    struct pulse_store *store;
    struct lh_arena arena;
};

static void prepare(struct life *life, uint64_t project)
{
    life->a = fixture_digest("key", 1);
    life->b = fixture_digest("key", 2);
    fixture_needs(&life->changes[0]);
    life->changes[1] = fixture_shard(1, 2, PULSE_SHARD_READY);
    life->changes[2] = fixture_spec(1, 2, &life->a, 1, &life->b, 1);
    life->changes[3] = fixture_output(1, &life->a, PULSE_OUTPUT_PRESENT, 1);
    life->changes[4] = fixture_output(1, &life->b, PULSE_OUTPUT_PROMISED, 2);
    life->changes[5] = fixture_job(1, 1, PULSE_JOB_RUNNING);
    life->changes[6] = fixture_want(1, 1, &life->b);
    life->changes[7] = (struct pulse_change){.kind = PULSE_CHANGE_EVENT, .job = {.tenant = 1, .id = 1}, .event = "{}"};
    life->file = (struct pulse_manifest_file){"drums.wav", fixture_digest("medium", 1), 1000};
    life->revision = (struct pulse_revision_row){.tenant = 1,
                                                 .project = project,
                                                 .parent = 1,
                                                 .author = "",
                                                 .message = "",
                                                 .document = "{}",
                                                 .document_size = 2,
                                                 .files = &life->file,
                                                 .file_count = 1};
    life->store = NULL;
    lh_arena_init(&life->arena);
}

static enum lh_status write_a_little(struct life *life)
{
    struct lh_error *error = &fixture_error;
    uint64_t epoch = 0, number = 0;
    enum lh_status status = pulse_store_open(fixture_url(), PULSE_STORE_WRITE, &life->store, error);
    if (status != LH_OK) {
        return status;
    }
    status = pulse_store_migrate(life->store, NOW, error);
    status = status == LH_OK ? pulse_store_lead(life->store, "memory", NOW, &epoch, error) : status;
    status = status == LH_OK ? pulse_store_begin(life->store, NOW, error) : status;
    status = status == LH_OK ? pulse_store_apply(life->store, life->changes, 8, NULL, error) : status;
    status = status == LH_OK ? pulse_store_revision_add(life->store, &life->revision, &number, error) : status;
    status = status == LH_OK ? pulse_store_commit(life->store, error) : status;
    pulse_store_rollback(life->store);
    return status;
}

static enum lh_status read_a_little(struct life *life)
{
    struct pulse_revision_row revision;
    struct pulse_store_numbers numbers;
    struct pulse_job_record record;
    struct lh_error *error = &fixture_error;
    struct pulse_store *store = life->store;
    struct pulse_spec spec;
    const uint64_t *parents = NULL;
    size_t size = 0;
    bool referenced = false;
    enum lh_status status = pulse_store_load(store, take_change, NULL, &numbers, error);
    status = status == LH_OK ? pulse_store_spec(store, 1, 2, &life->arena, &spec, error) : status;
    status = status == LH_OK ? pulse_store_revision(store, 1, life->revision.project, 2, &life->arena, &revision, error)
                             : status;
    status = status == LH_OK
                 ? pulse_store_parents(store, 1, life->revision.project, &life->arena, &parents, &size, error)
                 : status;
    status = status == LH_OK ? pulse_store_job(store, 1, 1, &life->arena, &record, error) : status;
    status = status == LH_OK ? pulse_store_referenced(store, &life->a, 1, &referenced, error) : status;
    return status == LH_OK ? pulse_store_check(store, ignore_fault, NULL, &size, error) : status;
}

START_TEST(any_allocation_may_fail)
{
    uint64_t project = fixture_project(1);
    size_t n = 1;
    for (bool failed = true; failed; n++) {
        static struct life life;
        prepare(&life, project);
        fixture_error = LH_ERROR_INIT;
        testing_fail_allocation(n);
        enum lh_status status = write_a_little(&life);
        status = status == LH_OK ? read_a_little(&life) : status;
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert_int_eq(fixture_error.code, status);
        lh_arena_fini(&life.arena);
        /* All of the transaction or nothing. */
        ck_assert_int_eq(fixture_count("SELECT (SELECT count(*) FROM revisions) - (SELECT count(*) FROM events)"), 1);
        if (life.store != NULL && failed) {
            uint64_t epoch = 0;
            OK(pulse_store_lead(life.store, "again", NOW, &epoch, &fixture_error));
        }
        pulse_store_close(life.store);
        fixture_execute("DELETE FROM revisions WHERE number > 1; DELETE FROM events;"
                        "UPDATE projects SET head = 1, tip = 1, newest = 1");
    }
    ck_assert_uint_gt(n, 30);
}
END_TEST

TCase *memory_tests(void)
{
    TCase *tests = tcase_create("memory");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, any_allocation_may_fail);
    return tests;
}
