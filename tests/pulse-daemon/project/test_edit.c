/* SPDX-License-Identifier: MIT */
/* Transactions of edits, and what takes them back. */
#include "pulse-daemon/project/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/identity/random_project.h"
#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

static const char song[] =
    P "\"media\": {\"a\": {\"file\": \"a.wav\"}, \"b\": {\"file\": \"b.wav\"}},"
      "\"tracks\": [{\"id\": \"kick\", \"type\": \"audio\", \"gainDb\": -3, \"clips\": [{\"id\": \"c1\", \"media\": "
      "\"a\","
      "\"start\": {\"beats\": 0}}, {\"media\": \"b\", \"start\": {\"beats\": 4}}], \"sends\": [{\"to\": \"verb\"}]},"
      "{\"id\": \"verb\", \"type\": \"return\"}, {\"id\": \"7\", \"type\": \"audio\"}],"
      "\"ext\": {\"z\": 1, \"m/n\": [], \"a\": {\"~\": null}}, "
      "\"deliverables\": [{\"name\": \"mix\", \"format\": \"wav\"}]}";

static struct lh_arena arena;
static struct lh_faults faults;

static void setup(void)
{
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
}

static void teardown(void)
{
    lh_arena_fini(&arena);
}

static const struct lh_json *json_of(const char *text)
{
    const struct lh_json *root = NULL;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = lh_json_parse(&arena, text, strlen(text), &root, &error);
    ck_assert_msg(status == LH_OK, "%s: %s in %s", error.where, error.message, text);
    return root;
}

/* The project's bytes, in the arena. */
static const char *bytes_of(const struct pulse_project *project)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    ck_assert_int_eq(pulse_project_write(project, &writer), LH_OK);
    const char *text = lh_arena_strndup(&arena, (const char *)writer.data, writer.size);
    lh_writer_fini(&writer);
    return text;
}

static enum lh_status edit(const struct pulse_project *project, const char *list, struct pulse_edited *edited)
{
    const struct pulse_edit *edits = NULL;
    size_t count = 0;
    enum lh_status status = pulse_edits_read(&arena, json_of(list), &faults, &edits, &count);
    return status == LH_OK ? pulse_project_edit(project, edits, count, &faults, edited) : status;
}

/* Makes the edits; the document has `value` at `pointer` then ("" for: nothing), and the inverse gives the same bytes.
 */
static void expect(const char *list, const char *pointer, const char *value)
{
    struct pulse_project *project = project_of(song);
    const char *before = bytes_of(project);
    struct pulse_edited edited, back;
    enum lh_status status = edit(project, list, &edited);
    ck_assert_msg(status == LH_OK, "%s: %s: %s", list, faults.stored > 0 ? faults.items[0].where : "",
                  faults.stored > 0 ? faults.items[0].message : lh_status_text(status));
    const struct lh_json *at = edited.project->json;
    char copy[128], *rest = copy;
    snprintf(copy, sizeof copy, "%s", *pointer == '/' ? pointer + 1 : pointer);
    for (char *token; at != NULL && *pointer != '\0' && (token = strsep(&rest, "/")) != NULL;) {
        size_t index = (size_t)strtoull(token, NULL, 10);
        at = at->kind != LH_JSON_ARRAY      ? lh_json_member(at, token)
             : index < at->value.list.count ? at->value.list.items[index]
                                            : NULL;
    }
    const struct lh_json *wanted = *value != '\0' ? json_of(value) : NULL;
    ck_assert_msg(lh_json_equal(at, wanted), "%s: %s is not %s", list, pointer, value);
    ck_assert_str_eq(bytes_of(project), before);
    status = pulse_project_edit(edited.project, edited.inverse, edited.inverse_count, &faults, &back);
    ck_assert_msg(status == LH_OK, "%s: its inverse: %s", list, faults.stored > 0 ? faults.items[0].message : "");
    ck_assert_str_eq(bytes_of(back.project), before);
    pulse_project_free(back.project);
    pulse_project_free(edited.project);
    pulse_project_free(project);
}

