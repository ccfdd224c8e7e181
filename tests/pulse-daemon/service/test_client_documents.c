/* SPDX-License-Identifier: MIT */
/* What revisions refer to, asked of a whole Pulse on either store: media and states that documents name by their bytes
   are kept as long as a revision needs them. */
#include <stdio.h>
#include <string.h>

#include "pulse-daemon/store/media.h"
#include "pulse-daemon/store/store.h"
#include "tests/pulse-daemon/service/asking.h"
#include "tests/pulse-daemon/store/fixture.h"

#define YEAR_MS (INT64_C(365) * 24 * 3600 * 1000)

static char kick[LH_DIGEST_TEXT_SIZE], state[LH_DIGEST_TEXT_SIZE], spare[LH_DIGEST_TEXT_SIZE];
static char document[2000];

static void upload(const char *text, char *digest)
{
    struct lh_digest made = asking_upload(text);
    lh_digest_text(&made, digest);
}

static void name_bytes(const char *text, char *digest)
{
    struct lh_digest made;
    ck_assert_int_eq(lh_digest_bytes(text, strlen(text), &made), LH_OK);
    lh_digest_text(&made, digest);
}

static const char *document_of(void)
{
    snprintf(
        document, sizeof document,
        "{\"loophole\": 1, \"name\": \"Bytes\", \"sampleRate\": 48000, \"media\": {\"kick\": {\"digest\": \"%s\"}},"
        " \"tracks\": [{\"id\": \"drums\", \"type\": \"audio\", \"clips\": [{\"media\": \"kick\", \"start\":"
        " {\"seconds\": 0}}], \"nodes\": [{\"id\": \"a\", \"plugin\": \"lv2:urn:none\", \"state\": {\"digest\": "
        "\"%s\"},"
        " \"ifMissing\": [{\"id\": \"b\", \"plugin\": \"lv2:urn:none\", \"state\": {\"digest\": \"%s\"}}]}]},"
        " {\"id\": \"master\", \"type\": \"master\"}], \"deliverables\": [{\"name\": \"mix\", \"source\":"
        " \"master\", \"format\": \"wav\", \"bitDepth\": 24}]}",
        kick, state, spare);
    return document;
}

static const Wire__Revision *revision_of(const Wire__Envelope *answer)
{
    ck_assert_msg(answer->body_case == WIRE__ENVELOPE__BODY_REVISION, "%s %s",
                  answer->body_case == WIRE__ENVELOPE__BODY_ERROR ? answer->error->message : "",
                  answer->body_case == WIRE__ENVELOPE__BODY_ERROR && answer->error->where != NULL ? answer->error->where
                                                                                                  : "");
    return answer->revision;
}

static const Wire__Envelope *edit(uint64_t project, uint32_t base, const char *operations)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__ProjectEdit message = WIRE__PROJECT_EDIT__INIT;
    message.project = project;
    message.base_revision = base;
    message.operations = wire_bytes(operations, strlen(operations));
    WIRE_BODY(&envelope, PROJECT_EDIT, project_edit, &message);
    return asking_ask(&envelope);
}

/* How many uploads are forgotten when all pins are over. Pulse is stopped. */
static size_t forget(void)
{
    uint64_t epoch;
    size_t removed = 0;
    asking_stop();
    struct pulse_store *store = fixture_open(PULSE_STORE_WRITE);
    OK(pulse_store_lead(store, "test", NOW, &epoch, &fixture_error));
    OK(pulse_store_begin(store, NOW + 100 * YEAR_MS, &fixture_error));
    OK(pulse_store_media_forget(store, 100, &removed, &fixture_error));
    OK(pulse_store_commit(store, &fixture_error));
    pulse_store_close(store);
    return removed;
}

static void refused_at(const Wire__Envelope *answer, const char *where, const char *digest)
{
    const Wire__Error *error = asking_refused(answer);
    ck_assert_int_eq(error->code, WIRE__ERROR_CODE__ERROR_INVALID);
    ck_assert_msg(error->where != NULL, "%s: %s", error->message,
                  error->n_details > 0 ? error->details[0]->message : "");
    ck_assert_str_eq(error->where, where);
    ck_assert_msg(strstr(error->message, digest) != NULL && strstr(error->message, "uploaded") != NULL, "%s",
                  error->message);
}

static void set_up(void)
{
    fixture_set_up_empty();
    asking_start(fixture_url());
    name_bytes("kick", kick);
    name_bytes("state", state);
    name_bytes("spare", spare);
}

static void tear_down(void)
{
    asking_clean();
    fixture_tear_down();
}

