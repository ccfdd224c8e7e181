/* SPDX-License-Identifier: MIT */
/* inventory/near: what people write, and which plugins they mean. */
#include "inventory/near.h"

#include <string.h>

#include "tests/support/testing.h"

static const char *const plugins[][2] = {
    {"lv2:http://calf.sourceforge.net/plugins/Compressor", "Calf Compressor"},
    {"lv2:http://calf.sourceforge.net/plugins/Equalizer5Band", "Calf Equalizer 5 Band"},
    {"lv2:http://calf.sourceforge.net/plugins/MonoCompressor", "Calf Mono Compressor"},
    {"lv2:http://gareus.org/oss/lv2/fil4#mono", "x42-eq - Parametric Equalizer Mono"},
    {"lv2:http://gareus.org/oss/lv2/fil4#stereo", "x42-eq - Parametric Equalizer Stereo"},
    {"lv2:urn:zamaudio:ZamComp", "ZamComp"},
};
#define PLUGIN_COUNT (sizeof plugins / sizeof *plugins)

static struct lh_arena arena;
static struct inventory_index *known_plugins;
static const char *near[INVENTORY_NEAR_MAX];
static size_t entries[PLUGIN_COUNT];

static enum lh_status describe(void *context, struct lh_arena *own, const char *const *bundles, size_t bundle_count,
                               const char *const *uris, size_t uri_count, struct graph_plugin_facts **facts,
                               size_t *fact_count, const char **notes, struct lh_error *error)
{
    (void)context, (void)bundle_count, (void)uris, (void)uri_count, (void)error;
    struct graph_plugin_facts *made = lh_arena_array(own, PLUGIN_COUNT, sizeof *made);
    for (size_t i = 0; i < PLUGIN_COUNT; i++) {
        made[i] = (struct graph_plugin_facts){.uri = plugins[i][0],
                                              .name = plugins[i][1],
                                              .author = "",
                                              .licence = "",
                                              .category = "",
                                              .version = "",
                                              .bundle = bundles[0],
                                              .binary = "/none.so",
                                              .refused = ""};
    }
    *facts = made;
    *fact_count = PLUGIN_COUNT;
    *notes = "";
    return LH_OK;
}

static void set_up(void)
{
    static const struct inventory_bundle bundle = {.folder = "/none/"};
    static const struct inventory_bundles bundles = {.search_path = "/", .items = &bundle, .count = 1};
    static const struct inventory_describer describer = {.describe = describe, .version = "1"};
    lh_arena_init(&arena);
    ck_assert_int_eq(inventory_index_open(&arena, NULL, &bundles, &describer, &known_plugins, NULL), LH_OK);
    ck_assert_int_eq(inventory_index_complete(known_plugins, NULL), LH_OK);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

static size_t match(const char *text)
{
    return inventory_index_match(known_plugins, text, entries, PLUGIN_COUNT);
}

START_TEST(by_uri)
{
    ck_assert_uint_eq(match("http://calf.sourceforge.net/plugins/Compressor"), 1);
    ck_assert_uint_eq(entries[0], 0);
    ck_assert_uint_eq(match("lv2:urn:zamaudio:ZamComp"), 1);
    ck_assert_uint_eq(entries[0], 5);
}
END_TEST

START_TEST(by_name)
{
    ck_assert_uint_eq(match("calf compressor"), 1);
    ck_assert_uint_eq(entries[0], 0);
    ck_assert_uint_eq(match("ZAMCOMP"), 1);
}
END_TEST

START_TEST(by_a_piece)
{
    ck_assert_uint_eq(match("fil4#st"), 1);
    ck_assert_uint_eq(entries[0], 4);
    ck_assert_uint_eq(match("compressor"), 2);
    ck_assert_uint_eq(entries[1], 2);
    ck_assert_uint_eq(match("reverb"), 0);
    ck_assert_uint_eq(match(""), 0);
    ck_assert_uint_eq(inventory_index_match(known_plugins, "lv2", entries, 1), PLUGIN_COUNT);
}
END_TEST

static void expect_near(const char *text, const char *first)
{
    inventory_index_near(known_plugins, text, near);
    ck_assert_msg(near[0] != NULL && strcmp(near[0], first) == 0, "%s gives %s", text,
                  near[0] != NULL ? near[0] : "nothing");
}

START_TEST(what_comes_near)
{
    expect_near("lv2:http://calf.sourceforge.net/plugins/Compresor", plugins[0][0]);
    expect_near("lv2:https://calf.sourceforge.net/plugins/compressor", plugins[0][0]);
    expect_near("http://gareus.org/oss/lv2/fil4#sterio", plugins[4][0]);
    expect_near("lv2:http://gareus.org/oss/lv2/fill4#mono", plugins[3][0]);
    expect_near("http://gareus.org/oss/lv2/fil4#stereo_", plugins[4][0]);
    expect_near("zmacopm", plugins[5][0]);
    expect_near("zamcmp", plugins[5][0]);
    expect_near("Calf Equaliser 5 Band", plugins[1][0]);
    inventory_index_near(known_plugins, "lv2:http://example.org/reverb", near);
    ck_assert_ptr_null(near[0]);
    char text[1024];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    inventory_index_near(known_plugins, text, near);
    ck_assert_ptr_null(near[0]);
    inventory_index_near(known_plugins, "", near);
    ck_assert_ptr_null(near[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inventory/near");
    TCase *tests = tcase_create("near");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, by_uri);
    tcase_add_test(tests, by_name);
    tcase_add_test(tests, by_a_piece);
    tcase_add_test(tests, what_comes_near);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