START_TEST(test_makes_each_kind_of_edit)
{
    expect("[]", "/tracks/0/gainDb", "-3");
    expect("[{\"op\":\"set\",\"at\":\"/tracks/kick/gainDb\",\"value\":-6.5}]", "/tracks/0/gainDb", "-6.5");
    expect("[{\"op\":\"set\",\"at\":\"/tracks/verb/gainDb\",\"value\":1}]", "/tracks/1/gainDb", "1");
    expect("[{\"op\":\"set\",\"at\":\"/tracks/7/mute\",\"value\":true}]", "/tracks/2/mute", "true");
    expect("[{\"op\":\"set\",\"at\":\"/tracks/kick/clips/c1/start\",\"value\":{\"seconds\":1}}]",
           "/tracks/0/clips/0/start", "{\"seconds\":1}");
    expect("[{\"op\":\"set\",\"at\":\"/tracks/kick/sends/verb/gainDb\",\"value\":-1}]", "/tracks/0/sends/0/gainDb",
           "-1");
    expect("[{\"op\":\"remove\",\"at\":\"/tracks/kick/gainDb\"}]", "/tracks/0/gainDb", "");
    expect("[{\"op\":\"remove\",\"at\":\"/tracks/kick/clips/c1\"}]", "/tracks/0/clips/0/media", "\"b\"");
    expect("[{\"op\":\"insert\",\"at\":\"/tracks/0\",\"value\":{\"id\":\"x\",\"type\":\"audio\"}}]", "/tracks/0/id",
           "\"x\"");
    expect("[{\"op\":\"insert\",\"at\":\"/tracks/-\",\"value\":{\"id\":\"x\",\"type\":\"audio\"}}]", "/tracks/3/id",
           "\"x\"");
    expect("[{\"op\":\"insert\",\"at\":\"/tracks/3\",\"value\":{\"id\":\"x\",\"type\":\"audio\"}}]", "/tracks/3/id",
           "\"x\"");
    expect("[{\"op\":\"insert\",\"at\":\"/media/c\",\"value\":{\"file\":\"c.wav\"}}]", "/media/c/file", "\"c.wav\"");
    expect("[{\"op\":\"insert\",\"at\":\"/media/c\",\"value\":{\"file\":\"c.wav\"},\"before\":\"a\"}]", "/media/c/file",
           "\"c.wav\"");
    expect("[{\"op\":\"move\",\"from\":\"/tracks/kick\",\"at\":\"/tracks/-\"}]", "/tracks/2/id", "\"kick\"");
    expect("[{\"op\":\"move\",\"from\":\"/tracks/2\",\"at\":\"/tracks/0\"}]", "/tracks/0/id", "\"7\"");
    expect("[{\"op\":\"move\",\"from\":\"/tracks/kick/clips/c1\",\"at\":\"/tracks/7/clips\"},"
           "{\"op\":\"set\",\"at\":\"/tracks/7/clips\",\"value\":[]}]",
           "/tracks/2/clips", "[]");
    expect("[{\"op\":\"move\",\"from\":\"/ext/m~1n\",\"at\":\"/ext/q\",\"before\":\"z\"}]", "/ext/q", "[]");
    expect("[{\"op\":\"set\",\"at\":\"\",\"value\":" P "\"name\":\"other\"}}]", "/name", "\"other\"");
    expect("[{\"op\":\"remove\",\"at\":\"/ext/a/~0\"},{\"op\":\"remove\",\"at\":\"/ext/z\"}]", "/ext",
           "{\"m/n\":[],\"a\":{}}");
}
END_TEST

