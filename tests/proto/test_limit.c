/* SPDX-License-Identifier: MIT */
/* Every rule of every field of every message: kept, and broken. The messages are written by hand (tests/proto/forge.h).
 */
#include "proto/limit.h"

#include <stdio.h>
#include <string.h>

#include "tests/proto/forge.h"
#include "tests/support/testing.h"

static enum lh_status check(const struct lh_writer *writer, struct lh_error *error)
{
    *error = LH_ERROR_INIT;
    ck_assert_int_eq(lh_writer_status(writer), LH_OK);
    return wire_limits_check(&wire_envelope_limits, writer->data, writer->size, error);
}

/* The types that the walk knows, and what the table may say of them. */
static bool kind_fits(enum wire_limit_kind kind, ProtobufCType type)
{
    static const struct {
        ProtobufCType type;
        enum wire_limit_kind first, last;
    } rows[] = {
        {PROTOBUF_C_TYPE_STRING, WIRE_LIMIT_TEXT, WIRE_LIMIT_PATH},
        {PROTOBUF_C_TYPE_BYTES, WIRE_LIMIT_BYTES, WIRE_LIMIT_BYTES},
        {PROTOBUF_C_TYPE_UINT32, WIRE_LIMIT_NUMBER, WIRE_LIMIT_NUMBER},
        {PROTOBUF_C_TYPE_UINT64, WIRE_LIMIT_NUMBER, WIRE_LIMIT_NUMBER},
        {PROTOBUF_C_TYPE_SINT32, WIRE_LIMIT_SIGNED, WIRE_LIMIT_SIGNED},
        {PROTOBUF_C_TYPE_DOUBLE, WIRE_LIMIT_REAL, WIRE_LIMIT_REAL},
        {PROTOBUF_C_TYPE_BOOL, WIRE_LIMIT_FLAG, WIRE_LIMIT_FLAG},
        {PROTOBUF_C_TYPE_ENUM, WIRE_LIMIT_CHOICE, WIRE_LIMIT_CHOICE},
        {PROTOBUF_C_TYPE_MESSAGE, WIRE_LIMIT_MESSAGE, WIRE_LIMIT_MESSAGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].type == type) {
            return kind >= rows[i].first && kind <= rows[i].last;
        }
    }
    return false;
}

/* The table has a row for every field, of its name and its type, and as many as one message may have. */
static void compare(const struct wire_limits *limits, unsigned depth)
{
    const ProtobufCMessageDescriptor *descriptor = limits->descriptor;
    ck_assert_uint_lt(depth, 10);
    ck_assert_msg(limits->count == descriptor->n_fields, "%s has %u fields, the table %u", descriptor->name,
                  descriptor->n_fields, limits->count);
    ck_assert_uint_le(limits->count, WIRE_FIELDS_MAX);
    for (unsigned i = 0; i < limits->count; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const struct wire_limit *limit = &limits->fields[i];
        ck_assert_msg(strcmp(limit->field, field->name) == 0, "%s.%s is %s in the table", descriptor->name, field->name,
                      limit->field);
        ck_assert_msg(kind_fits(limit->kind, field->type), "%s.%s: another type", descriptor->name, field->name);
        ck_assert_msg((limit->count > 0) == (field->label == PROTOBUF_C_LABEL_REPEATED), "%s.%s: how many?",
                      descriptor->name, field->name);
        ck_assert_msg(limit->kind != WIRE_LIMIT_REAL || limit->lowest < limit->highest, "%s.%s", descriptor->name,
                      field->name);
        if (limit->kind == WIRE_LIMIT_MESSAGE) {
            ck_assert_msg(limit->message->descriptor == field->descriptor, "%s.%s: another message", descriptor->name,
                          field->name);
            compare(limit->message, depth + 1);
        }
    }
}

START_TEST(the_table_follows_the_schemas)
{
    compare(&wire_envelope_limits, 0);
}
END_TEST

