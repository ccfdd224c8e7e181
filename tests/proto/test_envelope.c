/* SPDX-License-Identifier: MIT */
/* Envelopes to bytes and back; the golden messages; what newer and older peers say. */
#include "proto/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limit.h"
#include "tests/proto/forge.h"
#include "tests/support/testing.h"

static struct lh_arena arena;
static struct lh_writer forged;

static void start(void)
{
    lh_arena_init(&arena);
    lh_writer_init(&forged);
}

static void end(void)
{
    lh_arena_fini(&arena);
    lh_writer_fini(&forged);
}

static const char *forge_body(unsigned index, bool bare)
{
    struct forge forge = {.body = forge_first_body() + index, .bare = bare};
    lh_writer_fini(&forged);
    lh_writer_init(&forged);
    forge_envelope(&forge, &forged);
    return wire_envelope_limits.descriptor->fields[forge.body].name;
}

static const Wire__Envelope *unpack(const void *data, size_t size)
{
    const Wire__Envelope *envelope = NULL;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = wire_envelope_unpack(data, size, &arena, &envelope, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
    return envelope;
}

/* protobuf-c reads what was written by hand, and writes the same bytes. */
START_TEST(every_message_comes_through)
{
    for (int bare = 0; bare < 2; bare++) {
        const char *name = forge_body((unsigned)_i, bare != 0);
        const Wire__Envelope *envelope = unpack(forged.data, forged.size);
        ck_assert_str_eq(wire_body_name(envelope->body_case), name);
        ck_assert_int_ne((int)wire_body_speakers(envelope->body_case), 0);
        uint8_t *packed = NULL;
        size_t size = 0;
        struct lh_error error = LH_ERROR_INIT;
        ck_assert_msg(wire_envelope_pack(envelope, &packed, &size, &error) == LH_OK, "%s", error.message);
        ck_assert_msg(size == forged.size && memcmp(packed, forged.data, size) == 0, "%s differs", name);
        ck_assert_uint_eq(wire_envelope_id(packed, size), envelope->id);
        free(packed);
    }
}
END_TEST

/* tests/proto/golden/v1.txt: one line for each kind, "NAME HEX". What stands there is what peers of this version say. A
   line that differs means that the wire has changed: read proto/README.md on versions before you write a new one. */
static FILE *golden(const char *mode)
{
    FILE *file = fopen(GOLDEN "/v1.txt", mode);
    ck_assert_msg(file != NULL, "there is no " GOLDEN "/v1.txt");
    return file;
}

static void print_line(FILE *file, const char *name)
{
    fprintf(file, "%s ", name);
    for (size_t i = 0; i < forged.size; i++) {
        fprintf(file, "%02x", forged.data[i]);
    }
    fputc('\n', file);
}

START_TEST(golden_messages_have_not_changed)
{
    unsigned bodies = wire_envelope_limits.count - forge_first_body();
    if (getenv("LOOPHOLE_GOLDEN_WRITE") != NULL) {
        FILE *file = golden("w");
        for (unsigned i = 0; i < bodies; i++) {
            print_line(file, forge_body(i, false));
        }
        fclose(file);
    }
    FILE *file = golden("r");
    char *line = NULL;
    size_t capacity = 0;
    for (unsigned i = 0; i < bodies; i++) {
        ck_assert_msg(getline(&line, &capacity, file) > 0, "%s has no golden message", forge_body(i, false));
        char *expected = NULL;
        size_t size = 0;
        FILE *memory = open_memstream(&expected, &size);
        print_line(memory, forge_body(i, false));
        fclose(memory);
        ck_assert_str_eq(line, expected);
        free(expected);
    }
    ck_assert_msg(getline(&line, &capacity, file) < 0, "more golden messages than kinds");
    free(line);
    fclose(file);
}
END_TEST

START_TEST(a_newer_peer_is_understood)
{
    static const uint8_t more[] = {0xC2, 0x3E, 3, 'n', 'e', 'w'};
    static const uint8_t newer_hello[] = {
        0x08, 1,    0x10, 9,    0x18, 5, /* speaks 1 to 9 */
        0xC2, 0x3E, 1,    0xFF,          /* a field of the envelope that we do not know */
        0xD2, 0x0F, 2,    0x08, 0x01,    /* a body that we do not know: 250 */
    };
    const Wire__Envelope *envelope = unpack(newer_hello, sizeof newer_hello);
    ck_assert_int_eq(envelope->body_case, WIRE__ENVELOPE__BODY__NOT_SET);
    ck_assert_str_eq(wire_body_name(envelope->body_case), "nothing");
    ck_assert_uint_eq(envelope->id, 5);
    ck_assert_uint_eq(wire_version_common(envelope->version_min, envelope->version_max), WIRE_VERSION_MAX);
    for (unsigned i = 0; i < wire_envelope_limits.count - forge_first_body(); i++) {
        const char *name = forge_body(i, true);
        lh_writer_bytes(&forged, more, sizeof more);
        ck_assert_str_eq(wire_body_name(unpack(forged.data, forged.size)->body_case), name);
    }
}
END_TEST

START_TEST(versions_meet_at_the_newest_in_common)
{
    ck_assert_uint_eq(wire_version_common(1, 1), 1);
    ck_assert_uint_eq(wire_version_common(1, WIRE_VERSION_MAX + 5), WIRE_VERSION_MAX);
    ck_assert_uint_eq(wire_version_common(WIRE_VERSION_MAX + 1, WIRE_VERSION_MAX + 5), 0);
    ck_assert_uint_eq(wire_version_common(0, WIRE_VERSION_MIN - 1), 0);
    ck_assert_uint_eq(wire_version_common(3, 2), 0);
}
END_TEST

START_TEST(what_is_refused_still_tells_its_id)
{
    forge_body(0, false);
    const Wire__Envelope *envelope = unpack(forged.data, forged.size);
    uint64_t id = envelope->id;
    lh_writer_u8(&forged, 0xFF);
    const Wire__Envelope *none = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_envelope_unpack(forged.data, forged.size, &arena, &none, &error), LH_ERR_FORMAT);
    ck_assert_str_ne(error.message, "");
    ck_assert_ptr_null(none);
    ck_assert_uint_eq(wire_envelope_id(forged.data, forged.size), id);
    static const uint8_t wide[] = {0x08, 1, 0x10, 1, 0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01};
    ck_assert_uint_eq(wire_envelope_id(wide, sizeof wide), UINT64_MAX);
    for (size_t size = 0; size < sizeof wide; size++) {
        ck_assert_uint_eq(wire_envelope_id(wide, size), 0);
    }
    static const uint8_t other[] = {0x18, 1, 0x08, 1, 0x10, 1};
    ck_assert_uint_eq(wire_envelope_id(other, sizeof other), 0);
}
END_TEST