START_TEST(test_each_edit_sees_what_those_before_it_made)
{
    expect("[{\"op\":\"insert\",\"at\":\"/tracks/-\",\"value\":{\"id\":\"new\",\"type\":\"audio\"}},"
           "{\"op\":\"set\",\"at\":\"/tracks/new/gainDb\",\"value\":-2},"
           "{\"op\":\"move\",\"from\":\"/tracks/new\",\"at\":\"/tracks/0\"},"
           "{\"op\":\"set\",\"at\":\"/tracks/new/id\",\"value\":\"snare\"},"
           "{\"op\":\"set\",\"at\":\"/tracks/snare/gainDb\",\"value\":-4}]",
           "/tracks/0", "{\"id\":\"snare\",\"type\":\"audio\",\"gainDb\":-4}");
    /* In between it need not be a good project. */
    expect("[{\"op\":\"remove\",\"at\":\"/tracks/verb\"},{\"op\":\"remove\",\"at\":\"/tracks/kick/sends/verb\"}]",
           "/tracks/0/sends", "[]");
}
END_TEST

/* Refuses all of it; the project is as before. */
static void expect_refused(const char *list, enum lh_status code, const char *where, const char *words)
{
    struct pulse_project *project = project_of(song);
    const char *before = bytes_of(project);
    struct pulse_edited edited = {.inverse_count = 77};
    lh_faults_init(&faults, &arena);
    ck_assert_msg(edit(project, list, &edited) == code, "%s", list);
    ck_assert_uint_eq(edited.inverse_count, 77);
    ck_assert_msg(faults.count == 1, "%s: %zu faults", list, faults.count);
    ck_assert_str_eq(faults.items[0].where, where);
    ck_assert_msg(strstr(faults.items[0].message, words) != NULL, "%s: %s", list, faults.items[0].message);
    ck_assert_str_eq(bytes_of(project), before);
    pulse_project_free(project);
}

START_TEST(test_refuses_pointers_that_lead_nowhere)
{
    const enum lh_status usage = LH_ERR_USAGE;
    expect_refused("[{\"op\":\"set\",\"at\":\"/tracks/kik/gainDb\",\"value\":1}]", usage, "/edits/0/at", "\"kick\"?");
    expect_refused("[{\"op\":\"set\",\"at\":\"/trcks/kick/gainDb\",\"value\":1}]", usage, "/edits/0/at", "\"tracks\"?");
    expect_refused("[{\"op\":\"set\",\"at\":\"tracks\",\"value\":1}]", usage, "/edits/0/at", "begins with '/'");
    expect_refused("[{\"op\":\"set\",\"at\":\"/tracks/kick/gainDb/x\",\"value\":1}]", usage, "/edits/0/at",
                   "leads into");
    expect_refused("[{\"op\":\"set\",\"at\":\"/tracks/~2\",\"value\":1}]", usage, "/edits/0/at", "~0");
    expect_refused("[{\"op\":\"set\",\"at\":\"/tracks/9\",\"value\":1}]", usage, "/edits/0/at", "3 elements");
    expect_refused("[{\"op\":\"set\",\"at\":\"/tracks/-/id\",\"value\":1}]", usage, "/edits/0/at", "no element");
    expect_refused("[{\"op\":\"remove\",\"at\":\"/tracks/3\"}]", usage, "/edits/0/at", "nothing is there");
    expect_refused("[{\"op\":\"remove\",\"at\":\"/tracks/kick/pan\"}]", usage, "/edits/0/at", "nothing is there");
    expect_refused("[{\"op\":\"remove\",\"at\":\"\"}]", usage, "/edits/0/at", "whole document");
    expect_refused("[{\"op\":\"insert\",\"at\":\"\",\"value\":1}]", usage, "/edits/0/at", "there already");
    expect_refused("[{\"op\":\"insert\",\"at\":\"/media/a\",\"value\":1}]", usage, "/edits/0/at", "there already");
    expect_refused("[{\"op\":\"insert\",\"at\":\"/media/c\",\"value\":{},\"before\":\"x\"}]", usage, "/edits/0/at",
                   "stand before");
    expect_refused("[{\"op\":\"set\",\"at\":\"/media/a\",\"value\":{},\"before\":\"b\"}]", usage, "/edits/0/at",
                   "keeps its place");
    expect_refused("[{\"op\":\"insert\",\"at\":\"/tracks/0\",\"value\":{},\"before\":\"b\"}]", usage, "/edits/0/at",
                   "only a new member");
    expect_refused("[{\"op\":\"move\",\"from\":\"/tracks/nobody\",\"at\":\"/tracks/0\"}]", usage, "/edits/0/from",
                   "no element");
    expect_refused("[{\"op\":\"move\",\"from\":\"/tracks/kick\",\"at\":\"/tracks/kick/clips/0\"}]", usage,
                   "/edits/0/at", "no element"); /* into itself */
}
END_TEST

