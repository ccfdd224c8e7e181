/* SPDX-License-Identifier: MIT */
/* Projects: revisions that stay, heads that move, manifests that are shared. */
#include "pulse-daemon/store/projects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/media.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

static struct pulse_revision_row revision_on(uint64_t project, uint64_t parent, const char *document)
{
    static struct pulse_manifest_file file;
    file = (struct pulse_manifest_file){"drums.wav", fixture_digest("medium", 1), 1000};
    return (struct pulse_revision_row){.tenant = 1,
                                       .project = project,
                                       .parent = parent,
                                       .author = "ben",
                                       .message = "louder",
                                       .document = document,
                                       .document_size = strlen(document),
                                       .files = &file,
                                       .file_count = 1};
}

static enum lh_status add(const struct pulse_revision_row *revision, uint64_t *number)
{
    OK(pulse_store_begin(fixture_store, NOW + 5, &fixture_error));
    enum lh_status status = pulse_store_revision_add(fixture_store, revision, number, &fixture_error);
    if (status == LH_OK) {
        fixture_commit();
    } else {
        pulse_store_rollback(fixture_store);
    }
    return status;
}

START_TEST(a_revision_comes_out_as_it_went_in)
{
    struct lh_arena arena;
    struct pulse_revision_row row, wanted;
    struct pulse_project_row project;
    uint64_t id = fixture_project(1), number = 0;
    wanted = revision_on(id, 1, "{\"name\": \"x\"}");
    wanted.document = "a\0b\xFF";
    wanted.document_size = 4;
    OK(add(&wanted, &number));
    ck_assert_uint_eq(number, 2);
    lh_arena_init(&arena);
    OK(pulse_store_revision(fixture_store, 1, id, 2, &arena, &row, &fixture_error));
    ck_assert(row.tenant == 1 && row.project == id && row.number == 2 && row.parent == 1 && row.created_ms == NOW + 5);
    ck_assert_str_eq(row.author, "ben");
    ck_assert_str_eq(row.message, "louder");
    ck_assert_uint_eq(row.document_size, 4);
    ck_assert_mem_eq(row.document, "a\0b\xFF", 4);
    ck_assert_uint_eq(row.file_count, 1);
    ck_assert_str_eq(row.files[0].path, "drums.wav");
    ck_assert(lh_digest_equal(&row.files[0].digest, &wanted.files[0].digest) && row.files[0].size == 1000);
    OK(pulse_store_revision(fixture_store, 1, id, 1, &arena, &row, &fixture_error));
    ck_assert_uint_eq(row.parent, 0);
    OK(pulse_store_project(fixture_store, 1, id, &arena, &project, &fixture_error));
    ck_assert(project.tenant == 1 && project.id == id && project.head == 2 && project.tip == 2 && project.newest == 2);
    ck_assert(project.created_ms == NOW && project.changed_ms == NOW + 5);
    ck_assert_str_eq(project.name, "lantern");
    /* Nobody else's. */
    FAILS(pulse_store_revision(fixture_store, 2, id, 1, &arena, &row, &fixture_error), LH_ERR_MISSING);
    FAILS(pulse_store_revision(fixture_store, 1, id, 3, &arena, &row, &fixture_error), LH_ERR_MISSING);
    FAILS(pulse_store_project(fixture_store, 2, id, &arena, &project, &fixture_error), LH_ERR_MISSING);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(edits_race_and_one_wins)
{
    struct lh_arena arena;
    struct pulse_revision_row row;
    uint64_t id = fixture_project(1), number = 0;
    row = revision_on(id, 1, "{}");
    OK(add(&row, &number));
    FAILS(add(&row, &number), LH_ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "2"));
    row = revision_on(id + 1, 1, "{}");
    FAILS(add(&row, &number), LH_ERR_MISSING);
    row = revision_on(id, 2, "{}");
    row.tenant = 2;
    FAILS(add(&row, &number), LH_ERR_MISSING);
    /* A conflict leaves the transaction usable. */
    fixture_begin();
    row = revision_on(id, 1, "{}");
    FAILS(pulse_store_revision_add(fixture_store, &row, &number, &fixture_error), LH_ERR_CONFLICT);
    row.parent = 2;
    OK(pulse_store_revision_add(fixture_store, &row, &number, &fixture_error));
    fixture_commit();
    ck_assert_uint_eq(number, 3);
    const uint64_t *parents = NULL;
    size_t count = 0;
    lh_arena_init(&arena);
    OK(pulse_store_parents(fixture_store, 1, id, &arena, &parents, &count, &fixture_error));
    ck_assert(count == 3 && parents[0] == 0 && parents[1] == 1 && parents[2] == 2);
    FAILS(pulse_store_parents(fixture_store, 2, id, &arena, &parents, &count, &fixture_error), LH_ERR_MISSING);
    lh_arena_fini(&arena);
}
END_TEST