START_TEST(what_a_document_names_by_its_bytes_is_kept)
{
    upload("kick", kick);
    upload("state", state);
    upload("spare", spare);
    (void)asking_upload("of no document");
    (void)revision_of(asking_create(document_of()));
    ck_assert_uint_eq(forget(), 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM media"), 3);
}
END_TEST

START_TEST(what_was_not_uploaded_is_refused_where_it_is_named)
{
    refused_at(asking_create(document_of()), "/media/kick", kick);
    upload("kick", kick);
    refused_at(asking_create(document_of()), "/tracks/0/nodes/0/state", state);
    upload("state", state);
    refused_at(asking_create(document_of()), "/tracks/0/nodes/0/ifMissing/0/state", spare);
    upload("spare", spare);
    (void)revision_of(asking_create(document_of()));
}
END_TEST

/* An edit names others, an older revision can be gone back to: all are needed. */
START_TEST(edits_and_what_was_before_them_keep_theirs)
{
    char operations[300], other[LH_DIGEST_TEXT_SIZE];
    upload("kick", kick);
    upload("state", state);
    upload("spare", spare);
    uint64_t project = revision_of(asking_create(document_of()))->project;
    name_bytes("other", other);
    snprintf(operations, sizeof operations,
             "[{\"op\": \"set\", \"at\": \"/media/kick/digest\", \"value\": \"%s\"},"
             " {\"op\": \"remove\", \"at\": \"/tracks/drums/nodes/a\"}]",
             other);
    refused_at(edit(project, 1, operations), "/media/kick", other);
    upload("other", other);
    ck_assert_uint_eq(revision_of(edit(project, 1, operations))->revision, 2);
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__ProjectUndo undo = WIRE__PROJECT_UNDO__INIT;
    undo.project = project;
    undo.base_revision = 2;
    WIRE_BODY(&envelope, PROJECT_UNDO, project_undo, &undo);
    ck_assert_uint_eq(revision_of(asking_ask(&envelope))->revision, 1);
    ck_assert_uint_eq(forget(), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM media"), 4);
}
END_TEST

/* Rows that no Pulse wrote: nothing is looked for behind the last revision. */
START_TEST(a_tip_that_is_no_revision_leads_nowhere)
{
    upload("kick", kick);
    upload("state", state);
    upload("spare", spare);
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__ProjectRedo redo = WIRE__PROJECT_REDO__INIT;
    redo.project = revision_of(asking_create(document_of()))->project;
    redo.base_revision = 1;
    WIRE_BODY(&envelope, PROJECT_REDO, project_redo, &redo);
    ck_assert_int_eq(asking_refused(asking_ask(&envelope))->code, WIRE__ERROR_CODE__ERROR_CONFLICT);
    fixture_execute("UPDATE projects SET tip = 9, newest = 9");
    ck_assert_int_eq(asking_refused(asking_ask(&envelope))->code, WIRE__ERROR_CODE__ERROR_INTERNAL);
}
END_TEST

/* Whoever reads a project and puts it back brings files only. */
START_TEST(manifests_tell_of_files)
{
    upload("kick", kick);
    upload("state", state);
    upload("spare", spare);
    uint64_t project = revision_of(asking_create(document_of()))->project;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__ProjectRead read = WIRE__PROJECT_READ__INIT;
    read.project = project;
    WIRE_BODY(&envelope, PROJECT_READ, project_read, &read);
    const Wire__Envelope *answer = asking_ask(&envelope);
    ck_assert_int_eq(answer->body_case, WIRE__ENVELOPE__BODY_PROJECT);
    ck_assert_uint_eq(answer->project->n_manifest, 0);
    Wire__ManifestEntry entry = WIRE__MANIFEST_ENTRY__INIT, *entries = &entry;
    struct lh_digest digest;
    ck_assert(lh_digest_parse(kick, &digest));
    Wire__Envelope put = WIRE_ENVELOPE_INIT(0);
    Wire__RevisionPut message = WIRE__REVISION_PUT__INIT;
    message.project = project;
    message.base_revision = 1;
    message.document = answer->project->document;
    message.manifest = &entries;
    message.n_manifest = 1;
    entry.path = wire_text("/media/kick");
    entry.digest = wire_bytes(digest.bytes, sizeof digest.bytes);
    entry.size = 4;
    WIRE_BODY(&put, REVISION_PUT, revision_put, &message);
    ck_assert_str_eq(asking_refused(asking_ask(&put))->where, "/media/kick");
    entry.path = wire_text("kick.wav");
    ck_assert_uint_eq(revision_of(asking_ask(&put))->revision, 2);
    ck_assert_uint_eq(forget(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/client_documents");
    TCase *tests = tcase_create("documents");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, what_a_document_names_by_its_bytes_is_kept);
    tcase_add_test(tests, what_was_not_uploaded_is_refused_where_it_is_named);
    tcase_add_test(tests, edits_and_what_was_before_them_keep_theirs);
    tcase_add_test(tests, a_tip_that_is_no_revision_leads_nowhere);
    tcase_add_test(tests, manifests_tell_of_files);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