START_TEST(test_refuses_what_would_be_no_project)
{
    expect_refused("[{\"op\":\"set\",\"at\":\"/tracks/kick/gainDb\",\"value\":1000}]", LH_ERR_INVALID,
                   "/tracks/0/gainDb", "");
    expect_refused("[{\"op\":\"remove\",\"at\":\"/tracks/verb\"}]", LH_ERR_INVALID, "/tracks/0/sends/0/to", "verb");
    expect_refused("[{\"op\":\"insert\",\"at\":\"/tracks/-\",\"value\":{\"id\":\"kick\",\"type\":\"audio\"}}]",
                   LH_ERR_INVALID, "/tracks/3/id", "kick");
}
END_TEST

START_TEST(test_tells_every_fault_at_once)
{
    struct pulse_project *project = project_of(song);
    struct pulse_edited edited;
    ck_assert_int_eq(edit(project,
                          "[{\"op\":\"remove\",\"at\":\"/tracks/nobody\"},"
                          "{\"op\":\"move\",\"from\":\"/tracks/kick\",\"at\":\"/trcks/0\"},"
                          "{\"op\":\"set\",\"at\":\"/tracks/kick/gainDb\",\"value\":1},"
                          "{\"op\":\"move\",\"from\":\"/nothing\",\"at\":\"/tracks/0\"}]",
                          &edited),
                     LH_ERR_USAGE);
    ck_assert_uint_eq(faults.count, 3); /* the third is good: the move before it was undone */
    ck_assert_str_eq(faults.items[0].where, "/edits/0/at");
    ck_assert_str_eq(faults.items[1].where, "/edits/1/at");
    ck_assert_str_eq(faults.items[2].where, "/edits/3/from");
    lh_faults_init(&faults, &arena);
    ck_assert_int_eq(edit(project,
                          "[{\"op\":\"set\",\"at\":\"/tracks/kick/gainDb\",\"value\":1000},"
                          "{\"op\":\"set\",\"at\":\"/quantum\",\"value\":7}]",
                          &edited),
                     LH_ERR_INVALID);
    ck_assert_uint_ge(faults.count, 2);
    pulse_project_free(project);
}
END_TEST