static enum lh_status move(uint64_t id, uint64_t from, uint64_t head, uint64_t tip)
{
    fixture_begin();
    enum lh_status status = pulse_store_project_move(fixture_store, 1, id, from, head, tip, &fixture_error);
    if (status == LH_OK) {
        fixture_commit();
    } else {
        pulse_store_rollback(fixture_store);
    }
    return status;
}

START_TEST(heads_move)
{
    uint64_t id = fixture_project(1), number = 0;
    struct pulse_revision_row row = revision_on(id, 1, "{}");
    OK(add(&row, &number));
    OK(move(id, 2, 1, 2));
    FAILS(move(id, 2, 1, 2), LH_ERR_CONFLICT);
    FAILS(move(id + 1, 2, 1, 2), LH_ERR_MISSING);
    /* An edit after undo makes a line of its own; numbers go on. */
    OK(add(&row, &number));
    ck_assert_uint_eq(number, 3);
    ck_assert_int_eq(fixture_count("SELECT tip FROM projects"), 3);
    FAILS(move(id, 3, 3, 4), LH_ERR_INTERNAL); /* past the newest */
    FAILS(move(id, 3, 0, 3), LH_ERR_INTERNAL);
}
END_TEST

START_TEST(files_have_to_be_uploaded)
{
    uint64_t id = fixture_project(1), number = 0;
    struct pulse_revision_row row = revision_on(id, 1, "{}");
    struct pulse_manifest_file files[2] = {row.files[0], row.files[0]};
    row.files = files;
    row.file_count = 2;
    FAILS(add(&row, &number), LH_ERR_INVALID); /* twice */
    files[1].path = "bass.wav";
    OK(add(&row, &number)); /* the same bytes under two names */
    row.parent = 2;
    files[1].size++;
    FAILS(add(&row, &number), LH_ERR_INVALID);
    ck_assert_str_eq(fixture_error.where, "bass.wav");
    files[1] = (struct pulse_manifest_file){"bass.wav", fixture_digest("medium", 2), 1000};
    FAILS(add(&row, &number), LH_ERR_INVALID);
    char *path = malloc(PULSE_STORE_PATH_MAX + 2);
    memset(path, 'p', PULSE_STORE_PATH_MAX + 1);
    path[PULSE_STORE_PATH_MAX + 1] = '\0';
    files[1] = (struct pulse_manifest_file){path, files[0].digest, 1000};
    FAILS(add(&row, &number), LH_ERR_LIMIT);
    free(path);
    row.file_count = PULSE_STORE_FILES_MAX + 1;
    FAILS(add(&row, &number), LH_ERR_LIMIT);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM revisions"), 2);
    /* Of another tenant they are not known: one may not be told by them what the other has. */
    struct pulse_project_row ignored;
    struct lh_arena arena;
    row = revision_on(id, 0, "{}");
    fixture_begin();
    FAILS(pulse_store_project_new(fixture_store, 2, "spy", &row, &id, &fixture_error), LH_ERR_INVALID);
    pulse_store_rollback(fixture_store);
    lh_arena_init(&arena);
    FAILS(pulse_store_project(fixture_store, 2, id, &arena, &ignored, &fixture_error), LH_ERR_MISSING);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(revisions_share_their_manifest)
{
    uint64_t id = fixture_project(1), number = 0;
    struct pulse_revision_row row = revision_on(id, 1, "{}");
    for (uint64_t parent = 1; parent < 4; parent++) {
        row.parent = parent;
        OK(add(&row, &number));
    }
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM manifests"), 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM manifest_files"), 1);
    row.parent = 4;
    row.file_count = 0;
    OK(add(&row, &number));
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM manifests"), 2);
    fixture_begin();
    OK(pulse_store_project_delete(fixture_store, 1, id, &fixture_error));
    fixture_commit();
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM revisions"), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM manifest_files"), 0);
}
END_TEST

