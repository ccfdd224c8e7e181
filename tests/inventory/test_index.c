/* SPDX-License-Identifier: MIT */
/* inventory/index: what is asked again, and what is not. The describer of these tests reads bundles whose
   manifests hold plain lines: "plugin NAME", "preset NAME of PLUGIN". */
#include "inventory/index.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/inventory/folders.h"
#include "tests/support/testing.h"

#define PLUGINS_MAX 64

static struct lh_arena arena;
static struct lh_error error;
static struct inventory_bundles bundles;
static struct inventory_index *known_plugins;
static const char *cache;
static size_t asked_bundles, calls; /* of the describer, since the last opening */
static enum lh_status failing;

static void read_manifest(const char *folder, char *text, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%smanifest.ttl", folder);
    FILE *file = fopen(path, "r");
    assert(file != NULL); /* Check allocates for its own assertions */
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static const char *print(struct lh_arena *own, const char *first, const char *second)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s", first, second);
    return lh_arena_strdup(own, text);
}

static bool wanted(const char *uri, const char *const *uris, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(uris[i], uri) == 0) {
            return true;
        }
    }
    return count == 0;
}

/* Presets are known by plugins of all the bundles that are asked together, as with the real one. */
static uint32_t count_presets(const char *const *folders, size_t count, const char *plugin)
{
    char text[256], line[128];
    uint32_t presets = 0;
    snprintf(line, sizeof line, " of %s\n", plugin);
    for (size_t i = 0; i < count; i++) {
        read_manifest(folders[i], text, sizeof text);
        presets += strstr(text, line) != NULL ? 1 : 0;
    }
    return presets;
}

static enum lh_status describe(void *context, struct lh_arena *own, const char *const *folders, size_t count,
                               const char *const *uris, size_t uri_count, struct graph_plugin_facts **facts,
                               size_t *fact_count, const char **notes, struct lh_error *why)
{
    static const struct graph_preset presets[] = {{"p", "P", "/p/"}, {"q", "Q", "/q/"}};
    (void)context;
    calls++;
    asked_bundles += count;
    if (failing != LH_OK) {
        return lh_error_set(why, failing, NULL, "the instance failed");
    }
    struct graph_plugin_facts *made = lh_arena_array(own, PLUGINS_MAX, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(why);
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        char text[256];
        read_manifest(folders[i], text, sizeof text);
        for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
            if (strncmp(line, "plugin ", strlen("plugin ")) != 0) {
                continue;
            }
            const char *name = line + strlen("plugin "), *uri = print(own, "lv2:", name);
            const char *title = print(own, "The ", name), *binary = print(own, folders[i], "x.so");
            if (strcmp(name, "far") == 0) {
                binary = print(own, folders[i], "sub/x.so");
            }
            if (uri == NULL || title == NULL || binary == NULL) {
                return lh_error_no_memory(why);
            }
            if (!wanted(uri, uris, uri_count)) {
                continue;
            }
            uint32_t preset_count = count_presets(folders, count, name);
            made[used] = (struct graph_plugin_facts){.uri = uri,
                                                     .name = title,
                                                     .author = "",
                                                     .licence = "",
                                                     .category = "",
                                                     .version = "1.0",
                                                     .bundle = folders[i],
                                                     .binary = binary,
                                                     .refused = "",
                                                     .presets = presets,
                                                     .preset_count = preset_count};
            used++;
        }
    }
    *facts = made;
    *fact_count = used;
    *notes = "";
    return LH_OK;
}

static struct inventory_describer describer = {.describe = describe, .version = "1"};

static void add(const char *folder, const char *manifest)
{
    char name[256];
    folders_make(folder);
    snprintf(name, sizeof name, "%s/manifest.ttl", folder);
    folders_write(name, manifest);
}

static void set_up(void)
{
    folders_begin();
    lh_arena_init(&arena);
    describer.version = "1";
    failing = LH_OK;
    cache = lh_arena_strdup(&arena, folders_path("cache"));
    folders_make("lv2");
    add("lv2/a", "plugin alpha\nplugin beta\n");
    add("lv2/b", "plugin gamma\n");
    add("lv2/presets", "preset one of alpha\n");
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
    folders_end();
}

static void open_index(const char *folder)
{
    calls = 0;
    asked_bundles = 0;
    const char *path = lh_arena_strdup(&arena, folders_path("lv2"));
    ck_assert_int_eq(inventory_bundles_find(&arena, path, &bundles, &error), LH_OK);
    ck_assert_int_eq(inventory_index_open(&arena, folder, &bundles, &describer, &known_plugins, &error), LH_OK);
}

