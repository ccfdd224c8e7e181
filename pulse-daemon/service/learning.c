/* SPDX-License-Identifier: MIT */
/* Lessons, and the rows that come of them. */
#include "pulse-daemon/service/learning.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "graph/shard.h"
#include "pulse-daemon/store/learned.h"

#define SAVE_NS (2 * LH_CLOCK_SECOND_NS)

struct pulse_lesson *pulse_lesson_new(uint64_t tenant, const Wire__Complete *complete)
{
    const Wire__ShardTimes *times = complete->times;
    if (times == NULL) {
        return NULL;
    }
    double all = (double)times->conform_ns + (double)times->mix_ns + (double)times->meter_ns +
                 (double)times->encode_ns + (double)times->plugins_ns;
    if (!pulse_cost_is_telling(all)) {
        return NULL;
    }
    struct pulse_lesson *lesson = calloc(1, sizeof *lesson + complete->n_inserts * sizeof lesson->inserts[0]);
    if (lesson == NULL) {
        return NULL;
    }
    lesson->mail.kind = PULSE_MAIL_NOTE;
    lesson->tenant = tenant;
    lesson->shard = complete->shard;
    lesson->conform = (double)times->conform_ns;
    lesson->mix = (double)times->mix_ns;
    lesson->meter = (double)times->meter_ns;
    lesson->encode = (double)times->encode_ns;
    lesson->insert_count = complete->n_inserts;
    for (size_t i = 0; i < complete->n_inserts; i++) {
        lesson->inserts[i] = (double)complete->inserts[i]->nanoseconds;
    }
    return lesson;
}

/* ---- learning ---- */

void pulse_learning_init(struct pulse_learning *learning, struct pulse_costs *costs)
{
    *learning = (struct pulse_learning){.costs = costs};
    learning->last = &learning->first;
}

static struct pulse_lesson *take(struct pulse_learning *learning)
{
    struct pulse_mail *mail = learning->first;
    if (mail != NULL) {
        learning->first = mail->next;
        learning->count--;
        if (learning->first == NULL) {
            learning->last = &learning->first;
        }
    }
    return (struct pulse_lesson *)mail;
}

void pulse_learning_fini(struct pulse_learning *learning)
{
    struct pulse_lesson *lesson;
    while ((lesson = take(learning)) != NULL) {
        free(lesson);
    }
}

void pulse_learning_add(struct pulse_learning *learning, struct pulse_lesson *lesson)
{
    if (learning->count >= PULSE_LESSONS_MOST) {
        free(lesson);
        return;
    }
    lesson->mail.next = NULL;
    *learning->last = &lesson->mail;
    learning->last = &lesson->mail.next;
    learning->count++;
}

/* What came converted cost nothing here. */
static enum lh_status learn(struct pulse_learning *learning, struct lh_arena *arena, const struct graph_shard *shard,
                            const struct pulse_lesson *lesson, struct lh_error *error)
{
    const struct graph *graph = shard->graph;
    bool *conformed = lh_arena_array(arena, graph->media_count, sizeof *conformed);
    if (conformed == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < shard->input_count; i++) {
        if (shard->inputs[i].kind == GRAPH_SHARD_CONFORMED) {
            conformed[shard->inputs[i].index] = true;
        }
    }
    struct pulse_spent spent = {
        .conform = lesson->conform,
        .mix = lesson->mix,
        .meter = lesson->meter,
        .encode = lesson->encode,
        .inserts = lesson->insert_count == graph->insert_count ? lesson->inserts : NULL,
        .conformed = conformed,
    };
    return pulse_costs_learn_render(learning->costs, graph, &spent) == LH_OK ? LH_OK : lh_error_no_memory(error);
}

enum lh_status pulse_learning_step(struct pulse_learning *learning, struct pulse_store *store, struct lh_error *error)
{
    struct pulse_lesson *lesson = take(learning);
    struct lh_arena arena;
    struct pulse_spec spec;
    struct graph_shard shard = {.graph = NULL};
    if (lesson == NULL) {
        return LH_OK;
    }
    lh_arena_init(&arena);
    enum lh_status status = pulse_store_spec(store, lesson->tenant, lesson->shard, &arena, &spec, error);
    if (status == LH_OK && graph_shard_decode(spec.data, spec.size, &arena, &shard, NULL) == LH_OK &&
        shard.graph != NULL) {
        status = learn(learning, &arena, &shard, lesson, error);
    }
    graph_unref(shard.graph);
    lh_arena_fini(&arena);
    free(lesson);
    return status == LH_ERR_MISSING ? LH_OK : status;
}

/* ---- saving ---- */

/* What a task writes. */
struct saving {
    struct pulse_cost_row *rows;
    size_t count;
    uint64_t lessons;
};

static enum lh_status write_costs(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    const struct saving *saving = task->payload;
    return pulse_store_costs_put(writing->store, saving->rows, saving->count, error);
}

static bool fill(const struct pulse_learning *learning, struct lh_arena *arena, struct saving *saving)
{
    const struct pulse_cost *cost;
    size_t all = 0;
    while (pulse_costs_at(learning->costs, all) != NULL) {
        all++;
    }
    saving->lessons = pulse_costs_lessons(learning->costs);
    saving->rows = lh_arena_array(arena, all, sizeof *saving->rows);
    bool good = saving->rows != NULL;
    for (size_t i = 0; good && (cost = pulse_costs_at(learning->costs, i)) != NULL; i++) {
        if (cost->lesson > learning->saved) {
            const char *name = lh_arena_strdup(arena, cost->what);
            saving->rows[saving->count++] = (struct pulse_cost_row){name, cost->ns, cost->weight};
            good = name != NULL;
        }
    }
    return good;
}

struct pulse_task *pulse_learning_save(struct pulse_learning *learning, bool now)
{
    uint64_t now_ns = lh_clock_monotonic_ns();
    if (learning->saving || pulse_costs_lessons(learning->costs) == learning->saved ||
        (!now && now_ns < learning->save_ns)) {
        return NULL;
    }
    struct pulse_task *task = pulse_task_new(PULSE_TASK_WRITE);
    struct saving *saving = task != NULL ? lh_arena_alloc(&task->arena, sizeof *saving) : NULL;
    if (saving == NULL || !fill(learning, &task->arena, saving)) {
        pulse_task_free(task);
        return NULL;
    }
    task->payload = saving;
    task->write = write_costs;
    learning->saving = true;
    learning->save_ns = now_ns + SAVE_NS;
    return task;
}

void pulse_learning_saved(struct pulse_learning *learning, struct pulse_task *task)
{
    learning->saving = false;
    if (task->status == LH_OK) { /* else it is written with what comes next */
        learning->saved = ((const struct saving *)task->payload)->lessons;
    }
    pulse_task_free(task);
}