static void try(unsigned body, const struct wire_limits *message, unsigned field, enum forge_spoil spoil)
{
    struct forge forge = {.body = body, .spoil = spoil, .message = message, .field = field};
    struct lh_writer writer;
    lh_writer_init(&writer);
    forge_envelope(&forge, &writer);
    struct lh_error error;
    enum lh_status status = check(&writer, &error);
    lh_writer_fini(&writer);
    const char *name = message->descriptor->short_name;
    const char *row = message->fields[field].field;
    ck_assert_msg(forge.done, "%s.%s was not written", name, row);
    ck_assert_msg(status == forge_expected(spoil), "%s.%s, spoil %d: %d (%s: %s)", name, row, (int)spoil, (int)status,
                  error.where, error.message);
    if (status != LH_OK && spoil != FORGE_JUNK) {
        char where[LH_ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "%s.%s", name, row);
        ck_assert_str_eq(error.where, where);
    }
}

static void try_all(unsigned body, const struct wire_limits *message)
{
    for (unsigned i = 0; i < message->count; i++) {
        bool other_body = message == &wire_envelope_limits && i >= forge_first_body() && i != body;
        for (int spoil = FORGE_WHOLE; !other_body && spoil < FORGE_SPOILS; spoil++) {
            if (forge_applies((enum forge_spoil)spoil, message, i)) {
                try(body, message, i, (enum forge_spoil)spoil);
            }
        }
        if (!other_body && message->fields[i].kind == WIRE_LIMIT_MESSAGE) {
            try_all(body, message->fields[i].message);
        }
    }
}

START_TEST(every_rule_holds_in_every_field)
{
    try_all(forge_first_body() + (unsigned)_i, &wire_envelope_limits);
}
END_TEST

START_TEST(bare_messages_pass)
{
    struct forge forge = {.body = forge_first_body() + (unsigned)_i, .bare = true};
    struct lh_writer writer;
    lh_writer_init(&writer);
    forge_envelope(&forge, &writer);
    struct lh_error error;
    ck_assert_msg(check(&writer, &error) == LH_OK, "%s: %s", error.where, error.message);
    lh_writer_fini(&writer);
}
END_TEST

/* Bytes behind a good envelope. */
static enum lh_status with_tail(const void *tail, size_t size, size_t repeat)
{
    struct forge forge = {.body = forge_first_body(), .bare = true};
    struct lh_writer writer;
    lh_writer_init(&writer);
    forge_envelope(&forge, &writer);
    for (size_t i = 0; i < repeat; i++) {
        lh_writer_bytes(&writer, tail, size);
    }
    struct lh_error error;
    enum lh_status status = check(&writer, &error);
    lh_writer_fini(&writer);
    return status;
}

START_TEST(unknown_fields_are_passed_over_up_to_a_number)
{
    static const uint8_t unknown[] = {0xC0, 0x3E, 0x05};                /* 1000: varint */
    static const uint8_t fixed[] = {0xC5, 0x3E, 1, 2, 3, 4};            /* 1000: fixed32 */
    static const uint8_t wide[] = {0xC1, 0x3E, 1, 2, 3, 4, 5, 6, 7, 8}; /* 1000: fixed64 */
    static const uint8_t text[] = {0xC2, 0x3E, 2, 0xFF, 0x00};          /* 1000: bytes */
    static const uint8_t group[] = {0xC3, 0x3E, 0xC4, 0x3E};            /* 1000: group, long forgotten */
    static const uint8_t cut[] = {0xC2, 0x3E, 4, 'a', 'b'};             /* ends too soon */
    static const uint8_t zero[] = {0x00, 0x00};                         /* there is no field 0 */
    static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
    static const uint8_t overflow[] = {0xC0, 0x3E, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02};
    static const uint8_t huge[] = {0xC2, 0x3E, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 'a'};
    ck_assert_int_eq(with_tail(unknown, sizeof unknown, 1), LH_OK);
    ck_assert_int_eq(with_tail(fixed, sizeof fixed, 1), LH_OK);
    ck_assert_int_eq(with_tail(wide, sizeof wide, 1), LH_OK);
    ck_assert_int_eq(with_tail(text, sizeof text, 1), LH_OK);
    ck_assert_int_eq(with_tail(unknown, sizeof unknown, WIRE_UNKNOWN_FIELDS_MAX), LH_OK);
    ck_assert_int_eq(with_tail(unknown, sizeof unknown, WIRE_UNKNOWN_FIELDS_MAX + 1), LH_ERR_LIMIT);
    ck_assert_int_eq(with_tail(group, sizeof group, 1), LH_ERR_FORMAT);
    ck_assert_int_eq(with_tail(cut, sizeof cut, 1), LH_ERR_FORMAT);
    ck_assert_int_eq(with_tail(zero, sizeof zero, 1), LH_ERR_FORMAT);
    ck_assert_int_eq(with_tail(endless, sizeof endless, 1), LH_ERR_FORMAT);
    ck_assert_int_eq(with_tail(overflow, sizeof overflow, 1), LH_ERR_FORMAT);
    ck_assert_int_eq(with_tail(huge, sizeof huge, 1), LH_ERR_FORMAT);
}
END_TEST

