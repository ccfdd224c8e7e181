/* SPDX-License-Identifier: MIT */
/* What is told of a file survives as bytes, and nothing else passes for it. */
#include "engine/instance/delivery.h"

#include "tests/support/testing.h"

static const struct engine_delivered told = {
    .file = {.frames = 48000, .clipped = 3, .bytes = 7, .has_samples = true, .notes = "FLAC holds no loop points"},
    .has_loudness = true,
    .gain_db = -1.5,
    .tail_frames = 77,
};
static const struct lh_digest file = {{7}};

static void written(struct lh_writer *writer)
{
    lh_writer_init(writer);
    engine_delivery_write(writer, &told, &file);
    ck_assert_int_eq(lh_writer_status(writer), LH_OK);
}

START_TEST(comes_back)
{
    struct lh_writer writer;
    struct engine_delivered read = {0};
    struct lh_digest back;
    written(&writer);
    ck_assert_int_eq(engine_delivery_read(writer.data, writer.size, &read, &back), LH_OK);
    ck_assert(lh_digest_equal(&file, &back));
    ck_assert_uint_eq(read.file.frames, told.file.frames);
    ck_assert_int_eq(read.tail_frames, told.tail_frames);
    ck_assert_double_eq(read.gain_db, told.gain_db);
    lh_writer_fini(&writer);
}
END_TEST

START_TEST(damage_is_noticed)
{
    struct lh_writer writer;
    struct engine_delivered read = {.tail_frames = -7};
    struct lh_digest back;
    written(&writer);
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(engine_delivery_read(writer.data, size, &read, &back), LH_ERR_FORMAT);
        ck_assert_int_eq(read.tail_frames, -7);
    }
    for (size_t i = 0; i < writer.size * 8; i++) { /* any bit may be wrong, none may crash */
        writer.data[i / 8] ^= (uint8_t)(1u << (i % 8));
        enum lh_status status = engine_delivery_read(writer.data, writer.size, &read, &back);
        ck_assert(i < 32 ? status == LH_ERR_FORMAT : status == LH_OK || status == LH_ERR_FORMAT);
        writer.data[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    lh_writer_fini(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/delivery");
    TCase *tcase = tcase_create("delivery");
    tcase_add_test(tcase, comes_back);
    tcase_add_test(tcase, damage_is_noticed);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
