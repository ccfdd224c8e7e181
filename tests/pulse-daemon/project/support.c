/* SPDX-License-Identifier: MIT */
/* Projects from text in tests. */
#include "tests/pulse-daemon/project/support.h"

#include <string.h>

#include "tests/support/testing.h"

static enum lh_status parse(const char *text, struct lh_faults *faults, struct pulse_project **project)
{
    return pulse_project_parse(text, strlen(text), NULL, NULL, 0, faults, project);
}

struct pulse_project *project_of(const char *text)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_project *project = NULL;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    enum lh_status status = parse(text, &faults, &project);
    ck_assert_msg(status == LH_OK, "%s: %s", faults.stored == 0 ? "" : faults.items[0].where,
                  faults.stored == 0 ? lh_status_text(status) : faults.items[0].message);
    lh_arena_fini(&arena);
    return project;
}

void expect_fault(const char *text, const char *where, const char *words)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_project *project = NULL;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    ck_assert_int_eq(parse(text, &faults, &project), LH_ERR_INVALID);
    ck_assert_ptr_null(project);
    ck_assert_uint_eq(faults.count, 1);
    ck_assert_str_eq(faults.items[0].where, where);
    ck_assert_msg(strstr(faults.items[0].message, words) != NULL, "%s", faults.items[0].message);
    ck_assert_int_eq(faults.items[0].code, LH_ERR_INVALID);
    lh_arena_fini(&arena);
}

void expect_out_of_memory(const char *text, enum lh_status otherwise)
{
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct lh_arena arena;
        struct lh_faults faults;
        struct pulse_project *project = NULL;
        lh_arena_init(&arena);
        lh_faults_init(&faults, &arena);
        testing_fail_allocation(n);
        enum lh_status status = parse(text, &faults, &project);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : otherwise);
        ck_assert((project != NULL) == (status == LH_OK));
        pulse_project_free(project);
        lh_arena_fini(&arena);
    }
}
