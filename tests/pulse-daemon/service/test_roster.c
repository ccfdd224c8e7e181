/* SPDX-License-Identifier: MIT */
/* pulse-daemon/service/roster.c: what most workers have, and of workers with tags only those. */
#include "pulse-daemon/service/roster.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "tests/support/testing.h"

#define URI "lv2:http://example.org/gain"
#define ENGINE "1 libraries"
#define MANY 1000
#define PLUGINS 256

static struct pulse_roster *roster;

static void set_up(void)
{
    ck_assert_int_eq(pulse_roster_new(&roster), LH_OK);
}

static void tear_down(void)
{
    pulse_roster_free(roster);
}

/* `count` plugins, of which one is URI with a binary by that number. */
static struct pulse_inventory *inventory_of(uint8_t id, size_t count, uint8_t binary, bool facts)
{
    struct pulse_inventory *made = calloc(1, sizeof *made);
    ck_assert_ptr_nonnull(made);
    lh_arena_init(&made->arena);
    made->id.bytes[0] = id;
    made->count = count;
    made->entries = lh_arena_array(&made->arena, count, sizeof *made->entries);
    struct graph_plugin_facts *told = lh_arena_alloc(&made->arena, sizeof *told);
    ck_assert(made->entries != NULL && told != NULL);
    *told = (struct graph_plugin_facts){.uri = URI,
                                        .name = "Gain",
                                        .author = "",
                                        .licence = "",
                                        .category = "",
                                        .version = "",
                                        .bundle = "/b/",
                                        .binary = "/b/gain.so",
                                        .refused = ""};
    told->digest.bytes[0] = binary;
    for (size_t i = 0; i < count; i++) {
        char uri[64];
        snprintf(uri, sizeof uri, "lv2:http://example.org/plugin/%zu", i);
        made->entries[i].uri = i > 0 ? lh_arena_strdup(&made->arena, uri) : URI;
        ck_assert_ptr_nonnull(made->entries[i].uri);
    }
    made->entries[0].digest.bytes[0] = binary;
    made->entries[0].facts = facts ? told : NULL;
    made->entries[0].repeatable = 1;
    made = pulse_roster_keep(roster, made);
    ck_assert_ptr_nonnull(made);
    return made;
}

static void join(unsigned number, const char *engine, uint32_t slots, struct pulse_inventory *inventory)
{
    char name[32];
    snprintf(name, sizeof name, "w%u", number);
    const struct pulse_worker_traits traits = {
        .name = name, .engine = engine, .cpu_class = "x", .session = number + 1, .slots = slots};
    ck_assert_int_eq(pulse_roster_join(roster, &traits, inventory), LH_OK);
}

/* The binary that is planned for; 0: nobody has the plugin. */
static uint8_t found(struct lh_arena *arena, const char *uri)
{
    struct pulse_crew crew;
    struct pulse_found_plugin plugin;
    ck_assert_int_eq(pulse_roster_crew(roster, arena, NULL, 0, &crew), LH_OK);
    if (!pulse_roster_plugin(roster, arena, &crew, uri, &plugin)) {
        return 0;
    }
    ck_assert_ptr_nonnull(plugin.facts);
    ck_assert(plugin.repeatable);
    return plugin.facts->digest.bytes[0];
}

START_TEST(the_binary_that_most_slots_have)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct pulse_inventory *few = inventory_of(1, 3, 8, true), *most = inventory_of(2, 3, 5, true);
    struct pulse_inventory *same = inventory_of(3, 3, 5, false), *silent = inventory_of(4, 3, 9, false);
    struct pulse_inventory *other = inventory_of(5, 3, 7, true);
    join(0, ENGINE, 4, few);
    ck_assert_uint_eq(found(&arena, URI), 8);
    join(1, ENGINE, 3, same); /* the same binary in two inventories, of which one tells nothing of it */
    join(2, ENGINE, 2, most);
    ck_assert_uint_eq(found(&arena, URI), 5);
    join(3, ENGINE, 9, silent); /* whose facts nobody knows */
    ck_assert_uint_eq(found(&arena, URI), 5);
    join(4, "1 others", 8, other); /* not of the crew */
    ck_assert_uint_eq(found(&arena, URI), 5);
    join(1, ENGINE, 1, same);
    ck_assert_uint_eq(found(&arena, URI), 8);
    join(2, ENGINE, 3, most); /* as many: the greater digest, whoever came first */
    ck_assert_uint_eq(found(&arena, URI), 8);
    pulse_roster_leave(roster, "w0", 1);
    ck_assert_uint_eq(found(&arena, URI), 5);
    ck_assert_uint_eq(found(&arena, "lv2:http://example.org/none"), 0);
    struct pulse_inventory *all[] = {few, most, same, silent, other};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        pulse_roster_drop(roster, all[i]);
    }
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(a_thousand_workers_are_looked_through_in_no_time)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct pulse_inventory *inventory = inventory_of(1, PLUGINS, 8, true);
    for (unsigned i = 0; i < MANY; i++) {
        join(i, ENGINE, 1, inventory);
    }
    uint64_t begun_ns = lh_clock_monotonic_ns();
    for (size_t i = 0; i < 32; i++) {
        ck_assert_uint_eq(found(&arena, URI), 8);
    }
    /* By looking at every worker for every worker it takes ten times as long; the machine may be busy. */
    ck_assert_msg(lh_clock_monotonic_ns() - begun_ns < LH_CLOCK_SECOND_NS, "%llu ms",
                  (unsigned long long)((lh_clock_monotonic_ns() - begun_ns) / 1000000));
    pulse_roster_drop(roster, inventory);
    lh_arena_fini(&arena);
}
END_TEST