START_TEST(many_files)
{
    enum { COUNT = 2500 };
    static char paths[COUNT][16];
    static struct pulse_manifest_file files[COUNT];
    static struct pulse_media_row media[COUNT];
    struct lh_arena arena;
    struct pulse_revision_row row = revision_on(0, 0, "{}"), read;
    uint64_t id = 0;
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(paths[i], sizeof paths[i], "%05zu.wav", COUNT - i);
        files[i] = (struct pulse_manifest_file){paths[i], fixture_digest("many", i), i};
        media[i] = (struct pulse_media_row){.tenant = 1, .digest = files[i].digest, .size = i};
    }
    row.files = files;
    row.file_count = COUNT;
    fixture_begin();
    OK(pulse_store_media_put(fixture_store, media, COUNT, &fixture_error));
    OK(pulse_store_project_new(fixture_store, 1, "many", &row, &id, &fixture_error));
    fixture_commit();
    lh_arena_init(&arena);
    OK(pulse_store_revision(fixture_store, 1, id, 1, &arena, &read, &fixture_error));
    ck_assert_uint_eq(read.file_count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_str_eq(read.files[i].path, paths[COUNT - 1 - i]);
        ck_assert_uint_eq(read.files[i].size, COUNT - 1 - i);
    }
    lh_arena_fini(&arena);
}
END_TEST

static enum lh_status note_project(void *context, const struct pulse_project_row *row)
{
    uint64_t *sum = context;
    *sum = *sum * 10 + row->id;
    return row->id == 2 ? LH_ERR_CANCELLED : LH_OK;
}

START_TEST(projects_are_listed_by_page)
{
    uint64_t listed = 0;
    for (int i = 0; i < 3; i++) {
        fixture_project(i == 1 ? 2 : 1);
    }
    fixture_project(1); /* 1, 3, 4 are of tenant 1 */
    OK(pulse_store_projects(fixture_store, 1, 0, 2, note_project, &listed, &fixture_error));
    ck_assert_uint_eq(listed, 43);
    listed = 0;
    OK(pulse_store_projects(fixture_store, 1, 3, 2, note_project, &listed, &fixture_error));
    ck_assert_uint_eq(listed, 1);
    listed = 0;
    FAILS(pulse_store_projects(fixture_store, 2, 0, 2, note_project, &listed, &fixture_error), LH_ERR_CANCELLED);
    listed = 0;
    OK(pulse_store_projects(fixture_store, 9, 0, 2, note_project, &listed, &fixture_error));
    ck_assert_uint_eq(listed, 0);
}
END_TEST

START_TEST(a_project_with_jobs_stays)
{
    uint64_t id = fixture_project(1);
    struct pulse_change job = fixture_job(1, 1, PULSE_JOB_QUEUED);
    fixture_begin();
    fixture_request(1, 1, id); /* the request before the job */
    OK(pulse_store_apply(fixture_store, &job, 1, NULL, &fixture_error));
    fixture_commit();
    fixture_begin();
    FAILS(pulse_store_project_delete(fixture_store, 1, id, &fixture_error), LH_ERR_CONFLICT);
    FAILS(pulse_store_project_delete(fixture_store, 2, id, &fixture_error), LH_ERR_MISSING);
    fixture_commit();
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM projects"), 1);
}
END_TEST

TCase *projects_tests(void)
{
    TCase *tests = tcase_create("projects");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, a_revision_comes_out_as_it_went_in);
    tcase_add_test(tests, edits_race_and_one_wins);
    tcase_add_test(tests, heads_move);
    tcase_add_test(tests, files_have_to_be_uploaded);
    tcase_add_test(tests, revisions_share_their_manifest);
    tcase_add_test(tests, many_files);
    tcase_add_test(tests, projects_are_listed_by_page);
    tcase_add_test(tests, a_project_with_jobs_stays);
    return tests;
}
