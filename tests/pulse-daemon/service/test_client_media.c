/* SPDX-License-Identifier: MIT */
/* Uploads, asked of a whole Pulse on either store: whoever hears that bytes are there can rely on it for as long as if
   they had just come. */
#include <stdio.h>

#include "proto/link/bulk.h"
#include "tests/pulse-daemon/service/asking.h"
#include "tests/pulse-daemon/store/fixture.h"

#define PINS_NEARLY_OVER "UPDATE media SET pinned_until_ms = 5"
#define NEARLY_OVER_COUNT "SELECT count(*) FROM media WHERE pinned_until_ms = 5"

static void set_up(void)
{
    fixture_set_up_empty();
    asking_start(fixture_url());
}

static void tear_down(void)
{
    asking_clean();
    fixture_tear_down();
}

static const Wire__MediaLacking *query(const struct lh_digest *digests, size_t count)
{
    ProtobufCBinaryData items[4];
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__MediaQuery message = WIRE__MEDIA_QUERY__INIT;
    for (size_t i = 0; i < count; i++) {
        items[i] = wire_bytes(digests[i].bytes, sizeof digests[i].bytes);
    }
    message.digests = items;
    message.n_digests = count;
    WIRE_BODY(&envelope, MEDIA_QUERY, media_query, &message);
    const Wire__Envelope *answer = asking_ask(&envelope);
    ck_assert_int_eq(answer->body_case, WIRE__ENVELOPE__BODY_MEDIA_LACKING);
    return answer->media_lacking;
}

START_TEST(what_is_said_to_be_there_stays)
{
    struct lh_digest digests[4] = {asking_upload("one"), {.bytes = {1}}, asking_upload("two"), asking_upload("one")};
    struct lh_digest three = asking_upload("three");
    fixture_execute(PINS_NEARLY_OVER);
    const Wire__MediaLacking *lacking = query(digests, 4); /* one of them twice */
    ck_assert_uint_eq(lacking->n_digests, 1);
    ck_assert_mem_eq(lacking->digests[0].data, digests[1].bytes, sizeof digests[1].bytes);
    ck_assert_int_eq(fixture_count(NEARLY_OVER_COUNT), 1); /* nobody asked for the third */
    ck_assert_uint_eq(query(&digests[1], 1)->n_digests, 1);
    ck_assert_uint_eq(query(&three, 1)->n_digests, 0);
    ck_assert_int_eq(fixture_count(NEARLY_OVER_COUNT), 0);
    ck_assert_uint_eq(query(digests, 0)->n_digests, 0);
}
END_TEST

START_TEST(what_is_brought_once_more_stays)
{
    char endpoint[300];
    FILE *file = tmpfile();
    struct wire_bulk *bulk;
    struct wire_transfer transfer = {.digest = asking_upload("one"), .size = 3, .token = asking_token};
    snprintf(endpoint, sizeof endpoint, "ipc://%s/run/bulk.ipc", asking_folder);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fputs("one", file) < 0 || fflush(file) != 0, 0);
    fixture_execute(PINS_NEARLY_OVER);
    ck_assert_int_eq(wire_bulk_new(&(struct wire_caller_options){.endpoint = endpoint}, &bulk), LH_OK);
    OK(wire_bulk_put(bulk, &transfer, fileno(file), &fixture_error));
    ck_assert_int_eq(fixture_count(NEARLY_OVER_COUNT), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM media"), 1);
    wire_bulk_free(bulk);
    fclose(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/client_media");
    TCase *tests = tcase_create("media");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, what_is_said_to_be_there_stays);
    tcase_add_test(tests, what_is_brought_once_more_stays);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