static void scan(void)
{
    open_index(cache);
    ck_assert_int_eq(inventory_index_complete(known_plugins, &error), LH_OK);
    ck_assert(inventory_index_is_complete(known_plugins));
    ck_assert_int_eq(inventory_index_save(known_plugins, &error), LH_OK);
}

static struct graph_plugin_facts facts_of(const char *uri)
{
    struct graph_plugin_facts facts;
    size_t entry = inventory_index_find(known_plugins, uri);
    ck_assert_uint_ne(entry, INVENTORY_INDEX_NONE);
    ck_assert_int_eq(inventory_index_read(known_plugins, entry, &facts, &error), LH_OK);
    return facts;
}

START_TEST(scanned_once)
{
    scan();
    ck_assert_uint_eq(calls, 1);
    ck_assert_uint_eq(inventory_index_count(known_plugins), 3);
    ck_assert_str_eq(inventory_index_uri(known_plugins, 0), "lv2:alpha");
    ck_assert_str_eq(inventory_index_name(known_plugins, 2), "The gamma");
    ck_assert_uint_eq(facts_of("lv2:alpha").preset_count, 1);
    ck_assert_uint_eq(inventory_index_find(known_plugins, "lv2:delta"), INVENTORY_INDEX_NONE);
    scan();
    ck_assert_uint_eq(calls, 0);
    ck_assert_uint_eq(inventory_index_count(known_plugins), 3);
    ck_assert_str_eq(facts_of("lv2:beta").bundle, folders_path("lv2/a/"));
    describer.version = "2";
    scan();
    ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(only_what_is_new_is_asked)
{
    scan();
    add("lv2/c", "plugin delta\n");
    folders_write("lv2/b/manifest.ttl", "plugin gamma\nplugin epsilon\n");
    scan();
    ck_assert_uint_eq(calls, 1);
    ck_assert_uint_eq(asked_bundles, 3); /* the two, and the one that holds presets only */
    ck_assert_uint_eq(inventory_index_count(known_plugins), 5);
    ck_assert_str_eq(facts_of("lv2:epsilon").name, "The epsilon");
    ck_assert_uint_eq(facts_of("lv2:alpha").preset_count, 1);
    scan();
    ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(presets_of_others_have_all_asked_again)
{
    scan();
    add("lv2/more", "preset two of alpha\n");
    scan();
    ck_assert_uint_eq(facts_of("lv2:alpha").preset_count, 2);
    folders_write("lv2/presets/manifest.ttl", "preset one of gamma\n");
    scan();
    ck_assert_uint_eq(facts_of("lv2:alpha").preset_count, 1);
    ck_assert_uint_eq(facts_of("lv2:gamma").preset_count, 1);
    ck_assert_int_eq(unlink(folders_path("lv2/more/manifest.ttl")), 0);
    scan();
    ck_assert_uint_eq(facts_of("lv2:alpha").preset_count, 0);
}
END_TEST

START_TEST(what_was_hidden_comes_back)
{
    add("lv2/A", "plugin gamma\n");
    scan();
    ck_assert_str_eq(facts_of("lv2:gamma").bundle, folders_path("lv2/A/"));
    folders_write("lv2/A/manifest.ttl", "plugin zeta\n");
    scan();
    ck_assert_str_eq(facts_of("lv2:gamma").bundle, folders_path("lv2/b/"));
    ck_assert_int_eq(unlink(folders_path("lv2/A/manifest.ttl")), 0);
    scan();
    ck_assert_uint_eq(inventory_index_find(known_plugins, "lv2:zeta"), INVENTORY_INDEX_NONE);
    ck_assert_uint_eq(inventory_index_count(known_plugins), 3);
}
END_TEST

START_TEST(a_binary_elsewhere_is_watched)
{
    add("lv2/far", "plugin far\n");
    folders_make("lv2/far/sub");
    folders_write("lv2/far/sub/x.so", "1");
    scan();
    scan();
    ck_assert_uint_eq(calls, 0);
    folders_write("lv2/far/sub/x.so", "22");
    scan();
    ck_assert_uint_eq(calls, 1);
    ck_assert_uint_eq(asked_bundles, 2);
}
END_TEST

START_TEST(a_first_question_is_a_small_one)
{
    static const char *const uris[] = {"lv2:gamma", "lv2:none"};
    open_index(cache);
    ck_assert_int_eq(inventory_index_ask(known_plugins, uris, 2, &error), LH_OK);
    ck_assert_uint_eq(inventory_index_count(known_plugins), 1);
    ck_assert_int_eq(inventory_index_ask(known_plugins, uris, 2, &error), LH_OK);
    ck_assert_uint_eq(calls, 1);
    ck_assert_int_eq(inventory_index_save(known_plugins, &error), LH_OK);
    open_index(cache);
    ck_assert_int_eq(inventory_index_ask(known_plugins, uris, 2, &error), LH_OK);
    ck_assert_uint_eq(calls, 0);
    ck_assert_uint_ne(inventory_index_find(known_plugins, "lv2:gamma"), INVENTORY_INDEX_NONE);
    ck_assert(!inventory_index_is_complete(known_plugins));
    ck_assert_int_eq(inventory_index_complete(known_plugins, &error), LH_OK);
    ck_assert_uint_eq(inventory_index_count(known_plugins), 3);
    add("lv2/n", "plugin none\n"); /* what was absent may be there now */
    open_index(cache);
    ck_assert_int_eq(inventory_index_ask(known_plugins, uris, 2, &error), LH_OK);
    ck_assert_uint_ne(inventory_index_find(known_plugins, "lv2:none"), INVENTORY_INDEX_NONE);
}
END_TEST

START_TEST(a_question_about_a_changed_world_catches_up)
{
    static const char *const uris[] = {"lv2:delta"};
    scan();
    add("lv2/c", "plugin delta\n");
    open_index(cache);
    ck_assert_int_eq(inventory_index_ask(known_plugins, uris, 1, &error), LH_OK);
    ck_assert_uint_eq(asked_bundles, 2);
    ck_assert(inventory_index_is_complete(known_plugins));
    ck_assert_uint_eq(inventory_index_count(known_plugins), 4);
}
END_TEST

static const char *index_file(void)
{
    static char path[4096];
    DIR *folder = opendir(cache);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", cache, entry->d_name);
        }
    }
    closedir(folder);
    return path;
}

