/* SPDX-License-Identifier: MIT */
/* Solo, mute, order and need, on random projects against definitions written out plainly. */
#include "pulse-daemon/compile/routing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

#define TRACKS 9 /* 0 is the master; routes go to lower numbers */
#define ROUNDS 3000

static uint32_t state;

static uint32_t draw(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

struct scene {
    struct pulse_track tracks[TRACKS];
    struct pulse_send sends[TRACKS];
    struct pulse_deliverable deliverable;
    size_t source;
    struct pulse_project project;
};

static void make_scene(struct scene *scene)
{
    *scene = (struct scene){.source = 0};
    for (size_t i = 0; i < TRACKS; i++) {
        struct pulse_track *track = &scene->tracks[i];
        track->type = i == 0 ? PULSE_TRACK_MASTER : draw(4) == 0 ? PULSE_TRACK_RETURN : PULSE_TRACK_GROUP;
        track->output = i == 0 ? PULSE_NONE : draw((uint32_t)i);
        track->mute = draw(6) == 0;
        track->solo = draw(7) == 0;
        track->gain_db = draw(8) == 0 ? -INFINITY : 0.0;
        if (i > 0 && draw(2) == 0) {
            scene->sends[i] = (struct pulse_send){.to = draw((uint32_t)i),
                                                  .tap = draw(2) == 0 ? PULSE_TAP_PRE : PULSE_TAP_POST,
                                                  .mute = draw(5) == 0,
                                                  .gain_db = draw(6) == 0 ? -INFINITY : 0.0};
            track->sends = &scene->sends[i];
            track->send_count = 1;
        }
    }
    scene->source = draw(2) == 0 ? 0 : draw(TRACKS);
    scene->deliverable = (struct pulse_deliverable){.name = "d",
                                                    .sources = &scene->source,
                                                    .source_count = 1,
                                                    .gain_from = PULSE_NONE,
                                                    .tap = draw(2) == 0 ? PULSE_TAP_POST : PULSE_TAP_PRE};
    scene->project = (struct pulse_project){
        .tracks = scene->tracks, .track_count = TRACKS, .deliverables = &scene->deliverable, .deliverable_count = 1};
}

static bool leads_to(const struct scene *scene, size_t from, size_t to)
{
    return from == to || (from != 0 && leads_to(scene, scene->tracks[from].output, to));
}

static bool should_sound(const struct scene *scene, size_t track)
{
    bool any = false, kept = scene->tracks[track].type == PULSE_TRACK_RETURN;
    for (size_t s = 0; s < TRACKS; s++) {
        if (scene->tracks[s].solo) {
            any = true;
            kept = kept || leads_to(scene, s, track) || leads_to(scene, track, s);
        }
    }
    return !scene->tracks[track].mute && (kept || !any);
}

static bool should_open(const struct scene *scene, size_t track)
{
    return should_sound(scene, track) && scene->tracks[track].gain_db == 0.0;
}

/* Something of the track arrives at what is delivered. */
static bool should_need(const struct scene *scene, size_t track)
{
    const struct pulse_track *item = &scene->tracks[track];
    bool post = scene->deliverable.tap == PULSE_TAP_POST;
    if (track == scene->source && (post ? should_open(scene, track) : should_sound(scene, track))) {
        return true;
    }
    if (item->output != PULSE_NONE && should_open(scene, track) && should_sound(scene, item->output) &&
        should_need(scene, item->output)) {
        return true;
    }
    const struct pulse_send *send = item->send_count > 0 ? item->sends : NULL;
    return send != NULL && !send->mute && send->gain_db == 0.0 && should_sound(scene, send->to) &&
           (send->tap == PULSE_TAP_PRE ? should_sound(scene, track) : should_open(scene, track)) &&
           should_need(scene, send->to);
}

START_TEST(test_truth)
{
    for (state = 0; state < ROUNDS;) {
        uint32_t seed = state;
        struct scene scene;
        struct pulse_routing routing;
        struct lh_arena arena;
        lh_arena_init(&arena);
        make_scene(&scene);
        ck_assert_int_eq(pulse_routing_init(&routing, &arena, &scene.project, NULL, NULL), LH_OK);
        size_t place[TRACKS] = {0};
        for (size_t i = 0; i < TRACKS; i++) {
            place[routing.order[i]] = i;
        }
        for (size_t i = 0; i < TRACKS; i++) {
            if (routing.sounds[i] != should_sound(&scene, i) || routing.opens[i] != should_open(&scene, i) ||
                routing.needed[i] != should_need(&scene, i)) {
                ck_abort_msg("scene %u, track %zu", seed, i);
            }
            if ((i > 0 && place[i] >= place[scene.tracks[i].output]) ||
                (scene.tracks[i].send_count > 0 && place[i] >= place[scene.sends[i].to])) {
                ck_abort_msg("scene %u: track %zu is out of order", seed, i);
            }
        }
        lh_arena_fini(&arena);
        state = seed + 1;
    }
}
END_TEST

START_TEST(test_circle)
{
    struct pulse_track tracks[] = {{.type = PULSE_TRACK_MASTER, .output = PULSE_NONE},
                                   {.type = PULSE_TRACK_GROUP, .output = 2, .solo = true},
                                   {.type = PULSE_TRACK_GROUP, .output = 1}};
    const struct pulse_project project = {.tracks = tracks, .track_count = 3};
    struct pulse_routing routing;
    struct lh_arena arena;
    lh_arena_init(&arena);
    ck_assert_int_eq(pulse_routing_init(&routing, &arena, &project, NULL, NULL), LH_ERR_INVALID);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(test_automation_replaces)
{
    static const struct pulse_point point = {.value = 0};
    const struct pulse_automation automation[] = {
        {.target = PULSE_TARGET_PAN, .points = &point, .point_count = 1},
        {.target = PULSE_TARGET_SEND_GAIN, .index = 1, .points = &point, .point_count = 1},
        {.target = PULSE_TARGET_GAIN, .points = NULL, .point_count = 0},
        {.target = PULSE_TARGET_MUTE, .points = &point, .point_count = 1},
    };
    const struct pulse_track track = {.automation = automation, .automation_count = 4};
    ck_assert_ptr_eq(pulse_automation_of(&track, PULSE_TARGET_PAN, 0), &automation[0]);
    ck_assert_ptr_null(pulse_automation_of(&track, PULSE_TARGET_SEND_GAIN, 0));
    ck_assert_ptr_eq(pulse_automation_of(&track, PULSE_TARGET_SEND_GAIN, 1), &automation[1]);
    ck_assert_ptr_null(pulse_automation_of(&track, PULSE_TARGET_GAIN, 0)); /* no points, no automation */
    ck_assert_ptr_eq(pulse_automation_of(&track, PULSE_TARGET_MUTE, 0), &automation[3]);
}
END_TEST

static void chooses(const char *wanted, const char *const *names, size_t count, const char *message)
{
    struct scene scene;
    struct pulse_deliverable deliverables[10];
    make_scene(&scene);
    for (size_t i = 0; i < count; i++) {
        deliverables[i] = scene.deliverable;
        deliverables[i].name = names[i];
    }
    scene.project.deliverables = deliverables;
    scene.project.deliverable_count = count;
    const struct pulse_compile_options options = {.only = &wanted, .only_count = 1};
    struct pulse_routing routing;
    struct lh_arena arena;
    struct lh_faults faults;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    ck_assert_int_eq(pulse_routing_init(&routing, &arena, &scene.project, &options, &faults), LH_OK);
    ck_assert_uint_eq(faults.count, 1);
    ck_assert_str_eq(faults.items[0].message, message);
    lh_arena_fini(&arena);
}

START_TEST(test_unknown_choice)
{
    static const char *const names[] = {"mix", "web", "c-3", "d-4", "e-5", "f-6", "g-7", "h-8", "i-9", "j-10"};
    static const char long_name[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    chooses("wep", names, 10, "there is no deliverable \"wep\"; did you mean \"web\"?");
    chooses("zz", NULL, 0, "there is no deliverable \"zz\"; the project has none");
    chooses("zz", names, 1, "there is no deliverable \"zz\"; the project has \"mix\"");
    chooses("zz", names, 8,
            "there is no deliverable \"zz\"; the project has \"mix\", \"web\", \"c-3\", \"d-4\", \"e-5\", \"f-6\", "
            "\"g-7\", \"h-8\"");
    chooses("zz", names, 10,
            "there is no deliverable \"zz\"; the project has \"mix\", \"web\", \"c-3\", \"d-4\", \"e-5\", \"f-6\", "
            "\"g-7\", \"h-8\" and 2 more");
    chooses("zz", (const char *const[]){"mix", long_name, "web"}, 3,
            "there is no deliverable \"zz\"; the project has \"mix\" and 2 more");
    chooses("zz", (const char *const[]){long_name}, 1,
            "there is no deliverable \"zz\"; the project has 1 of a longer name");
}
END_TEST

START_TEST(test_no_memory)
{
    struct scene scene;
    bool fired = true;
    make_scene(&scene);
    for (size_t n = 1; fired; n++) {
        struct pulse_routing routing;
        struct lh_arena arena;
        lh_arena_init(&arena);
        testing_fail_allocation(n);
        enum lh_status status = pulse_routing_init(&routing, &arena, &scene.project, NULL, NULL);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        lh_arena_fini(&arena);
    }
}
END_TEST

#define KEYED(more) "{'id': 'a', 'type': 'audio', 'nodes': [{'id': 'n', 'plugin': 'lv2:urn:x'" more "}]}"
#define KEY "'sidechain': {'from': 'k'}"

/* What is needed of a track `k` that keys, or might, one that is delivered. */
START_TEST(test_side_chains)
{
    static const struct {
        const char *keyed, *key;
        bool needed;
    } cases[] = {
        {KEYED(", " KEY), "", true},
        {KEYED(", " KEY ", 'enabled': false"), "", false},
        {KEYED(", 'ifMissing': [{'id': 's', 'plugin': 'lv2:urn:y', " KEY "}]"), "", true},
        {KEYED(", 'ifMissing': [{'id': 's', 'plugin': 'lv2:urn:y', 'enabled': false, " KEY "}]"), "", false},
        {KEYED(", 'enabled': false, 'ifMissing': [{'id': 's', 'plugin': 'lv2:urn:y', " KEY "}]"), "", false},
        {KEYED(", " KEY), ", 'mute': true", false},
        {KEYED(", " KEY), ", 'gainDb': '-inf'", false},
        {KEYED(", 'sidechain': {'from': 'k', 'tap': 'pre'}"), ", 'gainDb': '-inf'", true},
        {KEYED(""), "", false},
    };
    char text[1024];
    snprintf(text, sizeof text,
             "{'loophole': 1, 'tracks': [%s, {'id': 'k', 'type': 'group'%s}, {'id': 'u', 'type': 'audio', 'output': "
             "'k'}], 'deliverables': [{'name': 'a', 'source': 'a'}]}",
             cases[_i].keyed, cases[_i].key);
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_routing routing;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    struct pulse_project *project = compiling_parse(text, &faults);
    ck_assert_int_eq(pulse_routing_init(&routing, &arena, project, NULL, NULL), LH_OK);
    ck_assert(routing.needed[1] == cases[_i].needed);
    ck_assert(routing.needed[2] == cases[_i].needed); /* and what it hears */
    size_t place[4];
    for (size_t i = 0; i < 4; i++) {
        place[routing.order[i]] = i;
    }
    ck_assert(_i == 8 || place[1] < place[0]);
    ck_assert_uint_lt(place[2], place[1]);
    pulse_project_free(project);
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("routing");
    TCase *tests = tcase_create("routing");
    tcase_add_test(tests, test_truth);
    tcase_add_test(tests, test_circle);
    tcase_add_test(tests, test_automation_replaces);
    tcase_add_test(tests, test_unknown_choice);
    tcase_add_test(tests, test_no_memory);
    tcase_add_loop_test(tests, test_side_chains, 0, 9);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
