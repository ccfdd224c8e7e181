/* SPDX-License-Identifier: MIT */
/* Questions about tenants. For administrators, who are the farm's and not a tenant's. */
#include <string.h>

#include "common/base/log.h"
#include "pulse-daemon/service/clients_parts.h"
#include "pulse-daemon/service/tags.h"
#include "pulse-daemon/store/media.h"

/* ---- making and changing ---- */

/* What is to be, before the transaction, and what is, after it. */
struct tenant_work {
    struct pulse_tenant_row row;
    bool create, set_quota, set_weight, set_tags;
};

static enum lh_status count_tenant(void *context, const struct pulse_tenant_row *row)
{
    (void)row;
    ++*(size_t *)context;
    return LH_OK;
}

static enum lh_status write_new(struct tenant_work *work, const struct pulse_writing *writing, struct lh_error *error)
{
    size_t count = 0;
    enum lh_status status = pulse_store_tenants(writing->store, count_tenant, &count, error);
    if (status == LH_OK && count >= PULSE_TENANTS_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL, "there are %u tenants: more than that a farm cannot have",
                            PULSE_TENANTS_MAX);
    }
    return status == LH_OK ? pulse_store_tenant_put(writing->store, &work->row, &work->row.id, error) : status;
}

static void merge(struct tenant_work *work, const struct pulse_tenant_row *before)
{
    work->row.id = before->id;
    work->row.quota_bytes = work->set_quota ? work->row.quota_bytes : before->quota_bytes;
    work->row.weight = work->set_weight ? work->row.weight : before->weight;
    work->row.tags = work->set_tags ? work->row.tags : before->tags;
}

static bool is_same(const struct pulse_tenant_row *a, const struct pulse_tenant_row *b)
{
    return a->quota_bytes == b->quota_bytes && a->weight == b->weight && strcmp(a->tags, b->tags) == 0;
}

/* In the batch's transaction, in which the core gets the weight, too. */
static enum lh_status write_tenant(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    struct tenant_work *work = task->payload;
    struct pulse_tenant_row before;
    enum lh_status status = pulse_store_tenant(writing->store, 0, work->row.name, &task->arena, &before, error);
    if (status == LH_ERR_MISSING && work->create) {
        work->row.id = 0;
        status = write_new(work, writing, error);
    } else if (status == LH_OK && work->create) { /* a question that was asked twice, or another's name */
        work->row.id = before.id;
        status = is_same(&work->row, &before) ? LH_OK
                                              : lh_error_set(error, LH_ERR_CONFLICT, "name",
                                                             "there is a tenant of this name with other settings");
    } else if (status == LH_OK) {
        merge(work, &before);
        status = pulse_store_tenant_put(writing->store, &work->row, &work->row.id, error);
    }
    task->event.tenant = work->row.id;
    task->event.weight = work->row.weight;
    return status;
}

static bool fill_tenant(struct lh_arena *arena, const struct pulse_tenant_row *row, const struct pulse_usage *usage,
                        Wire__Tenant *tenant)
{
    const char *const *tags;
    const char *name = lh_arena_strdup(arena, row->name);
    wire__tenant__init(tenant);
    if (name == NULL || !pulse_tags_split(arena, row->tags, &tags, &tenant->n_tags)) {
        return false;
    }
    tenant->id = row->id;
    tenant->name = wire_text(name);
    tenant->has_quota_bytes = tenant->has_weight = true;
    tenant->quota_bytes = row->quota_bytes;
    tenant->weight = row->weight;
    tenant->tags = (char **)(uintptr_t)tags;
    tenant->has_media_bytes = tenant->has_file_bytes = tenant->has_output_bytes = usage != NULL;
    if (usage != NULL) {
        tenant->media_bytes = usage->media_bytes;
        tenant->file_bytes = usage->file_bytes;
        tenant->output_bytes = usage->output_bytes;
    }
    return true;
}

