/* SPDX-License-Identifier: MIT */
/* inventory/evidence: what is kept of a probe is what is found of it, for this binary and no other. */
#include "inventory/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "tests/inventory/folders.h"
#include "tests/support/testing.h"

#define SOUND 3

static struct lh_arena arena;
static struct lh_error error;
static struct inventory_places places;
static const char *system_folder;
static struct inventory_evidence sample;

static void set_up(void)
{
    static const char *const features[] = {"notes", "state"};
    folders_begin();
    lh_arena_init(&arena);
    system_folder = lh_arena_strdup(&arena, folders_path("system"));
    places = (struct inventory_places){.evidence = lh_arena_strdup(&arena, folders_path("own/evidence")),
                                       .system_evidence = &system_folder,
                                       .system_evidence_count = 1};
    sample = (struct inventory_evidence){
        .uri = "lv2:http://example.org/a",
        .version = "1.2",
        .digest = {{7}},
        .sound_version = SOUND,
        .cpu_class = "x86-64-v3",
        .across_runs = INVENTORY_YES,
        .beside = INVENTORY_YES,
        .draws_random = INVENTORY_NO,
        .blocks = {INVENTORY_YES, INVENTORY_NO, INVENTORY_YES, INVENTORY_UNKNOWN, INVENTORY_YES},
        .without_avx = INVENTORY_NO,
        .audible = INVENTORY_YES,
        .self_sounding = INVENTORY_NO,
        .has_latency = true,
        .latency_frames = 64,
        .latency_changes = true,
        .has_tail = true,
        .tail_seconds = 0.25,
        .ns_per_frame = 12.5,
        .features = features,
        .feature_count = 2,
    };
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
    folders_end();
}

static const struct inventory_evidence *find(void)
{
    const struct inventory_evidence *found = NULL;
    ck_assert_int_eq(inventory_evidence_find(&arena, &places, sample.uri, sample.version, &sample.digest, &found),
                     LH_OK);
    return found;
}

START_TEST(kept_is_found)
{
    ck_assert_ptr_null(find());
    ck_assert_int_eq(inventory_evidence_save(&places, &sample, &error), LH_OK);
    const struct inventory_evidence *found = find();
    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found->uri, sample.uri);
    ck_assert_str_eq(found->cpu_class, "x86-64-v3");
    ck_assert_mem_eq(found->blocks, sample.blocks, sizeof sample.blocks);
    ck_assert_int_eq(found->without_avx, INVENTORY_NO);
    ck_assert(found->has_latency && found->latency_frames == 64 && found->latency_changes);
    ck_assert_double_eq(found->tail_seconds, 0.25);
    ck_assert_double_eq(found->ns_per_frame, 12.5);
    ck_assert_uint_eq(found->feature_count, 2);
    ck_assert_str_eq(found->features[1], "state");
    ck_assert_ptr_null(found->message);
    ck_assert(inventory_evidence_is_repeatable(found, SOUND));
    ck_assert(!inventory_evidence_is_repeatable(found, SOUND + 1));
}
END_TEST

START_TEST(another_binary_has_none)
{
    ck_assert_int_eq(inventory_evidence_save(&places, &sample, &error), LH_OK);
    sample.digest.bytes[31] = 1;
    ck_assert_ptr_null(find());
    sample.digest.bytes[31] = 0;
    sample.version = "1.3";
    ck_assert_ptr_null(find());
    sample.version = "1.2";
    sample.uri = "lv2:http://example.org/b";
    ck_assert_ptr_null(find());
}
END_TEST

START_TEST(what_came_with_the_system_is_second)
{
    struct inventory_places system = {.evidence = system_folder};
    sample.message = "the system's";
    sample.status = INVENTORY_EVIDENCE_FAULTY;
    sample.failed = "runs of 64 frames";
    ck_assert_int_eq(inventory_evidence_save(&system, &sample, &error), LH_OK);
    ck_assert_str_eq(find()->message, "the system's");
    ck_assert(inventory_evidence_is_repeatable(find(), SOUND)); /* where it did not fail */
    sample.message = "this user's";
    ck_assert_int_eq(inventory_evidence_save(&places, &sample, &error), LH_OK);
    ck_assert_str_eq(find()->message, "this user's");
    places.evidence = NULL;
    ck_assert_str_eq(find()->message, "the system's");
    ck_assert_int_eq(inventory_evidence_save(&places, &sample, &error), LH_ERR_IO);
}
END_TEST