START_TEST(an_envelope_has_at_most_one_body)
{
    const ProtobufCFieldDescriptor *done =
        protobuf_c_message_descriptor_get_field_by_name(wire_envelope_limits.descriptor, "done");
    struct lh_writer second;
    lh_writer_init(&second);
    forge_bytes(&second, done->id, "", 0);
    ck_assert_int_eq(with_tail(second.data, second.size, 1), LH_ERR_FORMAT);
    lh_writer_fini(&second);
    static const uint8_t none[] = {0x08, 1, 0x10, 1, 0x18, 1}; /* and may have none, when it is of a newer kind */
    ck_assert_int_eq(wire_limits_check(&wire_envelope_limits, none, sizeof none, NULL), LH_OK);
    ck_assert_int_eq(wire_limits_check(&wire_envelope_limits, none, 0, NULL), LH_ERR_FORMAT);
}
END_TEST

START_TEST(paths_lead_downwards_only)
{
    static const char *const bad[] = {"/a", "a//b", "a/", "../a", "a/../b", "a/..", ".", "a/./b", "a/b\nc/\x1B"};
    static const char *const good[] = {"a", "a/b", "..a/b..", "blobs/ab/cd.ef", ".hidden"};
    const struct wire_limit row = {.field = "path", .kind = WIRE_LIMIT_PATH, .minimum = 1, .maximum = 100};
    ProtobufCFieldDescriptor field = {
        .name = "path", .id = 1, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_STRING};
    ProtobufCIntRange ranges[] = {{1, 0}, {0, 1}};
    ProtobufCMessageDescriptor descriptor = {.short_name = "Location",
                                             .name = "wire.Location",
                                             .n_fields = 1,
                                             .fields = &field,
                                             .n_field_ranges = 1,
                                             .field_ranges = ranges};
    struct wire_limits limits = {.descriptor = &descriptor, .fields = &row, .count = 1};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0] + sizeof good / sizeof good[0]; i++) {
        unsigned count = sizeof bad / sizeof bad[0];
        const char *path = i < count ? bad[i] : good[i - count];
        struct lh_writer writer;
        lh_writer_init(&writer);
        forge_bytes(&writer, 1, path, strlen(path));
        enum lh_status status = wire_limits_check(&limits, writer.data, writer.size, NULL);
        ck_assert_msg(status == (i < count ? LH_ERR_FORMAT : LH_OK), "%s: %d", path, (int)status);
        lh_writer_fini(&writer);
    }
}
END_TEST

int main(void)
{
    int bodies = (int)(wire_envelope_limits.count - forge_first_body());
    TCase *group = tcase_create("limit");
    tcase_set_timeout(group, 120);
    tcase_add_test(group, the_table_follows_the_schemas);
    tcase_add_loop_test(group, every_rule_holds_in_every_field, 0, bodies);
    tcase_add_loop_test(group, bare_messages_pass, 0, bodies);
    tcase_add_test(group, unknown_fields_are_passed_over_up_to_a_number);
    tcase_add_test(group, an_envelope_has_at_most_one_body);
    tcase_add_test(group, paths_lead_downwards_only);
    Suite *suite = suite_create("proto/limit");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