static void join_as(const char *name, const char *engine, const char *cpu_class, uint32_t slots,
                    struct pulse_inventory *inventory, const char *const *tags, size_t tag_count)
{
    const struct pulse_worker_traits traits = {.name = name,
                                               .engine = engine,
                                               .cpu_class = cpu_class,
                                               .tags = tags,
                                               .tag_count = tag_count,
                                               .session = 1,
                                               .slots = slots};
    ck_assert_int_eq(pulse_roster_join(roster, &traits, inventory), LH_OK);
}

START_TEST(the_most_slots_decide)
{
    struct pulse_crew crew;
    struct lh_arena arena;
    struct pulse_inventory *inventory = inventory_of(1, 1, 1, true);
    lh_arena_init(&arena);
    ck_assert_int_eq(pulse_roster_crew(roster, &arena, NULL, 0, &crew), LH_ERR_MISSING);
    join_as("a", "1 x", "v3", 2, inventory, NULL, 0);
    join_as("b", "1 x", "v4", 1, inventory, NULL, 0);
    join_as("c", "2 y", "v4", 2, inventory, NULL, 0);
    ck_assert_int_eq(pulse_roster_crew(roster, &arena, NULL, 0, &crew), LH_OK);
    ck_assert_str_eq(crew.engine, "1 x");
    ck_assert_str_eq(crew.cpu_class, "v3");
    ck_assert_str_eq(crew.libraries, "x");
    ck_assert(crew.slots == 3 && crew.sound_version == 1);
    pulse_roster_leave(roster, "a", 1);
    ck_assert_int_eq(pulse_roster_crew(roster, &arena, NULL, 0, &crew), LH_OK);
    ck_assert_str_eq(crew.engine, "2 y");
    pulse_roster_drop(roster, inventory);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(of_those_who_have_the_tags)
{
    static const char *const vault[] = {"fast", "vault"}, *const fast[] = {"fast", "vaulted"};
    static const char *const wanted[] = {"vault"}, *const nobodys[] = {"vault", "v"};
    struct pulse_crew crew;
    struct lh_arena arena;
    struct pulse_inventory *inventory = inventory_of(1, 1, 1, true);
    lh_arena_init(&arena);
    join_as("a", "1 x", "v3", 20, inventory, fast, 2);
    join_as("b", "2 y", "v4", 1, inventory, vault, 2);
    ck_assert_int_eq(pulse_roster_crew(roster, &arena, wanted, 1, &crew), LH_OK);
    ck_assert_str_eq(crew.engine, "2 y");
    ck_assert_str_eq(crew.cpu_class, "v4");
    ck_assert(crew.slots == 1 && crew.tag_count == 1);
    ck_assert_int_eq(pulse_roster_crew(roster, &arena, vault, 1, &crew), LH_OK);
    ck_assert_str_eq(crew.engine, "1 x");
    /* Nobody has them: planned for all, it waits for one who does. */
    ck_assert_int_eq(pulse_roster_crew(roster, &arena, nobodys, 2, &crew), LH_OK);
    ck_assert_str_eq(crew.engine, "1 x");
    ck_assert_uint_eq(crew.tag_count, 0);
    pulse_roster_drop(roster, inventory);
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/service/roster");
    TCase *tests = tcase_create("roster");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_binary_that_most_slots_have);
    tcase_add_test(tests, a_thousand_workers_are_looked_through_in_no_time);
    tcase_add_test(tests, the_most_slots_decide);
    tcase_add_test(tests, of_those_who_have_the_tags);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