START_TEST(verdicts_add_up)
{
    ck_assert_int_eq(inventory_evidence_block_invariant(&sample), INVENTORY_NO);
    sample.blocks[INVENTORY_BLOCK_512] = INVENTORY_YES;
    ck_assert_int_eq(inventory_evidence_block_invariant(&sample), INVENTORY_UNKNOWN);
    sample.blocks[INVENTORY_BLOCK_8192] = INVENTORY_YES;
    ck_assert_int_eq(inventory_evidence_block_invariant(&sample), INVENTORY_YES);
    ck_assert(inventory_evidence_is_repeatable(&sample, SOUND));
    sample.beside = INVENTORY_UNKNOWN;
    ck_assert(!inventory_evidence_is_repeatable(&sample, SOUND));
}
END_TEST

/* The text of the record, in the arena. */
static const char *record_text(size_t *length)
{
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, true);
    lh_json_emit_object(&emitter);
    lh_json_emit_name(&emitter, "loopholeEvidence");
    lh_json_emit_integer(&emitter, 1);
    inventory_evidence_emit(&emitter, &sample);
    lh_json_emit_object_end(&emitter);
    ck_assert_int_eq(lh_writer_status(&writer), LH_OK);
    const char *text = lh_arena_strndup(&arena, (const char *)writer.data, writer.size);
    *length = writer.size;
    lh_writer_fini(&writer);
    return text;
}

START_TEST(what_makes_no_sense_is_none)
{
    static const char *const changes[][2] = {
        {"\"loopholeEvidence\":1", "\"loopholeEvidence\":2"},
        {"\"status\":\"repeatable\"", "\"status\":\"repeatabel\""},
        {"\"latencyFrames\":64", "\"latencyFrames\":-4"},
        {"\"latencyFrames\":64", "\"latencyFrames\":[]"},
        {"\"nsPerFrame\":12.5", "\"nsPerFrame\":\"12\""},
        {"\"features\":[", "\"features\":[1,"},
        {"sha256:07", "sha256:x7"},
        {"\"blocks\":{", "\"other\":{"},
    };
    size_t length = 0;
    const char *text = record_text(&length);
    struct inventory_evidence read;
    ck_assert_int_eq(inventory_evidence_parse(&arena, text, length, &read), LH_OK);
    for (size_t size = 0; size + 2 < length; size++) { /* the line's end may be missing */
        ck_assert_int_eq(inventory_evidence_parse(&arena, text, size, &read), LH_ERR_FORMAT);
    }
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char changed[4096];
        const char *at = strstr(text, changes[i][0]);
        ck_assert_msg(at != NULL, "%s is not in %s", changes[i][0], text);
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, changes[i][1],
                 at + strlen(changes[i][0]));
        ck_assert_msg(inventory_evidence_parse(&arena, changed, strlen(changed), &read) == LH_ERR_FORMAT, "%s",
                      changes[i][1]);
    }
}
END_TEST

START_TEST(memory_runs_out)
{
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        const struct inventory_evidence *found = NULL;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = inventory_evidence_save(&places, &sample, &error);
        status = status == LH_OK
                     ? inventory_evidence_find(&own, &places, sample.uri, sample.version, &sample.digest, &found)
                     : status;
        bool fired = testing_fail_allocation_end();
        lh_arena_fini(&own);
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        if (!fired) {
            ck_assert_ptr_nonnull(found);
            break;
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inventory/evidence");
    TCase *tests = tcase_create("evidence");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, kept_is_found);
    tcase_add_test(tests, another_binary_has_none);
    tcase_add_test(tests, what_came_with_the_system_is_second);
    tcase_add_test(tests, verdicts_add_up);
    tcase_add_test(tests, what_makes_no_sense_is_none);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
