/* SPDX-License-Identifier: MIT */
/* Copies of what a step gave. */
#include "pulse-daemon/service/orders.h"

#include <stdlib.h>
#include <string.h>

struct pulse_orders *pulse_orders_new(void)
{
    struct pulse_orders *orders = calloc(1, sizeof *orders);
    if (orders != NULL) {
        orders->mail.kind = PULSE_MAIL_ORDERS;
        lh_arena_init(&orders->arena);
    }
    return orders;
}

void pulse_orders_free(struct pulse_orders *orders)
{
    if (orders != NULL) {
        lh_arena_fini(&orders->arena);
        free(orders);
    }
}

/* NULL when memory is out; an empty array has a place, too. */
static void *copy(struct lh_arena *arena, const void *items, size_t count, size_t size)
{
    void *made = lh_arena_array(arena, count, size);
    if (made != NULL && count > 0) {
        memcpy(made, items, count * size);
    }
    return made;
}

/* NULL stays NULL. */
static bool copy_text(struct lh_arena *arena, const char **text)
{
    if (*text != NULL) {
        *text = lh_arena_strdup(arena, *text);
        return *text != NULL;
    }
    return true;
}

static bool copy_action(struct lh_arena *arena, const struct pulse_farm_action *from, struct pulse_farm_action *to)
{
    *to = *from;
    to->inputs = copy(arena, from->inputs, from->input_count, sizeof *from->inputs);
    to->outputs = copy(arena, from->outputs, from->output_count, sizeof *from->outputs);
    return to->inputs != NULL && to->outputs != NULL && copy_text(arena, &to->worker) && copy_text(arena, &to->text);
}

enum lh_status pulse_orders_actions(const struct pulse_farm_outcome *outcome,
                                    bool (*wanted)(enum pulse_farm_action_kind kind), struct pulse_orders **orders)
{
    size_t count = 0;
    for (size_t i = 0; i < outcome->action_count; i++) {
        count += wanted(outcome->actions[i].kind) ? 1 : 0;
    }
    *orders = NULL;
    if (count == 0) {
        return LH_OK;
    }
    struct pulse_orders *made = pulse_orders_new();
    bool good = made != NULL && (made->actions = lh_arena_array(&made->arena, count, sizeof *made->actions)) != NULL;
    for (size_t i = 0; good && i < outcome->action_count; i++) {
        if (wanted(outcome->actions[i].kind)) {
            good = copy_action(&made->arena, &outcome->actions[i], &made->actions[made->action_count++]);
        }
    }
    if (!good) {
        pulse_orders_free(made);
        return LH_ERR_NO_MEMORY;
    }
    *orders = made;
    return LH_OK;
}

enum lh_status pulse_orders_events(const struct pulse_farm_outcome *outcome, uint64_t first_event,
                                   struct pulse_orders **orders)
{
    size_t count = 0;
    for (size_t i = 0; i < outcome->change_count; i++) {
        count += outcome->changes[i].kind == PULSE_CHANGE_EVENT ? 1 : 0;
    }
    *orders = NULL;
    if (count == 0) {
        return LH_OK;
    }
    struct pulse_orders *made = pulse_orders_new();
    bool good = made != NULL && (made->told = lh_arena_array(&made->arena, count, sizeof *made->told)) != NULL;
    for (size_t i = 0; good && i < outcome->change_count; i++) {
        const struct pulse_change *change = &outcome->changes[i];
        if (change->kind == PULSE_CHANGE_EVENT) {
            struct pulse_told *told = &made->told[made->told_count];
            *told = (struct pulse_told){
                .sequence = first_event + made->told_count,
                .tenant = change->job.tenant,
                .job = change->job.id,
                .text = change->event,
            };
            made->told_count++;
            good = copy_text(&made->arena, &told->text);
        }
    }
    if (!good) {
        pulse_orders_free(made);
        return LH_ERR_NO_MEMORY;
    }
    *orders = made;
    return LH_OK;
}