START_TEST(test_reads_only_edits)
{
    static const struct {
        const char *list, *where, *words;
    } cases[] = {
        {"{}", "", "array"},
        {"[1]", "/0", "object"},
        {"[{\"op\":\"set\",\"value\":1}]", "/0", "\"at\""},
        {"[{\"at\":\"/x\",\"value\":1}]", "/0", "\"op\""},
        {"[{\"op\":7,\"at\":\"/x\"}]", "/0/op", "text"},
        {"[{\"op\":\"sett\",\"at\":\"/x\"}]", "/0/op", "\"set\"?"},
        {"[{\"op\":\"set\",\"at\":\"/x\"}]", "/0", "\"value\""},
        {"[{\"op\":\"set\",\"at\":1,\"value\":1}]", "/0/at", "text"},
        {"[{\"op\":\"move\",\"at\":\"/x\"}]", "/0", "\"from\""},
        {"[{\"op\":\"remove\",\"at\":\"/x\",\"value\":1}]", "/0/value", "no member"},
        {"[{\"op\":\"set\",\"at\":\"/x\",\"valeu\":1,\"value\":1}]", "/0/valeu", "\"value\"?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct pulse_edit *edits = NULL;
        size_t count = 77;
        lh_faults_init(&faults, &arena);
        ck_assert_msg(pulse_edits_read(&arena, json_of(cases[i].list), &faults, &edits, &count) == LH_ERR_INVALID, "%s",
                      cases[i].list);
        ck_assert_uint_eq(count, 77);
        ck_assert_msg(faults.count == 1, "%s: %zu faults", cases[i].list, faults.count);
        ck_assert_str_eq(faults.items[0].where, cases[i].where);
        ck_assert_msg(strstr(faults.items[0].message, cases[i].words) != NULL, "%s: %s", cases[i].list,
                      faults.items[0].message);
    }
}
END_TEST

START_TEST(test_limits)
{
    struct pulse_project *project = project_of(song);
    struct pulse_edited edited;
    struct pulse_edit *many = calloc(PULSE_EDITS_MAX + 1, sizeof *many);
    for (size_t i = 0; i <= PULSE_EDITS_MAX; i++) {
        many[i] = (struct pulse_edit){.kind = PULSE_EDIT_SET, .at = "/name", .value = json_of("\"x\"")};
    }
    ck_assert_int_eq(pulse_project_edit(project, many, PULSE_EDITS_MAX + 1, &faults, &edited), LH_ERR_LIMIT);
    ck_assert_str_eq(faults.items[0].where, "/edits");
    ck_assert_int_eq(pulse_project_edit(project, many, PULSE_EDITS_MAX, &faults, &edited), LH_OK);
    pulse_project_free(edited.project);
    /* Work is bounded too: an array that long, searched that often. */
    struct lh_writer text;
    lh_writer_init(&text);
    lh_writer_bytes(&text, P "\"ext\": {\"long\": [0", sizeof(P "\"ext\": {\"long\": [0") - 1);
    for (unsigned i = 0; i < 100000; i++) {
        lh_writer_bytes(&text, ",0", 2);
    }
    lh_writer_bytes(&text, "]}}", 4);
    struct pulse_project *large = project_of((const char *)text.data);
    lh_writer_fini(&text);
    for (size_t i = 0; i < PULSE_EDITS_MAX; i++) {
        many[i] = (struct pulse_edit){.kind = PULSE_EDIT_SET, .at = "/ext/long/none", .value = json_of("1")};
    }
    lh_faults_init(&faults, &arena);
    ck_assert_int_eq(pulse_project_edit(large, many, PULSE_EDITS_MAX, &faults, &edited), LH_ERR_LIMIT);
    free(many);
    pulse_project_free(large);
    pulse_project_free(project);
}
END_TEST

START_TEST(test_nth_allocation_fails)
{
    struct pulse_project *project = project_of(song);
    const struct pulse_edit *edits = NULL;
    size_t count = 0;
    const char *before = bytes_of(project);
    const struct lh_json *list =
        json_of("[{\"op\":\"insert\",\"at\":\"/tracks/0\",\"value\":{\"id\":\"x\",\"type\":\"audio\"}},"
                "{\"op\":\"move\",\"from\":\"/tracks/kick\",\"at\":\"/tracks/-\"},"
                "{\"op\":\"remove\",\"at\":\"/ext\"},"
                "{\"op\":\"set\",\"at\":\"/tracks/x/gainDb\",\"value\":1}]");
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct lh_arena own;
        struct lh_faults found;
        struct pulse_edited edited = {0};
        lh_arena_init(&own);
        lh_faults_init(&found, &own);
        testing_fail_allocation(n);
        enum lh_status status = pulse_edits_read(&own, list, &found, &edits, &count);
        status = status == LH_OK ? pulse_project_edit(project, edits, count, &found, &edited) : status;
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert((edited.project != NULL) == !failed);
        pulse_project_free(edited.project);
        lh_arena_fini(&own);
        ck_assert_uint_lt(n, 1000);
    }
    ck_assert_str_eq(bytes_of(project), before);
    pulse_project_free(project);
}
END_TEST