START_TEST(a_damaged_file_is_made_anew)
{
    scan();
    int fd = open(index_file(), O_RDWR);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, "?", 1, 100), 1);
    close(fd);
    scan();
    ck_assert_uint_eq(calls, 1);
    ck_assert_int_eq(truncate(index_file(), 50), 0);
    scan();
    ck_assert_uint_eq(calls, 1);
    scan();
    ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(nothing_need_be_kept)
{
    open_index(NULL);
    ck_assert_int_eq(inventory_index_complete(known_plugins, &error), LH_OK);
    ck_assert_uint_eq(inventory_index_count(known_plugins), 3);
    ck_assert_int_eq(inventory_index_save(known_plugins, &error), LH_OK);
    folders_write("cache", "in the way");
    open_index(cache);
    ck_assert_int_eq(inventory_index_complete(known_plugins, &error), LH_OK);
    ck_assert_int_eq(inventory_index_save(known_plugins, &error), LH_ERR_IO);
}
END_TEST

START_TEST(a_failure_is_told)
{
    failing = LH_ERR_CRASHED;
    open_index(NULL);
    ck_assert_int_eq(inventory_index_complete(known_plugins, &error), LH_ERR_CRASHED);
    ck_assert_str_eq(error.message, "the instance failed");
    ck_assert(!inventory_index_is_complete(known_plugins));
}
END_TEST

START_TEST(memory_runs_out)
{
    static const char *const uris[] = {"lv2:none"};
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        struct inventory_index *index = NULL;
        struct graph_plugin_facts facts;
        open_index(NULL);
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = inventory_index_open(&own, cache, &bundles, &describer, &index, &error);
        status = status == LH_OK ? inventory_index_ask(index, uris, 1, &error) : status;
        status = status == LH_OK ? inventory_index_complete(index, &error) : status;
        status = status == LH_OK ? inventory_index_read(index, 0, &facts, &error) : status;
        status = status == LH_OK ? inventory_index_save(index, &error) : status;
        bool fired = testing_fail_allocation_end();
        lh_arena_fini(&own);
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        if (!fired) {
            break;
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inventory/index");
    TCase *tests = tcase_create("index");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, scanned_once);
    tcase_add_test(tests, only_what_is_new_is_asked);
    tcase_add_test(tests, presets_of_others_have_all_asked_again);
    tcase_add_test(tests, what_was_hidden_comes_back);
    tcase_add_test(tests, a_binary_elsewhere_is_watched);
    tcase_add_test(tests, a_first_question_is_a_small_one);
    tcase_add_test(tests, a_question_about_a_changed_world_catches_up);
    tcase_add_test(tests, a_damaged_file_is_made_anew);
    tcase_add_test(tests, nothing_need_be_kept);
    tcase_add_test(tests, a_failure_is_told);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