static void written(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    const struct tenant_work *work = task->payload;
    struct lh_error error = LH_ERROR_INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Tenant answer;
    if (pulse_question_failed(question, task)) {
        return;
    }
    bool filled = fill_tenant(&question->arena, &work->row, NULL, &answer);
    LH_LOG(LH_LOG_INFO, work->create ? "tenant made" : "tenant changed", LH_LOG_NUMBER("tenant", work->row.id),
           LH_LOG_TEXT("name", work->row.name), LH_LOG_NUMBER("quota", work->row.quota_bytes),
           LH_LOG_NUMBER("weight", work->row.weight), LH_LOG_TEXT("tags", work->row.tags));
    pulse_task_free(task);
    if (!filled) {
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
    } else {
        WIRE_BODY(&envelope, TENANT, tenant, &answer);
        pulse_question_answer(question, &envelope);
    }
}

static void ask_put(struct pulse_question *question, const struct tenant_work *work, char *const *tags,
                    size_t tag_count)
{
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_EVENT, written);
    struct tenant_work *payload = task != NULL ? pulse_question_payload(question, task, sizeof *payload) : NULL;
    if (payload == NULL) {
        return;
    }
    *payload = *work;
    payload->row.tags = pulse_tags_join(&task->arena, (const char *const *)tags, tag_count);
    if (payload->row.tags == NULL) {
        struct lh_error error = LH_ERROR_INIT;
        (void)lh_error_no_memory(&error);
        pulse_task_free(task);
        pulse_question_fail(question, &error);
        return;
    }
    task->event.kind = PULSE_FARM_TENANT;
    task->write = write_tenant;
    pulse_question_ask(question, task);
}

void pulse_ask_tenant_create(struct pulse_question *question)
{
    const Wire__TenantCreate *asked = question->envelope->tenant_create;
    const struct tenant_work work = {
        .row = {.name = asked->name,
                .quota_bytes = asked->quota_bytes,
                .weight = asked->has_weight ? asked->weight : 1},
        .create = true,
    };
    ask_put(question, &work, asked->tags, asked->n_tags);
}

void pulse_ask_tenant_change(struct pulse_question *question)
{
    const Wire__TenantChange *asked = question->envelope->tenant_change;
    const struct tenant_work work = {
        .row = {.name = asked->name, .quota_bytes = asked->quota_bytes, .weight = asked->weight},
        .set_quota = asked->has_quota_bytes,
        .set_weight = asked->has_weight,
        .set_tags = asked->has_set_tags && asked->set_tags,
    };
    ask_put(question, &work, asked->tags, asked->n_tags);
}

/* ---- listing ---- */

struct tenant_list {
    struct lh_arena *arena;
    struct pulse_tenant_row rows[PULSE_TENANTS_MAX];
    size_t count;
};

static enum lh_status take_tenant(void *context, const struct pulse_tenant_row *row)
{
    struct tenant_list *list = context;
    if (list->count == PULSE_TENANTS_MAX) {
        return LH_OK;
    }
    struct pulse_tenant_row *copy = &list->rows[list->count++];
    *copy = *row;
    copy->name = lh_arena_strdup(list->arena, row->name);
    copy->tags = lh_arena_strdup(list->arena, row->tags);
    return copy->name != NULL && copy->tags != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

void pulse_ask_tenants(struct pulse_question *question)
{
    struct lh_arena *arena = &question->arena;
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    if (store == NULL) {
        return;
    }
    struct tenant_list *list = lh_arena_alloc(arena, sizeof *list);
    Wire__Tenant *tenants = lh_arena_array(arena, PULSE_TENANTS_MAX, sizeof *tenants);
    Wire__Tenant **items = lh_arena_array(arena, PULSE_TENANTS_MAX, sizeof *items);
    enum lh_status status = LH_ERR_NO_MEMORY;
    if (list != NULL && tenants != NULL && items != NULL) {
        list->arena = arena;
        status = pulse_store_tenants(store, take_tenant, list, &error);
    }
    for (size_t i = 0; status == LH_OK && i < list->count; i++) {
        struct pulse_usage usage;
        status = pulse_store_usage(store, list->rows[i].id, &usage, &error);
        if (status == LH_OK && !fill_tenant(arena, &list->rows[i], &usage, &tenants[i])) {
            status = LH_ERR_NO_MEMORY;
        }
        items[i] = &tenants[i];
    }
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Tenants answer = WIRE__TENANTS__INIT;
    answer.tenants = items;
    answer.n_tenants = list->count;
    WIRE_BODY(&envelope, TENANTS, tenants, &answer);
    pulse_question_answer(question, &envelope);
}