START_TEST(nothing_that_would_be_refused_is_sent)
{
    uint8_t *data = NULL;
    size_t size = 0;
    struct lh_error error = LH_ERROR_INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(1);
    Wire__Ping ping = WIRE__PING__INIT;
    WIRE_BODY(&envelope, PING, ping, &ping);
    ck_assert_int_eq(wire_envelope_pack(&envelope, &data, &size, &error), LH_OK);
    free(data);
    data = NULL;
    envelope.id = 0;
    ck_assert_int_eq(wire_envelope_pack(&envelope, &data, &size, &error), LH_ERR_LIMIT);
    ck_assert_str_eq(error.where, "Envelope.id");
    envelope.id = 1;
    Wire__Artifact artifact = WIRE__ARTIFACT__INIT;
    Wire__Blob blob = WIRE__BLOB__INIT;
    uint8_t digest[32] = {0};
    char name[] = "../mix.wav";
    blob.digest = (ProtobufCBinaryData){32, digest};
    artifact.blob = &blob;
    artifact.name = name;
    WIRE_BODY(&envelope, ARTIFACT, artifact, &artifact);
    ck_assert_int_eq(wire_envelope_pack(&envelope, &data, &size, &error), LH_ERR_INTERNAL);
    ck_assert_int_eq(error.code, LH_ERR_INTERNAL);
    ck_assert_str_eq(error.where, "Artifact.name");
    ck_assert_int_eq(wire_envelope_pack(&envelope, &data, &size, NULL), LH_ERR_INTERNAL);
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(more_than_a_message_may_hold_is_refused)
{
    uint8_t *data = calloc(1, WIRE_MESSAGE_MAX + 1);
    ck_assert_ptr_nonnull(data);
    const Wire__Envelope *envelope = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_envelope_unpack(data, WIRE_MESSAGE_MAX + 1, &arena, &envelope, &error), LH_ERR_LIMIT);
    Wire__Envelope large = WIRE_ENVELOPE_INIT(1);
    Wire__ProjectCreate project = WIRE__PROJECT_CREATE__INIT;
    project.document = (ProtobufCBinaryData){WIRE_MESSAGE_MAX, data};
    WIRE_BODY(&large, PROJECT_CREATE, project_create, &project);
    uint8_t *packed = NULL;
    size_t size = 0;
    ck_assert_int_eq(wire_envelope_pack(&large, &packed, &size, &error), LH_ERR_LIMIT);
    free(data);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    forge_body(0, false);
    size_t failed = 0;
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        lh_arena_init(&own);
        const Wire__Envelope *envelope = NULL;
        struct lh_error error = LH_ERROR_INIT;
        testing_fail_allocation(n);
        enum lh_status status = wire_envelope_unpack(forged.data, forged.size, &own, &envelope, &error);
        bool hit = testing_fail_allocation_end();
        ck_assert_int_eq(status, hit ? LH_ERR_NO_MEMORY : LH_OK);
        lh_arena_fini(&own);
        if (!hit) {
            break;
        }
        ck_assert_ptr_null(envelope);
        failed++;
    }
    ck_assert_uint_gt(failed, 0);
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(1);
    uint8_t *data = NULL;
    size_t size = 0;
    testing_fail_allocation(1);
    ck_assert_int_eq(wire_envelope_pack(&envelope, &data, &size, NULL), LH_ERR_NO_MEMORY);
    ck_assert(testing_fail_allocation_end());
}
END_TEST