/* ---- Properties of random transactions on random projects */

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    return random_next(&state) % below;
}

/* A pointer to somewhere in the document, by names where there are some; `text` grows by it. */
static const struct lh_json *wander(const struct lh_json *at, struct lh_writer *text)
{
    while ((at->kind == LH_JSON_ARRAY || at->kind == LH_JSON_OBJECT) && at->value.list.count > 0 && draw(6) != 0) {
        at = at->value.list.items[draw(at->value.list.count)];
        char index[24];
        const struct lh_json *id = lh_json_member(at, "id");
        bool by_id = at->name == NULL && id != NULL && draw(2) == 0;
        snprintf(index, sizeof index, "%zu", at->index);
        lh_writer_bytes(text, "/", 1);
        for (const char *name = by_id              ? id->value.string.text
                                : at->name != NULL ? at->name
                                                   : index;
             *name != '\0'; name++) {
            const char *escaped = *name == '~' ? "~0" : *name == '/' ? "~1" : NULL;
            lh_writer_bytes(text, escaped != NULL ? escaped : name, escaped != NULL ? 2 : 1);
        }
    }
    return at;
}

static const char *random_pointer(const struct lh_json *root, const struct lh_json **found)
{
    struct lh_writer text;
    lh_writer_init(&text);
    const struct lh_json *at = wander(root, &text);
    if (draw(8) == 0) {
        const char *step = draw(2) == 0 ? "/-" : "/ext";
        lh_writer_bytes(&text, step, strlen(step));
    }
    const char *pointer = lh_arena_strndup(&arena, text.size > 0 ? (const char *)text.data : "", text.size);
    lh_writer_fini(&text);
    if (found != NULL) {
        *found = at;
    }
    return pointer;
}

static struct pulse_edit random_edit(const struct lh_json *root)
{
    static const char *const values[] = {"-12.25", "0", "true", "\"x\"", "{}", "{\"u\":[1,-0.0,2.50]}", "[]"};
    struct pulse_edit made = {.kind = (enum pulse_edit_kind)draw(4)};
    const struct lh_json *at = NULL, *value = NULL;
    made.at = random_pointer(root, &at);
    if (made.kind == PULSE_EDIT_MOVE) {
        made.from = made.at;
        /* Most often among its own kind, where it has a chance to be good. */
        made.at = draw(3) != 0 && at->parent != NULL && at->parent->kind == LH_JSON_ARRAY
                      ? lh_arena_strndup(&arena, made.at, (size_t)(strrchr(made.at, '/') - made.at) + 1)
                      : random_pointer(root, NULL);
        if (*made.at != '\0' && made.at[strlen(made.at) - 1] == '/') {
            char place[256];
            snprintf(place, sizeof place, "%s%d", made.at, (int)draw(at->parent->value.list.count));
            made.at = lh_arena_strdup(&arena, place);
        }
    } else if (made.kind != PULSE_EDIT_REMOVE) {
        (void)random_pointer(root, &value);
        made.value = draw(2) == 0 ? value : json_of(values[draw(sizeof values / sizeof *values)]);
        if (draw(3) == 0) { /* the one that is most often good */
            char gain[64];
            snprintf(gain, sizeof gain, "/tracks/%d/gainDb", (int)draw(4));
            made.kind = PULSE_EDIT_SET;
            made.at = lh_arena_strdup(&arena, gain);
            made.value = json_of("-7.125");
        }
    }
    return made;
}

