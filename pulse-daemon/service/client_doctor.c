/* SPDX-License-Identifier: MIT */
/* The questions of what is wrong and what alarms there were. The store and the folder are looked at on the intake's
   thread with a handle of its own, for that takes as long as they are large; the core looks at itself. */
#include <stdio.h>
#include <string.h>

#include "pulse-daemon/service/checkup.h"
#include "pulse-daemon/service/clients_parts.h"

#define FINDINGS_MAX 1000

struct doctor {
    struct pulse_mail mail; /* first */
    struct pulse_question *question;
    enum lh_status status;
    struct lh_error error;
    char *findings[FINDINGS_MAX];
    size_t count, lost; /* `lost`: more than can be told */
};

static void find(void *context, const char *where, const char *what)
{
    struct doctor *doctor = context;
    size_t size = strlen(where) + strlen(what) + sizeof ": ";
    char *text = doctor->count < FINDINGS_MAX ? lh_arena_alloc(&doctor->question->arena, size) : NULL;
    if (text == NULL) {
        doctor->lost++;
        return;
    }
    snprintf(text, size, "%s: %s", where, what);
    doctor->findings[doctor->count++] = text;
}

/* ---- last: the answer ---- */

void pulse_clients_examined(struct pulse_clients *clients, struct pulse_mail *mail)
{
    struct doctor *doctor = (struct doctor *)mail;
    struct pulse_question *question = doctor->question;
    clients->asked--;
    if (doctor->status != LH_OK) {
        struct lh_error error = doctor->error;
        error.code = doctor->status;
        pulse_question_fail(question, &error);
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Findings answer = WIRE__FINDINGS__INIT;
    answer.findings = doctor->findings;
    answer.n_findings = doctor->count;
    WIRE_BODY(&envelope, FINDINGS, findings, &answer);
    pulse_question_answer(question, &envelope);
}

/* ---- second: on the intake's thread ---- */

static void examine(struct pulse_arrival *arrival)
{
    struct doctor *doctor = arrival->deed_context;
    const struct pulse_clients_options *options = &doctor->question->clients->options;
    struct pulse_store *store = NULL;
    size_t found = 0;
    doctor->status = pulse_store_open(options->store, PULSE_STORE_READ, &store, &doctor->error);
    if (doctor->status == LH_OK) {
        doctor->status = pulse_checkup_store(store, find, doctor, &found, &doctor->error);
    }
    if (doctor->status == LH_OK) {
        doctor->status = pulse_checkup_blobs(store, options->blobs, find, doctor, &found, &doctor->error);
    }
    pulse_store_close(store);
    (void)pulse_mailbox_put(options->box, &doctor->mail, true);
}

/* ---- first: the core ---- */

struct core_look {
    char where[LH_ERROR_WHERE_SIZE], what[LH_ERROR_MESSAGE_SIZE];
};

static void look_at_core(struct pulse_task *task, struct pulse_farm *farm)
{
    struct core_look *look = task->payload;
    struct lh_error error = LH_ERROR_INIT;
    if (pulse_farm_check(farm, &error) != LH_OK) {
        memcpy(look->where, error.where, sizeof look->where);
        memcpy(look->what, error.message, sizeof look->what);
    }
}

static void looked_at_core(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct pulse_clients *clients = question->clients;
    if (pulse_question_failed(question, task)) {
        return;
    }
    struct doctor *doctor = lh_arena_alloc(&question->arena, sizeof *doctor);
    struct pulse_arrival *arrival = doctor != NULL ? pulse_arrival_new() : NULL;
    if (arrival == NULL) {
        struct lh_error error = LH_ERROR_INIT;
        (void)lh_error_no_memory(&error);
        pulse_task_free(task);
        pulse_question_fail(question, &error);
        return;
    }
    const struct core_look *look = task->payload;
    doctor->mail.kind = PULSE_MAIL_EXAMINATION;
    doctor->question = question;
    if (look->what[0] != '\0') {
        find(doctor, look->where, look->what);
    }
    pulse_task_free(task);
    arrival->deed = examine;
    arrival->deed_context = doctor;
    clients->asked++;
    pulse_intake_put(clients->options.intake, arrival);
}

void pulse_ask_doctor(struct pulse_question *question)
{
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_LOOK, looked_at_core);
    if (task != NULL && pulse_question_payload(question, task, sizeof(struct core_look)) != NULL) {
        task->look = look_at_core;
        pulse_question_ask(question, task);
    }
}

/* ---- alarms ---- */

#define ALARMS_PAGE 100u

struct alarm_list {
    struct lh_arena *arena;
    Wire__Alarm **items;
    size_t count;
};

static enum lh_status take_alarm(void *context, const struct pulse_event_row *row)
{
    struct alarm_list *list = context;
    Wire__Alarm *alarm = lh_arena_alloc(list->arena, sizeof *alarm);
    const char *text = lh_arena_strdup(list->arena, row->text);
    if (alarm == NULL || text == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    wire__alarm__init(alarm);
    alarm->number = row->number;
    alarm->body = wire_bytes(text, strlen(text));
    alarm->has_at_ms = true;
    alarm->at_ms = (uint64_t)row->created_ms;
    list->items[list->count++] = alarm;
    return LH_OK;
}

void pulse_ask_alarms(struct pulse_question *question)
{
    const Wire__AlarmList *asked = question->envelope->alarm_list;
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    size_t limit = asked->has_count ? asked->count : ALARMS_PAGE;
    struct alarm_list list = {.arena = &question->arena};
    if (store == NULL) {
        return;
    }
    list.items = lh_arena_array(&question->arena, limit, sizeof *list.items);
    enum lh_status status =
        list.items == NULL ? lh_error_no_memory(&error) : pulse_store_alarms(store, limit, take_alarm, &list, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Alarms answer = WIRE__ALARMS__INIT;
    answer.alarms = list.items;
    answer.n_alarms = list.count;
    WIRE_BODY(&envelope, ALARMS, alarms, &answer);
    pulse_question_answer(question, &envelope);
}