/* A message costs a small multiple of its bytes: the worst of each kind, as many of the smallest parts as it may have.
 */
START_TEST(memory_follows_the_bytes)
{
    for (unsigned i = 0; i < wire_envelope_limits.count - forge_first_body(); i++) {
        const struct wire_limits *body = wire_envelope_limits.fields[forge_first_body() + i].message;
        for (unsigned field = 0; field < body->count; field++) {
            if (!forge_applies(FORGE_MANY, body, field)) {
                continue;
            }
            struct forge forge = {
                .body = forge_first_body() + i, .bare = true, .spoil = FORGE_MANY, .message = body, .field = field};
            lh_writer_fini(&forged);
            lh_writer_init(&forged);
            forge_envelope(&forge, &forged);
            struct lh_arena own;
            lh_arena_init(&own);
            const Wire__Envelope *envelope = NULL;
            ck_assert_int_eq(wire_envelope_unpack(forged.data, forged.size, &own, &envelope, NULL), LH_OK);
            ck_assert_msg(own.used < 32 * forged.size + 4096, "%s.%s: %zu bytes take %zu", body->descriptor->name,
                          body->fields[field].field, forged.size, own.used);
            lh_arena_fini(&own);
        }
    }
}
END_TEST

START_TEST(bodies_are_known_by_name_speaker_and_kind)
{
    ck_assert_str_eq(wire_body_name(WIRE__ENVELOPE__BODY_HELLO), "hello");
    ck_assert_int_eq((int)wire_body_speakers(WIRE__ENVELOPE__BODY_HELLO), WIRE_WORKER);
    ck_assert_int_eq((int)wire_body_speakers(WIRE__ENVELOPE__BODY_ASSIGN), WIRE_PULSE);
    ck_assert_int_eq((int)wire_body_speakers(WIRE__ENVELOPE__BODY_PING), WIRE_CLIENT);
    ck_assert(wire_body_is_question(WIRE__ENVELOPE__BODY_PING));
    ck_assert(!wire_body_is_question(WIRE__ENVELOPE__BODY_PONG));
    ck_assert_str_eq(wire_body_name((Wire__Envelope__BodyCase)3), "nothing");
    ck_assert_int_eq((int)wire_body_speakers((Wire__Envelope__BodyCase)100000), 0);
    ck_assert(!wire_body_is_question((Wire__Envelope__BodyCase)-1));
    unsigned first = forge_first_body();
    for (unsigned i = first; i < wire_envelope_limits.count; i++) {
        const ProtobufCFieldDescriptor *field = &wire_envelope_limits.descriptor->fields[i];
        ck_assert_str_eq(wire_body_name((Wire__Envelope__BodyCase)field->id), field->name);
    }
}
END_TEST

/* proto/README.md has every body in a conversation or a table: "W:hello", "`ping`", "put_begin". */
START_TEST(the_page_of_conversations_knows_every_body)
{
    FILE *file = fopen(PAGE, "r");
    ck_assert_ptr_nonnull(file);
    static char text[65536];
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (unsigned i = forge_first_body(); i < wire_envelope_limits.count; i++) {
        const char *name = wire_envelope_limits.descriptor->fields[i].name;
        size_t length = strlen(name);
        const char *at = text;
        bool found = false;
        while (!found && (at = strstr(at, name)) != NULL) {
            found = strchr(":` ", at[-1]) != NULL && strchr("` *?)\n", at[length]) != NULL;
            at += length;
        }
        ck_assert_msg(found, "%s is not in " PAGE, name);
    }
}
END_TEST

int main(void)
{
    int bodies = (int)(wire_envelope_limits.count - forge_first_body());
    TCase *group = tcase_create("envelope");
    tcase_add_checked_fixture(group, start, end);
    tcase_add_loop_test(group, every_message_comes_through, 0, bodies);
    tcase_add_test(group, golden_messages_have_not_changed);
    tcase_add_test(group, a_newer_peer_is_understood);
    tcase_add_test(group, versions_meet_at_the_newest_in_common);
    tcase_add_test(group, what_is_refused_still_tells_its_id);
    tcase_add_test(group, nothing_that_would_be_refused_is_sent);
    tcase_add_test(group, more_than_a_message_may_hold_is_refused);
    tcase_add_test(group, memory_that_runs_out_is_a_status);
    tcase_add_test(group, memory_follows_the_bytes);
    tcase_add_test(group, bodies_are_known_by_name_speaker_and_kind);
    tcase_add_test(group, the_page_of_conversations_knows_every_body);
    Suite *suite = suite_create("proto/envelope");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