#define EDITS_MAX 4
#define TRIES 300

/* Undo and redo by inverse edits, one after the other, give the bytes of each step. */
static void check_way_back(struct pulse_project *start, const char *const *steps, const struct pulse_edited *made,
                           size_t count)
{
    struct pulse_edited *redo = calloc(count + 1, sizeof *redo);
    struct pulse_project *at = made[count - 1].project;
    for (size_t i = count; i-- > 0;) {
        enum lh_status status = pulse_project_edit(at, made[i].inverse, made[i].inverse_count, &faults, &redo[i]);
        ck_assert_msg(status == LH_OK, "step %zu back: %s", i, faults.stored > 0 ? faults.items[0].message : "");
        at = redo[i].project;
        ck_assert_str_eq(bytes_of(at), steps[i]);
    }
    ck_assert_str_eq(bytes_of(at), bytes_of(start));
    struct pulse_project *last = NULL;
    for (size_t i = 0; i < count; i++) {
        struct pulse_edited again;
        ck_assert_int_eq(pulse_project_edit(at, redo[i].inverse, redo[i].inverse_count, &faults, &again), LH_OK);
        ck_assert_str_eq(bytes_of(again.project), steps[i + 1]);
        pulse_project_free(last);
        at = last = again.project;
    }
    pulse_project_free(last);
    for (size_t i = 0; i < count; i++) {
        pulse_project_free(redo[i].project);
    }
    free(redo);
}

START_TEST(test_random_transactions)
{
    size_t good = 0, refused = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        state = seed;
        struct lh_writer text;
        lh_writer_init(&text);
        random_project_write(&text, seed, 0, 256);
        lh_writer_u8(&text, 0);
        struct pulse_project *start = project_of((const char *)text.data), *at = start;
        lh_writer_fini(&text);
        static struct pulse_edited made[TRIES];
        static const char *steps[TRIES + 1];
        size_t count = 0;
        steps[0] = bytes_of(start);
        for (unsigned i = 0; i < TRIES; i++) {
            struct pulse_edit edits[EDITS_MAX];
            size_t edit_count = 1 + draw(EDITS_MAX);
            for (size_t e = 0; e < edit_count; e++) {
                edits[e] = random_edit(at->json);
            }
            lh_faults_init(&faults, &arena);
            enum lh_status status = pulse_project_edit(at, edits, edit_count, &faults, &made[count]);
            ck_assert_str_eq(bytes_of(at), steps[count]);
            if (status != LH_OK) {
                ck_assert(status == LH_ERR_USAGE || status == LH_ERR_INVALID);
                ck_assert_uint_gt(faults.count, 0);
                refused++;
                continue;
            }
            at = made[count++].project;
            steps[count] = bytes_of(at);
            /* What is written reads back as the same, to the byte. */
            struct pulse_project *copy = project_of(steps[count]);
            ck_assert_str_eq(bytes_of(copy), steps[count]);
            pulse_project_free(copy);
            good++;
        }
        if (count > 0) {
            check_way_back(start, steps, made, count);
        }
        for (size_t i = 0; i < count; i++) {
            pulse_project_free(made[i].project);
        }
        pulse_project_free(start);
    }
    ck_assert_uint_gt(good, 100);
    ck_assert_uint_gt(refused, 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/edit");
    TCase *tests = tcase_create("edit");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_makes_each_kind_of_edit);
    tcase_add_test(tests, test_each_edit_sees_what_those_before_it_made);
    tcase_add_test(tests, test_refuses_pointers_that_lead_nowhere);
    tcase_add_test(tests, test_refuses_what_would_be_no_project);
    tcase_add_test(tests, test_tells_every_fault_at_once);
    tcase_add_test(tests, test_reads_only_edits);
    tcase_add_test(tests, test_limits);
    tcase_add_test(tests, test_nth_allocation_fails);
    tcase_add_test(tests, test_random_transactions);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
